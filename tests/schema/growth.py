"""Questions about the cost of rows, made from the schema: every field that gives several, and every field of them.

A question is asked of two companies that differ in breadth only (`broad_house`). Three shapes of questions:
the rows of a list and one thing of each; what one thing of each row leads to; a list under each row of a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from tests.schema.broad_house import BOTTOM, TOP, branches
from tests.schema.client import GRAPH
from tests.schema.selections import everything, given

SEATS = {
    "Query": "%s",
    "Viewer": "viewer { %s }",
    "ManagerAccount": f'managerAccount(id: "{TOP}") {{ %s }}',
    "AdAccount": 'adAccount(id: "20") { %s }',
    "User": 'user(id: "1000") { %s }',
    "ClientLink": 'clientLink(id: "1100") { %s }',
    "Access": f'access(target: "ManagerAccount:{BOTTOM}") {{ %s }}',
}
"""How to reach an object of a type that has lists with as many rows as the company is broad."""
PAGED = ("", "(first: 2)", "(last: 1)")
"""How a list under each row is asked for: pages and whole lists are read in different ways."""


class Rows(NamedTuple):
    """A field that gives several rows, as it is asked for."""

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

    def __str__(self) -> str:
        return f"{self.parent}.{self.name}{self.given[:40]}"


class Question(NamedTuple):
    """A document, and what it asks about."""

    about: str
    text: str


def arguments(parent: str, name: str, breadth: int) -> list[tuple[str, str | None]]:
    """How a field is asked for in a company of this breadth; each way with the kind of its rows, if it asks by kind."""
    ways: dict[tuple[str, str], list[tuple[str, str | None]]] = {
        ("Query", "find"): [('(prefix: "")', None)],
        ("Query", "invitations"): [(f'(filter: {{ customerId: "{TOP}" }})', None)],
        ("Query", "nodes"): [(_ids(kind, breadth), kind) for kind in _NUMBERS],
        ("Query", "checkMany"): [(_checks(capability, breadth), None) for capability in ("VIEW", "DELETE_AD_ACCOUNT")],
    }
    return ways.get((parent, name), [("", None)])


_NUMBERS = {
    "ManagerAccount": lambda number: 100 + number,
    "AdAccount": lambda number: (100 + number) * 10,
    "User": lambda number: 2_000 + number * 10,
    "ClientLink": lambda number: 1_100 + number,
    "UserInvitation": lambda number: number * 10 + 1,
}


def _ids(kind: str, breadth: int) -> str:
    ids = ", ".join(f'"{kind}:{_NUMBERS[kind](number)}"' for number in range(breadth))
    return f"(ids: [{ids}])"


def _checks(capability: str, breadth: int) -> str:
    checks = [f'{{ capability: {capability}, target: "AdAccount:{branch * 10}" }}' for branch in branches(breadth)]
    checks += [f'{{ capability: MANAGE_USERS, target: "ManagerAccount:{branch}" }}' for branch in branches(breadth)]
    return f"(checks: [{', '.join(checks)}])"


def gives_rows(field: GraphQLField) -> bool:
    """Whether a field gives several objects: a connection, or a plain list of them."""
    kind = get_named_type(field.type)
    is_plain = is_list_type(get_nullable_type(field.type)) and not is_leaf_type(kind)
    return is_plain or kind.name.endswith("Connection")


def members(kind: GraphQLNamedType) -> list[GraphQLObjectType]:
    """The object types a named type stands for."""
    if isinstance(kind, GraphQLUnionType):
        return list(kind.types)
    if isinstance(kind, GraphQLInterfaceType):
        return list(GRAPH.get_possible_types(kind))
    assert isinstance(kind, GraphQLObjectType)
    return [kind]


class Thing(NamedTuple):
    """One field of a row: on what type, and the selection of the row with a gap for that field."""

    on: GraphQLObjectType
    name: str
    field: GraphQLField
    around: str

    def asked(self, given_to_it: str = "", below: str | None = None) -> str:
        """The selection of a row that asks for this alone; `below` is what is asked of what it leads to."""
        kind = get_named_type(self.field.type)
        if below is None:
            below = "" if is_leaf_type(kind) else f"{{ {everything(kind, 0)} }}"
        return self.around.replace("%s", f"{self.name}{given_to_it or given(self.field.args)} {below}")


def things(field: GraphQLField) -> Iterator[Thing]:
    """Every field of the rows a field gives, edges included; or of the object, when it gives one."""
    kind, around = get_named_type(field.type), "{ %s }"
    if kind.name.endswith("Connection"):
        assert isinstance(kind, GraphQLObjectType)
        edge = get_named_type(kind.fields["edges"].type)
        assert isinstance(edge, GraphQLObjectType)
        yield from (
            Thing(edge, name, one, "{ edges { %s } }") for name, one in edge.fields.items() if name not in ("node",)
        )
        kind, around = get_named_type(edge.fields["node"].type), "{ edges { node { %s } } }"
    for member in members(kind):
        for name, one in member.fields.items():
            yield Thing(member, name, one, around.replace("%s", f"... on {member.name} {{ %s }}"))


def seated() -> Iterator[Rows]:
    """Every field that gives rows on an object one can ask for by itself."""
    for parent in reversed(SEATS):
        kind = GRAPH.type_map[parent]
        assert isinstance(kind, GraphQLObjectType)
        yield from (Rows(parent, name) for name, field in kind.fields.items() if gives_rows(field))


def questions(one: Rows, breadth: int) -> Iterator[Question]:
    """All questions about the rows of one field, in a company of this breadth."""
    seat = SEATS[one.parent]
    for given_to_it, kind in arguments(one.parent, one.name, breadth):
        for about, selection in _of_rows(one, kind):
            yield Question(about, f"{{ {seat.replace('%s', f'{one.name}{given_to_it} {selection}')} }}")


_FIRST: dict[tuple[str, str], str] = {}


def _of_rows(one: Rows, kind: str | None) -> Iterator[tuple[str, str]]:
    for thing in things(one.field):
        if kind not in (None, thing.on.name):
            continue
        about = f"{one} {thing.on.name}.{thing.name}"
        yield about, thing.asked()
        # What stands below a row does not depend on the list it came from, so it is asked under one list only.
        if _FIRST.setdefault((thing.on.name, thing.name), str(one)) != str(one):
            continue
        for further in things(thing.field) if not is_leaf_type(get_named_type(thing.field.type)) else ():
            ways = PAGED if "first" in thing.field.args else ("",)
            for way in ways:
                arguments_given = way or given(thing.field.args)
                yield f"{about}{way} {further.on.name}.{further.name}", thing.asked(arguments_given, further.asked())
