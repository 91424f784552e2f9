"""Reads what waits for the service: links and invitations whose time has come.

Each statement repeats the condition of a partial index word for word, because SQLite uses one only then: the
cost grows with what waits, never with all links there are.
"""

from __future__ import annotations

from typing import Any

from peewee import SQL

from storage.database import Transaction
from storage.models import WAITING_INVITATION, WAITING_LINK, ClientLink, UserInvitation
from storage.records.ids import ClientLinkId, Instant, InvitationId
from storage.records.values import ClientLinkStatus
from storage.statements import Param, Statement, tied_to


def _waiting(status: ClientLinkStatus, *also: Any) -> Statement[tuple[Any, ...]]:
    # A status as text and not as a parameter, or PostgreSQL's kept plans could not use the partial index.
    query = ClientLink.select(ClientLink.id).where(
        SQL(WAITING_LINK), SQL(f"status = '{status}'"), ClientLink.id > Param("after"), *also
    )
    return Statement(query.order_by(ClientLink.id).limit(Param("most")))


_ENDED_UNANSWERED = _waiting(ClientLinkStatus.LINK_PENDING, ClientLink.created_at_ms <= Param("sent_before"))
_BEGINNING = _waiting(ClientLinkStatus.LINK_IN_PROGRESS, ClientLink.start_at_ms <= Param("now"))
_UNLINKING = _waiting(ClientLinkStatus.UNLINK_PENDING)
_ENDING = _waiting(ClientLinkStatus.UNLINK_IN_PROGRESS)

_RUN_OUT = Statement(
    UserInvitation.select(UserInvitation.id)
    .where(
        SQL(WAITING_INVITATION),
        UserInvitation.expires_at_ms <= Param("now"),
        # This and the order are spelled so that SQLite does not walk all invitations by their key instead.
        tied_to(UserInvitation.expires_at_ms, UserInvitation.id > Param("after")),
    )
    .order_by(UserInvitation.id + 0)
    .limit(Param("most"))
)


def read_waiting_links(
    tx: Transaction, *, sent_before: Instant, now: Instant, after: ClientLinkId, most: int
) -> list[ClientLinkId]:
    """At most so many links whose time has come, with ids above `after`, in their order. Cost: four SELECTs.

    Those pending that were sent up to `sent_before`, those accepted that start up to `now`, all that are unlinked.
    """
    found = [
        *tx.fetch(_ENDED_UNANSWERED, sent_before=sent_before, after=after, most=most),
        *tx.fetch(_BEGINNING, now=now, after=after, most=most),
        *tx.fetch(_UNLINKING, after=after, most=most),
        *tx.fetch(_ENDING, after=after, most=most),
    ]
    return sorted(ClientLinkId(id_) for (id_,) in found)[:most]


def read_waiting_invitations(tx: Transaction, now: Instant, after: InvitationId, most: int) -> list[InvitationId]:
    """At most so many pending invitations that have run out, with ids above `after`. Cost: one SELECT."""
    return [InvitationId(id_) for (id_,) in tx.fetch(_RUN_OUT, now=now, after=after, most=most)]
