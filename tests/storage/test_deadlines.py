"""Work past its deadline is stopped where it is, leaves nothing behind, and the thread and the database go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import peewee
import pytest

from storage.database import ROWS_AT_ONCE, Database, Transaction
from storage.deadlines import FOREVER, Deadline, current_deadline, working_until
from storage.errors import OutOfTime, StorageBusy
from storage.statements import Statement

Scribble = peewee.Table("scribble")
SCRIBBLED: Statement[tuple[Any, ...]] = Statement(Scribble.select(Scribble.c.name).order_by(Scribble.c.name))
SOON_S = 0.2
LONG_S = 30.0
STOPPED_WITHIN_S = 5.0
"""Generous: on a busy machine a thread may wait for its turn. Unstopped, the statements here take minutes."""
ENDLESS = {
    "sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000000)"
    " SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
}
COUNTING = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000000) SELECT count(*) FROM n"
)


def endless(transaction: Transaction) -> None:
    """A statement that takes minutes."""
    transaction.execute(ENDLESS[transaction.kind]).fetchall()


def seconds(work: Callable[[], object]) -> float:
    """How long it takes until the work is out of time."""
    started = time.monotonic()
    with pytest.raises(OutOfTime):
        work()
    return time.monotonic() - started


def names(database: Database) -> list[str]:
    with database.read() as transaction:
        return [name for (name,) in transaction.execute("SELECT name FROM scribble ORDER BY name").fetchall()]


@pytest.fixture
def scribbled(database: Database) -> Database:
    """With a table to write into."""
    with database.write() as transaction:
        transaction.execute("CREATE TABLE scribble (name TEXT)")
    return database


def fill(database: Database, rows: int) -> None:
    """So many names, from 000000 on."""
    with database.write() as transaction:
        for row in range(rows):
            scribble(transaction, f"{row:06}")


def scribble(transaction: Transaction, name: str) -> None:
    transaction.execute(f"INSERT INTO scribble (name) VALUES ('{name}')")


@pytest.mark.parametrize("statement", [None, COUNTING], ids=["waiting", "counting"])
def test_a_statement_is_stopped_at_the_deadline(database: Database, statement: str | None) -> None:
    def work() -> None:
        with working_until(Deadline.after(SOON_S)), database.read() as transaction:
            transaction.execute(statement or ENDLESS[transaction.kind]).fetchall()

    assert SOON_S <= seconds(work) < STOPPED_WITHIN_S
    with database.read() as transaction:
        assert transaction.execute("SELECT 1").fetchall() == [(1,)]


def test_a_statement_is_stopped_when_nobody_waits_for_it(database: Database) -> None:
    deadline = Deadline.after(LONG_S)
    threading.Timer(SOON_S, deadline.cancel).start()

    def work() -> None:
        with working_until(deadline), database.read() as transaction:
            endless(transaction)

    assert seconds(work) < STOPPED_WITHIN_S


def test_a_write_that_is_stopped_leaves_nothing_behind(scribbled: Database) -> None:
    def work() -> None:
        with working_until(Deadline.after(SOON_S)), scribbled.write() as transaction:
            scribble(transaction, "half")
            endless(transaction)

    assert seconds(work) < STOPPED_WITHIN_S
    assert names(scribbled) == []
    with scribbled.write() as transaction:
        scribble(transaction, "whole")
    assert names(scribbled) == ["whole"]


def test_a_writing_statement_is_stopped_as_a_whole(scribbled: Database) -> None:
    counting = COUNTING.replace("count(*)", "CAST(i AS TEXT)")

    def work() -> None:
        with working_until(Deadline.after(SOON_S)), scribbled.write() as transaction:
            scribble(transaction, "half")
            transaction.execute(f"INSERT INTO scribble (name) {counting}")

    assert seconds(work) < STOPPED_WITHIN_S
    assert names(scribbled) == []


def test_a_write_is_not_committed_past_the_deadline(scribbled: Database) -> None:
    deadline = Deadline.after(LONG_S)

    def work() -> None:
        with working_until(deadline), scribbled.write() as transaction:
            scribble(transaction, "late")
            deadline.cancel()

    seconds(work)
    assert names(scribbled) == []


def test_no_statement_begins_past_the_deadline(database: Database) -> None:
    deadline = Deadline.after(LONG_S)
    with working_until(deadline), database.read() as transaction:
        deadline.cancel()
        for _ in range(3):
            with pytest.raises(OutOfTime):
                transaction.execute("SELECT 1")
        assert transaction.statements == 0


def test_no_transaction_begins_past_the_deadline(database: Database) -> None:
    with working_until(Deadline.after(0)), pytest.raises(OutOfTime), database.read():
        raise AssertionError
    with database.read() as transaction:
        assert transaction.deadline is None


def test_waiting_for_another_writer_ends_with_the_deadline(scribbled: Database) -> None:
    """On SQLite for the one writer, on PostgreSQL for the row or the table."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with scribbled.write() as transaction:
            if transaction.kind == "postgresql":
                transaction.execute("LOCK TABLE scribble")
            scribble(transaction, "first")
            held.set()
            done.wait(LONG_S)

    def wait() -> None:
        with working_until(Deadline.after(SOON_S)), scribbled.write() as transaction:
            scribble(transaction, "second")

    with ThreadPoolExecutor(1) as other:
        holding = other.submit(hold)
        assert held.wait(LONG_S)
        try:
            assert SOON_S / 2 <= seconds(wait) < 4.0
        finally:
            done.set()
        holding.result()
    assert names(scribbled) == ["first"]


def test_a_lock_without_a_deadline_is_waited_for_as_long_as_the_database_was_opened_for(database_url: str) -> None:
    """Also on a connection whose last write was in a hurry."""
    database = Database.open(database_url, busy_timeout_ms=700)
    with database.write() as transaction:
        transaction.execute("CREATE TABLE scribble (name TEXT)")
    with working_until(Deadline.after(0.3)), database.write() as transaction:
        scribble(transaction, "hurried")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with database.write() as transaction:
            if transaction.kind == "postgresql":
                transaction.execute("LOCK TABLE scribble")
            scribble(transaction, "held")
            held.set()
            done.wait(LONG_S)

    with ThreadPoolExecutor(1) as other:
        holding = other.submit(hold)
        assert held.wait(LONG_S)
        started = time.monotonic()
        with pytest.raises(StorageBusy), database.write() as transaction:
            scribble(transaction, "waiting")
        waited = time.monotonic() - started
        done.set()
        holding.result()
    database.close()
    assert waited >= 0.6


def test_an_interruption_never_meets_the_next_transaction(database: Database) -> None:
    """Deadlines that are over at about the moment their transactions end, many times."""
    stopped = 0
    for turn in range(60):
        try:
            with working_until(Deadline.after(0.0005 * (turn % 12))), database.read() as transaction:
                for _ in range(20):
                    transaction.execute("SELECT 1").fetchall()
        except OutOfTime:
            stopped += 1
        with database.read() as transaction:
            assert transaction.execute("SELECT 2").fetchall() == [(2,)]
    assert 0 < stopped < 60


def test_many_threads_are_stopped_each_at_its_own_time(database: Database) -> None:
    def work(after: float) -> float:
        def one() -> None:
            with working_until(Deadline.after(after)), database.read() as transaction:
                endless(transaction)

        return seconds(one)

    after = [0.1, 0.3, 0.5, 0.7]
    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(work, after))
    assert all(least <= took < least + STOPPED_WITHIN_S for least, took in zip(after, taken, strict=True)), taken


def test_a_deadline_is_over_with_its_block(database: Database) -> None:
    deadline = Deadline.after(LONG_S)
    with working_until(deadline):
        assert current_deadline() is deadline
        with working_until(Deadline.after(1)):
            assert current_deadline() is not deadline
        assert current_deadline() is deadline
    assert current_deadline() is None


def test_work_gives_way_from_the_moment_on_it_is_asked_to() -> None:
    deadline, given = Deadline.after(LONG_S), list[str]()
    deadline.give_way_at(time.monotonic() + LONG_S / 2, lambda: given.append("too early"))
    deadline.check()
    deadline.give_way_at(time.monotonic(), lambda: given.append("in time"))
    deadline.check()
    deadline.give_way_at(FOREVER, lambda: given.append("never"))
    deadline.check()
    assert given == ["in time"]


def test_work_that_is_over_gives_way_to_nobody_and_stops() -> None:
    deadline, given = Deadline.after(LONG_S), list[str]()
    deadline.cancel()
    deadline.give_way_at(0.0, lambda: given.append("too late"))
    with pytest.raises(OutOfTime):
        deadline.check()
    deadline.give_way_at(FOREVER, lambda: given.append("never"))
    with pytest.raises(OutOfTime):
        deadline.check()
    assert given == []


def test_work_that_was_cancelled_while_it_gave_way_stops() -> None:
    deadline = Deadline.after(LONG_S)
    deadline.give_way_at(0.0, deadline.cancel)
    with pytest.raises(OutOfTime):
        deadline.check()


class Overtaken(Deadline):
    """Is cancelled by another thread just after `give_way_at` has read when it ends."""

    is_asked = False

    @property
    def ends_at(self) -> float:
        end = self._end
        if self.is_asked:
            self.is_asked = False
            self.cancel()
        return end

    @ends_at.setter
    def ends_at(self, end: float) -> None:
        self._end = end


def test_to_be_asked_for_its_turn_hides_no_cancellation() -> None:
    deadline = Overtaken(time.monotonic() + LONG_S)
    deadline.is_asked = True
    deadline.give_way_at(FOREVER, lambda: None)
    with pytest.raises(OutOfTime):
        deadline.check()


@pytest.mark.parametrize("rows", [0, 1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 3 * ROWS_AT_ONCE])
def test_however_many_rows_there_are_all_are_fetched(scribbled: Database, rows: int) -> None:
    fill(scribbled, rows)
    with working_until(Deadline.after(LONG_S)), scribbled.read() as transaction:
        assert transaction.fetch(SCRIBBLED) == [(f"{row:06}",) for row in range(rows)]
        assert transaction.rows == rows
    with scribbled.read() as transaction:
        assert len(transaction.fetch(SCRIBBLED)) == rows


def test_who_fetches_many_rows_gives_way_between_them(scribbled: Database) -> None:
    fill(scribbled, 3 * ROWS_AT_ONCE)
    deadline, given = Deadline.after(LONG_S), list[int]()
    with working_until(deadline), scribbled.read() as transaction:
        deadline.give_way_at(0.0, lambda: given.append(1))
        transaction.fetch(SCRIBBLED)
    assert len(given) > 1


def test_a_fetch_that_is_stopped_halfway_leaves_no_snapshot_behind(scribbled: Database) -> None:
    fill(scribbled, 3 * ROWS_AT_ONCE)
    deadline, calls = Deadline.after(LONG_S), list[int]()

    def second_time() -> None:
        calls.append(1)
        if len(calls) == 2:
            deadline.cancel()

    stopped = None
    try:
        with working_until(deadline), scribbled.read() as transaction:
            deadline.give_way_at(0.0, second_time)
            transaction.fetch(SCRIBBLED)
    except OutOfTime as problem:
        stopped = problem  # and with it whatever the frames hold
    assert stopped is not None
    with scribbled.write() as transaction:
        scribble(transaction, "new")
    assert "new" in names(scribbled)
    with scribbled.write() as transaction:
        transaction.execute("DROP TABLE scribble")  # refused while a statement reads it
