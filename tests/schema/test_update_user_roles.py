"""updateUserRoles: who may give and take which role, on which accounts, and what a refusal leaves behind (nothing)."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from storage.database import Database
from tests.builders import a_link, a_manager, a_role, a_user, a_world, an_account_link, an_ad, an_aggregation
from tests.oracle import User
from tests.schema.write_client import ERRORS, Writer, dump
from tests.stored_worlds import write_world

ROLES = {"SUPER_ADMIN": 41, "STANDARD": 203, "CAMPAIGN_MANAGER": 16, "VIEWER": 100, "AGGREGATOR": 33}
SHOWN = "user { customerRoles { roleId accountIds linkedAccountIds scope linkedCustomerIds } } lastModifiedTime"


def store(database: Database, *facts: Any) -> None:
    """Manager account 1 with ad accounts 123, 456 and 789, and whoever the test is about.

    User n has login n; 1 is Super Admin unless the test gives that user something else.
    """
    users = [one for one in facts if isinstance(one, User)]
    named = {role.user for role in facts if hasattr(role, "scope")} | {1}
    users += [a_user(key, login=key) for key in sorted(named - {user.id for user in users})]
    rest = [one for one in facts if not isinstance(one, User)]
    ads = [an_ad(123, owner=1), an_ad(456, owner=1), an_ad(789, owner=1)]
    admin = [] if any(getattr(one, "user", None) == 1 for one in rest) else [a_role(id=900)]
    with database.write() as transaction:
        write_world(transaction, a_world(*users, *ads, *admin, *rest))


def role(name: str, *accounts: int, user: int = 2, id: int = 2) -> Any:
    scope = "ONLY_ACCOUNTS" if accounts else "EVERY_ACCOUNT"
    return a_role(name, user=user, scope=scope, listed=accounts, id=id)


def change(**given: Any) -> dict[str, Any]:
    return {"customerId": "1", "userId": "2", **given}


def rows(payload: Any) -> list[tuple[int, list[str] | None]]:
    return [(row["roleId"], row["accountIds"]) for row in payload["user"]["customerRoles"]]


def test_the_documented_examples_in_a_row(database: Database) -> None:
    store(database, role("CAMPAIGN_MANAGER", 123, 456, 789))
    writer = Writer(database)
    dropped = writer.done(
        "updateUserRoles",
        change(newRoleId=16, newAccountIds=["123", "789"], deleteRoleId=16, deleteAccountIds=["456"]),
        SHOWN,
    )
    assert rows(dropped) == [(16, ["123", "789"])]
    assert dropped["lastModifiedTime"] == "2020-09-13T13:26:40.000Z"
    opened = change(newRoleId=16, newAccountIds=None, deleteRoleId=16, deleteAccountIds=["123", "456", "789"])
    assert rows(writer.done("updateUserRoles", opened, SHOWN)) == [(16, None)]
    restricted = writer.done("updateUserRoles", change(newRole="CAMPAIGN_MANAGER", newAccountIds=["123"]), SHOWN)
    assert rows(restricted) == [(16, ["123"])]
    added = writer.done("updateUserRoles", change(newRoleId=16, newAccountIds=["789"]), SHOWN)
    assert rows(added) == [(16, ["123", "789"])]


def test_an_assignment_ends_and_another_begins(database: Database) -> None:
    store(database, role("CAMPAIGN_MANAGER", 123, 456))
    Writer(database).done("updateUserRoles", change(deleteRoleId=16, deleteAccountIds=["456"]))
    with database.read() as transaction:
        kept = transaction.execute(
            "SELECT a.id, a.ended_revision_id IS NULL, s.ad_account_id FROM assignment a"
            " JOIN assignment_ad_account s ON s.assignment_id = a.id WHERE a.user_id = 2 ORDER BY 1, 3"
        ).fetchall()
    assert [(key, bool(is_open), account) for key, is_open, account in kept] == [
        (2, False, 123),
        (2, False, 456),
        (901, True, 123),
    ]


def test_with_the_last_account_the_role_goes(database: Database) -> None:
    store(database, role("VIEWER", 123))
    payload = Writer(database).done("updateUserRoles", change(deleteRoleId=100, deleteAccountIds=["123"]), SHOWN)
    assert rows(payload) == []


def test_what_changes_nothing_writes_nothing(database: Database) -> None:
    store(database, role("VIEWER"))
    before = dump(database)
    payload = Writer(database).done("updateUserRoles", change(newRoleId=100), SHOWN)
    assert payload["revision"] is None
    assert rows(payload) == [(100, None)]
    assert dump(database) == before


def test_accounts_may_be_owned_linked_or_signed_up_but_not_anybodys(database: Database) -> None:
    store(
        database,
        role("VIEWER"),
        an_ad(21, owner=2),
        an_ad(22, owner=2),
        an_ad(31, owner=3),
        an_account_link(1, 21),
        an_account_link(1, 22, status="LINK_PENDING"),
        an_aggregation(1, 3),
    )
    writer = Writer(database)
    given = change(newRoleId=16, newAccountIds=["123", "21", "31"])
    shown = writer.done("updateUserRoles", given, SHOWN)["user"]["customerRoles"]
    assert [(row["accountIds"], row["linkedAccountIds"]) for row in shown if row["roleId"] == 16] == [
        (["123"], ["21", "31"])
    ]
    for strange in ("22", "999999"):
        error = writer.refused("updateUserRoles", change(newRoleId=203, newAccountIds=[strange]))
        assert (error["code"], error["number"], error["field"]) == ("ACCOUNT_ID_INVALID", 2108, ["newAccountIds"])
        assert error["message"].replace(strange, "N") == (
            "Not directly under manager account 1: N. Name ad accounts that it owns, holds an active link to, or"
            " signed up."
        )


def test_customers_must_be_linked_directly(database: Database) -> None:
    store(database, role("VIEWER"), a_link(1, 5), a_link(5, 6))
    writer = Writer(database)
    shown = writer.done("updateUserRoles", change(newRoleId=16, newCustomerIds=["5"]), SHOWN)["user"]["customerRoles"]
    assert [row["linkedCustomerIds"] for row in shown if row["scope"] == "ONLY_LINKED_ENTITIES"] == [["5"]]
    for strange in ("6", "1", "77"):
        error = writer.refused("updateUserRoles", change(newRoleId=16, newCustomerIds=[strange]))
        assert (error["code"], error["rule"]) == ("CUSTOMER_ID_INVALID", "P4")


GIVERS = {
    "SUPER_ADMIN": {41, 203, 16, 100},
    "AGGREGATOR": {41, 203, 16, 100},
    "STANDARD": {203, 16, 100},
    "CAMPAIGN_MANAGER": set(),
    "VIEWER": set(),
}


@pytest.mark.parametrize("giver", GIVERS)
def test_each_role_gives_and_takes_what_the_matrix_says(database: Database, giver: str) -> None:
    store(
        database,
        role(giver, user=1, id=1),
        role("SUPER_ADMIN", user=3, id=3),
        *(role(name, user=10 + number, id=10 + number) for name, number in ROLES.items()),
        a_user(2, login=2),
    )
    writer = Writer(database)
    for number in ROLES.values():
        given, taken = change(newRoleId=number), {"customerId": "1", "userId": str(10 + number), "deleteRoleId": number}
        if number in GIVERS[giver]:
            writer.done("updateUserRoles", given)
            writer.done("updateUserRoles", taken)
        else:
            assert writer.refused("updateUserRoles", given)["number"] == 106
            assert writer.refused("updateUserRoles", taken)["number"] == 106


def test_a_standard_user_leaves_super_admins_alone_whatever_is_changed(database: Database) -> None:
    store(database, role("STANDARD", user=1, id=1), role("SUPER_ADMIN"), role("VIEWER", id=3))
    error = Writer(database).refused("updateUserRoles", change(newRoleId=16, deleteRoleId=100))
    assert (error["code"], error["rule"]) == ("FORBIDDEN", "C17")


@pytest.mark.parametrize(("permission", "may"), [("ADMINISTRATIVE", True), ("STANDARD", False)])
def test_through_a_link_only_administrators_manage_users(database: Database, permission: str, may: bool) -> None:
    store(
        database,
        a_user(9, login=9, of=9),
        a_role(at=9, user=9, id=99),
        a_link(9, 1, permission),
        role("VIEWER"),
    )
    writer = Writer(database, 9)
    if may:
        writer.done("updateUserRoles", change(newRoleId=16))
    else:
        assert writer.refused("updateUserRoles", change(newRoleId=16))["rule"] == "C16"


def test_a_standard_user_limited_to_accounts_changes_only_within_them(database: Database) -> None:
    store(
        database, role("STANDARD", 123, 456, user=1, id=1), role("VIEWER", 123, 789), role("SUPER_ADMIN", user=3, id=3)
    )
    writer = Writer(database)
    for allowed in (
        change(newRoleId=16, newAccountIds=["456"]),
        change(newRoleId=203, newAccountIds=["123"], deleteRoleId=100, deleteAccountIds=["123"]),
        change(deleteRoleId=16, deleteAccountIds=["456"]),
    ):
        writer.done("updateUserRoles", allowed)
    for beyond in (
        change(newRoleId=16),
        change(newRoleId=16, newAccountIds=["123", "789"]),
        change(deleteRoleId=100),
        change(deleteRoleId=100, deleteAccountIds=["789"]),
        change(newRoleId=16, newCustomerIds=["5"]),
    ):
        error = writer.refused("updateUserRoles", beyond)
        assert (error["code"], error["rule"]) == ("FORBIDDEN", "C21")
    assert writer.refused("updateUserRoles", change(newRoleId=41))["number"] == 106


REFUSALS: list[tuple[dict[str, Any], str, int]] = [
    ({}, "NULL_PARAMETER", 203),
    ({"newRoleId": 41, "newAccountIds": ["123"]}, "ROLE_CANNOT_BE_SCOPED", 201),
    ({"newRoleId": 16, "newAccountIds": []}, "LIST_NULL_OR_EMPTY", 3087),
    ({"newAccountIds": ["123"]}, "NULL_PARAMETER", 203),
    ({"newRoleId": 5}, "BAD_USER_INPUT", 201),
    ({"newRoleId": 16, "newRole": "VIEWER"}, "BAD_USER_INPUT", 201),
    ({"deleteRoleId": 16}, "ROLE_NOT_HELD", 202),
    ({"deleteRoleId": 100, "deleteAccountIds": ["123"]}, "ROLE_NOT_RESTRICTED", 202),
    ({"newRoleId": 16, "userId": "4"}, "NOT_FOUND", 210),
    ({"newRoleId": 16, "userId": "4444"}, "NOT_FOUND", 210),
    ({"newRoleId": 16, "userId": "5"}, "USER_NOT_ACTIVE", 202),
    ({"newRoleId": 16, "customerId": "4"}, "NOT_FOUND", 210),
    ({"newRoleId": 16, "customerId": "4444"}, "NOT_FOUND", 210),
]


@pytest.mark.parametrize(("given", "code", "number"), REFUSALS)
def test_what_is_refused_changes_nothing(database: Database, given: dict[str, Any], code: str, number: int) -> None:
    store(database, role("VIEWER"), a_manager(4), a_user(4, login=4, of=4), a_user(5, login=5, status="DELETED"))
    error = Writer(database).refused("updateUserRoles", change(**given))
    assert (error["code"], error["number"]) == (code, number)


@pytest.mark.parametrize(
    "given", [{"deleteRoleId": 41}, {"newRoleId": 203, "deleteRoleId": 41}, {"newRoleId": 41, "newCustomerIds": ["5"]}]
)
def test_the_last_super_admin_stays(database: Database, given: dict[str, Any]) -> None:
    store(database, a_link(1, 5), a_user(3, login=3, status="INACTIVE"), role("SUPER_ADMIN", user=3, id=3))
    error = Writer(database).refused("updateUserRoles", {"customerId": "1", "userId": "1", **given})
    assert (error["code"], error["number"]) == ("LAST_SUPER_ADMIN", 202)


def test_of_two_super_admins_demoted_at_once_one_stays(database: Database) -> None:
    store(database, role("SUPER_ADMIN"))
    ready = threading.Barrier(2)
    payloads: dict[int, Any] = {}

    def demote(login: int, user: int) -> None:
        ready.wait()
        given = {"customerId": "1", "userId": str(user), "newRoleId": 203, "deleteRoleId": 41}
        payloads[login] = Writer(database, login).payload("updateUserRoles", given)

    threads = [threading.Thread(target=demote, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [payload for payload in payloads.values() if payload["userErrors"]]
    assert len(refused) == 1
    # Whoever came second had lost the role that was needed.
    assert refused[0]["userErrors"][0]["code"] in {"LAST_SUPER_ADMIN", "FORBIDDEN"}


def test_of_two_super_admins_who_step_down_at_once_one_stays(database: Database) -> None:
    store(database, role("SUPER_ADMIN"))
    ready = threading.Barrier(2)
    errors: list[Any] = []

    def step_down(user: int) -> None:
        ready.wait()
        given = {"customerId": "1", "userId": str(user), "deleteRoleId": 41}
        errors.append([one["code"] for one in Writer(database, user).payload("updateUserRoles", given)["userErrors"]])

    threads = [threading.Thread(target=step_down, args=(user,)) for user in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(errors) == [[], ["LAST_SUPER_ADMIN"]]


def test_a_primary_contact_keeps_a_role_that_may_be_one(database: Database) -> None:
    store(database, role("STANDARD"), role("VIEWER", id=3))
    with database.write() as transaction:
        transaction.execute("UPDATE ad_account SET primary_user_id = 2 WHERE id = 123")
    writer = Writer(database)
    for moved in (
        change(newRoleId=16, deleteRoleId=203),
        change(deleteRoleId=203),
        change(newRoleId=203, newAccountIds=["456"]),
    ):
        error = writer.refused("updateUserRoles", moved)
        assert (error["code"], error["rule"]) == ("USER_IS_PRIMARY_CONTACT", "C20")
    writer.done("updateUserRoles", change(newRoleId=41, deleteRoleId=203))
    writer.done("updateUserRoles", change(newRoleId=203, newAccountIds=["123"], deleteRoleId=41))


def test_a_dry_run_shows_the_change_and_keeps_nothing(database: Database) -> None:
    store(database, role("VIEWER"))
    before = dump(database)
    payload = Writer(database).done("updateUserRoles", change(newRoleId=16, dryRun=True), SHOWN)
    assert rows(payload) == [(16, None), (100, None)]
    assert dump(database) == before


def test_a_repeat_is_answered_with_the_first_result(database: Database) -> None:
    store(database, role("VIEWER"))
    writer = Writer(database)
    given = change(newRoleId=16, requestId="give-16")
    first = writer.done("updateUserRoles", given, SHOWN)
    assert writer.done("updateUserRoles", given, SHOWN) == first
    assert writer.refused("updateUserRoles", change(newRoleId=203, requestId="give-16"))["code"] == "REQUEST_ID_REUSED"


def test_the_audit_log_tells_who_did_what(database: Database) -> None:
    store(database, role("VIEWER"))
    Writer(database).done("updateUserRoles", change(newRoleId=16, reason="promoted"))
    with database.read() as transaction:
        [entry] = transaction.execute(
            "SELECT operation, entity_kind, entity_id, actor_login_id, actor_user_id, before, after, reason"
            " FROM audit_entry"
        ).fetchall()
    assert tuple(entry[:5]) == ("updateUserRoles", "User", 2, 1, 1)
    assert "CAMPAIGN_MANAGER" not in entry[5]
    assert "CAMPAIGN_MANAGER" in entry[6]
    assert entry[7] == "promoted"


def test_without_a_token_nothing_is_written(database: Database) -> None:
    store(database, role("VIEWER"))
    before = dump(database)
    document = f'mutation {{ updateUserRoles(input: {{customerId: "1", userId: "2", newRoleId: 16}}) {{ {ERRORS} }} }}'
    response = Writer(database, None).execute(document)
    assert response["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert dump(database) == before
