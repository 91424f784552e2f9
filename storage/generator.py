"""A big, seeded data set for measuring: the same size and seed give the same rows.

A forest of manager accounts five levels deep with diamonds, ad accounts, users with roles and scopes, and
account links; beside it trees of a known number of ad accounts under known roots, with one login that is
Super Admin at all of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import NamedTuple, TypeVar

from storage.billing import write_payment_instruments
from storage.database import Database, Transaction
from storage.entries import (
    AdAccountEntry,
    AssignmentEntry,
    ClientLinkEntry,
    LoginEntry,
    ManagerAccountEntry,
    PaymentInstrumentEntry,
    UserEntry,
)
from storage.errors import StorageFailure
from storage.models import ManagerAccount
from storage.records.facts import EveryAccount, EveryLinkedEntity, OnlyAccounts, Scope
from storage.records.ids import (
    AdAccountId,
    AssignmentId,
    ClientLinkId,
    LoginId,
    ManagerAccountId,
    PaymentInstrumentId,
    UserId,
)
from storage.records.values import AdAccountStatus, ClientLinkStatus, LinkPermission, LinkType, Role
from storage.writes import (
    Stamp,
    begin_revision,
    continue_ids_after_given_ones,
    write_ad_accounts,
    write_assignments,
    write_client_links,
    write_logins,
    write_manager_accounts,
    write_users,
)

SEED = 7
EPOCH_MS = 1_735_722_000_000
"""2025-01-01T09:00Z: when everything came to be."""
BATCH = 10_000
"""Entries written at a time: bounds the memory a load takes."""

TREE_USER_NAME = "bench@generated.example"
"""The login that is Super Admin at every tree's root."""
TREE_ROOTS: dict[int, ManagerAccountId] = {
    10: ManagerAccountId(900_001),
    1_000: ManagerAccountId(910_001),
    10_000: ManagerAccountId(920_001),
}
"""The roots by the number of ad accounts below and in them."""
_TREE_BRANCHES = {10: 1, 1_000: 2, 10_000: 4}
"""How many clients each manager account of a tree has; five levels of 1, 2 or 4 each."""
_TREE_AD_ACCOUNTS_FROM = 9_000_001

LEVEL_SHARES = (0.02, 0.08, 0.20, 0.30, 0.40)
"""How much of the forest stands on each level, roots first."""
_SECOND_PARENT = 0.02
"""The share of manager accounts with two managing ones: the diamonds."""
_SECOND_ROLE = 0.4
_SHARED_LOGIN = 0.1
"""The share of users that belong to a login with users elsewhere."""
_SCOPED = 0.3
"""The share of scopable roles that are limited to some ad accounts."""
_LARGEST_SCOPE = 5

_FIRST_WORDS = ("Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Grove", "Heron", "Indigo", "Juniper")
_SECOND_WORDS = ("Works", "Supply", "Media", "Travel", "Foods", "Studio", "Motors", "Garden", "Lab", "Outfitters")

Progress = Callable[[str, int, int], None]
"""Told what is written, how many so far, how many in all."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Size:
    """How much to make. `trees` are counts of ad accounts and name members of `TREE_ROOTS`."""

    manager_accounts: int = 20_000
    ad_accounts: int = 200_000
    users: int = 50_000
    account_links: int = 20_000
    trees: tuple[int, ...] = field(default=(10, 1_000, 10_000))

    def scaled(self, share: float) -> Size:
        """The same proportions, smaller; the trees keep their size, but those that would dominate are left out."""
        accounts = max(200, int(self.ad_accounts * share))
        return Size(
            manager_accounts=max(100, int(self.manager_accounts * share)),
            ad_accounts=accounts,
            users=max(100, int(self.users * share)),
            account_links=max(10, int(self.account_links * share)),
            trees=tuple(tree for tree in self.trees if tree <= 5 * accounts),
        )


class Generated(NamedTuple):
    """What to ask questions about."""

    roots: dict[int, ManagerAccountId]
    tree_login_id: LoginId
    manager_account_ids: range
    ad_account_ids: range
    user_ids: range


def load_generated(
    database: Database, size: Size | None = None, *, seed: int = SEED, progress: Progress | None = None
) -> Generated:
    """Fill an empty, migrated database. One transaction; then the planner's statistics are gathered.

    Raises: StorageFailure when the database holds manager accounts already.
    """
    size = size or Size()
    with database.write() as transaction:
        if transaction.run(ManagerAccount.select(ManagerAccount.id).limit(1)).fetchall():
            raise StorageFailure("The database holds data already. Generate into a new, empty database.")
        transaction.without_time_limit()
        stamp = begin_revision(transaction, operation="generate", at_ms=EPOCH_MS)
        load = _Load(transaction, stamp, size, random.Random(seed), progress or (lambda *_: None))  # noqa: S311
        load.forest()
        load.trees()
        continue_ids_after_given_ones(transaction)
        # Without statistics both planners guess, and what is measured is their guessing.
        transaction.execute("ANALYZE")
    return Generated(
        roots={tree: TREE_ROOTS[tree] for tree in size.trees},
        tree_login_id=load.tree_login_id,
        manager_account_ids=range(1, size.manager_accounts + 1),
        ad_account_ids=range(1, size.ad_accounts + 1),
        user_ids=range(1, size.users + 1),
    )


def _levels(count: int) -> list[range]:
    """The ids of the forest, level by level, roots first."""
    levels: list[range] = []
    first = 1
    for share in LEVEL_SHARES[:-1]:
        width = max(1, int(count * share))
        levels.append(range(first, first + width))
        first += width
    return [*levels, range(first, count + 1)]


def _name(id_: int) -> str:
    return f"{_FIRST_WORDS[id_ % 10]} {_SECOND_WORDS[id_ // 10 % 10]} {id_}"


def _manager_account(id_: int) -> ManagerAccountEntry:
    return ManagerAccountEntry(ManagerAccountId(id_), f"G{id_:09d}", _name(id_))


class _Load:
    """One load under way: what was made so far, and the next ids."""

    def __init__(
        self, transaction: Transaction, stamp: Stamp, size: Size, dice: random.Random, progress: Progress
    ) -> None:
        self.transaction = transaction
        self.stamp = stamp
        self.size = size
        self.dice = dice
        self.progress = progress
        self.owned: list[list[int]] = [[] for _ in range(size.manager_accounts + 1)]
        self.owners: list[int] = [0]
        self.next_link = 1
        self.next_assignment = 1
        self.tree_login_id = LoginId(size.users + 1)

    def forest(self) -> None:
        """Manager accounts, ad accounts, users and links of all kinds."""
        size = self.size
        managers = map(_manager_account, range(1, size.manager_accounts + 1))
        self._write("manager accounts", managers, size.manager_accounts, _write_payers)
        self._write("ad accounts", self._ad_accounts(), size.ad_accounts, write_ad_accounts)
        self._users()
        links = list(self._customer_links())
        self._write("customer links", links, len(links), write_client_links)
        account_links = list(self._account_links())
        self._write("account links", account_links, len(account_links), write_client_links)

    def trees(self) -> None:
        """Trees of a known number of ad accounts, and the login that is Super Admin at their roots."""
        write_logins(self.transaction, self.stamp, [LoginEntry(self.tree_login_id, TREE_USER_NAME)])
        first_account = _TREE_AD_ACCOUNTS_FROM
        for number, tree in enumerate(self.size.trees):
            root = TREE_ROOTS[tree]
            self._tree(root, _TREE_BRANCHES[tree], range(first_account, first_account + tree))
            first_account += tree
            user = UserId(self.size.users + 1 + number)
            entry = UserEntry(user, self.tree_login_id, root, is_original=number == 0, first_name="Bench")
            write_users(self.transaction, self.stamp, [entry])
            role = AssignmentEntry(AssignmentId(self._next_assignment()), user, root, Role.SUPER_ADMIN)
            write_assignments(self.transaction, self.stamp, [role])
            self.progress("trees", number + 1, len(self.size.trees))

    # --- the parts of the forest ---

    def _ad_accounts(self) -> Iterator[AdAccountEntry]:
        managers, dice = self.size.manager_accounts, self.dice
        statuses = (AdAccountStatus.ACTIVE,) * 8 + (AdAccountStatus.PAUSE, AdAccountStatus.INACTIVE)
        for id_ in range(1, self.size.ad_accounts + 1):
            # The square makes some manager accounts rich: evenly spread ones would hide what long lists cost.
            owner = 1 + int(managers * dice.random() ** 2)
            self.owners.append(owner)
            self.owned[owner].append(id_)
            yield _ad_account(id_, owner, statuses[id_ % 10])

    def _users(self) -> None:
        size, dice = self.size, self.dice
        logins: list[LoginEntry] = []
        users: list[UserEntry] = []
        places: list[set[int]] = [set()]
        for id_ in range(1, size.users + 1):
            # One user for each manager account as far as they go, the others anywhere.
            place = id_ if id_ <= size.manager_accounts else dice.randint(1, size.manager_accounts)
            login = dice.randint(1, len(logins)) if logins and dice.random() < _SHARED_LOGIN else len(logins) + 1
            if login <= len(logins) and place in places[login]:
                login = len(logins) + 1
            original = login > len(logins)
            if original:
                logins.append(LoginEntry(LoginId(login), f"user{login}@generated.example"))
                places.append(set())
            places[login].add(place)
            users.append(
                UserEntry(
                    UserId(id_),
                    LoginId(login),
                    ManagerAccountId(place),
                    is_original=original,
                    first_name=_FIRST_WORDS[id_ % 10],
                    last_name=_SECOND_WORDS[id_ // 10 % 10],
                )
            )
        self._write("logins", logins, len(logins), write_logins)
        self._write("users", users, len(users), write_users)
        assignments = list(self._assignments(users))
        self._write("assignments", assignments, len(assignments), write_assignments)

    def _assignments(self, users: Iterable[UserEntry]) -> Iterator[AssignmentEntry]:
        dice = self.dice
        others = (Role.STANDARD, Role.CAMPAIGN_MANAGER, Role.VIEWER)
        for user in users:
            first = Role.SUPER_ADMIN if user.id <= self.size.manager_accounts else dice.choice(others)
            roles = [first]
            if dice.random() < _SECOND_ROLE:
                roles.append(dice.choice([role for role in others if role is not first]))
            for role in roles:
                scope = self._scope(role, user.manager_account_id)
                yield AssignmentEntry(
                    AssignmentId(self._next_assignment()), user.id, user.manager_account_id, role, scope
                )

    def _scope(self, role: Role, manager_account: int) -> Scope:
        accounts = self.owned[manager_account]
        if role is Role.SUPER_ADMIN or not accounts or self.dice.random() >= _SCOPED:
            return EveryLinkedEntity() if self.dice.random() < 0.01 else EveryAccount()
        listed = self.dice.sample(accounts, min(len(accounts), self.dice.randint(1, _LARGEST_SCOPE)))
        return OnlyAccounts(frozenset(map(AdAccountId, listed)))

    def _customer_links(self) -> Iterator[ClientLinkEntry]:
        levels, dice = _levels(self.size.manager_accounts), self.dice
        for above, level in pairwise(levels):
            for client in level:
                first = dice.choice(above)
                yield self._customer_link(first, client)
                second = dice.choice(above)
                if second != first and dice.random() < _SECOND_PARENT:
                    yield self._customer_link(second, client)

    def _account_links(self) -> Iterator[ClientLinkEntry]:
        dice, size = self.dice, self.size
        wanted = min(size.account_links, size.ad_accounts)
        for client in dice.sample(range(1, size.ad_accounts + 1), wanted):
            managing = dice.randint(1, size.manager_accounts)
            if managing == self.owners[client]:
                managing = managing % size.manager_accounts + 1
            yield ClientLinkEntry(
                ClientLinkId(self._next_link()),
                LinkType.ACCOUNT_LINK,
                ManagerAccountId(managing),
                None,
                AdAccountId(client),
                None,
                is_bill_to_client=True,
                name="Generated link",
                start_at_ms=EPOCH_MS,
                status=ClientLinkStatus.INACTIVE if client % 10 == 0 else ClientLinkStatus.ACTIVE,
            )

    # --- trees ---

    def _tree(self, root: ManagerAccountId, branches: int, accounts: range) -> None:
        levels = [[int(root)]]
        links: list[ClientLinkEntry] = []
        following = root + 1
        for _ in LEVEL_SHARES[1:]:
            level: list[int] = []
            for managing in levels[-1]:
                for _ in range(branches):
                    level.append(following)
                    links.append(self._customer_link(managing, following))
                    following += 1
            levels.append(level)
        managers = [id_ for level in levels for id_ in level]
        _write_payers(self.transaction, self.stamp, list(map(_manager_account, managers)))
        write_client_links(self.transaction, self.stamp, links)
        owned = [
            _ad_account(id_, managers[position * len(managers) // len(accounts)], AdAccountStatus.ACTIVE)
            for position, id_ in enumerate(accounts)
        ]
        write_ad_accounts(self.transaction, self.stamp, owned)

    # --- pieces ---

    def _customer_link(self, managing: int, client: int) -> ClientLinkEntry:
        return ClientLinkEntry(
            ClientLinkId(self._next_link()),
            LinkType.CUSTOMER_LINK,
            ManagerAccountId(managing),
            ManagerAccountId(client),
            None,
            LinkPermission.STANDARD if client % 3 == 0 else LinkPermission.ADMINISTRATIVE,
            is_bill_to_client=None,
            name="Generated link",
            start_at_ms=EPOCH_MS,
            status=ClientLinkStatus.ACTIVE,
        )

    def _next_link(self) -> int:
        self.next_link += 1
        return self.next_link - 1

    def _next_assignment(self) -> int:
        self.next_assignment += 1
        return self.next_assignment - 1

    def _write(
        self,
        what: str,
        entries: Iterable[T],
        total: int,
        write: Callable[[Transaction, Stamp, Sequence[T]], None],
    ) -> None:
        remaining, done = iter(entries), 0
        while batch := list(islice(remaining, BATCH)):
            write(self.transaction, self.stamp, batch)
            done += len(batch)
            self.progress(what, done, total)


def _write_payers(transaction: Transaction, stamp: Stamp, entries: Sequence[ManagerAccountEntry]) -> None:
    """Manager accounts, each with a payment instrument of the same id."""
    write_manager_accounts(transaction, stamp, entries)
    instruments = (PaymentInstrumentEntry(PaymentInstrumentId(int(entry.id)), entry.id) for entry in entries)
    write_payment_instruments(transaction, instruments)


def _ad_account(id_: int, owner: int, status: AdAccountStatus) -> AdAccountEntry:
    return AdAccountEntry(
        AdAccountId(id_),
        f"A{id_:07d}",
        f"{_name(id_)} ads",
        ManagerAccountId(owner),
        status,
        1 if status is AdAccountStatus.PAUSE else None,
        bill_to_manager_account_id=ManagerAccountId(owner),
    )
