"""Random worlds through the graph: however it is asked, the answer is the oracle's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from storage.database import Database
from tests.databases import Databases
from tests.oracle import AD, MANAGER, Target, World, capabilities_on
from tests.resolvers.askers import Asker, askers
from tests.resolvers.test_children_equal_checks import ads_under, managers_under, split
from tests.resolvers.test_descendants_equal_checks import tree
from tests.schema.client import Answer
from tests.schema.worlds import Question, check_many, client_of, every_capability, named, verdict
from tests.stored_worlds import stored
from tests.worlds import seeded_world

SOME = ("VIEW", "MANAGE_USERS", "DELETE_AD_ACCOUNT")


@pytest.fixture(scope="module", params=range(110_000, 110_010))
def world(request: pytest.FixtureRequest) -> World:
    seed: int = request.param
    return seeded_world(seed)


@pytest.fixture(scope="module")
def database(world: World, databases: Databases, migrated_url: str) -> Iterator[Database]:
    with stored(world, databases, migrated_url) as database:
        yield database


def truth_of(asker: Asker, target: Target, capability: str) -> bool | None:
    truth = asker.truths[target]
    return None if capability in truth.over_limit else capability in truth.allowed


def refused_for_the_limit(answer: Answer) -> bool:
    """Whether the answer was refused, and for a chain over the limit only."""
    codes = {(error["extensions"]["code"], error["extensions"].get("rule")) for error in answer.get("errors", ())}
    assert codes <= {("CHAIN_OVER_LIMIT", "P10")}, answer["errors"]
    return bool(codes)


def test_checks_of_the_asker_equal_the_oracle(world: World, database: Database) -> None:
    for asker in askers(world):
        questions = every_capability(list(asker.truths))
        answers = check_many(client_of(asker, database, world), questions)
        for (_, target, capability, _), answer in zip(questions, answers, strict=True):
            assert answer["capability"] == capability
            assert verdict(answer) is truth_of(asker, target, capability), (asker.login, target, capability)


def test_checks_of_others_equal_the_oracle_or_show_nothing(world: World, database: Database) -> None:
    for asker in askers(world):
        everything = {user.id: asker.oracle.everything(user.id) for user in world.users}
        questions: list[Question] = [
            (user.id, target, capability, None)
            for user in world.users
            for target in world.targets()
            if "VIEW" not in asker.truths[target].over_limit
            for capability in SOME
        ]
        users = {user.id: user for user in world.users}
        answers = check_many(client_of(asker, database, world), questions)
        for (user, target, capability, _), answer in zip(questions, answers, strict=True):
            assert user is not None
            truth = everything[user][target]
            shown = asker.views(target) and asker.sees(users[user])
            expected = shown and (None if capability in truth.over_limit else capability in truth.allowed)
            assert verdict(answer) is expected, (asker.login, user, target, capability)
            assert (answer["code"] == "NOT_VISIBLE") == (not shown), (asker.login, user, target, capability)


def test_a_context_named_is_the_one_that_counts(world: World, database: Database) -> None:
    for asker in askers(world):
        grants = asker.grants
        questions: list[Question] = [
            (None, target, "VIEW", item.id)
            for target in asker.truths
            if asker.views(target)
            for item in world.manager_accounts
        ]
        answers = check_many(client_of(asker, database, world), questions)
        for (_, target, _, context), answer in zip(questions, answers, strict=True):
            truth = asker.oracle.judged(grants, target, context)
            expected = None if "VIEW" in truth.over_limit else "VIEW" in truth.allowed
            assert verdict(answer) is expected, (asker.login, target, context)


RIGHTS = """query ($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on ManagerAccount {
      customerId viewerCapabilities viewerRoles
      view: viewerCan(capability: VIEW) { allowed }
      users: viewerCan(capability: MANAGE_USERS) { allowed error { code } }
    }
    ... on AdAccount {
      accountId viewerCapabilities viewerRoles viewerContextId viewerContexts { customerId capabilities }
      view: viewerCan(capability: VIEW) { allowed }
      delete: viewerCan(capability: DELETE_AD_ACCOUNT) { allowed error { code } }
    }
  }
}"""


def test_rights_on_every_node_equal_the_oracle_and_hidden_nodes_are_null(world: World, database: Database) -> None:
    for asker in askers(world):
        asked = [target for target in asker.truths if "VIEW" not in asker.truths[target].over_limit]
        ids = [named(target) for target in asked]
        nodes = client_of(asker, database, world).data(RIGHTS, {"ids": ids})["nodes"]
        grants = asker.grants
        for target, node in zip(asked, nodes, strict=True):
            assert (node is not None) == asker.views(target), (asker.login, target)
            if node is None:
                continue
            truth = asker.truths[target]
            assert set(node["viewerCapabilities"]) == truth.allowed, (asker.login, target)
            assert node["view"]["allowed"] is True
            of_target = [grant for grant in grants if grant.target == target and not grant.over_limit]
            roles = {grant.assignment.role for grant in of_target if grant.capabilities}
            assert set(node["viewerRoles"]) == roles, (asker.login, target)
            if target.kind == MANAGER:
                assert node["users"]["allowed"] is truth_of(asker, target, "MANAGE_USERS")
                continue
            assert node["delete"]["allowed"] is truth_of(asker, target, "DELETE_AD_ACCOUNT")
            told = {int(one["customerId"]): set(one["capabilities"]) for one in node["viewerContexts"]}
            expected = {
                grant.context: set(asker.oracle.judged(of_target, target, grant.context).allowed) for grant in of_target
            }
            assert told == {context: held for context, held in expected.items() if held}
            assert node["viewerContextId"] == node["viewerContexts"][0]["customerId"]
            assert len(told[int(node["viewerContextId"])]) == max(map(len, told.values()))


ACCESS = "query ($target: ID!, $user: ID) { access(target: $target, user: $user) { capabilities withheld roles } }"


def test_access_equals_the_oracle_or_is_null(world: World, database: Database) -> None:
    for asker in askers(world):
        client = client_of(asker, database, world)
        for number, target in enumerate(world.targets()):
            user = world.users[number % len(world.users)]
            if "VIEW" in asker.truths[target].over_limit:
                continue
            found = client.data(ACCESS, {"target": named(target), "user": str(user.id)})["access"]
            assert (found is not None) == (asker.views(target) and asker.sees(user)), (asker.login, user, target)
            if found is not None:
                truth = asker.oracle.effective(user.id, target)
                assert set(found["capabilities"]) == truth.allowed, (asker.login, user, target)
                assert set(found["withheld"]) == truth.taken_by_state & capabilities_on(target.kind)


ACCESSORS = """query ($id: ID!) {
  node(id: $id) {
    ... on ManagerAccount { accessors { ...Who } }
    ... on AdAccount { accessors { ...Who } }
  }
}
fragment Who on AccessorConnection {
  hiddenCount overLimitCount totalCount edges { node { userId } capabilities access { capabilities } }
}"""


def test_accessors_are_the_users_whose_check_allows(world: World, database: Database) -> None:
    for asker in askers(world):
        client = client_of(asker, database, world)
        for target in [target for target in asker.truths if asker.views(target)]:
            truths = [asker.oracle.effective(user.id, target) for user in world.users]
            answer = client.ask(ACCESSORS, {"id": named(target)})
            assert "errors" not in answer, "a user beyond the limit took the list from everybody"
            expected = asker.oracle.accessors(target)
            seen = {user.id for user in world.users if user.id in expected and asker.sees(user)}
            found = answer["data"]["node"]["accessors"]
            assert [int(edge["node"]["userId"]) for edge in found["edges"]] == sorted(seen)
            assert (found["totalCount"], found["hiddenCount"]) == (len(seen), len(expected) - len(seen))
            assert found["overLimitCount"] == sum("VIEW" in truth.over_limit for truth in truths), "left out in silence"
            for edge in found["edges"]:
                truth = asker.oracle.effective(int(edge["node"]["userId"]), target).allowed
                assert set(edge["capabilities"]) == set(edge["access"]["capabilities"]) == truth


ACCESSIBLE = """query ($capability: Capability!) {
  viewer { accessibleAccounts(capability: $capability, first: 100) { totalCount hiddenCount nodes { accountId } } }
}"""


@pytest.mark.parametrize("capability", ["VIEW", "UPDATE_AD_ACCOUNT", "DELETE_AD_ACCOUNT"])
def test_accessible_accounts_are_those_a_check_allows(world: World, database: Database, capability: str) -> None:
    for asker in askers(world):
        answer = client_of(asker, database, world).ask(ACCESSIBLE, {"capability": capability})
        if refused_for_the_limit(answer):
            assert asker.may_be_refused
            continue
        found = answer["data"]["viewer"]["accessibleAccounts"]
        expected = sorted(
            target.id for target, truth in asker.truths.items() if target.kind == AD and capability in truth.allowed
        )
        assert [int(node["accountId"]) for node in found["nodes"]] == expected
        assert (found["totalCount"], found["hiddenCount"]) == (len(expected), 0)


ACCESSIBLE_TO = """query ($user: ID!) {
  user(id: $user) { accessibleAccounts(first: 100) { totalCount hiddenCount nodes { accountId } } }
}"""


def test_accessible_accounts_of_others_hide_and_count(world: World, database: Database) -> None:
    for asker in askers(world):
        client = client_of(asker, database, world)
        for user in world.users:
            answer = client.ask(ACCESSIBLE_TO, {"user": str(user.id)})
            if refused_for_the_limit(answer):
                long_ways = [grant for grant in asker.oracle.grants(user.id) if grant.over_limit]
                assert long_ways or asker.may_be_refused, (asker.login, user)
                continue
            found = answer["data"]["user"]
            assert (found is not None) == asker.sees(user), (asker.login, user)
            if found is None:
                continue
            everything = {target.id for target in asker.oracle.accessible(user.id) if target.kind == AD}
            seen = {id for id in everything if asker.views(Target(AD, id))}
            told = found["accessibleAccounts"]
            assert [int(node["accountId"]) for node in told["nodes"]] == sorted(seen), (asker.login, user)
            assert (told["totalCount"], told["hiddenCount"]) == (len(seen), len(everything) - len(seen))


LEVEL = """query ($id: ID!) {
  managerAccount(id: $id) {
    adAccounts { totalCount hiddenCount edges { relationship node { accountId viewerCapabilities } } }
    managerAccounts {
      totalCount hiddenCount edges { relationship linkPermission node { customerId viewerCapabilities } }
    }
  }
}"""


def test_one_level_shows_what_a_check_allows_and_counts_the_rest(world: World, database: Database) -> None:
    permission = {(link.managing, link.client): link.permission for link in world.customer_links}
    for asker in askers(world):
        client = client_of(asker, database, world)
        for parent in [item.id for item in world.manager_accounts if asker.views(Target(MANAGER, item.id))]:
            answer = client.ask(LEVEL, {"id": str(parent)})
            ads, hidden_ads, long_way = split(asker, AD, ads_under(world, parent))
            managers, hidden_managers, longer_way = split(asker, MANAGER, managers_under(world, parent))
            assert refused_for_the_limit(answer) == (long_way or longer_way), (asker.login, parent)
            if long_way or longer_way:
                continue
            level = answer["data"]["managerAccount"]
            assert (level["adAccounts"]["totalCount"], level["adAccounts"]["hiddenCount"]) == (len(ads), hidden_ads)
            assert level["managerAccounts"]["hiddenCount"] == hidden_managers
            edges = level["adAccounts"]["edges"]
            assert sorted((edge["relationship"], int(edge["node"]["accountId"])) for edge in edges) == ads
            below = level["managerAccounts"]["edges"]
            assert sorted((edge["relationship"], int(edge["node"]["customerId"])) for edge in below) == managers
            for edge in below:
                client_id = int(edge["node"]["customerId"])
                linked = edge["relationship"] == "CUSTOMER_LINK"
                assert edge["linkPermission"] == (permission[parent, client_id] if linked else None)
                assert_rights(asker, Target(MANAGER, client_id), edge["node"])
            for edge in edges:
                assert_rights(asker, Target(AD, int(edge["node"]["accountId"])), edge["node"])


def assert_rights(asker: Asker, target: Target, node: Any) -> None:
    assert set(node["viewerCapabilities"]) == asker.truths[target].allowed, (asker.login, target)


DESCENDANTS = """query ($id: ID!) {
  managerAccount(id: $id) {
    descendants { edges { depth path parentId parentIds node {
      ... on AdAccount { accountId viewerCapabilities }
      ... on ManagerAccount { customerId viewerCapabilities }
    } } }
  }
}"""


def test_descendants_are_the_tree_the_asker_sees(world: World, database: Database) -> None:
    for asker in askers(world):
        client = client_of(asker, database, world)
        for top in [item.id for item in world.manager_accounts if asker.views(Target(MANAGER, item.id))]:
            answer = client.ask(DESCENDANTS, {"id": str(top)})
            if refused_for_the_limit(answer):
                assert asker.may_be_refused
                continue
            told: dict[Target, int] = {}
            for edge in answer["data"]["managerAccount"]["descendants"]["edges"]:
                node = edge["node"]
                target = Target(AD, int(node["accountId"])) if "accountId" in node else None
                target = target or Target(MANAGER, int(node["customerId"]))
                assert target not in told, "a node stands in the list once"
                told[target] = edge["depth"]
                assert edge["path"][0] == str(top)
                assert edge["path"][-1] == edge["parentId"] == edge["parentIds"][0]
                assert_rights(asker, target, node)
            assert told == tree(asker, top, 5), (asker.login, top)


ANCESTORS = """query ($id: ID!) { node(id: $id) {
  ... on ManagerAccount { ancestors { ...Above } }
  ... on AdAccount { ancestors { ...Above } }
} }
fragment Above on AncestorConnection {
  hiddenCount edges { node { customerId } depth childId relationship linkPermission link { linkId } }
}"""


def test_what_stands_above_is_shown_and_led_down_from_as_far_as_the_asker_sees(
    world: World, database: Database
) -> None:
    for asker in askers(world):
        client = client_of(asker, database, world)
        for target in [target for target in asker.truths if asker.views(target)]:
            answer = client.ask(ANCESTORS, {"id": named(target)})
            if refused_for_the_limit(answer):
                assert asker.may_be_refused
                continue
            for edge in answer["data"]["node"]["ancestors"]["edges"]:
                assert asker.views(Target(MANAGER, int(edge["node"]["customerId"])))
                if edge["childId"] is None:
                    assert edge["depth"] > 1
                    assert (edge["relationship"], edge["linkPermission"], edge["link"]) == (None, None, None)
                elif edge["depth"] == 1:
                    assert edge["childId"] == str(target.id)
                else:
                    assert asker.views(Target(MANAGER, int(edge["childId"]))), (asker.login, target, edge)


def test_customer_roles_equal_the_oracle(world: World, database: Database) -> None:
    for asker in askers(world):
        client = client_of(asker, database, world)
        rows = client.data(
            "{ viewer { customerRoles { role customerId linkPermission accountIds linkedAccountIds } } }"
        )["viewer"]["customerRoles"]
        told = {
            (
                row["role"],
                int(row["customerId"]),
                row["linkPermission"],
                None if row["accountIds"] is None else frozenset(map(int, row["accountIds"])),
                frozenset(map(int, row["linkedAccountIds"])),
            )
            for row in rows
        }
        assert told == {tuple(row) for row in asker.customer_roles}
