"""What a deployment's limits refuse at the door: each exactly at its setting, with a code of its own, and never 403."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from adgraph.identity.auth import Caller
from adgraph.operations.budgets import Charge
from adgraph.operations.graph import SessionGraph
from adgraph.protocol.refusals import HttpRefusal
from adgraph.protocol.wire import GraphQLRequest
from adgraph.settings import Settings
from storage.records.ids import Instant, LoginId
from storage.records.values import TokenScope
from tests.api.demo_server import started
from tests.databases import SqliteDatabases, migrated
from tests.schema.hostile import HOSTILE, each, nested

GRAPHQL = "application/graphql-response+json"
TREE = '{ managerAccount(id: "111") { adAccounts { nodes { name owner { __typename } } } } }'
RATE = "{ rateLimit { limit cost remaining perMinute resetAt } }"
MINUTELY = 60
"""A budget that hardly fills while a test runs: one a second."""

Server = Callable[..., TestClient]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo company, loaded once."""
    databases = SqliteDatabases(tmp_path_factory.mktemp("limits"))
    url = migrated(databases)
    with ExitStack() as stack:
        started(stack, url, lambda app: app)
    yield url
    databases.drop(url)


@pytest.fixture
def server(template: str, tmp_path: Path) -> Iterator[Server]:
    """Starts servers of the demo company with the settings named."""
    with ExitStack() as stack:

        def start(**settings: Any) -> TestClient:
            return started(stack, SqliteDatabases(tmp_path).copy_of(template), lambda app: app, **settings)

        yield start


def ask(client: TestClient, query: str, **headers: str) -> httpx2.Response:
    return client.post("/graphql", json={"query": query}, headers=headers)


def error_of(response: httpx2.Response) -> Any:
    [error] = response.json()["errors"]
    return error


def cost_of(response: httpx2.Response) -> Any:
    return response.json()["extensions"]["cost"]


DOCUMENTS: dict[str, tuple[str, int, Callable[[int], str]]] = {
    "max_depth": (
        "depth", 7, lambda size: "{ __schema { queryType " + nested("{ ofType ", "}", size - 3, "{ name }") + "} }"
    ),
    "max_fields": ("fields", 30, lambda size: "{ viewer { " + "revision " * (size - 1) + "} }"),
    "max_aliases": ("aliases", 12, lambda size: "{ viewer { " + each("a%: revision", size) + "} }"),
    "max_root_fields": ("rootFields", 9, lambda size: "{" + each("a%: __typename", size) + "}"),
    "max_directives": ("directives", 8, lambda size: "{ viewer { " + "revision @skip(if: true) " * size + "} }"),
    "max_tokens": ("tokens", 110, lambda size: "{ nodes(ids: [" + '"User:1001" ' * (size - 12) + "]) { __typename } }"),
}  # fmt: skip


@pytest.mark.parametrize("setting", DOCUMENTS)
def test_a_document_is_taken_at_the_setting_and_refused_past_it(server: Server, setting: str) -> None:
    limit, allowed, make = DOCUMENTS[setting]
    client = server(introspection=True, **{setting: allowed})
    fits = ask(client, make(allowed))
    assert "DOCUMENT_TOO_LARGE" not in fits.text
    assert fits.status_code == 200
    refused = ask(client, make(allowed + 1))
    error = error_of(refused)
    assert refused.status_code == 400
    assert error["extensions"]["code"] == "DOCUMENT_TOO_LARGE"
    assert (error["extensions"]["limit"], error["extensions"]["allowed"]) == (limit, allowed)
    assert "extensions" not in refused.json()


def test_hostile_documents_are_the_callers_fault_and_get_an_answer(server: Server) -> None:
    client = server(introspection=True, budget=0)
    for name, document in HOSTILE.items():
        response = ask(client, document)
        assert response.status_code in (400, 413), name
        codes = {error["extensions"]["code"] for error in response.json()["errors"]}
        known = {"DOCUMENT_TOO_LARGE", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "PAYLOAD_TOO_LARGE"}
        assert codes <= known, name


def test_every_answer_says_what_it_cost(server: Server) -> None:
    client = server(max_cost=5_000)
    query = f"{TREE} # {time.monotonic_ns()}".ljust(2_500)  # one that was not read before
    cost = cost_of(ask(client, query))
    assert cost["requested"] == 5
    assert cost["limit"] == 5_000
    assert cost["actual"] > 5
    assert cost["reading"] == 100
    again = cost_of(ask(client, query))
    assert "reading" not in again
    assert again["actual"] == cost["actual"]
    assert "extensions" not in ask(client, "{ nothing }").json()
    assert cost_of(ask(client, "{ node(id: 1) { __typename } }"))["actual"] >= 1  # an answer with an error ran, too


@pytest.mark.parametrize(("media_type", "status"), [(GRAPHQL, 400), ("application/json", 200)])
def test_too_expensive_is_not_forbidden(server: Server, media_type: str, status: int) -> None:
    client = server(max_cost=100)
    dear = ask(client, "{ managerAccount(id: 111) { a: users { nodes { userId } } " + each(
        "b%: adAccounts { nodes { owner { __typename } accessors { nodes { userId } } } }", 20
    ) + "} }", accept=media_type)  # fmt: skip
    error = error_of(dear)
    assert (dear.status_code, error["extensions"]["code"]) == (status, "TOO_EXPENSIVE")
    assert "data" not in dear.json()
    assert cost_of(dear)["actual"] > 100
    assert ask(client, "{ viewer { revision } }").status_code == 200


@pytest.mark.parametrize("media_type", [GRAPHQL, "application/json"])
def test_a_budget_used_up_is_429_with_when_to_come_back(server: Server, media_type: str) -> None:
    client = server(budget=200, budget_per_minute=MINUTELY)
    for _ in range(200):
        response = ask(client, TREE, accept=media_type)
        if response.status_code != 200:
            break
    error = error_of(response)
    assert (response.status_code, error["extensions"]) == (429, {"code": "THROTTLED", "number": 117})
    wait = int(response.headers["retry-after"])
    assert 1 <= wait <= 200
    assert f"{wait} s" in error["message"]
    while ask(client, "{ __typename }").status_code == 200:
        """Whoever has too little left for much may still ask for little."""
    assert ask(client, TREE).status_code == 429
    assert client.get("/graphql", params={"query": "{ __typename }"}).status_code == 429


def test_who_waits_as_told_is_answered(server: Server) -> None:
    client = server(budget=60, budget_per_minute=600)
    while (response := ask(client, TREE)).status_code == 200:
        pass
    time.sleep(int(response.headers["retry-after"]))
    assert ask(client, TREE).status_code == 200


def test_what_is_left_is_what_was_there_less_what_it_cost(server: Server) -> None:
    client = server(budget=100_000, budget_per_minute=1)
    before = cost_of(ask(client, TREE))
    reading = before.get("reading", 0)
    after = cost_of(ask(client, TREE))
    assert before["budget"] == {"limit": 100_000, "remaining": 100_000 - before["actual"] - reading, "perMinute": 1}
    assert after["budget"]["remaining"] == before["budget"]["remaining"] - after["actual"]


def test_the_rate_limit_can_be_asked(server: Server) -> None:
    client = server(budget=100_000, budget_per_minute=60_000)
    spent = cost_of(ask(client, TREE))["budget"]["remaining"]
    response = ask(client, RATE)
    found = response.json()["data"]["rateLimit"]
    assert found["limit"] == 100_000
    assert found["perMinute"] == 60_000
    assert found["cost"] == cost_of(response)["requested"] == 2
    assert found["remaining"] <= 100_000 - 2
    assert found["remaining"] >= spent - 10
    assert found["resetAt"].endswith("Z")


def test_without_budgets_nobody_is_throttled_and_nothing_is_said_of_one(server: Server) -> None:
    client = server(budget=0)
    for _ in range(30):
        response = ask(client, RATE)
    assert response.json()["data"] == {"rateLimit": None}
    assert "budget" not in cost_of(response)


def test_those_without_a_token_share_a_budget_that_is_not_the_viewers(server: Server) -> None:
    client = server(budget=50, budget_per_minute=MINUTELY)
    anonymous = TestClient(client.app, headers={"accept": GRAPHQL})
    while (response := ask(anonymous, "{ __typename }")).status_code == 200:
        pass
    assert error_of(response)["extensions"]["code"] == "THROTTLED"
    assert ask(client, "{ __typename }").status_code == 200


@pytest.mark.parametrize("query", ["{ nothing }", "{", "{ __typename }" * 400])
def test_refusals_are_paid_for(server: Server, query: str) -> None:
    client = server(budget=20, budget_per_minute=MINUTELY)
    statuses = [ask(client, query).status_code for _ in range(40)]
    assert statuses[0] == 400
    assert statuses[-1] == 429


def test_a_mutation_costs_ten(server: Server) -> None:
    client = server()
    order = 'input: {customerId: "111", timeStamp: "x"}'
    response = ask(client, f"mutation {{ deleteManagerAccount({order}) {{ userErrors {{ code }} }} }}")
    cost = cost_of(response)
    assert cost["requested"] == 12
    assert cost["actual"] >= 12


def test_a_thousand_checks_by_variables_are_taken_by_the_usual_settings(server: Server) -> None:
    client = server()
    checks = [{"capability": "VIEW", "target": f"AdAccount:{number}"} for number in range(1_000)]
    query = "query ($checks: [CheckInput!]!) { checkMany(checks: $checks) { allowed code message } }"
    response = client.post("/graphql", json={"query": query, "variables": {"checks": checks}})
    assert response.status_code == 200, response.text[:500]
    assert len(response.json()["data"]["checkMany"]) == 1_000
    assert Settings().max_cost > cost_of(response)["actual"] >= 1_001


def test_strangers_without_a_token_do_not_use_up_what_newcomers_have() -> None:
    newcomer = Caller(None, "new@user.example", frozenset(TokenScope), Instant(0), "identity provider")
    graph = SessionGraph(Settings(budget=100, budget_per_minute=1))
    request = GraphQLRequest("{ __typename }", None, None)

    def nothing(charge: Charge) -> dict[str, Any]:
        charge.meter.cost = 1_000
        return {}

    graph._charged(request, None, nothing)
    with pytest.raises(HttpRefusal):
        graph.admit(None)
    graph.admit(newcomer)


def test_reading_the_document_of_a_subscription_is_paid_like_any_other(server: Server) -> None:
    graph = SessionGraph(Settings(budget=1_000, budget_per_minute=1))
    caller = Caller(LoginId(1), "ada@agency.example", frozenset(TokenScope), Instant(0), "test")
    document = f"subscription {{ missing }} # {'x' * 2_500}"
    before = graph._budgets.settle(LoginId(1), 0, 0).remaining
    with server().app.state.database.read() as transaction:  # type: ignore[attr-defined]
        graph.subscribe(GraphQLRequest(document, None, None), transaction, caller, "")
    assert graph._budgets.settle(LoginId(1), 0, 0).remaining == before - 1 - -(-len(document) // 25)
