"""The ways that exactly one thing keeps from giving a capability: what it is, and what would mend it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple, TypeAlias

from resolvers.rules.capabilities import BIT, ROLE_CAPABILITIES, RULE_ID, Capability
from resolvers.rules.links import IN_TRANSITION
from resolvers.rules.paths import AnyTarget, Hop, Path, PathFinder, scope_gives
from resolvers.rules.reach import allowed_by_state, allowed_by_state_of_manager_account
from resolvers.rules.remedies import Remedies, Way, ends_of
from storage.records.facts import AdAccountFact, Assignment, Facts, OnlyAccounts
from storage.records.ids import ClientLinkId, ManagerAccountId
from storage.records.values import AdAccountStatus, LinkPermission, ValueSet, auto


class AccessCode(ValueSet):
    """Why an answer is what it is."""

    ALLOWED = auto()
    NO_PATH = auto()
    ROLE_LACKS_CAPABILITY = auto()
    LINK_CAP = auto()
    LINK_NOT_ACTIVE = auto()
    ACCOUNT_NOT_IN_SCOPE = auto()
    LINKED_ENTITY_ONLY = auto()
    OBJECT_STATE = auto()
    NOT_VISIBLE = auto()


class NearMiss(NamedTuple):
    """A path that would have worked but for one thing; `hop` is the index of the hop that stopped it.

    `ways` are the ways to mend it, the simplest first; `besides` says what the state of the target forbids all the
    same, None when mending is enough.
    """

    code: AccessCode
    rule: str
    path: Path
    hop: int | None
    message: str
    ways: tuple[Way, ...]
    besides: str | None = None

    @property
    def remedy(self) -> str:
        """All that can be done, in words."""
        told = " Or: ".join(way.message for way in self.ways)
        return told if self.besides is None else f"{told} That alone is not enough: {self.besides}"


Visible = Callable[[Path], bool]
"""Whether the asker may see every manager account and link of a path."""


def everything_visible(_path: Path) -> bool:
    """For one's own paths: they lead through what one reaches."""
    return True


Strength: TypeAlias = tuple[int, int, tuple[int, ...], tuple[int, ...]]


def strength(path: Path) -> Strength:
    """Shortest first, then the one that takes least; ids last, so that no two are equal and the order never wavers.

    It depends on nothing but the path itself.
    """
    taken = len(Capability) - path.capabilities.bit_count()
    steps = [number for hop in path.hops for number in (hop.link_id or 0, hop.aggregation_id or 0)]
    return len(path.hops), taken, path.manager_accounts, (path.assignment.id, *steps)


ORDER = {
    AccessCode.LINK_CAP: 0,
    AccessCode.ROLE_LACKS_CAPABILITY: 1,
    AccessCode.LINKED_ENTITY_ONLY: 2,
    AccessCode.ACCOUNT_NOT_IN_SCOPE: 3,
    AccessCode.LINK_NOT_ACTIVE: 4,
    AccessCode.NO_PATH: 5,
}
"""Which obstacle is closest to giving way."""


def closeness(miss: NearMiss) -> tuple[int, Strength]:
    """The order near misses are told in."""
    return ORDER[miss.code], strength(miss.path)


def near_misses(
    facts: Facts,
    assignments: Collection[Assignment],
    target: AnyTarget,
    capability: Capability,
    context: ManagerAccountId | None = None,
    visible: Visible = everything_visible,
    known: Collection[Assignment] | None = None,
) -> list[NearMiss]:
    """The paths that exactly one thing keeps from giving the capability.

    `facts` must hold the links that carry no access too, or misses over them go unnoticed. `known`: those of the
    subject's assignments the asker may be told of; left out, all.
    """
    held = assignments if known is None else known
    found = []
    for path in PathFinder(facts, target, over_any_link=True).paths(assignments):
        obstacles = list(_obstacles(path, target, capability, context, held))
        if len(obstacles) == 1 and visible(path):
            [miss] = obstacles
            # A link that is to become active locks its ad account no longer then.
            inactive = [hop.link_id for hop in path.hops if not hop.carries_access]
            mended = inactive[0] if inactive else None
            found.append(miss._replace(besides=forbidden_besides(facts, target, capability, mended)))
    return found


def _obstacles(
    path: Path,
    target: AnyTarget,
    capability: Capability,
    context: ManagerAccountId | None,
    known: Collection[Assignment],
) -> Iterator[NearMiss]:
    bit, role, at = BIT[capability], path.assignment.role, path.assignment.manager_account_id
    remedies = Remedies(path, capability, known)
    if not ROLE_CAPABILITIES[role] & bit:
        message = f"The role {role} held in manager account {at} does not include {capability}."
        yield NearMiss(AccessCode.ROLE_LACKS_CAPABILITY, RULE_ID[capability], path, None, message, remedies.of_role())
    if not scope_gives(path) & bit:
        yield _scope_obstacle(path, remedies)
    for index, hop in enumerate(path.hops):
        if not hop.carries_access:
            message = f"Client link {hop.link_id} ({ends_of(hop)}) is {hop.status}; only an active link gives access."
            ways = remedies.of_inactive_link(hop)
            yield NearMiss(AccessCode.LINK_NOT_ACTIVE, "P9", path, index, message, ways)
        if not hop.lets_through & bit:
            yield _cap_obstacle(path, index, hop, target, capability, remedies)
    if context is not None and path.context != context:
        message = f"It is not reached through manager account {context}, but it is through {path.context}."
        yield NearMiss(AccessCode.NO_PATH, "P8", path, None, message, remedies.of_context())


def _scope_obstacle(path: Path, remedies: Remedies) -> NearMiss:
    role, at = path.assignment.role, path.assignment.manager_account_id
    if isinstance(path.assignment.scope, OnlyAccounts):
        code, rule = AccessCode.ACCOUNT_NOT_IN_SCOPE, "P2"
        message = f"The role {role} in manager account {at} is limited to ad accounts that do not include it."
    else:
        code, rule = AccessCode.LINKED_ENTITY_ONLY, "P4"
        message = f"The role {role} in manager account {at} reaches only linked entities, not this one."
    return NearMiss(code, rule, path, None, message, remedies.of_scope())


def _cap_obstacle(
    path: Path, index: int, hop: Hop, target: AnyTarget, capability: Capability, remedies: Remedies
) -> NearMiss:
    if hop.permission == LinkPermission.STANDARD or not isinstance(target, AdAccountFact):
        message = f"Client link {hop.link_id} ({ends_of(hop)}) is STANDARD and takes {capability} away."
        ways = remedies.of_standard_link(hop)
    else:
        message = f"{capability} is not carried by an account link (client link {hop.link_id}, {ends_of(hop)})."
        ways = remedies.of_account_link(target)
    return NearMiss(AccessCode.LINK_CAP, hop.rules[-1], path, index, message, ways)


# The state of the target


def forbidden_besides(
    facts: Facts, target: AnyTarget, capability: Capability, mended: ClientLinkId | None
) -> str | None:
    """Why the state of the target forbids a capability whatever leads there; None when it does not.

    `mended` is a link whose transition does not count.
    """
    if not isinstance(target, AdAccountFact):
        allowed = allowed_by_state_of_manager_account(facts, target)
        return None if allowed & BIT[capability] else state_message(target)
    if allowed_by_state(facts, target) & BIT[capability]:
        return None
    links = facts.account_links_to.get(target.id, ())
    moving = {link.id for link in links if link.status in IN_TRANSITION}
    settles = moving == {mended}
    return None if settles and target.status != AdAccountStatus.INACTIVE else state_message(target)


def state_message(target: AnyTarget) -> str:
    """What the state of a target forbids, in words."""
    if isinstance(target, AdAccountFact):
        if target.status == AdAccountStatus.INACTIVE:
            return "The ad account is INACTIVE (deleted): it can be viewed, nothing else."
        return "A link to the ad account is being made or unmade: retry when it has settled (5 to 30 minutes)."
    return "The manager account is INACTIVE (deleted): it can be viewed, nothing else."
