"""Runs a request over a session: parse and validate once a document, then compiled, or by graphql-core.

The answer is the response map; a request that did not run has no `data` in it.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values

from resolvers.errors import Refusal, RequestStopped, out_of_time
from resolvers.session import Meter, Session
from schema.build import build_schema
from schema.compiled import Compiler, Plan, Unsupported, condition_variables
from schema.counting import COUNTING
from schema.document_rules import DocumentLimits, too_many_values_in
from schema.documents import Document, DocumentCache
from schema.errors import (
    BAD_USER_INPUT,
    METHOD_NOT_ALLOWED,
    MOST_ERRORS_SHOWN,
    OPERATION_RESOLUTION_FAILURE,
    field_errors,
    oversize_request,
    request_errors,
    stopped_request,
)
from schema.streams import Stream
from schema.subscription import SOURCES, Source
from schema.variables import Unusual, variables_coercer
from schema.writes import BeginWrite, execute_mutation
from storage.errors import OutOfTime, StorageError

MOST_PLANS_PER_DOCUMENT = 16
"""Plans differ by the values of `@skip` and `@include` conditions; more are run by graphql-core."""
NEEDS_A_SOCKET = (
    "A subscription is answered over a WebSocket: connect to this address with the subprotocol graphql-transport-ws."
)
_CONDITIONS = "conditions"
"""Where a document keeps what its plans depend on; plans themselves stand under tuples."""


class Expected(NamedTuple):
    """What is known about the cost of a request before it runs: `cost` when it finds one of everything it asks for,
    0 when it cannot run; `reading` for a document that was not known yet, by its length.
    """

    cost: int
    reading: int


class Engine:
    """The schema with its caches. One a process; safe to share between threads."""

    def __init__(self, limits: DocumentLimits | None = None, *, compiles: bool = True) -> None:
        self.schema = build_schema()
        self._graphql = self.schema._schema
        self.documents = DocumentCache(self._graphql, limits or DocumentLimits())
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
        meter: Meter | None = None,
    ) -> dict[str, Any]:
        """The response map of one request.

        `reads_only`: refuse mutations, for requests that may be repeated by anybody (GET). `begin_write`: how
        mutations get their transactions; `session` is then not used. `meter` is told what the request has cost,
        however it ended; what did not run cost nothing.
        """
        meter = meter or Meter()
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
        excess = too_many_values_in(variables) if variables else None
        if excess is not None:
            return oversize_request(excess)
        coerced = self._coerced(document, operation, variables or {}, introspection=introspection)
        if isinstance(coerced, list):
            return request_errors(coerced, BAD_USER_INPUT)
        try:
            if operation.operation == OperationType.MUTATION and begin_write is not None:
                conditions = {one: bool(coerced.coerced.get(one)) for one in self._conditions(document)}
                return execute_mutation(
                    self.schema, document, operation, variables, conditions, begin_write, request_id, meter
                )
            if session is None:
                raise TypeError("a query needs a session")
            return self._run(document, operation, coerced, variables, session, request_id, meter)
        except RequestStopped as stopped:
            return stopped_request(stopped.refusal)
        except OutOfTime:
            return stopped_request(out_of_time())

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
                return self._run(document, operation, coerced, variables, session, request_id, Meter(), event)
            except RequestStopped as stopped:
                return stopped_request(stopped.refusal)
            except OutOfTime:
                return stopped_request(out_of_time())

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
        meter: Meter,
        root: Any = None,
    ) -> dict[str, Any]:
        plan = self._plan(document, operation, coerced) if self._compiles else None
        try:
            if plan is not None:
                try:
                    return {"data": plan.run(session, coerced, root)}
                except Exception:
                    session = session.anew()
            name = operation.name.value if operation.name else None
            return self._interpret(document, name, variables, session, request_id, root)
        finally:
            meter.cost += session.cost

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
        session.serve(0, 1)
        result = execute_sync(
            self._graphql,
            document.node,
            root,
            context_value=session,
            variable_values=variables,
            operation_name=operation_name or None,
            middleware=COUNTING,
        )
        session.go_on()
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

    def expected(self, query: str, operation_name: str | None, *, introspection: bool = True) -> Expected:
        """What a request is expected to cost, and what reading its document has cost just now."""
        document = self.documents.get(query, introspection=introspection)
        if operation_name or len(document.expected) != 1:
            cost = document.expected.get(operation_name or None, 0)
        else:
            [cost] = document.expected.values()
        return Expected(cost, document.claim_reading())

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


@lru_cache(maxsize=2)
def engine(limits: DocumentLimits | None = None) -> Engine:
    """The engine of this process for documents of this size at most; None means as large as is sensible."""
    return Engine(limits)


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
