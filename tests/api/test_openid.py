"""JWTs of an OpenID issuer: which are taken, which are refused, and that nothing a token says of itself is believed."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey, RSAKey
from starlette.testclient import TestClient

from adgraph.identity.openid import LONGEST_TOKEN
from storage.entries import LoginEntry
from storage.records.ids import LoginId
from storage.writes import begin_revision, write_logins, write_logins_merged
from tests.api.conftest import Serve
from tests.api.issuer import ADA, AUDIENCE, Issuer, Signer, ec_key, ed_key, part, rsa_key, running_issuer
from tests.api.test_tokens import ask, database_of, now_ms, refusal

WRONG = (401, "UNAUTHENTICATED", 105)
EXPIRED = (401, "UNAUTHENTICATED", 109)
SKEW_S = 30
BEN = "ben@agency.example"


@pytest.fixture(scope="module")
def key() -> RSAKey:
    """The issuer's key."""
    return rsa_key()


@pytest.fixture
def issuer(key: RSAKey) -> Iterator[Issuer]:
    """An issuer that publishes the key."""
    with running_issuer() as issuer:
        issuer.publish(key)
        yield issuer


@pytest.fixture
def client(serve: Serve, issuer: Issuer) -> TestClient:
    """A server that takes the issuer's tokens and knows two logins."""
    return knowing_logins(serve(oidc_issuer=issuer.address, oidc_audience=AUDIENCE, oidc_clock_skew_ms=SKEW_S * 1_000))


def knowing_logins(client: TestClient) -> TestClient:
    """A server with Ada and Ben in its database."""
    with database_of(client).write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=now_ms())
        write_logins(transaction, stamp, [LoginEntry(LoginId(1), ADA), LoginEntry(LoginId(2), BEN)])
    return client


def show(client: TestClient, token: str) -> httpx2.Response:
    """Ask who asks, with a token."""
    return ask(client, f"Bearer {token}")


def is_ada(response: httpx2.Response) -> bool:
    """Whether a token named Ada."""
    return bool(response.json() == {"data": {"viewer": ADA}})


# What is taken


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated:joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(
    ("make", "algorithm"), [(rsa_key, "RS256"), (rsa_key, "PS256"), (ec_key, "ES256"), (ed_key, "EdDSA")]
)
def test_a_token_signed_in_an_allowed_way_names_its_login(
    client: TestClient, issuer: Issuer, make: Any, algorithm: str
) -> None:
    signer: Signer = make()
    issuer.publish(signer)
    assert is_ada(show(client, issuer.token(signer, algorithm)))


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", None])
def test_access_tokens_and_id_tokens_may_say_what_they_are(
    client: TestClient, issuer: Issuer, key: RSAKey, kind: str | None
) -> None:
    assert is_ada(show(client, issuer.token(key, header={"typ": kind})))


def test_one_of_several_audiences_is_enough(client: TestClient, issuer: Issuer, key: RSAKey) -> None:
    assert is_ada(show(client, issuer.token(key, aud=["another", AUDIENCE])))


def test_a_token_without_a_key_id_is_taken_when_there_is_one_key_only(
    client: TestClient, issuer: Issuer, key: RSAKey
) -> None:
    assert is_ada(show(client, issuer.token(key, header={"kid": None})))


def test_a_token_without_a_key_id_is_refused_when_there_are_several(
    client: TestClient, issuer: Issuer, key: RSAKey
) -> None:
    issuer.publish(key, rsa_key("rsa-2"))
    assert refusal(show(client, issuer.token(key, header={"kid": None}))) == WRONG


# The times of a token, just within and just beyond the clock's skew


@pytest.mark.parametrize(
    ("claims", "number"),
    [
        ({"exp": -SKEW_S + 5}, None),
        ({"exp": -SKEW_S - 1}, 109),
        ({"nbf": SKEW_S - 5}, None),
        ({"nbf": SKEW_S + 5}, 105),
        ({"iat": SKEW_S - 5}, None),
        ({"iat": SKEW_S + 5}, 105),
    ],
    ids=str,
)
def test_a_clock_may_be_off_by_the_skew_and_no_more(
    client: TestClient, issuer: Issuer, key: RSAKey, claims: dict[str, int], number: int | None
) -> None:
    now = int(time.time())
    moved: dict[str, Any] = {name: now + offset for name, offset in claims.items()}
    response = show(client, issuer.token(key, **moved))
    if number is None:
        assert is_ada(response)
    else:
        assert refusal(response) == (401, "UNAUTHENTICATED", number)


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "sub", "preferred_username"])
def test_a_token_that_lacks_a_claim_is_refused(client: TestClient, issuer: Issuer, key: RSAKey, claim: str) -> None:
    lacking: dict[str, Any] = {claim: None}
    response = show(client, issuer.token(key, **lacking))
    assert refusal(response) == WRONG
    assert claim in response.text or "issuer" in response.text


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": ["another", "adgraph2"]},
        {"aud": []},
        {"aud": {"adgraph": True}},
        {"aud": AUDIENCE.upper()},
        {"iss": "https://login.evil.example"},
        {"iss": ["{issuer}"]},
        {"iss": "{issuer}/"},
        {"exp": "tomorrow"},
        {"exp": []},
        {"iat": {}},
        {"nbf": "x"},
        {"sub": 7},
        {"preferred_username": 7},
        {"preferred_username": ""},
        {"preferred_username": ["ada@agency.example"]},
        {"preferred_username": "a" * 321},
        {"preferred_username": f"{ADA}\0"},
        {"preferred_username": "\ud800"},
    ],
    ids=str,
)
def test_a_claim_that_is_not_as_it_must_be_is_refused(
    client: TestClient, issuer: Issuer, key: RSAKey, claims: dict[str, Any]
) -> None:
    written: dict[str, Any] = {
        name: [one.replace("{issuer}", issuer.address) for one in value]
        if isinstance(value, list)
        else value.replace("{issuer}", issuer.address)
        if isinstance(value, str)
        else value
        for name, value in claims.items()
    }
    assert refusal(show(client, issuer.token(key, **written))) == WRONG


@pytest.mark.parametrize("name", [ADA.upper(), f"{ADA}.", "nobody@agency.example"])
def test_a_name_that_is_not_exactly_a_logins_is_somebody_new(
    client: TestClient, issuer: Issuer, key: RSAKey, name: str
) -> None:
    assert show(client, issuer.token(key, preferred_username=name)).json() == {"data": {"viewer": name}}
    assert show(client, issuer.token(key, preferred_username=ADA)).json() == {"data": {"viewer": ADA}}


def test_a_token_of_a_merged_login_is_120(client: TestClient, issuer: Issuer, key: RSAKey) -> None:
    token = issuer.token(key, preferred_username=BEN)
    assert show(client, token).status_code == 200
    with database_of(client).write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=now_ms())
        write_logins_merged(transaction, stamp, [LoginId(2)], LoginId(1))
    assert refusal(show(client, token)) == (401, "UNAUTHENTICATED", 120)


# Forgeries


def forged_with_the_public_key(issuer: Issuer, key: RSAKey) -> str:
    """HS256 under the published key, for verifiers that let the token choose how it is verified."""
    signed = f"{part({'alg': 'HS256', 'kid': key.kid, 'typ': 'JWT'})}.{part(issuer.claims())}"
    secret = key.as_pem(private=False)
    return f"{signed}.{part(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def unsigned(issuer: Issuer, algorithm: str, signature: str = "") -> str:
    """A token with the header of one that needs no signature."""
    return f"{part({'alg': algorithm, 'kid': 'rsa-1'})}.{part(issuer.claims())}.{signature}"


def altered(token: str, claims: dict[str, Any]) -> str:
    """A signed token with other claims."""
    head, _, signature = token.split(".")
    return f"{head}.{part(claims)}.{signature}"


FORGERIES: dict[str, Any] = {
    "signed with the public key as a secret": forged_with_the_public_key,
    "none": lambda issuer, _: unsigned(issuer, "none"),
    "None": lambda issuer, _: unsigned(issuer, "None"),
    "none with a signature": lambda issuer, _: unsigned(issuer, "none", part(b"x")),
    "no algorithm": lambda issuer, key: f"{part({'kid': key.kid})}.{part(issuer.claims())}.{part(b'x')}",
    "an algorithm that is no text": lambda issuer, key: (
        f"{part({'alg': ['RS256'], 'kid': key.kid})}.{part(issuer.claims())}.{part(b'x')}"
    ),
    "a stronger hash that is not allowed": lambda issuer, key: issuer.token(key, "RS512"),
    "another key under the same id": lambda issuer, key: issuer.token(rsa_key(str(key.kid))),
    "a key of another type under the same id": lambda issuer, key: issuer.token(ec_key(str(key.kid))),
    "an unknown key id": lambda issuer, key: issuer.token(rsa_key("rsa-77")),
    "a known key under an unknown id": lambda issuer, key: issuer.token(key, header={"kid": "rsa-77"}),
    "a key id that is a path": lambda issuer, key: issuer.token(key, header={"kid": "../../../../dev/null"}),
    "a key id that is SQL": lambda issuer, key: issuer.token(key, header={"kid": "x' UNION SELECT 'key"}),
    "a key id that is no text": lambda issuer, key: (
        f"{part({'alg': 'RS256', 'kid': 7})}.{part(issuer.claims())}.{part(b'x')}"
    ),
    "a key it brings along": lambda issuer, key: issuer.token(
        (own := rsa_key("own")), header={"jwk": own.as_dict(private=False)}
    ),
    "an address of keys": lambda issuer, key: issuer.token(key, header={"jku": f"{issuer.address}/evil"}),
    "an address of certificates": lambda issuer, key: issuer.token(key, header={"x5u": f"{issuer.address}/evil"}),
    "a certificate": lambda issuer, key: issuer.token(key, header={"x5c": ["MIIB"]}),
    "a condition": lambda issuer, key: (
        f"{part({'alg': 'RS256', 'kid': key.kid, 'crit': ['exp'], 'exp': 0})}.{part(issuer.claims())}.{part(b'x')}"
    ),
    "a payload beside it": lambda issuer, key: (
        f"{part({'alg': 'RS256', 'kid': key.kid, 'b64': False, 'crit': ['b64']})}..{part(b'x')}"
    ),
    "a logout token": lambda issuer, key: issuer.token(key, header={"typ": "logout+jwt"}),
    "a type that is no text": lambda issuer, key: (
        f"{part({'alg': 'RS256', 'kid': key.kid, 'typ': 7})}.{part(issuer.claims())}.{part(b'x')}"
    ),
    "other claims": lambda issuer, key: altered(issuer.token(key, preferred_username=BEN), issuer.claims()),
    "no signature": lambda issuer, key: issuer.token(key).rpartition(".")[0] + ".",
    "two parts": lambda issuer, key: issuer.token(key).rpartition(".")[0],
    "five parts": lambda issuer, key: issuer.token(key) + ".x.y",
    "claims that are no object": lambda issuer, key: altered(issuer.token(key), {}).replace(part({}), part([1])),
    "a header that is no object": lambda issuer, key: f"{part([1])}.{part(issuer.claims())}.{part(b'x')}",
    "a header without end": lambda issuer, key: f"{part(b'[' * 2_000)}.{part(issuer.claims())}.{part(b'x')}",
    "not base64": lambda issuer, key: "!!!.???.***",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_refused(client: TestClient, issuer: Issuer, key: RSAKey, forgery: str) -> None:
    token = FORGERIES[forgery](issuer, key)
    response = show(client, token)
    assert refusal(response) == WRONG
    assert token not in response.text
    assert "/evil" not in issuer.asked


def test_a_token_may_be_long_and_not_longer(client: TestClient, issuer: Issuer, key: RSAKey) -> None:
    def padded(letters: int) -> str:
        return issuer.token(key, note="x" * letters)

    # Three letters are four characters of a token; the last ones are reached by the header.
    letters = (LONGEST_TOKEN - len(padded(0))) // 4 * 3
    short = padded(letters)
    assert LONGEST_TOKEN - 4 <= len(short) <= LONGEST_TOKEN
    assert is_ada(show(client, short))
    long = padded(letters + 6)
    assert len(long) > LONGEST_TOKEN
    assert refusal(show(client, long)) == WRONG


@pytest.mark.parametrize(
    ("made", "more"),
    [
        pytest.param(
            lambda: rsa_key(bits=1_024),
            {},
            id="a short RSA key",
            marks=pytest.mark.filterwarnings("ignore:Key size should be:joserfc.errors.SecurityWarning"),
        ),
        pytest.param(lambda: ec_key(curve="secp256k1"), {}, id="another curve"),
        pytest.param(rsa_key, {"use": "enc"}, id="a key for encryption"),
        pytest.param(rsa_key, {"key_ops": ["encrypt"]}, id="a key whose operations are others"),
        pytest.param(rsa_key, {"key_ops": 7}, id="a key whose operations are no list"),
        pytest.param(rsa_key, {"alg": "PS256"}, id="a key for another algorithm"),
        pytest.param(rsa_key, {"kty": "oct", "k": "c2VjcmV0"}, id="a secret"),
        pytest.param(rsa_key, {"kty": ["RSA"]}, id="a type that is no text"),
        pytest.param(rsa_key, {"n": "!"}, id="a broken key"),
    ],
)
def test_a_published_key_that_is_not_for_this_is_not_used(
    client: TestClient, issuer: Issuer, made: Any, more: dict[str, Any]
) -> None:
    unfit, good = made(), rsa_key("good")
    issuer.publish(good)
    issuer.keys.append(unfit.as_dict(private=False) | more)
    algorithm = "RS256" if isinstance(unfit, RSAKey) else "ES256"
    if not isinstance(unfit, ECKey):
        assert refusal(show(client, issuer.token(unfit, algorithm))) == WRONG
    assert is_ada(show(client, issuer.token(good)))


# Which login a token means


@pytest.mark.parametrize(
    ("verified", "taken"), [(True, True), (False, False), (None, False), ("true", False), (1, False)]
)
def test_an_email_names_a_login_only_when_it_is_verified(
    serve: Serve, issuer: Issuer, key: RSAKey, verified: Any, taken: bool
) -> None:
    client = knowing_logins(serve(oidc_issuer=issuer.address, oidc_audience=AUDIENCE, oidc_login_claim="email"))
    response = show(client, issuer.token(key, preferred_username=None, email=ADA, email_verified=verified))
    if taken:
        assert is_ada(response)
    else:
        assert refusal(response) == WRONG


def test_any_claim_can_name_the_login(serve: Serve, issuer: Issuer, key: RSAKey) -> None:
    settings = {"oidc_issuer": issuer.address, "oidc_audience": AUDIENCE, "oidc_login_claim": "sub"}
    client = knowing_logins(serve(**settings))
    assert is_ada(show(client, issuer.token(key, sub=ADA, preferred_username=BEN)))


# Beside our own tokens


def test_without_an_issuer_no_jwt_is_taken(serve: Serve, issuer: Issuer, key: RSAKey) -> None:
    client = knowing_logins(serve())
    assert refusal(show(client, issuer.token(key))) == WRONG
    assert issuer.asked == []


def test_tokens_of_our_own_never_make_us_ask_the_issuer(client: TestClient, issuer: Issuer) -> None:
    assert refusal(show(client, "adg_" + "A" * 43)) == WRONG
    assert refusal(show(client, "adg_.eyJhbGciOiJSUzI1NiJ9.x")) == WRONG
    assert issuer.asked == []


def test_a_jwt_costs_one_statement(client: TestClient, issuer: Issuer, key: RSAKey) -> None:
    from adgraph.identity.auth import Credentials, Door, anonymous_or_caller

    app: Any = client.app
    door: Door = app.state.door
    presented = door.identify(Credentials(f"Bearer {issuer.token(key)}"))
    with database_of(client).read() as transaction:
        caller = anonymous_or_caller(transaction, presented, now_ms())
        assert caller is not None
        assert transaction.statements == 1
        later = caller.expires_at_ms
        with pytest.raises(Exception, match="expired"):
            anonymous_or_caller(transaction, presented, later)


def test_others_are_answered_while_the_issuer_takes_its_time(client: TestClient, issuer: Issuer, key: RSAKey) -> None:
    issuer.delay_s = 1.0
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(show, client, issuer.token(key))
        while not issuer.asked:
            time.sleep(0.01)
        for _ in range(5):
            assert client.get("/healthz").status_code == 200
            assert ask(client, None).status_code == 200
        assert not waiting.done()
        assert is_ada(waiting.result(10))
