"""What an access token issued with another one may be: never more than that one, in what it opens and how long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from resolvers.rules.problems import Problem
from resolvers.rules.user_fields import is_printable
from resolvers.rules.write_codes import WriteCode
from storage.records.ids import Instant
from storage.records.values import TokenScope

DAY_MS = 86_400_000
LONGEST_LABEL = 100
DEFAULT_LIFETIME_DAYS = 90
LONGEST_LIFETIME_DAYS = 365
MOST_LIVE_TOKENS = 50
"""Tokens of one login that are good at the same time: more than a person has programs, few enough to look through."""


class AskedToken(NamedTuple):
    """A token somebody asks for. Without a lifetime it ends with the one it is asked for with, 90 days at most."""

    label: str
    scopes: tuple[TokenScope, ...]
    lifetime_days: int | None


class Issuer(NamedTuple):
    """The token another one is asked for with: what it opens, and when it ends."""

    scopes: frozenset[TokenScope]
    expires_at: Instant


def expiry_of(asked: AskedToken, issuer: Issuer, now: Instant) -> Instant:
    """When the token asked for ends.

    >>> both = frozenset({TokenScope.READ, TokenScope.WRITE})
    >>> expiry_of(AskedToken("sync", (TokenScope.READ,), None), Issuer(both, Instant(5_000)), Instant(1_000))
    5000
    """
    if asked.lifetime_days is None:
        return Instant(min(now + DEFAULT_LIFETIME_DAYS * DAY_MS, issuer.expires_at))
    return Instant(now + asked.lifetime_days * DAY_MS)


def problems_of_asked_token(asked: AskedToken, issuer: Issuer, now: Instant) -> Iterator[Problem]:
    """What speaks against a token that is asked for with another one."""
    yield from problems_of_label(asked.label)
    yield from _problems_of_scopes(asked.scopes, issuer.scopes)
    yield from _problems_of_lifetime(asked, issuer, now)


def problems_of_label(label: str) -> Iterator[Problem]:
    """What speaks against a label: its owner has to know the token by it later."""
    if not label.strip():
        yield Problem(WriteCode.NULL_PARAMETER, ("label",), "Say what the token is for in `label`.")
    elif len(label) > LONGEST_LABEL:
        message = f"`label` has at most {LONGEST_LABEL} characters, not {len(label)}."
        yield Problem(WriteCode.NAME_TOO_LONG, ("label",), message)
    elif not is_printable(label):
        yield Problem(WriteCode.BAD_USER_INPUT, ("label",), "`label` contains control characters.")


def _problems_of_scopes(asked: tuple[TokenScope, ...], held: frozenset[TokenScope]) -> Iterator[Problem]:
    if not asked:
        yield Problem(WriteCode.LIST_NULL_OR_EMPTY, ("scopes",), "A token without scopes opens nothing: name some.")
    missing = [scope for scope in TokenScope if scope in asked and scope not in held]
    if missing:
        message = (
            f"A token never issues one that opens more than itself, and yours does not have {' and '.join(missing)}."
            " Ask for less, or have an operator issue the token."
        )
        yield Problem(WriteCode.TOKEN_SCOPE_EXCEEDED, ("scopes",), message)


def _problems_of_lifetime(asked: AskedToken, issuer: Issuer, now: Instant) -> Iterator[Problem]:
    days = asked.lifetime_days
    if days is not None and not 1 <= days <= LONGEST_LIFETIME_DAYS:
        message = f"`lifetimeDays` must be between 1 and {LONGEST_LIFETIME_DAYS}, not {days}."
        yield Problem(WriteCode.BAD_USER_INPUT, ("lifetimeDays",), message)
    elif expiry_of(asked, issuer, now) > issuer.expires_at:
        message = (
            "A token never issues one that lives longer than itself. Ask for fewer days, leave `lifetimeDays` out to"
            " have it end with yours, or have an operator issue the token."
        )
        yield Problem(WriteCode.TOKEN_LIFETIME_EXCEEDED, ("lifetimeDays",), message)
