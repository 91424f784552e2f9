"""What reading changes in the order they were committed needs: the audit log by revision."""

from __future__ import annotations

from typing import Any

from peewee import BigAutoField, Database, ForeignKeyField, Model


class Table(Model):
    class Meta:
        legacy_table_names = False


class Revision(Table):
    id = BigAutoField()


class AuditEntry(Table):
    id = BigAutoField()
    revision = ForeignKeyField(Revision, index=False)


def up(migrator: Any, db: Database) -> None:
    db.bind((AuditEntry, Revision), bind_refs=False, bind_backrefs=False)
    db.execute(AuditEntry.index(AuditEntry.revision, AuditEntry.id))  # type: ignore[no-untyped-call]
