"""What the status of a client link means for access (rule P9) and for the account it leads to."""

from __future__ import annotations

from typing import NamedTuple

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


class ClientLinkAction(ValueSet):
    """What a person can do with a client link."""

    ACCEPT = auto()
    DECLINE = auto()
    CANCEL = auto()
    REQUEST_UNLINK = auto()


class Side(ValueSet):
    """One of the two ends of a client link."""

    MANAGING = auto()
    CLIENT = auto()


class ActionRule(NamedTuple):
    """Which side may take an action, and in which status."""

    action: ClientLinkAction
    side: Side
    status: ClientLinkStatus


ACTION_RULES: dict[ClientLinkAction, ActionRule] = {
    rule.action: rule
    for rule in (
        ActionRule(ClientLinkAction.ACCEPT, Side.CLIENT, ClientLinkStatus.LINK_PENDING),
        ActionRule(ClientLinkAction.DECLINE, Side.CLIENT, ClientLinkStatus.LINK_PENDING),
        ActionRule(ClientLinkAction.CANCEL, Side.MANAGING, ClientLinkStatus.LINK_PENDING),
        ActionRule(ClientLinkAction.REQUEST_UNLINK, Side.MANAGING, ClientLinkStatus.ACTIVE),
    )
}
"""The transitions a person can cause (T2, T3, T4, T8 of the life of a link)."""


def has_expired(status: ClientLinkStatus, created_at: Instant, now: Instant) -> bool:
    """A pending link expires when its thirty days are over, to the millisecond.

    >>> has_expired(ClientLinkStatus.LINK_PENDING, Instant(0), Instant(INVITATION_LIFETIME_DAYS * 86_400_000))
    True
    """
    lifetime_ms = INVITATION_LIFETIME_DAYS * 86_400_000
    return status == ClientLinkStatus.LINK_PENDING and now >= created_at + lifetime_ms


def state_forbids(action: ClientLinkAction, status: ClientLinkStatus, created_at: Instant, now: Instant) -> str | None:
    """Why the status of a link rules an action out, as a sentence; None when it does not."""
    needed = ACTION_RULES[action].status
    if status != needed:
        return f"The link is {status}; {action} is possible only while it is {needed}."
    if has_expired(status, created_at, now):
        return f"The link expired {INVITATION_LIFETIME_DAYS} days after it was sent; send a new one."
    return None
