"""What an answer says beside the objects in it: reasons, ids, counts. None of it names what the asker may not see."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from storage import writes
from storage.records.facts import OnlyAccounts
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.values import Role
from tests.builders import (
    a_chain,
    a_link,
    a_manager,
    a_role,
    a_user,
    a_world,
    an_account_link,
    an_ad,
    an_aggregation,
)
from tests.databases import Databases
from tests.oracle import World
from tests.schema.client import NOW_MS, GraphClient
from tests.schema.full_house import an_invitation
from tests.stored_worlds import stored

AskAs = Callable[[int], GraphClient]
Storing = Callable[[World], AskAs]


@pytest.fixture
def storing(databases: Databases, migrated_url: str) -> Iterator[Storing]:
    """Stores a world; what it gives asks about that world as a login."""
    with ExitStack() as stack:

        def store(world: World) -> AskAs:
            database = stack.enter_context(stored(world, databases, migrated_url))
            return lambda login: GraphClient(database, login, world=world)

        yield store


# Chains over the limit

TWO_IN_THE_SIXTH = a_world(
    a_user(1, of=1, login=1),
    a_user(2, of=6, login=2),
    a_user(3, of=6, login=3),
    *a_chain(1, 2, 3, 4, 5, 6),
    a_role("SUPER_ADMIN", at=1, user=1, id=1),
    a_role("VIEWER", at=6, user=1, id=2),
    a_role("VIEWER", at=6, user=2, id=3),
    a_role("SUPER_ADMIN", at=6, user=3, id=4),
)
"""User 1 would manage users of 6 only over a chain of six; users 2 and 3 know nothing above 6."""
LONG_CHAIN_ASKED = """{
  check(user: "1", capability: MANAGE_USERS, target: "ManagerAccount:6") { allowed code message error { code message } }
  access(user: "1", target: "ManagerAccount:6") { decision(capability: MANAGE_USERS) { error { code message } } }
}"""


def test_a_chain_over_the_limit_is_named_only_to_those_who_see_all_of_it(storing: Storing) -> None:
    ask_as = storing(TWO_IN_THE_SIXTH)
    for login, sees_all in ((1, True), (2, False), (3, False)):
        told = ask_as(login).data(LONG_CHAIN_ASKED)
        assert (told["check"]["allowed"], told["check"]["code"]) == (None, None)
        for error in (told["check"]["error"], told["access"]["decision"]["error"]):
            assert error["code"] == "CHAIN_OVER_LIMIT"
            assert ("1 → 2 → 3 → 4 → 5 → 6" in error["message"]) == sees_all
            assert ("→" in error["message"]) == sees_all, "not even a part of it"


def test_a_list_of_what_another_reaches_names_no_hidden_chain(storing: Storing) -> None:
    error = storing(TWO_IN_THE_SIXTH)(2).refusal(
        '{ user(id: "1") { accessibleAccounts(capability: UPDATE_AD_ACCOUNT) { totalCount } } }'
    )
    assert error["extensions"]["code"] == "CHAIN_OVER_LIMIT"
    assert "→" not in error["message"]


def test_one_user_beyond_the_limit_is_counted_and_the_accessors_stay_a_list(storing: Storing) -> None:
    query = """query ($capability: Capability!, $via: ID) {
      managerAccount(id: "6") { accessors(capability: $capability, via: $via) {
        totalCount hiddenCount overLimitCount nodes { userId }
      } }
    }"""
    ask_as = storing(TWO_IN_THE_SIXTH)
    for login in (1, 2, 3):
        client = ask_as(login)
        found = client.data(query, {"capability": "MANAGE_USERS"})["managerAccount"]["accessors"]
        assert found == {"totalCount": 1, "hiddenCount": 0, "overLimitCount": 1, "nodes": [{"userId": "3"}]}
        found = client.data(query, {"capability": "VIEW"})["managerAccount"]["accessors"]
        assert (found["totalCount"], found["overLimitCount"]) == (3, 0), "held within the limit as well"
    hidden = ask_as(2).data(query, {"capability": "MANAGE_USERS", "via": "3"})
    missing = ask_as(2).data(query, {"capability": "MANAGE_USERS", "via": "77777777"})
    assert json.dumps(hidden) == json.dumps(missing)
    assert hidden["managerAccount"]["accessors"]["overLimitCount"] == 0


# What roles and invitations list

COLLEAGUES = a_world(
    a_user(1, of=100, login=1),
    a_user(2, of=100, login=2),
    a_user(3, of=100, login=3),
    a_user(4, of=100, login=4),
    a_link(100, 400),
    a_link(100, 500),
    an_ad(10001, owner=100),
    an_ad(30001, owner=300),
    an_ad(40001, owner=400),
    an_account_link(100, 30001),
    a_role("VIEWER", at=100, user=1, scope="ONLY_LINKED_ENTITIES", listed=[400], id=1),
    a_role("CAMPAIGN_MANAGER", at=100, user=2, scope="ONLY_ACCOUNTS", listed=[10001, 30001], id=2),
    a_role("VIEWER", at=100, user=3, scope="ONLY_LINKED_ENTITIES", listed=[400, 500], id=3),
    a_role("SUPER_ADMIN", at=100, user=4, id=4),
)
"""User 1 sees 100, 400 and the ad account of 400; his colleagues hold more."""
ROLES = """{ managerAccount(id: "100") { users { nodes { userId hiddenRoles customerRoles(customerIds: ["100"]) {
  accountIds hiddenAccounts linkedAccountIds hiddenLinkedAccounts linkedCustomerIds hiddenLinkedCustomers
} } } } }"""


def roles_at_100(client: GraphClient) -> dict[str, list[object]]:
    """The lists and counts of each user's row in 100, in the order asked."""
    nodes = client.data(ROLES)["managerAccount"]["users"]["nodes"]
    return {node["userId"]: [*node["customerRoles"][0].values()] for node in nodes}


def test_the_lists_of_a_role_name_what_the_asker_sees_and_count_the_rest(storing: Storing) -> None:
    ask_as = storing(COLLEAGUES)
    assert roles_at_100(ask_as(1)) == {
        "1": [[], 0, [], 0, ["400"], 0],
        "2": [[], 1, [], 1, None, 0],
        "3": [[], 0, [], 0, ["400"], 1],
        "4": [None, 0, [], 1, None, 0],
    }
    assert roles_at_100(ask_as(4)) == {
        "1": [[], 0, [], 0, ["400"], 0],
        "2": [["10001"], 0, ["30001"], 0, None, 0],
        "3": [[], 0, [], 0, ["400", "500"], 0],
        "4": [None, 0, ["30001"], 0, None, 0],
    }


def test_what_ones_own_roles_list_is_told_in_full(storing: Storing) -> None:
    own = storing(COLLEAGUES)(2).data(
        "{ viewer { customerRoles { accountIds hiddenAccounts linkedAccountIds hiddenLinkedAccounts } } }"
    )["viewer"]["customerRoles"]
    assert [[*row.values()] for row in own] == [[["10001"], 0, ["30001"], 0]]


def test_more_users_with_roles_cost_no_more_statements(storing: Storing) -> None:
    client = storing(COLLEAGUES)(1)
    costs = []
    for rows in (1, 4):
        client.ask_once(ROLES.replace("users {", f"users(first: {rows}) {{"))
        costs.append(client.statements)
    assert costs[1] <= costs[0] + 1


def test_an_invitation_names_the_ad_accounts_the_asker_sees_and_counts_the_rest(
    databases: Databases, migrated_url: str
) -> None:
    with stored(COLLEAGUES, databases, migrated_url) as database:
        with database.write() as transaction:
            stamp = writes.begin_revision(transaction, operation="sendUserInvitation", at_ms=NOW_MS)
            scope = OnlyAccounts(frozenset({AdAccountId(10001), AdAccountId(30001)}))
            invitation = an_invitation(1)._replace(
                manager_account_id=ManagerAccountId(100), inviter_user_id=UserId(4), role=Role.STANDARD, scope=scope
            )
            writes.write_user_invitations(transaction, stamp, [invitation])
        query = '{ managerAccount(id: "100") { invitations { nodes { accountIds hiddenAccounts } } } }'
        for login, told in ((1, {"accountIds": [], "hiddenAccounts": 2}), (4, {"accountIds": ["10001", "30001"]})):
            found = GraphClient(database, login, world=COLLEAGUES).data(query)
            assert found["managerAccount"]["invitations"]["nodes"] == [{"hiddenAccounts": 0, **told}]


# The way up

ABOVE = """{ managerAccount(id: "300") { ancestors {
  hiddenCount edges { node { customerId } depth childId relationship linkPermission link { linkId } }
} } }"""


def test_a_hidden_child_of_an_ancestor_is_not_named(storing: Storing) -> None:
    world = a_world(
        a_user(1, of=100, login=1),
        a_user(2, of=100, login=2),
        *a_chain(100, 200, 250, 300),
        a_link(100, 400),
        a_role("SUPER_ADMIN", at=100, user=1, scope="ONLY_LINKED_ENTITIES", listed=[400], id=1),
        a_role("VIEWER", at=300, user=1, id=2),
        a_role("SUPER_ADMIN", at=100, user=2, id=3),
    )
    ask_as = storing(world)
    above = ask_as(1).data(ABOVE)["managerAccount"]["ancestors"]
    assert above == {
        "hiddenCount": 2,
        "edges": [
            {
                "node": {"customerId": "100"},
                "depth": 3,
                "childId": None,
                "relationship": None,
                "linkPermission": None,
                "link": None,
            }
        ],
    }
    edges = ask_as(2).data(ABOVE)["managerAccount"]["ancestors"]["edges"]
    assert [edge["childId"] for edge in edges] == ["300", "250", "200"]
    assert {edge["linkPermission"] for edge in edges} == {"ADMINISTRATIVE"}


# Denials

MANAGE_USERS_OF_2 = """{ check(user: "1", capability: MANAGE_USERS, target: "ManagerAccount:2") {
  allowed code rule message nearMisses { message }
} }"""


@pytest.mark.parametrize(
    ("role", "permission", "code", "rule"),
    [("VIEWER", "ADMINISTRATIVE", "ROLE_LACKS_CAPABILITY", "C16"), ("SUPER_ADMIN", "STANDARD", "LINK_CAP", "P5")],
)
def test_a_denial_on_ways_the_asker_may_not_see_says_so_and_not_that_there_are_none(
    storing: Storing, role: str, permission: str, code: str, rule: str
) -> None:
    world = a_world(
        a_user(1, of=2, login=1),
        a_user(2, of=2, login=2),
        a_link(1, 2, permission),
        a_role(role, at=1, user=1, id=1),
        a_role("VIEWER", at=2, user=2, id=2),
    )
    ask_as = storing(world)
    told = ask_as(2).data(MANAGE_USERS_OF_2)["check"]
    assert (told["allowed"], told["code"], told["rule"], told["nearMisses"]) == (False, code, rule, [])
    assert "you may not see" in told["message"]
    assert "manager account 1" not in told["message"]
    known = ask_as(1).data(MANAGE_USERS_OF_2)["check"]
    assert (known["code"], len(known["nearMisses"])) == (code, 1)


THROUGH = """query ($context: ID!) {
  check(user: "1", capability: VIEW, target: "ManagerAccount:2", context: $context) {
    allowed code rule message nearMisses { message } decidingPath { summary } error { message }
  }
  checkMany(checks: [
    { user: "1", capability: VIEW, target: "AdAccount:20", context: $context }
    { user: "1", capability: MANAGE_USERS, target: "ManagerAccount:2", context: $context }
  ]) { allowed code message nearMisses { message } error { message } }
  access(user: "1", target: "AdAccount:20", context: $context) {
    capabilities roles paths { totalCount hiddenCount } contexts { customerId } decisions { code message }
  }
}"""


def test_a_hidden_context_is_answered_like_an_unrelated_id(storing: Storing) -> None:
    """User 1 uses ad account 20 through 3, which holds an account link to it, and through 2, which owns it."""
    world = a_world(
        a_user(1, of=2, login=1),
        a_user(2, of=2, login=2),
        a_link(1, 2),
        a_link(1, 3),
        a_manager(9),
        an_ad(20, owner=2),
        an_account_link(3, 20),
        an_aggregation(4, 2),
        a_role("SUPER_ADMIN", at=1, user=1, id=1),
        a_role("AGGREGATOR", at=4, user=1, id=2),
        a_role("VIEWER", at=2, user=2, id=3),
    )
    ask_as = storing(world)
    asker = ask_as(2)

    def answer(context: str) -> str:
        return json.dumps(asker.data(THROUGH, {"context": context})).replace(f"account {context}", "account ID")

    missing = answer("77777777")
    for hidden in ("1", "3", "4", "9"):
        assert answer(hidden) == missing, hidden
    assert asker.data(THROUGH, {"context": "2"})["check"]["allowed"] is True, "what he views he may ask about"
    for context in ("3", "4"):
        assert ask_as(1).data(THROUGH, {"context": context})["checkMany"][0]["allowed"] is True


# Counts


def test_what_is_hidden_under_two_parents_of_a_tree_is_counted_once(storing: Storing) -> None:
    world = a_world(
        a_user(1, of=1, login=1),
        *(a_link(1, client) for client in (2, 4, 5)),
        a_link(2, 4),
        a_link(2, 5),
        an_ad(40, owner=4),
        an_ad(50, owner=5),
        an_account_link(1, 50),
        an_account_link(2, 50),
        *(a_role("VIEWER", at=place, user=1, scope="ONLY_LINKED_ENTITIES", listed=[4], id=place) for place in (1, 2)),
    )
    below = storing(world)(1).data(
        """{ managerAccount(id: "1") { descendants { totalCount hiddenCount edges { depth node {
          ... on ManagerAccount { customerId } ... on AdAccount { accountId }
        } } } } }"""
    )["managerAccount"]["descendants"]
    told = [(edge["depth"], *edge["node"].values()) for edge in below["edges"]]
    assert sorted(told) == [(1, "2"), (1, "4"), (2, "40")]
    assert (below["totalCount"], below["hiddenCount"]) == (3, 2), "5 and the ad account 50"


def test_who_owns_the_ad_account_a_link_waits_for_is_not_told_by_what_one_may_not_do(storing: Storing) -> None:
    """An agency sends links to ad accounts it does not see: it learns who owns them when they say yes."""
    world = a_world(
        a_user(1, of=7_001, login=1),
        a_role(at=7_001, user=1, id=1),
        an_ad(8_001, owner=9_001),
        an_account_link(7_001, 8_001, status="LINK_PENDING", id=50),
    )
    link = storing(world)(1).data('{ clientLink(id: "50") { viewerCan(action: ACCEPT) { allowed reasons } } }')[
        "clientLink"
    ]
    assert link["viewerCan"]["allowed"] is False
    assert "9001" not in " ".join(link["viewerCan"]["reasons"])
    assert "ad account 8001" in link["viewerCan"]["reasons"][0]
