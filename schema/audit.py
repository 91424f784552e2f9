"""The audit log: what was done to an entity, by whom, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers.audit import acting_user, actor_name, reason_of, told
from resolvers.paging import Connection
from schema.connections import ConnectionBase
from schema.context import Info, shown
from schema.scalars import DateTime
from storage.audit import AuditRow

if TYPE_CHECKING:
    from schema.user import User

LazyUser = Annotated["User", strawberry.lazy("schema.user")]

AUDIT_LOG = "What was done to it, newest first; null unless you hold {} (whatever its state)."


@strawberry.type(description="What one write did to one entity.")
class AuditEntry:
    """Resolved on an `AuditRow`."""

    audit_id: strawberry.ID = strawberry.field(description="The id of the entry.")
    revision: strawberry.ID = strawberry.field(description="The revision the write made.")
    at: DateTime = strawberry.field(description="When.")
    operation: str = strawberry.field(description="What was done, in the words of the API.")

    @strawberry.field(description="The login that did it; null when the service did, or you may see none of its users.")
    def actor(self, parent: strawberry.Parent[AuditRow], info: Info) -> str | None:
        return actor_name(info.context, parent)

    @strawberry.field(description="The id of the user whose role let it be done; null when the service did it.")
    def acting_as_user_id(self, parent: strawberry.Parent[AuditRow]) -> strawberry.ID | None:
        return shown(parent.actor_user_id)

    @strawberry.field(description="The user whose role let it be done, when you may see him.")
    def acting_as(self, parent: strawberry.Parent[AuditRow], info: Info) -> LazyUser | None:
        return shown(acting_user(info.context, parent))

    @strawberry.field(
        description="The fields that changed as they were before, as a JSON object; null for what is new. Secrets are"
        " never told."
    )
    def before(self, parent: strawberry.Parent[AuditRow]) -> str | None:
        return told(parent.before)

    @strawberry.field(description="The fields that changed as they became, as a JSON object.")
    def after(self, parent: strawberry.Parent[AuditRow]) -> str | None:
        return told(parent.after)

    @strawberry.field(description="Why, in the words of who did it; null also when you may not see him.")
    def reason(self, parent: strawberry.Parent[AuditRow], info: Info) -> str | None:
        return reason_of(info.context, parent)


@strawberry.type(description="An entry in an audit log.")
class AuditEntryEdge:
    """An edge of `AuditEntryConnection`."""

    cursor: str = strawberry.field(description="The position of this entry in its log: give it as `after`.")
    node: AuditEntry = strawberry.field(description="The entry.")


@strawberry.type(description="A page of an audit log, newest first.")
class AuditEntryConnection(ConnectionBase):
    """The list behind `auditLog`."""

    edges: list[AuditEntryEdge] = strawberry.field(description="The entries of this page, each with its cursor.")

    @strawberry.field(description="The entries of this page without their edges.")
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[AuditEntry]:
        return shown([edge.node for edge in parent.edges])
