"""The data all servers answer from: generated once into a file, with an agency and a staffed tree added to it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resolvers.rules.capabilities import Capability
from storage.database import Database, Transaction
from storage.entries import AssignmentEntry, ClientLinkEntry, LoginEntry, ManagerAccountEntry, UserEntry
from storage.errors import StorageError
from storage.generator import EPOCH_MS, SEED, TREE_ROOTS, TREE_USER_NAME, Size, load_generated
from storage.migrate import migrate
from storage.models import AdAccount, Assignment, ClientLink, Login, User
from storage.reads.children import read_owned_ad_account_ids
from storage.reads.facts import read_customer_links_above, read_customer_links_below
from storage.reads.logins import read_login
from storage.records.facts import EveryAccount, OnlyAccounts
from storage.records.ids import AdAccountId, LoginId, ManagerAccountId
from storage.records.values import ClientLinkStatus, LinkPermission, LinkType, Role, TokenScope
from storage.tokens import NewToken, issue_token
from storage.writes import (
    begin_revision,
    continue_ids_after_given_ones,
    reserve_ids,
    write_assignments,
    write_client_links,
    write_logins,
    write_manager_accounts,
    write_users,
)

AGENCY = ManagerAccountId(930_001)
"""A manager account that owns nothing and holds many account links; the trees' login is Super Admin in it."""
MOST_LINKS_PER_SOURCE = 60
"""Of the agency: to ad accounts whose owner the login sees, and as many to others."""
STAFF_PER_MANAGER_ACCOUNT = 6
TOKEN_LIFETIME_MS = 86_400_000
MOST_CHECKS = 1_000
_SHARES = {"allowed": 0.7, "capped": 0.2, "hidden": 0.1}
"""What the checks come to: most of those asked in earnest are allowed."""
_ALLOWED = (Capability.VIEW, Capability.MANAGE_CAMPAIGNS, Capability.UPDATE_AD_ACCOUNT, Capability.DELETE_AD_ACCOUNT)
_CAPPED = Capability.MANAGE_PAYMENT_METHODS
"""What a Super Admin may do, but not through a STANDARD link."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Data:
    """A filled database and what to ask about. `checks` are variables of `check`, in random order."""

    url: str
    token: str
    roots: dict[int, ManagerAccountId]
    agency: ManagerAccountId
    staffed: AdAccountId
    checks: list[dict[str, Any]]
    ad_accounts: int
    logins: int


def prepared(path: Path, size: Size, progress: Progress) -> Data:
    """The data in the file at `path`: brought up to date, or made anew when it is not there or cannot be."""
    if not (path.exists() and _is_usable(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        building = path.with_suffix(".building")
        for leftover in building.parent.glob(f"{building.name}*"):
            leftover.unlink()
        database = Database.open(f"sqlite:///{building}")
        try:
            fill(database, size, progress)
        finally:
            database.close()
        for old in path.parent.glob(f"{path.name}*"):
            old.unlink()
        building.rename(path)
    return described(f"sqlite:///{path}", size)


def _is_usable(path: Path) -> bool:
    """Whether data kept from an earlier run could be migrated to the tables of today."""
    try:
        database = Database.open(f"sqlite:///{path}")
    except StorageError:
        return False
    try:
        migrate(database)
        with database.read() as transaction:
            return read_login(transaction, TREE_USER_NAME) is not None
    except StorageError:
        return False
    finally:
        database.close()


def fill(database: Database, size: Size, progress: Progress) -> None:
    """Generate into an empty database and add what the questions need besides."""
    migrate(database)
    load_generated(database, size, progress=progress)
    with database.write() as transaction:
        _add_agency(transaction, size)
        _add_staff(transaction, size)
        continue_ids_after_given_ones(transaction)
        transaction.execute("ANALYZE")


def described(url: str, size: Size) -> Data:
    """What to ask about a database that is filled, with a fresh token."""
    now_ms = time.time_ns() // 1_000_000
    database = Database.open(url)
    try:
        with database.write() as transaction:
            login = read_login(transaction, TREE_USER_NAME)
            if login is None:
                raise LookupError("the database was not filled by the generator; remove it to have it made again")
            new = NewToken(login.id, "bench", frozenset(TokenScope), now_ms + TOKEN_LIFETIME_MS)
            issued = issue_token(transaction, new, now_ms)
        with database.read() as transaction:
            return Data(
                url=url,
                token=issued.token,
                roots={tree: TREE_ROOTS[tree] for tree in size.trees},
                agency=AGENCY,
                staffed=_last_ad_account(transaction),
                checks=_checks(transaction, size),
                ad_accounts=size.ad_accounts,
                logins=transaction.run(Login.select(Login.id).order_by(Login.id.desc()).limit(1)).fetchone()[0],
            )
    finally:
        database.close()


def _last_ad_account(transaction: Transaction) -> AdAccountId:
    """The ad account at the very bottom of the largest tree."""
    last = AdAccount.select(AdAccount.id).order_by(AdAccount.id.desc()).limit(1)
    return AdAccountId(transaction.run(last).fetchone()[0])


def _add_agency(transaction: Transaction, size: Size) -> None:
    stamp = begin_revision(transaction, operation="bench: agency", at_ms=EPOCH_MS)
    write_manager_accounts(transaction, stamp, [ManagerAccountEntry(AGENCY, "GAGENCY01", "Harbour Agency")])
    login = read_login(transaction, TREE_USER_NAME)
    if login is None:
        raise LookupError("the generator made no login for the trees")
    [user] = reserve_ids(transaction, User, 1)
    entry = UserEntry(_typed(user), login.id, AGENCY, is_original=False, first_name="Bench")
    write_users(transaction, stamp, [entry])
    [assignment] = reserve_ids(transaction, Assignment, 1)
    write_assignments(transaction, stamp, [AssignmentEntry(_typed(assignment), _typed(user), AGENCY, Role.SUPER_ADMIN)])
    clients = _spread(range(1, size.ad_accounts + 1)) + _spread(
        range(_last_ad_account(transaction) - max(size.trees) + 1, _last_ad_account(transaction) + 1)
    )
    ids = reserve_ids(transaction, ClientLink, len(clients))
    write_client_links(
        transaction,
        stamp,
        [
            ClientLinkEntry(
                _typed(id_),
                LinkType.ACCOUNT_LINK,
                AGENCY,
                None,
                AdAccountId(client),
                None,
                is_bill_to_client=False,
                name="Agency link",
                start_at_ms=EPOCH_MS,
                status=ClientLinkStatus.ACTIVE,
            )
            for id_, client in zip(ids, clients, strict=True)
        ],
    )


def _spread(ids: range) -> list[int]:
    """Some of these ids from all over. At most 25 of the first kind, so that a page of 50 holds both kinds."""
    wanted = min(len(ids), 25 if ids.start == 1 else MOST_LINKS_PER_SOURCE)
    return [ids[position * len(ids) // wanted] for position in range(wanted)]


def _add_staff(transaction: Transaction, size: Size) -> None:
    """People with all kinds of roles at every level above one ad account: whom `accessors` has to find."""
    stamp = begin_revision(transaction, operation="bench: staff", at_ms=EPOCH_MS)
    account = _last_ad_account(transaction)
    owner_query = AdAccount.select(AdAccount.manager_account).where(AdAccount.id == account)
    owner = ManagerAccountId(transaction.run(owner_query).fetchone()[0])
    chain = sorted({owner, *(link.managing_id for link in read_customer_links_above(transaction, [owner]))} - {AGENCY})
    count = len(chain) * STAFF_PER_MANAGER_ACCOUNT
    logins, users = reserve_ids(transaction, Login, count), reserve_ids(transaction, User, count)
    assignments = reserve_ids(transaction, Assignment, count)
    write_logins(
        transaction,
        stamp,
        [LoginEntry(LoginId(id_), f"staff{number}@bench.example") for number, id_ in enumerate(logins)],
    )
    roles = (Role.SUPER_ADMIN, Role.STANDARD, Role.CAMPAIGN_MANAGER, Role.VIEWER)
    people, held = [], []
    for number in range(count):
        place = chain[number % len(chain)]
        people.append(UserEntry(_typed(users[number]), LoginId(logins[number]), place, first_name="Staff"))
        role = roles[number % len(roles)]
        scoped = place == owner and role is not Role.SUPER_ADMIN
        scope = OnlyAccounts(frozenset({account})) if scoped else EveryAccount()
        held.append(AssignmentEntry(_typed(assignments[number]), _typed(users[number]), place, role, scope))
    write_users(transaction, stamp, people)
    write_assignments(transaction, stamp, held)


def _typed(id_: int) -> Any:
    """An id of the kind its place asks for."""
    return id_


def _checks(transaction: Transaction, size: Size) -> list[dict[str, Any]]:
    """A thousand checks in the shares of `_SHARES`; the first is an allowed one."""
    dice = random.Random(SEED)
    root = TREE_ROOTS[max(size.trees)]
    standard_links = {root: 0}
    for link in sorted(read_customer_links_below(transaction, [root]), key=lambda link: link.client_id):
        standard_links[link.client_id] = standard_links[link.managing_id] + (link.permission is LinkPermission.STANDARD)
    owned = read_owned_ad_account_ids(transaction, list(standard_links))
    visible = [account for accounts in owned.values() for account in accounts]
    # Behind one such link the code is LINK_CAP; that is all the peers know of reasons.
    capped = [account for owner, accounts in owned.items() if standard_links[owner] == 1 for account in accounts]
    linked = {
        row[0]
        for row in transaction.run(
            ClientLink.select(ClientLink.client_ad_account).where(ClientLink.managing == AGENCY)
        ).fetchall()
    }
    hidden = [account for account in range(1, size.ad_accounts + 1) if account not in linked]
    targets: dict[str, Sequence[int]] = {"allowed": visible, "capped": capped, "hidden": hidden}
    checks = [{"capability": str(Capability.VIEW), "target": f"AdAccount:{visible[-1]}"}]
    while len(checks) < MOST_CHECKS:
        [kind] = dice.choices(list(_SHARES), list(_SHARES.values()))
        if kind == "capped" and not capped:
            kind = "allowed"
        capability = _CAPPED if kind == "capped" else dice.choice(_ALLOWED)
        target = dice.choice(targets[kind])
        checks.append({"capability": str(capability), "target": f"AdAccount:{target}"})
    return checks
