"""Every place of every mutation's input where a caller writes a scalar, found in the schema, and values put there."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from graphql import GraphQLInputObjectType, GraphQLList, GraphQLNonNull, GraphQLScalarType

from tests.schema.client import GRAPH
from tests.writes.cells import CALLS, secret_of

Path: TypeAlias = tuple[str | int, ...]
assert GRAPH.mutation_type is not None
MUTATIONS = tuple(sorted(GRAPH.mutation_type.fields))
GIVEN: dict[str, dict[str, Any]] = {call.mutation: call.given for call in reversed(CALLS.values())}
"""One input a mutation that a Super Admin can send."""
GIVEN["acceptUserInvitation"] = {"secret": secret_of(5)}
GIVEN["issueAccessToken"] = {"label": "sync", "scopes": ["READ"]}
GIVEN["revokeAccessToken"] = {"tokenId": "1"}
GIVEN["consolidateLogins"] = {"primaryLogin": "user50@adventure.example", "mergedLogins": ["user1@adventure.example"]}
GIVEN["provisionAggregator"] = {
    "customer": {"name": "New", "industry": "RETAIL", "marketCountry": "US", "marketLanguage": "ENGLISH"},
    "loginName": "new@adventure.example",
    "user": {"firstName": "Kim", "lastName": "Larsen", "email": "kim@user.example"},
}


class Leaf(NamedTuple):
    """One place in an input: the way there, with 0 for the first of a list, and the scalar it takes."""

    path: Path
    scalar: str

    @property
    def field(self) -> list[str]:
        """The place as a refusal names it."""
        return [str(step) for step in self.path]


def leaves_of(mutation: str) -> list[Leaf]:
    """The places of a mutation's input."""
    assert GRAPH.mutation_type is not None
    return list(_leaves(GRAPH.mutation_type.fields[mutation].args["input"].type, ()))


def _leaves(of_type: Any, path: Path) -> Iterator[Leaf]:
    if isinstance(of_type, GraphQLNonNull):
        yield from _leaves(of_type.of_type, path)
    elif isinstance(of_type, GraphQLList):
        yield from _leaves(of_type.of_type, (*path, 0))
    elif isinstance(of_type, GraphQLInputObjectType):
        for name, field in of_type.fields.items():
            yield from _leaves(field.type, (*path, name))
    elif isinstance(of_type, GraphQLScalarType):
        yield Leaf(path, of_type.name)


def put(given: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy of an input with a value at a place, and what is needed around it."""
    result = copy.deepcopy(given)
    at: Any = result
    for step, following in pairwise(path):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not at:
                at.append(empty)
        elif at.get(step) is None:
            at[step] = empty
        at = at[step]
    last = path[-1]
    if isinstance(last, int) and not at:
        at.append(value)
    else:
        at[last] = value
    return result


def document_of(mutation: str) -> str:
    """The mutation with everything it can be refused with, and the fields that echo what was written."""
    of_type = f"{mutation[0].upper()}{mutation[1:]}Input"
    errors = "userErrors { code number message field rule }"
    link = "link { id name note inviterEmail inviterName startDate managingCustomerId }"
    shown = f"results {{ {link} {errors} }}" if mutation.endswith("ClientLinks") else ""
    return f"mutation ($input: {of_type}!) {{ {mutation}(input: $input) {{ revision {errors} {shown} }} }}"


def errors_in(response: dict[str, Any], mutation: str) -> list[dict[str, Any]]:
    """What a response tells against the write: errors of the request, of the call, and of its items."""
    payload = (response.get("data") or {}).get(mutation) or {}
    items = [one for each in payload.get("results") or () for one in each["userErrors"]]
    return [*response.get("errors", ()), *payload.get("userErrors", ()), *items]
