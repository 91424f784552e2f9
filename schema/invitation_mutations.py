"""sendUserInvitation, resendUserInvitation, cancelUserInvitation and acceptUserInvitation."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers.invitation_writes import (
    accept_user_invitation,
    cancel_user_invitation,
    resend_user_invitation,
    send_user_invitation,
    shown_invitation,
)
from resolvers.people import user_by_id
from resolvers.rules.invitations import Invitation
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import Outcome, refused
from schema import ids
from schema.context import Info, shown
from schema.invitation import UserInvitation
from schema.payloads import Payload, WriteInput, body_of, order, writing
from schema.role_input import role_given
from schema.user import User
from storage.entries import DEFAULT_LCID
from storage.records.ids import InvitationId, UserId
from storage.records.values import Role


@strawberry.input(description="Whom to invite to what; the invitation can be accepted for 30 days.")
class SendUserInvitationInput(WriteInput):
    """The input of `sendUserInvitation`."""

    customer_id: strawberry.ID = strawberry.field(description="The manager account invited to.")
    email: str = strawberry.field(description="Where the mail goes, 100 characters at most.")
    first_name: str = strawberry.field(description="First name, 40 characters at most.")
    last_name: str = strawberry.field(description="Last name, 40 characters at most.")
    role: Role | None = strawberry.field(default=None, description="The role it gives; this or `roleId` is needed.")
    role_id: int | None = strawberry.field(default=None, description="The same, by its documented number.")
    account_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Only these ad accounts, which stand directly under the manager account. Left out: all, now and"
        " later, and everything below.",
    )
    lcid: str = strawberry.field(default=DEFAULT_LCID, description="Locale of the person.")

    def invitation(self) -> Invitation:
        """As the rules take it. Raises: Refused; Refusal BAD_USER_INPUT."""
        role = role_given(self.role, self.role_id, "role")
        if role is None:
            raise refused(WriteCode.NULL_PARAMETER, "Give the role the invitation is for.", "role")
        accounts = None if self.account_ids is None else frozenset(map(ids.ad_account_id, self.account_ids))
        return Invitation(self.email, self.first_name, self.last_name, role, accounts, self.lcid)


@strawberry.input(description="Which invitation.")
class UserInvitationInput(WriteInput):
    """What naming an invitation needs."""

    invitation_id: strawberry.ID = strawberry.field(description="The invitation.")


@strawberry.input(description="The invitation to be sent again.")
class ResendUserInvitationInput(UserInvitationInput):
    """The input of `resendUserInvitation`."""


@strawberry.input(description="The invitation to be withdrawn.")
class CancelUserInvitationInput(UserInvitationInput):
    """The input of `cancelUserInvitation`."""


@strawberry.input(description="The invitation to be accepted by your login.")
class AcceptUserInvitationInput(WriteInput):
    """The input of `acceptUserInvitation`."""

    secret: str = strawberry.field(description="The secret from the mail; another login than the invited may use it.")


@strawberry.type(description="What came of an invitation.")
class UserInvitationPayload(Payload):
    """Resolved on an `Outcome` whose value names the invitation."""

    @strawberry.field(description="The invitation as it is now; null when the write was refused.")
    def invitation(self, parent: strawberry.Parent[Outcome], info: Info) -> UserInvitation | None:
        key = parent.value.get("invitation")
        return None if key is None else shown(shown_invitation(writing(info), InvitationId(key)))


@strawberry.type(description="Who you are in the manager account you joined.")
class AcceptUserInvitationPayload(Payload):
    """Resolved on an `Outcome` whose value names the user."""

    @strawberry.field(description="Your user there, new or the one you had; null when the write was refused.")
    def user(self, parent: strawberry.Parent[Outcome], info: Info) -> User | None:
        key = parent.value.get("user")
        return None if key is None else shown(user_by_id(info.context, UserId(key)))


SendInput = Annotated[SendUserInvitationInput, strawberry.argument(description="Whom to invite to what.")]
ResendInput = Annotated[ResendUserInvitationInput, strawberry.argument(description="The invitation to send again.")]
CancelInput = Annotated[CancelUserInvitationInput, strawberry.argument(description="The invitation to withdraw.")]
AcceptInput = Annotated[AcceptUserInvitationInput, strawberry.argument(description="The secret of the invitation.")]


@strawberry.type
class InvitationMutations:
    """The part of `Mutation` about user invitations."""

    @strawberry.mutation(
        description="Invite somebody by mail (SendUserInvitation). Standard users invite below Super Admin only; the"
        " Aggregator role is never given this way."
    )
    def send_user_invitation(self, info: Info, input: SendInput) -> UserInvitationPayload | None:
        manager_account = ids.manager_account_id(input.customer_id)
        ordered = order("sendUserInvitation", input, body_of(input))
        return shown(
            writing(info).carry_out(
                ordered, lambda session: send_user_invitation(session, manager_account, input.invitation())
            )
        )

    @strawberry.mutation(
        description="Send an invitation again: a new secret, new 30 days; the older mail opens nothing."
    )
    def resend_user_invitation(self, info: Info, input: ResendInput) -> UserInvitationPayload | None:
        key = ids.invitation_id(input.invitation_id)
        ordered = order("resendUserInvitation", input, body_of(input))
        return shown(writing(info).carry_out(ordered, lambda session: resend_user_invitation(session, key)))

    @strawberry.mutation(description="Withdraw an invitation that nobody has accepted.")
    def cancel_user_invitation(self, info: Info, input: CancelInput) -> UserInvitationPayload | None:
        key = ids.invitation_id(input.invitation_id)
        ordered = order("cancelUserInvitation", input, body_of(input))
        return shown(writing(info).carry_out(ordered, lambda session: cancel_user_invitation(session, key)))

    @strawberry.mutation(
        description="Accept an invitation with the login of your token: you become a user of the manager account, or"
        " the user you are there gains the role. Whom an issuer names and who has no login here yet gets one by it."
    )
    def accept_user_invitation(self, info: Info, input: AcceptInput) -> AcceptUserInvitationPayload | None:
        ordered = order("acceptUserInvitation", input, body_of(input))
        return shown(
            writing(info).carry_out(
                ordered, lambda session: accept_user_invitation(session, input.secret), admits_newcomers=True
            )
        )
