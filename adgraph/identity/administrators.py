"""What the operator is told about the system administrators he names: which of the names nobody can use."""

from __future__ import annotations

import logging
from collections.abc import Collection

from storage.database import Database
from storage.reads.logins import read_logins_named
from storage.records.values import LoginStatus

log = logging.getLogger("adgraph")


def warn_of_unknown(database: Database, names: Collection[str]) -> None:
    """Log a warning for each system administrator who has no login that may be used. It is no error: he may get one."""
    if not names:
        return
    with database.read() as transaction:
        found = read_logins_named(transaction, names)
    for name in sorted(names):
        login = found.get(name)
        if login is None:
            log.warning(
                "ADGRAPH_SYSTEM_ADMINISTRATORS names %s, and no login is called that (case counts). Whoever gets this"
                " login will be a system administrator; `adgraph login --user NAME` makes it.",
                name,
            )
        elif login.status is not LoginStatus.ACTIVE:
            log.warning("ADGRAPH_SYSTEM_ADMINISTRATORS names %s, which was merged and may no longer be used.", name)
