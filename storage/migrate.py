"""Migrations: bringing a database to the tables of this version, and refusing one that is not there.

The files in `migrations/` run in order, all in one transaction, under a lock that other processes wait for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peewee
from playhouse.migrations import Runner

from storage.database import Database, Transaction, driver_error
from storage.errors import NewerDatabase, OutdatedDatabase, StorageFailure

MIGRATIONS = Path(__file__).with_name("migrations")
HISTORY = "schema_migration"
"""The table of applied migrations, by name."""

_LOCK = 0x6164_6772_6170_6801
"""A number no other program should lock in the same PostgreSQL database ("adgraph", 1)."""
_LOCK_TIMEOUT_MS = 60_000

_HAS_HISTORY = {
    "sqlite": f"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{HISTORY}'",  # noqa: S608
    "postgresql": f"SELECT 1 WHERE to_regclass('{HISTORY}') IS NOT NULL",
}


def known_migrations() -> tuple[str, ...]:
    """The names of this version's migrations, oldest first."""
    return tuple(sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.py")))


def read_applied_migrations(transaction: Transaction) -> frozenset[str]:
    """The names of the migrations this database has been through; none for an empty one."""
    if not transaction.execute(_HAS_HISTORY[transaction.kind]).fetchall():
        return frozenset()
    return frozenset(name for (name,) in transaction.execute(f"SELECT name FROM {HISTORY}").fetchall())  # noqa: S608


def check_current(database: Database) -> None:
    """Return when the database has exactly this version's tables.

    Raises: NewerDatabase, OutdatedDatabase.
    """
    with database.read() as transaction:
        applied = read_applied_migrations(transaction)
    _refuse_newer(applied)
    missing = [name for name in known_migrations() if name not in applied]
    if not missing:
        return
    if not applied:
        raise OutdatedDatabase("The database has no tables yet. Run `adgraph migrate` to create them.")
    raise OutdatedDatabase(
        f"The database is older than this version of adgraph (it lacks {', '.join(missing)}). "
        "Make a backup, then run `adgraph migrate`."
    )


def migrate(database: Database) -> list[str]:
    """Apply what is missing and return the names applied, oldest first; an up-to-date database is left alone.

    All or nothing: when one migration fails, none is applied. Two processes at once are safe: the second
    waits, then finds nothing to do.
    Raises: NewerDatabase; StorageBusy when the lock is not free in time; StorageFailure.
    """
    with database.read() as transaction:  # also connects, so that a broken database is reported as elsewhere
        _refuse_newer(read_applied_migrations(transaction))
    engine: Any = database.engine
    try:
        with _sqlite_alone(engine) if database.kind == "sqlite" else _postgresql_alone(engine):
            runner = Runner(engine, str(MIGRATIONS), table_name=HISTORY)
            _refuse_newer(frozenset(runner.applied()))
            applied: list[str] = runner.up()
            return applied
    except peewee.PeeweeException as error:
        raise database.explain(driver_error(error)) from error


def _refuse_newer(applied: frozenset[str]) -> None:
    unknown = sorted(applied.difference(known_migrations()))
    if unknown:
        raise NewerDatabase(
            f"The database was migrated by a later version of adgraph (it has {', '.join(unknown)}, unknown here). "
            "Run that version or a later one, or restore a backup made before it."
        )


@contextmanager
def _sqlite_alone(engine: Any) -> Iterator[None]:
    # Rebuilding a table would set off its foreign keys; the switch only works outside a transaction, and while
    # it is off the migrator leaves it alone.
    engine.pragma("foreign_keys", 0)
    try:
        with engine.atomic("IMMEDIATE"):
            yield
            if engine.execute_sql("PRAGMA foreign_key_check").fetchone():
                raise StorageFailure("A migration would leave rows that name missing ones. Nothing was changed.")
    finally:
        engine.pragma("foreign_keys", 1)


@contextmanager
def _postgresql_alone(engine: Any) -> Iterator[None]:
    engine.connect()
    try:
        with engine.atomic():
            engine.execute_sql("SET LOCAL statement_timeout = 0")
            engine.execute_sql(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
            engine.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            yield
    finally:
        engine.close()
