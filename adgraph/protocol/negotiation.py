"""Which media type an `Accept` header asks for (RFC 9110 §12.5.1). Pure: header in, choice out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
HTML = "text/html"

LONGEST_REMEMBERED = 256
_QUALITY = re.compile(r"(0(\.\d{0,3})?|1(\.0{0,3})?)\Z")


class Range(NamedTuple):
    """One media range of the header: `*/*`, `application/*` or a full type, and how much it is wanted (0 to 1)."""

    type: str
    quality: float

    @property
    def specificity(self) -> int:
        """2 for a full type, 1 for `application/*`, 0 for `*/*`."""
        return 2 - self.type.count("*")

    def covers(self, offer: str) -> bool:
        """Whether this range speaks about the offered type."""
        return self.type in (offer, f"{offer.partition('/')[0]}/*", "*/*")


def ranges(accept: str) -> list[Range]:
    """The media ranges of a header; what cannot be read is left out.

    >>> ranges("text/html, application/*;q=0.5")
    [Range(type='text/html', quality=1.0), Range(type='application/*', quality=0.5)]
    """
    found = []
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = _quality(parameters)
        if quality is not None and media.count("/") == 1:
            found.append(Range(media, quality))
    return found


def _quality(parameters: list[str]) -> float | None:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return float(value) if _QUALITY.match(value.strip()) else None
    return 1.0


def preferred(accept: str | None, offers: tuple[str, ...]) -> str | None:
    """The offer the header wants most, or None when it wants none of them.

    No header takes the first offer. Among equals, a type that was named goes before one that a wildcard covers, and
    of those named the one listed first.

    >>> preferred("*/*", (JSON, GRAPHQL_RESPONSE))
    'application/json'
    >>> preferred("application/graphql-response+json, application/json;q=0.9", (JSON, GRAPHQL_RESPONSE))
    'application/graphql-response+json'
    """
    if accept is None or not accept.strip():
        return offers[0]
    # Clients send one of a handful of headers; a long one is somebody playing.
    return _remembered(accept, offers) if len(accept) <= LONGEST_REMEMBERED else _preferred(accept, offers)


def _preferred(accept: str, offers: tuple[str, ...]) -> str | None:
    wanted = ranges(accept)
    best: tuple[tuple[float, int, int], str] | None = None
    for place, offer in enumerate(offers):
        covering = [(each.specificity, -index, each) for index, each in enumerate(wanted) if each.covers(offer)]
        if not covering:
            continue
        specificity, order, chosen = max(covering, key=lambda entry: entry[:2])
        rank = (chosen.quality, specificity, order if specificity == 2 else -place)
        if chosen.quality > 0 and (best is None or rank > best[0]):
            best = (rank, offer)
    return best[1] if best else None


_remembered = lru_cache(maxsize=256)(_preferred)
