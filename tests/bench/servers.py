"""Server processes: started, watched through /proc, stopped."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60
STOP_SECONDS = 15
ROOT = Path(__file__).parent.parent.parent
MOST_NODES = 20_000
"""The 10,000-account tree has 10,341 nodes; a deployment that serves such trees raises the limit."""
_MEMORY = re.compile(r"^(VmHWM|VmRSS):\s+(\d+) kB$", re.MULTILINE)


class ServerFailed(Exception):
    """A server did not start or broke down; the message has the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server process. `path` is where it takes POST requests; `{name}` stands for a question."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    path: str
    log: Path

    def await_answering(self) -> None:
        """Wait until it answers, whatever it says: one that only listens has not begun to work.

        Raises: ServerFailed when it ends or a minute has passed.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), START_SECONDS) as probe:
                probe.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if probe.recv(1):
                    return
            time.sleep(0.05)
        raise ServerFailed(f"The server {self.name!r} did not start:\n{self.log.read_text()[-2_000:]}")

    def cpu_seconds(self) -> float:
        """The time its threads have run since they started, to the nanosecond; threads that ended are left out."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def memory_mib(self) -> dict[str, float]:
        """What the process holds now (VmRSS) and held at most (VmHWM), in MiB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return {name: int(size) / 1_024 for name, size in _MEMORY.findall(text)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(name: str, path: str, command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[Server]:
    """A server process that is starting; its port stands in `command` as `{port}`. It is stopped at the end."""
    port = _free_port()
    arguments = [sys.executable, *(part.replace("{port}", str(port)) for part in command)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments, cwd=ROOT, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield Server(name, process, port, path, log)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def adgraph(url: str, log: Path) -> AbstractContextManager[Server]:
    """adgraph as it is shipped. Its log is turned down, because the peers write none."""
    environment = {
        "ADGRAPH_DATABASE_URL": url,
        "ADGRAPH_MAX_NODES": str(MOST_NODES),
        "ADGRAPH_BUDGET": "0",  # one caller asks all of it
        "ADGRAPH_LOG_LEVEL": "warning",
    }
    return running("adgraph", "/graphql", ["-m", "adgraph", "serve", "--port", "{port}"], environment, log)
