"""What is told of each request: one line of the log, and the numbers. Over HTTP and over a socket alike.

A transport makes a `Told` when a request begins, hands it along, and ends it when the answer is known.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, field
from itertools import count
from uuid import uuid4

from adgraph.observability.metrics import Observed, observe

log = logging.getLogger("adgraph.requests")

CLIENT_LEFT = "CLIENT_LEFT"
"""What the log and the numbers call a request whose caller did not wait for the answer."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_PROCESS = uuid4().hex[:20]
_REQUESTS = count(1)
"""Request ids: which process, and its how many-th request."""


@dataclass(slots=True)
class Told:
    """What becomes known of one request on its way. `code` is that of its first error."""

    transport: str
    request_id: str
    kind: str = ""
    code: str = ""
    statements: int | None = None
    cost: int | None = None
    login_id: int | None = None
    began: float = field(default_factory=time.perf_counter)

    def answered(self, what: str, status: int | None = None) -> None:
        """The answer is known: tell it."""
        seconds = time.perf_counter() - self.began
        observe(Observed(self.transport, self.kind, self.code, seconds, self.cost, self.statements))
        if not log.isEnabledFor(logging.INFO):
            return
        known = {
            "status": status,
            "kind": self.kind,
            "code": self.code,
            "cost": self.cost,
            "statements": self.statements,
            "login_id": self.login_id,
        }
        extra = {name: value for name, value in known.items() if value not in (None, "")}
        log.info("%s", what, extra={"request_id": self.request_id, "duration_ms": round(seconds * 1_000, 1), **extra})


def request_id_of(offered: str | None) -> str:
    """The caller's own request id when it is safe to log, else a new one."""
    return offered if offered and _REQUEST_ID.match(offered) else f"{_PROCESS}{next(_REQUESTS):012x}"
