"""What an answer costs: one for each object in it, alike for compiled operations and for graphql-core.

Leaves cost nothing, nor do connections and edges: a row costs the same in `nodes` and in `edges`. Rows read from the
database are counted where they are read, by the session.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

from graphql import GraphQLList, GraphQLOutputType, MiddlewareManager, get_named_type, get_nullable_type, is_leaf_type

COST_OF_A_MUTATION = 10
"""A write takes the database's one writer, and leaves history and an audit entry."""
_BOOKKEEPING = ("Connection", "Edge", "PageInfo")
"""How the names of types end that only hold rows together."""


def costs(of_type: GraphQLOutputType) -> bool:
    """Whether an object of a type costs something."""
    named = get_named_type(of_type)
    return not is_leaf_type(named) and not named.name.endswith(_BOOKKEEPING)


@lru_cache(maxsize=4_096)
def _counter(of_type: GraphQLOutputType) -> Callable[[Any], int] | None:
    if not costs(of_type):
        return None
    return _present if isinstance(get_nullable_type(of_type), GraphQLList) else _one


def _one(_value: Any) -> int:
    return 1


def _present(values: Collection[Any]) -> int:
    return len(values) - sum(value is None for value in values)


def _counting(resolve: Callable[..., Any], source: Any, info: Any, /, **arguments: Any) -> Any:
    """Lets graphql-core, too, stop where a compiled plan would: every field of every row counts."""
    session = info.context
    session.serve(1)
    value = resolve(source, info, **arguments)
    count = _counter(info.return_type)
    if count is not None and value is not None:
        session.serve(0, count(value))
    return value


COUNTING = MiddlewareManager(_counting)
"""For every execution by graphql-core."""
