"""What a rule about fields finds wrong: a value for a use case to refuse with, or to show in a form."""

from __future__ import annotations

from typing import NamedTuple

from resolvers.rules.write_codes import WRITE_CODES, WriteCode


class Problem(NamedTuple):
    """One thing wrong with one field. `field` is the path below the input."""

    code: WriteCode
    field: tuple[str, ...]
    message: str

    @property
    def number(self) -> int:
        """The documented number of the code."""
        return WRITE_CODES[self.code].number


def listed(text: str) -> frozenset[str]:
    """The words of a text, for long sets of codes.

    >>> sorted(listed("AU NZ"))
    ['AU', 'NZ']
    """
    return frozenset(text.split())
