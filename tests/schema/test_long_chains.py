"""What writes will refuse and a database may still hold: chains over the limit, cycles, diamonds, through the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.builders import a_chain, a_link, a_role, a_world, an_ad
from tests.databases import Databases
from tests.oracle import World
from tests.schema.client import GraphClient
from tests.stored_worlds import stored

Ask = Callable[[World], GraphClient]

SIX = a_world(
    a_role("SUPER_ADMIN", at=1),
    *a_chain(1, 2, 3, 4, 5, 6),
    *(an_ad(number * 10, owner=number) for number in range(1, 7)),
)
CYCLE = a_world(
    a_role("SUPER_ADMIN", at=1), *a_chain(1, 2, 3), a_link(3, 1), *(an_ad(n * 10, owner=n) for n in (1, 2, 3))
)
DIAMOND = a_world(
    a_role("SUPER_ADMIN", at=1),
    a_link(1, 2),
    a_link(1, 3, "STANDARD"),
    a_link(2, 4, "STANDARD"),
    a_link(3, 4),
    a_link(1, 5),
    a_link(4, 5),
    *(an_ad(n * 10, owner=n) for n in (4, 5)),
)


@pytest.fixture
def asking(databases: Databases, migrated_url: str) -> Iterator[Ask]:
    """Stores a world and asks about it as login 1."""
    with ExitStack() as stack:
        yield lambda world: GraphClient(stack.enter_context(stored(world, databases, migrated_url)), 1, world=world)


def test_the_sixth_level_is_an_error_with_its_rule_and_chain_and_siblings_stay(asking: Ask) -> None:
    answer = asking(SIX).ask(
        """{
          fifth: managerAccount(id: "5") { customerId adAccounts { nodes { accountId } } }
          sixth: managerAccount(id: "6") { customerId }
          account: adAccount(id: "60") { accountId }
          sibling: adAccount(id: "50") { accountId }
        }"""
    )
    assert answer["data"] == {
        "fifth": {"customerId": "5", "adAccounts": {"nodes": [{"accountId": "50"}]}},
        "sixth": None,
        "account": None,
        "sibling": {"accountId": "50"},
    }
    assert [error["path"] for error in answer["errors"]] == [["sixth"], ["account"]]
    for error in answer["errors"]:
        assert error["extensions"] == {"code": "CHAIN_OVER_LIMIT", "number": 202, "rule": "P10"}
        assert "1 → 2 → 3 → 4 → 5 → 6" in error["message"]


def test_checks_beyond_the_limit_are_errors_and_neither_yes_nor_no(asking: Ask) -> None:
    answers = asking(SIX).data(
        """query ($checks: [CheckInput!]!) {
          checkMany(checks: $checks) { allowed code rule error { code rule message } }
        }""",
        {"checks": [{"capability": "VIEW", "target": f"AdAccount:{number}0"} for number in range(1, 7)]},
    )["checkMany"]
    assert [answer["allowed"] for answer in answers] == [True] * 5 + [None]
    assert answers[5]["code"] is None
    assert (answers[5]["error"]["code"], answers[5]["error"]["rule"]) == ("CHAIN_OVER_LIMIT", "P10")
    assert "1 → 2 → 3 → 4 → 5 → 6" in answers[5]["error"]["message"]


def test_a_list_that_would_be_short_is_an_error_and_the_nested_tree_keeps_its_siblings(asking: Ask) -> None:
    answer = asking(SIX).ask(
        """{
          viewer { revision accessibleAccounts { nodes { accountId } } }
          managerAccount(id: "1") {
            customerId
            descendants { nodes { __typename } }
            adAccounts { nodes { accountId } }
          }
          low: managerAccount(id: "5") { managerAccounts { nodes { customerId } } adAccounts { totalCount } }
          find(prefix: "") { totalCount }
          adAccounts { totalCount }
        }"""
    )
    data = answer["data"]
    assert data["viewer"] == {"revision": data["viewer"]["revision"], "accessibleAccounts": None}
    assert data["low"] == {"managerAccounts": None, "adAccounts": {"totalCount": 1}}
    assert (data["find"], data["adAccounts"]) == (None, None)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"CHAIN_OVER_LIMIT"}
    # Five levels below 1 stand 2 to 6: the last one can be neither shown nor left out.
    assert data["managerAccount"]["descendants"] is None
    assert data["managerAccount"]["adAccounts"] == {"nodes": [{"accountId": "10"}]}


def test_one_node_of_many_over_the_limit_leaves_the_others(asking: Ask) -> None:
    answer = asking(SIX).ask('{ nodes(ids: ["ManagerAccount:5", "ManagerAccount:6", "AdAccount:50"]) { __typename } }')
    assert answer["data"] == {"nodes": [{"__typename": "ManagerAccount"}, None, {"__typename": "AdAccount"}]}
    assert [error["path"] for error in answer["errors"]] == [["nodes", 1]]


def test_descendants_down_to_the_limit_are_complete(asking: Ask) -> None:
    [below] = (
        asking(SIX)
        .data(
            """{ managerAccount(id: "1") { descendants(maxDepth: 4) { hiddenCount edges { depth node {
          ... on ManagerAccount { customerId } ... on AdAccount { accountId }
        } } } } }"""
        )
        .values()
    )
    told = [(edge["depth"], *edge["node"].values()) for edge in below["descendants"]["edges"]]
    assert sorted(told) == [
        (1, "10"), (1, "2"), (2, "20"), (2, "3"), (3, "30"), (3, "4"), (4, "40"), (4, "5"),
    ]  # fmt: skip


def test_a_cycle_is_walked_once_and_its_top_is_not_below_itself(asking: Ask) -> None:
    data = asking(CYCLE).data(
        """{
          managerAccount(id: "1") {
            descendants { edges { depth node { ... on ManagerAccount { customerId } ... on AdAccount { accountId } } } }
            ancestors { nodes { customerId } }
          }
          viewer { accessibleAccounts { nodes { accountId } } customerRoles { customerId linkPermission } }
        }"""
    )
    edges = data["managerAccount"]["descendants"]["edges"]
    told = [(edge["depth"], *edge["node"].values()) for edge in edges]
    assert told == [(1, "10"), (1, "2"), (2, "20"), (2, "3"), (3, "30")]
    assert [node["customerId"] for node in data["managerAccount"]["ancestors"]["nodes"]] == ["3", "2"]
    assert [node["accountId"] for node in data["viewer"]["accessibleAccounts"]["nodes"]] == ["10", "20", "30"]
    assert sorted(row["customerId"] for row in data["viewer"]["customerRoles"]) == ["1", "2", "3"]


def test_a_diamond_is_listed_once_with_both_parents_and_every_path(asking: Ask) -> None:
    client = asking(DIAMOND)
    data = client.data(
        """{
          managerAccount(id: "1") { descendants { edges { depth parentId parentIds path node {
            ... on ManagerAccount { customerId viewerCapabilities } ... on AdAccount { accountId }
          } } } }
          access(target: "ManagerAccount:4") { paths { totalCount nodes { hops { linkPermission } } } }
        }"""
    )
    edges = {next(iter(edge["node"].values())): edge for edge in data["managerAccount"]["descendants"]["edges"]}
    assert len(edges) == len(data["managerAccount"]["descendants"]["edges"])
    assert edges["4"]["parentIds"] == ["2", "3"]
    assert (edges["4"]["depth"], edges["4"]["path"]) == (2, ["1", "2"])
    assert (edges["5"]["depth"], edges["5"]["parentIds"]) == (1, ["1", "4"]), "the shortest way comes first"
    assert edges["40"]["parentIds"] == ["4"]
    assert data["access"]["paths"]["totalCount"] == 2
    # Either way a STANDARD link takes the same away, before or after an administrative one.
    assert "MANAGE_USERS" not in edges["4"]["node"]["viewerCapabilities"]
    assert "MANAGE_USERS" in edges["5"]["node"]["viewerCapabilities"]
