"""The audit log, and the first results of writes that may be repeated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from storage.database import Transaction
from storage.models import AuditEntry, WriteRequest
from storage.records.ids import Instant, LoginId, RevisionId, UserId
from storage.statements import Param, Statement, is_in
from storage.writes import Stamp


class AuditRow(NamedTuple):
    """What one write did to one entity. `before` and `after` are JSON objects of the fields that differ."""

    audit_id: int
    revision: RevisionId
    at: Instant
    operation: str
    entity_kind: str
    entity_id: int
    actor_login_id: LoginId | None
    actor_user_id: UserId | None
    before: str | None
    after: str | None
    reason: str | None


class AuditNote(NamedTuple):
    """An entry about to be written."""

    entity_kind: str
    entity_id: int
    before: str | None
    after: str | None


class FirstResult(NamedTuple):
    """What a request answered the first time."""

    operation: str
    digest: str
    outcome: str
    revision: RevisionId


AUDIT_COLUMNS = (
    AuditEntry.id,
    AuditEntry.revision,
    AuditEntry.at_ms,
    AuditEntry.operation,
    AuditEntry.entity_kind,
    AuditEntry.entity_id,
    AuditEntry.actor_login_id,
    AuditEntry.actor_user_id,
    AuditEntry.before,
    AuditEntry.after,
    AuditEntry.reason,
)
"""The columns of an `AuditRow`."""

_ENTRIES = Statement(
    AuditEntry.select(*AUDIT_COLUMNS)
    .where((AuditEntry.entity_kind == Param("kind")) & is_in(AuditEntry.entity_id, "ids"))
    .order_by(AuditEntry.entity_id, AuditEntry.id),
    AuditRow,
)
_FIRST_RESULT = Statement(
    WriteRequest.select(WriteRequest.operation, WriteRequest.digest, WriteRequest.outcome, WriteRequest.revision).where(
        (WriteRequest.login == Param("login")) & (WriteRequest.request_id == Param("request_id"))
    ),
    FirstResult,
)
_COLUMNS = (
    "revision_id",
    "at_ms",
    "operation",
    "entity_kind",
    "entity_id",
    "actor_login_id",
    "actor_user_id",
    "before",
    "after",
    "reason",
)


def write_audit_entries(
    tx: Transaction,
    stamp: Stamp,
    operation: str,
    login: LoginId | None,
    notes: Sequence[AuditNote],
    reason: str | None,
) -> None:
    """One entry a note, all of one write."""
    rows = [
        (
            stamp.id,
            stamp.at_ms,
            operation,
            note.entity_kind,
            note.entity_id,
            login,
            stamp.actor_user_id,
            note.before,
            note.after,
            reason,
        )
        for note in notes
    ]
    tx.insert(AuditEntry, _COLUMNS, rows)


def read_audit_entries(tx: Transaction, kind: str, ids: Collection[int]) -> dict[int, tuple[AuditRow, ...]]:
    """What was done to these entities, oldest first; an entry for each asked. Cost: one SELECT."""
    found: dict[int, tuple[AuditRow, ...]] = dict.fromkeys(ids, ())
    for row in tx.fetch(_ENTRIES, kind=kind, ids=ids) if ids else ():
        found[row.entity_id] += (row,)
    return found


def write_first_result(tx: Transaction, login: LoginId, request_id: str, result: FirstResult) -> None:
    """Keep what a request answered, for when it is repeated."""
    columns = ("login_id", "request_id", "operation", "digest", "outcome", "revision_id")
    tx.insert(WriteRequest, columns, [(login, request_id, *result)])


def read_first_result(tx: Transaction, login: LoginId, request_id: str) -> FirstResult | None:
    """What this login's request answered the first time, if it was ever carried out. Cost: one SELECT."""
    found = tx.fetch(_FIRST_RESULT, login=login, request_id=request_id)
    return found[0] if found else None
