"""Connections as uvicorn keeps them, with the limits it leaves to a proxy: who sends or reads nothing is let go.

Nothing here knows what a request asks. It ends connections that would cost memory or a place for nothing: a head that
is endless or never ends, an answer nobody reads, a flood of pings or of empty pieces of a message.
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
HEAD_SECONDS = 10.0
"""How long a head may take to arrive, from the connection's beginning or its own first byte."""
UNREAD_SECONDS = 30.0
"""After this without taking a byte of its answer a client is gone, whatever its TCP says."""
MOST_UNSENT = 64 * 1024
"""Bytes of pongs that may wait for a client that sends pings and does not read."""
MOST_PIECES = 1_000
"""Frames of one WebSocket message; clients send one."""

WHOLE_BODY = "adgraph.whole_body"
"""Stands in the scope of a request whose body is all there, so that nobody has to be patient."""

_REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}


class _HeadTooLong(Exception):
    """Stops the parser."""


class HttpConnection(HttpToolsProtocol):
    """An HTTP connection whose heads are bounded in length and time, and whose answers are read or dropped."""

    _head_timer: TimerHandle | None = None
    _unread_timer: TimerHandle | None = None
    _head_size = 0
    _head_begins = False
    """Whether the bytes just taken began a head and did not end it."""
    _too_long = False
    _under_way = 0
    """Requests whose answers are not handed over yet."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connected; his first head has to come."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over; nothing is waited for any more."""
        for timer in (self._head_timer, self._unread_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More bytes. Those of a head are counted as they come: the parser itself would keep any number."""
        super().data_received(data)
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
        self._head_begins = True

    def on_headers_complete(self) -> None:
        """All of a head is there. Raises: _HeadTooLong, which the parser turns into its own error."""
        self._head_begins = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > LONGEST_HEAD:
            self._too_long = True
            raise _HeadTooLong
        self._under_way += 1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The last byte of a request. Mostly it comes with the first, before anybody looks at the request."""
        super().on_message_complete()
        self.scope[WHOLE_BODY] = True  # type: ignore[literal-required]

    def on_response_complete(self) -> None:
        """An answer is handed over; what the client has not taken of it lies in memory."""
        self._under_way -= 1
        super().on_response_complete()
        self._watch_reader(None)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is answered in JSON like everything else."""
        self._refuse(_head_too_long() if self._too_long else bad_request("What arrived is not an HTTP request."))

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
        body = refusal.body()
        headers = {
            **SAFE_HEADERS,
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        head = [f"HTTP/1.1 {refusal.status} {_REASONS[refusal.status]}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        self.transport.write("\r\n".join([*head, "", ""]).encode() + body)
        self.transport.close()


def _head_too_long() -> HttpRefusal:
    message = f"The address and headers are longer than {LONGEST_HEAD} bytes; send long documents by POST."
    return HttpRefusal(431, "PAYLOAD_TOO_LARGE", message)


class SocketConnection(WebSocketsSansIOProtocol):
    """A WebSocket whose control frames and pieces are bounded; whole messages wait until the one before is taken."""

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
