"""Watches for committed revisions, for everybody in this process who waits for one.

One question to the database at a time, however many wait, and none while nobody does. Another process's write is seen
at the next question, a write of this process at once.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from storage.database import Database
from storage.errors import StorageError
from storage.reads.facts import read_revision

log = logging.getLogger("adgraph.sockets")

INTERVAL_SECONDS = 0.25
"""People do not notice a quarter of a second, and a database does not notice four look-ups of one row."""


class RevisionWatch:
    """The latest revision, as far as this process knows. Used on the event loop, but for `wake`."""

    def __init__(self) -> None:
        self._latest = -1
        self._listeners = 0
        self._news = asyncio.Event()
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asking: asyncio.Task[None] | None = None
        # A thread of its own: it must not wait behind the requests whose writes it looks for.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="adgraph-watch")

    async def beyond(self, database: Database, revision: int) -> None:
        """Return once a revision after this one is committed."""
        if self._latest > revision:
            return
        self._listeners += 1
        try:
            if self.is_idle:
                self._loop = asyncio.get_running_loop()
                self._asking = asyncio.create_task(self._ask(database))
            while self._latest <= revision:
                await self._news.wait()
        finally:
            self._listeners -= 1

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked of the database, because nobody waits."""
        return self._asking is None or self._asking.done()

    def wake(self) -> None:
        """Something was written in this process: look at once. Safe from any thread."""
        loop = self._loop
        if loop is not None and self._listeners:
            loop.call_soon_threadsafe(self._woken.set)

    async def _ask(self, database: Database) -> None:
        loop = asyncio.get_running_loop()
        reachable = True
        while self._listeners:
            self._woken.clear()
            try:
                found = await loop.run_in_executor(self._pool, _latest, database)
            except StorageError as problem:
                if reachable:
                    log.warning("no new revision can be seen for now: %s", problem)
                reachable = False
            except Exception:
                log.exception("looking for a new revision met something nobody foresaw; it goes on")
            else:
                reachable = True
                if found > self._latest:
                    self._latest = found
                    # Whoever waits now is told; whoever waits from now on waits for the next one.
                    self._news.set()
                    self._news = asyncio.Event()
            try:
                async with asyncio.timeout(INTERVAL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def close(self) -> None:
        """Ask no more. Nobody waits by then."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])
        self._pool.shutdown(wait=True)


def _latest(database: Database) -> int:
    with database.read() as transaction:
        return read_revision(transaction)
