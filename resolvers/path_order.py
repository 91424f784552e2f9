"""The order paths are paged in: those that decide first, then by strength; a cursor keeps it through writes.

What decides depends on all paths together, so a write anywhere may change it. A cursor therefore names the paths
that decided when its first page was made, and the pages after it go on in that order: no path that stays is skipped
or told twice. A list begun anew has those first that decide now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from resolvers.paging import Connection, Edge, Page, decode_cursor, page_of
from resolvers.rules.near_misses import strength
from resolvers.rules.paths import Path

_SHAPE = (str, str)
"""The paths that decide, and the place of one."""
_DIGEST_BYTES = 6
"""Of a few dozen paths, two are taken for each other once in 2^38 answers, and then only stand elsewhere."""


def _name_of(path: Path) -> str:
    text = repr([path.assignment.id, *((hop.kind, hop.link_id, hop.aggregation_id) for hop in path.hops)])
    return hashlib.blake2s(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def _in_order(number: int) -> str:
    """A number as text that is ordered as numbers are, whatever their length.

    >>> sorted([_in_order(number) for number in (7, 10, 100, 16)])
    ['17', '1a', '210', '264']
    """
    digits = f"{number:x}"
    return f"{len(digits):x}{digits}"


def _place_of(path: Path, first: Collection[str]) -> str:
    hops, taken, managers, ids = strength(path)
    numbers = (hops, taken, *managers, *ids)
    return ("0" if _name_of(path) in first else "1") + "".join(map(_in_order, numbers))


def page_of_paths(
    paths: Collection[Path], deciding: Collection[Path], page: Page, scope: str, hidden_count: int
) -> Connection[Path]:
    """A page of paths. Raises: Refusal INVALID_CURSOR."""
    if page.after is None:
        first = "".join(sorted(map(_name_of, deciding)))
    else:
        first = decode_cursor(scope, page.after, _SHAPE)[0]
    names = {first[start : start + 2 * _DIGEST_BYTES] for start in range(0, len(first), 2 * _DIGEST_BYTES)}
    edges = [Edge(path, (first, _place_of(path, names)), scope) for path in paths]
    edges.sort(key=lambda edge: edge.key)
    return page_of(edges, page, scope, hidden_count, shape=_SHAPE)
