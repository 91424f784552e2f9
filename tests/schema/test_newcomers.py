"""Somebody an issuer names who has no login here: an invitation lets him in, and nothing else does."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from resolvers.session import Newcomer, Session
from schema.execution import Engine
from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.models import AuditEntry, Login, Revision
from storage.records.ids import Instant, LoginId
from storage.writes import begin_revision, write_logins_merged
from tests.schema.test_invitations import STRANGER, invited, store
from tests.schema.write_client import NOW_MS, Writer, dump

NAME = "noor@issuer.example"
USER = "user { userId userName isOriginal lastModifiedByUserId customerRoles { roleId customerId } }"


def newcomer(database: Database, name: str = NAME) -> Writer:
    """Somebody of this name whom an issuer vouches for."""
    writer = Writer(database, None)
    writer.viewer = Newcomer(name)
    return writer


def logins_named(database: Database, name: str = NAME) -> list[int]:
    """The ids of the logins of a name."""
    with database.read() as transaction:
        return [
            int(id_) for (id_,) in transaction.run(Login.select(Login.id).where(Login.user_name == name)).fetchall()
        ]


def test_accepting_an_invitation_makes_his_login_and_his_first_user(database: Database) -> None:
    store(database)
    _, secret = invited(database)
    user = newcomer(database).done("acceptUserInvitation", {"secret": secret}, USER)["user"]
    assert user == {
        "userId": user["userId"],
        "userName": NAME,
        "isOriginal": True,
        "lastModifiedByUserId": user["userId"],
        "customerRoles": [{"roleId": 16, "customerId": "1"}],
    }
    [login] = logins_named(database)
    with database.read() as transaction:
        assert read_inconsistencies(transaction) == []
        columns = (AuditEntry.entity_kind, AuditEntry.entity_id, AuditEntry.actor_login_id)
        entries = transaction.run(
            AuditEntry.select(*columns).where(AuditEntry.operation == "acceptUserInvitation").order_by(AuditEntry.id)
        ).fetchall()
        [(signed,)] = transaction.run(
            Revision.select(Revision.actor_login_id).where(Revision.operation == "acceptUserInvitation")
        ).fetchall()
    assert ("Login", login, login) in [tuple(entry) for entry in entries]
    assert {actor for *_, actor in entries} == {login}
    assert signed == login


@pytest.mark.parametrize("given", [{"dryRun": True}, {"secret": "adi_guessed"}], ids=["a dry run", "a wrong secret"])
def test_without_a_real_acceptance_there_is_no_login(database: Database, given: dict[str, Any]) -> None:
    store(database)
    _, secret = invited(database)
    before = dump(database)
    payload = newcomer(database).payload("acceptUserInvitation", {"secret": secret} | given, "user { userName }")
    assert bool(payload["userErrors"]) == ("secret" in given)
    assert payload["user"] == (None if "secret" in given else {"userName": NAME})
    assert dump(database) == before


def test_a_repeat_by_then_known_returns_the_first_result(database: Database) -> None:
    """The second request passed the door before the first had made the login."""
    store(database)
    _, secret = invited(database)
    given = {"secret": secret, "requestId": "once"}
    first = newcomer(database).done("acceptUserInvitation", given, USER)
    assert newcomer(database).done("acceptUserInvitation", given, USER) == first
    [login] = logins_named(database)
    assert Writer(database, login).done("acceptUserInvitation", given, USER) == first


def test_two_acceptances_at_once_make_one_login(database: Database) -> None:
    store(database)
    secrets = [invited(database, roleId=role)[1] for role in (16, 100)]
    ready = threading.Barrier(2)

    def accept(secret: str) -> None:
        ready.wait()
        newcomer(database).done("acceptUserInvitation", {"secret": secret})

    threads = [threading.Thread(target=accept, args=(secret,)) for secret in secrets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [login] = logins_named(database)
    with database.read() as transaction:
        assert read_inconsistencies(transaction) == []
        held = transaction.execute(
            "SELECT count(*) FROM assignment a JOIN app_user u ON u.id = a.user_id"
            f" WHERE u.login_id = {login} AND a.ended_revision_id IS NULL"
        ).fetchone()
    assert held == (2,)


@pytest.mark.parametrize("name", ["", " kim", "k\x00m", "x" * 101])
def test_a_name_no_login_can_have_is_refused(database: Database, name: str) -> None:
    store(database)
    _, secret = invited(database)
    error = newcomer(database, name).refused("acceptUserInvitation", {"secret": secret})
    assert (error["code"], error["number"], error["field"]) == ("BAD_USER_INPUT", 201, ["secret"])


def test_everything_else_is_refused_and_says_what_to_do(database: Database) -> None:
    store(database)
    given = {"customerId": "1", "timeStamp": "1", "name": "B", "industry": "RETAIL"}
    document = "mutation ($input: UpdateManagerAccountInput!) { updateManagerAccount(input: $input) { revision } }"
    response = newcomer(database).execute(document, {"input": given})
    with database.read() as transaction:
        session = Session(transaction, Newcomer(NAME), Instant(NOW_MS))
        asked = Engine().execute("{ viewer { revision } managerAccount(id: 1) { name } }", None, None, session)
    for answer in (response, asked):
        assert all(value is None for value in answer["data"].values())
        for error in answer["errors"]:
            assert (error["extensions"]["code"], error["extensions"]["number"]) == ("UNAUTHENTICATED", 105)
            assert "acceptUserInvitation" in error["message"]


def test_a_name_whose_login_was_merged_in_the_meantime_is_refused_with_120(database: Database) -> None:
    store(database)
    _, secret = invited(database)
    with database.write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=NOW_MS)
        write_logins_merged(transaction, stamp, [LoginId(STRANGER)], LoginId(1))
    document = "mutation ($input: AcceptUserInvitationInput!) { acceptUserInvitation(input: $input) { revision } }"
    response = newcomer(database, f"user{STRANGER}@adventure.example").execute(document, {"input": {"secret": secret}})
    assert response["errors"][0]["extensions"]["number"] == 120
