"""What an operator does with developer tokens: issue, list, rotate, revoke. What they open is `identity.auth`'s."""

from __future__ import annotations

from typing import Any

from adgraph.commands.tokens import BY_OPERATOR, OperatorError, refuse_label, usable_login
from resolvers.rules.access_tokens import DAY_MS
from resolvers.writing import ServiceSession
from storage.database import Database, Transaction
from storage.developer_tokens import (
    DeveloperTokenRow,
    DeveloperTokenState,
    IssuedDeveloperToken,
    issue_developer_token,
    read_developer_token,
    read_developer_tokens,
    revoke_developer_token,
    rotate_developer_token,
)
from storage.records.ids import DeveloperTokenId, Instant

KIND = "DeveloperToken"
DEFAULT_LIFETIME_DAYS = 365
LONGEST_LIFETIME_DAYS = 3_650
DEFAULT_GRACE_HOURS = 24
LONGEST_GRACE_HOURS = 24 * 90
HOUR_MS = 3_600_000


def issue(database: Database, *, label: str, user_name: str | None, days: int, now_ms: int) -> IssuedDeveloperToken:
    """A new developer token: with a login's name for that login alone, else for all.

    Raises: OperatorError for a name nobody has, a merged login, or a label that says nothing.
    """
    refuse_label(label)
    with database.write() as transaction:
        session = _session(transaction, now_ms, "issueDeveloperToken")
        login = None if user_name is None else usable_login(transaction, user_name)
        expires_at_ms = now_ms + days * DAY_MS
        issued = issue_developer_token(
            transaction,
            label=label.strip(),
            login_id=None if login is None else login.id,
            now_ms=now_ms,
            expires_at_ms=expires_at_ms,
        )
        after = {"label": label.strip(), "login_id": None if login is None else login.id, "expires_at": expires_at_ms}
        _record(session, issued.id, None, after)
        return issued


def rotate(database: Database, *, token_id: int, days: int, grace_hours: int, now_ms: int) -> IssuedDeveloperToken:
    """A new secret for a developer token; those before it stay good for the grace period.

    Raises: OperatorError when there is no such token, or it was revoked.
    """
    with database.write() as transaction:
        session = _session(transaction, now_ms, "rotateDeveloperToken")
        row = read_developer_token(transaction, DeveloperTokenId(token_id))
        if row is None or row.revoked_at_ms is not None:
            raise _not_there(token_id, "rotated")
        expires_at_ms, old_until_ms = now_ms + days * DAY_MS, now_ms + grace_hours * HOUR_MS
        issued = rotate_developer_token(
            transaction, row.id, now_ms=now_ms, expires_at_ms=expires_at_ms, old_until_ms=old_until_ms
        )
        before = {"expires_at": row.expires_at_ms, "replaced_ends_at": None}
        after = {"expires_at": expires_at_ms, "replaced_ends_at": min(row.expires_at_ms, old_until_ms)}
        _record(session, row.id, before, after)
        return issued


def revoke(database: Database, *, token_id: int, now_ms: int) -> None:
    """End a developer token and all its secrets for good. Raises: OperatorError when there is none to end."""
    with database.write() as transaction:
        session = _session(transaction, now_ms, "revokeDeveloperToken")
        if not revoke_developer_token(transaction, DeveloperTokenId(token_id), now_ms):
            raise _not_there(token_id, "revoked")
        _record(session, DeveloperTokenId(token_id), {"revoked_at": None}, {"revoked_at": now_ms})


def listed(database: Database, *, now_ms: int) -> list[tuple[DeveloperTokenRow, DeveloperTokenState]]:
    """All developer tokens, oldest first, with what each is worth now."""
    with database.read() as transaction:
        return [(row, row.state(now_ms)) for row in read_developer_tokens(transaction)]


def _session(transaction: Transaction, now_ms: int, operation: str) -> ServiceSession:
    session = ServiceSession(transaction, Instant(now_ms))
    session.does(operation)
    return session


def _record(
    session: ServiceSession, key: DeveloperTokenId, before: dict[str, Any] | None, after: dict[str, Any]
) -> None:
    session.note(KIND, key, before, after)
    session.record(BY_OPERATOR)


def _not_there(token_id: int, what: str) -> OperatorError:
    return OperatorError(
        f"There is no developer token {token_id} that could be {what}: either nothing has that id, or it was revoked"
        " before. `adgraph developer-token list` shows them."
    )
