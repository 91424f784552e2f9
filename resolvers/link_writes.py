"""Adding, answering, ending and moving client links.

Items of one call are carried out in order and on their own: what is refused leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.effects import Region
from resolvers.link_conditions import check_account, check_customer_link, check_not_in_transition
from resolvers.link_fields import check_inviter, check_kind, check_start, check_texts
from resolvers.link_mail import inviter_of, tell_client, tell_sender
from resolvers.link_rights import manage_links, status_at
from resolvers.links import link_by_id
from resolvers.rules.access import permissions_on
from resolvers.rules.capabilities import RULE_ID, Capability
from resolvers.rules.links import (
    BLOCKS_A_DUPLICATE,
    SIDE_OF,
    ClientLinkAction,
    LinkEvent,
    Side,
    state_forbids,
    statuses_after,
)
from resolvers.rules.paths import AnyTarget
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import Refused, UserError, WriteSession, not_there, refused, require_time_stamp
from storage.entries import ClientLinkEntry
from storage.reads import links as read
from storage.reads.entities import read_ad_accounts, read_manager_accounts
from storage.reads.numbers import read_ad_account_ids, read_manager_account_ids
from storage.records.ids import AdAccountId, ClientLinkId, Instant, ManagerAccountId
from storage.records.rows import AdAccountRow, ClientLinkRow
from storage.records.values import ClientLinkStatus, LinkPermission, LinkType
from storage.writes import new_client_link_id, write_client_link_status, write_client_links, write_link_note

MOST_LINKS = 10
"""Links of one addClientLinks or updateClientLinks (3024 above)."""
KIND = "ClientLink"


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to be sent. Of each end exactly one of id and number names it; both must agree when both are given."""

    type: LinkType
    managing_id: ManagerAccountId | None
    managing_number: str | None
    client_id: int | None
    client_number: str | None
    client_customer_number: str | None
    permission: LinkPermission | None
    is_bill_to_client: bool | None
    start_at: Instant | None
    name: str | None
    note: str | None
    inviter_email: str | None
    inviter_name: str | None
    inviter_phone: str | None
    suppress_notification: bool


@dataclass(frozen=True, slots=True)
class LinkChange:
    """What is to happen to a link; without an action only its note is changed."""

    link_id: ClientLinkId
    time_stamp: str
    action: ClientLinkAction | None
    note: str | None


def _items(session: WriteSession, items: Sequence[Any], one: Any) -> Mapping[str, Any]:
    """The result of each item: the link's id, or errors. Nothing is committed when no item succeeds."""
    if not 1 <= len(items) <= MOST_LINKS:
        empty = not items
        raise refused(
            WriteCode.LIST_NULL_OR_EMPTY if empty else WriteCode.BATCH_SIZE_EXCEEDED,
            f"Send 1 to {MOST_LINKS} links in one call, not {len(items)}.",
            "links",
        )
    results: list[dict[str, Any]] = []
    for position, item in enumerate(items):
        paid = session.rows_paid
        try:
            key = one(session, item)
        except Refused as refusal:
            session.forgive_what_is_not_told(refusal, paid)
            errors = [_at(error, position) for error in refusal.errors]
            results.append({"id": None, "errors": [list(error) for error in errors]})
        else:
            results.append({"id": key, "errors": []})
        # The next item is judged by what this one left behind.
        session.forget()
    return {"results": results}


def _at(error: UserError, position: int) -> UserError:
    return error._replace(field=("links", str(position), *error.field))


def add_client_links(session: WriteSession, links: Sequence[NewLink]) -> Mapping[str, Any]:
    """Send links to their clients (T1). Raises: Refused for the call as a whole."""
    return _items(session, links, _add)


def update_client_links(session: WriteSession, changes: Sequence[LinkChange]) -> Mapping[str, Any]:
    """Accept, decline, cancel, ask to unlink, or change the note. Raises: Refused for the call as a whole."""
    return _items(session, changes, _update)


def _add(session: WriteSession, link: NewLink) -> int:
    managing = _managing_side(session, link)
    session.know_manager_accounts([managing])
    by_id = link.managing_id is not None
    session.require(manage_links(link.type), managing, "managingCustomerId" if by_id else "managingCustomerNumber")
    check_texts(link.name, link.note)
    check_inviter(link.inviter_email, link.inviter_name, link.inviter_phone)
    check_start(link.start_at, session.now)
    check_kind(link.type, link.permission, link.is_bill_to_client)
    account, client = _client_side(session, link)
    previous = _latest_of_pair(session, managing, account, client)
    if previous is not None and status_at(previous, session.now) in BLOCKS_A_DUPLICATE:
        raise refused(
            WriteCode.CLIENT_LINK_INVITATION_ALREADY_SENT,
            f"Client link {previous.link_id} of these two is {previous.status}; a second one can be sent when it has"
            " ended.",
            "clientEntityId",
        )
    if account is not None:
        check_not_in_transition(session, account.account_id)
        check_account(session, managing, account, link.is_bill_to_client)
    elif client is not None:
        check_customer_link(session, managing, client)
    return _write(session, link, managing, account, client, previous)


def _managing_side(session: WriteSession, link: NewLink) -> ManagerAccountId:
    _one_of(link.managing_id, link.managing_number, "managingCustomerId", "managingCustomerNumber")
    if link.managing_id is not None:
        return link.managing_id
    found = read_manager_account_ids(session.transaction, [link.managing_number or ""])
    if not found:
        raise not_there("managingCustomerNumber")
    return next(iter(found.values()))


def _one_of(key: object, number: object, *names: str) -> None:
    if (key is None) == (number is None):
        raise refused(WriteCode.BAD_USER_INPUT, f"Give exactly one of `{names[0]}` and `{names[1]}`.", names[0])


def _client_side(session: WriteSession, link: NewLink) -> tuple[AdAccountRow | None, ManagerAccountId | None]:
    _one_of(link.client_id, link.client_number, "clientEntityId", "clientEntityNumber")
    tx = session.transaction
    field = "clientEntityId" if link.client_id is not None else "clientEntityNumber"
    if link.type == LinkType.ACCOUNT_LINK:
        key = link.client_id
        if key is None:
            key = read_ad_account_ids(tx, [link.client_number or ""]).get(link.client_number or "")
        row = read_ad_accounts(tx, [AdAccountId(key)]).get(AdAccountId(key)) if key is not None else None
        if row is None:
            raise not_there(field)
        _check_pair(session, link, row.parent_customer_id)
        session.have_ad_accounts([row])
        return row, None
    manager = link.client_id
    if manager is None:
        manager = read_manager_account_ids(tx, [link.client_number or ""]).get(link.client_number or "")
    if manager is None or ManagerAccountId(manager) not in read_manager_accounts(tx, [ManagerAccountId(manager)]):
        raise not_there(field)
    _check_pair(session, link, ManagerAccountId(manager))
    return None, ManagerAccountId(manager)


def _check_pair(session: WriteSession, link: NewLink, owner: ManagerAccountId) -> None:
    """Numbers given for certainty must agree with what the id names."""
    if link.client_customer_number is None:
        return
    number = read_manager_accounts(session.transaction, [owner])[owner].number
    if number != link.client_customer_number:
        raise refused(
            WriteCode.LINK_PAIR_MISMATCH,
            "The client and `clientEntityCustomerNumber` do not belong together. Check both.",
            "clientEntityCustomerNumber",
        )


def _latest_of_pair(
    session: WriteSession,
    managing: ManagerAccountId,
    account: AdAccountRow | None,
    client: ManagerAccountId | None,
) -> ClientLinkRow | None:
    tx = session.transaction
    rows = (
        read.read_account_links_to(tx, [account.account_id])
        if account is not None
        else read.read_customer_links_to(tx, [client] if client is not None else [])
    )
    return next((row for row in rows if row.managing_customer_id == managing), None)


def _write(
    session: WriteSession,
    link: NewLink,
    managing: ManagerAccountId,
    account: AdAccountRow | None,
    client: ManagerAccountId | None,
    previous: ClientLinkRow | None,
) -> int:
    stamp = session.stamp
    if previous is not None and previous.status in BLOCKS_A_DUPLICATE:
        # Nobody has marked it yet: its thirty days are over, and a new generation may begin.
        take(session, previous, LinkEvent.EXPIRE, None)
    key = new_client_link_id(session.transaction)
    email, name, phone = inviter_of(session)
    is_customer_link = link.type == LinkType.CUSTOMER_LINK
    # Undocumented when left out: the lesser of the two.
    permission = (link.permission or LinkPermission.STANDARD) if is_customer_link else None
    entry = ClientLinkEntry(
        id=key,
        type=link.type,
        managing_id=managing,
        client_manager_account_id=client,
        client_ad_account_id=account.account_id if account is not None else None,
        permission=permission,
        is_bill_to_client=link.is_bill_to_client,
        name=link.name or f"Link {key}",
        start_at_ms=link.start_at if link.start_at is not None else session.now,
        note=link.note,
        inviter_email=link.inviter_email or email,
        inviter_name=link.inviter_name or name,
        inviter_phone=link.inviter_phone or phone,
        suppress_notification=link.suppress_notification,
        previous_id=previous.link_id if previous is not None else None,
    )
    write_client_links(session.transaction, stamp, [entry])
    session.note(KIND, key, None, entry._asdict())
    tell_client(session, key)
    return key


# Answering and ending


def visible_link(session: WriteSession, key: ClientLinkId, *field: str) -> ClientLinkRow:
    """A link by id, with what decides about it loaded. Raises: Refused."""
    row = link_by_id(session, key)
    if row is None:
        raise not_there(*field)
    session.know_manager_accounts(
        [one for one in (row.managing_customer_id, row.client_customer_id) if one is not None]
    )
    if row.client_account_id is not None:
        session.know_ad_accounts([row.client_account_id])
    return row


def require_side(session: WriteSession, row: ClientLinkRow, side: Side, *field: str) -> None:
    """The viewer may manage links of this kind on this side of the link. Raises: Refused."""
    needed = manage_links(row.type)
    target: AnyTarget = row.managing_customer_id
    if side == Side.CLIENT and row.client_account_id is not None:
        target = session.excerpt.facts.ad_accounts[row.client_account_id]
    elif side == Side.CLIENT:
        target = ManagerAccountId(row.client_owner_id)
    if not permissions_on(session.reach, target).allow(Capability.VIEW):
        # The link is seen from its other side, with the ids of both.
        message = f"This is for the {side.lower()} side of client link {row.link_id}, and needs {needed} there."
        raise refused(WriteCode.FORBIDDEN, message, *field, rule=RULE_ID[needed])
    session.require(needed, target, *field)


def _update(session: WriteSession, change: LinkChange) -> int:
    row = visible_link(session, change.link_id, "linkId")
    event = LinkEvent(change.action) if change.action is not None else None
    side = SIDE_OF[event] if event is not None else Side.MANAGING
    require_side(session, row, side, "action" if event is not None else "note")
    require_time_stamp(change.time_stamp, row.time_stamp, "timeStamp")
    check_texts(None, change.note)
    if event is None:
        return _change_note(session, row, change.note)
    forbidden = state_forbids(event, row.status, row.created_at, session.now)
    if forbidden is not None:
        raise refused(WriteCode.INVALID_STATUS, forbidden, "action")
    if event == LinkEvent.ACCEPT and row.client_customer_id is not None:
        check_customer_link(session, row.managing_customer_id, row.client_customer_id)
    _concern(session, row, event)
    take(session, row, event, change.note)
    return row.link_id


_LEADS_TO = {LinkEvent.ACCEPT: ClientLinkStatus.ACTIVE, LinkEvent.REQUEST_UNLINK: ClientLinkStatus.INACTIVE}
"""What becomes of a link once the service has done its part."""


def _concern(session: WriteSession, row: ClientLinkRow, event: LinkEvent) -> None:
    """What answering or ending a link changes at once: an ad account in transition can be less to everybody (1472).

    Access itself begins and ends later, when the service has done its part: a dry run tells it apart.
    """
    if row.client_account_id is not None:
        links = session.excerpt.facts.account_links_to.get(row.client_account_id, ())
        above = {row.client_owner_id, row.managing_customer_id, *(link.managing_id for link in links)}
        session.concern(Region(above=frozenset(above), ad_accounts=frozenset({row.client_account_id})))
    elif event in _LEADS_TO and row.client_customer_id is not None:
        ends = frozenset({row.managing_customer_id}), frozenset({row.client_customer_id})
        session.concern(Region(above=ends[0], below=ends[1]))
    if event in _LEADS_TO:
        session.will_be(row.link_id, _LEADS_TO[event])


def take(session: WriteSession, row: ClientLinkRow, event: LinkEvent, note: str | None) -> ClientLinkStatus:
    """Lead a link through what an event does, and keep the note with it; the caller has made sure that it may."""
    status = lead_on(session, row, event, note)
    if note is not None:
        write_link_note(session.transaction, session.stamp, row.link_id, note)
    return status


def lead_on(session: WriteSession, row: ClientLinkRow, event: LinkEvent, why: str | None) -> ClientLinkStatus:
    """Lead a link through what an event does; why stands in its history, and its own note stays."""
    statuses = statuses_after(row.status, event)
    if not statuses:
        raise ValueError(f"{event} is not possible from {row.status}")
    for status in statuses:
        write_client_link_status(session.transaction, session.stamp, [row.link_id], status, why)
    session.note(KIND, row.link_id, {"status": row.status}, {"status": statuses[-1]})
    tell_sender(session, row, event, why)
    return statuses[-1]


def _change_note(session: WriteSession, row: ClientLinkRow, note: str | None) -> int:
    if note is None:
        raise refused(WriteCode.NULL_PARAMETER, "Give an `action`, a `note`, or both.", "action")
    write_link_note(session.transaction, session.stamp, row.link_id, note)
    session.note(KIND, row.link_id, {"note": row.note}, {"note": note})
    return row.link_id
