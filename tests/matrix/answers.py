"""What is asked of the company, made from the schema, and what the answers show, told place by place.

A place is a field of a type at one object. The same object reached by another way has the same places, so that what
two people are shown, or one is shown by two ways, can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

from tests.matrix.rights import RIGHTS
from tests.schema.client import GRAPH
from tests.schema.selections import given

Key = tuple[Any, ...]
NODES: Final = {
    "ManagerAccount": "customerId",
    "AdAccount": "accountId",
    "User": "userId",
    "ClientLink": "linkId",
    "UserInvitation": "invitationId",
    "AuditEntry": "auditId",
    "AccessToken": "tokenId",
    "Change": "revision",
}
"""Types whose objects are the same wherever they are met, and the field that says which one it is."""
PARTS: Final[dict[str, tuple[str, ...]]] = {
    "CustomerRole": ("roleId", "customerId", "linkPermission", "assignmentId"),
    "LinkedAgency": ("customerId",),
    "TaxInformation": ("key",),
    "AccessContext": ("customerId",),
    "CheckResult": ("capability",),
}
"""Types whose objects are told apart by these fields within what they belong to; others by their position."""
EVERYWHERE: Final = frozenset({"TOLD", "OWN", "ROWS SEEN"})
"""Rights to parts of an object that are the same at whatever place the object is reached."""
NAMED: Final = frozenset({"IF SEEN", "OR RESTRICTED", "CLIENT"})
"""Rights by which an object that is too far down to be looked into is at least named."""
STEP: Final = frozenset({"Access", "CheckResult", "AccessPath", "AccessPathConnection"})
"""Types that count as a step down, though they are no objects of their own."""


class Place(NamedTuple):
    """A field at one object, with what it shows there. `about`: whose access to what is told here, if anybody's."""

    type: str
    field: str
    parent: Key
    value: Any
    data: dict[str, Any]
    about: tuple[Any, Any] | None
    way: tuple[str, ...]
    key: Key
    """Equal for all who look at the same field of the same object."""


def is_list(kind: GraphQLNamedType) -> bool:
    """Whether it lies between an object and the objects of its list."""
    return kind.name.endswith(("Connection", "Edge"))


@cache
def selection(name: str, depth: int, root: bool = False) -> str:
    """All fields of a type, and of what they lead to, so many objects down."""
    kind = GRAPH.type_map[name]
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        parts = [f"... on {one.name} {{ {selection(one.name, depth)} }}" for one in GRAPH.get_possible_types(kind)]
        return " ".join(("__typename", *parts))
    assert isinstance(kind, GraphQLObjectType)
    return " ".join(("__typename", *(part for field in kind.fields if (part := one_field(kind, field, depth)))))


def one_field(kind: GraphQLObjectType, name: str, depth: int) -> str:
    """A field as it is asked, or nothing when it leads too far down."""
    field = kind.fields[name]
    below = get_named_type(field.type)
    head = f"{kind.name}_{name}: {name}{_arguments(field)}"
    if is_leaf_type(below):
        return head
    # A list and the objects in it are one step.
    step = 0 if kind.name.endswith("Edge") and name == "node" else steps_to(below)
    # The rows of a list are told as its edges; without them, which ones they are.
    if kind.name.endswith("Connection") and name == "nodes":
        return f"{head} {{ {ids_of(below)} }}"
    if depth < step and RIGHTS.get(f"{kind.name}.{name}") in NAMED:
        return f"{head} {{ {ids_of(below)} }}"
    # What whoever sees an object is told is looked at once; what needs more is looked at wherever it can be reached.
    if kind.name in NODES and depth == 0 and RIGHTS.get(f"{kind.name}.{name}") in EVERYWHERE:
        return ""
    return f"{head} {{ {selection(below.name, depth - step)} }}" if depth >= step else ""


def steps_to(below: GraphQLNamedType) -> int:
    """How far down a field of this type leads."""
    objects = [below] if isinstance(below, GraphQLObjectType) else list(GRAPH.get_possible_types(below))  # type: ignore[arg-type]
    return int(any(one.name in NODES or one.name in STEP or one.name.endswith("Connection") for one in objects))


def ids_of(kind: GraphQLNamedType) -> str:
    """A selection that says which object it is, and nothing else."""
    if isinstance(kind, GraphQLObjectType):
        name = NODES.get(kind.name) or ("customerId" if kind.name == "RestrictedManagerAccount" else None)
        return f"__typename {kind.name}_{name}: {name}" if name else "__typename"
    parts = [f"... on {one.name} {{ {ids_of(one)} }}" for one in GRAPH.get_possible_types(kind)]  # type: ignore[arg-type]
    return " ".join(("__typename", *parts))


def _arguments(field: GraphQLField) -> str:
    text = given(field.args)
    if "first" not in field.args:
        return text
    return f"{text[:-1]}, first: 100)" if text else "(first: 100)"


# What an answer shows


def places_of(
    kind: str, data: dict[str, Any], key: Key, about: Any = None, way: tuple[str, ...] = ()
) -> Iterator[Place]:
    """Every place of an object and of all below it; `key` says where it stands when it is nothing by itself.

    At a root `about` is a dictionary: whose access to what each of its fields was asked about.
    """
    own = key_of(kind, data, key)
    if kind.endswith("Edge") and isinstance(data.get(f"{kind}_node"), dict):
        node = data[f"{kind}_node"]
        which = key_of(node["__typename"], node, ())
        own = (*(key[:-1] if which else key), "edge", *which)
        if kind == "AccessorEdge" and about is not None:
            about = (node.get("User_userId"), about[1])
    for alias, value in data.items():
        if alias == "__typename":
            continue
        name = alias.removeprefix(f"{kind}_")
        # A field that is asked several times has the number of the question behind its name.
        field = name.partition("__")[0]
        told = about.get(name) if isinstance(about, dict) else about
        if field in ("viewerCan", "viewerContexts", "accessors") and kind in ("ManagerAccount", "AdAccount"):
            told = (None, own)
        step = (*way, f"{kind}.{field}")
        yield Place(kind, field, own, value, data, told, step, (*own, name))
        yield from _below(value, (*own, name), told, step)


def _below(value: Any, key: Key, about: Any, way: tuple[str, ...]) -> Iterator[Place]:
    if isinstance(value, dict):
        yield from places_of(value["__typename"], value, key, about, way)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            if isinstance(item, dict):
                yield from places_of(item["__typename"], item, (*key, position), about, way)


def key_of(kind: str, data: dict[str, Any], key: Key) -> Key:
    """Where an object stands: by itself, or within what it belongs to."""
    name = NODES.get(kind)
    if name is not None and f"{kind}_{name}" in data:
        return (kind, int(data[f"{kind}_{name}"]))
    if kind == "RestrictedManagerAccount":
        return (kind, int(data[f"{kind}_customerId"]))
    if kind in PARTS and key and isinstance(key[-1], int):
        return (*key[:-1], *(data[f"{kind}_{one}"] for one in PARTS[kind]))
    return key


def node_of(value: Any) -> Key | None:
    """Which object a value is."""
    return None if value is None else key_of(value["__typename"], value, ())


def shape(value: Any) -> Any:
    """A value without what is told below it: plain values as they are, of objects which they are."""
    if isinstance(value, list):
        return [shape(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value["__typename"]
    if isinstance(value.get(f"{kind}_node"), dict):
        return node_of(value[f"{kind}_node"])
    if kind in PARTS:
        return (kind, *(value.get(f"{kind}_{one}") for one in PARTS[kind]))
    return node_of(value) or (kind,)
