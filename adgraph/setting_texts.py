"""How the text of an environment variable becomes a value: one function a kind, each refusing what is not one.

What the variables mean stands in `settings`.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parseaddr
from ipaddress import ip_network
from urllib.parse import urlsplit

from adgraph.addresses import is_loopback


def switch(text: str) -> bool:
    """On or off, in the words people use. Raises: ValueError for anything else."""
    return {"on": True, "off": False, "true": True, "false": False, "1": True, "0": False}[text.lower()]


SWITCH = "on or off"


def between(lowest: int, highest: int) -> tuple[str, Callable[[str], int]]:
    """A whole number from `lowest` to `highest`, with the words for it."""

    def read(text: str) -> int:
        # int() alone would take "1_000", "+5" and digits of other scripts.
        if not (text.isascii() and text.isdigit()) or not lowest <= int(text) <= highest:
            raise ValueError(text)
        return int(text)

    return f"a whole number from {lowest} to {highest}", read


def database_url(text: str) -> str:
    """The address of a database, as storage takes it. Raises: ValueError for anything else."""
    scheme, separator, rest = text.partition("://")
    if scheme not in ("sqlite", "postgresql", "postgres") or not separator or not rest.strip("/"):
        raise ValueError(text)
    return f"postgresql://{rest}" if scheme == "postgres" else text


def host(text: str) -> str:
    """A name or address to listen on. Raises: ValueError for anything else."""
    if not text or not text.isascii() or any(letter.isspace() or letter in "/@?#" for letter in text):
        raise ValueError(text)
    return text


def mail(text: str) -> str:
    """A folder, or the address of a mail server. Raises: ValueError for anything else."""
    scheme, separator, _ = text.partition("://")
    if not separator:
        return text
    parts = urlsplit(text)
    # Reading the port raises ValueError when it is none.
    if scheme not in ("smtp", "smtps") or not parts.hostname or parts.port == 0 or parts.path.strip("/") or parts.query:
        raise ValueError(text)
    return text


def mail_address(text: str) -> str:
    """An e-mail address, with or without a name. Raises: ValueError for anything else."""
    address = parseaddr(text)[1]
    if not text.isascii() or not text.isprintable() or address.count("@") != 1 or not all(address.split("@")):
        raise ValueError(text)
    return text


def public_url(text: str) -> str:
    """The address of this service as others name it. Raises: ValueError for anything else."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or " " in text:
        raise ValueError(text)
    return text.rstrip("/")


def networks(text: str) -> str:
    """Addresses and networks, with commas between them. Raises: ValueError for anything else."""
    return ",".join(str(ip_network(each.strip())) for each in text.split(","))


def origins(text: str) -> str:
    """Origins of pages as browsers write them, with commas between them. Raises: ValueError for anything else."""
    origins = [one.strip() for one in text.split(",") if one.strip()]
    for one in origins:
        parts = urlsplit(one)
        # As browsers write it: no path, no default port, lower case.
        if parts.scheme not in ("http", "https") or not parts.hostname or one != f"{parts.scheme}://{parts.netloc}":
            raise ValueError(text)
        if "@" in parts.netloc or "*" in one or one != one.lower() or parts.port == _DEFAULT_PORTS[parts.scheme]:
            raise ValueError(text)
    return ",".join(dict.fromkeys(origins))


_DEFAULT_PORTS = {"http": 80, "https": 443}


def issuer(text: str) -> str:
    """The issuer of JWTs, exactly as its tokens name it. Raises: ValueError for anything else."""
    # The address as the issuer writes it, to the last slash: tokens must name exactly this.
    parts = urlsplit(text)
    good = parts.scheme == "https" or is_loopback(text)
    # Reading the port raises ValueError when it is none.
    if not good or not parts.hostname or parts.port == 0 or parts.username is not None:
        raise ValueError(text)
    if not text.isascii() or not text.isprintable() or any(letter in " ?#" for letter in text):
        raise ValueError(text)
    return text


def one_word(text: str) -> str:
    """One printable word. Raises: ValueError for anything else."""
    if len(text) > 200 or not text.isprintable() or " " in text:
        raise ValueError(text)
    return text


def scopes(text: str) -> str:
    """Scopes of tokens, in their order. Raises: ValueError for anything else."""
    words = text.lower().split()
    if not words or not set(words) <= set(SCOPES):
        raise ValueError(text)
    return " ".join(word for word in SCOPES if word in words)


SCOPES = ("read", "write", "admin")
DEVELOPER_TOKENS = {name: name for name in ("required", "optional", "off")}
NOBODY: frozenset[str] = frozenset()


def names(text: str) -> frozenset[str]:
    """Names with commas between them. Raises: ValueError for anything else."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise ValueError(text)
    return frozenset(names)
