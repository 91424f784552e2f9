"""Everything a subject reaches, as sets of ids a search can be cut to: the other direction of a check.

The sets are worked out by the same rules as every check, from everything below the subject's assignments.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar

from resolvers.errors import Refusal, unless_refused
from resolvers.excerpt import Excerpt
from resolvers.long_chains import chain_refusal, refuse_long_chain
from resolvers.rules.capabilities import (
    BIT,
    NEEDS_SETTLED_LINKS,
    ON_AD_ACCOUNT,
    SURVIVES_ACCOUNT_LINK,
    Capability,
    CapabilitySet,
    cut,
)
from resolvers.rules.links import CARRIES_ACCESS
from resolvers.rules.paths import PathFinder
from resolvers.rules.reach import Reach, users_asked_as
from resolvers.session import Session
from storage.reads.search import AdAccountSet
from storage.records.facts import Assignment, OnlyAccounts, Scope
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.values import Role

K = TypeVar("K")
Chain: TypeAlias = tuple[ManagerAccountId, ...]
_Roles: TypeAlias = frozenset[tuple[ManagerAccountId, Role, Scope]]


class _Led(NamedTuple):
    """What chains lead to: owners of ad accounts, and single ad accounts."""

    owners: set[ManagerAccountId]
    ids: set[AdAccountId]


@dataclass(frozen=True, slots=True)
class Reachable:
    """A subject's reach with everything below its assignments loaded."""

    session: Session
    assignments: tuple[Assignment, ...]

    @property
    def roles(self) -> _Roles:
        """What the reach depends on: the roles, where they are held, and how narrow they are."""
        return frozenset((item.manager_account_id, item.role, item.scope) for item in self.assignments)

    @property
    def excerpt(self) -> Excerpt:
        """The facts of the request."""
        return self.session.excerpt

    @property
    def reach(self) -> Reach:
        """The rules' view of all that is loaded."""
        return Reach(self.excerpt.hierarchy, self.assignments)

    def manager_accounts(self, capability: Capability = Capability.VIEW) -> tuple[ManagerAccountId, ...]:
        """The manager accounts on which the capability is held, by id.

        Raises: Refusal CHAIN_OVER_LIMIT when a chain that is too long would add one (rule P10).
        """
        reach, facts = self.reach, self.excerpt.facts
        reached = reach.manager_accounts()
        signed_up = {item.manager_account_id for one in reached for item in facts.aggregations_from.get(one, ())}
        candidates = sorted(reached | signed_up | reach.manager_accounts_beyond_limit())
        if capability != Capability.VIEW:
            # What is deleted can still be seen, and nothing else: only here its state matters.
            self.excerpt.know_states(candidates)
            reach = self.reach
        held = []
        for one in candidates:
            permissions = reach.on_manager_account(one)
            refuse_long_chain(self.session, permissions, facts, self.assignments, one, capability)
            if permissions.allow(capability):
                held.append(one)
        return tuple(held)

    def ad_accounts(self, capability: Capability = Capability.VIEW) -> AdAccountSet:
        """The ad accounts on which the capability is held, as owners and single ids.

        Raises: Refusal CHAIN_OVER_LIMIT when a chain that is too long would add some (rule P10).
        """
        return unless_refused(ad_accounts_of_each(self.session, {None: self}, capability)[None])

    def led_to(self, capability: Capability) -> tuple[_Led, _Led]:
        """What chains within the limit lead to with the capability, and what longer ones lead to."""
        bit = cut(BIT[capability], ON_AD_ACCOUNT)
        reach = self.reach
        led = _led_to(reach, reach.manager_accounts(), bit, beyond=False)
        led.ids.update(self._scoped(reach, capability))
        return led, _led_to(reach, reach.manager_accounts_beyond_limit(), bit, beyond=True)

    def chain_to_more(self, led: _Led, beyond: _Led, capability: Capability) -> Chain | None:
        """A chain over the limit that leads to what no chain within it does (P10); its accounts' facts are loaded."""
        bit = cut(BIT[capability], ON_AD_ACCOUNT)
        facts = self.excerpt.facts
        for owner in sorted(beyond.owners - led.owners):
            return PathFinder(facts, owner).chain_over_limit(self.assignments, bit) or (owner,)
        for one in sorted(beyond.ids - led.ids):
            fact = facts.ad_accounts.get(one)
            if fact is not None and fact.owner_id not in led.owners:
                return PathFinder(facts, fact).chain_over_limit(self.assignments, bit) or (fact.owner_id,)
        return None

    def _scoped(self, reach: Reach, capability: Capability) -> set[AdAccountId]:
        """P2: accounts a scope lists, where the rules grant the capability, whatever their state."""
        found = set()
        for one in reach.scoped_ad_accounts():
            fact = self.excerpt.facts.ad_accounts.get(one)
            if fact is not None:
                permissions = reach.on_ad_account(fact)
                if (permissions.capabilities | permissions.withheld) & BIT[capability]:
                    found.add(one)
        return found


def _led_to(reach: Reach, managers: Collection[ManagerAccountId], bit: CapabilitySet, *, beyond: bool) -> _Led:
    """The ad accounts to which these manager accounts carry a capability, over chains within or beyond the limit."""
    facts = reach.facts
    led = _Led(set(), set())
    for one in managers:
        carried = reach.carried_beyond_limit_at(one) if beyond else reach.carried_at(one)
        if any(item.accounts & bit for item in carried):
            led.owners.add(one)
        if any(item.links & bit & SURVIVES_ACCOUNT_LINK for item in carried):
            links = facts.account_links_from.get(one, ())
            led.ids.update(link.client_id for link in links if link.status in CARRIES_ACCESS)
        for aggregation in facts.aggregations_from.get(one, ()):
            if any(item.links & bit for item in reach.carried_to_aggregator(aggregation, beyond=beyond)):
                led.owners.add(aggregation.manager_account_id)
    return led


def ad_accounts_of_each(
    session: Session, subjects: Mapping[K, Reachable], capability: Capability
) -> dict[K, AdAccountSet | Refusal]:
    """The ad accounts on which each subject holds the capability, as owners and single ids.

    Where a chain over the limit would add some (rule P10), a subject has its refusal CHAIN_OVER_LIMIT instead.
    Cost: none for most, and at most five SELECTs for all refusals together.
    """
    # Colleagues with the same roles in the same places reach the same.
    by_roles: dict[_Roles, Reachable] = {one.roles: one for one in subjects.values()}
    led = {roles: one.led_to(capability) for roles, one in by_roles.items()}
    session.excerpt.know_ad_account_facts({key for within, beyond in led.values() for key in beyond.ids - within.ids})
    chains = {roles: one.chain_to_more(*led[roles], capability) for roles, one in by_roles.items()}
    session.know_manager_accounts(list({key for chain in chains.values() for key in chain or ()}))
    found: dict[_Roles, AdAccountSet | Refusal] = {}
    for roles, (within, _beyond) in led.items():
        chain = chains[roles]
        found[roles] = _set_of(within, capability) if chain is None else chain_refusal(session, chain)
    return {key: found[one.roles] for key, one in subjects.items()}


def _set_of(led: _Led, capability: Capability) -> AdAccountSet:
    return AdAccountSet(
        tuple(sorted(led.owners)),
        tuple(sorted(led.ids)),
        without_inactive=capability != Capability.VIEW,
        without_in_transition=bool(BIT[capability] & ON_AD_ACCOUNT & NEEDS_SETTLED_LINKS),
    )


def reachable_by(session: Session, users: Collection[UserId]) -> Reachable:
    """Everything these users reach together. Cost: at most seven SELECTs."""
    return reachable_by_each(session, {None: users})[None]


def reachable_by_each(session: Session, subjects: Mapping[K, Collection[UserId]]) -> dict[K, Reachable]:
    """Everything the users of each subject reach together. Cost: at most seven SELECTs for all subjects."""
    excerpt = session.excerpt
    excerpt.know_users(list({user for users in subjects.values() for user in users}))
    by_user = excerpt.facts.assignments_by_user
    held = {key: tuple(item for user in users for item in by_user.get(user, ())) for key, users in subjects.items()}
    every = {item.id: item for items in held.values() for item in items}.values()
    excerpt.know_below(list({item.manager_account_id for item in every}))
    _know_scopes(session, every)
    return {key: Reachable(session, items) for key, items in held.items()}


def _know_scopes(session: Session, assignments: Collection[Assignment]) -> None:
    listed = {account for item in assignments if isinstance(item.scope, OnlyAccounts) for account in item.scope.ids}
    if listed:
        session.know_ad_accounts(list(listed))


def reachable_by_viewer(session: Session) -> Reachable:
    """Everything the viewer reaches."""
    return reachable_by(session, session.viewer_users)


def reachable_by_user(session: Session, user: UserId) -> Reachable:
    """Everything a user reaches when asked as himself (rule P11)."""
    return reachable_by_each_user(session, [user])[user]


def reachable_by_each_user(session: Session, users: Collection[UserId]) -> dict[UserId, Reachable]:
    """Everything each of these users reaches when asked as himself (rule P11). Cost: at most nine SELECTs for all."""
    session.excerpt.know_users(users)
    facts = session.excerpt.facts
    return reachable_by_each(session, {user: users_asked_as(facts, user) for user in users})


def tree_below(session: Session, top: ManagerAccountId) -> AdAccountSet:
    """The ad accounts that stand anywhere below a manager account, whoever may use them."""
    excerpt = session.excerpt
    excerpt.know_below([top])
    facts = excerpt.facts
    inside = set(excerpt.hierarchy.below(top).within)
    ids = {
        link.client_id
        for one in inside
        for link in facts.account_links_from.get(one, ())
        if link.status in CARRIES_ACCESS
    }
    signed_up = {item.manager_account_id for one in inside for item in facts.aggregations_from.get(one, ())}
    return AdAccountSet(tuple(sorted(inside | signed_up)), tuple(sorted(ids)))


def contains(mine: AdAccountSet) -> Callable[[AdAccountSet], bool]:
    """What tells of another set whether it certainly lies within this one."""
    owners, ids = frozenset(mine.owners), frozenset(mine.ids)
    return lambda theirs: owners.issuperset(theirs.owners) and ids.issuperset(theirs.ids)
