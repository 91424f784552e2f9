"""Who is asking: the only room that knows tokens. It says who, never may.

A caller is found in the same snapshot his answer is read from, so a token revoked a moment ago opens nothing. Numbers
are those of the Customer Management reference (105, 109, 116, 120).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from adgraph.refusals import Refusal
from storage.database import Transaction
from storage.records.ids import LoginId
from storage.records.values import LoginStatus
from storage.tokens import AccessToken, digest_of, read_token

_BEARER = re.compile(r"bearer +([A-Za-z0-9_~+/.=-]{1,512}) *\Z", re.IGNORECASE)

_ISSUE = "an operator issues one with: adgraph token issue --user NAME"


class Caller(NamedTuple):
    """The login behind a valid token. `label` is the token's, `expires_at_ms` is milliseconds since 1970 UTC."""

    login_id: LoginId
    user_name: str
    label: str
    expires_at_ms: int

    @property
    def expires_at_text(self) -> str:
        """When the token stops working, as RFC 3339 in UTC."""
        return datetime.fromtimestamp(self.expires_at_ms / 1_000, UTC).isoformat(timespec="seconds")


def anonymous_or_caller(transaction: Transaction, authorization: str | None, now_ms: int) -> Caller | None:
    """The caller an `Authorization` header names, or None when there is no header.

    Cost: one SELECT with a header, none without.
    Raises: Refusal (401) for a header that names nobody, with what to do next.
    """
    if authorization is None:
        return None
    match = _BEARER.match(authorization.strip())
    if match is None:
        raise _refused(105, f"The Authorization header is not of the form 'Bearer adg_…'; {_ISSUE}")
    token = read_token(transaction, digest_of(match[1]))
    return _caller(token, now_ms)


def required_caller(transaction: Transaction, authorization: str | None, now_ms: int) -> Caller:
    """The caller; a missing header is refused too (116)."""
    caller = anonymous_or_caller(transaction, authorization, now_ms)
    if caller is None:
        raise _refused(116, f"There is no access token; send it as 'Authorization: Bearer adg_…'; {_ISSUE}")
    return caller


def _caller(token: AccessToken | None, now_ms: int) -> Caller:
    if token is None:
        raise _refused(105, f"This access token is not known here; check it for missing letters, or {_ISSUE}")
    if token.revoked_at_ms is not None:
        raise _refused(105, f"This access token was revoked; {_ISSUE}")
    if token.expires_at_ms <= now_ms:
        raise _refused(109, f"This access token has expired; {_ISSUE}")
    if token.login_status is LoginStatus.MERGED:
        raise _refused(
            120, "This login was merged into another one and can no longer be used; sign in with the primary login."
        )
    return Caller(token.login_id, token.user_name, token.label, token.expires_at_ms)


def _refused(number: int, message: str) -> Refusal:
    challenge = "Bearer" if number == 116 else 'Bearer error="invalid_token"'
    return Refusal(401, "UNAUTHENTICATED", message, number=number, headers={"WWW-Authenticate": challenge})
