"""Fixtures every folder of tests may use: the two databases."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Database
from tests.databases import (
    MEMORY,
    Databases,
    PostgresqlDatabases,
    SqliteDatabases,
    has_memory_for_files,
    migrated,
    running_postgresql,
)

BOTH = [pytest.param("sqlite", id="sqlite"), pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(scope="session", params=BOTH)
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Where databases of this kind come from; what uses it runs once on each kind."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    if request.param == "sqlite":
        yield SqliteDatabases(tmp_path_factory.mktemp("sqlite"))
        return
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    in_memory = has_memory_for_files()
    folder = MEMORY if in_memory else Path(tempfile.gettempdir())
    with running_postgresql(folder / f"adgraph-{run}") as address_of:
        server = PostgresqlDatabases(address_of, worker, in_memory=in_memory)
        yield server
        server.close()


@pytest.fixture(scope="session")
def migrated_url(databases: Databases) -> str:
    """The address of a migrated database without rows. A template: never open it."""
    return migrated(databases)


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    """The address of a new database without any table."""
    url = databases.empty()
    yield url
    databases.drop(url)


@pytest.fixture
def database_url(databases: Databases, migrated_url: str) -> Iterator[str]:
    """The address of a new, migrated database without rows."""
    url = databases.copy_of(migrated_url)
    yield url
    databases.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A new, migrated database without rows, of this test alone."""
    database = Database.open(database_url)
    yield database
    database.close()
