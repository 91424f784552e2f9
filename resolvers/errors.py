"""Everything a caller can be refused for, each with a stable code, the documented number and a rule's id.

A refusal says what, why and what next. Anything that is not a `Refusal` is a fault of ours.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from storage.records.values import TokenScope


class Code(StrEnum):
    """The stable codes of refusals; clients may switch on them."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    INVALID_CURSOR = "INVALID_CURSOR"
    INVALID_PAGE_SIZE = "INVALID_PAGE_SIZE"
    INVALID_FILTER = "INVALID_FILTER"
    FORBIDDEN = "FORBIDDEN"
    TOO_MANY_NODES = "TOO_MANY_NODES"
    TOO_MANY_PATHS = "TOO_MANY_PATHS"
    TOO_MANY_EFFECTS = "TOO_MANY_EFFECTS"
    TOO_MANY_VALUES = "TOO_MANY_VALUES"
    TOO_EXPENSIVE = "TOO_EXPENSIVE"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    CHAIN_OVER_LIMIT = "CHAIN_OVER_LIMIT"
    STORAGE_BUSY = "STORAGE_BUSY"


class Refusal(Exception):
    """A request, or one field of it, that cannot be answered as asked.

    `number` is the documented error number where the field has one; `rule` the id of the rule behind it.
    """

    def __init__(self, code: Code, message: str, *, number: int | None = None, rule: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.number = number
        self.rule = rule


V = TypeVar("V")


def unless_refused(found: V | Refusal) -> V:
    """What was found. Raises: the Refusal that stands in its place."""
    if isinstance(found, Refusal):
        raise found
    return found


class RequestStopped(BaseException):
    """A request that has become too large: it ends here, wherever it is.

    Not an Exception, so that nothing on the way takes it for the failure of one field and goes on.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def too_many_values(limit: int) -> Refusal:
    """An answer that grows past all reason, mostly because fields lead back to where they came from."""
    return Refusal(
        Code.TOO_MANY_VALUES,
        f"The answer would have more than {limit} values. Ask for fewer fields of long lists, for pages, or for less"
        " nesting: a field that leads back up repeats everything below it.",
    )


def too_expensive(limit: int) -> Refusal:
    """A request that costs more than one may."""
    return Refusal(
        Code.TOO_EXPENSIVE,
        f"This request costs more than {limit} and was stopped: each object of the answer costs one, and so do ten rows"
        " read. You may ask for all of it, in smaller parts: pages (`first`), fewer fields that lead on, fewer levels.",
    )


def out_of_time() -> Refusal:
    """A request that used up its time."""
    return Refusal(
        Code.REQUEST_TIMEOUT,
        "The request took longer than it may and was stopped. Ask for less at a time: pages, fewer levels, fewer"
        " reasons.",
    )


def unauthenticated() -> Refusal:
    """No token was sent."""
    return Refusal(
        Code.UNAUTHENTICATED,
        "This needs an access token: send it in the header `Authorization: Bearer …`."
        " Issue one with `adgraph token issue`.",
        number=116,
    )


_OPENS = {
    TokenScope.READ: "Queries need",
    TokenScope.WRITE: "Mutations need",
    TokenScope.ADMIN: "Acts of system administrators need",
}


def no_login_yet(user_name: str) -> Refusal:
    """Somebody an issuer vouches for, whom nobody here has let in yet."""
    return Refusal(
        Code.UNAUTHENTICATED,
        f"Your sign-in is good, but no login here is named {_shown(user_name)} yet. Accept an invitation with the"
        " secret from its mail (`acceptUserInvitation`); then the login is yours.",
        number=105,
    )


def missing_scope(scope: TokenScope) -> Refusal:
    """A token that may not be used for this, whatever its login holds."""
    return Refusal(
        Code.FORBIDDEN,
        f"{_OPENS[scope]} an access token with the scope {scope}, and this one does not have it. Your roles are not the"
        " question: send a token that has the scope.",
        number=106,
    )


def bad_id(text: str, what: str, example: str) -> Refusal:
    """An id that cannot be one; `example` is how one is written."""
    return Refusal(
        Code.BAD_USER_INPUT,
        f'{_shown(text)} is not the id of {what}: give one like "{example}", or a node id.',
        number=201,
    )


def bad_number(text: str, what: str) -> Refusal:
    """An id that cannot be one, of something that has no node id."""
    return Refusal(Code.BAD_USER_INPUT, f"{_shown(text)} is not the id of {what}: give its number.", number=201)


def over_limit(chain: tuple[int, ...]) -> Refusal:
    """P10: a stored chain that must not exist."""
    way = " → ".join(str(step) for step in chain)
    return Refusal(
        Code.CHAIN_OVER_LIMIT,
        f"The chain of manager accounts {way} is longer than the five that are allowed, so what lies at its end"
        " can be neither granted nor denied. Unlink one of its customer links and ask again.",
        number=202,
        rule="P10",
    )


def too_many_nodes(limit: int) -> Refusal:
    """A tree larger than one request may load."""
    return Refusal(
        Code.TOO_MANY_NODES,
        f"This request would load more than {limit} manager accounts and ad accounts. Ask for a page"
        " (`first: 100`, then `after`), for fewer levels (`maxDepth`), or for a smaller part of the tree.",
    )


def too_many_paths(limit: int) -> Refusal:
    """A graph with more ways than can be listed."""
    return Refusal(
        Code.TOO_MANY_PATHS,
        f"More than {limit} paths lead there, too many to list. Name a `context`, or use `check` for the answer alone.",
    )


_SHOWN_AT_MOST = 60
"""How much of a caller's own text an error repeats."""


def _shown(text: str) -> str:
    shortened = text if len(text) <= _SHOWN_AT_MOST else text[:_SHOWN_AT_MOST] + "…"
    return f'"{shortened}"'
