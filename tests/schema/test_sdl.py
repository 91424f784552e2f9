"""The schema as a document: committed, described to the last argument, and of one style."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)

from schema.build import sdl
from tests.schema.client import GRAPH

COMMITTED = Path(__file__).parent.parent.parent / "schema" / "schema.graphql"
OURS = [one for one in GRAPH.type_map.values() if not is_introspection_type(one) and not is_specified_scalar_type(one)]
CAMEL = re.compile(r"[a-z][A-Za-z0-9]*")
PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*")
UPPER = re.compile(r"[A-Z][A-Z0-9_]*")

Part = GraphQLNamedType | GraphQLField | GraphQLInputField | GraphQLArgument | GraphQLEnumValue

SHORT_LISTS = {
    "AccessToken.scopes": "at most every scope",
    "AccessEffect.gained": "at most every capability",
    "AccessEffect.lost": "at most every capability",
    "Access.capabilities": "at most every capability",
    "Access.contexts": "one for each manager account that leads there",
    "Access.decisions": "one for each capability",
    "Access.roles": "at most every role",
    "Access.withheld": "at most every capability",
    "AccessContext.capabilities": "at most every capability",
    "AccessHop.removed": "at most every capability",
    "AccessHop.rules": "the rules of one hop",
    "AccessPath.capabilities": "at most every capability",
    "AccessPath.hops": "a chain has an end",
    "AccessorEdge.capabilities": "at most every capability",
    "AccessorEdge.roles": "at most every role",
    "AdAccount.linkedAgencies": "as the docs' LinkedAgencies: a list of the account",
    "AdAccount.taxInformation": "the documented keys",
    "AdAccount.viewerCapabilities": "at most every capability",
    "AdAccount.viewerContexts": "one for each manager account that leads there",
    "AdAccount.viewerRoles": "at most every role",
    "AddressValidation.problems": "at most a few for each field",
    "AddressValidation.suggestedAddresses": "at most one for each state of a postal code",
    "Change.changed": "what one write wrote about",
    "ChangedNode.entries": "what one write did to one thing",
    "CheckResult.nearMisses": "bounded by the paths an answer may list",
    "ClientLink.transitions": "the life of one link",
    "ClientLink.viewerActions": "at most every action",
    "ClientLinkActionResult.reasons": "at most one for each condition",
    "ClientLinksPayload.results": "as many as were sent",
    "ConsolidateLoginsPayload.users": "one person's users",
    "CustomerRole.accountIds": "as the docs' AccountIds: a list of the row",
    "CustomerRole.linkedAccountIds": "as the docs' LinkedAccountIds: a list of the row",
    "CustomerRole.linkedCustomerIds": "what one scope lists",
    "Remedy.ways": "two at most",
    "RemedyWay.needs": "one for each side of a link",
    "DescendantEdge.parentIds": "the manager accounts it stands under",
    "DescendantEdge.path": "a chain has an end",
    "ManagerAccount.viewerCapabilities": "at most every capability",
    "ManagerAccount.viewerRoles": "at most every role",
    "Query.checkMany": "as many as were asked",
    "Query.nodes": "as many as were asked",
    "TaxCertificate.files": "the files of one certificate",
    "User.customerRoles": "GetUser, row for row",
    "UserError.field": "the path of one input field",
    "UserInvitation.accountIds": "what one invitation lists",
    "Viewer.customerRoles": "GetUser, row for row",
    "Viewer.users": "one person's users",
}
"""Lists that are no connections, each with what bounds it."""


def parts() -> Iterator[tuple[str, Part]]:
    """Everything in the schema that can carry a description."""
    for kind in OURS:
        yield kind.name, kind
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{kind.name}.{name}", value) for name, value in kind.values.items())
        elif isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{kind.name}.{name}", field) for name, field in kind.fields.items())
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field
                yield from ((f"{kind.name}.{name}({arg}:)", value) for arg, value in field.args.items())


def fields() -> Iterator[tuple[str, str, GraphQLField]]:
    """Every field of every object, with the name of its type."""
    for kind in OURS:
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            yield from ((kind.name, name, field) for name, field in kind.fields.items())


def test_the_committed_schema_is_the_one_that_is_served() -> None:
    assert COMMITTED.read_text() == sdl(), "run `make schema`"


@pytest.mark.parametrize("name", [name for name, _ in parts()])
def test_every_part_is_described(name: str) -> None:
    description = dict(parts())[name].description
    assert description, f"{name} has no description"
    assert description == description.strip()
    assert description[0].isupper() or not description[0].isalpha(), description
    assert description.rstrip('`)"')[-1:] in ".:;!?0123456789" or description.endswith((".", "`", ")")), description


def test_names_are_written_in_one_way() -> None:
    for kind in OURS:
        assert PASCAL.fullmatch(kind.name), kind.name
        if isinstance(kind, GraphQLEnumType):
            assert all(UPPER.fullmatch(name) for name in kind.values), kind.name
        if isinstance(kind, GraphQLInputObjectType):
            assert all(CAMEL.fullmatch(name) for name in kind.fields), kind.name
            assert kind.name.endswith(("Input", "Filter")), kind.name
    for parent, name, field in fields():
        assert CAMEL.fullmatch(name), (parent, name)
        assert all(CAMEL.fullmatch(argument) for argument in field.args), (parent, name)


def test_what_is_named_an_id_is_of_type_id() -> None:
    for parent, name, field in fields():
        if name == "id" or name.endswith(("Id", "Ids")):
            # The role's documented number is a number of the reference, not the id of anything here.
            assert get_named_type(field.type).name == ("Int" if name == "roleId" else "ID"), (parent, name)
        for argument, given in field.args.items():
            if argument in ("id", "ids", "target", "user", "context", "under", "via", "customerIds"):
                assert get_named_type(given.type).name == "ID", (parent, name, argument)
    for kind in OURS:
        if isinstance(kind, GraphQLInputObjectType):
            for name, field in kind.fields.items():
                # A request's name is the caller's own, and the id of nothing here.
                if name.endswith("Id") and name != "requestId":
                    given_as = ("Int",) if name.endswith(("roleId", "RoleId")) else ("ID", "IDFilter")
                    assert get_named_type(field.type).name in given_as, (kind.name, name)


def bare(kind: object) -> object:
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind


def test_lists_that_grow_are_connections() -> None:
    lists = {
        f"{parent}.{name}"
        for parent, name, field in fields()
        if isinstance(bare(field.type), GraphQLList)
        and not (name in ("edges", "nodes") and parent != "Query")
        # What speaks against a write, or an item of it, is bounded by its input.
        and name != "userErrors"
    }
    assert lists == set(SHORT_LISTS)


def test_lists_never_hold_null_but_where_ids_were_asked() -> None:
    for parent, name, field in fields():
        kind = bare(field.type)
        if isinstance(kind, GraphQLList) and (parent, name) != ("Query", "nodes"):
            assert isinstance(kind.of_type, GraphQLNonNull), (parent, name)


SHAPE = ["hiddenCount", "pageInfo", "totalCount", "edges", "nodes"]
MORE_THAN_A_CONNECTION = {"AccessorConnection": ["overLimitCount"]}


def test_every_connection_has_the_same_shape() -> None:
    for kind in OURS:
        if kind.name.endswith("Connection"):
            assert isinstance(kind, GraphQLObjectType)
            more = MORE_THAN_A_CONNECTION.get(kind.name, [])
            assert [name for name in kind.fields if name not in more] == SHAPE, kind.name
            edge = get_named_type(kind.fields["edges"].type)
            assert isinstance(edge, GraphQLObjectType)
            assert edge.name.endswith("Edge")
            assert {"cursor", "node"} <= set(edge.fields), edge.name
            nodes = get_named_type(kind.fields["nodes"].type)
            assert nodes is get_named_type(edge.fields["node"].type), kind.name
    for parent, name, field in fields():
        if get_named_type(field.type).name.endswith("Connection"):
            paging = [argument for argument in field.args if argument in ("first", "after", "last", "before")]
            assert paging in (["first", "after"], ["first", "after", "last", "before"]), (parent, name)


def test_a_field_of_the_root_that_can_fail_can_be_null() -> None:
    """A non-null field that fails takes its siblings with it, and at the root the whole answer."""
    root = GRAPH.query_type
    assert root is not None
    not_null = {name for name, field in root.fields.items() if isinstance(field.type, GraphQLNonNull)}
    assert not_null <= {"nodes"}
