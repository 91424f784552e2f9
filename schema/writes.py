"""Runs mutations: each root field on its own, in one write transaction of its own, one after the other.

The transaction stays open while the payload is read, so a payload shows what was written, also when it is
about to be rolled back (`dryRun`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    execute_sync,
)
from strawberry import Schema

from resolvers.errors import Refusal, RequestStopped, out_of_time
from resolvers.session import Meter
from resolvers.writing import WriteSession
from schema.compiled import Compiler
from schema.counting import COST_OF_A_MUTATION, COUNTING
from schema.documents import Document
from schema.errors import BAD_USER_INPUT, field_errors, request_errors
from storage.errors import OutOfTime

MOST_WRITES = 10
"""Root fields of one mutation; each takes the database's one writer for itself."""

BeginWrite: TypeAlias = Callable[[], AbstractContextManager[WriteSession]]
"""Opens a write transaction with a session over it; the block's end commits, an exception rolls back."""


class _RollBack(Exception):
    """Ends a write transaction without committing it; nothing is wrong."""


def execute_mutation(
    schema: Schema,
    document: Document,
    operation: OperationDefinitionNode,
    variables: dict[str, Any] | None,
    conditions: dict[str, bool],
    begin: BeginWrite,
    request_id: str,
    meter: Meter,
) -> dict[str, Any]:
    """The response map of a mutation. Fields after one that failed are still carried out, as GraphQL has it.

    One that is stopped is rolled back and says so in its place; those before it stay done. When the time is over,
    those after it are not begun.
    """
    fragments = [one for one in document.node.definitions if isinstance(one, FragmentDefinitionNode)]
    compiler = Compiler(schema, {one.name.value: one for one in fragments}, conditions)
    fields = compiler.root_fields(operation)
    if len(fields) > MOST_WRITES:
        message = f"One request carries out at most {MOST_WRITES} mutations, not {len(fields)}: send several requests."
        return request_errors([GraphQLError(message)], BAD_USER_INPUT)
    data: dict[str, Any] = {}
    errors: list[dict[str, Any]] = []
    for key, nodes in fields:
        alone = _with_only(operation, nodes, fragments)
        try:
            result = _run(schema, alone, variables, begin, key, meter)
        except RequestStopped as stopped:
            result = _stopped(key, stopped.refusal)
        except OutOfTime:
            result = _stopped(key, out_of_time())
        if result.data is None and not any(error.path for error in result.errors or ()):
            return request_errors(result.errors or (), BAD_USER_INPUT)
        data[key] = (result.data or {}).get(key)
        errors += field_errors(result.errors or (), request_id)
    return {"data": data, "errors": errors} if errors else {"data": data}


def _run(
    schema: Schema,
    document: DocumentNode,
    variables: dict[str, Any] | None,
    begin: BeginWrite,
    key: str,
    meter: Meter,
) -> ExecutionResult:
    result = ExecutionResult(None, None)
    meter.cost += COST_OF_A_MUTATION
    with suppress(_RollBack), begin() as session:
        try:
            result = execute_sync(
                schema._schema,
                document,
                context_value=session,
                variable_values=variables,
                middleware=COUNTING,
            )
            session.go_on()
        finally:
            meter.cost += session.cost
        failed = any(error.path is None or error.path == [key] for error in result.errors or ())
        _roll_back_if(failed or session.rolls_back)
    return result


def _stopped(key: str, refusal: Refusal) -> ExecutionResult:
    """The result of a mutation that was stopped, and so rolled back, or not begun."""
    cause = Refusal(refusal.code, f"{refusal.message} Nothing of this mutation was kept.")
    return ExecutionResult({key: None}, [GraphQLError(cause.message, path=[key], original_error=cause)])


def _roll_back_if(needed: bool) -> None:
    if needed:
        raise _RollBack


def _with_only(
    operation: OperationDefinitionNode, nodes: list[FieldNode], fragments: list[FragmentDefinitionNode]
) -> DocumentNode:
    only = OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=operation.directives,
        selection_set=SelectionSetNode(selections=tuple(nodes)),
    )
    return DocumentNode(definitions=(only, *fragments))
