"""Whoever waits for work gets its answer when it is done, whatever the thread that did it goes on with."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from adgraph.operations.workers import Workers
from adgraph.protocol.refusals import HttpRefusal

PATIENCE_S = 10


def with_one_thread(test: Callable[[Workers], Coroutine[Any, Any, None]], max_waiting: int = 8) -> None:
    """Run a test with workers of one thread, which are closed at the end."""
    workers = Workers(threads=1, max_waiting=max_waiting, timeout_ms=60_000, at_once=1)
    try:
        asyncio.run(asyncio.wait_for(test(workers), PATIENCE_S))
    finally:
        workers.close()


class Block:
    """Work that lasts until it is let go."""

    def __init__(self) -> None:
        self.runs = threading.Event()
        self.ends = threading.Event()

    def __call__(self) -> str:
        self.runs.set()
        assert self.ends.wait(PATIENCE_S)
        return "let go"


async def running(block: Block) -> None:
    """Wait for a block to run, while the loop goes on."""
    assert await asyncio.to_thread(block.runs.wait, PATIENCE_S)


def test_answers_and_problems_come_back() -> None:
    async def ask(workers: Workers) -> None:
        assert await workers.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 // 0)

    with_one_thread(ask)


def test_an_answer_does_not_wait_for_the_long_work_its_thread_goes_on_with() -> None:
    async def ask(workers: Workers) -> None:
        first, long = Block(), Block()
        tasks = [asyncio.create_task(workers.run(work)) for work in (first, lambda: "small", long)]
        await running(first)
        first.ends.set()
        assert await tasks[0] == "let go"
        assert await tasks[1] == "small"
        await running(long)
        assert not tasks[2].done()
        long.ends.set()
        assert await tasks[2] == "let go"

    with_one_thread(ask)


def test_an_answer_does_not_wait_for_what_nobody_waits_for() -> None:
    async def ask(workers: Workers) -> None:
        first, note = Block(), Block()
        task = asyncio.create_task(workers.run(first))
        await running(first)
        workers.start(note)
        first.ends.set()
        assert await task == "let go"
        await running(note)
        note.ends.set()

    with_one_thread(ask)


@pytest.mark.parametrize(("max_waiting", "refused"), [(1, 0), (0, 1)])
def test_so_many_may_wait_and_the_next_is_refused(max_waiting: int, refused: int) -> None:
    async def ask(workers: Workers) -> None:
        first = Block()
        tasks = [asyncio.create_task(workers.run(first))]
        await running(first)
        tasks.append(asyncio.create_task(workers.run(lambda: "second")))
        await asyncio.sleep(0)
        first.ends.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(one, HttpRefusal) for one in found) == refused

    with_one_thread(ask, max_waiting)
