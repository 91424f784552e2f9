"""From an empty database to the tables of this version, and no further."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from peewee import Check

from storage.database import Database
from storage.digests import digest_of
from storage.entries import LoginEntry
from storage.errors import NewerDatabase, OutdatedDatabase
from storage.migrate import HISTORY, MIGRATIONS, check_current, known_migrations, migrate, read_applied_migrations
from storage.models import ManagerAccount
from storage.records.ids import LoginId
from storage.records.values import TokenScope
from storage.schema_check import main, schema_differences
from storage.tokens import NewToken, TokenState, find_token, issue_token
from storage.writes import begin_revision, write_logins


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    database = Database.open(empty_url)
    yield database
    database.close()


def test_an_empty_database_becomes_current(empty: Database) -> None:
    assert migrate(empty) == list(known_migrations())
    check_current(empty)


def test_migrating_twice_does_nothing(empty: Database) -> None:
    migrate(empty)
    assert migrate(empty) == []
    check_current(empty)


def test_migrations_lead_to_the_tables_the_models_describe(database: Database) -> None:
    assert schema_differences(database) == []


def test_the_command_says_nothing_while_all_is_well_and_fails_otherwise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main() == 0
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(ManagerAccount.status, "constraints", [])
    assert main() == 1
    assert "manager_account" in capsys.readouterr().out


def test_a_dropped_index_is_a_difference(database: Database) -> None:
    with database.write() as transaction:
        transaction.execute("DROP INDEX assignment_open")
    [difference] = schema_differences(database)
    assert difference.startswith("only in the models: index")
    assert "ended_revision_id IS NULL" in difference


def test_a_changed_check_is_a_difference(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ManagerAccount.status, "constraints", [Check("status IN ('ACTIVE')")])
    differences = schema_differences(database)
    assert any("manager_account" in item and item.startswith("only in the models") for item in differences)


def test_a_text_column_ordered_by_language_is_a_difference(database: Database) -> None:
    if database.kind == "sqlite":
        pytest.skip("SQLite orders text by code point unless told otherwise")
    with database.write() as transaction:
        transaction.execute('ALTER TABLE manager_account ALTER name_folded TYPE text COLLATE "default"')
    assert "ordered by language: manager_account name_folded" in schema_differences(database)


def test_an_empty_database_is_refused_with_the_command_that_helps(empty: Database) -> None:
    with pytest.raises(OutdatedDatabase, match=r"no tables yet. Run `adgraph migrate`"):
        check_current(empty)


def test_an_older_database_is_refused_with_the_command_that_helps(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = (*known_migrations(), "0999_next")
    monkeypatch.setattr("storage.migrate.known_migrations", lambda: names)
    with pytest.raises(OutdatedDatabase, match=r"lacks 0999_next.*adgraph migrate"):
        check_current(database)


@pytest.mark.parametrize("act", [check_current, migrate])
def test_a_newer_database_is_refused_and_left_alone(database: Database, act: object) -> None:
    with database.write() as transaction:
        transaction.execute(f"INSERT INTO {HISTORY} (name, applied) VALUES ('0999_next', '2030-01-01 00:00:00')")
    assert callable(act)
    with pytest.raises(NewerDatabase, match=r"0999_next.*later one, or restore a backup"):
        act(database)
    with database.read() as transaction:
        assert read_applied_migrations(transaction) == {*known_migrations(), "0999_next"}


def test_processes_migrating_at_once_apply_each_migration_once(empty_url: str) -> None:
    applied: list[list[str]] = []
    start = threading.Barrier(4)

    def run() -> None:
        database = Database.open(empty_url)  # its own connections, like another process
        start.wait()
        applied.append(migrate(database))
        database.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied, key=len) == [[], [], [], list(known_migrations())]


def test_a_failing_migration_leaves_nothing_behind(
    empty: Database, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("migrations")
    create = "def up(migrator, db):\n    db.execute_sql('CREATE TABLE leftover (id BIGINT)')\n"
    (folder / "0001_good.py").write_text(create)
    (folder / "0002_bad.py").write_text("def up(migrator, db):\n    raise LookupError('broken')\n")
    monkeypatch.setattr("storage.migrate.MIGRATIONS", folder)
    with pytest.raises(LookupError):
        migrate(empty)
    assert "leftover" not in empty.engine.get_tables()
    empty.engine.close()


def test_mail_that_waits_survives_the_migration_that_lets_mail_be_about_links(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "before"
    folder.mkdir()
    for path in sorted(MIGRATIONS.glob("[0-9]*.py")):
        if path.stem < "0006":
            shutil.copy(path, folder)
    with monkeypatch.context() as patched:
        patched.setattr("storage.migrate.MIGRATIONS", folder)
        migrate(empty)
    columns = "id, kind, message_key, recipient, data, status, created_at_ms, due_at_ms, attempts"
    row = (7, "USER_INVITATION", "k3y", "kim@user.example", "{}", "WAITING", 1, 2, 3)
    with empty.write() as transaction:
        place = ", ".join(["?" if empty.kind == "sqlite" else "%s"] * len(row))
        transaction.execute(f"INSERT INTO outbox_message ({columns}) VALUES ({place})", row)
    assert migrate(empty) == ["0006_mail_about_links", *(one for one in known_migrations() if one > "0006_z")]
    with empty.read() as transaction:
        assert transaction.execute(f"SELECT {columns}, client_link_id FROM outbox_message").fetchall() == [(*row, None)]
    assert schema_differences(empty) == []


def test_tokens_of_before_there_were_scopes_stay_good_for_reading_and_writing(
    empty: Database, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("before")
    for name in known_migrations()[:2]:
        shutil.copy(MIGRATIONS / f"{name}.py", folder)
    with monkeypatch.context() as before:
        before.setattr("storage.migrate.MIGRATIONS", folder)
        migrate(empty)
    with empty.write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=1)
        write_logins(transaction, stamp, [LoginEntry(LoginId(7), "ada@agency.example")])
        place = "?" if transaction.kind == "sqlite" else "%s"
        transaction.execute(
            "INSERT INTO access_token (id, digest, login_id, label, created_at_ms, expires_at_ms, last_used_at_ms)"
            f" VALUES (5, {place}, 7, 'laptop', 1, 100, 2)",
            [digest_of("adg_old")],
        )
    assert migrate(empty) == list(known_migrations()[2:])
    assert schema_differences(empty) == []
    with empty.write() as transaction:
        state, row = find_token(transaction, "adg_old", 50)
        assert state is TokenState.GOOD
        assert row is not None
        assert row.scopes == {TokenScope.READ, TokenScope.WRITE}
        assert (row.id, row.label, row.last_used_at_ms, row.issued_by) == (5, "laptop", 2, None)
        if transaction.kind == "postgresql":
            transaction.execute("SELECT setval(pg_get_serial_sequence('access_token', 'id'), 5)")
        issue_token(transaction, NewToken(LoginId(7), "new", row.scopes, 100, row.id), 50)
