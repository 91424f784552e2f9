"""updateUser and deleteUser: whose values follow, whose time stamps count, and who may not go."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from storage.database import Database
from storage.entries import AddressEntry, ContactInfoEntry
from storage.writes import begin_revision, write_addresses, write_contact_infos
from tests.builders import a_role, a_user, a_world, an_ad
from tests.schema.write_client import NOW_MS, Writer, dump
from tests.stored_worlds import LONG_AGO_MS, write_world

CONTACTS = {123: 234, 456: 567, 789: 890}
"""The contact info of each of the person's users, as in the documented example; addresses are 1000 more."""
SHOWN = """user {
  userId timeStamp lastModifiedByUserId lastModifiedAt jobTitle lcid lifeCycleStatus
  name { firstName middleInitial lastName }
  contactInfo { contactInfoId email phone1 fax contactByPhone emailFormat
    address { addressId line1 city postalCode stateOrProvince countryCode timeStamp } }
}"""


def store(database: Database, *facts: Any) -> None:
    """Login 1 is users 123 (Viewer in 1), 456 (Super Admin in 2) and 789 (Viewer in 3); 2 also has 22 and 23."""
    person: list[Any] = [
        a_user(123, of=1),
        a_user(456, of=2, original=False),
        a_user(789, of=3, original=False),
        a_role("VIEWER", at=1, user=123, id=1),
        a_role("SUPER_ADMIN", at=2, user=456, id=2),
        a_role("VIEWER", at=3, user=789, id=3, scope="ONLY_ACCOUNTS", listed=[31]),
        an_ad(31, owner=3),
        an_ad(21, owner=2),
    ]
    others: list[Any] = [
        a_user(22, login=22, of=2),
        a_user(23, login=23, of=2),
        a_role("STANDARD", at=2, user=22, id=22),
        a_role("SUPER_ADMIN", at=2, user=23, id=23),
    ]
    with database.write() as transaction:
        write_world(transaction, a_world(*person, *others, *facts))
        stamp = begin_revision(transaction, operation="storeContacts", at_ms=LONG_AGO_MS)
        addresses = [AddressEntry(key + 1000, line1="1 Main Street", city="Redmond") for key in CONTACTS.values()]
        write_addresses(transaction, stamp, addresses)
        contacts = [ContactInfoEntry(key, key + 1000, f"u{user}@user.example") for user, key in CONTACTS.items()]
        write_contact_infos(transaction, stamp, contacts)
        for user, key in CONTACTS.items():
            transaction.execute(f"UPDATE app_user SET contact_info_id = {key} WHERE id = {user}")


def read(database: Database, user: int) -> dict[str, Any]:
    """What is stored about a user, as the graph would send it back."""
    with database.read() as transaction:
        [row] = transaction.execute(
            "SELECT u.time_stamp, u.last_modified_by_user_id, u.last_modified_at_ms, u.first_name, u.job_title, u.lcid,"
            " u.status, c.id, c.email, c.phone1, a.id, a.city, a.time_stamp FROM app_user u"
            " LEFT JOIN contact_info c ON c.id = u.contact_info_id LEFT JOIN address a ON a.id = c.address_id"
            f" WHERE u.id = {user}"
        ).fetchall()
    names = [
        "time",
        "by",
        "at",
        "first",
        "job",
        "lcid",
        "status",
        "contact",
        "email",
        "phone1",
        "address",
        "city",
        "address_time",
    ]
    found = dict(zip(names, row, strict=True))
    return found | {"timeStamp": f"{found['time']}-{user}"}


def update(database: Database, user: int = 456, **given: Any) -> dict[str, Any]:
    return {"userId": str(user), "timeStamp": read(database, user)["timeStamp"], **given}


def contact(database: Database, user: int = 456, **given: Any) -> dict[str, Any]:
    return {"contactInfoId": str(read(database, user)["contact"]), **given}


def address(database: Database, user: int = 456, **given: Any) -> dict[str, Any]:
    stored = read(database, user)
    return {"addressId": str(stored["address"]), "timeStamp": str(stored["address_time"]), **given}


def test_an_edit_follows_the_person_as_documented(database: Database) -> None:
    store(database)
    given = update(
        database,
        name={"firstName": "Kim"},
        jobTitle="Buyer",
        lcid="FrenchCanada",
        contactInfo=contact(database, email="new@user.example", address=address(database, city="Kirkland")),
    )
    Writer(database).done("updateUser", given, SHOWN)
    users = {user: read(database, user) for user in CONTACTS}
    assert {user: row["contact"] for user, row in users.items()} == CONTACTS
    assert {row["by"] for row in users.values()} == {456}
    assert {row["at"] for row in users.values()} == {NOW_MS}
    assert len({row["timeStamp"] for row in users.values()}) == 3
    for row in users.values():
        assert (row["first"], row["job"], row["lcid"]) == ("Kim", "Buyer", "FrenchCanada")
        assert (row["email"], row["city"]) == ("new@user.example", "Kirkland")


def test_what_is_not_given_stays_also_where_it_differs(database: Database) -> None:
    store(database)
    Writer(database).done("updateUser", update(database, contactInfo=contact(database, phone1="+1 555 0100")))
    assert {user: read(database, user)["email"] for user in CONTACTS} == {
        user: f"u{user}@user.example" for user in CONTACTS
    }
    assert {read(database, user)["phone1"] for user in CONTACTS} == {"+1 555 0100"}


def test_an_empty_text_clears_and_the_payload_shows_it(database: Database) -> None:
    store(database)
    writer = Writer(database)
    writer.done("updateUser", update(database, jobTitle="Buyer"))
    user = writer.done("updateUser", update(database, jobTitle=""), SHOWN)["user"]
    assert user["jobTitle"] is None
    assert user["timeStamp"] == read(database, 456)["timeStamp"]
    assert user["contactInfo"]["address"]["timeStamp"] == str(read(database, 456)["address_time"])


def test_another_administrator_signs_with_his_own_user(database: Database) -> None:
    store(database)
    Writer(database, 23).done("updateUser", update(database, jobTitle="Buyer"))
    assert {read(database, user)["by"] for user in CONTACTS} == {23}


def test_a_user_without_contact_info_gains_one_of_his_own(database: Database) -> None:
    store(database)
    given = update(database, 22, contactInfo={"email": "s@user.example", "address": {"city": "Oslo"}})
    user = Writer(database).done("updateUser", given, SHOWN)["user"]
    assert user["contactInfo"]["email"] == "s@user.example"
    assert user["contactInfo"]["address"]["city"] == "Oslo"


def test_deleted_users_of_the_person_stay_as_they_were(database: Database) -> None:
    store(database, a_user(9, of=9, original=False, status="DELETED"))
    Writer(database).done("updateUser", update(database, jobTitle="Buyer"))
    assert read(database, 9)["job"] is None


def test_an_edit_that_says_nothing_writes_nothing(database: Database) -> None:
    store(database)
    before = dump(database)
    assert Writer(database).done("updateUser", update(database, contactInfo=contact(database)))["revision"] is None
    assert dump(database) == before


REFUSALS: list[tuple[dict[str, Any], str, int, list[str]]] = [
    ({"timeStamp": "1"}, "TIMESTAMP_NOT_MATCH", 209, ["timeStamp"]),
    ({"timeStamp": ""}, "TIMESTAMP_NOT_MATCH", 209, ["timeStamp"]),
    ({"name": {"firstName": "x" * 101}}, "NAME_TOO_LONG", 211, ["firstName"]),
    ({"name": {"lastName": "x" * 101}}, "NAME_TOO_LONG", 211, ["lastName"]),
    ({"name": {"lastName": " "}}, "NULL_PARAMETER", 203, ["lastName"]),
    ({"name": {"middleInitial": "AB"}}, "NAME_TOO_LONG", 211, ["middleInitial"]),
    ({"jobTitle": "x" * 51}, "BAD_USER_INPUT", 201, ["jobTitle"]),
    ({"jobTitle": "a\nb"}, "BAD_USER_INPUT", 201, ["jobTitle"]),
    ({"lcid": "Klingon"}, "BAD_USER_INPUT", 201, ["lcid"]),
    ({"contactInfo": {"contactInfoId": "234", "fax": "1"}}, "ID_MISMATCH", 201, ["contactInfo", "contactInfoId"]),
    ({"contactInfo": {"fax": "1"}}, "ID_MISMATCH", 201, ["contactInfo", "contactInfoId"]),
    ({"contactInfo": {"contactInfoId": "567", "email": "no"}}, "BAD_USER_INPUT", 201, ["contactInfo", "email"]),
    ({"contactInfo": {"contactInfoId": "567", "email": ""}}, "NULL_PARAMETER", 203, ["contactInfo", "email"]),
    ({"contactInfo": {"contactInfoId": "567", "mobile": "1" * 101}}, "BAD_USER_INPUT", 201, ["contactInfo", "mobile"]),
]


@pytest.mark.parametrize(("given", "code", "number", "field"), REFUSALS)
def test_what_is_refused_changes_nothing(
    database: Database, given: dict[str, Any], code: str, number: int, field: list[str]
) -> None:
    store(database)
    error = Writer(database).refused("updateUser", update(database, **given))
    assert (error["code"], error["number"], error["field"]) == (code, number, field)


ADDRESSES: list[tuple[dict[str, Any], str, int, str]] = [
    ({"timeStamp": "1"}, "TIMESTAMP_NOT_MATCH", 209, "timeStamp"),
    ({"timeStamp": None}, "TIMESTAMP_NOT_MATCH", 209, "timeStamp"),
    ({"addressId": "1234"}, "ID_MISMATCH", 201, "addressId"),
    ({"line1": "x" * 36}, "ADDRESS_LINE1_INVALID", 205, "line1"),
    ({"line1": ""}, "NULL_PARAMETER", 203, "line1"),
    ({"line3": "x" * 36}, "ADDRESS_LINE3_INVALID", 207, "line3"),
    ({"city": "x" * 36}, "ADDRESS_CITY_INVALID", 200, "city"),
    ({"city": "\x00"}, "BAD_USER_INPUT", 201, "city"),
    ({"postalCode": "x" * 11}, "ADDRESS_POSTAL_CODE_INVALID", 209, "postalCode"),
    ({"countryCode": "XX"}, "BUSINESS_ADDRESS_INVALID", 1140, "countryCode"),
    ({"countryCode": "SG", "stateOrProvince": "01"}, "BUSINESS_ADDRESS_INVALID", 1140, "stateOrProvince"),
]


@pytest.mark.parametrize(("given", "code", "number", "field"), ADDRESSES)
def test_an_address_is_held_to_its_rules(
    database: Database, given: dict[str, Any], code: str, number: int, field: str
) -> None:
    store(database)
    wrong = address(database) | {"line2": "Suite 5"} | given
    error = Writer(database).refused("updateUser", update(database, contactInfo=contact(database, address=wrong)))
    assert (error["code"], error["number"], error["field"][-1]) == (code, number, field)
    assert error["field"][0] == "contactInfo"


@pytest.mark.parametrize("name", ["updateUser", "deleteUser"])
@pytest.mark.parametrize(
    ("giver", "below", "admin"),
    [
        ("SUPER_ADMIN", None, None),
        ("AGGREGATOR", None, None),
        ("STANDARD", None, "C17"),
        ("CAMPAIGN_MANAGER", "C16", "C16"),
        ("VIEWER", "C16", "C16"),
    ],
)
def test_each_role_manages_whom_the_matrix_says(
    database: Database, name: str, giver: str, below: str | None, admin: str | None
) -> None:
    store(database, a_user(30, login=30, of=2), a_role(giver, at=2, user=30, id=30))
    writer = Writer(database, 30)
    for user, rule in ((22, below), (23, admin)):
        given = update(database, user, **({"jobTitle": "Buyer"} if name == "updateUser" else {}))
        if rule is None:
            writer.done(name, given)
        else:
            error = writer.refused(name, given)
            assert (error["code"], error["number"], error["rule"]) == ("FORBIDDEN", 106, rule)


@pytest.mark.parametrize("name", ["updateUser", "deleteUser"])
def test_a_user_of_others_is_as_one_that_does_not_exist(database: Database, name: str) -> None:
    store(database, a_user(9, login=9, of=9))
    writer = Writer(database)
    hidden = writer.refused(name, {"userId": "9", "timeStamp": "1"})
    assert hidden == writer.refused(name, {"userId": "99999", "timeStamp": "1"})
    assert hidden["code"] == "NOT_FOUND"


@pytest.mark.parametrize("status", ["DELETED", "INACTIVE"])
@pytest.mark.parametrize("name", ["updateUser", "deleteUser"])
def test_who_is_gone_can_be_neither_changed_nor_deleted_again(database: Database, name: str, status: str) -> None:
    store(database, a_user(29, login=29, of=2, status=status))
    error = Writer(database).refused(name, update(database, 29))
    assert (error["code"], error["number"]) == ("USER_NOT_ACTIVE", 202)


def test_a_standard_user_limited_to_accounts_manages_those_who_have_no_others(database: Database) -> None:
    store(
        database,
        an_ad(20, owner=2),
        a_user(30, login=30, of=2),
        a_role("STANDARD", at=2, user=30, id=30, scope="ONLY_ACCOUNTS", listed=[21]),
        a_user(40, login=40, of=2),
        a_role("VIEWER", at=2, user=40, id=40, scope="ONLY_ACCOUNTS", listed=[20, 21]),
        a_user(41, login=41, of=2),
        a_role("VIEWER", at=2, user=41, id=41, scope="ONLY_ACCOUNTS", listed=[21]),
    )
    writer = Writer(database, 30)
    assert writer.refused("deleteUser", update(database, 40))["rule"] == "C21"
    assert writer.refused("deleteUser", update(database, 22))["code"] == "NOT_FOUND"
    writer.done("updateUser", update(database, 41, jobTitle="Buyer"))
    writer.done("deleteUser", update(database, 41))


def test_only_the_named_user_goes_and_his_roles_end(database: Database) -> None:
    store(database)
    payload = Writer(database, 23).done("deleteUser", update(database, 456), SHOWN)
    assert payload["user"]["lifeCycleStatus"] == "DELETED"
    assert {user: read(database, user)["status"] for user in CONTACTS} == {
        123: "ACTIVE",
        456: "DELETED",
        789: "ACTIVE",
    }
    with database.read() as transaction:
        held = transaction.execute("SELECT user_id FROM assignment WHERE ended_revision_id IS NULL ORDER BY 1")
        assert [user for (user,) in held.fetchall()] == [22, 23, 123, 789]


def test_a_stale_time_stamp_deletes_nobody(database: Database) -> None:
    store(database)
    stale = update(database, 22)
    writer = Writer(database)
    writer.done("updateUser", update(database, 22, jobTitle="Buyer"))
    error = writer.refused("deleteUser", stale)
    assert (error["code"], error["number"]) == ("TIMESTAMP_NOT_MATCH", 209)


def test_a_primary_contact_stays_until_the_account_has_another(database: Database) -> None:
    store(database)
    with database.write() as transaction:
        transaction.execute("UPDATE ad_account SET primary_user_id = 22 WHERE id = 21")
    error = Writer(database).refused("deleteUser", update(database, 22))
    assert (error["code"], error["number"]) == ("USER_IS_PRIMARY_CONTACT", 202)
    assert "21" in error["message"]


def test_one_may_delete_oneself_but_the_last_super_admin_stays(database: Database) -> None:
    store(database)
    Writer(database, 23).done("deleteUser", update(database, 23))
    error = Writer(database).refused("deleteUser", update(database, 456))
    assert (error["code"], error["number"]) == ("LAST_SUPER_ADMIN", 202)


def test_of_the_last_two_super_admins_deleted_at_once_one_stays(database: Database) -> None:
    store(database)
    ready = threading.Barrier(2)
    codes: list[list[str]] = []

    def delete(login: int, user: int) -> None:
        given = update(database, user)
        ready.wait()
        codes.append([one["code"] for one in Writer(database, login).payload("deleteUser", given)["userErrors"]])

    threads = [threading.Thread(target=delete, args=pair) for pair in ((1, 456), (23, 23))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [[], ["LAST_SUPER_ADMIN"]]


@pytest.mark.parametrize("name", ["updateUser", "deleteUser"])
def test_a_dry_run_keeps_nothing(database: Database, name: str) -> None:
    store(database)
    before = dump(database)
    given = update(database, 22, dryRun=True, **({"jobTitle": "Buyer"} if name == "updateUser" else {}))
    Writer(database).done(name, given, SHOWN)
    assert dump(database) == before
