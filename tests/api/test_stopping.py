"""A request whose time is over, or whose caller has left, stops in the middle of its statement and frees its thread."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from adgraph.operations.workers import Workers
from storage.audit import write_audit_entries
from storage.database import Transaction
from tests.api.conftest import Serve
from tests.api.demo_server import QUICK, SLOW, DemoServer, count_to, slow_down

TIMEOUT_MS = 300
PATIENT_MS = 60_000
FREE_WITHIN_S = 5.0
"""Generous for a busy machine; unstopped, the statements here take hours."""
AUDIT = "resolvers.writing.write_audit_entries"
INVITE = (Path(__file__).parents[2] / "queries" / "how-do-we-invite-a-colleague.graphql").read_text()
INVITATION = {"customerId": "111", "email": "sam@contoso.example", "firstName": "Sam", "lastName": "Ortega"}


def ask(client: TestClient, query: str, variables: dict[str, Any] | None = None, **headers: str) -> Any:
    """Status and answer of one request."""
    response = client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    return response.status_code, response.json()


def codes(answer: Any) -> set[str]:
    return {error["extensions"]["code"] for error in answer["errors"]}


def workers_of(client: TestClient) -> Workers:
    workers: Workers = client.app.state.workers  # type: ignore[attr-defined]
    return workers


def wait_until_free(client: TestClient) -> float:
    """How long it takes until no thread works any more."""
    started = time.monotonic()
    while workers_of(client)._turns.unfinished:
        assert time.monotonic() - started < FREE_WITHIN_S
        time.sleep(0.01)
    return time.monotonic() - started


@pytest.mark.parametrize("media_type", ["application/json", "application/graphql-response+json"])
def test_a_slow_statement_is_stopped_and_said_to_be(
    demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch, media_type: str
) -> None:
    client = demo_server(request_timeout_ms=TIMEOUT_MS)
    slow_down(monkeypatch)
    started = time.monotonic()
    status, answer = ask(client, SLOW, accept=media_type)
    assert TIMEOUT_MS / 1_000 <= time.monotonic() - started < FREE_WITHIN_S
    assert (status, codes(answer)) == (503, {"REQUEST_TIMEOUT"})
    assert "data" not in answer
    assert ask(client, QUICK)[0] == 200


def test_after_many_slow_requests_the_threads_still_serve(
    demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = demo_server(request_timeout_ms=TIMEOUT_MS, threads=2)
    slow_down(monkeypatch)
    with ThreadPoolExecutor(6) as callers:
        answers = list(callers.map(lambda _: ask(client, SLOW), range(6)))
    assert {status for status, _ in answers} == {503}
    assert set().union(*(codes(answer) for _, answer in answers)) == {"REQUEST_TIMEOUT"}
    wait_until_free(client)
    started = time.monotonic()
    assert ask(client, QUICK)[0] == 200
    assert time.monotonic() - started < FREE_WITHIN_S


def test_a_slow_request_does_not_hold_up_a_quick_one(demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    client = demo_server(request_timeout_ms=2_000, threads=2)
    slow_down(monkeypatch)
    with ThreadPoolExecutor(1) as others:
        slow = others.submit(ask, client, SLOW)
        while not workers_of(client)._turns.unfinished:
            time.sleep(0.005)
        assert ask(client, QUICK)[0] == 200
        assert not slow.done()
        assert slow.result()[0] == 503


def test_who_leaves_stops_the_work(demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    client = demo_server(request_timeout_ms=PATIENT_MS)
    slow_down(monkeypatch)
    headers = [(name.lower().encode(), value.encode()) for name, value in client.headers.items()]
    headers.append((b"content-type", b"application/json"))
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": "/graphql", "raw_path": b"/graphql",
        "query_string": b"", "root_path": "", "headers": headers, "scheme": "http", "server": ("test", 80),
    }  # fmt: skip

    async def leave_soon() -> None:
        messages = [{"type": "http.request", "body": orjson.dumps({"query": SLOW}), "more_body": False}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await asyncio.sleep(0.3)  # so that the statement has begun
            return {"type": "http.disconnect"}

        async def send(_: Any) -> None:
            """Nobody is there to hear it."""

        await client.app(scope, receive, send)

    started = time.monotonic()
    asyncio.run(leave_soon())
    wait_until_free(client)
    assert time.monotonic() - started < FREE_WITHIN_S


def invite(client: TestClient, request_id: str = "once") -> Any:
    order = {**INVITATION, "role": "VIEWER", "requestId": request_id}
    return ask(client, INVITE, {"input": order})


def invited(client: TestClient) -> list[str]:
    query = '{ invitations(filter: {customerId: "111"}, first: 100) { nodes { email } } }'
    return [node["email"] for node in ask(client, query)[1]["data"]["invitations"]["nodes"]]


def test_a_mutation_that_is_stopped_did_nothing_and_may_be_sent_again(
    demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped at its very end, when everything but the audit entry was written."""
    client = demo_server(request_timeout_ms=TIMEOUT_MS)
    before = invited(client)
    with monkeypatch.context() as slow:

        def slowly(transaction: Transaction, *arguments: Any) -> None:
            write_audit_entries(transaction, *arguments)
            count_to(transaction)

        slow.setattr(AUDIT, slowly)
        status, answer = invite(client)
    assert status == 200 or (status, codes(answer)) == (503, {"REQUEST_TIMEOUT"})
    assert codes(answer) == {"REQUEST_TIMEOUT"}
    assert answer.get("data", {"sendUserInvitation": None}) in ({"sendUserInvitation": None}, None)
    wait_until_free(client)
    assert invited(client) == before
    for _ in range(2):
        status, answer = invite(client)
        assert (status, answer["data"]["sendUserInvitation"]["userErrors"]) == (200, [])
    assert invited(client) == [*before, INVITATION["email"]]


def test_mutations_before_one_that_is_stopped_stay_done_and_are_told(
    demo_server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = demo_server(request_timeout_ms=1_000)
    before = invited(client)
    calls = []

    def slowly_from_the_second_on(transaction: Transaction, *arguments: Any) -> None:
        write_audit_entries(transaction, *arguments)
        calls.append(transaction)
        if len(calls) > 1:
            count_to(transaction)

    monkeypatch.setattr(AUDIT, slowly_from_the_second_on)
    field = "sendUserInvitation(input: $%s) { userErrors { code } }"
    names = ("a", "b", "c")
    declared = ", ".join(f"${name}: SendUserInvitationInput!" for name in names)
    query = f"mutation ({declared}) {{ {' '.join(f'{name}: {field % name}' for name in names)} }}"
    orders = {name: {**INVITATION, "role": "VIEWER", "email": f"{name}@contoso.example"} for name in names}
    status, answer = ask(client, query, orders)
    assert status == 200
    assert answer["data"] == {"a": {"userErrors": []}, "b": None, "c": None}
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["b"], "REQUEST_TIMEOUT"),
        (["c"], "REQUEST_TIMEOUT"),
    ]
    assert all("Nothing of this mutation was kept" in error["message"] for error in answer["errors"])
    assert len(calls) == 2
    assert invited(client) == [*before, "a@contoso.example"]


def test_work_that_waits_past_its_time_is_not_begun(serve: Serve) -> None:
    """One thread, and a queue: who waited too long for it gets his refusal, and the thread is not kept by him."""
    client = serve(threads=1, request_timeout_ms=100)
    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda _: ask(client, "{ slow(ms: 400) }"), range(4)))
    assert {status for status, _ in answers} == {503}
    wait_until_free(client)
    assert ask(client, "{ __typename }")[0] == 200
