"""A growing excerpt of the facts of one snapshot: what has been loaded, batch by batch, in one request.

A permission on a target depends only on what lies above it. So once everything above a target is loaded,
answers about it stay right however much is loaded later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from operator import attrgetter
from typing import TypeVar

from resolvers.rules.hierarchy import Hierarchy
from resolvers.rules.reach import Reach, may_act
from storage.reads.remembered import FactReader
from storage.records.facts import (
    AccountLink,
    AdAccountFact,
    Aggregation,
    Assignment,
    CustomerLink,
    Facts,
    ManagerAccountFact,
    UserFact,
)
from storage.records.ids import (
    AdAccountId,
    AggregationId,
    ClientLinkId,
    LoginId,
    ManagerAccountId,
    UserId,
)

K = TypeVar("K")
V = TypeVar("V")


class Excerpt:
    """Facts loaded so far. With `any_status`, links that carry no access are loaded too (for near misses).

    What could not be loaded is not known: a load that fails is tried again by whoever asks next.
    """

    def __init__(self, read: FactReader, *, any_status: bool = False) -> None:
        self._read = read
        self._any_status = any_status
        self._users: dict[UserId, UserFact] = {}
        self._logins: dict[LoginId, tuple[UserId, ...]] = {}
        self._assignments: dict[UserId, tuple[Assignment, ...]] = {}
        self._manager_accounts: dict[ManagerAccountId, ManagerAccountFact] = {}
        self._ad_accounts: dict[AdAccountId, AdAccountFact] = {}
        self._customer_links: dict[ClientLinkId, CustomerLink] = {}
        self._account_links: dict[ClientLinkId, AccountLink] = {}
        self._aggregations: dict[AggregationId, Aggregation] = {}
        self._above_known: set[ManagerAccountId] = set()
        self._below_known: set[ManagerAccountId] = set()
        self._signed_up_known: set[ManagerAccountId] = set()
        self._aggregators_known: set[ManagerAccountId] = set()
        self._links_to_known: set[AdAccountId] = set()
        self._hierarchy: Hierarchy | None = None
        self._reaches: dict[tuple[UserId, ...], Reach] = {}

    @property
    def hierarchy(self) -> Hierarchy:
        """The rules' view of what is loaded now; made anew when links or aggregations have been added.

        People, their roles and states are looked up one by one, so the view shares them and they may grow under it.
        Whoever is known is known with all his roles.
        """
        if self._hierarchy is None:
            self._hierarchy = Hierarchy(
                Facts.over(
                    users=self._users,
                    users_of_login=self._logins,
                    manager_accounts=self._manager_accounts,
                    ad_accounts=self._ad_accounts,
                    assignments_by_user=self._assignments,
                    customer_links=self._customer_links.values(),
                    account_links=self._account_links.values(),
                    aggregations=self._aggregations.values(),
                )
            )
        return self._hierarchy

    @property
    def facts(self) -> Facts:
        """What is loaded now."""
        return self.hierarchy.facts

    @property
    def ad_account_facts(self) -> Mapping[AdAccountId, AdAccountFact]:
        """The ad accounts known so far, without making a view of everything for it."""
        return self._ad_accounts

    def reach_of(self, users: tuple[UserId, ...]) -> Reach:
        """What these users, who may act, reach together, as far as loaded: one object as long as nothing is added."""
        hierarchy = self.hierarchy
        found = self._reaches.get(users)
        if found is None or found.hierarchy is not hierarchy:
            found = self._reaches[users] = Reach.of_users(hierarchy, users)
        return found

    def _add(self, known: dict[K, V], found: Collection[V], key: Callable[[V], K]) -> None:
        before = len(known)
        known.update(zip(map(key, found), found, strict=True))
        if len(known) != before:
            self._hierarchy = None

    # People

    def know_users(self, ids: Collection[UserId]) -> None:
        """These users, all others of their logins, and what they hold. Cost: two SELECTs."""
        unknown = [user for user in ids if user not in self._users]
        if unknown:
            self._hold(self._read.users_sharing_a_login(unknown))

    def know_login(self, login_id: LoginId) -> None:
        """All users of a login and what they hold. Cost: two SELECTs."""
        self._hold(self._read.users_of_logins([login_id]))

    def _hold(self, users: Iterable[UserFact]) -> None:
        known = self._users
        fresh = [user for user in users if user.id not in known]
        acting = [user.id for user in fresh if may_act(user)]
        if acting:
            self._assignments.update(self._read.assignments_of_users(acting))
        for user in fresh:
            known[user.id] = user
            self._logins[user.login_id] = (*self._logins.get(user.login_id, ()), user.id)

    def know_holders_in(self, ids: Collection[ManagerAccountId]) -> frozenset[UserId]:
        """Everybody who holds something in these manager accounts; returns them. Cost: three SELECTs."""
        held = self._read.assignments_in(ids) if ids else ()
        holders = frozenset(item.user_id for item in held)
        self.know_users(holders)
        return holders

    # Targets: everything above them

    def know_manager_accounts(
        self, ids: Collection[ManagerAccountId], known: Iterable[ManagerAccountFact] = ()
    ) -> None:
        """These manager accounts as targets: states, aggregators, and all chains above. Cost: ≤ 4 SELECTs.

        `known` are states the caller has read already.
        """
        self._manager_accounts.update((fact.id, fact) for fact in known)
        self.know_states(ids)
        self._know_ways_to(ids)

    def know_ad_accounts(self, accounts: Collection[AdAccountFact]) -> None:
        """These ad accounts as targets: links to them, and all chains above their owners. Cost: ≤ 5 SELECTs."""
        new = [account for account in accounts if account.id not in self._links_to_known]
        if not new:
            return
        keys = [account.id for account in new]
        links = self._read.account_links_to(keys, any_status=self._any_status)
        self._add(self._account_links, links, _id_of)
        self._know_ways_to({account.owner_id for account in new})
        self._know_above({link.managing_id for link in links})
        self._ad_accounts.update(zip(keys, new, strict=True))
        self._links_to_known.update(keys)

    def _know_ways_to(self, ids: Iterable[ManagerAccountId]) -> None:
        """Who aggregates these, and all chains that lead to them or to their aggregators."""
        new = [target for target in ids if target not in self._aggregators_known]
        if not new:
            return
        found = self._read.aggregations_at(new)
        self._add(self._aggregations, found, _id_of)
        signed = set(new)
        self._know_above({*new, *(item.aggregator_id for item in found if item.manager_account_id in signed)})
        self._aggregators_known.update(new)
        self._signed_up_known.update(new)

    def know_states(self, ids: Collection[ManagerAccountId]) -> None:
        """Whether these manager accounts live. Cost: one SELECT."""
        unknown = [one for one in ids if one not in self._manager_accounts]
        if unknown:
            self._manager_accounts.update((fact.id, fact) for fact in self._read.manager_accounts(unknown))

    def know_ad_account_facts(self, ids: Collection[AdAccountId]) -> None:
        """Owner and state of ad accounts, without what lies above them. Cost: one SELECT."""
        unknown = [account for account in ids if account not in self._ad_accounts]
        if unknown:
            self._ad_accounts.update((fact.id, fact) for fact in self._read.ad_accounts(unknown))

    def know_aggregations_from(self, ids: Collection[ManagerAccountId]) -> None:
        """Whom these manager accounts signed up. Cost: one SELECT."""
        new = [one for one in ids if one not in self._signed_up_known]
        if new:
            self._add(self._aggregations, self._read.aggregations_from(new), _id_of)
            self._signed_up_known.update(new)

    def _know_above(self, ids: Iterable[ManagerAccountId]) -> None:
        """All chains above. Children of what is known already need one plain look; the rest is walked."""
        new = {target for target in ids if target not in self._above_known}
        if not new:
            return
        if self._above_known:
            links = self._read.customer_links_to(list(new), any_status=self._any_status)
            self._add(self._customer_links, links, _id_of)
            further = {link.managing_id for link in links} - self._above_known - new
            if further:
                self._walk_up(further)
            self._above_known.update(new)
        else:
            self._walk_up(new)

    def _walk_up(self, ids: Collection[ManagerAccountId]) -> None:
        links = self._read.customer_links_above(list(ids), any_status=self._any_status)
        self._add(self._customer_links, links, _id_of)
        # Whatever stands on a chain above is known with it: its own chains are part of the answer.
        self._above_known.update(ids, (link.managing_id for link in links))

    def above(self) -> frozenset[ManagerAccountId]:
        """Every manager account whose chains upward are loaded."""
        return frozenset(self._above_known)

    # Reach: everything below

    def know_below(self, ids: Collection[ManagerAccountId]) -> None:
        """Everything these manager accounts lead to: chains below, links and aggregations held. Cost: 3 SELECTs."""
        new = [top for top in ids if top not in self._below_known]
        if not new:
            return
        links = self._read.customer_links_below(new, any_status=self._any_status)
        self._add(self._customer_links, links, _id_of)
        reached = list({*new, *(link.client_id for link in links)} - self._below_known)
        self._add(self._account_links, self._read.account_links_from(reached), _id_of)
        self.know_aggregations_from(reached)
        self._below_known.update(reached)


_id_of = attrgetter("id")
