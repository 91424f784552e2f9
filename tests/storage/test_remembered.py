"""What is remembered is what is stored: a warm reader gives what a cold one in the same snapshot reads."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import pytest

from storage.database import Database, Transaction
from storage.entries import AssignmentEntry, ClientLinkEntry
from storage.errors import ConstraintBroken, StorageError, StorageFailure
from storage.models import Assignment, ClientLink
from storage.reads import facts as reads
from storage.reads import remembered
from storage.reads.remembered import FactMemory, FactReader
from storage.records.facts import EveryAccount, OnlyAccounts
from storage.records.ids import AdAccountId, AggregationId, AssignmentId, ClientLinkId, ManagerAccountId, UserId
from storage.records.values import (
    AdAccountStatus,
    ClientLinkStatus,
    LinkPermission,
    LinkType,
    ManagerAccountStatus,
    Role,
    UserStatus,
)
from storage.writes import (
    Stamp,
    begin_revision,
    end_aggregations,
    end_assignments,
    new_client_link_id,
    reserve_ids,
    write_ad_account_status,
    write_assignments,
    write_client_link_status,
    write_client_links,
    write_logins_merged,
    write_manager_account_status,
    write_user_status,
)
from tests.builders import a_link, a_role, a_user, a_world, an_account_link, an_ad
from tests.databases import Databases
from tests.oracle import World
from tests.stored_worlds import LONG_AGO_MS, stored
from tests.worlds import seeded_world

SEEDS = range(52_000, 52_008)
STEPS = 40
UNKNOWN = 987_654

Dice = random.Random
Found = list[Any]


class Ids(NamedTuple):
    """What there is in a world, and something there is not."""

    managers: list[Any]
    ads: list[Any]
    users: list[Any]
    logins: list[Any]

    @classmethod
    def of(cls, world: World) -> Ids:
        """All ids of the world."""
        kinds = (world.manager_accounts, world.ad_accounts, world.users, world.logins)
        return cls(*([*(one.id for one in kind), UNKNOWN] for kind in kinds))


QUESTIONS: dict[str, Callable[[FactReader, Ids, Dice], Found]] = {
    "users of logins": lambda read, ids, dice: read.users_of_logins(some(dice, ids.logins)),
    "users sharing a login": lambda read, ids, dice: read.users_sharing_a_login(some(dice, ids.users)),
    "assignments of users": lambda read, ids, dice: list(read.assignments_of_users(some(dice, ids.users)).items()),
    "assignments in": lambda read, ids, dice: read.assignments_in(some(dice, ids.managers)),
    "manager accounts": lambda read, ids, dice: read.manager_accounts(some(dice, ids.managers)),
    "ad accounts": lambda read, ids, dice: read.ad_accounts(some(dice, ids.ads)),
    "aggregations from": lambda read, ids, dice: read.aggregations_from(some(dice, ids.managers)),
    "aggregations at": lambda read, ids, dice: read.aggregations_at(some(dice, ids.managers)),
    "account links from": lambda read, ids, dice: read.account_links_from(some(dice, ids.managers)),
    "account links held": lambda read, ids, dice: read.account_links_held(some(dice, ids.managers), 2) or [None],
    "customer links held": lambda read, ids, dice: read.customer_links_held(some(dice, ids.managers), 2) or [None],
    **{
        f"{name}, {'any' if flag else 'working'}": question
        for flag in (False, True)
        for name, question in {
            "account links to": lambda read, ids, dice, flag=flag: read.account_links_to(
                some(dice, ids.ads), any_status=flag
            ),
            "customer links to": lambda read, ids, dice, flag=flag: read.customer_links_to(
                some(dice, ids.managers), any_status=flag
            ),
            "customer links above": lambda read, ids, dice, flag=flag: read.customer_links_above(
                some(dice, ids.managers), any_status=flag
            ),
            "customer links below": lambda read, ids, dice, flag=flag: read.customer_links_below(
                some(dice, ids.managers), any_status=flag
            ),
        }.items()
    },
}
"""Everything a reader can be asked, of some ids chosen by chance."""


def some(dice: Dice, ids: Sequence[Any]) -> list[Any]:
    """One to four of these."""
    return dice.sample(ids, dice.randint(1, min(4, len(ids))))


def some_change(tx: Transaction, stamp: Stamp, world: World, ids: Ids, dice: Dice) -> None:
    """One fact or two, changed through the product's own writes. Raises: ConstraintBroken."""
    manager, ad, user = dice.choice(ids.managers[:-1]), dice.choice(ids.ads[:-1] or [None]), dice.choice(ids.users[:-1])
    links = [one.id for one in world.customer_links] + [one.id for one in world.account_links]
    kind = dice.randrange(9)
    if kind == 0 and links:
        write_client_link_status(tx, stamp, [ClientLinkId(dice.choice(links))], dice.choice(list(ClientLinkStatus)))
    elif kind == 1:
        write_user_status(tx, stamp, [user], dice.choice(list(UserStatus)))
    elif kind == 2 and ad:
        write_ad_account_status(tx, stamp, [ad], dice.choice([AdAccountStatus.ACTIVE, AdAccountStatus.INACTIVE]))
    elif kind == 3:
        write_manager_account_status(tx, stamp, [manager], dice.choice(list(ManagerAccountStatus)))
    elif kind == 4 and world.assignments:
        end_assignments(tx, stamp, [AssignmentId(dice.choice(world.assignments).id)])
    elif kind == 5 and world.aggregations:
        end_aggregations(tx, stamp, [AggregationId(dice.choice(world.aggregations).id)])
    elif kind == 6 and len(ids.logins) > 2:
        merged, into = dice.sample(ids.logins[:-1], 2)
        write_logins_merged(tx, stamp, [merged], into)
    elif kind == 7:
        [key] = reserve_ids(tx, Assignment, 1)
        scope = OnlyAccounts(frozenset({ad})) if ad and dice.random() < 0.5 else EveryAccount()
        write_assignments(
            tx, stamp, [AssignmentEntry(AssignmentId(key), user, manager, dice.choice(list(Role)), scope)]
        )
    else:
        write_client_links(tx, stamp, [a_new_link(tx, manager, dice.choice(ids.managers[:-1]), dice)])


def a_new_link(tx: Transaction, managing: ManagerAccountId, client: ManagerAccountId, dice: Dice) -> ClientLinkEntry:
    """A customer link in some state."""
    return ClientLinkEntry(
        new_client_link_id(tx),
        LinkType.CUSTOMER_LINK,
        managing,
        client,
        None,
        dice.choice(list(LinkPermission)),
        None,
        "New link",
        LONG_AGO_MS,
        dice.choice([ClientLinkStatus.ACTIVE, ClientLinkStatus.LINK_PENDING]),
    )


class ChangedMind(Exception):
    """Rolls a write back."""


def somebody_writes(database: Database, world: World, ids: Ids, dice: Dice) -> None:
    """A change that is committed, refused by a constraint, or rolled back after it was made."""
    with suppress(ConstraintBroken, ChangedMind), database.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=LONG_AGO_MS)
        some_change(tx, stamp, world, ids, dice)
        if dice.random() < 0.3:
            raise ChangedMind


def in_one_order(found: Found) -> Found:
    """Facts each once, in an order of their own."""
    return sorted(set(found), key=repr)


@contextmanager
def opened_again(database: Database, url: str) -> Iterator[Database]:
    """The same database as another process has it: over connections of its own."""
    other = Database.open(url)
    try:
        yield other
    finally:
        other.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_warm_reader_answers_like_a_cold_one_whoever_writes_in_between(
    seed: int, databases: Databases, migrated_url: str
) -> None:
    world, dice, memory = seeded_world(seed), Dice(seed), FactMemory()
    ids = Ids.of(world)
    with stored(world, databases, migrated_url) as database, opened_again(database, url_of(database)) as elsewhere:
        for _ in range(STEPS):
            if dice.random() < 0.3:
                somebody_writes(dice.choice([database, elsewhere]), world, ids, dice)
            asked = dice.sample(sorted(QUESTIONS), 4)
            same_dice = dice.getstate()
            with database.read() as tx:
                warm = FactReader(tx, memory)
                answers = {name: in_one_order(QUESTIONS[name](warm, ids, dice)) for name in asked}
                statements, tx.statements = tx.statements, 0
                dice.setstate(same_dice)
                cold = FactReader(tx)
                assert answers == {name: in_one_order(QUESTIONS[name](cold, ids, dice)) for name in asked}
                assert warm.revision == cold.revision
                assert statements <= tx.statements + 1, "a memory costs at most the look at the revision"


def url_of(database: Database) -> str:
    """The address a database was opened by."""
    path = getattr(database, "path", None)
    return f"sqlite:///{path}" if path else str(database.engine.database)


PLACE, CLIENT = ManagerAccountId(1), ManagerAccountId(2)
SMALL = a_world(
    a_user(1, of=1, login=1),
    a_user(2, of=2, login=1, original=False),
    a_role(at=1, user=1, id=1),
    a_link(1, 2, id=1),
    an_ad(20, owner=2),
    an_account_link(1, 20, id=2),
)


@pytest.fixture
def small(databases: Databases, migrated_url: str) -> Iterator[Database]:
    """Two manager accounts, one linked to the other."""
    with stored(SMALL, databases, migrated_url) as database:
        yield database


def links_above(database: Database, memory: FactMemory) -> list[str]:
    """The states of the links above the client, as a warm reader has them."""
    with database.read() as tx:
        return [str(link.status) for link in FactReader(tx, memory).customer_links_above([CLIENT], any_status=True)]


def looks(database: Database) -> int:
    """How many statements it takes to see that nothing has changed."""
    return 0 if database.kind == "sqlite" else 1


def end_link(tx: Transaction, status: ClientLinkStatus) -> None:
    """Another state for the link, in a revision of its own."""
    stamp = begin_revision(tx, operation="test", at_ms=LONG_AGO_MS)
    write_client_link_status(tx, stamp, [ClientLinkId(1)], status)


def test_a_transaction_that_writes_has_no_memory(small: Database) -> None:
    memory = FactMemory()
    with small.write() as tx:
        with pytest.raises(ValueError, match="only snapshots may remember"):
            FactReader(tx, memory).ad_accounts([AdAccountId(20)])
        assert FactReader(tx).ad_accounts([AdAccountId(20)])


def test_the_next_revision_is_not_taken_for_one_that_was_rolled_back(small: Database) -> None:
    memory = FactMemory()
    assert links_above(small, memory) == ["ACTIVE"]
    with suppress(ChangedMind), small.write() as tx:
        end_link(tx, ClientLinkStatus.UNLINK_PENDING)
        raise ChangedMind
    assert links_above(small, memory) == ["ACTIVE"]
    with small.write() as tx:  # on SQLite it has the id of the one that was rolled back
        end_link(tx, ClientLinkStatus.INACTIVE)
    assert links_above(small, memory) == ["INACTIVE"]


def test_an_older_snapshot_gets_the_facts_of_its_own_time(small: Database) -> None:
    memory = FactMemory()
    with ThreadPoolExecutor(1) as other_thread, small.read() as old:
        assert reads.read_revision(old) == 1
        other_thread.submit(in_a_write, small, ClientLinkStatus.INACTIVE).result()
        assert other_thread.submit(links_above, small, memory).result() == ["INACTIVE"]
        assert [link.status for link in FactReader(old, memory).customer_links_to([CLIENT], any_status=True)] == [
            ClientLinkStatus.ACTIVE
        ]
        assert other_thread.submit(links_above, small, memory).result() == ["INACTIVE"]


def in_a_write(database: Database, status: ClientLinkStatus) -> None:
    """Another state for the link, committed."""
    with database.write() as tx:
        end_link(tx, status)


def test_a_history_that_was_restored_and_counts_alike_is_another_one(small: Database) -> None:
    memory = FactMemory()
    assert links_above(small, memory) == ["ACTIVE"]
    with small.write() as tx:
        tx.execute("UPDATE revision SET at_ms = at_ms + 1")
        tx.run(ClientLink.update({ClientLink.status: ClientLinkStatus.INACTIVE}).where(ClientLink.id == 1))
    assert links_above(small, memory) == ["INACTIVE"]


def test_what_is_known_costs_one_look_at_the_revision(small: Database) -> None:
    memory = FactMemory()
    for statements in (3, looks(small)):
        with small.read() as tx:
            read = FactReader(tx, memory)
            read.customer_links_above([CLIENT], any_status=False)
            read.customer_links_to([PLACE, CLIENT], any_status=False)
            read.customer_links_above([PLACE], any_status=False)
            assert read.aggregations_at([PLACE]) == []
            assert read.revision == 1
            assert tx.statements == statements, "that there are no aggregations is known, too"


def test_a_load_that_fails_leaves_nothing_behind(small: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = FactMemory()

    def fail(*_: Any, **__: Any) -> Found:
        raise StorageFailure("The disk is gone.")

    with monkeypatch.context() as broken:
        broken.setattr(reads, "read_customer_links_above", fail)
        with pytest.raises(StorageError):
            links_above(small, memory)
    assert links_above(small, memory) == ["ACTIVE"]


def test_part_of_a_long_list_is_not_kept_as_all_of_it(small: Database) -> None:
    memory = FactMemory()
    for _ in range(2):
        with small.read() as tx:
            read = FactReader(tx, memory)
            assert read.customer_links_held([PLACE], 0) is None
            assert read.account_links_held([PLACE], 0) is None
    with small.read() as tx:
        read = FactReader(tx, memory)
        assert [link.id for link in read.customer_links_held([PLACE], 1) or ()] == [1]
        assert [link.id for link in read.account_links_held([PLACE], 1) or ()] == [2]


@pytest.mark.parametrize("most", [3, 4])
def test_a_full_memory_takes_nothing_in_and_begins_anew(
    most: int, small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "MOST_ENTRIES", most)
    memory = FactMemory()
    with small.read() as tx:
        read = FactReader(tx, memory)
        assert len(read.ad_accounts([AdAccountId(20)])) == 1  # a key and a fact: two entries
        assert read.ad_accounts([AdAccountId(UNKNOWN)]) == []  # a key without a fact
        full = most == 3
        assert len(read.manager_accounts([PLACE])) == 1
        tx.statements = 0
        assert len(read.manager_accounts([PLACE])) == 1
        assert tx.statements == full
    with small.read() as tx:
        read = FactReader(tx, memory)
        assert len(read.ad_accounts([AdAccountId(20)])) == 1
        assert tx.statements == 1 + looks(small), "the one that was full is gone"


def test_an_assignment_takes_as_much_room_as_its_scope_lists(small: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with small.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=LONG_AGO_MS)
        scope = OnlyAccounts(frozenset({AdAccountId(20)}))
        write_assignments(tx, stamp, [AssignmentEntry(AssignmentId(2), UserId(2), PLACE, Role.VIEWER, scope)])
    monkeypatch.setattr(remembered, "MOST_ENTRIES", 3)
    memory = FactMemory()
    with small.read() as tx:
        read = FactReader(tx, memory)
        assert len(read.assignments_of_users([UserId(2)])) == 1  # a key, a fact and what it lists: full
        read.ad_accounts([AdAccountId(20)])
        tx.statements = 0
        read.ad_accounts([AdAccountId(20)])
        assert tx.statements == 1


def test_two_databases_never_share_what_is_remembered(small: Database, databases: Databases, migrated_url: str) -> None:
    memory = FactMemory()
    ended = a_world(a_link(1, 2, id=1, status="INACTIVE"))
    with stored(ended, databases, migrated_url) as other:
        for _ in range(2):
            assert links_above(small, memory) == ["ACTIVE"]
            assert links_above(other, memory) == ["INACTIVE"]


def test_threads_that_learn_at_once_are_all_right(databases: Databases, migrated_url: str) -> None:
    world, memory = seeded_world(SEEDS[0]), FactMemory()
    ids = Ids.of(world)

    def ask(seed: int) -> None:
        dice = Dice(seed)
        for _ in range(25):
            if seed == 0:
                somebody_writes(database, world, ids, dice)
                continue
            name = dice.choice(sorted(QUESTIONS))
            same_dice = dice.getstate()
            with database.read() as tx:
                warm = in_one_order(QUESTIONS[name](FactReader(tx, memory), ids, dice))
                dice.setstate(same_dice)
                assert warm == in_one_order(QUESTIONS[name](FactReader(tx), ids, dice)), name

    with stored(world, databases, migrated_url) as database, ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(ask, seed) for seed in range(4)]:
            done.result()
