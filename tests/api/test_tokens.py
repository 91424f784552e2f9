"""Who is let in: tokens that are good, and every way in which one is not."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from storage.database import Database
from storage.entries import LoginEntry
from storage.records.ids import LoginId
from storage.records.values import TokenScope
from storage.tokens import NewToken, issue_token, read_tokens, revoke_token
from storage.writes import begin_revision, write_logins, write_logins_merged
from tests.api.conftest import Serve

ADA = LoginId(1)
BEN = LoginId(2)
DAY_MS = 86_400_000


def now_ms() -> int:
    """The clock of the server."""
    return time.time_ns() // 1_000_000


@pytest.fixture
def client(serve: Serve) -> TestClient:
    """A server that knows two logins."""
    client = serve(ide=True)
    with database_of(client).write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=now_ms())
        write_logins(transaction, stamp, [LoginEntry(ADA, "ada@agency.example"), LoginEntry(BEN, "ben@agency.example")])
    return client


def database_of(client: TestClient) -> Database:
    """The database behind a server."""
    app: Any = client.app
    database: Database = app.state.database
    return database


def a_token(
    client: TestClient,
    login: LoginId = ADA,
    *,
    lifetime_ms: int = DAY_MS,
    scopes: Collection[TokenScope] = (TokenScope.READ, TokenScope.WRITE),
) -> str:
    """A new token for a login."""
    with database_of(client).write() as transaction:
        new = NewToken(login, "test", frozenset(scopes), now_ms() + lifetime_ms)
        return issue_token(transaction, new, now_ms()).token


def ask(client: TestClient, authorization: str | None) -> httpx2.Response:
    """Ask who asks."""
    headers = {} if authorization is None else {"authorization": authorization}
    return client.post("/graphql", json={"query": "{ viewer }"}, headers=headers)


def refusal(response: httpx2.Response) -> tuple[int, str, int]:
    """Status, code and number of a refusal; it must say something and challenge."""
    [error] = response.json()["errors"]
    assert error["message"].endswith((".", "NAME"))
    assert response.headers["www-authenticate"].startswith("Bearer")
    return response.status_code, error["extensions"]["code"], error["extensions"]["number"]


def test_a_good_token_says_who_asks(client: TestClient) -> None:
    assert ask(client, f"Bearer {a_token(client)}").json() == {"data": {"viewer": "ada@agency.example"}}


def test_the_scheme_has_no_case_and_blanks_around_do_not_matter(client: TestClient) -> None:
    assert ask(client, f"  bEARER   {a_token(client)}  ").status_code == 200


def test_no_token_is_nobody(client: TestClient) -> None:
    assert ask(client, None).json() == {"data": {"viewer": None}}


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YWRhOng=", "adg_x", "Bearer a b", "Bearer adg_x, Bearer adg_y", "Token adg_x"],
)
def test_a_header_that_is_no_bearer_token_is_105(client: TestClient, header: str) -> None:
    assert refusal(ask(client, header)) == (401, "UNAUTHENTICATED", 105)


@pytest.mark.parametrize("token", ["adg_" + "A" * 43, "something-else", "adg_", "adg_'; DROP TABLE login; --"])
def test_a_wrong_token_is_105(client: TestClient, token: str) -> None:
    assert refusal(ask(client, f"Bearer {token}")) == (401, "UNAUTHENTICATED", 105)


def test_a_token_in_other_case_is_another_token(client: TestClient) -> None:
    assert refusal(ask(client, f"Bearer {a_token(client).swapcase()}")) == (401, "UNAUTHENTICATED", 105)


def test_an_expired_token_is_109(client: TestClient) -> None:
    assert refusal(ask(client, f"Bearer {a_token(client, lifetime_ms=0)}")) == (401, "UNAUTHENTICATED", 109)


def test_a_revoked_token_opens_nothing_from_then_on(client: TestClient) -> None:
    token = a_token(client)
    assert ask(client, f"Bearer {token}").status_code == 200
    with database_of(client).write() as transaction:
        [row] = read_tokens(transaction, ADA)
        revoke_token(transaction, row.id, now_ms())
    response = ask(client, f"Bearer {token}")
    assert refusal(response) == (401, "UNAUTHENTICATED", 105)
    assert "revoked" in response.text


def test_a_token_of_a_merged_login_is_120(client: TestClient) -> None:
    token = a_token(client, BEN)
    with database_of(client).write() as transaction:
        write_logins_merged(transaction, begin_revision(transaction, operation="test", at_ms=now_ms()), [BEN], ADA)
    response = ask(client, f"Bearer {token}")
    assert refusal(response) == (401, "UNAUTHENTICATED", 120)
    assert "primary login" in response.text


def test_no_refusal_repeats_the_token(client: TestClient) -> None:
    token = "adg_" + "Z" * 43
    assert token not in ask(client, f"Bearer {token}").text


def test_the_use_of_a_token_is_noted_once_a_minute(client: TestClient) -> None:
    before = now_ms()
    token = a_token(client)
    for _ in range(3):
        ask(client, f"Bearer {token}")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with database_of(client).read() as transaction:
            [row] = read_tokens(transaction, ADA)
        if row.last_used_at_ms is not None:
            break
        time.sleep(0.01)
    assert row.last_used_at_ms is not None
    assert before <= row.last_used_at_ms <= now_ms()


def test_a_token_in_the_address_is_not_looked_at(client: TestClient) -> None:
    asked = {"query": "{ viewer }", "access_token": a_token(client), "token": a_token(client)}
    assert client.get("/graphql", params=asked).json() == {"data": {"viewer": None}}


def test_the_page_can_ask_whose_token_it_has(client: TestClient) -> None:
    body = client.get("/graphiql/whoami", headers={"authorization": f"Bearer {a_token(client)}"}).json()
    assert body["signedInAs"] == "ada@agency.example"
    assert body["label"] == "test"
    assert body["expiresAt"].endswith("+00:00")


def test_asking_whose_token_it_is_without_one_is_116(client: TestClient) -> None:
    assert refusal(client.get("/graphiql/whoami")) == (401, "UNAUTHENTICATED", 116)


@pytest.mark.parametrize("first", ["the good one", "the other one"])
def test_of_two_tokens_in_one_request_neither_is_taken(client: TestClient, first: str) -> None:
    sent = [("authorization", f"Bearer {a_token(client)}"), ("authorization", f"Bearer {a_token(client, BEN)}")]
    if first == "the other one":
        sent.reverse()
    response = client.post("/graphql", json={"query": "{ viewer }"}, headers=sent)
    assert refusal(response) == (401, "UNAUTHENTICATED", 105)
