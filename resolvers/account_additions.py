"""Adding ad accounts."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resolvers.account_parts import (
    AD_ACCOUNT,
    Checks,
    Money,
    money_of_new,
    primary_user_of_new,
    refuse_all,
    require_free_name,
    write_address,
)
from resolvers.effects import Region
from resolvers.rules.account_fields import (
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
from resolvers.rules.problems import Problem
from resolvers.rules.tax_formats import TaxId, problems_of_country, problems_of_tax_ids
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import WriteSession, not_there, refused
from storage.account_writes import (
    new_ad_account_id,
    read_draft_of,
    write_tax_ids,
)
from storage.entries import DEFAULT_TIME_ZONE, AdAccountEntry, ClientLinkEntry
from storage.reads.entities import (
    read_manager_accounts,
    read_users,
)
from storage.reads.numbers import read_ad_account_ids
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.values import (
    AutoTagType,
    LinkType,
    ManagerAccountStatus,
    Role,
)
from storage.writes import new_client_link_id, write_ad_accounts, write_client_links


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


def add_ad_account(session: WriteSession, new: NewAdAccount) -> Mapping[str, Any]:
    """Add an ad account; it begins as a draft (AddAccount). Raises: Refused."""
    session.know_manager_accounts([new.owner])
    session.require(Capability.ADD_AD_ACCOUNT, new.owner, "parentCustomerId")
    checks = Checks()
    checks.make(refuse_all, _problems_of_new(new))
    checks.make(require_free_name, session, new.owner, new.name, None)
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
            WriteCode.DRAFT_ACCOUNT_EXISTS,
            f"Ad account {draft} is still a draft: give it a valid payment method, or delete it, and add another then.",
            "parentCustomerId",
        )


def _require_agencies(session: WriteSession, new: NewAdAccount) -> None:
    if not new.linked_agencies:
        return
    field = "linkedAgencyIds"
    if len(new.linked_agencies) > MOST_LINKED_AGENCIES:
        message = f"A new ad account is linked to at most {MOST_LINKED_AGENCIES} agency."
        raise refused(WriteCode.API_INPUT_VALIDATION_ERROR, message, field)
    if Role.AGGREGATOR in session.reach.on_manager_account(new.owner).roles:
        raise refused(WriteCode.FORBIDDEN, "An aggregator may not link agencies to new ad accounts.", field, rule="C13")
    [agency] = new.linked_agencies
    if agency == new.owner:
        message = f"Manager account {agency} owns the ad account; it cannot be its agency as well."
        raise refused(WriteCode.ALREADY_OWNED, message, field)
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
    session.note(AD_ACCOUNT, key, None, entry._asdict() | told)
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
