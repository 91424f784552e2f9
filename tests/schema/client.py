"""The test client: asks the graph as one login, and believes no answer that it has not checked.

Every request is run compiled and by graphql-core, which must agree, also on its cost; every access answer is asked for
its reasons, and each reason is verified against the stored facts; every error has a sentence and a stable code.
"""

from __future__ import annotations

import re
from typing import Any

from graphql import GraphQLSchema

from resolvers.errors import Code
from resolvers.session import Limits, Meter, Session, Viewer
from schema.build import build_schema
from schema.document_rules import DocumentLimits
from schema.errors import (
    BAD_USER_INPUT,
    DOCUMENT_TOO_LARGE,
    INTERNAL_SERVER_ERROR,
    OPERATION_RESOLUTION_FAILURE,
    PARSE_FAILED,
    VALIDATION_FAILED,
)
from schema.execution import Engine
from storage.database import Database, Transaction
from storage.demo import EARLIEST_NOW_MS
from storage.records.ids import Instant, LoginId, UserId
from tests.oracle import World, users_behind, users_of_login
from tests.schema.claims import Claims, widened, without_claims
from tests.schema.facts_of import read_world

GRAPH: GraphQLSchema = build_schema()._schema
ROOMY = DocumentLimits(depth=40, fields=10_000, aliases=2_000, directives=200, tokens=20_000)
"""Documents that are made from the schema ask for everything at once; what is sensible is on trial elsewhere."""
COMPILED = Engine(ROOMY)
INTERPRETED = Engine(ROOMY, compiles=False)
STABLE_CODES = frozenset(
    {*map(str, Code), DOCUMENT_TOO_LARGE, PARSE_FAILED, VALIDATION_FAILED, BAD_USER_INPUT, OPERATION_RESOLUTION_FAILURE}
)
NOW_MS = EARLIEST_NOW_MS
_INSIDES = re.compile(r"Traceback|[Ss][Qq][Ll]ite|psycopg|[Pp]eewee|SELECT |<class|object at 0x|NoneType")
"""What a sentence to a stranger never contains."""

Answer = dict[str, Any]


class GraphClient:
    """Asks as one login, or as one user of it. `login` None is somebody without a token."""

    def __init__(
        self,
        database: Database,
        login: int | None,
        *,
        world: World | None = None,
        limits: Limits | None = None,
        acting: int | None = None,
    ) -> None:
        self.database = database
        self.login = login
        self.acting = acting
        self.limits = limits
        self.statements = 0
        """How many SQL statements the last request ran."""
        self.cost = 0
        """What the last request cost."""
        if world is None:
            with database.read() as transaction:
                world = read_world(transaction)
        self.world = world
        self.claims = Claims(world)

    def session(self, transaction: Transaction) -> Session:
        """A request of this login, or of its user."""
        viewer = None
        if self.login is not None:
            acting = None if self.acting is None else UserId(self.acting)
            viewer = Viewer(LoginId(self.login), "someone@user.example", acting_user=acting)
        return Session(transaction, viewer, Instant(NOW_MS), self.limits)

    def ask(self, query: str, variables: dict[str, Any] | None = None, operation_name: str | None = None) -> Answer:
        """The whole response, once both ways of running it agree and every reason in it was verified."""
        with self.database.read() as transaction:
            meter, other = Meter(), Meter()
            answer = COMPILED.execute(query, variables, operation_name, self.session(transaction), meter=meter)
            self.statements = transaction.statements
            session = self.session(transaction)
            interpreted = INTERPRETED.execute(query, variables, operation_name, session, meter=other)
            assert interpreted == answer, _first_difference(answer, interpreted)
            assert other.cost == meter.cost, "compiled and interpreted cost the same"
            self.cost = meter.cost
            _check_errors(answer)
            if answer.get("data") is not None:
                self._verify(transaction, query, variables, operation_name, answer)
        return answer

    def ask_once(self, query: str, variables: dict[str, Any] | None = None) -> Answer:
        """The response, run once and as the server runs it: for questions about cost, or asked very often."""
        with self.database.read() as transaction:
            meter = Meter()
            answer = COMPILED.execute(query, variables, None, self.session(transaction), meter=meter)
            self.statements = transaction.statements
            self.cost = meter.cost
        _check_errors(answer)
        return answer

    def data(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        """The data of a request that must succeed."""
        answer = self.ask(query, variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def refusal(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        """The one error of a request that must be refused."""
        [error] = self.ask(query, variables)["errors"]
        return error

    def _verify(
        self,
        transaction: Transaction,
        query: str,
        variables: dict[str, Any] | None,
        operation_name: str | None,
        answer: Answer,
    ) -> None:
        reasons = widened(query, GRAPH)
        if reasons is None or self.login is None:
            return
        full = COMPILED.execute(reasons, variables, operation_name, self.session(transaction))
        assert full.get("data") is not None, f"the reasons could not be asked for: {full['errors']}"
        if "errors" not in full and "errors" not in answer:
            assert without_claims(full["data"]) == answer["data"], "asking for reasons changed the answer"
        own = users_of_login(self.world, self.login) if self.acting is None else users_behind(self.world, self.acting)
        self.claims.verify(full.get("data"), frozenset(user.id for user in own))


def _first_difference(left: Any, right: Any, way: str = "") -> str:
    """Where two answers part, for a reader: whole answers are too long to compare by eye."""
    if isinstance(left, dict) and isinstance(right, dict) and list(left) == list(right):
        parts: list[Any] = list(left)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        parts = list(range(len(left)))
    else:
        return f"compiled and interpreted differ at {way or 'the top'}: {left!r:.300} and {right!r:.300}"
    for part in parts:
        if left[part] != right[part]:
            return _first_difference(left[part], right[part], f"{way}/{part}")
    return "the order of keys differs"


def _check_errors(answer: Answer) -> None:
    """Every error is a sentence with a stable code, and tells nothing of our insides."""
    for error in answer.get("errors", ()):
        code = error["extensions"]["code"]
        assert code != INTERNAL_SERVER_ERROR, error
        assert code in STABLE_CODES, error
        assert error["message"], error
        assert not _INSIDES.search(error["message"]), error
        assert answer.get("data", None) is None or "path" in error, error
