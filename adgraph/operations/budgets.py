"""Budgets: how much each caller may ask for in a while. A bucket a caller, in the memory of this process.

A bucket holds at most its capacity and fills evenly. A request takes what it is expected to cost before it runs, and
only when that much is there; afterwards it gives back or pays the difference to what it really cost. So a bucket may
be in debt, by the requests that were let in together, and grants nothing until that is paid.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from types import TracebackType
from typing import Any, NamedTuple

from adgraph.protocol.refusals import HttpRefusal
from resolvers.session import Allowance, Meter
from storage.records.ids import Instant

MOST_CALLERS = 10_000
"""Buckets kept; the one used longest ago makes room. A caller who comes back finds a full one, so this is large."""
ANONYMOUS = "anonymous"
"""Everybody without a token shares a bucket: there is next to nothing to ask for without one."""
NEWCOMERS = "newcomers"
"""So do those an issuer names and no login here has: strangers without a token cannot keep them out."""


class Standing(NamedTuple):
    """What a bucket holds at one moment. `full_in_s`: how long until it is full again when nothing is taken."""

    capacity: int
    remaining: int
    per_minute: int
    full_in_s: float


@dataclass(slots=True)
class _Bucket:
    held: float
    at: float


class Budgets:
    """The buckets of all callers. Safe to share between threads. A capacity of 0 means there are no budgets."""

    def __init__(
        self,
        capacity: int,
        per_minute: int,
        *,
        most_callers: int = MOST_CALLERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.capacity = capacity
        self.per_minute = per_minute
        self._per_second = per_minute / 60
        self._most_callers = most_callers
        self._clock = clock
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()
        self._lock = Lock()

    @property
    def are_on(self) -> bool:
        """Whether there are budgets at all."""
        return self.capacity > 0

    def admit(self, caller: Hashable) -> None:
        """Let a request in whose cost is not known yet; takes nothing. Raises: HttpRefusal when nothing is left."""
        if self.are_on:
            self.take(caller, 1)
            self.settle(caller, 1, 0)

    def take(self, caller: Hashable, cost: int) -> Standing:
        """Take what a request is expected to cost; what is left. What costs more than the capacity takes all of it.

        Raises: HttpRefusal (429, THROTTLED, 117) when there is not as much; nothing was taken then.
        """
        cost = min(cost, self.capacity)
        with self._lock:
            bucket = self._filled(caller)
            missing = cost - bucket.held
            if missing <= 0:
                bucket.held -= cost
                return self._standing(bucket)
        raise self._throttled(missing)

    def settle(self, caller: Hashable, taken: int, actual: int) -> Standing:
        """Give back, or pay, the difference between what was taken for a request and what it cost; what is left."""
        with self._lock:
            bucket = self._filled(caller)
            bucket.held = min(bucket.held + min(taken, self.capacity) - actual, self.capacity)
            return self._standing(bucket)

    def _filled(self, caller: Hashable) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = self._buckets[caller] = _Bucket(self.capacity, now)
            if len(self._buckets) > self._most_callers:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(caller)
            bucket.held = min(bucket.held + max(0.0, now - bucket.at) * self._per_second, self.capacity)
            bucket.at = now
        return bucket

    def _standing(self, bucket: _Bucket) -> Standing:
        full_in_s = (self.capacity - bucket.held) / self._per_second
        return Standing(self.capacity, math.floor(bucket.held), self.per_minute, full_in_s)

    def _throttled(self, missing: float) -> HttpRefusal:
        wait_s = max(1, math.ceil(missing / self._per_second))
        return HttpRefusal(
            429,
            "THROTTLED",
            f"You have used up your budget of {self.capacity}, of which {self.per_minute} come back in a minute. Wait"
            f" {wait_s} s, then send the same request again. `rateLimit` says how much is left.",
            number=117,
            headers={"Retry-After": str(wait_s)},
        )


class Charge:
    """One request as it is paid for: what it was expected to cost, what it costs, what is left.

    It is settled when its block has ended, however it ends; `settle` takes what is due, None where there are no
    budgets.
    """

    def __init__(
        self,
        expected: int,
        reading: int,
        allowance: Allowance | None = None,
        settle: Callable[[int], Standing] | None = None,
    ) -> None:
        self.meter = Meter()
        self.allowance = allowance
        """What the request itself can be told, while it runs."""
        self._expected = expected
        self._settle = settle
        self.reading = reading
        self.standing: Standing | None = None
        """What is left once the request has ended; None where there are no budgets."""

    def __enter__(self) -> Charge:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self._settle is not None:
            self.standing = self._settle(self.due)

    @property
    def due(self) -> int:
        """What the request is to pay beside the reading; what never ran pays for being looked at."""
        return max(self.meter.cost, 1)

    def shown(self, limit: int) -> dict[str, Any]:
        """What the answer says of it, for `extensions.cost`."""
        shown: dict[str, Any] = {"requested": self._expected, "actual": self.meter.cost, "limit": limit}
        if self.reading:
            shown["reading"] = self.reading
        if self.standing is not None:
            left = self.standing
            shown["budget"] = {"limit": left.capacity, "remaining": left.remaining, "perMinute": left.per_minute}
        return shown


def charged(budgets: Budgets, caller: Hashable, expected: int, reading: int, now: Instant) -> Charge:
    """Take what a request is expected to cost; it runs in the block of what is returned, and is settled after it.

    `reading`: what reading its document has cost already; it is paid in any case.
    Raises: HttpRefusal (429, THROTTLED) when the caller has not as much left.
    """
    if not budgets.are_on:
        return Charge(expected, reading)
    taken = max(expected, 1)
    try:
        standing = budgets.take(caller, taken)
    finally:
        if reading:
            budgets.settle(caller, 0, reading)
    full_at = Instant(now + math.ceil(standing.full_in_s * 1_000))
    allowance = Allowance(standing.capacity, standing.remaining, taken, standing.per_minute, full_at)
    return Charge(expected, reading, allowance, partial(budgets.settle, caller, taken))
