"""What an answer says beside the objects in it: reasons, ids, counts. None of it names what the asker may not see."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.builders import a_chain, a_role, a_user, a_world
from tests.databases import Databases
from tests.oracle import World
from tests.schema.client import GraphClient
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
