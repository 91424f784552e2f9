"""One company in which every field of the graph has something to show, and everybody who asks about it.

Whoever asks holds one role in one place, so that one company has all cells of the matrix. The ids tell the kinds
apart and are five digits long: whatever names one of them, in any text of any answer, can be found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from resolvers.invitation_writes import digest_of
from storage.audit import AuditNote, write_audit_entries
from storage.billing import write_payment_instruments
from storage.database import Database, Transaction
from storage.entries import (
    AddressEntry,
    ContactInfoEntry,
    PaymentInstrumentEntry,
    TaxCertificateEntry,
    TaxInformationEntry,
    UserInvitationEntry,
)
from storage.records.facts import OnlyAccounts
from storage.records.ids import (
    AdAccountId,
    ClientLinkId,
    InvitationId,
    LoginId,
    ManagerAccountId,
    PaymentInstrumentId,
    UserId,
)
from storage.records.values import ClientLinkStatus, EmailFormat, Role, TokenScope
from storage.tokens import NewToken, issue_token
from storage.writes import (
    begin_revision,
    continue_ids_after_given_ones,
    write_addresses,
    write_client_link_status,
    write_contact_infos,
    write_tax_certificates,
    write_tax_information,
    write_user_invitations,
)
from tests.builders import a_link, a_login, a_role, a_user, a_world, an_account_link, an_ad, an_aggregation
from tests.oracle import ROLES, AccountLink, CustomerLink, World
from tests.schema.client import NOW_MS
from tests.schema.facts_of import read_world
from tests.stored_worlds import LONG_AGO_MS, write_world

MANAGER, AD, USER, LOGIN, LINK, INVITATION, ADDRESS = 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 90_000
"""Where the ids of each kind begin."""
ABOVE, ABOVE_STANDARD, HERE, BELOW, AGENCY, AGGREGATOR, ELSEWHERE, OTHER, HIDDEN, BESIDE = range(
    MANAGER + 1, MANAGER + 11
)
"""HERE is what most is about. AGENCY holds an account link to an ad account of HERE, AGGREGATOR signed HERE up."""
MANAGERS: Final = tuple(range(ABOVE, BESIDE + 1))
FULL, PLAIN, LINKED, DELETED = AD + 31, AD + 32, AD + 81, AD + 41
"""Ad accounts: AGENCY works on the first, the third is OTHER's and linked to HERE, the last is BELOW's."""
ADS: Final = (AD + 11, AD + 21, FULL, PLAIN, AD + 33, DELETED, AD + 51, AD + 61, AD + 71, LINKED, AD + 91, AD + 101)
CONTACT, SCOPED, NARROW, VISITOR, GONE = range(USER + 1, USER + 6)
"""Users of HERE: Super Admin, of two ad accounts only, of one linked manager account only, who is also in HIDDEN,
and one who was deleted."""
ALL_SEEING = USER + 9
PENDING, ENDED, AGAIN, INTO = LINK + 4, LINK + 5, LINK + 6, LINK + 7
"""Links: one nobody has answered, one that ended and the one that came after it, and one that waits for HERE."""
INSTRUMENT = ADDRESS + 100
"""What HERE pays with; others have the ones beside it."""
MISSING: Final = {
    MANAGER: MANAGER + 999,
    AD: AD + 999,
    USER: USER + 999,
    LINK: LINK + 999,
    INVITATION: INVITATION + 999,
}
"""An id of nothing, of each kind."""
INVITATIONS: Final = (INVITATION + 1, INVITATION + 2)
GIVEN: Final = (("AdAccount", FULL), ("AdAccount", PLAIN))
"""What the invitations give."""
SECRET: Final = "adi_example"
"""What opens the first invitation."""

WAYS: Final = {
    "direct": (HERE, "EVERY_ACCOUNT", ()),
    "administrative link": (ABOVE, "EVERY_ACCOUNT", ()),
    "standard link": (ABOVE_STANDARD, "EVERY_ACCOUNT", ()),
    "account link": (AGENCY, "EVERY_ACCOUNT", ()),
    "aggregation": (AGGREGATOR, "EVERY_ACCOUNT", ()),
    "ad accounts only": (HERE, "ONLY_ACCOUNTS", (FULL, LINKED)),
    "linked entities": (ABOVE, "EVERY_LINKED_ENTITY", ()),
    "one linked entity": (ABOVE, "ONLY_LINKED_ENTITIES", (HERE,)),
    "linked entities here": (HERE, "EVERY_LINKED_ENTITY", ()),
    "elsewhere": (ELSEWHERE, "EVERY_ACCOUNT", ()),
}
"""Where a role is held in each way, how far it reaches, and what it lists."""
CUSTOMER_LEVEL: Final = ("SUPER_ADMIN", "AGGREGATOR")
WITHOUT_USERS, TWO_USERS, MERGED = LOGIN + 201, LOGIN + 202, LOGIN + 203
FIRST_OF_TWO, SECOND_OF_TWO = USER + 202, USER + 203


class Caller(NamedTuple):
    """Somebody who asks: a login or one user of it; None is somebody without a token."""

    role: str
    way: str
    login: int | None
    acting: int | None = None

    def __str__(self) -> str:
        return f"{self.role} by {self.way}"


def callers() -> list[Caller]:
    """All cells: every role by every way it can be held, and those who hold none."""
    found = [
        Caller(role, way, LOGIN + 10 + len(ROLES) * nth + place)
        for nth, way in enumerate(WAYS)
        for place, role in enumerate(ROLES)
        if not (way == "ad accounts only" and role in CUSTOMER_LEVEL)
    ]
    return [
        *found,
        Caller("NO ROLE", "login without users", WITHOUT_USERS),
        Caller("TWO USERS", "whole login", TWO_USERS),
        Caller("TWO USERS", "original user", TWO_USERS, FIRST_OF_TWO),
        Caller("TWO USERS", "other user", TWO_USERS, SECOND_OF_TWO),
    ]


CALLERS: Final = callers()
REFERENCE: Final = Caller("SUPER_ADMIN", "everywhere", LOGIN + 9)
"""Who sees everything: what others are shown is measured by what he is."""


def company() -> World:
    """The facts."""
    users = [
        a_user(CONTACT, of=HERE, login=LOGIN + 1),
        a_user(SCOPED, of=HERE, login=LOGIN + 2),
        a_user(NARROW, of=HERE, login=LOGIN + 3),
        a_user(VISITOR, of=HIDDEN, login=LOGIN + 4),
        a_user(GONE, of=HERE, login=LOGIN + 5, status="DELETED"),
        a_user(ALL_SEEING, of=HIDDEN, login=LOGIN + 9),
        a_user(FIRST_OF_TWO, of=ELSEWHERE, login=TWO_USERS),
        a_user(SECOND_OF_TWO, of=HERE, login=TWO_USERS, original=False),
    ]
    roles = [
        a_role("SUPER_ADMIN", at=HERE, user=CONTACT, id=1),
        a_role("STANDARD", at=HERE, user=SCOPED, scope="ONLY_ACCOUNTS", listed=[FULL, PLAIN, LINKED], id=2),
        a_role("VIEWER", at=HERE, user=NARROW, scope="ONLY_LINKED_ENTITIES", listed=[BELOW], id=3),
        a_role("VIEWER", at=HIDDEN, user=VISITOR, id=4),
        a_role("STANDARD", at=HERE, user=VISITOR, id=5),
        a_role("STANDARD", at=ELSEWHERE, user=FIRST_OF_TWO, id=6),
        a_role("VIEWER", at=HERE, user=SECOND_OF_TWO, id=7),
        *(a_role("SUPER_ADMIN", at=one, user=ALL_SEEING, id=one) for one in MANAGERS),
    ]
    for caller in CALLERS:
        if caller.way in WAYS and caller.login is not None:
            at, scope, listed = WAYS[caller.way]
            user = caller.login - LOGIN + USER
            users.append(a_user(user, of=at, login=caller.login))
            roles.append(a_role(caller.role, at=at, user=user, scope=scope, listed=listed, id=user))
    return a_world(
        *users,
        *roles,
        a_login(WITHOUT_USERS),
        a_login(MERGED, merged_into=TWO_USERS),
        *(an_ad(one, owner=MANAGER + (one - AD) // 10) for one in ADS),
        a_link(ABOVE, HERE, id=LINK + 1),
        a_link(ABOVE_STANDARD, HERE, "STANDARD", id=LINK + 2),
        a_link(HERE, BELOW, id=LINK + 3),
        a_link(ABOVE, BESIDE, "STANDARD", id=LINK + 8),
        a_link(OTHER, HERE, status="LINK_PENDING", id=INTO),
        an_account_link(AGENCY, FULL, id=LINK + 9),
        an_account_link(HERE, LINKED, id=LINK + 10),
        an_account_link(AGENCY, PLAIN, status="LINK_PENDING", id=PENDING),
        an_account_link(OTHER, AD + 33, status="INACTIVE", id=ENDED),
        an_account_link(OTHER, AD + 33, status="LINK_PENDING", id=AGAIN),
        an_aggregation(AGGREGATOR, HERE, id=1),
    )


def links_of(world: World) -> list[CustomerLink | AccountLink]:
    """All client links of a world."""
    return [*world.customer_links, *world.account_links]


@dataclass(frozen=True)
class Shown:
    """The company as it is stored, and which tokens each login has."""

    world: World
    tokens: dict[int, tuple[int, ...]]


def build_company(database: Database) -> Shown:
    """Write it into an empty, migrated database."""
    world = company()
    with database.write() as tx:
        ended = next(link for link in world.account_links if link.id == AGAIN)
        first = replace(world, account_links=tuple(one for one in world.account_links if one is not ended))
        write_world(tx, first)
        _fill(tx)
        _links(tx)
        tokens = _tokens(tx)
        _history(tx, world, tokens)
        continue_ids_after_given_ones(tx)
    with database.read() as tx:
        return Shown(read_world(tx), tokens)


def _fill(tx: Transaction) -> None:
    stamp = begin_revision(tx, operation="fill", at_ms=LONG_AGO_MS, actor_user_id=UserId(CONTACT))
    lines = ("Adventure", "1 Example Way", "Floor 2", "Room 3", "Door 4", "Redmond", "98052", "WA", "US")
    write_addresses(tx, stamp, [AddressEntry(ADDRESS + nth, *lines) for nth in range(1, 40)])
    reach = ContactInfoEntry(
        id=0,
        phone1="425-555-0101",
        phone2="425-555-0102",
        home_phone="425-555-0103",
        mobile="425-555-0104",
        fax="425-555-0105",
        contact_by_phone=True,
        contact_by_postal_mail=False,
        email_format=EmailFormat.HTML,
    )
    write_contact_infos(
        tx,
        stamp,
        [
            reach._replace(id=ADDRESS + nth, address_id=ADDRESS + nth, email=f"person{nth}@contact.example")
            for nth in range(1, 10)
        ],
    )
    tx.execute(
        "UPDATE app_user SET first_name = 'Kim', middle_initial = 'A', last_name = 'Larsen', job_title = 'Buyer',"
        f" last_modified_by_user_id = {CONTACT}"
    )
    for nth, user in enumerate((CONTACT, SCOPED, NARROW, VISITOR, GONE, ALL_SEEING), 1):
        tx.execute(f"UPDATE app_user SET contact_info_id = {ADDRESS + nth} WHERE id = {user}")
    for nth, manager in enumerate(MANAGERS, 10):
        tx.execute(f"UPDATE manager_account SET address_id = {ADDRESS + nth}, last_modified_by_user_id = {ALL_SEEING}"
                   f" WHERE id = {manager}")  # fmt: skip
    for nth, account in enumerate(ADS, 20):
        tx.execute(
            f"UPDATE ad_account SET business_address_id = {ADDRESS + nth}, primary_user_id = {CONTACT},"
            f" pause_reason = 1, last_modified_by_user_id = {CONTACT}, payment_method_id = {INSTRUMENT},"
            f" payment_method_type = 'INVOICE', backup_payment_instrument_id = {INSTRUMENT},"
            f" sold_to_payment_instrument_id = {INSTRUMENT}, billing_threshold_micros = 5000000,"
            f" sales_house_manager_account_id = {HIDDEN}, bill_to_manager_account_id = {HERE},"
            f" status = 'PAUSE' WHERE id = {account}"
        )
    tx.execute(f"UPDATE ad_account SET status = 'INACTIVE' WHERE id = {DELETED}")
    instruments = [
        PaymentInstrumentEntry(PaymentInstrumentId(INSTRUMENT - HERE + one), ManagerAccountId(one)) for one in MANAGERS
    ]
    write_payment_instruments(tx, instruments)
    write_tax_information(tx, [TaxInformationEntry(AdAccountId(one), "VATNumber", f"DE{one}") for one in ADS])
    files = (("certificate.txt", b"A certificate"),)
    write_tax_certificates(tx, [TaxCertificateEntry(AdAccountId(one), "kept-here", files=files) for one in ADS])
    write_user_invitations(tx, stamp, [_invitation(*one) for one in zip(INVITATIONS, (HERE, HIDDEN), strict=True)])


def _invitation(number: int, home: int) -> UserInvitationEntry:
    return UserInvitationEntry(
        id=InvitationId(number),
        manager_account_id=ManagerAccountId(home),
        email=f"guest{number}@invited.example",
        first_name="Guest",
        last_name="Of Honour",
        role=Role.STANDARD,
        secret_digest=digest_of(SECRET if number == INVITATIONS[0] else "adi_another"),
        sent_at_ms=NOW_MS,
        expires_at_ms=NOW_MS + 1_000_000,
        inviter_user_id=UserId(CONTACT),
        scope=OnlyAccounts(frozenset(AdAccountId(number) for _, number in GIVEN)),
    )


def _links(tx: Transaction) -> None:
    stamp = begin_revision(tx, operation="updateClientLinks", at_ms=NOW_MS - 2_000, actor_user_id=UserId(CONTACT))
    tx.execute(
        f"UPDATE client_link SET note = 'A note', inviter_email = 'inviter@adventure.example', inviter_name = 'Kim',"
        f" inviter_phone = '425-555-0199', last_modified_by_user_id = {CONTACT}, created_at_ms = {NOW_MS - 5_000}"
    )
    write_client_link_status(tx, stamp, [ClientLinkId(LINK + 3)], ClientLinkStatus.UNLINK_PENDING, "Soon.")
    columns = (
        "type, managing_id, client_ad_account_id, is_bill_to_client, start_at_ms, name, name_folded, note,"
        " inviter_email, inviter_name, inviter_phone, suppress_notification, created_at_ms, last_modified_by_user_id,"
        " last_modified_at_ms, time_stamp"
    )
    tx.execute(
        f"INSERT INTO client_link (id, previous_id, status, {columns})"
        f" SELECT {AGAIN}, {ENDED}, 'LINK_PENDING', {columns} FROM client_link WHERE id = {ENDED}"
    )
    write_client_link_status(tx, stamp, [ClientLinkId(AGAIN)], ClientLinkStatus.LINK_PENDING, "Again.")


def _tokens(tx: Transaction) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    for login in dict.fromkeys(one.login for one in (*CALLERS, REFERENCE) if one.login is not None):
        new = NewToken(LoginId(login), f"of {login}", frozenset({TokenScope.READ}), NOW_MS + 1_000)
        first = issue_token(tx, new, NOW_MS - 9_000).id
        second = issue_token(tx, new._replace(issued_by=first), NOW_MS - 8_000).id
        found[login] = (int(first), int(second))
    tx.execute(f"UPDATE access_token SET last_used_at_ms = {NOW_MS - 900}")
    tx.execute(f"UPDATE access_token SET revoked_at_ms = {NOW_MS - 800} WHERE issued_by_id IS NOT NULL")
    return found


def _history(tx: Transaction, world: World, tokens: dict[int, tuple[int, ...]]) -> None:
    """Three revisions: of somebody nearly everybody sees, of somebody nearly nobody sees, and of the service."""
    about: list[tuple[str, int]] = [("ManagerAccount", one) for one in MANAGERS]
    about += [("AdAccount", one) for one in ADS]
    about += [("User", one.id) for one in world.users]
    about += [("ClientLink", one.id) for one in links_of(world)]
    about += [("UserInvitation", one) for one in INVITATIONS]
    about += [("AccessToken", one) for both in tokens.values() for one in both]
    notes = [AuditNote(kind, key, '{"name":"before"}', '{"name":"after"}') for kind, key in about]
    who: list[tuple[int | None, int | None]] = [(LOGIN + 1, CONTACT), (LOGIN + 9, ALL_SEEING), (None, None)]
    for login, user in who:
        actor: Any = None if user is None else UserId(user)
        login_id = None if login is None else LoginId(login)
        stamp = begin_revision(tx, operation="rename", at_ms=NOW_MS, actor_login_id=login_id, actor_user_id=actor)
        write_audit_entries(tx, stamp, "rename", login_id, notes, "Because.")
