"""Traces: a span an operation, a span a statement, no values in any of them; off unless the standard variables ask."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from adgraph.app import create_app
from adgraph.observability.tracing import Tracing
from adgraph.settings import Settings, SettingsError, traces_wanted
from storage.database import Database
from storage.tokens import find_token
from tests.api.stub import StubGraph
from tests.databases import SqliteDatabases


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Where spans end."""
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter: InMemorySpanExporter) -> Tracing:
    """Tracing into memory."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Tracing(provider)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """What a span says."""
    return dict(span.attributes or {})


def test_each_statement_is_a_span_below_its_operation(
    tracing: Tracing, exporter: InMemorySpanExporter, database: Database
) -> None:
    tracing.watch(database)
    with tracing.operation({}, "r1") as operation:
        operation.note("graphql.operation.type", "query")
        with database.read() as transaction:
            find_token(transaction, "adg_nothing", 0)
    statement, whole = exporter.get_finished_spans()
    assert whole.name == "graphql"
    assert attributes(whole)["adgraph.request_id"] == "r1"
    assert statement.parent is not None
    assert statement.parent.span_id == whole.context.span_id
    assert statement.name == "SELECT"
    assert attributes(statement)["db.system.name"] == database.kind
    assert attributes(statement)["db.response.returned_rows"] == 0
    assert statement.start_time is not None
    assert statement.end_time is not None
    assert whole.start_time is not None
    assert whole.start_time <= statement.start_time <= statement.end_time


def test_a_span_has_the_text_of_a_statement_and_none_of_its_values(
    tracing: Tracing, exporter: InMemorySpanExporter, database: Database
) -> None:
    tracing.watch(database)
    with tracing.operation({}, "r1"), database.write() as transaction:
        transaction.execute(f"SELECT {'?' if database.kind == 'sqlite' else '%s'}", ("jo@user.example",))
    span, _ = exporter.get_finished_spans()
    assert "SELECT" in attributes(span)["db.query.text"]
    assert "jo@user.example" not in span.to_json()


def test_a_statement_of_no_operation_is_no_trace(
    tracing: Tracing, exporter: InMemorySpanExporter, database: Database
) -> None:
    tracing.watch(database)
    with database.read() as transaction:
        find_token(transaction, "adg_nothing", 0)
    assert exporter.get_finished_spans() == ()


def test_an_operation_stands_below_the_caller_who_sent_his_trace(
    tracing: Tracing, exporter: InMemorySpanExporter
) -> None:
    sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with tracing.operation({"traceparent": sent}, "r1"):
        pass
    with tracing.operation({"traceparent": "nonsense"}, "r2"):
        pass
    below, alone = exporter.get_finished_spans()
    assert f"{below.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert alone.parent is None


def test_an_error_of_the_answer_is_one_of_the_span(tracing: Tracing, exporter: InMemorySpanExporter) -> None:
    with tracing.operation({}, "r1") as operation:
        operation.failed("TOO_MANY_NODES")
    [span] = exporter.get_finished_spans()
    assert not span.status.is_ok
    assert attributes(span)["error.type"] == "TOO_MANY_NODES"


def test_without_the_standard_variables_nothing_listens(database: Database) -> None:
    silent = Tracing(None)
    silent.watch(database)
    assert database.listener is None
    with silent.operation({}, "r1") as operation:
        operation.note("a", 1)
        operation.failed("A")


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
    ],
)
def test_the_standard_variables_switch_traces(environ: dict[str, str], wanted: bool) -> None:
    assert traces_wanted(environ) is wanted


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_TRACES_EXPORTER": "zipkin"},
        {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    ],
)
def test_traces_that_could_not_be_sent_are_refused_at_the_start(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=list(environ)[-1]):
        traces_wanted(environ)


class Collector(BaseHTTPRequestHandler):
    """What receives traces in the standard form."""

    received: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        """Take what is sent."""
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.received.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[str]:
    """The address of a collector that has received nothing yet."""
    Collector.received.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_told_where_to_sends_its_traces_there_before_it_ends(
    collector: str, empty_tables: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "accounts-of-ours")
    settings = Settings(database_url=SqliteDatabases(tmp_path).copy_of(empty_tables), worker=False)
    with TestClient(create_app(settings, graph=StubGraph())) as client:
        asked = {"query": "{ __typename }"}
        client.post("/graphql", json=asked, headers={"authorization": "Bearer adg_nobodys", "x-request-id": "req-9"})
    [path] = {path for path, _ in Collector.received}
    body = b"".join(body for _, body in Collector.received)
    assert path == "/v1/traces"
    assert b"graphql" in body
    assert b"req-9" in body
    assert b"accounts-of-ours" in body
    assert b"adg_nobodys" not in body
