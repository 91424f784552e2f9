"""Two manager accounts, two people, two ad accounts and a link: enough to break every rule against."""

from __future__ import annotations

from typing import Any

from storage.database import Database, Transaction
from storage.entries import (
    AdAccountEntry,
    AddressEntry,
    AggregationEntry,
    AssignmentEntry,
    ClientLinkEntry,
    LoginEntry,
    ManagerAccountEntry,
    TaxCertificateEntry,
    TaxInformationEntry,
    UserEntry,
    UserInvitationEntry,
)
from storage.records.facts import EveryAccount, OnlyAccounts, OnlyLinkedEntities
from storage.records.ids import (
    AdAccountId,
    AggregationId,
    AssignmentId,
    ClientLinkId,
    InvitationId,
    LoginId,
    ManagerAccountId,
    UserId,
)
from storage.records.values import ClientLinkStatus, LinkPermission, LinkType, Role
from storage.writes import (
    Stamp,
    begin_revision,
    continue_ids_after_given_ones,
    write_ad_accounts,
    write_addresses,
    write_aggregations,
    write_assignments,
    write_client_links,
    write_logins,
    write_manager_accounts,
    write_tax_certificates,
    write_tax_information,
    write_user_invitations,
    write_users,
)

M1, M2, M3 = ManagerAccountId(1), ManagerAccountId(2), ManagerAccountId(3)
A1, A2 = AdAccountId(11), AdAccountId(22)
L1, L2 = LoginId(1), LoginId(2)
U1, U2 = UserId(1), UserId(2)
NOW_MS = 1_750_000_000_000


def a_revision(transaction: Transaction, at_ms: int = NOW_MS) -> Stamp:
    return begin_revision(transaction, operation="test", at_ms=at_ms, actor_user_id=U1)


def a_manager_account(id_: int = 9, **changes: Any) -> ManagerAccountEntry:
    return ManagerAccountEntry(ManagerAccountId(id_), f"C{id_:09d}", f"Manager {id_}")._replace(**changes)


def an_ad_account(id_: int = 99, owner: int = 1, **changes: Any) -> AdAccountEntry:
    entry = AdAccountEntry(AdAccountId(id_), f"E{id_:07d}", f"Account {id_}", ManagerAccountId(owner))
    return entry._replace(**changes)


def a_customer_link(id_: int = 9, managing: int = 2, client: int = 3, **changes: Any) -> ClientLinkEntry:
    entry = ClientLinkEntry(
        ClientLinkId(id_),
        LinkType.CUSTOMER_LINK,
        ManagerAccountId(managing),
        ManagerAccountId(client),
        None,
        LinkPermission.STANDARD,
        None,
        name="Link",
        start_at_ms=NOW_MS,
        status=ClientLinkStatus.ACTIVE,
    )
    return entry._replace(**changes)


def an_account_link(id_: int = 9, managing: int = 1, client: int = 22, **changes: Any) -> ClientLinkEntry:
    entry = a_customer_link(id_, managing)._replace(
        type=LinkType.ACCOUNT_LINK,
        client_manager_account_id=None,
        client_ad_account_id=AdAccountId(client),
        permission=None,
        is_bill_to_client=True,
    )
    return entry._replace(**changes)


def an_assignment(id_: int = 9, user: int = 1, **changes: Any) -> AssignmentEntry:
    entry = AssignmentEntry(AssignmentId(id_), UserId(user), ManagerAccountId(user), Role.STANDARD, EveryAccount())
    return entry._replace(**changes)


def an_invitation(id_: int = 9, **changes: Any) -> UserInvitationEntry:
    entry = UserInvitationEntry(
        InvitationId(id_),
        M1,
        "new@contoso.example",
        "New",
        "Person",
        Role.VIEWER,
        secret_digest=bytes([id_]) * 32,
        sent_at_ms=NOW_MS,
        expires_at_ms=NOW_MS + 1,
    )
    return entry._replace(**changes)


def write_small_world(database: Database) -> Stamp:
    """Write it all in one revision."""
    with database.write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=NOW_MS)
        write_addresses(transaction, stamp, [AddressEntry(1, city="Redmond", country_code="US")])
        managers = [a_manager_account(1, address_id=1), a_manager_account(2), a_manager_account(3)]
        write_manager_accounts(transaction, stamp, managers)
        write_logins(transaction, stamp, [LoginEntry(L1, "one@contoso.example"), LoginEntry(L2, "two@contoso.example")])
        write_users(transaction, stamp, [UserEntry(U1, L1, M1), UserEntry(U2, L2, M2)])
        accounts = [an_ad_account(11, 1, primary_user_id=U1), an_ad_account(22, 2)]
        write_ad_accounts(transaction, stamp, accounts)
        write_tax_information(transaction, [TaxInformationEntry(A1, "VATNumber", "ATU12345678")])
        write_tax_certificates(transaction, [TaxCertificateEntry(A1, files=(("a.txt", b"\x00\xff"),))])
        roles = [
            an_assignment(1, 1, role=Role.SUPER_ADMIN),
            an_assignment(2, 1, scope=OnlyAccounts(frozenset({A1}))),
            an_assignment(3, 2, scope=OnlyLinkedEntities(frozenset({M3}))),
        ]
        write_assignments(transaction, stamp, roles)
        write_client_links(transaction, stamp, [a_customer_link(1, 1, 2), an_account_link(2, 1, 22)])
        write_aggregations(transaction, stamp, [AggregationEntry(AggregationId(1), M1, M3)])
        write_user_invitations(transaction, stamp, [an_invitation(1, scope=OnlyAccounts(frozenset({A1})))])
        continue_ids_after_given_ones(transaction)
    return stamp
