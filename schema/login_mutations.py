"""consolidateLogins and provisionAggregator: what system administrators do."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import strawberry

from resolvers.aggregators import NewAggregator, NewManagerAccount, provision_aggregator
from resolvers.logins import Consolidation, LoginUser, consolidate_logins
from resolvers.lookup import manager_account_by_id
from resolvers.people import user_by_id
from resolvers.writing import Outcome
from schema.address_input import BusinessAddressInput
from schema.context import Info, shown
from schema.manager_account import ManagerAccount
from schema.payloads import Payload, WriteInput, body_of, order, writing
from schema.user import User
from schema.viewer import Login
from storage.entries import DEFAULT_LCID
from storage.records.ids import ManagerAccountId, UserId
from storage.records.values import Industry, Language


@strawberry.input(description="Logins of one person that are to become one, by their names; case counts.")
class ConsolidateLoginsInput(WriteInput):
    """The input of `consolidateLogins`."""

    primary_login: str = strawberry.field(description="The login that stays, with the users of all.")
    merged_logins: list[str] = strawberry.field(
        description="The logins that end, 1 to 20. Their tokens are refused with 120 from then on."
    )


@strawberry.type(name="LoginUser", description="A user of a login, by ids alone: being an administrator shows no more.")
class LoginUserType:
    """Resolved on a `LoginUser`."""

    user_id: strawberry.ID = strawberry.field(description="The user; it keeps its id.")
    customer_id: strawberry.ID = strawberry.field(description="The customer id it belongs to.")
    is_original: bool = strawberry.field(description="Whether it stands for the whole login now (rule P11).")
    came_from: str | None = strawberry.field(
        description="The name of the login it belonged to before; null when that is the one that stays."
    )


class _Named(NamedTuple):
    login_id: int
    user_name: str


@strawberry.type(description="What came of consolidating logins.")
class ConsolidateLoginsPayload(Payload):
    """Resolved on an `Outcome` whose value names the login and its users."""

    @strawberry.field(description="The login that stayed; null when the write was refused.")
    def login(self, parent: strawberry.Parent[Outcome]) -> Login | None:
        value = parent.value
        return shown(_Named(value["login_id"], value["user_name"])) if value else None

    @strawberry.field(description="All its users, by id; empty when the write was refused.")
    def users(self, parent: strawberry.Parent[Outcome]) -> list[LoginUserType]:
        return shown([LoginUser(*row) for row in parent.value.get("users", ())])


@strawberry.input(description="A manager account to be made; its number is made up.")
class NewManagerAccountInput:
    """The manager account of a new aggregator."""

    name: str = strawberry.field(description="Its name, 90 characters at most; others may have the same.")
    industry: Industry = strawberry.field(description="What its business is in. INTERNAL is reserved.")
    market_country: str = strawberry.field(description="The country of its market, two capital letters; for good.")
    market_language: Language = strawberry.field(
        description="The language of its market, one that goes with the country; for good."
    )
    address: BusinessAddressInput | None = strawberry.field(default=None, description="Its address, if wanted.")

    def new(self) -> NewManagerAccount:
        """As the use case takes it."""
        address = None if self.address is None else self.address.fields()
        return NewManagerAccount(self.name, self.industry, self.market_country, self.market_language, address)


@strawberry.input(description="The person who is to be the user of a new manager account.")
class NewUserInput:
    """The one user of a new aggregator."""

    first_name: str = strawberry.field(description="First name, 100 characters at most.")
    last_name: str = strawberry.field(description="Last name, 100 characters at most.")
    email: str = strawberry.field(description="How to reach him, 100 characters at most; may differ from the login.")
    lcid: str = strawberry.field(default=DEFAULT_LCID, description="Locale of the person.")


@strawberry.input(description="An aggregator to be made: an empty manager account and its one user.")
class ProvisionAggregatorInput(WriteInput):
    """The input of `provisionAggregator`."""

    customer: NewManagerAccountInput = strawberry.field(description="The manager account.")
    login_name: str = strawberry.field(
        description="The login the user is to sign in with, 100 characters at most; it is made unless there is one."
    )
    user: NewUserInput = strawberry.field(description="The user, who becomes Aggregator and Super Admin.")

    def new(self) -> NewAggregator:
        """As the use case takes it."""
        user = self.user
        return NewAggregator(
            self.customer.new(), self.login_name, user.first_name, user.last_name, user.email, user.lcid
        )


@strawberry.type(
    description="What came of making an aggregator. `managerAccount` and `user` are shown in the answer to the request"
    " that makes them only: the administrator gains no access, so a repeat has the ids alone."
)
class ProvisionAggregatorPayload(Payload):
    """Resolved on an `Outcome` whose value names both."""

    @strawberry.field(description="The id of the manager account; null when the write was refused.")
    def customer_id(self, parent: strawberry.Parent[Outcome]) -> strawberry.ID | None:
        return shown(parent.value.get("customer_id"))

    @strawberry.field(description="The id of its user; null when the write was refused.")
    def user_id(self, parent: strawberry.Parent[Outcome]) -> strawberry.ID | None:
        return shown(parent.value.get("user"))

    @strawberry.field(description="The manager account as it was made; null when the write was refused.")
    def manager_account(self, parent: strawberry.Parent[Outcome], info: Info) -> ManagerAccount | None:
        key = parent.value.get("customer_id")
        return None if key is None else shown(manager_account_by_id(info.context, ManagerAccountId(key)))

    @strawberry.field(description="Its user with the roles he holds; null when the write was refused.")
    def user(self, parent: strawberry.Parent[Outcome], info: Info) -> User | None:
        key = parent.value.get("user")
        return None if key is None else shown(user_by_id(info.context, UserId(key)))


_Consolidate = Annotated[ConsolidateLoginsInput, strawberry.argument(description="Which logins become one.")]
_Provision = Annotated[ProvisionAggregatorInput, strawberry.argument(description="The aggregator to be made.")]


@strawberry.type
class LoginMutations:
    """The part of `Mutation` for system administrators."""

    @strawberry.mutation(
        description="Make several logins of one person one; for system administrators. Every user keeps his id, roles"
        " and contact info. Refused as a whole when two of the logins have a user in the same manager account."
    )
    def consolidate_logins(self, info: Info, input: _Consolidate) -> ConsolidateLoginsPayload | None:
        ordered = order("consolidateLogins", input, body_of(input))
        asked = Consolidation(input.primary_login, tuple(input.merged_logins))
        return shown(writing(info).carry_out(ordered, lambda session: consolidate_logins(session, asked)))

    @strawberry.mutation(
        description="Make an aggregator: a manager account without ad accounts and one user in it, who holds"
        " Aggregator (33) and Super Admin (41); for system administrators (rule C18)."
    )
    def provision_aggregator(self, info: Info, input: _Provision) -> ProvisionAggregatorPayload | None:
        ordered = order("provisionAggregator", input, body_of(input))
        new = input.new()
        return shown(writing(info).carry_out(ordered, lambda session: provision_aggregator(session, new)))
