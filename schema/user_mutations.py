"""updateUserRoles, updateUser and deleteUser."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import strawberry

from resolvers.people import user_by_id
from resolvers.role_writes import update_user_roles
from resolvers.rules.role_changes import RoleChange
from resolvers.user_writes import AddressChange, ContactChange, UserChange, delete_user, update_user
from resolvers.writing import Outcome
from schema import ids
from schema.context import Info, shown
from schema.payloads import Payload, WriteInput, body_of, order, writing
from schema.role_input import role_given
from schema.scalars import DateTime
from schema.user import User
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.values import EmailFormat, Role

ADDRESS_COLUMNS = (
    "line1",
    "line2",
    "line3",
    "line4",
    "city",
    "postal_code",
    "state_or_province",
    "country_code",
)
CONTACT_COLUMNS = (
    "email",
    "phone1",
    "phone2",
    "home_phone",
    "mobile",
    "fax",
    "contact_by_phone",
    "contact_by_postal_mail",
    "email_format",
)


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


def _given(source: object, names: Iterable[str]) -> dict[str, Any]:
    """The values that are to be written, by column: null leaves a field as it is."""
    found = {name: getattr(source, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


@strawberry.input(description="A person's name. What is left out stays.")
class PersonNameInput:
    """Part of `UpdateUserInput`."""

    first_name: str | None = strawberry.field(default=None, description="First name, 100 characters at most.")
    middle_initial: str | None = strawberry.field(default=None, description="Middle initial; an empty text clears it.")
    last_name: str | None = strawberry.field(default=None, description="Last name, 100 characters at most.")


@strawberry.input(description="The postal address of a user. What is left out stays; an empty text clears.")
class UserAddressInput:
    """Part of `ContactInfoInput`."""

    address_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the address this user has; left out where he has none."
    )
    time_stamp: str | None = strawberry.field(default=None, description="Its `timeStamp` as you read it last.")
    line1: str | None = strawberry.field(default=None, description="First line, 35 characters at most, as the others.")
    line2: str | None = strawberry.field(default=None, description="Second line.")
    line3: str | None = strawberry.field(default=None, description="Third line.")
    line4: str | None = strawberry.field(default=None, description="Fourth line.")
    city: str | None = strawberry.field(default=None, description="City, 35 characters at most.")
    postal_code: str | None = strawberry.field(default=None, description="Postal code, 10 characters at most.")
    state_or_province: str | None = strawberry.field(
        default=None, description="State or province without the country's prefix: `WA`."
    )
    country_code: str | None = strawberry.field(default=None, description="Country, two capital letters.")

    def change(self) -> AddressChange:
        """As the use case takes it."""
        key = None if self.address_id is None else ids.plain_id(self.address_id, "an address")
        return AddressChange(key, self.time_stamp, _given(self, ADDRESS_COLUMNS))


@strawberry.input(description="How a user is reached. What is left out stays; an empty text clears.")
class ContactInfoInput:
    """Part of `UpdateUserInput`."""

    contact_info_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the contact info this user has; left out where he has none."
    )
    address: UserAddressInput | None = strawberry.field(default=None, description="The postal address.")
    email: str | None = strawberry.field(default=None, description="E-mail, 100 characters at most, as the phones.")
    phone1: str | None = strawberry.field(default=None, description="The phone `contactByPhone` means.")
    phone2: str | None = strawberry.field(default=None, description="Another phone.")
    home_phone: str | None = strawberry.field(default=None, description="Phone at home.")
    mobile: str | None = strawberry.field(default=None, description="Mobile phone.")
    fax: str | None = strawberry.field(default=None, description="Fax.")
    contact_by_phone: bool | None = strawberry.field(default=None, description="Whether the user may be called.")
    contact_by_postal_mail: bool | None = strawberry.field(
        default=None, description="Whether the user may be written to by post."
    )
    email_format: EmailFormat | None = strawberry.field(default=None, description="How mail is formatted.")

    def change(self) -> ContactChange:
        """As the use case takes it. Raises: Refusal BAD_USER_INPUT."""
        key = None if self.contact_info_id is None else ids.plain_id(self.contact_info_id, "a contact info")
        address = None if self.address is None else self.address.change()
        return ContactChange(key, _given(self, CONTACT_COLUMNS), address)


@strawberry.input(
    description="New values of a user. What is left out stays. Name, job title, locale and contact values are the"
    " person's: all his users get them, each in its own contact info."
)
class UpdateUserInput(WriteInput):
    """The input of `updateUser`."""

    user_id: strawberry.ID = strawberry.field(description="The user.")
    time_stamp: str = strawberry.field(description="Its `timeStamp` as you read it last.")
    name: PersonNameInput | None = strawberry.field(default=None, description="The name.")
    job_title: str | None = strawberry.field(default=None, description="Job title, 50 characters at most.")
    lcid: str | None = strawberry.field(default=None, description="Locale, for example `EnglishUS`.")
    contact_info: ContactInfoInput | None = strawberry.field(default=None, description="How the user is reached.")

    def change(self) -> UserChange:
        """As the use case takes it. Raises: Refusal BAD_USER_INPUT."""
        name = {} if self.name is None else _given(self.name, ("first_name", "middle_initial", "last_name"))
        contact = None if self.contact_info is None else self.contact_info.change()
        return UserChange(self.time_stamp, name | _given(self, ("job_title", "lcid")), contact)


@strawberry.input(description="The user to be deleted: this one only, not the person's users elsewhere.")
class DeleteUserInput(WriteInput):
    """The input of `deleteUser`."""

    user_id: strawberry.ID = strawberry.field(description="The user.")
    time_stamp: str = strawberry.field(description="Its `timeStamp` as you read it last.")


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


ChangedInput = Annotated[UpdateUserInput, strawberry.argument(description="The user and the new values.")]
DeletedInput = Annotated[DeleteUserInput, strawberry.argument(description="The user to be deleted.")]
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

    @strawberry.mutation(
        description="Change what describes a user (UpdateUser). Needs MANAGE_USERS where the user belongs; for Super"
        " Admins, MANAGE_SUPER_ADMINS. Roles are changed by `updateUserRoles`."
    )
    def update_user(self, info: Info, input: ChangedInput) -> UserPayload | None:
        key, change = ids.user_id(input.user_id), input.change()
        ordered = order("updateUser", input, body_of(input))
        return shown(writing(info).carry_out(ordered, lambda session: update_user(session, key, change)))

    @strawberry.mutation(
        description="Delete a user and end his roles (DeleteUser). Refused for an ad account's primary user, for the"
        " last Super Admin, and for Super Admins when you are none."
    )
    def delete_user(self, info: Info, input: DeletedInput) -> UserPayload | None:
        key = ids.user_id(input.user_id)
        ordered = order("deleteUser", input, body_of(input))
        return shown(writing(info).carry_out(ordered, lambda session: delete_user(session, key, input.time_stamp)))
