"""Adding, changing and deleting ad accounts."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resolvers.account_parts import (
    Checks,
    Money,
    MoneyChange,
    address_of,
    is_valid_instrument,
    money_of_change,
    money_of_new,
    primary_user_of_change,
    primary_user_of_new,
    refuse_all,
    write_address,
)
from resolvers.effects import Region
from resolvers.rules.account_fields import (
    FINAL_BILLING_FAILS,
    INVOICED,
    MOST_LINKED_AGENCIES,
    NEW_AD_ACCOUNT,
    NUMBER_ALPHABET,
    NUMBER_LENGTH,
    language_of_lcid,
    problems_of_ad_account_name,
    problems_of_country_and_currency,
    problems_of_currency,
    problems_of_time_zone,
)
from resolvers.rules.addresses import AddressFields, problems_of_business_address
from resolvers.rules.capabilities import Capability
from resolvers.rules.links import CARRIES_ACCESS
from resolvers.rules.problems import Problem
from resolvers.rules.tax_formats import TaxId, problems_of_change, problems_of_country, problems_of_tax_ids
from resolvers.session import fact_of
from resolvers.writing import WriteSession, not_there, refused, require_time_stamp
from storage.account_writes import (
    new_ad_account_id,
    read_ad_account_named,
    read_draft_of,
    write_ad_account_fields,
    write_tax_ids,
)
from storage.entries import DEFAULT_TIME_ZONE, AdAccountEntry, ClientLinkEntry
from storage.reads.entities import (
    read_ad_accounts,
    read_addresses,
    read_billing,
    read_manager_accounts,
    read_tax_information,
    read_users,
)
from storage.reads.numbers import read_ad_account_ids
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.rows import AdAccountRow, AddressRow, BillingRow
from storage.records.values import (
    AdAccountStatus,
    AutoTagType,
    Language,
    LinkType,
    ManagerAccountStatus,
    Role,
)
from storage.writes import new_client_link_id, write_ad_account_status, write_ad_accounts, write_client_links

KIND = "AdAccount"


@dataclass(frozen=True, slots=True)
class NewAdAccount:
    """An ad account to be added to the manager account `owner`."""

    owner: ManagerAccountId
    name: str
    currency_code: str
    business_address: AddressFields
    time_zone: str | None = None
    auto_tag_type: AutoTagType | None = None
    tax_information: tuple[TaxId, ...] = ()
    primary_user_id: UserId | None = None
    payment_method_id: int | None = None
    sold_to_payment_instrument_id: int | None = None
    linked_agencies: tuple[ManagerAccountId, ...] = ()


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


def _require_free_name(session: WriteSession, owner: ManagerAccountId, name: str, own: AdAccountId | None) -> None:
    taken = read_ad_account_named(session.transaction, owner, name)
    if taken is not None and taken != own:
        message = f"Another ad account of manager account {owner} is called like this; choose another name."
        raise refused("DUPLICATE_ACCOUNT_NAME", message, "name", number=202)


# Adding


def add_ad_account(session: WriteSession, new: NewAdAccount) -> Mapping[str, Any]:
    """Add an ad account; it begins as a draft (AddAccount). Raises: Refused."""
    session.know_manager_accounts([new.owner])
    session.require(Capability.ADD_AD_ACCOUNT, new.owner, "parentCustomerId")
    checks = Checks()
    checks.make(refuse_all, _problems_of_new(new))
    checks.make(_require_free_name, session, new.owner, new.name, None)
    checks.make(_require_no_draft, session, new.owner)
    checks.make(_require_agencies, session, new)
    primary = checks.make(primary_user_of_new, session, new.owner, new.linked_agencies, new.primary_user_id)
    money = checks.make(money_of_new, session, new.owner, new.payment_method_id, new.sold_to_payment_instrument_id)
    kind = None if money is None else money.payment_method_type
    country = new.business_address.country_code
    checks.make(refuse_all, problems_of_country_and_currency(country, new.currency_code, kind))
    checks.refuse()
    if primary is None or money is None:
        raise ValueError("a check found nothing and did not refuse")
    return {"account_id": _write_new(session, new, primary, money)}


def _problems_of_new(new: NewAdAccount) -> list[Problem]:
    held = {tax.key: tax.value for tax in new.tax_information if tax.value}
    return [
        *problems_of_ad_account_name(new.name),
        *problems_of_currency(new.currency_code),
        *problems_of_time_zone(new.time_zone),
        *problems_of_business_address(new.business_address, "businessAddress", is_change=False),
        *problems_of_tax_ids(new.tax_information),
        *problems_of_country(held, new.business_address),
    ]


def _require_no_draft(session: WriteSession, owner: ManagerAccountId) -> None:
    draft = read_draft_of(session.transaction, owner)
    if draft is not None:
        raise refused(
            "DRAFT_ACCOUNT_EXISTS",
            f"Ad account {draft} is still a draft: give it a valid payment method, or delete it, and add another then.",
            "parentCustomerId",
            number=202,
        )


def _require_agencies(session: WriteSession, new: NewAdAccount) -> None:
    if not new.linked_agencies:
        return
    field = "linkedAgencyIds"
    if len(new.linked_agencies) > MOST_LINKED_AGENCIES:
        message = f"A new ad account is linked to at most {MOST_LINKED_AGENCIES} agency."
        raise refused("API_INPUT_VALIDATION_ERROR", message, field, number=201)
    if Role.AGGREGATOR in session.reach.on_manager_account(new.owner).roles:
        raise refused("FORBIDDEN", "An aggregator may not link agencies to new ad accounts.", field, number=106)
    [agency] = new.linked_agencies
    if agency == new.owner:
        message = f"Manager account {agency} owns the ad account; it cannot be its agency as well."
        raise refused("ALREADY_OWNED", message, field, number=202, rule="P10")
    row = read_manager_accounts(session.transaction, [agency]).get(agency)
    if row is None or row.status != ManagerAccountStatus.ACTIVE:
        raise not_there(field)


def _new_number(session: WriteSession) -> str:
    while True:
        number = "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(NUMBER_LENGTH))
        if not read_ad_account_ids(session.transaction, [number]):
            return number


def _write_new(session: WriteSession, new: NewAdAccount, primary: UserId, money: Money) -> AdAccountId:
    tx, stamp = session.transaction, session.stamp
    key = new_ad_account_id(tx)
    session.concern(Region(above=frozenset({new.owner}), ad_accounts=frozenset({key})))
    entry = AdAccountEntry(
        id=key,
        number=_new_number(session),
        name=new.name,
        manager_account_id=new.owner,
        status=NEW_AD_ACCOUNT,
        currency_code=new.currency_code,
        time_zone=new.time_zone or DEFAULT_TIME_ZONE,
        language=language_of_lcid(read_users(tx, [primary])[primary].lcid),
        auto_tag_type=new.auto_tag_type or AutoTagType.INACTIVE,
        business_address_id=write_address(session, None, new.business_address),
        primary_user_id=primary,
        bill_to_manager_account_id=money.bill_to,
        payment_method_id=money.payment_method_id,
        payment_method_type=money.payment_method_type,
        sold_to_payment_instrument_id=money.sold_to_payment_instrument_id,
    )
    write_ad_accounts(tx, stamp, [entry])
    taxes = {tax.key: tax.value for tax in new.tax_information if tax.value}
    write_tax_ids(tx, key, taxes)
    told = {"business_address": new.business_address._asdict(), "tax_information": taxes}
    session.note(KIND, key, None, entry._asdict() | told)
    for agency in new.linked_agencies:
        _link_agency(session, key, agency)
    return key


def _link_agency(session: WriteSession, account: AdAccountId, agency: ManagerAccountId) -> None:
    """A pending account link of the agency; the owner goes on paying."""
    key = new_client_link_id(session.transaction)
    link = ClientLinkEntry(
        id=key,
        type=LinkType.ACCOUNT_LINK,
        managing_id=agency,
        client_manager_account_id=None,
        client_ad_account_id=account,
        permission=None,
        is_bill_to_client=True,
        name=f"Link {key}",
        start_at_ms=session.now,
        inviter_email=session.viewer.user_name,
        inviter_name=read_manager_accounts(session.transaction, [agency])[agency].name,
    )
    write_client_links(session.transaction, session.stamp, [link])
    session.note("ClientLink", key, None, link._asdict())


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
    checks.make(_require_free_name, session, row.owner_id, change.name, key)
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
            "INVOICE_ACCOUNT_BUSINESS_ADDRESS_NOT_ALLOWED",
            "The account is billed by monthly invoice; its business address is not changed by users.",
            "businessAddress",
            number=1138,
        )
    refuse_all(problems_of_business_address(given, "businessAddress", is_change=True))
    return given


def _changed_taxes(billing: BillingRow, stored: Mapping[str, str], given: tuple[TaxId, ...] | None) -> dict[str, str]:
    changed = {tax.key: tax.value for tax in given or () if stored.get(tax.key, "") != tax.value}
    refuse_all(problems_of_tax_ids(given or ()))
    if changed and billing.payment_method_type in INVOICED:
        raise refused(
            "INVOICE_ACCOUNT_TAX_ID_NOT_ALLOWED",
            "The account is billed by monthly invoice; its tax ids are not changed by users.",
            "taxInformation",
            number=1137,
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
    session.note(KIND, key, before, after)


# Deleting


def delete_ad_account(session: WriteSession, key: AdAccountId, time_stamp: str) -> Mapping[str, Any]:
    """Make an ad account INACTIVE for good (DeleteAccount). Raises: Refused."""
    row = _account(session, key)
    session.require(Capability.DELETE_AD_ACCOUNT, fact_of(row), "accountId")
    require_time_stamp(time_stamp, row.time_stamp, "timeStamp")
    if row.financial_status in FINAL_BILLING_FAILS:
        raise refused(
            "FINAL_BILLING_FAILED",
            f"The balance of ad account {key} is past due and could not be billed; settle it and delete it then.",
            "accountId",
            number=2204,
        )
    above = frozenset({row.owner_id, *_agencies(session, row)})
    session.concern(Region(above=above, ad_accounts=frozenset({key})))
    write_ad_account_status(session.transaction, session.stamp, [key], AdAccountStatus.INACTIVE)
    session.note(KIND, key, {"status": row.status}, {"status": AdAccountStatus.INACTIVE})
    return {"account_id": key}
