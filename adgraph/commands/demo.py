"""Demo mode: the demo company in the database, and tokens for everybody who opens the page."""

from __future__ import annotations

from dataclasses import replace

from adgraph.app import DemoLogin, DemoSession
from adgraph.commands.tokens import login_named
from adgraph.settings import Settings
from resolvers.rules.access_tokens import DAY_MS, MOST_LIVE_TOKENS
from storage.database import Database, Transaction
from storage.demo import VISITORS, WORKED_USER_NAME, Visitor, load_demo
from storage.developer_tokens import (
    DeveloperTokenState,
    issue_developer_token,
    read_developer_tokens,
    revoke_developer_token,
)
from storage.migrate import migrate
from storage.records.ids import Instant
from storage.records.values import TokenScope
from storage.tokens import NewToken, TokenState, issue_token, read_tokens, revoke_token

PAGE_LABEL = "demo page"
PAGE_TOKEN_DAYS = 365
"""Longer than a demo runs without a restart; every start issues new tokens."""
EARLIER_STARTS = MOST_LIVE_TOKENS // 2 - 1
"""The tokens of so many starts before stay good: another server may run on them, and a page may have stayed open since.
With the new one that is half of what a login may have; the other half is left for programs."""


def demo_settings(settings: Settings) -> Settings:
    """The settings of demo mode: the page's visitor is a system administrator, unless the operator names some."""
    named = settings.system_administrators or frozenset({WORKED_USER_NAME})
    return replace(settings, demo=True, system_administrators=named)


def prepare_demo(database: Database, *, now_ms: int, developer_token: bool = False) -> DemoSession:
    """Create the tables, load the demo company unless it is there, and sign the page in as each of its visitors.

    `developer_token`: whether the page needs one to name itself by.
    Raises: StorageFailure when the database holds anything else: a token for real data is never given away.
    """
    migrate(database)
    load_demo(database, now_ms=now_ms)
    until_ms = Instant(now_ms + PAGE_TOKEN_DAYS * DAY_MS)
    with database.write() as transaction:
        logins = tuple(_signed_in(transaction, one, now_ms, until_ms) for one in VISITORS)
        application = _developer_token(transaction, now_ms, until_ms) if developer_token else None
    return DemoSession(logins, application)


def _signed_in(transaction: Transaction, visitor: Visitor, now_ms: int, until_ms: Instant) -> DemoLogin:
    """A visitor with a new token; of those the page had before, only the oldest end, and only when there are many."""
    login = login_named(transaction, visitor.user_name)
    # A visitor may give the page's label to tokens he issues with the page's; those count as his.
    rows = [row for row in read_tokens(transaction, login.id) if row.label == PAGE_LABEL and row.issued_by is None]
    good = [row.id for row in rows if row.state(now_ms) is TokenState.GOOD]
    for token_id in good[:-EARLIER_STARTS]:
        revoke_token(transaction, token_id, now_ms)
    issued = issue_token(transaction, NewToken(login.id, PAGE_LABEL, frozenset(TokenScope), until_ms), now_ms)
    return DemoLogin(issued.token, visitor.user_name, visitor.first_name, visitor.about)


def _developer_token(transaction: Transaction, now_ms: int, until_ms: int) -> str:
    rows = read_developer_tokens(transaction)
    good = [row.id for row in rows if row.label == PAGE_LABEL and row.state(now_ms) is DeveloperTokenState.GOOD]
    for token_id in good[:-EARLIER_STARTS]:
        revoke_developer_token(transaction, token_id, now_ms)
    return issue_developer_token(
        transaction, label=PAGE_LABEL, login_id=None, now_ms=now_ms, expires_at_ms=until_ms
    ).token
