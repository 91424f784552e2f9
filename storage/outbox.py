"""Mail that is to be sent: written together with what it tells of, claimed by one worker at a time, then settled.

A claim is a lease: it pushes the time a mail is due into the future, so a worker that dies gives it back by
doing nothing. What a mail carries is forgotten when it is settled; secrets are not kept longer than needed.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

from peewee import SQL

from storage.database import Transaction
from storage.models import WAITING_MAIL, OutboxMessage
from storage.records.ids import ClientLinkId, Instant, InvitationId
from storage.records.values import MailStatus
from storage.statements import Param, Statement
from storage.writes import wait_for_turn


class NewMail(NamedTuple):
    """A mail to be written: `data` is a JSON object by `kind`. It tells of an invitation or of a client link, and is
    pointless after `useful_until_ms`.
    """

    kind: str
    recipient: str
    data: str
    useful_until_ms: int
    invitation: InvitationId | None = None
    client_link: ClientLinkId | None = None


class WaitingMail(NamedTuple):
    """A claimed mail. `message_key` stays the same however often it is tried; `data` is a JSON object by `kind`."""

    id: int
    kind: str
    message_key: str
    recipient: str
    data: str
    created_at_ms: int
    due_at_ms: int
    useful_until_ms: int | None
    attempts: int


_NEXT = Statement(
    OutboxMessage.select(
        OutboxMessage.id,
        OutboxMessage.kind,
        OutboxMessage.message_key,
        OutboxMessage.recipient,
        OutboxMessage.data,
        OutboxMessage.created_at_ms,
        OutboxMessage.due_at_ms,
        OutboxMessage.useful_until_ms,
        OutboxMessage.attempts,
    )
    # The condition of the partial index, word by word: a bound value would not be recognised.
    .where(SQL(WAITING_MAIL), OutboxMessage.due_at_ms <= Param("now"))
    .order_by(OutboxMessage.due_at_ms, OutboxMessage.id)
    .limit(1),
    WaitingMail,
)


_COLUMNS = (
    "kind",
    "message_key",
    "recipient",
    "data",
    "user_invitation_id",
    "client_link_id",
    "status",
    "created_at_ms",
    "due_at_ms",
    "useful_until_ms",
    "attempts",
)


def write_mail(tx: Transaction, mails: Sequence[NewMail], now_ms: int) -> None:
    """Mails to be sent as soon as this transaction is committed. Cost: one statement for any number."""
    rows = [
        (
            mail.kind,
            secrets.token_hex(16),
            mail.recipient,
            mail.data,
            mail.invitation,
            mail.client_link,
            MailStatus.WAITING,
            now_ms,
            now_ms,
            mail.useful_until_ms,
            0,
        )
        for mail in mails
    ]
    if rows:
        tx.insert(OutboxMessage, _COLUMNS, rows)


def drop_mail_of_invitation(tx: Transaction, invitation: InvitationId, now_ms: int) -> None:
    """What is still to be sent about an invitation is no longer wanted."""
    _drop(tx, OutboxMessage.user_invitation == invitation, now_ms)


def drop_mail_of_link(tx: Transaction, link: ClientLinkId, now_ms: int) -> None:
    """What is still to be sent about a client link is no longer wanted."""
    _drop(tx, OutboxMessage.client_link == link, now_ms)


def _drop(tx: Transaction, about: Any, now_ms: int) -> None:
    waiting = about & (OutboxMessage.status == MailStatus.WAITING)
    tx.run(OutboxMessage.update(_settled(MailStatus.DROPPED, now_ms)).where(waiting))


def claim_mail(tx: Transaction, now: Instant, lease_ms: int) -> WaitingMail | None:
    """The mail that is due longest, nobody else's until `lease_ms` have passed; None when none is due.

    What has become pointless while it waited is dropped on the way.
    """
    wait_for_turn(tx)
    while found := tx.fetch(_NEXT, now=now):
        mail = found[0]
        this = OutboxMessage.id == mail.id
        if mail.useful_until_ms is not None and mail.useful_until_ms <= now:
            tx.run(OutboxMessage.update(_settled(MailStatus.DROPPED, now)).where(this))
            continue
        leased = {OutboxMessage.due_at_ms: now + lease_ms, OutboxMessage.attempts: mail.attempts + 1}
        tx.run(OutboxMessage.update(leased).where(this))
        return mail._replace(due_at_ms=now + lease_ms, attempts=mail.attempts + 1)
    return None


def settle_mail(tx: Transaction, mail: WaitingMail, status: MailStatus, now_ms: int, error: str | None = None) -> None:
    """The mail was sent, or refused for good: forget what it carried."""
    values = _settled(status, now_ms) | {OutboxMessage.last_error: error}
    tx.run(
        OutboxMessage.update(values).where((OutboxMessage.id == mail.id) & (OutboxMessage.status == MailStatus.WAITING))
    )


def put_off_mail(tx: Transaction, mail: WaitingMail, due_at_ms: int, error: str) -> None:
    """The mail could not be sent now; it is due again then. Without effect when another worker has it."""
    values = {OutboxMessage.due_at_ms: due_at_ms, OutboxMessage.last_error: error}
    mine = (
        (OutboxMessage.id == mail.id)
        & (OutboxMessage.status == MailStatus.WAITING)
        & (OutboxMessage.attempts == mail.attempts)
    )
    tx.run(OutboxMessage.update(values).where(mine))


def _settled(status: MailStatus, now_ms: int) -> dict[object, object]:
    return {OutboxMessage.status: status, OutboxMessage.data: None, OutboxMessage.settled_at_ms: now_ms}
