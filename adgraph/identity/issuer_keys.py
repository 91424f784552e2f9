"""The public keys of an OpenID provider: found by discovery, kept, and fetched again when they have grown old.

Whoever signs in waits for a fetch at most for seconds, and strangers cannot make us hammer the provider: what it
answered, or that it did not, holds for a while. Only `find` and `newer` may be called from several threads.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any, NamedTuple, NoReturn
from urllib.parse import urlsplit

import httpx2
import orjson
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from adgraph.addresses import is_loopback

log = logging.getLogger("adgraph.openid")

DISCOVERY = "/.well-known/openid-configuration"
FETCH_SECONDS = 4.0
"""For both documents together; the request that waits for them has ten by default."""
LONGEST_DOCUMENT = 256 * 1024
MOST_KEYS = 100
"""Providers publish two or three."""

LIFETIME_SECONDS = 600.0
"""After this, keys are fetched again: a key the provider withdrew is trusted no longer than that while it answers."""
OLDEST_SECONDS = 86_400.0
"""Keys this old are used no more, even when the provider cannot be reached to say which it has now."""
ASK_AGAIN_SECONDS = 30.0
"""A token with an unknown key makes us ask again at most this often."""
RETRY_SECONDS = 5.0
"""A provider that did not answer is asked again at most this often."""
PATIENCE_SECONDS = 1.0
"""How long a request waits for keys that another one is fetching."""

PUBLIC_PARTS: Mapping[str, tuple[str, ...]] = {
    "RSA": ("kty", "n", "e"),
    "EC": ("kty", "crv", "x", "y"),
    "OKP": ("kty", "crv", "x"),
}
"""What is taken from a published key, by its type; symmetric keys have no public part and are never taken."""
ALGORITHMS: Mapping[tuple[str, str | None], frozenset[str]] = {
    ("RSA", None): frozenset({"RS256", "PS256"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}
"""What a key of each type and curve may sign with. The token never chooses beyond it."""
ALLOWED = frozenset[str]().union(*ALGORITHMS.values())


class IssuerUnavailable(Exception):
    """The provider cannot be asked for its keys now. What is wrong is for the log, not for callers."""


class Key(NamedTuple):
    """A published key, ready for one algorithm."""

    kid: str | None
    algorithm: str
    key: PyJWK


class KeySet(NamedTuple):
    """The keys as they were at one moment, in seconds of a clock that never goes back."""

    keys: tuple[Key, ...]
    fetched_at: float

    def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """The key a token names; without a name, the only one there is for its algorithm."""
        fit = [one for one in self.keys if one.algorithm == algorithm and kid in (None, one.kid)]
        return fit[0].key if len(fit) == 1 else None


class IssuerKeys:
    """The keys of one provider, as fresh as they can be had. `fetch` gets them, or raises IssuerUnavailable."""

    def __init__(self, fetch: Callable[[], tuple[Key, ...]], *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._seconds = seconds
        self._known: KeySet | None = None
        self._failed_at: float | None = None
        self._fetching = Lock()

    def current(self) -> KeySet:
        """The keys to verify with. Old ones are fetched again; while that fails they go on serving, for a day.

        Raises: IssuerUnavailable when there are none.
        """
        known = self._known
        if known is None:
            return self._fetched(None, PATIENCE_SECONDS) or _unavailable("its keys are being fetched")
        age = self._seconds() - known.fetched_at
        if age < LIFETIME_SECONDS:
            return known
        try:
            return self._fetched(known, 0) or known
        except IssuerUnavailable:
            if age < OLDEST_SECONDS:
                return known
            raise

    def newer(self, than: KeySet) -> KeySet | None:
        """The keys after `than`, for a token that names one it does not have; None when it was the newest just now.

        Raises: IssuerUnavailable when it cannot be known.
        """
        if self._known is than and self._seconds() - than.fetched_at < ASK_AGAIN_SECONDS:
            return None
        return self._fetched(than, PATIENCE_SECONDS) or _unavailable("its keys are being fetched")

    def _fetched(self, than: KeySet | None, patience: float) -> KeySet | None:
        """Newer keys; None when another thread is fetching them for longer than our patience."""
        if not (self._fetching.acquire(timeout=patience) if patience else self._fetching.acquire(blocking=False)):
            return None
        try:
            if self._known is not None and self._known is not than:
                return self._known
            if self._failed_at is not None and self._seconds() - self._failed_at < RETRY_SECONDS:
                _unavailable("it did not answer a moment ago")
            try:
                found = self._fetch()
            except IssuerUnavailable as problem:
                self._failed_at = self._seconds()
                log.warning("the keys of the OpenID provider cannot be had: %s", problem)
                raise
            self._failed_at = None
            self._known = KeySet(found, self._seconds())
            return self._known
        finally:
            self._fetching.release()


def _unavailable(why: str) -> NoReturn:
    raise IssuerUnavailable(why)


def fetch_keys(issuer: str) -> tuple[Key, ...]:
    """The keys an issuer publishes now: its discovery document is asked where they are.

    Follows no redirect, takes no long document, and no keys over HTTP but from this machine.
    Raises: IssuerUnavailable.
    """
    until = time.monotonic() + FETCH_SECONDS
    try:
        # A proxy of the environment stands between us and the world, never between us and this machine.
        with httpx2.Client(timeout=FETCH_SECONDS / 2, trust_env=issuer.startswith("https://")) as client:
            described = _document(client, issuer.rstrip("/") + DISCOVERY, until)
            if described.get("issuer") != issuer:
                raise IssuerUnavailable("its discovery document names another issuer than ADGRAPH_OIDC_ISSUER")
            address = described.get("jwks_uri")
            if not isinstance(address, str) or not _may_be_asked(address, issuer):
                raise IssuerUnavailable("its discovery document names no address of keys that may be asked")
            published = _document(client, address, until).get("keys")
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        raise IssuerUnavailable(f"{type(problem).__name__}") from problem
    if not isinstance(published, list) or len(published) > MOST_KEYS:
        raise IssuerUnavailable("what it publishes is no list of keys, or too long a one")
    keys = tuple(usable_keys(published))
    if not keys:
        raise IssuerUnavailable("it publishes no key that may be used")
    return keys


def _may_be_asked(address: str, issuer: str) -> bool:
    return urlsplit(address).scheme == "https" or (issuer.startswith("http://") and is_loopback(address))


def _document(client: httpx2.Client, address: str, until: float) -> dict[str, Any]:
    # Uncompressed, so that the bytes that arrive are the bytes that count.
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    body = bytearray()
    with client.stream("GET", address, headers=headers, follow_redirects=False) as response:
        if response.status_code != 200 or "content-encoding" in response.headers:
            raise IssuerUnavailable(f"it answered {response.status_code}, not with a plain document")
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > LONGEST_DOCUMENT:
                raise IssuerUnavailable(f"it answered with more than {LONGEST_DOCUMENT} bytes")
            if time.monotonic() > until:
                raise IssuerUnavailable(f"it took longer than {FETCH_SECONDS} seconds")
    try:
        found = orjson.loads(bytes(body))
    except ValueError as problem:
        raise IssuerUnavailable("it did not answer with JSON") from problem
    if not isinstance(found, dict):
        raise IssuerUnavailable("it did not answer with a JSON object")
    return found


def usable_keys(published: Iterable[Any]) -> Iterable[Key]:
    """Published keys that may verify a signature, once for each algorithm; others are left out."""
    for one in published:
        if not isinstance(one, dict) or not _is_for_signatures(one):
            continue
        kty, kid, crv = one.get("kty"), one.get("kid"), one.get("crv")
        if not isinstance(kid, str | None) or not isinstance(crv, str | None) or not isinstance(kty, str):
            continue
        public = {name: one.get(name) for name in PUBLIC_PARTS.get(kty, ())}
        for algorithm in sorted(ALGORITHMS.get((kty, crv), ())):
            if one.get("alg", algorithm) == algorithm and (key := _key(public, algorithm)) is not None:
                yield Key(kid, algorithm, key)


def _is_for_signatures(published: Mapping[str, Any]) -> bool:
    operations = published.get("key_ops", ["verify"])
    return published.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _key(public: dict[str, Any], algorithm: str) -> PyJWK | None:
    try:
        key = PyJWK(public, algorithm)
        too_short = key.Algorithm.check_key_length(key.key)
    except (PyJWTError, ValueError, TypeError):
        return None
    return None if too_short else key
