"""Random valid operations over the schema: aliases, fragments, variables, conditions, unions, and ids that fail.

What is drawn is always valid, since response names are never used twice; whether it succeeds is another matter.
"""

from __future__ import annotations

import random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from tests.schema.client import GRAPH

DEEPEST = 6
MOST_FIELDS = 30
IDS = ("1", "2", "5", "60", "70", "77777", "AdAccount:60", "ManagerAccount:1", "User:1", "ClientLink:1002", "wrong", "")
TEXTS = ("", "man", "alike", "Manager 5")
INPUTS = {
    "CheckInput": {"capability": "VIEW", "target": "AdAccount:60"},
    "UserInvitationFilterInput": {"customerId": "1"},
    "AdAccountFilterInput": {"customerId": "5"},
    "ManagerAccountFilterInput": {"name": {"contains": "manager"}},
    "ClientLinkFilterInput": {"directManagingCustomerId": "1"},
    "BusinessAddressInput": {"line1": "1 Main Street", "city": "Redmond", "countryCode": "US"},
    "OrderByInput": {"field": "NAME", "order": "DESCENDING"},
}


class RandomQuery:
    """One operation and its variables, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._names = 0
        self._fields_left = MOST_FIELDS
        self._fragments: list[str] = []
        self._declared: list[str] = []
        self.variables: dict[str, Any] = {}
        root = GRAPH.query_type
        assert root is not None
        body = self._selection(root, 0)
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        self.text = " ".join((f"query Drawn{declared} {{ {body} }}", *self._fragments))

    def _name(self, stem: str) -> str:
        self._names += 1
        return f"{stem}{self._names}"

    def _variable(self, kind: object, value: Any) -> str:
        name = self._name("v")
        self._declared.append(f"${name}: {kind}")
        self.variables[name] = value
        return f"${name}"

    def _happens(self, percent: int) -> bool:
        return self._dice.randrange(100) < percent

    def _selection(self, kind: GraphQLNamedType, depth: int) -> str:
        if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
            members = list(GRAPH.get_possible_types(kind))
            chosen = self._dice.sample(members, self._dice.randint(1, len(members)))
            parts = [self._inside(member, depth) for member in chosen]
            return " ".join(["__typename", *parts])
        assert isinstance(kind, GraphQLObjectType)
        fields = list(kind.fields)
        wanted = self._dice.sample(fields, min(len(fields), self._dice.randint(1, 5)))
        parts = [part for name in wanted if (part := self._field(kind, name, depth))]
        if self._happens(20):
            parts.append(f"{self._name('t')}: __typename")
        if self._happens(25) and self._fields_left > 0:
            parts.append(self._inside(kind, depth))
        return " ".join(parts) or "__typename"

    def _inside(self, kind: GraphQLObjectType, depth: int) -> str:
        """A fragment on a type, written in place or by name."""
        body = self._selection(kind, depth + 1)
        if self._happens(50):
            return f"... on {kind.name}{self._condition()} {{ {body} }}"
        name = self._name("Part")
        self._fragments.append(f"fragment {name} on {kind.name} {{ {body} }}")
        spread = f"...{name}{self._condition()}"
        return f"{spread} ...{name}" if self._happens(20) else spread

    def _condition(self) -> str:
        if not self._happens(20):
            return ""
        value = self._dice.choice(("true", "false"))
        if self._happens(50):
            value = self._variable("Boolean!", value == "true")
        return f" @{self._dice.choice(('skip', 'include'))}(if: {value})"

    def _field(self, parent: GraphQLObjectType, name: str, depth: int) -> str:
        self._fields_left -= 1
        field = parent.fields[name]
        below = get_named_type(field.type)
        leaf = is_leaf_type(below)
        if not leaf and (depth >= DEEPEST or self._fields_left < 0):
            return ""
        given = [f"{arg}: {self._argument(arg, one)}" for arg, one in field.args.items() if self._wants(arg, one)]
        arguments = f"({', '.join(given)})" if given else ""
        head = f"{self._name('a')}: {name}{arguments}{self._condition()}"
        return head if leaf else f"{head} {{ {self._selection(below, depth + 1)} }}"

    def _wants(self, name: str, argument: GraphQLArgument) -> bool:
        return is_required_argument(argument) or self._happens({"first": 40, "last": 8, "after": 2}.get(name, 15))

    def _argument(self, name: str, argument: GraphQLArgument) -> str:
        value = self._value(name, argument.type)
        if self._happens(40):
            return self._variable(argument.type, value)
        return self._literal(argument.type, value)

    def _value(self, name: str, kind: Any) -> Any:
        bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(bare, GraphQLList):
            return [
                self._value(name, bare.of_type) for _ in range(self._dice.randint(0 if self._happens(10) else 1, 3))
            ]
        if isinstance(bare, GraphQLEnumType):
            return self._dice.choice(list(bare.values))
        if bare.name == "ID":
            likely = {"target": IDS[6:8], "user": ("1", "2"), "context": ("1", "4"), "id": IDS[:8]}.get(name, IDS)
            return self._dice.choice(likely if self._happens(85) else IDS)
        if bare.name == "Int":
            return self._dice.choice((1, 2, 3, 5)) if self._happens(95) else 0
        return self._dice.choice(TEXTS) if bare.name == "String" else INPUTS[bare.name]

    def _literal(self, kind: Any, value: Any) -> str:
        bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(bare, GraphQLList):
            return "[" + ", ".join(self._literal(bare.of_type, item) for item in value) + "]"
        if isinstance(value, dict):
            parts = ", ".join(f"{name}: {self._literal(bare.fields[name].type, item)}" for name, item in value.items())
            return "{ " + parts + " }"
        return str(value) if isinstance(bare, GraphQLEnumType) or isinstance(value, int) else f'"{value}"'
