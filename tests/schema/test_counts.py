"""A count never lies: what is shown and what is hidden are together the same for everybody, under every filter.

Some see nearly all of a company, some a part, some next to nothing; of one list of one object they must agree on
how much there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLList, get_named_type, get_nullable_type

from storage.database import Database
from tests.databases import Databases
from tests.schema.broad_house import BEYOND, BOTTOM, EVERYTHING, LINKED, SCATTERED, TOP, build_broad_house
from tests.schema.client import GraphClient
from tests.schema.lists import PLAIN_LISTS, ListField

OBJECTS = {
    "ManagerAccount": ("managerAccount", (TOP, BOTTOM, 100, 101, 102, 202)),
    "AdAccount": ("adAccount", (20, 1_000, 1_010, 1_021, 4_000, 5_000, 10_000)),
    "User": ("user", (EVERYTHING, LINKED, SCATTERED, 1_000, 1_001, 1_002, 2_000, 2_012)),
    "ClientLink": ("clientLink", (1_100, 1_101, 1_700, 300_100, 20_000_000)),
}
"""What has lists of its own. What a search finds is what its asker reaches."""
ASKERS = (EVERYTHING, LINKED, SCATTERED, BEYOND, 1_000, 1_001, 1_002, 2_000, 2_001, 2_012)
PLACES = (TOP, BOTTOM, 100, 101, 300)
"""What a list can be cut to, by its id: to whom this is hidden, nothing is there."""
A_WALK = {"descendants"}
"""What stands below a hidden manager account is not counted: of a tree one sees what one can walk to."""
SHOWN_WHOLE = {"users", "invitations", "auditLog", "ManagerAccount.accessors"}
"""Shown whole to those who see, or manage, what they belong to; and whoever reaches what one sees is no stranger."""
OF_THE_ASKER = {"Query", "Viewer", "Access", "AccessToken"}
"""What lists only what its asker reaches, or what is his own."""
LISTS = [one for one in PLAIN_LISTS if one.parent in OBJECTS and one.name not in A_WALK]


@pytest.fixture(scope="module")
def company(databases: Databases, migrated_url: str) -> Iterator[dict[int, GraphClient]]:
    """Those who ask, by login."""
    url = databases.copy_of(migrated_url)
    database = Database.open(url)
    world = build_broad_house(database, 3)
    yield {login: GraphClient(database, login, world=world) for login in ASKERS}
    database.close()
    databases.drop(url)


def filters(one: ListField) -> Iterator[tuple[str, int | None]]:
    """No filter, and every value of every filter; with the place, for one that names a place."""
    yield "", None
    for name, argument in one.field.args.items():
        kind = get_named_type(argument.type)
        if isinstance(kind, GraphQLEnumType):
            several = isinstance(get_nullable_type(argument.type), GraphQLList)
            yield from ((f"{name}: [{value}]" if several else f"{name}: {value}", None) for value in kind.values)
        elif name in ("under", "via"):
            yield from ((f'{name}: "{place}"', place) for place in PLACES)


def test_every_list_of_an_object_is_counted_here() -> None:
    assert {one.parent for one in PLAIN_LISTS} - set(OBJECTS) == OF_THE_ASKER


@pytest.mark.parametrize("one", LISTS, ids=str)
def test_everybody_is_told_of_as_much_as_there_is(company: dict[int, GraphClient], one: ListField) -> None:
    field, numbers = OBJECTS[one.parent]
    hidden = 0
    for given, place in filters(one):
        counts: dict[str, set[int]] = {}
        arguments = ", ".join(filter(None, (given, "first: 100")))
        asked = f"{one.name}({arguments}) {{ totalCount hiddenCount pageInfo {{ hasNextPage }} edges {{ cursor }} }}"
        objects = " ".join(f'of{id}: {field}(id: "{id}") {{ {asked} }}' for id in numbers)
        where = "" if place is None else f'place: managerAccount(id: "{place}") {{ customerId }}'
        for client in company.values():
            data = client.ask_once(f"{{ {where} {objects} }}")["data"]
            if place is not None and data.pop("place") is None:
                continue
            for key, told in lists_of(data, one.name):
                assert told["totalCount"] == len(told["edges"]), (client.login, key, given)
                assert not told["pageInfo"]["hasNextPage"]
                counts.setdefault(key, set()).add(told["totalCount"] + told["hiddenCount"])
                hidden += told["hiddenCount"]
        assert all(len(found) == 1 for found in counts.values()), (given, counts)
    assert hidden or {one.name, str(one)} & SHOWN_WHOLE, "the company is to hide something of each list"


def lists_of(data: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The lists of the objects that were shown, and in which they were shown."""
    for key, found in data.items():
        if found is not None and found[name] is not None:
            yield key, found[name]
