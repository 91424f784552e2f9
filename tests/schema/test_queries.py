"""The operations of `queries/`: each is a question, asks for what exists and is answered by the demo company."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationType, parse, validate

from adgraph.commands.demo import demo_settings
from adgraph.settings import Settings
from storage.database import Database
from storage.demo import VISITORS, WORKED_USER_NAME, load_demo
from storage.records.values import ClientLinkStatus
from tests.databases import Databases
from tests.oracle import World
from tests.schema.client import GRAPH, NOW_MS, GraphClient
from tests.schema.questions import FILES, FOLDER, MUTATIONS, QUERIES, SUBSCRIPTIONS, operation, question
from tests.schema.subscriber import Subscriber
from tests.schema.write_client import Writer, dump

NEVER_KEPT = {ClientLinkStatus.LINK_ACCEPTED, ClientLinkStatus.UNLINK_REQUESTED, ClientLinkStatus.UNLINK_CANCELED}
"""Statuses a link passes through within a moment, or never has."""

FIVE_BELOW_222 = ["222111", "222222", "333111", "333222", "444111"]
SEVEN_BELOW_111 = ["111111", "111222", *FIVE_BELOW_222]
TAKEN_BY_STANDARD = [
    "MANAGE_PAYMENT_METHODS",
    "UPDATE_MANAGER_ACCOUNT",
    "VIEW_MANAGER_LINKS",
    "MANAGE_MANAGER_LINKS",
    "MANAGE_USERS",
    "MANAGE_SUPER_ADMINS",
]

ALL_OF_AN_AD_ACCOUNT = [
    "UPDATE_AD_ACCOUNT",
    "MANAGE_INSERTION_ORDERS",
    "VIEW_ACCOUNT_LINKS",
    "MANAGE_ACCOUNT_LINKS",
]
"""What a Standard user has there besides what a Campaign Manager has."""

EXPECTED: dict[str, dict[str, Any]] = {
    "how-do-we-add-an-ad-account": {
        "addAdAccount.adAccount.lifeCycleStatus": "DRAFT",
        "addAdAccount.adAccount.billTo": {"customerId": "111", "reason": "OWNER"},
    },
    "how-do-we-answer-a-link": {
        "updateClientLinks.results.*.link.status": ["LINK_IN_PROGRESS"],
        "updateClientLinks.results.*.userErrors": [[]],
    },
    "how-do-we-change-an-ad-account": {
        "updateAdAccount.adAccount.name": "Ad Account 1A, north",
        "updateAdAccount.adAccount.autoTagType": "PRESERVE",
    },
    "how-do-we-change-somebodys-role": {
        "updateUserRoles.user.customerRoles.*.role": ["STANDARD"],
        "updateUserRoles.effects.nodes.*.user.userName": {"farah@l3.example"},
        "updateUserRoles.effects.nodes.*.target.accountId": ["333111", "333222", "444111", None],
        "updateUserRoles.effects.nodes.0.gained": ALL_OF_AN_AD_ACCOUNT,
        "updateUserRoles.effects.nodes.*.lost": [[], [], [], []],
    },
    "how-do-we-end-a-link": {
        "updateClientLinks.results.0.link.status": "UNLINK_PENDING",
        "updateClientLinks.results.0.link.transitions.*.to": {"ACTIVE", "UNLINK_REQUESTED", "UNLINK_PENDING"},
    },
    "how-do-we-invite-a-colleague": {
        "sendUserInvitation.invitation.status": "PENDING",
        "sendUserInvitation.invitation.accountIds": ["111111"],
    },
    "how-do-we-merge-the-logins-of-one-person": {
        "consolidateLogins.users.*.userId": ["1003", "1005"],
        "consolidateLogins.users.*.cameFrom": [None, "erik@l3.example"],
        "consolidateLogins.effects.nodes.*.user.userId": {"1003"},
        "consolidateLogins.effects.nodes.*.target.customerId": {"333"},
        "consolidateLogins.effects.nodes.*.gained": [["MANAGE_USERS"]],
    },
    "how-do-we-move-a-client": {
        "moveClientLink.link.managingCustomerId": "999",
        "moveClientLink.link.customerLinkPermission": "ADMINISTRATIVE",
        "moveClientLink.previousLink.status": "INACTIVE",
        "moveClientLink.effects.hiddenCount": 0,
    },
    "how-do-we-send-a-link": {
        "addClientLinks.results.*.link.status": ["LINK_PENDING", "LINK_PENDING"],
        "addClientLinks.results.*.link.isBillToClient": [None, True],
    },
    "how-do-we-set-up-an-aggregator": {
        "provisionAggregator.managerAccount.name": "Harbour Resellers",
        "provisionAggregator.user.customerRoles.*.roleId": [33, 41],
    },
    "how-does-the-whole-hierarchy-look": {
        "managerAccount.adAccounts.edges.*.node.accountId": ["111111", "111222"],
        "managerAccount.managerAccounts.edges.*.linkPermission": ["ADMINISTRATIVE"],
        "managerAccount.managerAccounts.edges.0.node.managerAccounts.edges.0.node.adAccounts.edges.*.relationship": [
            "OWNED",
            "OWNED",
            "ACCOUNT_LINK",
        ],
    },
    "how-is-our-company-set-up": {
        "managerAccount.users.nodes.*.customerRoles.0.role": ["SUPER_ADMIN", "STANDARD", "CAMPAIGN_MANAGER"],
        "managerAccount.superAdmins.nodes.*.userName": ["dana@l3.example"],
        "managerAccount.owned.totalCount": 2,
        "managerAccount.linked.totalCount": 1,
        "managerAccount.ancestors.edges.*.node.customerId": ["222", "111"],
    },
    "may-we-do-all-of-this": {
        "checkMany.*.allowed": [True, False, True, False, False, None],
        "checkMany.*.code": ["ALLOWED", "LINK_CAP", "ALLOWED", "NO_PATH", "NOT_VISIBLE", None],
        "checkMany.5.error.code": "BAD_USER_INPUT",
    },
    "what-begins-with-these-letters": {"find.nodes.*.number": ["E301NUMB", "E302NUMB"]},
    "what-can-a-colleague-reach": {
        "user.accessibleAccounts.nodes.*.accountId": FIVE_BELOW_222,
        "user.customerRoles.*.customerId": ["222", "333"],
        "user.hiddenRoles": 0,
    },
    "what-does-each-capability-depend-on": {
        "access.roles": ["SUPER_ADMIN"],
        "access.decisions.*.code": {"ALLOWED", "LINK_CAP", "ROLE_LACKS_CAPABILITY"},
    },
    "what-is-below-this-manager-account": {
        "managerAccount.descendants.totalCount": 9,
        "managerAccount.descendants.edges.*.depth": [1, 1, 1, 2, 2, 2, 3, 3, 3],
        "managerAccount.descendants.edges.8.path": ["111", "222", "333"],
    },
    "what-must-i-sync-again": {"adAccounts.nodes.*.accountId": SEVEN_BELOW_111, "adAccounts.totalCount": 7},
    "where-do-our-links-stand": {
        "clientLinks.nodes.*.status": {str(status) for status in ClientLinkStatus}
        - {str(one) for one in NEVER_KEPT}
        - {"UNLINK_FAILED"},  # it falls back to ACTIVE a moment later; the history below has it
        "clientLinks.nodes.*.previous.previous.status": {"LINK_EXPIRED"},
        "clientLinks.nodes.*.transitions.*.to": {"UNLINK_FAILED", "LINK_DECLINED", "INACTIVE"},
        "clientLinks.nodes.*.viewerActions.*": {"REQUEST_UNLINK", "CANCEL"},
    },
    "what-changes-as-it-happens": {
        "changes.operation": "addClientLinks",
        "changes.actor": "alex@contoso.example",
        "changes.changed.*.node.name": ["L1 manages L2"],
        "changes.changed.*.entries.*.before": [None],
    },
    "which-accounts-are-paused-or-suspended": {
        "managerAccount.adAccounts.edges.*.node.accountId": ["111111", "111222"],
        "managerAccount.adAccounts.edges.*.node.pauseReason": [2, 2],
    },
    "which-accounts-have-this-in-their-name": {
        "adAccounts.totalCount": 7,
        "adAccounts.pageInfo.hasNextPage": True,
        "adAccounts.nodes.*.accountId": list(reversed(SEVEN_BELOW_111))[:5],
        "adAccounts.nodes.0.owner.reason": "None of your roles lets you view this manager account.",
    },
    "which-accounts-of-others-do-we-run": {
        "managerAccount.adAccounts.edges.*.node.accountId": ["444111"],
        "managerAccount.adAccounts.edges.*.relationship": ["ACCOUNT_LINK"],
        "managerAccount.adAccounts.edges.*.link.status": ["ACTIVE"],
        "managerAccount.adAccounts.edges.*.node.billTo.customerId": ["444"],
    },
    "which-buttons-can-i-press": {
        "managerAccount.inviteUsers.allowed": True,
        "managerAccount.clientLinks.nodes.*.viewerActions.*": ["REQUEST_UNLINK", "REQUEST_UNLINK"],
        "managerAccount.clientLinks.nodes.*.accept.allowed": [False, False],
        "adAccount.changePayment.allowed": False,
    },
    "which-customer-id-do-i-send": {
        "viewer.accessibleAccounts.nodes.*.accountId": SEVEN_BELOW_111,
        "viewer.accessibleAccounts.nodes.*.viewerContextId": ["111", "111", "222", "222", "333", "333", "333"],
    },
    "who-am-i-and-what-may-i-do": {
        "viewer.customerRoles.*.customerId": ["111", "222", "333", "999"],
        "viewer.customerRoles.*.linkPermission": [None, "ADMINISTRATIVE", "STANDARD", None],
        "viewer.customerRoles.2.linkedAccountIds": ["444111"],
    },
    "who-can-access-this-account": {
        "adAccount.accessors.edges.*.node.userId": ["1001", "1002", "1003", "1004", "1005", "1006"],
        "adAccount.accessors.edges.5.roles": ["CAMPAIGN_MANAGER"],
        "adAccount.accessors.edges.*.access.paths.totalCount": [1, 1, 1, 1, 1, 1],
    },
    "who-changed-this": {
        "managerAccount.auditLog.nodes": [],
        "managerAccount.adAccounts.nodes.*.auditLog.nodes": [[], []],
        "managerAccount.clientLinks.nodes.0.auditLog.nodes.*.operation": [
            "advanceClientLinks",
            "advanceClientLinks",
            "acceptClientLink",
            "addClientLinks",
        ],
    },
    "who-is-above-this-account": {
        "adAccount.ancestors.edges.*.node.customerId": ["333", "222", "111"],
        "adAccount.ancestors.hiddenCount": 1,
        "adAccount.billTo": {"customerId": "444", "reason": "OWNER"},
    },
    "who-is-invited": {
        "viewer.users.*.managerAccount.invitations.nodes.*.status": {"PENDING", "EXPIRED"},
        "viewer.users.*.managerAccount.invitations.nodes.*.role": {"SUPER_ADMIN", "VIEWER"},
    },
    "why-do-i-have-this-access": {
        "access.recommendedContextId": "333",
        "access.paths.nodes.*.hops.*.kind": ["CUSTOMER_LINK", "CUSTOMER_LINK", "ACCOUNT_LINK"],
        "access.paths.nodes.0.hops.1.removed": TAKEN_BY_STANDARD,
    },
    "why-was-i-denied": {
        "check.allowed": False,
        "check.code": "LINK_CAP",
        "check.nearMisses.*.hop": [1],
        "check.nearMisses.*.remedy.ways.*.needs.*.capability": [
            "MANAGE_MANAGER_LINKS",
            "MANAGE_MANAGER_LINKS",
            "MANAGE_USERS",
        ],
    },
}
"""What each question is answered with. `*` collects over a list; of a set, every member is among what is found."""


def found_at(value: Any, steps: list[str]) -> Any:
    """What lies at the end of a path; what is not there is left out of a list."""
    for position, step in enumerate(steps):
        if step == "*":
            below = (found_at(one, steps[position + 1 :]) for one in value or ())
            more = "*" in steps[position + 1 :]
            return [leaf for one in below for leaf in (one or () if more else (one,))]
        if value is None or (isinstance(value, dict) and step not in value):
            return None
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


@pytest.fixture(scope="session")
def logins(demo_world: World) -> dict[str, int]:
    """Logins of the demo company by name."""
    return {login.user_name: login.id for login in demo_world.logins}


ADMINISTRATORS = demo_settings(Settings(demo=True)).system_administrators
"""Whom `make serve` names as system administrators."""


def writer(database: Database, logins: dict[str, int], name: str) -> Writer:
    """A login of the demo company, as `make serve` lets it write."""
    return Writer(database, logins[name], NOW_MS, administrates=name in ADMINISTRATORS)


by_name = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_every_question_has_an_answer_to_expect() -> None:
    assert [path.stem for path in FILES] == sorted(EXPECTED)


def test_every_variables_file_belongs_to_a_question() -> None:
    questions = {path.stem for path in FILES}
    assert {path.name.removesuffix(".variables.json") for path in FOLDER.glob("*.json")} <= questions


@by_name
def test_a_file_begins_with_its_question_and_one_or_two_lines_about_it(path: Path) -> None:
    asked, *about = question(path).header
    assert re.match(r"# [A-Z].*\?", asked), asked
    assert all(line.startswith("# ") and len(line) <= 140 for line in about)
    assert 1 <= len([line for line in about if not line.startswith("# as: ")]) <= 2
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", path.stem)


@by_name
def test_a_file_holds_one_named_operation_that_is_valid(path: Path) -> None:
    asked = question(path)
    only = operation(asked.text)
    assert only.name is not None
    assert re.fullmatch(r"([A-Z][a-z]*)+", only.name.value)
    assert validate(GRAPH, parse(asked.text)) == []
    assert set(asked.variables) <= {one.variable.name.value for one in only.variable_definitions or ()}


def test_whoever_a_question_is_asked_as_can_be_chosen_in_the_demos_page() -> None:
    assert {question(path).asked_as for path in FILES} <= {visitor.user_name for visitor in VISITORS}


def test_operations_have_different_names() -> None:
    names = [name.value for path in FILES if (name := operation(path.read_text()).name)]
    assert len(set(names)) == len(FILES)


def require_expected(path: Path, data: Any) -> None:
    """The answer has what the question is expected to be answered with."""
    for where, expected in EXPECTED[path.stem].items():
        found = found_at(data, where.split("."))
        if isinstance(expected, set):
            assert expected <= set(found), where
        else:
            assert found == expected, where


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_the_demo_company_answers(
    path: Path, demo_database: Database, demo_world: World, logins: dict[str, int]
) -> None:
    asked = question(path)
    client = GraphClient(demo_database, logins[asked.asked_as], world=demo_world)
    require_expected(path, client.data(asked.text, asked.variables))


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_visitor_of_the_page_is_answered_too(
    path: Path, demo_database: Database, demo_world: World, logins: dict[str, int]
) -> None:
    asked = question(path)
    data = GraphClient(demo_database, logins[WORKED_USER_NAME], world=demo_world).data(asked.text, asked.variables)
    assert all(data.values())


@pytest.mark.parametrize("path", SUBSCRIPTIONS, ids=lambda path: path.stem)
def test_a_subscription_tells_its_first_event_at_once_and_ends(
    path: Path, demo_database: Database, logins: dict[str, int]
) -> None:
    asked = question(path)
    assert asked.variables["first"] == 1
    subscriber = Subscriber(demo_database, logins[asked.asked_as], asked.text, asked.variables)
    require_expected(path, subscriber.data())
    assert subscriber.is_over


by_mutation = pytest.mark.parametrize("path", MUTATIONS, ids=lambda path: path.stem)


@by_mutation
def test_a_mutation_is_carried_out_and_leaves_the_demo_company_as_it_was(
    path: Path, demo_database: Database, logins: dict[str, int]
) -> None:
    asked = question(path)
    before = dump(demo_database)
    for user_name in {asked.asked_as, WORKED_USER_NAME}:
        response = writer(demo_database, logins, user_name).execute(asked.text, asked.variables)
        assert "errors" not in response, response["errors"]
        [payload] = response["data"].values()
        assert payload["revision"] is None
        if user_name == asked.asked_as:
            assert payload["userErrors"] == []
            require_expected(path, response["data"])
    assert dump(demo_database) == before


@by_mutation
def test_a_mutation_is_a_dry_run_unless_somebody_changes_that(path: Path) -> None:
    asked = question(path)
    assert asked.variables["input"]["dryRun"] is True
    assert re.search("`dryRun`", "\n".join(asked.header)), "the lines about it say so"


@by_mutation
def test_a_mutation_asks_for_what_speaks_against_it(path: Path) -> None:
    text = question(path).text
    assert operation(text).operation is OperationType.MUTATION
    assert "userErrors" in text
    assert "revision" in text


@pytest.fixture(scope="module")
def own_demo(databases: Databases, migrated_url: str) -> Iterator[Database]:
    """A demo company that may be changed."""
    url = databases.copy_of(migrated_url)
    database = Database.open(url)
    load_demo(database, now_ms=NOW_MS)
    yield database
    database.close()
    databases.drop(url)


def test_the_log_tells_what_the_mutations_of_the_menu_did(own_demo: Database, logins: dict[str, int]) -> None:
    done = []
    for path in MUTATIONS:
        asked = question(path)
        if path.stem == "how-do-we-end-a-link":
            continue  # the link it ends is the one that is moved
        given = {"input": asked.variables["input"] | {"dryRun": False}}
        response = writer(own_demo, logins, asked.asked_as).execute(asked.text, given)
        [(name, payload)] = response["data"].items()
        assert payload["userErrors"] == []
        assert all(result["userErrors"] == [] for result in payload.get("results", ()))
        assert payload["revision"] is not None
        done.append(name)
    assert {"addAdAccount", "moveClientLink", "updateUserRoles"} <= set(done)
    log = question(FOLDER / "who-changed-this.graphql")
    data = GraphClient(own_demo, logins[log.asked_as]).data(log.text, log.variables)["managerAccount"]
    [added] = (one for one in data["adAccounts"]["nodes"] if one["accountId"] not in ("111111", "111222"))
    [changed] = (one for one in data["adAccounts"]["nodes"] if one["accountId"] == "111111")
    assert [entry["operation"] for entry in added["auditLog"]["nodes"]] == ["addAdAccount"]
    [entry] = changed["auditLog"]["nodes"]
    assert (entry["operation"], entry["actor"], entry["actingAsUserId"], entry["reason"]) == (
        "updateAdAccount",
        WORKED_USER_NAME,
        "1002",
        "Split by region.",
    )
    assert "Ad Account 1A, north" in entry["after"]
