"""Pages of every list, of every size and from both ends, put together are the list: no gap, no repeat."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from tests.schema.client import GRAPH, GraphClient
from tests.schema.lists import (
    ASCENDING_LISTS,
    LISTS,
    PLAIN_LISTS,
    TWO_ENDED_LISTS,
    ListField,
    ask,
    rows,
    the_whole,
)


def sizes(whole: list[Any]) -> list[int]:
    length = len(whole)
    return sorted({1, 2, length - 1, length, length + 1})


def test_the_schema_has_no_connection_that_is_not_tested() -> None:
    connections = {
        (parent.name, name)
        for parent in GRAPH.type_map.values()
        if isinstance(parent, GraphQLObjectType)
        for name, field in parent.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    }
    assert connections == {(found.parent, found.name) for found in LISTS}


@pytest.mark.parametrize("one", LISTS, ids=str)
def test_pages_forward_are_the_whole(house: GraphClient, one: ListField) -> None:
    whole = the_whole(house, one)
    for size in sizes(whole):
        collected: list[Any] = []
        after: dict[str, int | str] = {}
        while True:
            page = ask(house, one, first=size, **after)
            part = rows(page)
            assert len(part) <= size
            assert page["totalCount"] == len(whole)
            assert page["pageInfo"]["hasPreviousPage"] == bool(collected)
            collected += part
            assert page["pageInfo"]["hasNextPage"] == (len(collected) < len(whole))
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = {"after": page["pageInfo"]["endCursor"]}
        assert collected == whole, size


@pytest.mark.parametrize("one", TWO_ENDED_LISTS, ids=str)
def test_pages_backward_are_the_whole(house: GraphClient, one: ListField) -> None:
    whole = the_whole(house, one)
    for size in sizes(whole):
        collected: list[Any] = []
        before: dict[str, int | str] = {}
        while True:
            page = ask(house, one, last=size, **before)
            part = rows(page)
            assert len(part) <= size
            assert page["pageInfo"]["hasNextPage"] == bool(collected)
            collected = part + collected
            assert page["pageInfo"]["hasPreviousPage"] == (len(collected) < len(whole))
            if not page["pageInfo"]["hasPreviousPage"]:
                break
            before = {"before": page["pageInfo"]["startCursor"]}
        assert collected == whole, size


@pytest.mark.parametrize("one", TWO_ENDED_LISTS, ids=str)
def test_what_lies_between_two_cursors_is_that_part_of_the_list(house: GraphClient, one: ListField) -> None:
    whole = the_whole(house, one)
    for start, end in ((0, 1), (0, 2), (0, len(whole) - 1), (1, len(whole) - 1)):
        between = {"after": whole[start]["cursor"], "before": whole[end]["cursor"]}
        for size in ({}, {"first": 100}, {"last": 100}):
            page = ask(house, one, **between, **size)
            assert rows(page) == whole[start + 1 : end], (start, end, size)
            assert page["pageInfo"]["hasNextPage"], "the row at the end is next"
            assert page["pageInfo"]["hasPreviousPage"], "the row at the start is before"
            assert page["totalCount"] == len(whole)


@pytest.mark.parametrize("one", LISTS, ids=str)
def test_after_the_last_row_is_nothing(house: GraphClient, one: ListField) -> None:
    whole = the_whole(house, one)
    page = ask(house, one, first=5, after=whole[-1]["cursor"])
    assert rows(page) == []
    assert page["totalCount"] == len(whole)
    assert page["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "startCursor": None,
        "endCursor": None,
    }


@pytest.mark.parametrize("one", ASCENDING_LISTS, ids=str)
def test_descending_is_ascending_reversed(house: GraphClient, one: ListField) -> None:
    other = one._replace(given=one.given.replace("ASCENDING", "DESCENDING"))
    turned = [edge["node"] for edge in rows(ask(house, other, first=100))]
    assert turned == [edge["node"] for edge in reversed(the_whole(house, one))]


@pytest.mark.parametrize("one", PLAIN_LISTS, ids=str)
def test_a_short_list_without_a_page_size_is_given_whole(house: GraphClient, one: ListField) -> None:
    assert rows(ask(house, one)) == the_whole(house, one)
