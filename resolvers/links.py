"""Client links, their history and user invitations, as the viewer may see them.

An account link is shown to those who may view account links on either end (C12), a customer link to those who
may view manager links on either end (C14).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from resolvers.errors import Code, Refusal
from resolvers.paging import Connection, Edge, Page, fingerprint, page_of
from resolvers.reachable import reachable_by_viewer
from resolvers.rules.capabilities import Capability
from resolvers.search import require_few
from resolvers.session import AD_ACCOUNT, CLIENT_LINK, MANAGER_ACCOUNT, USER, Session
from storage.folding import fold
from storage.reads import links as read
from storage.reads.people import read_invitations, read_invitations_to, read_invited_ad_accounts
from storage.reads.search import Order, OrderField
from storage.records.ids import AdAccountId, ClientLinkId, InvitationId, ManagerAccountId
from storage.records.rows import AdAccountRow, ClientLinkPeriodRow, ClientLinkRow, InvitationRow
from storage.records.values import ClientLinkStatus, InvitationStatus, LinkType

INVITATION = "invitation"
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class ClientLinkFilter:
    """The predicates of SearchClientLinks, and the statuses wanted. None is "not asked"."""

    client_account_ids: tuple[AdAccountId, ...] | None = None
    client_customer_ids: tuple[ManagerAccountId, ...] | None = None
    direct_managing_customer_id: ManagerAccountId | None = None
    managing_customer_id: ManagerAccountId | None = None
    statuses: tuple[ClientLinkStatus, ...] = tuple(ClientLinkStatus)


def visible_links(session: Session, rows: Iterable[ClientLinkRow]) -> list[ClientLinkRow]:
    """Those of these links the viewer may see. Cost: at most ten SELECTs."""
    rows = list(rows)
    session.know_manager_accounts(
        list(
            {row.managing_customer_id for row in rows}
            | {row.client_customer_id for row in rows if row.client_customer_id is not None}
        )
    )
    session.know_ad_accounts(list({row.client_account_id for row in rows if row.client_account_id is not None}))
    seen = [row for row in rows if _sees(session, row)]
    session.register(CLIENT_LINK, [row.link_id for row in seen])
    # Whoever asks for the ends of one link, or for the link before it, gets those of all.
    session.register(CLIENT_LINK, [row.previous_id for row in seen if row.previous_id is not None])
    ends = {key for row in seen for key in (row.managing_customer_id, row.client_customer_id) if key is not None}
    session.register(MANAGER_ACCOUNT, list(ends))
    session.register(AD_ACCOUNT, list({row.client_account_id for row in seen if row.client_account_id is not None}))
    return seen


def _sees(session: Session, row: ClientLinkRow) -> bool:
    reach = session.reach
    needed = Capability.VIEW_ACCOUNT_LINKS if row.type == LinkType.ACCOUNT_LINK else Capability.VIEW_MANAGER_LINKS
    if reach.on_manager_account(row.managing_customer_id).allow(needed):
        return True
    if row.client_customer_id is not None:
        return reach.on_manager_account(row.client_customer_id).allow(needed)
    fact = session.excerpt.facts.ad_accounts.get(row.client_account_id) if row.client_account_id else None
    return fact is not None and reach.on_ad_account(fact).allow(needed)


def link_by_id(session: Session, key: ClientLinkId) -> ClientLinkRow | None:
    """A link the viewer may see, or None; loaded for its whole cohort."""
    return session.together(CLIENT_LINK, key, "row", lambda ids: visible_links_by_id(session, ids))


def visible_links_by_id(session: Session, ids: Collection[ClientLinkId]) -> dict[ClientLinkId, ClientLinkRow]:
    """Those of these links the viewer may see. Cost: at most eleven SELECTs."""
    with session.looking_up(len(ids)):
        rows = read.read_client_links(session.transaction, ids)
        return {row.link_id: row for row in visible_links(session, rows.values())}


def transitions_of(session: Session, key: ClientLinkId) -> tuple[ClientLinkPeriodRow, ...]:
    """The statuses a link took, oldest first. Cost: one SELECT a cohort."""
    return session.together(CLIENT_LINK, key, "periods", lambda ids: _periods(session, ids)) or ()


def _periods(session: Session, ids: list[ClientLinkId]) -> dict[ClientLinkId, tuple[ClientLinkPeriodRow, ...]]:
    found = read.read_link_periods(session.transaction, ids)
    actors = {row.actor_user_id for rows in found.values() for row in rows if row.actor_user_id is not None}
    session.register(USER, list(actors))
    return found


def search_client_links(
    session: Session, asked: ClientLinkFilter, order: Order, page: Page
) -> Connection[ClientLinkRow]:
    """SearchClientLinks: the latest link of each pair; without a predicate, all the viewer may see.

    Raises: Refusal INVALID_FILTER for predicates that exclude each other or lists too long, FORBIDDEN for
    customer links asked by somebody who may view none.
    """
    _check_predicates(asked)
    if asked.client_customer_ids is not None:
        _require_manager_links(session)
    rows = [row for row in _candidates(session, asked) if row.status in asked.statuses]
    return _in_order(visible_links(session, rows), order, page, fingerprint("clientLinks", asked, order))


def _check_predicates(asked: ClientLinkFilter) -> None:
    if asked.client_account_ids is not None:
        require_few("clientAccountId", asked.client_account_ids)
    if asked.client_customer_ids is not None:
        require_few("clientCustomerId", asked.client_customer_ids)
    if asked.direct_managing_customer_id is not None and asked.managing_customer_id is not None:
        raise Refusal(
            Code.INVALID_FILTER,
            "Give either `directManagingCustomerId` or the deprecated `managingCustomerId`, not both.",
            number=3030,
        )
    if asked.client_account_ids is not None and asked.client_customer_ids is not None:
        raise Refusal(
            Code.INVALID_FILTER,
            "Give either `clientAccountId` or `clientCustomerId`: a link leads to one or the other.",
            number=3030,
        )


def _require_manager_links(session: Session) -> None:
    if not reachable_by_viewer(session).manager_accounts(Capability.VIEW_MANAGER_LINKS):
        raise Refusal(
            Code.FORBIDDEN,
            "Searching customer links by client needs VIEW_MANAGER_LINKS in some manager account, which none of"
            " your roles includes. Leave `clientCustomerId` out, or ask a Super Admin for a role that has it.",
            number=106,
            rule="C14",
        )


def _candidates(session: Session, asked: ClientLinkFilter) -> list[ClientLinkRow]:
    tx = session.transaction
    direct = asked.direct_managing_customer_id
    agency = direct if direct is not None else asked.managing_customer_id
    if agency is not None and not session.knows(agency):
        # An id the caller may not see in a predicate yields nothing; the client's side searches by its own ids.
        return []
    if asked.client_account_ids is not None:
        with session.looking_up(len(asked.client_account_ids)):
            rows = visible_links(session, read.read_account_links_to(tx, asked.client_account_ids))
    elif asked.client_customer_ids is not None:
        with session.looking_up(len(asked.client_customer_ids)):
            rows = visible_links(session, read.read_customer_links_to(tx, asked.client_customer_ids))
    elif direct is not None:
        rows = read.read_links_managed_by(tx, [direct])
    elif asked.managing_customer_id is not None:
        return _of_agency_and_others(session, asked.managing_customer_id)
    else:
        return _all_within_reach(session)
    return [row for row in rows if direct is None or row.managing_customer_id == direct]


def _of_agency_and_others(session: Session, agency: ManagerAccountId) -> list[ClientLinkRow]:
    """The deprecated predicate: an agency's account links, and what others hold on the same ad accounts."""
    own = read.read_links_managed_by(session.transaction, [agency])
    clients = [row.client_account_id for row in own if row.client_account_id is not None]
    return read.read_account_links_to(session.transaction, clients)


def _all_within_reach(session: Session) -> list[ClientLinkRow]:
    mine = reachable_by_viewer(session)
    managers = mine.manager_accounts()
    accounts = mine.ad_accounts()
    tx = session.transaction
    found = {
        row.link_id: row
        for rows in (
            read.read_links_managed_by(tx, managers),
            read.read_customer_links_to(tx, managers),
            read.read_account_links_into(tx, accounts.owners),
            read.read_account_links_to(tx, accounts.ids),
        )
        for row in rows
    }
    return list(found.values())


def _in_order(rows: list[ClientLinkRow], order: Order, page: Page, scope: str) -> Connection[ClientLinkRow]:
    def key(row: ClientLinkRow) -> tuple[str | int, int]:
        if order.field == OrderField.NAME:
            return fold(row.name), row.link_id
        if order.field == OrderField.NUMBER:
            return fold(row.managing_customer_number), row.link_id
        return row.client_customer_id or row.client_account_id or 0, row.link_id

    edges = [Edge(row, key(row), scope) for row in sorted(rows, key=key)]
    shape = (int, int) if order.field == OrderField.ID else (str, int)
    return page_of(edges, page, scope, shape=shape, descending=order.descending)


def links_of_manager_account(session: Session, key: ManagerAccountId, page: Page) -> Connection[ClientLinkRow]:
    """The links a manager account manages or is the client of, newest generation, by link id; those the viewer may
    not view are counted.
    """
    return _links_at(session, MANAGER_ACCOUNT, key, page, _links_of_manager_accounts)


class _LinksAt(NamedTuple):
    """The links at one end of them that the viewer may view, and how many more there are."""

    seen: list[ClientLinkRow]
    hidden: int


def _links_of_manager_accounts(session: Session, ids: list[ManagerAccountId]) -> dict[ManagerAccountId, _LinksAt]:
    tx = session.transaction
    rows = [*read.read_links_managed_by(tx, ids), *read.read_customer_links_to(tx, ids)]
    found: dict[ManagerAccountId, list[ClientLinkRow]] = {key: [] for key in ids}
    for row in {row.link_id: row for row in rows}.values():
        for end in (row.managing_customer_id, row.client_customer_id):
            if end in found:
                found[end].append(row)
    return _as_seen(session, found)


def _as_seen(session: Session, found: dict[K, list[ClientLinkRow]]) -> dict[K, _LinksAt]:
    every = {row.link_id: row for rows in found.values() for row in rows}
    visible = {row.link_id for row in visible_links(session, every.values())}
    seen = {key: [row for row in rows if row.link_id in visible] for key, rows in found.items()}
    return {key: _LinksAt(rows, len(found[key]) - len(rows)) for key, rows in seen.items()}


def links_of_ad_account(session: Session, row: AdAccountRow, page: Page) -> Connection[ClientLinkRow]:
    """The links that lead, or led, to an ad account, newest generation, by link id; hidden ones are counted."""
    return _links_at(session, "ad account", row.account_id, page, _links_of_ad_accounts)


def _links_of_ad_accounts(session: Session, ids: list[AdAccountId]) -> dict[AdAccountId, _LinksAt]:
    found: dict[AdAccountId, list[ClientLinkRow]] = {key: [] for key in ids}
    for row in read.read_account_links_to(session.transaction, ids):
        if row.client_account_id is not None:
            found[row.client_account_id].append(row)
    return _as_seen(session, found)


def _links_at(
    session: Session,
    kind: str,
    key: K,
    page: Page,
    load: Callable[[Session, list[K]], dict[K, _LinksAt]],
) -> Connection[ClientLinkRow]:
    found = session.together(kind, key, "client links", lambda ids: load(session, ids))
    scope = fingerprint("clientLinks", kind, key)
    links = found or _LinksAt([], 0)
    rows = sorted(links.seen, key=lambda row: row.link_id)
    return page_of([Edge(row, (row.link_id,), scope) for row in rows], page, scope, links.hidden)


# Invitations


def invitations_to(session: Session, key: ManagerAccountId, page: Page) -> Connection[InvitationRow]:
    """Pending and expired invitations into a manager account the viewer sees, by id. Cost: one SELECT a cohort."""
    found = session.together(MANAGER_ACCOUNT, key, "invitations", lambda ids: _invitations_to(session, ids))
    scope = fingerprint("invitations", key)
    return page_of([Edge(row, (row.invitation_id,), scope) for row in found or ()], page, scope)


def _invitations_to(session: Session, ids: list[ManagerAccountId]) -> dict[ManagerAccountId, tuple[InvitationRow, ...]]:
    found = read_invitations_to(session.transaction, ids)
    session.register(INVITATION, [row.invitation_id for rows in found.values() for row in rows])
    return found


def invitation_by_id(session: Session, key: InvitationId) -> InvitationRow | None:
    """An invitation into a manager account the viewer sees, or None; loaded for its whole cohort."""
    return session.together(INVITATION, key, "row", lambda ids: visible_invitations(session, ids))


def visible_invitations(session: Session, ids: Collection[InvitationId]) -> dict[InvitationId, InvitationRow]:
    """Those of these invitations that lead into a manager account the viewer sees. Cost: at most nine SELECTs."""
    with session.looking_up(len(ids)):
        rows = read_invitations(session.transaction, ids)
        places = list({row.customer_id for row in rows.values()})
        session.know_manager_accounts(places)
        session.register(MANAGER_ACCOUNT, places)
        reach = session.reach
    seen = {key: row for key, row in rows.items() if reach.on_manager_account(row.customer_id).allow(Capability.VIEW)}
    session.register(INVITATION, list(seen))
    return seen


def status_of_invitation(session: Session, row: InvitationRow) -> InvitationStatus:
    """Where an invitation stands now: a pending one past its date has expired."""
    if row.status == InvitationStatus.PENDING and row.expires_at <= session.now:
        return InvitationStatus.EXPIRED
    return row.status


class InvitedAccounts(NamedTuple):
    """The ad accounts an invitation is limited to that the viewer may see, and how many more there are."""

    ids: tuple[AdAccountId, ...]
    hidden: int


def invited_ad_accounts(session: Session, row: InvitationRow) -> InvitedAccounts:
    """The ad accounts an invitation is limited to. Cost: a fixed number of SELECTs a cohort."""

    def load(ids: list[InvitationId]) -> dict[InvitationId, tuple[AdAccountId, ...]]:
        found = read_invited_ad_accounts(session.transaction, ids)
        session.know_ad_accounts(list({one for listed in found.values() for one in listed}))
        return found

    listed = session.together(INVITATION, row.invitation_id, "ad accounts", load) or ()
    facts, mine = session.excerpt.facts.ad_accounts, session.reach
    seen = tuple(one for one in listed if one in facts and mine.on_ad_account(facts[one]).allow(Capability.VIEW))
    return InvitedAccounts(seen, len(listed) - len(seen))
