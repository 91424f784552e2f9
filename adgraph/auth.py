"""Who is asking: the only room that knows tokens. It says who, never may.

A caller is found in the same snapshot his answer is read from, so a token revoked a moment ago opens nothing. Numbers
are those of the Customer Management reference (105, 109, 116, 120).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from adgraph.refusals import HttpRefusal
from resolvers.errors import Refusal
from resolvers.standing import LOGIN_MERGED, login_merged, not_your_user, require_standing
from schema import ids
from storage.database import Database, Transaction
from storage.errors import StorageError
from storage.records.ids import LoginId, UserId
from storage.tokens import TokenRow, TokenState, find_token, is_due_for_touch, touch_token

log = logging.getLogger("adgraph.auth")

_BEARER = re.compile(r"bearer +([\x21-\x7e]{1,512})\Z", re.IGNORECASE)
_ISSUE = "An operator issues one with: adgraph token issue --user NAME"

_NUMBERED: dict[TokenState, tuple[int, str]] = {
    TokenState.WRONG: (105, f"This access token is not known here; check that it was copied whole. {_ISSUE}"),
    TokenState.REVOKED: (105, f"This access token was revoked and opens nothing any more. {_ISSUE}"),
    TokenState.EXPIRED: (109, f"This access token has expired. {_ISSUE}"),
    TokenState.LOGIN_MERGED: (LOGIN_MERGED, login_merged().message),
}
"""What is said about a token that is not good, and the documented number of it."""


class Credentials(NamedTuple):
    """What a request shows at the door, by header or at the start of a socket; None is what it did not send."""

    authorization: str | None = None
    developer_token: str | None = None
    act_as: str | None = None
    """The user, one of the caller's own, the request is to be asked as."""

    @classmethod
    def of_headers(cls, headers: Mapping[str, str]) -> Credentials:
        """Those of an HTTP request; header names match in any case."""
        return cls(headers.get("authorization"), headers.get("developertoken"), headers.get("actas"))


class Caller(NamedTuple):
    """The login behind a good token. `use_is_due`: the use of the token should be noted.

    `acting_user`: the one of its users the request is asked as; None for the login as a whole.
    """

    login_id: LoginId
    user_name: str
    token: TokenRow
    use_is_due: bool
    acting_user: UserId | None = None

    @property
    def expires_at_text(self) -> str:
        """When the token stops working, as RFC 3339 in UTC."""
        return datetime.fromtimestamp(self.token.expires_at_ms / 1_000, UTC).isoformat(timespec="seconds")


def anonymous_or_caller(transaction: Transaction, credentials: Credentials, now_ms: int) -> Caller | None:
    """The caller that credentials name, or None when there is no access token.

    Cost: one SELECT with a token and one more when it is to be asked as a user; none without.
    Raises: HttpRefusal (401) for a token that names nobody, (403) for a user that is not his own to ask as; with what
    to do next.
    """
    if credentials.authorization is None:
        if credentials.act_as is not None:
            raise _no_token()
        return None
    match = _BEARER.match(credentials.authorization.strip())
    if match is None:
        raise _refused(105, f"The Authorization header is not of the form 'Bearer adg_…'. {_ISSUE}")
    found = find_token(transaction, match[1], now_ms)
    if found.row is None or found.state is not TokenState.GOOD:
        raise _refused(*_NUMBERED[found.state])
    row, use_is_due = found.row, is_due_for_touch(found.row, now_ms)
    return Caller(
        row.login_id, row.user_name, row, use_is_due, _acting_user(transaction, row.login_id, credentials.act_as)
    )


def _acting_user(transaction: Transaction, login_id: LoginId, act_as: str | None) -> UserId | None:
    """The user a request is to be asked as. Hidden, gone, unknown and misspelt are refused alike."""
    if act_as is None:
        return None
    try:
        user = ids.user_id(act_as.strip())
        require_standing(transaction, login_id, user)
    except Refusal:
        wrong = not_your_user()
        raise HttpRefusal(403, str(wrong.code), wrong.message, number=wrong.number, rule=wrong.rule) from None
    return user


def required_caller(transaction: Transaction, credentials: Credentials, now_ms: int) -> Caller:
    """The caller; a missing header is refused too (116)."""
    caller = anonymous_or_caller(transaction, credentials, now_ms)
    if caller is None:
        raise _no_token()
    return caller


def note_use(database: Database, caller: Caller, now_ms: int) -> None:
    """Write down that the caller's token was used. A database too busy for it is no reason to fail anything."""
    try:
        with database.write() as transaction:
            touch_token(transaction, caller.token.id, now_ms)
    except StorageError as problem:
        log.warning("the use of token %d was not noted: %s", caller.token.id, problem)


def _no_token() -> HttpRefusal:
    return _refused(116, f"There is no access token; send it as 'Authorization: Bearer adg_…'. {_ISSUE}")


def _refused(number: int, message: str) -> HttpRefusal:
    challenge = "Bearer" if number == 116 else 'Bearer error="invalid_token"'
    return HttpRefusal(401, "UNAUTHENTICATED", message, number=number, headers={"WWW-Authenticate": challenge})
