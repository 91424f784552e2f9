"""What an access token may be used for, which token issued it, and developer tokens.

Tokens issued before had no scopes and could read and write: that is what they keep.
"""

from __future__ import annotations

from typing import Any

from peewee import (
    SQL,
    BigAutoField,
    BigIntegerField,
    BlobField,
    Check,
    Database,
    ForeignKeyField,
    Model,
    PostgresqlDatabase,
    TextField,
)


class Table(Model):
    class Meta:
        legacy_table_names = False


class Login(Table):
    id = BigAutoField()


_SCOPES = "scopes IN ('READ', 'WRITE', 'ADMIN', 'READ WRITE', 'READ ADMIN', 'WRITE ADMIN', 'READ WRITE ADMIN')"


class AccessToken(Table):
    id = BigAutoField()
    digest = BlobField(unique=True)
    login = ForeignKeyField(Login)
    label = TextField()
    scopes = TextField(constraints=[Check(_SCOPES)])
    issued_by = ForeignKeyField("self", null=True, index=False)
    created_at_ms = BigIntegerField()
    expires_at_ms = BigIntegerField()
    revoked_at_ms = BigIntegerField(null=True)
    last_used_at_ms = BigIntegerField(null=True)


_ISSUED = {"where": SQL("issued_by_id IS NOT NULL"), "name": "access_token_issued_by"}
AccessToken.add_index(AccessToken.issued_by, **_ISSUED)


class DeveloperToken(Table):
    id = BigAutoField()
    label = TextField()
    login = ForeignKeyField(Login, null=True)
    created_at_ms = BigIntegerField()
    revoked_at_ms = BigIntegerField(null=True)
    last_used_at_ms = BigIntegerField(null=True)


class DeveloperTokenSecret(Table):
    digest = BlobField(primary_key=True)
    developer_token = ForeignKeyField(DeveloperToken)
    created_at_ms = BigIntegerField()
    expires_at_ms = BigIntegerField()


NEW = (DeveloperToken, DeveloperTokenSecret)
_KEPT = "id, digest, login_id, label, created_at_ms, expires_at_ms, revoked_at_ms, last_used_at_ms"


def up(migrator: Any, db: Database) -> None:
    tables = (AccessToken, *NEW)
    if isinstance(db, PostgresqlDatabase):
        for table in tables:
            for field in table._meta.sorted_fields:
                if isinstance(field, TextField):
                    field.collation = '"C"'
    db.bind((*tables, Login), bind_refs=False, bind_backrefs=False)
    run: Any = db.execute_sql
    if isinstance(db, PostgresqlDatabase):
        run(f'ALTER TABLE access_token ADD COLUMN scopes text COLLATE "C" CHECK ({_SCOPES})')
        run("ALTER TABLE access_token ADD COLUMN issued_by_id bigint REFERENCES access_token (id)")
        run("UPDATE access_token SET scopes = 'READ WRITE'")
        run("ALTER TABLE access_token ALTER COLUMN scopes SET NOT NULL")
        db.execute(AccessToken.index(AccessToken.issued_by, **_ISSUED))  # type: ignore[no-untyped-call]
    else:
        # SQLite takes a new column that must not be null only with a default, and no token has scopes by default.
        run("ALTER TABLE access_token RENAME TO access_token_before")
        run("DROP INDEX access_token_digest")
        run("DROP INDEX access_token_login_id")
        db.create_tables([AccessToken], safe=False)
        run(
            f"INSERT INTO access_token ({_KEPT}, scopes) SELECT {_KEPT}, 'READ WRITE' FROM access_token_before"  # noqa: S608
        )
        run("DROP TABLE access_token_before")
    db.create_tables(NEW, safe=False)
