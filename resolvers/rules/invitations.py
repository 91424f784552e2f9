"""The life of a user invitation as a table, and what its fields must be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from resolvers.rules.role_changes import CUSTOMER_LEVEL, Forbidden, cannot_be_scoped, system_administrators
from resolvers.rules.user_fields import LCIDS, is_email, is_printable
from resolvers.rules.write_codes import WriteCode
from storage.records.ids import AdAccountId, Instant
from storage.records.values import InvitationStatus, Role, ValueSet, auto

LONGEST: dict[str, int] = {"email": 100, "firstName": 40, "lastName": 40}
"""Characters a field of an invitation may have; each needs at least one."""


class InvitationEvent(ValueSet):
    """What can be done with an invitation."""

    ACCEPT = auto()
    RESEND = auto()
    CANCEL = auto()


POSSIBLE: dict[tuple[InvitationStatus, InvitationEvent], bool] = {
    (status, event): status == InvitationStatus.PENDING
    or (status == InvitationStatus.EXPIRED and event != InvitationEvent.ACCEPT)
    for status in InvitationStatus
    for event in InvitationEvent
}
"""Every (status, event): an expired invitation can be sent again or cancelled, never accepted; the rest is final."""
_WHY: dict[InvitationStatus, tuple[WriteCode, str]] = {
    InvitationStatus.ACCEPTED: (WriteCode.INVITATION_USED, "The invitation was accepted already; send a new one."),
    InvitationStatus.CANCELED: (WriteCode.INVITATION_CANCELED, "The invitation was cancelled; ask for a new one."),
    InvitationStatus.EXPIRED: (
        WriteCode.INVITATION_EXPIRED,
        "The invitation has expired; ask to have it sent again.",
    ),
}


class Invitation(NamedTuple):
    """What an invitation says. `accounts` is None for all ad accounts, now and later."""

    email: str
    first_name: str
    last_name: str
    role: Role
    accounts: frozenset[AdAccountId] | None
    lcid: str


def status_now(status: InvitationStatus, expires_at: Instant, now: Instant) -> InvitationStatus:
    """Where an invitation stands: a pending one past its date has expired, marked or not.

    >>> str(status_now(InvitationStatus.PENDING, Instant(5), Instant(5)))
    'EXPIRED'
    """
    if status == InvitationStatus.PENDING and expires_at <= now:
        return InvitationStatus.EXPIRED
    return status


def state_forbids(event: InvitationEvent, status: InvitationStatus, field: str) -> Forbidden | None:
    """Why what became of an invitation rules an event out."""
    if POSSIBLE[status, event]:
        return None
    code, message = _WHY[status]
    return Forbidden(code, message, field)


def forbidden_invitation(invitation: Invitation) -> Iterator[Forbidden]:
    """What is wrong with an invitation, whoever sends it."""
    for field, text in (
        ("email", invitation.email),
        ("firstName", invitation.first_name),
        ("lastName", invitation.last_name),
    ):
        if not text.strip():
            yield Forbidden(WriteCode.NULL_PARAMETER, f"`{field}` must not be empty.", field)
        elif len(text) > LONGEST[field]:
            message = f"`{field}` has at most {LONGEST[field]} characters, not {len(text)}."
            yield Forbidden(WriteCode.NAME_TOO_LONG if field != "email" else WriteCode.BAD_USER_INPUT, message, field)
        elif not is_printable(text):
            yield Forbidden(WriteCode.BAD_USER_INPUT, f"`{field}` contains control characters.", field)
        elif field == "email" and not is_email(text):
            message = "`email` is not an address mail can be sent to, such as name@company.example."
            yield Forbidden(WriteCode.BAD_USER_INPUT, message, field)
    if invitation.lcid not in LCIDS:
        yield Forbidden(WriteCode.BAD_USER_INPUT, "`lcid` is not a known locale, such as EnglishUS.", "lcid")
    if invitation.role == Role.AGGREGATOR:
        yield system_administrators("role")
    if invitation.accounts is not None:
        if invitation.role in CUSTOMER_LEVEL:
            yield cannot_be_scoped(invitation.role, "accountIds")
        elif not invitation.accounts:
            message = "An empty `accountIds` could mean none or all: leave it out for all, or list some."
            yield Forbidden(WriteCode.LIST_NULL_OR_EMPTY, message, "accountIds")
