"""Client links with their life, and what the viewer may do with them now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers.audit import audit_log_of_link
from resolvers.link_rights import action_answer, status_at
from resolvers.links import link_by_id, transitions_of
from resolvers.lookup import ad_account_by_id, manager_account_by_id
from resolvers.people import user_by_id
from resolvers.rules.links import ClientLinkAction
from schema.ad_account import ManagerAccountOrRestricted
from schema.arguments import After, Before, First, Last, list_page
from schema.audit import AuditEntryConnection
from schema.context import Info, shown
from schema.node import Node, RestrictedManagerAccount, RestrictedRow
from schema.scalars import DateTime
from storage.records.rows import ClientLinkPeriodRow, ClientLinkRow
from storage.records.values import ClientLinkStatus, LinkPermission, LinkType

if TYPE_CHECKING:
    from schema.ad_account import AdAccount
    from schema.manager_account import ManagerAccount
    from schema.user import User

LazyManagerAccount = Annotated["ManagerAccount", strawberry.lazy("schema.manager_account")]
LazyAdAccount = Annotated["AdAccount", strawberry.lazy("schema.ad_account")]
LazyUser = Annotated["User", strawberry.lazy("schema.user")]


ClientEntity = Annotated[
    LazyAdAccount | LazyManagerAccount | RestrictedManagerAccount,
    strawberry.union("ClientEntity", description="What a client link leads to, or its bare id."),
]


@strawberry.type(description="One status a client link took.")
class ClientLinkTransition:
    """Resolved on a `Transition`."""

    from_status: ClientLinkStatus | None = strawberry.field(
        name="from", description="The status before; null for the first."
    )
    to_status: ClientLinkStatus = strawberry.field(name="to", description="The status it took.")
    at: DateTime = strawberry.field(description="When.")
    actor_user_id: strawberry.ID | None = strawberry.field(
        description="The user who brought it about; null when the service did."
    )
    note: str | None = strawberry.field(description="What was noted.")

    @strawberry.field(description="The user who brought it about, when you may see him.")
    def actor(self, parent: strawberry.Parent[Any], info: Info) -> LazyUser | None:
        return None if parent.actor_user_id is None else shown(user_by_id(info.context, parent.actor_user_id))


@strawberry.type(description="Whether you may do something with a client link now, and why not.")
class ClientLinkActionResult:
    """Resolved on an `ActionAnswer`."""

    action: ClientLinkAction = strawberry.field(description="What was asked.")
    allowed: bool = strawberry.field(description="Whether you may, with the link as it stands.")
    reasons: list[str] = strawberry.field(description="Everything that speaks against it, each in one sentence.")


@strawberry.type(
    description="A directed request or relationship: managing manager account to client. One id a generation."
)
class ClientLink(Node):
    """Resolved on a `ClientLinkRow`."""

    link_id: strawberry.ID = strawberry.field(description="The id of this generation of the link.")
    type: LinkType = strawberry.field(description="What it leads to.")
    managing_customer_id: strawberry.ID = strawberry.field(description="The customer id of the managing side.")
    managing_customer_number: str = strawberry.field(description="The number of the managing side.")
    managing_customer_name: str = strawberry.field(description="The name of the managing side.")
    client_entity_number: str = strawberry.field(description="The number of the client.")
    client_entity_name: str = strawberry.field(description="The name of the client.")
    permission: LinkPermission | None = strawberry.field(
        name="customerLinkPermission", description="What a customer link lets through; null on account links."
    )
    is_bill_to_client: bool | None = strawberry.field(
        description="On account links, whether the client pays; null on customer links."
    )
    start_at: DateTime = strawberry.field(name="startDate", description="When an accepted link may become active.")
    name: str = strawberry.field(description="The name given to it, 40 characters at most.")
    note: str | None = strawberry.field(description="A note.")
    inviter_email: str | None = strawberry.field(description="The inviter's e-mail, as given.")
    inviter_name: str | None = strawberry.field(description="The inviter's name, as given.")
    inviter_phone: str | None = strawberry.field(description="The inviter's phone, as given.")
    suppress_notification: bool = strawberry.field(description="Whether the client's primary user was not written to.")
    created_at: DateTime = strawberry.field(description="When it was sent.")
    last_modified_by_user_id: strawberry.ID | None = strawberry.field(description="Who wrote it last.")
    last_modified_at: DateTime = strawberry.field(description="When it was last written.")
    time_stamp: str = strawberry.field(description="Opaque; changes with every write. Send it back to update.")

    @strawberry.field(description="Where it stands; a request nobody answered within 30 days has expired.")
    def status(self, parent: strawberry.Parent[ClientLinkRow], info: Info) -> ClientLinkStatus:
        return status_at(parent, info.context.now)

    @strawberry.field(description="The managing side.")
    def managing_customer(self, parent: strawberry.Parent[ClientLinkRow], info: Info) -> ManagerAccountOrRestricted:
        key = parent.managing_customer_id
        return shown(manager_account_by_id(info.context, key) or RestrictedRow(key))

    @strawberry.field(description="The id of the client: an account id or a customer id, by `type`.")
    def client_entity_id(self, parent: strawberry.Parent[ClientLinkRow]) -> strawberry.ID:
        return shown(parent.client_account_id or parent.client_customer_id)

    @strawberry.field(description="The client: an ad account or a manager account, by `type`; null when hidden.")
    def client_entity(self, parent: strawberry.Parent[ClientLinkRow], info: Info) -> ClientEntity | None:
        if parent.client_account_id is not None:
            return shown(ad_account_by_id(info.context, parent.client_account_id))
        if parent.client_customer_id is None:
            return None
        key = parent.client_customer_id
        return shown(manager_account_by_id(info.context, key) or RestrictedRow(key))

    @strawberry.field(description="Every status it took, oldest first.")
    def transitions(self, parent: strawberry.Parent[ClientLinkRow], info: Info) -> list[ClientLinkTransition]:
        return shown(_transitions(transitions_of(info.context, parent.link_id)))

    @strawberry.field(description="The generation before it: an earlier link of the same two, now ended.")
    def previous(self, parent: strawberry.Parent[ClientLinkRow], info: Info) -> ClientLink | None:
        return None if parent.previous_id is None else shown(link_by_id(info.context, parent.previous_id))

    @strawberry.field(description="Whether you may do this with it now: your capabilities and its status together.")
    def viewer_can(
        self,
        parent: strawberry.Parent[ClientLinkRow],
        info: Info,
        action: Annotated[ClientLinkAction, strawberry.argument(description="What you would like to do.")],
    ) -> ClientLinkActionResult:
        return shown(action_answer(info.context, parent, action))

    @strawberry.field(description="Everything you may do with it now.")
    def viewer_actions(self, parent: strawberry.Parent[ClientLinkRow], info: Info) -> list[ClientLinkAction]:
        return [action for action in ClientLinkAction if action_answer(info.context, parent, action).allowed]

    @strawberry.field(description="What was done to it, newest first, for all who may see it.")
    def audit_log(
        self,
        parent: strawberry.Parent[ClientLinkRow],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AuditEntryConnection:
        return shown(audit_log_of_link(info.context, parent, list_page(first, after, last, before)))

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return isinstance(value, ClientLinkRow)


class _Transition:
    __slots__ = ("actor_user_id", "at", "from_status", "note", "to_status")

    def __init__(self, before: ClientLinkPeriodRow | None, period: ClientLinkPeriodRow) -> None:
        self.from_status = before.status if before else None
        self.to_status = period.status
        self.at = period.began_at
        self.actor_user_id = period.actor_user_id
        self.note = period.note


def _transitions(periods: tuple[ClientLinkPeriodRow, ...]) -> list[_Transition]:
    return [_Transition(periods[index - 1] if index else None, period) for index, period in enumerate(periods)]
