"""The GraphQL endpoint: one HTTP request becomes one document run over one snapshot, and its answer JSON.

Follows GraphQL over HTTP. Under `application/graphql-response+json` the status says whether there is data (400 for a
document that cannot run); under plain `application/json` every well-formed request gets 200. What the document may ask
is `schema`'s business, who asks is `auth`'s.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adgraph.auth import Caller, Credentials, anonymous_or_caller, note_use
from adgraph.negotiation import GRAPHQL_RESPONSE, HTML, JSON, preferred
from adgraph.refusals import SAFE_HEADERS, HttpRefusal, bad_request, method_not_allowed, refusal_response, unexpected
from adgraph.settings import Settings
from adgraph.wire import GraphQLRequest, check_content_type, parse_body, parse_query_string, read_body
from adgraph.workers import Workers
from storage.database import Database, Transaction
from storage.errors import StorageBusy, StorageError

log = logging.getLogger("adgraph.requests")

OFFERS = (JSON, GRAPHQL_RESPONSE)
ALLOWED_METHODS = ("GET", "POST")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")

_PROCESS = uuid4().hex[:20]
_REQUESTS = count(1)
"""Request ids: which process, and its how many-th request."""

_STATUS_BY_CODE = {"UNAUTHENTICATED": 401, "FORBIDDEN": 403, "INTERNAL_SERVER_ERROR": 500, "METHOD_NOT_ALLOWED": 405}
"""What a code says in HTTP when there is no data at all; every other code is the request's own fault: 400."""


class Graph(Protocol):
    """Runs a document over one snapshot and returns the response map; no `data` in it means it could not run."""

    def __call__(
        self,
        request: GraphQLRequest,
        transaction: Transaction,
        caller: Caller | None,
        request_id: str,
        *,
        reads_only: bool,
    ) -> dict[str, Any]:
        """Raises: whatever nobody foresaw."""
        ...

    def writes(self, request: GraphQLRequest) -> bool:
        """Whether the request is a mutation: it begins transactions of its own."""
        ...

    def write(
        self, request: GraphQLRequest, database: Database, caller: Caller | None, request_id: str
    ) -> dict[str, Any]:
        """Run a mutation, each root field in a write transaction of its own."""
        ...


class Answer(NamedTuple):
    """What goes out: a status and the JSON."""

    status: int
    body: bytes


class GraphQLEndpoint:
    """The ASGI application behind /graphql. `page` answers browsers, when the IDE is on."""

    def __init__(
        self, settings: Settings, workers: Workers, graph: Graph, page: Callable[[], Response] | None = None
    ) -> None:
        self._settings = settings
        self._workers = workers
        self._graph = graph
        self._page = page
        self._methods = ALLOWED_METHODS if settings.get_queries or page else ("POST",)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; whatever happens, the answer is JSON (or the page) and carries a request id."""
        request = Request(scope, receive)
        request_id = request_id_of(request.headers.get("x-request-id"))
        started = time.perf_counter()
        try:
            response = await self._respond(request, request_id)
        except ClientDisconnect:
            return
        response.headers["X-Request-Id"] = request_id
        response.headers["Vary"] = "Accept, Authorization"
        elapsed_ms = (time.perf_counter() - started) * 1_000
        log.info("%s /graphql %d %.1f ms request=%s", request.method, response.status_code, elapsed_ms, request_id)
        await response(scope, receive, send)

    async def _respond(self, request: Request, request_id: str) -> Response:
        accept = request.headers.get("accept")
        if request.method == "GET" and self._page and preferred(accept, (*OFFERS, HTML)) == HTML:
            return self._page()
        media_type = preferred(accept, OFFERS)
        try:
            answer = await self._run(request, request_id, media_type)
        except HttpRefusal as refusal:
            return refusal_response(refusal, media_type or JSON)
        except ClientDisconnect:
            raise
        except StorageError as problem:
            return refusal_response(_storage_refusal(problem, request_id), media_type or JSON)
        except Exception:
            log.exception("unexpected error request=%s", request_id)
            return refusal_response(unexpected(request_id), media_type or JSON)
        headers = {**SAFE_HEADERS, "Content-Type": f"{media_type}; charset=utf-8"}
        if answer.status == 405:
            headers["Allow"] = "POST"
        if answer.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return Response(answer.body, answer.status, headers)

    async def _run(self, request: Request, request_id: str, media_type: str | None) -> Answer:
        """Read the request here, do everything else in a thread."""
        if request.method not in self._methods:
            raise method_not_allowed(request.method, self._methods)
        if media_type is None:
            raise _not_acceptable(request.headers.get("accept"))
        reads_only = request.method == "GET"
        parse = self._query_parser(request) if reads_only else await self._body_parser(request)
        credentials = Credentials.of_headers(request.headers)
        database: Database = request.app.state.database
        now_ms = time.time_ns() // 1_000_000

        def work() -> tuple[Answer, Caller | None]:
            asked = parse()
            with database.read() as transaction:
                caller = anonymous_or_caller(transaction, credentials, now_ms)
                try:
                    writes = not reads_only and self._graph.writes(asked)
                    result = {}
                    if not writes:
                        result = self._graph(asked, transaction, caller, request_id, reads_only=reads_only)
                except RecursionError:
                    raise bad_request("The document or its variables are nested too deeply.") from None
            if writes:
                self._workers.step_aside()  # writers wait for each other and for the disk
                result = self._graph.write(asked, database, caller, request_id)
            return Answer(_status(result, media_type), orjson.dumps(result)), caller

        answer, caller = await self._workers.run(work)
        if caller and caller.use_is_due:
            self._workers.start(partial(note_use, database, caller, now_ms))
        return answer

    def _query_parser(self, request: Request) -> Callable[[], GraphQLRequest]:
        if not self._settings.get_queries:
            raise method_not_allowed("GET", ("POST",))
        return partial(parse_query_string, request.scope["query_string"].decode("latin-1"))

    async def _body_parser(self, request: Request) -> Callable[[], GraphQLRequest]:
        check_content_type(request.headers.get("content-type"), request.headers.get("content-encoding"))
        declared = request.headers.get("content-length")
        return partial(parse_body, await read_body(request.stream(), declared, self._settings.max_body_bytes))


def request_id_of(offered: str | None) -> str:
    """The caller's own request id when it is safe to log, else a new one."""
    return offered if offered and _REQUEST_ID.match(offered) else f"{_PROCESS}{next(_REQUESTS):012x}"


def _status(result: dict[str, Any], media_type: str) -> int:
    """The status of a well-formed request; see the module's first lines."""
    if result.get("data") is not None:
        return 200
    codes = [error.get("extensions", {}).get("code") for error in result.get("errors", ())]
    if "METHOD_NOT_ALLOWED" in codes:
        return 405
    if media_type == JSON:
        return 200
    return max((_STATUS_BY_CODE.get(code, 400) for code in codes), default=400)


def _not_acceptable(accept: str | None) -> HttpRefusal:
    return HttpRefusal(
        406, "NOT_ACCEPTABLE", f"Answers are {' or '.join(OFFERS)}, and the request accepts neither: Accept: {accept}"
    )


def _storage_refusal(problem: StorageError, request_id: str) -> HttpRefusal:
    """Storage's sentences are written for strangers; its causes are for the log."""
    log.error("%s request=%s", problem, request_id, exc_info=problem)
    if isinstance(problem, StorageBusy):
        return HttpRefusal(503, "STORAGE_BUSY", str(problem), headers={"Retry-After": "1"}, request_id=request_id)
    return HttpRefusal(503, "STORAGE_UNAVAILABLE", str(problem), request_id=request_id)
