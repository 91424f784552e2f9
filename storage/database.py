"""The database: opened by its address, read in one snapshot, written in one transaction.

No other room opens connections, and nobody nests transactions. How each kind of database keeps its connections is
`stores`' business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import urlsplit

import peewee

from storage.deadlines import Deadline, Watch, current_deadline, watched
from storage.errors import BadDatabaseUrl, OutOfTime, StorageBusy, StorageError
from storage.statements import Kind, R, Statement, bound, compiled

STATEMENT_TIMEOUT_MS = 30_000
"""How long one statement may run on PostgreSQL before it is stopped."""
ROWS_AT_ONCE = 500
"""How many rows are fetched and shaped before the deadline is checked again: a millisecond or two. Whoever began to
work beside a thread that fetches would get in its way at each row."""

MOST_RECALLED = 1_000
"""How many answers a connection keeps for `Transaction.recall`: a request has two, and callers are few beside that."""


def driver_error(error: peewee.PeeweeException) -> Exception:
    """What the driver raised, out of Peewee's wrapping, which knows less."""
    inner = error.__context__
    return inner if isinstance(inner, Exception) else error


Listener: TypeAlias = Callable[[str, int, int, int | None], None]
"""Takes a statement's text (placeholders, no values), when it began and ended in nanoseconds since 1970, and how many
rows it gave where that is known."""


class Transaction:
    """What may be asked of the database between begin and end. Belongs to one thread.

    Under a deadline every call raises OutOfTime once that is over, also in the middle of a statement.
    """

    __slots__ = (
        "_connection",
        "_errors",
        "_found",
        "_kind",
        "database",
        "deadline",
        "is_snapshot",
        "rows",
        "statements",
    )

    def __init__(self, database: Database, connection: Any, deadline: Deadline | None = None, *, writes: bool) -> None:
        self.database = database
        self.is_snapshot = not writes
        """Whether it sees one committed state of the database, the same from its first statement to its last."""
        self.deadline = deadline
        """When the work has to be over; None when it may take as long as it needs."""
        self._kind = database.kind
        self._errors = database.driver_errors
        self._connection = connection
        self._found: dict[Any, list[Any]] | None = None
        self.statements = 0
        """How many SQL statements have run in here; BEGIN and COMMIT are not counted."""
        self.rows = 0
        """How many rows `fetch` has read in here."""

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
        self._begin_statement()
        listener = self.database.listener
        began = time.time_ns() if listener else 0
        try:
            rows = self._fetched(self._connection.execute(plan.sql, arguments), plan.shape)
        except self._errors as error:
            raise self._explained(error) from error
        self.rows += len(rows)
        if listener:
            listener(plan.sql, began, time.time_ns(), len(rows))
        return rows

    def _fetched(self, cursor: Any, shape: Callable[[list[Any]], list[R]]) -> list[R]:
        rows = cursor.fetchmany(ROWS_AT_ONCE)
        shaped = shape(rows)
        try:
            while len(rows) == ROWS_AT_ONCE:
                if self.deadline is not None:
                    self.deadline.check()
                rows = cursor.fetchmany(ROWS_AT_ONCE)
                shaped += shape(rows)
        except BaseException:
            cursor.close()  # a statement of SQLite that is left halfway keeps its snapshot past the rollback
            raise
        return shaped

    def recall(self, statement: Statement[R], /, **params: Any) -> list[R]:
        """As `fetch`, but in snapshots the same question is not asked again while nobody has committed anything,
        where that is known. For what every request asks, and has few rows. Raises: as `fetch`.
        """
        if not self.is_snapshot:
            return self.fetch(statement, **params)
        found = self._found
        if found is None:
            found = self._found = self._unchanged()
        key = (statement, *params.values())
        rows = found.get(key)
        if rows is None:
            if len(found) >= MOST_RECALLED:
                found.clear()
            rows = found[key] = self.fetch(statement, **params)
        else:
            self.rows += len(rows)  # a request costs the same whoever asked before
        return rows

    def _unchanged(self) -> dict[Any, list[Any]]:
        if self.deadline is not None:
            self.deadline.check()
        try:
            return self.database.found_since_change(self._connection)
        except self._errors as error:
            raise self._explained(error) from error

    def run(self, query: peewee.Node, /, **params: Any) -> Any:
        """Run a query that is built on the spot: writes and rare, dynamic reads. Returns the driver's cursor.

        `params` fill the query's `Param` and `is_in`: a long list is one value there, and thousands elsewhere.

        Raises: ConstraintBroken when the database refuses the change; StorageBusy and StorageFailure as `fetch`.
        """
        sql, values = compiled(self.database.engine, query)
        return self.execute(sql, bound(values, self._kind, params))

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Run SQL text with positional values, for what Peewee cannot say. Returns the driver's cursor."""
        self._begin_statement()
        listener = self.database.listener
        began = time.time_ns() if listener else 0
        try:
            # psycopg reads "%" as a placeholder only when values are given.
            cursor = self._connection.execute(sql, values) if values else self._connection.execute(sql)
        except self._errors as error:
            raise self._explained(error) from error
        if listener:
            listener(sql, began, time.time_ns(), None)
        return cursor

    def insert(self, table: type[peewee.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add many rows; `columns` are the names of the database's columns, in the order of each row's values.

        Cost: one prepared INSERT run per row on SQLite, one COPY on PostgreSQL; about a microsecond a value.
        Raises: ConstraintBroken when the database refuses a row.
        """
        name = table._meta.table_name
        listed = ", ".join(f'"{column}"' for column in columns)
        self._begin_statement()
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
            raise self._explained(error) from error

    def _begin_statement(self) -> None:
        if self.deadline is not None:
            self.deadline.check()
        self.statements += 1

    def _explained(self, error: Exception) -> BaseException:
        """What a driver error means: past the deadline, whatever went wrong is that it was interrupted."""
        if self.deadline is not None and self.deadline.is_over:
            return OutOfTime()
        return self.database.explain(error)

    def without_time_limit(self) -> None:
        """Let the statements of this transaction run as long as they need: migrations and bulk loads."""
        if self._kind == "postgresql":
            self.execute("SET LOCAL statement_timeout = 0")


D = TypeVar("D", bound="Database")


class _Scope(Generic[D]):
    """A transaction as a context manager; a class because a generator costs more than the transaction."""

    __slots__ = ("_connection", "_database", "_deadline", "_watch", "_writes")

    def __init__(self, database: D, *, writes: bool) -> None:
        self._database = database
        self._writes = writes
        self._connection: Any = None
        self._deadline = current_deadline()
        self._watch: Watch | None = None

    def __enter__(self) -> Transaction:
        deadline = self._deadline
        if deadline is None:
            self._connection = self._database.begin(writes=self._writes)
        else:
            self._connection = self._begun_before(deadline)
            self._watch = watched(deadline, partial(self._database.interrupt, self._connection))
        return Transaction(self._database, self._connection, deadline, writes=self._writes)

    def _begun_before(self, deadline: Deadline) -> Any:
        deadline.check()
        try:
            return self._database.begin(writes=self._writes, wait_s=deadline.seconds_left)
        except StorageBusy:
            deadline.check()
            raise

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        watch = self._watch
        if watch is None:
            self._database.end(self._connection, commit=self._writes and kind is None)
            return
        # A commit is never interrupted: it is not begun past the deadline, and is short.
        watch.end()
        in_time = not watch.deadline.is_over
        commit = self._writes and kind is None
        self._database.end(self._connection, commit=commit and in_time, was_interrupted=watch.fired)
        if commit and not in_time:
            raise OutOfTime


class Database:
    """One database, shared by all threads. Open it with `Database.open`."""

    kind: Kind
    engine: peewee.Database
    driver_errors: tuple[type[Exception], ...]
    listener: Listener | None = None
    """Told of each statement that ran, on the thread that ran it; None costs nothing."""

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
        from storage.stores import PostgresqlStore, SqliteStore, sqlite_path  # they are databases themselves

        scheme = urlsplit(url).scheme if "://" in url else ""
        database: Database
        if scheme == "sqlite":
            database = SqliteStore(sqlite_path(url), busy_timeout_ms)
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
        """A transaction that sees one snapshot and changes nothing; always rolled back. Raises: OutOfTime."""
        return _Scope(self, writes=False)

    def write(self) -> _Scope[Database]:
        """A transaction that commits when its block ends well and rolls back when it raises.

        Past the deadline it is rolled back, too. Raises: OutOfTime.
        """
        return _Scope(self, writes=True)

    def begin(self, *, writes: bool, wait_s: float | None = None) -> Any:
        """Begin a transaction on this thread's connection and return the connection.

        `wait_s`: do not wait longer than that for a lock; None waits as long as the database was opened for.
        """
        raise NotImplementedError

    def end(self, connection: Any, *, commit: bool, was_interrupted: bool = False) -> None:
        """End what `begin` began. A commit that fails is rolled back and raised."""
        raise NotImplementedError

    def found_since_change(self, connection: Any) -> dict[Any, list[Any]]:
        """What snapshots on this connection have found since somebody committed last, to be added to; empty where
        nobody can tell. Call it in a snapshot.
        """
        return {}

    def interrupt(self, connection: Any) -> None:
        """Stop the statement that runs on a connection, if one does; it fails there. For other threads to call."""
        raise NotImplementedError

    def explain(self, error: Exception) -> StorageError:
        """The storage error a driver error stands for."""
        raise NotImplementedError

    def close(self) -> None:
        """Give all connections back. Call it when no transaction runs any more."""
        raise NotImplementedError
