"""An OpenID issuer of our own on a port of this machine: what it publishes, and how it misbehaves, is up to the test.

Keys are made and tokens signed by joserfc, so that PyJWT is not its own judge.
"""

from __future__ import annotations

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

AUDIENCE = "adgraph"
ADA = "ada@agency.example"
Signer: TypeAlias = RSAKey | ECKey | OKPKey


class Issuer:
    """The issuer: its address, the keys it publishes, and how often it was asked for what."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.keys: list[dict[str, Any]] = []
        self.documents: dict[str, Any] = {}
        """Instead of what is true: by path, what to answer with (bytes as they are, other things as JSON)."""
        self.status = 200
        self.location: str | None = None
        self.delay_s = 0.0
        self.asked: list[str] = []

    def publish(self, *keys: Signer, **more: Any) -> None:
        """Publish these keys and no others."""
        self.keys = [key.as_dict(private=False) | more for key in keys]

    def document(self, path: str) -> bytes:
        """What is answered."""
        told: dict[str, Any] = {
            "/.well-known/openid-configuration": {"issuer": self.address, "jwks_uri": f"{self.address}/jwks"},
            "/jwks": {"keys": self.keys},
        }
        found = self.documents.get(path, told.get(path))
        return found if isinstance(found, bytes) else json.dumps(found).encode()

    def token(self, key: Signer, algorithm: str = "", *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token signed by a key: for Ada, for an hour, unless told otherwise; a claim of None is left out."""
        by_type = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}
        protected = {"alg": algorithm or by_type[key.key_type], "kid": key.kid, "typ": "JWT"} | (header or {})
        named = {name: value for name, value in self.claims(**claims).items() if value is not None}
        protected = {name: value for name, value in protected.items() if value is not None}
        algorithms = [str(protected["alg"])]
        registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
        return jws.serialize_compact(protected, json.dumps(named), key, algorithms=algorithms, registry=registry)

    def claims(self, **changed: Any) -> dict[str, Any]:
        """The claims of a good token, changed."""
        now = int(time.time())
        good: dict[str, Any] = {
            "iss": self.address,
            "aud": AUDIENCE,
            "sub": "248289761001",
            "iat": now,
            "exp": now + 3_600,
            "preferred_username": ADA,
            "scope": "openid adgraph.read adgraph.write",
        }
        return good | changed


def part(value: Any) -> str:
    """One part of a token that nobody signed."""
    return urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).decode().rstrip("=")


def rsa_key(kid: str = "rsa-1", bits: int = 2_048) -> RSAKey:
    """A new RSA key."""
    return RSAKey.generate_key(bits, {"kid": kid})


def ec_key(kid: str = "ec-1", curve: Any = "P-256") -> ECKey:
    """A new key on a curve."""
    return ECKey.generate_key(curve, {"kid": kid})


def ed_key(kid: str = "ed-1") -> OKPKey:
    """A new Edwards key."""
    return OKPKey.generate_key("Ed25519", {"kid": kid})


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """An issuer that answers over HTTP as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            time.sleep(issuer.delay_s)
            body = issuer.document(self.path)
            self.send_response(issuer.status)
            if issuer.location is not None:
                self.send_header("Location", issuer.location)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return  # who asked has heard enough

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
