"""What would mend a way that one thing stops, and who may do it: every way to mend it, with all that each needs.

A link has two sides, and a role is given by others than those who made the link: so a remedy can have several ways,
and a way can need several rights, which several people may hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from resolvers.rules.capabilities import BIT, ROLE_CAPABILITIES, ROLE_RANK, Capability
from resolvers.rules.paths import Hop, HopKind, Path
from resolvers.rules.role_changes import CUSTOMER_LEVEL
from storage.records.facts import AdAccountFact, Assignment, OnlyAccounts, OnlyLinkedEntities
from storage.records.ids import AdAccountId, ClientLinkId, ManagerAccountId, UserId
from storage.records.values import ClientLinkStatus, Role, ValueSet, auto


class RemedyKind(ValueSet):
    """What is to be done."""

    GIVE_ROLE = auto()
    WIDEN_SCOPE = auto()
    ACCEPT_LINK = auto()
    SEND_LINK = auto()
    RELINK = auto()
    WAIT = auto()
    NAME_CONTEXT = auto()


class RemedyActor(ValueSet):
    """Who can do it."""

    USERS = auto()
    SERVICE = auto()
    SYSTEM_ADMINISTRATOR = auto()
    CALLER = auto()


class Need(NamedTuple):
    """What somebody must hold, on a manager account or on an ad account: one of the two is set. `what_for`: a verb."""

    capability: Capability
    manager_account: ManagerAccountId | None
    ad_account: AdAccountId | None
    what_for: str


class Way(NamedTuple):
    """One way to mend it. All of `needs` are needed, of one person or of several.

    `role`, `user` and `manager_account` say what role would be given to whom and where, or which scope is widened, or
    which context is named; `link` which link is concerned.
    """

    kind: RemedyKind
    by: RemedyActor
    message: str
    needs: tuple[Need, ...] = ()
    role: Role | None = None
    user: UserId | None = None
    manager_account: ManagerAccountId | None = None
    link: ClientLinkId | None = None


class Sent(NamedTuple):
    """How a link in some status is brought to carry access: by whose acts, or by waiting."""

    kind: RemedyKind
    message: str


_ = ClientLinkStatus
_ANEW = Sent(RemedyKind.SEND_LINK, "Send client link {link} ({ends}), which has ended, anew and have it accepted.")
TO_ACTIVE: dict[ClientLinkStatus, Sent] = {
    _.LINK_PENDING: Sent(RemedyKind.ACCEPT_LINK, "Have client link {link} ({ends}) accepted, before it expires."),
    _.LINK_ACCEPTED: Sent(RemedyKind.WAIT, "Wait: client link {link} ({ends}) is accepted and will become active."),
    _.LINK_IN_PROGRESS: Sent(RemedyKind.WAIT, "Wait: client link {link} ({ends}) becomes active on its start date."),
    _.LINK_CANCELED: _ANEW,
    _.LINK_DECLINED: _ANEW,
    _.LINK_EXPIRED: _ANEW,
    _.LINK_FAILED: _ANEW,
    _.INACTIVE: _ANEW,
    _.UNLINK_CANCELED: _ANEW,
    _.UNLINK_REQUESTED: Sent(
        RemedyKind.SEND_LINK, "Wait until client link {link} ({ends}) has ended, send it anew and have it accepted."
    ),
    _.UNLINK_FAILED: Sent(RemedyKind.WAIT, "Wait: client link {link} ({ends}) could not be undone and stays active."),
}
"""What brings a link that carries no access to ACTIVE, by its status."""
del _


def weakest_role(capability: Capability) -> Role:
    """The least role that includes a capability.

    >>> weakest_role(Capability.MANAGE_USERS)
    <Role.STANDARD: 'STANDARD'>
    """
    return next(role for role in ROLE_RANK if ROLE_CAPABILITIES[role] & BIT[capability])


def ends_of(hop: Hop) -> str:
    """The two ends of a hop, for a reader."""
    client = hop.to_manager_account_id if hop.to_manager_account_id is not None else hop.to_ad_account_id
    return f"{hop.from_id} → {client}"


class Remedies:
    """The ways to mend what stops one path. `known`: what the subject holds, as far as the asker may be told."""

    def __init__(self, path: Path, capability: Capability, known: Collection[Assignment]) -> None:
        self._path = path
        self._capability = capability
        self._known = known

    def of_role(self) -> tuple[Way, ...]:
        """For a role that does not include the capability."""
        return (self._give(weakest_role(self._capability), self._at),)

    def of_scope(self) -> tuple[Way, ...]:
        """For a scope that does not let the role get there: the thing added to it, or the role without a limit."""
        role, at = self._path.assignment.role, self._at
        message = f"Give the user {role} in manager account {at} without its limit."
        without_limit = self._give(role, at, message)
        added = self._what_the_scope_could_list()
        if added is None:
            return (without_limit,)
        widened = f"Add {added} to the scope of {role} in manager account {at}."
        return without_limit._replace(kind=RemedyKind.WIDEN_SCOPE, message=widened), without_limit

    def of_inactive_link(self, hop: Hop) -> tuple[Way, ...]:
        """For a link that carries no access."""
        if hop.status is None:
            raise ValueError("only links have a status")
        kind, message = TO_ACTIVE[hop.status]
        accept = _need_on_client(hop, "accept the link")
        needs = {
            RemedyKind.ACCEPT_LINK: (accept,),
            RemedyKind.SEND_LINK: (_need_on_managing(hop, "send the link"), accept),
        }.get(kind, ())
        by = RemedyActor.USERS if needs else RemedyActor.SERVICE
        return (Way(kind, by, message.format(link=hop.link_id, ends=ends_of(hop)), needs, link=hop.link_id),)

    def of_standard_link(self, hop: Hop) -> tuple[Way, ...]:
        """For a STANDARD customer link that takes the capability: an ADMINISTRATIVE one, or a role below it."""
        client = hop.to_manager_account_id
        if client is None:
            raise ValueError("a customer link leads to a manager account")
        message = (
            f"End client link {hop.link_id} ({ends_of(hop)}), send it anew as ADMINISTRATIVE and have it accepted."
        )
        needs = _need_on_managing(hop, "end the link and send it anew"), _need_on_client(hop, "accept the new link")
        relink = Way(RemedyKind.RELINK, RemedyActor.USERS, message, needs, link=hop.link_id)
        return relink, self._give(weakest_role(self._capability), client)

    def of_account_link(self, target: AdAccountFact) -> tuple[Way, ...]:
        """For an account link, which carries no more whoever sends it: a role in the owner."""
        return (self._give(weakest_role(self._capability), target.owner_id),)

    def of_context(self) -> tuple[Way, ...]:
        """For a context that the path does not lead through."""
        at = self._path.context
        message = f"Name manager account {at} as the context."
        return (Way(RemedyKind.NAME_CONTEXT, RemedyActor.CALLER, message, manager_account=at),)

    @property
    def _at(self) -> ManagerAccountId:
        return self._path.assignment.manager_account_id

    def _give(self, role: Role, at: ManagerAccountId, message: str | None = None) -> Way:
        """C16, C17: who manages users there gives a role; where Super Admins are touched, who manages these."""
        user = self._path.assignment.user_id
        if message is None:
            message = f"Give the user {role}, which includes {self._capability}, in manager account {at}."
        if role == Role.AGGREGATOR:
            message += " Only the system administrator does."
            return Way(
                RemedyKind.GIVE_ROLE, RemedyActor.SYSTEM_ADMINISTRATOR, message, (), role, user, manager_account=at
            )
        touched = {role, *(item.role for item in self._held_at(user, at))}
        needed = Capability.MANAGE_SUPER_ADMINS if touched & CUSTOMER_LEVEL else Capability.MANAGE_USERS
        needs = (Need(needed, at, None, "give the role"),)
        return Way(RemedyKind.GIVE_ROLE, RemedyActor.USERS, message, needs, role, user, manager_account=at)

    def _held_at(self, user: UserId, at: ManagerAccountId) -> Iterator[Assignment]:
        return (item for item in self._known if item.user_id == user and item.manager_account_id == at)

    def _what_the_scope_could_list(self) -> str | None:
        """A scope lists what stands directly under its manager account (P2, P4); None when this does not."""
        hops, scope = self._path.hops, self._path.assignment.scope
        if isinstance(scope, OnlyAccounts):
            directly = all(hop.kind != HopKind.CUSTOMER_LINK for hop in hops) and hops
            account = hops[-1].to_ad_account_id if directly else None
            return None if account is None else f"ad account {account}"
        if isinstance(scope, OnlyLinkedEntities) and hops and hops[0].kind == HopKind.CUSTOMER_LINK:
            return f"manager account {hops[0].to_manager_account_id}"
        return None


def _managing_links(hop: Hop) -> Capability:
    return Capability.MANAGE_ACCOUNT_LINKS if hop.kind == HopKind.ACCOUNT_LINK else Capability.MANAGE_MANAGER_LINKS


def _need_on_managing(hop: Hop, what_for: str) -> Need:
    return Need(_managing_links(hop), hop.from_id, None, what_for)


def _need_on_client(hop: Hop, what_for: str) -> Need:
    return Need(_managing_links(hop), hop.to_manager_account_id, hop.to_ad_account_id, what_for)
