"""Whatever is sent, the answer is JSON, says data or errors with a code, and is never the server's fault."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

JSON = "application/json"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "query": st.sampled_from(["{ viewer }", "query($t: String) { echo(text: $t) }", "{", "mutation { touch }"])
        | VALUES,
        "variables": st.dictionaries(st.sampled_from(["t", "id", ""]), VALUES, max_size=2) | VALUES,
        "operationName": st.text(max_size=6) | VALUES,
        "extensions": VALUES,
    },
)
HEADER_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
METHODS = st.sampled_from(["GET", "POST", "POST", "POST", "PUT", "QUERY"])
ACCEPTS = st.sampled_from(["*/*", JSON, "application/graphql-response+json", "text/html"]) | HEADER_TEXT
CONTENT_TYPES = st.sampled_from([JSON, JSON, JSON, "text/plain"]) | HEADER_TEXT


def hold(client: TestClient, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
    """Send it and look at the answer."""
    sent = {name.encode(): value.strip().encode() for name, value in headers.items()}
    response = client.request(method, path, content=body, headers=sent)
    assert response.status_code < 500, response.text
    assert "json" in response.headers["content-type"]
    answer = response.json()
    assert "data" in answer or answer["errors"]
    for error in answer.get("errors", ()):
        assert error["message"].strip()
        assert "Traceback" not in error["message"]
    if response.status_code >= 400:
        assert all(error["extensions"]["code"] for error in answer["errors"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=METHODS, body=st.binary(max_size=200), accept=ACCEPTS, content_type=CONTENT_TYPES, token=HEADER_TEXT)
@example(method="POST", body=b'{"query":"{viewer}"}', accept="*/*", content_type=JSON, token="Bearer adg_")
def test_any_bytes(client: TestClient, method: str, body: bytes, accept: str, content_type: str, token: str) -> None:
    headers = {"accept": accept, "content-type": content_type, "authorization": token}
    hold(client, method, "/graphql", body, headers)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(members=MEMBERS | VALUES, accept=ACCEPTS)
def test_any_json(client: TestClient, members: object, accept: str) -> None:
    # json.dumps writes NaN, infinities and halves of characters, which JSON does not have.
    hold(client, "POST", "/graphql", json.dumps(members).encode(), {"accept": accept, "content-type": JSON})


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query_string=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=60))
@example(query_string="query=%7Bviewer%7D&variables=%ff")
@example(query_string="query=mutation%7Btouch%7D")
def test_any_address(client: TestClient, query_string: str) -> None:
    hold(client, "GET", f"/graphql?{query_string}", b"", {"accept": "*/*"})
