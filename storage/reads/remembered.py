"""Facts that decide access, kept between requests for as long as the store's revision stands.

What the facts of a revision are, nothing changes any more: whoever writes one makes a new revision, in his turn. So a
reader asks which revision its snapshot has, in that snapshot, and takes only what was read at this very one. Kept are
whole answers of the store, each under what was asked about, "there is none" among them. What the rules conclude from
facts is never kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import chain
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from storage.database import Database, Transaction
from storage.reads import facts as read
from storage.reads.facts import RevisionMark
from storage.records.facts import (
    AccountLink,
    AdAccountFact,
    Aggregation,
    Assignment,
    CustomerLink,
    ManagerAccountFact,
    OnlyAccounts,
    OnlyLinkedEntities,
    UserFact,
    grouped,
)
from storage.records.ids import AdAccountId, LoginId, ManagerAccountId, RevisionId, UserId

K = TypeVar("K", bound=int)
V = TypeVar("V")

MOST_ENTRIES = 50_000
"""Facts and the keys they stand under, together: some 20 MiB. What decides about a tree of 10,000 ad accounts takes
12,000 of them, so a few such trees fit, and a process stays under 200 MiB while it serves one."""


class _Room:
    """How much is kept in all tables of one revision."""

    __slots__ = ("taken",)

    def __init__(self, taken: int) -> None:
        self.taken = taken

    @property
    def is_full(self) -> bool:
        """Whether nothing more is taken in."""
        return self.taken >= MOST_ENTRIES


class _Table(Generic[K, V]):
    """Facts of one kind under one key. A key that is there has all of its facts, be it none."""

    __slots__ = ("_by_key", "_key_of", "room")

    def __init__(self, room: _Room, key: str) -> None:
        self.room = room
        self._key_of: Callable[[V], K] = attrgetter(key)
        self._by_key: dict[K, tuple[V, ...]] = {}

    def missing(self, keys: Iterable[K]) -> list[K]:
        """The keys nothing is known about."""
        known = self._by_key
        return [key for key in keys if key not in known]

    def found(self, keys: Iterable[K]) -> list[V] | None:
        """The facts of all these keys; None when one of them is not there."""
        known = self._by_key
        try:
            return [fact for key in keys for fact in known[key]]
        except KeyError:
            return None

    def by_key(self, keys: Iterable[K]) -> dict[K, tuple[V, ...]]:
        """The facts of keys that are all there, without those that have none."""
        known = self._by_key
        return {key: found for key in keys if (found := known[key])}

    def take(self, keys: Iterable[K]) -> list[V]:
        """The facts of keys that are all there."""
        return list(chain.from_iterable(map(self._by_key.__getitem__, keys)))

    def put(self, keys: Collection[K], facts: Collection[V]) -> None:
        """All facts of these keys. Threads that put the same key at once put the same facts."""
        grouped: dict[K, list[V]] = {}
        for fact in facts:
            grouped.setdefault(self._key_of(fact), []).append(fact)
        found: dict[K, tuple[V, ...]] = dict.fromkeys(keys, ())
        found.update((key, tuple(grouped[key])) for key in grouped.keys() & found.keys())
        self._by_key.update(found)
        self.room.taken += len(found) + sum(map(_weight, facts))


def _weight(fact: object) -> int:
    """How many entries a fact counts for: an assignment may list thousands of ids."""
    scope = getattr(fact, "scope", None)
    return 1 + len(scope.ids) if isinstance(scope, OnlyAccounts | OnlyLinkedEntities) else 1


class _Links(NamedTuple):
    """The links one kind of excerpt takes."""

    to_manager_accounts: _Table[ManagerAccountId, CustomerLink]
    from_manager_accounts: _Table[ManagerAccountId, CustomerLink]
    to_ad_accounts: _Table[AdAccountId, AccountLink]


class _Tables:
    """What is known of one revision of one database. Nothing of another revision ever gets in."""

    def __init__(self, taken: int = 0) -> None:
        self.room = room = _Room(taken)
        self.login_of_user: dict[UserId, LoginId | None] = {}
        self.users: _Table[LoginId, UserFact] = _Table(room, "login_id")
        self.held_by: _Table[UserId, Assignment] = _Table(room, "user_id")
        self.held_in: _Table[ManagerAccountId, Assignment] = _Table(room, "manager_account_id")
        self.manager_accounts: _Table[ManagerAccountId, ManagerAccountFact] = _Table(room, "id")
        self.ad_accounts: _Table[AdAccountId, AdAccountFact] = _Table(room, "id")
        self.aggregated_by: _Table[ManagerAccountId, Aggregation] = _Table(room, "aggregator_id")
        self.aggregators_of: _Table[ManagerAccountId, Aggregation] = _Table(room, "manager_account_id")
        self.account_links_from: _Table[ManagerAccountId, AccountLink] = _Table(room, "managing_id")
        self.links = {
            flag: _Links(_Table(room, "client_id"), _Table(room, "managing_id"), _Table(room, "client_id"))
            for flag in (False, True)
        }

    def unknown_users(self, ids: Iterable[UserId]) -> list[UserId]:
        """The users whose logins are not known, nor that they have none."""
        return [user for user in ids if user not in self.login_of_user]

    def put_users(self, logins: Collection[LoginId], users: Collection[UserFact]) -> None:
        """All users of these logins."""
        self.users.put(logins, users)
        self.login_of_user.update((user.id, user.login_id) for user in users)
        self.room.taken += len(users)


_NOTHING = _Tables(taken=MOST_ENTRIES)
"""Knows nothing and takes nothing in: what a reader without a memory uses."""


class _Kept(NamedTuple):
    database: Database
    mark: RevisionMark
    tables: _Tables


class FactMemory:
    """The facts of the revision somebody asked about last. One a process; safe to share between threads."""

    def __init__(self) -> None:
        self._kept: _Kept | None = None

    def at(self, tx: Transaction) -> _Kept:
        """What is known of the revision this snapshot has; nothing yet when it is another one, or when it is full.

        Cost: at most one SELECT. Raises: ValueError for a transaction that writes: what it sees may never be committed.
        """
        if not tx.is_snapshot:
            raise ValueError("only snapshots may remember: what a transaction writes may be rolled back")
        mark = read.read_revision_mark(tx)
        kept = self._kept
        if kept is None or kept.database is not tx.database or kept.mark != mark or kept.tables.room.is_full:
            # An older snapshot may take the place of a newer one: then that one is read again, and both are right.
            kept = self._kept = _Kept(tx.database, mark, _Tables())
        return kept


class FactReader:
    """Reads the facts one snapshot has; with a memory, only those it does not know at the snapshot's revision.

    Shapes and costs are those of `storage.reads.facts`; with a memory never more statements, save one for the revision.
    """

    def __init__(self, tx: Transaction, memory: FactMemory | None = None) -> None:
        self._tx = tx
        self._memory = memory
        self._tables: _Tables | None = None
        self._revision: RevisionId | None = None

    @property
    def _known(self) -> _Tables:
        if self._tables is None:
            self._tables = _NOTHING if self._memory is None else self._recalled(self._memory)
        return self._tables

    def _recalled(self, memory: FactMemory) -> _Tables:
        kept = memory.at(self._tx)
        self._revision = kept.mark.id
        return kept.tables

    @property
    def revision(self) -> RevisionId:
        """The revision all of these facts are of."""
        if self._revision is None:
            self._revision = read.read_revision(self._tx)
        return self._revision

    # People

    def users_of_logins(self, ids: Collection[LoginId]) -> list[UserFact]:
        """All users of these logins."""
        known = self._known
        found = known.users.found(ids)
        if found is not None:
            return found
        if known.room.is_full:
            return read.read_users_of_logins(self._tx, ids)
        missing = known.users.missing(ids)
        known.put_users(missing, read.read_users_of_logins(self._tx, missing))
        return known.users.take(ids)

    def users_sharing_a_login(self, ids: Collection[UserId]) -> list[UserFact]:
        """These users and all others of their logins."""
        known = self._known
        if known.room.is_full:
            return read.read_users_sharing_a_login(self._tx, ids)
        missing = known.unknown_users(ids)
        if missing:
            found = read.read_users_sharing_a_login(self._tx, missing)
            known.put_users({user.login_id for user in found}, found)
            # Only now, or another thread would take a user who is about to be known for one who is not there.
            known.login_of_user.update(dict.fromkeys(known.unknown_users(missing)))
        logins = {login for user in ids if (login := known.login_of_user[user]) is not None}
        return known.users.take(logins)

    def assignments_of_users(self, ids: Collection[UserId]) -> dict[UserId, tuple[Assignment, ...]]:
        """What each of these users holds; those who hold nothing are left out."""
        table = self._known.held_by
        if table.room.is_full:
            return grouped(read.read_assignments_of_users(self._tx, ids), attrgetter("user_id"))
        missing = table.missing(ids)
        if missing:
            table.put(missing, read.read_assignments_of_users(self._tx, missing))
        return table.by_key(ids)

    def assignments_in(self, ids: Collection[ManagerAccountId]) -> list[Assignment]:
        """What anybody holds in these manager accounts."""
        table = self._known.held_in
        return _through(table, ids, lambda some: read.read_assignments_in(self._tx, some))

    # States

    def manager_accounts(self, ids: Collection[ManagerAccountId]) -> list[ManagerAccountFact]:
        """States of manager accounts; unknown ids are left out."""
        table = self._known.manager_accounts
        return _through(table, ids, lambda some: read.read_manager_account_facts(self._tx, some))

    def ad_accounts(self, ids: Collection[AdAccountId]) -> list[AdAccountFact]:
        """Owners and states of ad accounts; unknown ids are left out."""
        table = self._known.ad_accounts
        return _through(table, ids, lambda some: read.read_ad_account_facts(self._tx, some))

    # Aggregations

    def aggregations_from(self, ids: Collection[ManagerAccountId]) -> list[Aggregation]:
        """Whom these manager accounts aggregate."""
        table = self._known.aggregated_by
        return _through(table, ids, lambda some: read.read_aggregations_from(self._tx, some))

    def aggregations_at(self, ids: Collection[ManagerAccountId]) -> list[Aggregation]:
        """Who aggregates these manager accounts, and whom they aggregate; one that is both may come twice."""
        known = self._known
        if known.room.is_full:
            return read.read_aggregations_at(self._tx, ids)
        missing = list({*known.aggregated_by.missing(ids), *known.aggregators_of.missing(ids)})
        if missing:
            found = read.read_aggregations_at(self._tx, missing)
            known.aggregated_by.put(missing, found)
            known.aggregators_of.put(missing, found)
        return known.aggregated_by.take(ids) + known.aggregators_of.take(ids)

    # Links

    def account_links_to(self, ids: Collection[AdAccountId], *, any_status: bool) -> list[AccountLink]:
        """The account links to these ad accounts."""
        table = self._known.links[any_status].to_ad_accounts
        return _through(table, ids, lambda some: read.read_account_links_to(self._tx, some, any_status=any_status))

    def account_links_from(self, ids: Collection[ManagerAccountId]) -> list[AccountLink]:
        """The account links these manager accounts hold."""
        table = self._known.account_links_from
        return _through(table, ids, lambda some: read.read_account_links_from(self._tx, some))

    def customer_links_to(self, ids: Collection[ManagerAccountId], *, any_status: bool) -> list[CustomerLink]:
        """The customer links that lead straight to these manager accounts."""
        table = self._known.links[any_status].to_manager_accounts
        return _through(table, ids, lambda some: read.read_customer_links_to(self._tx, some, any_status=any_status))

    def account_links_held(self, ids: Collection[ManagerAccountId], most: int) -> list[AccountLink] | None:
        """The account links these manager accounts hold; None when there are more than so many."""
        table = self._known.account_links_from
        return _at_most(table, ids, most, lambda some, limit: read.read_account_links_from(self._tx, some, limit))

    def customer_links_held(self, ids: Collection[ManagerAccountId], most: int) -> list[CustomerLink] | None:
        """The customer links these manager accounts hold that carry access; None when there are more than so many."""
        table = self._known.links[False].from_manager_accounts
        return _at_most(table, ids, most, lambda some, limit: read.read_customer_links_from(self._tx, some, limit))

    def customer_links_above(self, ids: Collection[ManagerAccountId], *, any_status: bool) -> list[CustomerLink]:
        """Every customer link on every chain upward."""
        return _along(
            self._known.links[any_status].to_manager_accounts,
            ids,
            lambda all_: read.read_customer_links_above(self._tx, all_, any_status=any_status),
            attrgetter("managing_id"),
        )

    def customer_links_below(self, ids: Collection[ManagerAccountId], *, any_status: bool) -> list[CustomerLink]:
        """Every customer link on every chain downward."""
        return _along(
            self._known.links[any_status].from_manager_accounts,
            ids,
            lambda all_: read.read_customer_links_below(self._tx, all_, any_status=any_status),
            attrgetter("client_id"),
        )


def _through(table: _Table[K, V], keys: Collection[K], load: Callable[[Collection[K]], list[V]]) -> list[V]:
    """The facts of these keys; those that are not in the table are loaded and put there."""
    found = table.found(keys)
    if found is not None:
        return found
    if table.room.is_full:
        return load(keys)
    missing = table.missing(keys)
    table.put(missing, load(missing))
    return table.take(keys)


def _at_most(
    table: _Table[K, V], keys: Collection[K], most: int, load: Callable[[Collection[K], int], list[V]]
) -> list[V] | None:
    """As `_through`, but None when there are more than `most`: some of a key's facts are neither used nor kept."""
    missing = table.missing(keys)
    if missing:
        found = load(keys if table.room.is_full else missing, most + 1)
        if len(found) > most:
            return None
        if table.room.is_full:
            return found
        table.put(missing, found)
    found = table.take(keys)
    return found if len(found) <= most else None


def _along(
    table: _Table[ManagerAccountId, CustomerLink],
    starts: Collection[ManagerAccountId],
    load: Callable[[Collection[ManagerAccountId]], list[CustomerLink]],
    onward: Callable[[CustomerLink], ManagerAccountId],
) -> list[CustomerLink]:
    """Every link on every chain from here, each once. Where one step is not in the table, all is loaded at once."""
    found: list[CustomerLink] = []
    reached = set(starts)
    level: Collection[ManagerAccountId] = reached
    while level:
        links = table.found(level)
        if links is None:
            links = load(starts)
            if not table.room.is_full:
                # Chains are loaded to their ends, so of whatever stands on one all links are here.
                table.put({*starts, *map(onward, links)}, links)
            return links
        found += links
        level = set(map(onward, links)) - reached
        reached |= level
    return found
