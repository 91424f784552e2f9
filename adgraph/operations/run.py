"""The one way an operation is run, by HTTP and over a socket: who asks, which document, which snapshot, what answer.

Everything that touches the database or the graph happens in a thread of `Workers`. What goes wrong comes out as an
`HttpRefusal`; whoever called puts it into the form of its transport.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from adgraph.identity.auth import Caller, Credentials, Door, Presented, anonymous_or_caller, note_use, required_caller
from adgraph.observability.telling import Told
from adgraph.observability.tracing import Tracing
from adgraph.operations.documents import Documents
from adgraph.operations.workers import Workers
from adgraph.protocol.refusals import HttpRefusal, bad_request, unexpected
from adgraph.protocol.wire import GraphQLRequest
from resolvers.changes import Tail
from resolvers.errors import Refusal
from storage.database import Database, Transaction
from storage.deadlines import Deadline
from storage.errors import StorageBusy, StorageError

log = logging.getLogger("adgraph.requests")

Kind = Literal["query", "mutation", "subscription"]
ResponseMap = dict[str, Any]
T = TypeVar("T")


class FeedStep(NamedTuple):
    """How far a feed has come, and the response map of its event, if there was one."""

    tail: Tail
    response: ResponseMap | None


class Feed(Protocol):
    """A subscription under way, between its steps."""

    @property
    def begins(self) -> Tail:
        """How far it has come before its first step."""
        ...

    def step(self, tail: Tail, transaction: Transaction, caller: Caller | None, request_id: str) -> FeedStep:
        """The next event after `tail` in this snapshot."""
        ...


class Graph(Protocol):
    """Runs documents and returns response maps; no `data` in one means that it could not run."""

    def kind(self, request: GraphQLRequest) -> Kind | None:
        """What the request is; None when it cannot be run."""
        ...

    def admit(self, caller: Caller | None) -> None:
        """Let a caller's request be looked at. Raises: HttpRefusal (429) when the budget is used up."""
        ...

    def refusal_of(self, text: str) -> ResponseMap | None:
        """Why a document can never run; None when it can."""
        ...

    def __call__(
        self,
        request: GraphQLRequest,
        transaction: Transaction,
        caller: Caller | None,
        request_id: str,
        *,
        reads_only: bool,
    ) -> ResponseMap:
        """Run a query over one snapshot. Raises: whatever nobody foresaw."""
        ...

    def write(self, request: GraphQLRequest, database: Database, caller: Caller | None, request_id: str) -> ResponseMap:
        """Run a mutation, each root field in a write transaction of its own."""
        ...

    def subscribe(
        self, request: GraphQLRequest, transaction: Transaction, caller: Caller | None, request_id: str
    ) -> Feed | ResponseMap:
        """Begin a subscription, or say why it cannot."""
        ...


class Asked(NamedTuple):
    """One operation as a transport hands it over. `parse` is run in the thread; it raises HttpRefusal."""

    parse: Callable[[], GraphQLRequest]
    credentials: Credentials
    told: Told
    headers: Mapping[str, str] = {}
    """Where the caller's own trace is found, if he has one."""
    deadline: Deadline | None = None
    """When it has to be over; None means the usual time from when it is begun."""
    reads_only: bool = False
    """Refuse mutations: the request may be repeated by anybody (GET)."""
    subscribes: bool = False
    """Whether the transport can carry more than one answer."""

    @property
    def request_id(self) -> str:
        """By which it is found in the log."""
        return self.told.request_id


class Operations:
    """Runs operations. `shape` makes of a response map what the transport sends, still in the thread."""

    def __init__(
        self,
        graph: Graph,
        documents: Documents,
        workers: Workers,
        on_write: Callable[[], None],
        door: Door,
        tracing: Tracing | None = None,
    ) -> None:
        self._graph = graph
        self._documents = documents
        self._workers = workers
        self._on_write = on_write
        self._door = door
        self._tracing = tracing or Tracing(None)

    def deadline(self) -> Deadline:
        """When an operation that is asked for now has to be over."""
        return self._workers.deadline()

    async def run(self, database: Database, asked: Asked, shape: Callable[[ResponseMap], T]) -> T | Live[T]:
        """The answer, or a subscription that has begun. Raises: HttpRefusal."""

        def work() -> tuple[T | Live[T], Caller | None]:
            with self._tracing.operation(asked.headers, asked.request_id) as span:
                outcome, caller = self._outcome(database, asked)
                told = asked.told
                span.note("graphql.operation.type", told.kind)
                if isinstance(outcome, dict):
                    told.code = _first_code(outcome)
                    told.cost = outcome.get("extensions", {}).get("cost", {}).get("actual")
                    if told.code:
                        span.failed(told.code)
                    return shape(outcome), caller
            return Live(self, database, asked, outcome, shape), caller

        answer, caller = await self._work(work, asked.request_id, asked.deadline)
        if caller and caller.use_is_due:
            self._workers.start(partial(note_use, database, caller, _now_ms()))
        return answer

    async def caller(self, database: Database, credentials: Credentials, request_id: str) -> Caller:
        """Who asks, by the function every request goes through; somebody must. Raises: HttpRefusal."""

        def work() -> Caller:
            with self._asked_by(database, credentials, required_caller) as (_, caller):
                if caller is None:
                    raise TypeError("somebody is required, and nobody was found")
                return caller

        return await self._work(work, request_id)

    async def step(self, live: Live[T], tail: Tail) -> tuple[Tail, T | None]:
        """The next event of a subscription, over a snapshot of now, for whoever its credentials name now."""
        asked = live.asked

        def work() -> tuple[Tail, T | None]:
            with self._asked_by(live.database, asked.credentials) as (transaction, caller):
                step = live.feed.step(tail, transaction, caller, asked.request_id)
            return step.tail, None if step.response is None else live.shape(step.response)

        return await self._work(work, asked.request_id)

    async def _work(self, work: Callable[[], T], request_id: str, deadline: Deadline | None = None) -> T:
        """What `work` returns, from a thread. Raises: HttpRefusal for whatever goes wrong."""
        try:
            return await self._workers.run(work, deadline)
        except HttpRefusal:
            raise
        except StorageError as problem:
            raise _storage_refusal(problem, request_id) from problem
        except Refusal as refusal:
            raise HttpRefusal(503, str(refusal.code), refusal.message, request_id=request_id) from refusal
        except RecursionError:
            raise bad_request("The document or its variables are nested too deeply.") from None
        except Exception as problem:
            log.exception("unexpected error", extra={"request_id": request_id})
            raise unexpected(request_id) from problem

    def _outcome(self, database: Database, asked: Asked) -> tuple[ResponseMap | Feed, Caller | None]:
        sent, told = asked.parse(), asked.told
        with self._asked_by(database, asked.credentials) as (transaction, caller):
            told.login_id = caller and caller.login_id
            # Before anything is read or checked for him: who has nothing left costs nothing more.
            self._graph.admit(caller)
            request = self._documents.asked(sent)
            if isinstance(request, dict):
                return request, caller
            kind = self._graph.kind(request)
            told.kind = kind or ""
            if kind == "subscription" and asked.subscribes:
                return self._graph.subscribe(request, transaction, caller, asked.request_id), caller
            if kind != "mutation" or asked.reads_only:
                run = partial(self._graph, reads_only=asked.reads_only)
                result = run(request, transaction, caller, asked.request_id)
                told.statements = transaction.statements
                return result, caller
        self._workers.step_aside()  # writers wait for each other and for the disk
        result = self._graph.write(request, database, caller, asked.request_id)
        self._on_write()
        return result, caller

    @contextmanager
    def _asked_by(
        self,
        database: Database,
        credentials: Credentials,
        judge: Callable[[Transaction, Presented, int], Caller | None] = anonymous_or_caller,
    ) -> Iterator[tuple[Transaction, Caller | None]]:
        """A snapshot, and whom the credentials name in it: every operation and every event begins here."""
        # Before the transaction: it may wait for the keys of an identity provider.
        presented = self._door.identify(credentials)
        with database.read() as transaction:
            yield transaction, judge(transaction, presented, _now_ms())


class Live(Generic[T]):
    """A subscription that has begun: its steps are taken one after the other by whoever sends the events."""

    def __init__(
        self,
        operations: Operations,
        database: Database,
        asked: Asked,
        feed: Feed,
        shape: Callable[[ResponseMap], T],
    ) -> None:
        self._operations = operations
        self.database = database
        self.asked = asked
        self.feed = feed
        self.shape = shape

    async def step(self, tail: Tail) -> tuple[Tail, T | None]:
        """How far it has come after the next step, and the event to send, if there was one. Raises: HttpRefusal.

        After an error the same step may be taken again.
        """
        return await self._operations.step(self, tail)


def _first_code(response: ResponseMap) -> str:
    errors = response.get("errors")
    return str(errors[0].get("extensions", {}).get("code", "")) if errors else ""


def expires_at_ms(caller: Caller) -> int:
    """When the caller's credentials stop working by themselves, in milliseconds since 1970."""
    return caller.expires_at_ms


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _storage_refusal(problem: StorageError, request_id: str) -> HttpRefusal:
    """Storage's sentences are written for strangers; its causes are for the log."""
    log.error("%s", problem, exc_info=problem, extra={"request_id": request_id})
    if isinstance(problem, StorageBusy):
        return HttpRefusal(503, "STORAGE_BUSY", str(problem), headers={"Retry-After": "1"}, request_id=request_id)
    return HttpRefusal(503, "STORAGE_UNAVAILABLE", str(problem), request_id=request_id)
