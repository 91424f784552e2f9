"""moveClientLink."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import strawberry

from resolvers.link_moves import LinkMove, move_client_link
from resolvers.links import link_by_id
from resolvers.writing import Outcome
from schema import ids
from schema.client_link import ClientLink
from schema.context import Info, shown
from schema.payloads import Payload, WriteInput, order, writing
from storage.records.ids import ClientLinkId


@strawberry.input(description="Which link goes to which manager account.")
class MoveClientLinkInput(WriteInput):
    """The input of `moveClientLink`."""

    link_id: strawberry.ID = strawberry.field(description="The link; it must be ACTIVE.")
    time_stamp: str = strawberry.field(description="Its `timeStamp` as you read it last.")
    to_managing_customer_id: strawberry.ID = strawberry.field(
        description="The manager account that takes the client over."
    )
    name: str | None = strawberry.field(
        default=None, description="A name for the new link, 40 characters at most; the old one's by default."
    )
    note: str | None = strawberry.field(default=None, description="A note for the new link; the old one's by default.")

    def move(self) -> LinkMove:
        """As the use case takes it. Raises: Refusal BAD_USER_INPUT."""
        return LinkMove(
            link_id=ids.client_link_id(self.link_id),
            time_stamp=self.time_stamp,
            to=ids.manager_account_id(self.to_managing_customer_id),
            name=self.name,
            note=self.note,
        )


@strawberry.type(description="The client's new link, and the one it replaces.")
class MoveClientLinkPayload(Payload):
    """The payload of `moveClientLink`."""

    @strawberry.field(description="The new link, ACTIVE; null when the move was refused.")
    def link(self, parent: strawberry.Parent[Outcome], info: Info) -> ClientLink | None:
        return _link(parent, info, "id")

    @strawberry.field(description="The old link, INACTIVE; null when the move was refused.")
    def previous_link(self, parent: strawberry.Parent[Outcome], info: Info) -> ClientLink | None:
        return _link(parent, info, "previous_id")


def _link(outcome: Outcome, info: Info, name: str) -> ClientLink | None:
    key = outcome.value.get(name)
    return None if key is None else shown(link_by_id(info.context, ClientLinkId(key)))


MoveInput = Annotated[MoveClientLinkInput, strawberry.argument(description="Which link, and where to.")]


@strawberry.type
class ClientLinkMoveMutation:
    """The part of `Mutation` that moves links."""

    @strawberry.mutation(
        description="Give an active client another manager at once, without a moment with none or with two: the old"
        " link ends, a new one with the same permission is active, and who is billed moves along. You must be allowed"
        " to manage the links of both managing sides. The client is not asked, so nobody on the new side may come to"
        " hold more on it than you do through the old one, unless you may answer for the client (MOVE_WOULD_WIDEN)."
    )
    def move_client_link(self, info: Info, input: MoveInput) -> MoveClientLinkPayload | None:
        move = input.move()
        ordered = order("moveClientLink", input, asdict(move))
        return shown(writing(info).carry_out(ordered, lambda session: move_client_link(session, move)))
