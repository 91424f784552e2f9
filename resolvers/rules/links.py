"""What the status of a client link means for access (rule P9) and for the account it leads to."""

from __future__ import annotations

from storage.records.values import ClientLinkStatus

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
