"""The one place where HTTP hands over to the graph: a request, a caller and a snapshot in, the response map out."""

from __future__ import annotations

import time
from typing import Any

from adgraph.auth import Caller
from adgraph.settings import Settings
from adgraph.view import Graph
from adgraph.wire import GraphQLRequest
from resolvers.session import Limits, Session, Viewer
from storage.database import Transaction
from storage.records.ids import Instant


def graph_for(settings: Settings) -> Graph:
    """The graph under these settings. Building the schema takes a moment, so it happens here and not at import."""
    from schema.execution import engine

    execute = engine().execute
    limits = Limits(max_nodes=settings.max_nodes, seconds=settings.request_timeout_ms / 1_000)
    introspection = settings.allows_introspection

    def run(
        request: GraphQLRequest, transaction: Transaction, caller: Caller | None, request_id: str, *, reads_only: bool
    ) -> dict[str, Any]:
        viewer = Viewer(caller.login_id, caller.user_name) if caller else None
        session = Session(transaction, viewer, Instant(time.time_ns() // 1_000_000), limits)
        return execute(
            request.query,
            request.variables,
            request.operation_name,
            session,
            request_id=request_id,
            introspection=introspection,
            reads_only=reads_only,
        )

    return run
