"""Documents and plans are made once, stay small whatever a caller sends, and never answer for one another."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest

from resolvers.errors import out_of_time, too_many_values
from resolvers.session import Limits, Session, Viewer
from schema.compiled import Plan
from schema.document_rules import DocumentLimits
from schema.execution import Engine
from storage.database import Database
from storage.records.ids import Instant, LoginId
from tests.schema.client import NOW_MS

MEMORY_OF_A_PLAN = 16 * 1024 * 1024
MEMORY_OF_TEN_REFUSALS = 2 * 1024 * 1024
ROOMY = DocumentLimits(depth=100, fields=10**6, aliases=10**6, root_fields=1_000, tokens=20_000)
"""What is on trial here is what holds when a deployment takes documents of any size."""
PATIENT = Limits(seconds=100.0)
"""Memory is measured here, on machines that may be busy."""


def _plans(engine: Engine, query: str) -> list[object]:
    document = engine.documents.get(query, introspection=True)
    return [plan for key, plan in document.plans.items() if isinstance(key, tuple)]


def test_an_operation_may_have_any_name(demo_database: Database) -> None:
    query = "query conditions { viewer { revision } }"
    engine = Engine()
    with demo_database.read() as transaction:
        first = engine.execute(query, None, None, Session(transaction, None, Instant(NOW_MS)))
        second = engine.execute(query, None, None, Session(transaction, None, Instant(NOW_MS)))
    assert first == second
    assert [type(plan) for plan in _plans(engine, query)] == [Plan]


def doubling(levels: int) -> str:
    """A document of some lines whose fragments write out 2^levels selections."""
    fragments = [
        f"fragment f{level} on ManagerAccount {{ a: adAccounts {{ nodes {{ owner {{ ...f{level + 1} }} }} }}"
        f" b: adAccounts {{ nodes {{ owner {{ ...f{level + 1} }} }} }} }}"
        for level in range(levels)
    ]
    last = f"fragment f{levels} on ManagerAccount {{ customerId }}"
    return " ".join(['{ managerAccount(id: "1") { ...f0 } }', *fragments, last])


def test_fragments_that_double_are_left_to_graphql_core(demo_database: Database) -> None:
    query = doubling(14)
    engine = Engine(ROOMY)
    tracemalloc.start()
    try:
        with demo_database.read() as transaction:
            answer = engine.execute(query, None, None, Session(transaction, None, Instant(NOW_MS), PATIENT))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer["data"] == {"managerAccount": None}
    assert _plans(engine, query) == [None]
    assert peak < MEMORY_OF_A_PLAN


def test_a_plan_of_many_selections_stays_small(demo_database: Database) -> None:
    query = "{" + " ".join(f"a{number}: viewer {{ login {{ userName }} }}" for number in range(400)) + "}"
    engine = Engine(ROOMY)
    tracemalloc.start()
    try:
        with demo_database.read() as transaction:
            engine.execute(query, None, None, Session(transaction, None, Instant(NOW_MS)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [type(plan) for plan in _plans(engine, query)] == [Plan]
    assert peak < MEMORY_OF_A_PLAN


def test_refused_documents_take_no_room() -> None:
    engine = Engine(ROOMY)
    tracemalloc.start()
    try:
        for number in range(10):
            unknown = " ".join(f"a{number}_{position}" for position in range(1_000))
            assert engine.documents.get(f"{{ {unknown} }}", introspection=True).refused
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < MEMORY_OF_TEN_REFUSALS


def _ask(database: Database, engine: Engine, query: str, limits: Limits) -> dict[str, Any]:
    with database.read() as transaction:
        [(login,)] = transaction.execute("SELECT id FROM login WHERE user_name = 'alex@contoso.example'").fetchall()
        viewer = Viewer(LoginId(login), "alex@contoso.example")
        return engine.execute(query, None, None, Session(transaction, viewer, Instant(NOW_MS), limits))


@pytest.mark.parametrize("compiles", [True, False], ids=["compiled", "interpreted"])
def test_an_answer_that_grows_past_reason_is_stopped(demo_database: Database, compiles: bool) -> None:
    leading_back = "name"
    for _ in range(12):
        leading_back = f"adAccounts {{ nodes {{ owner {{ ... on ManagerAccount {{ {leading_back} }} }} }} }}"
    query = f'{{ managerAccount(id: "111") {{ {leading_back} }} }}'
    answer = _ask(demo_database, Engine(ROOMY, compiles=compiles), query, Limits(max_values=5_000))
    assert answer == {
        "errors": [{"message": too_many_values(5_000).message, "extensions": {"code": "TOO_MANY_VALUES"}}]
    }


@pytest.mark.parametrize("compiles", [True, False], ids=["compiled", "interpreted"])
def test_a_request_is_stopped_when_its_time_is_over(demo_database: Database, compiles: bool) -> None:
    query = '{ managerAccount(id: "111") { adAccounts { nodes { name } } } }'
    answer = _ask(demo_database, Engine(compiles=compiles), query, Limits(seconds=0.0))
    assert answer == {"errors": [{"message": out_of_time().message, "extensions": {"code": "REQUEST_TIMEOUT"}}]}
