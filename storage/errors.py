"""What can go wrong in storage, each with a sentence a stranger can act on.

A sentence never quotes SQL, values or passwords; the driver's own error hangs on `__cause__` for the log.
"""

from __future__ import annotations

import sqlite3
from typing import Literal


class StorageError(Exception):
    """Anything storage raises on purpose. `str(error)` is the sentence; it says what to do next."""


class BadDatabaseUrl(StorageError):
    """The address of the database cannot be understood."""


class NewerDatabase(StorageError):
    """The database was migrated by a later version of the code."""


class OutdatedDatabase(StorageError):
    """The database lacks migrations this code needs."""


class StorageBusy(StorageError):
    """Somebody else held the database too long; the same call may succeed a moment later."""


class StorageFailure(StorageError):
    """The database could not do what was asked, and trying again at once will not help."""


class OutOfTime(BaseException):
    """The time of the work is over, or nobody waits for it any more: it ends here, wherever it is.

    Not an Exception, so that nothing on the way takes it for the failure of one part and goes on.
    """

    def __init__(self) -> None:
        super().__init__("The work took longer than it may and was stopped. Nothing of it was kept.")


class StorageUnavailable(StorageFailure):
    """The database cannot be reached."""


Constraint = Literal["unique", "foreign key", "check", "not null"]


class ConstraintBroken(StorageFailure):
    """A write was refused by a rule the database itself holds; `constraint` says which kind."""

    def __init__(self, sentence: str, constraint: Constraint) -> None:
        super().__init__(sentence)
        self.constraint: Constraint = constraint


_BROKEN: dict[Constraint, str] = {
    "unique": "The change was refused: a row with the same key exists already. Read it and decide anew.",
    "foreign key": "The change was refused: it names something that does not exist. Check the ids and send it again.",
    "check": "The change was refused: a value lies outside what the database allows. Correct it and send it again.",
    "not null": "The change was refused: a value that is required is missing. Supply it and send it again.",
}

_BUSY = "The database was busy for too long. Nothing was changed; try again."
_FULL = "The disk that holds the database is full. Nothing was changed; free some space and try again."
_READ_ONLY = "The database may not be written. Check the owner and the permissions of its file and folder."
_UNREADABLE = "The database file is damaged or is not a database. Restore it from a backup."
_UNOPENED = "The database file could not be opened. Check that its folder exists and may be read and written."
_IO = "Reading or writing the database file failed. Check the disk, then try again."
_SCHEMA = "The tables are not the ones this version expects. Run `adgraph migrate`, then try again."
_FAILED = "The database could not carry out what was asked. The log has the details."
_UNREACHABLE = "The database server cannot be reached. Check that it runs, and that host, user and name are right."
_TOO_SLOW = "The database took too long and was stopped. Ask for less, or try again when it is less busy."

_SQLITE_FAILURES: dict[int, str] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _UNREADABLE,
    sqlite3.SQLITE_NOTADB: _UNREADABLE,
    sqlite3.SQLITE_IOERR: _IO,
}
_SQLITE_CONSTRAINTS: dict[int, Constraint] = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: "unique",
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: "unique",
    sqlite3.SQLITE_CONSTRAINT_ROWID: "unique",
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "foreign key",
    sqlite3.SQLITE_CONSTRAINT_CHECK: "check",
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: "not null",
}

_POSTGRESQL_CONSTRAINTS: dict[str, Constraint] = {
    "23505": "unique",
    "23503": "foreign key",
    "23514": "check",
    "23502": "not null",
}
_POSTGRESQL_BUSY = frozenset({"40001", "40P01", "55P03", "53300"})
"""Serialization failure, deadlock, lock timeout, too many connections."""


def broken_constraint(constraint: Constraint) -> ConstraintBroken:
    """The refusal for one kind of constraint."""
    return ConstraintBroken(_BROKEN[constraint], constraint)


def busy() -> StorageBusy:
    """The refusal after waiting too long for others who write."""
    return StorageBusy(_BUSY)


def from_sqlite(error: Exception) -> StorageError:
    """What a driver error of SQLite means to the caller.

    SQLite's extended codes carry the general one in their low byte.
    """
    extended = getattr(error, "sqlite_errorcode", None)
    if extended is None:
        return StorageFailure(_FAILED)
    if extended in _SQLITE_CONSTRAINTS:
        return broken_constraint(_SQLITE_CONSTRAINTS[extended])
    code = extended & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return busy()
    if code == sqlite3.SQLITE_CANTOPEN:
        return StorageUnavailable(_UNOPENED)
    if code == sqlite3.SQLITE_ERROR and "no such" in str(error):
        return StorageFailure(_SCHEMA)
    return StorageFailure(_SQLITE_FAILURES.get(code, _FAILED))


def from_postgresql(error: Exception) -> StorageError:
    """What a driver error of PostgreSQL means to the caller, by its SQLSTATE; none means no server."""
    state: str | None = getattr(error, "sqlstate", None)
    if state is None and type(error).__name__ not in ("OperationalError", "InterfaceError"):
        return StorageFailure(_FAILED)
    if state is None or (state[:2] in ("08", "57") and state != "57014"):
        return StorageUnavailable(_UNREACHABLE)
    if state in _POSTGRESQL_CONSTRAINTS:
        return broken_constraint(_POSTGRESQL_CONSTRAINTS[state])
    if state in _POSTGRESQL_BUSY:
        return busy()
    if state == "57014":
        return StorageBusy(_TOO_SLOW)
    if state in ("53100", "53200"):
        return StorageFailure(_FULL)
    if state in ("42P01", "42703"):
        return StorageFailure(_SCHEMA)
    return StorageFailure(_FAILED)
