"""Queries turned into Python functions: what lies below an object or a list is one function a selection.

graphql-core interprets a selection again for every row. Here a selection is written out as Python once per
document — attributes read by name, resolvers called directly, leaves converted by a table — and run for
every row. It holds no rules of GraphQL of its own: whatever it does not know, and whatever goes wrong while
it runs, is left to graphql-core, which then runs the whole operation. Queries and events have no side effects.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from inspect import signature
from typing import Any, NamedTuple

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    Undefined,
    VariableNode,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import visit
from graphql.language.visitor import Visitor
from strawberry import Schema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from schema.conversion import arguments_converter
from schema.counting import costs

MOST_SELECTIONS = 2_000
"""Object selections of one plan. Fragments that double at each level write out millions in a line; graphql-core takes
them as they come."""


class Unsupported(Exception):
    """Something graphql-core has to run; not an error."""


class _Info(NamedTuple):
    """What resolvers of this schema use of Strawberry's Info."""

    context: Any


class _Run:
    """One execution: the variables, the context, and arguments coerced so far."""

    __slots__ = ("arguments", "info", "objects", "variables")

    def __init__(self, context: Any, variables: VariableValues, number_of_fields: int) -> None:
        self.info = _Info(context)
        self.variables = variables
        self.arguments: list[dict[str, Any] | None] = [None] * number_of_fields
        self.objects = 0
        """Objects given out that the session has not been told of."""

    def counted(self, values: Collection[Any], weight: int) -> Collection[Any]:
        """The values of a list, each of which gives about `weight` values to the answer.

        Raises: RequestStopped when the answer grows too large, OutOfTime when the request takes too long.
        """
        self.count(len(values) * weight)
        return values

    def count(self, values: int) -> None:
        """Tell the session. Raises as `counted`."""
        objects, self.objects = self.objects, 0
        self.info.context.serve(values, objects)


class _Collected(NamedTuple):
    """The nodes of one response key."""

    key: str
    nodes: list[FieldNode]


class Plan:
    """One operation as Python: `run` gives the data of the response. `root` is what a subscription's event is about."""

    def __init__(self, select: Callable[[Any, _Run], dict[str, Any]], number_of_fields: int) -> None:
        self._select = select
        self._number_of_fields = number_of_fields

    def run(self, context: Any, variables: VariableValues, root: Any = None) -> dict[str, Any]:
        """The data. Raises whatever the resolvers raise; then graphql-core is to run the operation instead."""
        run = _Run(context, variables, self._number_of_fields)
        data = self._select(root, run)
        run.count(0)
        return data


def condition_variables(document: Iterable[Any]) -> frozenset[str]:
    """The variables that `@skip` and `@include` depend on: a plan holds for one set of their values."""
    found: set[str] = set()

    class Collect(Visitor):
        def enter_directive(self, node: Any, *_: Any) -> None:
            for argument in node.arguments:
                if isinstance(argument.value, VariableNode):
                    found.add(argument.value.name.value)

    for definition in document:
        visit(definition, Collect())
    return frozenset(found)


class Compiler:
    """Compiles one operation under one set of values of its conditions."""

    def __init__(
        self,
        schema: Schema,
        fragments: Mapping[str, FragmentDefinitionNode],
        conditions: Mapping[str, bool],
    ) -> None:
        self._strawberry = schema
        self._schema: GraphQLSchema = schema._schema
        self._fragments = fragments
        self._conditions = conditions
        self._fields = 0
        self._written = 0
        self._selections = 0
        self._names: dict[str, Any] = {}

    def compile(self, operation: OperationDefinitionNode) -> Plan:
        """The plan of a query, or of one event of a subscription. Raises: Unsupported."""
        root = self._schema.get_root_type(operation.operation)
        if operation.operation is OperationType.MUTATION or root is None or operation.directives:
            raise Unsupported
        select = self._object(root, [operation.selection_set])
        return Plan(select, self._fields)

    def root_fields(self, operation: OperationDefinitionNode) -> list[tuple[str, list[FieldNode]]]:
        """The response keys of an operation's root with their nodes, in order. Raises: Unsupported."""
        root = self._schema.get_root_type(operation.operation)
        if root is None:
            raise Unsupported
        return [(one.key, one.nodes) for one in self._collect(root, [operation.selection_set])]

    # Collecting fields: CollectFields of the specification, for a known object type

    def _collect(self, parent: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> list[_Collected]:
        found: dict[str, _Collected] = {}
        spread: set[str] = set()
        for selection_set in sets:
            self._collect_into(found, spread, parent, selection_set.selections)
        return list(found.values())

    def _collect_into(
        self,
        found: dict[str, _Collected],
        spread: set[str],
        parent: GraphQLObjectType,
        selections: Iterable[SelectionNode],
    ) -> None:
        for node in selections:
            if not self._included(node):
                continue
            match node:
                case FieldNode():
                    key = node.alias.value if node.alias else node.name.value
                    found.setdefault(key, _Collected(key, [])).nodes.append(node)
                case InlineFragmentNode():
                    condition = node.type_condition
                    if condition is None or self._applies(parent, condition.name.value):
                        self._collect_into(found, spread, parent, node.selection_set.selections)
                case FragmentSpreadNode():
                    name = node.name.value
                    fragment = self._fragments[name]
                    if name not in spread and self._applies(parent, fragment.type_condition.name.value):
                        spread.add(name)
                        self._collect_into(found, spread, parent, fragment.selection_set.selections)
                case _:
                    raise Unsupported

    def _included(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            name = directive.name.value
            if name not in ("skip", "include"):
                raise Unsupported
            value = (directive.arguments or ())[0].value
            if isinstance(value, VariableNode):
                condition = self._conditions[value.name.value]
            elif isinstance(value, BooleanValueNode):
                condition = value.value
            else:
                raise Unsupported
            if condition == (name == "skip"):
                return False
        return True

    def _applies(self, parent: GraphQLObjectType, condition: str) -> bool:
        if parent.name == condition:
            return True
        of_type = self._schema.type_map.get(condition)
        return isinstance(of_type, GraphQLInterfaceType | GraphQLUnionType) and self._schema.is_sub_type(
            of_type, parent
        )

    # Writing functions

    def _bind(self, prefix: str, value: Any) -> str:
        name = f"{prefix}{len(self._names)}"
        self._names[name] = value
        return name

    def _object(
        self, parent: GraphQLObjectType, sets: Iterable[SelectionSetNode]
    ) -> Callable[[Any, _Run], dict[str, Any]]:
        """A function from a row of `parent` to the dict of its selected fields."""
        self._selections += 1
        if self._selections > MOST_SELECTIONS:
            raise Unsupported
        name = f"select{self._selections}"
        entries = [f"{field.key!r}: {self._field(parent, field)}" for field in self._collect(parent, sets)]
        counted = "    run.objects += 1\n" if costs(parent) else ""
        source = f"def {name}(row, run):\n{counted}    return {{{', '.join(entries)}}}"
        # All functions of a plan share one namespace: a copy for each would grow with the square of the document.
        # The source is put together from checked names and bound objects only; no text of the caller but
        # response keys gets in, and those as literals.
        exec(compile(source, f"<selection on {parent.name}>", "exec"), self._names)  # noqa: S102
        select: Callable[[Any, _Run], dict[str, Any]] = self._names[name]
        return select

    def _field(self, parent: GraphQLObjectType, collected: _Collected) -> str:
        node = collected.nodes[0]
        if node.name.value == "__typename":
            return repr(parent.name)
        if node.name.value.startswith("__"):
            raise Unsupported
        definition = parent.fields[node.name.value]
        field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if not isinstance(field, StrawberryField) or field.is_async or field.extensions:
            raise Unsupported
        self._written += 1
        sets = [one.selection_set for one in collected.nodes if one.selection_set is not None]
        resolved = field.base_resolver is not None
        value = self._call(field, definition, node) if resolved else f"row.{field.python_name}"
        return self._complete(definition.type, value, sets)

    def _call(self, field: StrawberryField, definition: Any, node: FieldNode) -> str:
        resolver = field.base_resolver
        if resolver is None:
            raise Unsupported
        function: Any = resolver.wrapped_func
        rows = {
            parameter.name
            for parameter in (resolver.self_parameter, resolver.parent_parameter, resolver.root_parameter)
            if parameter is not None
        }
        info = resolver.info_parameter.name if resolver.info_parameter is not None else None
        given = []
        for name in signature(function).parameters:
            if name in rows:
                given.append(f"{name}=row")
            elif name == info:
                given.append(f"{name}=run.info")
        if field.arguments:
            given.append(f"**{self._arguments(field, definition, node)}")
        return f"{self._bind('call', function)}({', '.join(given)})"

    def _arguments(self, field: StrawberryField, definition: Any, node: FieldNode) -> str:
        convert = arguments_converter(field.arguments, self._strawberry.config)
        if not any(_depends_on_variables(argument.value) for argument in node.arguments or ()):
            return self._bind("arguments", convert(get_argument_values(definition, node)))
        place = self._fields
        self._fields += 1
        plain = _plain_variables(definition, node)

        def coerce(run: _Run) -> dict[str, Any]:
            found = run.arguments[place]
            if found is None:
                values = _taken(plain, run.variables) if plain is not None else None
                if values is None:
                    values = get_argument_values(definition, node, run.variables)
                found = run.arguments[place] = convert(values)
            return found

        return f"(run.arguments[{place}] or {self._bind('arguments', coerce)}(run))"

    # Completing values

    def _complete(self, of_type: GraphQLOutputType, value: str, sets: list[SelectionSetNode]) -> str:
        """An expression that completes `value`; null where null is not allowed raises."""
        if isinstance(of_type, GraphQLNonNull):
            return self._complete_present(of_type.of_type, value, sets)
        name = f"value{len(self._names)}_{self._fields}"
        present = self._complete_present(of_type, name, sets)
        if present == name:
            return value
        return f"None if ({name} := {value}) is None else {present}"

    def _complete_present(self, of_type: Any, value: str, sets: list[SelectionSetNode]) -> str:
        if isinstance(of_type, GraphQLList):
            item = f"item{len(self._names)}"
            self._names[item] = None
            before = self._written
            one = self._complete(of_type.of_type, item, sets)
            weight = max(1, self._written - before)
            return f"[{one} for {item} in run.counted({value}, {weight})]"
        if is_leaf_type(of_type):
            return self._leaf(of_type, value)
        if isinstance(of_type, GraphQLObjectType):
            return f"{self._object(of_type, sets).__name__}({value}, run)"
        if is_abstract_type(of_type):
            return f"{self._bind('resolve', self._abstract(of_type, sets))}({value}, run)"
        raise Unsupported

    def _leaf(self, of_type: GraphQLLeafType, value: str) -> str:
        if isinstance(of_type, GraphQLEnumType):
            table = self._bind("enum", {item.value: name for name, item in of_type.values.items()})
            return f"{table}[{value}]"
        if of_type.name == "String":
            return f"{self._bind('text', _text)}({value})"
        if of_type.name == "ID":
            return f"{self._bind('id', _id)}({value})"
        if of_type.name == "Boolean":
            return f"{self._bind('boolean', _boolean)}({value})"
        return f"{self._bind('leaf', of_type.serialize)}({value})"

    def _abstract(
        self, of_type: GraphQLAbstractType, sets: list[SelectionSetNode]
    ) -> Callable[[Any, _Run], dict[str, Any]]:
        """By the class of the row: every type of this schema that stands for several knows its rows by class."""
        selects: dict[type[Any], Callable[[Any, _Run], dict[str, Any]]] = {}
        possible = self._schema.get_possible_types(of_type)
        prepared = {one.name: self._object(one, sets) for one in possible}

        def resolve(row: Any, run: _Run) -> dict[str, Any]:
            select = selects.get(type(row))
            if select is None:
                for one in possible:
                    if one.is_type_of is not None and one.is_type_of(row, None):  # type: ignore[arg-type]
                        select = selects[type(row)] = prepared[one.name]
                        break
                else:
                    raise Unsupported
            return select(row, run)

        return resolve


def _plain_variables(definition: Any, node: FieldNode) -> dict[str, str] | None:
    """By argument the variable that is its value; None when more than that decides what the arguments are."""
    given = {one.name.value: one.value for one in node.arguments or ()}
    found = {}
    for name, argument in definition.args.items():
        value = given.get(name)
        if isinstance(value, VariableNode):
            found[argument.out_name or name] = value.name.value
        elif value is not None or argument.default is not None or argument.default_value not in (Undefined, None):
            return None  # a default of null is the resolver's own
    return found


def _taken(plain: Mapping[str, str], variables: VariableValues) -> dict[str, Any] | None:
    """The values of variables, when all have one: each was coerced to what its argument takes already."""
    coerced = variables.coerced
    values = {argument: coerced.get(variable) for argument, variable in plain.items()}
    return None if None in values.values() else values


def _depends_on_variables(node: Any) -> bool:
    found = []

    class Look(Visitor):
        def enter_variable(self, *_: Any) -> None:
            found.append(True)

    visit(node, Look())
    return bool(found)


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise GraphQLError("not text")
    return str(value)


def _boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise GraphQLError("not a boolean")


def _id(value: Any) -> str:
    if type(value) is int or isinstance(value, str):
        return str(value)
    raise GraphQLError("not an id")
