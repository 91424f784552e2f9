"""Whenever the time of a request ends, it is stopped as a whole: no part of an answer, no fault of ours, no denial."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from resolvers.errors import out_of_time
from schema.execution import Engine
from storage.database import Transaction
from storage.deadlines import Deadline, working_until
from tests.schema.client import COMPILED, INTERPRETED
from tests.schema.conftest import AsUser
from tests.schema.questions import QUERIES

STOPPED = {"errors": [{"message": out_of_time().message, "extensions": {"code": "REQUEST_TIMEOUT"}}]}
BOTH = pytest.mark.parametrize("engine", [COMPILED, INTERPRETED], ids=["compiled", "interpreted"])
LONG_S = 600.0


class Countdown:
    """Cancels the deadline when so many statements have run."""

    def __init__(self) -> None:
        self.deadline = Deadline.after(LONG_S)
        self.left = 0

    def start(self, statements: int) -> None:
        self.deadline = Deadline.after(LONG_S)
        self.left = statements

    def count(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.deadline.cancel()


@pytest.fixture
def countdown(monkeypatch: pytest.MonkeyPatch) -> Countdown:
    """Every statement counts."""
    counting = Countdown()
    really = Transaction.fetch

    def fetch(self: Transaction, *arguments: Any, **params: Any) -> Any:
        rows = really(self, *arguments, **params)
        counting.count()
        return rows

    monkeypatch.setattr(Transaction, "fetch", fetch)
    return counting


@BOTH
@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_question_is_answered_whole_or_not_at_all(
    as_user: AsUser, countdown: Countdown, engine: Engine, path: Path
) -> None:
    client = as_user(6001)
    file = path.with_suffix(".variables.json")
    variables = json.loads(file.read_text()) if file.exists() else {}

    def run(statements: int) -> tuple[Any, int]:
        countdown.start(statements)
        with working_until(countdown.deadline), client.database.read() as transaction:
            answer = engine.execute(path.read_text(), variables, None, client.session(transaction))
            return answer, transaction.statements

    run(0)  # what need not be asked again is known from here on
    whole, needed = run(0)
    assert "data" in whole
    for statements in range(1, needed + 1):
        answer, made = run(statements)
        assert answer == STOPPED, statements
        assert made == statements
    assert run(needed + 1)[0] == whole
