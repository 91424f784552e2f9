"""The header ActAs at the door: one refusal for whatever is no user to ask as, before anything runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from adgraph.app import create_app, open_database
from adgraph.commands.demo import demo_settings, prepare_demo
from adgraph.settings import Settings, SettingsError, shown
from storage.database import Database
from storage.demo import EARLIEST_NOW_MS, WORKED_USER_NAME
from storage.reads.logins import read_login
from storage.records.ids import UserId
from storage.records.values import TokenScope, UserStatus
from storage.tokens import NewToken, issue_token
from storage.writes import begin_revision, write_logins_merged, write_user_status
from tests.databases import SqliteDatabases

GRAPHQL = "application/graphql-response+json"
ME = "{ viewer { isSystemAdministrator actingAs { userId } users { userId } customerRoles { customerId } } }"
GONE = UserId(1002)
YEAR_MS = 366 * 86_400_000


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The demo company in a database of its own."""
    address = f"sqlite:///{tmp_path_factory.mktemp('acting') / 'adgraph.db'}"
    database = open_database(Settings(database_url=address), make=True)
    prepare_demo(database, now_ms=EARLIEST_NOW_MS)
    database.close()
    return address


@pytest.fixture
def own(url: str, tmp_path: Path) -> str:
    """A copy that may be changed."""
    return SqliteDatabases(tmp_path).copy_of(url)


def serving(address: str, name: str = WORKED_USER_NAME, **settings: Any) -> Iterator[tuple[TestClient, Database]]:
    """A server, a client with a token of a login, and the database."""
    app = create_app(Settings(database_url=address, worker=False, **settings), queries=Path("none"))
    with TestClient(app, headers={"accept": GRAPHQL}) as client:
        database: Database = app.state.database
        with database.write() as transaction:
            login = read_login(transaction, name)
            assert login is not None
            token = issue_token(
                transaction,
                NewToken(login.id, "test", frozenset(TokenScope), EARLIEST_NOW_MS + 100 * YEAR_MS),
                EARLIEST_NOW_MS,
            ).token
        client.headers["authorization"] = f"Bearer {token}"
        yield client, database


@pytest.fixture
def client(own: str) -> Iterator[TestClient]:
    """Signed in as the login of users 1001 and 1002."""
    for client, _ in serving(own):
        yield client


def ask(client: TestClient, query: str = ME, **headers: str) -> Any:
    """The response to one document."""
    return client.post("/graphql", json={"query": query}, headers=headers)


def me(client: TestClient, **headers: str) -> Any:
    """Who the server says one is."""
    return ask(client, **headers).json()["data"]["viewer"]


@pytest.mark.parametrize("header", ["ActAs", "actas", "ACTAS"])
@pytest.mark.parametrize("spelled", ["1002", "User:1002", "VXNlcjoxMDAy", " 1002 "])
def test_ones_own_user_may_be_asked_as_however_he_is_spelled(client: TestClient, header: str, spelled: str) -> None:
    viewer = me(client, **{header: spelled})
    assert viewer["actingAs"] == {"userId": "1002"}
    assert viewer["users"] == [{"userId": "1002"}]
    assert [row["customerId"] for row in viewer["customerRoles"]] == ["111", "222", "333"]


def test_without_the_header_and_as_the_original_user_one_is_the_login(client: TestClient) -> None:
    plain = me(client)
    assert plain["actingAs"] is None
    assert [one["userId"] for one in plain["users"]] == ["1001", "1002"]
    assert me(client, ActAs="1001") == plain | {"actingAs": {"userId": "1001"}}


def test_get_requests_may_be_asked_as_a_user_too(client: TestClient) -> None:
    response = client.get("/graphql", params={"query": ME}, headers={"ActAs": "1002"})
    assert response.json()["data"]["viewer"]["actingAs"] == {"userId": "1002"}
    assert "ActAs" in response.headers["vary"]


NOT_MINE = ["1003", "77777777", "", " ", "0", "-1", "01002", "1002, 1001", "AdAccount:1002", "x", "9" * 400, "ï"]


def test_who_is_no_user_to_ask_as_is_refused_alike_to_the_byte(own: str) -> None:
    for client, database in serving(own):
        with database.write() as transaction:
            stamp = begin_revision(transaction, operation="test", at_ms=EARLIEST_NOW_MS)
            write_user_status(transaction, stamp, [GONE], UserStatus.DELETED)
        sent = [client.post("/graphql", json={"query": ME}, headers={b"ActAs": one.encode()}) for one in NOT_MINE]
        sent.append(ask(client, ActAs=str(GONE)))
        assert {response.status_code for response in sent} == {403}
        assert {response.content for response in sent} == {sent[0].content}
        [error] = sent[0].json()["errors"]
        assert error["extensions"] == {"code": "FORBIDDEN", "number": 106, "rule": "P11"}
        assert "viewer { users { userId } }" in error["message"]


def test_nothing_runs_as_somebody_elses_user(own: str) -> None:
    mutation = 'mutation { cancelUserInvitation(input: {invitationId: "1"}) { revision } }'
    for client, database in serving(own):
        with database.read() as transaction:
            before = transaction.execute("SELECT count(*) FROM revision").fetchone()
        for query in (mutation, "{ __typename }", "{ nothing"):
            assert ask(client, query, ActAs="1003").status_code == 403
        with database.read() as transaction:
            assert transaction.execute("SELECT count(*) FROM revision").fetchone() == before


def test_the_header_without_a_token_is_refused_for_the_token(client: TestClient) -> None:
    del client.headers["authorization"]
    response = ask(client, "{ __typename }", ActAs="1002")
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED", "number": 116}


def test_a_merged_login_is_refused_with_120_whatever_user_it_asks_as(own: str) -> None:
    for client, database in serving(own, "erik@l3.example"):
        assert me(client, ActAs="1005")["actingAs"] == {"userId": "1005"}
        with database.write() as transaction:
            erik, dana = (read_login(transaction, name) for name in ("erik@l3.example", "gus@l4.example"))
            assert erik is not None
            assert dana is not None
            stamp = begin_revision(transaction, operation="test", at_ms=EARLIEST_NOW_MS)
            write_logins_merged(transaction, stamp, [erik.id], dana.id)
        for headers in ({}, {"ActAs": "1005"}, {"ActAs": "1003"}):
            response = ask(client, **headers)
            assert (response.status_code, response.json()["errors"][0]["extensions"]["number"]) == (401, 120)


# System administrators, as the operator names them


def test_the_operator_names_the_administrators(own: str) -> None:
    named = Settings.from_env({"ADGRAPH_SYSTEM_ADMINISTRATORS": f"{WORKED_USER_NAME}, someone@else.example"})
    for client, _ in serving(own, system_administrators=named.system_administrators):
        assert me(client)["isSystemAdministrator"] is True
        assert me(client, ActAs="1001")["isSystemAdministrator"] is True
        assert me(client, ActAs="1002")["isSystemAdministrator"] is False
    for client, _ in serving(own, "dana@l3.example", system_administrators=named.system_administrators):
        assert me(client)["isSystemAdministrator"] is False


@pytest.mark.parametrize("text", ["", "  "])
def test_nobody_is_an_administrator_unless_named(text: str) -> None:
    assert Settings.from_env({"ADGRAPH_SYSTEM_ADMINISTRATORS": text}).system_administrators == frozenset()


@pytest.mark.parametrize("text", [",", "a@b.example,", "a,,b"])
def test_a_list_of_names_with_a_gap_stops_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match="names of logins with commas"):
        Settings.from_env({"ADGRAPH_SYSTEM_ADMINISTRATORS": text})


def test_names_are_shown_as_they_are_set() -> None:
    assert [shown(value) for value in (frozenset(), frozenset({"b", "a"}), None, True, 7)] == [
        "unset",
        "a, b",
        "unset",
        "on",
        "7",
    ]


def test_a_name_nobody_can_use_is_a_warning_at_the_start(own: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="adgraph"):
        for _ in serving(own, system_administrators=frozenset({WORKED_USER_NAME, "nobody@else.example"})):
            pass
    [warning] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "nobody@else.example" in warning
    assert "adgraph login --user NAME" in warning


def test_in_demo_mode_the_visitor_of_the_page_is_one_unless_the_operator_names_others() -> None:
    assert demo_settings(Settings()).system_administrators == {WORKED_USER_NAME}
    named = Settings(system_administrators=frozenset({"dana@l3.example"}))
    assert demo_settings(named).system_administrators == {"dana@l3.example"}
    assert demo_settings(named).demo
