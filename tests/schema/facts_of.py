"""The facts of a database as the oracle's world: plain SELECTs that share nothing with the product's reads."""

from __future__ import annotations

from typing import Any

import peewee

from storage import models
from storage.database import Transaction
from tests.oracle import (
    AccountLink,
    AdAccount,
    Aggregation,
    Assignment,
    CustomerLink,
    Login,
    ManagerAccount,
    User,
    World,
)


def _rows(transaction: Transaction, *columns: peewee.Field) -> list[tuple[Any, ...]]:
    query = columns[0].model.select(*columns).order_by(columns[0])
    return [tuple(row) for row in transaction.run(query).fetchall()]


def read_world(transaction: Transaction) -> World:
    """Everything that is stored and can matter to access, as it stands now."""
    links = _client_links(transaction)
    return World(
        logins=tuple(
            Login(*row) for row in _rows(transaction, models.Login.id, models.Login.user_name, models.Login.merged_into)
        ),
        users=_users(transaction),
        manager_accounts=tuple(
            ManagerAccount(*row)
            for row in _rows(
                transaction, models.ManagerAccount.id, models.ManagerAccount.name, models.ManagerAccount.status
            )
        ),
        ad_accounts=tuple(
            AdAccount(*row)
            for row in _rows(
                transaction,
                models.AdAccount.id,
                models.AdAccount.manager_account,
                models.AdAccount.name,
                models.AdAccount.status,
            )
        ),
        assignments=_assignments(transaction),
        customer_links=tuple(link for link in links if isinstance(link, CustomerLink)),
        account_links=tuple(link for link in links if isinstance(link, AccountLink)),
        aggregations=_aggregations(transaction),
    )


def _users(transaction: Transaction) -> tuple[User, ...]:
    table = models.User
    rows = _rows(transaction, table.id, table.login, table.manager_account, table.is_original, table.status)
    return tuple(User(id, login, place, bool(original), status) for id, login, place, original, status in rows)


def _assignments(transaction: Transaction) -> tuple[Assignment, ...]:
    listed: dict[int, set[int]] = {}
    for columns in (
        (models.AssignmentAdAccount.assignment, models.AssignmentAdAccount.ad_account),
        (models.AssignmentManagerAccount.assignment, models.AssignmentManagerAccount.manager_account),
    ):
        for assignment, member in _rows(transaction, *columns):
            listed.setdefault(assignment, set()).add(member)
    table = models.Assignment
    rows = _rows(
        transaction, table.id, table.user, table.manager_account, table.role, table.scope, table.ended_revision
    )
    return tuple(
        Assignment(id, user, place, role, scope, frozenset(listed.get(id, ())))
        for id, user, place, role, scope, ended in rows
        if ended is None
    )


def _client_links(transaction: Transaction) -> list[CustomerLink | AccountLink]:
    table = models.ClientLink
    rows = _rows(
        transaction,
        table.id,
        table.managing,
        table.client_manager_account,
        table.client_ad_account,
        table.permission,
        table.status,
    )
    return [
        CustomerLink(id, managing, manager, permission, status)
        if manager is not None
        else AccountLink(id, managing, ad, status)
        for id, managing, manager, ad, permission, status in rows
    ]


def _aggregations(transaction: Transaction) -> tuple[Aggregation, ...]:
    table = models.Aggregation
    rows = _rows(transaction, table.id, table.aggregator, table.manager_account, table.ended_revision)
    return tuple(Aggregation(id, above, below) for id, above, below, ended in rows if ended is None)
