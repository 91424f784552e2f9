"""A bucket never grants more than it held and what flowed in since, gives back exactly, and threads do not lose any."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adgraph.operations.budgets import Budgets
from adgraph.protocol.refusals import HttpRefusal


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Till:
    """A budget with a clock, asked as one caller unless told otherwise."""

    def __init__(self, capacity: int = 100, per_minute: int = 60, most_callers: int = 10) -> None:
        self.clock = Clock()
        self.budgets = Budgets(capacity, per_minute, most_callers=most_callers, clock=self.clock)

    def grants(self, cost: int, caller: object = 1) -> bool:
        try:
            self.budgets.take(caller, cost)
        except HttpRefusal:
            return False
        return True

    def left(self, caller: object = 1) -> int:
        return self.budgets.settle(caller, 0, 0).remaining


STEPS = st.lists(
    st.tuples(
        st.integers(0, 150).map(lambda tenths: tenths / 10), st.integers(0, 130), st.integers(0, 300), st.booleans()
    ),
    max_size=40,
)


@given(capacity=st.integers(1, 200), per_minute=st.integers(1, 600), steps=STEPS)
def test_never_more_is_granted_than_was_there_and_flowed_in(
    capacity: int, per_minute: int, steps: list[tuple[float, int, int, bool]]
) -> None:
    """With every request settled at what it was expected to cost, or at something else, sooner or later."""
    till = Till(capacity, per_minute)
    granted, returned = 0.0, 0.0
    open_ones: list[tuple[int, int]] = []
    for wait, expected, actual, settles_now in steps:
        till.clock.now += wait
        flowed = (till.clock.now - 1_000.0) * per_minute / 60
        if till.grants(expected):
            granted += min(expected, capacity)
            assert granted - returned <= capacity + flowed + 1e-6
            open_ones.append((expected, actual))
        if settles_now and open_ones:
            taken, cost = open_ones.pop(0)
            till.budgets.settle(1, taken, cost)
            returned += min(taken, capacity) - cost
        assert till.left() <= capacity


def test_what_was_taken_too_much_is_given_back() -> None:
    till = Till()
    till.budgets.take(1, 80)
    assert till.budgets.settle(1, 80, 5).remaining == 95
    till.budgets.take(1, 10)
    assert till.budgets.settle(1, 10, 30).remaining == 65


def test_exactly_what_is_there_is_granted_and_one_more_is_not() -> None:
    till = Till()
    assert till.grants(60)
    assert not till.grants(41)
    assert till.grants(40)
    assert not till.grants(1)
    till.clock.now += 0.999
    assert not till.grants(1)
    till.clock.now += 0.001
    assert till.grants(1)


def test_a_refused_request_takes_nothing() -> None:
    till = Till()
    assert till.grants(100)
    till.clock.now += 10
    for _ in range(50):
        assert not till.grants(11)
    assert till.grants(10)


def test_debt_is_paid_before_anything_is_granted() -> None:
    till = Till()
    till.budgets.take(1, 1)
    assert till.budgets.settle(1, 1, 160).remaining == -60
    till.clock.now += 59
    assert not till.grants(1)
    till.clock.now += 2
    assert till.grants(1)


def test_what_costs_more_than_everything_takes_everything() -> None:
    till = Till()
    assert till.grants(1_000)
    assert not till.grants(1)
    assert till.budgets.settle(1, 1_000, 20).remaining == 80


def test_a_refusal_says_when_and_then_it_is_so() -> None:
    till = Till(100, 60)
    till.grants(100)
    with pytest.raises(HttpRefusal) as refused:
        till.budgets.take(1, 30)
    assert (refused.value.status, refused.value.code, refused.value.number) == (429, "THROTTLED", 117)
    wait = int(refused.value.headers["Retry-After"])
    assert wait == 30
    assert f"Wait {wait} s" in refused.value.message
    till.clock.now += wait
    assert till.grants(30)


def test_callers_do_not_pay_for_each_other() -> None:
    till = Till()
    assert till.grants(100, caller=1)
    assert till.grants(100, caller=2)
    assert not till.grants(1, caller=1)


def test_only_so_many_callers_are_remembered_and_the_idle_one_is_forgotten() -> None:
    till = Till(most_callers=3)
    for caller in (1, 2, 3):
        till.grants(50, caller)
    assert till.left(1) == 50
    till.grants(50, 4)
    assert [till.left(caller) for caller in (1, 3, 4)] == [50, 50, 50]
    assert till.left(2) == 100


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    till = Till()
    till.grants(40)
    till.clock.now -= 100
    assert till.left() == 60


def test_threads_neither_lose_nor_invent_anything() -> None:
    till = Till(10_000, 60)
    barrier = threading.Barrier(8)

    def spend(_: int) -> int:
        barrier.wait()
        granted = 0
        for turn in range(400):
            if till.grants(5):
                granted += 1
                if turn % 2:
                    till.budgets.settle(1, 5, 0)
                    granted -= 1
        return granted

    with ThreadPoolExecutor(8) as threads:
        granted = sum(threads.map(spend, range(8)))
    assert till.left() == 10_000 - 5 * granted
