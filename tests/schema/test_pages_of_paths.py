"""Pages of paths through writes: what decides may change in between, and still no path is skipped or told twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storage import writes
from storage.database import Database, Transaction
from storage.entries import AssignmentEntry
from storage.records.ids import AdAccountId, AssignmentId, ClientLinkId, ManagerAccountId, UserId
from storage.records.values import AdAccountStatus, ClientLinkStatus, Role
from tests.builders import a_link, a_role, a_world, an_account_link, an_ad
from tests.schema.client import NOW_MS, GraphClient
from tests.stored_worlds import write_world

WORLD = a_world(
    a_role("SUPER_ADMIN", at=1, id=1),
    a_role("VIEWER", at=1, id=2),
    a_link(1, 2),
    a_link(1, 3, "STANDARD"),
    a_link(1, 4, "STANDARD"),
    *(a_link(middle, 5) for middle in (2, 3, 4)),
    a_link(2, 3),
    an_ad(50, owner=5),
    an_account_link(4, 50),
)
"""To ad account 50 lead five ways of each role: over 2, 3 and 4, over 2 and 3, and by the account link of 4."""
QUERY = """query ($size: Int, $after: String) { access(target: "AdAccount:50") {
  decisions { capability decidingPath { assignmentId hops { linkId kind } } }
  paths(first: $size, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { assignmentId hops { linkId kind } }
  }
} }"""
Write = Callable[[Transaction, writes.Stamp], object]


def somewhere_else(transaction: Transaction, stamp: writes.Stamp) -> None:
    role = AssignmentEntry(AssignmentId(90), UserId(1), ManagerAccountId(1), Role.STANDARD)
    writes.write_assignments(transaction, stamp, [role])
    writes.end_assignments(transaction, stamp, [role.id])


def the_target_itself(transaction: Transaction, stamp: writes.Stamp) -> None:
    writes.write_ad_account_status(transaction, stamp, [AdAccountId(50)], AdAccountStatus.SUSPENDED)


def what_decided_ends(transaction: Transaction, stamp: writes.Stamp) -> None:
    writes.write_client_link_status(transaction, stamp, [ClientLinkId(1_002)], ClientLinkStatus.INACTIVE)


def something_stronger_comes(transaction: Transaction, stamp: writes.Stamp) -> None:
    role = AssignmentEntry(AssignmentId(91), UserId(1), ManagerAccountId(5), Role.SUPER_ADMIN)
    writes.write_assignments(transaction, stamp, [role])


WRITES: tuple[Write, ...] = (somewhere_else, the_target_itself, what_decided_ends, something_stronger_comes)


def page(client: GraphClient, size: int, after: str | None = None) -> Any:
    return client.data(QUERY, {"size": size, "after": after})["access"]


def every_page(database: Database, size: int, in_between: Callable[[], None]) -> list[Any]:
    """All paths page by page, with something done before each page but the first."""
    found: list[Any] = []
    after = None
    while True:
        paths = page(GraphClient(database, 1), size, after)["paths"]
        found += paths["nodes"]
        if not paths["pageInfo"]["hasNextPage"]:
            return found
        after = paths["pageInfo"]["endCursor"]
        in_between()


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_what_stays_through_a_write_is_told_exactly_once(
    database: Database, write: Write, place: int, size: int
) -> None:
    with database.write() as transaction:
        write_world(transaction, WORLD)
    before = page(GraphClient(database, 1), 100)["paths"]["nodes"]
    pages = 0

    def in_between() -> None:
        nonlocal pages
        pages += 1
        if pages == place:
            with database.write() as transaction:
                write(transaction, writes.begin_revision(transaction, operation="between", at_ms=NOW_MS))

    told = every_page(database, size, in_between)
    assert pages >= place
    after = page(GraphClient(database, 1), 100)["paths"]["nodes"]
    for path in before:
        assert told.count(path) <= 1, "told twice"
        assert told.count(path) == 1 or path not in after, "skipped"


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_a_list_begun_after_a_write_has_those_first_that_decide_now(database: Database, write: Write) -> None:
    with database.write() as transaction:
        write_world(transaction, WORLD)
        write(transaction, writes.begin_revision(transaction, operation="before", at_ms=NOW_MS))
    found = page(GraphClient(database, 1), 100)
    decide = [one["decidingPath"] for one in found["decisions"] if one["decidingPath"] is not None]
    told = found["paths"]["nodes"]
    first = [path for path in told if path in decide]
    assert first
    assert told[: len(first)] == first
    assert found["paths"]["totalCount"] == len(told)
