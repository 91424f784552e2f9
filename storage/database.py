"""The database: opened by its address, read in one snapshot, written in one transaction.

SQLite keeps one connection per thread for as long as the thread lives; PostgreSQL lends one from a pool
for the length of a transaction. No other room opens connections, and nobody nests transactions.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar
from urllib.parse import unquote, urlsplit
from weakref import WeakSet

import peewee
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase

from storage.errors import BadDatabaseUrl, StorageBusy, StorageError, busy, from_postgresql, from_sqlite
from storage.statements import Kind, R, Statement, bound, compiled

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
STATEMENT_TIMEOUT_MS = 30_000
"""How long one statement may run on PostgreSQL before it is stopped."""
CONNECT_TIMEOUT_S = 10


def driver_error(error: peewee.PeeweeException) -> Exception:
    """What the driver raised, out of Peewee's wrapping, which knows less."""
    inner = error.__context__
    return inner if isinstance(inner, Exception) else error


_READ_ONLY_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class _SqliteConnection(sqlite3.Connection):
    """Closes itself with its thread: a thread-local connection has nobody else to close it."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it may not even have opened
            self.close()


class Transaction:
    """What may be asked of the database between begin and end. Belongs to one thread."""

    __slots__ = ("_connection", "_errors", "_kind", "database", "is_snapshot", "statements")

    def __init__(self, database: Database, connection: Any, *, writes: bool) -> None:
        self.database = database
        self.is_snapshot = not writes
        """Whether it sees one committed state of the database, the same from its first statement to its last."""
        self._kind = database.kind
        self._errors = database.driver_errors
        self._connection = connection
        self.statements = 0
        """How many SQL statements have run in here; BEGIN and COMMIT are not counted."""

    @property
    def kind(self) -> Kind:
        """Which database this is, for the rare statement that must be spelled per database."""
        return self._kind

    def fetch(self, statement: Statement[R], /, **params: Any) -> list[R]:
        """All rows of a statement, in the statement's order.

        Raises: StorageBusy when the database stays locked too long, StorageFailure when it cannot answer,
        TypeError when the names of `params` are not the statement's.
        """
        plan = statement.plans.get(self._kind) or statement.plan(self.database.engine, self._kind)
        arguments = plan.bind(params)
        self.statements += 1
        try:
            rows = self._connection.execute(plan.sql, arguments).fetchall()
        except self._errors as error:
            raise self.database.explain(error) from error
        return plan.shape(rows)

    def run(self, query: peewee.Node, /, **params: Any) -> Any:
        """Run a query that is built on the spot: writes and rare, dynamic reads. Returns the driver's cursor.

        `params` fill the query's `Param` and `is_in`: a long list is one value there, and thousands elsewhere.

        Raises: ConstraintBroken when the database refuses the change; StorageBusy and StorageFailure as `fetch`.
        """
        sql, values = compiled(self.database.engine, query)
        return self.execute(sql, bound(values, self._kind, params))

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Run SQL text with positional values, for what Peewee cannot say. Returns the driver's cursor."""
        self.statements += 1
        try:
            # psycopg reads "%" as a placeholder only when values are given.
            return self._connection.execute(sql, values) if values else self._connection.execute(sql)
        except self._errors as error:
            raise self.database.explain(error) from error

    def insert(self, table: type[peewee.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add many rows; `columns` are the names of the database's columns, in the order of each row's values.

        Cost: one prepared INSERT run per row on SQLite, one COPY on PostgreSQL; about a microsecond a value.
        Raises: ConstraintBroken when the database refuses a row.
        """
        name = table._meta.table_name
        listed = ", ".join(f'"{column}"' for column in columns)
        self.statements += 1
        try:
            if self._kind == "sqlite":
                places = ", ".join("?" * len(columns))
                statement = f'INSERT INTO "{name}" ({listed}) VALUES ({places})'  # noqa: S608 (names are the code's own)
                self._connection.executemany(statement, rows)
                return
            with self._connection.cursor() as cursor, cursor.copy(f'COPY "{name}" ({listed}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
        except self._errors as error:
            raise self.database.explain(error) from error

    def without_time_limit(self) -> None:
        """Let the statements of this transaction run as long as they need: migrations and bulk loads."""
        if self._kind == "postgresql":
            self.execute("SET LOCAL statement_timeout = 0")


D = TypeVar("D", bound="Database")


class _Scope(Generic[D]):
    """A transaction as a context manager; a class because a generator costs more than the transaction."""

    __slots__ = ("_connection", "_database", "_writes")

    def __init__(self, database: D, *, writes: bool) -> None:
        self._database = database
        self._writes = writes
        self._connection: Any = None

    def __enter__(self) -> Transaction:
        self._connection = self._database.begin(writes=self._writes)
        return Transaction(self._database, self._connection, writes=self._writes)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._database.end(self._connection, commit=self._writes and kind is None)


class Database:
    """One database, shared by all threads. Open it with `Database.open`."""

    kind: Kind
    engine: peewee.Database
    driver_errors: tuple[type[Exception], ...]

    @staticmethod
    def open(
        url: str,
        *,
        busy_timeout_ms: int = 5_000,
        pool_size: int = 8,
        statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
    ) -> Database:
        """The database at `sqlite:///path` or `postgresql://…`, reached once to see that it answers.

        `busy_timeout_ms`: how long to wait for a lock, and on PostgreSQL for a free connection of the pool.
        Raises: BadDatabaseUrl, StorageUnavailable.
        """
        scheme = urlsplit(url).scheme if "://" in url else ""
        database: Database
        if scheme == "sqlite":
            database = SqliteStore(_sqlite_path(url), busy_timeout_ms)
        elif scheme in ("postgresql", "postgres"):
            database = PostgresqlStore(url, busy_timeout_ms, pool_size, statement_timeout_ms)
        else:
            raise BadDatabaseUrl(
                "The address of the database must begin with sqlite:/// or postgresql://, for example "
                "sqlite:///adgraph.db or postgresql://user@host/name."
            )
        with database.read():
            return database

    def read(self) -> _Scope[Database]:
        """A transaction that sees one snapshot and changes nothing; always rolled back."""
        return _Scope(self, writes=False)

    def write(self) -> _Scope[Database]:
        """A transaction that commits when its block ends well and rolls back when it raises."""
        return _Scope(self, writes=True)

    def begin(self, *, writes: bool) -> Any:
        """Begin a transaction on this thread's connection and return the connection."""
        raise NotImplementedError

    def end(self, connection: Any, *, commit: bool) -> None:
        """End what `begin` began. A commit that fails is rolled back and raised."""
        raise NotImplementedError

    def explain(self, error: Exception) -> StorageError:
        """The storage error a driver error stands for."""
        raise NotImplementedError

    def close(self) -> None:
        """Give all connections back. Call it when no transaction runs any more."""
        raise NotImplementedError


def _sqlite_path(url: str) -> str:
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

    def begin(self, *, writes: bool) -> sqlite3.Connection:
        """Begin on the connection of this thread, connecting first where it has none."""
        try:
            connection: sqlite3.Connection = self._local.connection
        except AttributeError:
            connection = self._connect()
        if connection.in_transaction:
            raise RuntimeError("a transaction is open on this thread already; pass it on instead of beginning another")
        if writes and not self._writing.acquire(timeout=self._busy_timeout_ms / 1_000):
            raise busy()
        try:
            connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        except sqlite3.Error as error:
            if writes:
                self._writing.release()
            raise from_sqlite(error) from error
        self._local.writes = writes
        return connection

    def end(self, connection: sqlite3.Connection, *, commit: bool) -> None:
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

    def begin(self, *, writes: bool) -> Any:
        """Begin on a connection lent by the pool."""
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

    def end(self, connection: Any, *, commit: bool) -> None:
        """Commit or roll back, and give the connection back to the pool."""
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
