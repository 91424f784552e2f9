"""Reads what was written, in the order it was committed: the audit log by revision.

Ids of revisions grow in the order of commits (`storage.writes.begin_revision`), so whoever has seen all up to
one of them misses nothing by asking for what comes after it.
"""

from __future__ import annotations

from typing import NamedTuple

from storage.audit import AUDIT_COLUMNS, AuditRow
from storage.database import Transaction
from storage.models import AuditEntry
from storage.records.ids import RevisionId
from storage.statements import Param, Statement


class TouchedRow(NamedTuple):
    """One thing one revision wrote about."""

    revision: RevisionId
    entity_kind: str
    entity_id: int


_TOUCHED = Statement(
    AuditEntry.select(AuditEntry.revision, AuditEntry.entity_kind, AuditEntry.entity_id)
    .where(AuditEntry.revision > Param("after"))
    .order_by(AuditEntry.revision, AuditEntry.id)
    .limit(Param("limit")),
    TouchedRow,
)
_OF_REVISION = Statement(
    AuditEntry.select(*AUDIT_COLUMNS).where(AuditEntry.revision == Param("revision")).order_by(AuditEntry.id),
    AuditRow,
)


def read_touched(tx: Transaction, after: RevisionId, limit: int) -> list[TouchedRow]:
    """What the revisions after one wrote about, oldest first, at most `limit` rows; the last revision may be cut.

    Revisions without an audit entry are not there. Cost: one SELECT by index, `limit` rows.
    """
    return tx.fetch(_TOUCHED, after=after, limit=limit)


def read_entries_of(tx: Transaction, revision: RevisionId) -> list[AuditRow]:
    """The audit entries of one revision, as they were written. Cost: one SELECT by index."""
    return tx.fetch(_OF_REVISION, revision=revision)
