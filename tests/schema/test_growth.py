"""Asking more rows of a list for one more thing costs no more statements: what one row needs is loaded for all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from tests.schema.conftest import AsUser
from tests.schema.lists import PLAIN_LISTS, REQUIRED, ListField
from tests.schema.selections import everything, given

SEATS = {
    "Query": "%s",
    "Viewer": "viewer { %s }",
    "ManagerAccount": 'managerAccount(id: "5003") { %s }',
    "AdAccount": 'adAccount(id: "ACCOUNT") { %s }',
    "User": 'user(id: "6002") { %s }',
    "ClientLink": "clientLinks(first: 1) { edges { node { %s } } }",
    "AccessToken": "viewer { accessTokens(first: 1) { nodes { %s } } }",
    "Access": 'access(target: "ManagerAccount:5004", user: "6001") { %s }',
}
"""Objects of the demo company whose lists are long enough to tell."""
ADDED_AT_MOST = 6
"""More rows can have more to look up once: a second kind of link, another company above, a user who is nobody's
colleague. Ten more rows loaded one by one would add ten."""
GROWING = {"accessibleAccounts", "descendants"}
"""Fields that are still loaded row by row in some list. No field may be added here; take out what is mended."""


def things(one: ListField) -> Iterator[tuple[str, str]]:
    """Each field of the rows of a list, and the selection that asks for it alone."""
    connection = get_named_type(one.field.type)
    assert isinstance(connection, GraphQLObjectType)
    edge = get_named_type(connection.fields["edges"].type)
    assert isinstance(edge, GraphQLObjectType)
    node = get_named_type(edge.fields["node"].type)
    for around, kind in (("%s", edge), ("node {{ %s }}", node)):
        if isinstance(kind, GraphQLObjectType):
            for name, field in kind.fields.items():
                if name in ("node", "cursor"):
                    continue
                below = get_named_type(field.type)
                selection = "" if is_leaf_type(below) else f" {{ {everything(below, 0)} }}"
                yield name, around.replace("{{", "{").replace("}}", "}") % f"{name}{given(field.args)}{selection}"


@pytest.mark.parametrize("one", PLAIN_LISTS, ids=str)
def test_more_rows_cost_no_more_statements(as_user: AsUser, one: ListField) -> None:
    client = as_user(6001)
    account = next(str(item.id) for item in client.world.ad_accounts if item.owner == 5004)
    required = REQUIRED.get((one.parent, one.name), "").replace('"1"', '"5001"')
    arguments = f"{required}, first: $rows".lstrip(", ")
    grown = set()
    for name, selection in things(one):
        field = f"{one.name}({arguments}) {{ edges {{ {selection} }} }}"
        query = f"query ($rows: Int) {{ {SEATS[one.parent] % field} }}".replace("ACCOUNT", account)
        costs = []
        for rows in (2, 12):
            assert "errors" not in client.ask_once(query, {"rows": rows}), query
            costs.append(client.statements)
        if costs[1] - costs[0] > ADDED_AT_MOST:
            grown.add(name)
    assert grown <= GROWING, f"{one} loads these row by row: {sorted(grown - GROWING)}"
