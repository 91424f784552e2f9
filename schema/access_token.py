"""Access tokens as their owner sees them: everything but the tokens themselves."""

from __future__ import annotations

from typing import Any

import strawberry

from resolvers.audit import audit_log_of_access_token
from resolvers.paging import Connection
from schema.arguments import After, Before, First, Last, list_page
from schema.audit import AuditEntryConnection
from schema.connections import ConnectionBase
from schema.context import Info, shown
from schema.scalars import DateTime
from storage.records.values import TokenScope
from storage.tokens import TokenRow


@strawberry.type(description="An access token of your login. The token itself was shown when it was issued.")
class AccessToken:
    """Resolved on a `TokenRow`."""

    label: str = strawberry.field(description="What the token is for, in the words of who issued it.")

    @strawberry.field(description="The id of the token, to revoke it by.")
    def token_id(self, parent: strawberry.Parent[TokenRow]) -> strawberry.ID:
        return strawberry.ID(str(parent.id))

    @strawberry.field(description="What the token may be used for.")
    def scopes(self, parent: strawberry.Parent[TokenRow]) -> list[TokenScope]:
        return [scope for scope in TokenScope if scope in parent.scopes]

    @strawberry.field(
        description="The id of the token it was issued with, and ends with; null when an operator or an identity"
        " provider's token issued it."
    )
    def issued_by_token_id(self, parent: strawberry.Parent[TokenRow]) -> strawberry.ID | None:
        return None if parent.issued_by is None else strawberry.ID(str(parent.issued_by))

    @strawberry.field(description="When it was issued.")
    def created_at(self, parent: strawberry.Parent[TokenRow]) -> DateTime:
        return shown(parent.created_at_ms)

    @strawberry.field(description="When it ends, or ended, by itself.")
    def expires_at(self, parent: strawberry.Parent[TokenRow]) -> DateTime:
        return shown(parent.expires_at_ms)

    @strawberry.field(description="When it was used last, to the minute; null when it never was.")
    def last_used_at(self, parent: strawberry.Parent[TokenRow]) -> DateTime | None:
        return shown(parent.last_used_at_ms)

    @strawberry.field(description="When it was revoked; null when it was not.")
    def revoked_at(self, parent: strawberry.Parent[TokenRow]) -> DateTime | None:
        return shown(parent.revoked_at_ms)

    @strawberry.field(description="What was done to it, newest first.")
    def audit_log(
        self,
        parent: strawberry.Parent[TokenRow],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AuditEntryConnection | None:
        return shown(audit_log_of_access_token(info.context, parent, list_page(first, after, last, before)))


@strawberry.type(description="An access token in a list.")
class AccessTokenEdge:
    """An edge of `AccessTokenConnection`."""

    cursor: str = strawberry.field(description="The position of this token in its list: give it as `after`.")
    node: AccessToken = strawberry.field(description="The token.")


@strawberry.type(description="A page of your access tokens, newest first.")
class AccessTokenConnection(ConnectionBase):
    """The list behind `Viewer.accessTokens`."""

    edges: list[AccessTokenEdge] = strawberry.field(description="The tokens of this page, each with its cursor.")

    @strawberry.field(description="The tokens of this page without their edges.")
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[AccessToken]:
        return shown([edge.node for edge in parent.edges])
