"""What a rule about fields finds wrong: a value for a use case to refuse with, or to show in a form."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """One thing wrong with one field. `field` is the path below the input; `number` the documented one, if any."""

    code: str
    number: int | None
    field: tuple[str, ...]
    message: str


def listed(text: str) -> frozenset[str]:
    """The words of a text, for long sets of codes.

    >>> sorted(listed("AU NZ"))
    ['AU', 'NZ']
    """
    return frozenset(text.split())
