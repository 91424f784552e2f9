"""The worked example of permissions.md §5 through the graph, row for row, on the demo company."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle import AD, Oracle, Target, World
from tests.schema.conftest import AsUser

ALEX, GUS, HANA = 1001, 1007, 1008
"""The login of the example; the Super Admin and the Viewer of 444."""
TAKEN_BY_STANDARD = {
    "MANAGE_PAYMENT_METHODS",
    "UPDATE_MANAGER_ACCOUNT",
    "VIEW_MANAGER_LINKS",
    "MANAGE_MANAGER_LINKS",
    "MANAGE_USERS",
    "MANAGE_SUPER_ADMINS",
}


def test_customer_roles_are_those_of_the_example_row_for_row(as_user: AsUser) -> None:
    roles = as_user(ALEX).data(
        "{ viewer { customerRoles { roleId customerId linkPermission accountIds linkedAccountIds } } }"
    )["viewer"]["customerRoles"]
    rows = [tuple(row.values()) for row in roles]
    assert sorted(rows, key=str) == sorted(
        [
            (41, "999", None, None, []),
            (41, "111", None, None, []),
            (41, "222", "ADMINISTRATIVE", None, []),
            (41, "333", "STANDARD", None, ["444111"]),
        ],
        key=str,
    )


@pytest.mark.parametrize(
    ("top", "reached"),
    [
        ("333", ["333111", "333222", "444111"]),
        ("222", ["222111", "222222", "333111", "333222", "444111"]),
        ("111", ["111111", "111222", "222111", "222222", "333111", "333222", "444111"]),
    ],
    ids=["3 through L3", "5 through L2", "7 through L1"],
)
def test_ad_accounts_reachable_through_a_level(as_user: AsUser, top: str, reached: list[str]) -> None:
    answer = as_user(ALEX).data(
        """query ($top: ID!) {
          viewer { accessibleAccounts(under: $top) { totalCount hiddenCount nodes { accountId } } }
          managerAccount(id: $top) {
            descendants { hiddenCount nodes { ... on AdAccount { accountId } } }
          }
        }""",
        {"top": top},
    )
    accounts = answer["viewer"]["accessibleAccounts"]
    assert [node["accountId"] for node in accounts["nodes"]] == reached
    assert (accounts["totalCount"], accounts["hiddenCount"]) == (len(reached), 0)
    below = answer["managerAccount"]["descendants"]
    assert sorted(node["accountId"] for node in below["nodes"] if node) == reached
    assert below["hiddenCount"] == 0


def test_only_users_of_444_reach_444222(as_user: AsUser) -> None:
    answer = as_user(GUS).data(
        '{ adAccount(id: "444222") { accessors { hiddenCount totalCount nodes { userId customerId } } } }'
    )
    accessors = answer["adAccount"]["accessors"]
    assert accessors["nodes"] == [
        {"userId": str(GUS), "customerId": "444"},
        {"userId": str(HANA), "customerId": "444"},
    ]
    assert (accessors["totalCount"], accessors["hiddenCount"]) == (2, 0)


def test_who_reaches_the_linked_account_is_counted_where_it_is_not_shown(as_user: AsUser, demo_world: World) -> None:
    answer = as_user(GUS).data('{ adAccount(id: "444111") { accessors { hiddenCount nodes { userId } } } }')
    accessors = answer["adAccount"]["accessors"]
    oracle, account = Oracle(demo_world), Target(AD, 444111)
    everybody = [user for user in demo_world.users if "VIEW" in oracle.effective(user.id, account).allowed]
    assert {node["userId"] for node in accessors["nodes"]} == {str(GUS), str(HANA)}
    assert accessors["hiddenCount"] == len(everybody) - 2


def test_444222_is_not_there_for_the_login_of_the_example(as_user: AsUser) -> None:
    answer = as_user(ALEX).data(
        '{ adAccount(id: "444222") { id } check(capability: VIEW, target: "AdAccount:444222") { allowed code } }'
    )
    assert answer == {"adAccount": None, "check": {"allowed": False, "code": "NOT_VISIBLE"}}


def test_the_context_of_444111_is_333(as_user: AsUser) -> None:
    answer = as_user(ALEX).data(
        """{
          adAccount(id: "444111") { viewerContextId viewerContexts { customerId } }
          access(target: "AdAccount:444111") { recommendedContextId contexts { customerId } }
        }"""
    )
    assert answer == {
        "adAccount": {"viewerContextId": "333", "viewerContexts": [{"customerId": "333"}]},
        "access": {"recommendedContextId": "333", "contexts": [{"customerId": "333"}]},
    }


@pytest.mark.parametrize("context", ["444", "111", "222", "999"])
def test_no_other_context_serves_444111(as_user: AsUser, context: str) -> None:
    answer = as_user(ALEX).data(
        """query ($context: ID!) {
          right: check(capability: MANAGE_CAMPAIGNS, target: "AdAccount:444111", context: "333") { allowed }
          wrong: check(capability: MANAGE_CAMPAIGNS, target: "AdAccount:444111", context: $context) {
            allowed code rule message nearMisses { remedy { message } }
          }
        }""",
        {"context": context},
    )
    assert answer["right"]["allowed"] is True
    wrong = answer["wrong"]
    assert (wrong["allowed"], wrong["code"], wrong["rule"]) == (False, "NO_PATH", "P8")
    assert [miss["remedy"]["message"] for miss in wrong["nearMisses"]] == ["Name manager account 333 as the context."]


def test_what_the_standard_hop_removed_on_333(as_user: AsUser) -> None:
    [path] = as_user(ALEX).data(
        """{ access(target: "ManagerAccount:333") { paths { nodes {
          summary hops { kind fromCustomerId toCustomerId linkPermission linkStatus rules removed }
        } } } }"""
    )["access"]["paths"]["nodes"]
    administrative, standard = path["hops"]
    assert administrative == {
        "kind": "CUSTOMER_LINK",
        "fromCustomerId": "111",
        "toCustomerId": "222",
        "linkPermission": "ADMINISTRATIVE",
        "linkStatus": "ACTIVE",
        "rules": ["P3"],
        "removed": [],
    }
    assert (standard["fromCustomerId"], standard["toCustomerId"]) == ("222", "333")
    assert standard["linkPermission"] == "STANDARD"
    assert set(standard["removed"]) == TAKEN_BY_STANDARD


@pytest.mark.parametrize("capability", sorted(TAKEN_BY_STANDARD))
def test_each_thing_taken_is_a_denial_that_names_the_link(as_user: AsUser, capability: str) -> None:
    check = as_user(ALEX).data(
        """query ($capability: Capability!) {
          check(capability: $capability, target: "ManagerAccount:333") {
            allowed code rule nearMisses { code hop path { hops { fromCustomerId toCustomerId } } remedy { needs } }
          }
        }""",
        {"capability": capability},
    )["check"]
    assert (check["allowed"], check["code"], check["rule"]) == (False, "LINK_CAP", "P6")
    [miss] = check["nearMisses"]
    assert miss["path"]["hops"][miss["hop"]] == {"fromCustomerId": "222", "toCustomerId": "333"}
    assert miss["remedy"]["needs"] == "MANAGE_MANAGER_LINKS"


def test_one_level_under_333(as_user: AsUser) -> None:
    answer: dict[str, Any] = as_user(ALEX).data(
        """{ managerAccount(id: "333") {
          adAccounts { hiddenCount edges { relationship node { accountId parentCustomerId } } }
          managerAccounts { hiddenCount edges { node { customerId } } }
        } }"""
    )["managerAccount"]
    assert answer["adAccounts"]["edges"] == [
        {"relationship": "OWNED", "node": {"accountId": "333111", "parentCustomerId": "333"}},
        {"relationship": "OWNED", "node": {"accountId": "333222", "parentCustomerId": "333"}},
        {"relationship": "ACCOUNT_LINK", "node": {"accountId": "444111", "parentCustomerId": "444"}},
    ]
    assert answer["managerAccounts"]["edges"] == []
    assert (answer["adAccounts"]["hiddenCount"], answer["managerAccounts"]["hiddenCount"]) == (0, 0)


def test_one_level_under_each_level(as_user: AsUser) -> None:
    level = "adAccounts { nodes { accountId } } managerAccounts { nodes { customerId } }"
    answer = as_user(ALEX).data(
        f'{{ l1: managerAccount(id: "111") {{ {level} }} l2: managerAccount(id: "222") {{ {level} }} }}'
    )
    told = {
        key: (
            [node["accountId"] for node in value["adAccounts"]["nodes"]],
            [node["customerId"] for node in value["managerAccounts"]["nodes"]],
        )
        for key, value in answer.items()
    }
    assert told == {"l1": (["111111", "111222"], ["222"]), "l2": (["222111", "222222"], ["333"])}


def test_the_other_user_of_the_login_shows_its_own_roles_only(as_user: AsUser) -> None:
    answer = as_user(ALEX).data(
        """{
          original: user(id: "1001") { customerRoles { customerId } }
          other: user(id: "1002") { customerRoles { customerId } }
        }"""
    )
    told = {key: {row["customerId"] for row in value["customerRoles"]} for key, value in answer.items()}
    assert told == {"original": {"999", "111", "222", "333"}, "other": {"111", "222", "333"}}


def test_the_demo_company_explains_every_access_it_tells(as_user: AsUser, demo_world: World) -> None:
    client = as_user(6003)
    before = client.claims.checked
    targets = Oracle(demo_world).accessible(6003)
    for kind, number in sorted(targets):
        name = "AdAccount" if kind == AD else "ManagerAccount"
        client.data("query ($target: ID!) { access(target: $target) { capabilities } }", {"target": f"{name}:{number}"})
    assert client.claims.checked - before > len(targets)
