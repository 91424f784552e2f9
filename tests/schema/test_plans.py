"""Documents and plans are made once, stay small whatever a caller sends, and never answer for one another."""

from __future__ import annotations

import gc
import tracemalloc

from resolvers.session import Session
from schema.compiled import Plan
from schema.execution import Engine
from storage.database import Database
from storage.records.ids import Instant
from tests.schema.client import NOW_MS

MEMORY_OF_A_PLAN = 16 * 1024 * 1024
MEMORY_OF_TEN_REFUSALS = 2 * 1024 * 1024


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
    engine = Engine()
    tracemalloc.start()
    try:
        with demo_database.read() as transaction:
            answer = engine.execute(query, None, None, Session(transaction, None, Instant(NOW_MS)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer["data"] == {"managerAccount": None}
    assert _plans(engine, query) == [None]
    assert peak < MEMORY_OF_A_PLAN


def test_a_plan_of_many_selections_stays_small(demo_database: Database) -> None:
    query = "{" + " ".join(f"a{number}: viewer {{ login {{ userName }} }}" for number in range(400)) + "}"
    engine = Engine()
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
    engine = Engine()
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
