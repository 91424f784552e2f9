"""Where the transports hand over to the graph: a request, a caller and a snapshot in, the response map out."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from adgraph.identity.auth import Caller
from adgraph.operations.budgets import ANONYMOUS, NEWCOMERS, Budgets, Charge, charged
from adgraph.operations.run import Feed, FeedStep, Graph, Kind
from adgraph.protocol.wire import GraphQLRequest
from adgraph.settings import Settings
from resolvers.changes import Tail
from resolvers.session import Limits, Newcomer, Session, Viewer
from resolvers.writing import WriteSession
from storage.database import Database, Transaction
from storage.reads.remembered import FactMemory
from storage.records.ids import Instant

if TYPE_CHECKING:
    from schema.streams import Stream


EVENT = 1
"""What an event of a subscription is expected to cost; what it really cost is settled after it."""


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
        self._administrators = settings.system_administrators
        self._memory = FactMemory()

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
            session = self._session(transaction, caller, charge)
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

    def kind(self, request: GraphQLRequest) -> Kind | None:
        """What the request is; None when it cannot be run."""
        kind = self._engine.kind(request.query, request.operation_name, introspection=self._introspection)
        return kind.value if kind else None

    def refusal_of(self, text: str) -> dict[str, Any] | None:
        """Why a document can never run; None when it can."""
        return self._engine.refusal_of(text, introspection=self._introspection)

    def subscribe(
        self, request: GraphQLRequest, transaction: Transaction, caller: Caller | None, request_id: str
    ) -> Feed | dict[str, Any]:
        """A subscription that has begun, or the response map that says why it cannot. Raises: HttpRefusal (429)."""
        expected = self._engine.expected(request.query, request.operation_name, introspection=self._introspection)
        with charged(self._budgets, _payer(caller), EVENT, expected.reading, _now()):
            begun = self._engine.subscribe(
                request.query,
                request.variables,
                request.operation_name,
                Session(transaction, self._viewer(caller), _now(), self._limits, self._memory),
                request_id=request_id,
                introspection=self._introspection,
            )
        return begun if isinstance(begun, dict) else SessionFeed(begun, self)

    def step(
        self, stream: Stream, tail: Tail, transaction: Transaction, caller: Caller | None, request_id: str
    ) -> FeedStep:
        """The next event of a subscription, paid for by whom its credentials name now. Raises: HttpRefusal (429)."""
        with charged(self._budgets, _payer(caller), EVENT, 0, _now()) as charge:
            session = self._session(transaction, caller, charge)
            try:
                return FeedStep(*stream.step(session, tail, request_id))
            finally:
                charge.meter.cost = session.cost

    def _session(self, transaction: Transaction, caller: Caller | None, charge: Charge) -> Session:
        session = Session(transaction, self._viewer(caller), _now(), self._limits, self._memory)
        session.allowance = charge.allowance
        return session

    def write(
        self, request: GraphQLRequest, database: Database, caller: Caller | None, request_id: str
    ) -> dict[str, Any]:
        """The response map of a mutation. Raises: HttpRefusal (429)."""

        def run(charge: Charge) -> dict[str, Any]:
            @contextmanager
            def begin() -> Iterator[WriteSession]:
                with database.write() as transaction:
                    session = WriteSession(transaction, self._viewer(caller), _now(), self._limits)
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

    def _viewer(self, caller: Caller | None) -> Viewer | Newcomer | None:
        if caller is None:
            return None
        if caller.login_id is None:
            return Newcomer(caller.user_name, caller.scopes)
        return Viewer(
            caller.login_id,
            caller.user_name,
            acting_user=caller.acting_user,
            scopes=caller.scopes,
            is_system_administrator=caller.user_name in self._administrators,
            token_id=caller.token_id,
            token_expires_at=caller.expires_at_ms,
        )


class SessionFeed:
    """A subscription under way: each step is a session of its own, of whoever its credentials name then."""

    def __init__(self, stream: Stream, graph: SessionGraph) -> None:
        self._stream = stream
        self._graph = graph
        self.begins = stream.begins

    def step(self, tail: Tail, transaction: Transaction, caller: Caller | None, request_id: str) -> FeedStep:
        """The next event after `tail` in this snapshot."""
        return self._graph.step(self._stream, tail, transaction, caller, request_id)


def _payer(caller: Caller | None) -> Hashable:
    if caller is None:
        return ANONYMOUS
    return NEWCOMERS if caller.login_id is None else caller.login_id


def _now() -> Instant:
    return Instant(time.time_ns() // 1_000_000)


def graph_for(settings: Settings) -> Graph:
    """The graph under these settings."""
    return SessionGraph(settings)
