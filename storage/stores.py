"""SQLite and PostgreSQL: how each keeps its connections, begins, ends and interrupts.

SQLite keeps one connection per thread for as long as the thread lives; PostgreSQL lends one from a pool for the length
of a transaction.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from weakref import WeakSet

import peewee
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase

from storage.database import Database, driver_error
from storage.errors import BadDatabaseUrl, StorageBusy, StorageError, busy, from_postgresql, from_sqlite

SQLITE_PRAGMAS: dict[str, str | int] = {
    "journal_mode": "wal",
    "foreign_keys": 1,
    # In WAL mode NORMAL may forget the last commits when the power fails; what was acknowledged must stay.
    "synchronous": "full",
    "temp_store": "memory",
    "journal_size_limit": 67_108_864,  # a bulk load must not leave its log's size behind for good
    "cache_size": -16_384,  # 16 MiB per connection: the upper levels of every index stay in memory
}
SQLITE_CACHED_STATEMENTS = 512
"""Prepared statements kept per connection; all of the code's constants fit."""
OLDEST_SQLITE = (3, 35, 0)
"""The first version with RETURNING."""
CONNECT_TIMEOUT_S = 10
CANCEL_TIMEOUT_S = 2.0
"""How long asking PostgreSQL to cancel may take; then it is asked again."""
_READ_ONLY_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class _SqliteConnection(sqlite3.Connection):
    """Closes itself with its thread: a thread-local connection has nobody else to close it."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it may not even have opened
            self.close()


def sqlite_path(url: str) -> str:
    """The file of a `sqlite:///` address. Raises: BadDatabaseUrl."""
    rest = url.removeprefix("sqlite://")
    path = unquote(rest.removeprefix("/"))
    if not rest.startswith("/") or not path or ":memory:" in path or "?" in rest:
        # Every thread has its own connection, and a database in memory would be another one for each.
        raise BadDatabaseUrl(
            "The address of a SQLite database names a file: sqlite:///adgraph.db or sqlite:////var/x.db."
        )
    return path


class SqliteStore(Database):
    """SQLite: write-ahead log, one connection per thread, one writer at a time."""

    kind = "sqlite"
    # A number too large for 64 bits and a lone surrogate fail in the driver before SQLite sees them.
    driver_errors = (sqlite3.Error, OverflowError, UnicodeEncodeError)

    def __init__(self, path: str, busy_timeout_ms: int) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise StorageError(f"SQLite {sqlite3.sqlite_version} is too old: adgraph needs 3.35 or later.")
        self.path = Path(path)
        self._busy_timeout_ms = busy_timeout_ms
        self._local = threading.local()
        self._connections: WeakSet[_SqliteConnection] = WeakSet()
        self._lock = threading.Lock()
        # Writers of this process wait here. SQLite itself lets them sleep, up to a tenth of a second at a time,
        # while the database is free again; that is left to those of other processes.
        self._writing = threading.Lock()
        self.engine = peewee.SqliteDatabase(
            path,
            pragmas=SQLITE_PRAGMAS,
            timeout=busy_timeout_ms / 1_000,
            factory=_SqliteConnection,
            cached_statements=SQLITE_CACHED_STATEMENTS,
            check_same_thread=False,  # only so that close() may close the connections of other threads
        )

    def begin(self, *, writes: bool, wait_s: float | None = None) -> sqlite3.Connection:
        """Begin on the connection of this thread, connecting first where it has none."""
        try:
            connection: sqlite3.Connection = self._local.connection
        except AttributeError:
            connection = self._connect()
        if connection.in_transaction:
            raise RuntimeError("a transaction is open on this thread already; pass it on instead of beginning another")
        if writes:
            self._begin_to_write(connection, wait_s)
        else:
            self._execute(connection, "BEGIN")
        self._local.writes = writes
        return connection

    def _begin_to_write(self, connection: sqlite3.Connection, wait_s: float | None) -> None:
        longest_s = self._busy_timeout_ms / 1_000
        until = time.monotonic() + (longest_s if wait_s is None else max(0.0, min(longest_s, wait_s)))
        if not self._writing.acquire(timeout=max(0.0, until - time.monotonic())):
            raise busy()
        try:
            self._wait_at_most(connection, until - time.monotonic())
            self._execute(connection, "BEGIN IMMEDIATE")
        except BaseException:
            self._writing.release()
            raise

    @staticmethod
    def _execute(connection: sqlite3.Connection, sql: str) -> None:
        try:
            connection.execute(sql)
        except sqlite3.Error as error:
            raise from_sqlite(error) from error

    def _wait_at_most(self, connection: sqlite3.Connection, wait_s: float) -> None:
        # Waiting for the lock of another writer is the one thing `interrupt` does not end.
        wait_ms = max(0, int(wait_s * 1_000))
        if wait_ms != self._local.waits_ms:
            connection.execute(f"PRAGMA busy_timeout = {wait_ms}")
            self._local.waits_ms = wait_ms

    def found_since_change(self, connection: sqlite3.Connection) -> dict[Any, list[Any]]:
        """By SQLite's own counter of what other connections have committed, read in the snapshot itself."""
        [version] = connection.execute("PRAGMA data_version").fetchone()
        local = self._local
        if version != local.version:
            local.version, local.found = version, {}
        found: dict[Any, list[Any]] = local.found
        return found

    def interrupt(self, connection: sqlite3.Connection) -> None:
        """By the flag SQLite looks at between the steps of a statement."""
        connection.interrupt()

    def end(self, connection: sqlite3.Connection, *, commit: bool, was_interrupted: bool = False) -> None:
        """Commit or roll back; the connection stays with its thread."""
        try:
            if commit:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise from_sqlite(error) from error
        finally:
            try:
                # SQLite ends a transaction by itself on some errors (disk full); then there is none to roll back.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            finally:
                if self._local.writes:
                    self._local.version = None  # one's own commits are not counted
                    self._writing.release()

    def _connect(self) -> sqlite3.Connection:
        deadline = time.monotonic() + self._busy_timeout_ms / 1_000
        while True:
            try:
                self.engine.connect(reuse_if_open=True)
                break
            except peewee.PeeweeException as error:
                known = from_sqlite(driver_error(error))
                # Turning a new file to WAL takes a lock that SQLite does not wait for.
                if not isinstance(known, StorageBusy) or time.monotonic() > deadline:
                    raise known from error
                time.sleep(0.01)
        engine: Any = self.engine
        connection: _SqliteConnection = engine.connection()
        self._local.connection = connection
        self._local.waits_ms = self._busy_timeout_ms
        self._local.version = None
        with self._lock:
            self._connections.add(connection)
        return connection

    def explain(self, error: Exception) -> StorageError:
        """By SQLite's extended error codes."""
        return from_sqlite(error)

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for connection in tuple(self._connections):
                connection.close()
            self._connections.clear()
        self._local = threading.local()
        self.engine.dispose()


class PostgresqlStore(Database):
    """PostgreSQL through psycopg 3: a pool, one connection per running transaction."""

    kind = "postgresql"

    def __init__(self, url: str, busy_timeout_ms: int, pool_size: int, statement_timeout_ms: int) -> None:
        import psycopg  # loaded here, so that SQLite users need no PostgreSQL driver
        from psycopg.conninfo import conninfo_to_dict

        self._driver_error = psycopg.Error
        self.driver_errors = (psycopg.Error, UnicodeEncodeError)
        try:
            asked = conninfo_to_dict(url)
        except psycopg.Error as error:
            raise BadDatabaseUrl("The address of the database is not one PostgreSQL understands.") from error
        settings = (
            f"-c statement_timeout={statement_timeout_ms} -c lock_timeout={busy_timeout_ms} -c timezone=UTC"
            # Compiling a plan to machine code costs more than any of our statements.
            f" -c jit=off {asked.get('options') or ''}"
        )
        self._pool: Any = PooledPostgresqlDatabase(
            url.replace("postgres://", "postgresql://", 1),
            prefer_psycopg3=True,
            max_connections=pool_size,
            timeout=busy_timeout_ms / 1_000,
            options=settings.strip(),
            application_name=asked.get("application_name") or "adgraph",
            connect_timeout=asked.get("connect_timeout") or CONNECT_TIMEOUT_S,
        )
        self.engine = self._pool

    def begin(self, *, writes: bool, wait_s: float | None = None) -> Any:
        """Begin on a connection lent by the pool. Locks are waited for by statements, and those are interrupted."""
        if not self._pool.is_closed():
            raise RuntimeError("a transaction is open on this thread already; pass it on instead of beginning another")
        connection = self._connect()
        opening = "BEGIN" if writes else _READ_ONLY_SNAPSHOT
        try:
            connection.execute(opening)
        except self._driver_error:
            # A connection of the pool may have died with its server; a fresh one tells whether that is all.
            self._discard()
            connection = self._connect()
            try:
                connection.execute(opening)
            except self._driver_error as error:
                self._discard()
                raise from_postgresql(error) from error
        return connection

    def interrupt(self, connection: Any) -> None:
        """By a request to cancel, which goes over a connection of its own."""
        connection.cancel_safe(timeout=CANCEL_TIMEOUT_S)

    def end(self, connection: Any, *, commit: bool, was_interrupted: bool = False) -> None:
        """Commit or roll back, and give the connection back to the pool."""
        if was_interrupted:
            # The request to cancel may arrive late, and must not meet somebody else's statement.
            self._pool.manual_close()
            return
        try:
            connection.execute("COMMIT" if commit else "ROLLBACK")
        except self._driver_error as error:
            if commit:
                raise from_postgresql(error) from error
        finally:
            # The pool rolls back what is still open, and drops a connection that broke.
            self._pool.close()

    def _connect(self) -> Any:
        try:
            self._pool.connect()
        except MaxConnectionsExceeded as error:
            raise StorageBusy("All connections to the database are in use. Nothing was changed; try again.") from error
        except peewee.PeeweeException as error:
            raise from_postgresql(driver_error(error)) from error
        except self._driver_error as error:
            raise from_postgresql(error) from error
        return self._pool.connection()

    def _discard(self) -> None:
        self._pool.manual_close()
        self._pool.close_idle()

    def explain(self, error: Exception) -> StorageError:
        """By SQLSTATE."""
        return from_postgresql(error)

    def close(self) -> None:
        """Close every connection of the pool."""
        self._pool.close_all()
