"""Watches the SQL a request runs, statement by statement, and has SQLite explain each one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from storage.database import Transaction

ALIASED = re.compile(r'"(\w+)" AS "(\w+)"')


class Watched:
    """Stands between a transaction and its SQLite connection, and writes down what passes."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction._connection
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


def _is_bad(step: str, tables: dict[str, str]) -> bool:
    if "AUTOMATIC" in step or "BLOOM FILTER" in step:
        return True
    words = step.split()
    return words[0] == "SCAN" and words[1] in tables
