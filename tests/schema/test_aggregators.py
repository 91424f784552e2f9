"""provisionAggregator: what is made, what its fields must be, who is shown it, and who comes in by it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from resolvers.rules.account_fields import NUMBER_ALPHABET
from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.models import AuditEntry, Login
from storage.records.ids import LoginId
from storage.writes import begin_revision, write_logins_merged
from tests.schema.client import GraphClient
from tests.schema.one_person import NAMES, ONE, OPERATOR, TWO, store
from tests.schema.write_client import NOW_MS, Writer, dump

ADDRESS = {"businessName": "Resellers", "line1": "1 Example Way", "city": "Oslo", "countryCode": "NO"}
CUSTOMER = {"name": "Resellers", "industry": "RETAIL", "marketCountry": "FR", "marketLanguage": "FRENCH"}
PERSON = {"firstName": "Kim", "lastName": "Larsen", "email": "kim@resellers.example", "lcid": "FrenchFrance"}
GIVEN = {"customer": CUSTOMER, "loginName": "kim@resellers.example", "user": PERSON}
SHOWN = """customerId userId
managerAccount { customerId number name industry marketCountry marketLanguage lifeCycleStatus serviceLevel
  address { city businessName } viewerCapabilities auditLog { totalCount }
  users { totalCount nodes { userId } } adAccounts { totalCount hiddenCount } managerAccounts { totalCount } }
user { userId userName isOriginal lcid name { firstName lastName } contactInfo { email } lifeCycleStatus
  managerAccount { ... on ManagerAccount { customerId } ... on RestrictedManagerAccount { reason } }
  hiddenRoles customerRoles { roleId customerId accountIds linkedAccountIds linkPermission } }"""


def administrator(database: Database) -> Writer:
    """The system administrator."""
    return Writer(database, OPERATOR, administrates=True)


def provisioned(database: Database, **changes: Any) -> Any:
    """The payload of a provisioning that is done."""
    return administrator(database).done("provisionAggregator", GIVEN | changes, SHOWN)


def login_of(database: Database, name: str) -> int:
    """The id of a login."""
    with database.read() as transaction:
        [(id_,)] = transaction.run(Login.select(Login.id).where(Login.user_name == name)).fetchall()
    return int(id_)


def test_what_is_made_is_an_empty_manager_account_with_one_user_who_holds_33_and_41(database: Database) -> None:
    store(database)
    payload = provisioned(database, customer=CUSTOMER | {"address": ADDRESS})
    customer, user = payload["managerAccount"], payload["user"]
    assert (payload["customerId"], payload["userId"]) == (customer["customerId"], user["userId"])
    number = customer.pop("number")
    assert len(number) == 10
    assert set(number) <= set(NUMBER_ALPHABET)
    assert customer == CUSTOMER | {
        "customerId": payload["customerId"],
        "lifeCycleStatus": "ACTIVE",
        "serviceLevel": "SELF_SERVE",
        "address": {"city": "Oslo", "businessName": "Resellers"},
        "viewerCapabilities": [],
        "auditLog": None,
        "users": {"totalCount": 1, "nodes": [{"userId": payload["userId"]}]},
        "adAccounts": {"totalCount": 0, "hiddenCount": 0},
        "managerAccounts": {"totalCount": 0},
    }
    roles = {row["roleId"]: row for row in user.pop("customerRoles")}
    assert roles == {
        role: {
            "roleId": role,
            "customerId": payload["customerId"],
            "accountIds": None,
            "linkedAccountIds": [],
            "linkPermission": None,
        }
        for role in (33, 41)
    }
    assert user == {
        "userId": payload["userId"],
        "userName": "kim@resellers.example",
        "isOriginal": True,
        "lcid": "FrenchFrance",
        "name": {"firstName": "Kim", "lastName": "Larsen"},
        "contactInfo": {"email": "kim@resellers.example"},
        "lifeCycleStatus": "ACTIVE",
        "managerAccount": {"customerId": payload["customerId"]},
        "hiddenRoles": 0,
    }
    with database.read() as transaction:
        assert read_inconsistencies(transaction) == []


def test_the_new_user_may_do_there_what_an_aggregator_may(database: Database) -> None:
    store(database)
    made = provisioned(database)["customerId"]
    client = GraphClient(database, login_of(database, "kim@resellers.example"))
    query = (
        "query ($id: ID!) { managerAccount(id: $id) { viewerRoles viewerCapabilities } viewer { users { userId } } }"
    )
    there = client.data(query, {"id": made})["managerAccount"]
    assert set(there["viewerRoles"]) == {"AGGREGATOR", "SUPER_ADMIN"}
    assert {"SIGN_UP_CUSTOMER", "MANAGE_SUPER_ADMINS"} <= set(there["viewerCapabilities"])


def test_the_administrator_sees_it_in_that_answer_and_never_again(database: Database) -> None:
    store(database)
    made = provisioned(database, requestId="once")
    query = "query ($id: ID!, $user: ID!) { managerAccount(id: $id) { name } user(id: $user) { userName } }"
    ids = {"id": made["customerId"], "user": made["userId"]}
    client = GraphClient(database, OPERATOR)
    assert client.data(query, ids) == {"managerAccount": None, "user": None}
    assert client.data(query, ids) == client.data(query, {"id": "77777777", "user": "77777777"})
    again = provisioned(database, requestId="once")
    assert (again["customerId"], again["userId"], again["revision"]) == (*ids.values(), made["revision"])
    assert (again["managerAccount"], again["user"]) == (None, None)


def test_a_login_that_is_there_gains_a_user_and_keeps_the_one_it_began_with(database: Database) -> None:
    store(database)
    made = provisioned(database, loginName=NAMES[ONE])
    assert (made["user"]["userName"], made["user"]["isOriginal"]) == (NAMES[ONE], False)
    users = GraphClient(database, ONE).data("{ viewer { users { userId isOriginal } } }")["viewer"]["users"]
    assert users == [{"userId": "123", "isOriginal": True}, {"userId": made["userId"], "isOriginal": False}]


def test_a_dry_run_shows_it_all_and_keeps_nothing(database: Database) -> None:
    store(database)
    before = dump(database)
    effects = "effects { hiddenCount totalCount }"
    payload = administrator(database).done("provisionAggregator", GIVEN | {"dryRun": True}, f"{SHOWN} {effects}")
    assert payload["managerAccount"]["name"] == "Resellers"
    assert [row["roleId"] for row in payload["user"]["customerRoles"]] == [33, 41]
    assert payload["effects"] == {"hiddenCount": 1, "totalCount": 0}
    assert dump(database) == before


def test_everything_made_has_an_entry_by_the_administrator(database: Database) -> None:
    store(database)
    made = provisioned(database, reason="Contract 7")
    with database.read() as transaction:
        columns = (AuditEntry.entity_kind, AuditEntry.entity_id, AuditEntry.actor_login_id, AuditEntry.after)
        found = transaction.run(AuditEntry.select(*columns, AuditEntry.reason).order_by(AuditEntry.id)).fetchall()
    login = login_of(database, "kim@resellers.example")
    wanted = [("Login", login), ("ManagerAccount", int(made["customerId"])), ("User", int(made["userId"]))]
    assert [(kind, key) for kind, key, *_ in found] == wanted
    assert {(actor, reason) for _, _, actor, _, reason in found} == {(OPERATOR, "Contract 7")}
    assert [row["role"] for row in json.loads(found[-1][3])["roles"]] == ["SUPER_ADMIN", "AGGREGATOR"]


def test_two_of_one_name_get_numbers_of_their_own(database: Database) -> None:
    store(database)
    numbers = [provisioned(database, loginName=f"{n}@r.example")["managerAccount"]["number"] for n in range(3)]
    assert len(set(numbers)) == 3


REFUSALS: list[tuple[dict[str, Any], str, int, list[str]]] = [
    ({"customer": {"name": " "}}, "NULL_PARAMETER", 203, ["customer", "name"]),
    ({"customer": {"name": "x" * 91}}, "NAME_TOO_LONG", 211, ["customer", "name"]),
    ({"customer": {"industry": "INTERNAL"}}, "API_INPUT_VALIDATION_ERROR", 201, ["customer", "industry"]),
    ({"customer": {"marketCountry": "XX"}}, "API_INPUT_VALIDATION_ERROR", 201, ["customer", "marketCountry"]),
    ({"customer": {"marketCountry": "fr"}}, "API_INPUT_VALIDATION_ERROR", 201, ["customer", "marketCountry"]),
    ({"customer": {"marketLanguage": "GERMAN"}}, "API_INPUT_VALIDATION_ERROR", 201, ["customer", "marketLanguage"]),
    (
        {"customer": {"address": ADDRESS | {"line1": "x" * 36}}},
        "ADDRESS_LINE1_INVALID",
        205,
        ["customer", "address", "line1"],
    ),
    (
        {"customer": {"address": {"countryCode": "SG", "stateOrProvince": "1"}}},
        "BUSINESS_ADDRESS_INVALID",
        1140,
        ["customer", "address", "stateOrProvince"],
    ),
    ({"loginName": ""}, "NULL_PARAMETER", 203, ["loginName"]),
    ({"loginName": "x" * 101}, "BAD_USER_INPUT", 201, ["loginName"]),
    ({"loginName": " kim"}, "BAD_USER_INPUT", 201, ["loginName"]),
    ({"loginName": "k\x00m"}, "BAD_USER_INPUT", 201, ["loginName"]),
    ({"loginName": "k\ud800m"}, "BAD_USER_INPUT", 201, ["loginName"]),
    ({"user": {"firstName": ""}}, "NULL_PARAMETER", 203, ["user", "firstName"]),
    ({"user": {"lastName": "x" * 101}}, "NAME_TOO_LONG", 211, ["user", "lastName"]),
    ({"user": {"email": "nobody"}}, "BAD_USER_INPUT", 201, ["user", "email"]),
    ({"user": {"email": f"{'x' * 90}@long.example"}}, "BAD_USER_INPUT", 201, ["user", "email"]),
    ({"user": {"lcid": "Klingon"}}, "BAD_USER_INPUT", 201, ["user", "lcid"]),
]


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The input with some of its parts changed."""
    given: dict[str, Any] = dict(GIVEN)
    return {**given, **{k: {**given[k], **v} if isinstance(v, dict) else v for k, v in changes.items()}}


@pytest.mark.parametrize(("changes", "code", "number", "field"), REFUSALS)
def test_a_field_that_is_wrong_is_named_and_nothing_is_made(
    database: Database, changes: dict[str, Any], code: str, number: int, field: list[str]
) -> None:
    store(database)
    error = administrator(database).refused("provisionAggregator", changed(changes))
    assert (error["code"], error["number"], error["field"]) == (code, number, field)


@pytest.mark.parametrize(
    "changes",
    [
        {"customer": {"name": "x" * 90}},
        {"customer": {"marketCountry": "CA", "marketLanguage": "FRENCH"}},
        {"loginName": "x" * 100},
        {"user": {"firstName": "x" * 100, "lastName": "x" * 100}},
        {"user": {"email": f"{'x' * 87}@long.example"}},
    ],
    ids=["name", "a market without a published language", "login", "person", "mail"],
)
def test_the_longest_that_may_be_is_taken(database: Database, changes: dict[str, Any]) -> None:
    store(database)
    administrator(database).done("provisionAggregator", changed(changes))


def test_every_wrong_field_is_told_at_once(database: Database) -> None:
    store(database)
    wrong = changed({"customer": {"name": ""}, "loginName": "", "user": {"firstName": ""}})
    errors = administrator(database).payload("provisionAggregator", wrong)["userErrors"]
    assert [one["field"][-1] for one in errors] == ["name", "loginName", "firstName"]


def test_a_merged_login_gets_no_user(database: Database) -> None:
    store(database)
    with database.write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=NOW_MS)
        write_logins_merged(transaction, stamp, [LoginId(TWO)], LoginId(ONE))
    error = administrator(database).refused("provisionAggregator", GIVEN | {"loginName": NAMES[TWO]})
    assert (error["code"], error["number"], error["field"]) == ("LOGIN_ALREADY_MERGED", 202, ["loginName"])
