"""The threads that do the work, so that the event loop never waits for the database.

A bounded pool with a bounded queue: what cannot be served soon is refused at once instead of piling up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from adgraph.refusals import HttpRefusal

_T = TypeVar("_T")


class Workers:
    """A thread pool. `run` is for the event loop only; `close` waits for what is running."""

    def __init__(self, *, threads: int, max_waiting: int, timeout_ms: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="adgraph")
        self._most = threads + max_waiting
        self._timeout_ms = timeout_ms
        self._unfinished = 0
        self._lock = Lock()

    async def run(self, work: Callable[[], _T]) -> _T:
        """What `work` returns, from a thread.

        Raises: HttpRefusal (503) when too many already wait or the time is up, and whatever `work` raises. Work that
        has begun is not torn down when its time is up: it ends by itself, and only its answer is dropped.
        """
        if self._unfinished >= self._most:
            raise HttpRefusal(
                503,
                "OVERLOADED",
                "The server has more requests than it can answer; try again in a second.",
                headers={"Retry-After": "1"},
            )
        future = self._submit(work)
        try:
            async with asyncio.timeout(self._timeout_ms / 1_000):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise HttpRefusal(
                503,
                "REQUEST_TIMEOUT",
                f"The request took longer than {self._timeout_ms} ms and was given up; ask for less at a time.",
            ) from None

    def start(self, work: Callable[[], object]) -> None:
        """Do something small that nobody waits for; skipped when the server is busy anyway. It must not raise."""
        if self._unfinished < self._most:
            self._submit(work)

    def _submit(self, work: Callable[[], _T]) -> Future[_T]:
        with self._lock:
            self._unfinished += 1
        future = self._pool.submit(work)
        # The count falls when the thread is done, not when the caller stops waiting: a slow request keeps its place.
        future.add_done_callback(self._finished)
        return future

    def _finished(self, _: Future[Any]) -> None:
        with self._lock:
            self._unfinished -= 1

    def close(self) -> None:
        """Let running work end, drop what waits, give the threads back."""
        self._pool.shutdown(wait=True, cancel_futures=True)
