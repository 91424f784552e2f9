"""Who is asking: the only room that knows tokens. It says who, never may.

`Door.identify` does all that needs no database, and may wait for the network: call it in a thread, before a transaction
begins. `anonymous_or_caller` does the rest in the same snapshot the answer is read from, so a token revoked a moment
ago opens nothing; to ask again later whether somebody may stay, call it again with the same `Presented`.
Numbers are those of the Customer Management reference (105, 109, 116, 120).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from adgraph.identity.issuer_keys import IssuerUnavailable
from adgraph.identity.openid import Identity, Provider, TokenRefused, provider_for
from adgraph.protocol.refusals import HttpRefusal
from adgraph.settings import Settings
from resolvers.errors import Refusal
from resolvers.standing import LOGIN_MERGED, login_merged, not_your_user, require_standing
from schema import ids
from storage.database import Database, Transaction
from storage.developer_tokens import (
    DeveloperTokenState,
    FoundDeveloperToken,
    find_developer_token,
    touch_developer_token,
)
from storage.errors import StorageError
from storage.reads.logins import read_login
from storage.records.ids import AccessTokenId, DeveloperTokenId, Instant, LoginId, UserId
from storage.records.values import LoginStatus, TokenScope
from storage.tokens import PREFIX, TokenState, find_token, is_due_for_touch, touch_token

log = logging.getLogger("adgraph.auth")

_BEARER = re.compile(r"bearer +([\x21-\x7e]+)\Z", re.IGNORECASE)
_ISSUE = "An operator issues one with: adgraph token issue --user NAME"
_ISSUE_DEVELOPER = "An operator issues one with: adgraph developer-token issue --label NAME"

_NUMBERED: dict[TokenState, tuple[int, str]] = {
    TokenState.WRONG: (105, f"This access token is not known here; check that it was copied whole. {_ISSUE}"),
    TokenState.REVOKED: (105, f"This access token was revoked and opens nothing any more. {_ISSUE}"),
    TokenState.EXPIRED: (109, f"This access token has expired. {_ISSUE}"),
    TokenState.LOGIN_MERGED: (LOGIN_MERGED, login_merged().message),
}
"""What is said about a token that is not good, and the documented number of it."""
_NUMBERED_DEVELOPER: dict[DeveloperTokenState, tuple[int, str]] = {
    DeveloperTokenState.WRONG: (105, f"This developer token is not known here. {_ISSUE_DEVELOPER}"),
    DeveloperTokenState.REVOKED: (105, f"This developer token was revoked. {_ISSUE_DEVELOPER}"),
    DeveloperTokenState.EXPIRED: (109, "This developer token has expired; its application should use its newer one."),
}


class Credentials(NamedTuple):
    """What a request shows at the door, by header or at the start of a socket; None is what it did not send."""

    authorization: str | None = None
    developer_token: str | None = None
    act_as: str | None = None
    """The user, one of the caller's own, the request is to be asked as."""

    @classmethod
    def of_headers(cls, headers: Mapping[str, str]) -> Credentials:
        """Those among the headers of `wire.headers_of`, or what stands under the same names elsewhere."""
        return cls(headers.get("authorization"), headers.get("developertoken"), headers.get("actas"))

    def __repr__(self) -> str:
        return "Credentials(…)"


class Presented(NamedTuple):
    """Credentials once all was checked that needs no database. `access_token` is one of ours, or what a JWT says."""

    access_token: str | Identity | None = None
    developer_token: str | None = None
    act_as: str | None = None

    def __repr__(self) -> str:
        return "Presented(…)"


class Caller(NamedTuple):
    """The login behind a good token, what the token opens and until when.

    `label` is what its owner knows the token by, `token_id` its id when it is one of ours. The two `…_due` name tokens
    whose use should be noted. `acting_user`: the one of its users the request is asked as; None asks as the login.
    """

    login_id: LoginId | None
    """None for a newcomer: an issuer names him, and no login here has that name yet."""
    user_name: str
    scopes: frozenset[TokenScope]
    expires_at_ms: Instant
    label: str
    token_id: AccessTokenId | None = None
    use_due: AccessTokenId | None = None
    developer_use_due: DeveloperTokenId | None = None
    acting_user: UserId | None = None

    @property
    def use_is_due(self) -> bool:
        """Whether `note_use` has something to write."""
        return self.use_due is not None or self.developer_use_due is not None

    @property
    def expires_at_text(self) -> str:
        """When the token stops working, as RFC 3339 in UTC."""
        return datetime.fromtimestamp(self.expires_at_ms / 1_000, UTC).isoformat(timespec="seconds")


class Door:
    """The door of one deployment: whose tokens are taken, and whether applications must name themselves.

    Safe to share between threads.
    """

    def __init__(self, settings: Settings, provider: Provider | None = None) -> None:
        self._provider = provider or provider_for(settings)
        self._developer_tokens = settings.developer_tokens

    def identify(self, credentials: Credentials, *, application: bool = True) -> Presented:
        """What was shown, as far as it can be judged without the database. May wait seconds for a provider's keys.

        `application`: whether developer tokens are the question at all.
        Raises: HttpRefusal, 401 for what cannot be good, 503 when the provider cannot be asked.
        """
        developer_token = self._application(credentials.developer_token) if application else None
        return Presented(self._person(credentials.authorization), developer_token, credentials.act_as)

    def _application(self, developer_token: str | None) -> str | None:
        if self._developer_tokens == "off":
            return None
        if developer_token is None and self._developer_tokens == "required":
            raise _refused(
                116, f"There is no developer token; send it in the header DeveloperToken. {_ISSUE_DEVELOPER}"
            )
        return None if developer_token is None else developer_token.strip()

    def _person(self, authorization: str | None) -> str | Identity | None:
        if authorization is None:
            return None
        match = _BEARER.match(authorization.strip())
        if match is None:
            raise _refused(105, f"The Authorization header is not of the form 'Bearer adg_…'. {_ISSUE}")
        token = match[1]
        if token.startswith(PREFIX) or self._provider is None:
            return token
        try:
            return self._provider.identity(token)
        except TokenRefused as problem:
            raise _refused(problem.number, problem.message) from None
        except IssuerUnavailable:
            raise HttpRefusal(
                503,
                "ISSUER_UNAVAILABLE",
                "The issuer of this access token cannot be asked for its keys just now, so it can be neither taken nor"
                " refused. Try again in a few seconds.",
                headers={"Retry-After": "5"},
            ) from None


def anonymous_or_caller(transaction: Transaction, presented: Presented, now_ms: int) -> Caller | None:
    """The caller behind what was presented, or None when there is no access token.

    Cost: one SELECT with an access token, one with a developer token, one when it is to be asked as a user.
    Raises: HttpRefusal (401) for a token that names nobody, (403) for a user that is not his own to ask as; with what
    to do next.
    """
    caller = _caller(transaction, presented.access_token, now_ms)
    if presented.act_as is not None:
        if caller is None:
            raise _no_token()
        caller = caller._replace(acting_user=_acting_user(transaction, caller.login_id, presented.act_as))
    if presented.developer_token is None:
        return caller
    application = _good_application(transaction, presented.developer_token, caller, now_ms)
    if caller is None or not is_due_for_touch(application.last_used_at_ms, now_ms):
        return caller
    return caller._replace(developer_use_due=application.id)


def _caller(transaction: Transaction, shown: str | Identity | None, now_ms: int) -> Caller | None:
    if shown is None:
        return None
    return _of_token(transaction, shown, now_ms) if isinstance(shown, str) else _of_jwt(transaction, shown, now_ms)


def _acting_user(transaction: Transaction, login_id: LoginId | None, act_as: str) -> UserId:
    """The user a request is to be asked as. Hidden, gone, unknown and misspelt are refused alike."""
    try:
        if login_id is None:
            raise not_your_user()
        user = ids.user_id(act_as.strip())
        require_standing(transaction, login_id, user)
    except Refusal:
        wrong = not_your_user()
        raise HttpRefusal(403, str(wrong.code), wrong.message, number=wrong.number, rule=wrong.rule) from None
    return user


def _of_token(transaction: Transaction, token: str, now_ms: int) -> Caller:
    state, row = find_token(transaction, token, now_ms)
    if row is None or state is not TokenState.GOOD:
        raise _refused(*_NUMBERED[state])
    due = row.id if is_due_for_touch(row.last_used_at_ms, now_ms) else None
    return Caller(row.login_id, row.user_name, row.scopes, row.expires_at_ms, row.label, row.id, due)


def _of_jwt(transaction: Transaction, identity: Identity, now_ms: int) -> Caller:
    if now_ms >= identity.good_until_ms:
        raise _refused(109, "This access token has expired; get a new one from its issuer.")
    login = read_login(transaction, identity.user_name)
    if login is not None and login.status is LoginStatus.MERGED:
        raise _refused(*_NUMBERED[TokenState.LOGIN_MERGED])
    until = Instant(identity.good_until_ms)
    return Caller(login and login.id, identity.user_name, identity.scopes, until, "identity provider")


def _good_application(transaction: Transaction, token: str, caller: Caller | None, now_ms: int) -> FoundDeveloperToken:
    """The application behind a developer token. It gives nothing: at most it is refused."""
    found = find_developer_token(transaction, token, now_ms)
    if found.state is not DeveloperTokenState.GOOD:
        raise _refused(*_NUMBERED_DEVELOPER[found.state])
    if found.login_id is not None and caller is not None and caller.login_id != found.login_id:
        raise _refused(105, f"This developer token works for one login only, and yours is another. {_ISSUE_DEVELOPER}")
    return found


def required_caller(transaction: Transaction, presented: Presented, now_ms: int) -> Caller:
    """The caller; a missing header is refused too (116)."""
    caller = anonymous_or_caller(transaction, presented, now_ms)
    if caller is None:
        raise _no_token()
    return caller


def note_use(database: Database, caller: Caller, now_ms: int) -> None:
    """Write down that the caller's tokens were used. A database too busy for it is no reason to fail anything."""
    try:
        with database.write() as transaction:
            if caller.use_due is not None:
                touch_token(transaction, caller.use_due, now_ms)
            if caller.developer_use_due is not None:
                touch_developer_token(transaction, caller.developer_use_due, now_ms)
    except StorageError as problem:
        log.warning("the use of a token of login %s was not noted: %s", caller.login_id, problem)


def _no_token() -> HttpRefusal:
    return _refused(116, f"There is no access token; send it as 'Authorization: Bearer adg_…'. {_ISSUE}")


def _refused(number: int, message: str) -> HttpRefusal:
    challenge = "Bearer" if number == 116 else 'Bearer error="invalid_token"'
    return HttpRefusal(401, "UNAUTHENTICATED", message, number=number, headers={"WWW-Authenticate": challenge})
