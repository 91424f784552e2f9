"""What every text somebody writes must be, whatever it is for: something both databases can keep."""

from __future__ import annotations

import re

LONGEST_NOTE = 1_000
"""Characters of a note or a reason: a paragraph for people. The documentation gives no number. Decided."""
LONGEST_INVITER_FIELD = 100
"""Characters of an inviter's name, e-mail and phone: as those of a user. Decided."""
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def is_storable(text: str) -> bool:
    r"""Whether a text can be kept: PostgreSQL has no NUL in texts, and half a character is none in UTF-8.

    >>> is_storable("\N{GRINNING FACE}"), is_storable("a" + chr(0)), is_storable(chr(0xD800))
    (True, False, False)
    """
    return _UNSTORABLE.search(text) is None
