"""The fields of a link: each limit just below and just above, on sending, answering and moving."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from storage.database import Database
from storage.records.values import ClientLinkStatus
from tests.link_world import DAY_MS, SENT_MS, a_link, accounts_of, build_link_world
from tests.schema.write_client import Writer

NOW = SENT_MS + DAY_MS
ACCOUNT = accounts_of(2)[0]
ITEM = "results { link { name note } userErrors { code field } }"
Told = tuple[str, str] | None


def at(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sent(database: Database, **link: Any) -> Told:
    """The code and field a new link is refused with, or None."""
    given = {"managingCustomerId": "1", "clientEntityId": str(ACCOUNT), "isBillToClient": True, **link}
    payload = Writer(database, 1, NOW).payload("addClientLinks", {"links": [given], "dryRun": True}, ITEM)
    return told(payload["results"][0]["userErrors"])


def told(errors: list[Any]) -> Told:
    return (errors[0]["code"], errors[0]["field"][-1]) if errors else None


@pytest.mark.parametrize(
    ("field", "longest", "code"),
    [
        ("name", 40, "NAME_TOO_LONG"),
        ("note", 1_000, "BAD_USER_INPUT"),
        ("inviterName", 100, "BAD_USER_INPUT"),
        ("inviterEmail", 100, "BAD_USER_INPUT"),
        ("inviterPhone", 100, "BAD_USER_INPUT"),
    ],
)
def test_a_text_has_its_longest_length_and_no_more(database: Database, field: str, longest: int, code: str) -> None:
    build_link_world(database)
    assert sent(database, **{field: "\N{GRINNING FACE}" * longest}) is None
    assert sent(database, **{field: "\N{GRINNING FACE}" * (longest + 1)}) == (code, field)


@pytest.mark.parametrize("field", ["name", "inviterName", "inviterEmail", "inviterPhone"])
def test_what_is_shown_in_one_line_is_one(database: Database, field: str) -> None:
    build_link_world(database)
    assert sent(database, **{field: "Two\nlines"}) == ("BAD_USER_INPUT", field)


def test_a_note_may_have_lines(database: Database) -> None:
    build_link_world(database)
    assert sent(database, note="Two\nlines") is None


@pytest.mark.parametrize(
    ("start", "refused"),
    [
        (at(NOW + 90 * DAY_MS), False),
        (at(NOW + 90 * DAY_MS + 1), True),
        ("9999-12-31T23:59:59.999Z", True),
        (at(NOW - 1), False),
        ("0001-01-01T00:00:00Z", False),
    ],
)
def test_a_link_starts_in_ninety_days_at_most(database: Database, start: str, refused: bool) -> None:
    build_link_world(database)
    assert sent(database, startDate=start) == (("DATE_OUT_OF_RANGE", "startDate") if refused else None)


@pytest.mark.parametrize("start", ["9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01"])
def test_a_start_outside_the_calendar_is_no_instant(database: Database, start: str) -> None:
    build_link_world(database)
    given = {"links": [{"managingCustomerId": "1", "clientEntityId": str(ACCOUNT), "startDate": start}]}
    document = "mutation ($input: AddClientLinksInput!) { addClientLinks(input: $input) { revision } }"
    [error] = Writer(database, 1, NOW).execute(document, {"input": given})["errors"]
    assert "between the years 1 and 9999" in error["message"]


def test_the_note_of_an_answer_and_of_a_move_has_the_same_limit(database: Database) -> None:
    build_link_world(database, links=[a_link(1, 1, 2, ClientLinkStatus.ACTIVE)])
    asks = Writer(database, 1, NOW)
    change = {"linkId": "1", "timeStamp": "1", "note": "n" * 1_001}
    payload = asks.payload("updateClientLinks", {"links": [change]}, ITEM)
    assert told(payload["results"][0]["userErrors"]) == ("BAD_USER_INPUT", "note")
    move = {"linkId": "1", "timeStamp": "1", "toManagingCustomerId": "3"}
    assert asks.refused("moveClientLink", move | {"note": "n" * 1_001})["field"] == ["note"]
    asks.done("moveClientLink", move | {"note": "n" * 1_000})


def test_a_reason_has_a_thousand_characters_at_most(database: Database) -> None:
    build_link_world(database)
    asks = Writer(database, 1, NOW)
    given = {"customerId": "1", "timeStamp": "1", "name": "Renamed", "industry": "RETAIL"}
    error = asks.refused("updateManagerAccount", given | {"reason": "r" * 1_001})
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", ["reason"])
    asks.done("updateManagerAccount", given | {"reason": "r" * 1_000})


@pytest.mark.parametrize("count", [10, 11])
def test_a_call_takes_ten_links_and_each_is_judged_by_what_the_ones_before_left(database: Database, count: int) -> None:
    build_link_world(database)
    link = {"managingCustomerId": "1", "clientEntityId": str(ACCOUNT), "isBillToClient": True}
    asks = Writer(database, 1, NOW)
    if count > 10:
        assert asks.refused("addClientLinks", {"links": [link] * count})["code"] == "BATCH_SIZE_EXCEEDED"
        return
    results = asks.done("addClientLinks", {"links": [link] * count}, ITEM)["results"]
    assert [told(each["userErrors"]) for each in results] == [
        None,
        *[("CLIENT_LINK_INVITATION_ALREADY_SENT", "clientEntityId")] * 9,
    ]


def test_the_same_answer_twice_in_one_call_is_given_once(database: Database) -> None:
    build_link_world(database, links=[a_link(1, 1, 2, ClientLinkStatus.LINK_PENDING)])
    change = {"linkId": "1", "timeStamp": "1", "action": "ACCEPT"}
    payload = Writer(database, 1, NOW).done("updateClientLinks", {"links": [change, change]}, ITEM)
    assert [told(each["userErrors"]) for each in payload["results"]] == [None, ("TIMESTAMP_NOT_MATCH", "timeStamp")]
