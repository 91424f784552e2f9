"""User invitations: who may send, what becomes of them, and who holds what once one is accepted."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from storage.database import Database
from tests.builders import a_login, a_manager, a_role, a_user, a_world, an_ad
from tests.schema.write_client import NOW_MS, Writer, dump
from tests.stored_worlds import write_world

DAY_MS = 86_400_000
STRANGER = 7
"""A login without any user."""
SHOWN = "invitation { invitationId email role roleId status accountIds scope expirationDate inviterUserId lcid }"
USER = (
    "user { userId customerId isOriginal name { firstName lastName } lifeCycleStatus"
    " customerRoles { roleId accountIds } }"
)


def store(database: Database, *facts: Any) -> None:
    """Manager account 1 with Super Admin 1 and two ad accounts; manager account 2 with Super Admin 2 and one."""
    others: list[Any] = [a_user(2, login=2, of=2), a_role(at=2, user=2, id=202), an_ad(21, owner=2)]
    mine: list[Any] = [a_user(1), a_role(id=101), an_ad(11, owner=1), an_ad(12, owner=1)]
    with database.write() as transaction:
        write_world(transaction, a_world(*mine, *others, a_login(STRANGER), *facts))


def whom(**given: Any) -> dict[str, Any]:
    person = {"customerId": "1", "email": "kim@user.example", "firstName": "Kim", "lastName": "Larsen", "roleId": 16}
    return {**person, **given}


def secrets_sent(database: Database) -> list[str]:
    with database.read() as transaction:
        rows = transaction.execute("SELECT data FROM outbox_message WHERE data IS NOT NULL ORDER BY id").fetchall()
    return [json.loads(data)["secret"] for (data,) in rows]


def invited(database: Database, writer: Writer | None = None, **given: Any) -> tuple[str, str]:
    """The id and the secret of a new invitation."""
    payload = (writer or Writer(database)).done("sendUserInvitation", whom(**given), "invitation { invitationId }")
    return payload["invitation"]["invitationId"], secrets_sent(database)[-1]


def rows(payload: Any, customer: str = "1") -> list[tuple[int, list[str] | None]]:
    assert payload["user"]["customerId"] == customer
    return [(row["roleId"], row["accountIds"]) for row in payload["user"]["customerRoles"]]


def test_an_invitation_is_shown_as_sent_and_expires_after_thirty_days(database: Database) -> None:
    store(database)
    payload = Writer(database).done("sendUserInvitation", whom(accountIds=["12", "11"]), SHOWN)
    assert payload["invitation"] == {
        "invitationId": "1",
        "email": "kim@user.example",
        "role": "CAMPAIGN_MANAGER",
        "roleId": 16,
        "status": "PENDING",
        "accountIds": ["11", "12"],
        "scope": "ONLY_ACCOUNTS",
        "expirationDate": "2020-10-13T13:26:40.000Z",
        "inviterUserId": "1",
        "lcid": "EnglishUS",
    }


def test_the_secret_is_in_the_mail_only(database: Database) -> None:
    store(database)
    _, secret = invited(database)
    assert len(secret) > 43
    found = dump(database)
    assert [table for table, kept in found.items() if any(secret in row for row in kept)] == ["outbox_message"]


def test_a_stranger_becomes_the_first_user_of_his_login(database: Database) -> None:
    store(database)
    _, secret = invited(database, accountIds=["11"])
    payload = Writer(database, STRANGER).done("acceptUserInvitation", {"secret": secret}, USER)
    assert payload["user"]["isOriginal"] is True
    assert payload["user"]["userId"] == "3"
    assert payload["user"]["name"] == {"firstName": "Kim", "lastName": "Larsen"}
    assert rows(payload) == [(16, ["11"])]


def test_a_login_with_users_elsewhere_gains_another_user(database: Database) -> None:
    store(database)
    _, secret = invited(database, roleId=41)
    payload = Writer(database, 2).done("acceptUserInvitation", {"secret": secret}, USER)
    assert payload["user"]["isOriginal"] is False
    assert payload["user"]["userId"] not in {"1", "2"}
    assert rows(payload) == [(41, None)]


def test_a_second_invitation_is_merged_into_the_user_there(database: Database) -> None:
    store(database)
    for given, held in (
        ({"accountIds": ["11"]}, [(16, ["11"])]),
        ({"accountIds": ["12"]}, [(16, ["11", "12"])]),
        ({"roleId": 100}, [(16, ["11", "12"]), (100, None)]),
        ({}, [(16, None), (100, None)]),
        ({"accountIds": ["11"]}, [(16, None), (100, None)]),
    ):
        _, secret = invited(database, **given)
        payload = Writer(database, 2).done("acceptUserInvitation", {"secret": secret}, USER)
        assert sorted(rows(payload), key=lambda row: row[0]) == held
    with database.read() as transaction:
        [(users,)] = transaction.execute("SELECT count(*) FROM app_user WHERE login_id = 2").fetchall()
    assert users == 2


def test_who_was_deleted_returns_with_nothing_but_what_the_invitation_gives(database: Database) -> None:
    store(database, a_user(5, login=5, status="DELETED"), a_role(user=5, id=105))
    _, secret = invited(database, roleId=100)
    payload = Writer(database, 5).done("acceptUserInvitation", {"secret": secret}, USER)
    assert payload["user"]["lifeCycleStatus"] == "ACTIVE"
    assert rows(payload) == [(100, None)]


def test_who_was_disabled_does_not_return_by_invitation(database: Database) -> None:
    store(database, a_user(5, login=5, status="INACTIVE"))
    _, secret = invited(database)
    error = Writer(database, 5).refused("acceptUserInvitation", {"secret": secret})
    assert (error["code"], error["number"]) == ("USER_NOT_ACTIVE", 202)


def test_a_secret_opens_once(database: Database) -> None:
    store(database)
    _, secret = invited(database)
    Writer(database, STRANGER).done("acceptUserInvitation", {"secret": secret})
    error = Writer(database, 2).refused("acceptUserInvitation", {"secret": secret})
    assert (error["code"], error["number"]) == ("INVITATION_USED", 202)


def test_of_two_who_accept_at_once_one_joins(database: Database) -> None:
    store(database)
    _, secret = invited(database)
    ready = threading.Barrier(2)
    codes: list[list[str]] = []

    def accept(login: int) -> None:
        ready.wait()
        payload = Writer(database, login).payload("acceptUserInvitation", {"secret": secret})
        codes.append([one["code"] for one in payload["userErrors"]])

    threads = [threading.Thread(target=accept, args=(login,)) for login in (2, STRANGER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [[], ["INVITATION_USED"]]


@pytest.mark.parametrize(("after_ms", "code"), [(30 * DAY_MS - 1, None), (30 * DAY_MS, "INVITATION_EXPIRED")])
def test_an_invitation_can_be_accepted_until_thirty_days_are_over(
    database: Database, after_ms: int, code: str | None
) -> None:
    store(database)
    _, secret = invited(database)
    late = Writer(database, STRANGER, NOW_MS + after_ms)
    if code is None:
        late.done("acceptUserInvitation", {"secret": secret})
    else:
        assert late.refused("acceptUserInvitation", {"secret": secret})["code"] == code


def test_sending_again_voids_the_old_secret_and_begins_new_days(database: Database) -> None:
    store(database)
    key, old = invited(database)
    later = NOW_MS + 40 * DAY_MS
    payload = Writer(database, 1, later).done("resendUserInvitation", {"invitationId": key}, SHOWN)
    assert payload["invitation"]["status"] == "PENDING"
    assert payload["invitation"]["expirationDate"] == "2020-11-22T13:26:40.000Z"
    [new] = secrets_sent(database)
    assert new != old
    assert Writer(database, STRANGER, later).refused("acceptUserInvitation", {"secret": old})["code"] == "NOT_FOUND"
    Writer(database, STRANGER, later).done("acceptUserInvitation", {"secret": new})


def test_a_cancelled_invitation_opens_nothing_and_its_mail_does_not_leave(database: Database) -> None:
    store(database)
    key, secret = invited(database)
    payload = Writer(database).done("cancelUserInvitation", {"invitationId": key}, SHOWN)
    assert payload["invitation"]["status"] == "CANCELED"
    assert secrets_sent(database) == []
    assert (
        Writer(database, STRANGER).refused("acceptUserInvitation", {"secret": secret})["code"] == "INVITATION_CANCELED"
    )
    for again in ("cancelUserInvitation", "resendUserInvitation"):
        assert Writer(database).refused(again, {"invitationId": key})["code"] == "INVITATION_CANCELED"


def test_an_accepted_invitation_is_final(database: Database) -> None:
    store(database)
    key, secret = invited(database)
    Writer(database, STRANGER).done("acceptUserInvitation", {"secret": secret})
    for again in ("cancelUserInvitation", "resendUserInvitation"):
        assert Writer(database).refused(again, {"invitationId": key})["code"] == "INVITATION_USED"


def test_nobody_joins_a_manager_account_that_is_closed(database: Database) -> None:
    store(database)
    _, secret = invited(database)
    with database.write() as transaction:
        transaction.execute("UPDATE manager_account SET status = 'INACTIVE' WHERE id = 1")
    assert Writer(database, STRANGER).refused("acceptUserInvitation", {"secret": secret})["code"] == "OBJECT_STATE"


GIVERS = {"SUPER_ADMIN": {41, 203, 16, 100}, "AGGREGATOR": {41, 203, 16, 100}, "STANDARD": {203, 16, 100}}


@pytest.mark.parametrize("sender", ["SUPER_ADMIN", "AGGREGATOR", "STANDARD", "CAMPAIGN_MANAGER", "VIEWER"])
def test_each_role_invites_to_what_the_matrix_says(database: Database, sender: str) -> None:
    store(database, a_user(4, login=4), a_role(sender, user=4, id=104))
    writer = Writer(database, 4)
    for number in (41, 203, 16, 100, 33):
        if number in GIVERS.get(sender, set()):
            key, _ = invited(database, writer, roleId=number)
            writer.done("resendUserInvitation", {"invitationId": key})
            writer.done("cancelUserInvitation", {"invitationId": key})
        else:
            assert writer.refused("sendUserInvitation", whom(roleId=number))["number"] == 106
            if number != 33:
                key, _ = invited(database, roleId=number)
                for again in ("resendUserInvitation", "cancelUserInvitation"):
                    assert writer.refused(again, {"invitationId": key})["number"] == 106


def test_a_standard_user_limited_to_accounts_invites_to_them_only(database: Database) -> None:
    store(database, a_user(4, login=4), a_role("STANDARD", user=4, id=104, scope="ONLY_ACCOUNTS", listed=[11]))
    writer = Writer(database, 4)
    key, _ = invited(database, writer, accountIds=["11"])
    payload = writer.done("resendUserInvitation", {"invitationId": key}, SHOWN)
    assert payload["invitation"]["inviterUserId"] == "4"
    for beyond in ({}, {"accountIds": ["11", "12"]}, {"accountIds": ["12"]}):
        error = writer.refused("sendUserInvitation", whom(**beyond))
        assert (error["code"], error["rule"]) == ("FORBIDDEN", "C21")
    other, _ = invited(database)
    assert writer.refused("cancelUserInvitation", {"invitationId": other})["rule"] == "C21"


REFUSALS: list[tuple[dict[str, Any], str, int]] = [
    ({"roleId": 41, "accountIds": ["11"]}, "ROLE_CANNOT_BE_SCOPED", 201),
    ({"roleId": 33}, "FORBIDDEN", 106),
    ({"roleId": 1}, "BAD_USER_INPUT", 201),
    ({"roleId": None}, "NULL_PARAMETER", 203),
    ({"accountIds": []}, "LIST_NULL_OR_EMPTY", 3087),
    ({"accountIds": ["21"]}, "ACCOUNT_ID_INVALID", 2108),
    ({"accountIds": ["2121"]}, "ACCOUNT_ID_INVALID", 2108),
    ({"email": ""}, "NULL_PARAMETER", 203),
    ({"email": "nobody"}, "BAD_USER_INPUT", 201),
    ({"email": "a@b.example\r\nBcc: c@d.example"}, "BAD_USER_INPUT", 201),
    ({"email": "a" * 90 + "@user.example"}, "BAD_USER_INPUT", 201),
    ({"firstName": "x" * 41}, "NAME_TOO_LONG", 211),
    ({"lastName": "x" * 41}, "NAME_TOO_LONG", 211),
    ({"lastName": "two\nlines"}, "BAD_USER_INPUT", 201),
    ({"lcid": "Klingon"}, "BAD_USER_INPUT", 201),
    ({"customerId": "2"}, "NOT_FOUND", 210),
    ({"customerId": "2222"}, "NOT_FOUND", 210),
]


@pytest.mark.parametrize(("given", "code", "number"), REFUSALS)
def test_what_is_refused_changes_nothing(database: Database, given: dict[str, Any], code: str, number: int) -> None:
    store(database, a_manager(2))
    error = Writer(database).refused("sendUserInvitation", whom(**given))
    assert (error["code"], error["number"]) == (code, number)


@pytest.mark.parametrize("name", ["resendUserInvitation", "cancelUserInvitation"])
def test_an_invitation_of_others_is_as_one_that_does_not_exist(database: Database, name: str) -> None:
    store(database)
    key, _ = invited(database)
    stranger = Writer(database, 2)
    assert stranger.refused(name, {"invitationId": key}) == stranger.refused(name, {"invitationId": "4040"})


@pytest.mark.parametrize("secret", ["", "adi_wrong", "x" * 100_000, "\N{GRINNING FACE}"])
def test_a_wrong_secret_opens_nothing(database: Database, secret: str) -> None:
    store(database)
    invited(database)
    assert Writer(database, STRANGER).refused("acceptUserInvitation", {"secret": secret})["number"] == 210


def test_dry_runs_keep_nothing(database: Database) -> None:
    store(database)
    before = dump(database)
    Writer(database).done("sendUserInvitation", whom(dryRun=True))
    assert dump(database) == before
    _, secret = invited(database, accountIds=["11"])
    before = dump(database)
    given = {"secret": secret, "dryRun": True}
    payload = Writer(database, STRANGER).done("acceptUserInvitation", given, USER)
    assert rows(payload) == [(16, ["11"])]
    assert dump(database) == before


def test_a_repeat_sends_no_second_mail(database: Database) -> None:
    store(database)
    for _ in range(2):
        Writer(database).done("sendUserInvitation", whom(requestId="kim"))
    assert len(secrets_sent(database)) == 1
