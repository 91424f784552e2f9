"""Past ten thousand ways to an account they are counted no more, and the check still answers."""

from __future__ import annotations

from typing import Any

import pytest

from resolvers.rules.paths import PATHS_AT_MOST
from tests.builders import a_link, a_role, a_world
from tests.databases import Databases
from tests.schema.client import GraphClient
from tests.stored_worlds import stored

TOP, BOTTOM, SIDE = 1, 2, 100
"""The top links a hundred, each of them the same other hundred, and each of those the bottom."""
UPPER, LOWER = range(1_000, 1_000 + SIDE), range(2_000, 2_000 + SIDE)
ACCESS = '{ access(target: "ManagerAccount:2") { paths(first: 1) { totalCount } } }'
CHECK = '{ check(capability: VIEW, target: "ManagerAccount:2") { allowed } }'


def links() -> list[Any]:
    """Exactly as many ways as may be listed."""
    assert SIDE * SIDE == PATHS_AT_MOST
    top = [a_link(TOP, one) for one in UPPER]
    middle = [a_link(one, other, id=1_000_000 + one * 10_000 + other) for one in UPPER for other in LOWER]
    return [*top, *middle, *(a_link(one, BOTTOM) for one in LOWER)]


@pytest.mark.parametrize("one_more", [False, True])
def test_as_many_ways_are_listed_as_may_be_and_past_it_the_check_still_answers(
    databases: Databases, migrated_url: str, one_more: bool
) -> None:
    more = [a_link(TOP, BOTTOM)] if one_more else []
    with stored(a_world(a_role(at=TOP), *links(), *more), databases, migrated_url) as database:
        client = GraphClient(database, 1)
        answer = client.ask_once(ACCESS)
        assert client.ask_once(CHECK)["data"] == {"check": {"allowed": True}}
    if not one_more:
        assert answer["data"]["access"]["paths"]["totalCount"] == PATHS_AT_MOST
        return
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "TOO_MANY_PATHS"
    assert answer["data"] == {"access": None}
