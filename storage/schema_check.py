"""Do the migrations lead to the tables the models describe? The tests ask, and `python -m storage.schema_check`.

The models' tables are created beside the migrated ones and both are read back from the database's own
catalogue, so columns, types, keys, checks and partial indexes are compared as the database understood them.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import tempfile
from typing import Any

import peewee

from storage.database import Database
from storage.migrate import HISTORY, migrate
from storage.models import TABLES

_Catalogue = frozenset[tuple[str, ...]]
_BESIDE = "adgraph_models"
"""The schema that holds the models' tables for the length of the comparison."""

_SQLITE_CATALOGUE = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master WHERE tbl_name <> ?"
_POSTGRESQL_CATALOGUE = """
SELECT 'column', c.relname, a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind = 'r' AND c.relname <> %(history)s
UNION ALL
SELECT 'constraint', c.relname, k.contype::text, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relname <> %(history)s
UNION ALL
SELECT 'index', tablename, indexname, indexdef FROM pg_indexes
WHERE schemaname = %(schema)s AND tablename <> %(history)s
"""
_POSTGRESQL_FOREIGN_ORDER = """
SELECT c.relname, a.attname FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'r' AND c.relname <> %s
  AND a.atttypid = 'text'::regtype AND a.attcollation <> 'pg_catalog."C"'::regcollation
"""


def schema_differences(database: Database) -> list[str]:
    """What the migrated database has and the models lack, and the other way round; empty when they agree.

    On PostgreSQL also every text column that is not ordered by code point, as SQLite orders it.
    """
    migrated, described, astray = _of_sqlite(database) if database.kind == "sqlite" else _of_postgresql(database)
    return [
        *(f"only in the migrations: {' '.join(item)}" for item in sorted(migrated - described)),
        *(f"only in the models: {' '.join(item)}" for item in sorted(described - migrated)),
        *(f"ordered by language: {' '.join(item)}" for item in sorted(astray)),
    ]


def _create_described(engine: peewee.Database) -> None:
    for table in TABLES:
        peewee.SchemaManager(table, database=engine).create_all(safe=False)


def _of_sqlite(database: Database) -> tuple[_Catalogue, _Catalogue, _Catalogue]:
    with database.read() as transaction:
        migrated = transaction.execute(_SQLITE_CATALOGUE, (HISTORY,)).fetchall()
    engine = peewee.SqliteDatabase(":memory:")
    try:
        _create_described(engine)
        beside: Any = engine
        connection: sqlite3.Connection = beside.connection()
        described = connection.execute(_SQLITE_CATALOGUE, (HISTORY,)).fetchall()
    finally:
        engine.close()
    return frozenset(migrated), frozenset(described), frozenset()


def _of_postgresql(database: Database) -> tuple[_Catalogue, _Catalogue, _Catalogue]:
    engine: Any = database.engine
    engine.connect()
    try:
        with engine.atomic() as undo:
            schema = engine.execute_sql("SELECT current_schema()").fetchone()[0]
            migrated = _postgresql_catalogue(engine, schema)
            astray = engine.execute_sql(_POSTGRESQL_FOREIGN_ORDER, (schema, HISTORY)).fetchall()
            engine.execute_sql(f'CREATE SCHEMA "{_BESIDE}"')
            engine.execute_sql(f'SET LOCAL search_path = "{_BESIDE}"')
            _create_described(engine)
            described = _postgresql_catalogue(engine, _BESIDE)
            undo.rollback()
    finally:
        engine.close()
    return migrated, described, frozenset(astray)


def _postgresql_catalogue(engine: Any, schema: str) -> _Catalogue:
    rows = engine.execute_sql(_POSTGRESQL_CATALOGUE, {"schema": schema, "history": HISTORY}).fetchall()
    return frozenset(tuple(re.sub(rf'\b"?{re.escape(schema)}"?\.', "", part) for part in row) for row in rows)


def main() -> int:
    """Migrate a new SQLite database and print how it differs from the models. Returns 1 when it does."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(f"sqlite:///{folder}/check.db")
        try:
            migrate(database)
            differences = schema_differences(database)
        finally:
            database.close()
    for difference in differences:
        print(difference)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
