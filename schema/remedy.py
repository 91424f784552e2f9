"""What would turn a denial into a yes: every way to do it, with all that each way needs."""

from __future__ import annotations

import strawberry

from resolvers.rules.capabilities import Capability
from resolvers.rules.near_misses import NearMiss
from resolvers.rules.remedies import Need, RemedyActor, RemedyKind, Way
from schema.context import shown
from storage.records.values import Role

_ONE_OF_MANY = "It can name one of several things needed only: ask `ways`. It stays until the end of 2027."


@strawberry.type(description="Something that somebody needs to be allowed for a remedy.")
class RemedyNeed:
    """Resolved on a `Need`."""

    capability: Capability = strawberry.field(description="What he needs to hold.")
    what_for: str = strawberry.field(description="What he does with it, as a verb.")

    @strawberry.field(
        description="The customer id he needs it on; null when it is an ad account. Its `accessors` say who has it."
    )
    def customer_id(self, parent: strawberry.Parent[Need]) -> strawberry.ID | None:
        return shown(parent.manager_account)

    @strawberry.field(
        description="The account id he needs it on; null when it is a manager account. Its `accessors` say who has it."
    )
    def account_id(self, parent: strawberry.Parent[Need]) -> strawberry.ID | None:
        return shown(parent.ad_account)


@strawberry.type(description="One way to make the answer yes. It is enough by itself.")
class RemedyWay:
    """Resolved on a `Way`."""

    kind: RemedyKind = strawberry.field(description="What is to be done.")
    by: RemedyActor = strawberry.field(description="Who can do it.")
    message: str = strawberry.field(description="What to do, in one sentence.")
    needs: list[RemedyNeed] = strawberry.field(
        description="All that is needed for it: every one of these, held by one person or by several."
    )
    role: Role | None = strawberry.field(description="The role to give, or whose scope to widen.")

    @strawberry.field(description="The user id to give the role to, or whose role to widen.")
    def user_id(self, parent: strawberry.Parent[Way]) -> strawberry.ID | None:
        return shown(parent.user)

    @strawberry.field(description="The customer id the role is for, or the one to name as the context.")
    def customer_id(self, parent: strawberry.Parent[Way]) -> strawberry.ID | None:
        return shown(parent.manager_account)

    @strawberry.field(description="The client link concerned.")
    def link_id(self, parent: strawberry.Parent[Way]) -> strawberry.ID | None:
        return shown(parent.link)


def _first_need(miss: NearMiss) -> Need | None:
    needs = miss.ways[0].needs
    return needs[0] if needs else None


@strawberry.type(description="What could be changed so that the answer would be yes.")
class Remedy:
    """Resolved on a `NearMiss`."""

    ways: list[RemedyWay] = strawberry.field(description="Every way to do it; one of them is enough.")
    besides: str | None = strawberry.field(
        description="What the state of the target forbids even then, in one sentence; null when a way is enough."
    )

    @strawberry.field(description="Everything that can be done, in words.")
    def message(self, parent: strawberry.Parent[NearMiss]) -> str:
        return parent.remedy

    @strawberry.field(
        description="The first of what somebody needs to be allowed for the first way.", deprecation_reason=_ONE_OF_MANY
    )
    def needs(self, parent: strawberry.Parent[NearMiss]) -> Capability | None:
        need = _first_need(parent)
        return None if need is None else need.capability

    @strawberry.field(
        description="The customer id that first capability is needed on.", deprecation_reason=_ONE_OF_MANY
    )
    def on_customer_id(self, parent: strawberry.Parent[NearMiss]) -> strawberry.ID | None:
        need = _first_need(parent)
        return None if need is None else shown(need.manager_account)
