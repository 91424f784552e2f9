"""What an operator does with access tokens: issue, list, revoke. Who a token lets in is `adgraph.identity.auth`."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import NamedTuple

from resolvers.access_tokens import KIND, described
from resolvers.rules.access_tokens import DAY_MS, MOST_LIVE_TOKENS, problems_of_label
from resolvers.writing import ServiceSession
from storage.database import Database, Transaction
from storage.reads.logins import LoginRow, read_login, read_logins
from storage.records.ids import Instant
from storage.records.values import LoginStatus, TokenScope
from storage.tokens import (
    IssuedToken,
    NewToken,
    TokenRow,
    TokenState,
    count_live_tokens,
    issue_token,
    read_tokens,
    revoke_token,
)

DEFAULT_SCOPES = (TokenScope.READ, TokenScope.WRITE)
LONGEST_LIFETIME_DAYS = 3_650
"""Longer than people may issue for themselves: an operator knows why."""
BY_OPERATOR = "By an operator, on the terminal."


class OperatorError(Exception):
    """Something an operator asked for that cannot be done; the message says why and what next."""


class ListedToken(NamedTuple):
    """A token as an operator sees it; `state` is "good", "expired", "revoked" or "login merged"."""

    row: TokenRow
    state: str


_STATES = {
    TokenState.GOOD: "good",
    TokenState.EXPIRED: "expired",
    TokenState.REVOKED: "revoked",
    TokenState.LOGIN_MERGED: "login merged",
}


def issue(
    database: Database,
    *,
    user_name: str,
    label: str,
    days: int,
    now_ms: int,
    scopes: Collection[TokenScope] = DEFAULT_SCOPES,
) -> IssuedToken:
    """A new token for a login, by its name.

    Raises: OperatorError for a name nobody has, a login that was merged into another or has too many tokens, or a label
    that says nothing.
    """
    refuse_label(label)
    with database.write() as transaction:
        session = ServiceSession(transaction, Instant(now_ms))
        session.does("issueAccessToken")
        login = usable_login(transaction, user_name)
        if count_live_tokens(transaction, login.id, now_ms) >= MOST_LIVE_TOKENS:
            raise OperatorError(
                f"The login {user_name} has {MOST_LIVE_TOKENS} tokens that are good, and no login has more. Revoke one:"
                f" `adgraph token list --user {user_name}` shows them."
            )
        new = NewToken(login.id, label.strip(), frozenset(scopes), now_ms + days * DAY_MS)
        issued = issue_token(transaction, new, now_ms)
        session.note(KIND, issued.id, None, described(new))
        session.record(BY_OPERATOR)
        return issued


def listed(database: Database, *, user_name: str, now_ms: int) -> list[ListedToken]:
    """All tokens of a login, oldest first. Raises: OperatorError for a name nobody has."""
    with database.read() as transaction:
        login = login_named(transaction, user_name)
        return [ListedToken(row, _STATES[row.state(now_ms)]) for row in read_tokens(transaction, login.id)]


def revoke(database: Database, *, token_id: int, now_ms: int) -> int:
    """End a token for good. Returns how many that were issued with it ended too.

    Raises: OperatorError when there is none to end.
    """
    with database.write() as transaction:
        session = ServiceSession(transaction, Instant(now_ms))
        session.does("revokeAccessToken")
        ended = revoke_token(transaction, token_id, now_ms)
        if not ended:
            raise OperatorError(
                f"There is no token {token_id} that could be revoked: either nothing has that id, or it was revoked"
                " before. `adgraph token list --user NAME` shows them."
            )
        for one in ended:
            session.note(KIND, one, {"revoked_at": None}, {"revoked_at": now_ms})
        session.record(BY_OPERATOR)
        return len(ended) - 1


def refuse_label(label: str) -> None:
    """Raises: OperatorError for a label nobody could know a token by."""
    for problem in problems_of_label(label):
        raise OperatorError(problem.message.replace("`label`", "--label"))


def usable_login(transaction: Transaction, user_name: str) -> LoginRow:
    """The login of exactly this name, to issue something for. Raises: OperatorError."""
    login = login_named(transaction, user_name)
    if login.status is LoginStatus.MERGED:
        raise OperatorError(
            f"The login {user_name} was merged into login {login.merged_into_id} and may no longer be used."
            " Issue the token for that one."
        )
    return login


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
