"""Writes keep what is and what was in step, and the consistency check notices when they are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.consistency import read_inconsistencies
from storage.database import Database, Transaction
from storage.models import AdAccount, Address, ClientLink, Revision, User
from storage.records.ids import AggregationId, AssignmentId, ClientLinkId
from storage.records.values import AdAccountStatus, ClientLinkStatus, ManagerAccountStatus, UserStatus
from storage.writes import (
    Stamp,
    end_aggregations,
    end_assignments,
    reserve_ids,
    write_ad_account_status,
    write_client_link_status,
    write_client_links,
    write_logins_merged,
    write_manager_account_status,
    write_manager_accounts,
    write_user_status,
)
from tests.storage.small_world import (
    A1,
    A2,
    L1,
    L2,
    M1,
    M2,
    NOW_MS,
    U1,
    U2,
    a_customer_link,
    a_manager_account,
    a_revision,
    write_small_world,
)

LINK = ClientLinkId(1)


@pytest.fixture
def world(database: Database) -> Database:
    write_small_world(database)
    return database


def inconsistencies(database: Database) -> list[str]:
    with database.read() as transaction:
        return read_inconsistencies(transaction)


def rows(database: Database, sql: str) -> list[tuple[object, ...]]:
    with database.read() as transaction:
        return [tuple(row) for row in transaction.execute(sql).fetchall()]


def test_new_entries_agree_with_their_history(world: Database) -> None:
    assert inconsistencies(world) == []
    assert rows(world, "SELECT DISTINCT time_stamp FROM ad_account") == [(1,)]
    assert rows(world, "SELECT name_folded, number_folded FROM ad_account WHERE id = 11") == [
        ("account 11", "e0000011")
    ]


def test_revisions_grow_and_say_who_and_what(world: Database) -> None:
    with world.write() as transaction:
        first = a_revision(transaction)
    with world.write() as transaction:
        second = a_revision(transaction)
    assert second.id > first.id
    assert rows(world, "SELECT operation, at_ms, actor_user_id FROM revision ORDER BY id DESC LIMIT 1") == [
        ("test", NOW_MS, U1)
    ]


CHANGES: dict[str, Callable[[Transaction, Stamp], None]] = {
    "manager accounts close": lambda transaction, stamp: write_manager_account_status(
        transaction, stamp, [M1, M2], ManagerAccountStatus.INACTIVE
    ),
    "ad accounts pause": lambda transaction, stamp: write_ad_account_status(
        transaction, stamp, [A1, A2], AdAccountStatus.PAUSE, 4
    ),
    "users leave": lambda transaction, stamp: write_user_status(transaction, stamp, [U1, U2], UserStatus.DELETED),
    "logins merge": lambda transaction, stamp: write_logins_merged(transaction, stamp, [L2], L1),
    "a link ends": lambda transaction, stamp: write_client_link_status(
        transaction, stamp, [LINK], ClientLinkStatus.INACTIVE, "done"
    ),
    "assignments end": lambda transaction, stamp: end_assignments(transaction, stamp, [AssignmentId(1)]),
    "an aggregation ends": lambda transaction, stamp: end_aggregations(transaction, stamp, [AggregationId(1)]),
    "nothing": lambda transaction, stamp: write_user_status(transaction, stamp, [], UserStatus.DELETED),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_keeps_the_history_in_step(world: Database, change: str) -> None:
    for _ in range(2):  # the second time in the same words, as a repeated request would
        with world.write() as transaction:
            CHANGES[change](transaction, a_revision(transaction))
    assert inconsistencies(world) == []


def test_two_changes_in_one_revision_leave_one_open_period(world: Database) -> None:
    with world.write() as transaction:
        stamp = a_revision(transaction)
        for status in (ClientLinkStatus.UNLINK_REQUESTED, ClientLinkStatus.UNLINK_PENDING):
            write_client_link_status(transaction, stamp, [LINK], status)
    assert inconsistencies(world) == []
    assert rows(world, "SELECT status FROM client_link_period WHERE client_link_id = 1 ORDER BY id") == [
        ("ACTIVE",),
        ("UNLINK_REQUESTED",),
        ("UNLINK_PENDING",),
    ]


def test_a_change_says_who_made_it_and_renews_the_token_of_concurrency(world: Database) -> None:
    with world.write() as transaction:
        stamp = a_revision(transaction, NOW_MS + 7)
        write_client_link_status(transaction, stamp, [LINK], ClientLinkStatus.UNLINK_REQUESTED, "moving on")
    assert rows(
        world, "SELECT time_stamp, last_modified_at_ms, last_modified_by_user_id FROM client_link WHERE id = 1"
    ) == [(stamp.id, NOW_MS + 7, U1)]
    assert rows(
        world,
        "SELECT began_at_ms, actor_user_id, note FROM client_link_period"
        " WHERE client_link_id = 1 AND ended_revision_id IS NULL",
    ) == [(NOW_MS + 7, U1, "moving on")]


def test_merging_moves_every_user_and_keeps_where_they_came_from(world: Database) -> None:
    with world.write() as transaction:
        write_logins_merged(transaction, a_revision(transaction), [L2], L1)
    history = rows(world, "SELECT login_id FROM user_period WHERE user_id = 2 ORDER BY id")
    assert history == [(L2,), (L1,)]
    assert rows(world, "SELECT merged_into_id FROM login WHERE id = 2") == [(L1,)]


def test_what_ended_stays_as_history(world: Database) -> None:
    with world.write() as transaction:
        first = a_revision(transaction)
        end_assignments(transaction, first, [AssignmentId(1)])
    with world.write() as transaction:
        end_assignments(transaction, a_revision(transaction), [AssignmentId(1)])
    assert rows(world, "SELECT ended_revision_id FROM assignment WHERE id = 1") == [(first.id,)]


def test_reserved_ids_follow_each_other_and_belong_to_nobody(world: Database) -> None:
    with world.write() as transaction:
        stamp = a_revision(transaction)
        ids = reserve_ids(transaction, Address, 5)
        assert (ids.start, len(ids)) == (2, 5)
        transaction.insert(Address, ("id", "time_stamp"), [(id_, stamp.id) for id_ in ids])
        assert reserve_ids(transaction, Address, 1).start == 7


def test_thousands_are_changed_in_as_many_statements_as_one(world: Database) -> None:
    counts = []
    for first, many in ((1_000, 1), (100_000, 40_000)):
        with world.write() as transaction:
            stamp = a_revision(transaction)
            entries = [a_manager_account(id_) for id_ in range(first, first + many)]
            before = transaction.statements
            write_manager_accounts(transaction, stamp, entries)
            ids = [entry.id for entry in entries]
            write_manager_account_status(transaction, stamp, ids, ManagerAccountStatus.INACTIVE)
            counts.append(transaction.statements - before)
    assert counts[0] == counts[1]


DAMAGE: dict[str, tuple[str, str]] = {
    "a column changed without its history": (
        "UPDATE manager_account SET status = 'INACTIVE' WHERE id = 2",
        "manager_account 2 differs from its open period",
    ),
    "an ad account moved without its history": (
        "UPDATE ad_account SET manager_account_id = 3 WHERE id = 22",
        "ad_account 22 differs from its open period",
    ),
    "a history that stops": (
        "UPDATE user_period SET ended_revision_id = 1 WHERE user_id = 2",
        "user_period of 2 has no open period",
    ),
    "a history that never began": (
        "DELETE FROM login_period WHERE login_id = 2",
        "login 2 differs from its open period",
    ),
    "two open periods": (
        "INSERT INTO user_period (user_id, login_id, is_original, status, began_revision_id)"
        " SELECT user_id, login_id, is_original, status, began_revision_id FROM user_period WHERE user_id = 2",
        "user_period of 2 has a gap or an overlap",
    ),
    "a list without the scope for it": (
        "INSERT INTO assignment_ad_account (assignment_id, ad_account_id) VALUES (1, 11)",
        "assignment 1 lists ad accounts although its scope does not",
    ),
    "linked entities without the scope for them": (
        "INSERT INTO assignment_manager_account (assignment_id, manager_account_id) VALUES (1, 2)",
        "assignment 1 lists manager accounts although its scope does not",
    ),
    "a role outside the user's manager account": (
        "UPDATE assignment SET manager_account_id = 3 WHERE id = 3",
        "assignment 3 is in another manager account than its user",
    ),
    "an invitation listing what it should not": (
        "UPDATE user_invitation SET scope = 'EVERY_ACCOUNT' WHERE id = 1",
        "invitation 1 lists ad accounts although its scope does not",
    ),
    "a user left in a merged login": (
        "UPDATE login SET status = 'MERGED', merged_into_id = 1 WHERE id = 2",
        "user 2 belongs to a merged login",
    ),
    "a link to an owned ad account": (
        "UPDATE client_link SET client_ad_account_id = 11 WHERE id = 2",
        "link 2 leads to an ad account of its own manager account",
    ),
    "a link after one of another pair": (
        "UPDATE client_link SET previous_id = 1 WHERE id = 2",
        "link 2 follows a link of another pair",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_noticed(world: Database, damage: str) -> None:
    sql, sentence = DAMAGE[damage]
    with world.write() as transaction:
        assert transaction.execute(sql).rowcount >= 1
    assert sentence in inconsistencies(world)


def test_generations_of_a_link_must_hang_together(world: Database) -> None:
    with world.write() as transaction:
        stamp = a_revision(transaction)
        declined = a_customer_link(8, 1, 2, status=ClientLinkStatus.LINK_DECLINED)
        write_client_links(transaction, stamp, [declined])
    assert {"link 1 is one of several first links of its pair", "link 8 is one of several first links of its pair"} == {
        *inconsistencies(world)
    }
    with world.write() as transaction:
        transaction.run(ClientLink.update({ClientLink.previous: 1}).where(ClientLink.id == 8))
    assert inconsistencies(world) == ["link 8 follows a link that has not ended"]


def test_every_row_written_names_an_existing_revision(world: Database) -> None:
    with world.read() as transaction:
        known = {id_ for (id_,) in transaction.run(Revision.select(Revision.id)).fetchall()}
        marked = {
            mark
            for table in (AdAccount, User, ClientLink)
            for (mark,) in transaction.run(table.select(table.time_stamp)).fetchall()
        }
    assert marked <= known
