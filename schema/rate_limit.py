"""What a caller may still ask for, for those who look before they are told."""

from __future__ import annotations

import strawberry

from resolvers.session import Allowance
from schema.scalars import DateTime


@strawberry.type(
    description="Your budget, as it was when this request was let in. An object of an answer costs one, a mutation ten,"
    " ten rows read one. `extensions.cost` of every answer says what it cost."
)
class RateLimit:
    """Resolved on an `Allowance`."""

    limit: int = strawberry.field(description="What it holds when it is full.")
    cost: int = strawberry.field(
        description="What this request was expected to cost; what it really costs is settled when it has ended."
    )
    remaining: int = strawberry.field(
        description="What is left, `cost` taken off; below zero when earlier requests cost more than was there."
    )
    per_minute: int = strawberry.field(description="How much comes back in a minute.")

    @strawberry.field(description="When it is full again, if you ask for nothing more.")
    def reset_at(self, parent: strawberry.Parent[Allowance]) -> DateTime:
        return DateTime(parent.full_at_ms)
