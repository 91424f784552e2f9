"""Arguments that many fields share, described once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

import strawberry

from resolvers.errors import Code, Refusal
from resolvers.paging import Page

First = Annotated[
    int | None, strawberry.argument(description="How many to give from the start, 1 to 100. Not together with `last`.")
]
After = Annotated[str | None, strawberry.argument(description="Give what comes after this cursor.")]
Last = Annotated[
    int | None, strawberry.argument(description="How many to give from the end, 1 to 100. Not together with `first`.")
]
Before = Annotated[str | None, strawberry.argument(description="Give what comes before this cursor.")]

T = TypeVar("T")


def tree_page(first: int | None, after: str | None, last: int | None, before: str | None) -> Page:
    """The page of a list of the hierarchy: without a size it is given whole. Raises: Refusal INVALID_PAGE_SIZE."""
    return Page.of(first, last, after, before, default=None)


def list_page(first: int | None, after: str | None, last: int | None = None, before: str | None = None) -> Page:
    """The page of any other list: without a size, 50 of it. Raises: Refusal INVALID_PAGE_SIZE."""
    return Page.of(first, last, after, before)


def chosen(name: str, given: Sequence[T] | None, everything: Sequence[T]) -> tuple[T, ...]:
    """What a list argument selects: all when it is left out, each once, in a fixed order.

    Raises: Refusal BAD_USER_INPUT for an empty list, which would select nothing by mistake.
    """
    if given is None:
        return tuple(everything)
    if not given:
        raise Refusal(
            Code.BAD_USER_INPUT, f"`{name}` is an empty list and would select nothing: leave it out to select all."
        )
    wanted = set(given)
    outside = wanted - set(everything)
    if outside:
        names = ", ".join(sorted(str(one) for one in outside))
        raise Refusal(Code.BAD_USER_INPUT, f"`{name}` cannot be {names} here.")
    return tuple(one for one in everything if one in wanted)
