"""Access tokens of an OpenID provider: JWTs that name a login of ours. PyJWT does the cryptography.

What a token says about itself (which algorithm, where its key is) is never believed: algorithms are ours, keys are
those its issuer publishes. Numbers are those of the Customer Management reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jwt
from jwt import PyJWK
from jwt.exceptions import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    MissingRequiredClaimError,
    PyJWTError,
)

from adgraph.identity.issuer_keys import ALLOWED, IssuerKeys, KeySet, fetch_keys
from adgraph.settings import Settings
from storage.records.values import TokenScope
from storage.tokens import scopes_named

LONGEST_TOKEN = 8_192
"""Characters of a token; those of large providers have up to four thousand."""
LONGEST_NAME = 320
"""Characters of a login's name; an e-mail address has no more."""
LATEST_MS = 253_402_300_799_000
"""The end of the year 9999, after which nothing can be written as a date."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""What no database here keeps, so that no login can be looked for by it: NUL, and halves of characters."""

TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""What a token may call itself: not, for example, a logout token, though the same key signs it."""
FOREIGN_KEYS = ("jku", "jwk", "x5u", "x5c", "crit")
"""Headers that bring or point to a key of the token's own choice, or demand what we may not understand."""
REQUIRED = ("iss", "aud", "exp", "iat", "sub")
SCOPES: Mapping[str, TokenScope] = {
    "adgraph.read": TokenScope.READ,
    "adgraph.write": TokenScope.WRITE,
    "adgraph.admin": TokenScope.ADMIN,
}
"""The values of `scope` or `scp` that open something; all others are of no concern here."""

WRONG, EXPIRED = 105, 109


class TokenRefused(Exception):
    """A token that opens nothing; `number` is the documented one, the message is for who sent it."""

    def __init__(self, message: str, number: int = WRONG) -> None:
        super().__init__(message)
        self.message = message
        self.number = number


class Identity(NamedTuple):
    """What a good token says: the name of a login, what it opens, until when it is taken."""

    user_name: str
    scopes: frozenset[TokenScope]
    good_until_ms: int


class Terms(NamedTuple):
    """Under what terms tokens of a provider are taken. `scopes` are those of tokens that name none of ours."""

    issuer: str
    audience: str
    login_claim: str
    scopes: frozenset[TokenScope]
    clock_skew_ms: int


class Provider:
    """An OpenID provider whose tokens are taken. Safe to share between threads; `identity` may wait for the network."""

    def __init__(self, terms: Terms, keys: IssuerKeys | None = None) -> None:
        self._terms = terms
        self._keys = keys or IssuerKeys(partial(fetch_keys, terms.issuer))

    def identity(self, token: str) -> Identity:
        """Who a token names, once everything about it has been verified.

        Raises: TokenRefused; IssuerUnavailable when the provider's keys cannot be had.
        """
        if len(token) > LONGEST_TOKEN:
            raise TokenRefused(f"This access token has more than {LONGEST_TOKEN} characters.")
        kid, algorithm = _header(token)
        keys = self._keys.current()
        try:
            return self._verified(token, keys.find(kid, algorithm))
        except (_UnknownKey, InvalidSignatureError):
            # A provider that changes its key signs with one we have not seen; one that names none signs wrongly.
            newer = self._keys.newer(keys) if kid is None or keys.find(kid, algorithm) is None else None
        return self._from_newer(token, kid, algorithm, newer)

    def _from_newer(self, token: str, kid: str | None, algorithm: str, keys: KeySet | None) -> Identity:
        try:
            return self._verified(token, None if keys is None else keys.find(kid, algorithm))
        except (_UnknownKey, InvalidSignatureError):
            raise TokenRefused(
                "The signature of this access token is not one of the configured issuer. If its key is new, try again"
                " in half a minute."
            ) from None

    def _verified(self, token: str, key: PyJWK | None) -> Identity:
        if key is None:
            raise _UnknownKey
        terms = self._terms
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=sorted(ALLOWED),
                audience=terms.audience,
                issuer=terms.issuer,
                leeway=terms.clock_skew_ms / 1_000,
                options={"require": list(REQUIRED)},
            )
        except InvalidSignatureError:
            raise
        except ExpiredSignatureError:
            raise TokenRefused("This access token has expired; get a new one from its issuer.", EXPIRED) from None
        except PyJWTError as problem:
            raise TokenRefused(_why(problem)) from None
        good_until_ms = min(int(claims["exp"]) * 1_000 + terms.clock_skew_ms, LATEST_MS)
        return Identity(_login_name(claims, terms.login_claim), _scopes(claims) or terms.scopes, good_until_ms)


class _UnknownKey(Exception):
    """None of the keys at hand is the one a token was signed with."""


def provider_for(settings: Settings) -> Provider | None:
    """The provider of these settings; None when they name none."""
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    scopes = scopes_named((settings.oidc_scopes or "").upper())
    terms = Terms(
        settings.oidc_issuer, settings.oidc_audience, settings.oidc_login_claim, scopes, settings.oidc_clock_skew_ms
    )
    return Provider(terms)


def _header(token: str) -> tuple[str | None, str]:
    """The key a token names, if it names one, and its algorithm. Raises: TokenRefused."""
    try:
        header = jwt.get_unverified_header(token)
    except PyJWTError:
        raise TokenRefused(
            "This access token is neither one of ours (they begin with adg_) nor a signed JWT; check that it was copied"
            " whole."
        ) from None
    if any(name in header for name in FOREIGN_KEYS):
        raise TokenRefused("The header of this access token names a key or a condition of its own, and none is taken.")
    kid, algorithm, kind = header.get("kid"), header.get("alg"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in ALLOWED:
        raise TokenRefused(f"This access token is not signed in a way that is taken: {', '.join(sorted(ALLOWED))}.")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise TokenRefused("This JWT is no access token and no ID token: its `typ` is another.")
    return kid, algorithm


def _why(problem: PyJWTError) -> str:
    """A sentence for what PyJWT found wrong with a token whose signature is good."""
    if isinstance(problem, InvalidAudienceError):
        return "This access token is for another audience; ask its issuer for one for this service."
    if isinstance(problem, InvalidIssuerError):
        return "This access token is of another issuer than the one configured here."
    if isinstance(problem, MissingRequiredClaimError):
        return f"This access token lacks the claim `{problem.claim}`; those needed are {', '.join(REQUIRED)}."
    if isinstance(problem, ImmatureSignatureError):
        return "This access token is not good yet (`nbf` or `iat` lies ahead); check the clocks of both machines."
    return "This access token is not made as a JWT should be."


def _login_name(claims: Mapping[str, Any], claim: str) -> str:
    """The name of the login a token means. Raises: TokenRefused."""
    name = claims.get(claim)
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME or _UNSTORABLE.search(name):
        raise TokenRefused(f"This access token names no login: its claim `{claim}` is missing or no name.")
    if claim == "email" and claims.get("email_verified") is not True:
        # Anybody may claim an address; only `email_verified` says that the issuer has seen that it is his.
        raise TokenRefused("The e-mail address of this access token was not verified by its issuer (`email_verified`).")
    return name


def _scopes(claims: Mapping[str, Any]) -> frozenset[TokenScope]:
    """What a token opens by its own words: none when it has no word of ours."""
    named: set[str] = set()
    for claim in ("scope", "scp"):
        value = claims.get(claim)
        words = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
        named.update(word for word in words if isinstance(word, str))
    return frozenset(scope for word, scope in SCOPES.items() if word in named)
