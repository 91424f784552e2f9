"""Threads that take turns instead of fighting for the interpreter.

Python runs one thread at a time. Several that all want to run wake each other at every row they fetch, and a request
then costs twice its CPU. So only so many jobs work at once; the next begins when one ends, when one says that it will
wait for something else, or when one has had its time. Then it hands its turn over at the next point where its deadline
is checked, and waits in line for another.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

from storage.deadlines import FOREVER, Deadline, watched

log = logging.getLogger("adgraph.turns")

TURN_MS = 5
"""How long a turn lasts while others wait: most jobs are done by then."""
RELIEF_MS = 20
"""After how long the next one begins beside a job that has not come to a point where it could hand its turn over: it
hangs in a long statement, or writes out a large answer."""
_TURN_S = TURN_MS / 1_000


def _nothing() -> None:
    pass


class _Job:
    __slots__ = ("began", "deadline", "is_aside", "is_large", "since", "wakes", "work")

    def __init__(self, work: Callable[[], object], deadline: Deadline | None) -> None:
        self.work = work
        self.deadline = deadline
        self.since = time.monotonic()
        """When it came into the line where it waits."""
        self.began = 0.0
        """When its turn began."""
        self.is_aside = False
        self.is_large = False
        """Whether one turn was not enough."""
        self.wakes: SimpleQueue[None] | None = None
        """Where its thread waits for another turn."""


_Inbox = SimpleQueue[_Job | None]
"""Where an idle thread waits; None ends it."""


class _Here(threading.local):
    job: _Job | None = None


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
        # Who waits, in two lines: for a thread and a turn, and with a thread for another turn.
        self._new: deque[_Job] = deque()
        self._parked: deque[_Job] = deque()
        self._working: set[_Job] = set()
        self._left_for_new_s = _TURN_S
        """Large jobs give way to new ones at once, until these have had a turn together; then one keeps its turn."""
        self._threads: list[threading.Thread] = []
        self._idle: list[_Inbox] = []
        self._is_closed = False
        self._here = _Here()

    @property
    def unfinished(self) -> int:
        """How many jobs wait or run; those that stepped aside run, too."""
        return len(self._new) + len(self._threads) - len(self._idle)

    def submit(self, work: Callable[[], object], deadline: Deadline | None = None) -> bool:
        """Do this on a thread. Returns whether it has to wait for its turn. It must not raise.

        `deadline` is the one that is checked while it works; without, it never hands its turn over by itself.
        """
        job = _Job(work, deadline)
        with self._lock:
            if len(self._working) < self._at_once and self._has_thread:
                self._start(job)
                return False
            self._new.append(job)
            self._ask_for_turns()
            return True

    def step_aside(self) -> None:
        """Called by a job that is about to wait, for a lock or for the disk: others work beside it until it ends."""
        job = self._here.job
        if job is None:
            return
        with self._lock:
            job.is_aside = True
            if job in self._working:
                self._stop(job)
                self._pass_on()

    def relieve(self) -> bool:
        """Let others begin beside jobs that keep their turn for too long. Returns whether to look again soon."""
        latest = time.monotonic() - RELIEF_MS / 1_000
        with self._lock:
            for job in [one for one in self._working if one.began <= latest]:
                if self._pass_on():
                    self._stop(job)
                    job.is_large = True
                    self._ask(job, 0.0)
            return self.unfinished > len(self._working)

    def close(self) -> None:
        """Let running jobs end, drop those that have not begun, end the threads."""
        with self._lock:
            self._is_closed = True
            self._new.clear()
            while self._idle:
                self._idle.pop().put(None)
        for thread in self._threads:
            thread.join()

    def _give_way(self) -> None:
        """Called by a job that is asked for its turn, where it may wait; it returns to go on, or with its time over."""
        job = self._here.job
        if job is None or job.deadline is None:
            return
        with self._lock:
            wakes = self._parks(job)
        if wakes is None:
            return
        self._on_pause()
        watch = watched(job.deadline, partial(wakes.put, None))
        wakes.get()
        watch.end()
        with self._lock:
            job.wakes = None
            if job in self._parked:
                self._parked.remove(job)

    # What follows runs under the lock, but for the threads' own loop

    @property
    def _has_thread(self) -> bool:
        return bool(self._idle) or len(self._threads) < self._most_threads

    def _start(self, job: _Job) -> None:
        self._begin(job)
        if job.wakes is not None:
            job.wakes.put(None)
            return
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
        if self._new or self._parked:
            self._ask_for_turn(job)
        return job

    def _stop(self, job: _Job) -> None:
        """It works no longer, or no longer counts."""
        self._working.remove(job)
        worked_s = time.monotonic() - job.began
        if not job.is_large:
            self._left_for_new_s -= worked_s
        elif worked_s >= _TURN_S:
            self._left_for_new_s = _TURN_S

    def _ask(self, job: _Job, moment: float) -> None:
        """Let a job come to `_give_way` at the first point after that moment."""
        if job.deadline is not None:
            job.deadline.give_way_at(moment, self._give_way)

    def _ask_for_turn(self, job: _Job) -> None:
        at_once = job.is_large and self._goes_to_new
        self._ask(job, job.began if at_once else job.began + _TURN_S)

    def _ask_for_turns(self) -> None:
        for job in self._working:
            self._ask_for_turn(job)

    @property
    def _goes_to_new(self) -> bool:
        return bool(self._new) and self._left_for_new_s > 0 and self._has_thread

    def _pass_on(self) -> bool:
        """Give a turn to whoever has waited longest and has a thread. Returns whether there is anybody.

        If not, the turn stays free, and whoever comes next begins at once.
        """
        new = self._new if self._has_thread else None
        if self._parked and not (new and new[0].since < self._parked[0].since):
            self._start(self._parked.popleft())
        elif new:
            self._start(new.popleft())
        else:
            return False
        return True

    def _parks(self, job: _Job) -> SimpleQueue[None] | None:
        """Where a job waits now that it has come to give way; None when it goes on."""
        self._ask(job, FOREVER)
        if job.is_aside:
            return None
        if job not in self._working:  # others were let begin beside it
            if len(self._working) >= self._at_once:
                return self._park(job)
            self._begin(job)
            return None
        now = time.monotonic()
        is_early = now < job.began + _TURN_S
        if is_early and self._goes_to_new:
            self._start(self._new.popleft())
        elif is_early or not self._pass_on():
            if self._new or self._parked:
                self._ask(job, (job.began if is_early else now) + _TURN_S)
            return None
        self._stop(job)
        return self._park(job, first=is_early)

    def _park(self, job: _Job, *, first: bool = False) -> SimpleQueue[None]:
        job.is_large = True
        job.since = time.monotonic()
        job.wakes = SimpleQueue()
        if first:
            self._parked.appendleft(job)
        else:
            self._parked.append(job)
        self._ask_for_turns()
        return job.wakes

    def _run(self, first: _Job) -> None:
        inbox: _Inbox = SimpleQueue()
        job: _Job | None = first
        while job is not None:
            self._here.job = job
            try:
                job.work()
            except BaseException:
                log.exception("a job raised")
            job.work = _nothing  # a thread that waits still holds its last job, and with it all of an answer
            job = self._after(job, inbox)

    def _after(self, job: _Job, inbox: _Inbox) -> _Job | None:
        """The next job of this thread; waits for one."""
        with self._lock:
            if job in self._working:
                self._stop(job)
            if len(self._working) < self._at_once:
                if self._new and (self._left_for_new_s > 0 or not self._parked):
                    return self._begin(self._new.popleft())
                if self._parked:
                    self._start(self._parked.popleft())
            if self._is_closed:
                return None
            self._idle.append(inbox)
        self._on_pause()
        return inbox.get()
