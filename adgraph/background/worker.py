"""The worker's loop: look for what is due, do it, tell it in the log, wait, until told to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from adgraph.observability import metrics
from resolvers.billing_transition import BILLING, BillingTransition
from resolvers.mail import Sender, send_due_mail
from resolvers.worker import Step, Trouble, Work, work_off
from storage.database import Database
from storage.errors import StorageError
from storage.records.ids import Instant

log = logging.getLogger("adgraph.worker")

SILENT_AT_MOST_S = 300.0
"""No step takes so long: a database that is locked or away is given up after its time-outs, a mail after a minute."""


def clock() -> Instant:
    """Now: milliseconds since 1970 UTC."""
    return Instant(time.time_ns() // 1_000_000)


class Worker:
    """Leads links and invitations on and sends mail, on whatever thread calls it. Several at once share the work."""

    def __init__(
        self,
        database: Database,
        *,
        interval_ms: int,
        sender: Sender | None = None,
        billing: BillingTransition = BILLING,
        now: Callable[[], Instant] = clock,
    ) -> None:
        self.interval_s = interval_ms / 1_000
        self._now = now
        self._stopping = Event()
        self._work = Work(database, billing, self._stops)
        self._sender = sender
        self._seen_at = time.monotonic()

    @property
    def seconds_silent(self) -> float:
        """How long ago it last began a step or looked for what is due."""
        return time.monotonic() - self._seen_at

    def run(self) -> None:
        """Work until `stop`. Nothing that goes wrong ends it: what is due stays due and is tried again."""
        while not self._stops():
            self.once()
            self._stopping.wait(self.interval_s)

    def once(self) -> int:
        """Do what is due now; returns how many steps were done. What goes wrong is logged and left for later."""
        done = 0
        try:
            for each in work_off(self._work, self._now()):
                done += isinstance(each, Step)
                _tell(each)
            done += self._send_mail()
        except StorageError as problem:
            log.warning("the worker could not look for what is due: %s", problem)
        except Exception:
            log.exception("the worker met something nobody foresaw; it goes on")
        return done

    def _stops(self) -> bool:
        """Asked before each piece of work; so it is also the sign that the worker is not stuck."""
        self._seen_at = time.monotonic()
        metrics.ROUND.set_to_current_time()
        return self._stopping.is_set()

    def _send_mail(self) -> int:
        if self._sender is None:
            return 0
        sent = send_due_mail(self._work.database, self._now(), self._sender, self._stops)
        if sent:
            metrics.MAILS.inc(sent)
            log.info("%d mails sent", sent)
        return sent

    def stop(self) -> None:
        """End `run` after the step under way. Safe from any thread and from signal handlers."""
        self._stopping.set()


def _tell(done: Step | Trouble) -> None:
    if isinstance(done, Trouble):
        metrics.TROUBLES.labels(done.kind).inc()
        foreseen = isinstance(done.problem, StorageError)
        said = "%s %d could not be led on and is tried again: %s"
        log.log(
            logging.WARNING if foreseen else logging.ERROR,
            said,
            done.kind,
            done.key,
            done.problem,
            exc_info=None if foreseen else done.problem,
        )
        return
    metrics.STEPS.labels(done.kind, str(done.status).lower()).inc()
    why = f": {done.reason}" if done.reason else ""
    log.info(
        "%s %d is %s now (%s, revision %d)%s", done.kind, done.key, done.status, done.operation, done.revision, why
    )


class BackgroundWorker:
    """A worker on a thread of its own, beside a server: requests and the event loop never wait for it."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._thread = Thread(target=worker.run, name="adgraph-worker")

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it still works: one that ended by itself or has not looked up for minutes is a fault."""
        return self._thread.is_alive() and self._worker.seconds_silent < self._worker.interval_s + SILENT_AT_MOST_S

    def close(self) -> None:
        """Let the step under way end, then stop. Waits for it."""
        self._worker.stop()
        if self._thread.ident is not None:
            self._thread.join()
