"""Subscribes as one login, as the server does: one step after the other, each over a snapshot of its own."""

from __future__ import annotations

from typing import Any

from resolvers.changes import Tail, cursor_of
from resolvers.session import Limits, Session, Viewer
from schema.streams import Step, Stream
from storage.database import Database, Transaction
from storage.records.ids import Instant, LoginId, RevisionId
from tests.schema.client import COMPILED, INTERPRETED, NOW_MS, Answer

BEGINNING = {"after": cursor_of(RevisionId(0))}
"""Variables with which everything is told that ever was."""
CHANGES = """
subscription ($after: String, $first: Int) {
  changes(after: $after, first: $first) {
    cursor revision operation actor
    actingAs { userId }
    changed { node { __typename id } entries { operation before after reason } }
  }
}
"""


class Subscriber:
    """A subscription of one login. Every event is made compiled and by graphql-core, which must agree."""

    def __init__(
        self,
        database: Database,
        login: int | None,
        query: str = CHANGES,
        variables: dict[str, Any] | None = None,
        *,
        limits: Limits | None = None,
    ) -> None:
        self.database = database
        self.login = login
        self.limits = limits
        self.statements = 0
        """How many SQL statements the last step ran."""
        with database.read() as transaction:
            begun = [
                engine.subscribe(query, variables, None, self.session(transaction), request_id="r")
                for engine in (COMPILED, INTERPRETED)
            ]
        self.streams = [one for one in begun if isinstance(one, Stream)]
        self.refused: Answer | None = None
        if not self.streams:
            assert begun[0] == begun[1]
            assert isinstance(begun[0], dict)
            self.refused = begun[0]
        else:
            self.tail: Tail = self.streams[0].begins

    def session(self, transaction: Transaction) -> Session:
        """A step of this login."""
        viewer = None if self.login is None else Viewer(LoginId(self.login), "someone@user.example")
        return Session(transaction, viewer, Instant(NOW_MS), self.limits)

    @property
    def is_over(self) -> bool:
        """Whether it has told as many events as were asked for."""
        return self.tail.is_over

    def step(self) -> Answer | None:
        """The response of the next step, or None when it told nothing."""
        with self.database.read() as transaction:
            step = self.streams[0].step(self.session(transaction), self.tail, "r")
            self.statements = transaction.statements
            again: Step = self.streams[1].step(self.session(transaction), self.tail, "r")
        assert again == step
        self.tail = step.tail
        return step.response

    def latest(self) -> int:
        """The latest committed revision."""
        with self.database.read() as transaction:
            return self.session(transaction).revision

    def event(self) -> Answer | None:
        """The response of the next event there is; None when there is none now."""
        while not self.is_over:
            response = self.step()
            if response is not None:
                return response
            if self.tail.position >= self.latest():
                return None
        return None

    def data(self) -> Any:
        """The data of the next event, which must be there and without an error."""
        response = self.event()
        assert response is not None, "there is no event"
        assert "errors" not in response, response["errors"]
        return response["data"]

    def all(self) -> list[Any]:
        """All events there are now."""
        found = []
        while (response := self.event()) is not None:
            assert "errors" not in response, response["errors"]
            found.append(response["data"]["changes"])
        return found
