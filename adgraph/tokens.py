"""What an operator does with access tokens: issue, list, revoke. Who a token lets in is `adgraph.auth`."""

from __future__ import annotations

from difflib import get_close_matches
from typing import NamedTuple

from storage.database import Database, Transaction
from storage.reads.logins import LoginRow, read_login, read_logins
from storage.records.values import LoginStatus
from storage.tokens import IssuedToken, TokenRow, issue_token, read_tokens, revoke_token

DAY_MS = 86_400_000
DEFAULT_LIFETIME_DAYS = 90
LONGEST_LIFETIME_DAYS = 3_650


class OperatorError(Exception):
    """Something an operator asked for that cannot be done; the message says why and what next."""


class ListedToken(NamedTuple):
    """A token as an operator sees it; `state` is "good", "expired" or "revoked"."""

    row: TokenRow
    state: str


def issue(database: Database, *, user_name: str, label: str, days: int, now_ms: int) -> IssuedToken:
    """A new token for a login, by its name.

    Raises: OperatorError for a name nobody has, or a login that was merged into another.
    """
    with database.write() as transaction:
        login = login_named(transaction, user_name)
        if login.status is LoginStatus.MERGED:
            raise OperatorError(
                f"The login {user_name} was merged into login {login.merged_into_id} and may no longer be used."
                " Issue the token for that one."
            )
        return issue_token(transaction, login_id=login.id, label=label, now_ms=now_ms, lifetime_ms=days * DAY_MS)


def listed(database: Database, *, user_name: str, now_ms: int) -> list[ListedToken]:
    """All tokens of a login, oldest first. Raises: OperatorError for a name nobody has."""
    with database.read() as transaction:
        login = login_named(transaction, user_name)
        return [ListedToken(row, _state(row, now_ms)) for row in read_tokens(transaction, login.id)]


def revoke(database: Database, *, token_id: int, now_ms: int) -> None:
    """End a token for good. Raises: OperatorError when there is none to end."""
    with database.write() as transaction:
        if not revoke_token(transaction, token_id, now_ms):
            raise OperatorError(
                f"There is no token {token_id} that could be revoked: either nothing has that id, or it was revoked"
                " before. `adgraph token list --user NAME` shows them."
            )


def login_named(transaction: Transaction, user_name: str) -> LoginRow:
    """The login of exactly this name. Raises: OperatorError that offers names much like it."""
    login = read_login(transaction, user_name)
    if login is not None:
        return login
    names = [each.user_name for each in read_logins(transaction)]
    if not names:
        raise OperatorError("There are no logins yet. `adgraph demo` loads the demo company into an empty database.")
    near = get_close_matches(user_name, names, n=3, cutoff=0.5) or names[:3]
    raise OperatorError(
        f"There is no login named {user_name!r} (names are exact, case included). Some there are: {', '.join(near)}."
    )


def _state(row: TokenRow, now_ms: int) -> str:
    if row.revoked_at_ms is not None:
        return "revoked"
    return "expired" if row.expires_at_ms <= now_ms else "good"
