"""What a token opens: the scopes it has, whoever's it is. One place decides it, for tokens of ours and for JWTs."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from adgraph.app import create_app
from adgraph.settings import Settings
from storage.database import Database
from storage.demo import WORKED_USER_NAME, load_demo
from storage.reads.logins import read_login
from storage.records.values import TokenScope
from storage.tokens import NewToken, issue_token
from tests.api.issuer import AUDIENCE, Issuer, rsa_key, running_issuer
from tests.databases import SqliteDatabases, migrated

QUERY = "{ viewer { login { userName } } }"
MUTATION = 'mutation { revokeAccessToken(input: {tokenId: "987654321"}) { userErrors { code } } }'
READ, WRITE, ADMIN = TokenScope


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The demo company."""
    url = migrated(SqliteDatabases(tmp_path_factory.mktemp("scopes")))
    database = Database.open(url)
    load_demo(database, now_ms=time.time_ns() // 1_000_000)
    database.close()
    return url


@pytest.fixture(scope="module")
def key() -> RSAKey:
    """The issuer's key."""
    return rsa_key()


@pytest.fixture
def issuer(key: RSAKey) -> Iterator[Issuer]:
    """An issuer."""
    with running_issuer() as issuer:
        issuer.publish(key)
        yield issuer


@pytest.fixture
def serve(url: str, issuer: Issuer) -> Iterator[Callable[..., TestClient]]:
    """Starts servers of the demo company that take the issuer's tokens."""
    with ExitStack() as stack:

        def start(**settings: Any) -> TestClient:
            chosen = Settings(
                database_url=url, oidc_issuer=issuer.address, oidc_audience=AUDIENCE, worker=False, **settings
            )
            return stack.enter_context(TestClient(create_app(chosen, queries=Path("none"))))

        yield start


def issued(client: TestClient, scopes: Collection[TokenScope]) -> str:
    """A token of ours with these scopes."""
    app: Any = client.app
    now_ms = time.time_ns() // 1_000_000
    with app.state.database.write() as transaction:
        login = read_login(transaction, WORKED_USER_NAME)
        assert login is not None
        return issue_token(transaction, NewToken(login.id, "t", frozenset(scopes), now_ms + 60_000), now_ms).token


def ask(client: TestClient, token: str, query: str) -> httpx2.Response:
    """Ask something with a token."""
    return client.post("/graphql", json={"query": query}, headers={"authorization": f"Bearer {token}"})


def opened(client: TestClient, token: str) -> set[TokenScope]:
    """What a token opens, of reading and writing; what it does not is refused as missing that scope."""
    found = set()
    for scope, query in ((READ, QUERY), (WRITE, MUTATION)):
        answer = ask(client, token, query).json()
        if "errors" not in answer:
            found.add(scope)
            continue
        [error] = answer["errors"]
        assert (error["extensions"]["code"], error["extensions"]["number"]) == ("FORBIDDEN", 106)
        assert f"the scope {scope}" in error["message"]
        assert set(answer["data"].values()) == {None}
    return found


@pytest.mark.parametrize(
    "scopes",
    [{READ}, {WRITE}, {ADMIN}, {READ, WRITE}, {READ, ADMIN}, {WRITE, ADMIN}, {READ, WRITE, ADMIN}],
    ids=lambda scopes: " ".join(sorted(scopes)),
)
def test_a_token_opens_what_its_scopes_say(serve: Callable[..., TestClient], scopes: set[TokenScope]) -> None:
    client = serve()
    assert opened(client, issued(client, scopes)) == scopes - {ADMIN}


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": None}, set()),
        ({"scope": ""}, set()),
        ({"scope": "openid profile"}, set()),
        ({"scope": "read write"}, set()),
        ({"scope": "adgraph.reader xadgraph.read adgraph.READ"}, set()),
        ({"scope": {"adgraph.read": True}}, set()),
        ({"scope": 7, "scp": [7, None]}, set()),
        ({"scope": "openid adgraph.read"}, {READ}),
        ({"scope": "adgraph.write"}, {WRITE}),
        ({"scope": None, "scp": ["adgraph.read", "adgraph.write"]}, {READ, WRITE}),
        ({"scope": ["adgraph.read"]}, {READ}),
        ({"scope": "adgraph.read", "scp": "adgraph.write"}, {READ, WRITE}),
    ],
    # Sets are written in another order by each process.
    ids=lambda value: str(value) if isinstance(value, dict) else " ".join(sorted(value)) or "nothing",
)
def test_a_jwt_opens_what_it_names_and_by_default_nothing(
    serve: Callable[..., TestClient], issuer: Issuer, key: RSAKey, claims: dict[str, Any], scopes: set[TokenScope]
) -> None:
    assert opened(serve(), issuer.token(key, preferred_username=WORKED_USER_NAME, **claims)) == scopes


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [(None, {READ}), ("openid", {READ}), ("adgraph.write", {WRITE}), ("adgraph.read adgraph.write", {READ, WRITE})],
)
def test_where_the_issuer_cannot_mint_scopes_the_deployment_says_what_a_jwt_opens(
    serve: Callable[..., TestClient], issuer: Issuer, key: RSAKey, scope: str | None, scopes: set[TokenScope]
) -> None:
    client = serve(oidc_scopes="read")
    assert opened(client, issuer.token(key, preferred_username=WORKED_USER_NAME, scope=scope)) == scopes


def test_a_query_by_get_needs_read_too(serve: Callable[..., TestClient]) -> None:
    client = serve()
    token = issued(client, {WRITE})
    answer = client.get("/graphql", params={"query": QUERY}, headers={"authorization": f"Bearer {token}"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_a_mutation_that_was_refused_for_its_scope_wrote_nothing(serve: Callable[..., TestClient]) -> None:
    client = serve()
    app: Any = client.app
    token = issued(client, {READ})

    def revisions() -> int:
        with app.state.database.read() as transaction:
            return int(transaction.execute("SELECT count(*) FROM revision").fetchone()[0])

    before = revisions()
    mutation = 'mutation { issueAccessToken(input: {label: "x", scopes: [READ]}) { secret userErrors { code } } }'
    answer = ask(client, token, mutation).json()
    assert answer["data"] == {"issueAccessToken": None}
    assert answer["errors"][0]["extensions"] == {"code": "FORBIDDEN", "number": 106}
    assert revisions() == before


def test_what_needs_no_login_needs_no_scope(serve: Callable[..., TestClient]) -> None:
    client = serve()
    assert ask(client, issued(client, {ADMIN}), "{ __typename }").json()["data"] == {"__typename": "Query"}


def test_a_jwt_cannot_make_itself_a_token_that_outlives_it(
    serve: Callable[..., TestClient], issuer: Issuer, key: RSAKey
) -> None:
    client = serve(oidc_clock_skew_ms=0)
    until = int(time.time()) + 600
    token = issuer.token(key, preferred_username=WORKED_USER_NAME, exp=until)
    mutation = """mutation ($days: Int) { issueAccessToken(input: {label: "x", scopes: [READ], lifetimeDays: $days}) {
      userErrors { code number field } accessToken { expiresAt issuedByTokenId } } }"""
    headers = {"authorization": f"Bearer {token}"}
    longer = client.post("/graphql", json={"query": mutation, "variables": {"days": 1}}, headers=headers).json()
    assert longer["data"]["issueAccessToken"]["userErrors"] == [
        {"code": "TOKEN_LIFETIME_EXCEEDED", "number": 106, "field": ["lifetimeDays"]}
    ]
    same = client.post("/graphql", json={"query": mutation}, headers=headers).json()
    row = same["data"]["issueAccessToken"]["accessToken"]
    ends = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(until))
    assert row == {"expiresAt": f"{ends}.000Z", "issuedByTokenId": None}
