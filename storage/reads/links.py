"""Reads client links as entities: with both ends' names and numbers, and with their history."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from peewee import JOIN, fn

from storage.database import Transaction
from storage.models import AdAccount, ClientLink, ClientLinkPeriod, ManagerAccount
from storage.records.ids import AdAccountId, ClientLinkId, ManagerAccountId
from storage.records.rows import ClientLinkPeriodRow, ClientLinkRow
from storage.records.values import LinkType
from storage.statements import Statement, is_in

_Client = ManagerAccount.alias("client")
_Newer = ClientLink.alias("newer")


def _links(where: Any, *, latest: bool) -> Statement[ClientLinkRow]:
    condition = where
    if latest:
        condition &= ~fn.EXISTS(_Newer.select(1).where(_Newer.previous == ClientLink.id))
    return Statement(
        ClientLink.select(
            ClientLink.id,
            ClientLink.type,
            ClientLink.managing,
            ManagerAccount.number,
            ManagerAccount.name,
            ClientLink.client_manager_account,
            ClientLink.client_ad_account,
            fn.COALESCE(_Client.number, AdAccount.number),
            fn.COALESCE(_Client.name, AdAccount.name),
            fn.COALESCE(ClientLink.client_manager_account, AdAccount.manager_account),
            ClientLink.permission,
            ClientLink.is_bill_to_client,
            ClientLink.status,
            ClientLink.start_at_ms,
            ClientLink.name,
            ClientLink.note,
            ClientLink.inviter_email,
            ClientLink.inviter_name,
            ClientLink.inviter_phone,
            ClientLink.suppress_notification,
            ClientLink.previous,
            ClientLink.created_at_ms,
            ClientLink.last_modified_by_user_id,
            ClientLink.last_modified_at_ms,
            ClientLink.time_stamp,
        )
        .join(ManagerAccount, on=(ManagerAccount.id == ClientLink.managing))
        .switch(ClientLink)
        .join(_Client, JOIN.LEFT_OUTER, on=(_Client.id == ClientLink.client_manager_account))
        .switch(ClientLink)
        .join(AdAccount, JOIN.LEFT_OUTER, on=(AdAccount.id == ClientLink.client_ad_account))
        .where(condition),
        ClientLinkRow,
    )


_BY_ID = _links(is_in(ClientLink.id, "ids"), latest=False)
_MANAGED_BY = _links(is_in(ClientLink.managing, "ids"), latest=True)
_CUSTOMER_LINKS_TO = _links(is_in(ClientLink.client_manager_account, "ids"), latest=True)
_ACCOUNT_LINKS_TO = _links(is_in(ClientLink.client_ad_account, "ids"), latest=True)
_OwnedBy = AdAccount.alias("owned")
_ACCOUNT_LINKS_INTO = _links(
    ClientLink.client_ad_account.in_(_OwnedBy.select(_OwnedBy.id).where(is_in(_OwnedBy.manager_account, "ids")))
    & (ClientLink.type == LinkType.ACCOUNT_LINK),
    latest=True,
)

_PERIODS = Statement(
    ClientLinkPeriod.select(
        ClientLinkPeriod.id,
        ClientLinkPeriod.client_link,
        ClientLinkPeriod.status,
        ClientLinkPeriod.began_at_ms,
        ClientLinkPeriod.began_revision,
        ClientLinkPeriod.actor_user_id,
        ClientLinkPeriod.note,
    )
    .where(is_in(ClientLinkPeriod.client_link, "ids"))
    .order_by(ClientLinkPeriod.client_link, ClientLinkPeriod.id),
    ClientLinkPeriodRow,
)


def read_client_links(tx: Transaction, ids: Collection[ClientLinkId]) -> dict[ClientLinkId, ClientLinkRow]:
    """Links by id, any generation; unknown ids are left out. Cost: one SELECT."""
    return {row.link_id: row for row in tx.fetch(_BY_ID, ids=ids)} if ids else {}


def read_links_managed_by(tx: Transaction, ids: Collection[ManagerAccountId]) -> list[ClientLinkRow]:
    """The latest link of every pair these manager accounts manage, both kinds. Cost: one SELECT."""
    return tx.fetch(_MANAGED_BY, ids=ids) if ids else []


def read_customer_links_to(tx: Transaction, ids: Collection[ManagerAccountId]) -> list[ClientLinkRow]:
    """The latest customer link of every pair whose client is one of these manager accounts. Cost: one SELECT."""
    return tx.fetch(_CUSTOMER_LINKS_TO, ids=ids) if ids else []


def read_account_links_to(tx: Transaction, ids: Collection[AdAccountId]) -> list[ClientLinkRow]:
    """The latest account link of every pair whose client is one of these ad accounts. Cost: one SELECT."""
    return tx.fetch(_ACCOUNT_LINKS_TO, ids=ids) if ids else []


def read_account_links_into(tx: Transaction, ids: Collection[ManagerAccountId]) -> list[ClientLinkRow]:
    """The latest account link to each ad account these manager accounts own. Cost: one SELECT."""
    return tx.fetch(_ACCOUNT_LINKS_INTO, ids=ids) if ids else []


def read_link_periods(
    tx: Transaction, ids: Collection[ClientLinkId]
) -> dict[ClientLinkId, tuple[ClientLinkPeriodRow, ...]]:
    """The statuses of these links in the order they were taken; an entry for each asked. Cost: one SELECT."""
    found: dict[ClientLinkId, tuple[ClientLinkPeriodRow, ...]] = dict.fromkeys(ids, ())
    for row in tx.fetch(_PERIODS, ids=ids) if ids else ():
        found[row.link_id] += (row,)
    return found
