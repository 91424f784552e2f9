"""A server in a process of its own, and a client that speaks graphql-transport-ws to it over TCP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

ROOT = Path(__file__).parents[2]


def wait_until_ready(port: int) -> None:
    """Wait until the server on this port says that it is ready; half a minute at most."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with suppress(httpx2.TransportError):
            if httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError("the server did not come up")


class LiveServer:
    """`adgraph serve` on a free port; it may be stopped, killed and started again."""

    def __init__(self, url: str, folder: Path, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._environment = os.environ | {
            "ADGRAPH_DATABASE_URL": url,
            "ADGRAPH_PORT": str(self.port),
            "ADGRAPH_LOG_LEVEL": "error",
            "ADGRAPH_MAIL": str(folder / "mail"),
            "ADGRAPH_WORKER": "off",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process, which has been started."""
        assert self._process is not None
        return self._process

    def start(self) -> None:
        """Start, and wait until requests are answered."""
        arguments = [sys.executable, "-m", "adgraph", "serve"]
        self._process = subprocess.Popen(arguments, cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL)
        wait_until_ready(self.port)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit code. uvicorn passes the signal on to itself when all is closed."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def resident_kib(self) -> int:
        """How much memory it has."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024

    def __enter__(self) -> LiveServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.kill()


class LiveSocket:
    """One connection of a token's login."""

    def __init__(self, port: int, token: str) -> None:
        self._stack = ExitStack()
        self.raw = self._stack.enter_context(
            connect(
                f"ws://127.0.0.1:{port}/graphql",
                subprotocols=[Subprotocol("graphql-transport-ws")],
                max_size=None,
                compression=None,
                close_timeout=0.5,
            )
        )
        self.send({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        assert self.receive() == {"type": "connection_ack"}

    def send(self, message: Any) -> None:
        """Send one message."""
        self.raw.send(json.dumps(message))

    def receive(self, seconds: float = 20) -> Any:
        """The next message. Raises: TimeoutError, ConnectionClosed."""
        return json.loads(self.raw.recv(seconds))

    def subscribe(self, key: str, query: str, **variables: Any) -> None:
        """Ask for an operation."""
        self.send({"type": "subscribe", "id": key, "payload": {"query": query, "variables": variables}})

    def events(self) -> Iterator[Any]:
        """The data of the events of the only operation, until it completes."""
        while True:
            told = self.receive()
            if told["type"] == "complete":
                return
            assert told["type"] == "next", told
            assert "errors" not in told["payload"], told
            yield told["payload"]["data"]["changes"]

    def code(self) -> int | None:
        """The close code, once the server has ended the connection."""
        try:
            while True:
                self.receive()
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else None

    def __enter__(self) -> LiveSocket:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()
