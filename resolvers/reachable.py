"""Everything a subject reaches, as sets of ids a search can be cut to: the other direction of a check.

The sets are worked out by the same rules as every check, from everything below the subject's assignments.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

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
from storage.records.facts import Assignment, OnlyAccounts
from storage.records.ids import AdAccountId, ManagerAccountId, UserId


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
        bit = cut(BIT[capability], ON_AD_ACCOUNT)
        reach = self.reach
        led = _led_to(reach, reach.manager_accounts(), bit, beyond=False)
        led.ids.update(self._scoped(reach, capability))
        self._refuse_more(led, _led_to(reach, reach.manager_accounts_beyond_limit(), bit, beyond=True), bit)
        return AdAccountSet(
            tuple(sorted(led.owners)),
            tuple(sorted(led.ids)),
            without_inactive=capability != Capability.VIEW,
            without_in_transition=bool(bit & NEEDS_SETTLED_LINKS),
        )

    def _refuse_more(self, led: _Led, beyond: _Led, bit: CapabilitySet) -> None:
        """P10: what only longer chains would add is an error."""
        for owner in sorted(beyond.owners - led.owners):
            chain = PathFinder(self.excerpt.facts, owner).chain_over_limit(self.assignments, bit)
            raise chain_refusal(self.session, chain or (owner,))
        extra = beyond.ids - led.ids
        if not extra:
            return
        self.excerpt.know_ad_account_facts(extra)
        facts = self.excerpt.facts
        for one in sorted(extra):
            fact = facts.ad_accounts.get(one)
            if fact is not None and fact.owner_id not in led.owners:
                chain = PathFinder(facts, fact).chain_over_limit(self.assignments, bit)
                raise chain_refusal(self.session, chain or (fact.owner_id,))

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


def reachable_by(session: Session, users: Collection[UserId]) -> Reachable:
    """Everything these users reach together. Cost: at most seven SELECTs."""
    excerpt = session.excerpt
    excerpt.know_users(users)
    assignments = tuple(item for user in users for item in excerpt.facts.assignments_by_user.get(user, ()))
    excerpt.know_below([item.manager_account_id for item in assignments])
    _know_scopes(session, assignments)
    return Reachable(session, assignments)


def _know_scopes(session: Session, assignments: Collection[Assignment]) -> None:
    listed = {account for item in assignments if isinstance(item.scope, OnlyAccounts) for account in item.scope.ids}
    if listed:
        session.know_ad_accounts(list(listed))


def reachable_by_viewer(session: Session) -> Reachable:
    """Everything the viewer reaches."""
    return reachable_by(session, session.viewer_users)


def reachable_by_user(session: Session, user: UserId) -> Reachable:
    """Everything a user reaches when asked as himself (rule P11)."""
    session.excerpt.know_users([user])
    return reachable_by(session, users_asked_as(session.excerpt.facts, user))


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


def sees_nothing_less(mine: AdAccountSet, theirs: AdAccountSet) -> bool:
    """Whether the first set certainly contains the second."""
    return set(theirs.owners) <= set(mine.owners) and set(theirs.ids) <= set(mine.ids)
