"""Demo mode: the demo company in the database, and tokens for everybody who opens the page."""

from __future__ import annotations

from adgraph.app import DemoLogin, DemoSession
from adgraph.tokens import DAY_MS, login_named
from storage.database import Database, Transaction
from storage.demo import VISITORS, Visitor, load_demo
from storage.migrate import migrate
from storage.tokens import issue_token, read_tokens, revoke_token

PAGE_LABEL = "demo page"
PAGE_TOKEN_DAYS = 365
"""Longer than a demo runs without a restart; every start issues a new token and ends the one before."""


def prepare_demo(database: Database, *, now_ms: int) -> DemoSession:
    """Create the tables, load the demo company unless it is there, and sign the page in as each of its visitors.

    Raises: StorageFailure when the database holds anything else: a token for real data is never given away.
    """
    migrate(database)
    load_demo(database, now_ms=now_ms)
    with database.write() as transaction:
        return DemoSession(tuple(_signed_in(transaction, one, now_ms) for one in VISITORS))


def _signed_in(transaction: Transaction, visitor: Visitor, now_ms: int) -> DemoLogin:
    """A visitor with a new token; the one the page had before ends."""
    login = login_named(transaction, visitor.user_name)
    for row in read_tokens(transaction, login.id):
        if row.label == PAGE_LABEL and row.revoked_at_ms is None:
            revoke_token(transaction, row.id, now_ms)
    issued = issue_token(
        transaction, login_id=login.id, label=PAGE_LABEL, now_ms=now_ms, lifetime_ms=PAGE_TOKEN_DAYS * DAY_MS
    )
    return DemoLogin(issued.token, visitor.user_name, visitor.first_name, visitor.about)
