"""A small HTTP client: few connections kept alive, one prepared request after another."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

_END_OF_HEAD = b"\r\n\r\n"


class BadReply(Exception):
    """A server answered with another status than 200, or without a length."""


class Timing(NamedTuple):
    """How many requests took how long, by the clock."""

    requests: int
    seconds: float


def request_bytes(path: str, token: str, body: bytes) -> bytes:
    """One POST request, ready to be sent."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """One connection that is kept alive."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))

    async def ask(self, request: bytes) -> bytes:
        """The body of the reply. Raises: BadReply."""
        self._writer.write(request)
        head = await self._reader.readuntil(_END_OF_HEAD)
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), None)
        if length is None:
            raise BadReply(lines[0])
        body = await self._reader.readexactly(length)
        if " 200 " not in f"{lines[0]} ":
            raise BadReply(f"{lines[0]}: {body[:500].decode(errors='replace')}")
        return body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def ask_once(port: int, request: bytes) -> bytes:
    """The body of one reply."""

    async def ask() -> bytes:
        connection = await Connection.open(port)
        try:
            return await connection.ask(request)
        finally:
            await connection.close()

    return asyncio.run(ask())


def ask_many(port: int, request: bytes, requests: int, connections: int) -> Timing:
    """Send the same request many times over a few connections, as fast as they are answered."""

    async def work(connection: Connection, count: int) -> None:
        for _ in range(count):
            await connection.ask(request)

    async def run() -> float:
        opened = [await Connection.open(port) for _ in range(min(connections, requests))]
        shares = [requests // len(opened) + (n < requests % len(opened)) for n in range(len(opened))]
        started = time.perf_counter()
        await asyncio.gather(*(work(one, share) for one, share in zip(opened, shares, strict=True)))
        seconds = time.perf_counter() - started
        for one in opened:
            await one.close()
        return seconds

    return Timing(requests, asyncio.run(run()))
