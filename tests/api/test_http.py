"""GraphQL over HTTP: what every request may expect, however odd."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Serve
from tests.api.stub import StubGraph

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


def post(client: TestClient, body: Any, *, accept: str | None = None, **headers: str) -> httpx2.Response:
    """Send one body as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"content-type": JSON} | {name.replace("_", "-"): value for name, value in headers.items()}
    sent["accept"] = accept if accept is not None else "*/*"
    return client.post("/graphql", content=content, headers=sent)


def code_of(response: httpx2.Response) -> str:
    """The code of the only error."""
    [error] = response.json()["errors"]
    assert error["message"].strip()
    return str(error["extensions"]["code"])


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        pytest.param("*/*", JSON, id="anything is JSON"),
        pytest.param("", JSON, id="an empty header is none"),
        pytest.param("application/*", JSON, id="any application type is JSON"),
        pytest.param(JSON, JSON, id="JSON"),
        pytest.param(GRAPHQL, GRAPHQL, id="the GraphQL type"),
        pytest.param(GRAPHQL.upper(), GRAPHQL, id="types have no case"),
        pytest.param(f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL, id="the better quality wins"),
        pytest.param(f"{GRAPHQL};q=0.5, {JSON};q=0.6", JSON, id="the better quality wins, whatever is first"),
        pytest.param(f"{GRAPHQL}, {JSON}", GRAPHQL, id="among equals the first named"),
        pytest.param(f"{JSON}, {GRAPHQL}", JSON, id="among equals the first named, the other way round"),
        pytest.param(f"*/*, {GRAPHQL}", GRAPHQL, id="a name goes before a wildcard"),
        pytest.param(f"{JSON};q=0, */*", GRAPHQL, id="quality 0 excludes"),
        pytest.param(f"text/html, {GRAPHQL};q=0.1", GRAPHQL, id="what is not offered does not count"),
        pytest.param(f"nonsense, {JSON};q=x, {GRAPHQL}", GRAPHQL, id="what cannot be read is left out"),
    ],
)
def test_the_accept_header_decides_the_media_type(client: TestClient, accept: str, answered: str) -> None:
    response = post(client, {"query": "{ __typename }"}, accept=accept)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{answered}; charset=utf-8"
    assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("accept", ["text/html", "text/plain", "image/*", f"{JSON};q=0", "application/xml"])
def test_nothing_acceptable_is_406_in_json(client: TestClient, accept: str) -> None:
    response = post(client, {"query": "{ __typename }"}, accept=accept)
    assert (response.status_code, code_of(response)) == (406, "NOT_ACCEPTABLE")
    assert response.headers["content-type"].startswith(JSON)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/jsonp",
        "text/plain; application/json",
        "application/json; charset=iso-8859-1",
    ],
)
def test_only_json_in_utf8_is_taken(client: TestClient, graph: StubGraph, content_type: str) -> None:
    """A foreign page can send these without being asked for permission; none may run anything."""
    response = client.post(
        "/graphql", content=b'{"query": "mutation { touch }"}', headers={"content-type": content_type}
    )
    assert (response.status_code, code_of(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert graph.mutations == 0


@pytest.mark.parametrize("content_type", ["application/json", "APPLICATION/JSON", 'application/json; charset="UTF-8"'])
def test_json_may_name_its_charset(client: TestClient, content_type: str) -> None:
    response = post(client, {"query": '{ echo(text: "Zoë 🏃") }'}, content_type=content_type)
    assert response.json() == {"data": {"echo": "Zoë 🏃"}}


def test_a_compressed_body_is_refused(client: TestClient) -> None:
    response = post(client, {"query": "{ __typename }"}, content_encoding="gzip")
    assert (response.status_code, code_of(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "QUERY", "TRACE"])
def test_other_methods_are_405_and_say_which_are_allowed(client: TestClient, method: str) -> None:
    response = client.request(method, "/graphql")
    assert (response.status_code, code_of(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"{", "not valid JSON", id="half an object"),
        pytest.param(b'{"query": "{ __typename }"', "not valid JSON", id="a body cut short"),
        pytest.param(b'{"query": "{ __typename }"} x', "not valid JSON", id="something after the end"),
        pytest.param(b'{"query": "{a}", "variables": {"x": NaN}}', "not valid JSON", id="NaN"),
        pytest.param(b'{"query": "{a}", "variables": {"x": Infinity}}', "not valid JSON", id="Infinity"),
        pytest.param(b'{"query": "\xff"}', "not valid JSON", id="not UTF-8"),
        pytest.param(b'{"query": "\\ud800"}', "not valid JSON", id="half a character"),
        pytest.param(b"\xff\xfe{\x00}\x00", "not valid JSON", id="UTF-16"),
        pytest.param(b"[" * 100_000, "not valid JSON", id="brackets without end"),
        pytest.param(b'{"query":"{a}","variables":' + b'{"a":' * 50_000, "not valid JSON", id="braces without end"),
        pytest.param(b"null", "must be a JSON object", id="null"),
        pytest.param(b'"{ __typename }"', "must be a JSON object", id="a string"),
        pytest.param(b"12", "must be a JSON object", id="a number"),
        pytest.param(b"true", "must be a JSON object", id="a boolean"),
        pytest.param(b'[{"query": "{ __typename }"}]', "one by one", id="a batch"),
        pytest.param(b"{}", "no 'query'", id="an empty object"),
        pytest.param(b'{"qeury": "{ __typename }"}', "no 'query'", id="a misspelt member"),
        pytest.param(b'{"query": null}', "no 'query'", id="query null"),
        pytest.param(b'{"query": ""}', "no 'query'", id="query empty"),
        pytest.param(b'{"query": {"a": 1}}', "'query' must be a string", id="query an object"),
        pytest.param(b'{"query": 0}', "'query' must be a string", id="query zero"),
        pytest.param(b'{"query": false}', "'query' must be a string", id="query false"),
        pytest.param(b'{"query": ["a"]}', "'query' must be a string", id="query a list"),
        pytest.param(b'{"query": "{a}", "variables": "{}"}', "'variables' must be an object", id="variables text"),
        pytest.param(b'{"query": "{a}", "variables": []}', "'variables' must be an object", id="variables a list"),
        pytest.param(b'{"query": "{a}", "variables": 0}', "'variables' must be an object", id="variables zero"),
        pytest.param(b'{"query": "{a}", "operationName": 1}', "'operationName' must be a string", id="name a number"),
        pytest.param(b'{"query": "{a}", "extensions": "x"}', "'extensions' must be an object", id="extensions text"),
    ],
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
def test_a_body_that_is_no_request_is_400_and_says_why(client: TestClient, body: bytes, says: str, accept: str) -> None:
    response = post(client, body, accept=accept)
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")
    assert says in response.json()["errors"][0]["message"]
    assert "data" not in response.json()


@pytest.mark.parametrize("member", ["variables", "operationName", "extensions"])
def test_optional_members_may_be_null(client: TestClient, member: str) -> None:
    assert post(client, {"query": "{ __typename }", member: None}).json() == {"data": {"__typename": "Query"}}


def test_unknown_members_and_extensions_are_ignored(client: TestClient) -> None:
    body = {"query": "{ __typename }", "extensions": {"some": "value"}, "doc_id": "7"}
    assert post(client, body).json() == {"data": {"__typename": "Query"}}


REQUEST_ERRORS = [
    pytest.param({"query": "{"}, "GRAPHQL_PARSE_FAILED", id="a document that cannot be read"),
    pytest.param({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED", id="an unknown field"),
    pytest.param({"query": "query A{echo} query B{echo}"}, "OPERATION_RESOLUTION_FAILURE", id="two without a name"),
    pytest.param({"query": "query A{echo}", "operationName": "B"}, "OPERATION_RESOLUTION_FAILURE", id="another name"),
    pytest.param({"query": "query($id: ID!){managerAccount(id:$id){id}}"}, "BAD_USER_INPUT", id="a missing variable"),
]


@pytest.mark.parametrize(("body", "code"), REQUEST_ERRORS)
def test_a_document_that_cannot_run_is_400_under_the_graphql_type(
    client: TestClient, body: dict[str, Any], code: str
) -> None:
    response = post(client, body, accept=GRAPHQL)
    assert (response.status_code, code_of(response)) == (400, code)
    assert "data" not in response.json()


@pytest.mark.parametrize(("body", "code"), REQUEST_ERRORS)
def test_a_document_that_cannot_run_is_200_under_plain_json(
    client: TestClient, body: dict[str, Any], code: str
) -> None:
    response = post(client, body, accept=JSON)
    assert (response.status_code, code_of(response)) == (200, code)
    assert "data" not in response.json()


def test_partial_data_is_200(client: TestClient) -> None:
    body = {"query": '{ a: echo(text: "x") managerAccount(id: "1") { id } }'}
    assert post(client, body, accept=GRAPHQL).status_code == 200


@pytest.mark.parametrize(
    ("how", "status"),
    [("UNAUTHENTICATED", 401), ("FORBIDDEN", 403), ("TOO_MANY_NODES", 400), ("INTERNAL_SERVER_ERROR", 500)],
)
def test_no_data_at_all_has_a_status_that_says_why_under_the_graphql_type(
    client: TestClient, how: str, status: int
) -> None:
    body = {"query": "query($how: String!) { fail(how: $how) }", "variables": {"how": how}}
    assert post(client, body, accept=GRAPHQL).status_code == status
    assert post(client, body, accept=JSON).status_code == 200


def test_a_body_over_the_limit_is_413_by_its_declared_length(serve: Serve) -> None:
    response = post(serve(max_body_bytes=1_024), b" " * 1_025)
    assert (response.status_code, code_of(response)) == (413, "PAYLOAD_TOO_LARGE")


def test_a_body_over_the_limit_is_413_by_counting(serve: Serve) -> None:
    client = serve(max_body_bytes=1_024)
    pieces = iter([b" " * 600, b" " * 600])
    response = client.post("/graphql", content=pieces, headers={"content-type": JSON})
    assert (response.status_code, code_of(response)) == (413, "PAYLOAD_TOO_LARGE")


def test_a_body_at_the_limit_is_taken(serve: Serve) -> None:
    body = b'{"query": "{ __typename }"}'
    assert post(serve(max_body_bytes=1_024), body.ljust(1_024)).status_code == 200


def test_get_runs_queries(client: TestClient) -> None:
    variables = json.dumps({"text": "a&b=ü"})
    asked = {"query": "query($text: String) { echo(text: $text) }", "variables": variables, "operationName": ""}
    response = client.get("/graphql", params=asked)
    assert response.json() == {"data": {"echo": "a&b=ü"}}


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
def test_get_never_runs_mutations(client: TestClient, graph: StubGraph, accept: str) -> None:
    response = client.get("/graphql", params={"query": "mutation { touch }"}, headers={"accept": accept})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert graph.mutations == 0


@pytest.mark.parametrize(
    ("query_string", "says"),
    [
        pytest.param("", "no 'query'", id="no parameter"),
        pytest.param("query=", "no 'query'", id="an empty query"),
        pytest.param("query={a}&query={b}", "given twice", id="a parameter twice"),
        pytest.param("query={a}&variables=[1]", "'variables' must be an object", id="variables a list"),
        pytest.param("query={a}&variables={", "must be a JSON object", id="variables no JSON"),
        pytest.param("query=%ff", "not UTF-8", id="not UTF-8"),
        pytest.param("&".join(f"p{n}=1" for n in range(40)), "more than 32", id="too many parameters"),
    ],
)
def test_a_get_that_is_no_request_is_400_and_says_why(client: TestClient, query_string: str, says: str) -> None:
    response = client.get(f"/graphql?{query_string}")
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")
    assert says in response.json()["errors"][0]["message"]


def test_get_can_be_switched_off(serve: Serve) -> None:
    response = serve(get_queries=False).get("/graphql", params={"query": "{ __typename }"})
    assert (response.status_code, response.headers["allow"]) == (405, "OPTIONS, POST")


@pytest.mark.parametrize("body", [{"query": "{ __typename }"}, {"query": "{"}, [], {"query": "explode"}])
def test_every_answer_may_not_be_kept_nor_guessed_at(client: TestClient, body: Any) -> None:
    headers = post(client, body).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["vary"] == "Accept, Authorization, ActAs, Origin"


def test_the_unexpected_says_one_sentence_and_the_log_says_the_rest(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "adgraph"):
        response = post(client, {"query": "explode"}, x_request_id="req-7")
    assert (response.status_code, code_of(response)) == (500, "INTERNAL_SERVER_ERROR")
    assert "req-7" in response.text
    assert "secret" not in response.text
    [record] = [record for record in caplog.records if record.exc_info]
    assert record.__dict__["request_id"] == "req-7"
    assert "a secret from inside" in str(record.exc_info and record.exc_info[1])


def test_a_busy_database_is_503_with_storages_own_sentence(client: TestClient) -> None:
    response = post(client, {"query": "busy"})
    assert (response.status_code, code_of(response)) == (503, "STORAGE_BUSY")
    assert response.headers["retry-after"] == "1"


def test_nesting_beyond_what_python_can_follow_is_the_requests_fault(client: TestClient) -> None:
    assert post(client, {"query": "deep"}).status_code == 400


def test_a_request_id_of_the_caller_is_kept(client: TestClient) -> None:
    assert post(client, {"query": "{ __typename }"}, x_request_id="abc-1").headers["x-request-id"] == "abc-1"


@pytest.mark.parametrize("offered", ["", "a b", "x" * 65, "a\tb", "é"])
def test_a_request_id_that_is_unsafe_to_log_is_replaced(client: TestClient, offered: str) -> None:
    sent = {b"content-type": b"application/json", b"x-request-id": offered.encode("latin-1")}
    response = client.post("/graphql", content=b'{"query": "{ __typename }"}', headers=sent)
    assert len(response.headers["x-request-id"]) == 32


@pytest.mark.parametrize("path", ["/", "/nothing", "/graphql/", "/graphql/x", "/graphiql/session", "/.env", "//"])
def test_any_other_address_is_404_in_json(client: TestClient, path: str) -> None:
    response = client.get(path, follow_redirects=False)
    assert (response.status_code, code_of(response)) == (404, "NOT_FOUND")


def test_a_wrong_method_elsewhere_is_405_in_json(client: TestClient) -> None:
    response = client.post("/healthz")
    assert (response.status_code, code_of(response)) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in response.headers["allow"]
