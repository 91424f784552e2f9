"""The database refuses by itself what must never be stored, on both kinds alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from peewee import Model

from storage.database import Database, Transaction
from storage.entries import AggregationEntry, LoginEntry, TaxInformationEntry, UserEntry
from storage.errors import Constraint, ConstraintBroken
from storage.models import (
    AccessToken,
    AdAccount,
    Assignment,
    AssignmentAdAccount,
    ClientLink,
    ClientLinkPeriod,
    ContactInfo,
    Login,
    ManagerAccount,
    User,
    UserInvitation,
)
from storage.records.facts import EveryLinkedEntity, OnlyAccounts
from storage.records.ids import AggregationId, LoginId, ManagerAccountId, UserId
from storage.records.values import ClientLinkStatus, LoginStatus, Role
from storage.writes import (
    Stamp,
    write_ad_accounts,
    write_aggregations,
    write_assignments,
    write_client_links,
    write_logins,
    write_manager_accounts,
    write_tax_information,
    write_user_invitations,
    write_users,
)
from tests.storage.small_world import (
    A1,
    L1,
    L2,
    M1,
    M2,
    M3,
    U1,
    a_customer_link,
    a_manager_account,
    a_revision,
    an_account_link,
    an_ad_account,
    an_assignment,
    an_invitation,
    write_small_world,
)

Act = Callable[[Transaction, Stamp], object]


def link(entry: Any) -> Act:
    return lambda transaction, stamp: write_client_links(transaction, stamp, [entry])


def role(entry: Any) -> Act:
    return lambda transaction, stamp: write_assignments(transaction, stamp, [entry])


def user(entry: UserEntry) -> Act:
    return lambda transaction, stamp: write_users(transaction, stamp, [entry])


def login(entry: LoginEntry) -> Act:
    return lambda transaction, stamp: write_logins(transaction, stamp, [entry])


def aggregation(aggregator: int, manager_account: int) -> Act:
    entry = AggregationEntry(AggregationId(9), ManagerAccountId(aggregator), ManagerAccountId(manager_account))
    return lambda transaction, stamp: write_aggregations(transaction, stamp, [entry])


def account(**changes: Any) -> Act:
    return lambda transaction, stamp: write_ad_accounts(transaction, stamp, [an_ad_account(**changes)])


def manager(**changes: Any) -> Act:
    return lambda transaction, stamp: write_manager_accounts(transaction, stamp, [a_manager_account(**changes)])


def invitation(**changes: Any) -> Act:
    return lambda transaction, stamp: write_user_invitations(transaction, stamp, [an_invitation(**changes)])


def column(table: type[Model], name: str, value: object) -> Act:
    return lambda transaction, _: transaction.run(table.update({getattr(table, name): value}))


def removal(table: type[Model]) -> Act:
    return lambda transaction, _: transaction.run(table.delete())


def token(login_id: int, digest: bytes) -> Act:
    row = {"login": login_id, "digest": digest, "label": "x", "scopes": "READ", "created_at_ms": 1, "expires_at_ms": 2}
    return lambda transaction, _: transaction.run(AccessToken.insert(row))


def twice(act: Act) -> Act:
    return lambda transaction, stamp: (act(transaction, stamp), act(transaction, stamp))


def second_period(transaction: Transaction, stamp: Stamp) -> None:
    row = {"client_link": 1, "status": "ACTIVE", "began_revision": stamp.id, "began_at_ms": 1}
    transaction.run(ClientLinkPeriod.insert(row))


_BY_RULE: dict[str, tuple[Constraint, Act]] = {
    "two manager accounts of one number": ("unique", manager(number="C000000001")),
    "two ad accounts of one number": ("unique", account(number="E0000011")),
    "two ad accounts of one name in one manager account": ("unique", account(name="Account 11")),
    "two logins of one name": ("unique", login(LoginEntry(LoginId(9), "one@contoso.example"))),
    "two users of a login in one manager account": ("unique", user(UserEntry(UserId(9), L1, M1, is_original=False))),
    "two original users of a login": ("unique", user(UserEntry(UserId(9), L1, M3))),
    "the same open assignment twice": ("unique", role(an_assignment(9, 1, role=Role.SUPER_ADMIN))),
    "two open links of one customer pair": ("unique", link(a_customer_link(9, 1, 2))),
    "two open links of one account pair": ("unique", link(an_account_link(9, 1, 22))),
    "a pending link beside an active one": (
        "unique",
        link(a_customer_link(9, 1, 2, status=ClientLinkStatus.LINK_PENDING)),
    ),
    "two generations after one link": (
        "unique",
        lambda transaction, stamp: write_client_links(
            transaction, stamp, [a_customer_link(8, 2, 3, previous_id=1), a_customer_link(9, 3, 1, previous_id=1)]
        ),
    ),
    "two open periods of a link": ("unique", second_period),
    "the same open aggregation twice": ("unique", aggregation(1, 3)),
    "two invitations of one secret": ("unique", invitation(secret_digest=b"\x01" * 32)),
    "two tokens of one digest": ("unique", twice(token(1, b"same"))),
    "two tax ids under one key": (
        "unique",
        lambda transaction, _: write_tax_information(transaction, [TaxInformationEntry(A1, "VATNumber", "x")]),
    ),
    "an ad account without owner": ("foreign key", account(manager_account_id=ManagerAccountId(404))),
    "a user without login": ("foreign key", user(UserEntry(UserId(9), LoginId(404), M1))),
    "a link to nobody": ("foreign key", link(a_customer_link(9, 1, 404))),
    "a scope on a missing ad account": (
        "foreign key",
        lambda transaction, _: transaction.run(AssignmentAdAccount.insert({"assignment": 2, "ad_account": 404})),
    ),
    "a token of nobody": ("foreign key", token(404, b"x")),
    "removing manager accounts in use": ("foreign key", removal(ManagerAccount)),
    "removing users in use": ("foreign key", removal(User)),
    "a link with itself": ("check", link(a_customer_link(9, 2, 2))),
    "a customer link without permission": ("check", link(a_customer_link(9, permission=None))),
    "a customer link that bills": ("check", link(a_customer_link(9, is_bill_to_client=True))),
    "a customer link to an ad account": ("check", link(a_customer_link(9, client_ad_account_id=A1))),
    "an account link with a permission": ("check", link(an_account_link(9, 3, 22, permission="STANDARD"))),
    "an account link that does not say who pays": ("check", link(an_account_link(9, 3, 22, is_bill_to_client=None))),
    "an aggregator of itself": ("check", aggregation(2, 2)),
    "a Super Admin limited to ad accounts": (
        "check",
        role(an_assignment(9, 2, role=Role.SUPER_ADMIN, scope=OnlyAccounts(frozenset({A1})))),
    ),
    "an Aggregator limited to ad accounts": (
        "check",
        role(an_assignment(9, 2, role=Role.AGGREGATOR, scope=OnlyAccounts(frozenset({A1})))),
    ),
    "an assignment that ends before it begins": ("check", column(Assignment, "ended_revision", 0)),
    "an invitation as Aggregator": ("check", invitation(role=Role.AGGREGATOR)),
    "a merged login that lives on nowhere": ("check", login(LoginEntry(LoginId(9), "x", LoginStatus.MERGED))),
    "a living login that was merged": ("check", login(LoginEntry(LoginId(9), "x", LoginStatus.ACTIVE, L2))),
    "an unknown pause reason": ("check", account(pause_reason=3)),
    "a user without a language": ("not null", column(User, "lcid", None)),
}
_BY_VALUE_SET: dict[str, tuple[Constraint, Act]] = {
    f"an unknown {table.__name__}.{name}": ("check", column(table, name, "SOMETHING_ELSE"))
    for table, name in (
        (ManagerAccount, "industry"),
        (ManagerAccount, "market_language"),
        (ManagerAccount, "financial_status"),
        (ManagerAccount, "status"),
        (ManagerAccount, "service_level"),
        (Login, "status"),
        (User, "status"),
        (AdAccount, "status"),
        (AdAccount, "financial_status"),
        (AdAccount, "language"),
        (AdAccount, "auto_tag_type"),
        (AdAccount, "payment_method_type"),
        (Assignment, "role"),
        (Assignment, "scope"),
        (ClientLink, "type"),
        (ClientLink, "permission"),
        (ClientLink, "status"),
        (UserInvitation, "status"),
        (UserInvitation, "scope"),
    )
}


REFUSED = _BY_RULE | _BY_VALUE_SET


@pytest.mark.parametrize("name", REFUSED)
def test_the_database_refuses(database: Database, name: str) -> None:
    write_small_world(database)
    kind, act = REFUSED[name]
    with pytest.raises(ConstraintBroken) as refusal, database.write() as transaction:
        act(transaction, a_revision(transaction))
    assert refusal.value.constraint == kind
    assert "refused" in str(refusal.value)


ALLOWED: dict[str, Act] = {
    "the same name in another manager account": account(manager_account_id=M2, name="Account 11"),
    "a further user of a login in another manager account": user(UserEntry(UserId(9), L1, M3, is_original=False)),
    "a role again after it ended": lambda transaction, stamp: (
        column(Assignment, "ended_revision", stamp.id)(transaction, stamp),
        role(an_assignment(9, 1, role=Role.SUPER_ADMIN))(transaction, stamp),
    ),
    "one role under two scopes": role(an_assignment(9, 1, scope=EveryLinkedEntity())),
    "the opposite link": link(a_customer_link(9, 2, 1)),
    "a link that was declined beside an active one": link(
        a_customer_link(9, 1, 2, status=ClientLinkStatus.LINK_DECLINED)
    ),
    "a user's role in a manager account may be Aggregator": role(an_assignment(9, 1, role=Role.AGGREGATOR)),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_the_database_allows(database: Database, name: str) -> None:
    write_small_world(database)
    with database.write() as transaction:
        ALLOWED[name](transaction, a_revision(transaction))


def test_a_refused_write_leaves_nothing_of_its_transaction(database: Database) -> None:
    write_small_world(database)

    def write_good_then_bad() -> None:
        with database.write() as transaction:
            stamp = a_revision(transaction)
            write_manager_accounts(transaction, stamp, [a_manager_account(7)])
            write_users(transaction, stamp, [UserEntry(U1, L1, M1)])

    with pytest.raises(ConstraintBroken):
        write_good_then_bad()
    with database.read() as transaction:
        assert transaction.run(ManagerAccount.select().where(ManagerAccount.id == 7)).fetchall() == []


def test_an_inline_check_knows_every_contact_format(database: Database) -> None:
    with pytest.raises(ConstraintBroken, match="outside what the database allows"), database.write() as transaction:
        transaction.run(ContactInfo.insert({"email_format": "FAX"}))
