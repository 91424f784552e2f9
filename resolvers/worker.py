"""What the service does by itself: links move on when their time has come, and what nobody answered expires.

One step is one transaction and one revision, with its history and audit entry. Whether a step is due is read
again inside its transaction, where writers take turns, so any number of workers do each step once, and a
worker that dies leaves a step done or not begun. The clock is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

from resolvers.billing_transition import BILLING, BillingFailed, BillingNotYet, BillingTransition
from resolvers.link_conditions import check_account, check_customer_link
from resolvers.link_rights import require_living_ends
from resolvers.link_writes import lead_on
from resolvers.rules.links import INVITATION_LIFETIME_MS, LinkEvent, due_event
from resolvers.writing import Refused, ServiceSession
from storage.database import Database
from storage.reads.entities import read_ad_accounts
from storage.reads.links import read_client_links
from storage.reads.people import read_invitations
from storage.reads.waiting import read_waiting_invitations, read_waiting_links
from storage.records.ids import ClientLinkId, Instant, InvitationId, RevisionId
from storage.records.rows import ClientLinkRow
from storage.records.values import InvitationStatus
from storage.writes import write_user_invitation_status

BATCH = 100
"""How many links are looked up at once; each is then led on by itself."""
CLIENT_LINK = "client link"
INVITATION = "user invitation"
OPERATIONS: dict[LinkEvent, str] = {
    LinkEvent.EXPIRE: "expireClientLink",
    LinkEvent.ACTIVATE: "activateClientLink",
    LinkEvent.FAIL: "failClientLink",
    LinkEvent.BEGIN_UNLINK: "beginUnlink",
    LinkEvent.COMPLETE_UNLINK: "completeUnlink",
    LinkEvent.FAIL_UNLINK: "failUnlink",
}
"""What the revision and the audit log call each step."""
EXPIRE_INVITATION = "expireUserInvitation"
INSTEAD: dict[LinkEvent, LinkEvent] = {
    LinkEvent.ACTIVATE: LinkEvent.FAIL,
    LinkEvent.COMPLETE_UNLINK: LinkEvent.FAIL_UNLINK,
}
"""What happens to a link instead when something speaks against the step."""

K = TypeVar("K", ClientLinkId, InvitationId)


class Step(NamedTuple):
    """One thing the service did."""

    kind: str
    key: int
    operation: str
    status: str
    reason: str | None
    revision: RevisionId


class Trouble(NamedTuple):
    """A step that was rolled back; it stays due."""

    kind: str
    key: int
    problem: Exception


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker needs besides the clock: where, how billing changes, and whether it shall stop."""

    database: Database
    billing: BillingTransition = BILLING
    stops: Callable[[], bool] = lambda: False


def work_off(work: Work, now: Instant) -> Iterator[Step | Trouble]:
    """Do everything that is due at `now`, in the order of ids, and tell it as it is done.

    A link is led on as far as it goes. Raises: StorageError when what is due cannot even be read.
    """
    for link in _in_batches(work, ClientLinkId(0), partial(_waiting_links, work.database, now)):
        yield from _steps(CLIENT_LINK, link, partial(step_link, work, link, now))
    for invitation in _in_batches(work, InvitationId(0), partial(_waiting_invitations, work.database, now)):
        yield from _steps(INVITATION, invitation, partial(expire_invitation, work, invitation, now))


def _in_batches(work: Work, after: K, read: Callable[[K], list[K]]) -> Iterator[K]:
    while batch := read(after):
        for after in batch:
            if work.stops():
                return
            yield after


def _waiting_links(database: Database, now: Instant, after: ClientLinkId) -> list[ClientLinkId]:
    sent_before = Instant(now - INVITATION_LIFETIME_MS)
    with database.read() as transaction:
        return read_waiting_links(transaction, sent_before=sent_before, now=now, after=after, most=BATCH)


def _waiting_invitations(database: Database, now: Instant, after: InvitationId) -> list[InvitationId]:
    with database.read() as transaction:
        return read_waiting_invitations(transaction, now, after, BATCH)


def _steps(kind: str, key: int, step: Callable[[], Step | None]) -> Iterator[Step | Trouble]:
    """Steps of one thing until there is none; another thing's trouble is not theirs."""
    try:
        while (done := step()) is not None:
            yield done
    except Exception as problem:
        # Whatever it is: the database's trouble, or a fault that would otherwise hold up all the others for good.
        yield Trouble(kind, key, problem)


def step_link(work: Work, key: ClientLinkId, now: Instant) -> Step | None:
    """Lead a link one step on; None when nothing about it is due (any more), or billing has not finished.

    Raises: StorageError.
    """
    with work.database.write() as transaction:
        session = ServiceSession(transaction, now)
        row = read_client_links(transaction, [key]).get(key)
        event = None if row is None else due_event(row.status, row.created_at, row.start_at, now)
        if row is None or event is None:
            return None
        reason = None
        session.does(OPERATIONS[event])
        try:
            _prepare(session, row, event, work.billing)
        except Refused as refusal:
            reason = refusal.errors[0].message
        except BillingNotYet:
            return None
        except BillingFailed as failure:
            reason = str(failure)
        if reason is not None:
            event = INSTEAD[event]
            session.does(OPERATIONS[event])
        status = lead_on(session, row, event, reason)
        return Step(CLIENT_LINK, key, OPERATIONS[event], status, reason, session.record(reason))


def _prepare(session: ServiceSession, row: ClientLinkRow, event: LinkEvent, billing: BillingTransition) -> None:
    """What must be true, and what changes besides the link itself. Raises: Refused, BillingFailed, BillingNotYet."""
    if event == LinkEvent.ACTIVATE:
        _check_again(session, row)
        if row.client_account_id is not None:
            billing.begin(session, row)
    elif event == LinkEvent.BEGIN_UNLINK and row.client_account_id is not None:
        billing.prepare_end(session, row)
    elif event == LinkEvent.COMPLETE_UNLINK and row.client_account_id is not None:
        billing.end(session, row)


def _check_again(session: ServiceSession, row: ClientLinkRow) -> None:
    """Since the link was sent, both sides may have gained links, or gone. Raises: Refused."""
    require_living_ends(session, row)
    if row.client_customer_id is not None:
        check_customer_link(session, row.managing_customer_id, row.client_customer_id)
    elif row.client_account_id is not None:
        account = read_ad_accounts(session.transaction, [row.client_account_id])[row.client_account_id]
        check_account(session, row.managing_customer_id, account, row.is_bill_to_client, row.link_id)


def expire_invitation(work: Work, key: InvitationId, now: Instant) -> Step | None:
    """Mark an invitation that nobody accepted in time; None when it is not due (any more). Raises: StorageError."""
    with work.database.write() as transaction:
        session = ServiceSession(transaction, now)
        row = read_invitations(transaction, [key]).get(key)
        if row is None or row.status != InvitationStatus.PENDING or row.expires_at > now:
            return None
        session.does(EXPIRE_INVITATION)
        write_user_invitation_status(transaction, session.stamp, [key], InvitationStatus.EXPIRED)
        session.note("UserInvitation", key, {"status": row.status}, {"status": InvitationStatus.EXPIRED})
        status = InvitationStatus.EXPIRED
        return Step(INVITATION, key, EXPIRE_INVITATION, status, None, session.record(None))
