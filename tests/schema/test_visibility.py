"""Through no field, however deep, does anybody get to see what the oracle says he may not see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import get_named_type

from tests.oracle import AD, MANAGER, Target, World
from tests.resolvers.askers import Asker
from tests.schema.client import GRAPH
from tests.schema.conftest import AsUser
from tests.schema.lists import PLAIN_LISTS, REQUIRED
from tests.schema.selections import everything

ASKERS = {
    "Super Admin of two companies": 1001,
    "Super Admin under a STANDARD link": 1003,
    "only one ad account": 1006,
    "Super Admin of a linked account's owner": 1007,
    "Viewer of a linked account's owner": 1008,
    "Super Admin of a desk": 6003,
    "all linked entities": 6072,
    "two linked entities": 6074,
    "linked entities of a region": 6076,
    "aggregator": 6067,
}
ROOT_LISTS = [one for one in PLAIN_LISTS if one.parent == "Query"]
PAGE = 8
"""Rows of each list of the root: with all that hangs on them, an answer is some megabytes."""


def objects(answer: Any) -> Iterator[dict[str, Any]]:
    if isinstance(answer, dict):
        if "__typename" in answer:
            yield answer
        for value in answer.values():
            yield from objects(value)
    elif isinstance(answer, list):
        for item in answer:
            yield from objects(item)


def assert_visible(asker: Asker, found: dict[str, Any], seen: Counter[str]) -> None:
    kind = found["__typename"]
    seen[kind] += 1
    if kind == "ManagerAccount":
        assert asker.views(Target(MANAGER, int(found["ManagerAccount_customerId"]))), found
    elif kind == "AdAccount":
        assert asker.views(Target(AD, int(found["AdAccount_accountId"]))), found
    elif kind == "User":
        [user] = [one for one in asker.world.users if one.id == int(found["User_userId"])]
        assert asker.sees(user), found
    elif kind == "RestrictedManagerAccount":
        assert not asker.views(Target(MANAGER, int(found["RestrictedManagerAccount_customerId"]))), found


def documents() -> list[str]:
    """Everything the root can list and the viewer can tell, two steps deep."""
    asked = []
    for one in ROOT_LISTS:
        given = ", ".join(filter(None, (REQUIRED.get((one.parent, one.name)), f"first: {PAGE}")))
        given = given.replace('customerId: "1"', 'customerId: "5003"')
        asked.append(f"{{ {one.name}({given}) {{ {everything(get_named_type(one.field.type), 1)} }} }}")
    return [*asked, f"{{ viewer {{ {everything(GRAPH.type_map['Viewer'], 1)} }} }}"]


@pytest.mark.parametrize("user", ASKERS.values(), ids=list(ASKERS))
def test_every_object_in_any_answer_may_be_seen(as_user: AsUser, demo_world: World, user: int) -> None:
    client = as_user(user)
    assert client.login is not None
    asker = Asker(demo_world, client.login)
    seen: Counter[str] = Counter()
    for document in documents():
        answer = client.ask_once(document)
        assert "errors" not in answer, answer["errors"][:2]
        for found in objects(answer["data"]):
            assert_visible(asker, found, seen)
    assert seen["AdAccount"], "nothing was looked at"
    assert seen["User"]


@pytest.mark.parametrize("user", ASKERS.values(), ids=list(ASKERS))
def test_each_kind_is_listed_in_full_and_nothing_else(as_user: AsUser, demo_world: World, user: int) -> None:
    client = as_user(user)
    assert client.login is not None
    asker = Asker(demo_world, client.login)
    totals = client.data('{ adAccounts { totalCount } managerAccounts { totalCount } find(prefix: "") { totalCount } }')
    ads = sum(asker.views(target) for target in asker.truths if target.kind == AD)
    managers = sum(asker.views(target) for target in asker.truths if target.kind == MANAGER)
    told = {name: found["totalCount"] for name, found in totals.items()}
    assert told == {"adAccounts": ads, "managerAccounts": managers, "find": ads + managers}


def test_a_hidden_branch_stands_as_restricted_and_its_siblings_are_whole(as_user: AsUser) -> None:
    """444111 is seen by users of 333; its owner 444 is not."""
    accounts = as_user(1004).data(
        """{ managerAccount(id: "333") { adAccounts { nodes {
          accountId
          owner { __typename ... on ManagerAccount { customerId } ... on RestrictedManagerAccount { id: customerId } }
        } } } }"""
    )["managerAccount"]["adAccounts"]["nodes"]
    own = {"__typename": "ManagerAccount", "customerId": "333"}
    assert accounts == [
        {"accountId": "333111", "owner": own},
        {"accountId": "333222", "owner": own},
        {"accountId": "444111", "owner": {"__typename": "RestrictedManagerAccount", "id": "444"}},
    ]


def test_of_another_user_only_roles_in_manager_accounts_one_views_are_told_and_the_rest_counted(
    as_user: AsUser,
) -> None:
    user = as_user(1004).data(
        '{ user(id: "1001") { hiddenRoles customerRoles { customerId } contactInfo { email } } }'
    )["user"]
    assert user == {"hiddenRoles": 3, "customerRoles": [{"customerId": "333"}], "contactInfo": None}
