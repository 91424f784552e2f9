"""The viewer: the login behind the access token, over all its users, or the one of them it asks as."""

from __future__ import annotations

from typing import Any

import strawberry

from resolvers.access_tokens import tokens_of_viewer
from resolvers.accessible import Accessible, accounts_of_viewer
from resolvers.administrators import is_system_administrator
from resolvers.changes import cursor_of
from resolvers.people import acting_user_row, customer_roles_of_viewer, viewer_user_rows
from resolvers.rules.capabilities import Capability
from schema import ids
from schema.access_token import AccessTokenConnection
from schema.arguments import After, Before, First, Last, list_page
from schema.connections import AdAccountConnection
from schema.context import Info, shown
from schema.user import Capable, CustomerIds, CustomerRole, Under, User, selected


@strawberry.type(description="The credentials of one person.")
class Login:
    """Resolved on whatever has an id and a name of a login, as the session's `Viewer`."""

    login_id: strawberry.ID = strawberry.field(description="The id of the login.")
    user_name: str = strawberry.field(description="The name to sign in with.")


@strawberry.type(
    description="You: the login of your access token, with all its users; or the one of them the request is asked as,"
    " with the header `ActAs: <user id>` (rule P11). The whole request is then his: what he sees, may do and signs."
)
class Viewer:
    """Resolved on the session."""

    @strawberry.field(description="Your login.")
    def login(self, info: Info) -> Login:
        return shown(info.context.viewer)

    @strawberry.field(
        description="The user this request is asked as; null when it is asked as your login. The user your login began"
        " with stands for all of it."
    )
    def acting_as(self, info: Info) -> User | None:
        return shown(acting_user_row(info.context))

    @strawberry.field(
        description="Whether the operator names your login as a system administrator. That gives no access to"
        " anything; it lets you consolidate logins and provision aggregators, with a token of the scope ADMIN."
    )
    def is_system_administrator(self, info: Info) -> bool:
        return is_system_administrator(info.context)

    @strawberry.field(
        description="Your users, one for each manager account you belong to, by id; asked as one of them, he alone."
    )
    def users(self, info: Info) -> list[User]:
        return shown(viewer_user_rows(info.context))

    @strawberry.field(
        description="Your roles: held directly, and derived through the hierarchy (GetUser, row for row)."
    )
    def customer_roles(self, info: Info, customer_ids: CustomerIds = None) -> list[CustomerRole]:
        return shown(selected(customer_roles_of_viewer(info.context), customer_ids))

    @strawberry.field(description="The ad accounts on which you hold a capability, by id.")
    def accessible_accounts(
        self,
        info: Info,
        capability: Capable = Capability.VIEW,
        under: Under = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AdAccountConnection | None:
        below = None if under is None else ids.manager_account_id(under)
        asked = Accessible(capability, below, list_page(first, after, last, before))
        return shown(accounts_of_viewer(info.context, asked))

    @strawberry.field(
        description="The access tokens your login ever had, newest first, revoked and expired ones too. The tokens"
        " themselves are kept nowhere."
    )
    def access_tokens(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> AccessTokenConnection | None:
        return shown(tokens_of_viewer(info.context, list_page(first, after, last, before)))

    @strawberry.field(description="The revision of the data that this whole answer describes.")
    def revision(self, info: Info) -> strawberry.ID:
        return strawberry.ID(str(info.context.revision))

    @strawberry.field(
        description="Where the subscription `changes` goes on after this answer: give it as `after`, and you are told"
        " every revision that came later, none twice."
    )
    def changes_cursor(self, info: Info) -> str:
        return cursor_of(info.context.revision)

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        from resolvers.session import Session

        return isinstance(value, Session)
