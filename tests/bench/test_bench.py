"""The bench itself, at a tiny scale: it has to run, and its peers have to be right, before it is believed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from storage import migrate as migrations
from storage.generator import Size
from storage.migrate import HISTORY, MIGRATIONS
from tests.bench.data import Data, prepared
from tests.bench.measure import ARIADNE, OURS, PLAIN, STATIC, AnswersDiffer, Effort, Measured, Sample, check_equal
from tests.bench.questions import questions
from tests.bench.report import Result
from tests.bench.run import answering, measure
from tests.bench.servers import Server

TINY = Size(manager_accounts=100, ad_accounts=300, users=150, account_links=20, trees=(10, 1_000))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return prepared(tmp_path_factory.mktemp("bench") / "data.db", TINY, lambda *_: None)


@pytest.fixture(scope="module")
def servers(data: Data) -> Iterator[dict[str, Server]]:
    with answering(data, questions(data)) as running:
        yield running


@pytest.fixture(scope="module")
def result(data: Data, servers: dict[str, Server]) -> Result:
    return measure(data, TINY, questions(data), servers, Effort(rounds=2, seconds=0.005), 20, lambda _: None)


def test_all_servers_give_the_same_answers_and_all_are_measured(result: Result) -> None:
    assert [one.question.partition(" ")[0] for one in result.measured] == ["Q1", "Q1", "Q2", "Q3", "Q3", "Q3", "Q4"]
    for one in result.measured:
        assert {name: len(samples) for name, samples in one.samples.items()} == dict.fromkeys(
            (OURS, STATIC, PLAIN, ARIADNE), 2
        )


def test_every_document_is_parsed_once(result: Result) -> None:
    assert result.documents.requests > result.documents.documents == result.documents.parsed


def test_the_result_is_json_with_every_target(result: Result) -> None:
    found = orjson.loads(result.as_json())
    assert len(found["targets"]) == 2 * len(result.measured) + 3
    assert found["memoryMib"]["VmHWM"] >= found["memoryMib"]["VmRSS"] > 0


def test_writes_are_measured_and_reads_under_each_rate_of_them_on_both_databases(result: Result) -> None:
    assert list(result.writes) == ["SQLite", "PostgreSQL"]
    for found in result.writes.values():
        assert found.ad_accounts == TINY.ad_accounts
        assert found.throughput.writes > 0
        assert found.throughput.p95_ms >= found.throughput.p50_ms > 0
        assert found.throughput.cpu_ms > 0
        assert [one.wanted for one in found.under_writes] == [0, 10, 100, 1_000]
        for one in found.under_writes:
            assert one.reads > 0
            assert one.cpu_share > 0
            assert (one.reached == 0) == (one.wanted == 0)
            assert (one.write_p50_ms == 0) == (one.wanted == 0)
            assert one.reached <= one.wanted + 10


def changed(path: Path, *statements: str) -> None:
    """Do something to a file that is kept."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_kept_data_is_used_as_it_is_brought_up_to_date_or_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data.db"
    made: list[str] = []

    def prepare() -> bool:
        """Whether the data had to be made."""
        made.clear()
        prepared(path, TINY, lambda what, *_: made.append(what))
        return bool(made)

    assert prepare()
    assert not prepare()
    later = Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))
    (later / "9999_of_later_code.py").write_text(
        "def up(migrator, db):\n    db.execute_sql('CREATE TABLE more (id)')\n"
    )
    with monkeypatch.context() as tomorrow:
        tomorrow.setattr(migrations, "MIGRATIONS", later)
        assert not prepare(), "what is older is migrated"
        changed(path, "SELECT * FROM more")
    assert prepare(), "made by later code"
    path.write_bytes(b"not a database")
    assert prepare(), "no database at all"
    changed(path, "DROP TABLE audit_entry")
    changed(path, f"DELETE FROM {HISTORY} WHERE name <> '0001_initial'")
    assert prepare(), "cannot be migrated"


def test_servers_that_differ_are_not_measured(data: Data, servers: dict[str, Server]) -> None:
    asked = [one for one in questions(data) if one.name.startswith("Q2")]
    others = [one._replace(variables={"id": str(data.roots[10])}) for one in asked]
    with pytest.raises(AnswersDiffer, match=r"Q2 linked 50: adgraph and static differ at \.managerAccount\.name"):
        check_equal([servers[OURS], servers[STATIC]], others, data.token)


def test_the_questions_have_much_to_say(data: Data, servers: dict[str, Server]) -> None:
    replies = check_equal([servers[OURS]], questions(data), data.token)
    linked = orjson.loads(replies["Q2 linked 50"])["data"]["managerAccount"]["adAccounts"]
    assert len(linked["edges"]) == 50
    assert {edge["node"]["owner"]["__typename"] for edge in linked["edges"]} == {
        "ManagerAccount",
        "RestrictedManagerAccount",
    }
    checks = orjson.loads(replies["Q3 checkMany 1,000"])["data"]["checkMany"]
    assert {check["code"] for check in checks} == {"ALLOWED", "LINK_CAP", "NOT_VISIBLE"}
    accessors = orjson.loads(replies["Q4 who can access"])["data"]["adAccount"]["accessors"]["edges"]
    assert len(accessors) > 20


def test_ratios_are_taken_round_by_round() -> None:
    samples = {OURS: [Sample(1, 1), Sample(2, 1), Sample(4, 1)], PLAIN: [Sample(3, 1), Sample(4, 1), Sample(20, 1)]}
    assert Measured("any", 1, samples).ratio(PLAIN, OURS) == (3, 2, 5)
