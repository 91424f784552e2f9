"""Developer tokens: demanded, looked at or left alone as the deployment says; they refuse and never give anything."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from adgraph.commands.demo import PAGE_LABEL, prepare_demo
from adgraph.identity.auth import Credentials, Door, anonymous_or_caller
from adgraph.settings import Settings
from storage.developer_tokens import (
    issue_developer_token,
    read_developer_token,
    read_developer_tokens,
    revoke_developer_token,
    rotate_developer_token,
)
from storage.entries import LoginEntry
from storage.records.ids import DeveloperTokenId, LoginId
from storage.writes import begin_revision, write_logins, write_logins_merged
from tests.api.conftest import Serve
from tests.api.test_tokens import ADA, BEN, DAY_MS, a_token, database_of, now_ms, refusal

WRONG = (401, "UNAUTHENTICATED", 105)
EXPIRED = (401, "UNAUTHENTICATED", 109)
MISSING = (401, "UNAUTHENTICATED", 116)
ADAS = {"data": {"viewer": "ada@agency.example"}}
BENS = {"data": {"viewer": "ben@agency.example"}}
NOBODYS = {"data": {"viewer": None}}


def server(serve: Serve, policy: str) -> TestClient:
    """A server with a policy, that knows two logins."""
    client = serve(developer_tokens=policy, ide=True)
    with database_of(client).write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=now_ms())
        write_logins(transaction, stamp, [LoginEntry(ADA, "ada@agency.example"), LoginEntry(BEN, "ben@agency.example")])
    return client


@pytest.fixture
def client(serve: Serve) -> TestClient:
    """A server that demands developer tokens."""
    return server(serve, "required")


def an_application(
    client: TestClient, only_for: LoginId | None = None, *, lifetime_ms: int = DAY_MS
) -> tuple[DeveloperTokenId, str]:
    """A new developer token."""
    with database_of(client).write() as transaction:
        issued = issue_developer_token(
            transaction, label="app", login_id=only_for, now_ms=now_ms(), expires_at_ms=now_ms() + lifetime_ms
        )
    return issued.id, issued.token


def ask(client: TestClient, token: str | None, developer_token: str | None) -> httpx2.Response:
    """Ask who asks."""
    shown = {"authorization": token and f"Bearer {token}", "DeveloperToken": developer_token}
    headers: Mapping[str, str] = {name: value for name, value in shown.items() if value is not None}
    return client.post("/graphql", json={"query": "{ viewer }"}, headers=headers)


# Demanded


def test_a_universal_token_works_with_everybodys_access_token(client: TestClient) -> None:
    _, application = an_application(client)
    assert ask(client, a_token(client, ADA), application).json() == ADAS
    assert ask(client, a_token(client, BEN), application).json() == BENS


def test_a_single_user_token_works_with_its_login_only(client: TestClient) -> None:
    _, application = an_application(client, BEN)
    assert ask(client, a_token(client, BEN), application).json() == BENS
    assert refusal(ask(client, a_token(client, ADA), application)) == WRONG


def test_a_developer_token_alone_is_nobody(client: TestClient) -> None:
    assert ask(client, None, an_application(client)[1]).json() == NOBODYS
    assert ask(client, None, an_application(client, ADA)[1]).json() == NOBODYS


def test_a_missing_developer_token_is_116_whoever_asks(client: TestClient) -> None:
    assert refusal(ask(client, None, None)) == MISSING
    response = ask(client, a_token(client), None)
    assert refusal(response) == MISSING
    assert "DeveloperToken" in response.text


@pytest.mark.parametrize(
    "wrong", ["", "x", "adgdev_", "adgdev_" + "A" * 43, "adgdev_'; DROP TABLE login; --", "BBD37VB98"]
)
def test_a_wrong_developer_token_is_105(client: TestClient, wrong: str) -> None:
    an_application(client)
    response = ask(client, a_token(client), wrong)
    assert refusal(response) == WRONG
    assert len(wrong) < 10 or wrong not in response.text


def test_the_two_kinds_of_tokens_do_not_stand_in_for_each_other(client: TestClient) -> None:
    token, (_, application) = a_token(client), an_application(client)
    assert refusal(ask(client, application, application)) == WRONG
    assert refusal(ask(client, token, token)) == WRONG


def test_an_expired_developer_token_is_109(client: TestClient) -> None:
    assert refusal(ask(client, a_token(client), an_application(client, lifetime_ms=0)[1])) == EXPIRED


def test_a_revoked_developer_token_opens_nothing_from_then_on(client: TestClient) -> None:
    token, (key, application) = a_token(client), an_application(client)
    assert ask(client, token, application).json() == ADAS
    with database_of(client).write() as transaction:
        assert revoke_developer_token(transaction, key, now_ms())
        assert not revoke_developer_token(transaction, key, now_ms())
    response = ask(client, token, application)
    assert refusal(response) == WRONG
    assert "revoked" in response.text


def test_a_good_developer_token_makes_no_wrong_access_token_good(client: TestClient) -> None:
    _, application = an_application(client)
    assert refusal(ask(client, "adg_" + "A" * 43, application)) == WRONG
    assert refusal(ask(client, a_token(client, lifetime_ms=0), application)) == EXPIRED


def test_a_merged_login_is_120_also_with_the_token_that_was_its_own(client: TestClient) -> None:
    token, (_, application) = a_token(client, BEN), an_application(client, BEN)
    with database_of(client).write() as transaction:
        write_logins_merged(transaction, begin_revision(transaction, operation="test", at_ms=now_ms()), [BEN], ADA)
    assert refusal(ask(client, token, application)) == (401, "UNAUTHENTICATED", 120)


# Rotated


def test_a_rotated_token_has_a_new_secret_and_the_old_one_works_for_the_grace_period(client: TestClient) -> None:
    token, (key, old) = a_token(client), an_application(client)
    now = now_ms()
    with database_of(client).write() as transaction:
        new = rotate_developer_token(
            transaction, key, now_ms=now, expires_at_ms=now + DAY_MS, old_until_ms=now + 60_000
        )
    door = Door(Settings(developer_tokens="required"))
    with database_of(client).read() as transaction:
        for secret, at, good in (
            (old, now + 59_999, True),
            (old, now + 60_000, False),
            (new.token, now + 60_000, True),
            (new.token, now + DAY_MS - 1, True),
            (new.token, now + DAY_MS, False),
        ):
            presented = door.identify(Credentials(None, secret))
            if good:
                assert anonymous_or_caller(transaction, presented, at) is None
            else:
                with pytest.raises(Exception, match="expired"):
                    anonymous_or_caller(transaction, presented, at)
    assert ask(client, token, old).json() == ADAS
    assert ask(client, token, new.token).json() == ADAS


def test_rotating_never_lengthens_the_life_of_an_old_secret(client: TestClient) -> None:
    key, old = an_application(client, lifetime_ms=50)
    with database_of(client).write() as transaction:
        rotate_developer_token(
            transaction, key, now_ms=now_ms(), expires_at_ms=now_ms() + DAY_MS, old_until_ms=now_ms() + DAY_MS
        )
    time.sleep(0.1)
    assert refusal(ask(client, None, old)) == EXPIRED


def test_revoking_ends_all_secrets(client: TestClient) -> None:
    key, old = an_application(client)
    with database_of(client).write() as transaction:
        new = rotate_developer_token(
            transaction, key, now_ms=now_ms(), expires_at_ms=now_ms() + DAY_MS, old_until_ms=now_ms() + DAY_MS
        )
        revoke_developer_token(transaction, key, now_ms())
    assert refusal(ask(client, None, old)) == WRONG
    assert refusal(ask(client, None, new.token)) == WRONG


# Looked at, or left alone


def test_where_they_are_optional_none_is_fine_and_a_wrong_one_is_not(serve: Serve) -> None:
    client = server(serve, "optional")
    token, (_, application), (_, bens) = a_token(client), an_application(client), an_application(client, BEN)
    assert ask(client, token, None).json() == ADAS
    assert ask(client, token, application).json() == ADAS
    assert refusal(ask(client, token, bens)) == WRONG
    assert refusal(ask(client, token, "adgdev_" + "A" * 43)) == WRONG


def test_where_they_are_off_none_is_looked_at(serve: Serve) -> None:
    client = server(serve, "off")
    assert ask(client, a_token(client), "adgdev_" + "A" * 43).json() == ADAS
    assert ask(client, a_token(client), None).json() == ADAS


def test_by_default_they_are_off() -> None:
    assert Settings().developer_tokens == "off"


@pytest.mark.parametrize(
    ("policy", "token", "developer_token", "statements"),
    [
        ("off", False, True, 0),
        ("off", True, True, 1),
        ("optional", True, False, 1),
        ("required", False, True, 1),
        ("required", True, True, 2),
    ],
)
def test_each_token_costs_one_statement(
    serve: Serve, policy: str, token: bool, developer_token: bool, statements: int
) -> None:
    client = server(serve, policy)
    shown = Credentials(
        f"Bearer {a_token(client)}" if token else None, an_application(client)[1] if developer_token else None
    )
    app: Any = client.app
    with database_of(client).read() as transaction:
        anonymous_or_caller(transaction, app.state.door.identify(shown), now_ms())
        assert transaction.statements == statements


# Kept


def test_nothing_kept_gives_a_developer_token_away(client: TestClient) -> None:
    _, application = an_application(client)
    secret = application.removeprefix("adgdev_")
    with database_of(client).read() as transaction:
        for table in ("developer_token", "developer_token_secret"):
            [kept] = transaction.execute(f"SELECT * FROM {table}").fetchall()
            assert all(secret not in str(value) and secret.encode() not in bytes(str(value), "utf-8") for value in kept)


def test_the_use_of_a_developer_token_is_noted(client: TestClient) -> None:
    key, application = an_application(client)
    before = now_ms()
    ask(client, a_token(client), application)
    deadline = time.monotonic() + 5
    used_at_ms = None
    while used_at_ms is None and time.monotonic() < deadline:
        time.sleep(0.01)
        with database_of(client).read() as transaction:
            row = read_developer_token(transaction, key)
        assert row is not None
        used_at_ms = row.last_used_at_ms
    assert used_at_ms is not None
    assert before <= used_at_ms <= now_ms()


def test_no_token_is_in_the_log_or_in_an_error(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    token, (_, application), (_, bens) = a_token(client), an_application(client), an_application(client, BEN)
    told = "".join(
        ask(client, access, developer).text
        for access, developer in [
            (token, application),
            (token, bens),
            (token, None),
            (token[:-1], application),
            (token, application[:-1]),
            (application, token),
        ]
    )
    shown = [repr(Credentials(token, application)), repr(Door(Settings()).identify(Credentials(f"Bearer {token}")))]
    for secret in (token[4:-1], application[7:-1], bens[7:-1]):
        assert secret not in caplog.text + told + "".join(shown)


# The page


def test_the_page_can_say_who_is_signed_in_without_a_developer_token(client: TestClient) -> None:
    headers = {"authorization": f"Bearer {a_token(client)}"}
    assert client.get("/graphiql/whoami", headers=headers).json()["signedInAs"] == "ada@agency.example"


def test_the_demo_page_has_a_developer_token_where_one_is_demanded(serve: Serve) -> None:
    first = serve(developer_tokens="required", demo_mode=True)
    database = database_of(first)
    old = prepare_demo(database, now_ms=now_ms(), developer_token=True)
    demo = prepare_demo(database, now_ms=now_ms(), developer_token=True)
    page = serve(developer_tokens="required", demo_mode=True, demo=demo)
    told = page.get("/graphiql/session", headers={"host": "127.0.0.1"}).json()["demo"]
    assert ask(page, told["logins"][0]["token"], told["developerToken"]).status_code == 200
    # Another server may run on it, or a page be open since.
    assert ask(page, told["logins"][0]["token"], old.developer_token).status_code == 200
    with database.read() as transaction:
        assert {row.label for row in read_developer_tokens(transaction)} == {PAGE_LABEL}
