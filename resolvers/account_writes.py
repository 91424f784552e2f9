"""Changing and deleting ad accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resolvers.account_parts import (
    AD_ACCOUNT,
    Checks,
    MoneyChange,
    address_of,
    is_valid_instrument,
    money_of_change,
    primary_user_of_change,
    refuse_all,
    require_free_name,
    write_address,
)
from resolvers.effects import Region
from resolvers.rules.account_fields import (
    FINAL_BILLING_FAILS,
    INVOICED,
    problems_of_ad_account_name,
    problems_of_country_and_currency,
    problems_of_time_zone,
)
from resolvers.rules.addresses import AddressFields, problems_of_business_address
from resolvers.rules.capabilities import Capability
from resolvers.rules.links import CARRIES_ACCESS
from resolvers.rules.problems import Problem
from resolvers.rules.tax_formats import TaxId, problems_of_change, problems_of_country, problems_of_tax_ids
from resolvers.rules.write_codes import WriteCode
from resolvers.session import fact_of
from resolvers.writing import WriteSession, not_there, refused, require_time_stamp
from storage.account_writes import (
    write_ad_account_fields,
    write_tax_ids,
)
from storage.reads.entities import (
    read_ad_accounts,
    read_addresses,
    read_billing,
    read_tax_information,
)
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.rows import AdAccountRow, AddressRow, BillingRow
from storage.records.values import (
    AdAccountStatus,
    AutoTagType,
    Language,
)
from storage.writes import write_ad_account_status


@dataclass(frozen=True, slots=True)
class AdAccountChange:
    """What an ad account is to become; None leaves a field as it is."""

    account_id: AdAccountId
    time_stamp: str
    name: str
    time_zone: str | None
    language: Language | None
    auto_tag_type: AutoTagType | None
    business_address: AddressFields | None
    tax_information: tuple[TaxId, ...] | None
    primary_user_id: UserId | None
    payment_method_id: int | None
    backup_payment_instrument_id: int | None
    sold_to_payment_instrument_id: int | None
    billing_threshold_micros: int | None


# Changing


def _account(session: WriteSession, key: AdAccountId) -> AdAccountRow:
    row = read_ad_accounts(session.transaction, [key]).get(key)
    if row is None:
        raise not_there("accountId")
    session.have_ad_accounts([row])
    session.know_ad_accounts([key])
    return row


def update_ad_account(session: WriteSession, change: AdAccountChange) -> Mapping[str, Any]:
    """Change an ad account (UpdateAccount).

    Who may only set the auto-tag (a Campaign Manager) sets it; his other fields are ignored. Raises: Refused.
    """
    row = _account(session, change.account_id)
    permissions = session.on_ad_account(row)
    if permissions.allow(Capability.SET_AUTO_TAG) and not permissions.allow(Capability.UPDATE_AD_ACCOUNT):
        session.require(Capability.SET_AUTO_TAG, fact_of(row), "accountId")
        require_time_stamp(change.time_stamp, row.time_stamp, "timeStamp")
        _write_change(session, row, {"auto_tag_type": change.auto_tag_type or row.auto_tag_type}, {}, {})
        return {"account_id": row.account_id}
    session.require(Capability.UPDATE_AD_ACCOUNT, fact_of(row), "accountId")
    require_time_stamp(change.time_stamp, row.time_stamp, "timeStamp")
    _change(session, row, change)
    return {"account_id": row.account_id}


def _change(session: WriteSession, row: AdAccountRow, change: AdAccountChange) -> None:
    tx, key = session.transaction, row.account_id
    billing = read_billing(tx, [key])[key]
    stored = read_addresses(tx, [row.address_id]).get(row.address_id) if row.address_id is not None else None
    taxes = {tax.key: tax.value for tax in read_tax_information(tx, [key])[key]}
    checks = Checks()
    checks.make(refuse_all, [*problems_of_ad_account_name(change.name), *problems_of_time_zone(change.time_zone)])
    checks.make(require_free_name, session, row.owner_id, change.name, key)
    address = checks.make(_changed_address, billing, stored, change.business_address)
    tax_change = checks.make(_changed_taxes, billing, taxes, change.tax_information) or {}
    wanted = MoneyChange(
        change.payment_method_id,
        change.backup_payment_instrument_id,
        change.sold_to_payment_instrument_id,
        change.billing_threshold_micros,
    )
    values = checks.make(money_of_change, session, row, billing, wanted) or {}
    if change.primary_user_id is not None and change.primary_user_id != row.primary_user_id:
        checks.make(primary_user_of_change, session, row, _agencies(session, row), change.primary_user_id)
        values["primary_user_id"] = change.primary_user_id
    checks.refuse()
    _check_whole(row, billing, stored, address, taxes, tax_change, values)
    plain = {"name": change.name, "time_zone": change.time_zone, "auto_tag_type": change.auto_tag_type}
    plain["language"] = change.language
    values |= {name: value for name, value in plain.items() if value is not None}
    _write_change(
        session,
        row,
        values,
        {"stored": stored, "address": address},
        {"stored": taxes, "given": tax_change},
        activates=_activates(session, row, change.payment_method_id),
    )


def _activates(session: WriteSession, row: AdAccountRow, method: int | None) -> bool:
    """A draft becomes active with a valid instrument sent by somebody who manages payment methods."""
    manages = session.on_ad_account(row).allow(Capability.MANAGE_PAYMENT_METHODS)
    is_draft = row.status == AdAccountStatus.DRAFT
    return is_draft and manages and method is not None and is_valid_instrument(session, method)


def _agencies(session: WriteSession, row: AdAccountRow) -> list[ManagerAccountId]:
    links = session.excerpt.facts.account_links_to.get(row.account_id, ())
    return [link.managing_id for link in links if link.status in CARRIES_ACCESS]


def _changed_address(
    billing: BillingRow, stored: AddressRow | None, given: AddressFields | None
) -> AddressFields | None:
    if given is None or given == address_of(stored):
        return None
    if billing.payment_method_type in INVOICED:
        raise refused(
            WriteCode.INVOICE_ACCOUNT_BUSINESS_ADDRESS_NOT_ALLOWED,
            "The account is billed by monthly invoice; its business address is not changed by users.",
            "businessAddress",
        )
    refuse_all(problems_of_business_address(given, "businessAddress", is_change=True))
    return given


def _changed_taxes(billing: BillingRow, stored: Mapping[str, str], given: tuple[TaxId, ...] | None) -> dict[str, str]:
    changed = {tax.key: tax.value for tax in given or () if stored.get(tax.key, "") != tax.value}
    refuse_all(problems_of_tax_ids(given or ()))
    if changed and billing.payment_method_type in INVOICED:
        raise refused(
            WriteCode.INVOICE_ACCOUNT_TAX_ID_NOT_ALLOWED,
            "The account is billed by monthly invoice; its tax ids are not changed by users.",
            "taxInformation",
        )
    refuse_all(problems_of_change(stored, given or ()))
    return changed


def _check_whole(
    row: AdAccountRow,
    billing: BillingRow,
    stored: AddressRow | None,
    address: AddressFields | None,
    taxes: Mapping[str, str],
    tax_change: Mapping[str, str],
    values: Mapping[str, Any],
) -> None:
    """What fits or does not only when everything is looked at together; nothing is judged that stays as it was."""
    becomes = address or address_of(stored)
    if becomes is None:
        return
    problems: list[Problem] = []
    if address is not None or tax_change:
        held = {key: value for key, value in {**taxes, **tax_change}.items() if value}
        problems += problems_of_country(held, becomes)
    if address is not None or "payment_method_type" in values:
        kind = values.get("payment_method_type", billing.payment_method_type)
        problems += problems_of_country_and_currency(becomes.country_code, row.currency_code, kind)
    refuse_all(problems)


def _write_change(
    session: WriteSession,
    row: AdAccountRow,
    values: dict[str, Any],
    address: Mapping[str, Any],
    taxes: Mapping[str, Mapping[str, str]],
    *,
    activates: bool = False,
) -> None:
    tx, key = session.transaction, row.account_id
    stored = read_billing(tx, [key])[key]._asdict() | row._asdict()
    before = {name: stored.get(name) for name in values}
    after = dict(values)
    if address.get("address") is not None:
        values["business_address_id"] = write_address(session, address["stored"], address["address"])
        was = address_of(address["stored"])
        before["business_address"] = None if was is None else was._asdict()
        after["business_address"] = address["address"]._asdict()
    if taxes.get("given"):
        write_tax_ids(tx, key, taxes["given"])
        before["tax_information"] = taxes["stored"]
        held = {**taxes["stored"], **taxes["given"]}
        after["tax_information"] = {name: value for name, value in held.items() if value}
    if activates:
        write_ad_account_status(tx, session.stamp, [key], AdAccountStatus.ACTIVE)
        before["status"], after["status"] = row.status, AdAccountStatus.ACTIVE
    write_ad_account_fields(tx, session.stamp, key, values)
    session.note(AD_ACCOUNT, key, before, after)


# Deleting


def delete_ad_account(session: WriteSession, key: AdAccountId, time_stamp: str) -> Mapping[str, Any]:
    """Make an ad account INACTIVE for good (DeleteAccount). Raises: Refused."""
    row = _account(session, key)
    session.require(Capability.DELETE_AD_ACCOUNT, fact_of(row), "accountId")
    require_time_stamp(time_stamp, row.time_stamp, "timeStamp")
    if row.financial_status in FINAL_BILLING_FAILS:
        raise refused(
            WriteCode.FINAL_BILLING_FAILED,
            f"The balance of ad account {key} is past due and could not be billed; settle it and delete it then.",
            "accountId",
        )
    above = frozenset({row.owner_id, *_agencies(session, row)})
    session.concern(Region(above=above, ad_accounts=frozenset({key})))
    write_ad_account_status(session.transaction, session.stamp, [key], AdAccountStatus.INACTIVE)
    session.note(AD_ACCOUNT, key, {"status": row.status}, {"status": AdAccountStatus.INACTIVE})
    return {"account_id": key}
