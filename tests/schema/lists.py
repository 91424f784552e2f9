"""Every list of the graph, found in the schema itself: a new one is tested the day it is written.

A list is any field that takes `first`. What the schema cannot say — how to reach an object that has the list,
and what a required argument may be — stands in two tables here; a test says so when an entry is missing.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Any, NamedTuple

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from tests.schema.client import GRAPH, GraphClient

SEATS = {
    "Query": "%s",
    "Viewer": "viewer { %s }",
    "ManagerAccount": 'managerAccount(id: "1") { %s }',
    "AdAccount": 'adAccount(id: "60") { %s }',
    "User": 'user(id: "1") { %s }',
    "ClientLink": 'clientLink(id: "1002") { %s }',
    "AccessToken": "viewer { accessTokens(first: 1) { nodes { %s } } }",
    "Access": 'access(target: "AdAccount:60") { %s }',
}
"""How to reach an object of each type that has lists, in the company of `full_house`."""
SEATS_OF_LISTS = {("ManagerAccount", "ancestors"): 'managerAccount(id: "6") { %s }'}
"""Where the usual object of that type has too little to show in one of its lists."""
REQUIRED = {("Query", "find"): 'prefix: ""', ("Query", "invitations"): 'filter: { customerId: "1" }'}
"""Arguments without which a list cannot be asked for."""


PAGING = {"first": "Int", "after": "String", "last": "Int", "before": "String"}
"""The arguments every list may take, and their types."""


class ListField(NamedTuple):
    """One list in one order."""

    parent: str
    name: str
    given: str = ""

    @property
    def field(self) -> GraphQLField:
        """Its definition."""
        parent = GRAPH.type_map[self.parent]
        assert isinstance(parent, GraphQLObjectType)
        field: GraphQLField = parent.fields[self.name]
        return field

    @property
    def reads_backwards(self) -> bool:
        """Whether it can be read from its end."""
        return "last" in self.field.args

    @property
    def seat(self) -> str:
        """How to reach it; a list whose seat is not in the table fails here."""
        assert self.parent in SEATS, f"say in SEATS how to reach an object of type {self.parent}"
        required = [name for name, one in self.field.args.items() if is_required_argument(one)]
        assert not required or (self.parent, self.name) in REQUIRED, f"say in REQUIRED what {required} may be: {self}"
        return SEATS_OF_LISTS.get((self.parent, self.name), SEATS[self.parent])

    def query(self) -> str:
        """The document that asks for the whole connection, all that is told of its edges; paged by variables."""
        paging = [name for name in PAGING if name in self.field.args]
        arguments = [REQUIRED.get((self.parent, self.name)), self.given, *(f"{name}: ${name}" for name in paging)]
        connection = get_named_type(self.field.type)
        assert isinstance(connection, GraphQLObjectType)
        edge = get_named_type(connection.fields["edges"].type)
        assert isinstance(edge, GraphQLObjectType)
        node = f"node {{ {identity(get_named_type(edge.fields['node'].type))} }}"
        rows = f"edges {{ {leaves(edge)} {node} }} nodes {node[5:]}"
        told = f"{{ {leaves(connection)} pageInfo {{ {page_info()} }} {rows} }}"
        field = f"{self.name}({', '.join(filter(None, arguments))}) {told}"
        return f"query ({', '.join(f'${name}: {PAGING[name]}' for name in paging)}) {{ {self.seat % field} }}"

    def of(self, data: Any) -> Any:
        """The connection out of the data of its document."""
        for name in re.findall(r"(\w+)(?:\([^)]*\))? {", self.seat):
            data = None if data is None else data[name]
            data = data[0] if isinstance(data, list) else data
        return None if data is None else data[self.name]

    def __str__(self) -> str:
        return f"{self.parent}.{self.name}" + (f"({self.given})" if self.given else "")


def page_info() -> str:
    """Every field of PageInfo."""
    kind = GRAPH.type_map["PageInfo"]
    assert isinstance(kind, GraphQLObjectType)
    return leaves(kind)


def leaves(kind: GraphQLObjectType | GraphQLInterfaceType) -> str:
    """Every field that needs neither arguments nor a selection."""
    return " ".join(
        name
        for name, field in kind.fields.items()
        if is_leaf_type(get_named_type(field.type)) and not any(map(is_required_argument, field.args.values()))
    )


def identity(kind: object) -> str:
    """What tells one node from another: its id, or, of what has none, all its plain fields."""
    if isinstance(kind, GraphQLUnionType):
        return "__typename ... on Node { id }"
    assert isinstance(kind, GraphQLObjectType)
    return "id" if "id" in kind.fields else leaves(kind)


def _orders() -> list[str]:
    orders = []
    for name in ("OrderField", "SortOrder"):
        kind = GRAPH.type_map[name]
        assert isinstance(kind, GraphQLEnumType)
        orders.append(list(kind.values))
    return [f"orderBy: {{ field: {field}, order: {order} }}" for field, order in product(*orders)]


def every_list() -> list[ListField]:
    """All lists of the schema; those that can be ordered, in every order."""
    found = []
    for parent in GRAPH.type_map.values():
        # What a subscription tells has no end and no pages.
        if isinstance(parent, GraphQLObjectType) and parent is not GRAPH.subscription_type:
            for name, field in parent.fields.items():
                if "first" in field.args:
                    found.append(ListField(parent.name, name))
                    found += [ListField(parent.name, name, one) for one in _orders() if "orderBy" in field.args]
    return found


LISTS = every_list()
PLAIN_LISTS = [one for one in LISTS if not one.given]
TWO_ENDED_LISTS = [one for one in LISTS if one.reads_backwards]
ASCENDING_LISTS = [one for one in LISTS if "ASCENDING" in one.given]

FEWEST = 3
"""A list with fewer rows shows too little."""


def ask(client: GraphClient, one: ListField, **paging: int | str) -> Any:
    """One page of a list."""
    answer = client.ask_once(one.query(), paging)
    assert "errors" not in answer, (answer["errors"], str(one))
    return one.of(answer["data"])


def rows(page: Any) -> list[Any]:
    """The edges of a page, once its parts agree with each other."""
    assert page["nodes"] == [edge["node"] for edge in page["edges"]]
    if page["edges"]:
        info = page["pageInfo"]
        assert (info["startCursor"], info["endCursor"]) == (page["edges"][0]["cursor"], page["edges"][-1]["cursor"])
    return list(page["edges"])


def the_whole(client: GraphClient, one: ListField) -> list[Any]:
    """All edges of a list that fits one page."""
    page = ask(client, one, first=100)
    assert not page["pageInfo"]["hasNextPage"]
    assert not page["pageInfo"]["hasPreviousPage"]
    found = rows(page)
    assert len(found) >= FEWEST, f"the company of full_house shows too little of {one}"
    assert page["totalCount"] == len(found)
    return found
