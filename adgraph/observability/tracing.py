"""Traces, for those who set the standard variables of OpenTelemetry: a span an operation, a span a SQL statement.

The library reads its own variables (endpoint, headers, sampler, service name); here it is only put together. Spans say
what was done and how long it took, never values, tokens or names: a statement's text has placeholders only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from opentelemetry import context, propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, Status, StatusCode

from storage.database import Database
from storage.statements import Kind

LONGEST_STATEMENT = 2_000
"""How much of a statement's text a span keeps."""
_SYSTEMS: Mapping[Kind, str] = {"sqlite": "sqlite", "postgresql": "postgresql"}
_SCOPE = "adgraph"


class Operation(Protocol):
    """What may be noted about the operation that is traced."""

    def note(self, name: str, value: str | int) -> None:
        """Add a fact about it."""
        ...

    def failed(self, code: str) -> None:
        """It was answered with an error of this code."""
        ...


class _Silent:
    """Both the operation and the span around it, where nothing is traced."""

    def __enter__(self) -> Operation:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def note(self, name: str, value: str | int) -> None:
        pass

    def failed(self, code: str) -> None:
        pass


_SILENT = _Silent()


class _Traced:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, name: str, value: str | int) -> None:
        self._span.set_attribute(name, value)

    def failed(self, code: str) -> None:
        self._span.set_attribute("error.type", code)
        self._span.set_status(Status(StatusCode.ERROR, code))


class Tracing:
    """Makes spans. `provider` None makes none and costs nothing."""

    def __init__(self, provider: TracerProvider | None) -> None:
        self._provider = provider
        self._tracer = None if provider is None else provider.get_tracer(_SCOPE)

    def close(self) -> None:
        """Send what has not been sent yet."""
        if self._provider is not None:
            self._provider.shutdown()

    def operation(self, headers: Mapping[str, str], request_id: str) -> AbstractContextManager[Operation]:
        """A span around one operation, below the caller's own when it sent `traceparent`."""
        return _SILENT if self._tracer is None else self._traced(self._tracer, headers, request_id)

    @contextmanager
    def _traced(self, tracer: trace.Tracer, headers: Mapping[str, str], request_id: str) -> Iterator[Operation]:
        outer = propagate.extract({"traceparent": headers.get("traceparent", "")}, context.Context())
        with tracer.start_as_current_span("graphql", outer, kind=SpanKind.SERVER) as span:
            span.set_attribute("adgraph.request_id", request_id)
            yield _Traced(span)

    def watch(self, database: Database) -> None:
        """From now on each statement of this database that belongs to an operation is a span."""
        tracer = self._tracer
        if tracer is None:
            return
        system = _SYSTEMS[database.kind]

        def ran(sql: str, began_ns: int, ended_ns: int, rows: int | None) -> None:
            if not trace.get_current_span().is_recording():
                return  # the worker looks for what is due every few seconds: a trace of each look tells nobody anything
            attributes: dict[str, str | int] = {"db.system.name": system, "db.query.text": sql[:LONGEST_STATEMENT]}
            if rows is not None:
                attributes["db.response.returned_rows"] = rows
            name = sql.lstrip("( ").partition(" ")[0].upper()
            span = tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes, start_time=began_ns)
            span.end(ended_ns)

        database.listener = ran


def provider_from_environment() -> TracerProvider:
    """Sends spans in batches to where the standard variables say, by OTLP over HTTP."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create()
    if str(resource.attributes.get("service.name", "unknown_service")).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": "adgraph"}))
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def tracing_for(wanted: bool) -> Tracing:
    """Tracing as the environment asks for it."""
    return Tracing(provider_from_environment() if wanted else None)
