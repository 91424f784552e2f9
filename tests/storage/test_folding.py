"""Folded text orders and searches alike on both databases."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storage.database import Database
from storage.folding import after_prefix, fold
from storage.writes import write_manager_accounts
from tests.storage.small_world import a_manager_account, a_revision

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@given(TEXT, TEXT)
def test_the_range_of_a_prefix_holds_exactly_what_begins_with_it(prefix: str, text: str) -> None:
    end = after_prefix(prefix)
    in_range = prefix <= text and (end is None or text < end)
    assert in_range == text.startswith(prefix)


@given(TEXT, TEXT)
def test_what_follows_a_prefix_stays_in_its_range(prefix: str, rest: str) -> None:
    end = after_prefix(prefix)
    assert prefix <= prefix + rest
    assert end is None or prefix + rest < end


@given(TEXT)
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(text.upper()) == fold(fold(text.upper()))


def test_nothing_follows_the_last_character() -> None:
    assert after_prefix("") is None
    assert after_prefix("a\U0010ffff") == "b"
    assert after_prefix("\U0010ffff") is None
    assert after_prefix("\ud7ff") == "\ue000"


NAMES = ["zebra", "Äpfel", "apple", "Apple pie", "ångström", "éclair", "eclair", "_under", "10", "9", "ZEBRA 2",
         "😀 smile", "ﬁne", "Straße", "strasse", " blank", "a-b", "a b", "ab", "中文", "\ue000 private"]  # fmt: skip


def test_names_are_ordered_by_code_point_of_their_folded_form(database: Database) -> None:
    with database.write() as transaction:
        entries = [a_manager_account(number, name=name) for number, name in enumerate(NAMES, start=1)]
        write_manager_accounts(transaction, a_revision(transaction), entries)
    with database.read() as transaction:
        rows = transaction.execute("SELECT name FROM manager_account ORDER BY name_folded, id").fetchall()
    assert [name for (name,) in rows] == sorted(NAMES, key=lambda name: (fold(name), NAMES.index(name)))
