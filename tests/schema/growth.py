"""Questions about the cost of rows, made from the schema: every field that gives several, and every field of them.

A question is asked of two companies that differ in breadth only (`broad_house`). Three shapes of questions:
the rows of a list and one thing of each; what one thing of each row leads to; a list under each row of a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
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
    "ManagerAccount": f'managerAccount(id: "{TOP}") {{ %s }}',
    "AdAccount": 'adAccount(id: "20") { %s }',
    "User": 'user(id: "1000") { %s }',
    "ClientLink": 'clientLink(id: "1100") { %s }',
    "Viewer": "viewer { %s }",
    "Query": "%s",
    "Access": f'access(target: "ManagerAccount:{BOTTOM}") {{ %s }}',
}
"""How to reach an object of a type that has lists with as many rows as the company is broad."""
SEATS_OF_LISTS = {
    # To the bottom lead so many ways that all accessors of an account there would take too long.
    ("AdAccount", "accessors"): 'adAccount(id: "1000") { %s }',
    ("ManagerAccount", "ancestors"): f'managerAccount(id: "{BOTTOM}") {{ %s }}',
}
"""Another seat, where the usual one has too little to show, or too much."""


class Rows(NamedTuple):
    """A field that gives several rows, as it is asked for."""

    parent: str
    name: str

    @property
    def is_paged(self) -> bool:
        """Whether it is given in pages."""
        return "first" in self.field.args

    @property
    def seat(self) -> str:
        """The document around it."""
        return SEATS_OF_LISTS.get((self.parent, self.name), SEATS[self.parent])

    @property
    def field(self) -> GraphQLField:
        """Its definition."""
        parent = GRAPH.type_map[self.parent]
        assert isinstance(parent, GraphQLObjectType)
        field: GraphQLField = parent.fields[self.name]
        return field

    def __str__(self) -> str:
        return f"{self.parent}.{self.name}"


def ways_to_ask(one: Rows, breadth: int) -> list[tuple[str, str | None]]:
    """The arguments of a field in a company of this breadth; each way with the kind of its rows, if it asks by kind."""
    page = f"first: {breadth}"
    ways: dict[tuple[str, str], list[tuple[str, str | None]]] = {
        ("Query", "find"): [(f'(prefix: "", {page})', None)],
        ("Query", "invitations"): [(f'(filter: {{ customerId: "{TOP}" }}, {page})', None)],
        ("Query", "nodes"): [(_ids(kind, breadth), kind) for kind in _NUMBERS],
        ("Query", "checkMany"): [(_checks(capability, breadth), None) for capability in ("VIEW", "DELETE_AD_ACCOUNT")],
    }
    return ways.get((one.parent, one.name), [(f"({page})" if one.is_paged else "", None)])


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

    @property
    def about(self) -> str:
        """Its name, for a reader."""
        return f"{self.on.name}.{self.name}"

    @property
    def is_paged(self) -> bool:
        """Whether it is a list that is given in pages."""
        return "first" in self.field.args

    def asked(self, given_to_it: str | None = None, below: str | None = None) -> str:
        """The selection of a row that asks for this alone; `below` is what is asked of what it leads to."""
        kind = get_named_type(self.field.type)
        if below is None:
            below = "" if is_leaf_type(kind) else f"{{ {everything(kind, 0)} }}"
        if given_to_it is None:
            given_to_it = given(self.field.args)
        return self.around.replace("%s", f"{self.name}{given_to_it} {below}")


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
    for parent in SEATS:
        kind = GRAPH.type_map[parent]
        assert isinstance(kind, GraphQLObjectType)
        yield from (Rows(parent, name) for name, field in kind.fields.items() if gives_rows(field))


class Question(NamedTuple):
    """A document, and what it asks about."""

    about: str
    text: str


class Asked(NamedTuple):
    """The selection of a row, and what it asks about."""

    about: str
    selection: str


def questions(one: Rows, breadth: int, asked: Iterable[Asked]) -> Iterator[Question]:
    """These things asked about the rows of one field, in a company of this breadth."""
    for arguments, kind in ways_to_ask(one, breadth):
        for about, selection in asked:
            if kind is None or f" on {kind} " in selection:
                field = f"{one.name}{arguments} {selection}"
                yield Question(f"{one}{kind or ''}: {about}", f"{{ {one.seat.replace('%s', field)} }}")


def each_thing(one: Rows) -> Iterator[Asked]:
    """Every field of the rows alone, and under each of them every field of what it leads to, two rows of a list.

    What stands below a row does not depend on the list it came from: it is asked about under one list only.
    """
    for thing in things(one.field):
        yield Asked(thing.about, thing.asked())
        if host_of(thing) != one or is_leaf_type(get_named_type(thing.field.type)):
            continue
        for further in things(thing.field):
            given_to_it = "(first: 2)" if thing.is_paged else given(thing.field.args)
            yield Asked(f"{thing.about} {further.about}", thing.asked(given_to_it, further.asked()))


def all_things(one: Rows) -> Iterator[Asked]:
    """Under each row every field that is not a plain value; lists also by two names, in pages that differ."""
    for thing in things(one.field):
        kind = get_named_type(thing.field.type)
        if is_leaf_type(kind):
            continue
        yield Asked(thing.about, thing.asked())
        if thing.is_paged and host_of(thing) == one:
            below = f"{{ {everything(kind, 0)} }}"
            twice = thing.around.replace("%s", f"{thing.name}(first: 2) {below} again: {thing.name}(first: 1) {below}")
            yield Asked(f"{thing.about} twice", twice)


def lists_below(one: Rows) -> Iterator[Thing]:
    """The lists under the rows of a field."""
    return (thing for thing in things(one.field) if thing.is_paged and host_of(thing) == one)


@cache
def _hosts() -> dict[tuple[str, str], Rows]:
    found: dict[tuple[str, str], Rows] = {}
    for one in SEATED:
        for thing in things(one.field):
            found.setdefault((thing.on.name, thing.name), one)
    return found


def host_of(thing: Thing) -> Rows:
    """The list under whose rows this is asked about."""
    return _hosts()[thing.on.name, thing.name]


SEATED = list(seated())
