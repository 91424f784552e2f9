"""A client of graphql-transport-ws, over Starlette's test client: in the same process, message by message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

PROTOCOL = "graphql-transport-ws"


class Socket:
    """One connection."""

    def __init__(self, session: WebSocketTestSession) -> None:
        self.session = session

    def send(self, message: Any) -> None:
        """Send one message, whatever it is."""
        self.session.send_text(message if isinstance(message, str) else json.dumps(message))

    def subscribe(self, key: str, query: str, **more: Any) -> None:
        """Ask for an operation."""
        self.send({"type": "subscribe", "id": key, "payload": {"query": query, **more}})

    def receive(self) -> Any:
        """The next message. Raises: WebSocketDisconnect when there is none any more."""
        frame = self.session.receive()
        if frame["type"] == "websocket.close":
            raise WebSocketDisconnect(frame["code"], frame["reason"])
        return json.loads(frame["text"])

    def answer(self, key: str, query: str, **more: Any) -> Any:
        """The one answer of a query or mutation that runs."""
        self.subscribe(key, query, **more)
        told = self.receive()
        assert (told["type"], told["id"]) == ("next", key), told
        assert self.receive() == {"type": "complete", "id": key}
        return told["payload"]

    def error(self, key: str, query: str, **more: Any) -> Any:
        """The first error of an operation that does not run."""
        self.subscribe(key, query, **more)
        told = self.receive()
        assert (told["type"], told["id"]) == ("error", key), told
        return told["payload"][0]

    def closed(self) -> tuple[int, str]:
        """How the server ends the connection, after whatever it still says."""
        while True:
            try:
                self.receive()
            except WebSocketDisconnect as end:
                return end.code, end.reason


@contextmanager
def opened(client: TestClient, *, headers: dict[str, str] | None = None) -> Iterator[Socket]:
    """A connection that nobody has introduced himself on."""
    with client.websocket_connect("/graphql", [PROTOCOL], headers=dict(headers or {})) as session:
        yield Socket(session)


@contextmanager
def connected(client: TestClient, token: str, **payload: str) -> Iterator[Socket]:
    """A connection of the token's login."""
    with opened(client) as socket:
        socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {token}", **payload}})
        assert socket.receive() == {"type": "connection_ack"}
        yield socket
