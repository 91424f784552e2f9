"""The number of statements depends on the depth of a query, never on the number of rows: for every field there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import get_named_type, is_leaf_type

from resolvers.session import Limits
from storage.database import Database
from tests.databases import SqliteDatabases, migrated
from tests.schema.broad_house import BEYOND, EVERYTHING, LINKED, SCATTERED, build_broad_house
from tests.schema.client import GraphClient
from tests.schema.growth import SEATED, Asked, Question, Rows, all_things, each_thing, lists_below, questions, things

NARROW, BROAD = 12, 30
"""Eighteen more rows of every list, six of each kind."""
ADDED_AT_MOST = 5
"""More rows can have more to look up once: a manager account that came in another list before, a page that ends
elsewhere. What is loaded row by row adds six at least, also when only one kind of rows needs it."""
ROOMY = Limits(max_nodes=1_000_000, max_values=10_000_000, seconds=600)

Houses = dict[int, Database]


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    """Two companies that differ in breadth. The code that asks is the same for both databases, so one will do."""
    databases = SqliteDatabases(tmp_path_factory.mktemp("broad"))
    template = migrated(databases)
    found = {}
    for breadth in (NARROW, BROAD):
        found[breadth] = Database.open(databases.copy_of(template))
        build_broad_house(found[breadth], breadth)
    yield found
    for database in found.values():
        database.close()


def clients(houses: Houses, login: int) -> dict[int, GraphClient]:
    return {breadth: GraphClient(database, login, limits=ROOMY) for breadth, database in houses.items()}


def grown(asking: dict[int, GraphClient], one: Rows, asked: list[Asked]) -> Iterator[str]:
    """What costs more statements in the broader company."""
    for narrow, broad in zip(questions(one, NARROW, asked), questions(one, BROAD, asked), strict=True):
        costs = [cost(asking[breadth], question) for breadth, question in ((NARROW, narrow), (BROAD, broad))]
        if costs[1] - costs[0] > ADDED_AT_MOST:
            yield f"{narrow.about}: {costs[0]}, then {costs[1]}"


def cost(client: GraphClient, question: Question) -> int:
    client.ask_once(question.text)
    return client.statements


@pytest.mark.parametrize("one", SEATED, ids=str)
def test_no_thing_asked_of_rows_costs_more_statements_for_more_rows(houses: Houses, one: Rows) -> None:
    assert not list(grown(clients(houses, EVERYTHING), one, list(each_thing(one))))


@pytest.mark.parametrize("login", [LINKED, SCATTERED, BEYOND], ids=["linked only", "scattered", "beyond the limit"])
@pytest.mark.parametrize("one", SEATED, ids=str)
def test_nor_does_it_for_those_who_see_a_part(houses: Houses, one: Rows, login: int) -> None:
    """What is hidden, and what only a chain over the limit leads to, is looked for together, too."""
    assert not list(grown(clients(houses, login), one, list(all_things(one))))


@pytest.mark.parametrize("one", SEATED, ids=str)
def test_a_cursor_of_one_rows_list_is_refused_to_the_other_rows_together(houses: Houses, one: Rows) -> None:
    asking = clients(houses, EVERYTHING)
    for thing in lists_below(one):
        costs = {}
        for breadth, client in asking.items():
            first = [Asked(thing.about, thing.asked("(first: 1)", "{ pageInfo { endCursor } }"))]
            for number, question in enumerate(questions(one, breadth, first)):
                cursor = next(cursors(client.ask_once(question.text)), None)
                if cursor is not None:
                    after = f'(first: 2, after: "{cursor}")'
                    again = list(questions(one, breadth, [Asked(thing.about, thing.asked(after, "{ totalCount }"))]))
                    costs[number, breadth] = cost(client, again[number])
        for (number, breadth), statements in costs.items():
            assert statements <= costs[number, NARROW] + ADDED_AT_MOST, (thing.about, breadth)


def cursors(answer: Any) -> Iterator[str]:
    """Every end of a page in an answer."""
    if isinstance(answer, dict):
        if answer.get("endCursor"):
            yield answer["endCursor"]
        for value in answer.values():
            yield from cursors(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from cursors(value)


def test_the_broad_company_shows_more_rows_of_each_list_than_the_narrow_one(houses: Houses) -> None:
    """Or the questions above would prove nothing."""
    asking = clients(houses, EVERYTHING)
    for one in SEATED:
        if all(is_leaf_type(get_named_type(thing.field.type)) for thing in things(one.field)):
            continue
        told = [Asked("rows", "{ edges { cursor } }" if one.is_paged else "{ __typename }")]
        for narrow, broad in zip(questions(one, NARROW, told), questions(one, BROAD, told), strict=True):
            shown = [
                length(asking[breadth].data(question.text)) for breadth, question in ((NARROW, narrow), (BROAD, broad))
            ]
            more = 0 if one.name in OF_A_FIXED_LENGTH else 2 * (ADDED_AT_MOST + 1)
            assert shown[1] >= shown[0] + more, (str(one), shown)


OF_A_FIXED_LENGTH = {"decisions"}
"""One row a capability, however broad the company."""


def length(answer: Any) -> int:
    """How many rows the one list of an answer has."""
    if isinstance(answer, dict):
        return sum(map(length, answer.values()))
    return len(answer) if isinstance(answer, list) else 0
