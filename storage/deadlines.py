"""How work is stopped: a thread works until a deadline, and whatever its transaction does then is interrupted.

The thread that works finds out by itself before every statement. A statement that runs is interrupted from outside,
by one thread that watches all deadlines of the process: SQLite by a flag in its own loop, PostgreSQL by a request to
cancel. Interrupted work raises `OutOfTime`; its transaction is rolled back as a whole.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from storage.errors import OutOfTime

log = logging.getLogger("adgraph.storage")

_FIRST_RETRY_S = 0.05
"""An interruption that comes between two statements meets nothing, so it is repeated while the transaction lasts."""
_LAST_RETRY_S = 1.0
_FOREVER = float("inf")


class Deadline:
    """When work has to be over, on the monotonic clock. `cancel` says: now, nobody waits for it any more."""

    __slots__ = ("ends_at",)

    def __init__(self, ends_at: float) -> None:
        self.ends_at = ends_at

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
        """Raises: OutOfTime when the time is over."""
        if time.monotonic() >= self.ends_at:
            raise OutOfTime

    def cancel(self) -> None:
        """End it now. Safe from any thread, never waits: an event loop may call it."""
        self.ends_at = 0.0
        _WATCHDOG.look()


class _Working(threading.local):
    deadline: Deadline | None = None


_WORKING = _Working()


def current_deadline() -> Deadline | None:
    """The deadline this thread works under, if any."""
    return _WORKING.deadline


@contextmanager
def working_until(deadline: Deadline) -> Iterator[None]:
    """What this thread does in the block, it does under the deadline: every transaction it begins ends with it."""
    before = _WORKING.deadline
    _WORKING.deadline = deadline
    try:
        yield
    finally:
        _WORKING.deadline = before


class Watch:
    """One transaction under its deadline: `interrupt` is called, maybe several times, when that is over."""

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
        """Interrupt, unless the transaction has ended meanwhile."""
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
        self._changed = threading.Condition()
        self._watched: set[Watch] = set()
        self._looks_at = _FOREVER
        self._is_running = False

    def watch(self, watch: Watch) -> None:
        """From now on, until `forget`."""
        with self._changed:
            self._watched.add(watch)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="adgraph-watchdog", daemon=True).start()
            elif watch.deadline.ends_at < self._looks_at:
                self._changed.notify()

    def forget(self, watch: Watch) -> None:
        """The transaction is about to end."""
        with self._changed:
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
                self._looks_at = min((max(one.deadline.ends_at, one.due) for one in self._watched), default=_FOREVER)
                wait = self._looks_at - time.monotonic()
                if wait > 0:
                    self._changed.wait(None if wait == _FOREVER else wait)


_WATCHDOG = _Watchdog()


def watched(deadline: Deadline, interrupt: Callable[[], None]) -> Watch:
    """A watch over a transaction that has begun. End it before the transaction ends."""
    watch = Watch(deadline, interrupt)
    _WATCHDOG.watch(watch)
    return watch
