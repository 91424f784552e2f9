"""Asked about together, everything answers as it answers alone: what is loaded for many is cut rightly for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from storage.database import Database
from tests.databases import Databases
from tests.schema.broad_house import BEYOND, BOTTOM, EVERYTHING, LINKED, SCATTERED, TOP, build_broad_house
from tests.schema.client import GraphClient
from tests.schema.lists import PLAIN_LISTS, ListField

ALIKE = {
    "ManagerAccount": (TOP, BOTTOM, 100, 101, 102, 200, 201, 202, 300, 500, 903),
    "AdAccount": (20, 1_000, 1_001, 1_010, 1_020, 2_000, 2_020, 4_000, 5_000, 6_010, 10_000, 10_001),
    "User": (1, 2, 3, 4, 1_000, 1_001, 1_002, 2_000, 2_001, 2_002, 2_003, 2_012, 2_021),
    "ClientLink": (1_100, 1_101, 1_102, 1_700, 100_200, 300_100, 20_000_000, 20_000_001),
}
"""Things of one kind to ask about, hidden ones and ones beyond the limit among them."""
LISTS = [one for one in PLAIN_LISTS if one.parent in ALIKE]
PAGES = ("", "first: 2", "last: 1")


@pytest.fixture(scope="module")
def company(databases: Databases, migrated_url: str) -> Iterator[dict[int, GraphClient]]:
    """Those who ask, by login."""
    url = databases.copy_of(migrated_url)
    database = Database.open(url)
    world = build_broad_house(database, 3)
    logins = (EVERYTHING, LINKED, SCATTERED, BEYOND, 1_001, 2_001)
    yield {login: GraphClient(database, login, world=world) for login in logins}
    database.close()
    databases.drop(url)


def told(client: GraphClient, query: str) -> list[tuple[Any, list[str]]]:
    """What is told of each node, and why of some there is nothing."""
    answer = client.ask_once(query)
    refused: dict[int, list[str]] = {}
    for error in answer.get("errors", ()):
        # Of several chains that are too long any one may be named.
        refused.setdefault(error["path"][1], []).append(error["extensions"]["code"])
    return [(node, refused.get(place, [])) for place, node in enumerate(answer["data"]["nodes"])]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("one", LISTS, ids=str)
def test_a_list_of_one_of_many_is_the_list_of_that_one(
    company: dict[int, GraphClient], one: ListField, page: str
) -> None:
    arguments = f"({page})" if page else ""
    rows = "totalCount hiddenCount pageInfo { hasNextPage hasPreviousPage } edges { cursor }"
    selection = f"... on {one.parent} {{ {one.name}{arguments} {{ {rows} }} }}"

    def query(numbers: tuple[int, ...]) -> str:
        ids = ", ".join(f'"{one.parent}:{number}"' for number in numbers)
        return f"{{ nodes(ids: [{ids}]) {{ {selection} }} }}"

    for client in company.values():
        together = told(client, query(ALIKE[one.parent]))
        alone = [told(client, query((number,)))[0] for number in ALIKE[one.parent]]
        assert together == alone, client.login
