"""Pages of ad accounts out of many sets at once, each its own list: what `search` reads out of one.

The sets come in as pairs of a list's number and what is in it; a page is cut for each list inside the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from peewee import JOIN, Select, fn

from storage.database import Transaction
from storage.models import AdAccount
from storage.reads.search import AdAccountSet, Bounds, Flags, flags_of, in_set, set_values, usable
from storage.records.ids import AdAccountId
from storage.statements import Param, Statement, pairs

_SHAPES_REMEMBERED = 64
"""Shapes are combinations of flags and bounds: a few dozen at most."""


class _Place(NamedTuple):
    list_number: int
    ad_account_id: AdAccountId


class _Counted(NamedTuple):
    list_number: int
    total: int


class _Shape(NamedTuple):
    """What the text of a statement depends on: the flags of the lists' sets, and of those that all share."""

    flags: Flags
    shared: tuple[Flags, ...]


def _candidates(shape: _Shape, bounds: Sequence[Any] = ()) -> Any:
    """The ad accounts of every list, each once a list, whether its owner or its id is in the list's set."""
    halves = []
    for name, column in (("owners", AdAccount.manager_account), ("ids", AdAccount.id)):
        pair = pairs(name)
        condition = (column == pair.c.value) & usable(AdAccount, "listed", shape.flags)
        for position, flags in enumerate(shape.shared):
            condition &= in_set(AdAccount, position, flags)
        for bound in bounds:
            condition &= bound
        query = AdAccount.select(pair.c.key.alias("list"), AdAccount.id.alias("id"))
        halves.append(query.from_(pair).join(AdAccount, JOIN.CROSS).where(condition))
    return halves[0].union(halves[1]).alias("candidate")


@lru_cache(maxsize=_SHAPES_REMEMBERED)
def _pages(shape: _Shape, after: bool, before: bool, backwards: bool) -> Statement[_Place]:
    bounds = [AdAccount.id > Param("after")] if after else []
    bounds += [AdAccount.id < Param("before")] if before else []
    candidate = _candidates(shape, bounds)
    order = candidate.c.id.desc() if backwards else candidate.c.id.asc()
    place = fn.ROW_NUMBER().over(partition_by=[candidate.c.list], order_by=[order])
    ranked = Select([candidate], [candidate.c.list, candidate.c.id, place.alias("place")]).alias("ranked")
    page = Select([ranked], [ranked.c.list, ranked.c.id]).where(ranked.c.place <= Param("limit"))
    return Statement(page.order_by(ranked.c.list, ranked.c.place), _Place)


@lru_cache(maxsize=_SHAPES_REMEMBERED)
def _counts(shape: _Shape) -> Statement[_Counted]:
    candidate = _candidates(shape)
    return Statement(
        Select([candidate], [candidate.c.list, fn.COUNT(candidate.c.id)]).group_by(candidate.c.list), _Counted
    )


def _shape_of(lists: Sequence[AdAccountSet], shared: Sequence[AdAccountSet]) -> _Shape:
    return _Shape(flags_of(lists[0]), tuple(map(flags_of, shared)))


def _values(lists: Sequence[AdAccountSet], shared: Sequence[AdAccountSet]) -> dict[str, Any]:
    numbered = list(enumerate(lists))
    return set_values(shared) | {
        "owners": [(number, key) for number, one in numbered for key in one.owners],
        "ids": [(number, key) for number, one in numbered for key in one.ids],
    }


def read_ad_account_pages(
    tx: Transaction, lists: Sequence[AdAccountSet], shared: Sequence[AdAccountSet], bounds: Bounds
) -> list[list[AdAccountId]]:
    """For each of these sets, which differ in members only, the ids in it and in every shared one, `limit` at most.

    Shape: one list a set, in the order given; backwards pages come reversed. Cost: one SELECT.
    """
    found: list[list[AdAccountId]] = [[] for _ in lists]
    if not lists:
        return found
    statement = _pages(_shape_of(lists, shared), bounds.after is not None, bounds.before is not None, bounds.backwards)
    values = _values(lists, shared) | {"limit": bounds.limit}
    if bounds.after is not None:
        values["after"] = bounds.after[-1]
    if bounds.before is not None:
        values["before"] = bounds.before[-1]
    for place in tx.fetch(statement, **values):
        found[place.list_number].append(place.ad_account_id)
    return found


def count_ad_accounts_of_each(
    tx: Transaction, lists: Sequence[AdAccountSet], shared: Sequence[AdAccountSet]
) -> list[int]:
    """How many ad accounts are in each of these sets, which differ in members only, and in every shared one.

    Cost: one SELECT.
    """
    totals = [0] * len(lists)
    if lists:
        for counted in tx.fetch(_counts(_shape_of(lists, shared)), **_values(lists, shared)):
            totals[counted.list_number] = counted.total
    return totals
