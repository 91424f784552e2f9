"""Reads entities by id: manager accounts, ad accounts, users, addresses and what hangs on them."""

from __future__ import annotations

from collections.abc import Collection

from storage.database import Transaction
from storage.models import (
    AdAccount,
    AdAccountTaxCertificate,
    AdAccountTaxCertificateFile,
    AdAccountTaxInformation,
    Address,
    ContactInfo,
    Login,
    ManagerAccount,
    User,
)
from storage.records.ids import AdAccountId, LoginId, ManagerAccountId, UserId
from storage.records.rows import (
    AdAccountRow,
    AddressRow,
    BillingRow,
    ContactInfoRow,
    ManagerAccountRow,
    TaxCertificateFileRow,
    TaxCertificateRow,
    TaxInformationRow,
    UserRow,
)
from storage.statements import Statement, is_in

MANAGER_ACCOUNT_COLUMNS = (
    ManagerAccount.id,
    ManagerAccount.number,
    ManagerAccount.name,
    ManagerAccount.industry,
    ManagerAccount.market_country,
    ManagerAccount.market_language,
    ManagerAccount.financial_status,
    ManagerAccount.status,
    ManagerAccount.service_level,
    ManagerAccount.created_at_ms,
    ManagerAccount.last_modified_by_user_id,
    ManagerAccount.last_modified_at_ms,
    ManagerAccount.time_stamp,
    ManagerAccount.address,
)
AD_ACCOUNT_COLUMNS = (
    AdAccount.id,
    AdAccount.number,
    AdAccount.name,
    AdAccount.manager_account,
    AdAccount.status,
    AdAccount.financial_status,
    AdAccount.pause_reason,
    AdAccount.currency_code,
    AdAccount.time_zone,
    AdAccount.language,
    AdAccount.auto_tag_type,
    AdAccount.account_mode,
    AdAccount.bill_to_manager_account,
    AdAccount.primary_user,
    AdAccount.created_at_ms,
    AdAccount.last_modified_by_user_id,
    AdAccount.last_modified_at_ms,
    AdAccount.time_stamp,
    AdAccount.business_address,
)
USER_COLUMNS = (
    User.id,
    User.login,
    User.manager_account,
    Login.user_name,
    Login.status,
    User.is_original,
    User.first_name,
    User.middle_initial,
    User.last_name,
    User.job_title,
    User.lcid,
    User.contact_info,
    User.status,
    User.created_at_ms,
    User.last_modified_by_user_id,
    User.last_modified_at_ms,
    User.time_stamp,
)

_MANAGER_ACCOUNTS = Statement(
    ManagerAccount.select(*MANAGER_ACCOUNT_COLUMNS).where(is_in(ManagerAccount.id, "ids")), ManagerAccountRow
)
_AD_ACCOUNTS = Statement(AdAccount.select(*AD_ACCOUNT_COLUMNS).where(is_in(AdAccount.id, "ids")), AdAccountRow)
_USERS = Statement(User.select(*USER_COLUMNS).join(Login).where(is_in(User.id, "ids")), UserRow)
_USERS_OF_LOGINS = Statement(
    User.select(*USER_COLUMNS).join(Login).where(is_in(User.login, "ids")).order_by(User.id), UserRow
)
_ADDRESSES = Statement(
    Address.select(
        Address.id,
        Address.business_name,
        Address.line1,
        Address.line2,
        Address.line3,
        Address.line4,
        Address.city,
        Address.postal_code,
        Address.state_or_province,
        Address.country_code,
        Address.time_stamp,
    ).where(is_in(Address.id, "ids")),
    AddressRow,
)
_CONTACT_INFOS = Statement(
    ContactInfo.select(
        ContactInfo.id,
        ContactInfo.address,
        ContactInfo.email,
        ContactInfo.phone1,
        ContactInfo.phone2,
        ContactInfo.home_phone,
        ContactInfo.mobile,
        ContactInfo.fax,
        ContactInfo.contact_by_phone,
        ContactInfo.contact_by_postal_mail,
        ContactInfo.email_format,
    ).where(is_in(ContactInfo.id, "ids")),
    ContactInfoRow,
)
_BILLING = Statement(
    AdAccount.select(
        AdAccount.id,
        AdAccount.payment_method_id,
        AdAccount.payment_method_type,
        AdAccount.backup_payment_instrument_id,
        AdAccount.sold_to_payment_instrument_id,
        AdAccount.billing_threshold_micros,
        AdAccount.sales_house_manager_account_id,
    ).where(is_in(AdAccount.id, "ids")),
    BillingRow,
)
_TAX_INFORMATION = Statement(
    AdAccountTaxInformation.select(
        AdAccountTaxInformation.ad_account, AdAccountTaxInformation.key, AdAccountTaxInformation.value
    )
    .where(is_in(AdAccountTaxInformation.ad_account, "ids"))
    .order_by(AdAccountTaxInformation.ad_account, AdAccountTaxInformation.key),
    TaxInformationRow,
)
_TAX_CERTIFICATES = Statement(
    AdAccountTaxCertificate.select(
        AdAccountTaxCertificate.ad_account,
        AdAccountTaxCertificate.blob_container_name,
        AdAccountTaxCertificate.status,
    ).where(is_in(AdAccountTaxCertificate.ad_account, "ids")),
    TaxCertificateRow,
)
_TAX_CERTIFICATE_FILES = Statement(
    AdAccountTaxCertificateFile.select(
        AdAccountTaxCertificateFile.ad_account,
        AdAccountTaxCertificateFile.name,
        AdAccountTaxCertificateFile.content,
    )
    .where(is_in(AdAccountTaxCertificateFile.ad_account, "ids"))
    .order_by(AdAccountTaxCertificateFile.ad_account, AdAccountTaxCertificateFile.name),
    TaxCertificateFileRow,
)


def read_manager_accounts(
    tx: Transaction, ids: Collection[ManagerAccountId]
) -> dict[ManagerAccountId, ManagerAccountRow]:
    """Manager accounts by id; unknown ids are left out. Cost: one SELECT."""
    return {row.customer_id: row for row in tx.fetch(_MANAGER_ACCOUNTS, ids=ids)} if ids else {}


def read_ad_accounts(tx: Transaction, ids: Collection[AdAccountId]) -> dict[AdAccountId, AdAccountRow]:
    """Ad accounts by id; unknown ids are left out. Cost: one SELECT."""
    return {row.account_id: row for row in tx.fetch(_AD_ACCOUNTS, ids=ids)} if ids else {}


def read_users(tx: Transaction, ids: Collection[UserId]) -> dict[UserId, UserRow]:
    """Users by id; unknown ids are left out. Cost: one SELECT."""
    return {row.user_id: row for row in tx.fetch(_USERS, ids=ids)} if ids else {}


def read_users_of_logins(tx: Transaction, ids: Collection[LoginId]) -> dict[LoginId, list[UserRow]]:
    """All users of these logins by id; an entry for each login asked. Cost: one SELECT."""
    found: dict[LoginId, list[UserRow]] = {login: [] for login in ids}
    for row in tx.fetch(_USERS_OF_LOGINS, ids=ids) if ids else ():
        found[row.login_id].append(row)
    return found


def read_addresses(tx: Transaction, ids: Collection[int]) -> dict[int, AddressRow]:
    """Addresses by id. Cost: one SELECT."""
    return {row.address_id: row for row in tx.fetch(_ADDRESSES, ids=ids)} if ids else {}


def read_contact_infos(tx: Transaction, ids: Collection[int]) -> dict[int, ContactInfoRow]:
    """Contact infos by id. Cost: one SELECT."""
    return {row.contact_info_id: row for row in tx.fetch(_CONTACT_INFOS, ids=ids)} if ids else {}


def read_billing(tx: Transaction, ids: Collection[AdAccountId]) -> dict[AdAccountId, BillingRow]:
    """How these ad accounts are paid for. Cost: one SELECT."""
    return {row.account_id: row for row in tx.fetch(_BILLING, ids=ids)} if ids else {}


def read_tax_information(
    tx: Transaction, ids: Collection[AdAccountId]
) -> dict[AdAccountId, tuple[TaxInformationRow, ...]]:
    """Tax ids by ad account, an entry for each account asked, ordered by key. Cost: one SELECT."""
    found: dict[AdAccountId, tuple[TaxInformationRow, ...]] = dict.fromkeys(ids, ())
    for row in tx.fetch(_TAX_INFORMATION, ids=ids) if ids else ():
        found[row.account_id] += (row,)
    return found


def read_tax_certificates(
    tx: Transaction, ids: Collection[AdAccountId]
) -> dict[AdAccountId, tuple[TaxCertificateRow, tuple[TaxCertificateFileRow, ...]]]:
    """Certificate and files by ad account; accounts without one are left out. Cost: two SELECTs."""
    if not ids:
        return {}
    files: dict[AdAccountId, tuple[TaxCertificateFileRow, ...]] = {}
    for row in tx.fetch(_TAX_CERTIFICATE_FILES, ids=ids):
        files[row.account_id] = (*files.get(row.account_id, ()), row)
    return {row.account_id: (row, files.get(row.account_id, ())) for row in tx.fetch(_TAX_CERTIFICATES, ids=ids)}
