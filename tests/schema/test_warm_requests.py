"""Requests that find facts remembered answer like cold ones: all questions, whoever asks, whatever is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from resolvers.session import Session, Viewer
from storage.database import Database
from storage.demo import WORKED_USER_NAME, load_demo
from storage.reads.logins import read_login
from storage.reads.remembered import FactMemory
from storage.records.ids import Instant, LoginId
from tests.databases import Databases
from tests.schema.client import COMPILED, NOW_MS
from tests.schema.questions import QUERIES, question
from tests.schema.write_client import Writer

ASKERS = (
    WORKED_USER_NAME,
    "dana@l3.example",
    "robin.castellan@northwindreach.example",
    "aino.abernet@northwindreach.example",
)
ACCESS = """{
  check(capability: MANAGE_CAMPAIGNS, target: "AdAccount:333111", user: "1006") { allowed code }
  access(target: "ManagerAccount:333", user: "1006") { roles }
}"""


@pytest.fixture
def demo(databases: Databases, migrated_url: str) -> Iterator[Database]:
    """The demo company, of this test alone."""
    url = databases.copy_of(migrated_url)
    database = Database.open(url)
    load_demo(database, now_ms=NOW_MS)
    yield database
    database.close()
    databases.drop(url)


def login_of(database: Database, name: str) -> LoginId:
    """The login of a name."""
    with database.read() as tx:
        login = read_login(tx, name)
    assert login is not None
    return LoginId(login.id)


def ask(
    database: Database, name: str, query: str, variables: dict[str, Any] | None = None, memory: FactMemory | None = None
) -> tuple[dict[str, Any], int]:
    """The response of a request with or without a memory, and its statements."""
    viewer = Viewer(login_of(database, name), name)
    with database.read() as tx:
        session = Session(tx, viewer, Instant(NOW_MS), memory=memory)
        return COMPILED.execute(query, variables, None, session), tx.statements


def test_every_question_of_everybody_is_answered_the_same_with_one_memory_for_all(demo: Database) -> None:
    memory = FactMemory()
    for _ in range(2):
        for name in ASKERS:
            for asked in map(question, QUERIES):
                cold, cost = ask(demo, name, asked.text, asked.variables)
                warm, with_memory = ask(demo, name, asked.text, asked.variables, memory)
                assert warm == cold
                assert with_memory <= cost + 1, "at most the look at the revision is added"


def test_a_point_check_that_is_warm_takes_one_statement_at_most(demo: Database) -> None:
    query, memory = '{ check(capability: VIEW, target: "AdAccount:444111") { allowed } }', FactMemory()
    costs = [ask(demo, WORKED_USER_NAME, query, None, memory)[1] for _ in range(2)]
    assert costs[0] > costs[1] == (0 if demo.kind == "sqlite" else 1)


def test_a_dry_run_in_between_changes_no_answer_and_a_write_changes_it_at_once(demo: Database) -> None:
    memory, dana = FactMemory(), "dana@l3.example"
    elsewhere = Writer(demo, login_of(demo, dana), NOW_MS)
    change = {"customerId": "333", "userId": "1006", "deleteRole": "CAMPAIGN_MANAGER", "newRole": "VIEWER"}

    def warm() -> dict[str, Any]:
        answer = ask(demo, dana, ACCESS, None, memory)[0]
        assert answer == ask(demo, dana, ACCESS)[0]
        data: dict[str, Any] = answer["data"]
        return data

    assert warm()["check"] == {"allowed": True, "code": "ALLOWED"}
    elsewhere.done("updateUserRoles", {**change, "dryRun": True})
    assert warm()["check"] == {"allowed": True, "code": "ALLOWED"}
    elsewhere.done("updateUserRoles", change)
    assert warm() == {
        "check": {"allowed": False, "code": "ROLE_LACKS_CAPABILITY"},
        "access": {"roles": ["VIEWER"]},
    }
