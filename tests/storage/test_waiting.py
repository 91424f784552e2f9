"""What waits is found through the partial indexes, however many links there are that do not wait."""

from __future__ import annotations

from typing import Any

from storage.database import Database
from storage.reads import waiting
from storage.reads.waiting import read_waiting_links
from storage.records.ids import ClientLinkId, Instant
from storage.records.values import ClientLinkStatus
from storage.statements import Statement
from tests.link_world import SENT_MS, a_link, build_link_world

LINKS = (waiting._ENDED_UNANSWERED, waiting._BEGINNING, waiting._UNLINKING, waiting._ENDING)


def plan(database: Database, statement: Statement[Any]) -> str:
    """How the database would find the rows."""
    compiled = statement.plan(database.engine, database.kind)
    values = dict.fromkeys(compiled.names, SENT_MS)
    with database.read() as tx:
        if tx.kind == "postgresql":
            tx.execute("SET LOCAL enable_seqscan = off")  # a table of a few rows is read whole otherwise
        explain = "EXPLAIN QUERY PLAN " if tx.kind == "sqlite" else "EXPLAIN "
        return "\n".join(
            str(tuple(row)) for row in tx.execute(explain + compiled.sql, compiled.bind(values)).fetchall()
        )


def test_the_service_looks_only_through_what_waits(database: Database) -> None:
    build_link_world(database)
    for statement in LINKS:
        assert "client_link_waiting" in plan(database, statement)
    assert "user_invitation_waiting" in plan(database, waiting._RUN_OUT)


def test_links_are_found_when_due_in_order_and_never_more_than_asked(database: Database) -> None:
    statuses = [one for one in ClientLinkStatus if one not in ("LINK_ACCEPTED", "UNLINK_REQUESTED", "UNLINK_FAILED")]
    links = [a_link(key, 1, key + 1, status) for key, status in enumerate(statuses, 1)]
    build_link_world(database, managers=len(links) + 1, links=links)

    def found(after: int = 0, most: int = 9, sent_before: int = SENT_MS, now: int = SENT_MS) -> list[str]:
        with database.read() as tx:
            keys = read_waiting_links(
                tx, sent_before=Instant(sent_before), now=Instant(now), after=ClientLinkId(after), most=most
            )
        return [statuses[key - 1] for key in keys]

    assert found() == ["LINK_PENDING", "LINK_IN_PROGRESS", "UNLINK_PENDING", "UNLINK_IN_PROGRESS"]
    assert found(most=2) == ["LINK_PENDING", "LINK_IN_PROGRESS"]
    assert found(after=1) == ["LINK_IN_PROGRESS", "UNLINK_PENDING", "UNLINK_IN_PROGRESS"]
    assert found(sent_before=SENT_MS - 1) == ["LINK_IN_PROGRESS", "UNLINK_PENDING", "UNLINK_IN_PROGRESS"]
    assert found(now=SENT_MS - 1) == ["LINK_PENDING", "UNLINK_PENDING", "UNLINK_IN_PROGRESS"]
