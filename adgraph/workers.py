"""The threads that do the work, so that the event loop never waits for the database.

A bounded pool with a bounded queue: what cannot be served soon is refused at once instead of piling up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from adgraph.refusals import HttpRefusal
from storage.deadlines import Deadline, working_until
from storage.errors import OutOfTime

_T = TypeVar("_T")

GRACE_S = 0.25
"""How long past the deadline a thread may take to say what it has done; stopping a statement takes a few ms."""


class Workers:
    """A thread pool. `run` is for the event loop only; `close` waits for what is running."""

    def __init__(self, *, threads: int, max_waiting: int, timeout_ms: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="adgraph")
        self._most = threads + max_waiting
        self._timeout_ms = timeout_ms
        self._unfinished = 0
        self._lock = Lock()

    def deadline(self) -> Deadline:
        """When work that is asked for now has to be over."""
        return Deadline.after(self._timeout_ms / 1_000)

    async def run(self, work: Callable[[], _T], deadline: Deadline | None = None) -> _T:
        """What `work` returns, from a thread that works until the deadline; None means one from now.

        Raises: HttpRefusal (503) when too many already wait or the time is up, and whatever `work` raises. When its
        time is up the thread stops by itself and says so; should that take long, its answer is not waited for. When
        nobody waits any more, the work is cancelled.
        """
        if self._unfinished >= self._most:
            raise HttpRefusal(
                503,
                "OVERLOADED",
                "The server has more requests than it can answer; try again in a second.",
                headers={"Retry-After": "1"},
            )
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()
        until = deadline or self.deadline()

        def job() -> None:
            try:
                with working_until(until):
                    value = work()
            except OutOfTime:
                loop.call_soon_threadsafe(_fail, answer, _out_of_time(self._timeout_ms))
            except BaseException as problem:  # the thread passes on whatever it meets, to be raised where it is awaited
                loop.call_soon_threadsafe(_fail, answer, problem)
            else:
                loop.call_soon_threadsafe(_settle, answer, value)

        self._submit(job)
        timer = loop.call_later(max(0.0, until.seconds_left) + GRACE_S, _fail, answer, _out_of_time(self._timeout_ms))
        try:
            return await answer
        except asyncio.CancelledError:
            until.cancel()
            raise
        finally:
            timer.cancel()

    def start(self, work: Callable[[], object]) -> None:
        """Do something small that nobody waits for; skipped when the server is busy anyway. It must not raise."""
        if self._unfinished < self._most:
            self._submit(work)

    def _submit(self, work: Callable[[], object]) -> None:
        with self._lock:
            self._unfinished += 1
        self._pool.submit(self._finish, work)

    def _finish(self, work: Callable[[], object]) -> None:
        # The count falls when the thread is done, not when the caller stops waiting: a slow request keeps its place.
        try:
            work()
        finally:
            with self._lock:
                self._unfinished -= 1

    def close(self) -> None:
        """Let running work end, drop what waits, give the threads back."""
        self._pool.shutdown(wait=True, cancel_futures=True)


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
