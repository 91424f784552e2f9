"""How work is stopped: a thread works until a deadline, and whatever its transaction does then is interrupted.

The thread that works finds out by itself before every statement. A statement that runs is interrupted from outside,
by one thread that watches all deadlines of the process: SQLite by a flag in its own loop, PostgreSQL by a request to
cancel. Interrupted work raises `OutOfTime`; its transaction is rolled back as a whole.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType

from storage.errors import OutOfTime

log = logging.getLogger("adgraph.storage")

_FIRST_RETRY_S = 0.05
"""An interruption that comes between two statements meets nothing, so it is repeated while the transaction lasts."""
_LAST_RETRY_S = 1.0
_CANCELLED = 0.0
"""Before any moment there is."""
FOREVER = float("inf")
"""After any moment there is."""


class Deadline:
    """When work has to be over, on the monotonic clock. `cancel` says: now, nobody waits for it any more.

    It belongs to the work of one thread. Other threads may end it, and may ask the work to give way to theirs.
    """

    __slots__ = ("_give_way", "_looks_at", "ends_at")

    def __init__(self, ends_at: float) -> None:
        self.ends_at = ends_at
        # Until then `check` has nothing to do: every row of a long loop asks, and is answered by one comparison.
        self._looks_at = ends_at
        self._give_way: Callable[[], None] | None = None

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """So many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def seconds_left(self) -> float:
        """How much time is left; negative when it is over."""
        return self.ends_at - time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.ends_at

    def check(self) -> None:
        """Go on, after others when they wait: never ask under a lock they may need.

        Raises: OutOfTime when the time is over.
        """
        if time.monotonic() >= self._looks_at:
            self._look()

    def _look(self) -> None:
        if self._give_way is not None and not self.is_over:
            self._give_way()
        if self.is_over:
            raise OutOfTime

    def give_way_at(self, moment: float, give_way: Callable[[], None]) -> None:
        """From that moment on every `check` calls `give_way`, on its own thread; FOREVER takes that back.

        Safe from any thread, if only one at a time does it. `give_way` returns when the work may go on, and soon after
        the deadline is over.
        """
        self._give_way = give_way
        self._looks_at = min(moment, self.ends_at)
        if self.ends_at == _CANCELLED:  # meanwhile, maybe; then what was written here hides it
            self._looks_at = _CANCELLED

    def cancel(self) -> None:
        """End it now. Safe from any thread, never waits: an event loop may call it."""
        self.ends_at = _CANCELLED
        self._looks_at = _CANCELLED  # the second: see `give_way_at`
        _WATCHDOG.look()


class _Working(threading.local):
    deadline: Deadline | None = None


_WORKING = _Working()


def current_deadline() -> Deadline | None:
    """The deadline this thread works under, if any."""
    return _WORKING.deadline


class _Work:
    """Work under a deadline as a context manager; a class because a generator costs three times as much."""

    __slots__ = ("_before", "_deadline")

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._before: Deadline | None = None

    def __enter__(self) -> None:
        self._before = _WORKING.deadline
        _WORKING.deadline = self._deadline

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        _WORKING.deadline = self._before


def working_until(deadline: Deadline) -> _Work:
    """What this thread does in the block, it does under the deadline: every transaction it begins ends with it."""
    return _Work(deadline)


class Watch:
    """What is interrupted when a deadline is over: `interrupt` is called then, maybe several times."""

    __slots__ = ("_interrupt", "_lock", "_retry_s", "deadline", "due", "fired")

    def __init__(self, deadline: Deadline, interrupt: Callable[[], None]) -> None:
        self.deadline = deadline
        self.due = 0.0
        self.fired = False
        """Whether an interruption was sent; one may then still be on its way."""
        self._interrupt: Callable[[], None] | None = interrupt
        self._lock = threading.Lock()
        self._retry_s = _FIRST_RETRY_S

    def fire(self, now: float) -> None:
        """Interrupt, unless the watch has ended meanwhile."""
        self.due, self._retry_s = now + self._retry_s, min(self._retry_s * 2, _LAST_RETRY_S)
        with self._lock:
            if self._interrupt is None:
                return
            self.fired = True
            try:
                self._interrupt()
            except Exception as problem:  # the connection may have died meanwhile; its thread will tell
                log.warning("work that is over could not be interrupted: %s", type(problem).__name__)

    def end(self) -> None:
        """No interruption begins after this returns."""
        _WATCHDOG.forget(self)
        with self._lock:
            self._interrupt = None


class _Watchdog:
    """The thread that interrupts. It sleeps until the first deadline there was when it last looked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # taken by itself where nobody waits: a condition's way to it costs more
        self._changed = threading.Condition(self._lock)
        self._watched: set[Watch] = set()
        self._looks_at = FOREVER
        self._is_running = False

    def watch(self, watch: Watch) -> None:
        """From now on, until `forget`."""
        with self._lock:
            self._watched.add(watch)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="adgraph-watchdog", daemon=True).start()
            elif watch.deadline.ends_at < self._looks_at:
                self._changed.notify()

    def forget(self, watch: Watch) -> None:
        """What was watched is about to end."""
        with self._lock:
            self._watched.discard(watch)

    def look(self) -> None:
        """A deadline was moved to now."""
        with self._changed:
            self._changed.notify()

    def _run(self) -> None:
        while True:
            now = time.monotonic()
            with self._changed:
                due = [one for one in self._watched if one.deadline.ends_at <= now and one.due <= now]
            for one in due:
                one.fire(now)
            with self._changed:
                self._looks_at = min((max(one.deadline.ends_at, one.due) for one in self._watched), default=FOREVER)
                wait = self._looks_at - time.monotonic()
                if wait > 0:
                    self._changed.wait(None if wait == FOREVER else wait)


_WATCHDOG = _Watchdog()


def watched(deadline: Deadline, interrupt: Callable[[], None]) -> Watch:
    """A watch over a transaction that has begun, or over whoever waits. End it before that ends."""
    watch = Watch(deadline, interrupt)
    _WATCHDOG.watch(watch)
    return watch
