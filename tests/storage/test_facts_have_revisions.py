"""A fact never changes without a revision: what is remembered between requests relies on it.

Whatever writes a table that holds facts takes a `Stamp`, and the one way to a stamp is to begin a revision, in turn.
The machine of `tests/writes` watches the same law while people write.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from storage import models

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("adgraph", "schema", "resolvers", "storage")
FACTS = frozenset(
    {
        models.AdAccount,
        models.Aggregation,
        models.Assignment,
        models.AssignmentAdAccount,
        models.AssignmentManagerAccount,
        models.ClientLink,
        models.Login,
        models.ManagerAccount,
        models.User,
    }
)
"""The tables `storage.reads.facts` reads."""
BEFORE_IT = {"write_login": "begin_life_of_login"}
"""What is written in the same transaction just before its revision, which it signs; and what then takes the stamp."""
OTHERS = frozenset(table.__name__ for table in models.TABLES if table not in FACTS)
CHANGES = ("insert", "insert_many", "update", "delete", "replace")
_SQL = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE|COPY)\b")


def functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    """Every function of the product, migrations aside: they run before anybody is served."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                yield from ((path, node) for node in found if isinstance(node, ast.FunctionDef))


def written(function: ast.FunctionDef) -> Iterator[str]:
    """What the tables it writes are called: by queries that are run, and by rows that are put in."""
    other_names = {
        ast.unparse(one.targets[0]): ast.unparse(one.value) for one in ast.walk(function) if isinstance(one, ast.Assign)
    }
    for name in _named(function):
        yield other_names.get(name, name)


def _named(function: ast.FunctionDef) -> Iterator[str]:
    for call in ast.walk(function):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not call.args:
            continue
        if call.func.attr == "insert" and len(call.args) == 3:
            yield ast.unparse(call.args[0])
        if call.func.attr == "run":
            yield from (
                ast.unparse(one.func.value)
                for one in ast.walk(call.args[0])
                if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in CHANGES
            )


def takes_stamp(function: ast.FunctionDef) -> bool:
    """Whether it needs a revision under way."""
    return any(one.annotation and ast.unparse(one.annotation) == "Stamp" for one in function.args.args)


def called_by(function: ast.FunctionDef) -> set[str]:
    """The names of the functions it calls."""
    return {ast.unparse(one.func) for one in ast.walk(function) if isinstance(one, ast.Call)}


def test_whatever_writes_facts_needs_a_revision_under_way() -> None:
    writers = {(path, one.name): (takes_stamp(one), set(written(one))) for path, one in functions()}
    of_facts = {place: stamped for place, (stamped, tables) in writers.items() if tables - OTHERS}
    assert len(of_facts) > 15, "the writes are no longer found; look for them as they are written now"
    assert {name for (_, name), stamped in of_facts.items() if not stamped} == BEFORE_IT.keys()


def test_what_is_written_before_its_revision_is_followed_by_it() -> None:
    for before, after in BEFORE_IT.items():
        callers = [called for called in map(called_by, (one for _, one in functions())) if before in called]
        assert callers, before
        assert all(after in called for called in callers)
        assert [takes_stamp(one) for _, one in functions() if one.name == after] == [True]


def test_the_one_way_to_a_stamp_is_to_begin_a_revision() -> None:
    makers = [
        one.name
        for _, one in functions()
        if any(isinstance(call, ast.Call) and ast.unparse(call.func) == "Stamp" for call in ast.walk(one))
    ]
    assert makers == ["begin_revision"]


def test_a_revision_is_begun_in_turn() -> None:
    [(_, begin)] = [(path, one) for path, one in functions() if one.name == "begin_revision"]
    first = next(node for node in begin.body if not isinstance(getattr(node, "value", None), ast.Constant))
    assert ast.unparse(first) == "wait_for_turn(transaction)"


def test_nothing_is_written_by_sql_in_text_but_what_inserts_many_rows() -> None:
    texts = [
        (path.name, one.name)
        for path, one in functions()
        for text in ast.walk(one)
        if isinstance(text, ast.Constant) and isinstance(text.value, str) and _SQL.match(text.value)
    ]
    assert sorted(set(texts)) == [("database.py", "insert")]
