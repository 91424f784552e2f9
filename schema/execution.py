"""Runs a request over a session: parse and validate once a document, then compiled, or by graphql-core.

The answer is the response map; a request that did not run has no `data` in it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    MiddlewareManager,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values

from resolvers.errors import Refusal, RequestStopped
from resolvers.session import Session
from schema.build import build_schema
from schema.compiled import Compiler, Plan, Unsupported, condition_variables
from schema.documents import Document, DocumentCache
from schema.errors import (
    BAD_USER_INPUT,
    METHOD_NOT_ALLOWED,
    MOST_ERRORS_SHOWN,
    OPERATION_RESOLUTION_FAILURE,
    field_errors,
    request_errors,
    stopped_request,
)
from schema.streams import Stream
from schema.subscription import SOURCES, Source
from schema.variables import Unusual, variables_coercer
from schema.writes import BeginWrite, execute_mutation
from storage.errors import StorageError

MOST_PLANS_PER_DOCUMENT = 16
"""Plans differ by the values of `@skip` and `@include` conditions; more are run by graphql-core."""
NEEDS_A_SOCKET = (
    "A subscription is answered over a WebSocket: connect to this address with the subprotocol graphql-transport-ws."
)
_CONDITIONS = "conditions"
"""Where a document keeps what its plans depend on; plans themselves stand under tuples."""


class Engine:
    """The schema with its caches. One a process; safe to share between threads."""

    def __init__(self, *, compiles: bool = True) -> None:
        self.schema = build_schema()
        self._graphql = self.schema._schema
        self.documents = DocumentCache(self._graphql)
        self._compiles = compiles

    def execute(
        self,
        query: str,
        variables: dict[str, Any] | None,
        operation_name: str | None,
        session: Session | None,
        *,
        request_id: str = "",
        introspection: bool = True,
        reads_only: bool = False,
        begin_write: BeginWrite | None = None,
    ) -> dict[str, Any]:
        """The response map of one request.

        `reads_only`: refuse mutations, for requests that may be repeated by anybody (GET). `begin_write`: how
        mutations get their transactions; `session` is then not used.
        """
        document = self.documents.get(query, introspection=introspection)
        if document.refused is not None:
            return document.refused
        operation = document.operation(operation_name)
        if isinstance(operation, dict):
            return operation
        if operation.operation is OperationType.SUBSCRIPTION:
            return request_errors([GraphQLError(NEEDS_A_SOCKET)], OPERATION_RESOLUTION_FAILURE)
        if reads_only and operation.operation.value != "query":
            message = "Only queries may be sent this way: send mutations by POST."
            return request_errors([GraphQLError(message)], METHOD_NOT_ALLOWED)
        coerced = self._coerced(document, operation, variables or {}, introspection=introspection)
        if isinstance(coerced, list):
            return request_errors(coerced, BAD_USER_INPUT)
        try:
            if operation.operation == OperationType.MUTATION and begin_write is not None:
                conditions = {one: bool(coerced.coerced.get(one)) for one in self._conditions(document)}
                return execute_mutation(
                    self.schema, document, operation, variables, conditions, begin_write, request_id
                )
            if session is None:
                raise TypeError("a query needs a session")
            return self._run(document, operation, coerced, variables, session, request_id)
        except RequestStopped as stopped:
            return stopped_request(stopped.refusal)

    def subscribe(
        self,
        query: str,
        variables: dict[str, Any] | None,
        operation_name: str | None,
        session: Session,
        *,
        request_id: str = "",
        introspection: bool = True,
    ) -> Stream | dict[str, Any]:
        """A subscription that has begun, or the response that says why it cannot."""
        document = self.documents.get(query, introspection=introspection)
        if document.refused is not None:
            return document.refused
        operation = document.operation(operation_name)
        if isinstance(operation, dict):
            return operation
        coerced = self._coerced(document, operation, variables or {}, introspection=introspection)
        if isinstance(coerced, list):
            return request_errors(coerced, BAD_USER_INPUT)
        try:
            key, node = self._only_field(document, operation, coerced)
            source, arguments = self._source(node, coerced)
        except GraphQLError as error:
            return request_errors([error], BAD_USER_INPUT)
        try:
            tail = source.begin(session, **arguments)
        except RequestStopped as stopped:
            return stopped_request(stopped.refusal)
        except (Refusal, StorageError) as problem:
            failed = GraphQLError(str(problem), node, path=[key], original_error=problem)
            return {"errors": field_errors([failed], request_id)}

        def answer(session: Session, event: Any, request_id: str) -> dict[str, Any]:
            try:
                return self._run(document, operation, coerced, variables, session, request_id, event)
            except RequestStopped as stopped:
                return stopped_request(stopped.refusal)

        return Stream(source, tail, answer)

    def _only_field(
        self, document: Document, operation: OperationDefinitionNode, coerced: VariableValues
    ) -> tuple[str, FieldNode]:
        conditions = {one: bool(coerced.coerced.get(one)) for one in self._conditions(document)}
        fields = Compiler(self.schema, document.fragments, conditions).root_fields(operation)
        if len(fields) != 1:
            # Validation sees to the rest; a condition may still leave nothing.
            raise GraphQLError("A subscription asks for exactly one field, and its conditions leave none.", operation)
        key, nodes = fields[0]
        return key, nodes[0]

    def _source(self, node: FieldNode, coerced: VariableValues) -> tuple[Source, dict[str, Any]]:
        """Where the events come from, and the arguments it begins with. Raises: GraphQLError for bad arguments."""
        root = self._graphql.subscription_type
        if root is None:
            raise TypeError("the schema has no subscriptions")
        definition = root.fields[node.name.value]
        return SOURCES[node.name.value], get_argument_values(definition, node, coerced)

    def _run(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        coerced: VariableValues,
        variables: dict[str, Any] | None,
        session: Session,
        request_id: str,
        root: Any = None,
    ) -> dict[str, Any]:
        plan = self._plan(document, operation, coerced) if self._compiles else None
        if plan is not None:
            try:
                return {"data": plan.run(session, coerced, root)}
            except Exception:
                session = session.anew()
        name = operation.name.value if operation.name else None
        return self._interpret(document, name, variables, session, request_id, root)

    def _coerced(
        self, document: Document, operation: OperationDefinitionNode, raw: dict[str, Any], *, introspection: bool
    ) -> VariableValues | list[GraphQLError]:
        """The variables as resolvers take them, or what is wrong with them."""
        name = operation.name.value if operation.name else None
        if self._compiles:
            if name not in document.coercers:
                document.coercers[name] = variables_coercer(self._graphql, operation)
            coerce = document.coercers[name]
            if coerce is not None:
                with suppress(Unusual):
                    return coerce(raw)
        return get_variable_values(
            self._graphql,
            operation.variable_definitions or (),
            raw,
            max_errors=MOST_ERRORS_SHOWN,
            hide_suggestions=not introspection,
        )

    def _interpret(
        self,
        document: Document,
        operation_name: str | None,
        variables: dict[str, Any] | None,
        session: Session,
        request_id: str,
        root: Any = None,
    ) -> dict[str, Any]:
        result = execute_sync(
            self._graphql,
            document.node,
            root,
            context_value=session,
            variable_values=variables,
            operation_name=operation_name or None,
            middleware=MiddlewareManager(_counting),
        )
        if result.errors and result.data is None and not any(error.path for error in result.errors):
            return request_errors(result.errors, BAD_USER_INPUT)
        response: dict[str, Any] = {"data": result.data}
        if result.errors:
            response["errors"] = field_errors(result.errors, request_id)
        return response

    def kind(self, query: str, operation_name: str | None, *, introspection: bool = True) -> OperationType | None:
        """What a request is, which decides how it is run; None when it cannot be run."""
        document = self.documents.get(query, introspection=introspection)
        operation = document.operation(operation_name) if document.refused is None else None
        return operation.operation if isinstance(operation, OperationDefinitionNode) else None

    def refusal_of(self, query: str, *, introspection: bool = True) -> dict[str, Any] | None:
        """Why a document can never run, as the response says it; None when it can."""
        return self.documents.get(query, introspection=introspection).refused

    @staticmethod
    def _conditions(document: Document) -> tuple[str, ...]:
        found: tuple[str, ...] | None = document.plans.get(_CONDITIONS)
        if found is None:
            found = tuple(sorted(condition_variables(document.node.definitions)))
            document.plans[_CONDITIONS] = found
        return found

    def _plan(self, document: Document, operation: OperationDefinitionNode, variables: VariableValues) -> Plan | None:
        """The compiled operation, or None when graphql-core is to run it."""
        name = operation.name.value if operation.name else None
        plans = document.plans
        conditions = self._conditions(document)
        key = (name, *(bool(variables.coerced.get(one)) for one in conditions))
        if key in plans:
            known: Plan | None = plans[key]
            return known
        if len(plans) > MOST_PLANS_PER_DOCUMENT:
            return None
        values = {one: bool(variables.coerced.get(one)) for one in conditions}
        try:
            plan: Plan | None = Compiler(self.schema, document.fragments, values).compile(operation)
        except (Unsupported, RecursionError):
            plan = None
        plans[key] = plan
        return plan


def _counting(resolve: Callable[..., Any], source: Any, info: Any, /, **arguments: Any) -> Any:
    """Lets graphql-core, too, stop where a compiled plan would: every field of every row counts."""
    info.context.serve(1)
    return resolve(source, info, **arguments)


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The engine of this process."""
    return Engine()


def execute(
    query: str,
    variables: dict[str, Any] | None,
    operation_name: str | None,
    session: Session,
    *,
    request_id: str = "",
    introspection: bool = True,
    reads_only: bool = False,
) -> dict[str, Any]:
    """The response map of one request, by this process's engine."""
    return engine().execute(
        query,
        variables,
        operation_name,
        session,
        request_id=request_id,
        introspection=introspection,
        reads_only=reads_only,
    )
