"""Threads take turns: in order, so many at once, and nobody who waits for something else keeps others from working."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from random import Random

import pytest

from adgraph.operations import turns as module
from adgraph.operations.turns import Turns
from storage.deadlines import Deadline
from storage.errors import OutOfTime

PATIENCE_S = 10
LONG_S = 600.0


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


class Large:
    """A job of many steps, each of which begins at a point where it may give way. Those that belong together write down
    whose steps are taken, and how many of them work at the same time."""

    def __init__(self, name: str, together: Together, steps: int) -> None:
        self.name = name
        self.together = together
        self.steps = steps
        self.deadline = Deadline.after(LONG_S)
        self.ended = threading.Event()
        self.was_stopped = False

    def __call__(self) -> None:
        try:
            while self.steps:
                self.steps -= 1
                self.deadline.check()
                self.together.step(self.name)
        except OutOfTime:
            self.was_stopped = True
        self.ended.set()


class Together:
    """What large jobs do, in the order they do it. The first steps wait until all are there."""

    def __init__(self) -> None:
        self.begin = threading.Event()
        self.names: list[str] = []
        self.working: set[object] = set()
        self.most = 0

    def step(self, name: str) -> None:
        """Work for a moment, in which other threads may run."""
        assert self.begin.wait(PATIENCE_S)
        step = object()
        self.working.add(step)
        self.most = max(self.most, len(self.working))
        self.names.append(name)
        time.sleep(0.0005)
        self.working.remove(step)

    @property
    def turns(self) -> list[str]:
        """Whose turns there were, one after the other."""
        return [name for name, before in zip(self.names, ["", *self.names], strict=False) if name != before]


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


def test_one_that_keeps_its_turn_too_long_gets_company_and_one_that_does_not_gets_none(
    make: Callable[[int, int], Turns], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = make(4, 1)
    slow, next_one = Gate(turns), Gate(turns)
    monkeypatch.setattr(module, "RELIEF_MS", 60_000)
    turns.submit(slow)
    turns.submit(next_one)
    assert turns.relieve(), "somebody still waits"
    assert not next_one.has_begun()
    monkeypatch.setattr(module, "RELIEF_MS", 0)
    assert turns.relieve(), "the slow one will want a turn again"
    assert next_one.runs.wait(PATIENCE_S)
    slow.ends.set()
    next_one.ends.set()
    wait_until(lambda: turns.unfinished == 0)
    assert not turns.relieve()


@pytest.mark.parametrize("large", [2, 3, 4])
def test_large_jobs_work_in_turns_and_never_beside_each_other(large: int, make: Callable[[int, int], Turns]) -> None:
    turns, together = make(4, 1), Together()
    jobs = [Large(name, together, 40) for name in "abcd"[:large]]
    for job in jobs:
        turns.submit(job, job.deadline)
    together.begin.set()
    assert all(job.ended.wait(PATIENCE_S) for job in jobs)
    assert together.most == 1
    names = [job.name for job in jobs]
    assert together.turns[: 2 * large] == names * 2, "each waits for all others"
    assert all(together.names.count(name) == 40 for name in names)


def test_nobody_is_asked_to_give_way_while_nobody_waits(
    make: Callable[[int, int], Turns], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    really = Deadline.give_way_at

    def give_way_at(self: Deadline, moment: float, give_way: Callable[[], None]) -> None:
        asked.append(moment)
        really(self, moment, give_way)

    monkeypatch.setattr(Deadline, "give_way_at", give_way_at)
    turns, together = make(4, 1), Together()
    first, second = Large("first", together, 40), Large("second", together, 1)
    together.begin.set()
    turns.submit(first, first.deadline)
    assert first.ended.wait(PATIENCE_S)
    wait_until(lambda: turns.unfinished == 0)
    assert not asked
    first.steps = 10_000
    turns.submit(first, first.deadline)
    turns.submit(second, second.deadline)
    assert second.ended.wait(PATIENCE_S)
    assert asked
    first.deadline.cancel()


def test_small_ones_go_before_large_ones_and_starve_none(make: Callable[[int, int], Turns]) -> None:
    """As many small ones as there is time for, each submitted by the one before, and one large beside them."""
    turns, together = make(4, 1), Together()
    large, is_over = Large("large", together, 60), threading.Event()

    def small() -> None:
        together.step("small")
        if not is_over.is_set():
            turns.submit(small, Deadline.after(LONG_S))

    turns.submit(large, large.deadline)
    turns.submit(small, Deadline.after(LONG_S))
    together.begin.set()
    has_ended = large.ended.wait(PATIENCE_S)
    is_over.set()
    assert has_ended, "small ones starve it"
    wait_until(lambda: turns.unfinished == 0)
    assert together.most == 1
    assert together.names.count("small") > 5, "a large one starves them"


@pytest.fixture
def parked(make: Callable[[int, int], Turns]) -> Iterator[tuple[Turns, Large, Gate]]:
    """A large job that has given its turn to one that keeps it."""
    turns, together = make(4, 1), Together()
    large, keeps = Large("large", together, 40), Gate(turns)
    turns.submit(large, large.deadline)
    turns.submit(keeps)
    together.begin.set()
    assert keeps.runs.wait(PATIENCE_S)
    wait_until(lambda: bool(turns._parked))
    yield turns, large, keeps
    keeps.ends.set()
    large.deadline.cancel()


def test_who_gave_his_turn_away_gets_another(parked: tuple[Turns, Large, Gate]) -> None:
    _, large, keeps = parked
    assert not large.ended.wait(0.05)
    keeps.ends.set()
    assert large.ended.wait(PATIENCE_S)
    assert not large.was_stopped


def test_a_large_one_gives_way_at_once_to_new_ones_until_they_have_had_a_turn(
    parked: tuple[Turns, Large, Gate], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, large, keeps = parked
    large.steps = 1_000_000
    monkeypatch.setattr(module, "_TURN_S", LONG_S)
    turns._left_for_new_s = 1.0
    keeps.ends.set()
    wait_until(lambda: not turns._parked)
    new, next_one = Gate(turns), Gate(turns)
    turns.submit(new)
    assert new.runs.wait(PATIENCE_S), "its turn lasts for minutes"
    turns._left_for_new_s = 0.0
    new.ends.set()
    wait_until(lambda: not turns._parked)
    turns.submit(next_one)
    assert not next_one.has_begun(), "now it keeps its turn"
    large.deadline.cancel()
    assert next_one.runs.wait(PATIENCE_S)
    next_one.ends.set()


def test_who_gave_way_before_his_turn_was_over_is_the_next(
    parked: tuple[Turns, Large, Gate], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, large, keeps = parked
    other = Large("other", large.together, 4_000)
    large.steps = 1_000_000
    turns.submit(other, other.deadline)
    keeps.ends.set()
    wait_until(lambda: "other" in other.together.names)
    monkeypatch.setattr(module, "_TURN_S", LONG_S)
    with turns._lock:
        [working] = turns._working
        working.is_large = True
        turns._left_for_new_s = 1.0
    new = Gate(turns)
    turns.submit(new)
    assert new.runs.wait(PATIENCE_S)
    wait_until(lambda: len(turns._parked) == 2)
    steps = len(large.together.names)
    before = large.together.names[-1]
    new.ends.set()
    wait_until(lambda: len(large.together.names) > steps)
    assert large.together.names[steps] == before
    for one in (large, other):
        one.deadline.cancel()


def test_who_waits_for_another_turn_is_stopped_when_nobody_waits_for_him(parked: tuple[Turns, Large, Gate]) -> None:
    turns, large, keeps = parked
    large.deadline.cancel()
    assert large.ended.wait(PATIENCE_S)
    assert large.was_stopped
    assert not turns._parked
    after = Gate(turns)
    turns.submit(after)
    assert not after.has_begun(), "who is stopped leaves the turn to whoever has it"
    keeps.ends.set()
    assert after.runs.wait(PATIENCE_S)
    after.ends.set()


def test_who_waits_for_another_turn_is_stopped_at_his_deadline(make: Callable[[int, int], Turns]) -> None:
    turns, together = make(4, 1), Together()
    large, keeps = Large("large", together, 1_000_000), Gate(turns)
    large.deadline = Deadline.after(0.2)
    turns.submit(large, large.deadline)
    turns.submit(keeps)
    together.begin.set()
    assert keeps.runs.wait(PATIENCE_S)
    assert large.ended.wait(PATIENCE_S)
    assert large.was_stopped
    keeps.ends.set()


def test_closing_lets_those_end_that_wait_for_another_turn(parked: tuple[Turns, Large, Gate]) -> None:
    turns, large, keeps = parked
    dropped = Gate(turns)
    turns.submit(dropped)
    closing = threading.Thread(target=turns.close)
    closing.start()
    closing.join(0.05)
    assert closing.is_alive()
    keeps.ends.set()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()
    assert large.ended.is_set()
    assert not large.was_stopped
    assert not dropped.runs.is_set()


def test_one_beside_whom_others_began_gets_in_line_again(
    make: Callable[[int, int], Turns], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, together = make(4, 1), Together()
    large, keeps = Large("large", together, 1_000), Gate(turns)
    turns.submit(large, large.deadline)
    turns.submit(keeps)
    monkeypatch.setattr(module, "RELIEF_MS", 0)
    turns.relieve()
    assert keeps.runs.wait(PATIENCE_S), "the large one hangs before its first step"
    together.begin.set()
    wait_until(lambda: bool(turns._parked))
    assert len(together.names) == 1
    keeps.ends.set()
    assert large.ended.wait(PATIENCE_S)


def test_one_that_stepped_aside_never_waits_for_a_turn(make: Callable[[int, int], Turns]) -> None:
    """It may hold the lock of the writers, for which others would wait."""
    turns, together = make(4, 1), Together()
    writes, keeps, is_asked = Large("writes", together, 40), Gate(turns), threading.Event()

    def write() -> None:
        assert is_asked.wait(PATIENCE_S)
        turns.step_aside()
        writes()

    turns.submit(write, writes.deadline)
    turns.submit(keeps)
    is_asked.set()
    assert keeps.runs.wait(PATIENCE_S)
    together.begin.set()
    assert writes.ended.wait(PATIENCE_S)
    keeps.ends.set()


def test_one_that_raises_after_it_waited_takes_nothing_from_the_next(
    parked: tuple[Turns, Large, Gate], caplog: pytest.LogCaptureFixture
) -> None:
    turns, large, keeps = parked
    fails = Large("fails", large.together, 1)

    def fail() -> None:
        fails()
        raise RuntimeError("a bug")

    turns.submit(fail, fails.deadline)
    keeps.ends.set()
    assert fails.ended.wait(PATIENCE_S)
    assert large.ended.wait(PATIENCE_S)
    wait_until(lambda: turns.unfinished == 0)
    assert "a job raised" in caplog.text


@pytest.mark.parametrize("at_once", [1, 2])
def test_whatever_comes_ends_and_never_more_work_than_may(at_once: int, make: Callable[[int, int], Turns]) -> None:
    """Jobs of all sizes, from several threads, some of which are cancelled."""
    turns, together, random = make(4, at_once), Together(), Random(7)
    together.begin.set()
    jobs = [Large(str(number), together, random.choice((1, 2, 30))) for number in range(120)]

    def submit(some: list[Large]) -> None:
        for job in some:
            turns.submit(job, job.deadline)
            if random.random() < 0.1:
                job.deadline.cancel()
            time.sleep(random.choice((0, 0.002)))

    submitting = [threading.Thread(target=submit, args=(jobs[start::3],)) for start in range(3)]
    for thread in submitting:
        thread.start()
    assert all(job.ended.wait(PATIENCE_S) for job in jobs)
    wait_until(lambda: turns.unfinished == 0)
    stopped = sum(job.was_stopped for job in jobs)
    assert 0 < stopped < len(jobs) / 2
    # One that is stopped while it waits ends beside the one that works, but takes no step.
    assert together.most <= at_once
    assert not turns._working
    assert not turns._parked


def test_without_a_thread_for_the_next_one_goes_on(make: Callable[[int, int], Turns]) -> None:
    turns, together = make(1, 1), Together()
    large, small = Large("large", together, 40), Large("small", together, 1)
    turns.submit(large, large.deadline)
    turns.submit(small, small.deadline)
    together.begin.set()
    assert small.ended.wait(PATIENCE_S)
    assert together.turns == ["large", "small"]


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


def test_an_idle_thread_keeps_nothing_of_what_it_did(make: Callable[[int, int], Turns]) -> None:
    turns = make(1, 1)
    done = Gate(turns)
    kept = weakref.ref(done)
    turns.submit(done)
    done.ends.set()
    del done
    wait_until(lambda: turns.unfinished == 0)
    wait_until(lambda: kept() is None)


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
