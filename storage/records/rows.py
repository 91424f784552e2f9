"""Rows of entities as readers see them: one named tuple a row, straight from the cursor.

Attributes carry the names the graph shows, so a type of the graph can read them without being copied
into. Instants are milliseconds since 1970 UTC; `time_stamp` is the revision that last wrote the row.
"""

from __future__ import annotations

from typing import NamedTuple

from storage.records.ids import (
    AdAccountId,
    AggregationId,
    ClientLinkId,
    Instant,
    InvitationId,
    LoginId,
    ManagerAccountId,
    RevisionId,
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
    Relationship,
    Role,
    ScopeKind,
    ServiceLevel,
    TaxCertificateStatus,
    UserStatus,
)


class ManagerAccountRow(NamedTuple):
    """The docs' Customer, without its address."""

    customer_id: ManagerAccountId
    number: str
    name: str
    industry: Industry
    market_country: str
    market_language: Language
    financial_status: ManagerAccountFinancialStatus
    status: ManagerAccountStatus
    service_level: ServiceLevel
    created_at: Instant
    last_modified_by_user_id: UserId | None
    last_modified_at: Instant
    time_stamp: RevisionId
    address_id: int | None


class AdAccountRow(NamedTuple):
    """The docs' AdvertiserAccount, without address, billing and tax."""

    account_id: AdAccountId
    number: str
    name: str
    parent_customer_id: ManagerAccountId
    status: AdAccountStatus
    financial_status: AdAccountFinancialStatus
    pause_reason: int | None
    currency_code: str
    time_zone: str
    language: Language | None
    auto_tag_type: AutoTagType
    account_mode: str | None
    bill_to_customer_id: ManagerAccountId | None
    primary_user_id: UserId | None
    created_at: Instant
    last_modified_by_user_id: UserId | None
    last_modified_at: Instant
    time_stamp: RevisionId
    address_id: int | None

    @property
    def id(self) -> AdAccountId:
        """Its id, as facts name it."""
        return self.account_id

    @property
    def owner_id(self) -> ManagerAccountId:
        """Its owner, as facts name it."""
        return self.parent_customer_id


class BillingRow(NamedTuple):
    """How an ad account is paid for. Amounts are millionths of its currency unit."""

    account_id: AdAccountId
    payment_method_id: int | None
    payment_method_type: PaymentMethodType | None
    backup_payment_instrument_id: int | None
    sold_to_payment_instrument_id: int | None
    billing_threshold_micros: int | None
    sales_house_customer_id: ManagerAccountId | None


class TaxInformationRow(NamedTuple):
    """One tax id of an ad account."""

    account_id: AdAccountId
    key: str
    value: str


class TaxCertificateRow(NamedTuple):
    """The tax certificate record of an ad account."""

    account_id: AdAccountId
    blob_container_name: str | None
    status: TaxCertificateStatus


class TaxCertificateFileRow(NamedTuple):
    """One certificate file."""

    account_id: AdAccountId
    name: str
    content: bytes


class AddressRow(NamedTuple):
    """A postal address."""

    address_id: int
    business_name: str | None
    line1: str | None
    line2: str | None
    line3: str | None
    line4: str | None
    city: str | None
    postal_code: str | None
    state_or_province: str | None
    country_code: str | None
    time_stamp: RevisionId


class UserRow(NamedTuple):
    """One person in one manager account."""

    user_id: UserId
    login_id: LoginId
    customer_id: ManagerAccountId
    user_name: str
    login_status: LoginStatus
    is_original: bool
    first_name: str | None
    middle_initial: str | None
    last_name: str | None
    job_title: str | None
    lcid: str
    contact_info_id: int | None
    status: UserStatus
    created_at: Instant
    last_modified_by_user_id: UserId | None
    last_modified_at: Instant
    time_stamp: RevisionId


class ContactInfoRow(NamedTuple):
    """How a user is reached."""

    contact_info_id: int
    address_id: int | None
    email: str | None
    phone1: str | None
    phone2: str | None
    home_phone: str | None
    mobile: str | None
    fax: str | None
    contact_by_phone: bool | None
    contact_by_postal_mail: bool | None
    email_format: EmailFormat | None


class ClientLinkRow(NamedTuple):
    """One generation of a client link; exactly one of the client ids is set, by `type`.

    Names and numbers of both ends are part of the link, as in the docs: whoever may see the link may see them.
    """

    link_id: ClientLinkId
    type: LinkType
    managing_customer_id: ManagerAccountId
    managing_customer_number: str
    managing_customer_name: str
    client_customer_id: ManagerAccountId | None
    client_account_id: AdAccountId | None
    client_entity_number: str
    client_entity_name: str
    client_owner_id: ManagerAccountId
    permission: LinkPermission | None
    is_bill_to_client: bool | None
    status: ClientLinkStatus
    start_at: Instant
    name: str
    note: str | None
    inviter_email: str | None
    inviter_name: str | None
    inviter_phone: str | None
    suppress_notification: bool
    previous_id: ClientLinkId | None
    created_at: Instant
    last_modified_by_user_id: UserId | None
    last_modified_at: Instant
    time_stamp: RevisionId


class ClientLinkPeriodRow(NamedTuple):
    """One status a link had, and who brought it there; no actor means the service itself."""

    period_id: int
    link_id: ClientLinkId
    status: ClientLinkStatus
    began_at: Instant
    began_revision: RevisionId
    actor_user_id: UserId | None
    note: str | None


class InvitationRow(NamedTuple):
    """An invitation to become a user of a manager account."""

    invitation_id: InvitationId
    customer_id: ManagerAccountId
    email: str
    first_name: str
    last_name: str
    role: Role
    scope: ScopeKind
    lcid: str
    status: InvitationStatus
    inviter_user_id: UserId | None
    sent_at: Instant
    expires_at: Instant
    time_stamp: RevisionId


class ChildLink(NamedTuple):
    """Why a child stands under a manager account: its relationship and, where there is one, its link."""

    parent_id: ManagerAccountId
    child_id: int
    relationship: Relationship
    link_id: ClientLinkId | None
    aggregation_id: AggregationId | None
    permission: LinkPermission | None
    link_status: ClientLinkStatus | None
