"""Selections made from the schema: everything an object can be asked, so that no field is forgotten."""

from __future__ import annotations

from functools import lru_cache

from graphql import (
    GraphQLArgument,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from tests.schema.client import GRAPH

ARGUMENTS = {"Capability!": "VIEW", "ClientLinkAction!": "ACCEPT"}
"""What to give where an object's field requires an argument, by the argument's type."""


def given(arguments: dict[str, GraphQLArgument]) -> str:
    """The required arguments of a field below the root, filled in."""
    required = {name: str(one.type) for name, one in arguments.items() if is_required_argument(one)}
    assert set(required.values()) <= set(ARGUMENTS), f"say in ARGUMENTS what may stand for {required}"
    filled = ", ".join(f"{name}: {ARGUMENTS[kind]}" for name, kind in required.items())
    return f"({filled})" if filled else ""


@lru_cache(maxsize=256)
def everything(kind: GraphQLNamedType, depth: int) -> str:
    """All fields of a type, and of what they lead to, so many steps down."""
    if isinstance(kind, GraphQLUnionType):
        members = kind.types
    elif isinstance(kind, GraphQLInterfaceType):
        members = GRAPH.get_possible_types(kind)
    else:
        assert isinstance(kind, GraphQLObjectType)
        return f"__typename {_fields(kind, depth)}"
    return "__typename " + " ".join(f"... on {member.name} {{ {_fields(member, depth)} }}" for member in members)


def _fields(kind: GraphQLObjectType, depth: int) -> str:
    parts = []
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        # Members of a union may have fields of one name and different types; a name of its own keeps them apart.
        spelled = f"{kind.name}_{name}: {name}{given(field.args)}"
        if is_leaf_type(below):
            parts.append(spelled)
        elif depth > 0:
            # What lies between an object and the objects of its list counts as no step.
            step = 0 if below.name.endswith(("Connection", "Edge")) else 1
            parts.append(f"{spelled} {{ {everything(below, depth - step)} }}")
    return " ".join(parts) or "__typename"
