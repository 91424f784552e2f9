"""A mail may be about a client link, and is found by it."""

from __future__ import annotations

from typing import Any

from peewee import (
    SQL,
    BigAutoField,
    BigIntegerField,
    Check,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    PostgresqlDatabase,
    TextField,
)

WAITING = SQL("status = 'WAITING'")
KEPT = (
    "id, kind, message_key, recipient, data, user_invitation_id, status, created_at_ms, due_at_ms, useful_until_ms,"
    " attempts, settled_at_ms, last_error"
)


class Table(Model):
    class Meta:
        legacy_table_names = False


class UserInvitation(Table):
    id = BigAutoField()


class ClientLink(Table):
    id = BigAutoField()


class OutboxMessage(Table):
    id = BigAutoField()
    kind = TextField()
    message_key = TextField(unique=True)
    recipient = TextField()
    data = TextField(null=True)
    user_invitation = ForeignKeyField(UserInvitation, null=True)
    client_link = ForeignKeyField(ClientLink, null=True)
    status = TextField(constraints=[Check("status IN ('WAITING', 'SENT', 'REFUSED', 'DROPPED')")])
    created_at_ms = BigIntegerField()
    due_at_ms = BigIntegerField()
    useful_until_ms = BigIntegerField(null=True)
    attempts = IntegerField()
    settled_at_ms = BigIntegerField(null=True)
    last_error = TextField(null=True)

    class Meta:
        constraints = (Check("(status = 'WAITING') = (data IS NOT NULL)"),)


OutboxMessage.add_index(OutboxMessage.due_at_ms, OutboxMessage.id, where=WAITING, name="outbox_message_waiting")


def up(migrator: Any, db: Database) -> None:
    if isinstance(db, PostgresqlDatabase):
        link = ForeignKeyField(ClientLink, ClientLink.id, null=True)
        migrator.migrate(migrator.add_column("outbox_message", "client_link_id", link))
        return
    # SQLite would add the column behind the table's checks, so the table is made anew.
    db.bind((UserInvitation, ClientLink, OutboxMessage), bind_refs=False, bind_backrefs=False)
    run: Any = db.execute_sql
    run("ALTER TABLE outbox_message RENAME TO outbox_message_before")
    indexes = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'outbox_message_before' AND sql <> ''"
    for (name,) in run(indexes).fetchall():
        run(f'DROP INDEX "{name}"')
    db.create_tables([OutboxMessage], safe=False)
    run(f"INSERT INTO outbox_message ({KEPT}) SELECT {KEPT} FROM outbox_message_before")  # noqa: S608 (names are ours)
    run("DROP TABLE outbox_message_before")
