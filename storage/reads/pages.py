"""Pages of ad accounts out of many sets at once, each its own list: what `search` reads out of one.

One statement has a part for each list, and each part stops at its limit. So that there are few statements to
compile, they are made for 1, 2, 4 … lists, and those too many are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from operator import add
from typing import Any, NamedTuple

from peewee import Select, Value, fn

from storage.database import Transaction
from storage.models import AdAccount
from storage.reads.search import AdAccountSet, Bounds, Flags, flags_of, in_set, set_values
from storage.records.ids import AdAccountId
from storage.statements import Param, Statement

_SHAPES_REMEMBERED = 128
"""Shapes are combinations of flags, bounds and powers of two: some dozens in practice."""
_AT_ONCE = 128
"""Parts of one statement: SQLite takes 500."""
_NOTHING = AdAccountSet((), ())


class _Place(NamedTuple):
    list_number: int
    ad_account_id: AdAccountId


class _Counted(NamedTuple):
    list_number: int
    total: int


class _Shape(NamedTuple):
    """What the text of a statement depends on: how many lists, their flags, and those of the sets that all share."""

    lists: int
    flags: Flags
    shared: tuple[Flags, ...]


def _condition(shape: _Shape, number: int) -> Any:
    condition = in_set(AdAccount, number, shape.flags)
    for position, flags in enumerate(shape.shared, start=shape.lists):
        condition &= in_set(AdAccount, position, flags)
    return condition


@lru_cache(maxsize=_SHAPES_REMEMBERED)
def _pages(shape: _Shape, after: bool, before: bool, backwards: bool) -> Statement[_Place]:
    parts = []
    for number in range(shape.lists):
        condition = _condition(shape, number)
        if after:
            condition &= AdAccount.id > Param("after")
        if before:
            condition &= AdAccount.id < Param("before")
        query = AdAccount.select(AdAccount.id.alias("id")).where(condition)
        page = query.order_by(AdAccount.id.desc() if backwards else AdAccount.id.asc()).limit(Param("limit"))
        part = page.alias(f"page_{number}")
        parts.append(Select([part], [Value(number, converter=False), part.c.id]))
    return Statement(reduce(add, parts), _Place)


@lru_cache(maxsize=_SHAPES_REMEMBERED)
def _counts(shape: _Shape) -> Statement[_Counted]:
    parts = [
        AdAccount.select(Value(number, converter=False), fn.COUNT(AdAccount.id)).where(_condition(shape, number))
        for number in range(shape.lists)
    ]
    return Statement(reduce(add, parts), _Counted)


def _padded(lists: Sequence[AdAccountSet]) -> list[AdAccountSet]:
    room = 1
    while room < len(lists):
        room *= 2
    empty = _NOTHING if not lists else AdAccountSet((), (), *flags_of(lists[0]))
    return [*lists, *[empty] * (room - len(lists))]


def _shape_of(lists: Sequence[AdAccountSet], shared: Sequence[AdAccountSet]) -> _Shape:
    return _Shape(len(lists), flags_of(lists[0]), tuple(map(flags_of, shared)))


def read_ad_account_pages(
    tx: Transaction, lists: Sequence[AdAccountSet], shared: Sequence[AdAccountSet], bounds: Bounds
) -> list[list[AdAccountId]]:
    """For each of these sets, which differ in members only, the ids in it and in every shared one, `limit` at most.

    Shape: one list a set, in the order given; backwards pages come reversed. Cost: one SELECT for 128 sets.
    """
    found: list[list[AdAccountId]] = [[] for _ in lists]
    values: dict[str, Any] = {"limit": bounds.limit}
    if bounds.after is not None:
        values["after"] = bounds.after[-1]
    if bounds.before is not None:
        values["before"] = bounds.before[-1]
    for start in range(0, len(lists), _AT_ONCE):
        part = _padded(lists[start : start + _AT_ONCE])
        shape = _shape_of(part, shared)
        statement = _pages(shape, bounds.after is not None, bounds.before is not None, bounds.backwards)
        for place in tx.fetch(statement, **values, **set_values([*part, *shared])):
            found[start + place.list_number].append(place.ad_account_id)
    for page in found:
        # The parts of a statement promise no order.
        page.sort(reverse=bounds.backwards)
    return found


def count_ad_accounts_of_each(
    tx: Transaction, lists: Sequence[AdAccountSet], shared: Sequence[AdAccountSet]
) -> list[int]:
    """How many ad accounts are in each of these sets, which differ in members only, and in every shared one.

    Cost: one SELECT for 128 sets.
    """
    totals = [0] * len(lists)
    for start in range(0, len(lists), _AT_ONCE):
        part = _padded(lists[start : start + _AT_ONCE])
        for counted in tx.fetch(_counts(_shape_of(part, shared)), **set_values([*part, *shared])):
            if start + counted.list_number < len(lists):
                totals[start + counted.list_number] = counted.total
    return totals
