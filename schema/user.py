"""Users: one person in one manager account, and the roles he holds."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from resolvers.accessible import Accessible, accounts_of_user
from resolvers.audit import audit_log_of_user
from resolvers.lookup import manager_account_by_id
from resolvers.people import CustomerRoles, RoleSeen, contact_info_of, customer_roles_of
from resolvers.rules.capabilities import Capability
from resolvers.rules.user_fields import user_time_stamp
from resolvers.session import Session
from schema import ids
from schema.access import scope_kind
from schema.ad_account import ManagerAccountOrRestricted
from schema.address import ContactInfo
from schema.arguments import After, Before, First, Last, list_page
from schema.audit import AUDIT_LOG, AuditEntryConnection
from schema.connections import AdAccountConnection
from schema.context import Info, shown
from schema.node import Node, RestrictedRow
from schema.scalars import DateTime
from storage.records.facts import OnlyLinkedEntities
from storage.records.ids import ManagerAccountId
from storage.records.rows import UserRow
from storage.records.values import ROLE_IDS, Role, RoleLinkPermission, ScopeKind, UserStatus

Capable = Annotated[Capability, strawberry.argument(description="What must be held; by default, seeing it.")]
Under = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Only ad accounts that stand somewhere below this customer id."),
]
CustomerIds = Annotated[
    list[strawberry.ID] | None, strawberry.argument(description="Only the rows of these customer ids.")
]


def manager_account_or_restricted(session: Session, key: ManagerAccountId) -> Any:
    """A manager account, or its bare id when the viewer may not see it."""
    return manager_account_by_id(session, key) or RestrictedRow(key)


@strawberry.type(
    description="A role in a manager account, held directly or derived from the links above it: a row of GetUser."
)
class CustomerRole:
    """Resolved on a `RoleSeen`."""

    @strawberry.field(description="The role.")
    def role(self, parent: strawberry.Parent[RoleSeen]) -> Role:
        return parent.row.role

    @strawberry.field(description="The documented number of the role.")
    def role_id(self, parent: strawberry.Parent[RoleSeen]) -> int:
        return ROLE_IDS[parent.row.role]

    @strawberry.field(description="The customer id it holds in.")
    def customer_id(self, parent: strawberry.Parent[RoleSeen]) -> strawberry.ID:
        return strawberry.ID(str(parent.row.manager_account_id))

    @strawberry.field(description="The manager account it holds in.")
    def customer(self, parent: strawberry.Parent[RoleSeen], info: Info) -> ManagerAccountOrRestricted:
        return shown(manager_account_or_restricted(info.context, parent.row.manager_account_id))

    @strawberry.field(description="How it came to be: null for a role held directly, else the strongest over all ways.")
    def link_permission(self, parent: strawberry.Parent[RoleSeen]) -> RoleLinkPermission | None:
        return parent.row.link_permission

    @strawberry.field(description="How far a direct role reaches; null on a derived row.")
    def scope(self, parent: strawberry.Parent[RoleSeen]) -> ScopeKind | None:
        scope = parent.row.scope
        return None if scope is None else scope_kind(scope)

    @strawberry.field(
        description="The ad accounts of this manager account it is limited to, those you may see; null for all, now and"
        " later."
    )
    def account_ids(self, parent: strawberry.Parent[RoleSeen]) -> list[strawberry.ID] | None:
        return shown(parent.row.account_ids)

    @strawberry.field(
        description="The ad accounts of others that are used through this manager account, those you may see."
    )
    def linked_account_ids(self, parent: strawberry.Parent[RoleSeen]) -> list[strawberry.ID]:
        return shown(parent.row.linked_account_ids)

    @strawberry.field(description="The linked manager accounts it is limited to, when it is; those you may see.")
    def linked_customer_ids(self, parent: strawberry.Parent[RoleSeen]) -> list[strawberry.ID] | None:
        scope = parent.row.scope
        return shown(sorted(scope.ids)) if isinstance(scope, OnlyLinkedEntities) else None

    @strawberry.field(description="The user it is held through.")
    def user_id(self, parent: strawberry.Parent[RoleSeen]) -> strawberry.ID:
        return shown(parent.row.user_id)

    @strawberry.field(description="The assignment behind it; null on a derived row.")
    def assignment_id(self, parent: strawberry.Parent[RoleSeen]) -> strawberry.ID | None:
        return shown(parent.row.assignment_id)

    hidden_accounts: int = strawberry.field(description="How many more `accountIds` has that you may not see.")
    hidden_linked_accounts: int = strawberry.field(
        description="How many more `linkedAccountIds` has that you may not see."
    )
    hidden_linked_customers: int = strawberry.field(
        description="How many more `linkedCustomerIds` has that you may not see."
    )


@strawberry.type(description="A person's name.")
class PersonName:
    """Resolved on a `UserRow`."""

    first_name: str | None = strawberry.field(description="First name.")
    middle_initial: str | None = strawberry.field(description="Middle initial.")
    last_name: str | None = strawberry.field(description="Last name.")


def selected(roles: CustomerRoles, customer_ids: list[strawberry.ID] | None) -> Any:
    """The rows of the manager accounts asked for."""
    if customer_ids is None:
        return roles.rows
    wanted = {ids.manager_account_id(one) for one in customer_ids}
    return tuple(one for one in roles.rows if one.row.manager_account_id in wanted)


@strawberry.type(description="One person in one manager account.")
class User(Node):
    """Resolved on a `UserRow`."""

    user_id: strawberry.ID = strawberry.field(description="The user id partners send to the advertising API.")
    user_name: str = strawberry.field(description="The login; may differ from the e-mail.")
    customer_id: strawberry.ID = strawberry.field(description="The customer id this user belongs to.")
    is_original: bool = strawberry.field(
        description="Whether the login began with this user: asked about, it stands for the whole login (rule P11)."
    )
    job_title: str | None = strawberry.field(description="Job title.")
    lcid: str = strawberry.field(description="Locale, for example `EnglishUS`.")
    status: UserStatus = strawberry.field(name="lifeCycleStatus", description="Whether the user may act.")
    created_at: DateTime = strawberry.field(description="When the user was created.")
    last_modified_by_user_id: strawberry.ID | None = strawberry.field(description="Who wrote it last.")
    last_modified_at: DateTime = strawberry.field(description="When it was last written.")

    @strawberry.field(
        description="Opaque and of this user alone; changes with every write. Send it back to update or delete."
    )
    def time_stamp(self, parent: strawberry.Parent[UserRow]) -> str:
        return user_time_stamp(parent.user_id, parent.time_stamp)

    @strawberry.field(description="The person's name.")
    def name(self, parent: strawberry.Parent[UserRow]) -> PersonName:
        return shown(parent)

    @strawberry.field(description="The manager account this user belongs to.")
    def manager_account(self, parent: strawberry.Parent[UserRow], info: Info) -> ManagerAccountOrRestricted:
        return shown(manager_account_or_restricted(info.context, parent.customer_id))

    @strawberry.field(
        description="How to reach the user; null unless it is you, or you may view the manager account he belongs to."
    )
    def contact_info(self, parent: strawberry.Parent[UserRow], info: Info) -> ContactInfo | None:
        return shown(contact_info_of(info.context, parent))

    @strawberry.field(
        description="His roles in manager accounts you may view, direct and derived (GetUser); `hiddenRoles` counts"
        " the others."
    )
    def customer_roles(
        self, parent: strawberry.Parent[UserRow], info: Info, customer_ids: CustomerIds = None
    ) -> list[CustomerRole]:
        return shown(selected(customer_roles_of(info.context, parent), customer_ids))

    @strawberry.field(description="How many more roles he has, in manager accounts you may not view.")
    def hidden_roles(self, parent: strawberry.Parent[UserRow], info: Info) -> int:
        return customer_roles_of(info.context, parent).hidden

    @strawberry.field(
        description="The ad accounts on which he holds a capability, by id; `hiddenCount` counts those you may not see."
    )
    def accessible_accounts(
        self,
        parent: strawberry.Parent[UserRow],
        info: Info,
        capability: Capable = Capability.VIEW,
        under: Under = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AdAccountConnection | None:
        below = None if under is None else ids.manager_account_id(under)
        asked = Accessible(capability, below, list_page(first, after, last, before))
        return shown(accounts_of_user(info.context, parent.user_id, asked))

    @strawberry.field(description=AUDIT_LOG.format("MANAGE_USERS in his manager account, or it is you"))
    def audit_log(
        self,
        parent: strawberry.Parent[UserRow],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AuditEntryConnection | None:
        return shown(audit_log_of_user(info.context, parent, list_page(first, after, last, before)))

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return isinstance(value, UserRow)
