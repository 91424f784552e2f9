"""Every place of the schema where somebody can write an id, and documents that write one there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
)

from tests.schema.client import GRAPH
from tests.schema.selections import everything

ANY = ("ManagerAccount", "AdAccount", "User", "ClientLink", "UserInvitation")
KINDS_BY_NAME = {
    "node.id": ANY,
    "nodes.ids": ANY,
    "user.id": ("User",),
    "managerAccount.id": ("ManagerAccount",),
    "adAccount.id": ("AdAccount",),
    "clientLink.id": ("ClientLink",),
    "target": ("ManagerAccount", "AdAccount"),
    "user": ("User",),
    "userId": ("User",),
    "context": ("ManagerAccount",),
    "via": ("ManagerAccount",),
    "under": ("ManagerAccount",),
    "customerId": ("ManagerAccount",),
    "customerIds": ("ManagerAccount",),
    "clientCustomerId": ("ManagerAccount",),
    "directManagingCustomerId": ("ManagerAccount",),
    "managingCustomerId": ("ManagerAccount",),
    "accountId": ("AdAccount",),
    "clientAccountId": ("AdAccount",),
}
"""Which kinds of id an argument takes, by its name, or by its field's and its own."""


class Place(NamedTuple):
    """One argument, or a field of an input in it, that takes ids; `arguments` has %s where the id goes."""

    parent: str
    field: str
    name: str
    arguments: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of ids that can be written here."""
        found = KINDS_BY_NAME.get(f"{self.field}.{self.name}") or KINDS_BY_NAME.get(self.name)
        assert found, f"say in KINDS_BY_NAME which kinds of ids {self} takes"
        return found

    def document(self, seat: str, target: str, depth: int = 1) -> str:
        """The document that writes `$id` here; `seat` leads to the parent, `target` is seen by the asker."""
        parent = GRAPH.type_map[self.parent]
        assert isinstance(parent, GraphQLObjectType)
        kind = get_named_type(parent.fields[self.field].type)
        arguments = self.arguments.replace("TARGET", target).replace('"%s"', "$id")
        return "query ($id: ID!) { " + seat % f"{self.field}({arguments}) {{ {everything(kind, depth)} }}" + " }"

    def __str__(self) -> str:
        return f"{self.parent}.{self.field}({self.arguments})"


def every_place() -> list[Place]:
    """All places of the schema."""
    found: list[Place] = []
    # What is sent to be written is asked in the tests of each mutation: it takes more than an id.
    for parent in GRAPH.type_map.values():
        if parent is not GRAPH.mutation_type and isinstance(parent, GraphQLObjectType):
            for field, definition in parent.fields.items():
                for name, argument in definition.args.items():
                    rest = {"check": "capability: VIEW"}.get(field, "")
                    if field in ("check", "access") and name != "target":
                        rest += ' target: "TARGET"'
                    for inner, text in _spelled(name, argument.type):
                        found.append(Place(parent.name, field, inner, f"{text} {rest}".strip()))
    return found


def _spelled(name: str, kind: GraphQLInputType) -> Iterator[tuple[str, str]]:
    """The ways to write one id into an argument or input field: the name that says its kind, and the text."""
    bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(bare, GraphQLList):
        for inner, text in _spelled(name, bare.of_type):
            yield inner, f"{name}: [{text.partition(': ')[2]}]"
    elif getattr(bare, "name", "") == "ID":
        yield name, f'{name}: "%s"'
    elif isinstance(bare, GraphQLInputObjectType):
        if bare.name == "IDFilter":
            yield name, f'{name}: {{ equals: "%s" }}'
            yield name, f'{name}: {{ in: ["%s"] }}'
            return
        for part, field in bare.fields.items():
            for inner, text in _spelled(part, field.type):
                rest = ""
                if bare.name == "CheckInput":
                    rest = " capability: VIEW" + ("" if part == "target" else ' target: "TARGET"')
                yield inner, f"{name}: {{ {text}{rest} }}"


PLACES = every_place()
