"""Ad accounts: the billed units that hold campaigns."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers.access import TargetId, viewer_can
from resolvers.accessors import accessors_of
from resolvers.accounts import BillTo as BillToValue
from resolvers.accounts import bill_to_of, contexts_of, linked_agencies_of
from resolvers.ancestors import ancestors_of_ad_account
from resolvers.audit import audit_log_of_ad_account
from resolvers.links import links_of_ad_account
from resolvers.lookup import (
    address_of_ad_account,
    billing_of,
    owner_of,
    tax_certificate_of,
    tax_information_of,
)
from resolvers.people import primary_user_of
from resolvers.rules.billing import BillToReason
from resolvers.rules.capabilities import Capability, names_of
from resolvers.session import AD_ACCOUNT, fact_of
from schema import ids
from schema.address import Address
from schema.arguments import After, Before, First, Last, list_page, tree_page
from schema.audit import AUDIT_LOG, AuditEntryConnection
from schema.connections import AccessorConnection, AncestorConnection, ClientLinkConnection
from schema.context import Info, shown
from schema.node import Node, RestrictedManagerAccount, RestrictedRow
from schema.scalars import DateTime, Decimal
from schema.viewer_rights import (
    ACCESSORS,
    VIEWER_CAN,
    VIEWER_CAPABILITIES,
    VIEWER_ROLES,
    CapabilityArgument,
    CapabilityHeld,
    Via,
)
from storage.records.rows import AdAccountRow, BillingRow, ClientLinkRow, TaxCertificateFileRow, TaxCertificateRow
from storage.records.values import (
    AdAccountFinancialStatus,
    AdAccountStatus,
    AutoTagType,
    Language,
    PaymentMethodType,
    Role,
    TaxCertificateStatus,
)

if TYPE_CHECKING:
    from schema.access import AccessContext, CheckResult
    from schema.manager_account import ManagerAccount
    from schema.user import User

LazyUser = Annotated["User", strawberry.lazy("schema.user")]
LazyManagerAccount = Annotated["ManagerAccount", strawberry.lazy("schema.manager_account")]
LazyCheckResult = Annotated["CheckResult", strawberry.lazy("schema.access")]
LazyAccessContext = Annotated["AccessContext", strawberry.lazy("schema.access")]
ManagerAccountOrRestricted = Annotated[
    LazyManagerAccount | RestrictedManagerAccount,
    strawberry.union(
        "ManagerAccountOrRestricted", description="A manager account, or its bare id when you may not see it."
    ),
]


@strawberry.type(description="Who is billed for an ad account, and why.")
class BillTo:
    """Resolved on a `BillTo` value."""

    customer_id: strawberry.ID = strawberry.field(description="The customer id that is billed.")
    reason: BillToReason = strawberry.field(description="Why it is billed.")

    @strawberry.field(description="The manager account that is billed.")
    def manager_account(self, parent: strawberry.Parent[BillToValue]) -> ManagerAccountOrRestricted:
        return shown(parent.row or RestrictedRow(parent.customer_id))


@strawberry.type(description="How an ad account is paid for.")
class Billing:
    """Resolved on a `BillingRow`."""

    payment_method_id: strawberry.ID | None = strawberry.field(description="The payment instrument.")
    payment_method_type: PaymentMethodType | None = strawberry.field(description="What kind of instrument it is.")
    backup_payment_instrument_id: strawberry.ID | None = strawberry.field(
        description="The instrument used when the first one fails; not for invoiced accounts."
    )
    sold_to_payment_instrument_id: strawberry.ID | None = strawberry.field(
        description="The instrument of the customer it is sold to, when another is billed."
    )
    sales_house_customer_id: strawberry.ID | None = strawberry.field(description="The sales house, if any.")

    @strawberry.field(description="The amount at which it is billed, in its currency.")
    def threshold_amount(self, parent: strawberry.Parent[BillingRow]) -> Decimal | None:
        return shown(parent.billing_threshold_micros)


@strawberry.type(description="One tax id of an ad account.")
class TaxInformation:
    """Resolved on a `TaxInformationRow`."""

    key: str = strawberry.field(description="Which tax id it is, for example `VATNumber`.")
    value: str = strawberry.field(description="The tax id.")


@strawberry.type(description="One file of a tax certificate.")
class TaxCertificateFile:
    """Resolved on a `TaxCertificateFileRow`."""

    name: str = strawberry.field(description="The file's name.")

    @strawberry.field(description="The file, as Base64.")
    def content(self, parent: strawberry.Parent[TaxCertificateFileRow]) -> str:
        return b64encode(parent.content).decode()


Certificate = tuple[TaxCertificateRow, tuple[TaxCertificateFileRow, ...]]


@strawberry.type(description="The tax certificate of an ad account.")
class TaxCertificate:
    """Resolved on a certificate and its files."""

    @strawberry.field(description="Where the platform keeps it.")
    def blob_container_name(self, parent: strawberry.Parent[Certificate]) -> str | None:
        return parent[0].blob_container_name

    @strawberry.field(description="Whether it was accepted.")
    def status(self, parent: strawberry.Parent[Certificate]) -> TaxCertificateStatus:
        return parent[0].status

    @strawberry.field(description="Its files.")
    def files(self, parent: strawberry.Parent[Certificate]) -> list[TaxCertificateFile]:
        return shown(parent[1])


@strawberry.type(description="An agency linked to an ad account.")
class LinkedAgency:
    """Resolved on a `ClientLinkRow`."""

    @strawberry.field(description="The agency's customer id.")
    def customer_id(self, parent: strawberry.Parent[ClientLinkRow]) -> strawberry.ID:
        return strawberry.ID(str(parent.managing_customer_id))

    @strawberry.field(description="The agency's name.")
    def name(self, parent: strawberry.Parent[ClientLinkRow]) -> str:
        return parent.managing_customer_name


@strawberry.type(
    description="A billed unit that holds campaigns, owned by one manager account. The docs' AdvertiserAccount."
)
class AdAccount(Node):
    """Resolved on an `AdAccountRow`."""

    account_id: strawberry.ID = strawberry.field(description="The account id partners send to the advertising API.")
    number: str = strawberry.field(description="The display number, eight characters.")
    name: str = strawberry.field(description="The name, unique within its owner.")
    parent_customer_id: strawberry.ID = strawberry.field(description="The customer id of its owner.")
    status: AdAccountStatus = strawberry.field(name="lifeCycleStatus", description="Whether it can be managed.")
    financial_status: AdAccountFinancialStatus = strawberry.field(description="Whether it is in good standing.")
    pause_reason: int | None = strawberry.field(description="Who paused it: 1 a user, 2 the billing service, 4 both.")
    currency_code: str = strawberry.field(description="The currency it is settled in.")
    time_zone: str = strawberry.field(description="The time zone its reports are shown in.")
    language: Language | None = strawberry.field(description="The language of its billing documents.")
    auto_tag_type: AutoTagType = strawberry.field(description="How tracking tags are added.")
    account_mode: str | None = strawberry.field(description="The mode it is run in: Expert, Smart, UnifiedSmart.")
    primary_user_id: strawberry.ID | None = strawberry.field(description="The user id of its primary contact.")
    created_at: DateTime = strawberry.field(description="When it was created.")
    last_modified_by_user_id: strawberry.ID | None = strawberry.field(description="Who wrote it last.")
    last_modified_at: DateTime = strawberry.field(description="When it was last written.")
    time_stamp: str = strawberry.field(description="Opaque; changes with every write. Send it back to update.")

    @strawberry.field(description="The manager account that owns it.")
    def owner(self, parent: strawberry.Parent[AdAccountRow], info: Info) -> ManagerAccountOrRestricted:
        return shown(owner_of(info.context, parent) or RestrictedRow(parent.parent_customer_id))

    @strawberry.field(description="Its primary contact, when you may see that user.")
    def primary_user(self, parent: strawberry.Parent[AdAccountRow], info: Info) -> LazyUser | None:
        return shown(primary_user_of(info.context, parent))

    @strawberry.field(description="Who is billed for it, and why.")
    def bill_to(self, parent: strawberry.Parent[AdAccountRow], info: Info) -> BillTo:
        return shown(bill_to_of(info.context, parent))

    @strawberry.field(description="The address on its bills.")
    def business_address(self, parent: strawberry.Parent[AdAccountRow], info: Info) -> Address | None:
        return shown(address_of_ad_account(info.context, parent))

    @strawberry.field(description="How it is paid for.")
    def billing(self, parent: strawberry.Parent[AdAccountRow], info: Info) -> Billing | None:
        return shown(billing_of(info.context, parent))

    @strawberry.field(description="Its tax ids.")
    def tax_information(self, parent: strawberry.Parent[AdAccountRow], info: Info) -> list[TaxInformation]:
        return shown(tax_information_of(info.context, parent))

    @strawberry.field(description="Its tax certificate.")
    def tax_certificate(self, parent: strawberry.Parent[AdAccountRow], info: Info) -> TaxCertificate | None:
        return shown(tax_certificate_of(info.context, parent))

    @strawberry.field(description="Every agency an account link joins it to.")
    def linked_agencies(self, parent: strawberry.Parent[AdAccountRow], info: Info) -> list[LinkedAgency]:
        return shown(linked_agencies_of(info.context, parent))

    @strawberry.field(description="The manager accounts above it that you may see: owner, linked, and all above them.")
    def ancestors(
        self,
        parent: strawberry.Parent[AdAccountRow],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AncestorConnection | None:
        return shown(ancestors_of_ad_account(info.context, parent, tree_page(first, after, last, before)))

    @strawberry.field(
        description="The account links that lead, or led, to it, the latest of each agency, by id; `hiddenCount`"
        " counts those you may not view (rule C12)."
    )
    def client_links(
        self,
        parent: strawberry.Parent[AdAccountRow],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> ClientLinkConnection | None:
        return shown(links_of_ad_account(info.context, parent, list_page(first, after, last, before)))

    @strawberry.field(description=ACCESSORS)
    def accessors(
        self,
        parent: strawberry.Parent[AdAccountRow],
        info: Info,
        capability: CapabilityHeld = Capability.VIEW,
        via: Via = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AccessorConnection | None:
        through = None if via is None else ids.manager_account_id(via)
        page = list_page(first, after, last, before)
        return shown(accessors_of(info.context, fact_of(parent), capability, through, page))

    @strawberry.field(description=VIEWER_CAN)
    def viewer_can(
        self, parent: strawberry.Parent[AdAccountRow], info: Info, capability: CapabilityArgument
    ) -> LazyCheckResult:
        target = TargetId(None, parent.account_id)
        return shown(viewer_can(info.context, AD_ACCOUNT, target, capability))

    @strawberry.field(description=VIEWER_CAPABILITIES)
    def viewer_capabilities(self, parent: strawberry.Parent[AdAccountRow], info: Info) -> list[Capability]:
        return shown(names_of(info.context.on_ad_account(parent).capabilities))

    @strawberry.field(description=VIEWER_ROLES)
    def viewer_roles(self, parent: strawberry.Parent[AdAccountRow], info: Info) -> list[Role]:
        return shown(info.context.on_ad_account(parent).roles)

    @strawberry.field(description="The customer ids you can send to use it, the recommended one first (rule P8).")
    def viewer_contexts(self, parent: strawberry.Parent[AdAccountRow], info: Info) -> list[LazyAccessContext]:
        return shown(contexts_of(info.context, parent))

    @strawberry.field(description="The customer id to send to use it: the context that gives you most.")
    def viewer_context_id(self, parent: strawberry.Parent[AdAccountRow], info: Info) -> strawberry.ID | None:
        contexts = contexts_of(info.context, parent)
        return shown(contexts[0].manager_account_id if contexts else None)

    @strawberry.field(description=AUDIT_LOG.format("UPDATE_AD_ACCOUNT here"))
    def audit_log(
        self,
        parent: strawberry.Parent[AdAccountRow],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AuditEntryConnection | None:
        return shown(audit_log_of_ad_account(info.context, parent, list_page(first, after, last, before)))

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return isinstance(value, AdAccountRow)
