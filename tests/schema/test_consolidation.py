"""consolidateLogins: the documented story, what it refuses, and that a merged login is out from the commit on."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from resolvers.logins import MOST_MERGED
from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.models import AuditEntry
from storage.records.ids import LoginId
from storage.records.values import TokenScope
from storage.tokens import NewToken, TokenState, find_token, issue_token
from storage.writes import begin_revision, write_logins_merged
from tests.builders import a_login, a_role, a_user
from tests.oracle import Login
from tests.schema.client import GraphClient
from tests.schema.one_person import (
    CONTACTS,
    FOUR,
    GET_USER,
    IN_A,
    IN_B,
    IN_C,
    NAMES,
    ONE,
    OPERATOR,
    THREE,
    TWO,
    merge,
    rows_of,
    store,
    users_now,
)
from tests.schema.write_client import NOW_MS, Writer, dump
from tests.stored_worlds import LONG_AGO_MS

SHOWN = "login { loginId userName } users { userId customerId isOriginal cameFrom }"
MERGED_LOGIN = {"code": "UNAUTHENTICATED", "number": 120, "rule": "P12"}


def administrator(database: Database) -> Writer:
    """The system administrator."""
    return Writer(database, OPERATOR, administrates=True)


def merged(database: Database, *logins: int, **more: Any) -> Any:
    """The payload of a consolidation that is done."""
    return administrator(database).done("consolidateLogins", merge(*logins, **more), SHOWN)


def get_user(database: Database, login: int, user: int | None) -> list[Any]:
    """The rows of GetUser without a user, or about one."""
    client = GraphClient(database, login)
    if user is None:
        return rows_of(client.data(f"{{ viewer {{ {GET_USER} }} }}")["viewer"])
    return rows_of(client.data(f"query ($id: ID!) {{ user(id: $id) {{ {GET_USER} }} }}", {"id": str(user)})["user"])


# The documented story


def test_before_the_merge_each_login_has_the_roles_of_its_own_user(database: Database) -> None:
    store(database)
    for login, user, row in ((ONE, 123, IN_A), (TWO, 456, IN_B), (THREE, 789, IN_C)):
        assert get_user(database, login, None) == get_user(database, login, user) == [row]


@pytest.mark.parametrize(
    ("user", "rows"), [(None, [IN_A, IN_B, IN_C]), (123, [IN_A, IN_B, IN_C]), (456, [IN_B]), (789, [IN_C])]
)
def test_after_the_merge_the_original_user_has_all_roles_and_each_other_only_its_own(
    database: Database, user: int | None, rows: list[Any]
) -> None:
    store(database)
    merged(database, TWO, THREE)
    assert get_user(database, ONE, user) == rows


def test_the_payload_names_the_login_and_every_user_with_where_it_came_from(database: Database) -> None:
    store(database)
    payload = merged(database, TWO, THREE)
    assert payload["login"] == {"loginId": str(ONE), "userName": NAMES[ONE]}
    assert payload["users"] == [
        {"userId": "123", "customerId": "1", "isOriginal": True, "cameFrom": None},
        {"userId": "456", "customerId": "2", "isOriginal": False, "cameFrom": NAMES[TWO]},
        {"userId": "789", "customerId": "3", "isOriginal": False, "cameFrom": NAMES[THREE]},
    ]


def test_the_merge_itself_changes_nothing_that_describes_the_person(database: Database) -> None:
    store(database)
    merged(database, TWO, THREE)
    users = users_now(database)
    assert {key: one["by"] for key, one in users.items()} == {123: 123, 456: 456, 789: 789}
    assert {one["at"] for one in users.values()} == {LONG_AGO_MS}
    assert {key: one["contact"] for key, one in users.items()} == CONTACTS
    emails = "{ viewer { users { timeStamp contactInfo { contactInfoId email } } } }"
    told = GraphClient(database, ONE).data(emails)["viewer"]["users"]
    assert [one["contactInfo"]["email"] for one in told] == [f"u{key}@user.example" for key in CONTACTS]
    assert len({one["timeStamp"] for one in told}) == 3


def test_the_first_edit_after_the_merge_follows_on_all_users(database: Database) -> None:
    store(database)
    merged(database, TWO, THREE)
    client = GraphClient(database, ONE, acting=456)
    [me] = client.data("{ viewer { users { userId timeStamp contactInfo { contactInfoId } } } }")["viewer"]["users"]
    given = {"userId": me["userId"], "timeStamp": me["timeStamp"]}
    contact = {"contactInfoId": me["contactInfo"]["contactInfoId"], "email": "one@person.example"}
    Writer(database, ONE, acting=456).done("updateUser", given | {"contactInfo": contact})
    users = users_now(database)
    assert {key: one["by"] for key, one in users.items()} == {123: 456, 456: 456, 789: 456}
    assert {one["at"] for one in users.values()} == {NOW_MS}
    assert {key: one["contact"] for key, one in users.items()} == CONTACTS
    told = GraphClient(database, ONE).data("{ viewer { users { timeStamp contactInfo { email } } } }")["viewer"][
        "users"
    ]
    assert {one["contactInfo"]["email"] for one in told} == {"one@person.example"}
    assert len({one["timeStamp"] for one in told}) == 3


def test_a_time_stamp_read_before_the_merge_is_too_old(database: Database) -> None:
    store(database)
    before = GraphClient(database, TWO).data("{ viewer { users { timeStamp } } }")["viewer"]["users"][0]["timeStamp"]
    merged(database, TWO, THREE)
    error = Writer(database, ONE).refused("updateUser", {"userId": "456", "timeStamp": before, "jobTitle": "Buyer"})
    assert error["number"] == 209
    unmoved = GraphClient(database, ONE).data("{ user(id: 123) { timeStamp } }")["user"]["timeStamp"]
    assert unmoved == "1-123", "the primary login's own user was not written"


def test_who_is_outside_the_merge_stays_as_he_was(database: Database) -> None:
    store(database)
    before = get_user(database, FOUR, None)
    merged(database, TWO, THREE)
    assert get_user(database, FOUR, None) == before == [(203, "2", None, None)]


def test_histories_stay_whole_and_say_where_each_user_was(database: Database) -> None:
    store(database)
    merged(database, TWO, THREE)
    with database.read() as transaction:
        assert read_inconsistencies(transaction) == []
        rows = transaction.execute("SELECT login_id, is_original FROM user_period WHERE user_id = 456 ORDER BY id")
        assert [(login, bool(original)) for login, original in rows.fetchall()] == [(TWO, True), (ONE, False)]
        rows = transaction.execute("SELECT login_id, status FROM login_period ORDER BY id")
        assert [tuple(row) for row in rows.fetchall()][-2:] == [(TWO, "MERGED"), (THREE, "MERGED")]


def test_every_login_and_user_touched_has_an_entry_by_the_administrator(database: Database) -> None:
    store(database)
    merged(database, TWO, THREE, reason="The same person, by her passport")
    with database.read() as transaction:
        columns = (AuditEntry.entity_kind, AuditEntry.entity_id, AuditEntry.actor_login_id, AuditEntry.after)
        found = transaction.run(AuditEntry.select(*columns, AuditEntry.reason).order_by(AuditEntry.id)).fetchall()
    assert [(kind, key) for kind, key, *_ in found] == [
        ("Login", ONE),
        ("Login", TWO),
        ("Login", THREE),
        ("User", 456),
        ("User", 789),
    ]
    assert {actor for _, _, actor, _, _ in found} == {OPERATOR}
    assert {reason for *_, reason in found} == {"The same person, by her passport"}
    after = {(kind, key): json.loads(said) for kind, key, _, said, _ in found}
    assert after["Login", ONE] == {"users": [123, 456, 789]}
    assert after["Login", TWO] == {"status": "MERGED", "mergedIntoLogin": NAMES[ONE], "users": []}
    assert after["User", 456] == {"userName": NAMES[ONE], "isOriginal": False}


def test_the_administrator_gains_no_access_by_it(database: Database) -> None:
    store(database)
    query = """{ viewer { customerRoles { customerId } accessibleAccounts(first: 100) { totalCount } }
      user(id: 456) { userName } managerAccount(id: 2) { name } check(capability: VIEW, target: "ManagerAccount:2") {
      allowed code } }"""
    before = GraphClient(database, OPERATOR).data(query)
    assert (before["user"], before["managerAccount"], before["check"]["code"]) == (None, None, "NOT_VISIBLE")
    merged(database, TWO, THREE)
    assert GraphClient(database, OPERATOR).data(query) == before


def test_a_dry_run_tells_what_would_be_gained_and_keeps_nothing(database: Database) -> None:
    store(
        database,
        a_role(at=1, user=123, id=50),
        a_user(902, of=1, login=OPERATOR, original=False),
        a_role(at=1, user=902, id=51),
    )
    before = dump(database)
    effects = "effects { hiddenCount nodes { user { userId } target { ... on AdAccount { accountId } } gained lost } }"
    payload = administrator(database).done("consolidateLogins", merge(TWO, dryRun=True), f"{SHOWN} {effects}")
    assert dump(database) == before
    assert payload["revision"] is None
    assert [one["userId"] for one in payload["users"]] == ["123", "456"]
    assert payload["effects"]["nodes"] == [], "what user 123 gains is in 2, which the administrator does not see"
    assert payload["effects"]["hiddenCount"] == 3, "2 itself and its two ad accounts"


def test_effects_are_shown_to_an_administrator_who_sees_both_sides(database: Database) -> None:
    both = [a_user(900 + at, of=at, login=OPERATOR, original=False) for at in (1, 2)]
    store(database, *both, *(a_role(at=one.manager_account, user=one.id, id=one.id) for one in both))
    effects = "effects { hiddenCount nodes { user { userId } gained lost } }"
    payload = administrator(database).done("consolidateLogins", merge(TWO, dryRun=True), effects)
    nodes = payload["effects"]["nodes"]
    assert {one["user"]["userId"] for one in nodes} == {"123"}, "456 keeps what he has, and stands for himself"
    assert [len(one["lost"]) for one in nodes] == [0, 0, 0]
    assert payload["effects"]["hiddenCount"] == 0


def test_a_repeat_with_one_request_id_returns_the_first_result(database: Database) -> None:
    store(database)
    first = merged(database, TWO, requestId="once")
    assert merged(database, TWO, requestId="once") == first


# What is refused


def refusal(database: Database, given: dict[str, Any]) -> tuple[str, int, list[str]]:
    """Code, number and field of a consolidation that must be refused and leave no trace."""
    error = administrator(database).refused("consolidateLogins", given)
    return error["code"], error["number"], error["field"]


def test_two_logins_with_a_user_in_one_manager_account_are_never_merged(database: Database) -> None:
    store(database)
    error = administrator(database).refused("consolidateLogins", merge(TWO, FOUR, THREE))
    assert (error["code"], error["number"], error["field"]) == ("LOGINS_IN_CONFLICT", 202, ["mergedLogins"])
    assert "manager account 2 (user 400 of four@contoso.example, user 456 of two@contoso.example)" in error["message"]


def test_a_conflict_names_every_manager_account_and_spares_nobody(database: Database) -> None:
    store(database, a_user(401, of=1, login=FOUR, original=False, status="DELETED"))
    error = administrator(database).refused("consolidateLogins", merge(TWO, FOUR))
    assert (
        "manager account 1 (user 123 of one@contoso.example, user 401 of four@contoso.example, DELETED)"
        in (error["message"])
    )
    assert "manager account 2 (" in error["message"]


def test_merging_needs_somebody_to_merge(database: Database) -> None:
    store(database)
    assert refusal(database, merge()) == ("LIST_NULL_OR_EMPTY", 3087, ["mergedLogins"])


def test_a_login_is_not_merged_into_itself_nor_named_twice(database: Database) -> None:
    store(database)
    assert refusal(database, merge(TWO, ONE)) == ("LOGIN_MERGED_INTO_ITSELF", 202, ["mergedLogins", "1"])
    assert refusal(database, merge(TWO, TWO)) == ("BAD_USER_INPUT", 201, ["mergedLogins", "1"])


@pytest.mark.parametrize("name", ["nobody@contoso.example", "ONE@contoso.example", "", "x" * 200])
def test_an_unknown_name_is_told_where_it_stands(database: Database, name: str) -> None:
    store(database)
    given = {"primaryLogin": name, "mergedLogins": [NAMES[TWO], f"{name}?"]}
    errors = administrator(database).payload("consolidateLogins", given)["userErrors"]
    assert [(one["code"], one["number"], one["field"]) for one in errors] == [
        ("NOT_FOUND", 210, ["primaryLogin"]),
        ("NOT_FOUND", 210, ["mergedLogins", "1"]),
    ]


def test_what_was_merged_is_merged_no_further_and_nothing_into_it(database: Database) -> None:
    store(database)
    merged(database, TWO)
    assert refusal(database, merge(TWO)) == ("LOGIN_ALREADY_MERGED", 202, ["mergedLogins", "0"])
    assert refusal(database, merge(THREE, primary=TWO)) == ("LOGIN_ALREADY_MERGED", 202, ["primaryLogin"])


def test_a_consolidation_has_a_largest_size(database: Database) -> None:
    many = [Login(1_000 + number, f"{number}@many.example") for number in range(MOST_MERGED + 1)]
    store(database, *many)
    names = [one.user_name for one in many]
    given = {"primaryLogin": NAMES[ONE], "mergedLogins": names}
    assert refusal(database, given) == ("BATCH_SIZE_EXCEEDED", 3024, ["mergedLogins"])
    administrator(database).done("consolidateLogins", given | {"mergedLogins": names[:-1]})


def test_the_number_of_statements_is_the_same_for_any_number_of_logins(database: Database) -> None:
    many = [Login(1_000 + number, f"{number}@many.example") for number in range(10)]
    users = [a_user(2_000 + number, of=100 + number, login=1_000 + number) for number in range(10)]
    store(database, *many, *users)
    writer, costs = administrator(database), []
    for names in ([many[0].user_name], [one.user_name for one in many[1:]]):
        writer.done("consolidateLogins", {"primaryLogin": NAMES[ONE], "mergedLogins": names}, SHOWN)
        costs.append(writer.statements)
    assert costs[0] == costs[1]


# A merged login is out


@pytest.fixture
def story(database: Database) -> Database:
    """The story, with an invitation that waits and a token of each login."""
    store(database)
    return database


def test_tokens_of_merged_logins_are_refused_also_along_a_chain_of_merges(story: Database) -> None:
    with story.write() as transaction:
        tokens = {
            login: issue_token(
                transaction, NewToken(LoginId(login), "test", frozenset(TokenScope), NOW_MS + 86_400_000), NOW_MS
            ).token
            for login in (ONE, TWO, THREE)
        }
    merged(story, THREE, primary=TWO)
    merged(story, TWO)
    with story.read() as transaction:
        states = {login: find_token(transaction, token, NOW_MS).state for login, token in tokens.items()}
    assert states == {ONE: TokenState.GOOD, TWO: TokenState.LOGIN_MERGED, THREE: TokenState.LOGIN_MERGED}
    assert get_user(story, ONE, None) == [IN_A, IN_B, IN_C]


def errors_of(writer: Writer, name: str, given: dict[str, Any]) -> list[Any]:
    """The extensions of the errors a mutation meets before it begins."""
    document = f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ revision }} }}"
    response = writer.execute(document, {"input": given})
    assert response["data"] == {name: None}
    return [error["extensions"] for error in response["errors"]]


INVITED = {"customerId": "2", "email": "kim@user.example", "firstName": "Kim", "lastName": "Ek", "roleId": 16}


def test_what_a_merged_login_had_sent_before_the_merge_and_was_waiting_is_refused(story: Database) -> None:
    """As a request that passed the door while the merge was under way: it is looked at again among all writers."""
    writer = Writer(story, TWO)
    writer.done("sendUserInvitation", INVITED | {"requestId": "once"})
    Writer(story, OPERATOR).done("sendUserInvitation", INVITED | {"customerId": "9"})
    with story.read() as transaction:
        rows = transaction.execute("SELECT data FROM outbox_message ORDER BY id").fetchall()
    secret = json.loads(rows[-1][0])["secret"]
    merged(story, TWO)
    before = dump(story)
    for name, given in (
        ("sendUserInvitation", INVITED),
        ("sendUserInvitation", INVITED | {"requestId": "once"}),
        ("acceptUserInvitation", {"secret": secret}),
        ("consolidateLogins", merge(THREE)),
    ):
        assert errors_of(writer, name, given) == [MERGED_LOGIN], name
    assert errors_of(Writer(story, TWO, acting=456), "sendUserInvitation", INVITED) == [MERGED_LOGIN]
    assert dump(story) == before
    joined = Writer(story, ONE).done("acceptUserInvitation", {"secret": secret}, "user { customerId userName }")
    assert joined["user"] == {"customerId": "9", "userName": NAMES[ONE]}


def test_a_merge_and_an_acceptance_at_once_leave_one_login_with_one_user_each(story: Database) -> None:
    """Both logins are invited to one manager account and one of them accepts while they are merged."""
    Writer(story, OPERATOR).done("sendUserInvitation", INVITED | {"customerId": "9"})
    with story.read() as transaction:
        [(data,)] = transaction.execute("SELECT data FROM outbox_message").fetchall()
    ready = threading.Barrier(2)
    found: list[Any] = []

    def accept() -> None:
        document = "mutation ($input: AcceptUserInvitationInput!) { acceptUserInvitation(input: $input) { revision } }"
        ready.wait()
        found.append(Writer(story, TWO).execute(document, {"input": {"secret": json.loads(data)["secret"]}}))

    def consolidate() -> None:
        ready.wait()
        administrator(story).payload("consolidateLogins", merge(TWO))

    threads = [threading.Thread(target=accept), threading.Thread(target=consolidate)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [response] = found
    with story.read() as transaction:
        assert read_inconsistencies(transaction) == []
        users = transaction.execute(f"SELECT count(*) FROM app_user WHERE login_id = {ONE}").fetchone()
    refused = response["data"]["acceptUserInvitation"] is None
    assert users == ((2,) if refused else (3,))
    if refused:
        assert response["errors"][0]["extensions"] == MERGED_LOGIN


def test_storage_merges_several_logins_at_once(database: Database) -> None:
    store(database, a_login(50))
    with database.write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=NOW_MS)
        write_logins_merged(transaction, stamp, [LoginId(TWO), LoginId(THREE), LoginId(50)], LoginId(ONE))
    assert {one["login"] for one in users_now(database).values()} == {ONE}
    with database.read() as transaction:
        assert read_inconsistencies(transaction) == []
