"""What the server counts, for Prometheus: requests, their time and cost, statements, the worker, links, sockets.

Numbers carry no names of people, accounts or tokens; labels are from small, fixed sets. With several processes each
writes its numbers into a folder they share, and whichever is asked adds them up. What the database knows better than
any process (what waits, where links stand) is read when it is asked for, at most every few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE_LATEST
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from resolvers.rules.links import INVITATION_LIFETIME_MS
from storage.database import Database
from storage.errors import StorageError
from storage.reads.operating import Backlog, LinkCount, read_backlog, read_link_counts
from storage.records.ids import Instant

# When each number was first counted is of no use, and doubles what is told.
disable_created_metrics()  # type: ignore[no-untyped-call]

OWN = CollectorRegistry(auto_describe=True)
"""What this process counts."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
COSTS = (1, 10, 100, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000)
STATEMENTS = (1, 2, 5, 10, 20, 40, 80, 160, 320)
FRESH_SECONDS = 5.0
"""How long what was read from the database is told again: counting links reads an index from end to end."""

REQUESTS = Counter(
    "adgraph_requests",
    "GraphQL operations answered, by transport, kind and the code of the first error (none: ok).",
    ("transport", "kind", "code"),
    registry=OWN,
)
SECONDS_TAKEN = Histogram(
    "adgraph_request_seconds", "How long operations took.", ("transport", "kind"), buckets=SECONDS, registry=OWN
)
COST = Histogram("adgraph_request_cost", "What operations cost, in points.", buckets=COSTS, registry=OWN)
STATEMENTS_RUN = Histogram(
    "adgraph_request_statements", "How many SQL statements operations ran.", buckets=STATEMENTS, registry=OWN
)
UNFINISHED = Gauge(
    "adgraph_requests_unfinished",
    "Operations running or waiting for a thread.",
    multiprocess_mode="livesum",
    registry=OWN,
)
SOCKETS = Gauge("adgraph_sockets_open", "Open WebSockets.", multiprocess_mode="livesum", registry=OWN)
SUBSCRIPTIONS = Gauge(
    "adgraph_subscriptions_open", "Subscriptions being served.", multiprocess_mode="livesum", registry=OWN
)
STEPS = Counter(
    "adgraph_worker_steps",
    "Steps of the worker, by what was led on and to which status.",
    ("kind", "status"),
    registry=OWN,
)
TROUBLES = Counter("adgraph_worker_troubles", "Steps that failed and are tried again.", ("kind",), registry=OWN)
MAILS = Counter("adgraph_mails_sent", "Mails that left.", registry=OWN)
ROUND = Gauge(
    "adgraph_worker_last_round_timestamp_seconds",
    "When a worker of this server last looked for what is due.",
    multiprocess_mode="livemax",
    registry=OWN,
)

KINDS = ("query", "mutation", "subscription")
MOST_CODES = 100
"""There are fewer; codes come from our own tables, never from a caller."""


class Observed(NamedTuple):
    """One operation that was answered. `code` is that of its first error, empty when there was none."""

    transport: str
    kind: str
    code: str
    seconds: float
    cost: int | None = None
    statements: int | None = None


@lru_cache(maxsize=MOST_CODES * 8)
def _counted(transport: str, kind: str, code: str) -> tuple[Counter, Histogram]:
    """The two that grow with such an operation: looking them up costs more than adding to them."""
    return REQUESTS.labels(transport, kind, code), SECONDS_TAKEN.labels(transport, kind)


def observe(one: Observed) -> None:
    """Count an operation."""
    kind = one.kind if one.kind in KINDS else "none"
    number, seconds = _counted(one.transport, kind, one.code or "ok")
    number.inc()
    seconds.observe(one.seconds)
    if one.cost is not None:
        COST.observe(one.cost)
    if one.statements is not None:
        STATEMENTS_RUN.observe(one.statements)


_LINK_LABELS = ("type", "status")


class DatabaseCollector(Collector):
    """What the database tells: what waits for the worker, and where client links stand."""

    def __init__(self, database: Database, now: Callable[[], Instant], clock: Callable[[], float] = time.monotonic):
        self._database = database
        self._now = now
        self._clock = clock
        self._lock = Lock()
        self._read_at: float | None = None
        self._found: tuple[Backlog, list[LinkCount]] | None = None

    def describe(self) -> list[Metric]:
        """Nothing is read just to name what there is."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The numbers, read anew when the last ones are old. An unreachable database is told as such."""
        with self._lock:
            if self._read_at is None or self._clock() - self._read_at >= FRESH_SECONDS:
                self._found = self._read()
                self._read_at = self._clock()
            found = self._found
        up = GaugeMetricFamily("adgraph_database_up", "1 when the database answered.")
        up.add_metric((), 0 if found is None else 1)
        yield up
        if found is None:
            return
        backlog, links = found
        waiting = GaugeMetricFamily("adgraph_worker_backlog", "What is due and not done yet.", labels=("kind",))
        for kind, number in backlog._asdict().items():
            waiting.add_metric((kind,), number)
        yield waiting
        states = GaugeMetricFamily(
            "adgraph_client_links", "Client links by type and status.", labels=("type", "status")
        )
        for one in links:
            states.add_metric((one.type.lower(), one.status.lower()), one.number)
        yield states

    def _read(self) -> tuple[Backlog, list[LinkCount]] | None:
        try:
            with self._database.read() as transaction:
                now = self._now()
                due = read_backlog(transaction, now=now, sent_before=Instant(now - INVITATION_LIFETIME_MS))
                return due, read_link_counts(transaction)
        except StorageError:
            return None


class Metrics:
    """Everything /metrics tells. `folder` is where the processes of one server put their numbers together."""

    def __init__(self, database: Database, now: Callable[[], Instant], folder: str | None = None) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(DatabaseCollector(database, now))
        if folder is not None:
            MultiProcessCollector(self._registry, path=folder)  # type: ignore[no-untyped-call]
        else:
            for collect in (PlatformCollector, ProcessCollector, GCCollector):
                collect(registry=self._registry)
        self._shared = folder is not None

    def text(self) -> bytes:
        """The numbers in Prometheus' text format. Reads the database: call it from a thread."""
        own = b"" if self._shared else generate_latest(OWN)
        return own + generate_latest(self._registry)
