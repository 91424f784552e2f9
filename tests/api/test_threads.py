"""The event loop never waits for the work, and the work never piles up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
from starlette.testclient import TestClient

from tests.api.conftest import Serve
from tests.api.stub import StubGraph


def ask(client: TestClient, query: str) -> httpx2.Response:
    """Send one document."""
    return client.post("/graphql", json={"query": query})


def test_documents_run_in_a_thread_of_their_own(client: TestClient) -> None:
    assert ask(client, "{ thread }").json()["data"]["thread"].startswith("adgraph")


def test_the_server_answers_while_a_request_is_slow(serve: Serve, graph: StubGraph) -> None:
    client = serve(threads=1)
    with ThreadPoolExecutor(1) as others:
        slow = others.submit(ask, client, "{ slow(ms: 400) }")
        assert graph.running.acquire(timeout=5)
        assert client.get("/healthz").status_code == 200
        assert not slow.done()
        assert slow.result().json() == {"data": {"slow": True}}


def test_more_requests_than_may_wait_are_refused_at_once(serve: Serve, graph: StubGraph) -> None:
    client = serve(threads=1, max_waiting=0)
    with ThreadPoolExecutor(1) as others:
        slow = others.submit(ask, client, "{ slow(ms: 400) }")
        assert graph.running.acquire(timeout=5)
        refused = ask(client, "{ __typename }")
        assert slow.result().status_code == 200
    assert refused.status_code == 503
    assert refused.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
    assert ask(client, "{ __typename }").status_code == 200


def test_a_request_that_takes_too_long_is_given_up(serve: Serve) -> None:
    client = serve(request_timeout_ms=100)
    refused = ask(client, "{ slow(ms: 400) }")
    body: dict[str, Any] = refused.json()
    assert (refused.status_code, body["errors"][0]["extensions"]["code"]) == (503, "REQUEST_TIMEOUT")
    assert "100 ms" in body["errors"][0]["message"]


def test_a_slow_request_does_not_keep_a_small_one_waiting(serve: Serve, graph: StubGraph) -> None:
    client = serve()
    with ThreadPoolExecutor(1) as others:
        slow = others.submit(ask, client, "{ slow(ms: 2000) }")
        assert graph.running.acquire(timeout=5)
        assert ask(client, "{ __typename }").status_code == 200
        assert not slow.done(), "after its turn others work beside it"
        assert slow.result().status_code == 200
