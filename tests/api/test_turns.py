"""Threads take turns: in order, so many at once, and nobody who waits for something else keeps others from working."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from adgraph.operations import turns as module
from adgraph.operations.turns import Turns

PATIENCE_S = 10


class Gate:
    """A job that tells when it runs and ends when it is told to; it may step aside first."""

    def __init__(self, turns: Turns, *, steps_aside: bool = False) -> None:
        self.turns = turns
        self.steps_aside = steps_aside
        self.runs = threading.Event()
        self.ends = threading.Event()
        self.thread = ""

    def __call__(self) -> None:
        self.thread = threading.current_thread().name
        if self.steps_aside:
            self.turns.step_aside()
        self.runs.set()
        assert self.ends.wait(PATIENCE_S)

    def has_begun(self) -> bool:
        """Whether it runs, or begins within a moment."""
        return self.runs.wait(0.05)


@pytest.fixture
def make() -> Iterator[Callable[[int, int], Turns]]:
    """Makes turns that end with the test."""
    made: list[Turns] = []

    def of(threads: int, at_once: int) -> Turns:
        made.append(Turns(threads=threads, at_once=at_once))
        return made[-1]

    yield of
    for turns in made:
        turns.close()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that is about to be so."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize("at_once", [1, 2])
def test_only_so_many_work_at_once_and_the_next_begins_when_one_ends(
    at_once: int, make: Callable[[int, int], Turns]
) -> None:
    turns = make(4, at_once)
    gates = [Gate(turns) for _ in range(3)]
    assert [turns.submit(gate) for gate in gates] == [False, *[at_once == 1], True]
    assert all(gate.has_begun() for gate in gates[:at_once])
    assert not gates[at_once].has_begun()
    gates[0].ends.set()
    assert gates[at_once].runs.wait(PATIENCE_S)
    for gate in gates:
        gate.ends.set()


def test_jobs_begin_in_the_order_they_came(make: Callable[[int, int], Turns]) -> None:
    turns, order, done = make(4, 1), list[int](), threading.Event()
    first = Gate(turns)
    turns.submit(first)
    for number in range(20):
        turns.submit(lambda number=number: order.append(number))  # type: ignore[misc]
    turns.submit(done.set)
    first.ends.set()
    assert done.wait(PATIENCE_S)
    assert order == list(range(20))


def test_one_that_steps_aside_lets_the_next_begin(make: Callable[[int, int], Turns]) -> None:
    turns = make(4, 1)
    waits, next_one, third = Gate(turns, steps_aside=True), Gate(turns), Gate(turns)
    turns.submit(waits)
    assert waits.runs.wait(PATIENCE_S)
    turns.submit(next_one)
    turns.submit(third)
    assert next_one.runs.wait(PATIENCE_S)
    assert not third.has_begun(), "who steps aside gives one turn, not two"
    waits.ends.set()
    assert not third.has_begun(), "who ends after he stepped aside gives none"
    next_one.ends.set()
    assert third.runs.wait(PATIENCE_S)
    third.ends.set()


def test_one_that_has_had_its_time_gets_company_and_one_that_has_not_does_not(
    make: Callable[[int, int], Turns], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = make(4, 1)
    slow, next_one = Gate(turns), Gate(turns)
    monkeypatch.setattr(module, "TURN_MS", 60_000)
    turns.submit(slow)
    turns.submit(next_one)
    assert turns.relieve(), "somebody still waits"
    assert not next_one.has_begun()
    monkeypatch.setattr(module, "TURN_MS", 0)
    assert not turns.relieve()
    assert next_one.runs.wait(PATIENCE_S)
    slow.ends.set()
    next_one.ends.set()


def test_there_are_never_more_threads_than_allowed(make: Callable[[int, int], Turns]) -> None:
    turns = make(2, 1)
    gates = [Gate(turns, steps_aside=True) for _ in range(4)]
    for gate in gates:
        turns.submit(gate)
    assert all(gate.runs.wait(PATIENCE_S) for gate in gates[:2])
    assert not gates[2].has_begun()
    assert turns.unfinished == 4
    for gate in gates:
        gate.ends.set()
    wait_until(lambda: turns.unfinished == 0)
    assert len({gate.thread for gate in gates}) == 2


def test_the_thread_that_worked_last_goes_on(make: Callable[[int, int], Turns]) -> None:
    turns = make(4, 4)
    together = [Gate(turns) for _ in range(3)]
    for gate in together:
        turns.submit(gate)
    assert all(gate.runs.wait(PATIENCE_S) for gate in together)
    for gate in together:
        gate.ends.set()
        wait_until(lambda: turns.unfinished < 3)
    wait_until(lambda: turns.unfinished == 0)
    names = set()
    for _ in range(5):
        alone = Gate(turns)
        turns.submit(alone)
        assert alone.runs.wait(PATIENCE_S)
        alone.ends.set()
        wait_until(lambda: turns.unfinished == 0)
        names.add(alone.thread)
    assert len(names) == 1


def test_one_that_raises_takes_nothing_from_the_next(
    make: Callable[[int, int], Turns], caplog: pytest.LogCaptureFixture
) -> None:
    turns, done = make(1, 1), threading.Event()

    def fail() -> None:
        raise RuntimeError("a bug")

    turns.submit(fail)
    turns.submit(done.set)
    assert done.wait(PATIENCE_S)
    wait_until(lambda: turns.unfinished == 0)
    assert "a job raised" in caplog.text


def test_closing_waits_for_what_runs_and_drops_what_waits() -> None:
    turns = Turns(threads=2, at_once=1)
    runs, waits = Gate(turns), Gate(turns)
    turns.submit(runs)
    turns.submit(waits)
    assert runs.runs.wait(PATIENCE_S)
    closing = threading.Thread(target=turns.close)
    closing.start()
    closing.join(0.05)
    assert closing.is_alive()
    runs.ends.set()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()
    assert not waits.runs.is_set()
