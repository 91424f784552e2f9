"""What a session loads together it refuses together: a refusal is never taken for something that is not there."""

from __future__ import annotations

import pytest

from resolvers.errors import Code, Refusal
from resolvers.session import Session
from storage.database import Database
from storage.records.ids import Instant


def test_a_refused_load_is_refused_to_all_of_its_cohort(database: Database) -> None:
    loads: list[list[int]] = []

    def load(ids: list[int]) -> dict[int, str]:
        loads.append(ids)
        raise Refusal(Code.CHAIN_OVER_LIMIT, "too long")

    with database.read() as transaction:
        session = Session(transaction, None, Instant(0))
        session.register("thing", [1, 2])
        for asked in (1, 2, 1):
            with pytest.raises(Refusal):
                session.together("thing", asked, "row", load)
    assert loads == [[1, 2]]


def test_a_load_that_failed_is_tried_again(database: Database) -> None:
    def fail(_: list[int]) -> dict[int, str]:
        raise OSError("gone")

    with database.read() as transaction:
        session = Session(transaction, None, Instant(0))
        session.register("thing", [1, 2])
        with pytest.raises(OSError, match="gone"):
            session.together("thing", 1, "row", fail)
        assert session.together("thing", 2, "row", lambda ids: {one: str(one) for one in ids}) == "2"
        assert session.together("thing", 1, "row", lambda ids: {one: str(one) for one in ids}) == "1"
