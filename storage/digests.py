"""Secrets that are given out once and kept as a digest only: how they are made, and found again.

A secret is 256 random bits; nobody can guess one, so its plain SHA-256 is all that is kept and looked up. Looking up by
digest also tells a stranger nothing by how long it takes: he cannot choose a digest byte by byte.
"""

from __future__ import annotations

import hashlib
import secrets

SECRET_BYTES = 32


def new_secret(prefix: str) -> str:
    """A new secret behind a prefix that people and secret scanners recognise."""
    return prefix + secrets.token_urlsafe(SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    """What is kept of a secret, and looked up when somebody presents one."""
    # What is presented may be any text; lone surrogates are no reason to fail.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
