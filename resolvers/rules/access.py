"""The whole answer about one subject and one target: every path, what decides, and why not (permissions.md §4).

The answer is for an asker: whatever he may not see is left out of paths, near misses and remedies, and
counted, never named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from resolvers.rules.capabilities import (
    BIT,
    ON_AD_ACCOUNT,
    ON_MANAGER_ACCOUNT,
    ROLE_CAPABILITIES,
    RULE_ID,
    Capability,
    CapabilitySet,
    cut,
    names_of,
)
from resolvers.rules.near_misses import (
    ORDER,
    AccessCode,
    NearMiss,
    Visible,
    closeness,
    everything_visible,
    state_message,
    strength,
)
from resolvers.rules.paths import AnyTarget, ChainOverLimit, Hop, Path, PathFinder, scope_gives
from resolvers.rules.reach import Context, Permissions, Reach
from resolvers.rules.remedies import ends_of
from storage.records.facts import AdAccountFact, Assignment, Facts
from storage.records.ids import ManagerAccountId


class Decision(NamedTuple):
    """Whether a capability is held, why, and what would change it."""

    capability: Capability
    allowed: bool
    code: AccessCode
    rule: str
    message: str
    deciding_path: int | None
    near_misses: tuple[NearMiss, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """All there is to say about one subject and one target. `paths` are ordered: deciding ones first."""

    target: AnyTarget
    context: ManagerAccountId | None
    permissions: Permissions
    paths: tuple[Path, ...]
    hidden_paths: int
    deciding: dict[Capability, int]
    contexts: tuple[Context, ...]


def access_of(
    reach: Reach,
    assignments: Collection[Assignment],
    target: AnyTarget,
    context: ManagerAccountId | None = None,
    visible: Visible = everything_visible,
) -> Access:
    """Every path of the assignments to the target and what each decides.

    Raises: TooManyPaths when there are more ways than an answer may list.
    """
    permissions = permissions_on(reach, target, context)
    paths = [
        path._replace(capabilities=cut(path.capabilities, scope_gives(path)))
        for path in PathFinder(reach.facts, target).paths(assignments)
        if context is None or path.context == context
    ]
    granting = sorted((path for path in paths if path.capabilities), key=strength)
    seen = [path for path in granting if visible(path)]
    ordered, deciding = _deciding_first(seen, permissions.capabilities)
    return Access(
        target=target,
        context=context,
        permissions=permissions,
        paths=ordered,
        hidden_paths=len(granting) - len(seen),
        deciding=deciding,
        contexts=_contexts(reach, target, seen),
    )


def permissions_on(reach: Reach, target: AnyTarget, context: ManagerAccountId | None = None) -> Permissions:
    """What the reach holds on either kind of target."""
    if isinstance(target, AdAccountFact):
        return reach.on_ad_account(target, context)
    return reach.on_manager_account(target, context)


def _deciding_first(paths: list[Path], capabilities: CapabilitySet) -> tuple[tuple[Path, ...], dict[Capability, int]]:
    """The first path (shortest, strongest) that gives a capability decides it."""
    first: dict[Capability, Path] = {}
    for capability in names_of(capabilities):
        for path in paths:
            if path.capabilities & BIT[capability]:
                first[capability] = path
                break
    deciding = list(dict.fromkeys(path for path in paths if any(path is one for one in first.values())))
    ordered = tuple(deciding + [path for path in paths if path not in deciding])
    return ordered, {capability: ordered.index(path) for capability, path in first.items()}


def _contexts(reach: Reach, target: AnyTarget, seen: list[Path]) -> tuple[Context, ...]:
    """The contexts of the paths shown, the recommended one first."""
    shown = {path.context for path in seen}
    every = (
        reach.contexts_of_ad_account(target)
        if isinstance(target, AdAccountFact)
        else reach.contexts_of_manager_account(target)
    )
    return tuple(context for context in every if context.manager_account_id in shown)


def decision(
    access: Access,
    capability: Capability,
    near_misses: Callable[[], Iterable[NearMiss]],
) -> Decision:
    """Whether the capability is held, with its reason; near misses are looked for only on a denial.

    The caller has made sure that no chain over the limit is what would decide (`refuse_over_limit`).
    """
    if access.permissions.allow(capability):
        index = access.deciding.get(capability)
        message = f"Allowed: {describe(access.paths[index])}." if index is not None else "Allowed."
        return Decision(capability, True, AccessCode.ALLOWED, RULE_ID[capability], message, index, ())
    asked = Denied(access.permissions, access.target, access.context, capability)
    return denial(asked, near_misses, lambda: access)


def code_over_active_links(denied: Denied, near_misses: Iterable[NearMiss]) -> AccessCode | None:
    """The code of a denial when near misses over active links settle it; None when other links might matter.

    A miss over active links is closer than one that blames a link for not being active (`_ORDER`), so whoever
    asks for the code alone need not load the others.
    """
    on = ON_AD_ACCOUNT if isinstance(denied.target, AdAccountFact) else ON_MANAGER_ACCOUNT
    if not BIT[denied.capability] & on:
        return None
    if denied.permissions.withheld & BIT[denied.capability]:
        return AccessCode.OBJECT_STATE
    best = min((miss.code for miss in near_misses), key=ORDER.__getitem__, default=AccessCode.NO_PATH)
    return best if ORDER[best] < ORDER[AccessCode.LINK_NOT_ACTIVE] else None


class Denied(NamedTuple):
    """What was asked in vain, and what is held instead."""

    permissions: Permissions
    target: AnyTarget
    context: ManagerAccountId | None
    capability: Capability


def denial(denied: Denied, near_misses: Callable[[], Iterable[NearMiss]], access: Callable[[], Access]) -> Decision:
    """Why a capability is not held. `access`, what the subject does hold there, is looked for only without a miss."""
    permissions, target, context, capability = denied
    rule = RULE_ID[capability]
    if not BIT[capability] & (ON_AD_ACCOUNT if isinstance(target, AdAccountFact) else ON_MANAGER_ACCOUNT):
        kind = "a manager account" if isinstance(target, AdAccountFact) else "an ad account"
        message = f"{capability} can only be held on {kind}."
        return Decision(capability, False, AccessCode.NO_PATH, rule, message, None, ())
    if permissions.withheld & BIT[capability]:
        return Decision(capability, False, AccessCode.OBJECT_STATE, "P12", state_message(target), None, ())
    misses = tuple(sorted(near_misses(), key=closeness))
    if misses:
        best = misses[0]
        return Decision(capability, False, best.code, best.rule, best.message, None, misses)
    held = access()
    if held.paths:
        return _stopped_more_than_once(held.paths[0], capability)
    if held.hidden_paths:
        return _stopped_out_of_sight(held.permissions, capability)
    message = "No assignment leads to it over active links"
    message += f" through manager account {context}." if context is not None else "."
    return Decision(capability, False, AccessCode.NO_PATH, "P3", message, None, ())


def _stopped_more_than_once(path: Path, capability: Capability) -> Decision:
    """The denial of a subject who gets there, but by no way that a single change would mend."""
    role, at, bit = path.assignment.role, path.assignment.manager_account_id, BIT[capability]
    lacks = not ROLE_CAPABILITIES[role] & bit
    against = [f"the role {role} held in manager account {at} does not include it"] if lacks else []
    if not scope_gives(path) & bit:
        against.append("the scope of the role keeps it back")
    against += [
        f"client link {hop.link_id} ({ends_of(hop)}) takes it away" for hop in path.hops if not hop.lets_through & bit
    ]
    code, rule = (AccessCode.ROLE_LACKS_CAPABILITY, RULE_ID[capability]) if lacks else (AccessCode.LINK_CAP, "P5")
    message = f"{capability} is stopped more than once on the way there: {'; '.join(against)}."
    return Decision(capability, False, code, rule, message, None, ())


def _stopped_out_of_sight(permissions: Permissions, capability: Capability) -> Decision:
    """The denial of a subject who gets there, but by no way the asker may see: it says so and names nothing."""
    includes = any(ROLE_CAPABILITIES[role] & BIT[capability] for role in permissions.roles)
    code, rule = (AccessCode.LINK_CAP, "P5") if includes else (AccessCode.ROLE_LACKS_CAPABILITY, RULE_ID[capability])
    why = f"a link on them takes {capability} away" if includes else f"no role held there includes {capability}"
    message = f"The ways there lead through manager accounts or links you may not see, and {why}."
    return Decision(capability, False, code, rule, message, None, ())


def refuse_over_limit(
    permissions: Permissions,
    facts: Facts,
    assignments: Collection[Assignment],
    target: AnyTarget,
    capability: Capability,
) -> None:
    """P10: what only a chain over the limit would give is an error, never a denial and never a grant.

    Raises: ChainOverLimit with the chain.
    """
    if permissions.over_limit & BIT[capability]:
        chain = PathFinder(facts, target).chain_over_limit(assignments, BIT[capability])
        raise ChainOverLimit(chain or ())


def describe(path: Path) -> str:
    """One line a person reads: the role, where it is held, and the way from there."""
    assignment = path.assignment
    steps = "".join(f" → {_step(hop)}" for hop in path.hops)
    return f"{assignment.role} in manager account {assignment.manager_account_id}{steps}"


def _step(hop: Hop) -> str:
    end = (
        f"ad account {hop.to_ad_account_id}"
        if hop.to_ad_account_id is not None
        else f"manager account {hop.to_manager_account_id}"
    )
    how = str(hop.permission or "").lower() + " " if hop.permission else ""
    return f"{end} ({how}{hop.kind.lower().replace('_', ' ')})"
