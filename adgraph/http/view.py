"""The GraphQL endpoint: one HTTP request becomes one document run over one snapshot, and its answer JSON.

Follows GraphQL over HTTP. Under `application/graphql-response+json` the status says whether there is data (400 for a
document that cannot run); under plain `application/json` every well-formed request gets 200. What the document may ask
is `schema`'s business, who asks is `identity`'s.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adgraph.http.connections import WHOLE_BODY
from adgraph.http.leaving import CancelledWhenGone
from adgraph.identity.auth import Credentials
from adgraph.observability.telling import CLIENT_LEFT, Told, request_id_of
from adgraph.operations.run import Asked, Live, Operations
from adgraph.protocol.negotiation import GRAPHQL_RESPONSE, HTML, JSON, preferred
from adgraph.protocol.origins import foreign_refused, is_foreign_get
from adgraph.protocol.refusals import SAFE_HEADERS, HttpRefusal, method_not_allowed, refusal_response, unexpected
from adgraph.protocol.wire import (
    GraphQLRequest,
    check_content_type,
    headers_of,
    parse_body,
    parse_query_string,
    read_body,
)
from adgraph.settings import Settings

log = logging.getLogger("adgraph.requests")

OFFERS = (JSON, GRAPHQL_RESPONSE)
READING = ("GET", "HEAD")
"""Methods that ask by the address alone; the server leaves the body out where HEAD wants it."""
_STATUS_BY_CODE = {"UNAUTHENTICATED": 401, "FORBIDDEN": 403, "INTERNAL_SERVER_ERROR": 500, "METHOD_NOT_ALLOWED": 405}
"""What a code says in HTTP when there is no data at all; every other code is the request's own fault: 400."""


_VARY = "Accept, Authorization, ActAs"
_FIXED_HEADERS = [(name.lower().encode(), value.encode()) for name, value in {**SAFE_HEADERS, "Vary": _VARY}.items()]
_TYPE_HEADERS = {media: (b"content-type", f"{media}; charset=utf-8".encode()) for media in OFFERS}


class Received(NamedTuple):
    """One HTTP request. `headers` are those of `wire.headers_of`."""

    scope: Scope
    receive: Receive
    method: str
    headers: Mapping[str, str]


class Answer(NamedTuple):
    """What goes out: a status and the JSON of a media type."""

    status: int
    body: bytes
    media_type: str

    async def send(self, send: Send, request_id: str) -> None:
        """Send it. Not by a `Response`, which reads and writes each header again for every small answer."""
        headers = [
            *_FIXED_HEADERS,
            _TYPE_HEADERS[self.media_type],
            (b"content-length", str(len(self.body)).encode()),
            (b"x-request-id", request_id.encode()),
        ]
        if self.status == 405:
            headers.append((b"allow", b"POST"))
        if self.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class GraphQLEndpoint:
    """The ASGI application behind /graphql. `page` answers browsers, when the IDE is on."""

    def __init__(self, settings: Settings, operations: Operations, page: Callable[[], Response] | None = None) -> None:
        self._settings = settings
        self._operations = operations
        self._page = page
        reads = ("GET", "HEAD") if settings.get_queries or page else ()
        self._methods = (*reads, "OPTIONS", "POST")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; whatever happens, the answer is JSON (or the page) and carries a request id."""
        request = Received(scope, receive, scope["method"], headers_of(scope["headers"]))
        told = Told("http", request_id_of(request.headers.get("x-request-id")))
        what = f"{request.method} /graphql"
        try:
            response = await self._respond(request, told)
        except ClientDisconnect:
            told.code = CLIENT_LEFT
            told.answered(what)
            return
        if isinstance(response, Answer):
            await response.send(send, told.request_id)
            told.answered(what, response.status)
            return
        response.headers["X-Request-Id"] = told.request_id
        response.headers["Vary"] = _VARY
        await response(scope, receive, send)
        told.answered(what, response.status_code)

    async def _respond(self, request: Received, told: Told) -> Answer | Response:
        accept = request.headers.get("accept")
        if request.method in READING and self._page and preferred(accept, (*OFFERS, HTML)) == HTML:
            return self._page()
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**SAFE_HEADERS, "Allow": ", ".join(self._methods)})
        media_type = preferred(accept, OFFERS)
        try:
            return await self._run(request, told, media_type)
        except HttpRefusal as refusal:
            told.code = refusal.code
            return refusal_response(refusal, media_type or JSON)
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("unexpected error", extra={"request_id": told.request_id})
            told.code = "INTERNAL_SERVER_ERROR"
            return refusal_response(unexpected(told.request_id), media_type or JSON)

    async def _run(self, request: Received, told: Told, media_type: str | None) -> Answer:
        """Read the request here, do everything else in a thread."""
        if request.method not in self._methods:
            raise method_not_allowed(request.method, self._methods)
        if media_type is None:
            raise _not_acceptable(request.headers.get("accept"))
        reads_only = request.method in READING
        parse = self._query_parser(request) if reads_only else await self._body_parser(request)
        deadline = self._operations.deadline()
        credentials = Credentials.of_headers(request.headers)
        asked = Asked(parse, credentials, told, request.headers, deadline, reads_only=reads_only)

        def shape(result: dict[str, Any]) -> Answer:
            return Answer(_status(result, media_type), orjson.dumps(result), media_type)

        with CancelledWhenGone(request.receive, deadline):
            answer = await self._operations.run(request.scope["app"].state.database, asked, shape)
        if isinstance(answer, Live):
            raise TypeError("a subscription has begun that nobody can follow")
        return answer

    def _query_parser(self, request: Received) -> Callable[[], GraphQLRequest]:
        if not self._settings.get_queries:
            raise method_not_allowed(request.method, ("OPTIONS", "POST"))
        if is_foreign_get(request.headers, self._settings.allowed_origins):
            raise foreign_refused()
        return partial(parse_query_string, request.scope["query_string"].decode("latin-1"))

    async def _body_parser(self, request: Received) -> Callable[[], GraphQLRequest]:
        check_content_type(request.headers.get("content-type"), request.headers.get("content-encoding"))
        declared = request.headers.get("content-length")
        timeout_ms = self._settings.request_timeout_ms
        reading = read_body(request.receive, declared, self._settings.max_body_bytes)
        if WHOLE_BODY in request.scope:  # a timer costs as much as all else that is done here
            return partial(parse_body, await reading)
        try:
            async with asyncio.timeout(timeout_ms / 1_000):
                body = await reading
        except TimeoutError:
            raise _late_body(timeout_ms) from None
        return partial(parse_body, body)


def _status(result: dict[str, Any], media_type: str) -> int:
    """The status of a well-formed request; see the module's first lines."""
    if result.get("data") is not None:
        return 200
    codes = [error.get("extensions", {}).get("code") for error in result.get("errors", ())]
    if "METHOD_NOT_ALLOWED" in codes:
        return 405
    if "REQUEST_TIMEOUT" in codes:
        return 503
    if media_type == JSON:
        return 200
    return max((_STATUS_BY_CODE.get(code, 400) for code in codes), default=400)


def _late_body(timeout_ms: int) -> HttpRefusal:
    message = f"The body did not arrive within {timeout_ms} ms; send it again."
    return HttpRefusal(408, "REQUEST_TIMEOUT", message, headers={"Connection": "close"})


def _not_acceptable(accept: str | None) -> HttpRefusal:
    return HttpRefusal(
        406, "NOT_ACCEPTABLE", f"Answers are {' or '.join(OFFERS)}, and the request accepts neither: Accept: {accept}"
    )
