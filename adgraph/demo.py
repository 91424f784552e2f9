"""Demo mode: the demo company in the database, and one token for everybody who opens the page."""

from __future__ import annotations

from dataclasses import replace

from adgraph.app import DemoSession
from adgraph.settings import Settings
from adgraph.tokens import DAY_MS, login_named
from storage.database import Database
from storage.demo import WORKED_USER_NAME, load_demo
from storage.migrate import migrate
from storage.tokens import issue_token, read_tokens, revoke_token

PAGE_LABEL = "demo page"
PAGE_TOKEN_DAYS = 365
"""Longer than a demo runs without a restart; every start issues a new token and ends the one before."""


def demo_settings(settings: Settings) -> Settings:
    """The settings of demo mode: the page's visitor is a system administrator, unless the operator names some."""
    named = settings.system_administrators or frozenset({WORKED_USER_NAME})
    return replace(settings, demo=True, system_administrators=named)


def prepare_demo(database: Database, *, now_ms: int) -> DemoSession:
    """Create the tables, load the demo company unless it is there, and sign the page in.

    Raises: StorageFailure when the database holds anything else: a token for real data is never given away.
    """
    migrate(database)
    load_demo(database, now_ms=now_ms)
    with database.write() as transaction:
        login = login_named(transaction, WORKED_USER_NAME)
        for row in read_tokens(transaction, login.id):
            if row.label == PAGE_LABEL and row.revoked_at_ms is None:
                revoke_token(transaction, row.id, now_ms)
        issued = issue_token(
            transaction, login_id=login.id, label=PAGE_LABEL, now_ms=now_ms, lifetime_ms=PAGE_TOKEN_DAYS * DAY_MS
        )
    return DemoSession(issued.token, WORKED_USER_NAME)
