"""What the status of a client link means for access (rule P9) and for the account it leads to."""

from __future__ import annotations

from storage.records.ids import Instant
from storage.records.values import ClientLinkStatus, ValueSet, auto

CARRIES_ACCESS: frozenset[ClientLinkStatus] = frozenset(
    {ClientLinkStatus.ACTIVE, ClientLinkStatus.UNLINK_PENDING, ClientLinkStatus.UNLINK_IN_PROGRESS}
)
"""P9: access begins at ACTIVE and ends at INACTIVE."""

IN_TRANSITION: frozenset[ClientLinkStatus] = frozenset(
    {ClientLinkStatus.LINK_IN_PROGRESS, ClientLinkStatus.UNLINK_IN_PROGRESS}
)
"""While a link to it is in one of these, an ad account can be neither updated nor deleted (1472)."""

MAX_MANAGER_ACCOUNTS_ON_A_CHAIN = 5
"""P10: five levels of manager accounts, joined by four customer links."""

INVITATION_LIFETIME_DAYS = 30
"""A pending link or user invitation expires when this many days have passed."""
INVITATION_LIFETIME_MS = INVITATION_LIFETIME_DAYS * 86_400_000


class ClientLinkAction(ValueSet):
    """What a person can do with a client link."""

    ACCEPT = auto()
    DECLINE = auto()
    CANCEL = auto()
    REQUEST_UNLINK = auto()


class Side(ValueSet):
    """Who brings an event about: one of the two ends of a link, or the service."""

    MANAGING = auto()
    CLIENT = auto()
    SERVICE = auto()


class LinkEvent(ValueSet):
    """What can happen to a client link."""

    ACCEPT = auto()
    DECLINE = auto()
    CANCEL = auto()
    REQUEST_UNLINK = auto()
    EXPIRE = auto()
    ACTIVATE = auto()
    FAIL = auto()
    BEGIN_UNLINK = auto()
    COMPLETE_UNLINK = auto()
    FAIL_UNLINK = auto()
    MOVE = auto()


SIDE_OF: dict[LinkEvent, Side] = {
    LinkEvent.ACCEPT: Side.CLIENT,
    LinkEvent.DECLINE: Side.CLIENT,
    LinkEvent.CANCEL: Side.MANAGING,
    LinkEvent.REQUEST_UNLINK: Side.MANAGING,
    LinkEvent.EXPIRE: Side.SERVICE,
    LinkEvent.ACTIVATE: Side.SERVICE,
    LinkEvent.FAIL: Side.SERVICE,
    LinkEvent.BEGIN_UNLINK: Side.SERVICE,
    LinkEvent.COMPLETE_UNLINK: Side.SERVICE,
    LinkEvent.FAIL_UNLINK: Side.SERVICE,
    LinkEvent.MOVE: Side.MANAGING,
}
"""Whose event each is; nobody else may cause it."""

_ = ClientLinkStatus
TRANSITIONS: dict[tuple[ClientLinkStatus, LinkEvent], tuple[ClientLinkStatus, ...]] = {
    (_.LINK_PENDING, LinkEvent.CANCEL): (_.LINK_CANCELED,),
    (_.LINK_PENDING, LinkEvent.DECLINE): (_.LINK_DECLINED,),
    (_.LINK_PENDING, LinkEvent.ACCEPT): (_.LINK_ACCEPTED, _.LINK_IN_PROGRESS),
    (_.LINK_PENDING, LinkEvent.EXPIRE): (_.LINK_EXPIRED,),
    (_.LINK_IN_PROGRESS, LinkEvent.ACTIVATE): (_.ACTIVE,),
    (_.LINK_IN_PROGRESS, LinkEvent.FAIL): (_.LINK_FAILED,),
    (_.ACTIVE, LinkEvent.REQUEST_UNLINK): (_.UNLINK_REQUESTED, _.UNLINK_PENDING),
    (_.UNLINK_PENDING, LinkEvent.BEGIN_UNLINK): (_.UNLINK_IN_PROGRESS,),
    (_.UNLINK_IN_PROGRESS, LinkEvent.COMPLETE_UNLINK): (_.INACTIVE,),
    (_.UNLINK_IN_PROGRESS, LinkEvent.FAIL_UNLINK): (_.UNLINK_FAILED, _.ACTIVE),
    (_.ACTIVE, LinkEvent.MOVE): (_.INACTIVE,),
}
"""The life of a link (T2–T11): the statuses an event leads through, the last one staying.

MOVE is ours: another manager account takes the link over at once, under a link of its own.

A pair that is not here is refused and changes nothing.
"""
del _

BLOCKS_A_DUPLICATE: frozenset[ClientLinkStatus] = frozenset(
    {
        ClientLinkStatus.ACTIVE,
        ClientLinkStatus.LINK_ACCEPTED,
        ClientLinkStatus.LINK_IN_PROGRESS,
        ClientLinkStatus.LINK_PENDING,
        ClientLinkStatus.UNLINK_REQUESTED,
        ClientLinkStatus.UNLINK_IN_PROGRESS,
        ClientLinkStatus.UNLINK_PENDING,
        ClientLinkStatus.UNLINK_FAILED,
    }
)
"""While the latest link of a pair is in one of these, no second one may be sent (1410)."""


def answer(status: ClientLinkStatus, event: LinkEvent, side: Side) -> tuple[ClientLinkStatus, ...] | None:
    """The statuses an event caused by a side leads through; None when that side may not, or the status forbids it.

    >>> answer(ClientLinkStatus.LINK_PENDING, LinkEvent.ACCEPT, Side.MANAGING) is None
    True
    """
    return statuses_after(status, event) if SIDE_OF[event] == side else None


def statuses_after(status: ClientLinkStatus, event: LinkEvent) -> tuple[ClientLinkStatus, ...] | None:
    """The statuses an event leads through from here; None when it is not possible.

    >>> statuses_after(ClientLinkStatus.LINK_PENDING, LinkEvent.DECLINE)
    (<ClientLinkStatus.LINK_DECLINED: 'LINK_DECLINED'>,)
    >>> statuses_after(ClientLinkStatus.LINK_DECLINED, LinkEvent.ACCEPT) is None
    True
    """
    return TRANSITIONS.get((status, event))


def due_event(status: ClientLinkStatus, created_at: Instant, start_at: Instant, now: Instant) -> LinkEvent | None:
    """What the service has to do about a link now; None when it only has to wait.

    >>> due_event(ClientLinkStatus.LINK_IN_PROGRESS, Instant(0), start_at=Instant(9), now=Instant(9))
    <LinkEvent.ACTIVATE: 'ACTIVATE'>
    >>> due_event(ClientLinkStatus.ACTIVE, Instant(0), start_at=Instant(9), now=Instant(9)) is None
    True
    """
    if has_expired(status, created_at, now):
        return LinkEvent.EXPIRE
    if status == ClientLinkStatus.LINK_IN_PROGRESS and start_at > now:
        return None
    return _LED_ON_BY.get(status)


_LED_ON_BY: dict[ClientLinkStatus, LinkEvent] = {
    ClientLinkStatus.LINK_IN_PROGRESS: LinkEvent.ACTIVATE,
    ClientLinkStatus.UNLINK_PENDING: LinkEvent.BEGIN_UNLINK,
    ClientLinkStatus.UNLINK_IN_PROGRESS: LinkEvent.COMPLETE_UNLINK,
}
"""What the service does about a link that nobody but it can lead on."""


def has_expired(status: ClientLinkStatus, created_at: Instant, now: Instant) -> bool:
    """A pending link expires when its thirty days are over, to the millisecond.

    >>> has_expired(ClientLinkStatus.LINK_PENDING, Instant(0), Instant(INVITATION_LIFETIME_DAYS * 86_400_000))
    True
    """
    return status == ClientLinkStatus.LINK_PENDING and now >= created_at + INVITATION_LIFETIME_MS


def state_forbids(event: LinkEvent, status: ClientLinkStatus, created_at: Instant, now: Instant) -> str | None:
    """Why the status of a link rules an event out, as a sentence; None when it does not."""
    if has_expired(status, created_at, now) and event != LinkEvent.EXPIRE:
        return f"The link expired {INVITATION_LIFETIME_DAYS} days after it was sent; send a new one."
    if statuses_after(status, event) is not None:
        return None
    possible = [str(origin) for origin, other in TRANSITIONS if other == event]
    final = not any(origin == status for origin, _ in TRANSITIONS)
    advice = " It has ended; send a new one." if final else ""
    return f"The link is {status}; {event} is possible only while it is {' or '.join(possible)}.{advice}"
