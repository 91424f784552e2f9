"""Access tokens: issued once in clear, kept as a digest, found again by it.

A token is 256 random bits; nobody can guess one, so its plain SHA-256 is all that is kept and looked up.
This module says what a token is worth; who is refused, and in which words, is settled at the door.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum
from typing import NamedTuple

from storage.database import Transaction
from storage.models import AccessToken, Login
from storage.records.ids import LoginId
from storage.records.values import LoginStatus
from storage.statements import Param, Statement

PREFIX = "adg_"
"""Begins every token, so that people and secret scanners recognise one."""
SECRET_BYTES = 32
TOUCH_INTERVAL_MS = 60_000
"""The use of a token is noted at most this often: noting it is a write, and most requests only read."""


class TokenState(StrEnum):
    """What a token is worth."""

    GOOD = "GOOD"
    WRONG = "WRONG"
    """There is no such token."""
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    LOGIN_MERGED = "LOGIN_MERGED"
    """The token is good but its login lives on in another one, and only that one may enter."""


class IssuedToken(NamedTuple):
    """A new token. `token` is shown to its owner now and can never be read again."""

    id: int
    token: str
    expires_at_ms: int


class TokenRow(NamedTuple):
    """What is kept about a token."""

    id: int
    login_id: LoginId
    user_name: str
    login_status: LoginStatus
    label: str
    created_at_ms: int
    expires_at_ms: int
    revoked_at_ms: int | None
    last_used_at_ms: int | None


class FoundToken(NamedTuple):
    """What a presented token is worth; `row` is None when it is wrong."""

    state: TokenState
    row: TokenRow | None


_TOKENS = AccessToken.select(
    AccessToken.id,
    AccessToken.login,
    Login.user_name,
    Login.status,
    AccessToken.label,
    AccessToken.created_at_ms,
    AccessToken.expires_at_ms,
    AccessToken.revoked_at_ms,
    AccessToken.last_used_at_ms,
).join(Login, on=(Login.id == AccessToken.login))
_BY_DIGEST = Statement(_TOKENS.where(AccessToken.digest == Param("digest")), TokenRow)
_OF_LOGIN = Statement(_TOKENS.where(AccessToken.login == Param("login_id")).order_by(AccessToken.id), TokenRow)


def _digest(token: str) -> bytes:
    # What is presented may be any text; lone surrogates are no reason to fail.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def issue_token(
    transaction: Transaction, *, login_id: LoginId, label: str, now_ms: int, lifetime_ms: int
) -> IssuedToken:
    """A new token for a login, good until `now_ms + lifetime_ms`. `label` tells its owner what it is for.

    Raises: ConstraintBroken ("foreign key") when there is no such login.
    """
    token = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    row = {
        AccessToken.digest: _digest(token),
        AccessToken.login: login_id,
        AccessToken.label: label,
        AccessToken.created_at_ms: now_ms,
        AccessToken.expires_at_ms: now_ms + lifetime_ms,
    }
    [(id_,)] = transaction.run(AccessToken.insert(row).returning(AccessToken.id)).fetchall()
    return IssuedToken(id_, token, now_ms + lifetime_ms)


def find_token(transaction: Transaction, token: str, now_ms: int) -> FoundToken:
    """What the presented token is worth at `now_ms`. Cost: one statement, none for what cannot be a token."""
    if not token.startswith(PREFIX):
        return FoundToken(TokenState.WRONG, None)
    rows = transaction.fetch(_BY_DIGEST, digest=_digest(token))
    if not rows:
        return FoundToken(TokenState.WRONG, None)
    [row] = rows
    return FoundToken(_state(row, now_ms), row)


def _state(row: TokenRow, now_ms: int) -> TokenState:
    if row.revoked_at_ms is not None:
        return TokenState.REVOKED
    if now_ms >= row.expires_at_ms:
        return TokenState.EXPIRED
    if row.login_status is LoginStatus.MERGED:
        return TokenState.LOGIN_MERGED
    return TokenState.GOOD


def read_tokens(transaction: Transaction, login_id: LoginId) -> list[TokenRow]:
    """All tokens of a login, oldest first, whatever they are worth."""
    return transaction.fetch(_OF_LOGIN, login_id=login_id)


def revoke_token(transaction: Transaction, token_id: int, now_ms: int) -> bool:
    """End a token for good. False when there is none, or it was revoked before (then the first time stands)."""
    open_one = (AccessToken.id == token_id) & AccessToken.revoked_at_ms.is_null()
    changed = transaction.run(AccessToken.update({AccessToken.revoked_at_ms: now_ms}).where(open_one)).rowcount
    return bool(changed)


def is_due_for_touch(row: TokenRow, now_ms: int) -> bool:
    """Whether the use of a token at `now_ms` is worth a write: the last one noted is a minute old."""
    return row.last_used_at_ms is None or now_ms - row.last_used_at_ms >= TOUCH_INTERVAL_MS


def touch_token(transaction: Transaction, token_id: int, now_ms: int) -> None:
    """Note that a token was used; needs a write transaction. A later use already noted stands."""
    used = AccessToken.last_used_at_ms
    earlier = used.is_null() | (used < now_ms)
    transaction.run(AccessToken.update({used: now_ms}).where((AccessToken.id == token_id) & earlier))
