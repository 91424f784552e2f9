"""The real server over the demo company, on both databases, with statements that take as long as a test wants."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeAlias

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from adgraph.app import create_app, open_database
from adgraph.commands.demo import prepare_demo
from adgraph.settings import Settings
from storage.database import Transaction
from storage.reads.facts import read_revision
from storage.records.ids import RevisionId

SLOW = "{ viewer { revision } }"
"""The question `slow_down` makes slow."""
QUICK = "{ viewer { login { userName } } }"
COUNTING = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT count(*) FROM n"
FOREVER = 10**11

DemoServer: TypeAlias = Callable[..., TestClient]


def count_to(transaction: Transaction, number: int = FOREVER) -> None:
    """A statement that keeps the database busy."""
    transaction.execute(COUNTING % number).fetchall()


def slow_down(monkeypatch: pytest.MonkeyPatch, number: int = FOREVER) -> None:
    """From now on the revision is found after counting so far."""

    def slowly(transaction: Transaction) -> RevisionId:
        count_to(transaction, number)
        return read_revision(transaction)

    monkeypatch.setattr("storage.reads.facts.read_revision", slowly)


def demo_settings(url: str, **chosen: Any) -> Settings:
    """Settings of a server without its worker: what writes here, writes because a test asked."""
    return Settings(database_url=url, worker=False, **chosen)


def started(stack: ExitStack, url: str, wrap: Callable[[ASGIApp], ASGIApp], **chosen: Any) -> TestClient:
    """A client, signed in to the demo company, of a server with these settings."""
    settings = demo_settings(url, **chosen)
    database = open_database(settings)
    token = prepare_demo(database, now_ms=time.time_ns() // 1_000_000).token
    database.close()
    headers = {"authorization": f"Bearer {token}", "accept": "application/graphql-response+json"}
    return stack.enter_context(TestClient(wrap(create_app(settings)), headers=headers))
