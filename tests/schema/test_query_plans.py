"""On SQLite with statistics, no statement of any question reads a whole big table or builds an index for one run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schema.streams import Stream
from storage.audit import AuditNote, write_audit_entries
from storage.database import Database
from storage.generator import Generated, Size, load_generated
from storage.writes import begin_revision
from tests.databases import SqliteDatabases, migrated
from tests.oracle import World
from tests.schema.client import COMPILED, GraphClient
from tests.schema.lists import LISTS, ListField
from tests.schema.questions import QUERIES
from tests.schema.statements_run import Watched
from tests.schema.subscriber import BEGINNING, CHANGES
from tests.schema.test_filters import KEPT, sentence

Filled = tuple[Database, Generated]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    url = migrated(SqliteDatabases(tmp_path_factory.mktemp("plans")))
    database = Database.open(url)
    yield database, load_generated(database, Size().scaled(0.03))
    database.close()


def variables_of(path: Path, top: int) -> dict[str, Any]:
    """The file's variables, asked about the given tree."""
    file = path.with_suffix(".variables.json")
    variables: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    tops = ("top", "customer", "managerAccount")
    return {name: str(top) if name in tops else value for name, value in variables.items()}


def faults(filled: Filled, login: int, requests: list[tuple[str, dict[str, Any]]]) -> dict[str, list[str]]:
    """What the requests of a login run badly, statement by statement."""
    database, _ = filled
    client = GraphClient(database, login, world=World())
    with database.read() as transaction:
        watched = Watched(transaction)
        for query, variables in requests:
            answer = COMPILED.execute(query, variables, None, client.session(transaction))
            assert "data" in answer, answer
        assert watched.seen
        return watched.faults()


def test_a_fault_would_be_found(filled: Filled) -> None:
    database, _ = filled
    with database.read() as transaction:
        watched = Watched(transaction)
        transaction.execute('SELECT 1 FROM "client_link" AS "t1" WHERE "t1"."name" = ?', ["x"])
        transaction.execute('SELECT 1 FROM "client_link" AS "t1" WHERE "t1"."id" = ?', [1])
        [steps] = watched.faults().values()
        assert steps == ["SCAN t1"]


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_the_questions_people_ask(filled: Filled, path: Path) -> None:
    has = filled[1]
    request = (path.read_text(), variables_of(path, has.roots[1_000]))
    assert faults(filled, has.tree_login_id, [request]) == {}


def test_what_a_subscription_runs_at_each_step(filled: Filled) -> None:
    database, has = filled
    client = GraphClient(database, has.tree_login_id, world=World())
    with database.write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=0)
        notes = [AuditNote("ManagerAccount", has.roots[1_000], None, "{}")]
        write_audit_entries(transaction, stamp, "test", None, notes, None)
    with database.read() as transaction:
        watched = Watched(transaction)
        begun = COMPILED.subscribe(CHANGES, BEGINNING, None, client.session(transaction))
        assert isinstance(begun, Stream)
        assert begun.step(client.session(transaction), begun.begins, "r").response is not None
        assert watched.faults() == {}


@pytest.mark.parametrize("one", LISTS, ids=str)
@pytest.mark.parametrize("paging", [{"first": 5}, {"last": 5}], ids=["forward", "backward"])
def test_every_list_from_both_ends(filled: Filled, one: ListField, paging: dict[str, int]) -> None:
    has = filled[1]
    root = has.roots[1_000]
    if not one.reads_backwards:
        paging = {"first": 5}
    asked = one.query().replace('managerAccount(id: "1")', f'managerAccount(id: "{root}")')
    asked = asked.replace('managerAccount(id: "6")', f'managerAccount(id: "{root + 5}")')
    account = str(9_000_011)
    asked = asked.replace('adAccount(id: "60")', f'adAccount(id: "{account}")').replace(":60", f":{account}")
    assert faults(filled, has.tree_login_id, [(asked, paging)]) == {}


@pytest.mark.parametrize(("query", "given"), [case[:2] for case in KEPT], ids=map(sentence, KEPT))
def test_every_kind_of_search(filled: Filled, query: str, given: dict[str, Any]) -> None:
    assert faults(filled, filled[1].tree_login_id, [(query, {"filter": given})]) == {}
