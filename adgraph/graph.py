"""Where the transports hand over to the graph: a request, a caller and a snapshot in, the response map out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from adgraph.auth import Caller
from adgraph.operations import Feed, FeedStep, Graph, Kind
from adgraph.settings import Settings
from adgraph.wire import GraphQLRequest
from resolvers.changes import Tail
from resolvers.session import Limits, Newcomer, Session, Viewer
from resolvers.writing import WriteSession
from storage.database import Database, Transaction
from storage.records.ids import Instant

if TYPE_CHECKING:
    from schema.streams import Stream


class SessionGraph:
    """The graph under some settings: sessions are made here, from callers, clocks and limits."""

    def __init__(self, settings: Settings) -> None:
        # Building the schema takes a moment, so it happens here and not at import.
        from schema.execution import engine

        self._engine = engine()
        self._limits = Limits(max_nodes=settings.max_nodes, seconds=settings.request_timeout_ms / 1_000)
        self._introspection = settings.allows_introspection
        self._administrators = settings.system_administrators

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
            self._session(transaction, caller),
            request_id=request_id,
            introspection=self._introspection,
            reads_only=reads_only,
        )

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
        """A subscription that has begun, or the response map that says why it cannot."""
        begun = self._engine.subscribe(
            request.query,
            request.variables,
            request.operation_name,
            self._session(transaction, caller),
            request_id=request_id,
            introspection=self._introspection,
        )
        return begun if isinstance(begun, dict) else SessionFeed(begun, self._session)

    def _session(self, transaction: Transaction, caller: Caller | None) -> Session:
        return Session(transaction, self._viewer(caller), _now(), self._limits)

    def write(
        self, request: GraphQLRequest, database: Database, caller: Caller | None, request_id: str
    ) -> dict[str, Any]:
        """The response map of a mutation."""

        @contextmanager
        def begin() -> Iterator[WriteSession]:
            with database.write() as transaction:
                yield WriteSession(transaction, self._viewer(caller), _now(), self._limits)

        return self._engine.execute(
            request.query,
            request.variables,
            request.operation_name,
            None,
            request_id=request_id,
            introspection=self._introspection,
            begin_write=begin,
        )

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

    def __init__(self, stream: Stream, session: Callable[[Transaction, Caller | None], Session]) -> None:
        self._stream = stream
        self._session = session
        self.begins = stream.begins

    def step(self, tail: Tail, transaction: Transaction, caller: Caller | None, request_id: str) -> FeedStep:
        """The next event after `tail` in this snapshot."""
        return FeedStep(*self._stream.step(self._session(transaction, caller), tail, request_id))


def _now() -> Instant:
    return Instant(time.time_ns() // 1_000_000)


def graph_for(settings: Settings) -> Graph:
    """The graph under these settings."""
    return SessionGraph(settings)
