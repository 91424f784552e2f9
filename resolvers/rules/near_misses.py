"""The ways that exactly one thing keeps from giving a capability: what it is, and what would mend it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from resolvers.rules.capabilities import BIT, ROLE_CAPABILITIES, RULE_ID, Capability
from resolvers.rules.lazily import lazily
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


class Asked(NamedTuple):
    """What is asked about. `known`: those of the subject's assignments the asker may be told of."""

    facts: Facts
    target: AnyTarget
    capability: Capability
    context: ManagerAccountId | None
    known: Collection[Assignment]


class Obstacle(NamedTuple):
    """One thing that keeps a path from giving what is asked; `hop` is the index of the hop, when it is one."""

    code: AccessCode
    rule: str
    hop: int | None


class _Told(NamedTuple):
    message: str
    ways: tuple[Way, ...]


@dataclass(frozen=True, eq=False)
class NearMiss:
    """A path that would have worked but for one thing.

    What is told about it is put into words when it is asked for: a thousand denials are mostly asked for their codes.
    """

    path: Path
    obstacle: Obstacle
    asked: Asked

    @property
    def code(self) -> AccessCode:
        """What stops the path."""
        return self.obstacle.code

    @property
    def rule(self) -> str:
        """The rule that says so."""
        return self.obstacle.rule

    @property
    def hop(self) -> int | None:
        """The index of the hop that stops it, when it is a hop."""
        return self.obstacle.hop

    @property
    def message(self) -> str:
        """What stops the path, in one sentence."""
        return self._told.message

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways to mend it, the simplest first."""
        return self._told.ways

    @lazily
    def _told(self) -> _Told:
        return _told_of(self)

    @lazily
    def besides(self) -> str | None:
        """What the state of the target forbids all the same; None when mending is enough."""
        # A link that is to become active locks its ad account no longer then.
        mended = next((hop.link_id for hop in self.path.hops if not hop.carries_access), None)
        return forbidden_besides(self.asked.facts, self.asked.target, self.asked.capability, mended)

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
    asked = Asked(facts, target, capability, context, assignments if known is None else known)
    found = []
    for path in PathFinder(facts, target, over_any_link=True).paths(assignments):
        obstacles = _obstacles(path, asked)
        if len(obstacles) == 1 and visible(path):
            found.append(NearMiss(path, obstacles[0], asked))
    return found


def _obstacles(path: Path, asked: Asked) -> list[Obstacle]:
    bit = BIT[asked.capability]
    found = []
    if not ROLE_CAPABILITIES[path.assignment.role] & bit:
        found.append(Obstacle(AccessCode.ROLE_LACKS_CAPABILITY, RULE_ID[asked.capability], None))
    if not scope_gives(path) & bit:
        found.append(_of_scope(path.assignment))
    for index, hop in enumerate(path.hops):
        if not hop.carries_access:
            found.append(Obstacle(AccessCode.LINK_NOT_ACTIVE, "P9", index))
        if not hop.lets_through & bit:
            found.append(Obstacle(AccessCode.LINK_CAP, hop.rules[-1], index))
    if asked.context is not None and path.context != asked.context:
        found.append(Obstacle(AccessCode.NO_PATH, "P8", None))
    return found


def _of_scope(assignment: Assignment) -> Obstacle:
    if isinstance(assignment.scope, OnlyAccounts):
        return Obstacle(AccessCode.ACCOUNT_NOT_IN_SCOPE, "P2", None)
    return Obstacle(AccessCode.LINKED_ENTITY_ONLY, "P4", None)


# What is told of one


def _told_of(miss: NearMiss) -> _Told:
    path, asked = miss.path, miss.asked
    role, at = path.assignment.role, path.assignment.manager_account_id
    remedies = Remedies(path, asked.capability, asked.known)
    match miss.code:
        case AccessCode.ROLE_LACKS_CAPABILITY:
            message = f"The role {role} held in manager account {at} does not include {asked.capability}."
            return _Told(message, remedies.of_role())
        case AccessCode.ACCOUNT_NOT_IN_SCOPE:
            message = f"The role {role} in manager account {at} is limited to ad accounts that do not include it."
            return _Told(message, remedies.of_scope())
        case AccessCode.LINKED_ENTITY_ONLY:
            message = f"The role {role} in manager account {at} reaches only linked entities, not this one."
            return _Told(message, remedies.of_scope())
        case AccessCode.NO_PATH:
            through = path.context
            message = f"It is not reached through manager account {asked.context}, but it is through {through}."
            return _Told(message, remedies.of_context())
    if miss.hop is None:
        raise ValueError("only a hop is left to blame")
    hop = path.hops[miss.hop]
    if miss.code == AccessCode.LINK_NOT_ACTIVE:
        message = f"Client link {hop.link_id} ({ends_of(hop)}) is {hop.status}; only an active link gives access."
        return _Told(message, remedies.of_inactive_link(hop))
    return _told_of_cap(hop, asked, remedies)


def _told_of_cap(hop: Hop, asked: Asked, remedies: Remedies) -> _Told:
    capability, target = asked.capability, asked.target
    if hop.permission == LinkPermission.STANDARD or not isinstance(target, AdAccountFact):
        message = f"Client link {hop.link_id} ({ends_of(hop)}) is STANDARD and takes {capability} away."
        return _Told(message, remedies.of_standard_link(hop))
    message = f"{capability} is not carried by an account link (client link {hop.link_id}, {ends_of(hop)})."
    return _Told(message, remedies.of_account_link(target))


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
