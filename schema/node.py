"""What can be fetched again by its id, and what is hidden."""

from __future__ import annotations

from typing import Any, NamedTuple

import strawberry

from schema.ids import node_id_of
from storage.records.ids import ManagerAccountId


@strawberry.interface(description="Anything with an id of its own that `node` can fetch again.")
class Node:
    """Resolved on any row that has a node id."""

    @strawberry.field(description="An opaque id, unique over all types.")
    def id(self, parent: strawberry.Parent[Any]) -> strawberry.ID:
        return strawberry.ID(node_id_of(parent))


class RestrictedRow(NamedTuple):
    """Stands for a manager account the viewer may not see, where a field he sees names its id."""

    customer_id: ManagerAccountId


@strawberry.type(
    description="A manager account that takes part in something you see, but that you may not see itself."
    " Its number is told because the advertising API tells it too; nothing else is."
)
class RestrictedManagerAccount:
    """The branch of a tree that is somebody else's."""

    customer_id: strawberry.ID = strawberry.field(description="The customer id, as the advertising API shows it.")

    @strawberry.field(description="Why there is nothing more to see.")
    def reason(self) -> str:
        return "None of your roles lets you view this manager account."

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return isinstance(value, RestrictedRow)


@strawberry.type(description="Where a page of a list begins and ends, and whether there is more.")
class PageInfo:
    """Relay's PageInfo, made by `page_info`."""

    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there is more before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge: give it as `after`.")
