"""updateUserRoles, updateUser and deleteUser."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers.people import user_by_id
from resolvers.role_writes import update_user_roles
from resolvers.rules.role_changes import RoleChange
from resolvers.writing import Outcome
from schema import ids
from schema.context import Info, shown
from schema.payloads import Payload, WriteInput, body_of, order, writing
from schema.role_input import role_given
from schema.scalars import DateTime
from schema.user import User
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.values import Role


def _ad_accounts(given: list[strawberry.ID] | None) -> frozenset[AdAccountId] | None:
    return None if given is None else frozenset(map(ids.ad_account_id, given))


def _customers(given: list[strawberry.ID] | None) -> frozenset[ManagerAccountId] | None:
    return None if given is None else frozenset(map(ids.manager_account_id, given))


@strawberry.input(
    description="What to take from a user in one manager account, and what to give: first taken, then given. Lists"
    " left out mean all; empty ones are refused."
)
class UpdateUserRolesInput(WriteInput):
    """The input of `updateUserRoles`."""

    customer_id: strawberry.ID = strawberry.field(description="The manager account the roles hold in.")
    user_id: strawberry.ID = strawberry.field(description="The user.")
    new_role: Role | None = strawberry.field(default=None, description="The role to give.")
    new_role_id: int | None = strawberry.field(default=None, description="The same, by its documented number.")
    new_account_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Only these ad accounts: a role held on all is limited to them, one held on some gains them. Left"
        " out, the role holds on all, now and later.",
    )
    new_customer_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Only what lies below these directly linked manager accounts, and none of the ad accounts this one"
        " owns.",
    )
    delete_role: Role | None = strawberry.field(default=None, description="The role to take from.")
    delete_role_id: int | None = strawberry.field(default=None, description="The same, by its documented number.")
    delete_account_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Take only these ad accounts; those not held do no harm. With the last one the role goes, it never"
        " becomes all.",
    )
    delete_customer_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Take only these linked manager accounts."
    )

    def change(self) -> RoleChange:
        """As the rules take it. Raises: Refused; Refusal BAD_USER_INPUT."""
        return RoleChange(
            new_role=role_given(self.new_role, self.new_role_id, "newRole"),
            new_accounts=_ad_accounts(self.new_account_ids),
            new_customers=_customers(self.new_customer_ids),
            delete_role=role_given(self.delete_role, self.delete_role_id, "deleteRole"),
            delete_accounts=_ad_accounts(self.delete_account_ids),
            delete_customers=_customers(self.delete_customer_ids),
        )


@strawberry.type(description="What came of a write to a user.")
class UserPayload(Payload):
    """Resolved on an `Outcome` whose value names the user."""

    @strawberry.field(description="The user as it is now; null when the write was refused.")
    def user(self, parent: strawberry.Parent[Outcome], info: Info) -> User | None:
        key = parent.value.get("user")
        return None if key is None else shown(user_by_id(info.context, UserId(key)))

    @strawberry.field(description="When the user was last written (LastModifiedTime).")
    def last_modified_time(self, parent: strawberry.Parent[Outcome], info: Info) -> DateTime | None:
        key = parent.value.get("user")
        row = None if key is None else user_by_id(info.context, UserId(key))
        return None if row is None else shown(row.last_modified_at)


RolesInput = Annotated[UpdateUserRolesInput, strawberry.argument(description="What to take and what to give.")]


@strawberry.type
class UserMutations:
    """The part of `Mutation` about users."""

    @strawberry.mutation(
        description="Give a user a role in a manager account, take one, or both at once (UpdateUserRoles). Needs"
        " MANAGE_USERS there; with Super Admins, MANAGE_SUPER_ADMINS."
    )
    def update_user_roles(self, info: Info, input: RolesInput) -> UserPayload | None:
        manager_account = ids.manager_account_id(input.customer_id)
        user = ids.user_id(input.user_id)
        ordered = order("updateUserRoles", input, body_of(input))
        return shown(
            writing(info).carry_out(
                ordered, lambda session: update_user_roles(session, manager_account, user, input.change())
            )
        )
