"""Answers about access: decisions, paths, near misses, remedies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import strawberry

from resolvers.access import Answer, CheckRequest, Explanation, check_many
from resolvers.errors import Refusal
from resolvers.links import link_by_id
from resolvers.paging import Connection
from resolvers.people import user_by_id
from resolvers.rules.access import describe
from resolvers.rules.capabilities import (
    ON_AD_ACCOUNT,
    ON_MANAGER_ACCOUNT,
    Capability,
    CapabilitySet,
    names_of,
)
from resolvers.rules.near_misses import AccessCode, NearMiss
from resolvers.rules.paths import Hop, HopKind, Path
from resolvers.rules.reach import Context
from schema.arguments import After, First, list_page
from schema.connections import ConnectionBase
from schema.context import Info, shown
from schema.ids import manager_account_id, target_id, user_id
from schema.remedy import Remedy
from storage.records.facts import (
    AdAccountFact,
    EveryAccount,
    EveryLinkedEntity,
    OnlyAccounts,
    OnlyLinkedEntities,
    Scope,
)
from storage.records.values import ROLE_IDS, ClientLinkStatus, LinkPermission, Role, ScopeKind

if TYPE_CHECKING:
    from schema.client_link import ClientLink
    from schema.user import User

LazyUser = Annotated["User", strawberry.lazy("schema.user")]
LazyClientLink = Annotated["ClientLink", strawberry.lazy("schema.client_link")]


def scope_kind(scope: Scope) -> ScopeKind:
    """The kind of a scope."""
    match scope:
        case OnlyAccounts():
            return ScopeKind.ONLY_ACCOUNTS
        case EveryLinkedEntity():
            return ScopeKind.EVERY_LINKED_ENTITY
        case OnlyLinkedEntities():
            return ScopeKind.ONLY_LINKED_ENTITIES
        case EveryAccount():
            return ScopeKind.EVERY_ACCOUNT


@strawberry.type(description="One step down a path.")
class AccessHop:
    """Resolved on a `Hop`."""

    kind: HopKind = strawberry.field(description="What leads from one end to the other.")
    link_id: strawberry.ID | None = strawberry.field(description="The client link, on links.")
    permission: LinkPermission | None = strawberry.field(
        name="linkPermission", description="What the customer link lets through."
    )
    status: ClientLinkStatus | None = strawberry.field(
        name="linkStatus", description="Where the link stands; null for ownership and aggregation."
    )
    rules: list[str] = strawberry.field(description="The rules that decide what this hop does.")

    @strawberry.field(description="The customer id it starts from.")
    def from_customer_id(self, parent: strawberry.Parent[Hop]) -> strawberry.ID:
        return strawberry.ID(str(parent.from_id))

    @strawberry.field(description="The customer id it leads to, unless it leads to an ad account.")
    def to_customer_id(self, parent: strawberry.Parent[Hop]) -> strawberry.ID | None:
        return shown(parent.to_manager_account_id)

    @strawberry.field(description="The account id it leads to, unless it leads to a manager account.")
    def to_account_id(self, parent: strawberry.Parent[Hop]) -> strawberry.ID | None:
        return shown(parent.to_ad_account_id)

    @strawberry.field(description="What this hop took from what had arrived.")
    def removed(self, parent: strawberry.Parent[Hop]) -> list[Capability]:
        return shown(names_of(parent.removed))

    @strawberry.field(description="The client link itself, when you may view it.")
    def link(self, parent: strawberry.Parent[Hop], info: Info) -> LazyClientLink | None:
        return None if parent.link_id is None else shown(link_by_id(info.context, parent.link_id))


@strawberry.type(description="One way from a role to the target.")
class AccessPath:
    """Resolved on a `Path`."""

    hops: list[AccessHop] = strawberry.field(description="The steps down; none when the role is held on the target.")

    @strawberry.field(description="The role the path starts with.")
    def role(self, parent: strawberry.Parent[Path]) -> Role:
        return parent.assignment.role

    @strawberry.field(description="The documented number of the role.")
    def role_id(self, parent: strawberry.Parent[Path]) -> int:
        return ROLE_IDS[parent.assignment.role]

    @strawberry.field(description="The assignment that gives the role.")
    def assignment_id(self, parent: strawberry.Parent[Path]) -> strawberry.ID:
        return strawberry.ID(str(parent.assignment.id))

    @strawberry.field(description="How far the role reaches.")
    def scope(self, parent: strawberry.Parent[Path]) -> ScopeKind:
        return scope_kind(parent.assignment.scope)

    @strawberry.field(description="The user who holds the role: of a login with several, the one this path is through.")
    def user(self, parent: strawberry.Parent[Path], info: Info) -> LazyUser | None:
        return shown(user_by_id(info.context, parent.assignment.user_id))

    @strawberry.field(description="The customer id the role is held in.")
    def customer_id(self, parent: strawberry.Parent[Path]) -> strawberry.ID:
        return strawberry.ID(str(parent.assignment.manager_account_id))

    @strawberry.field(description="The customer id to name when the target is used by this way (rule P8).")
    def context_id(self, parent: strawberry.Parent[Path]) -> strawberry.ID:
        return strawberry.ID(str(parent.context))

    @strawberry.field(description="What this way gives on the target, the target's state aside.")
    def capabilities(self, parent: strawberry.Parent[Path]) -> list[Capability]:
        return shown(names_of(parent.capabilities))

    @strawberry.field(description="The path in one line.")
    def summary(self, parent: strawberry.Parent[Path]) -> str:
        return describe(parent)


@strawberry.type(description="A way that exactly one thing keeps from giving the capability.")
class AccessNearMiss:
    """Resolved on a `NearMiss`."""

    code: AccessCode = strawberry.field(description="What keeps it.")
    rule: str = strawberry.field(description="The rule that says so.")
    message: str = strawberry.field(description="What keeps it, in one sentence.")
    path: AccessPath = strawberry.field(description="The way.")
    hop: int | None = strawberry.field(description="The index of the hop that stops it, when it is a hop.")

    @strawberry.field(description="What to change.")
    def remedy(self, parent: strawberry.Parent[NearMiss]) -> Remedy:
        return shown(parent)


@strawberry.type(description="Why one check could not be answered; others of the same request are not touched.")
class CheckError:
    """Resolved on a `Told`."""

    code: str = strawberry.field(description="A stable code.")
    message: str = strawberry.field(description="What is wrong and what to do, in one sentence.")
    number: int | None = strawberry.field(description="The documented error number, where there is one.")
    rule: str | None = strawberry.field(description="The rule behind it.")


class Told(NamedTuple):
    """What a refusal tells. A refusal itself, being an exception, would be raised by graphql-core and not shown."""

    code: str
    message: str
    number: int | None
    rule: str | None


@strawberry.type(description="Whether a capability is held, and why.")
class CheckResult:
    """Resolved on an `Answer`: reasons are worked out only when they are asked for."""

    capability: Capability = strawberry.field(description="What was asked.")
    allowed: bool | None = strawberry.field(
        description="Whether it is held now. Null when that could not be answered; `error` says why."
    )
    code: AccessCode | None = strawberry.field(description="Why. Null when the check could not be answered.")

    @strawberry.field(description="The rule that decides.")
    def rule(self, parent: strawberry.Parent[Answer]) -> str | None:
        return parent.decision.rule if parent.decision else parent.error.rule if parent.error else None

    @strawberry.field(description="The reason in one sentence.")
    def message(self, parent: strawberry.Parent[Answer]) -> str:
        if parent.decision is not None:
            return parent.decision.message
        return parent.error.message if parent.error is not None else ""

    @strawberry.field(description="The path that decides, when the capability is held.")
    def deciding_path(self, parent: strawberry.Parent[Answer]) -> AccessPath | None:
        return shown(parent.deciding_path)

    @strawberry.field(description="Ways that exactly one thing keeps from giving it, the closest first.")
    def near_misses(self, parent: strawberry.Parent[Answer]) -> list[AccessNearMiss]:
        return shown(parent.decision.near_misses if parent.decision else ())

    @strawberry.field(description="Why this check could not be answered.")
    def error(self, parent: strawberry.Parent[Answer]) -> CheckError | None:
        error = parent.error
        return None if error is None else shown(Told(error.code, error.message, error.number, error.rule))


@strawberry.type(description="A manager account that can be named to use the target, and what is held through it.")
class AccessContext:
    """Resolved on a `Context`."""

    @strawberry.field(description="The customer id to send.")
    def customer_id(self, parent: strawberry.Parent[Context]) -> strawberry.ID:
        return strawberry.ID(str(parent.manager_account_id))

    @strawberry.field(description="What is held through it.")
    def capabilities(self, parent: strawberry.Parent[Context]) -> list[Capability]:
        return shown(names_of(parent.capabilities))


@strawberry.type(description="A path in a list.")
class AccessPathEdge:
    """An edge of `Access.paths`."""

    cursor: str = strawberry.field(description="The position of this path: give it as `after`.")
    node: AccessPath = strawberry.field(description="The path.")


@strawberry.type(description="The paths of an access answer; those that decide come first.")
class AccessPathConnection(ConnectionBase):
    """The list behind `Access.paths`."""

    edges: list[AccessPathEdge] = strawberry.field(description="The paths of this page, each with its cursor.")

    @strawberry.field(description="The paths of this page.")
    def nodes(self, parent: strawberry.Parent[Connection[Path]]) -> list[AccessPath]:
        return shown([edge.node for edge in parent.edges])


@strawberry.type(description="All there is to say about one user, or yourself, and one target.")
class Access:
    """Resolved on an `Explanation`."""

    @strawberry.field(description="The user asked about; null when it is your whole login.")
    def user(self, parent: strawberry.Parent[Explanation], info: Info) -> LazyUser | None:
        return None if parent.subject is None else shown(user_by_id(info.context, parent.subject))

    @strawberry.field(description="The customer id asked through, when one was named.")
    def context_id(self, parent: strawberry.Parent[Explanation]) -> strawberry.ID | None:
        return shown(parent.context)

    @strawberry.field(description="Everything that is held on the target now.")
    def capabilities(self, parent: strawberry.Parent[Explanation]) -> list[Capability]:
        return shown(names_of(parent.access.permissions.capabilities))

    @strawberry.field(description="The roles that lead there.")
    def roles(self, parent: strawberry.Parent[Explanation]) -> list[Role]:
        return shown(parent.access.permissions.roles)

    @strawberry.field(description="What the paths give but the state of the target forbids now.")
    def withheld(self, parent: strawberry.Parent[Explanation]) -> list[Capability]:
        return shown(names_of(parent.access.permissions.withheld))

    @strawberry.field(description="Every way there, deciding ones first; `hiddenCount` tells of those you may not see.")
    def paths(
        self, parent: strawberry.Parent[Explanation], first: First = None, after: After = None
    ) -> AccessPathConnection:
        return shown(parent.paths(list_page(first, after)))

    @strawberry.field(description="One decision for each capability that can be held on such a target.")
    def decisions(self, parent: strawberry.Parent[Explanation]) -> list[CheckResult]:
        on = ON_AD_ACCOUNT if isinstance(parent.target, AdAccountFact) else ON_MANAGER_ACCOUNT
        return shown([parent.answer(capability) for capability in names_of(CapabilitySet(on))])

    @strawberry.field(description="The decision about one capability.")
    def decision(
        self,
        parent: strawberry.Parent[Explanation],
        capability: Annotated[Capability, strawberry.argument(description="What is asked.")],
    ) -> CheckResult:
        return shown(parent.answer(capability))

    @strawberry.field(description="The customer id to send to use the target: the context that gives most.")
    def recommended_context_id(self, parent: strawberry.Parent[Explanation]) -> strawberry.ID | None:
        contexts = parent.access.contexts
        return shown(contexts[0].manager_account_id if contexts else None)

    @strawberry.field(description="All contexts the target can be used through, the recommended one first.")
    def contexts(self, parent: strawberry.Parent[Explanation]) -> list[AccessContext]:
        return shown(parent.access.contexts)


@strawberry.input(description="One check of many.")
class CheckInput:
    """What `checkMany` takes."""

    capability: Capability = strawberry.field(description="What is asked.")
    target: strawberry.ID = strawberry.field(
        description="A manager account or ad account: a node id, or `AdAccount:444111`."
    )
    user: strawberry.ID | None = strawberry.field(
        default=None, description="Who is asked about; left out, it is your whole login."
    )
    context: strawberry.ID | None = strawberry.field(
        default=None, description="The customer id named; left out, all ways count (rule P8)."
    )


def request_of(user: str | None, capability: Capability, target: str, context: str | None) -> CheckRequest:
    """A check as the rules take it. Raises: Refusal BAD_USER_INPUT."""
    return CheckRequest(
        None if user is None else user_id(user),
        capability,
        target_id(target),
        None if context is None else manager_account_id(context),
    )


class FailedCheck(NamedTuple):
    """A check that could not even be asked: an answer that is only an error."""

    capability: Capability
    error: Refusal
    allowed: None = None
    code: None = None
    decision: None = None
    deciding_path: None = None


def answers(info: Info, checks: list[CheckInput]) -> list[Any]:
    """One answer a check, in order; a bad id spoils its own check only."""
    asked = [_asked(check) for check in checks]
    answered = iter(check_many(info.context, [one for one in asked if isinstance(one, CheckRequest)]))
    return [next(answered) if isinstance(one, CheckRequest) else one for one in asked]


def _asked(check: CheckInput) -> CheckRequest | FailedCheck:
    try:
        return request_of(check.user, check.capability, check.target, check.context)
    except Refusal as refusal:
        return FailedCheck(check.capability, refusal)
