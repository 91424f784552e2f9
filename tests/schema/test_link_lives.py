"""A link from beginning to end: what people do through GraphQL, and what the service does in between."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any

from resolvers.worker import Step, Work, work_off
from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.records.ids import Instant
from storage.records.values import ClientLinkStatus
from tests.link_world import DAY_MS, SENT_MS, a_link, accounts_of, bill_to, build_link_world, trace
from tests.schema.write_client import Writer

ACTIVE, PENDING = ClientLinkStatus.ACTIVE, ClientLinkStatus.LINK_PENDING
NOW = SENT_MS + DAY_MS
[ACCOUNT, _] = accounts_of(2)
RESULTS = "results { link { id timeStamp status } userErrors { code message } }"


def work(database: Database, now: int) -> list[tuple[int, str]]:
    """What the service does at a moment: which link came to be what."""
    done = list(work_off(Work(database), Instant(now)))
    with database.read() as tx:
        assert read_inconsistencies(tx) == []
    return [(step.key, step.status) for step in done if isinstance(step, Step)]


def act(asks: Writer, link: dict[str, Any], action: str) -> dict[str, Any]:
    """The link after an action that must succeed."""
    change = {"linkId": link["id"], "timeStamp": link["timeStamp"], "action": action}
    [result] = asks.done("updateClientLinks", {"links": [change]}, RESULTS)["results"]
    assert result["userErrors"] == []
    found: dict[str, Any] = result["link"]
    return found


def test_a_link_is_sent_accepted_started_undone_and_ended_and_the_payer_goes_with_it(database: Database) -> None:
    build_link_world(database)
    asks = Writer(database, 1, NOW)
    start = NOW + 5 * DAY_MS
    new = {
        "type": "ACCOUNT_LINK",
        "managingCustomerId": "1",
        "clientEntityId": str(ACCOUNT),
        "isBillToClient": False,
        "startDate": "2023-11-20T22:13:20Z",
    }
    [result] = asks.done("addClientLinks", {"links": [new]}, RESULTS)["results"]
    link = act(asks, result["link"], "ACCEPT")
    assert link["status"] == "LINK_IN_PROGRESS"
    assert work(database, start - 1) == []
    assert work(database, start) == [(1, "ACTIVE")]
    assert bill_to(database, ACCOUNT) == 1
    asks.now_ms = start + 1
    link = act(asks, link | {"timeStamp": stamp_of(database)}, "REQUEST_UNLINK")
    assert link["status"] == "UNLINK_PENDING"
    assert bill_to(database, ACCOUNT) == 1
    assert work(database, start + 2) == [(1, "UNLINK_IN_PROGRESS"), (1, "INACTIVE")]
    assert bill_to(database, ACCOUNT) == 2
    assert trace(database, 1).statuses == (
        "LINK_PENDING",
        "LINK_ACCEPTED",
        "LINK_IN_PROGRESS",
        "ACTIVE",
        "UNLINK_REQUESTED",
        "UNLINK_PENDING",
        "UNLINK_IN_PROGRESS",
        "INACTIVE",
    )


def stamp_of(database: Database) -> str:
    with database.read() as tx:
        [(stamp,)] = tx.execute("SELECT time_stamp FROM client_link WHERE id = 1").fetchall()
    return str(stamp)


def test_of_two_halves_of_a_chain_accepted_at_once_the_second_fails_when_it_is_to_become_active(
    database: Database,
) -> None:
    active = [a_link(1, 1, 2, ACTIVE), a_link(2, 2, 3, ACTIVE), a_link(3, 5, 6, ACTIVE)]
    build_link_world(database, links=[*active, a_link(4, 3, 4, PENDING), a_link(5, 4, 5, PENDING)])
    barrier = Barrier(2)
    accepted: list[str] = []

    def accept(link: int) -> None:
        asks = Writer(database, 1, NOW)
        barrier.wait()
        accepted.append(act(asks, {"id": str(link), "timeStamp": "1"}, "ACCEPT")["status"])

    both = [Thread(target=accept, args=(link,)) for link in (4, 5)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert accepted == ["LINK_IN_PROGRESS"] * 2
    assert work(database, NOW) == [(4, "ACTIVE"), (5, "LINK_FAILED")]
    [*_, why] = trace(database, 5).notes
    assert why is not None
    # Both sides read it, and neither need see the rest of the chain.
    assert "– → – → – → 4 → 5 → – (a dash is one that is not shown) would have 6 levels" in why


def test_of_two_who_accept_the_same_link_at_once_one_is_too_late(database: Database) -> None:
    build_link_world(database, links=[a_link(1, 1, 2, PENDING)])
    barrier = Barrier(2)
    codes: list[str] = []

    def accept() -> None:
        asks = Writer(database, 1, NOW)
        barrier.wait()
        change = {"linkId": "1", "timeStamp": "1", "action": "ACCEPT"}
        [result] = asks.payload("updateClientLinks", {"links": [change]}, RESULTS)["results"]
        codes.extend(error["code"] for error in result["userErrors"])

    both = [Thread(target=accept) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert codes == ["TIMESTAMP_NOT_MATCH"]
    assert trace(database, 1).operations == ("updateClientLinks",)
