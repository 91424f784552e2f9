"""Threads that take turns instead of fighting for the interpreter.

Python runs one thread at a time. Several that all want to run wake each other at every row they fetch, and a request
then costs twice its CPU. So only so many jobs work at once; the next begins when one ends, when one says that it will
wait for something else, or when one has had its time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger("adgraph.turns")

TURN_MS = 5
"""How long a job works before the next one may work beside it. Python's own threads change places as often."""


class _Job:
    __slots__ = ("began", "work")

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.began = 0.0


class Turns:
    """A pool of threads of which `at_once` work and the others wait; jobs begin in the order they came."""

    def __init__(self, *, threads: int, at_once: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="adgraph")
        self._at_once = at_once
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._working: set[_Job] = set()
        self._mine = threading.local()

    def submit(self, work: Callable[[], object]) -> bool:
        """Do this on a thread. Returns whether it has to wait for its turn. It must not raise."""
        job = _Job(work)
        with self._lock:
            if len(self._working) >= self._at_once:
                self._waiting.append(job)
                return True
            self._begin(job)
        self._pool.submit(self._run, job)
        return False

    def step_aside(self) -> None:
        """Called by a job that is about to wait, for a lock or for the disk: the next one may begin now."""
        job = getattr(self._mine, "job", None)
        with self._lock:
            if job in self._working:
                self._pass_on(job)

    def relieve(self) -> bool:
        """Let others begin beside jobs that have had their time. Returns whether any still wait."""
        latest = time.monotonic() - TURN_MS / 1_000
        with self._lock:
            for job in [one for one in self._working if one.began <= latest]:
                self._pass_on(job)
            return bool(self._waiting)

    def close(self) -> None:
        """Let running jobs end, drop those that wait, give the threads back."""
        with self._lock:
            self._waiting.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: _Job | None) -> None:
        while job is not None:
            self._mine.job = job
            try:
                job.work()
            except BaseException:
                log.exception("a job raised")
            job = self._after(job)

    def _after(self, job: _Job) -> _Job | None:
        """What goes on in the same thread, without waking another: the next one, unless the turn was passed on."""
        with self._lock:
            if job not in self._working:
                return None
            self._working.remove(job)
            return self._begin(self._waiting.popleft()) if self._waiting else None

    def _pass_on(self, job: _Job) -> None:
        # Without anybody to take it the turn stays free: whoever comes next begins at once.
        self._working.remove(job)
        if self._waiting:
            self._pool.submit(self._run, self._begin(self._waiting.popleft()))

    def _begin(self, job: _Job) -> _Job:
        job.began = time.monotonic()
        self._working.add(job)
        return job
