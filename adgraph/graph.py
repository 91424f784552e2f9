"""The one place where HTTP hands over to the graph: a request, a caller and a snapshot in, the response map out."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from adgraph.auth import Caller
from adgraph.budgets import ANONYMOUS, Budgets, Charge, charged
from adgraph.settings import Settings
from adgraph.view import Graph
from adgraph.wire import GraphQLRequest
from resolvers.session import Limits, Session, Viewer
from resolvers.writing import WriteSession
from storage.database import Database, Transaction
from storage.records.ids import Instant


class SessionGraph:
    """The graph under some settings: sessions are made here, from callers, clocks and limits."""

    def __init__(self, settings: Settings) -> None:
        # Building the schema takes a moment, so it happens here and not at import.
        from schema.document_rules import DocumentLimits
        from schema.execution import engine

        self._engine = engine(
            DocumentLimits(
                depth=settings.max_depth,
                fields=settings.max_fields,
                aliases=settings.max_aliases,
                root_fields=settings.max_root_fields,
                directives=settings.max_directives,
                tokens=settings.max_tokens,
            )
        )
        self._limits = Limits(
            max_nodes=settings.max_nodes,
            max_cost=settings.max_cost,
            seconds=settings.request_timeout_ms / 1_000,
        )
        self._budgets = Budgets(settings.budget, settings.budget_per_minute)
        self._introspection = settings.allows_introspection

    def admit(self, caller: Caller | None) -> None:
        """Raises: HttpRefusal (429) for a caller who has used up the budget."""
        self._budgets.admit(_payer(caller))

    def __call__(
        self,
        request: GraphQLRequest,
        transaction: Transaction,
        caller: Caller | None,
        request_id: str,
        *,
        reads_only: bool,
    ) -> dict[str, Any]:
        """The response map of a query. Raises: HttpRefusal (429)."""

        def run(charge: Charge) -> dict[str, Any]:
            session = Session(transaction, _viewer(caller), _now(), self._limits)
            session.allowance = charge.allowance
            return self._engine.execute(
                request.query,
                request.variables,
                request.operation_name,
                session,
                request_id=request_id,
                introspection=self._introspection,
                reads_only=reads_only,
                meter=charge.meter,
            )

        return self._charged(request, caller, run)

    def writes(self, request: GraphQLRequest) -> bool:
        """Whether the request is a mutation."""
        return self._engine.writes(request.query, request.operation_name, introspection=self._introspection)

    def write(
        self, request: GraphQLRequest, database: Database, caller: Caller | None, request_id: str
    ) -> dict[str, Any]:
        """The response map of a mutation. Raises: HttpRefusal (429)."""

        def run(charge: Charge) -> dict[str, Any]:
            @contextmanager
            def begin() -> Iterator[WriteSession]:
                with database.write() as transaction:
                    session = WriteSession(transaction, _viewer(caller), _now(), self._limits)
                    session.allowance = charge.allowance
                    yield session

            return self._engine.execute(
                request.query,
                request.variables,
                request.operation_name,
                None,
                request_id=request_id,
                introspection=self._introspection,
                begin_write=begin,
                meter=charge.meter,
            )

        return self._charged(request, caller, run)

    def _charged(
        self, request: GraphQLRequest, caller: Caller | None, run: Callable[[Charge], dict[str, Any]]
    ) -> dict[str, Any]:
        """What `run` answers, paid for by the caller, with its cost in `extensions` when it ran."""
        expected = self._engine.expected(request.query, request.operation_name, introspection=self._introspection)
        with charged(self._budgets, _payer(caller), expected.cost, expected.reading, _now()) as charge:
            answer = run(charge)
        if charge.meter.cost:
            answer["extensions"] = {"cost": charge.shown(self._limits.max_cost)}
        return answer


def _viewer(caller: Caller | None) -> Viewer | None:
    return Viewer(caller.login_id, caller.user_name) if caller else None


def _payer(caller: Caller | None) -> Hashable:
    return caller.login_id if caller else ANONYMOUS


def _now() -> Instant:
    return Instant(time.time_ns() // 1_000_000)


def graph_for(settings: Settings) -> Graph:
    """The graph under these settings."""
    return SessionGraph(settings)
