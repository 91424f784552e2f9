"""The worker beside the server and as a command of its own."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from adgraph.app import create_app
from adgraph.background.worker import BackgroundWorker, Worker
from adgraph.settings import Settings
from storage.database import Database
from storage.errors import StorageUnavailable
from storage.records.ids import Instant
from tests.api.conftest import Serve
from tests.api.stub import StubGraph
from tests.databases import SqliteDatabases
from tests.link_world import SENT_MS, a_link, build_link_world, trace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(empty_tables: str, tmp_path: Path) -> str:
    """A database with one link that is to become active, and nobody who has it open."""
    url = SqliteDatabases(tmp_path).copy_of(empty_tables)
    database = Database.open(url)
    build_link_world(database, links=[a_link(1, 1, 2)])
    database.close()
    return url


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold in time."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def status_of(url: str) -> str:
    """Where the link stands."""
    database = Database.open(url)
    try:
        return trace(database, 1).status
    finally:
        database.close()


def test_the_server_leads_links_on_by_itself_and_tells_it_in_the_log(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "adgraph.worker")
    with TestClient(create_app(Settings(database_url=url, worker_interval_ms=10), graph=StubGraph())) as client:
        assert within(5, lambda: status_of(url) == "ACTIVE")
        assert client.get("/readyz").json() == {"status": "ready"}
        assert within(5, lambda: "client link 1 is ACTIVE now (activateClientLink, revision 2)" in caplog.messages)


def test_a_server_whose_worker_is_off_leaves_that_to_others(url: str) -> None:
    with TestClient(create_app(Settings(database_url=url, worker=False), graph=StubGraph())) as client:
        assert client.app.state.background is None  # type: ignore[attr-defined]
        assert client.get("/readyz").json() == {"status": "ready"}
    assert status_of(url) == "LINK_IN_PROGRESS"


def test_a_server_whose_worker_has_ended_by_itself_is_not_ready(serve: Serve) -> None:
    client = serve()
    background: BackgroundWorker = client.app.state.background  # type: ignore[attr-defined]
    background.close()
    response = client.get("/readyz")
    [error] = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (503, "NOT_READY")
    assert "worker" in error["message"]


def test_stopping_the_server_ends_its_worker(serve: Serve, url: str) -> None:
    app = create_app(Settings(database_url=url, worker_interval_ms=3_600_000), graph=StubGraph())
    with TestClient(app):
        background: BackgroundWorker = app.state.background
        assert background.is_alive
    assert not background.is_alive


class _Broken:
    """A database that is away for a while."""

    def __init__(self, database: Database, problem: Exception) -> None:
        self._database = database
        self._problems = [problem]

    def __getattr__(self, name: str) -> object:
        if name == "read" and self._problems:
            raise self._problems.pop()
        return getattr(self._database, name)


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        pytest.param(StorageUnavailable("The database is away."), "The database is away.", id="foreseen"),
        pytest.param(ZeroDivisionError("what is this"), "nobody foresaw", id="unforeseen"),
    ],
)
def test_nothing_that_goes_wrong_ends_a_worker(
    url: str, problem: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database.open(url)
    worker = Worker(_Broken(database, problem), interval_ms=10, now=lambda: Instant(SENT_MS))  # type: ignore[arg-type]
    assert (worker.once(), worker.once(), worker.once()) == (0, 1, 0)
    assert any(said in message for message in caplog.messages)
    database.close()


def environment(url: str) -> dict[str, str]:
    return os.environ | {"ADGRAPH_DATABASE_URL": url, "ADGRAPH_WORKER_INTERVAL_MS": "50"}


def test_the_command_works_until_it_is_asked_to_stop_and_then_ends_well(url: str) -> None:
    command = [sys.executable, "-m", "adgraph", "worker"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(url), stderr=subprocess.PIPE, text=True) as process:
        try:
            assert within(60, lambda: status_of(url) == "ACTIVE")
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "client link 1 is ACTIVE now" in log


def test_the_command_does_what_is_due_once_and_counts_it(url: str) -> None:
    command = [sys.executable, "-m", "adgraph", "worker", "--once"]
    said = [
        subprocess.run(command, cwd=ROOT, env=environment(url), capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert said == ["1 steps done.\n", "0 steps done.\n"]
