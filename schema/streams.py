"""A subscription under way: its events one by one, each over a snapshot of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from resolvers.changes import Tail
from resolvers.errors import RequestStopped
from resolvers.session import Session
from schema.subscription import Source


class Step(NamedTuple):
    """One step of a subscription: how far it has come, and the response map of its event, if there was one."""

    tail: Tail
    response: dict[str, Any] | None


class Stream:
    """A subscription under way. It holds no snapshot and keeps no event: each step gets a session of its own."""

    def __init__(self, source: Source, begins: Tail, answer: Callable[[Session, Any, str], dict[str, Any]]) -> None:
        self._source = source
        self._answer = answer
        self.begins = begins
        """How far it has come before its first step."""

    def step(self, session: Session, tail: Tail, request_id: str) -> Step:
        """The next event after `tail` in the session's snapshot.

        Raises: StorageError, Refusal; then nothing is lost, and the step may be taken again.
        """
        try:
            tail, event = self._source.next(session, tail)
        except RequestStopped as stopped:
            raise stopped.refusal from stopped
        return Step(tail, None if event is None else self._answer(session, event, request_id))
