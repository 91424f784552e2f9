"""What all commands share: where they print, the clock, and the database they open."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console

from adgraph.app import open_database
from adgraph.settings import Settings
from storage.database import Database
from storage.migrate import check_current

out = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)


@contextmanager
def opened(settings: Settings | None = None, *, current: bool = True) -> Iterator[Database]:
    """The database of the environment's settings; `current` refuses one whose tables are not this version's."""
    database = open_database(settings or Settings.from_env())
    try:
        if current:
            check_current(database)
        yield database
    finally:
        database.close()


def now_ms() -> int:
    """The clock: milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def moment(at_ms: int | None) -> str:
    """A moment as people read it."""
    return "never" if at_ms is None else datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
