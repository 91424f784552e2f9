"""Whatever is written into whatever field of whatever mutation, both databases answer, alike, and in our own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from storage.database import Database
from tests.databases import Databases
from tests.schema.write_client import Writer, dump
from tests.writes.cells import ACTOR, store_cell
from tests.writes.inputs import GIVEN, MUTATIONS, Leaf, document_of, errors_in, leaves_of, put

TEXTS = ("\x00", "a\x00b", "\ud800", "x" * 100_000, "\N{GRINNING FACE}" * 30, "\u202e\r\n\t", "", "%s '; --")
NUMBERS = ("9223372036854775807", "9223372036854775808", "-1", "0", "01", "\N{SUPERSCRIPT TWO}", "1" * 5_000)
VALUES: dict[str, tuple[Any, ...]] = {
    "String": (*TEXTS, *NUMBERS),
    "ID": (*TEXTS, *NUMBERS),
    "Int": (2**31 - 1, -(2**31), 0, 2**31),
    "Boolean": (True, False),
    "DateTime": (
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "0001-01-01T00:00:00Z",
        "1969-07-20T20:17:40Z",
        "2020-01-01T00:00:00",
        "never",
    ),
    "Decimal": ("NaN", "sNaN", "Infinity", "1e400", "1e999999", "-0", "0.0000001", "9223372036854775807", "ten"),
}
OURS = frozenset({"BAD_USER_INPUT"})
"""What a request as a whole may be refused with here; the rest stands in `userErrors`."""


@pytest.fixture(scope="module")
def cell(databases: Databases, migrated_url: str) -> Iterator[Database]:
    """A Super Admin in the world of the matrix; every write here is a dry run."""
    url = databases.copy_of(migrated_url)
    database = Database.open(url)
    store_cell(database, "SUPER_ADMIN", "direct")
    yield database
    database.close()
    databases.drop(url)


def told(database: Database, mutation: str, leaf: Leaf, value: Any) -> list[dict[str, Any]]:
    given = put({**GIVEN[mutation], "dryRun": True}, leaf.path, value)
    return errors_in(Writer(database, ACTOR).execute(document_of(mutation), {"input": given}), mutation)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_no_value_is_a_fault_of_ours_or_the_databases(cell: Database, mutation: str) -> None:
    before = dump(cell)
    for leaf in leaves_of(mutation):
        if leaf.path == ("dryRun",):
            continue
        for value in VALUES[leaf.scalar]:
            for error in told(cell, mutation, leaf, value):
                code = error.get("code") or error["extensions"]["code"]
                assert "code" in error or code in OURS, (leaf.path, value, error)
                assert len(error["message"]) < 2_000, leaf.path
    assert dump(cell) == before


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800"], ids=["NUL", "NUL inside", "half a character"])
def test_what_cannot_be_kept_is_refused_with_the_field_it_stands_in(cell: Database, mutation: str, text: str) -> None:
    for leaf in leaves_of(mutation):
        if leaf.scalar not in ("String", "ID"):
            continue
        errors = told(cell, mutation, leaf, text)
        fields = [error["field"] for error in errors if error.get("code") == "BAD_USER_INPUT"]
        as_an_id = [error for error in errors if "extensions" in error]
        assert leaf.field in fields or as_an_id, (leaf.path, errors)


def test_a_short_input_is_made_around_any_place() -> None:
    given = put({"links": [{"linkId": "1"}]}, ("links", 0, "note"), "Seen.")
    assert given == {"links": [{"linkId": "1", "note": "Seen."}]}
    assert put({}, ("taxInformation", 0, "key"), "CNPJ") == {"taxInformation": [{"key": "CNPJ"}]}
    assert put({"newAccountIds": ["1"]}, ("newAccountIds", 0), "2") == {"newAccountIds": ["2"]}
