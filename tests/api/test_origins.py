"""Pages of other sites: those allowed are answered, the others are kept out, and nobody's cookies are at play."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from adgraph.protocol.origins import is_foreign
from adgraph.settings import Settings, SettingsError
from tests.api.conftest import Serve
from tests.api.test_http import JSON, code_of

ALLOWED = "https://app.example"
EVIL = "https://evil.example"
QUERY = {"query": "{ __typename }"}
DATA = {"data": {"__typename": "Query"}}


@pytest.fixture
def allowing(serve: Serve) -> TestClient:
    """A server that allows one other site."""
    return serve(cors_origins=ALLOWED)


def preflight(client: TestClient, origin: str, method: str = "POST", headers: str = "content-type"):  # type: ignore[no-untyped-def]
    """What a browser asks before it sends a page's request."""
    asked = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": headers}
    return client.options("/graphql", headers=asked)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_allowed_page_may_send_requests_with_a_token(allowing: TestClient, method: str) -> None:
    answer = preflight(allowing, ALLOWED, method, "authorization, content-type, developertoken, actas")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == ALLOWED
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


def test_an_allowed_page_may_read_answers_and_refusals(allowing: TestClient) -> None:
    for body, status in ((b'{"query": "{ __typename }"}', 200), (b"{", 400)):
        headers = {"origin": ALLOWED, "content-type": JSON}
        answer = allowing.post("/graphql", content=body, headers=headers)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == ALLOWED
        assert "X-Request-Id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "https://app.example.evil.example", "http://app.example", "https://app.example:444"]
)
def test_any_other_page_is_told_no_in_json(allowing: TestClient, origin: str) -> None:
    answer = preflight(allowing, origin)
    assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
    assert "access-control-allow-origin" not in answer.headers
    told = allowing.post("/graphql", json=QUERY, headers={"origin": origin})
    assert "access-control-allow-origin" not in told.headers


@pytest.mark.parametrize("origin", ["http://[::1", "http://[x]", "//", "http://a]b"])
def test_an_origin_that_is_no_address_is_somebody_elses(client: TestClient, origin: str) -> None:
    assert is_foreign({"origin": origin, "host": "testserver"}, ())
    answer = client.get("/graphql", params=QUERY, headers={"origin": origin})
    assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")


@pytest.mark.parametrize(("method", "headers"), [("DELETE", "content-type"), ("POST", "x-something")])
def test_an_allowed_page_may_not_send_anything_else(allowing: TestClient, method: str, headers: str) -> None:
    answer = preflight(allowing, ALLOWED, method, headers)
    assert (answer.status_code, code_of(answer)) == (400, "BAD_REQUEST")


def test_no_page_is_allowed_unless_somebody_says_so(client: TestClient) -> None:
    assert preflight(client, ALLOWED).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"origin": EVIL}, id="an origin"),
        pytest.param({"sec-fetch-site": "cross-site"}, id="a picture of another site"),
        pytest.param({"sec-fetch-site": "same-site"}, id="a picture of a sister site"),
        pytest.param({"origin": "null"}, id="a page without an origin"),
    ],
)
def test_a_foreign_page_runs_nothing_by_a_simple_request(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.get("/graphql", params=QUERY, headers=headers)
    assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="a program"),
        pytest.param({"sec-fetch-site": "none"}, id="typed into the browser"),
        pytest.param({"sec-fetch-site": "same-origin"}, id="the page itself"),
        pytest.param({"origin": "http://testserver"}, id="the page itself, by origin"),
        pytest.param({"origin": ALLOWED, "sec-fetch-site": "cross-site"}, id="an allowed page"),
    ],
)
def test_a_get_of_anybody_else_is_answered(allowing: TestClient, headers: dict[str, str]) -> None:
    assert allowing.get("/graphql", params=QUERY, headers=headers).json() == DATA


@pytest.mark.parametrize(
    ("origin", "host", "foreign"),
    [
        ("https://api.example", "api.example", False),
        ("https://api.example", "api.example:443", False),
        ("http://API.example:8000", "api.example:8000", False),
        ("https://api.example:8443", "api.example", True),
        ("https://api.example", "other.example", True),
        ("file://", "api.example", True),
        ("", "", True),
    ],
)
def test_a_page_is_of_this_server_when_it_names_its_host(origin: str, host: str, foreign: bool) -> None:
    assert is_foreign({"origin": origin, "host": host}, ()) is foreign


def test_the_public_address_counts_behind_a_proxy_that_changes_the_host() -> None:
    allowed = Settings(public_url="https://adgraph.company.example/app").allowed_origins
    assert not is_foreign({"origin": "https://adgraph.company.example", "host": "10.0.0.7:8000"}, allowed)


@pytest.mark.parametrize(
    "text",
    ["*", "https://*.example", "app.example", "https://app.example/", "https://app.example/x", "HTTPS://app.example",
     "https://app.example:443", "http://app.example:80", "https://u@app.example", "ftp://app.example", "null"],
)  # fmt: skip
def test_an_origin_that_no_browser_would_send_stops_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match="ADGRAPH_CORS_ORIGINS"):
        Settings.from_env({"ADGRAPH_CORS_ORIGINS": text})


def test_several_origins_are_read() -> None:
    settings = Settings.from_env({"ADGRAPH_CORS_ORIGINS": f"{ALLOWED}, http://localhost:3000,"})
    assert {ALLOWED, "http://localhost:3000"} < settings.allowed_origins


@pytest.mark.parametrize("path", ["/graphql", "/healthz"])
def test_head_is_answered_as_get(client: TestClient, path: str) -> None:
    assert client.head(path, params=QUERY).status_code == 200


def test_options_says_which_methods_there_are(serve: Serve) -> None:
    for get_queries, allowed in ((True, "GET, HEAD, OPTIONS, POST"), (False, "OPTIONS, POST")):
        answer = serve(get_queries=get_queries).options("/graphql")
        assert (answer.status_code, answer.content, answer.headers["allow"]) == (204, b"", allowed)
