"""A request id makes a repeat harmless, on both databases, one after the other and both at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from storage.database import Database
from tests.builders import a_role, a_user, a_world, an_ad
from tests.schema.write_client import Writer, dump
from tests.stored_worlds import write_world

ADMIN, OTHER = 1, 2
ADDRESS = {"businessName": "Adventure", "line1": "1 Example Way", "city": "Redmond", "countryCode": "US"}
NEW = {"parentCustomerId": "1", "name": "New one", "currencyCode": "USD", "businessAddress": ADDRESS}
SHOWN = "adAccount { accountId number }"


@pytest.fixture
def owner(database: Database) -> Database:
    """A manager account with two Super Admins and an account."""
    world = a_world(
        a_user(ADMIN, of=1, login=ADMIN),
        a_user(OTHER, of=1, login=OTHER),
        a_role("SUPER_ADMIN", at=1, user=ADMIN, id=1),
        a_role("SUPER_ADMIN", at=1, user=OTHER, id=2),
        an_ad(10, owner=1),
    )
    with database.write() as transaction:
        write_world(transaction, world)
    return database


def test_a_repeat_changes_nothing_and_returns_the_first_result(owner: Database) -> None:
    writer = Writer(owner, ADMIN)
    first = writer.done("addAdAccount", {**NEW, "requestId": "one"}, SHOWN)
    written = dump(owner)
    again = writer.done("addAdAccount", {**NEW, "requestId": "one"}, SHOWN)
    assert again == first
    assert dump(owner) == written


@pytest.mark.parametrize(
    ("mutation", "given"),
    [
        ("addAdAccount", {**NEW, "name": "Another"}),
        ("addAdAccount", {**NEW, "timeZone": "Arizona"}),
        ("deleteAdAccount", {"accountId": "10", "timeStamp": "1"}),
    ],
)
def test_another_request_under_the_same_id_is_refused(owner: Database, mutation: str, given: dict[str, Any]) -> None:
    writer = Writer(owner, ADMIN)
    writer.done("addAdAccount", {**NEW, "requestId": "one"})
    error = writer.refused(mutation, {**given, "requestId": "one"})
    assert (error["code"], error["field"]) == ("REQUEST_ID_REUSED", ["requestId"])


def test_each_login_has_request_ids_of_its_own(owner: Database) -> None:
    Writer(owner, ADMIN).done("addAdAccount", {**NEW, "requestId": "one"})
    error = Writer(owner, OTHER).refused("addAdAccount", {**NEW, "requestId": "one"})
    assert error["code"] != "REQUEST_ID_REUSED"


def test_what_was_refused_may_be_sent_again_under_its_id(owner: Database) -> None:
    writer = Writer(owner, ADMIN)
    writer.refused("addAdAccount", {**NEW, "name": "x", "requestId": "one"})
    writer.done("addAdAccount", {**NEW, "requestId": "one"})


def test_a_dry_run_takes_no_request_id(owner: Database) -> None:
    writer = Writer(owner, ADMIN)
    before = dump(owner)
    writer.done("addAdAccount", {**NEW, "requestId": "one", "dryRun": True})
    assert dump(owner) == before
    payload = writer.done("addAdAccount", {**NEW, "requestId": "one"}, SHOWN)
    assert payload["revision"] is not None


@pytest.mark.parametrize("text", ["", "x" * 201])
def test_a_request_id_has_1_to_200_characters(owner: Database, text: str) -> None:
    assert Writer(owner, ADMIN).refused("addAdAccount", {**NEW, "requestId": text})["field"] == ["requestId"]


def at_once(owner: Database, given: list[dict[str, Any]]) -> list[Any]:
    """The payloads of writes that begin at one moment, each on a thread of its own."""
    start = Barrier(len(given))

    def write(one: dict[str, Any]) -> Any:
        start.wait()
        return Writer(owner, ADMIN).payload("addAdAccount", one, SHOWN)

    with ThreadPoolExecutor(len(given)) as pool:
        return list(pool.map(write, given))


def test_the_same_request_sent_several_times_at_once_is_one_write(owner: Database) -> None:
    payloads = at_once(owner, [{**NEW, "requestId": "one"}] * 4)
    assert all(payload == payloads[0] for payload in payloads)
    assert payloads[0]["userErrors"] == []
    assert len(dump(owner)["ad_account"]) == 2


def test_the_same_account_added_twice_at_once_is_added_once(owner: Database) -> None:
    payloads = at_once(owner, [NEW, NEW])
    won = [payload for payload in payloads if not payload["userErrors"]]
    assert len(won) == 1
    codes = {error["code"] for payload in payloads for error in payload["userErrors"]}
    assert codes == {"DRAFT_ACCOUNT_EXISTS", "DUPLICATE_ACCOUNT_NAME"}
    assert len(dump(owner)["ad_account"]) == 2


def test_deleting_against_changing_has_one_winner_and_a_stale_time_stamp(owner: Database) -> None:
    with owner.read() as transaction:
        [(stamp,)] = transaction.execute("SELECT time_stamp FROM ad_account WHERE id = 10").fetchall()
    key = {"accountId": "10", "timeStamp": str(stamp)}
    start = Barrier(2)

    def write(one: tuple[str, dict[str, Any]]) -> Any:
        start.wait()
        return Writer(owner, ADMIN).payload(*one)

    with ThreadPoolExecutor(2) as pool:
        payloads = list(pool.map(write, [("deleteAdAccount", key), ("updateAdAccount", {**key, "name": "Renamed"})]))
    numbers = sorted(error["number"] for payload in payloads for error in payload["userErrors"])
    assert numbers in ([209], [2192])
