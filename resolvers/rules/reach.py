"""What a user, or a login, may do: the union over all ways in (rules P1–P4, P7–P9, P11–P13).

`Reach` is the one place that answers "may": reading, listing, checking, explaining and guarding a write
all ask it, over one excerpt of facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from resolvers.rules.capabilities import (
    BIT,
    NEEDS_SETTLED_LINKS,
    NOTHING,
    ON_AD_ACCOUNT,
    ON_MANAGER_ACCOUNT,
    ROLE_CAPABILITIES,
    ROLE_RANK,
    SURVIVES_ACCOUNT_LINK,
    VIEW,
    Capability,
    CapabilitySet,
    cut,
    joined,
    without,
)
from resolvers.rules.hierarchy import Below, Hierarchy
from resolvers.rules.links import CARRIES_ACCESS, IN_TRANSITION
from storage.records.facts import (
    Aggregation,
    Assignment,
    EveryLinkedEntity,
    Facts,
    OnlyAccounts,
    OnlyLinkedEntities,
    OwnedAccount,
    UserFact,
)
from storage.records.ids import AdAccountId, LoginId, ManagerAccountId, UserId
from storage.records.values import AdAccountStatus, LoginStatus, ManagerAccountStatus, Role, UserStatus


class Carried(NamedTuple):
    """What one assignment brings at one manager account.

    `own` holds on the manager account itself, `accounts` passes to the ad accounts it owns, `links`
    passes through the account links and aggregations it holds.
    """

    assignment: Assignment
    own: CapabilitySet
    accounts: CapabilitySet
    links: CapabilitySet


class Grant(NamedTuple):
    """What one assignment gives on a target through one context (rule P8)."""

    context: ManagerAccountId
    role: Role
    capabilities: CapabilitySet
    is_beyond_limit: bool


class Context(NamedTuple):
    """A manager account the caller may name to use the target, and what is held through it (rule P8)."""

    manager_account_id: ManagerAccountId
    capabilities: CapabilitySet


class Permissions(NamedTuple):
    """What a subject may do on one target.

    `withheld` is what the paths give but the state of the target forbids (P12, transition lock);
    `over_limit` is what only a chain of more than five manager accounts would give (P10).
    """

    capabilities: CapabilitySet
    withheld: CapabilitySet
    over_limit: CapabilitySet
    roles: tuple[Role, ...]

    def allow(self, capability: Capability) -> bool:
        """Whether the capability is held now."""
        return bool(self.capabilities & BIT[capability])


NO_PERMISSIONS = Permissions(NOTHING, NOTHING, NOTHING, ())

_CarriedByManager: TypeAlias = dict[ManagerAccountId, tuple[Carried, ...]]


def may_act(user: UserFact) -> bool:
    """P12: a user who is not active, or whose login was merged into another, reaches nothing."""
    return user.status is UserStatus.ACTIVE and user.login_status is LoginStatus.ACTIVE


def users_of_login(facts: Facts, login_id: LoginId) -> tuple[UserId, ...]:
    """P11: a login reaches what all its active users reach."""
    return tuple(one for one in facts.users_of_login.get(login_id, ()) if may_act(facts.users[one]))


def users_asked_as(facts: Facts, user_id: UserId) -> tuple[UserId, ...]:
    """Whose assignments count when `user_id` is the subject (rule P11).

    The user a login began with stands for the whole login; any other user for itself alone.
    """
    user = facts.users.get(user_id)
    if user is None or not may_act(user):
        return ()
    return users_of_login(facts, user.login_id) if user.is_original else (user_id,)


def users_of_caller(facts: Facts, login_id: LoginId, acting_user: UserId | None) -> tuple[UserId, ...]:
    """Whose assignments count for a caller: those of his login, or of the one of its users he asks as (rule P11).

    A user of another login speaks for nobody.
    """
    if acting_user is None:
        return users_of_login(facts, login_id)
    user = facts.users.get(acting_user)
    return users_asked_as(facts, acting_user) if user is not None and user.login_id == login_id else ()


def is_in_transition(facts: Facts, ad_account: AdAccountId) -> bool:
    """Whether one of the account's links is being made or unmade right now."""
    return any(link.status in IN_TRANSITION for link in facts.account_links_to.get(ad_account, ()))


def allowed_by_state(facts: Facts, account: OwnedAccount) -> CapabilitySet:
    """What the state of an ad account lets anybody do (rule P12, error 1472)."""
    if account.status == AdAccountStatus.INACTIVE:
        return VIEW
    if is_in_transition(facts, account.id):
        return without(ON_AD_ACCOUNT, NEEDS_SETTLED_LINKS)
    return ON_AD_ACCOUNT


def allowed_by_state_of_manager_account(facts: Facts, target: ManagerAccountId) -> CapabilitySet:
    """What the state of a manager account lets anybody do (P12, as for ad accounts)."""
    fact = facts.manager_accounts.get(target)
    return VIEW if fact is not None and fact.status == ManagerAccountStatus.INACTIVE else ON_MANAGER_ACCOUNT


class Reach:
    """Everything a set of assignments reaches, worked out target by target and remembered."""

    __slots__ = (
        "_assignments",
        "_beyond",
        "_by_arrival",
        "_leads_beyond",
        "_managers",
        "_owned",
        "_scoped",
        "_walked",
        "_within",
        "facts",
        "hierarchy",
    )

    def __init__(self, hierarchy: Hierarchy, assignments: Iterable[Assignment]) -> None:
        self.facts = hierarchy.facts
        self.hierarchy = hierarchy
        self._assignments: list[Assignment] = []
        self._scoped: dict[AdAccountId, list[Assignment]] = {}
        for assignment in assignments:
            if isinstance(assignment.scope, OnlyAccounts):
                for ad_account in assignment.scope.ids:
                    self._scoped.setdefault(ad_account, []).append(assignment)
            else:
                self._assignments.append(assignment)
        self._walked: list[tuple[Assignment, Below]] | None = None
        self._leads_beyond: bool | None = None
        self._within: _CarriedByManager = {}
        self._beyond: _CarriedByManager = {}
        self._by_arrival: dict[tuple[CapabilitySet | None, ...], Permissions] = {}
        self._owned: dict[ManagerAccountId, Permissions] = {}
        self._managers: dict[ManagerAccountId, Permissions] = {}

    @classmethod
    def of_users(cls, hierarchy: Hierarchy, users: Iterable[UserId]) -> Reach:
        """The reach of these users together; they must already be those who may act."""
        held = hierarchy.facts.assignments_by_user
        return cls(hierarchy, [assignment for user in users for assignment in held.get(user, ())])

    # What arrives at a manager account

    def carried_at(self, manager_account: ManagerAccountId) -> tuple[Carried, ...]:
        """What each assignment brings here over chains within the limit."""
        found = self._within.get(manager_account)
        if found is None:
            found = self._within[manager_account] = self._carried(manager_account, beyond=False)
        return found

    def carried_beyond_limit_at(self, manager_account: ManagerAccountId) -> tuple[Carried, ...]:
        """What each assignment would bring here over chains that are too long (rule P10)."""
        if not self._any_chain_is_too_long():
            return ()
        found = self._beyond.get(manager_account)
        if found is None:
            found = self._beyond[manager_account] = self._carried(manager_account, beyond=True)
        return found

    def _any_chain_is_too_long(self) -> bool:
        if self._leads_beyond is None:
            self._leads_beyond = any(below.beyond for _, below in self._walks())
        return self._leads_beyond

    def carried_to_aggregator(self, aggregation: Aggregation, *, beyond: bool) -> tuple[Carried, ...]:
        """What arrives at an aggregator without having come through the manager account it signed up (P5)."""
        aggregator, signed_up = aggregation.aggregator_id, aggregation.manager_account_id
        if self.hierarchy.leads_back(aggregator, signed_up):
            return self._carried(aggregator, beyond=beyond, avoiding=signed_up)
        return self.carried_beyond_limit_at(aggregator) if beyond else self.carried_at(aggregator)

    def _below(self, assignment: Assignment, avoiding: ManagerAccountId | None = None) -> Below:
        top = assignment.manager_account_id
        match assignment.scope:
            case EveryLinkedEntity():
                return self.hierarchy.below_linked_entities(top, None, avoiding)
            case OnlyLinkedEntities(ids):
                return self.hierarchy.below_linked_entities(top, ids, avoiding)
            case _:
                return self.hierarchy.below(top, avoiding)

    def _walks(self, avoiding: ManagerAccountId | None = None) -> list[tuple[Assignment, Below]]:
        """What each assignment leads down to; one held at the manager account to be avoided leads nowhere."""
        if avoiding is not None:
            held = self._assignments
            return [(one, self._below(one, avoiding)) for one in held if one.manager_account_id != avoiding]
        if self._walked is None:
            self._walked = [(one, self._below(one)) for one in self._assignments]
        return self._walked

    def _carried(
        self,
        manager_account: ManagerAccountId,
        *,
        beyond: bool,
        avoiding: ManagerAccountId | None = None,
    ) -> tuple[Carried, ...]:
        found = []
        for assignment, below in self._walks(avoiding):
            survives = (below.beyond if beyond else below.within).get(manager_account)
            if survives:
                carried = cut(ROLE_CAPABILITIES[assignment.role], survives)
                found.append(Carried(assignment, cut(carried, ON_MANAGER_ACCOUNT), carried, carried))
            elif not beyond and assignment.manager_account_id == manager_account:
                # P4: only a role that is limited to linked entities is not led down from where it is held.
                every = isinstance(assignment.scope, EveryLinkedEntity)
                links = ROLE_CAPABILITIES[assignment.role] if every else NOTHING
                found.append(Carried(assignment, VIEW, NOTHING, links))
        return tuple(found)

    def manager_accounts(self) -> frozenset[ManagerAccountId]:
        """Every manager account an unscoped assignment arrives at, aggregated ones not included."""
        reached: set[ManagerAccountId] = set()
        for assignment in self._assignments:
            reached.add(assignment.manager_account_id)
            reached.update(self._below(assignment).within)
        return frozenset(reached)

    def manager_accounts_beyond_limit(self) -> frozenset[ManagerAccountId]:
        """Every manager account that only chains over the limit add something on (rule P10)."""
        return frozenset(one for assignment in self._assignments for one in self._below(assignment).beyond)

    def scoped_ad_accounts(self) -> frozenset[AdAccountId]:
        """Every ad account a scope lists, reached or not."""
        return frozenset(self._scoped)

    # What is held on a target

    def grants_on_manager_account(self, target: ManagerAccountId) -> Iterator[Grant]:
        """All grants on a manager account, by context (its own id, or the aggregator's: P13)."""
        for beyond, carried_at in ((False, self.carried_at), (True, self.carried_beyond_limit_at)):
            for carried in carried_at(target):
                yield Grant(target, carried.assignment.role, carried.own, beyond)
            for aggregation in self.facts.aggregations_to.get(target, ()):
                for carried in self.carried_to_aggregator(aggregation, beyond=beyond):
                    held = cut(carried.links, ON_MANAGER_ACCOUNT)
                    yield Grant(aggregation.aggregator_id, carried.assignment.role, held, beyond)

    def grants_on_ad_account(self, target: OwnedAccount) -> Iterator[Grant]:
        """All grants on an ad account, by context (owner, link holder or aggregator)."""
        links = [
            link.managing_id for link in self.facts.account_links_to.get(target.id, ()) if link.status in CARRIES_ACCESS
        ]
        aggregations = self.facts.aggregations_to.get(target.owner_id, ())
        for beyond, carried_at in ((False, self.carried_at), (True, self.carried_beyond_limit_at)):
            for carried in carried_at(target.owner_id):
                held = cut(carried.accounts, ON_AD_ACCOUNT)
                yield Grant(target.owner_id, carried.assignment.role, held, beyond)
            for holder in links:
                for carried in carried_at(holder):
                    held = cut(carried.links, cut(ON_AD_ACCOUNT, SURVIVES_ACCOUNT_LINK))
                    yield Grant(holder, carried.assignment.role, held, beyond)
            for aggregation in aggregations:
                for carried in self.carried_to_aggregator(aggregation, beyond=beyond):
                    held = cut(carried.links, ON_AD_ACCOUNT)
                    yield Grant(aggregation.aggregator_id, carried.assignment.role, held, beyond)
        if target.id in self._scoped:
            yield from self._scoped_grants(target, links, [item.aggregator_id for item in aggregations])

    def _scoped_grants(
        self, target: OwnedAccount, links: list[ManagerAccountId], aggregators: list[ManagerAccountId]
    ) -> Iterator[Grant]:
        """P2: a scope reaches what its manager account owns, holds a link to, or aggregates."""
        for assignment in self._scoped[target.id]:
            context, role = assignment.manager_account_id, assignment.role
            held = cut(ROLE_CAPABILITIES[role], ON_AD_ACCOUNT)
            if context == target.owner_id or context in aggregators:
                yield Grant(context, role, held, False)
            if context in links:
                yield Grant(context, role, cut(held, SURVIVES_ACCOUNT_LINK), False)

    def contexts_of_manager_account(self, target: ManagerAccountId) -> tuple[Context, ...]:
        """The contexts a manager account can be used through, the recommended one first."""
        return _contexts(self.grants_on_manager_account(target), self._state_of(target))

    def contexts_of_ad_account(self, target: OwnedAccount) -> tuple[Context, ...]:
        """The contexts an ad account can be used through, the recommended one first."""
        return _contexts(self.grants_on_ad_account(target), allowed_by_state(self.facts, target))

    def on_manager_account(self, target: ManagerAccountId, context: ManagerAccountId | None = None) -> Permissions:
        """What is held on a manager account; with a context, only through it (rule P8)."""
        found = self._managers.get(target) if context is None else None
        if found is None:
            found = _union(self.grants_on_manager_account(target), context, self._state_of(target))
            # A state may become known later, under the same view: what was answered without it is not kept.
            if context is None and target in self.facts.manager_accounts:
                self._managers[target] = found
        return found

    def _state_of(self, target: ManagerAccountId) -> CapabilitySet:
        return allowed_by_state_of_manager_account(self.facts, target)

    def is_like_its_siblings(self, target: OwnedAccount) -> bool:
        """Whether nothing sets an ad account apart from others of its owner: no link, no scope, no state."""
        return (
            target.id not in self.facts.account_links_to
            and target.id not in self._scoped
            and target.status != AdAccountStatus.INACTIVE
        )

    def on_ad_account(self, target: OwnedAccount, context: ManagerAccountId | None = None) -> Permissions:
        """What is held on an ad account; with a context, only through it (rule P8)."""
        if context is None and self.is_like_its_siblings(target):
            # Ten thousand of them share one answer.
            owner = target.owner_id
            found = self._owned.get(owner)
            if found is None:
                found = self._owned[owner] = self._on_owned(target)
            return found
        return _union(self.grants_on_ad_account(target), context, allowed_by_state(self.facts, target))

    def _on_owned(self, target: OwnedAccount) -> Permissions:
        """What is held on an ad account that is like its siblings."""
        owner = target.owner_id
        if owner in self.facts.aggregations_to or self._any_chain_is_too_long():
            return _union(self.grants_on_ad_account(target), None, ON_AD_ACCOUNT)
        # Nothing counts but what arrives at its owner, and few things arrive at thousands of owners.
        arriving = tuple([below.within.get(owner) for _, below in self._walks()])
        found = self._by_arrival.get(arriving)
        if found is None:
            found = self._by_arrival[arriving] = _union(self.grants_on_ad_account(target), None, ON_AD_ACCOUNT)
        return found


def _union(grants: Iterable[Grant], context: ManagerAccountId | None, state: CapabilitySet) -> Permissions:
    """P7: the union over all paths; then what the target's state leaves of it."""
    held = beyond = NOTHING
    roles: set[Role] = set()
    for grant in grants:
        if not grant.capabilities or (context is not None and grant.context != context):
            continue
        if grant.is_beyond_limit:
            beyond = joined(beyond, grant.capabilities)
        else:
            held = joined(held, grant.capabilities)
            roles.add(grant.role)
    if not held and not beyond:
        return NO_PERMISSIONS
    return Permissions(
        capabilities=cut(held, state),
        withheld=without(held, state),
        over_limit=without(beyond, held),
        roles=tuple(sorted(roles, key=ROLE_RANK.__getitem__)) if len(roles) > 1 else tuple(roles),
    )


def _contexts(grants: Iterable[Grant], state: CapabilitySet) -> tuple[Context, ...]:
    """One entry a context: the one that gives most first, then the smallest id, so the advice never wavers."""
    held: dict[ManagerAccountId, CapabilitySet] = {}
    for grant in grants:
        usable = cut(grant.capabilities, state)
        if usable and not grant.is_beyond_limit:
            held[grant.context] = joined(held.get(grant.context, NOTHING), usable)
    order = sorted(held, key=lambda context: (-held[context].bit_count(), context))
    return tuple(Context(context, held[context]) for context in order)
