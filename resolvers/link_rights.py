"""What the viewer may do with a client link now: capability on his side, status of the link, state of its ends."""

from __future__ import annotations

from typing import NamedTuple

from resolvers.rules.capabilities import RULE_ID, Capability
from resolvers.rules.links import SIDE_OF, ClientLinkAction, LinkEvent, Side, has_expired, state_forbids
from resolvers.rules.write_codes import WriteCode
from resolvers.session import Session
from resolvers.writing import refused
from storage.reads.entities import read_ad_accounts, read_manager_accounts
from storage.records.ids import Instant
from storage.records.rows import ClientLinkRow
from storage.records.values import AdAccountStatus, ClientLinkStatus, LinkType, ManagerAccountStatus


class ActionAnswer(NamedTuple):
    """Whether an action is possible, and every reason against it."""

    action: ClientLinkAction
    allowed: bool
    reasons: tuple[str, ...]


def manage_links(link_type: LinkType) -> Capability:
    """What managing links of this kind needs (C13, C15)."""
    if link_type == LinkType.ACCOUNT_LINK:
        return Capability.MANAGE_ACCOUNT_LINKS
    return Capability.MANAGE_MANAGER_LINKS


def status_at(row: ClientLinkRow, now: Instant) -> ClientLinkStatus:
    """Where a link stands at an instant: a pending one nobody answered in time has expired."""
    return ClientLinkStatus.LINK_EXPIRED if has_expired(row.status, row.created_at, now) else row.status


def action_answer(session: Session, row: ClientLinkRow, action: ClientLinkAction) -> ActionAnswer:
    """Whether the viewer may take an action on a link he sees, with all reasons against it."""
    needed = manage_links(row.type)
    event = LinkEvent(action)
    side = SIDE_OF[event]
    reasons = []
    if not _holds(session, row, side, needed):
        reasons.append(
            f"{action} is for the {side.lower()} side and needs {needed} ({RULE_ID[needed]}) there,"
            f" on {_end(row, side)}; your roles do not give it."
        )
    forbidden = state_forbids(event, row.status, row.created_at, session.now)
    if forbidden is not None:
        reasons.append(forbidden)
    return ActionAnswer(action, not reasons, tuple(reasons))


def may_answer(session: Session, row: ClientLinkRow) -> bool:
    """Whether the viewer may answer such a link for its client."""
    return _holds(session, row, Side.CLIENT, manage_links(row.type))


def require_living_ends(session: Session, row: ClientLinkRow, *field: str) -> None:
    """Neither end of a link that is to carry access has been deleted. Raises: Refused (202)."""
    ends = [one for one in (row.managing_customer_id, row.client_customer_id) if one is not None]
    for key, manager in sorted(read_manager_accounts(session.transaction, ends).items()):
        if manager.status == ManagerAccountStatus.INACTIVE:
            raise refused(WriteCode.OBJECT_STATE, f"Manager account {key} is INACTIVE.", *field)
    if row.client_account_id is not None:
        account = read_ad_accounts(session.transaction, [row.client_account_id])[row.client_account_id]
        if account.status == AdAccountStatus.INACTIVE:
            message = f"Ad account {account.account_id} is INACTIVE."
            raise refused(WriteCode.OBJECT_STATE, message, *field)


def _end(row: ClientLinkRow, side: Side) -> str:
    """An end of a link as whoever sees the link may know it: who owns a client's ad account is not told by it."""
    if side == Side.CLIENT and row.client_account_id is not None:
        return f"ad account {row.client_account_id}"
    return f"manager account {row.managing_customer_id if side == Side.MANAGING else row.client_customer_id}"


def _holds(session: Session, row: ClientLinkRow, side: Side, needed: Capability) -> bool:
    if side == Side.MANAGING:
        session.know_manager_accounts([row.managing_customer_id])
        return session.reach.on_manager_account(row.managing_customer_id).allow(needed)
    if row.client_customer_id is not None:
        session.know_manager_accounts([row.client_customer_id])
        return session.reach.on_manager_account(row.client_customer_id).allow(needed)
    if row.client_account_id is None:
        return False
    session.know_ad_accounts([row.client_account_id])
    return session.reach.on_ad_account(session.excerpt.facts.ad_accounts[row.client_account_id]).allow(needed)
