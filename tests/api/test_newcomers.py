"""Somebody an issuer vouches for, without a login here: what the door lets him do, and what he is after that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from adgraph.app import create_app
from adgraph.background.worker import clock
from adgraph.settings import Settings
from storage.database import Database
from tests.api.issuer import AUDIENCE, Issuer, rsa_key, running_issuer
from tests.schema.test_invitations import invited, store
from tests.schema.write_client import Writer, dump

NAME = "noor@issuer.example"
GRAPHQL = "application/graphql-response+json"
ACCEPT = "mutation ($secret: String!) { acceptUserInvitation(input: {secret: $secret}) { user { userName } } }"
WHO = "{ viewer { login { userName } users { customerId } } }"


class Door:
    """A server on a database with an invitation that waits, and an issuer whose tokens it takes."""

    def __init__(self, client: TestClient, issuer: Issuer, key: RSAKey, secret: str, database: Database) -> None:
        self.secret = secret
        self.database = database
        self._client, self._issuer, self._key = client, issuer, key

    def ask(self, query: str, headers: dict[str, str] | None = None, **claims: Any) -> Any:
        """What somebody is answered who shows a token of the issuer; status and body."""
        token = self._issuer.token(self._key, preferred_username=NAME, **claims)
        given = {"authorization": f"Bearer {token}", "accept": GRAPHQL, **(headers or {})}
        body = {"query": query, "variables": {"secret": self.secret} if "$secret" in query else {}}
        answer = self._client.post("/graphql", json=body, headers=given)
        return answer.status_code, answer.json()


@pytest.fixture
def door(database: Database, database_url: str) -> Iterator[Door]:
    """The door, before anybody has come in."""
    store(database)
    _, secret = invited(database, Writer(database, now_ms=clock()))
    key = rsa_key()
    with running_issuer() as issuer:
        issuer.publish(key)
        settings = Settings(database_url=database_url, worker=False, oidc_issuer=issuer.address, oidc_audience=AUDIENCE)
        with TestClient(create_app(settings, queries=Path("none"))) as client:
            yield Door(client, issuer, key, secret, database)


def refusal(answer: tuple[int, Any]) -> tuple[str, int]:
    """Code and number of the one error of an answer."""
    [error] = answer[1]["errors"]
    return error["extensions"]["code"], error["extensions"]["number"]


def test_he_can_ask_nothing_and_is_told_what_lets_him_in(door: Door) -> None:
    answer = door.ask(WHO)
    assert refusal(answer) == ("UNAUTHENTICATED", 105)
    assert "acceptUserInvitation" in answer[1]["errors"][0]["message"]


def test_the_secret_of_an_invitation_makes_his_login_and_from_then_on_he_is_somebody(door: Door) -> None:
    status, body = door.ask(ACCEPT)
    assert (status, body["data"]) == (200, {"acceptUserInvitation": {"user": {"userName": NAME}}})
    status, body = door.ask(WHO)
    assert body["data"]["viewer"] == {"login": {"userName": NAME}, "users": [{"customerId": "1"}]}


def test_a_token_that_may_not_write_lets_nobody_in(door: Door) -> None:
    before = dump(door.database)
    answer = door.ask(ACCEPT, scope="adgraph.read")
    assert refusal(answer) == ("FORBIDDEN", 106)
    assert "WRITE" in answer[1]["errors"][0]["message"]
    assert dump(door.database) == before


def test_he_can_ask_as_nobody_else(door: Door) -> None:
    answer = door.ask(ACCEPT, {"actas": "1"})
    assert answer[0] == 403
    assert refusal(answer) == ("FORBIDDEN", 106)


def test_no_other_mutation_lets_him_in(door: Door) -> None:
    before = dump(door.database)
    answer = door.ask('mutation { issueAccessToken(input: {label: "mine", scopes: [READ]}) { secret } }')
    assert refusal(answer) == ("UNAUTHENTICATED", 105)
    assert dump(door.database) == before
