"""What an operator watches: how much waits for the worker, and where client links stand."""

from __future__ import annotations

from typing import Any, NamedTuple

from peewee import SQL, fn

from storage.database import Transaction
from storage.models import (
    WAITING_INVITATION,
    WAITING_LINK,
    WAITING_MAIL,
    ClientLink,
    OutboxMessage,
    UserInvitation,
)
from storage.records.ids import Instant
from storage.records.values import ClientLinkStatus, LinkType
from storage.statements import Param, Statement


class Backlog(NamedTuple):
    """How much of each is due and not done yet."""

    links: int
    invitations: int
    mails: int


class LinkCount(NamedTuple):
    """How many client links of a type stand in a status, over all generations."""

    type: LinkType
    status: ClientLinkStatus
    number: int


def _count(model: Any, condition: str, *due: Any) -> Statement[tuple[Any, ...]]:
    # The condition of the partial index word for word: only then do the databases use it.
    return Statement(model.select(fn.COUNT(model.id)).where(SQL(condition), *due))


_LINKS = _count(
    ClientLink,
    WAITING_LINK,
    ((ClientLink.status == ClientLinkStatus.LINK_PENDING) & (ClientLink.created_at_ms <= Param("sent_before")))
    | ((ClientLink.status == ClientLinkStatus.LINK_IN_PROGRESS) & (ClientLink.start_at_ms <= Param("now")))
    | ClientLink.status.in_((ClientLinkStatus.UNLINK_PENDING, ClientLinkStatus.UNLINK_IN_PROGRESS)),
)
_INVITATIONS = _count(UserInvitation, WAITING_INVITATION, UserInvitation.expires_at_ms <= Param("now"))
_MAILS = _count(OutboxMessage, WAITING_MAIL, OutboxMessage.due_at_ms <= Param("now"))
_STATES = Statement(
    ClientLink.select(ClientLink.type, ClientLink.status, fn.COUNT(ClientLink.id)).group_by(
        ClientLink.type, ClientLink.status
    ),
    LinkCount,
)


def read_backlog(tx: Transaction, *, now: Instant, sent_before: Instant) -> Backlog:
    """What is due at `now`; pending links are due when they were sent up to `sent_before`. Cost: three SELECTs."""
    [(links,)] = tx.fetch(_LINKS, now=now, sent_before=sent_before)
    [(invitations,)] = tx.fetch(_INVITATIONS, now=now)
    [(mails,)] = tx.fetch(_MAILS, now=now)
    return Backlog(links, invitations, mails)


def read_link_counts(tx: Transaction) -> list[LinkCount]:
    """Client links by type and status; what there is none of has no row. Cost: one SELECT over the whole table."""
    return tx.fetch(_STATES)
