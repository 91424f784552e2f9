"""What a request costs in statements: so many a level, whatever the number of rows; and never a shortened list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from resolvers.session import Limits
from tests.oracle import World
from tests.schema.client import GraphClient
from tests.schema.conftest import AsUser, GeneratedData
from tests.schema.questions import FOLDER, QUERIES

WHOLE = (FOLDER / "how-does-the-whole-hierarchy-look.graphql").read_text()
ROOMY = Limits(max_nodes=11_000)
MOST_STATEMENTS = 40
"""For any of the questions; the deepest one, five levels, has the most."""
MANAGERS = {10: 5, 1_000: 31, 10_000: 341}
"""How many manager accounts the generated trees have, by their ad accounts."""

NESTED = """query ($top: ID!, $size: Int) { managerAccount(id: $top) { ...Level managerAccounts(first: $size) { nodes {
  ...Level managerAccounts(first: $size) { nodes { ...Level } } } } } }
fragment Level on ManagerAccount {
  name viewerCapabilities
  adAccounts(first: $size) { totalCount nodes { name viewerCapabilities viewerContextId owner { __typename } } }
}"""
FLAT = "query ($top: ID!) { managerAccount(id: $top) { descendants { nodes { __typename } } } }"


def asker(generated: GeneratedData, limits: Limits = ROOMY) -> GraphClient:
    return GraphClient(generated.database, generated.has.tree_login_id, world=World(), limits=limits)


def count(answer: Any) -> int:
    """The rows of all lists in an answer."""
    if isinstance(answer, dict):
        return sum(len(value) if name in ("edges", "nodes") else 0 for name, value in answer.items()) + sum(
            map(count, answer.values())
        )
    return sum(map(count, answer)) if isinstance(answer, list) else 0


def cost(client: GraphClient, query: str, variables: dict[str, Any]) -> int:
    answer = client.ask_once(query, variables)
    assert "errors" not in answer, answer["errors"]
    return client.statements


def test_the_whole_hierarchy_costs_the_same_for_ten_and_for_ten_thousand(generated: GeneratedData) -> None:
    client = asker(generated)
    costs = {}
    for size, root in generated.has.roots.items():
        answer = client.ask_once(WHOLE, {"top": str(root)})
        assert "errors" not in answer
        assert count(answer) == size + MANAGERS[size] - 1
        costs[size] = client.statements
    assert sorted(costs) == [10, 1_000, 10_000]
    assert len(set(costs.values())) == 1, costs
    assert max(costs.values()) <= MOST_STATEMENTS


def test_rights_on_every_row_cost_the_same_for_ten_and_for_ten_thousand(generated: GeneratedData) -> None:
    client = asker(generated)
    costs = {cost(client, NESTED, {"top": str(root), "size": 5}) for root in generated.has.roots.values()}
    assert len(costs) == 1, costs


@pytest.mark.parametrize(
    "query", [NESTED, FLAT.replace("descendants", "descendants(first: $size)").replace("!)", "!, $size: Int)")]
)
def test_a_page_of_fifty_costs_what_a_page_of_five_costs(generated: GeneratedData, query: str) -> None:
    client, root = asker(generated), str(generated.has.roots[1_000])
    assert cost(client, query, {"top": root, "size": 5}) == cost(client, query, {"top": root, "size": 50})


def test_the_flat_tree_costs_the_same_for_ten_and_for_ten_thousand(generated: GeneratedData) -> None:
    client = asker(generated)
    costs = {cost(client, FLAT, {"top": str(root)}) for root in generated.has.roots.values()}
    assert len(costs) == 1, costs


def test_a_thousand_checks_cost_what_ten_cost(generated: GeneratedData) -> None:
    client = asker(generated)
    query = "query ($checks: [CheckInput!]!) { checkMany(checks: $checks) { allowed code message } }"
    costs = set()
    for number in (10, 1_000):
        accounts = range(9_000_011, 9_000_011 + number)
        checks = [{"capability": "DELETE_AD_ACCOUNT", "target": f"AdAccount:{id}"} for id in accounts]
        costs.add(cost(client, query, {"checks": checks}))
    assert len(costs) == 1, costs


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_each_question_stays_under_a_fixed_number_of_statements(as_user: AsUser, path: Path) -> None:
    file = path.with_suffix(".variables.json")
    variables = json.loads(file.read_text()) if file.exists() else {}
    for user in (1001, 6001):
        client = as_user(user)
        client.ask_once(path.read_text(), variables)
        assert client.statements <= MOST_STATEMENTS, user


@pytest.mark.parametrize("query", [WHOLE, FLAT], ids=["nested", "flat"])
@pytest.mark.parametrize("size", [10, 1_000])
def test_a_tree_of_exactly_the_limit_is_given_whole_and_one_more_is_an_error(
    generated: GeneratedData, query: str, size: int
) -> None:
    rows = size + MANAGERS[size] - 1
    variables = {"top": str(generated.has.roots[size])}
    enough = asker(generated, Limits(max_nodes=rows)).ask_once(query, variables)
    assert "errors" not in enough
    assert count(enough) == rows
    for limit in (rows - 1, rows // 2, 1):
        client = asker(generated, Limits(max_nodes=limit))
        answer = client.ask_once(query, variables)
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"TOO_MANY_NODES"}
        assert all(f"more than {limit} " in error["message"] for error in answer["errors"])
        assert "first: 100" in answer["errors"][0]["message"]


def test_a_tree_too_large_is_refused_while_it_is_loaded(generated: GeneratedData) -> None:
    """Not after: what is refused costs no more rows than what is given."""
    root = str(generated.has.roots[10_000])
    client = asker(generated, Limits(max_nodes=100))
    assert "errors" in client.ask_once(WHOLE, {"top": root})
    refused = client.statements
    asker(generated).ask_once(WHOLE, {"top": root})
    assert refused <= cost(asker(generated), WHOLE, {"top": root}) * 2


def test_pages_of_a_tree_over_the_limit_are_still_given(generated: GeneratedData) -> None:
    root = str(generated.has.roots[10_000])
    client = asker(generated, Limits(max_nodes=200))
    query = (
        "query ($top: ID!) { managerAccount(id: $top) { adAccounts(first: 100) { totalCount nodes { accountId } } } }"
    )
    found = client.data(query, {"top": root})["managerAccount"]["adAccounts"]
    assert len(found["nodes"]) == min(100, found["totalCount"])
