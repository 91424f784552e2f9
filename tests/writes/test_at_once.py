"""Writes at one moment: one winner, one clear refusal, nothing lost, and never a word about locks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.records.values import ClientLinkStatus
from tests.link_world import DAY_MS, SENT_MS, a_link, accounts_of, build_link_world
from tests.schema.write_client import Writer, dump

NOW = SENT_MS + DAY_MS
RESULTS = "results { link { id } userErrors { code number message } }"
[ACCOUNT, SECOND] = accounts_of(2)
CUSTOMER_LINK = {"type": "CUSTOMER_LINK", "managingCustomerId": "1", "clientEntityId": "3"}
ACCOUNT_LINK = {"managingCustomerId": "1", "clientEntityId": str(ACCOUNT), "isBillToClient": True}
Call = tuple[str, dict[str, Any]]


def at_once(database: Database, calls: list[Call]) -> list[Any]:
    """The payloads of writes that begin at one moment, each on a thread of its own."""
    start = Barrier(len(calls))

    def write(call: Call) -> Any:
        mutation, given = call
        start.wait()
        return Writer(database, 1, NOW).payload(mutation, given, RESULTS if mutation.endswith("ClientLinks") else "")

    with ThreadPoolExecutor(len(calls)) as pool:
        payloads = list(pool.map(write, calls))
    with database.read() as transaction:
        assert read_inconsistencies(transaction) == []
    return payloads


def codes(payload: Any) -> list[str]:
    """The codes of all refusals of a call and its items; each says what to do."""
    errors = list(payload["userErrors"])
    for result in payload.get("results", ()):
        errors += result["userErrors"]
    assert not any("lock" in error["message"] for error in errors)
    return [error["code"] for error in errors]


def _links(*links: dict[str, Any]) -> Call:
    return "addClientLinks", {"links": list(links)}


def _update(*changes: dict[str, Any]) -> Call:
    return "updateClientLinks", {"links": [{"linkId": "1", "timeStamp": "1", **change} for change in changes]}


def _account(mutation: str, **values: Any) -> Call:
    return mutation, {"accountId": str(SECOND), "timeStamp": "1", **values}


def _move(to: int) -> Call:
    return "moveClientLink", {"linkId": "2", "timeStamp": "1", "toManagingCustomerId": str(to)}


RACES: dict[str, tuple[list[Call], str]] = {
    "the same account link sent twice": ([_links(ACCOUNT_LINK)] * 2, "CLIENT_LINK_INVITATION_ALREADY_SENT"),
    "the same customer link sent twice": ([_links(CUSTOMER_LINK)] * 2, "CLIENT_LINK_INVITATION_ALREADY_SENT"),
    "one link accepted twice": ([_update({"action": "ACCEPT"})] * 2, "TIMESTAMP_NOT_MATCH"),
    "one link accepted and declined": (
        [_update({"action": "ACCEPT"}), _update({"action": "DECLINE"})],
        "TIMESTAMP_NOT_MATCH",
    ),
    "one link accepted and cancelled": (
        [_update({"action": "ACCEPT"}), _update({"action": "CANCEL"})],
        "TIMESTAMP_NOT_MATCH",
    ),
    "one link moved to two": ([_move(5), _move(6)], "TIMESTAMP_NOT_MATCH"),
    "two halves of a circle": (
        [
            ("moveClientLink", {"linkId": "2", "timeStamp": "1", "toManagingCustomerId": "8"}),
            ("moveClientLink", {"linkId": "3", "timeStamp": "1", "toManagingCustomerId": "4"}),
        ],
        "HIERARCHY_NOT_ALLOWED",
    ),
    "an account changed twice": (
        [_account("updateAdAccount", name="This one"), _account("updateAdAccount", name="That one")],
        "TIMESTAMP_NOT_MATCH",
    ),
}


@pytest.mark.parametrize("race", RACES)
def test_one_wins_and_the_other_is_told_why(database: Database, race: str) -> None:
    calls, code = RACES[race]
    pending, active = ClientLinkStatus.LINK_PENDING, ClientLinkStatus.ACTIVE
    build_link_world(database, links=[a_link(1, 1, 2, pending), a_link(2, 7, 4, active), a_link(3, 7, 8, active)])
    outcomes = [codes(payload) for payload in at_once(database, calls)]
    assert sorted(outcomes) == [[], [code]]


def test_two_requests_under_one_id_are_one_write_and_one_refusal(database: Database) -> None:
    build_link_world(database)
    other = {**CUSTOMER_LINK, "clientEntityId": "4"}
    calls = [("addClientLinks", {"links": [link], "requestId": "one"}) for link in (CUSTOMER_LINK, other)]
    assert sorted(map(codes, at_once(database, calls))) == [[], ["REQUEST_ID_REUSED"]]
    assert len(dump(database)["client_link"]) == 1


def test_deleting_against_changing_leaves_one_of_the_two(database: Database) -> None:
    build_link_world(database)
    calls = [_account("deleteAdAccount"), _account("updateAdAccount", name="Renamed")]
    deleted, changed = (codes(payload) for payload in at_once(database, calls))
    # Whoever is second finds another time stamp, or an account that is gone.
    assert (deleted, changed) in [
        (["TIMESTAMP_NOT_MATCH"], []),
        ([], ["TIMESTAMP_NOT_MATCH"]),
        ([], ["ACCOUNT_LIFE_CYCLE_STATUS_FORBIDS_UPDATE"]),
    ]


def test_many_writers_lose_nothing_and_wait_for_each_other(database: Database) -> None:
    build_link_world(database, managers=5)
    pairs = [(above, below) for above in range(1, 6) for below in range(1, 6) if above != below]
    links = [{**ACCOUNT_LINK, "managingCustomerId": str(a), "clientEntityId": str(accounts_of(b)[0])} for a, b in pairs]
    payloads = at_once(database, [_links(link) for link in links])
    assert [codes(payload) for payload in payloads] == [[]] * len(pairs)
    revisions = [int(payload["revision"]) for payload in payloads]
    assert len(set(revisions)) == len(pairs)
    assert len(dump(database)["client_link"]) == len(pairs)


def test_readers_see_each_write_whole_or_not_at_all(database: Database) -> None:
    build_link_world(database, managers=6)
    found: list[int] = []
    stop: list[bool] = []

    def read() -> None:
        while not stop:
            with database.read() as tx:
                [(links,)] = tx.execute("SELECT count(*) FROM client_link").fetchall()
                [(periods,)] = tx.execute("SELECT count(*) FROM client_link_period").fetchall()
            assert links == periods
            found.append(links)

    def write() -> None:
        try:
            for below in range(2, 7):
                two = [{**ACCOUNT_LINK, "clientEntityId": str(account)} for account in accounts_of(below)]
                assert codes(Writer(database, 1, NOW).payload("addClientLinks", {"links": two}, RESULTS)) == []
        finally:
            stop.append(True)

    _together(read, write)
    assert set(found) <= {0, 2, 4, 6, 8, 10}


def _together(*works: Callable[[], None]) -> None:
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result()
