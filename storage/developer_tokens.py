"""Developer tokens: what an application shows beside its user's access token. They name an application, never a person.

One token has one secret, or two while a new one replaces the old. Secrets are kept as digests.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from peewee import JOIN, fn

from storage.database import Transaction
from storage.digests import digest_of, new_secret
from storage.models import DeveloperToken, DeveloperTokenSecret, Login
from storage.records.ids import DeveloperTokenId, LoginId
from storage.statements import Param, Statement

PREFIX = "adgdev_"
"""Begins every developer token; an access token begins differently, so that neither is sent in the other's place."""


class DeveloperTokenState(StrEnum):
    """What a developer token is worth."""

    GOOD = "GOOD"
    WRONG = "WRONG"
    """There is no such token."""
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    """This secret is too old; a newer one may be good."""


class IssuedDeveloperToken(NamedTuple):
    """A new secret of a developer token. `token` is shown now and can never be read again."""

    id: DeveloperTokenId
    token: str
    expires_at_ms: int


class DeveloperTokenRow(NamedTuple):
    """A developer token as listed; `user_name` is None for a universal one, `expires_at_ms` is its newest secret's."""

    id: DeveloperTokenId
    label: str
    login_id: LoginId | None
    user_name: str | None
    created_at_ms: int
    revoked_at_ms: int | None
    last_used_at_ms: int | None
    expires_at_ms: int

    def state(self, now_ms: int) -> DeveloperTokenState:
        """What the token is worth at a moment, shown with its newest secret."""
        if self.revoked_at_ms is not None:
            return DeveloperTokenState.REVOKED
        return DeveloperTokenState.EXPIRED if now_ms >= self.expires_at_ms else DeveloperTokenState.GOOD


class FoundDeveloperToken(NamedTuple):
    """What a presented developer token is worth; the rest means nothing when it is wrong.

    `login_id` is whom alone it works for, None for everybody.
    """

    state: DeveloperTokenState
    id: DeveloperTokenId
    login_id: LoginId | None
    last_used_at_ms: int | None


class _Secret(NamedTuple):
    id: DeveloperTokenId
    login_id: LoginId | None
    revoked_at_ms: int | None
    last_used_at_ms: int | None
    expires_at_ms: int


_WRONG = FoundDeveloperToken(DeveloperTokenState.WRONG, DeveloperTokenId(0), None, None)
_BY_DIGEST = Statement(
    DeveloperTokenSecret.select(
        DeveloperToken.id,
        DeveloperToken.login,
        DeveloperToken.revoked_at_ms,
        DeveloperToken.last_used_at_ms,
        DeveloperTokenSecret.expires_at_ms,
    )
    .join(DeveloperToken, on=(DeveloperToken.id == DeveloperTokenSecret.developer_token))
    .where(DeveloperTokenSecret.digest == Param("digest")),
    _Secret,
)
_LISTED = (
    DeveloperToken.select(
        DeveloperToken.id,
        DeveloperToken.label,
        DeveloperToken.login,
        Login.user_name,
        DeveloperToken.created_at_ms,
        DeveloperToken.revoked_at_ms,
        DeveloperToken.last_used_at_ms,
        fn.MAX(DeveloperTokenSecret.expires_at_ms),
    )
    .join(DeveloperTokenSecret, on=(DeveloperToken.id == DeveloperTokenSecret.developer_token))
    .join_from(DeveloperToken, Login, JOIN.LEFT_OUTER, on=(Login.id == DeveloperToken.login))
    .group_by(DeveloperToken.id, Login.user_name)
    .order_by(DeveloperToken.id)
)
_ALL = Statement(_LISTED, DeveloperTokenRow)
_ONE = Statement(_LISTED.where(DeveloperToken.id == Param("token_id")), DeveloperTokenRow)


def issue_developer_token(
    transaction: Transaction, *, label: str, login_id: LoginId | None, now_ms: int, expires_at_ms: int
) -> IssuedDeveloperToken:
    """A new developer token, for everybody's applications or one login's.

    Raises: ConstraintBroken ("foreign key") when there is no such login.
    """
    row = {DeveloperToken.label: label, DeveloperToken.login: login_id, DeveloperToken.created_at_ms: now_ms}
    [(id_,)] = transaction.run(DeveloperToken.insert(row).returning(DeveloperToken.id)).fetchall()
    return _new_secret(transaction, DeveloperTokenId(id_), now_ms, expires_at_ms)


def rotate_developer_token(
    transaction: Transaction, token_id: DeveloperTokenId, *, now_ms: int, expires_at_ms: int, old_until_ms: int
) -> IssuedDeveloperToken:
    """A new secret for a developer token; those before are good until `old_until_ms`, or for less if they ended before.

    Raises: ConstraintBroken ("foreign key") when there is no such token.
    """
    ends = DeveloperTokenSecret.expires_at_ms
    older = (DeveloperTokenSecret.developer_token == token_id) & (ends > old_until_ms)
    transaction.run(DeveloperTokenSecret.update({ends: old_until_ms}).where(older))
    return _new_secret(transaction, token_id, now_ms, expires_at_ms)


def _new_secret(
    transaction: Transaction, token_id: DeveloperTokenId, now_ms: int, expires_at_ms: int
) -> IssuedDeveloperToken:
    token = new_secret(PREFIX)
    columns = ("digest", "developer_token_id", "created_at_ms", "expires_at_ms")
    transaction.insert(DeveloperTokenSecret, columns, [(digest_of(token), token_id, now_ms, expires_at_ms)])
    return IssuedDeveloperToken(token_id, token, expires_at_ms)


def find_developer_token(transaction: Transaction, token: str, now_ms: int) -> FoundDeveloperToken:
    """What the presented developer token is worth at `now_ms`. Cost: one SELECT, none for what cannot be one."""
    rows = transaction.fetch(_BY_DIGEST, digest=digest_of(token)) if token.startswith(PREFIX) else []
    if not rows:
        return _WRONG
    [row] = rows
    state = DeveloperTokenState.GOOD
    if row.revoked_at_ms is not None:
        state = DeveloperTokenState.REVOKED
    elif now_ms >= row.expires_at_ms:
        state = DeveloperTokenState.EXPIRED
    return FoundDeveloperToken(state, row.id, row.login_id, row.last_used_at_ms)


def read_developer_tokens(transaction: Transaction) -> list[DeveloperTokenRow]:
    """Every developer token, oldest first. Reads the whole table: for the terminal, never for a request."""
    return transaction.fetch(_ALL)


def read_developer_token(transaction: Transaction, token_id: DeveloperTokenId) -> DeveloperTokenRow | None:
    """The developer token of an id. Cost: one SELECT."""
    rows = transaction.fetch(_ONE, token_id=token_id)
    return rows[0] if rows else None


def revoke_developer_token(transaction: Transaction, token_id: DeveloperTokenId, now_ms: int) -> bool:
    """End a developer token and its secrets for good. False when there is none to end."""
    open_one = (DeveloperToken.id == token_id) & DeveloperToken.revoked_at_ms.is_null()
    changed = transaction.run(DeveloperToken.update({DeveloperToken.revoked_at_ms: now_ms}).where(open_one)).rowcount
    return bool(changed)


def touch_developer_token(transaction: Transaction, token_id: DeveloperTokenId, now_ms: int) -> None:
    """Note that a developer token was used; needs a write transaction. A later use already noted stands."""
    used = DeveloperToken.last_used_at_ms
    earlier = used.is_null() | (used < now_ms)
    transaction.run(DeveloperToken.update({used: now_ms}).where((DeveloperToken.id == token_id) & earlier))
