"""The event loop never waits for the database: no call of it is on the loop's thread, and quick answers stay quick."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from storage.database import Database
from storage.stores import PostgresqlStore, SqliteStore
from tests.api.demo_server import QUICK, SLOW, DemoServer, count_to, slow_down
from tests.api.test_stopping import INVITATION, INVITE, ask

QUICK_ENOUGH_S = 0.020
REQUESTS = 200
ATTEMPTS = 10
"""A busy machine may hold up any of them, and a very busy one is slow by itself; the loop is at fault when it is never
quick, and never nearly as quick as without the slow statement."""
SLOW_STATEMENT_S = 0.5


def watched(threads: set[int]) -> Callable[[ASGIApp], ASGIApp]:
    """Puts a layer around the app that notes which thread its loop runs on."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def outer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                threads.add(threading.get_ident())
            await app(scope, receive, send)

        outer.state = app.state  # type: ignore[attr-defined]
        return outer

    return wrap


def test_no_call_of_the_database_is_on_the_loops_thread(
    demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops: set[int] = set()
    callers: list[int] = []
    client = demo_server(wrap=watched(loops), demo=True)
    for store in (SqliteStore, PostgresqlStore):
        begin, end = store.begin, store.end

        def beginning(self: Any, *, begin: Any = begin, **how: Any) -> Any:
            callers.append(threading.get_ident())
            return begin(self, **how)

        def ending(self: Any, *arguments: Any, end: Any = end, **how: Any) -> None:
            callers.append(threading.get_ident())
            end(self, *arguments, **how)

        monkeypatch.setattr(store, "begin", beginning)
        monkeypatch.setattr(store, "end", ending)
    for query, variables in (
        ("{ __typename }", None),
        (QUICK, None),
        ("{ nothing }", None),
        (INVITE, {"input": {**INVITATION, "role": "VIEWER"}}),
    ):
        before = len(callers)
        ask(client, query, variables)
        assert len(callers) > before, query
    ask(client, QUICK, authorization="Bearer adg_wrong")
    for path in ("/graphiql/whoami", "/readyz", "/healthz", f"/graphql?query={QUICK}", "/graphql", "/nowhere"):
        client.get(path)
    assert loops
    assert not loops & set(callers)


async def quick_answer(client: httpx2.AsyncClient) -> float:
    """How long the smallest question takes."""
    started = time.perf_counter()
    response = await client.post("/graphql", json={"query": "{ __typename }"})
    taken = time.perf_counter() - started
    assert response.json()["data"] == {"__typename": "Query"}
    await asyncio.sleep(0.001)
    return taken


def p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


async def p99_without_and_with(app: ASGIApp, headers: dict[str, str]) -> tuple[float, float]:
    """The 99th percentile of quick answers alone, and while slow statements run one after the other."""
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        alone = [await quick_answer(client) for _ in range(REQUESTS)]
        stop = asyncio.Event()
        slow_times: list[float] = []

        async def slow() -> None:
            while not stop.is_set():
                started = time.perf_counter()
                response = await client.post("/graphql", json={"query": SLOW})
                assert response.status_code == 200, response.text
                slow_times.append(time.perf_counter() - started)

        running = asyncio.create_task(slow())
        beside: list[float] = []
        while len(beside) < REQUESTS or not slow_times:
            beside.append(await quick_answer(client))
        stop.set()
        await running
    assert max(slow_times) >= SLOW_STATEMENT_S
    return p99(alone), p99(beside)


def seconds_to_count(database: Database, number: int) -> float:
    with database.read() as transaction:
        started = time.perf_counter()
        count_to(transaction, number)
        return time.perf_counter() - started


def test_quick_answers_stay_quick_while_statements_are_slow(
    demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = demo_server(request_timeout_ms=60_000)
    database: Database = client.app.state.database  # type: ignore[attr-defined]
    number = 200_000
    while seconds_to_count(database, number) < SLOW_STATEMENT_S * 1.5:
        number *= 2
    slow_down(monkeypatch, number)
    measured = []
    for _ in range(ATTEMPTS):
        alone, beside = asyncio.run(p99_without_and_with(client.app, dict(client.headers)))
        if beside < max(QUICK_ENOUGH_S, 2 * alone):
            return
        measured.append((alone, beside))
    raise AssertionError(f"p99 alone and beside a slow statement, in seconds: {measured}")
