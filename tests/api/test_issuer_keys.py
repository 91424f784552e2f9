"""An issuer's keys: fetched when needed, kept, renewed, rotated, and never fetched because a stranger wishes so."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from starlette.testclient import TestClient

from adgraph.identity import issuer_keys
from adgraph.identity.auth import Door
from adgraph.identity.issuer_keys import (
    ASK_AGAIN_SECONDS,
    LIFETIME_SECONDS,
    LONGEST_DOCUMENT,
    MOST_KEYS,
    OLDEST_SECONDS,
    RETRY_SECONDS,
    IssuerKeys,
    IssuerUnavailable,
    Key,
    fetch_keys,
)
from adgraph.identity.openid import Provider, Terms
from adgraph.settings import Settings
from tests.api.conftest import Serve
from tests.api.issuer import AUDIENCE, Issuer, ec_key, rsa_key, running_issuer
from tests.api.test_openid import WRONG, is_ada, knowing_logins, show
from tests.api.test_tokens import a_token, ask, refusal

A_FETCH = 2
"""Documents of a fetch: where the keys are, and the keys."""
OLD, NEW = rsa_key("old"), ec_key("new")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the keys."""
    return Clock()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer that signs with the old key."""
    with running_issuer() as issuer:
        issuer.publish(OLD)
        yield issuer


@pytest.fixture
def client(serve: Serve, issuer: Issuer, clock: Clock) -> TestClient:
    """A server whose keys age by the clock."""
    terms = Terms(issuer.address, AUDIENCE, "preferred_username", frozenset(), 0)
    keys = IssuerKeys(partial(fetch_keys, issuer.address), seconds=clock)
    return knowing_logins(serve(door=Door(Settings(), Provider(terms, keys))))


def unavailable(client: TestClient, token: str) -> bool:
    """Whether it was said that the issuer cannot be asked: an error, never a no."""
    response = show(client, token)
    if response.status_code != 503:
        return False
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "ISSUER_UNAVAILABLE"
    assert response.headers["retry-after"] == "5"
    assert "denied" not in response.text
    return True


# Kept, and renewed


def test_keys_are_fetched_once_and_kept(client: TestClient, issuer: Issuer, clock: Clock) -> None:
    for _ in range(3):
        assert is_ada(show(client, issuer.token(OLD)))
    clock.now += LIFETIME_SECONDS - 1
    assert is_ada(show(client, issuer.token(OLD)))
    assert len(issuer.asked) == A_FETCH


def test_old_keys_are_fetched_again_and_withdrawn_ones_open_nothing(
    client: TestClient, issuer: Issuer, clock: Clock
) -> None:
    assert is_ada(show(client, issuer.token(OLD)))
    issuer.publish(NEW)
    clock.now += LIFETIME_SECONDS
    assert refusal(show(client, issuer.token(OLD))) == WRONG
    assert is_ada(show(client, issuer.token(NEW)))
    assert len(issuer.asked) == 2 * A_FETCH


def test_a_new_key_is_known_from_its_first_token_on(client: TestClient, issuer: Issuer, clock: Clock) -> None:
    assert is_ada(show(client, issuer.token(OLD)))
    clock.now += ASK_AGAIN_SECONDS
    issuer.publish(OLD, NEW)
    assert is_ada(show(client, issuer.token(NEW)))
    assert is_ada(show(client, issuer.token(OLD)))
    assert len(issuer.asked) == 2 * A_FETCH


def test_a_new_key_is_also_found_when_no_token_names_it(client: TestClient, issuer: Issuer, clock: Clock) -> None:
    another = rsa_key("another")
    assert is_ada(show(client, issuer.token(OLD, header={"kid": None})))
    clock.now += ASK_AGAIN_SECONDS
    issuer.publish(another)
    assert is_ada(show(client, issuer.token(another, header={"kid": None})))


def test_strangers_cannot_make_us_ask_the_issuer_more_than_once_in_a_while(
    client: TestClient, issuer: Issuer, clock: Clock
) -> None:
    stranger = rsa_key("stranger")
    for number in range(20):
        assert refusal(show(client, issuer.token(stranger, header={"kid": f"kid-{number}"}))) == WRONG
    assert len(issuer.asked) == A_FETCH
    clock.now += ASK_AGAIN_SECONDS - 1
    assert refusal(show(client, issuer.token(stranger))) == WRONG
    assert len(issuer.asked) == A_FETCH
    clock.now += 1
    for _ in range(5):
        assert refusal(show(client, issuer.token(stranger))) == WRONG
    assert len(issuer.asked) == 2 * A_FETCH


# The issuer is away


def test_an_issuer_that_was_never_reached_is_an_error_and_not_a_no(
    client: TestClient, issuer: Issuer, clock: Clock
) -> None:
    issuer.status = 500
    assert unavailable(client, issuer.token(OLD))
    issuer.status = 200
    clock.now += RETRY_SECONDS - 1
    assert unavailable(client, issuer.token(OLD))
    assert len(issuer.asked) == 1
    clock.now += 1
    assert is_ada(show(client, issuer.token(OLD)))


def test_an_issuer_that_is_away_takes_nothing_from_what_is_known(
    client: TestClient, issuer: Issuer, clock: Clock
) -> None:
    assert is_ada(show(client, issuer.token(OLD)))
    issuer.status = 500
    clock.now += OLDEST_SECONDS - 1
    assert is_ada(show(client, issuer.token(OLD)))
    assert is_ada(show(client, issuer.token(OLD)))
    assert len(issuer.asked) == A_FETCH + 1
    clock.now += 1
    assert unavailable(client, issuer.token(OLD))


def test_an_unknown_key_while_the_issuer_is_away_is_an_error_and_not_a_no(
    client: TestClient, issuer: Issuer, clock: Clock
) -> None:
    assert is_ada(show(client, issuer.token(OLD)))
    clock.now += ASK_AGAIN_SECONDS
    issuer.status = 500
    for _ in range(3):
        assert unavailable(client, issuer.token(NEW))
    assert len(issuer.asked) == A_FETCH + 1


def test_tokens_of_our_own_do_not_need_the_issuer(client: TestClient, issuer: Issuer) -> None:
    issuer.status = 500
    assert is_ada(ask(client, f"Bearer {a_token(client)}"))


def test_what_went_wrong_is_for_the_log_and_no_token_is_in_it(
    client: TestClient, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.status = 500
    token = issuer.token(OLD)
    response = show(client, token)
    assert "500" in caplog.text
    assert "500" not in response.text
    assert token not in caplog.text
    assert token.split(".")[1] not in caplog.text + response.text


# Many at once


def test_many_who_come_at_once_are_one_fetch(issuer: Issuer) -> None:
    issuer.delay_s = 0.1
    keys = IssuerKeys(partial(fetch_keys, issuer.address))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: keys.current(), range(8)))
    assert all(one is found[0] for one in found)
    assert len(issuer.asked) == A_FETCH


def test_who_comes_while_old_keys_are_renewed_does_not_wait(clock: Clock) -> None:
    fetching, go_on = threading.Event(), threading.Event()
    rounds = iter([True, False])

    def fetch() -> tuple[Key, ...]:
        if not next(rounds):
            fetching.set()
            assert go_on.wait(10)
        return ()

    keys = IssuerKeys(fetch, seconds=clock)
    first = keys.current()
    clock.now += LIFETIME_SECONDS
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(keys.current)
        assert fetching.wait(10)
        assert keys.current() is first
        go_on.set()
        assert renewing.result(10) is not first


def test_who_waits_for_a_fetch_waits_a_moment_and_no_longer(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(issuer_keys, "PATIENCE_SECONDS", 0.05)
    fetching, go_on = threading.Event(), threading.Event()

    def fetch() -> tuple[Key, ...]:
        fetching.set()
        assert go_on.wait(10)
        return ()

    keys = IssuerKeys(fetch, seconds=clock)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(keys.current)
        assert fetching.wait(10)
        with pytest.raises(IssuerUnavailable):
            keys.current()
        go_on.set()
        first.result(10)


# What an issuer may answer

DISCOVERY, KEYS = "/.well-known/openid-configuration", "/jwks"


def reason(issuer: Issuer) -> str:
    """Why the issuer's keys could not be had."""
    with pytest.raises(IssuerUnavailable) as caught:
        fetch_keys(issuer.address)
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "answer", "why"),
    [
        (DISCOVERY, b"<html>", "JSON"),
        (DISCOVERY, b"[1]", "JSON object"),
        (DISCOVERY, b"[" * 100_000, "JSON"),
        (DISCOVERY, {}, "another issuer"),
        (DISCOVERY, {"issuer": "https://login.evil.example"}, "another issuer"),
        (KEYS, {}, "no list"),
        (KEYS, {"keys": {}}, "no list"),
        (KEYS, {"keys": []}, "no key"),
        (KEYS, {"keys": [7, {}, {"kty": "oct", "k": "c2VjcmV0"}]}, "no key"),
        (KEYS, {"keys": [{}] * (MOST_KEYS + 1)}, "too long"),
    ],
    ids=str,
)
def test_an_answer_that_makes_no_sense_is_none(issuer: Issuer, path: str, answer: Any, why: str) -> None:
    issuer.documents[path] = answer
    assert why in reason(issuer)


@pytest.mark.parametrize(
    "address",
    [
        "http://keys.evil.example/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http://127.0.0.1.evil.example/",
        "",
        7,
        None,
    ],
)
def test_keys_are_not_fetched_from_where_anybody_could_change_them(issuer: Issuer, address: Any) -> None:
    issuer.documents[DISCOVERY] = {"issuer": issuer.address, "jwks_uri": address}
    assert "no address of keys" in reason(issuer)
    assert issuer.asked == [DISCOVERY]


def test_the_issuer_named_must_be_the_one_configured_to_the_last_slash(issuer: Issuer) -> None:
    issuer.documents[DISCOVERY] = {"issuer": issuer.address + "/", "jwks_uri": f"{issuer.address}/jwks"}
    assert "another issuer" in reason(issuer)
    assert fetch_keys(issuer.address + "/")


def test_a_redirect_is_not_followed(issuer: Issuer) -> None:
    with running_issuer() as elsewhere:
        elsewhere.publish(NEW)
        issuer.status, issuer.location = 302, elsewhere.address + DISCOVERY
        assert "302" in reason(issuer)
        assert elsewhere.asked == []


def test_a_document_may_be_long_and_not_longer(issuer: Issuer) -> None:
    body = issuer.document(KEYS)
    issuer.documents[KEYS] = body + b" " * (LONGEST_DOCUMENT - len(body))
    assert fetch_keys(issuer.address)
    issuer.documents[KEYS] += b" "
    assert str(LONGEST_DOCUMENT) in reason(issuer)


def test_an_issuer_that_does_not_answer_in_time_is_given_up(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuer_keys, "FETCH_SECONDS", 0.2)
    issuer.delay_s = 3.0
    started = time.monotonic()
    assert "Timeout" in reason(issuer)
    assert time.monotonic() - started < 2.0


def test_an_issuer_that_is_not_there_is_away() -> None:
    with running_issuer() as gone:
        pass
    assert "ConnectError" in reason(gone)
