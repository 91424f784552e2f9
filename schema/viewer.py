"""The viewer: the login behind the access token, over all its users."""

from __future__ import annotations

from typing import Any

import strawberry

from resolvers.accessible import Accessible, accounts_of_viewer
from resolvers.people import customer_roles_of_viewer, viewer_user_rows
from resolvers.rules.capabilities import Capability
from schema import ids
from schema.arguments import After, Before, First, Last, list_page
from schema.connections import AdAccountConnection
from schema.context import Info, shown
from schema.user import Capable, CustomerIds, CustomerRole, Under, User, selected


@strawberry.type(description="The credentials of one person.")
class Login:
    """Resolved on the session's `Viewer`."""

    login_id: strawberry.ID = strawberry.field(description="The id of the login.")
    user_name: str = strawberry.field(description="The name to sign in with.")


@strawberry.type(description="You: the login of your access token, with all its users.")
class Viewer:
    """Resolved on the session."""

    @strawberry.field(description="Your login.")
    def login(self, info: Info) -> Login:
        return shown(info.context.viewer)

    @strawberry.field(description="Your users, one for each manager account you belong to, by id.")
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

    @strawberry.field(description="The revision of the data that this whole answer describes.")
    def revision(self, info: Info) -> strawberry.ID:
        return strawberry.ID(str(info.context.revision))

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        from resolvers.session import Session

        return isinstance(value, Session)
