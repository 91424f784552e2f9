"""Connections as uvicorn keeps them, with the limits it leaves to a proxy: who sends or reads nothing is let go.

Nothing here knows what a request asks. It ends connections that would cost memory or a place for nothing: a head or
trailers without end, a body nobody waits for any more, an answer nobody reads, a flood of pings or of empty pieces of a
message, a change of protocol that leaves bytes behind to be taken for another request.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from adgraph.protocol.refusals import SAFE_HEADERS, HttpRefusal, bad_request

log = logging.getLogger("adgraph.connections")

LONGEST_HEAD = 64 * 1024
"""Bytes of a request's address and headers: a document by GET, and a token of 8 KiB, fit many times."""
BYTES_BESIDE_A_BYTE = 16
"""Of a body that comes in pieces: lengths, line ends and extensions for each byte of it. The smallest piece has 5."""
HEAD_SECONDS = 10.0
"""How long a head may take to arrive, from the connection's beginning or its own first byte."""
LINGER_SECONDS = 10.0
"""How long the rest of a body may still come when its request is answered already."""
UNREAD_SECONDS = 30.0
"""After this without taking a byte of its answer a client is gone, whatever its TCP says."""
MOST_UNSENT = 64 * 1024
"""Bytes of pongs that may wait for a client that sends pings and does not read."""
MOST_PIECES = 1_000
"""Frames of one WebSocket message; clients send one."""

WHOLE_BODY = "adgraph.whole_body"
"""Stands in the scope of a request whose body is all there, so that nobody has to be patient."""

_REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}


class _Refused(Exception):
    """Stops the parser."""


class HttpConnection(HttpToolsProtocol):
    """An HTTP connection whose heads are bounded in length and time, and whose answers are read or dropped."""

    _head_timer: TimerHandle | None = None
    _unread_timer: TimerHandle | None = None
    _linger_timer: TimerHandle | None = None
    _in_head = False
    _in_body = False
    """Whether a request has begun whose last byte has not come."""
    _body_size = 0
    _beside_body = 0
    """Bytes that came for a body and are none of it: the frames of its pieces, and trailers."""
    _refusal: HttpRefusal | None = None
    """What the parser was stopped for."""
    _head_size = 0
    _head_begins = False
    """Whether the bytes just taken began a head and did not end it."""
    _under_way = 0
    """Requests whose answers are not handed over yet."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connected; his first head has to come."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over; nothing is waited for any more."""
        for timer in (self._head_timer, self._unread_timer, self._linger_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More bytes. Those of a head or of trailers are counted as they come: the parser would keep any number."""
        request, body_size = self.scope if self._in_body else None, self._body_size
        super().data_received(data)
        if self._in_body and self.scope is request:
            self._beside_body += len(data) - (self._body_size - body_size)
            if self._beside_body > LONGEST_HEAD + BYTES_BESIDE_A_BYTE * self._body_size:
                self._drop(_trailers_too_long())
        if self._head_begins:
            self._head_begins = False
            self._await_head()
        if self._head_timer is not None and not self.transport.is_closing():
            self._head_size += len(data)
            if self._head_size > LONGEST_HEAD:
                self._refuse(_head_too_long())

    def on_message_begin(self) -> None:
        """The first byte of a request. Its head mostly comes whole: then no clock is started for it."""
        super().on_message_begin()
        self._head_begins = self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. Trailers are none (RFC 9110, 6.5.1): who asks was settled before they came."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """All of a head is there. Raises: _Refused, which the parser turns into its own error."""
        self._head_begins = self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > LONGEST_HEAD:
            self._stop_parser(_head_too_long())
        if self.parser.should_upgrade() and (self._under_way or self._announces_body()):
            # What follows such a head is given up by the parser, and would be taken for another request.
            self._stop_parser(_upgrade_with_body())
        self._under_way += 1
        self._in_body, self._body_size, self._beside_body = True, 0, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._body_size += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The last byte of a request. Mostly it comes with the first, before anybody looks at the request."""
        self._in_body = False
        if self._linger_timer is not None:
            self._linger_timer.cancel()
            self._linger_timer = None
        super().on_message_complete()
        self.scope[WHOLE_BODY] = True  # type: ignore[literal-required]

    def on_response_complete(self) -> None:
        """An answer is handed over; what the client has not taken of it lies in memory."""
        self._under_way -= 1
        super().on_response_complete()
        if self._lingers:
            self._linger_timer = self.loop.call_later(LINGER_SECONDS, self._end_lingering)
        self._watch_reader(None)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is answered in JSON like everything else."""
        self._refuse(self._refusal or bad_request("What arrived is not an HTTP request."))

    @property
    def _lingers(self) -> bool:
        """Whether the request that comes in is answered already."""
        return self._in_body and self.cycle.response_complete

    def _end_lingering(self) -> None:
        self._linger_timer = None
        if self._lingers:
            self.transport.close()

    def _announces_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
            for name, value in self.headers
        )

    def _stop_parser(self, refusal: HttpRefusal) -> None:
        """Raises: _Refused."""
        self._refusal = refusal
        raise _Refused

    def _drop(self, refusal: HttpRefusal) -> None:
        """End it, with a word where none has been said."""
        if self.cycle.response_started:
            self.transport.abort()
        else:
            self._refuse(refusal)

    def _await_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
        self._head_size = 0
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_is_late(self) -> None:
        if self._under_way:
            # A request before it is still being answered: nobody need hurry.
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)
            return
        message = f"The request did not arrive within {HEAD_SECONDS:g} s; send it again."
        self._refuse(HttpRefusal(408, "REQUEST_TIMEOUT", message))

    def _watch_reader(self, before: int | None) -> None:
        unread = self.transport.get_write_buffer_size()
        self._unread_timer = None
        if unread and before is not None and unread >= before:
            log.warning("a client read nothing of its answer for %g s and was let go", UNREAD_SECONDS)
            self.transport.abort()
        elif unread:
            self._unread_timer = self.loop.call_later(UNREAD_SECONDS, self._watch_reader, unread)

    def _refuse(self, refusal: HttpRefusal) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(_as_bytes(refusal))
        self.transport.close()


def _as_bytes(refusal: HttpRefusal) -> bytes:
    """A whole HTTP answer, the last of its connection."""
    body = refusal.body()
    headers = {
        **SAFE_HEADERS,
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    head = [f"HTTP/1.1 {refusal.status} {_REASONS[refusal.status]}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*head, "", ""]).encode() + body


def _head_too_long() -> HttpRefusal:
    message = f"The address and headers are longer than {LONGEST_HEAD} bytes; send long documents by POST."
    return HttpRefusal(431, "PAYLOAD_TOO_LARGE", message)


def _trailers_too_long() -> HttpRefusal:
    message = "There is far more around the pieces of the body than in them; send it whole, with a Content-Length."
    return HttpRefusal(431, "PAYLOAD_TOO_LARGE", message)


def _upgrade_with_body() -> HttpRefusal:
    return bad_request(
        "A request that asks for another protocol has no body here and comes alone; send it without the Upgrade header."
    )


class SocketConnection(WebSocketsSansIOProtocol):
    """A WebSocket whose control frames and pieces are bounded; whole messages wait until the one before is taken."""

    def data_received(self, data: bytes) -> None:
        """More bytes; the first are the whole head of the handshake, and one that cannot be read is answered."""
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(_as_bytes(bad_request("This is no WebSocket handshake that can be read.")))
            self.transport.close()

    def shutdown(self) -> None:
        """The server stops. A connection in whatever state must not keep the others from ending in order."""
        try:
            super().shutdown()
        except Exception:
            log.warning("a WebSocket could not be closed in order and was cut", exc_info=True)
            self.transport.abort()

    def handle_ping(self) -> None:
        """Answer, unless answers pile up unread."""
        super().handle_ping()
        if self.transport.get_write_buffer_size() > MOST_UNSENT:
            self.transport.abort()

    def handle_cont(self, event: Any) -> None:
        """One more piece of a message; empty ones never reach the limit on its length."""
        if len(self.frames) >= MOST_PIECES:
            self.transport.abort()
        else:
            super().handle_cont(event)
