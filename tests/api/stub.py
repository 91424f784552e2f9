"""A small graph that stands in for the real one where only HTTP is on trial."""

from __future__ import annotations

import threading
import time
from typing import Any

import graphql

from adgraph.identity.auth import Caller
from adgraph.operations.run import Feed, Kind
from adgraph.protocol.wire import GraphQLRequest
from storage.database import Database, Transaction
from storage.errors import StorageBusy

SCHEMA = graphql.build_schema(
    """
    type Query {
      "Who asks."
      viewer: String
      "The name of the thread that answers."
      thread: String!
      "Answers late."
      slow(ms: Int!): Boolean!
      "Fails in the way named."
      fail(how: String!): String!
      echo(text: String): String
      managerAccount(id: ID!): ManagerAccount
    }
    type Mutation { touch: Boolean! }
    type ManagerAccount { id: ID! name: String! }
    """
)


class StubGraph:
    """Parses, validates and runs like the real graph; counts the mutations it has run."""

    def __init__(self) -> None:
        self.mutations = 0
        self.running = threading.Semaphore(0)

    def __call__(
        self,
        request: GraphQLRequest,
        transaction: Transaction,
        caller: Caller | None,
        request_id: str,
        *,
        reads_only: bool,
    ) -> dict[str, Any]:
        if request.query == "explode":
            raise KeyError("a secret from inside")
        if request.query == "busy":
            raise StorageBusy("The database was busy for too long. Nothing was changed; try again.")
        if request.query == "deep":
            raise RecursionError
        try:
            document = graphql.parse(request.query)
        except graphql.GraphQLError as problem:
            return _request_errors("GRAPHQL_PARSE_FAILED", [problem])
        if problems := graphql.validate(SCHEMA, document):
            return _request_errors("GRAPHQL_VALIDATION_FAILED", problems)
        operation = graphql.get_operation_ast(document, request.operation_name)
        if operation is None:
            return _request_errors("OPERATION_RESOLUTION_FAILURE", [graphql.GraphQLError("Name the operation.")])
        if reads_only and operation.operation.value != "query":
            return _request_errors("METHOD_NOT_ALLOWED", [graphql.GraphQLError("Send mutations by POST.")])
        return self._execute(document, request, caller)

    def kind(self, request: GraphQLRequest) -> Kind | None:
        return None

    def refusal_of(self, text: str) -> dict[str, Any] | None:
        try:
            problems = graphql.validate(SCHEMA, graphql.parse(text))
        except graphql.GraphQLError as problem:
            problems = [problem]
        return _request_errors("REFUSED", problems) if problems else None

    def subscribe(
        self, request: GraphQLRequest, transaction: Transaction, caller: Caller | None, request_id: str
    ) -> Feed | dict[str, Any]:
        raise NotImplementedError

    def admit(self, caller: Caller | None) -> None:
        """Everybody."""

    def write(
        self, request: GraphQLRequest, database: Database, caller: Caller | None, request_id: str
    ) -> dict[str, Any]:
        raise NotImplementedError

    def _execute(
        self, document: graphql.DocumentNode, request: GraphQLRequest, caller: Caller | None
    ) -> dict[str, Any]:
        root = {
            "viewer": caller and caller.user_name,
            "thread": lambda _: threading.current_thread().name,
            "slow": self._slow,
            "fail": _fail,
            "echo": lambda _, text=None: text,
            "managerAccount": lambda _, id: {"id": id, "name": "Manager Account L1"},
            "touch": self._touch,
        }
        result = graphql.execute_sync(
            SCHEMA, document, root, variable_values=request.variables, operation_name=request.operation_name
        )
        answer: dict[str, Any] = {**result.formatted}
        if result.data is None and not any(problem.path for problem in result.errors or ()):
            return _request_errors("BAD_USER_INPUT", result.errors or [])
        return answer

    def _slow(self, _: Any, ms: int) -> bool:
        self.running.release()
        time.sleep(ms / 1_000)
        return True

    def _touch(self, _: Any) -> bool:
        self.mutations += 1
        return True


def _fail(_: Any, how: str) -> str:
    raise graphql.GraphQLError("No.", extensions={"code": how})


def _request_errors(code: str, problems: list[graphql.GraphQLError]) -> dict[str, Any]:
    return {"errors": [{"message": problem.message, "extensions": {"code": code}} for problem in problems]}
