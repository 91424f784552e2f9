"""The real graph behind the real endpoint: what only the two together can show."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from adgraph.app import create_app, open_database
from adgraph.commands.demo import prepare_demo
from adgraph.settings import Settings
from storage.demo import WORKED_USER_NAME

GRAPHQL = "application/graphql-response+json"
WHO = "{ viewer { login { userName } } }"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A demo."""
    return Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('real') / 'adgraph.db'}", demo=True)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    """A server of the demo company, signed in."""
    database = open_database(settings, make=True)
    demo = prepare_demo(database, now_ms=time.time_ns() // 1_000_000)
    database.close()
    headers = {"authorization": f"Bearer {demo.token}", "accept": GRAPHQL}
    with TestClient(create_app(settings, demo=demo, queries=Path("none")), headers=headers) as client:
        yield client


def ask(client: TestClient, query: str, **headers: str) -> httpx2.Response:
    """Send one document."""
    return client.post("/graphql", json={"query": query}, headers=headers)


def code_of(response: httpx2.Response) -> Any:
    """The code of the only error."""
    [error] = response.json()["errors"]
    return error["extensions"]["code"]


def test_the_token_says_who_the_viewer_is(client: TestClient) -> None:
    assert ask(client, WHO).json()["data"] == {"viewer": {"login": {"userName": WORKED_USER_NAME}}}


def test_without_a_token_there_is_no_data_but_the_name_of_the_root(client: TestClient) -> None:
    anonymous = TestClient(client.app, headers={"accept": GRAPHQL})
    assert ask(anonymous, "{ __typename }").json()["data"] == {"__typename": "Query"}
    refused = ask(anonymous, WHO)
    assert (refused.json()["data"], code_of(refused)) == ({"viewer": None}, "UNAUTHENTICATED")
    assert refused.json()["errors"][0]["extensions"]["number"] == 116


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param("{", "GRAPHQL_PARSE_FAILED", id="cut short"),
        pytest.param("{ nothing }", "GRAPHQL_VALIDATION_FAILED", id="an unknown field"),
        pytest.param("query A { __typename } query B { __typename }", "OPERATION_RESOLUTION_FAILURE", id="two"),
        pytest.param("query($n: Boolean!) { __typename @skip(if: $n) }", "BAD_USER_INPUT", id="a missing variable"),
    ],
)
def test_a_document_that_cannot_run_is_400_with_a_code(client: TestClient, query: str, code: str) -> None:
    response = ask(client, query)
    assert response.status_code == 400
    assert code in {error["extensions"]["code"] for error in response.json()["errors"]}
    assert "data" not in response.json()


@pytest.mark.parametrize("query", ["{" * 100_000, "{a" + "{a" * 3_000 + "}" * 3_001, "[" * 500_000])
def test_absurd_nesting_is_refused_quickly(client: TestClient, query: str) -> None:
    started = time.perf_counter()
    assert ask(client, query).status_code == 400
    assert time.perf_counter() - started < 2


def test_introspection_follows_the_settings(client: TestClient, settings: Settings) -> None:
    assert ask(client, "{ __schema { queryType { name } } }").status_code == 200
    closed = Settings(database_url=settings.database_url)
    with TestClient(create_app(closed, queries=Path("none")), headers={"accept": GRAPHQL}) as plain:
        assert ask(plain, "{ __typename }").status_code == 200
        refused = ask(plain, "{ __schema { queryType { name } } }")
    assert refused.status_code == 400
    assert "data" not in refused.json()
