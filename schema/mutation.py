"""The root of writing: every part in its own module, put together here."""

from __future__ import annotations

import strawberry

from schema.access_token_mutations import AccessTokenMutations
from schema.account_mutations import AccountMutations
from schema.invitation_mutations import InvitationMutations
from schema.link_move_mutation import ClientLinkMoveMutation
from schema.link_mutations import ClientLinkMutations
from schema.login_mutations import LoginMutations
from schema.user_mutations import UserMutations


@strawberry.type(
    description="Everything that can be done. Each field is one transaction with its history and audit entry; what is"
    " refused is told in `userErrors` and changes nothing."
)
class Mutation(
    ClientLinkMutations,
    ClientLinkMoveMutation,
    UserMutations,
    InvitationMutations,
    AccountMutations,
    AccessTokenMutations,
    LoginMutations,
):
    """The root of mutations."""
