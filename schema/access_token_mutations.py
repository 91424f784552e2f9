"""issueAccessToken and revokeAccessToken: for oneself only."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers.access_tokens import issue_access_token, own_token, revoke_access_token
from resolvers.rules.access_tokens import DEFAULT_LIFETIME_DAYS, LONGEST_LABEL, LONGEST_LIFETIME_DAYS, AskedToken
from resolvers.writing import Outcome
from schema import ids
from schema.access_token import AccessToken
from schema.context import Info, shown
from schema.payloads import Payload, WriteInput, body_of, order, writing
from storage.records.ids import AccessTokenId
from storage.records.values import TokenScope


@strawberry.input(description="The token to be issued to you: never more than the one you ask with.")
class IssueAccessTokenInput(WriteInput):
    """The input of `issueAccessToken`."""

    label: str = strawberry.field(description=f"What it is for, {LONGEST_LABEL} characters at most.")
    scopes: list[TokenScope] = strawberry.field(description="What it may be used for; only scopes your token has.")
    lifetime_days: int | None = strawberry.field(
        default=None,
        description=f"How long it is good for, 1 to {LONGEST_LIFETIME_DAYS} days, and no longer than your token. Left"
        f" out, it ends with your token, or in {DEFAULT_LIFETIME_DAYS} days.",
    )

    def asked(self) -> AskedToken:
        """As the rules take it."""
        return AskedToken(self.label, tuple(self.scopes), self.lifetime_days)


@strawberry.input(description="The token to be revoked.")
class RevokeAccessTokenInput(WriteInput):
    """The input of `revokeAccessToken`."""

    token_id: strawberry.ID = strawberry.field(description="The token, by its id.")


@strawberry.type(description="The token that was issued.")
class IssueAccessTokenPayload(Payload):
    """Resolved on an `Outcome` whose value names the token."""

    @strawberry.field(description="What is kept of the token; null when the write was refused.")
    def access_token(self, parent: strawberry.Parent[Outcome], info: Info) -> AccessToken | None:
        key = parent.value.get("id")
        return None if key is None else shown(own_token(info.context, AccessTokenId(key)))

    @strawberry.field(
        description="The token itself, to be sent as `Authorization: Bearer …`. It is told in this answer and never"
        " again: only a digest is kept. Null when there is none to tell; `secretWithheld` says why."
    )
    def secret(self, parent: strawberry.Parent[Outcome], info: Info) -> str | None:
        return writing(info).secret

    @strawberry.field(description="Why `secret` is null although nothing was refused, in a sentence.")
    def secret_withheld(self, parent: strawberry.Parent[Outcome], info: Info) -> str | None:
        if parent.errors or writing(info).secret is not None:
            return None
        if parent.is_dry_run:
            return "This was a dry run: no token was issued."
        return (
            "This request was carried out before, under this request id, and the token was told then: it is kept"
            f" nowhere. If it was lost, revoke token {parent.value['id']} and issue another one under a new request id."
        )


@strawberry.type(description="The token that was revoked.")
class RevokeAccessTokenPayload(Payload):
    """Resolved on an `Outcome` whose value names the token."""

    @strawberry.field(description="The token as it is now; null when the write was refused.")
    def access_token(self, parent: strawberry.Parent[Outcome], info: Info) -> AccessToken | None:
        key = parent.value.get("id")
        return None if key is None else shown(own_token(info.context, AccessTokenId(key)))

    @strawberry.field(description="How many tokens that were issued with it, or with those, ended with it.")
    def issued_tokens_revoked(self, parent: strawberry.Parent[Outcome]) -> int:
        return len(parent.value.get("also", ()))


IssuedInput = Annotated[IssueAccessTokenInput, strawberry.argument(description="The token to issue.")]
RevokedInput = Annotated[RevokeAccessTokenInput, strawberry.argument(description="The token to revoke.")]


@strawberry.type
class AccessTokenMutations:
    """The part of `Mutation` about the viewer's own access tokens."""

    @strawberry.mutation(
        description="Issue an access token to your own login. It opens no more and lives no longer than the token of"
        " this request, and ends when that one is revoked."
    )
    def issue_access_token(self, info: Info, input: IssuedInput) -> IssueAccessTokenPayload | None:
        ordered = order("issueAccessToken", input, body_of(input))
        return shown(writing(info).carry_out(ordered, lambda session: issue_access_token(session, input.asked())))

    @strawberry.mutation(
        description="Revoke an access token of your own login, and those issued with it. They open nothing from the"
        " next request on, also when it is the one you ask with."
    )
    def revoke_access_token(self, info: Info, input: RevokedInput) -> RevokeAccessTokenPayload | None:
        key = AccessTokenId(ids.plain_id(input.token_id, "an access token"))
        ordered = order("revokeAccessToken", input, body_of(input))
        return shown(writing(info).carry_out(ordered, lambda session: revoke_access_token(session, key)))
