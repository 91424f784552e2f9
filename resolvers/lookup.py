"""Entities by id, as the viewer may see them: hidden and unknown look alike.

What only a chain over the limit leads to is neither (rule P10): its refusal stands in its place, and spoils no other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from resolvers.errors import Refusal
from resolvers.rules.paths import AnyTarget
from resolvers.session import AD_ACCOUNT, MANAGER_ACCOUNT, Session, fact_of
from storage.reads.entities import (
    read_ad_accounts,
    read_addresses,
    read_billing,
    read_contact_infos,
    read_manager_accounts,
    read_tax_certificates,
    read_tax_information,
)
from storage.records.ids import AdAccountId, ManagerAccountId
from storage.records.rows import (
    AdAccountRow,
    AddressRow,
    BillingRow,
    ContactInfoRow,
    ManagerAccountRow,
    TaxCertificateFileRow,
    TaxCertificateRow,
    TaxInformationRow,
)

ADDRESS = "address"
K = TypeVar("K")
V = TypeVar("V")


def visible_manager_accounts(
    session: Session, ids: Collection[ManagerAccountId]
) -> dict[ManagerAccountId, ManagerAccountRow | Refusal]:
    """Those of these manager accounts the viewer may see, or their refusals. Cost: at most eight SELECTs."""
    with session.looking_up(len(ids)):
        rows = read_manager_accounts(session.transaction, ids)
        session.have_manager_accounts(list(rows.values()))
        session.know_manager_accounts(list(rows))
        return _seen(session, rows, {key: key for key in rows})


def visible_ad_accounts(session: Session, ids: Collection[AdAccountId]) -> dict[AdAccountId, AdAccountRow | Refusal]:
    """Those of these ad accounts the viewer may see, or their refusals. Cost: at most ten SELECTs."""
    with session.looking_up(len(ids)):
        rows = read_ad_accounts(session.transaction, ids)
        session.have_ad_accounts(list(rows.values()))
        session.know_ad_accounts(list(rows))
        return _seen(session, rows, {key: fact_of(row) for key, row in rows.items()})


def _seen(session: Session, rows: Mapping[K, V], targets: Mapping[K, AnyTarget]) -> dict[K, V | Refusal]:
    found: dict[K, V | Refusal] = {}
    for key, row in rows.items():
        try:
            if session.sees(targets[key]):
                found[key] = row
        except Refusal as refusal:
            found[key] = refusal
    return found


def manager_account_by_id(session: Session, key: ManagerAccountId) -> ManagerAccountRow | None:
    """A manager account the viewer may see, or None; loaded for its whole cohort."""
    return session.together(MANAGER_ACCOUNT, key, "row", lambda ids: visible_manager_accounts(session, ids))


def ad_account_by_id(session: Session, key: AdAccountId) -> AdAccountRow | None:
    """An ad account the viewer may see, or None; loaded for its whole cohort."""
    return session.together(AD_ACCOUNT, key, "row", lambda ids: visible_ad_accounts(session, ids))


def owner_of(session: Session, row: AdAccountRow) -> ManagerAccountRow | None:
    """The manager account that owns an ad account, or None when the viewer may not see it."""

    def load(ids: list[AdAccountId]) -> dict[AdAccountId, ManagerAccountRow | Refusal]:
        owners = {one: session.ad_accounts[one].parent_customer_id for one in ids if one in session.ad_accounts}
        seen = visible_manager_accounts(session, list(set(owners.values())))
        return {one: seen[owner] for one, owner in owners.items() if owner in seen}

    return session.together(AD_ACCOUNT, row.account_id, "owner", load)


# What hangs on an entity the viewer sees


def address_by_id(session: Session, key: int | None) -> AddressRow | None:
    """An address. Register the ids of a list first, and one SELECT serves it."""
    if key is None:
        return None
    return session.together(ADDRESS, key, "row", lambda ids: read_addresses(session.transaction, ids))


def address_of_ad_account(session: Session, row: AdAccountRow) -> AddressRow | None:
    """The business address of an ad account. Cost: one SELECT a cohort."""

    def load(ids: list[AdAccountId]) -> dict[AdAccountId, AddressRow]:
        where = {one: session.ad_accounts[one].address_id for one in ids if one in session.ad_accounts}
        found = read_addresses(session.transaction, [key for key in where.values() if key is not None])
        return {one: found[key] for one, key in where.items() if key in found}

    return session.together(AD_ACCOUNT, row.account_id, "address", load)


def address_of_manager_account(session: Session, row: ManagerAccountRow) -> AddressRow | None:
    """The address of a manager account. Cost: one SELECT a cohort."""

    def load(ids: list[ManagerAccountId]) -> dict[ManagerAccountId, AddressRow]:
        rows = session.manager_accounts
        where = {one: rows[one].address_id for one in ids if one in rows}
        found = read_addresses(session.transaction, [key for key in where.values() if key is not None])
        return {one: found[key] for one, key in where.items() if key in found}

    return session.together(MANAGER_ACCOUNT, row.customer_id, "address", load)


def contact_infos(session: Session, ids: list[int]) -> dict[int, ContactInfoRow]:
    """Contact infos by id; their addresses will be loaded together."""
    found = read_contact_infos(session.transaction, ids)
    session.register(ADDRESS, [row.address_id for row in found.values() if row.address_id is not None])
    return found


def billing_of(session: Session, row: AdAccountRow) -> BillingRow | None:
    """How an ad account is paid for. Cost: one SELECT a cohort."""
    return session.together(AD_ACCOUNT, row.account_id, "billing", lambda ids: read_billing(session.transaction, ids))


def tax_information_of(session: Session, row: AdAccountRow) -> tuple[TaxInformationRow, ...]:
    """The tax ids of an ad account, by key. Cost: one SELECT a cohort."""
    found = session.together(
        AD_ACCOUNT, row.account_id, "tax", lambda ids: read_tax_information(session.transaction, ids)
    )
    return found or ()


def tax_certificate_of(
    session: Session, row: AdAccountRow
) -> tuple[TaxCertificateRow, tuple[TaxCertificateFileRow, ...]] | None:
    """The tax certificate of an ad account and its files. Cost: two SELECTs a cohort."""
    return session.together(
        AD_ACCOUNT, row.account_id, "tax certificate", lambda ids: read_tax_certificates(session.transaction, ids)
    )
