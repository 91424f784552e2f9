"""Keyset pages: what a caller may ask for, opaque cursors, and connections.

A cursor is the sort key of a row and a fingerprint of the list it came from, with a checksum: one that was
changed, or that belongs to another list, is refused instead of answering with the wrong page.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from resolvers.errors import Code, Refusal
from storage.records.ids import MAX_ID

MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 50
_CHECKSUM_BYTES = 6
"""Short enough for a tidy cursor; 2^48 to one against a change going unnoticed."""

Node = TypeVar("Node")
Key = tuple[Any, ...]
"""The values a list is ordered by; the last ones make it unique."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for. `size` None is the whole list, where a list may be asked whole."""

    size: int | None
    backwards: bool = False
    after: str | None = None
    before: str | None = None

    @classmethod
    def of(
        cls,
        first: int | None,
        last: int | None,
        after: str | None,
        before: str | None,
        *,
        default: int | None = DEFAULT_PAGE_SIZE,
    ) -> Page:
        """What the four arguments of a connection mean.

        Raises: Refusal INVALID_PAGE_SIZE for both `first` and `last`, or a size outside 1–100.
        """
        if default is None and (first, last, after, before) == (None, None, None, None):
            return WHOLE
        if first is not None and last is not None:
            raise Refusal(
                Code.INVALID_PAGE_SIZE, "Give either `first` or `last`, not both: they name two ends of the list."
            )
        for name, size in (("first", first), ("last", last)):
            if size is not None and not 1 <= size <= MAX_PAGE_SIZE:
                raise Refusal(
                    Code.INVALID_PAGE_SIZE,
                    f"`{name}` must be between 1 and {MAX_PAGE_SIZE}, not {size}. Ask for the next page with `after`.",
                    number=3080,
                )
        size = first if first is not None else last
        if size is None and (after is not None or before is not None):
            size = DEFAULT_PAGE_SIZE
        return cls(default if size is None else size, last is not None, after, before)


WHOLE = Page(size=None)


class Edge(NamedTuple):
    """One row of a connection and the key it is ordered by."""

    node: Any
    key: Key
    scope: str

    @property
    def cursor(self) -> str:
        """The opaque position of this row in its list."""
        return encode_cursor(self.scope, self.key)


class Connection(NamedTuple, Generic[Node]):
    """A page of a list. `total` gives the size of the whole list and is only called when asked for.

    `hidden_count` is how many rows were left out because the caller may not see them; `hidden_ids` their ids, where
    lists are put together and none may be counted twice.
    """

    edges: Sequence[Any]
    has_next_page: bool
    has_previous_page: bool
    total: Callable[[], int]
    hidden_count: int
    hidden_ids: frozenset[int] = frozenset()


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2s(body, digest_size=_CHECKSUM_BYTES).digest()


def encode_cursor(scope: str, key: Key) -> str:
    """The cursor of a row of the list `scope` names.

    >>> decode_cursor("users:1", encode_cursor("users:1", (7,)))
    (7,)
    """
    body = orjson.dumps([scope, *key])
    return urlsafe_b64encode(_checksum(body) + body).decode().rstrip("=")


Shape = tuple[type, ...] | None
"""The types of a key's values, in order; None for a tree, whose keys are as many numbers as it is deep."""
BY_ID: Shape = (int,)


def _could_be_a_key(key: list[Any], shape: Shape) -> bool:
    # The checksum is no secret: what somebody signs himself must still be something a database can compare with.
    plain = all(
        (type(part) is int and 0 <= part <= MAX_ID) or (type(part) is str and "\x00" not in part) for part in key
    )
    types = tuple(map(type, key))
    return plain and bool(key) and (types == shape if shape is not None else set(types) == {int})


def decode_cursor(scope: str, cursor: str, shape: Shape = BY_ID) -> Key:
    """The key a cursor stands for, which has the shape of the list's keys.

    Raises: Refusal INVALID_CURSOR when it was changed, or comes from another list.
    """
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        body = raw[_CHECKSUM_BYTES:]
        found, *key = orjson.loads(body) if raw[:_CHECKSUM_BYTES] == _checksum(body) else (None,)
        # Base64 ignores stray characters and spare bits: only the one canonical spelling is a cursor.
        genuine = (
            found is not None
            and encode_cursor(found, tuple(key)) == cursor
            and (found != scope or _could_be_a_key(key, shape))
        )
    except (ValueError, TypeError):
        genuine = False
    if not genuine:
        raise _not_ours()
    if found != scope:
        raise Refusal(
            Code.INVALID_CURSOR,
            "This cursor belongs to another list, or to this one with other filters or another order."
            " Start from the first page.",
        )
    return tuple(key)


def require_cursors_of(scope: str, page: Page, shape: Shape = BY_ID) -> None:
    """Refuse a page whose cursors are not of this list, before anything is loaded for it.

    Raises: Refusal INVALID_CURSOR.
    """
    for cursor in (page.after, page.before):
        if cursor is not None:
            decode_cursor(scope, cursor, shape)


def _not_ours() -> Refusal:
    return Refusal(
        Code.INVALID_CURSOR,
        "This cursor is not one we gave out. Use the `endCursor` of a page as it was received, or leave it out.",
    )


def fingerprint(name: str, *parts: object) -> str:
    """A short name for a list with these filters and this order, to tell its cursors from others.

    >>> fingerprint("adAccounts", 111) == fingerprint("adAccounts", 112)
    False
    """
    text = "\x1f".join(repr(part) for part in parts).encode()
    return f"{name}:{hashlib.blake2s(text, digest_size=4).hexdigest()}"


def cut(
    edges: Sequence[Edge], page: Page, scope: str, shape: Shape, *, descending: bool = False
) -> tuple[list[Edge], bool, bool]:
    """The page of a list that is at hand in ascending order: its edges, and whether there is more after and before.

    Raises: Refusal INVALID_CURSOR.
    """
    after = None if page.after is None else decode_cursor(scope, page.after, shape)
    before = None if page.before is None else decode_cursor(scope, page.before, shape)
    low, high = (before, after) if descending else (after, before)
    inside = [edge for edge in edges if (low is None or edge.key > low) and (high is None or edge.key < high)]
    if descending:
        inside.reverse()
    if page.size is None or len(inside) <= page.size:
        return inside, before is not None, after is not None
    if page.backwards:
        return inside[-page.size :], before is not None, True
    return inside[: page.size], True, after is not None


def page_of(
    edges: Sequence[Edge],
    page: Page,
    scope: str,
    hidden_count: int = 0,
    *,
    shape: Shape = BY_ID,
    descending: bool = False,
) -> Connection[Any]:
    """A page of a list that is at hand in full, in ascending order. Raises: Refusal INVALID_CURSOR."""
    shown, more_after, more_before = cut(edges, page, scope, shape, descending=descending)
    return Connection(shown, more_after, more_before, lambda: len(edges), hidden_count)
