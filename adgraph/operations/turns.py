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
from queue import SimpleQueue

log = logging.getLogger("adgraph.turns")

TURN_MS = 5
"""How long a job works before the next one may work beside it: most are done by then, and a large one, or one that
hangs in the database, holds nobody up for longer."""


class _Job:
    __slots__ = ("began", "work")

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.began = 0.0


_Inbox = SimpleQueue[_Job | None]
"""Where an idle thread waits; None ends it."""


class Turns:
    """At most `threads` threads, of which `at_once` work; jobs begin in the order they came.

    Not a pool of the library, because that wakes any thread: here the one that worked last goes on, whose connection
    has its pages and statements at hand. `on_pause` is called by a thread that has nothing more to do for now.
    """

    def __init__(self, *, threads: int, at_once: int, on_pause: Callable[[], None] = lambda: None) -> None:
        self._on_pause = on_pause
        self._most_threads = threads
        self._at_once = at_once
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._working: set[_Job] = set()
        self._threads: list[threading.Thread] = []
        self._idle: list[_Inbox] = []
        self._is_closed = False
        self._here = threading.local()

    @property
    def unfinished(self) -> int:
        """How many jobs wait or run; those that stepped aside run, too."""
        return len(self._waiting) + len(self._threads) - len(self._idle)

    def submit(self, work: Callable[[], object]) -> bool:
        """Do this on a thread. Returns whether it has to wait for its turn. It must not raise."""
        job = _Job(work)
        with self._lock:
            if len(self._working) < self._at_once and self._has_thread:
                self._start(job)
                return False
            self._waiting.append(job)
            return True

    def step_aside(self) -> None:
        """Called by a job that is about to wait, for a lock or for the disk: the next one may begin now."""
        job = getattr(self._here, "job", None)
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
        """Let running jobs end, drop those that wait, end the threads."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
            while self._idle:
                self._idle.pop().put(None)
        for thread in self._threads:
            thread.join()

    # What follows runs under the lock, but for the threads' own loop

    @property
    def _has_thread(self) -> bool:
        return bool(self._idle) or len(self._threads) < self._most_threads

    def _start(self, job: _Job) -> None:
        self._begin(job)
        if self._idle:
            self._idle.pop().put(job)
            return
        name = f"adgraph-{len(self._threads) + 1}"
        # A daemon: a process that dies without closing does not wait for a request.
        thread = threading.Thread(target=self._run, args=(job,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _begin(self, job: _Job) -> _Job:
        job.began = time.monotonic()
        self._working.add(job)
        return job

    def _pass_on(self, job: _Job) -> None:
        # Without anybody to take it the turn stays free: whoever comes next begins at once.
        self._working.remove(job)
        if self._waiting and self._has_thread:
            self._start(self._waiting.popleft())

    def _run(self, first: _Job) -> None:
        inbox: _Inbox = SimpleQueue()
        job: _Job | None = first
        while job is not None:
            self._here.job = job
            try:
                job.work()
            except BaseException:
                log.exception("a job raised")
            job = self._after(job, inbox)

    def _after(self, job: _Job, inbox: _Inbox) -> _Job | None:
        """The next job of this thread; waits for one."""
        with self._lock:
            self._working.discard(job)
            if self._waiting and len(self._working) < self._at_once:
                return self._begin(self._waiting.popleft())
            if self._is_closed:
                return None
            self._idle.append(inbox)
        self._on_pause()
        return inbox.get()
