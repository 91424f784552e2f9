"""User invitations that wait or have expired."""

from __future__ import annotations

from typing import Any

import strawberry

from resolvers.links import invited_ad_accounts, status_of_invitation
from resolvers.lookup import manager_account_by_id
from schema.ad_account import ManagerAccountOrRestricted
from schema.context import Info, shown
from schema.node import Node, RestrictedRow
from schema.scalars import DateTime
from storage.records.rows import InvitationRow
from storage.records.values import ROLE_IDS, InvitationStatus, Role, ScopeKind


@strawberry.type(description="An invitation to become a user of a manager account; it grants nothing until accepted.")
class UserInvitation(Node):
    """Resolved on an `InvitationRow`."""

    invitation_id: strawberry.ID = strawberry.field(description="The id of the invitation.")
    customer_id: strawberry.ID = strawberry.field(description="The customer id invited to.")
    email: str = strawberry.field(description="Where it was sent; another login may accept it.")
    first_name: str = strawberry.field(description="First name of the invited person.")
    last_name: str = strawberry.field(description="Last name of the invited person.")
    role: Role = strawberry.field(description="The role it gives when accepted.")
    scope: ScopeKind = strawberry.field(description="How far that role will reach.")
    lcid: str = strawberry.field(description="The locale of the mail.")
    inviter_user_id: strawberry.ID | None = strawberry.field(description="The user who sent it.")
    sent_at: DateTime = strawberry.field(description="When it was sent.")
    expires_at: DateTime = strawberry.field(name="expirationDate", description="When it can no longer be accepted.")
    time_stamp: str = strawberry.field(description="Opaque; changes with every write.")

    @strawberry.field(description="The documented number of the role.")
    def role_id(self, parent: strawberry.Parent[InvitationRow]) -> int:
        return ROLE_IDS[parent.role]

    @strawberry.field(description="Whether it waits or has expired.")
    def status(self, parent: strawberry.Parent[InvitationRow], info: Info) -> InvitationStatus:
        return status_of_invitation(info.context, parent)

    @strawberry.field(
        description="The ad accounts the role will be limited to, those you may see; null for all, now and later."
    )
    def account_ids(self, parent: strawberry.Parent[InvitationRow], info: Info) -> list[strawberry.ID] | None:
        if parent.scope == ScopeKind.EVERY_ACCOUNT:
            return None
        return shown(invited_ad_accounts(info.context, parent).ids)

    @strawberry.field(description="How many more `accountIds` has that you may not see.")
    def hidden_accounts(self, parent: strawberry.Parent[InvitationRow], info: Info) -> int:
        return invited_ad_accounts(info.context, parent).hidden

    @strawberry.field(description="The manager account invited to.")
    def manager_account(self, parent: strawberry.Parent[InvitationRow], info: Info) -> ManagerAccountOrRestricted:
        key = parent.customer_id
        return shown(manager_account_by_id(info.context, key) or RestrictedRow(key))

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return isinstance(value, InvitationRow)
