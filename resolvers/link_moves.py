"""Moving a client link to another managing side: the old link ends and a new one is active, in one transaction.

The client is never without its manager and never has two, and who is billed moves along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resolvers.billing_transition import BILLING, BillingFailed, BillingTransition
from resolvers.effects import Region
from resolvers.link_conditions import check_account, check_customer_link, check_not_in_transition
from resolvers.link_fields import check_texts
from resolvers.link_mail import inviter_of
from resolvers.link_rights import manage_links, may_answer, require_living_ends, status_at
from resolvers.link_writes import (
    KIND,
    lead_on,
    require_side,
    visible_link,
)
from resolvers.rules.capabilities import RULE_ID, names_of
from resolvers.rules.links import BLOCKS_A_DUPLICATE, LinkEvent, Side, state_forbids
from resolvers.rules.moves import widened_by_moving
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import Refused, WriteSession, refused, require_time_stamp
from storage.entries import ClientLinkEntry
from storage.reads import links as read
from storage.reads.entities import read_ad_accounts
from storage.records.ids import ClientLinkId, ManagerAccountId
from storage.records.rows import ClientLinkRow
from storage.records.values import ClientLinkStatus
from storage.writes import new_client_link_id, write_client_links

TO = "toManagingCustomerId"


@dataclass(frozen=True, slots=True)
class LinkMove:
    """Which link goes to whom. Name and note are the old link's unless given."""

    link_id: ClientLinkId
    time_stamp: str
    to: ManagerAccountId
    name: str | None = None
    note: str | None = None


def move_client_link(session: WriteSession, move: LinkMove, billing: BillingTransition = BILLING) -> Mapping[str, Any]:
    """Give a link another managing side. Returns the ids of the new and the old link. Raises: Refused."""
    row = visible_link(session, move.link_id, "linkId")
    require_side(session, row, Side.MANAGING, "linkId")
    session.know_manager_accounts([move.to])
    session.require(manage_links(row.type), move.to, TO)
    require_time_stamp(move.time_stamp, row.time_stamp, "timeStamp")
    forbidden = state_forbids(LinkEvent.MOVE, row.status, row.created_at, session.now)
    if forbidden is not None:
        raise refused(WriteCode.INVALID_STATUS, forbidden, "linkId")
    check_texts(move.name, move.note)
    previous = _check_target(session, row, move.to)
    _require_no_widening(session, row, move.to)
    session.concern(_region(row, move.to))
    key = _move(session, row, move, previous, billing)
    return {"id": key, "previous_id": row.link_id}


def _require_no_widening(session: WriteSession, row: ClientLinkRow, to: ManagerAccountId) -> None:
    """Nobody can gain by the move, unless the mover could have accepted for the client. Raises: Refused (106)."""
    if may_answer(session, row):
        return
    old = row.managing_customer_id
    wider = names_of(widened_by_moving(session.reach, old, row.permission))
    if wider:
        raise refused(
            WriteCode.MOVE_WOULD_WIDEN,
            f"The client is not asked about a move, and in manager account {to} a Super Admin could have"
            f" {', '.join(wider)} on it, which you do not have through manager account {old}. Let a Super Admin of"
            f" manager account {old} move it, or undo this link and send a new one, which the client answers.",
            TO,
            rule=RULE_ID[wider[0]],
        )


def _region(row: ClientLinkRow, to: ManagerAccountId) -> Region:
    """Where a move changes access: for those above either managing side, to what the client is or has below."""
    return Region(
        above=frozenset({row.managing_customer_id, to}),
        below=frozenset() if row.client_customer_id is None else frozenset({row.client_customer_id}),
        ad_accounts=frozenset() if row.client_account_id is None else frozenset({row.client_account_id}),
    )


def _check_target(session: WriteSession, row: ClientLinkRow, to: ManagerAccountId) -> ClientLinkRow | None:
    """The latest link of the new pair, when there was one and it has ended. Raises: Refused."""
    if row.managing_customer_id == to:
        raise refused(WriteCode.ALREADY_LINKED, f"Manager account {to} is the managing side of this link already.", TO)
    previous = _latest_of_pair(session, row, to)
    if previous is not None and status_at(previous, session.now) in BLOCKS_A_DUPLICATE:
        raise refused(
            WriteCode.CLIENT_LINK_INVITATION_ALREADY_SENT,
            f"Client link {previous.link_id} of manager account {to} and this client is {previous.status}; cancel or"
            " undo it first.",
            TO,
        )
    require_living_ends(session, row, "linkId")
    try:
        if row.client_customer_id is not None:
            check_customer_link(session, to, row.client_customer_id)
        elif row.client_account_id is not None:
            account = read_ad_accounts(session.transaction, [row.client_account_id])[row.client_account_id]
            check_not_in_transition(session, account.account_id)
            check_account(session, to, account, row.is_bill_to_client, row.link_id)
    except Refused as refusal:
        raise Refused(*(error._replace(field=(TO,)) for error in refusal.errors)) from refusal
    return previous


def _latest_of_pair(session: WriteSession, row: ClientLinkRow, to: ManagerAccountId) -> ClientLinkRow | None:
    if row.client_account_id is not None:
        rows = read.read_account_links_to(session.transaction, [row.client_account_id])
    else:
        rows = read.read_customer_links_to(session.transaction, [ManagerAccountId(row.client_owner_id)])
    return next((one for one in rows if one.managing_customer_id == to), None)


def _move(
    session: WriteSession,
    row: ClientLinkRow,
    move: LinkMove,
    previous: ClientLinkRow | None,
    billing: BillingTransition,
) -> int:
    stamp = session.stamp
    if previous is not None and previous.status in BLOCKS_A_DUPLICATE:
        # Nobody has marked it yet: its thirty days are over, and a new generation may begin.
        lead_on(session, previous, LinkEvent.EXPIRE, None)
    # The old side reads this, and need not see the new one.
    lead_on(session, row, LinkEvent.MOVE, "Moved to another manager account.")
    email, name, phone = inviter_of(session)
    entry = ClientLinkEntry(
        id=new_client_link_id(session.transaction),
        type=row.type,
        managing_id=move.to,
        client_manager_account_id=row.client_customer_id,
        client_ad_account_id=row.client_account_id,
        permission=row.permission,
        is_bill_to_client=row.is_bill_to_client,
        name=move.name or row.name,
        start_at_ms=session.now,
        status=ClientLinkStatus.ACTIVE,
        note=move.note if move.note is not None else row.note,
        inviter_email=email,
        inviter_name=name,
        inviter_phone=phone,
        suppress_notification=row.suppress_notification,
        previous_id=previous.link_id if previous is not None else None,
    )
    write_client_links(session.transaction, stamp, [entry])
    session.note(KIND, entry.id, None, entry._asdict())
    if row.client_account_id is not None and row.is_bill_to_client is False:
        _move_billing(session, entry.id, billing)
    return entry.id


def _move_billing(session: WriteSession, key: ClientLinkId, billing: BillingTransition) -> None:
    try:
        billing.begin(session, read.read_client_links(session.transaction, [key])[key])
    except BillingFailed as failure:
        raise refused(WriteCode.BILLING_TRANSITION_FAILED, str(failure), TO) from failure
