"""Writes: how many a second one server carries out, and how reads fare while others write into the tree they read.

A write renames an ad account of the tree of 1,000; the read is that whole tree. Writers keep to a rate by the
clock: what a server cannot take is not sent later, and the rate that was reached is told beside the one wanted.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import orjson

from storage.database import Database
from storage.generator import TREE_ROOTS
from storage.models import AdAccount
from storage.reads.children import read_owned_ad_account_ids
from storage.records.ids import ManagerAccountId
from tests.bench.client import BadReply, Connection, request_bytes
from tests.bench.data import Data
from tests.bench.questions import HIERARCHY
from tests.bench.servers import adgraph

RATES = (0, 10, 100, 1_000)
"""Writes a second that are tried; 0 is reading alone."""
WRITERS = 4
READERS = 2
RENAME = """
mutation Rename($account: ID!, $stamp: String!, $name: String!) {
  updateAdAccount(input: {accountId: $account, timeStamp: $stamp, name: $name}) {
    adAccount { timeStamp }
    userErrors { code message }
  }
}
"""


class Throughput(NamedTuple):
    """Writes one server carries out when several clients write as fast as they are answered."""

    writes: int
    per_second: float
    p50_ms: float
    p95_ms: float


class UnderWrites(NamedTuple):
    """Reads of a tree while it is written into: what was wanted and reached in writes a second, and read times."""

    wanted: int
    reached: float
    reads: int
    p50_ms: float
    p95_ms: float


class Writes(NamedTuple):
    """What `measure_writes` found."""

    throughput: Throughput
    under_writes: list[UnderWrites]


class _Account:
    """One ad account: its id, and the time stamp it was given last."""

    def __init__(self, key: int, stamp: int) -> None:
        self.key = key
        self.stamp = str(stamp)


def measure_on_a_copy(data: Data, seconds: float) -> Writes:
    """Measure on a server of its own over a copy of the data, which stays as it is. Raises: BadReply, ServerFailed."""
    with tempfile.TemporaryDirectory(prefix="adgraph-bench-") as folder:
        path = Path(folder) / "data.db"
        with closing(sqlite3.connect(data.url.removeprefix("sqlite:///"))) as original:
            original.execute("VACUUM INTO ?", (str(path),))
        with adgraph(f"sqlite:///{path}", Path(folder) / "adgraph.log") as server:
            server.await_listening()
            return measure_writes(data, server.port, seconds)


def measure_writes(data: Data, port: int, seconds: float) -> Writes:
    """Measure for `seconds` each: writing alone, then reading under each of `RATES`. Raises: BadReply."""
    tree = TREE_ROOTS[max(size for size in data.roots if size <= 1_000)]
    accounts = _accounts(data.url, tree)
    read = orjson.dumps({"query": HIERARCHY, "variables": {"id": str(tree)}})
    return asyncio.run(_measure(data.token, port, accounts, request_bytes("/graphql", data.token, read), seconds))


def _accounts(url: str, tree: ManagerAccountId) -> list[_Account]:
    database = Database.open(url)
    try:
        with database.read() as transaction:
            [owned] = read_owned_ad_account_ids(transaction, [tree]).values()
            query = AdAccount.select(AdAccount.id, AdAccount.time_stamp).where(AdAccount.id.in_(list(owned)))
            return [_Account(*row) for row in transaction.run(query).fetchall()]
    finally:
        database.close()


async def _measure(token: str, port: int, accounts: Sequence[_Account], read: bytes, seconds: float) -> Writes:
    took, lasted = await _write(token, port, accounts, seconds, None)
    throughput = Throughput(len(took), len(took) / lasted, *_percentiles(took))
    found = []
    for rate in RATES:
        (written, lasted), reads = await asyncio.gather(
            _write(token, port, accounts, seconds, rate), _read(port, read, seconds)
        )
        found.append(UnderWrites(rate, len(written) / lasted, len(reads), *_percentiles(reads)))
    return Writes(throughput, found)


async def _write(
    token: str, port: int, accounts: Sequence[_Account], seconds: float, rate: int | None
) -> tuple[list[float], float]:
    """Milliseconds of each write, and how long all of it lasted; without a rate as fast as they are answered."""
    took: list[float] = []
    began = time.perf_counter()
    slots = itertools.count()

    async def work(mine: Sequence[_Account]) -> None:
        connection = await Connection.open(port)
        for account, slot in zip(itertools.cycle(mine), slots, strict=False):
            if rate is not None:
                due = began + slot / rate
                await asyncio.sleep(max(0.0, min(due, began + seconds) - time.perf_counter()))
            if time.perf_counter() - began >= seconds:
                break
            started = time.perf_counter()
            await _rename(connection, token, account, f"Renamed {slot}-{started:.6f}")
            took.append((time.perf_counter() - started) * 1_000)
        await connection.close()

    if rate != 0:
        await asyncio.gather(*(work(mine) for mine in _shares(accounts)))
    return took, max(seconds, time.perf_counter() - began)


def _shares(accounts: Sequence[_Account]) -> Iterator[Sequence[_Account]]:
    """Each writer has ad accounts of its own, so that no one's time stamp is another's."""
    return (share for number in range(WRITERS) if (share := accounts[number::WRITERS]))


async def _rename(connection: Connection, token: str, account: _Account, name: str) -> None:
    given = {"account": str(account.key), "stamp": account.stamp, "name": name}
    body = orjson.dumps({"query": RENAME, "variables": given})
    reply = await connection.ask(request_bytes("/graphql", token, body))
    payload = orjson.loads(reply).get("data", {}).get("updateAdAccount")
    if payload is None or payload["userErrors"]:
        raise BadReply(reply.decode(errors="replace")[:500])
    account.stamp = payload["adAccount"]["timeStamp"]


async def _read(port: int, request: bytes, seconds: float) -> list[float]:
    """Milliseconds of each read."""
    took: list[float] = []
    began = time.perf_counter()

    async def work() -> None:
        connection = await Connection.open(port)
        while not took or time.perf_counter() - began < seconds:
            started = time.perf_counter()
            await connection.ask(request)
            took.append((time.perf_counter() - started) * 1_000)
        await connection.close()

    await asyncio.gather(*(work() for _ in range(READERS)))
    return took


def _percentiles(took: list[float]) -> tuple[float, float]:
    ordered = sorted(took)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
