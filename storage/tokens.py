"""Access tokens: issued once in clear, kept as a digest, found again by it.

This module says what a token is worth; who is refused, and in which words, is settled at the door.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from peewee import fn

from storage.database import Transaction
from storage.digests import digest_of, new_secret
from storage.models import AccessToken, Login
from storage.records.ids import AccessTokenId, Instant, LoginId
from storage.records.values import LoginStatus, TokenScope
from storage.statements import Param, Statement, is_in

PREFIX = "adg_"
"""Begins every token, so that people and secret scanners recognise one, and nobody takes it for a JWT."""
TOUCH_INTERVAL_MS = 60_000
"""The use of a token is noted at most this often: noting it is a write, and most requests only read."""
NO_ID, LAST_ID = 0, 2**63 - 1
"""Lie before and after every id."""


class TokenState(StrEnum):
    """What a token is worth."""

    GOOD = "GOOD"
    WRONG = "WRONG"
    """There is no such token."""
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    LOGIN_MERGED = "LOGIN_MERGED"
    """The token is good but its login lives on in another one, and only that one may enter."""


class NewToken(NamedTuple):
    """A token about to be issued. `issued_by` is the token it was asked for with; it ends with that one."""

    login_id: LoginId
    label: str
    scopes: frozenset[TokenScope]
    expires_at_ms: int
    issued_by: AccessTokenId | None = None


class IssuedToken(NamedTuple):
    """A new token. `token` is shown to its owner now and can never be read again."""

    id: AccessTokenId
    token: str
    expires_at_ms: int


class TokenRow(NamedTuple):
    """What is kept about a token."""

    id: AccessTokenId
    login_id: LoginId
    user_name: str
    login_status: LoginStatus
    label: str
    scope_names: str
    issued_by: AccessTokenId | None
    created_at_ms: Instant
    expires_at_ms: Instant
    revoked_at_ms: Instant | None
    last_used_at_ms: Instant | None

    @property
    def scopes(self) -> frozenset[TokenScope]:
        """What the token may be used for."""
        return scopes_named(self.scope_names)

    def state(self, now_ms: int) -> TokenState:
        """What the token is worth at a moment."""
        if self.revoked_at_ms is not None:
            return TokenState.REVOKED
        if now_ms >= self.expires_at_ms:
            return TokenState.EXPIRED
        if self.login_status is LoginStatus.MERGED:
            return TokenState.LOGIN_MERGED
        return TokenState.GOOD


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
    AccessToken.scopes,
    AccessToken.issued_by,
    AccessToken.created_at_ms,
    AccessToken.expires_at_ms,
    AccessToken.revoked_at_ms,
    AccessToken.last_used_at_ms,
).join(Login, on=(Login.id == AccessToken.login))
_MINE = AccessToken.login == Param("login_id")
_BETWEEN = _MINE & (AccessToken.id > Param("above")) & (AccessToken.id < Param("below"))
_BY_DIGEST = Statement(_TOKENS.where(AccessToken.digest == Param("digest")), TokenRow)
_BY_ID = Statement(_TOKENS.where(AccessToken.id == Param("token_id")), TokenRow)
_OF_LOGIN = Statement(_TOKENS.where(_MINE).order_by(AccessToken.id), TokenRow)
_OLDEST_OF_LOGIN = Statement(_TOKENS.where(_BETWEEN).order_by(AccessToken.id).limit(Param("limit")), TokenRow)
_NEWEST_OF_LOGIN = Statement(_TOKENS.where(_BETWEEN).order_by(AccessToken.id.desc()).limit(Param("limit")), TokenRow)
_COUNT = AccessToken.select(fn.COUNT(AccessToken.id)).where(_MINE)
_NUMBER_OF_LOGIN = Statement(_COUNT)
_LIVE_OF_LOGIN = Statement(
    _COUNT.where(AccessToken.revoked_at_ms.is_null() & (AccessToken.expires_at_ms > Param("now_ms")))
)
_ISSUED_BY = Statement(
    AccessToken.select(AccessToken.id).where(is_in(AccessToken.issued_by, "ids") & AccessToken.revoked_at_ms.is_null())
)


@lru_cache(maxsize=64)
def scopes_named(text: str) -> frozenset[TokenScope]:
    """The scopes of a text such as is stored. Raises: ValueError for a name that is none.

    >>> sorted(scopes_named("READ WRITE")) == [TokenScope.READ, TokenScope.WRITE]
    True
    """
    return frozenset(map(TokenScope, text.split()))


def names_of(scopes: Collection[TokenScope]) -> str:
    """Scopes as one text, in the order in which they are stored.

    >>> names_of({TokenScope.WRITE, TokenScope.READ})
    'READ WRITE'
    """
    return " ".join(scope for scope in TokenScope if scope in scopes)


def issue_token(transaction: Transaction, new: NewToken, now_ms: int) -> IssuedToken:
    """A new token for a login.

    Raises: ConstraintBroken ("foreign key") when there is no such login, ("check") when there are no scopes.
    """
    token = new_secret(PREFIX)
    row = {
        AccessToken.digest: digest_of(token),
        AccessToken.login: new.login_id,
        AccessToken.label: new.label,
        AccessToken.scopes: names_of(new.scopes),
        AccessToken.issued_by: new.issued_by,
        AccessToken.created_at_ms: now_ms,
        AccessToken.expires_at_ms: new.expires_at_ms,
    }
    [(id_,)] = transaction.run(AccessToken.insert(row).returning(AccessToken.id)).fetchall()
    return IssuedToken(AccessTokenId(id_), token, new.expires_at_ms)


def find_token(transaction: Transaction, token: str, now_ms: int) -> FoundToken:
    """What the presented token is worth at `now_ms`. Cost: at most one SELECT, none for what cannot be a token."""
    if not token.startswith(PREFIX):
        return FoundToken(TokenState.WRONG, None)
    rows = transaction.recall(_BY_DIGEST, digest=digest_of(token))
    if not rows:
        return FoundToken(TokenState.WRONG, None)
    [row] = rows
    return FoundToken(row.state(now_ms), row)


def read_token(transaction: Transaction, token_id: AccessTokenId) -> TokenRow | None:
    """The token of an id, whoever's it is. Cost: one SELECT."""
    rows = transaction.fetch(_BY_ID, token_id=token_id)
    return rows[0] if rows else None


def read_tokens(transaction: Transaction, login_id: LoginId) -> list[TokenRow]:
    """All tokens of a login, oldest first, whatever they are worth."""
    return transaction.fetch(_OF_LOGIN, login_id=login_id)


def read_some_tokens(
    transaction: Transaction, login_id: LoginId, *, above: int, below: int, limit: int, newest_first: bool
) -> list[TokenRow]:
    """At most `limit` tokens of a login whose ids lie between two, from either end. Cost: one SELECT."""
    statement = _NEWEST_OF_LOGIN if newest_first else _OLDEST_OF_LOGIN
    return transaction.fetch(statement, login_id=login_id, above=above, below=below, limit=limit)


def count_tokens(transaction: Transaction, login_id: LoginId) -> int:
    """How many tokens a login ever had. Cost: one SELECT."""
    [(number,)] = transaction.fetch(_NUMBER_OF_LOGIN, login_id=login_id)
    return int(number)


def count_live_tokens(transaction: Transaction, login_id: LoginId, now_ms: int) -> int:
    """How many tokens of a login are neither revoked nor expired. Cost: one SELECT."""
    [(number,)] = transaction.fetch(_LIVE_OF_LOGIN, login_id=login_id, now_ms=now_ms)
    return int(number)


def revoke_token(transaction: Transaction, token_id: int, now_ms: int) -> list[AccessTokenId]:
    """End a token for good, and every token that was issued with it. Returns the ids of those that ended, it first.

    Empty when there is none, or it was revoked before (then the first time stands).
    Cost: an UPDATE and a SELECT for each generation of tokens issued with tokens.
    """
    ended: list[AccessTokenId] = []
    ids = [AccessTokenId(token_id)]
    while ids:
        alive = is_in(AccessToken.id, "ids") & AccessToken.revoked_at_ms.is_null()
        query = AccessToken.update({AccessToken.revoked_at_ms: now_ms}).where(alive)
        if not transaction.run(query, ids=ids).rowcount:
            break
        ended += ids
        ids = sorted(AccessTokenId(id_) for (id_,) in transaction.fetch(_ISSUED_BY, ids=ids))
    return ended


def is_due_for_touch(last_used_at_ms: int | None, now_ms: int) -> bool:
    """Whether the use of a token at `now_ms` is worth a write: the last one noted is a minute old."""
    return last_used_at_ms is None or now_ms - last_used_at_ms >= TOUCH_INTERVAL_MS


def touch_token(transaction: Transaction, token_id: int, now_ms: int) -> None:
    """Note that a token was used; needs a write transaction. A later use already noted stands."""
    used = AccessToken.last_used_at_ms
    earlier = used.is_null() | (used < now_ms)
    transaction.run(AccessToken.update({used: now_ms}).where((AccessToken.id == token_id) & earlier))
