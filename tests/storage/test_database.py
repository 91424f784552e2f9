"""Transactions: one snapshot, one writer, errors with a sentence, connections that come back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from storage.database import Database, Transaction
from storage.errors import (
    BadDatabaseUrl,
    StorageBusy,
    StorageFailure,
    StorageUnavailable,
)
from storage.models import Address, ManagerAccount
from storage.statements import Param, Statement
from tests.storage.small_world import a_manager_account, a_revision, write_small_world

NAMES = Statement(ManagerAccount.select(ManagerAccount.id, ManagerAccount.name).order_by(ManagerAccount.id))


def in_thread(act: Callable[[], object]) -> None:
    """Run it where it has a connection of its own, and pass on what it raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def rename(database: Database, name: str) -> None:
    with database.write() as transaction:
        transaction.run(ManagerAccount.update({ManagerAccount.name: name}))


@pytest.fixture
def impatient(database_url: str) -> Iterator[Database]:
    database = Database.open(database_url, busy_timeout_ms=200, pool_size=3)
    yield database
    database.close()


def test_a_read_sees_one_snapshot_whatever_is_written_meanwhile(database: Database) -> None:
    write_small_world(database)
    with database.read() as transaction:
        before = transaction.fetch(NAMES)
        in_thread(lambda: rename(database, "Renamed"))
        assert transaction.fetch(NAMES) == before
    with database.read() as transaction:
        assert {name for _, name in transaction.fetch(NAMES)} == {"Renamed"}


def test_a_write_is_seen_once_it_is_committed_and_not_before(database: Database) -> None:
    write_small_world(database)
    seen: list[set[str]] = []

    def look() -> None:
        with database.read() as transaction:
            seen.append({name for _, name in transaction.fetch(NAMES)})

    with database.write() as transaction:
        transaction.run(ManagerAccount.update({ManagerAccount.name: "Renamed"}))
        in_thread(look)
    in_thread(look)
    assert seen == [{"Manager 1", "Manager 2", "Manager 3"}, {"Renamed"}]


def test_an_error_inside_a_write_undoes_all_of_it(database: Database) -> None:
    write_small_world(database)

    def write_then_fail() -> None:
        with database.write() as transaction:
            transaction.run(ManagerAccount.update({ManagerAccount.name: "Renamed"}))
            raise LookupError

    with pytest.raises(LookupError):
        write_then_fail()
    with database.read() as transaction:
        assert "Renamed" not in {name for _, name in transaction.fetch(NAMES)}


def test_a_read_never_leaves_a_change_behind(database: Database) -> None:
    write_small_world(database)
    try:
        with database.read() as transaction:
            transaction.run(ManagerAccount.update({ManagerAccount.name: "Renamed"}))
    except StorageFailure:
        assert database.kind == "postgresql"  # which refuses at once
    with database.read() as transaction:
        assert "Renamed" not in {name for _, name in transaction.fetch(NAMES)}


def test_transactions_do_not_nest(database: Database) -> None:
    with database.read(), pytest.raises(RuntimeError, match="already"), database.write():
        pass
    with database.write():
        pass


def test_a_write_that_waits_too_long_is_told_so(impatient: Database) -> None:
    write_small_world(impatient)
    with impatient.write() as transaction:
        a_revision(transaction)

        def write_too() -> None:
            with impatient.write() as another:
                a_revision(another)

        with pytest.raises(StorageBusy, match=r"busy for too long. Nothing was changed; try again"):
            in_thread(write_too)


def test_readers_do_not_wait_for_a_writer(impatient: Database) -> None:
    write_small_world(impatient)

    def read() -> None:
        with impatient.read() as transaction:
            assert len(transaction.fetch(NAMES)) == 3

    with impatient.write() as transaction:
        transaction.run(ManagerAccount.update({ManagerAccount.name: "Renamed"}))
        in_thread(read)


def test_only_statements_are_counted(database: Database) -> None:
    write_small_world(database)
    with database.read() as transaction:
        assert transaction.statements == 0
        transaction.fetch(NAMES)
        transaction.fetch(NAMES)
        assert transaction.statements == 2
    with database.write() as transaction:
        transaction.insert(Address, ("id", "time_stamp"), [(number, 1) for number in range(50, 150)])
        assert transaction.statements == 1


def test_many_threads_read_and_write_at_once(database: Database) -> None:
    write_small_world(database)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                with database.write() as transaction:
                    stamp = a_revision(transaction)
                    transaction.run(
                        ManagerAccount.update({ManagerAccount.name: f"{number}-{turn}"}).where(ManagerAccount.id == 1)
                    )
                with database.read() as transaction:
                    [(found,)] = transaction.execute("SELECT max(id) FROM revision").fetchall()
                    assert found >= stamp.id
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.read() as transaction:
        [(count,)] = transaction.execute("SELECT count(*) FROM revision").fetchall()
    assert count == 1 + 6 * 5


def test_a_value_no_database_can_hold_is_a_storage_failure(database: Database) -> None:
    by_id = Statement(ManagerAccount.select(ManagerAccount.id).where(ManagerAccount.name == Param("name")))
    with pytest.raises(StorageFailure), database.read() as transaction:
        transaction.fetch(by_id, name="\ud800")


def test_a_broken_statement_is_a_storage_failure_without_sql_in_it(database: Database) -> None:
    with pytest.raises(StorageFailure) as failure, database.read() as transaction:
        transaction.execute("SELECT secret FROM nowhere")
    assert "adgraph migrate" in str(failure.value)
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    "url",
    ["", "adgraph.db", "mysql://host/name", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a.db?mode=ro",
     "postgresql://host/name?bogus=1"],
)  # fmt: skip
def test_an_address_that_cannot_be_understood_is_refused(url: str) -> None:
    with pytest.raises(BadDatabaseUrl, match="address of"):
        Database.open(url)


def test_an_unreachable_server_is_told_without_the_password() -> None:
    with pytest.raises(StorageUnavailable, match="cannot be reached") as failure:
        Database.open("postgresql://someone:hunter2@127.0.0.1:1/name")
    assert "hunter2" not in str(failure.value)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="Check that its folder exists"):
        Database.open(f"sqlite:///{tmp_path}/missing/adgraph.db")


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(StorageFailure, match="is not a database"):
        Database.open(f"sqlite:///{path}")


def test_blanks_and_accents_in_a_path_survive_the_address(tmp_path: Path) -> None:
    Database.open(f"sqlite:///{tmp_path}/my%20d%C3%A4ta.db").close()
    assert (tmp_path / "my däta.db").exists()


def test_sqlite_is_opened_for_durability(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/a.db", busy_timeout_ms=1234)
    with database.read() as transaction:
        settings = {
            name: transaction.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    database.close()
    assert settings == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 1234}


WRITER = """
import sys
from storage.database import Database
from storage.writes import begin_revision
database = Database.open(sys.argv[1])
while True:
    with database.write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=1)
    print(stamp.id, flush=True)
"""


def test_what_was_acknowledged_survives_a_killed_process(database: Database, database_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, database_url], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(20)]
    os.kill(process.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in process.stdout.read().splitlines() if line]
    process.wait()
    process.stdout.close()
    with database.read() as transaction:
        stored = {id_ for (id_,) in transaction.execute("SELECT id FROM revision").fetchall()}
    assert stored >= set(acknowledged[:20])


@pytest.fixture
def postgresql(database: Database) -> Database:
    if database.kind != "postgresql":
        pytest.skip("about the pool of connections, which SQLite has none of")
    return database


def test_a_connection_that_died_in_the_pool_is_replaced(postgresql: Database) -> None:
    pids: list[int] = []

    def remember(transaction: Transaction) -> None:
        pids.append(transaction.execute("SELECT pg_backend_pid()").fetchone()[0])

    with postgresql.read() as transaction:
        remember(transaction)

    def kill() -> None:
        with postgresql.write() as transaction:
            transaction.execute("SELECT pg_terminate_backend(%s)", (pids[0],))

    with postgresql.read() as transaction:
        remember(transaction)
        assert pids[0] == pids[1]  # held here, so that the killer gets another connection
        in_thread(kill)
        with pytest.raises(StorageUnavailable):
            transaction.fetch(NAMES)
    with postgresql.read() as transaction:
        remember(transaction)
    assert pids[2] != pids[0]


def test_all_connections_in_use_is_busy(impatient: Database) -> None:
    if impatient.kind != "postgresql":
        pytest.skip("SQLite has a connection for every thread")
    ready, done = threading.Barrier(4), threading.Event()

    def hold() -> None:
        with impatient.read():
            ready.wait()
            done.wait()

    threads = [threading.Thread(target=hold) for _ in range(3)]
    for thread in threads:
        thread.start()
    ready.wait()
    with pytest.raises(StorageBusy, match="All connections"), impatient.read():
        pass
    done.set()
    for thread in threads:
        thread.join()
    with impatient.read() as transaction:
        assert transaction.fetch(NAMES) == []


def test_a_statement_that_runs_too_long_is_stopped(database_url: str, postgresql: Database) -> None:
    hurried = Database.open(database_url, statement_timeout_ms=50)
    with pytest.raises(StorageBusy, match="took too long"), hurried.read() as transaction:
        transaction.execute("SELECT pg_sleep(5)")
    with hurried.write() as transaction:
        transaction.without_time_limit()
        transaction.execute("SELECT pg_sleep(0.1)")
    hurried.close()


def test_a_new_row_gets_the_id_after_the_highest(database: Database) -> None:
    write_small_world(database)
    with database.write() as transaction:
        transaction.run(Address.insert({"time_stamp": 1}))
        rows = transaction.execute("SELECT max(id) FROM address").fetchall()
    assert rows == [(2,)]
    assert a_manager_account(4).id == 4


# What is not asked again


def recalled(database: Database) -> tuple[list[str], int]:
    """The names, and how many statements ran to find them."""
    with database.read() as transaction:
        return [name for _, name in transaction.recall(NAMES)], transaction.statements


def test_the_same_is_not_asked_twice_in_a_snapshot(database: Database) -> None:
    write_small_world(database)
    with database.read() as transaction:
        first = transaction.recall(NAMES)
        read, statements = transaction.rows, transaction.statements
        assert transaction.recall(NAMES) == first
        assert transaction.statements == statements
        assert transaction.rows == 2 * read, "it costs the same"


def test_nor_while_nobody_has_committed_where_that_is_known(database: Database) -> None:
    write_small_world(database)
    names, statements = recalled(database)
    assert statements == 1
    assert recalled(database) == (names, 0 if database.kind == "sqlite" else 1)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["on this connection", "on another connection"])
def test_a_commit_is_seen_at_once(database: Database, elsewhere: bool) -> None:
    write_small_world(database)
    recalled(database)
    for name in ("one", "two"):
        if elsewhere:
            in_thread(lambda name=name: rename(database, name))  # type: ignore[misc]
        else:
            rename(database, name)
        names, statements = recalled(database)
        assert set(names) == {name}
        assert statements == 1


def test_a_commit_of_another_process_is_seen_at_once(database: Database, database_url: str) -> None:
    write_small_world(database)
    recalled(database)
    code = (
        "import sys\nfrom storage.database import Database\nfrom storage.models import ManagerAccount\n"
        "with Database.open(sys.argv[1]).write() as transaction:\n"
        "    transaction.run(ManagerAccount.update({ManagerAccount.name: 'from elsewhere'}))\n"
    )
    subprocess.run([sys.executable, "-c", code, database_url], check=True)
    assert set(recalled(database)[0]) == {"from elsewhere"}


def test_a_commit_during_a_snapshot_is_not_seen_in_it_but_in_the_next(database: Database) -> None:
    write_small_world(database)
    with database.read() as transaction:
        before = transaction.recall(NAMES)
        in_thread(lambda: rename(database, "later"))
        assert transaction.recall(NAMES) == before
        assert transaction.fetch(NAMES) == before
    assert set(recalled(database)[0]) == {"later"}


def test_a_snapshot_taken_before_a_commit_leaves_nothing_behind_for_the_next(database: Database) -> None:
    write_small_world(database)
    recalled(database)
    with database.read() as transaction:
        transaction.fetch(NAMES)  # the snapshot is taken
        in_thread(lambda: rename(database, "later"))
        assert {name for _, name in transaction.recall(NAMES)} != {"later"}
    assert set(recalled(database)[0]) == {"later"}


def test_what_is_rolled_back_was_never_there(database: Database) -> None:
    write_small_world(database)
    names, _ = recalled(database)
    with suppress(ZeroDivisionError), database.write() as transaction:
        for name in ("never", "never again"):
            transaction.run(ManagerAccount.update({ManagerAccount.name: name}))
            assert {name for _, name in transaction.recall(NAMES)} == {name}
        raise ZeroDivisionError
    assert recalled(database)[0] == names


def test_questions_differ_by_what_they_ask_for_and_few_are_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.MOST_RECALLED", 2)
    write_small_world(database)
    named = Statement(ManagerAccount.select(ManagerAccount.id).where(ManagerAccount.id == Param("key")))
    with database.read() as transaction:
        for key in (1, 2, 3, 999):
            assert transaction.recall(named, key=key) == transaction.fetch(named, key=key)
        assert len(transaction._found or ()) <= 2
