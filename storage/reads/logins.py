"""Logins by name, for those who administer them. Who a token belongs to is `storage.tokens`."""

from __future__ import annotations

from typing import NamedTuple

from storage.database import Transaction
from storage.models import Login
from storage.records.ids import LoginId
from storage.records.values import LoginStatus
from storage.statements import Param, Statement


class LoginRow(NamedTuple):
    """A login as stored; `merged_into_id` names the one a merged login lives on in."""

    id: LoginId
    user_name: str
    status: LoginStatus
    merged_into_id: LoginId | None


_LOGINS = Login.select(Login.id, Login.user_name, Login.status, Login.merged_into)
_BY_NAME = Statement(_LOGINS.where(Login.user_name == Param("user_name")), LoginRow)
_ALL = Statement(_LOGINS.order_by(Login.user_name), LoginRow)


def read_login(tx: Transaction, user_name: str) -> LoginRow | None:
    """The login of exactly this name, case included. Cost: one SELECT by index."""
    rows = tx.fetch(_BY_NAME, user_name=user_name)
    return rows[0] if rows else None


def read_logins(tx: Transaction) -> list[LoginRow]:
    """Every login, by name. Reads the whole table: for the terminal, never for a request."""
    return tx.fetch(_ALL)
