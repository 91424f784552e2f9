"""A whole request asked as one of the caller's own users (rule P11): what he sees, may do and signs."""

from __future__ import annotations

from typing import Any

import pytest

from storage.database import Database
from storage.records.values import UserStatus
from storage.writes import begin_revision, write_user_status
from tests.builders import a_link, a_role, a_user, a_world
from tests.databases import Databases
from tests.oracle import World
from tests.schema.client import GraphClient
from tests.schema.one_person import GET_USER, IN_A, IN_B, IN_C, ONE, OPERATOR, THREE, TWO, merge, rows_of, store
from tests.schema.write_client import NOW_MS, Writer
from tests.stored_worlds import stored, write_world
from tests.worlds import seeded_world

EVERYTHING = """query ($managers: [ID!]!, $accounts: [ID!]!, $users: [ID!]!) {
  viewer {
    login { userName } users { userId isOriginal } isSystemAdministrator
    customerRoles { role customerId accountIds linkedAccountIds linkPermission }
    accessibleAccounts(first: 100) { totalCount hiddenCount nodes { accountId viewerContextId } }
  }
  managers: nodes(ids: $managers) { ... on ManagerAccount {
    customerId viewerCapabilities viewerRoles viewerCan(capability: MANAGE_USERS) { allowed code message }
    users { hiddenCount nodes { userId hiddenRoles contactInfo { email } auditLog { totalCount } } }
    accessors { hiddenCount nodes { userId } }
    adAccounts { hiddenCount nodes { accountId } }
    managerAccounts { hiddenCount nodes { customerId } }
    auditLog { totalCount }
  } }
  accounts: nodes(ids: $accounts) { ... on AdAccount {
    accountId viewerCapabilities viewerContexts { customerId capabilities } accessors { nodes { userId } }
  } }
  users: nodes(ids: $users) { ... on User {
    userId hiddenRoles customerRoles { role customerId } auditLog { totalCount }
  } }
}"""
ACTING = "{ viewer { actingAs { userId } users { userId } } }"


def ids_of(world: World) -> dict[str, list[str]]:
    """Everything in a world by its id."""
    return {
        "managers": [f"ManagerAccount:{one.id}" for one in world.manager_accounts],
        "accounts": [f"AdAccount:{one.id}" for one in world.ad_accounts],
        "users": [f"User:{one.id}" for one in world.users],
    }


@pytest.mark.parametrize("seed", range(210_000, 210_012))
def test_asked_as_the_original_user_everything_is_as_asked_as_the_login(
    databases: Databases, migrated_url: str, seed: int
) -> None:
    world = seeded_world(seed)
    merged = {login.id for login in world.logins if login.merged_into is not None}
    with stored(world, databases, migrated_url) as database:
        for user in world.users:
            if not user.is_original or user.status != "ACTIVE" or user.login in merged:
                continue
            login = GraphClient(database, user.login, world=world)
            original = GraphClient(database, user.login, world=world, acting=user.id)
            assert original.ask(EVERYTHING, ids_of(world)) == login.ask(EVERYTHING, ids_of(world))


def consolidated(database: Database) -> World:
    """The documented person with one login."""
    store(database)
    Writer(database, OPERATOR, administrates=True).done("consolidateLogins", merge(TWO, THREE))
    return GraphClient(database, ONE).world


def test_the_viewer_says_as_whom_the_request_is_asked(database: Database) -> None:
    consolidated(database)
    for acting, users in ((None, ["123", "456", "789"]), (123, ["123", "456", "789"]), (456, ["456"])):
        viewer = GraphClient(database, ONE, acting=acting).data(ACTING)["viewer"]
        assert [one["userId"] for one in viewer["users"]] == users
        assert viewer["actingAs"] == (None if acting is None else {"userId": str(acting)})


@pytest.mark.parametrize(
    ("acting", "rows", "accounts"),
    [
        (None, [IN_A, IN_B, IN_C], ["11", "12", "21", "22", "31"]),
        (123, [IN_A, IN_B, IN_C], ["11", "12", "21", "22", "31"]),
        (456, [IN_B], ["21", "22"]),
        (789, [IN_C], ["31"]),
    ],
)
def test_one_user_alone_has_what_he_holds_and_the_original_one_all_of_it(
    database: Database, acting: int | None, rows: list[Any], accounts: list[str]
) -> None:
    consolidated(database)
    viewer = GraphClient(database, ONE, acting=acting).data(
        f"{{ viewer {{ {GET_USER} accessibleAccounts(first: 100) {{ nodes {{ accountId }} }} }} }}"
    )["viewer"]
    assert rows_of(viewer) == rows
    assert [one["accountId"] for one in viewer["accessibleAccounts"]["nodes"]] == accounts


def test_another_user_of_ones_own_is_as_hidden_as_somebody_elses(database: Database) -> None:
    consolidated(database)
    client = GraphClient(database, ONE, acting=789)
    query = "query ($id: ID!) { user(id: $id) { userName } managerAccount(id: 2) { name } }"
    assert client.data(query, {"id": "456"}) == {"user": None, "managerAccount": None}
    assert client.data(query, {"id": "456"}) == client.data(query, {"id": "77777777"})
    assert GraphClient(database, ONE).data(query, {"id": "456"})["user"] is not None


def test_ones_own_log_is_that_of_the_user_one_asks_as(database: Database) -> None:
    consolidated(database)
    query = "query ($id: ID!) { user(id: $id) { auditLog { nodes { operation } } } }"
    told = GraphClient(database, ONE, acting=789).data(query, {"id": "789"})["user"]
    assert told == {"auditLog": {"nodes": [{"operation": "consolidateLogins"}]}}
    of_the_login = GraphClient(database, ONE).data(query, {"id": "789"})["user"]
    assert of_the_login == told


def test_the_log_of_another_of_ones_own_users_is_as_closed_as_a_colleagues(database: Database) -> None:
    users = [a_user(1, of=1), a_user(2, of=2, original=False), a_user(3, of=1, login=3)]
    roles = [a_role(at=1, user=1, id=1), a_role("VIEWER", at=1, user=2, id=2), a_role("VIEWER", at=1, user=3, id=3)]
    with database.write() as transaction:
        write_world(transaction, a_world(*users, *roles))
    query = '{ users: nodes(ids: ["User:1", "User:2", "User:3"]) { ... on User { userId auditLog { totalCount } } } }'
    told = GraphClient(database, 1, acting=2).data(query)["users"]
    assert [(one["userId"], one["auditLog"] is not None) for one in told] == [("1", False), ("2", True), ("3", False)]


def test_what_the_other_users_of_the_login_may_do_is_refused_to_one_alone(database: Database) -> None:
    consolidated(database)
    invited = {"customerId": "2", "email": "kim@user.example", "firstName": "Kim", "lastName": "Ek", "roleId": 16}
    error = Writer(database, ONE, acting=789).refused("sendUserInvitation", invited)
    assert (error["code"], error["number"]) == ("NOT_FOUND", 210)
    for acting in (None, 123, 456):
        Writer(database, ONE, acting=acting).done("sendUserInvitation", invited)


def test_a_write_is_signed_with_the_user_it_is_asked_as(database: Database) -> None:
    with database.write() as transaction:
        world = a_world(
            a_user(123, of=1, login=1),
            a_user(456, of=2, login=1, original=False),
            a_link(1, 2),
            a_role("SUPER_ADMIN", at=1, user=123, id=1),
            a_role("SUPER_ADMIN", at=2, user=456, id=2),
        )
        write_world(transaction, world)
    for acting, name in ((None, "One"), (123, "Two"), (456, "Three")):
        reader = GraphClient(database, 1, acting=acting)
        stamp = reader.data("{ managerAccount(id: 2) { timeStamp } }")["managerAccount"]["timeStamp"]
        given = {"customerId": "2", "timeStamp": stamp, "name": name, "industry": "RETAIL"}
        Writer(database, 1, acting=acting).done("updateManagerAccount", given)
    log = "{ managerAccount(id: 2) { lastModifiedByUserId auditLog { nodes { actingAsUserId actor } } } }"
    told = GraphClient(database, 1).data(log)["managerAccount"]
    signed = [one["actingAsUserId"] for one in told["auditLog"]["nodes"]]
    # Newest first. The original one stands for the login: the first of its users whose role allows it signs.
    assert signed == ["456", "123", "123"]
    assert told["lastModifiedByUserId"] == "456"


def test_who_edits_himself_through_another_user_of_his_signs_with_that_one(database: Database) -> None:
    """456 manages the users of 1 from above; asked as 456, he edits 123, and 456 stands behind it."""
    world = a_world(
        a_user(123, of=1, login=1),
        a_user(456, of=2, login=1, original=False),
        a_link(2, 1),
        a_role("VIEWER", at=1, user=123, id=1),
        a_role("SUPER_ADMIN", at=2, user=456, id=2),
    )
    with database.write() as transaction:
        write_world(transaction, world)
    by = []
    for acting in (None, 456):
        query = "{ user(id: 123) { timeStamp lastModifiedByUserId } }"
        stamp = GraphClient(database, 1, acting=acting).data(query)["user"]["timeStamp"]
        given = {"userId": "123", "timeStamp": stamp, "jobTitle": f"Buyer {acting}"}
        Writer(database, 1, acting=acting).done("updateUser", given)
        by.append(GraphClient(database, 1).data(query)["user"]["lastModifiedByUserId"])
    assert by == ["123", "456"]


@pytest.mark.parametrize("acting", [400, 77_777_777], ids=["somebody else's", "unknown"])
def test_who_is_not_ones_own_may_do_nothing_even_past_the_door(database: Database, acting: int) -> None:
    consolidated(database)
    assert GraphClient(database, ONE, acting=acting).data("{ viewer { users { userId } customerRoles { role } } }") == {
        "viewer": {"users": [], "customerRoles": []}
    }
    error = refusal_of(Writer(database, ONE, acting=acting))
    assert error == {"code": "FORBIDDEN", "number": 106, "rule": "P11"}


def refusal_of(writer: Writer) -> Any:
    """The error of a mutation that is refused before it begins."""
    given = {"customerId": "2", "timeStamp": "1", "name": "B", "industry": "RETAIL"}
    document = "mutation ($input: UpdateManagerAccountInput!) { updateManagerAccount(input: $input) { revision } }"
    response = writer.execute(document, {"input": given})
    assert response["data"] == {"updateManagerAccount": None}
    return response["errors"][0]["extensions"]


def test_a_user_deleted_since_the_door_writes_nothing(database: Database) -> None:
    consolidated(database)
    with database.write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=NOW_MS)
        write_user_status(transaction, stamp, [456], UserStatus.DELETED)  # type: ignore[list-item]
    assert refusal_of(Writer(database, ONE, acting=456)) == {"code": "FORBIDDEN", "number": 106, "rule": "P11"}


def test_the_same_request_asked_as_another_is_another_request(database: Database) -> None:
    consolidated(database)
    invited = {"customerId": "2", "email": "kim@user.example", "firstName": "Kim", "lastName": "Ek", "roleId": 16}
    given = invited | {"requestId": "once"}
    first = Writer(database, ONE, acting=123).done("sendUserInvitation", given)
    assert Writer(database, ONE).done("sendUserInvitation", given)["revision"] == first["revision"]
    assert Writer(database, ONE, acting=456).refused("sendUserInvitation", given)["code"] == "REQUEST_ID_REUSED"


def test_a_login_accepts_an_invitation_and_not_one_of_its_users(database: Database) -> None:
    consolidated(database)
    error = Writer(database, ONE, acting=456).refused("acceptUserInvitation", {"secret": "adi_anything"})
    assert (error["code"], error["number"], error["rule"]) == ("ASKED_AS_ONE_USER", 106, "P11")
    error = Writer(database, ONE, acting=123).refused("acceptUserInvitation", {"secret": "adi_anything"})
    assert error["code"] == "NOT_FOUND"


def test_an_administrator_asked_as_one_of_his_other_users_is_none(database: Database) -> None:
    store(database, a_user(901, of=8, login=OPERATOR, original=False), a_role(at=8, user=901, id=90))
    given = merge(TWO, dryRun=True)
    error = Writer(database, OPERATOR, acting=901, administrates=True).refused("consolidateLogins", given)
    assert (error["code"], error["number"]) == ("ADMINISTRATORS_ONLY", 106)
    Writer(database, OPERATOR, acting=900, administrates=True).done("consolidateLogins", given)
