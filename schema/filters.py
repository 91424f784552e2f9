"""Filters and orders of the searches, as inputs; the rules about them are in the resolvers."""

from __future__ import annotations

from datetime import date
from typing import TypeVar

import strawberry

from resolvers.links import ClientLinkFilter
from resolvers.search import AdAccountFilter, ManagerAccountFilter, TextPredicate
from schema import ids
from schema.arguments import chosen
from schema.enums import SortOrder
from schema.scalars import Date
from storage.reads.search import Order, OrderField
from storage.records.ids import AdAccountId, ManagerAccountId
from storage.records.values import AdAccountStatus, ClientLinkStatus, Language

T = TypeVar("T")


@strawberry.input(description="An order; give one or leave it out for ids ascending.")
class OrderByInput:
    """`OrderBy` of the reference."""

    field: OrderField = strawberry.field(description="What to order by.")
    order: SortOrder = strawberry.field(default=SortOrder.ASCENDING, description="Which end comes first.")


def order_of(given: OrderByInput | None) -> Order:
    """The order asked for; ids ascending by default."""
    return Order() if given is None else Order(given.field, given.order == SortOrder.DESCENDING)


@strawberry.input(name="IDFilter", description="Ids to search for: exactly one of the two.")
class IdFilter:
    """Equals and In of the reference."""

    equals: strawberry.ID | None = strawberry.field(default=None, description="This id.")
    in_: list[strawberry.ID] | None = strawberry.field(
        name="in", default=None, description="One of these ids, ten at most."
    )

    def texts(self) -> list[str]:
        """The ids as given; with both or neither operator the list is empty, which the search refuses."""
        if (self.equals is None) == (self.in_ is None):
            return []
        return [self.equals] if self.equals is not None else list(self.in_ or ())


@strawberry.input(description="Text to search for, ignoring case, at least four characters: exactly one of the three.")
class TextFilter:
    """Equals, Contains and In of the reference."""

    equals: str | None = strawberry.field(default=None, description="Exactly this.")
    contains: str | None = strawberry.field(default=None, description="This anywhere inside.")
    in_: list[str] | None = strawberry.field(
        name="in", default=None, description="One of these, ten at most; for numbers."
    )

    def predicate(self) -> TextPredicate:
        """As the search takes it."""
        return TextPredicate(self.equals, self.contains, None if self.in_ is None else tuple(self.in_))


@strawberry.input(description="Text to search for, ignoring case, at least four characters: exactly one of the two.")
class NameFilter:
    """Equals and Contains of the reference."""

    equals: str | None = strawberry.field(default=None, description="Exactly this.")
    contains: str | None = strawberry.field(default=None, description="This anywhere inside.")

    def predicate(self) -> TextPredicate:
        """As the search takes it."""
        return TextPredicate(self.equals, self.contains)


def _name(given: NameFilter | TextFilter | None) -> TextPredicate | None:
    return None if given is None else given.predicate()


@strawberry.input(
    description="Which ad accounts (SearchAccounts): exactly one predicate, and `lifeCycleStatus` beside it."
)
class AdAccountFilterInput:
    """The predicates of SearchAccounts."""

    account_id: IdFilter | None = strawberry.field(default=None, description="By account id.")
    life_cycle_status: AdAccountStatus | None = strawberry.field(
        default=None,
        description="By status, beside one other predicate. ACTIVE includes accounts the billing service paused;"
        " PAUSE means paused by a user.",
    )
    name: NameFilter | None = strawberry.field(default=None, description="By name.")
    number: TextFilter | None = strawberry.field(default=None, description="By display number.")
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="Those this customer id owns or holds an account link to."
    )
    user_id: strawberry.ID | None = strawberry.field(default=None, description="Those this user can see.")

    def asked(self) -> AdAccountFilter:
        """As the search takes it. Raises: Refusal BAD_USER_INPUT."""
        return AdAccountFilter(
            account_ids=None
            if self.account_id is None
            else tuple(ids.ad_account_id(one) for one in self.account_id.texts()),
            status=self.life_cycle_status,
            name=_name(self.name),
            number=_name(self.number),
            customer_id=None if self.customer_id is None else ids.manager_account_id(self.customer_id),
            user_id=None if self.user_id is None else ids.user_id(self.user_id),
        )


@strawberry.input(description="Which manager accounts (SearchCustomers, GetCustomersInfo): all predicates must hold.")
class ManagerAccountFilterInput:
    """The predicates of SearchCustomers."""

    customer_id: IdFilter | None = strawberry.field(default=None, description="By customer id.")
    name: NameFilter | None = strawberry.field(default=None, description="By name.")
    name_prefix: str | None = strawberry.field(default=None, description="By how the name begins, ignoring case.")
    account_id: strawberry.ID | None = strawberry.field(default=None, description="The owner of this account id.")
    account_name: NameFilter | None = strawberry.field(
        default=None, description="The owners of ad accounts with this name."
    )
    account_number: TextFilter | None = strawberry.field(
        default=None, description="The owners of ad accounts with this number."
    )
    created_from: Date | None = strawberry.field(default=None, description="Created on this day or later.")
    created_to: Date | None = strawberry.field(default=None, description="Created on this day or earlier.")
    market_country: str | None = strawberry.field(
        default=None, description="By country of its market, together with the language."
    )
    market_language: Language | None = strawberry.field(
        default=None, description="By language of its market, together with the country."
    )
    user_name: str | None = strawberry.field(
        default=None,
        description="Those to which a user with this login belongs; exactly as it is spelled, because"
        " logins that differ in case are different people.",
    )

    def asked(self) -> ManagerAccountFilter:
        """As the search takes it. Raises: Refusal BAD_USER_INPUT."""
        return ManagerAccountFilter(
            customer_ids=None
            if self.customer_id is None
            else tuple(ids.manager_account_id(one) for one in self.customer_id.texts()),
            name=_name(self.name),
            name_prefix=self.name_prefix,
            account_id=None if self.account_id is None else ids.ad_account_id(self.account_id),
            account_name=_name(self.account_name),
            account_number=_name(self.account_number),
            created_from=None if self.created_from is None else date.fromisoformat(self.created_from),
            created_to=None if self.created_to is None else date.fromisoformat(self.created_to),
            market_country=self.market_country,
            market_language=self.market_language,
            user_name=self.user_name,
        )


@strawberry.input(description="Which client links (SearchClientLinks): one or two predicates, and statuses.")
class ClientLinkFilterInput:
    """The predicates of SearchClientLinks."""

    client_account_id: IdFilter | None = strawberry.field(
        default=None, description="Account links to these ad accounts."
    )
    client_customer_id: IdFilter | None = strawberry.field(
        default=None, description="Customer links to these manager accounts; needs VIEW_MANAGER_LINKS."
    )
    direct_managing_customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="Links this customer id manages, of both kinds."
    )
    managing_customer_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Account links of this customer id and what others hold on the same ad accounts."
        " Deprecated in the advertising API: prefer `directManagingCustomerId`.",
    )
    status: list[ClientLinkStatus] | None = strawberry.field(default=None, description="Only in these statuses.")

    def asked(self) -> ClientLinkFilter:
        """As the search takes it. Raises: Refusal BAD_USER_INPUT."""
        accounts = None if self.client_account_id is None else self.client_account_id.texts()
        customers = None if self.client_customer_id is None else self.client_customer_id.texts()
        return ClientLinkFilter(
            client_account_ids=None
            if accounts is None
            else tuple(AdAccountId(ids.ad_account_id(one)) for one in accounts),
            client_customer_ids=None
            if customers is None
            else tuple(ManagerAccountId(ids.manager_account_id(one)) for one in customers),
            direct_managing_customer_id=None
            if self.direct_managing_customer_id is None
            else ids.manager_account_id(self.direct_managing_customer_id),
            # The reference ignores the deprecated predicate beside a client account.
            managing_customer_id=None
            if self.managing_customer_id is None or accounts is not None
            else ids.manager_account_id(self.managing_customer_id),
            statuses=chosen("status", self.status, tuple(ClientLinkStatus)),
        )


@strawberry.input(description="Which invitations (SearchUserInvitations).")
class UserInvitationFilterInput:
    """The one predicate of SearchUserInvitations."""

    customer_id: strawberry.ID = strawberry.field(description="Invitations into this customer id.")
