"""What a connection may cost before its request is there and after it was answered, on a real socket."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Opcode

from adgraph.app import create_app
from adgraph.commands.serving import server_config
from adgraph.http import connections
from adgraph.http.connections import LONGEST_HEAD, MOST_PIECES, SocketConnection
from adgraph.settings import Settings
from tests.api.stub import StubGraph
from tests.databases import SqliteDatabases

BODY = b'{"query":"{ __typename }"}'
POST = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
Connect = Callable[[], socket.socket]


@contextmanager
def listening(app: Starlette, settings: Settings) -> Iterator[int]:
    """A server in a thread, made as `adgraph serve` makes one; its port."""
    server = uvicorn.Server(server_config(app, settings))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.fixture
def connect(empty_tables: str, tmp_path: Any) -> Iterator[Connect]:
    """Connects to a server that waits half a second for a body."""
    settings = Settings(database_url=SqliteDatabases(tmp_path).copy_of(empty_tables), request_timeout_ms=500)
    app = create_app(settings, graph=StubGraph(), queries=tmp_path / "none")
    with ExitStack() as stack:
        port = stack.enter_context(listening(app, settings))

        def opened() -> socket.socket:
            found = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            found.settimeout(10)
            return found

        yield opened


def everything(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def answer(connection: socket.socket) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of an answer after which the server closes."""
    head, _, body = everything(connection).partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers, json.loads(body)


def with_head_of(size: int) -> bytes:
    """A whole request whose address and headers have so many bytes."""
    sent = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: %s\r\n\r\n"
    counted = len("/healthz" + "Host" + "x" + "Connection" + "close" + "X")
    return sent % (b"a" * (size - counted))


def frame(opcode: Opcode, payload: bytes, *, last: bool = True) -> bytes:
    """A short masked frame; the mask is zero."""
    assert len(payload) < 126
    return bytes([(0x80 if last else 0) | opcode, 0x80 | len(payload)]) + bytes(4) + payload


def flood(connection: socket.socket, piece: bytes) -> None:
    """Send without reading. Raises: OSError once the server has closed."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        connection.sendall(piece)


def test_what_is_no_http_is_refused_in_json_with_the_usual_headers(connect: Connect) -> None:
    for sent in (b"\x16\x03\x01 hello\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n"):
        connection = connect()
        connection.sendall(sent)
        status, headers, told = answer(connection)
        assert (status, told["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
        assert headers["content-type"] == "application/json; charset=utf-8"
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_two_lengths_and_a_length_beside_chunks_are_refused(connect: Connect) -> None:
    for lengths in (
        b"Content-Length: 26\r\nContent-Length: 27\r\n",
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    ):
        connection = connect()
        connection.sendall(POST + lengths + b"\r\n" + BODY)
        assert answer(connection)[0] == 400


def test_a_head_just_within_the_limit_is_taken(connect: Connect) -> None:
    connection = connect()
    connection.sendall(with_head_of(LONGEST_HEAD))
    assert answer(connection)[0] == 200


def test_a_head_just_over_the_limit_is_refused(connect: Connect) -> None:
    connection = connect()
    connection.sendall(with_head_of(LONGEST_HEAD + 1))
    status, _, told = answer(connection)
    assert (status, told["errors"][0]["extensions"]["code"]) == (431, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("piece", [b"X: " + b"a" * 5_000 + b"\r\n", b"a" * 5_000], ids=["headers", "one header"])
def test_a_head_without_end_is_cut_off(connect: Connect, piece: bytes) -> None:
    connection = connect()
    connection.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
    with pytest.raises(OSError):
        flood(connection, piece)


def test_a_head_that_does_not_come_is_not_waited_for(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    for sent in (b"", b"POST /gra", b"POST /graphql HTTP/1.1\r\nHost: x\r\n"):
        connection = connect()
        connection.sendall(sent)
        status, _, told = answer(connection)
        assert (status, told["errors"][0]["extensions"]["code"]) == (408, "REQUEST_TIMEOUT")


def test_a_head_in_time_is_answered_however_slowly_it_came(connect: Connect) -> None:
    connection = connect()
    for part in (b"GET /heal", b"thz HTTP/1.1\r\nHost: x\r\nConn", b"ection: close\r\n\r\n"):
        connection.sendall(part)
        time.sleep(0.05)
    assert answer(connection)[0] == 200


def test_a_request_longer_than_heads_may_wait_is_answered(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    connection = connect()
    connection.sendall(POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY[:5])
    time.sleep(0.3)
    connection.sendall(BODY[5:])
    assert answer(connection)[0] == 200


def test_a_body_that_does_not_come_is_not_waited_for(connect: Connect) -> None:
    connection = connect()
    started = time.monotonic()
    connection.sendall(POST + b"Content-Length: 100\r\n\r\n{")
    status, _, told = answer(connection)
    assert (status, told["errors"][0]["extensions"]["code"]) == (408, "REQUEST_TIMEOUT")
    assert 0.49 <= time.monotonic() - started < 5  # timers of the loop count in milliseconds


def test_a_connection_serves_one_request_after_the_other(connect: Connect) -> None:
    connection = connect()
    for _ in range(3):
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
        assert b'"__typename"' in connection.recv(65_536)


def test_who_reads_nothing_of_an_answer_is_let_go(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 0.2)

    async def large(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            assert (await receive())["type"] == "lifespan.startup"
            await send({"type": "lifespan.startup.complete"})
            assert (await receive())["type"] == "lifespan.shutdown"
            await send({"type": "lifespan.shutdown.complete"})
            return
        size = 30_000_000
        length = [(b"content-length", str(size).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": bytes(size)})

    with ExitStack() as stack:
        port = stack.enter_context(listening(large, Settings()))  # type: ignore[arg-type]
        idle, reader = (stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(2))
        for one in (idle, reader):
            one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        found = 0
        while part := reader.recv(1_000_000):
            found += len(part)
            time.sleep(0.02)
        assert found > 30_000_000
        assert len(everything(idle)) < 30_000_000


def greeted(connection: socket.socket) -> socket.socket:
    """A WebSocket after its handshake."""
    connection.sendall(HANDSHAKE)
    assert b"101 Switching Protocols" in connection.recv(4_096)
    return connection


def test_pings_are_answered_while_somebody_reads_and_not_otherwise(connect: Connect) -> None:
    connection = greeted(connect())
    connection.sendall(frame(Opcode.PING, b"a"))
    assert connection.recv(100) == bytes([0x80 | Opcode.PONG, 1]) + b"a"
    with pytest.raises(OSError):
        flood(connection, frame(Opcode.PING, bytes(100)) * 1_000)


def test_a_message_in_so_many_pieces_is_taken_and_in_one_more_not(connect: Connect) -> None:
    ping = b'{"type":"ping"}'
    for pieces, taken in ((MOST_PIECES, True), (MOST_PIECES + 1, False)):
        connection = greeted(connect())
        empty = frame(Opcode.CONT, b"", last=False) * (pieces - 2)
        connection.sendall(frame(Opcode.TEXT, ping, last=False) + empty + frame(Opcode.CONT, b""))
        try:
            told = connection.recv(100)
        except ConnectionResetError:
            told = b""
        assert (b"pong" in told) is taken


# Bodies in pieces, trailers, and what is left of a body

CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def in_pieces(body: bytes, size: int) -> bytes:
    """A body in chunks of so many bytes; its end is not there yet."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in split(body, size))


def split(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def test_a_body_in_the_smallest_pieces_is_taken(connect: Connect) -> None:
    connection = connect()
    body = BODY + b" " * 100_000
    connection.sendall(
        CHUNKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + in_pieces(body, 1) + b"0\r\n\r\n"
    )
    assert answer(connection)[0] == 200


@pytest.mark.parametrize("piece", [b"a:\r\n" * 1_000, b"a: 1\r\n" * 1_000, b"a" * 4_000], ids=["short", "named", "one"])
@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", id="of a GET"),
        pytest.param(CHUNKED + in_pieces(BODY, 100) + b"0\r\n", id="of a POST"),
        pytest.param(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", id="to nobody"),
    ],
)
def test_trailers_without_end_are_cut_off(connect: Connect, head: bytes, piece: bytes) -> None:
    connection = connect()
    connection.sendall(head + (b"b: " if b":" not in piece else b""))
    started = time.monotonic()
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        flood(connection, piece)
    assert time.monotonic() - started < 5


def test_extensions_of_pieces_without_end_are_cut_off(connect: Connect) -> None:
    connection = connect()
    connection.sendall(CHUNKED + b"1;")
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        flood(connection, b"a" * 4_000)


def test_trailers_are_no_headers(connect: Connect) -> None:
    connection = connect()
    sent = b"Connection: close\r\nTransfer-Encoding: chunked\r\nX-Request-Id: mine\r\n\r\n"
    trailers = b"X-Request-Id: late\r\nContent-Type: text/plain\r\nAuthorization: nonsense\r\n\r\n"
    connection.sendall(POST + sent + in_pieces(BODY, 100) + b"0\r\n" + trailers)
    status, headers, _ = answer(connection)
    assert (status, headers["x-request-id"]) == (200, "mine")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
        b"OPTIONS /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
    ],
)
def test_the_rest_of_a_body_is_not_waited_for_once_it_is_answered(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.3)
    connection = connect()
    connection.sendall(head)
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        drip(connection)


def drip(connection: socket.socket) -> None:
    """A byte now and then. Raises: OSError once the server has closed."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        connection.sendall(b"a")
        time.sleep(0.05)


def test_the_rest_of_a_body_that_does_come_leaves_the_connection_as_it_is(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.3)
    connection = connect()
    connection.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
    assert b" 404 " in connection.recv(65_536)
    connection.sendall(b"67890")
    time.sleep(0.6)
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer(connection)[0] == 200


# Other protocols


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"anything"])
@pytest.mark.parametrize("length", [b"Content-Length: %d", b"Transfer-Encoding: chunked; %d"], ids=["length", "chunks"])
def test_a_body_is_never_taken_for_the_next_request(connect: Connect, protocol: bytes, length: bytes) -> None:
    inner = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: smuggled\r\n\r\n"
    head = POST + b"Connection: Upgrade\r\nUpgrade: %s\r\n" % protocol
    connection = connect()
    connection.sendall(head + (length % len(inner)).replace(b"; %d" % len(inner), b"") + b"\r\n\r\n")
    time.sleep(0.1)
    with suppress(OSError):
        connection.sendall(inner)
    with suppress(OSError):
        told = everything(connection)
        assert told.count(b"HTTP/1.1 ") == 1
        assert told.startswith(b"HTTP/1.1 400 ")
        assert b"Upgrade" in told


def test_a_request_without_a_body_may_ask_for_another_protocol_in_vain(connect: Connect) -> None:
    connection = connect()
    connection.sendall(
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"
    )
    assert b" 200 " in connection.recv(65_536)


def test_another_protocol_is_not_begun_while_a_request_waits_for_its_answer(connect: Connect) -> None:
    connection = connect()
    connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY + HANDSHAKE)
    told = everything(connection)
    assert b"101" not in told.partition(b"\r\n")[0]
    assert b"Switching Protocols" not in told


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"X: " + b"a" * 20_000, id="a long header"),
        pytest.param(b"\r\n".join(b"X-%d: 1" % number for number in range(200)), id="many headers"),
    ],
)
def test_a_handshake_that_cannot_be_read_is_answered_and_closed(connect: Connect, header: bytes) -> None:
    connection = connect()
    connection.sendall(HANDSHAKE.replace(b"\r\n\r\n", b"\r\n%s\r\n\r\n" % header))
    status, _, told = answer(connection)
    assert (status, told["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


def test_a_socket_that_cannot_be_closed_in_order_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(WebSocketsSansIOProtocol, "shutdown", fails)
    connection = SocketConnection.__new__(SocketConnection)
    connection.transport = Mock()
    connection.shutdown()
    connection.transport.abort.assert_called_once_with()
    assert "cut" in caplog.text
