"""The numbers: only when asked for, true, and without names."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from adgraph.observability.metrics import FRESH_SECONDS, DatabaseCollector, Observed, observe
from storage.database import Database
from storage.reads.operating import read_backlog, read_link_counts
from storage.records.ids import Instant
from tests.api.conftest import Serve
from tests.link_world import SENT_MS, a_link, build_link_world

MONTH_MS = 31 * 86_400_000


def samples(text: str) -> dict[str, float]:
    """Every sample of an exposition, by its name with labels."""
    return {name: float(value) for name, value in re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)}


def collected(collector: DatabaseCollector) -> dict[tuple[str, tuple[str, ...]], float]:
    """What a collector tells, by metric and labels."""
    return {
        (metric.name, tuple(sample.labels.values())): sample.value
        for metric in collector.collect()
        for sample in metric.samples
    }


def test_numbers_are_told_only_where_the_deployment_says_so(serve: Serve) -> None:
    assert serve().get("/metrics").status_code == 404
    answer = serve(metrics=True).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert samples(answer.text)["adgraph_database_up"] == 1


def test_an_operation_counts_once_with_its_time_cost_and_statements(serve: Serve) -> None:
    client = serve(metrics=True)
    before = samples(client.get("/metrics").text)
    observe(Observed("http", "query", "", 0.004, cost=12, statements=7))
    observe(Observed("socket", "mutation", "FORBIDDEN", 0.5))
    after = samples(client.get("/metrics").text)

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grown('adgraph_requests_total{code="ok",kind="query",transport="http"}') == 1
    assert grown('adgraph_requests_total{code="FORBIDDEN",kind="mutation",transport="socket"}') == 1
    assert grown('adgraph_request_seconds_bucket{kind="query",le="0.005",transport="http"}') == 1
    assert grown('adgraph_request_seconds_bucket{kind="query",le="0.0025",transport="http"}') == 0
    assert grown("adgraph_request_cost_sum") == 12
    assert grown("adgraph_request_statements_sum") == 7


def test_what_runs_or_waits_is_counted_and_nothing_else(serve: Serve) -> None:
    client = serve(metrics=True)

    def unfinished() -> float:
        return samples(client.get("/metrics").text)["adgraph_requests_unfinished"]

    assert unfinished() == 0
    with ThreadPoolExecutor(1) as others:
        slow = others.submit(client.post, "/graphql", json={"query": "{ slow(ms: 700) }"})
        time.sleep(0.3)
        assert unfinished() == 1
        assert slow.result().status_code == 200
    assert unfinished() == 0


def test_a_kind_nobody_knows_makes_no_label_of_its_own(serve: Serve) -> None:
    client = serve(metrics=True)
    observe(Observed("http", "anything a caller wrote", "", 0.1))
    assert "anything a caller wrote" not in client.get("/metrics").text


def test_what_waits_and_where_links_stand_is_read_from_the_database(database: Database) -> None:
    build_link_world(database, links=[a_link(1, 1, 2)])
    collector = DatabaseCollector(database, lambda: Instant(SENT_MS + MONTH_MS))
    found = collected(collector)
    assert found["adgraph_database_up", ()] == 1
    assert found["adgraph_worker_backlog", ("links",)] == 1
    assert found["adgraph_worker_backlog", ("mails",)] == 0
    assert sum(number for (name, _), number in found.items() if name == "adgraph_client_links") == 1


def test_the_backlog_holds_what_is_due_and_nothing_else(database: Database) -> None:
    build_link_world(database, links=[a_link(1, 1, 2)])
    with database.read() as transaction:
        [one] = read_link_counts(transaction)
        start = transaction.execute("SELECT start_at_ms FROM client_link").fetchone()[0]
        long_ago = Instant(0)
        for now, due in ((start - 1, 0), (start, 1)):
            assert read_backlog(transaction, now=Instant(now), sent_before=long_ago).links == due
    assert (one.status, one.number) == ("LINK_IN_PROGRESS", 1)


def test_what_was_read_is_told_again_for_a_while_and_then_read_anew(database: Database) -> None:
    times = iter([0.0, FRESH_SECONDS - 0.1, FRESH_SECONDS, FRESH_SECONDS])
    ran: list[Any] = []
    database.listener = lambda *one: ran.append(one)
    collector = DatabaseCollector(database, lambda: Instant(0), clock=lambda: next(times))
    collected(collector)
    first = len(ran)
    collected(collector)
    assert len(ran) == first
    collected(collector)
    assert len(ran) == 2 * first


def test_a_database_that_does_not_answer_is_told_and_fails_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage.errors import StorageUnavailable

    def away(**_: Any) -> Any:
        raise StorageUnavailable("The database server cannot be reached.")

    monkeypatch.setattr(database, "begin", away)
    assert collected(DatabaseCollector(database, lambda: Instant(0))) == {("adgraph_database_up", ()): 0}
