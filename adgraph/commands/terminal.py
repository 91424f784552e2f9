"""What all commands share: where they print, the clock, and the database they open."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console

from adgraph.app import open_database
from adgraph.commands.tokens import OperatorError
from adgraph.settings import Settings
from storage.database import Database
from storage.errors import NewerDatabase, OutdatedDatabase
from storage.migrate import check_current

out = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)


@contextmanager
def opened(settings: Settings | None = None, *, migrates: bool = False) -> Iterator[Database]:
    """The database of the environment's settings.

    Refuses one that is not there or whose tables are not this version's, unless the command `migrates` it.
    """
    settings = settings or Settings.from_env()
    database = open_database(settings, make=migrates)
    try:
        if not migrates:
            _refuse_other_tables(database, settings.database_url)
        yield database
    finally:
        database.close()


def _refuse_other_tables(database: Database, url: str) -> None:
    try:
        check_current(database)
    except (NewerDatabase, OutdatedDatabase) as problem:
        # Only here: a server tells the same sentence to strangers, whom its place does not concern.
        raise OperatorError(f"{without_password(url)}: {problem}") from problem


def without_password(value: str) -> str:
    """The value of a setting; of an address, what may stand on a terminal."""
    value = re.sub("(?<=password=)[^&]*", "…", value)
    scheme, separator, rest = value.partition("://")
    return f"{scheme}{separator}…@{rest.rpartition('@')[2]}" if "@" in rest else value


def now_ms() -> int:
    """The clock: milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def moment(at_ms: int | None) -> str:
    """A moment as people read it."""
    return "never" if at_ms is None else datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
