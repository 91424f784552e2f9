"""Watches the SQL that is run, statement by statement, and has the database explain each one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from storage.database import Transaction

SCAN = re.compile(r"SCAN (\w+)")
NAMED = re.compile(r'"(\w+)"(?: AS "(\w+)")?')
ALIASED = re.compile(r'"(\w+)" AS "(\w+)"')


class Watched:
    """Stands between a transaction and its SQLite connection, and writes down what passes."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction._connection
        self._kind = transaction.kind
        self.seen: dict[str, Sequence[Any]] = {}
        transaction._connection = self

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Run a statement; of one that runs again, the values with most to do are kept."""
        if len(str(values)) >= len(str(self.seen.get(sql, ""))):
            self.seen[sql] = values
        return self._connection.execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> Any:
        """Run a statement for many rows; the last one stands for all."""
        given = list(rows)
        if given:
            self.seen[sql] = given[-1]
        return self._connection.executemany(sql, given)

    def cursor(self) -> Any:
        """What COPY on PostgreSQL is done with; it reads nothing."""
        self.seen["COPY"] = ()
        return self._connection.cursor()

    def __getattr__(self, name: str) -> Any:
        """Whatever else a connection can do."""
        return getattr(self._connection, name)

    def whole_reads(self, tables: frozenset[str]) -> dict[str, list[str]]:
        """Statements that read all of a stored table, whatever they do with it; a list bound to one is none."""
        steps = self._sqlite_steps if self._kind == "sqlite" else self._postgresql_steps
        found: dict[str, list[str]] = {}
        for sql, values in self.seen.items():
            # What INSERT and COPY run besides are checks of foreign keys, by the key of the other table.
            if sql.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                bad = list(steps(sql, values, tables))
                if bad:
                    found[sql] = bad
        return found

    def _sqlite_steps(self, sql: str, values: Sequence[Any], tables: frozenset[str]) -> Iterator[str]:
        aliases = {alias or table for table, alias in NAMED.findall(sql) if table in tables} | tables
        for *_, step in self._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall():
            hit = SCAN.match(step)
            if (hit and hit[1] in aliases) or "AUTOMATIC" in step:
                yield step

    def _postgresql_steps(self, sql: str, values: Sequence[Any], tables: frozenset[str]) -> Iterator[str]:
        """What is left of whole reads where the planner avoids them: those that no index would spare.

        How many rows there are decides what PostgreSQL prefers, and here they are few.
        """
        for way in ("seqscan", "hashjoin", "mergejoin"):
            self._connection.execute(f"SET LOCAL enable_{way} = off")
        [(plans,)] = self._connection.execute(f"EXPLAIN (FORMAT JSON) {sql}", values or None).fetchall()
        [whole] = json.loads(plans) if isinstance(plans, str) else plans
        for node in _nodes(whole["Plan"]):
            kind, table = node["Node Type"], node.get("Relation Name")
            by_index = "Index" in kind and ("Index Cond" in node or node["Index Name"].endswith("_waiting"))
            if table in tables and kind != "ModifyTable" and kind != "Bitmap Heap Scan" and not by_index:
                yield f"{kind} on {table}"

    def faults(self) -> dict[str, list[str]]:
        """Statements with steps that read a whole table, or build an index or a filter for one run."""
        found: dict[str, list[str]] = {}
        for sql, values in self.seen.items():
            tables = {alias: table for table, alias in ALIASED.findall(sql)}
            plan = [row[3] for row in self._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()]
            bad = [step for step in plan if _is_bad(step, tables)]
            if bad:
                found[sql] = bad
        return found


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _is_bad(step: str, tables: dict[str, str]) -> bool:
    if "AUTOMATIC" in step or "BLOOM FILTER" in step:
        return True
    words = step.split()
    return words[0] == "SCAN" and words[1] in tables
