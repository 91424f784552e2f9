"""The one place where HTTP hands over to the graph: a request, a caller and a snapshot in, the response map out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adgraph.auth import Caller
from adgraph.settings import Settings
from adgraph.view import Graph
from adgraph.wire import GraphQLRequest
from resolvers.session import Limits, Session, Viewer
from resolvers.writing import WriteSession
from storage.database import Database, Transaction
from storage.reads.remembered import FactMemory
from storage.records.ids import Instant


class SessionGraph:
    """The graph under some settings: sessions are made here, from callers, clocks and limits."""

    def __init__(self, settings: Settings) -> None:
        # Building the schema takes a moment, so it happens here and not at import.
        from schema.execution import engine

        self._engine = engine()
        self._limits = Limits(max_nodes=settings.max_nodes, seconds=settings.request_timeout_ms / 1_000)
        self._introspection = settings.allows_introspection
        self._memory = FactMemory()

    def __call__(
        self,
        request: GraphQLRequest,
        transaction: Transaction,
        caller: Caller | None,
        request_id: str,
        *,
        reads_only: bool,
    ) -> dict[str, Any]:
        """The response map of a query."""
        return self._engine.execute(
            request.query,
            request.variables,
            request.operation_name,
            Session(transaction, _viewer(caller), _now(), self._limits, self._memory),
            request_id=request_id,
            introspection=self._introspection,
            reads_only=reads_only,
        )

    def writes(self, request: GraphQLRequest) -> bool:
        """Whether the request is a mutation."""
        return self._engine.writes(request.query, request.operation_name, introspection=self._introspection)

    def write(
        self, request: GraphQLRequest, database: Database, caller: Caller | None, request_id: str
    ) -> dict[str, Any]:
        """The response map of a mutation."""

        @contextmanager
        def begin() -> Iterator[WriteSession]:
            with database.write() as transaction:
                yield WriteSession(transaction, _viewer(caller), _now(), self._limits)

        return self._engine.execute(
            request.query,
            request.variables,
            request.operation_name,
            None,
            request_id=request_id,
            introspection=self._introspection,
            begin_write=begin,
        )


def _viewer(caller: Caller | None) -> Viewer | None:
    return Viewer(caller.login_id, caller.user_name) if caller else None


def _now() -> Instant:
    return Instant(time.time_ns() // 1_000_000)


def graph_for(settings: Settings) -> Graph:
    """The graph under these settings."""
    return SessionGraph(settings)
