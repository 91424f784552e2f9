"""Subscriptions against a real server: other processes write, clients are slow or leave, the server stops or dies."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread

import httpx2
import pytest

from resolvers.changes import cursor_of
from storage.audit import AuditNote, write_audit_entries
from storage.database import Database
from storage.demo import WORKED_USER_NAME, load_demo
from storage.reads.facts import read_revision
from storage.reads.logins import read_login
from storage.records.ids import RevisionId
from storage.records.values import TokenScope
from storage.tokens import NewToken, issue_token
from storage.writes import begin_revision
from tests.api.live import LiveServer, LiveSocket
from tests.databases import Databases

BEGINNING = cursor_of(RevisionId(0))
CHANGES = "subscription ($after: String, $first: Int) { changes(after: $after, first: $first) { revision cursor } }"
WIDE = """subscription ($after: String, $first: Int) { changes(after: $after, first: $first) {
  revision changed { node { __typename id ... on AdAccount { name accountId auditLog { nodes { after } } } } } } }"""
WRITERS, WRITES = 3, 40


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def url(databases: Databases, migrated_url: str) -> Iterator[str]:
    """The demo company, for all tests here: what they write adds to what was written."""
    url = databases.copy_of(migrated_url)
    database = Database.open(url)
    load_demo(database, now_ms=now_ms())
    database.close()
    yield url
    databases.drop(url)


@pytest.fixture(scope="module")
def demo(url: str) -> Iterator[Database]:
    """The database as this process sees it: another one than the server's."""
    database = Database.open(url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def token(demo: Database) -> str:
    """A token of the worked example's login."""
    with demo.write() as tx:
        login = read_login(tx, WORKED_USER_NAME)
        assert login is not None
        return issue_token(tx, NewToken(login.id, "t", frozenset(TokenScope), now_ms() + 3_600_000), now_ms()).token


@pytest.fixture(scope="module")
def server(url: str, demo: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server on that database, which runs when a test begins and when it ends."""
    with LiveServer(url, tmp_path_factory.mktemp("live")) as server:
        yield server


def write_about(database: Database, account: int, words: str = "x") -> int:
    """A revision about an ad account."""
    with database.write() as tx:
        stamp = begin_revision(tx, operation="testWrite", at_ms=now_ms())
        notes = [AuditNote("AdAccount", account, None, f'{{"name":"{words}"}}')]
        write_audit_entries(tx, stamp, "testWrite", None, notes, None)
        return stamp.id


def latest(database: Database) -> RevisionId:
    with database.read() as tx:
        return read_revision(tx)


def test_several_writers_of_other_processes_are_told_in_order_and_once(
    server: LiveServer, demo: Database, token: str
) -> None:
    written: list[int] = []

    def write() -> None:
        for number in range(WRITES):
            hidden = number % 4 == 0
            revision = write_about(demo, 444222 if hidden else 111111)
            if not hidden:
                written.append(revision)

    with LiveSocket(server.port, token) as socket:
        socket.subscribe("s", CHANGES, after=cursor_of(latest(demo)), first=WRITERS * WRITES * 3 // 4)
        threads = [Thread(target=write) for _ in range(WRITERS)]
        for thread in threads:
            thread.start()
        told = [int(event["revision"]) for event in socket.events()]
        for thread in threads:
            thread.join()
    assert told == sorted(written)


def test_a_write_of_another_process_is_told_within_a_second(server: LiveServer, demo: Database, token: str) -> None:
    with LiveSocket(server.port, token) as socket:
        socket.subscribe("s", CHANGES)
        time.sleep(0.5)
        began = time.monotonic()
        revision = write_about(demo, 111111)
        assert socket.receive()["payload"]["data"]["changes"]["revision"] == str(revision)
        assert time.monotonic() - began < 1


def test_asked_to_stop_the_server_says_so_on_every_socket_and_ends(
    server: LiveServer, demo: Database, token: str
) -> None:
    with LiveSocket(server.port, token) as listening, LiveSocket(server.port, token) as idle:
        listening.subscribe("s", CHANGES, after=BEGINNING)
        assert listening.receive()["type"] == "next"
        began = time.monotonic()
        assert server.stop() == -signal.SIGTERM
        assert time.monotonic() - began < 5
        assert (listening.code(), idle.code()) == (1012, 1012)
    server.start()


def test_killed_and_started_again_nothing_is_skipped_or_repeated(
    server: LiveServer, demo: Database, token: str
) -> None:
    cursor, told = cursor_of(latest(demo)), []
    written = [write_about(demo, 111111) for _ in range(20)]
    for part in (7, 13):
        with LiveSocket(server.port, token) as socket:
            socket.subscribe("s", CHANGES, after=cursor)
            for _ in range(part):
                event = socket.receive()["payload"]["data"]["changes"]
                told.append(int(event["revision"]))
                cursor = event["cursor"]
            server.kill()
        written.append(write_about(demo, 111222))
        server.start()
    with LiveSocket(server.port, token) as socket:
        socket.subscribe("s", CHANGES, after=cursor, first=2)
        told += [int(event["revision"]) for event in socket.events()]
    assert told == written


def test_who_reads_slowly_is_told_everything_and_nothing_piles_up(
    server: LiveServer, demo: Database, token: str
) -> None:
    start = latest(demo)
    written = [write_about(demo, 111111, "y" * 20_000) for _ in range(100)]
    with LiveSocket(server.port, token) as socket:
        socket.subscribe("w", WIDE, after=cursor_of(start), first=1)
        assert len(list(socket.events())) == 1
        before = server.resident_kib()
        socket.subscribe("s", WIDE, after=cursor_of(start), first=len(written))
        time.sleep(2)
        # All of it would be some eighty megabytes; some events stand in buffers, of the kernel and of this client.
        assert server.resident_kib() - before < 40_000
        told = [int(event["revision"]) for event in socket.events()]
    assert told == written


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param("x" * (2 << 20), 1009, id="two megabytes"),
        pytest.param(b"\x00\xff", 4400, id="bytes"),
        pytest.param("{", 4400, id="no JSON"),
    ],
)
def test_a_bad_message_has_a_close_code_and_harms_nobody_else(
    server: LiveServer, token: str, frame: str | bytes, code: int
) -> None:
    with LiveSocket(server.port, token) as good, LiveSocket(server.port, token) as bad:
        good.subscribe("s", CHANGES)
        bad.raw.send(frame)
        assert bad.code() == code
        good.subscribe("q", "{ __typename }")
        assert good.receive()["payload"]["data"] == {"__typename": "Query"}


def test_a_hundred_listeners_hold_up_no_request(server: LiveServer, demo: Database, token: str) -> None:
    with ExitStack() as stack:
        sockets = [stack.enter_context(LiveSocket(server.port, token)) for _ in range(100)]
        for socket in sockets:
            socket.subscribe("s", CHANGES)
        time.sleep(0.5)
        revision = write_about(demo, 111111)
        headers = {"authorization": f"Bearer {token}"}
        began = time.monotonic()
        answer = httpx2.post(
            f"http://127.0.0.1:{server.port}/graphql", json={"query": "{ viewer { revision } }"}, headers=headers
        )
        assert answer.json()["data"]
        assert time.monotonic() - began < 2
        for socket in sockets:
            assert socket.receive()["payload"]["data"]["changes"]["revision"] == str(revision)


def test_who_asks_and_does_not_read_is_refused_more(server: LiveServer, demo: Database, token: str) -> None:
    for _ in range(50):
        write_about(demo, 111222, "z" * 20_000)
    query = '{ adAccount(id: "111222") { auditLog(first: 50) { nodes { after } } } }'
    asked = 150
    with LiveSocket(server.port, token) as socket:
        for number in range(asked):
            socket.subscribe(str(number), query)
        time.sleep(3)
        ends = {"complete": 0, "error": 0}
        while sum(ends.values()) < asked:
            told = socket.receive()
            if told["type"] == "error":
                assert told["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
            if told["type"] in ends:
                ends[told["type"]] += 1
    assert ends["error"] > 0
    assert ends["complete"] >= 50
