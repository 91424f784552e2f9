"""What writing needs: the audit log, first results of repeatable requests, mail to be sent, payers, indexes."""

from __future__ import annotations

from typing import Any

from peewee import (
    SQL,
    BigAutoField,
    BigIntegerField,
    BooleanField,
    Check,
    CompositeKey,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    PostgresqlDatabase,
    TextField,
)


class Table(Model):
    class Meta:
        legacy_table_names = False


class Revision(Table):
    id = BigAutoField()


class Login(Table):
    id = BigAutoField()


class AuditEntry(Table):
    id = BigAutoField()
    revision = ForeignKeyField(Revision, index=False)
    at_ms = BigIntegerField()
    operation = TextField()
    entity_kind = TextField()
    entity_id = BigIntegerField()
    actor_login_id = BigIntegerField(null=True)
    actor_user_id = BigIntegerField(null=True)
    before = TextField(null=True)
    after = TextField(null=True)
    reason = TextField(null=True)

    class Meta:
        indexes = ((("entity_kind", "entity_id", "id"), False),)


class WriteRequest(Table):
    login = ForeignKeyField(Login, index=False)
    request_id = TextField()
    operation = TextField()
    digest = TextField()
    outcome = TextField()
    revision = ForeignKeyField(Revision, index=False)

    class Meta:
        primary_key = CompositeKey("login", "request_id")


class ManagerAccount(Table):
    id = BigAutoField()


_INSTRUMENTS = (
    "'CREDIT_CARD', 'INVOICE', 'CHECK', 'ELECTRONIC_FUNDS_TRANSFER', 'PAY_PAL', 'ELV', 'OFFLINE_PAYMENT_METHOD',"
    " 'VBA', 'BOLETO'"
)


class PaymentInstrument(Table):
    id = BigAutoField()
    manager_account = ForeignKeyField(ManagerAccount, index=False)
    type = TextField(constraints=[Check(f"type IN ({_INSTRUMENTS})")])
    is_valid = BooleanField()

    class Meta:
        indexes = ((("manager_account", "id"), False),)


class UserInvitation(Table):
    id = BigAutoField()
    status = TextField()
    expires_at_ms = BigIntegerField()


class OutboxMessage(Table):
    id = BigAutoField()
    kind = TextField()
    message_key = TextField(unique=True)
    recipient = TextField()
    data = TextField(null=True)
    user_invitation = ForeignKeyField(UserInvitation, null=True)
    status = TextField(constraints=[Check("status IN ('WAITING', 'SENT', 'REFUSED', 'DROPPED')")])
    created_at_ms = BigIntegerField()
    due_at_ms = BigIntegerField()
    useful_until_ms = BigIntegerField(null=True)
    attempts = IntegerField()
    settled_at_ms = BigIntegerField(null=True)
    last_error = TextField(null=True)

    class Meta:
        constraints = (Check("(status = 'WAITING') = (data IS NOT NULL)"),)


OutboxMessage.add_index(
    OutboxMessage.due_at_ms, OutboxMessage.id, where=SQL("status = 'WAITING'"), name="outbox_message_waiting"
)


class ClientLink(Table):
    id = BigAutoField()
    status = TextField()
    start_at_ms = BigIntegerField()


NEW = (AuditEntry, WriteRequest, PaymentInstrument, OutboxMessage)


def up(migrator: Any, db: Database) -> None:
    if isinstance(db, PostgresqlDatabase):
        for table in NEW:
            for field in table._meta.sorted_fields:
                if isinstance(field, TextField):
                    field.collation = '"C"'
    db.bind((*NEW, Revision, Login, ManagerAccount, ClientLink, UserInvitation), bind_refs=False, bind_backrefs=False)
    db.create_tables(NEW, safe=False)
    waiting = SQL("status IN ('LINK_PENDING', 'LINK_IN_PROGRESS', 'UNLINK_PENDING', 'UNLINK_IN_PROGRESS')")
    index = ClientLink.index(ClientLink.status, ClientLink.id, where=waiting, name="client_link_waiting")
    db.execute(index)  # type: ignore[no-untyped-call]
    pending = SQL("status = 'PENDING'")
    columns = (UserInvitation.expires_at_ms, UserInvitation.id)
    db.execute(UserInvitation.index(*columns, where=pending, name="user_invitation_waiting"))  # type: ignore[no-untyped-call]
