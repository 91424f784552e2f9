"""A server in process, on a small database of its own, with a stub for the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from adgraph.app import DemoSession, create_app
from adgraph.identity.auth import Door
from adgraph.settings import Settings
from tests.api.demo_server import DemoServer, started
from tests.api.stub import StubGraph
from tests.databases import SqliteDatabases, migrated

Serve: TypeAlias = Callable[..., TestClient]


@pytest.fixture(scope="session")
def empty_tables(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated SQLite database without rows; HTTP is the same on every database."""
    return migrated(SqliteDatabases(tmp_path_factory.mktemp("api")))


@pytest.fixture
def graph() -> StubGraph:
    """The stub behind the server."""
    return StubGraph()


@pytest.fixture
def serve(empty_tables: str, graph: StubGraph, tmp_path: Path) -> Iterator[Serve]:
    """Starts servers with the settings named."""
    url = SqliteDatabases(tmp_path).copy_of(empty_tables)
    with ExitStack() as stack:

        def start(
            *,
            demo: DemoSession | None = None,
            demo_mode: bool = False,
            queries: Path | None = None,
            door: Door | None = None,
            **settings: Any,
        ) -> TestClient:
            chosen = Settings(database_url=url, demo=demo_mode, **settings)
            app = create_app(chosen, demo=demo, graph=graph, queries=queries or tmp_path / "none", door=door)
            return stack.enter_context(TestClient(app, headers={"accept-encoding": "identity"}))

        yield start


@pytest.fixture
def client(serve: Serve) -> TestClient:
    """A server with the default settings."""
    return serve()


@pytest.fixture
def demo_server(database_url: str) -> Iterator[DemoServer]:
    """Starts servers of the demo company, once on each kind of database; `wrap` puts something around the app."""
    with ExitStack() as stack:

        def start(*, wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app, **settings: Any) -> TestClient:
            return started(stack, database_url, wrap, **settings)

        yield start
