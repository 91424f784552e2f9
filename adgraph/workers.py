"""The threads that do the work, so that the event loop never waits for the database.

A bounded pool with a bounded queue: what cannot be served soon is refused at once instead of piling up.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from adgraph.refusals import HttpRefusal
from adgraph.turns import TURN_MS, Turns

_T = TypeVar("_T")

SWITCH_INTERVAL_MS = 1
"""After how long a thread that runs gives way to one that has something to do. With Python's own 5 ms the event loop,
and whoever comes back from the database, each time waits that long beside one large answer."""


def give_way_sooner() -> None:
    """Let the threads of this process change places more often. Call it once, at start."""
    sys.setswitchinterval(SWITCH_INTERVAL_MS / 1_000)


class Workers:
    """Threads of which `at_once` work at a time, all of them when it is None; see `turns`.

    `run` is for one event loop only; `close` waits for what is running.
    """

    def __init__(self, *, threads: int, max_waiting: int, timeout_ms: int, at_once: int | None = None) -> None:
        self._turns = Turns(threads=threads, at_once=at_once or threads, on_pause=self._tell)
        self._most = threads + max_waiting
        self._timeout_ms = timeout_ms
        self._loop: asyncio.AbstractEventLoop | None = None
        self._relief: asyncio.TimerHandle | None = None
        self._done: deque[Callable[[], None]] = deque()
        """What has ended and nobody was told of: a loop that is woken for each fights the thread that goes on."""

    async def run(self, work: Callable[[], _T]) -> _T:
        """What `work` returns, from a thread.

        Raises: HttpRefusal (503) when too many already wait or the time is up, and whatever `work` raises. Work that
        has begun is not torn down when its time is up: it ends by itself, and only its answer is dropped.
        """
        if self._turns.unfinished >= self._most:
            raise HttpRefusal(
                503,
                "OVERLOADED",
                "The server has more requests than it can answer; try again in a second.",
                headers={"Retry-After": "1"},
            )
        loop = self._loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()

        def job() -> None:
            try:
                value = work()
            except BaseException as problem:  # the thread passes on whatever it meets, to be raised where it is awaited
                self._done.append(partial(_fail, answer, problem))
            else:
                self._done.append(partial(_settle, answer, value))

        if self._turns.submit(job) and self._relief is None:
            self._relief = loop.call_later(TURN_MS / 1_000, self._relieve, loop)
        timer = loop.call_later(self._timeout_ms / 1_000, _time_out, answer, self._timeout_ms)
        try:
            return await answer
        finally:
            timer.cancel()

    def start(self, work: Callable[[], object]) -> None:
        """Write something small that nobody waits for; skipped when the server is busy anyway. It must not raise."""

        def job() -> None:
            self.step_aside()
            work()

        if self._turns.unfinished < self._most:
            self._turns.submit(job)

    def step_aside(self) -> None:
        """Called by work that is about to wait for something else than Python: other work may begin beside it."""
        self._tell()
        self._turns.step_aside()

    def _tell(self) -> None:
        """Wake the loop: a thread pauses, and somebody may wait for what it did before."""
        if self._done and self._loop is not None:
            with suppress(RuntimeError):  # a loop that is closed has nobody waiting
                self._loop.call_soon_threadsafe(self._settle_all)

    def _settle_all(self) -> None:
        while self._done:
            self._done.popleft()()

    def _relieve(self, loop: asyncio.AbstractEventLoop) -> None:
        # What was done before a long job is not kept until that ends.
        self._settle_all()
        waits = self._turns.relieve()
        self._relief = loop.call_later(TURN_MS / 1_000, self._relieve, loop) if waits else None

    def close(self) -> None:
        """Let running work end, drop what waits, give the threads back."""
        self._turns.close()


def _settle(answer: asyncio.Future[_T], value: _T) -> None:
    if not answer.done():
        answer.set_result(value)


def _fail(answer: asyncio.Future[Any], problem: BaseException) -> None:
    if not answer.done():
        answer.set_exception(problem)


def _time_out(answer: asyncio.Future[Any], timeout_ms: int) -> None:
    if not answer.done():
        answer.set_exception(
            HttpRefusal(
                503,
                "REQUEST_TIMEOUT",
                f"The request took longer than {timeout_ms} ms and was given up; ask for less at a time.",
            )
        )
