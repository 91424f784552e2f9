"""A company of any breadth: whatever there is one of, there are as many alike as wanted, and of three kinds in turn.

It is for questions about growth. Two of them, one broader than the other, differ in the number of rows of every
list and in nothing else, so what an answer costs more in the broader one is a cost per row.
"""

from __future__ import annotations

from typing import Any

from storage import writes
from storage.audit import AuditNote, write_audit_entries
from storage.database import Database, Transaction
from storage.entries import (
    AddressEntry,
    ClientLinkEntry,
    ContactInfoEntry,
    TaxCertificateEntry,
    TaxInformationEntry,
    UserInvitationEntry,
)
from storage.models import AdAccount, ClientLink, ManagerAccount, User
from storage.records.facts import EveryAccount, OnlyAccounts
from storage.records.ids import AdAccountId, ClientLinkId, InvitationId, LoginId, ManagerAccountId, UserId
from storage.records.values import ClientLinkStatus, LinkPermission, LinkType, Role, TokenScope
from storage.tokens import NewToken, issue_token
from tests.builders import a_link, a_role, a_user, a_world, an_account_link, an_ad, an_aggregation
from tests.oracle import World
from tests.schema.client import NOW_MS
from tests.stored_worlds import LONG_AGO_MS, write_world

EVERYTHING, LINKED, SCATTERED, BEYOND = 1, 2, 3, 4
"""The logins that ask: one sees all below the top; one only what is linked there; one holds roles in every branch,
each narrower than the one before; to one most branches lie beyond a chain over the limit."""
TOP, BOTTOM = 1, 2
ABOVE = (901, 902, 903)
KINDS = 3
"""Rows come in so many kinds, in turn: a breadth is a multiple of it."""
EARLIER_LINK = 50_000_000


def branches(breadth: int) -> range:
    """The manager accounts under the top."""
    return range(100, 100 + breadth)


def broad_house(breadth: int) -> World:
    """The facts. Each branch c owns ad accounts c0 to c2 and has below it c+100 with one, and the bottom."""
    facts: list[Any] = [a_user(EVERYTHING, of=TOP, login=1), a_user(LINKED, of=TOP, login=2)]
    facts += [a_user(SCATTERED, of=999, login=3), a_user(BEYOND, of=ABOVE[0], login=4)]
    facts += [a_role(at=TOP, user=EVERYTHING, id=1)]
    facts += [a_role("STANDARD", at=TOP, user=LINKED, scope="EVERY_LINKED_ENTITY", id=2)]
    facts += [a_role(at=ABOVE[0], user=BEYOND, id=4)]
    facts += [a_link(901, 902), a_link(902, 903), a_link(903, TOP), an_ad(20, owner=BOTTOM)]
    for number, branch in enumerate(branches(breadth)):
        facts += _branch(number, branch)
        facts += _people(number, branch)
    return a_world(*facts)


def _branch(number: int, branch: int) -> list[Any]:
    below, hidden, outside, signed_up, invited = (branch + step for step in (100, 200, 300, 400, 600))
    kind = number % KINDS
    joined = ((branch, 20), (branch, outside * 10), (TOP, outside * 10), (hidden, branch * 10), (hidden, 20))
    return [
        a_link(TOP, branch, "STANDARD" if kind == 1 else "ADMINISTRATIVE"),
        a_link(branch, below, "STANDARD" if kind == 2 else "ADMINISTRATIVE"),
        a_link(branch, BOTTOM),
        a_link(hidden, branch),
        a_link(TOP, invited, status="LINK_PENDING"),
        a_link(hidden, below, status="LINK_PENDING"),
        an_ad(10_000 + number, owner=TOP),
        *(an_ad(branch * 10 + digit, owner=branch) for digit in range(KINDS)),
        an_ad(below * 10, owner=below),
        an_ad(outside * 10, owner=outside),
        an_ad(signed_up * 10, owner=signed_up),
        an_ad((signed_up + 100) * 10, owner=signed_up + 100),
        *(an_account_link(*ends, id=20_000_000 + number * 10 + place) for place, ends in enumerate(joined)),
        an_aggregation(TOP, signed_up, id=number + 1),
        an_aggregation(branch, signed_up + 100, id=number + 1_001),
    ]


def _people(number: int, branch: int) -> list[Any]:
    """A user at the top, three in the branch; the last one's login began where the others cannot look."""
    kind, first, id = number % KINDS, 2_000 + number * 10, 10_000 + number * 10
    at_top, mine = 1_000 + number, 30_000 + number
    scope: tuple[str, list[int]] = (
        ("EVERY_ACCOUNT", []),
        ("ONLY_ACCOUNTS", [10_000 + number]),
        ("EVERY_LINKED_ENTITY", []),
    )[kind]
    narrow: tuple[str, list[int]] = (
        ("EVERY_ACCOUNT", []),
        ("ONLY_ACCOUNTS", [branch * 10, branch * 10 + 1]),
        ("ONLY_LINKED_ENTITIES", [branch + 100]),
    )[kind]
    return [
        a_user(mine, of=branch, login=EVERYTHING, original=False),
        a_user(at_top, of=TOP, login=at_top),
        a_role("STANDARD", at=TOP, user=at_top, scope=scope[0], listed=scope[1], id=id),
        a_user(first, of=branch, login=first),
        a_role("SUPER_ADMIN", at=branch, user=first, id=id + 1),
        a_user(first + 1, of=branch, login=first + 1),
        a_role("VIEWER", at=branch, user=first + 1, scope="ONLY_ACCOUNTS", listed=[branch * 10], id=id + 2),
        a_user(first + 2, of=branch, login=first + 2, original=False),
        a_user(first + 3, of=branch + 200, login=first + 2),
        a_role("VIEWER", at=branch + 100, user=first + 2, id=id + 3),
        a_role("STANDARD", at=branch + 200, user=first + 3, id=id + 4),
        a_role("VIEWER", at=branch, user=SCATTERED, scope=narrow[0], listed=narrow[1], id=id + 5),
    ]


def build_broad_house(database: Database, breadth: int) -> World:
    """Write the company into an empty, migrated database, with all that hangs on its rows; give its facts."""
    assert breadth % KINDS == 0
    world = broad_house(breadth)
    with database.write() as transaction:
        write_world(transaction, world)
        stamp = writes.begin_revision(transaction, operation="hang", at_ms=LONG_AGO_MS)
        _hang(transaction, stamp, world)
        _invite(transaction, stamp, breadth)
        _earlier_links(transaction, stamp, breadth)
        for number in range(breadth):
            _log(transaction, world, number)
            token = NewToken(LoginId(EVERYTHING), f"Token {number}", frozenset({TokenScope.READ}), LONG_AGO_MS + 1)
            issue_token(transaction, token, LONG_AGO_MS)
    return world


def _hang(transaction: Transaction, stamp: writes.Stamp, world: World) -> None:
    """Addresses, contacts, primary users, payers, tax ids and certificates: each row has its own."""
    ads, managers, users = world.ad_accounts, world.manager_accounts, world.users
    places = {"ad": 1_000_000, "manager": 2_000_000, "user": 3_000_000}
    numbers = [places["ad"] + one.id for one in ads] + [places["manager"] + one.id for one in managers]
    numbers += [places["user"] + one.id for one in users]
    writes.write_addresses(transaction, stamp, [AddressEntry(number, city=f"Town {number}") for number in numbers])
    writes.write_contact_infos(
        transaction, stamp, [ContactInfoEntry(one.id, address_id=places["user"] + one.id) for one in users]
    )
    tax = [TaxInformationEntry(AdAccountId(one.id), "VATNumber", f"X{one.id}") for one in ads]
    writes.write_tax_information(transaction, tax)
    certificates = [TaxCertificateEntry(AdAccountId(one.id), files=((f"{one.id}.pdf", b"%"),)) for one in ads]
    writes.write_tax_certificates(transaction, certificates)
    first_user = {user.manager_account: user.id for user in reversed(users)}
    payer = {link.client: link.managing for link in world.account_links}
    transaction.run(AdAccount.update({AdAccount.business_address: AdAccount.id + places["ad"]}))
    transaction.run(ManagerAccount.update({ManagerAccount.address: ManagerAccount.id + places["manager"]}))
    transaction.run(User.update({User.contact_info: User.id}))
    for one in ads:
        values = {
            AdAccount.primary_user: first_user.get(one.owner),
            AdAccount.bill_to_manager_account: payer.get(one.id),
        }
        transaction.run(AdAccount.update(values).where(AdAccount.id == one.id))


def _invite(transaction: Transaction, stamp: writes.Stamp, breadth: int) -> None:
    entries = []
    for number, branch in enumerate(branches(breadth)):
        for digit, at in enumerate((TOP, branch, branch, branch)):
            narrow = OnlyAccounts(frozenset({AdAccountId(branch * 10)}))
            key = number * 10 + digit + 1
            entries.append(
                UserInvitationEntry(
                    id=InvitationId(key),
                    manager_account_id=ManagerAccountId(at),
                    email=f"guest{key}@invited.example",
                    first_name="Guest",
                    last_name="Of Honour",
                    role=Role.VIEWER,
                    secret_digest=key.to_bytes(32, "big"),
                    sent_at_ms=NOW_MS,
                    expires_at_ms=NOW_MS + 1_000,
                    inviter_user_id=UserId(EVERYTHING),
                    scope=narrow if digit == 1 else EveryAccount(),
                )
            )
    writes.write_user_invitations(transaction, stamp, entries)


def _earlier_links(transaction: Transaction, stamp: writes.Stamp, breadth: int) -> None:
    """Each link from the top to a branch had a generation before it."""
    earlier = [
        ClientLinkEntry(
            ClientLinkId(EARLIER_LINK + branch),
            LinkType.CUSTOMER_LINK,
            ManagerAccountId(TOP),
            ManagerAccountId(branch),
            None,
            LinkPermission.STANDARD,
            None,
            "Earlier",
            LONG_AGO_MS,
            ClientLinkStatus.INACTIVE,
        )
        for branch in branches(breadth)
    ]
    writes.write_client_links(transaction, stamp, earlier)
    for branch in branches(breadth):
        later = ClientLink.update({ClientLink.previous: EARLIER_LINK + branch})
        transaction.run(later.where(ClientLink.id == TOP * 1_000 + branch))


def _log(transaction: Transaction, world: World, number: int) -> None:
    """One entry by somebody else each time, about whom the questions begin with; the first ones about everything."""
    actor = UserId(1_000 + number)
    stamp = writes.begin_revision(transaction, operation="rename", at_ms=NOW_MS, actor_user_id=actor)
    about = [("ManagerAccount", TOP), ("AdAccount", 20), ("User", 1_000), ("ClientLink", 1_100)]
    if number < KINDS:
        about = [("ManagerAccount", one.id) for one in world.manager_accounts]
        about += [("AdAccount", one.id) for one in world.ad_accounts]
        about += [("User", one.id) for one in world.users]
        about += [("ClientLink", one.id) for one in world.customer_links]
        about += [("ClientLink", one.id) for one in world.account_links]
    first_link, own_link = ClientLinkId(1_100), ClientLinkId(1_100 + number)
    for link in {first_link, own_link}:
        writes.write_client_link_status(transaction, stamp, [link], ClientLinkStatus.ACTIVE)
    notes = [AuditNote(kind, key, None, f'{{"name":"{number}"}}') for kind, key in about]
    write_audit_entries(transaction, stamp, "rename", LoginId(actor), notes, "a reason")
