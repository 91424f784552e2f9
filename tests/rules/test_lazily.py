"""What is worked out lazily is worked out once, and holds up nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from resolvers.rules.lazily import lazily

TOGETHER = Barrier(2, timeout=10)


class Number:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    @lazily
    def value(self) -> int:
        """What it is."""
        self.asked += 1
        return 7

    @lazily
    def met(self) -> bool:
        """Whether another one was asked at the same time."""
        TOGETHER.wait()
        return True


def test_a_value_is_worked_out_once_for_each_object() -> None:
    one, other = Number(), Number()
    assert (one.value, one.value, one.asked, other.asked) == (7, 7, 1, 0)
    assert Number.value.__doc__ == "What it is."


def test_one_object_does_not_wait_for_another() -> None:
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(lambda number: number.met, [Number(), Number()])) == [True, True]
