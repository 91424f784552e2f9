"""Logins by name, for those who administer them, and whether one may be used. Tokens are `storage.tokens`."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from peewee import JOIN

from storage.database import Transaction
from storage.models import Login, User
from storage.records.ids import LoginId, UserId
from storage.records.values import LoginStatus, UserStatus
from storage.statements import Param, Statement, is_in


class LoginRow(NamedTuple):
    """A login as stored; `merged_into_id` names the one a merged login lives on in."""

    id: LoginId
    user_name: str
    status: LoginStatus
    merged_into_id: LoginId | None


class Standing(NamedTuple):
    """Whether a login may be used, and as the user asked about; None when that is none of its users."""

    login_status: LoginStatus
    user_status: UserStatus | None


_LOGINS = Login.select(Login.id, Login.user_name, Login.status, Login.merged_into)
_BY_NAME = Statement(_LOGINS.where(Login.user_name == Param("user_name")), LoginRow)
_NAMED = Statement(_LOGINS.where(is_in(Login.user_name, "names")), LoginRow)
_ALL = Statement(_LOGINS.order_by(Login.user_name), LoginRow)
_STANDING = Statement(
    Login.select(Login.status, User.status)
    .join(User, JOIN.LEFT_OUTER, on=((User.login == Login.id) & (User.id == Param("user"))))
    .where(Login.id == Param("login")),
    Standing,
)
_NOBODY = UserId(0)
"""Ids begin with 1."""


def read_login(tx: Transaction, user_name: str) -> LoginRow | None:
    """The login of exactly this name, case included. Cost: one SELECT by index."""
    rows = tx.fetch(_BY_NAME, user_name=user_name)
    return rows[0] if rows else None


def read_logins_named(tx: Transaction, names: Collection[str]) -> dict[str, LoginRow]:
    """The logins of exactly these names; names nobody has are left out. Cost: one SELECT by index."""
    return {row.user_name: row for row in tx.fetch(_NAMED, names=names)} if names else {}


def read_logins(tx: Transaction) -> list[LoginRow]:
    """Every login, by name. Reads the whole table: for the terminal, never for a request."""
    return tx.fetch(_ALL)


def read_standing(tx: Transaction, login_id: LoginId, user: UserId | None) -> Standing | None:
    """Whether a login, and one of its users, may be used; None when there is no such login. Cost: one SELECT."""
    found = tx.fetch(_STANDING, login=login_id, user=user or _NOBODY)
    return found[0] if found else None
