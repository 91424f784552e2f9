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

from adgraph.observability.metrics import UNFINISHED
from adgraph.operations.turns import TURN_MS, Turns
from adgraph.protocol.refusals import HttpRefusal
from storage.deadlines import Deadline, working_until
from storage.errors import OutOfTime

_T = TypeVar("_T")

GRACE_S = 0.25
"""How long past the deadline a thread may take to say what it has done; stopping a statement takes a few ms."""

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

    def deadline(self) -> Deadline:
        """When work that is asked for now has to be over."""
        return Deadline.after(self._timeout_ms / 1_000)

    async def run(self, work: Callable[[], _T], deadline: Deadline | None = None) -> _T:
        """What `work` returns, from a thread that works until the deadline; None means one from now.

        Raises: HttpRefusal (503) when too many already wait or the time is up, and whatever `work` raises. When its
        time is up the thread stops by itself and says so; should that take long, its answer is not waited for. When
        nobody waits any more, the work is cancelled.
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
        until = deadline or self.deadline()

        def job() -> None:
            try:
                with working_until(until):
                    value = work()
            except OutOfTime:
                self._done.append(partial(_fail, answer, _out_of_time(self._timeout_ms)))
            except BaseException as problem:  # the thread passes on whatever it meets, to be raised where it is awaited
                self._done.append(partial(_fail, answer, problem))
            else:
                self._done.append(partial(_settle, answer, value))

        waits = self._turns.submit(job, until)
        self._count()
        if waits and self._relief is None:
            self._relief = loop.call_later(TURN_MS / 1_000, self._relieve, loop)
        timer = loop.call_later(max(0.0, until.seconds_left) + GRACE_S, _fail, answer, _out_of_time(self._timeout_ms))
        try:
            return await answer
        except asyncio.CancelledError:
            until.cancel()
            raise
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
        self._count()

    def _count(self) -> None:
        UNFINISHED.set(self._turns.unfinished)

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


def _out_of_time(timeout_ms: int) -> HttpRefusal:
    return HttpRefusal(
        503,
        "REQUEST_TIMEOUT",
        f"The request took longer than {timeout_ms} ms and was given up; ask for less at a time. Send a mutation again"
        " with the same `requestId`: what was done already is not done twice.",
    )
