"""The links that put children under manager accounts: of whole lists from the facts, of pages from the database.

A whole list of links in any state of their clients is what decides access below anyway, so it is mostly known already.
"""

from __future__ import annotations

from resolvers.session import Session
from storage.reads import children as read
from storage.reads.facts import CARRIES_ACCESS
from storage.records.ids import ManagerAccountId
from storage.records.rows import ChildLink
from storage.records.values import AdAccountStatus, ManagerAccountStatus, Relationship

EVERY_AD_ACCOUNT_STATUS = tuple(AdAccountStatus)
EVERY_MANAGER_ACCOUNT_STATUS = tuple(ManagerAccountStatus)


def account_links(
    session: Session,
    parents: list[ManagerAccountId],
    statuses: tuple[AdAccountStatus, ...],
    page: read.ChildPage,
    *,
    whole: bool,
) -> list[ChildLink]:
    """The account links these manager accounts hold that carry access. Cost: one SELECT, none when known.

    `whole`: the page is all there is, and its limit what the request may still load. A result of more rows than the
    limit may lack some.
    """
    if whole and statuses == EVERY_AD_ACCOUNT_STATUS:
        held = session.facts.account_links_held(parents, page.limit)
        if held is not None:
            kind = Relationship.ACCOUNT_LINK
            return [
                ChildLink(link.managing_id, link.client_id, kind, link.id, None, None, link.status)
                for link in held
                if link.status in CARRIES_ACCESS
            ]
    return read.read_linked_ad_accounts(session.transaction, parents, page, statuses)


def customer_links(
    session: Session,
    parents: list[ManagerAccountId],
    statuses: tuple[ManagerAccountStatus, ...],
    page: read.ChildPage,
    *,
    whole: bool,
) -> list[ChildLink]:
    """The customer links these manager accounts hold that carry access; as `account_links`."""
    if whole and statuses == EVERY_MANAGER_ACCOUNT_STATUS:
        held = session.facts.customer_links_held(parents, page.limit)
        if held is not None:
            kind = Relationship.CUSTOMER_LINK
            return [
                ChildLink(link.managing_id, link.client_id, kind, link.id, None, link.permission, link.status)
                for link in held
            ]
    return read.read_linked_manager_accounts(session.transaction, parents, page, statuses)
