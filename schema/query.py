"""The root: every question that can be asked."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from resolvers.access import MOST_CHECKS, access_of, check_many
from resolvers.errors import Code, Refusal
from resolvers.links import INVITATION, invitation_by_id, invitations_to, link_by_id, search_client_links
from resolvers.lookup import (
    ad_account_by_id,
    manager_account_by_id,
    visible_ad_accounts,
    visible_manager_accounts,
)
from resolvers.paging import Connection
from resolvers.people import user_by_id, visible_users
from resolvers.rules.addresses import validated
from resolvers.rules.capabilities import Capability
from resolvers.search import find, search_ad_accounts, search_manager_accounts
from resolvers.session import AD_ACCOUNT, CLIENT_LINK, MANAGER_ACCOUNT, USER, Session
from schema import ids
from schema.access import Access, CheckInput, CheckResult, answers, request_of
from schema.ad_account import AdAccount
from schema.address_input import AddressValidation, BusinessAddressInput, CheckedAddress
from schema.arguments import After, Before, First, Last, list_page
from schema.client_link import ClientLink
from schema.connections import (
    AdAccountConnection,
    ClientLinkConnection,
    FindConnection,
    ManagerAccountConnection,
    UserInvitationConnection,
)
from schema.context import Info, shown
from schema.filters import (
    AdAccountFilterInput,
    ClientLinkFilterInput,
    ManagerAccountFilterInput,
    OrderByInput,
    UserInvitationFilterInput,
    order_of,
)
from schema.manager_account import ManagerAccount
from schema.node import Node
from schema.user import User
from schema.viewer import Viewer

MOST_NODES = 100
"""How many ids one `nodes` takes."""

OrderBy = Annotated[
    OrderByInput | None, strawberry.argument(description="The order of the list; by default, by id ascending.")
]
Subject = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The user asked about; left out, it is your whole login."),
]
Asked = Annotated[Capability, strawberry.argument(description="What is asked.")]
Target = Annotated[
    strawberry.ID,
    strawberry.argument(description="A manager account or ad account: a node id, or `AdAccount:444111`."),
]
Context = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The customer id named; left out, all ways count (rule P8)."),
]
SINGLE = " Null when there is none that you may see: hidden and unknown look alike."


def signed_in(info: Info) -> Session:
    """The session of somebody with a token. Raises: Refusal UNAUTHENTICATED."""
    _ = info.context.viewer  # raises without one
    return info.context


@strawberry.type(description="Everything that can be asked. All fields of one request describe one revision.")
class Query:
    """The root of queries."""

    @strawberry.field(description="Who you are and what you may do, in what capacity.")
    def viewer(self, info: Info) -> Viewer | None:
        return shown(signed_in(info))

    @strawberry.field(description="Anything by its node id." + SINGLE)
    def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="A node id, or `Kind:number`.")],
    ) -> Node | None:
        return shown(_nodes(signed_in(info), [id])[0])

    @strawberry.field(description="Several things by their node ids, in the order asked, a hundred at most." + SINGLE)
    def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Node ids, or `Kind:number`.")],
    ) -> list[Node | None]:
        session = signed_in(info)
        if len(ids) > MOST_NODES:
            raise Refusal(Code.BAD_USER_INPUT, f"`nodes` takes at most {MOST_NODES} ids, not {len(ids)}.")
        return shown(_nodes(session, ids))

    @strawberry.field(description="A user by id." + SINGLE)
    def user(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="A user id or node id.")],
    ) -> User | None:
        return shown(user_by_id(signed_in(info), ids.user_id(id)))

    @strawberry.field(description="A manager account by id." + SINGLE)
    def manager_account(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="A customer id or node id.")],
    ) -> ManagerAccount | None:
        return shown(manager_account_by_id(signed_in(info), ids.manager_account_id(id)))

    @strawberry.field(description="An ad account by id." + SINGLE)
    def ad_account(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="An account id or node id.")],
    ) -> AdAccount | None:
        return shown(ad_account_by_id(signed_in(info), ids.ad_account_id(id)))

    @strawberry.field(description="A client link by id, of any generation." + SINGLE)
    def client_link(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="A link id or node id.")],
    ) -> ClientLink | None:
        return shown(link_by_id(signed_in(info), ids.client_link_id(id)))

    @strawberry.field(description="Ad accounts you reach, searched and ordered (SearchAccounts).")
    def ad_accounts(
        self,
        info: Info,
        filter: Annotated[AdAccountFilterInput | None, strawberry.argument(description="Which; left out, all.")] = None,
        order_by: OrderBy = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AdAccountConnection | None:
        asked = None if filter is None else filter.asked()
        page = list_page(first, after, last, before)
        return shown(search_ad_accounts(signed_in(info), asked, order_of(order_by), page))

    @strawberry.field(description="Manager accounts you reach, searched and ordered (SearchCustomers).")
    def manager_accounts(
        self,
        info: Info,
        filter: Annotated[
            ManagerAccountFilterInput | None, strawberry.argument(description="Which; left out, all.")
        ] = None,
        order_by: OrderBy = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> ManagerAccountConnection | None:
        asked = None if filter is None else filter.asked()
        page = list_page(first, after, last, before)
        return shown(search_manager_accounts(signed_in(info), asked, order_of(order_by), page))

    @strawberry.field(
        description="What begins with a text, ignoring case (FindAccounts, FindAccountsOrCustomersInfo): ad accounts"
        " by name or number, then manager accounts by name. An empty text lists everything."
    )
    def find(
        self,
        info: Info,
        prefix: Annotated[str, strawberry.argument(description="How the name or number begins.")],
        first: First = None,
        after: After = None,
    ) -> FindConnection | None:
        return shown(find(signed_in(info), prefix, list_page(first, after)))

    @strawberry.field(
        description="Client links you may view, the latest of each pair (SearchClientLinks). ID orders by the id of the"
        " client, as the reference has it, NAME by the link's name, NUMBER by the managing side's number."
    )
    def client_links(
        self,
        info: Info,
        filter: Annotated[
            ClientLinkFilterInput | None, strawberry.argument(description="Which; left out, all.")
        ] = None,
        order_by: OrderBy = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> ClientLinkConnection | None:
        asked = (ClientLinkFilterInput() if filter is None else filter).asked()
        page = list_page(first, after, last, before)
        return shown(search_client_links(signed_in(info), asked, order_of(order_by), page))

    @strawberry.field(description="Invitations into a manager account you see (SearchUserInvitations), by id.")
    def invitations(
        self,
        info: Info,
        filter: Annotated[UserInvitationFilterInput, strawberry.argument(description="Which.")],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> UserInvitationConnection | None:
        session = signed_in(info)
        page = list_page(first, after, last, before)
        key = ids.manager_account_id(filter.customer_id)
        if manager_account_by_id(session, key) is None:
            return shown(Connection((), False, False, lambda: 0, 0))
        return shown(invitations_to(session, key, page))

    @strawberry.field(description="Whether somebody, or you, may do something with a target, and why.")
    def check(
        self,
        info: Info,
        capability: Asked,
        target: Target,
        user: Subject = None,
        context: Context = None,
    ) -> CheckResult | None:
        return shown(check_many(signed_in(info), [request_of(user, capability, target, context)])[0])

    @strawberry.field(
        description="Up to a thousand checks, answered in order and each on its own: what is wrong with one touches"
        " no other."
    )
    def check_many(
        self,
        info: Info,
        checks: Annotated[list[CheckInput], strawberry.argument(description="What is asked, 1 to 1000.")],
    ) -> list[CheckResult] | None:
        if not 1 <= len(checks) <= MOST_CHECKS:
            raise Refusal(Code.BAD_USER_INPUT, f"`checkMany` takes 1 to {MOST_CHECKS} checks, not {len(checks)}.")
        return shown(answers(info, checks))

    @strawberry.field(
        description="Everything about the access of somebody, or you, to a target: capabilities, all paths, what each"
        " hop removed, which context to name. Null when there is no such user or target that you may see."
    )
    def access(self, info: Info, target: Target, user: Subject = None, context: Context = None) -> Access | None:
        session = signed_in(info)
        request = request_of(user, Capability.VIEW, target, context)
        return shown(access_of(session, request.subject, request.target, request.context))

    @strawberry.field(
        description="Whether mail could arrive at an address, and how it is better written (ValidateAddress). Nothing"
        " is looked up about you or anybody, and nothing is written."
    )
    def validate_address(
        self,
        info: Info,
        address: Annotated[BusinessAddressInput, strawberry.argument(description="The address.")],
    ) -> AddressValidation | None:
        signed_in(info)
        fields = address.fields()
        return shown(CheckedAddress(fields, validated(fields)))


def _nodes(session: Session, texts: list[strawberry.ID]) -> list[Any]:
    """Rows for node ids of any kinds, in order; each kind is loaded once. Raises: Refusal BAD_USER_INPUT."""
    wanted = [ids.parse_node_id(text) for text in texts]
    by_kind: dict[str, list[Any]] = {}
    for kind, number in wanted:
        by_kind.setdefault(kind, []).append(number)
    found: dict[tuple[str, int], Any] = {}
    for kind, numbers in by_kind.items():
        found.update(((kind, number), row) for number, row in _load(session, kind, numbers).items())
    return [found.get(one) for one in wanted]


def _load(session: Session, kind: str, numbers: list[Any]) -> dict[Any, Any]:
    """Rows by number; in place of one that only a chain over the limit leads to, its refusal, which graphql-core
    raises at that one's place: the others of the list stay.
    """
    if kind == ids.MANAGER_ACCOUNT:
        session.register(MANAGER_ACCOUNT, numbers)
        return visible_manager_accounts(session, numbers)
    if kind == ids.AD_ACCOUNT:
        session.register(AD_ACCOUNT, numbers)
        return visible_ad_accounts(session, numbers)
    if kind == ids.USER:
        session.register(USER, numbers)
        return visible_users(session, numbers)
    if kind == ids.CLIENT_LINK:
        session.register(CLIENT_LINK, numbers)
        return {number: link_by_id(session, number) for number in numbers}
    session.register(INVITATION, numbers)
    return {number: invitation_by_id(session, number) for number in numbers}
