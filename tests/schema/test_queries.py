"""The operations of `queries/`: each is a question, asks for what exists and is answered by the demo company."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from graphql import OperationDefinitionNode, parse, validate

from storage.database import Database
from storage.demo import WORKED_USER_NAME
from storage.records.values import ClientLinkStatus
from tests.oracle import World
from tests.schema.client import GRAPH, GraphClient

FOLDER = Path(__file__).parent.parent.parent / "queries"
FILES = sorted(FOLDER.glob("*.graphql"))
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

EXPECTED: dict[str, dict[str, Any]] = {
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
        "check.nearMisses.*.remedy.needs": ["MANAGE_MANAGER_LINKS"],
    },
}
"""What each question is answered with. `*` collects over a list; of a set, every member is among what is found."""


class Question(NamedTuple):
    """One file of `queries/`. `asked_as` is the demo login that is shown most."""

    header: list[str]
    asked_as: str
    text: str
    variables: dict[str, Any]


def question(path: Path) -> Question:
    """A file and its variables."""
    text = path.read_text(encoding="utf-8")
    block = text.partition("\n\n")[0].splitlines()
    named = [line.removeprefix("# as: ") for line in block if line.startswith("# as: ")]
    beside = path.with_name(f"{path.stem}.variables.json")
    variables = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
    return Question(block, named[0] if named else WORKED_USER_NAME, text, variables)


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


def operation(text: str) -> OperationDefinitionNode:
    """The one operation of a document."""
    [only] = [one for one in parse(text).definitions if isinstance(one, OperationDefinitionNode)]
    return only


@pytest.fixture(scope="session")
def logins(demo_world: World) -> dict[str, int]:
    """Logins of the demo company by name."""
    return {login.user_name: login.id for login in demo_world.logins}


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


def test_operations_have_different_names() -> None:
    names = [name.value for path in FILES if (name := operation(path.read_text()).name)]
    assert len(set(names)) == len(FILES)


@by_name
def test_the_demo_company_answers(
    path: Path, demo_database: Database, demo_world: World, logins: dict[str, int]
) -> None:
    asked = question(path)
    client = GraphClient(demo_database, logins[asked.asked_as], world=demo_world)
    data = client.data(asked.text, asked.variables)
    for where, expected in EXPECTED[path.stem].items():
        found = found_at(data, where.split("."))
        if isinstance(expected, set):
            assert expected <= set(found), where
        else:
            assert found == expected, where


@by_name
def test_a_visitor_of_the_page_is_answered_too(
    path: Path, demo_database: Database, demo_world: World, logins: dict[str, int]
) -> None:
    asked = question(path)
    data = GraphClient(demo_database, logins[WORKED_USER_NAME], world=demo_world).data(asked.text, asked.variables)
    assert all(data.values())
