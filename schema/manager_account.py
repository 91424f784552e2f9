"""Manager accounts, and what lies one level, or all the way, below them and above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers.access import TargetId, viewer_can
from resolvers.accessors import accessors_of
from resolvers.ancestors import ancestors_of_manager_account
from resolvers.audit import audit_log_of_manager_account
from resolvers.child_links import EVERY_AD_ACCOUNT_STATUS, EVERY_MANAGER_ACCOUNT_STATUS
from resolvers.children import (
    AD_ACCOUNT_RELATIONSHIPS,
    MANAGER_ACCOUNT_RELATIONSHIPS,
    AdAccountChildren,
    ManagerAccountChildren,
    ad_accounts_under,
    manager_accounts_under,
)
from resolvers.descendants import Descent, descendants_of
from resolvers.errors import Code, Refusal
from resolvers.links import invitations_to, links_of_manager_account
from resolvers.lookup import address_of_manager_account
from resolvers.people import users_of
from resolvers.rules.capabilities import Capability, names_of
from resolvers.rules.links import MAX_MANAGER_ACCOUNTS_ON_A_CHAIN
from resolvers.session import MANAGER_ACCOUNT
from schema import ids
from schema.address import Address
from schema.arguments import After, Before, First, Last, chosen, list_page, tree_page
from schema.audit import AUDIT_LOG, AuditEntryConnection
from schema.connections import (
    AccessorConnection,
    AdAccountChildConnection,
    AncestorConnection,
    ClientLinkConnection,
    DescendantConnection,
    ManagerAccountChildConnection,
    UserConnection,
    UserInvitationConnection,
)
from schema.context import Info, shown
from schema.node import Node
from schema.scalars import DateTime
from schema.viewer_rights import (
    ACCESSORS,
    VIEWER_CAN,
    VIEWER_CAPABILITIES,
    VIEWER_ROLES,
    CapabilityArgument,
    CapabilityHeld,
    Via,
)
from storage.records.rows import ManagerAccountRow
from storage.records.values import (
    AdAccountStatus,
    Industry,
    Language,
    ManagerAccountFinancialStatus,
    ManagerAccountStatus,
    Relationship,
    Role,
    ServiceLevel,
    UserStatus,
)

if TYPE_CHECKING:
    from schema.access import CheckResult

LazyCheckResult = Annotated["CheckResult", strawberry.lazy("schema.access")]
Relationships = Annotated[
    list[Relationship] | None, strawberry.argument(description="Only children that belong to it in these ways.")
]
AdAccountStatuses = Annotated[
    list[AdAccountStatus] | None, strawberry.argument(description="Only ad accounts in these statuses.")
]


@strawberry.type(description="An organisation: owns ad accounts, has users, links to others. The docs' Customer.")
class ManagerAccount(Node):
    """Resolved on a `ManagerAccountRow`."""

    customer_id: strawberry.ID = strawberry.field(description="The customer id partners send to the advertising API.")
    number: str = strawberry.field(description="The display number, ten characters.")
    name: str = strawberry.field(description="The name; need not be unique.")
    industry: Industry = strawberry.field(description="What its business is in.")
    market_country: str = strawberry.field(description="Country of its market, two letters.")
    market_language: Language = strawberry.field(description="Language of its market.")
    financial_status: ManagerAccountFinancialStatus = strawberry.field(description="Whether it is in good standing.")
    status: ManagerAccountStatus = strawberry.field(
        name="lifeCycleStatus", description="Whether it is in use or deleted."
    )
    service_level: ServiceLevel = strawberry.field(description="How the advertising platform serves it.")
    created_at: DateTime = strawberry.field(description="When it was created.")
    last_modified_by_user_id: strawberry.ID | None = strawberry.field(description="Who wrote it last.")
    last_modified_at: DateTime = strawberry.field(description="When it was last written.")
    time_stamp: str = strawberry.field(description="Opaque; changes with every write. Send it back to update.")

    @strawberry.field(description="Its address; of no meaning for billing.")
    def address(self, parent: strawberry.Parent[ManagerAccountRow], info: Info) -> Address | None:
        return shown(address_of_manager_account(info.context, parent))

    @strawberry.field(
        description="The ad accounts one level under it: owned, linked and aggregated (GetAccountsInfo,"
        " GetLinkedAccountsAndCustomersInfo), by id. Without `first` or `last` the list is given whole."
    )
    def ad_accounts(
        self,
        parent: strawberry.Parent[ManagerAccountRow],
        info: Info,
        relationship: Relationships = None,
        status: AdAccountStatuses = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AdAccountChildConnection | None:
        asked = AdAccountChildren(
            chosen("relationship", relationship, AD_ACCOUNT_RELATIONSHIPS),
            chosen("status", status, EVERY_AD_ACCOUNT_STATUS),
            tree_page(first, after, last, before),
        )
        return shown(ad_accounts_under(info.context, parent.customer_id, asked))

    @strawberry.field(
        description="The manager accounts one level under it: linked and aggregated, by id."
        " Without `first` or `last` the list is given whole."
    )
    def manager_accounts(
        self,
        parent: strawberry.Parent[ManagerAccountRow],
        info: Info,
        relationship: Relationships = None,
        status: Annotated[
            list[ManagerAccountStatus] | None,
            strawberry.argument(description="Only manager accounts in these statuses."),
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> ManagerAccountChildConnection | None:
        asked = ManagerAccountChildren(
            chosen("relationship", relationship, MANAGER_ACCOUNT_RELATIONSHIPS),
            chosen("status", status, EVERY_MANAGER_ACCOUNT_STATUS),
            tree_page(first, after, last, before),
        )
        return shown(manager_accounts_under(info.context, parent.customer_id, asked))

    @strawberry.field(
        description="Everything below it in one flat list, with depth, parent and path: each node once, by its"
        " shortest way. Without `first` or `last` the list is given whole. A manager account you may not see is one"
        " hidden row; what stands below it alone is neither listed nor counted."
    )
    def descendants(
        self,
        parent: strawberry.Parent[ManagerAccountRow],
        info: Info,
        max_depth: Annotated[
            int, strawberry.argument(description="How many levels down, 1 to 5; 1 is what stands directly under it.")
        ] = MAX_MANAGER_ACCOUNTS_ON_A_CHAIN,
        relationship: Relationships = None,
        status: AdAccountStatuses = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> DescendantConnection | None:
        if not 1 <= max_depth <= MAX_MANAGER_ACCOUNTS_ON_A_CHAIN:
            raise Refusal(
                Code.BAD_USER_INPUT,
                f"`maxDepth` must be between 1 and {MAX_MANAGER_ACCOUNTS_ON_A_CHAIN}, not {max_depth}:"
                " a hierarchy has at most five levels.",
            )
        asked = Descent(
            max_depth,
            chosen("relationship", relationship, tuple(Relationship)),
            chosen("status", status, tuple(AdAccountStatus)),
            tree_page(first, after, last, before),
        )
        return shown(descendants_of(info.context, parent.customer_id, asked))

    @strawberry.field(description="The manager accounts above it that you may see, nearest first.")
    def ancestors(
        self,
        parent: strawberry.Parent[ManagerAccountRow],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AncestorConnection | None:
        page = tree_page(first, after, last, before)
        return shown(ancestors_of_manager_account(info.context, parent.customer_id, page))

    @strawberry.field(description="The users that belong to it (GetUsersInfo), by id.")
    def users(
        self,
        parent: strawberry.Parent[ManagerAccountRow],
        info: Info,
        status: Annotated[
            list[UserStatus] | None, strawberry.argument(description="Only users in these statuses.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> UserConnection | None:
        statuses = chosen("status", status, tuple(UserStatus))
        page = list_page(first, after, last, before)
        return shown(users_of(info.context, parent.customer_id, statuses, page))

    @strawberry.field(description="Invitations into it that wait or have expired (SearchUserInvitations), by id.")
    def invitations(
        self,
        parent: strawberry.Parent[ManagerAccountRow],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> UserInvitationConnection | None:
        return shown(invitations_to(info.context, parent.customer_id, list_page(first, after, last, before)))

    @strawberry.field(
        description="The client links it manages or is the client of, the latest of each pair, by id; `hiddenCount`"
        " counts those you may not view (rules C12, C14)."
    )
    def client_links(
        self,
        parent: strawberry.Parent[ManagerAccountRow],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> ClientLinkConnection | None:
        page = list_page(first, after, last, before)
        return shown(links_of_manager_account(info.context, parent.customer_id, page))

    @strawberry.field(description=ACCESSORS)
    def accessors(
        self,
        parent: strawberry.Parent[ManagerAccountRow],
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
        return shown(accessors_of(info.context, parent.customer_id, capability, through, page))

    @strawberry.field(description=VIEWER_CAN)
    def viewer_can(
        self, parent: strawberry.Parent[ManagerAccountRow], info: Info, capability: CapabilityArgument
    ) -> LazyCheckResult:
        target = TargetId(parent.customer_id, None)
        return shown(viewer_can(info.context, MANAGER_ACCOUNT, target, capability))

    @strawberry.field(description=VIEWER_CAPABILITIES)
    def viewer_capabilities(self, parent: strawberry.Parent[ManagerAccountRow], info: Info) -> list[Capability]:
        return shown(names_of(info.context.on_manager_account(parent.customer_id).capabilities))

    @strawberry.field(description=VIEWER_ROLES)
    def viewer_roles(self, parent: strawberry.Parent[ManagerAccountRow], info: Info) -> list[Role]:
        return shown(info.context.on_manager_account(parent.customer_id).roles)

    @strawberry.field(description=AUDIT_LOG.format("UPDATE_MANAGER_ACCOUNT here"))
    def audit_log(
        self,
        parent: strawberry.Parent[ManagerAccountRow],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AuditEntryConnection | None:
        return shown(audit_log_of_manager_account(info.context, parent, list_page(first, after, last, before)))

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return isinstance(value, ManagerAccountRow)
