"""Who can access this: the users who hold a capability on one target, with all they hold there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from resolvers.access import EXPLANATION, Explanation, assignments_of, explain
from resolvers.errors import Refusal, too_many_paths
from resolvers.excerpt import Excerpt
from resolvers.paging import Edge, Page, fingerprint, page_of
from resolvers.people import visible_users
from resolvers.rules import access as rules
from resolvers.rules.access import permissions_on
from resolvers.rules.capabilities import BIT, Capability
from resolvers.rules.links import CARRIES_ACCESS
from resolvers.rules.paths import PATHS_AT_MOST, AnyTarget, TooManyPaths
from resolvers.rules.reach import Permissions, Reach, users_asked_as
from resolvers.session import AD_ACCOUNT, MANAGER_ACCOUNT, Session
from storage.records.facts import AdAccountFact, Scope
from storage.records.ids import ManagerAccountId, UserId
from storage.records.rows import UserRow
from storage.records.values import Role


class Accessor(NamedTuple):
    """A user who holds the capability asked for, with all he holds on the target."""

    node: UserRow
    key: tuple[int]
    scope: str
    permissions: Permissions
    session: Session
    target: AnyTarget

    @property
    def explanation(self) -> Explanation:
        """How the user got there."""
        return explain(self.session, self.node.user_id, self.target, None)

    @property
    def cursor(self) -> str:
        """The opaque position of this user in the list."""
        return Edge(self.node, self.key, self.scope).cursor


class Accessors(NamedTuple):
    """A page of accessors: a `Connection`, and of how many users more it can be said neither yes nor no (P10)."""

    edges: Sequence[Accessor]
    has_next_page: bool
    has_previous_page: bool
    total: Callable[[], int]
    hidden_count: int
    over_limit_count: int


def accessors_of(
    session: Session,
    target: AnyTarget,
    capability: Capability,
    via: ManagerAccountId | None,
    page: Page,
) -> Accessors:
    """Who holds a capability on a target the viewer sees, by user id; with `via`, only by a path through it.

    Users the viewer may not see are counted in `hidden_count`; those whom only a chain over the limit would
    lead there in `over_limit_count`, whoever they are: one such user must not take the list from everybody.
    Cost: a fixed number of SELECTs. Raises: Refusal (INVALID_CURSOR, CHAIN_OVER_LIMIT, TOO_MANY_PATHS).
    """
    is_account = isinstance(target, AdAccountFact)
    kind, key = (AD_ACCOUNT, target.id) if isinstance(target, AdAccountFact) else (MANAGER_ACCOUNT, target)
    if isinstance(target, AdAccountFact):
        session.excerpt.know_ad_accounts([target])
    found = session.each(
        kind,
        key,
        ("held by", capability, via),
        lambda ids: _held_by(session, _targets(session, ids, is_account=is_account), capability, via),
    )
    seen = visible_users(session, list(found.held))
    # By id: the facts about the target may change between two pages.
    scope = fingerprint("accessors", kind, key, capability, via)
    edges = [Accessor(seen[user], (user,), scope, found.held[user], session, target) for user in sorted(seen)]
    shown = page_of(edges, page, scope, len(found.held) - len(seen))  # type: ignore[arg-type]
    return Accessors(*shown[:5], found.undecided)


class _Held(NamedTuple):
    """Who holds a capability on one target, and how many only a chain over the limit would lead there."""

    held: dict[UserId, Permissions]
    undecided: int


def _targets(session: Session, ids: list[Any], *, is_account: bool) -> dict[Any, AnyTarget]:
    """The targets of a cohort, with what decides about them loaded."""
    if not is_account:
        session.know_manager_accounts(ids)
        return {one: ManagerAccountId(one) for one in ids}
    session.know_ad_accounts(ids)
    known = session.excerpt.ad_account_facts
    return {one: known[one] for one in ids if one in known}


def _held_by(
    session: Session, targets: dict[Any, AnyTarget], capability: Capability, via: ManagerAccountId | None
) -> dict[Any, _Held | Refusal]:
    """Cost: a fixed number of SELECTs for a whole cohort of targets."""
    excerpt = session.excerpt
    tops = {one: led_from(excerpt, target) for one, target in targets.items()}
    everybody = excerpt.know_holders_in(frozenset().union(*tops.values()))
    roles = excerpt.facts.assignments_by_user
    places = {user: {item.manager_account_id for item in roles.get(user, ())} for user in everybody}
    hidden_via = via is not None and not session.knows(via)
    result: dict[Any, _Held | Refusal] = {}
    for one, target in targets.items():
        session.go_on()
        if hidden_via:
            result[one] = _Held({}, 0)
            continue
        holders = [user for user, held_in in places.items() if not held_in.isdisjoint(tops[one])]
        try:
            held, undecided = _holding(excerpt, holders, target, capability)
            if via is not None:
                held = {
                    user: item for user, item in held.items() if _leads_through(excerpt, session, user, target, via)
                }
            result[one] = _Held(held, undecided)
        except Refusal as refusal:
            result[one] = refusal
    counted = {one: item.held for one, item in result.items() if isinstance(item, _Held)}
    seen = visible_users(session, list({user for held in counted.values() for user in held}))
    # Whoever asks how one of them got there gets the reasons of all.
    session.register(
        EXPLANATION, [(user, targets[one], None) for one, held in counted.items() for user in held if user in seen]
    )
    return result


def led_from(excerpt: Excerpt, target: AnyTarget) -> frozenset[ManagerAccountId]:
    """Every manager account from which some chain leads to the target."""
    facts = excerpt.facts
    owner = target.owner_id if isinstance(target, AdAccountFact) else target
    starts = {owner, *(item.aggregator_id for item in facts.aggregations_to.get(owner, ()))}
    if isinstance(target, AdAccountFact):
        links = facts.account_links_to.get(target.id, ())
        starts.update(link.managing_id for link in links if link.status in CARRIES_ACCESS)
    frontier = list(starts)
    while frontier:
        for link in facts.customer_links_to.get(frontier.pop(), ()):
            if link.status in CARRIES_ACCESS and link.managing_id not in starts:
                starts.add(link.managing_id)
                frontier.append(link.managing_id)
    return frozenset(starts)


def _holding(
    excerpt: Excerpt, holders: Collection[UserId], target: AnyTarget, capability: Capability
) -> tuple[dict[UserId, Permissions], int]:
    """Users with the capability, and how many more only a chain over the limit would give it (rule P10).

    They are those who hold roles there, and the original users of their logins (P11).
    """
    facts, hierarchy = excerpt.facts, excerpt.hierarchy
    logins = {facts.users[user].login_id for user in holders if user in facts.users}
    candidates = [user.id for user in facts.users.values() if user.login_id in logins]
    held: dict[UserId, Permissions] = {}
    undecided = 0
    # Colleagues with the same role in the same place hold the same: one answer serves them all.
    answers: dict[frozenset[tuple[ManagerAccountId, Role, Scope]], Permissions] = {}
    for user in candidates:
        roles = [item for one in users_asked_as(facts, user) for item in facts.assignments_by_user.get(one, ())]
        if not roles:
            continue
        alike = frozenset((item.manager_account_id, item.role, item.scope) for item in roles)
        permissions = answers.get(alike) or permissions_on(Reach(hierarchy, roles), target)
        answers[alike] = permissions
        if permissions.allow(capability):
            held[user] = permissions
        elif permissions.over_limit & BIT[capability]:
            undecided += 1
    return held, undecided


def _leads_through(excerpt: Excerpt, session: Session, user: UserId, target: AnyTarget, via: ManagerAccountId) -> bool:
    session.go_on()
    assignments = assignments_of(excerpt, session, user)
    try:
        access = rules.access_of(Reach(excerpt.hierarchy, assignments), assignments, target)
    except TooManyPaths as error:
        raise too_many_paths(PATHS_AT_MOST) from error
    return any(via in path.manager_accounts for path in access.paths)
