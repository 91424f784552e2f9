"""Statements: queries built once, compiled once per kind of database, run with values bound by name.

Building a Peewee query costs more than running it, so a query is a constant of its module and only its
`Param`s change. What comes back are named tuples straight from the driver, with two corrections made
column by column: SQLite's 0/1 becomes `bool` and stored text becomes the member of its value set, where
the row class says so.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any, Generic, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints, overload

import orjson
from peewee import SCOPE_SOURCE, BaseTable, ColumnBase, Database, Entity, Expression, Field, Node

Kind = Literal["sqlite", "postgresql"]
"""Which database a statement is written for."""

R = TypeVar("R", bound=tuple[Any, ...])


def compiled(engine: Database, query: Node) -> tuple[str, list[Any]]:
    """A query's SQL text and values, as this engine spells them."""
    context: Any = engine.get_sql_context()
    sql, values = context.sql(query).query()
    return sql, values


class _Slot(NamedTuple):
    """Stands among the values of compiled SQL for one bound at execution."""

    name: str
    many: bool


class Param(ColumnBase):
    """A placeholder for one value, bound by name when the statement runs."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __sql__(self, ctx: Any) -> Any:
        return ctx.value(_Slot(self.name, many=False), converter=False)


def _kind(ctx: Any) -> Kind:
    # The placeholder is the one thing a compile context knows about its database.
    return "postgresql" if ctx.state.param == "%s" else "sqlite"


class _IsIn(ColumnBase):
    """`column is one of a bound list`, as one parameter: the text stays the same for any length."""

    def __init__(self, column: Node, name: str) -> None:
        self._column = column
        self._name = name

    def __sql__(self, ctx: Any) -> Any:
        ctx.sql(self._column)
        if _kind(ctx) == "postgresql":
            ctx.literal(" = ANY(").value(_Slot(self._name, many=True), converter=False)
            return ctx.literal(f"{_array_cast(self._column)})")
        ctx.literal(" IN (SELECT value FROM json_each(").value(_Slot(self._name, many=True), converter=False)
        return ctx.literal("))")


def _array_cast(column: Node) -> str:
    # An empty or untyped list would otherwise leave PostgreSQL guessing, and guessing spoils the plan.
    kind = column.field_type if isinstance(column, Field) else None
    return {"BIGAUTO": "::bigint[]", "BIGINT": "::bigint[]", "TEXT": "::text[]"}.get(kind or "", "")


def is_in(column: Any, name: str) -> ColumnBase:
    """The condition that `column` is in the list bound as `name`; an empty list matches nothing."""
    return _IsIn(column, name)


def tied_to(outer: Any, condition: Any) -> ColumnBase:
    """The same condition, spelled so that SQLite cannot judge it before it has a row of `outer`, a column never null.

    Wrap in it what the step of a recursive query asks of its own table alone. Otherwise SQLite, once it has
    statistics, begins every run with a Bloom filter over the whole table: milliseconds instead of microseconds.
    """
    return Expression(Parentheses(condition), "=", Parentheses(outer.is_null(False)))


class Parentheses(ColumnBase):
    """An expression in parentheses, whatever stands around it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __sql__(self, ctx: Any) -> Any:
        return ctx.literal("(").sql(self._inner).literal(")")


class _Each(BaseTable):
    def __init__(self, name: str, element: str, alias: str) -> None:
        super().__init__(alias=alias)
        self._alias: str = alias
        self._name = name
        self._element = element

    def __hash__(self) -> int:
        return hash((self.__class__, self._name, self._alias))

    def __sql__(self, ctx: Any) -> Any:
        ctx.alias_manager[self] = self._alias
        if ctx.scope != SCOPE_SOURCE:
            return ctx.sql(Entity(self._alias))
        slot = _Slot(self._name, many=True)
        if _kind(ctx) == "postgresql":
            ctx.literal("unnest(").value(slot, converter=False).literal(f"::{self._element}[]) AS ")
            return ctx.sql(Entity(self._alias)).literal('("value")')
        ctx.literal("json_each(").value(slot, converter=False)
        return ctx.literal(") AS ").sql(Entity(self._alias))


def each(name: str, *, of: type[int] | type[str] = int, alias: str | None = None) -> Any:
    """The list bound as `name`, as a table with one column, `.c.value`: the seed of a recursive query.

    Give an alias when one statement reads the same list twice.
    """
    return _Each(name, "bigint" if of is int else "text", alias or name)


def _json_list(values: Iterable[Any]) -> str:
    return orjson.dumps(list(values)).decode()


_Fix = tuple[int, Callable[[Any], Any]]
"""One column by position, and what turns its stored value into the one the row class promises."""

_BOOLEANS: Mapping[Any, bool | None] = {0: False, 1: True, None: None}


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _fixes(row: type[Any], kind: Kind) -> tuple[_Fix, ...]:
    """What the driver's values of this row class need; nothing for ids, numbers and plain text."""
    fixes: list[_Fix] = []
    hints = get_type_hints(row)
    for position, name in enumerate(getattr(row, "_fields", ())):
        for member in _members(hints.get(name)):
            if member is bool and kind == "sqlite":
                fixes.append((position, _BOOLEANS.__getitem__))
            elif isinstance(member, type) and issubclass(member, StrEnum):
                known: dict[str | None, StrEnum | None] = {str(value): value for value in member}
                known[None] = None
                fixes.append((position, known.__getitem__))
    return tuple(fixes)


_Slots = tuple[tuple[str | None, Any], ...]
"""Per placeholder: the parameter's name and its encoder, or None and a constant."""


def _bound(slots: _Slots, params: Mapping[str, Any]) -> list[Any]:
    return [extra if name is None else params[name] if extra is None else extra(params[name]) for name, extra in slots]


def bound(values: list[Any], kind: Kind, params: Mapping[str, Any]) -> list[Any]:
    """The values of a query compiled on the spot, with its parameters filled in."""
    return _bound(tuple(_slot(value, kind) for value in values), params) if params else values


class Plan(NamedTuple):
    """A statement written for one kind of database."""

    sql: str
    slots: _Slots
    names: frozenset[str]
    width: int | None
    make: Callable[[Any], Any] | None
    fixes: tuple[_Fix, ...]

    def bind(self, params: Mapping[str, Any]) -> list[Any]:
        """The driver's arguments. Raises TypeError when names are missing or unknown."""
        if params.keys() != self.names:
            raise TypeError(f"the statement takes {sorted(self.names)}, not {sorted(params)}")
        return _bound(self.slots, params)

    def shape(self, rows: list[Any]) -> list[Any]:
        """The driver's tuples as rows of the statement's class. Cost: a fraction of a microsecond a row."""
        if self.make is None or not rows:
            return rows
        if len(rows[0]) != self.width:
            raise TypeError(f"the statement selects {len(rows[0])} columns, its rows have {self.width}")
        if len(rows) == 1:
            [row] = rows
            values = list(row)
            for position, fix in self.fixes:
                values[position] = fix(values[position])
            return [self.make(values)]
        if self.fixes:
            columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
            for position, fix in self.fixes:
                columns[position] = map(fix, columns[position])
            return list(map(self.make, zip(*columns, strict=True)))
        return list(map(self.make, rows))


class Statement(Generic[R]):
    """A query as a constant: SQL text per kind of database, rows of one named tuple class.

    `row` names the class of the rows; None gives plain tuples with values as the driver has them.
    """

    __slots__ = ("_query", "_row", "plans")

    @overload
    def __init__(self: Statement[tuple[Any, ...]], query: Node, row: None = None) -> None: ...
    @overload
    def __init__(self, query: Node, row: type[R]) -> None: ...
    def __init__(self, query: Node, row: type[Any] | None = None) -> None:
        self._query = query
        self._row = row
        self.plans: dict[Kind, Plan] = {}

    def plan(self, engine: Database, kind: Kind) -> Plan:
        """The statement compiled for this kind of database: once, then from memory."""
        sql, values = compiled(engine, self._query)
        slots = tuple(_slot(value, kind) for value in values)
        plan = Plan(
            sql=sql,
            slots=slots,
            names=frozenset(name for name, _ in slots if name is not None),
            width=None if self._row is None else len(self._row._fields),
            # What `_make` does, without its Python frame; `shape` checks the width once.
            make=None if self._row is None else partial(tuple.__new__, self._row),
            fixes=() if self._row is None else _fixes(self._row, kind),
        )
        self.plans[kind] = plan
        return plan


def _slot(value: Any, kind: Kind) -> tuple[str | None, Any]:
    if not isinstance(value, _Slot):
        return None, value
    if not value.many:
        return value.name, None
    return value.name, _json_list if kind == "sqlite" else list
