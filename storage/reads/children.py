"""Reads what stands one level under manager accounts: owned, linked and aggregated, page by page.

A page is cut per parent inside the database, so the cost of a page does not depend on its number.
Children are ordered by id. `limit` counts rows per parent; `None` bounds are given as ALL.

Parents are joined by CROSS JOIN, which SQLite takes in the order written: left to choose, it once read the
whole table of links for every page (49 ms instead of 0.03 with 1,400 links).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from peewee import JOIN, fn

from storage.database import Transaction
from storage.models import AdAccount, Aggregation, ClientLink, ManagerAccount
from storage.reads.entities import AD_ACCOUNT_COLUMNS
from storage.reads.facts import CARRIES_ACCESS
from storage.records.ids import MAX_ID, AdAccountId, ManagerAccountId
from storage.records.rows import AdAccountRow, ChildLink
from storage.records.values import AdAccountStatus, LinkType, ManagerAccountStatus, Relationship
from storage.statements import Param, Statement, each, is_in


@dataclass(frozen=True, slots=True)
class ChildPage:
    """Which children of each parent: those after (or, backwards, before) an id, at most so many."""

    limit: int
    after_id: int = -1
    before_id: int = MAX_ID
    backwards: bool = False


class AggregatedAdAccount(NamedTuple):
    """An ad account in a manager account that an aggregator signed up."""

    aggregator_id: ManagerAccountId
    ad_account_id: AdAccountId
    owner_id: ManagerAccountId


class _Counted(NamedTuple):
    parent_id: ManagerAccountId
    total: int


def _window(column: Any, *, backwards: bool) -> tuple[Any, Any]:
    between = (column > Param("after_id")) & (column < Param("before_id"))
    return between, column.desc() if backwards else column.asc()


def _status_of(column: Any) -> Any:
    return is_in(column, "statuses")


def _owned(*, backwards: bool) -> Statement[AdAccountRow]:
    parent = each("ids")
    Inner = AdAccount.alias("page")
    between, order = _window(Inner.id, backwards=backwards)
    page = (
        Inner.select(Inner.id)
        .where((Inner.manager_account == parent.c.value) & between & _status_of(Inner.status))
        .order_by(order)
        .limit(Param("limit"))
    )
    return Statement(
        AdAccount.select(*AD_ACCOUNT_COLUMNS).from_(parent).join(AdAccount, JOIN.CROSS).where(AdAccount.id.in_(page)),
        AdAccountRow,
    )


def _every_owned() -> Statement[AdAccountRow]:
    return Statement(
        AdAccount.select(*AD_ACCOUNT_COLUMNS)
        .where(is_in(AdAccount.manager_account, "ids") & _status_of(AdAccount.status))
        .limit(Param("limit")),
        AdAccountRow,
    )


def _linked_ad_accounts(*, backwards: bool) -> Statement[ChildLink]:
    parent = each("ids")
    Inner = ClientLink.alias("page")
    Account = AdAccount.alias("account")
    between, order = _window(Inner.client_ad_account, backwards=backwards)
    page = (
        Inner.select(Inner.id)
        .join(Account, on=(Account.id == Inner.client_ad_account))
        .where(
            (Inner.managing == parent.c.value)
            & (Inner.type == LinkType.ACCOUNT_LINK)
            & Inner.status.in_(CARRIES_ACCESS)
            & between
            & _status_of(Account.status)
        )
        .order_by(order)
        .limit(Param("limit"))
    )
    return Statement(
        ClientLink.select(
            ClientLink.managing,
            ClientLink.client_ad_account,
            ClientLink.type,
            ClientLink.id,
            _null(),
            _null(),
            ClientLink.status,
        )
        .from_(parent)
        .join(ClientLink, JOIN.CROSS)
        .where(ClientLink.id.in_(page)),
        ChildLink,
    )


def _linked_manager_accounts(*, backwards: bool) -> Statement[ChildLink]:
    parent = each("ids")
    Inner = ClientLink.alias("page")
    Client = ManagerAccount.alias("client")
    between, order = _window(Inner.client_manager_account, backwards=backwards)
    page = (
        Inner.select(Inner.id)
        .join(Client, on=(Client.id == Inner.client_manager_account))
        .where(
            (Inner.managing == parent.c.value)
            & (Inner.type == LinkType.CUSTOMER_LINK)
            & Inner.status.in_(CARRIES_ACCESS)
            & between
            & _status_of(Client.status)
        )
        .order_by(order)
        .limit(Param("limit"))
    )
    return Statement(
        ClientLink.select(
            ClientLink.managing,
            ClientLink.client_manager_account,
            ClientLink.type,
            ClientLink.id,
            _null(),
            ClientLink.permission,
            ClientLink.status,
        )
        .from_(parent)
        .join(ClientLink, JOIN.CROSS)
        .where(ClientLink.id.in_(page)),
        ChildLink,
    )


def _null() -> Any:
    return fn.NULLIF(1, 1)


def _aggregated_manager_accounts(*, backwards: bool) -> Statement[Any]:
    parent = each("ids")
    Inner = Aggregation.alias("page")
    Client = ManagerAccount.alias("client")
    between, order = _window(Inner.manager_account, backwards=backwards)
    page = (
        Inner.select(Inner.id)
        .join(Client, on=(Client.id == Inner.manager_account))
        .where(
            (Inner.aggregator == parent.c.value) & Inner.ended_revision.is_null() & between & _status_of(Client.status)
        )
        .order_by(order)
        .limit(Param("limit"))
    )
    return Statement(
        Aggregation.select(Aggregation.aggregator, Aggregation.manager_account, Aggregation.id)
        .from_(parent)
        .join(Aggregation, JOIN.CROSS)
        .where(Aggregation.id.in_(page))
    )


def _aggregated_ad_accounts(*, backwards: bool) -> Statement[AggregatedAdAccount]:
    parent = each("ids")
    Inner = AdAccount.alias("page")
    Sign = Aggregation.alias("sign")
    between, order = _window(Inner.id, backwards=backwards)
    page = (
        Inner.select(Inner.id)
        .join(Sign, on=(Sign.manager_account == Inner.manager_account))
        .where((Sign.aggregator == parent.c.value) & Sign.ended_revision.is_null() & between & _status_of(Inner.status))
        .order_by(order)
        .limit(Param("limit"))
    )
    return Statement(
        AdAccount.select(parent.c.value, AdAccount.id, AdAccount.manager_account)
        .from_(parent)
        .join(AdAccount, JOIN.CROSS)
        .where(AdAccount.id.in_(page)),
        AggregatedAdAccount,
    )


_OWNED = {flag: _owned(backwards=flag) for flag in (False, True)}
_EVERY_OWNED = _every_owned()
_LINKED_AD_ACCOUNTS = {flag: _linked_ad_accounts(backwards=flag) for flag in (False, True)}
_LINKED_MANAGER_ACCOUNTS = {flag: _linked_manager_accounts(backwards=flag) for flag in (False, True)}
_AGGREGATED_MANAGER_ACCOUNTS = {flag: _aggregated_manager_accounts(backwards=flag) for flag in (False, True)}
_AGGREGATED_AD_ACCOUNTS = {flag: _aggregated_ad_accounts(backwards=flag) for flag in (False, True)}

ALL_AD_ACCOUNT_STATUSES = tuple(AdAccountStatus)
ALL_MANAGER_ACCOUNT_STATUSES = tuple(ManagerAccountStatus)


def _bounds(page: ChildPage) -> dict[str, int]:
    return {"after_id": page.after_id, "before_id": page.before_id, "limit": page.limit}


def read_owned_ad_accounts(
    tx: Transaction,
    ids: Collection[ManagerAccountId],
    page: ChildPage,
    statuses: Sequence[AdAccountStatus] = ALL_AD_ACCOUNT_STATUSES,
) -> list[AdAccountRow]:
    """The ad accounts these manager accounts own, `page.limit` at most of each. Cost: one SELECT."""
    return tx.fetch(_OWNED[page.backwards], ids=ids, statuses=statuses, **_bounds(page)) if ids else []


def read_every_owned_ad_account(
    tx: Transaction,
    ids: Collection[ManagerAccountId],
    limit: int,
    statuses: Sequence[AdAccountStatus] = ALL_AD_ACCOUNT_STATUSES,
) -> list[AdAccountRow]:
    """All ad accounts these manager accounts own, in no order; the work stops at `limit` rows in all.

    Cost: one SELECT. A result of `limit` rows means there may be more.
    """
    return tx.fetch(_EVERY_OWNED, ids=ids, statuses=statuses, limit=limit) if ids else []


def read_linked_ad_accounts(
    tx: Transaction,
    ids: Collection[ManagerAccountId],
    page: ChildPage,
    statuses: Sequence[AdAccountStatus] = ALL_AD_ACCOUNT_STATUSES,
) -> list[ChildLink]:
    """The account links these manager accounts hold that carry access. Cost: one SELECT."""
    return tx.fetch(_LINKED_AD_ACCOUNTS[page.backwards], ids=ids, statuses=statuses, **_bounds(page)) if ids else []


def read_linked_manager_accounts(
    tx: Transaction,
    ids: Collection[ManagerAccountId],
    page: ChildPage,
    statuses: Sequence[ManagerAccountStatus] = ALL_MANAGER_ACCOUNT_STATUSES,
) -> list[ChildLink]:
    """The customer links these manager accounts hold that carry access. Cost: one SELECT."""
    if not ids:
        return []
    return tx.fetch(_LINKED_MANAGER_ACCOUNTS[page.backwards], ids=ids, statuses=statuses, **_bounds(page))


def read_aggregated_manager_accounts(
    tx: Transaction,
    ids: Collection[ManagerAccountId],
    page: ChildPage,
    statuses: Sequence[ManagerAccountStatus] = ALL_MANAGER_ACCOUNT_STATUSES,
) -> list[ChildLink]:
    """The manager accounts these aggregators signed up. Cost: one SELECT."""
    if not ids:
        return []
    rows = tx.fetch(_AGGREGATED_MANAGER_ACCOUNTS[page.backwards], ids=ids, statuses=statuses, **_bounds(page))
    return [_aggregated(row) for row in rows]


def read_aggregated_ad_accounts(
    tx: Transaction,
    ids: Collection[ManagerAccountId],
    page: ChildPage,
    statuses: Sequence[AdAccountStatus] = ALL_AD_ACCOUNT_STATUSES,
) -> list[AggregatedAdAccount]:
    """The ad accounts in the manager accounts these aggregators signed up. Cost: one SELECT."""
    if not ids:
        return []
    return tx.fetch(_AGGREGATED_AD_ACCOUNTS[page.backwards], ids=ids, statuses=statuses, **_bounds(page))


def _aggregated(row: tuple[Any, ...]) -> ChildLink:
    return ChildLink(row[0], row[1], Relationship.AGGREGATED, None, row[2], None, None)


# Counting

_COUNT_OWNED = Statement(
    AdAccount.select(AdAccount.manager_account, fn.COUNT(AdAccount.id))
    .where(is_in(AdAccount.manager_account, "ids") & _status_of(AdAccount.status))
    .group_by(AdAccount.manager_account),
    _Counted,
)
_COUNT_LINKED_AD_ACCOUNTS = Statement(
    ClientLink.select(ClientLink.managing, fn.COUNT(ClientLink.id))
    .join(AdAccount, on=(AdAccount.id == ClientLink.client_ad_account))
    .where(
        is_in(ClientLink.managing, "ids")
        & (ClientLink.type == LinkType.ACCOUNT_LINK)
        & ClientLink.status.in_(CARRIES_ACCESS)
        & _status_of(AdAccount.status)
    )
    .group_by(ClientLink.managing),
    _Counted,
)
_COUNT_AGGREGATED_AD_ACCOUNTS = Statement(
    Aggregation.select(Aggregation.aggregator, fn.COUNT(AdAccount.id))
    .join(AdAccount, on=(AdAccount.manager_account == Aggregation.manager_account))
    .where(is_in(Aggregation.aggregator, "ids") & Aggregation.ended_revision.is_null() & _status_of(AdAccount.status))
    .group_by(Aggregation.aggregator),
    _Counted,
)


def count_ad_accounts(
    tx: Transaction,
    ids: Collection[ManagerAccountId],
    relationships: Collection[Relationship],
    statuses: Sequence[AdAccountStatus] = ALL_AD_ACCOUNT_STATUSES,
) -> dict[ManagerAccountId, int]:
    """How many ad accounts stand under each manager account. Cost: one SELECT a relationship."""
    statements = {
        Relationship.OWNED: _COUNT_OWNED,
        Relationship.ACCOUNT_LINK: _COUNT_LINKED_AD_ACCOUNTS,
        Relationship.AGGREGATED: _COUNT_AGGREGATED_AD_ACCOUNTS,
    }
    counts = dict.fromkeys(ids, 0)
    for relationship, statement in statements.items():
        if relationship in relationships and ids:
            for row in tx.fetch(statement, ids=ids, statuses=statuses):
                counts[row.parent_id] += row.total
    return counts


_OWNED_IDS = Statement(
    AdAccount.select(AdAccount.manager_account, AdAccount.id).where(is_in(AdAccount.manager_account, "ids"))
)


def read_owned_ad_account_ids(
    tx: Transaction, ids: Collection[ManagerAccountId]
) -> dict[ManagerAccountId, tuple[AdAccountId, ...]]:
    """The ids of the ad accounts in these manager accounts; an entry for each asked. Cost: one SELECT."""
    found: dict[ManagerAccountId, list[AdAccountId]] = {manager_account: [] for manager_account in ids}
    for owner, ad_account in tx.fetch(_OWNED_IDS, ids=ids) if ids else ():
        found[owner].append(ad_account)
    return {owner: tuple(sorted(accounts)) for owner, accounts in found.items()}
