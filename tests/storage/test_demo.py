"""The demo company: the same rows every time, the worked example exactly, something of everything besides."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from adgraph.background.billing import billing_for
from adgraph.background.worker import Worker
from adgraph.settings import Settings
from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.demo import EARLIEST_NOW_MS, WORKED_USER_NAME, load_demo
from storage.entries import LoginEntry
from storage.errors import StorageFailure
from storage.migrate import migrate
from storage.models import TABLES
from storage.records.ids import Instant, LoginId
from storage.records.values import ClientLinkStatus, InvitationStatus, Role, ScopeKind, UserStatus
from storage.writes import write_client_link_status, write_logins, write_manager_accounts
from tests.storage.small_world import a_manager_account, a_revision

NOW_MS = EARLIEST_NOW_MS + 86_400_000
MOST_SECONDS = 3
MOMENTARY = {ClientLinkStatus.LINK_ACCEPTED, ClientLinkStatus.UNLINK_REQUESTED, ClientLinkStatus.UNLINK_FAILED}
"""Statuses a link passes through at once; they are in histories only."""
UNLINKING = {ClientLinkStatus.UNLINK_PENDING, ClientLinkStatus.UNLINK_IN_PROGRESS}
"""Only an account link waits for billing before it ends."""
NEVER = {ClientLinkStatus.UNLINK_CANCELED}


def rows(database: Database, sql: str) -> list[tuple[object, ...]]:
    with database.read() as transaction:
        return [tuple(row) for row in transaction.execute(sql).fetchall()]


def values(database: Database, sql: str) -> set[object]:
    return {row[0] for row in rows(database, sql)}


def fingerprint(database: Database) -> str:
    """A digest of every value of every row."""
    digest = hashlib.sha256()
    for table in TABLES:
        name = table._meta.table_name
        columns = ", ".join(f'"{field.column_name}"' for field in table._meta.sorted_fields)
        for row in rows(database, f'SELECT {columns} FROM "{name}" ORDER BY 1, 2'):
            digest.update(repr(tuple(int(value) if isinstance(value, bool) else value for value in row)).encode())
    return digest.hexdigest()


@pytest.fixture
def demo(database: Database) -> Database:
    assert load_demo(database, now_ms=NOW_MS)
    return database


def test_it_loads_quickly_and_agrees_with_itself(database: Database) -> None:
    began = time.process_time()
    load_demo(database, now_ms=NOW_MS)
    assert time.process_time() - began < MOST_SECONDS
    with database.read() as transaction:
        assert read_inconsistencies(transaction) == []


def test_loading_twice_does_nothing_and_says_so(demo: Database) -> None:
    before = fingerprint(demo)
    assert load_demo(demo, now_ms=NOW_MS + 5) is False
    assert fingerprint(demo) == before


def test_the_same_moment_gives_the_same_rows_on_every_database(demo: Database, tmp_path: Path) -> None:
    another = Database.open(f"sqlite:///{tmp_path}/another.db")
    migrate(another)
    load_demo(another, now_ms=NOW_MS)
    assert fingerprint(demo) == fingerprint(another)
    another.close()


def test_another_moment_changes_only_what_is_recent(demo: Database, tmp_path: Path) -> None:
    another = Database.open(f"sqlite:///{tmp_path}/another.db")
    migrate(another)
    load_demo(another, now_ms=NOW_MS + 86_400_000)
    assert fingerprint(demo) != fingerprint(another)
    past = f"SELECT id, at_ms, operation FROM revision WHERE at_ms < {NOW_MS - 70 * 86_400_000} ORDER BY id"
    assert rows(demo, past) == rows(another, past)
    another.close()


def test_other_data_is_never_mixed_with(database: Database) -> None:
    with database.write() as transaction:
        write_manager_accounts(transaction, a_revision(transaction), [a_manager_account()])
    with pytest.raises(StorageFailure, match="new, empty"):
        load_demo(database, now_ms=NOW_MS)


def test_a_database_with_a_login_alone_holds_other_data_too(database: Database) -> None:
    with database.write() as transaction:
        write_logins(transaction, a_revision(transaction), [LoginEntry(LoginId(1), "kim@office.example")])
    with pytest.raises(StorageFailure, match="new, empty"):
        load_demo(database, now_ms=NOW_MS)


def test_the_demo_is_known_whatever_its_visitors_have_done_to_it(demo: Database) -> None:
    with demo.write() as transaction:
        transaction.execute("UPDATE manager_account SET name = 'Somebody else' WHERE id = 111")
        write_logins(transaction, a_revision(transaction), [LoginEntry(LoginId(77_777), "kim@office.example")])
    assert load_demo(demo, now_ms=NOW_MS + 5) is False


def test_a_moment_before_the_story_ends_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="must not be earlier"):
        load_demo(database, now_ms=EARLIEST_NOW_MS - 1)


def test_the_worked_example_is_exact(demo: Database) -> None:
    accounts = rows(
        demo,
        "SELECT id, name, number, manager_account_id, status, pause_reason FROM ad_account"
        " WHERE id < 500000 ORDER BY id",
    )
    assert accounts == [
        (111111, "Ad Account 1A", "E101NUMB", 111, "PAUSE", 2),
        (111222, "Ad Account 1B", "E102NUMB", 111, "PAUSE", 2),
        (222111, "Ad Account 2A", "E201NUMB", 222, "PAUSE", 2),
        (222222, "Ad Account 2B", "E202NUMB", 222, "PAUSE", 2),
        (333111, "Ad Account 3A", "E301NUMB", 333, "PAUSE", 2),
        (333222, "Ad Account 3B", "E302NUMB", 333, "PAUSE", 2),
        (444111, "Ad Account 4A", "E401NUMB", 444, "PAUSE", 2),
        (444222, "Ad Account 4B", "E402NUMB", 444, "PAUSE", 2),
    ]
    assert rows(demo, "SELECT id, name FROM manager_account WHERE id < 999 ORDER BY id") == [
        (111, "Manager Account L1"),
        (222, "Manager Account L2"),
        (333, "Manager Account L3"),
        (444, "Manager Account L4"),
    ]
    assert rows(
        demo,
        "SELECT managing_id, coalesce(client_manager_account_id, client_ad_account_id), permission, status"
        " FROM client_link WHERE managing_id < 1000 ORDER BY id",
    ) == [
        (111, 222, "ADMINISTRATIVE", "ACTIVE"),
        (222, 333, "STANDARD", "ACTIVE"),
        (333, 444111, None, "ACTIVE"),
    ]
    assert rows(
        demo,
        "SELECT u.manager_account_id, a.role, a.scope FROM app_user u JOIN login l ON l.id = u.login_id"
        f" JOIN assignment a ON a.user_id = u.id WHERE l.user_name = '{WORKED_USER_NAME}' ORDER BY u.id",
    ) == [(999, "SUPER_ADMIN", "EVERY_ACCOUNT"), (111, "SUPER_ADMIN", "EVERY_ACCOUNT")]


def test_nothing_else_touches_the_worked_example(demo: Database) -> None:
    assert values(demo, "SELECT count(*) FROM client_link WHERE (managing_id < 1000) <> (id < 8004)") == {0}
    assert values(demo, "SELECT count(*) FROM aggregation WHERE manager_account_id < 1000") == {0}


def test_there_is_something_of_everything(demo: Database) -> None:
    assert values(demo, "SELECT role FROM assignment") == set(Role)
    assert values(demo, "SELECT scope FROM assignment") == set(ScopeKind)
    assert values(demo, "SELECT status FROM user_invitation") == set(InvitationStatus)
    assert values(demo, "SELECT status FROM app_user") == set(UserStatus)
    assert values(demo, "SELECT status FROM client_link") == set(ClientLinkStatus) - MOMENTARY - NEVER
    assert values(demo, "SELECT status FROM client_link_period") == set(ClientLinkStatus) - NEVER
    assert len(rows(demo, "SELECT id FROM ad_account")) > 300
    assert values(demo, "SELECT max(users) FROM (SELECT count(*) AS users FROM app_user GROUP BY login_id) AS n") == {5}


def test_generations_of_a_link_reach_back(demo: Database) -> None:
    [(latest,)] = rows(demo, "SELECT id FROM client_link l WHERE name = 'Fourth time lucky' AND status = 'ACTIVE'")
    statuses = []
    link: object = latest
    while link is not None:
        [(status, link)] = rows(demo, f"SELECT status, previous_id FROM client_link WHERE id = {link}")
        statuses.append(status)
    assert statuses == ["ACTIVE", "INACTIVE", "LINK_EXPIRED", "LINK_DECLINED"]


def test_no_chain_is_longer_than_five_manager_accounts(demo: Database) -> None:
    clients: dict[object, list[object]] = {}
    for managing, client in rows(
        demo, "SELECT managing_id, client_manager_account_id FROM client_link WHERE type = 'CUSTOMER_LINK'"
    ):
        clients.setdefault(managing, []).append(client)

    def longest(manager_account: object) -> int:
        return 1 + max((longest(client) for client in clients.get(manager_account, ())), default=0)

    assert max(longest(id_) for id_ in clients) == 5


def test_what_is_pending_has_not_expired_when_it_is_loaded(demo: Database) -> None:
    month_ago = NOW_MS - 30 * 86_400_000
    old = f"SELECT count(*) FROM client_link WHERE status = 'LINK_PENDING' AND created_at_ms < {month_ago}"
    assert values(demo, old) == {0}
    open_ones = f"SELECT count(*) FROM user_invitation WHERE status = 'PENDING' AND expires_at_ms > {NOW_MS}"
    assert values(demo, open_ones) == {4}


@pytest.mark.parametrize("days", [0, 1, 7, 28])
def test_with_the_worker_on_every_status_is_still_there_to_be_seen_for_four_weeks(demo: Database, days: int) -> None:
    clock = Instant(NOW_MS + days * 86_400_000)
    worker = Worker(demo, interval_ms=10, billing=billing_for(Settings(demo=True)), now=lambda: clock)
    worker.once()
    assert worker.once() == 0
    assert values(demo, "SELECT status FROM client_link") == set(ClientLinkStatus) - MOMENTARY - NEVER
    assert values(demo, "SELECT status FROM user_invitation") == set(InvitationStatus)
    both = "SELECT status FROM client_link GROUP BY status HAVING count(DISTINCT type) = 2"
    assert values(demo, both) == set(ClientLinkStatus) - MOMENTARY - NEVER - UNLINKING


def test_what_a_visitor_of_the_demo_unlinks_ends_at_once(demo: Database) -> None:
    with demo.write() as transaction:
        stamp = a_revision(transaction)
        found = transaction.execute("SELECT min(id) FROM client_link WHERE name = 'Managed account'").fetchall()
        [[link]] = found
        write_client_link_status(transaction, stamp, [link], ClientLinkStatus.UNLINK_PENDING)
    Worker(demo, interval_ms=10, billing=billing_for(Settings(demo=True)), now=lambda: Instant(NOW_MS)).once()
    assert values(demo, f"SELECT status FROM client_link WHERE id = {link}") == {"INACTIVE"}


def test_history_is_told_in_order(demo: Database) -> None:
    moments = [at for (at,) in rows(demo, "SELECT at_ms FROM revision ORDER BY id")]
    assert moments == sorted(moments)  # type: ignore[type-var]
    assert len(moments) > 100
    assert all(isinstance(at, int) and at <= NOW_MS for at in moments)


def test_writing_goes_on_after_the_demo(demo: Database) -> None:
    with demo.write() as transaction:
        stamp = a_revision(transaction)
        write_manager_accounts(transaction, stamp, [a_manager_account(6000)])
    assert stamp.id == max(id_ for (id_,) in rows(demo, "SELECT id FROM revision"))  # type: ignore[type-var]
