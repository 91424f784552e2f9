"""The root of subscriptions: what is told as it happens, and where its events come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple

import strawberry

from resolvers.audit import acting_user, actor_name
from resolvers.changes import Change as ChangeSeen
from resolvers.changes import ChangedNode as NodeSeen
from resolvers.changes import Tail, begin_changes, next_change
from resolvers.errors import Refusal
from resolvers.session import Session
from schema.audit import AuditEntry
from schema.context import Info, shown
from schema.node import Node
from schema.scalars import DateTime
from schema.user import User


@strawberry.type(description="Something you may see that a revision wrote about.")
class ChangedNode:
    """Resolved on a `resolvers.changes.ChangedNode`."""

    @strawberry.field(
        description="It, as it is now; null only with an error, when a chain of manager accounts that is too long leads"
        " there."
    )
    def node(self, parent: strawberry.Parent[NodeSeen]) -> Node | None:
        if isinstance(parent.node, Refusal):
            raise parent.node
        return shown(parent.node)

    entries: list[AuditEntry] | None = strawberry.field(
        description="What the revision did to it; null unless you may read its `auditLog`."
    )


@strawberry.type(
    description="One committed revision, as far as you may see what it wrote about. What you may not see is not named;"
    " a revision that wrote about nothing else is not told at all."
)
class Change:
    """Resolved on a `resolvers.changes.Change`."""

    cursor: str = strawberry.field(description="Where to go on from here: give it as `after`.")
    revision: strawberry.ID = strawberry.field(description="The revision.")

    @strawberry.field(description="When it was written.")
    def at(self, parent: strawberry.Parent[ChangeSeen]) -> DateTime:
        return shown(parent.entry.at)

    operation: str | None = strawberry.field(
        description="What was done, in the words of the API; null unless you may read the `auditLog` of something it"
        " was done to."
    )

    @strawberry.field(description="The login that did it; null when the service did, or you may see none of its users.")
    def actor(self, parent: strawberry.Parent[ChangeSeen], info: Info) -> str | None:
        return actor_name(info.context, parent.entry)

    @strawberry.field(description="The user whose role let it be done, when you may see him.")
    def acting_as(self, parent: strawberry.Parent[ChangeSeen], info: Info) -> User | None:
        return shown(acting_user(info.context, parent.entry))

    changed: list[ChangedNode] = strawberry.field(description="What it wrote about, of that what you may see.")


@strawberry.type(description="Everything that is told as it happens, over WebSocket.")
class Subscription:
    """The root of subscriptions. Each event is resolved on what its source gave, over a snapshot of its own."""

    @strawberry.field(
        description="The committed revisions that wrote about something you may see, in order, none left out and none"
        " twice. All fields of one event describe the data as it is when the event is sent."
    )
    def changes(
        self,
        parent: strawberry.Parent[ChangeSeen],
        after: Annotated[
            str | None,
            strawberry.argument(
                description="Begin after this cursor, of an event or of `viewer.changesCursor`; left out, begin now."
            ),
        ] = None,
        first: Annotated[
            int | None,
            strawberry.argument(description="End after so many events, 1 to 1000; left out, do not end."),
        ] = None,
    ) -> Change | None:
        return shown(parent)


class Source(NamedTuple):
    """Where the events of one subscription field come from. How far it has come is a value that `begin` makes."""

    begin: Callable[..., Tail]
    """From a session and the arguments of the field. Raises: Refusal."""
    next: Callable[[Session, Tail], tuple[Tail, Any]]
    """From a session over a new snapshot: how far it has come then, and what the field is resolved on, or None."""


SOURCES: Mapping[str, Source] = {"changes": Source(begin_changes, next_change)}
"""The fields of `Subscription` by their names in the schema."""
