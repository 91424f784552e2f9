"""Folded text: what names and numbers are searched and ordered by, equal on both databases.

Folding forgets case and the different ways of composing an accented letter, nothing else: blanks and
punctuation count. Folded text is ordered by code point.
"""

from __future__ import annotations

import sys
import unicodedata


def fold(text: str) -> str:
    """The folded form of a name, a number or a search for one.

    >>> fold("Straße ÅNGSTRÖM") == fold("STRASSE ångström")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def after_prefix(prefix: str) -> str | None:
    """The least folded text that is greater than every text beginning with `prefix`; None when there is none.

    With it a search by prefix is a range of an index: `prefix <= column < after_prefix(prefix)`.

    >>> after_prefix("abc")
    'abd'
    """
    for position in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[position])
        if point < sys.maxunicode:
            # Surrogates are not characters, and neither database stores them.
            following = 0xE000 if point == 0xD7FF else point + 1
            return prefix[:position] + chr(following)
    return None
