"""addClientLinks and updateClientLinks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import strawberry

from resolvers.link_writes import LinkChange, NewLink, add_client_links, update_client_links
from resolvers.links import link_by_id
from resolvers.rules.links import ClientLinkAction
from resolvers.writing import Outcome
from schema import ids
from schema.client_link import ClientLink
from schema.context import Info, shown
from schema.effects import AccessEffects
from schema.payloads import Item, Payload, UserErrorType, WriteInput, items_of, order, writing
from schema.scalars import DateTime
from storage.records.ids import ClientLinkId, Instant
from storage.records.values import LinkPermission, LinkType


@strawberry.input(description="A link to be sent. Name each end by its id or by its number.")
class NewClientLinkInput:
    """One item of `AddClientLinksInput`."""

    type: LinkType = strawberry.field(default=LinkType.ACCOUNT_LINK, description="What it leads to.")
    managing_customer_id: strawberry.ID | None = strawberry.field(default=None, description="The managing side, by id.")
    managing_customer_number: str | None = strawberry.field(
        default=None, description="The managing side, by its number."
    )
    client_entity_id: strawberry.ID | None = strawberry.field(
        default=None, description="The client, by id: an account id or a customer id, by `type`."
    )
    client_entity_number: str | None = strawberry.field(default=None, description="The client, by its number.")
    client_entity_customer_number: str | None = strawberry.field(
        default=None, description="For certainty, the number of the manager account that owns the client."
    )
    customer_link_permission: LinkPermission | None = strawberry.field(
        default=None, description="On customer links, what they let through; STANDARD by default."
    )
    is_bill_to_client: bool | None = strawberry.field(
        default=None, description="On account links, whether the client pays; must be given there."
    )
    start_date: DateTime | None = strawberry.field(
        default=None, description="When it may become active, at most 90 days from now; by default now."
    )
    name: str | None = strawberry.field(default=None, description="A name, 40 characters at most.")
    note: str | None = strawberry.field(default=None, description="A note, 1,000 characters at most.")
    inviter_email: str | None = strawberry.field(
        default=None, description="Shown to the client, 100 characters at most; by default your e-mail."
    )
    inviter_name: str | None = strawberry.field(
        default=None,
        description="Shown to the client, 100 characters at most; by default your manager account's name.",
    )
    inviter_phone: str | None = strawberry.field(
        default=None, description="Shown to the client, 100 characters at most; by default your phone."
    )
    suppress_notification: bool = strawberry.field(
        default=False, description="Send no mail about this link, neither to the client nor to you."
    )

    def new_link(self) -> NewLink:
        """As the use case takes it. Raises: Refusal BAD_USER_INPUT."""
        client = None
        if self.client_entity_id is not None:
            of_account = self.type == LinkType.ACCOUNT_LINK
            client = (ids.ad_account_id if of_account else ids.manager_account_id)(self.client_entity_id)
        return NewLink(
            type=self.type,
            managing_id=None
            if self.managing_customer_id is None
            else ids.manager_account_id(self.managing_customer_id),
            managing_number=self.managing_customer_number,
            client_id=client,
            client_number=self.client_entity_number,
            client_customer_number=self.client_entity_customer_number,
            permission=self.customer_link_permission,
            is_bill_to_client=self.is_bill_to_client,
            start_at=None if self.start_date is None else Instant(self.start_date),
            name=self.name,
            note=self.note,
            inviter_email=self.inviter_email,
            inviter_name=self.inviter_name,
            inviter_phone=self.inviter_phone,
            suppress_notification=self.suppress_notification,
        )


@strawberry.input(description="Up to ten links to be sent, each on its own.")
class AddClientLinksInput(WriteInput):
    """The input of `addClientLinks`."""

    links: list[NewClientLinkInput] = strawberry.field(description="The links, 1 to 10.")


@strawberry.input(description="What is to happen to one link.")
class ClientLinkChangeInput:
    """One item of `UpdateClientLinksInput`."""

    link_id: strawberry.ID = strawberry.field(description="The link.")
    time_stamp: str = strawberry.field(description="Its `timeStamp` as you read it last.")
    action: ClientLinkAction | None = strawberry.field(
        default=None, description="What to do; left out, only the note is changed."
    )
    note: str | None = strawberry.field(default=None, description="A new note, 1,000 characters at most.")

    def change(self) -> LinkChange:
        """As the use case takes it. Raises: Refusal BAD_USER_INPUT."""
        return LinkChange(ids.client_link_id(self.link_id), self.time_stamp, self.action, self.note)


@strawberry.input(description="Up to ten links to be answered, ended or annotated, each on its own.")
class UpdateClientLinksInput(WriteInput):
    """The input of `updateClientLinks`."""

    links: list[ClientLinkChangeInput] = strawberry.field(description="What is to happen, 1 to 10.")


@strawberry.type(description="What came of one link of the call.")
class ClientLinkResult:
    """Resolved on an `Item`."""

    @strawberry.field(description="The link as it is now; null when this item was refused.")
    def link(self, parent: strawberry.Parent[Item], info: Info) -> ClientLink | None:
        return None if parent.id is None else shown(link_by_id(info.context, ClientLinkId(parent.id)))

    @strawberry.field(description="Why this item was refused.")
    def user_errors(self, parent: strawberry.Parent[Item]) -> list[UserErrorType]:
        return shown(parent.errors)


@strawberry.type(description="What came of the links, in the order they were sent.")
class ClientLinksPayload(Payload):
    """The payload of both mutations."""

    @strawberry.field(
        description="Of a dry run, who would gain and lose access once the worker has done its part: every link"
        " accepted here is ACTIVE, every link to be ended is INACTIVE, all else as it is. Null of a write that was done"
        " or refused. A link that is only sent gives nothing until its client has accepted it, and is not in it. Users"
        " you may not see today are counted, not named."
    )
    def effects_once_done(self, parent: strawberry.Parent[Outcome], info: Info) -> AccessEffects | None:
        return None if parent.errors or not parent.is_dry_run else shown(writing(info).effects_once_done())

    @strawberry.field(description="One result a link, in order.")
    def results(self, parent: strawberry.Parent[Outcome]) -> list[ClientLinkResult]:
        return shown(items_of(parent))


AddInput = Annotated[AddClientLinksInput, strawberry.argument(description="The links to be sent.")]
UpdateInput = Annotated[UpdateClientLinksInput, strawberry.argument(description="What is to happen to which links.")]


@strawberry.type
class ClientLinkMutations:
    """The part of `Mutation` about client links."""

    @strawberry.mutation(description="Send links to their clients (AddClientLinks), up to ten, each on its own.")
    def add_client_links(self, info: Info, input: AddInput) -> ClientLinksPayload | None:
        links = [one.new_link() for one in input.links]
        ordered = order("addClientLinks", input, [asdict(one) for one in links])
        return shown(writing(info).carry_out(ordered, lambda session: add_client_links(session, links)))

    @strawberry.mutation(
        description="Accept or decline a link for the client; cancel it or ask to undo it for the managing side"
        " (UpdateClientLinks). Up to ten, each on its own."
    )
    def update_client_links(self, info: Info, input: UpdateInput) -> ClientLinksPayload | None:
        changes = [one.change() for one in input.links]
        ordered = order("updateClientLinks", input, [asdict(one) for one in changes])
        return shown(writing(info).carry_out(ordered, lambda session: update_client_links(session, changes)))
