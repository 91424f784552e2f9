"""Several processes behind one address: all serve, one that dies is replaced, all end together, numbers add up."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import httpx2
import pytest

from adgraph.background.worker import clock
from storage.database import Database
from storage.entries import LoginEntry
from storage.records.ids import LoginId
from storage.records.values import TokenScope
from storage.tokens import NewToken, issue_token
from storage.writes import begin_revision, write_logins
from tests.databases import SqliteDatabases

ROOT = Path(__file__).parents[2]
QUERY = {"query": "{ __typename }"}


class Server:
    """`adgraph serve --workers 2` on a database of its own."""

    def __init__(self, url: str, log: Path, workers: int = 2) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        environment = os.environ | {
            "ADGRAPH_DATABASE_URL": url,
            "ADGRAPH_METRICS": "on",
            "ADGRAPH_LOG_FORMAT": "json",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "adgraph", "serve", "--workers", str(workers), "--port", str(port)]
        self._log = log.open("wb")
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=self._log, stderr=self._log)

    @property
    def children(self) -> list[int]:
        """The processes that serve."""
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        names = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in map(int, pids)}
        return [pid for pid, name in names.items() if b"spawn_main" in name]

    def answers(self) -> bool:
        """Whether anybody is ready there."""
        try:
            return httpx2.get(f"{self.address}/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def close(self) -> int:
        """End it as a supervisor would; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self._log.close()
        return code


def token_in(url: str) -> str:
    """A token of a login that is made for it."""
    database = Database.open(url)
    now = clock()
    with database.write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=now)
        write_logins(transaction, stamp, [LoginEntry(LoginId(1), "ada@agency.example")])
        token = issue_token(transaction, NewToken(LoginId(1), "t", frozenset(TokenScope), now + 86_400_000), now)
    database.close()
    return token.token


@pytest.fixture
def server(empty_tables: str, tmp_path: Path) -> Iterator[Server]:
    """A server that is ready."""
    running = Server(SqliteDatabases(tmp_path).copy_of(empty_tables), tmp_path / "log")
    assert within(60, running.answers), (tmp_path / "log").read_text()
    yield running
    running.close()


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold in time."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_a_process_that_dies_is_replaced_and_nobody_notices_for_long(server: Server) -> None:
    assert within(30, lambda: len(server.children) == 2)
    first = server.children[0]
    os.kill(first, signal.SIGKILL)
    assert within(30, lambda: first not in server.children and len(server.children) == 2)
    assert within(30, server.answers)
    assert httpx2.post(f"{server.address}/graphql", json=QUERY).status_code == 200


def test_the_numbers_of_all_processes_are_added_up_whichever_is_asked(server: Server) -> None:
    assert within(30, lambda: len(server.children) == 2)
    for _ in range(40):
        # A new connection each time: whichever process takes it.
        assert httpx2.post(f"{server.address}/graphql", json=QUERY).status_code == 200

    def answered() -> int:
        text = httpx2.get(f"{server.address}/metrics").text
        found = re.search(r'adgraph_requests_total\{code="ok",kind="query",transport="http"\} (\S+)', text)
        return int(float(found[1])) if found else 0

    assert [answered() for _ in range(6)] == [40] * 6


def test_all_end_when_the_server_is_told_to_and_leave_nobody_behind(server: Server) -> None:
    assert within(30, lambda: len(server.children) == 2)
    children = server.children
    assert server.close() == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_a_server_told_to_end_finishes_what_runs_and_takes_nothing_new(empty_tables: str, tmp_path: Path) -> None:
    url = SqliteDatabases(tmp_path).copy_of(empty_tables)
    token = token_in(url)
    server = Server(url, tmp_path / "log", workers=1)
    assert within(60, server.answers), (tmp_path / "log").read_text()
    holding = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    answers: list[httpx2.Response] = []

    def write() -> None:
        mutation = (
            'mutation { issueAccessToken(input: {label: "late", scopes: [READ]}) { secret userErrors { code } } }'
        )
        headers = {"authorization": f"Bearer {token}"}
        answers.append(httpx2.post(f"{server.address}/graphql", json={"query": mutation}, headers=headers, timeout=30))

    holding.execute("BEGIN IMMEDIATE")
    thread = Thread(target=write)
    thread.start()
    time.sleep(1.0)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    holding.execute("ROLLBACK")
    holding.close()
    thread.join(30)
    # It ends as a process ends that was told to by SIGTERM, but not before it has answered.
    assert server.process.wait(30) == -signal.SIGTERM
    server.close()
    [answer] = answers
    assert answer.json()["data"]["issueAccessToken"]["userErrors"] == []
    assert answer.json()["data"]["issueAccessToken"]["secret"]
    assert not server.answers()
