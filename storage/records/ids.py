"""Ids as types, so that a manager account is never mistaken for an ad account."""

from __future__ import annotations

from typing import NewType

ManagerAccountId = NewType("ManagerAccountId", int)
AdAccountId = NewType("AdAccountId", int)
UserId = NewType("UserId", int)
LoginId = NewType("LoginId", int)
AssignmentId = NewType("AssignmentId", int)
ClientLinkId = NewType("ClientLinkId", int)
AggregationId = NewType("AggregationId", int)
InvitationId = NewType("InvitationId", int)
PaymentInstrumentId = NewType("PaymentInstrumentId", int)
AccessTokenId = NewType("AccessTokenId", int)
DeveloperTokenId = NewType("DeveloperTokenId", int)
RevisionId = NewType("RevisionId", int)

Instant = NewType("Instant", int)
"""Milliseconds since 1970-01-01T00:00Z. An integer, so both databases store and order it alike."""

MAX_ID = 2**63 - 1
"""Ids are 64-bit signed integers, as in the advertising API."""
