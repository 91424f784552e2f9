"""Coerces the variables of a request: a function worked out once an operation, graphql-core for anything unusual.

Coercing a thousand checks field by field through graphql-core costs more than answering them. What is plainly
right is coerced here to the very values graphql-core makes; everything else, and every error, is left to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value

Coerce: TypeAlias = Callable[[Any], Any]
DEEPEST_INPUT = 8
"""Inputs of this schema nest three levels; one that refers to itself is left to graphql-core."""


class Unusual(Exception):
    """A value graphql-core has to look at; not an error."""


def variables_coercer(
    schema: GraphQLSchema, operation: OperationDefinitionNode
) -> Callable[[dict[str, Any]], VariableValues] | None:
    """A function from raw to coerced variables that raises Unusual, or None when the operation is unusual itself."""
    makers = []
    for definition in operation.variable_definitions or ():
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError) or definition.default_value is not None:
            return None
        try:
            makers.append(
                (signature.name, signature, isinstance(signature.type, GraphQLNonNull), _of(signature.type, 0))
            )
        except Unusual:
            return None

    def coerce(raw: dict[str, Any]) -> VariableValues:
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for name, signature, is_required, make in makers:
            if name in raw:
                sources[name] = VariableValueSource(signature, raw[name])
                coerced[name] = make(raw[name])
            elif is_required:
                raise Unusual
            else:
                sources[name] = VariableValueSource(signature)
        return VariableValues(sources, coerced)

    return coerce


def _of(of_type: Any, depth: int) -> Coerce:
    if depth > DEEPEST_INPUT:
        raise Unusual
    if isinstance(of_type, GraphQLNonNull):
        return _of_present(of_type.of_type, depth)
    present = _of_present(of_type, depth)
    return lambda value: None if value is None else present(value)


def _of_present(of_type: Any, depth: int) -> Coerce:
    if isinstance(of_type, GraphQLList):
        item = _of(of_type.of_type, depth + 1)

        def coerce_list(values: Any) -> list[Any]:
            if type(values) is not list:
                raise Unusual
            return [item(value) for value in values]

        return coerce_list
    if isinstance(of_type, GraphQLInputObjectType):
        return _input_object(of_type, depth)
    if isinstance(of_type, GraphQLEnumType):
        return _enum(of_type)
    return _SCALARS.get(of_type.name, _unusual)


def _input_object(of_type: GraphQLInputObjectType, depth: int) -> Coerce:
    if of_type.is_one_of:
        raise Unusual
    makers: dict[str, tuple[str, Coerce]] = {}
    defaults: dict[str, Any] = {}
    required = set()
    for name, field in of_type.fields.items():
        out_name, default = field.out_name or name, coerce_default_value(field)
        makers[name] = out_name, _of(field.type, depth + 1)
        if default is not Undefined:
            defaults[out_name] = default
        elif isinstance(field.type, GraphQLNonNull):
            required.add(name)

    def coerce_object(value: Any) -> Any:
        if type(value) is not dict or not value.keys() >= required:
            raise Unusual
        coerced = defaults.copy()
        for name, given in value.items():
            if name not in makers:
                raise Unusual
            out_name, make = makers[name]
            coerced[out_name] = make(given)
        return of_type.out_type(coerced)

    return coerce_object


def _enum(of_type: GraphQLEnumType) -> Coerce:
    members = {name: of_type.coerce_input_value(name) for name in of_type.values}

    def coerce_enum(value: Any) -> Any:
        if type(value) is not str or value not in members:
            raise Unusual
        return members[value]

    return coerce_enum


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Unusual
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise Unusual
    return value


def _integer(value: Any) -> int:
    if type(value) is not int or not -(2**31) <= value < 2**31:
        raise Unusual
    return value


def _unusual(_value: Any) -> Any:
    raise Unusual


_SCALARS: dict[str, Coerce] = {"String": _text, "ID": _text, "Boolean": _boolean, "Int": _integer}
