"""Who would gain and lose access by a write: what a dry run tells besides its payload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.effects import Effect, Effects
from resolvers.rules.capabilities import Capability
from schema.connections import AdAccountOrManagerAccount
from schema.context import shown

if TYPE_CHECKING:
    from schema.user import User

LazyUser = Annotated["User", strawberry.lazy("schema.user")]


@strawberry.type(description="What one user would gain and lose on one manager account or ad account.")
class AccessEffect:
    """Resolved on an `Effect`."""

    user: LazyUser = strawberry.field(
        description="The user. The user a login began with stands for the whole login, and is told beside it (P11)."
    )
    target: AdAccountOrManagerAccount = strawberry.field(description="On what.")

    @strawberry.field(description="What he could do that he could not do before.")
    def gained(self, parent: strawberry.Parent[Effect]) -> list[Capability]:
        return shown(parent.gained)

    @strawberry.field(description="What he could no longer do.")
    def lost(self, parent: strawberry.Parent[Effect]) -> list[Capability]:
        return shown(parent.lost)


@strawberry.type(
    description="The difference of access before and after a write, by the rules that answer every question about"
    " access. One write changes the access of at most 20,000 pairs of a user and an account, or it is not told."
)
class AccessEffects:
    """Resolved on an `Effects`."""

    hidden_count: int = strawberry.field(
        description="How many more pairs of a user and an account change, of which you may not see one or the other."
    )

    @strawberry.field(description="How many pairs of a user and an account change that you may see.")
    def total_count(self, parent: strawberry.Parent[Effects]) -> int:
        return len(parent.nodes)

    @strawberry.field(description="What changes, by user and then by customer id and account id.")
    def nodes(self, parent: strawberry.Parent[Effects]) -> list[AccessEffect]:
        return shown(parent.nodes)
