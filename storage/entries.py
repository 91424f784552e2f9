"""What is to be written: one class per table, with the defaults a new row has.

Fields are named as the columns. What follows from the rest (folded names, who wrote it and when, the
concurrency token) is added by `storage.writes`.
"""

from __future__ import annotations

from typing import NamedTuple

from storage.records.facts import EveryAccount, Scope
from storage.records.ids import (
    AdAccountId,
    AggregationId,
    AssignmentId,
    ClientLinkId,
    InvitationId,
    LoginId,
    ManagerAccountId,
    PaymentInstrumentId,
    UserId,
)
from storage.records.values import (
    AdAccountFinancialStatus,
    AdAccountStatus,
    AutoTagType,
    ClientLinkStatus,
    EmailFormat,
    Industry,
    InvitationStatus,
    Language,
    LinkPermission,
    LinkType,
    LoginStatus,
    ManagerAccountFinancialStatus,
    ManagerAccountStatus,
    PaymentMethodType,
    Role,
    ServiceLevel,
    TaxCertificateStatus,
    UserStatus,
)

DEFAULT_TIME_ZONE = "PacificTimeUSCanadaTijuana"
DEFAULT_LCID = "EnglishUS"


class AddressEntry(NamedTuple):
    """A postal address."""

    id: int
    business_name: str | None = None
    line1: str | None = None
    line2: str | None = None
    line3: str | None = None
    line4: str | None = None
    city: str | None = None
    postal_code: str | None = None
    state_or_province: str | None = None
    country_code: str | None = None


class ManagerAccountEntry(NamedTuple):
    """A manager account."""

    id: ManagerAccountId
    number: str
    name: str
    industry: Industry = Industry.OTHER
    market_country: str = "US"
    market_language: Language = Language.ENGLISH
    address_id: int | None = None
    financial_status: ManagerAccountFinancialStatus = ManagerAccountFinancialStatus.CLEAR_FINANCIAL_STATUS
    status: ManagerAccountStatus = ManagerAccountStatus.ACTIVE
    service_level: ServiceLevel = ServiceLevel.SELF_SERVE


class LoginEntry(NamedTuple):
    """A login; `merged_into_id` is set exactly when it is merged."""

    id: LoginId
    user_name: str
    status: LoginStatus = LoginStatus.ACTIVE
    merged_into_id: LoginId | None = None


class ContactInfoEntry(NamedTuple):
    """How a user is reached."""

    id: int
    address_id: int | None = None
    email: str | None = None
    phone1: str | None = None
    phone2: str | None = None
    home_phone: str | None = None
    mobile: str | None = None
    fax: str | None = None
    contact_by_phone: bool | None = None
    contact_by_postal_mail: bool | None = None
    email_format: EmailFormat | None = None


class UserEntry(NamedTuple):
    """A user of a manager account."""

    id: UserId
    login_id: LoginId
    manager_account_id: ManagerAccountId
    is_original: bool = True
    first_name: str | None = None
    middle_initial: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    lcid: str = DEFAULT_LCID
    contact_info_id: int | None = None
    status: UserStatus = UserStatus.ACTIVE


class AdAccountEntry(NamedTuple):
    """An ad account."""

    id: AdAccountId
    number: str
    name: str
    manager_account_id: ManagerAccountId
    status: AdAccountStatus = AdAccountStatus.ACTIVE
    pause_reason: int | None = None
    financial_status: AdAccountFinancialStatus = AdAccountFinancialStatus.CLEAR_FINANCIAL_STATUS
    currency_code: str = "USD"
    time_zone: str = DEFAULT_TIME_ZONE
    language: Language | None = Language.ENGLISH
    auto_tag_type: AutoTagType = AutoTagType.INACTIVE
    account_mode: str | None = "Expert"
    business_address_id: int | None = None
    primary_user_id: UserId | None = None
    bill_to_manager_account_id: ManagerAccountId | None = None
    payment_method_id: int | None = None
    payment_method_type: PaymentMethodType | None = None
    backup_payment_instrument_id: int | None = None
    sold_to_payment_instrument_id: int | None = None
    billing_threshold_micros: int | None = None
    sales_house_manager_account_id: ManagerAccountId | None = None


class PaymentInstrumentEntry(NamedTuple):
    """What a manager account pays with."""

    id: PaymentInstrumentId
    manager_account_id: ManagerAccountId
    type: PaymentMethodType = PaymentMethodType.INVOICE
    is_valid: bool = True


class TaxInformationEntry(NamedTuple):
    """One tax id of an ad account, under its documented key."""

    ad_account_id: AdAccountId
    key: str
    value: str


class TaxCertificateEntry(NamedTuple):
    """The tax certificate of an ad account, with its files by name."""

    ad_account_id: AdAccountId
    blob_container_name: str | None = None
    status: TaxCertificateStatus = TaxCertificateStatus.PENDING
    files: tuple[tuple[str, bytes], ...] = ()


class AssignmentEntry(NamedTuple):
    """A role of a user."""

    id: AssignmentId
    user_id: UserId
    manager_account_id: ManagerAccountId
    role: Role
    scope: Scope = EveryAccount()


class ClientLinkEntry(NamedTuple):
    """One generation of a link. `previous_id` names the generation before it of the same pair."""

    id: ClientLinkId
    type: LinkType
    managing_id: ManagerAccountId
    client_manager_account_id: ManagerAccountId | None
    client_ad_account_id: AdAccountId | None
    permission: LinkPermission | None
    is_bill_to_client: bool | None
    name: str
    start_at_ms: int
    status: ClientLinkStatus = ClientLinkStatus.LINK_PENDING
    note: str | None = None
    inviter_email: str | None = None
    inviter_name: str | None = None
    inviter_phone: str | None = None
    suppress_notification: bool = False
    previous_id: ClientLinkId | None = None


class AggregationEntry(NamedTuple):
    """A manager account that an aggregator signed up."""

    id: AggregationId
    aggregator_id: ManagerAccountId
    manager_account_id: ManagerAccountId


class UserInvitationEntry(NamedTuple):
    """An invitation; `secret_digest` is the SHA-256 of what the mail carries."""

    id: InvitationId
    manager_account_id: ManagerAccountId
    email: str
    first_name: str
    last_name: str
    role: Role
    secret_digest: bytes
    sent_at_ms: int
    expires_at_ms: int
    inviter_user_id: UserId | None = None
    status: InvitationStatus = InvitationStatus.PENDING
    lcid: str = DEFAULT_LCID
    scope: Scope = EveryAccount()
