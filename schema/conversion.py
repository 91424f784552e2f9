"""Turns coerced arguments into what resolvers take: worked out once a field instead of once a value.

graphql-core has checked and coerced the values already; what is left is to make input classes of dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import (
    StrawberryList,
    StrawberryOptional,
    get_object_definition,
    has_object_definition,
)

Convert: TypeAlias = Callable[[Any], Any]


def _as_it_is(value: Any) -> Any:
    return value


def arguments_converter(
    arguments: Sequence[StrawberryArgument], config: StrawberryConfig
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A function from coerced values by GraphQL name to the keyword arguments of the resolver."""
    fields = [
        (config.name_converter.from_argument(one), one.python_name, _converter(one.type, config)) for one in arguments
    ]

    def convert(values: dict[str, Any]) -> dict[str, Any]:
        return {python: make(values[name]) for name, python, make in fields if name in values}

    return convert


def _converter(of_type: Any, config: StrawberryConfig) -> Convert:
    if isinstance(of_type, StrawberryOptional):
        inside = _converter(of_type.of_type, config)
        if inside is _as_it_is:
            return inside
        return lambda value: None if value is None else inside(value)
    if isinstance(of_type, StrawberryList):
        item = _converter(of_type.of_type, config)
        return _as_it_is if item is _as_it_is else lambda values: [item(value) for value in values]
    if has_object_definition(of_type):
        return _input_converter(of_type, config)
    return _as_it_is


def _input_converter(of_type: Any, config: StrawberryConfig) -> Convert:
    fields = [
        (config.name_converter.from_field(field), field.python_name, _converter(field.type, config))
        for field in get_object_definition(of_type, strict=True).fields
    ]

    if all(name == python and make is _as_it_is for name, python, make in fields):
        return lambda value: of_type(**value)

    def convert(value: dict[str, Any]) -> Any:
        return of_type(**{python: make(value[name]) for name, python, make in fields if name in value})

    return convert
