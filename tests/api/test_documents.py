"""Documents by their hash: persisted by clients for a while, trusted by the operator for good."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from adgraph.operations import documents
from adgraph.operations.documents import Documents, sha256_of, trusted_documents
from adgraph.protocol.wire import GraphQLRequest
from adgraph.settings import SettingsError
from tests.api.conftest import Serve
from tests.api.stub import StubGraph
from tests.api.test_http import GRAPHQL, JSON, code_of, post

ECHO = 'query Echo { echo(text: "x") }'
DATA = {"data": {"echo": "x"}}


def persisted(text: str, *, version: int = 1) -> dict[str, Any]:
    """The extension by which clients name a document."""
    return {"persistedQuery": {"version": version, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}


# Persisted documents


@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL, 400)])
def test_an_unknown_hash_is_told_as_clients_expect_it(client: TestClient, accept: str, status: int) -> None:
    response = post(client, {"extensions": persisted(ECHO)}, accept=accept)
    assert response.status_code == status
    assert response.json()["errors"] == [
        {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
    ]


def test_a_document_sent_with_its_hash_may_be_named_from_then_on(client: TestClient) -> None:
    assert post(client, {"query": ECHO, "extensions": persisted(ECHO)}).json() == DATA
    assert post(client, {"extensions": persisted(ECHO)}).json() == DATA
    assert client.get("/graphql", params={"extensions": json.dumps(persisted(ECHO))}).json() == DATA
    assert client.get("/graphql", params={"documentId": f"sha256:{sha256_of(ECHO)}"}).json() == DATA


def test_variables_and_names_go_with_a_named_document(client: TestClient) -> None:
    text = "query A($t: String) { a: echo(text: $t) } query B($t: String) { b: echo(text: $t) }"
    body = {"extensions": persisted(text), "variables": {"t": "ü"}, "operationName": "B"}
    post(client, body | {"query": text})
    assert post(client, body).json() == {"data": {"b": "ü"}}


def test_another_text_under_a_hash_is_refused(client: TestClient) -> None:
    response = post(client, {"query": ECHO, "extensions": persisted("{ __typename }")})
    assert code_of(response) == "PERSISTED_QUERY_HASH_MISMATCH"
    assert code_of(post(client, {"extensions": persisted("{ __typename }")})) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize("text", ["{", "{ nothing }"])
def test_what_cannot_run_is_not_kept(client: TestClient, text: str) -> None:
    post(client, {"query": text, "extensions": persisted(text)})
    assert code_of(post(client, {"extensions": persisted(text)})) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param({"extensions": persisted(ECHO, version=2)}, "PERSISTED_QUERY_NOT_SUPPORTED", id="a version"),
        pytest.param({"extensions": {"persistedQuery": {"version": 1}}}, "PERSISTED_QUERY_NOT_SUPPORTED", id="no hash"),
        pytest.param({"extensions": {"persistedQuery": "x"}}, "BAD_REQUEST", id="no object"),
        pytest.param({"documentId": 7}, "BAD_REQUEST", id="an id that is no text"),
        pytest.param({"documentId": "sha256:00", "extensions": persisted(ECHO)}, "BAD_REQUEST", id="two documents"),
        pytest.param({"documentId": ""}, "BAD_REQUEST", id="an empty id"),
    ],
)
def test_a_name_that_is_none_is_400(client: TestClient, body: dict[str, Any], code: str) -> None:
    response = post(client, body)
    assert (response.status_code, code_of(response)) == (400, code)


def test_a_named_mutation_does_not_run_by_get(client: TestClient, graph: StubGraph) -> None:
    text = "mutation { touch }"
    assert post(client, {"query": text, "extensions": persisted(text)}).json() == {"data": {"touch": True}}
    response = client.get("/graphql", params={"extensions": json.dumps(persisted(text))})
    assert (response.status_code, graph.mutations) == (405, 1)


def keeping(documents: Documents, text: str) -> bool:
    """Whether a document is still known by its hash."""
    return isinstance(documents.asked(GraphQLRequest("", None, None, sha256_of(text))), GraphQLRequest)


def keep(documents: Documents, text: str) -> None:
    documents.asked(GraphQLRequest(text, None, None, sha256_of(text)))


def test_the_oldest_are_forgotten_when_there_is_no_more_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_CHARACTERS", 80)
    store = Documents(refusal_of=lambda _: None)
    texts = [f"{{ a{number} }}".ljust(10) for number in range(10)]
    for text in texts[:8]:
        keep(store, text)
    assert all(keeping(store, text) for text in texts[:8])
    keep(store, texts[8])
    assert [keeping(store, text) for text in texts[:9]] == [False] + [True] * 8


def test_one_document_may_not_take_the_place_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_CHARACTERS", 80)
    store = Documents(refusal_of=lambda _: None)
    for length, kept in ((10, True), (11, False)):
        keep(store, "x" * length)
        assert keeping(store, "x" * length) is kept


# Trusted documents


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two trusted documents."""
    folder = tmp_path / "trusted"
    (folder / "more").mkdir(parents=True)
    (folder / "echo.graphql").write_text(f"{ECHO}\n")
    (folder / "more" / "who.graphql").write_text("{ viewer }\n")
    (folder / "other.txt").write_text("{ thread }")
    return folder


@pytest.fixture
def trusting(serve: Serve, folder: Path) -> TestClient:
    """A server that runs trusted documents only."""
    queries = folder.parent / "queries"
    queries.mkdir()
    return serve(documents="trusted", documents_folder=str(folder), queries=queries)


@pytest.mark.parametrize("text", [ECHO, f"{ECHO}\n", f"{ECHO} \r\n\n"])
def test_a_trusted_document_is_run_by_its_text(trusting: TestClient, text: str) -> None:
    assert post(trusting, {"query": text}).json() == DATA


@pytest.mark.parametrize("text", [ECHO, f"{ECHO}\n"], ids=["without a line end", "as the file is"])
def test_a_trusted_document_is_run_by_its_hash(trusting: TestClient, text: str) -> None:
    assert post(trusting, {"extensions": persisted(text)}).json() == DATA
    assert post(trusting, {"documentId": f"sha256:{sha256_of(text)}"}).json() == DATA
    assert post(trusting, {"documentId": f"sha256:{sha256_of(text).upper()}"}).json() == DATA
    assert post(trusting, {"query": ECHO, "documentId": f"sha256:{sha256_of(text)}"}).json() == DATA


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"query": "{ __typename }"}, id="another document"),
        pytest.param({"query": f" {ECHO}"}, id="another byte"),
        pytest.param({"query": f"{ECHO} # x"}, id="a comment more"),
        pytest.param({"query": "{" * 1_000}, id="what cannot be parsed"),
        pytest.param({"extensions": persisted("{ __typename }")}, id="another hash"),
        pytest.param({"query": "{ __typename }", "extensions": persisted("{ __typename }")}, id="to be persisted"),
        pytest.param({"query": "{ __typename }", "extensions": persisted(ECHO)}, id="under the hash of a trusted one"),
        pytest.param({"documentId": "echo"}, id="its name"),
    ],
)
@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL, 400)])
def test_everything_else_is_refused_and_not_parsed(
    trusting: TestClient,
    graph: StubGraph,
    monkeypatch: pytest.MonkeyPatch,
    body: dict[str, Any],
    accept: str,
    status: int,
) -> None:
    monkeypatch.setattr(graph, "kind", None)
    monkeypatch.setattr(graph, "refusal_of", None)
    response = post(trusting, body, accept=accept)
    assert (response.status_code, code_of(response)) == (status, "DOCUMENT_NOT_TRUSTED")


def test_trusted_documents_may_be_named_where_any_document_is_run(serve: Serve, folder: Path) -> None:
    client = serve(documents_folder=str(folder), queries=folder)
    assert post(client, {"documentId": f"sha256:{sha256_of(ECHO)}"}).json() == DATA
    assert post(client, {"query": "{ __typename }"}).json() == {"data": {"__typename": "Query"}}


def test_a_folder_that_is_not_there_stops_the_start(serve: Serve, folder: Path) -> None:
    with pytest.raises(SettingsError, match="no such folder"):
        serve(documents="trusted", documents_folder=str(folder / "none"), queries=folder)


@pytest.mark.parametrize("text", ["{", "{ nothing }"])
def test_a_trusted_document_that_cannot_run_stops_the_start(serve: Serve, folder: Path, text: str) -> None:
    (folder / "wrong.graphql").write_text(text)
    with pytest.raises(SettingsError, match="trusted document wrong cannot run"):
        serve(documents="trusted", documents_folder=str(folder), queries=folder)


def test_the_name_of_a_document_is_what_sha256sum_tells_of_its_file(folder: Path) -> None:
    listed = {one.name: one.hash for one in trusted_documents([folder])}
    assert listed == {
        "echo": hashlib.sha256((folder / "echo.graphql").read_bytes()).hexdigest(),
        "more/who": hashlib.sha256((folder / "more" / "who.graphql").read_bytes()).hexdigest(),
    }


def test_a_file_that_is_no_text_is_named(folder: Path) -> None:
    (folder / "bytes.graphql").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"bytes\.graphql is not UTF-8"):
        trusted_documents([folder])
