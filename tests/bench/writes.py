"""Writes: how many a second one server carries out, and how reads fare while others write into the tree they read.

A write renames an ad account of the tree of 1,000; the read is that whole tree. Both databases wait for the disk at
every commit. Writers keep to a rate by the clock, as far as the server lets them: the rate that was reached is told
beside the one wanted, and the CPU of the server process, which says what it was limited by.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import orjson

from storage.database import Database
from storage.generator import TREE_ROOTS, Size
from storage.models import AdAccount
from storage.reads.children import read_owned_ad_account_ids
from storage.records.ids import ManagerAccountId
from tests.bench.client import BadReply, Connection, request_bytes
from tests.bench.data import Data, described, fill
from tests.bench.questions import HIERARCHY
from tests.bench.servers import Server, adgraph
from tests.databases import PostgresqlDatabases, running_postgresql

RATES = (0, 10, 100, 1_000)
"""Writes a second that are tried; 0 is reading alone."""
WRITERS = 16
"""So many that a thousand writes a second need no answer sooner than in 16 ms."""
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
    """Writes one server carries out when several clients write as fast as they are answered.

    `cpu_ms` is what the server process takes for one.
    """

    writes: int
    per_second: float
    p50_ms: float
    p95_ms: float
    cpu_ms: float


class UnderWrites(NamedTuple):
    """Reads of a tree while it is written into: what was wanted and reached in writes a second, and times.

    `cpu_share` is how much of one core the server process had; 1 means that its interpreter did nothing but run.
    """

    wanted: int
    reached: float
    write_p50_ms: float
    write_p95_ms: float
    reads: int
    p50_ms: float
    p95_ms: float
    cpu_share: float


class Writes(NamedTuple):
    """What was found on one database of so many ad accounts."""

    ad_accounts: int
    throughput: Throughput
    under_writes: list[UnderWrites]


class _Account:
    """One ad account: its id, and the time stamp it was given last."""

    def __init__(self, key: int, stamp: int) -> None:
        self.key = key
        self.stamp = str(stamp)


def measure_on_sqlite(data: Data, seconds: float) -> Writes:
    """Measure on a server of its own over a copy of the data, which stays as it is. Raises: BadReply, ServerFailed."""
    with tempfile.TemporaryDirectory(prefix="adgraph-bench-") as folder:
        path = Path(folder) / "data.db"
        with closing(sqlite3.connect(data.url.removeprefix("sqlite:///"))) as original:
            original.execute("VACUUM INTO ?", (str(path),))
        return _measured(replace(data, url=f"sqlite:///{path}"), Path(folder) / "adgraph.log", seconds)


def measure_on_postgresql(size: Size, seconds: float) -> Writes:
    """Measure on a server of its own over a PostgreSQL that is started and filled for it. Raises: as above."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="adgraph-bench-"))
        # The database server may run as another user, who must reach its folder: not below ours.
        address_of = stack.enter_context(running_postgresql(Path(f"{folder}-postgresql"), durable=True))
        databases = stack.enter_context(closing(PostgresqlDatabases(address_of, "bench")))
        url = databases.empty()
        with closing(Database.open(url)) as database:
            fill(database, size, lambda *_: None)
        return _measured(described(url, size), Path(folder) / "adgraph.log", seconds)


def _measured(data: Data, log: Path, seconds: float) -> Writes:
    with adgraph(data.url, log) as server:
        server.await_answering()
        return measure_writes(data, server, seconds)


def measure_writes(data: Data, server: Server, seconds: float) -> Writes:
    """Measure for `seconds` each: writing alone, then reading under each of `RATES`. Raises: BadReply."""
    tree = TREE_ROOTS[max(size for size in data.roots if size <= 1_000)]
    accounts = _accounts(data.url, tree)
    read = orjson.dumps({"query": HIERARCHY, "variables": {"id": str(tree)}})
    return asyncio.run(_measure(data, server, accounts, request_bytes("/graphql", data.token, read), seconds))


def _accounts(url: str, tree: ManagerAccountId) -> list[_Account]:
    database = Database.open(url)
    try:
        with database.read() as transaction:
            [owned] = read_owned_ad_account_ids(transaction, [tree]).values()
            query = AdAccount.select(AdAccount.id, AdAccount.time_stamp).where(AdAccount.id.in_(list(owned)))
            return [_Account(*row) for row in transaction.run(query).fetchall()]
    finally:
        database.close()


async def _measure(data: Data, server: Server, accounts: Sequence[_Account], read: bytes, seconds: float) -> Writes:
    token, port = data.token, server.port
    before = server.cpu_seconds()
    took, lasted = await _write(token, port, accounts, seconds, None)
    cpu_ms = (server.cpu_seconds() - before) / len(took) * 1_000
    throughput = Throughput(len(took), len(took) / lasted, *_percentiles(took), cpu_ms)
    found = []
    for rate in RATES:
        before = server.cpu_seconds()
        (written, lasted), reads = await asyncio.gather(
            _write(token, port, accounts, seconds, rate), _read(port, read, seconds)
        )
        share = (server.cpu_seconds() - before) / lasted
        times = (*_percentiles(written), len(reads), *_percentiles(reads))
        found.append(UnderWrites(rate, len(written) / lasted, *times, share))
    return Writes(data.ad_accounts, throughput, found)


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
    """The median and the 95th; nothing took no time."""
    ordered = sorted(took) or [0.0]
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
