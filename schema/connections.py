"""Connections and edges, resolved in place on the pages the resolvers return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers import links as link_use
from resolvers.accessors import Accessor
from resolvers.ancestors import Ancestor
from resolvers.children import ChildEdge
from resolvers.descendants import Descendant
from resolvers.paging import Connection
from resolvers.rules.capabilities import Capability, names_of
from schema.context import Info, shown
from schema.node import PageInfo
from storage.records.ids import ClientLinkId
from storage.records.values import LinkPermission, Relationship, Role

if TYPE_CHECKING:
    from schema.access import Access
    from schema.ad_account import AdAccount
    from schema.client_link import ClientLink
    from schema.invitation import UserInvitation
    from schema.manager_account import ManagerAccount
    from schema.user import User

LazyManagerAccount = Annotated["ManagerAccount", strawberry.lazy("schema.manager_account")]
LazyAdAccount = Annotated["AdAccount", strawberry.lazy("schema.ad_account")]
LazyUser = Annotated["User", strawberry.lazy("schema.user")]
LazyClientLink = Annotated["ClientLink", strawberry.lazy("schema.client_link")]
LazyInvitation = Annotated["UserInvitation", strawberry.lazy("schema.invitation")]
LazyAccess = Annotated["Access", strawberry.lazy("schema.access")]

_EDGES = "The rows of this page, each with its cursor."
_NODES = "The rows of this page without their edges."
_NODE = "The row itself."
_CURSOR = "The position of this row in its list: give it as `after`."
_RELATIONSHIP = "How it belongs to the manager account above it."
_LINK_PERMISSION = "What the customer link lets through; only on customer links."
_LINK = "The client link behind it, when there is one and you may view links there (rules C12, C14)."


@strawberry.type
class ConnectionBase:
    """What all connections share."""

    hidden_count: int = strawberry.field(
        description="How many more rows there are that you may not see. The others are complete without them."
    )

    @strawberry.field(description="Whether and where there is more.")
    def page_info(self, parent: strawberry.Parent[Connection[Any]]) -> PageInfo:
        edges = parent.edges
        return PageInfo(
            has_next_page=parent.has_next_page,
            has_previous_page=parent.has_previous_page,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        )

    @strawberry.field(description="How many rows the whole list has that you may see; counted only when asked for.")
    def total_count(self, parent: strawberry.Parent[Connection[Any]]) -> int:
        return parent.total()


def _nodes(parent: Connection[Any]) -> Any:
    return [edge.node for edge in parent.edges]


def _link(info: Info, link_id: ClientLinkId | None) -> Any:
    return None if link_id is None else shown(link_use.link_by_id(info.context, link_id))


# Plain lists


@strawberry.type(description="An ad account in a list.")
class AdAccountEdge:
    """An edge of `AdAccountConnection`."""

    cursor: str = strawberry.field(description=_CURSOR)
    node: LazyAdAccount = strawberry.field(description=_NODE)


@strawberry.type(description="A page of ad accounts.")
class AdAccountConnection(ConnectionBase):
    """A list of ad accounts."""

    edges: list[AdAccountEdge] = strawberry.field(description=_EDGES)

    @strawberry.field(description=_NODES)
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[LazyAdAccount]:
        return shown(_nodes(parent))


@strawberry.type(description="A manager account in a list.")
class ManagerAccountEdge:
    """An edge of `ManagerAccountConnection`."""

    cursor: str = strawberry.field(description=_CURSOR)
    node: LazyManagerAccount = strawberry.field(description=_NODE)


@strawberry.type(description="A page of manager accounts.")
class ManagerAccountConnection(ConnectionBase):
    """A list of manager accounts."""

    edges: list[ManagerAccountEdge] = strawberry.field(description=_EDGES)

    @strawberry.field(description=_NODES)
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[LazyManagerAccount]:
        return shown(_nodes(parent))


@strawberry.type(description="A user in a list.")
class UserEdge:
    """An edge of `UserConnection`."""

    cursor: str = strawberry.field(description=_CURSOR)
    node: LazyUser = strawberry.field(description=_NODE)


@strawberry.type(description="A page of users.")
class UserConnection(ConnectionBase):
    """A list of users."""

    edges: list[UserEdge] = strawberry.field(description=_EDGES)

    @strawberry.field(description=_NODES)
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[LazyUser]:
        return shown(_nodes(parent))


@strawberry.type(description="A client link in a list.")
class ClientLinkEdge:
    """An edge of `ClientLinkConnection`."""

    cursor: str = strawberry.field(description=_CURSOR)
    node: LazyClientLink = strawberry.field(description=_NODE)


@strawberry.type(description="A page of client links.")
class ClientLinkConnection(ConnectionBase):
    """A list of client links."""

    edges: list[ClientLinkEdge] = strawberry.field(description=_EDGES)

    @strawberry.field(description=_NODES)
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[LazyClientLink]:
        return shown(_nodes(parent))


@strawberry.type(description="A user invitation in a list.")
class UserInvitationEdge:
    """An edge of `UserInvitationConnection`."""

    cursor: str = strawberry.field(description=_CURSOR)
    node: LazyInvitation = strawberry.field(description=_NODE)


@strawberry.type(description="A page of user invitations.")
class UserInvitationConnection(ConnectionBase):
    """A list of invitations."""

    edges: list[UserInvitationEdge] = strawberry.field(description=_EDGES)

    @strawberry.field(description=_NODES)
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[LazyInvitation]:
        return shown(_nodes(parent))


AdAccountOrManagerAccount = Annotated[
    LazyAdAccount | LazyManagerAccount,
    strawberry.union("AdAccountOrManagerAccount", description="Either kind of account."),
]


@strawberry.type(description="What was found, in a list.")
class FindEdge:
    """An edge of `FindConnection`."""

    cursor: str = strawberry.field(description=_CURSOR)
    node: AdAccountOrManagerAccount = strawberry.field(description=_NODE)


@strawberry.type(description="A page of what begins with a prefix: ad accounts first, then manager accounts.")
class FindConnection(ConnectionBase):
    """The answer of `find`."""

    edges: list[FindEdge] = strawberry.field(description=_EDGES)

    @strawberry.field(description=_NODES)
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[AdAccountOrManagerAccount]:
        return shown(_nodes(parent))


# The hierarchy


@strawberry.type(description="An ad account one level under a manager account, and why it stands there.")
class AdAccountChildEdge:
    """An edge of `ManagerAccount.adAccounts`."""

    cursor: str = strawberry.field(description=_CURSOR)
    node: LazyAdAccount = strawberry.field(description=_NODE)
    relationship: Relationship = strawberry.field(description=_RELATIONSHIP)

    @strawberry.field(description=_LINK)
    def link(self, parent: strawberry.Parent[ChildEdge], info: Info) -> LazyClientLink | None:
        return _link(info, parent.link_id)


@strawberry.type(description="The ad accounts one level under a manager account.")
class AdAccountChildConnection(ConnectionBase):
    """The list behind `ManagerAccount.adAccounts`."""

    edges: list[AdAccountChildEdge] = strawberry.field(description=_EDGES)

    @strawberry.field(description=_NODES)
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[LazyAdAccount]:
        return shown(_nodes(parent))


@strawberry.type(description="A manager account one level under another, and why it stands there.")
class ManagerAccountChildEdge:
    """An edge of `ManagerAccount.managerAccounts`."""

    cursor: str = strawberry.field(description=_CURSOR)
    node: LazyManagerAccount = strawberry.field(description=_NODE)
    relationship: Relationship = strawberry.field(description=_RELATIONSHIP)
    link_permission: LinkPermission | None = strawberry.field(description=_LINK_PERMISSION)

    @strawberry.field(description=_LINK)
    def link(self, parent: strawberry.Parent[ChildEdge], info: Info) -> LazyClientLink | None:
        return _link(info, parent.link_id)


@strawberry.type(description="The manager accounts one level under another.")
class ManagerAccountChildConnection(ConnectionBase):
    """The list behind `ManagerAccount.managerAccounts`."""

    edges: list[ManagerAccountChildEdge] = strawberry.field(description=_EDGES)

    @strawberry.field(description=_NODES)
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[LazyManagerAccount]:
        return shown(_nodes(parent))


@strawberry.type(description="A node somewhere below a manager account; each stands here once, by its shortest way.")
class DescendantEdge:
    """An edge of `ManagerAccount.descendants`."""

    cursor: str = strawberry.field(description=_CURSOR)
    node: AdAccountOrManagerAccount = strawberry.field(description=_NODE)
    depth: int = strawberry.field(description="How many levels below: 1 is directly under it.")
    parent_id: strawberry.ID = strawberry.field(description="The customer id of the manager account it stands under.")
    parent_ids: list[strawberry.ID] = strawberry.field(
        description="The customer ids of all manager accounts of this tree it stands under, `parentId` first."
    )
    path: list[strawberry.ID] = strawberry.field(
        description="The customer ids from the top of the tree down to `parentId`."
    )
    relationship: Relationship = strawberry.field(description=_RELATIONSHIP)
    link_permission: LinkPermission | None = strawberry.field(description=_LINK_PERMISSION)

    @strawberry.field(description=_LINK)
    def link(self, parent: strawberry.Parent[Descendant], info: Info) -> LazyClientLink | None:
        return _link(info, parent.link_id)


@strawberry.type(description="Everything below a manager account, in the order a tree is printed.")
class DescendantConnection(ConnectionBase):
    """The list behind `ManagerAccount.descendants`."""

    edges: list[DescendantEdge] = strawberry.field(description=_EDGES)

    @strawberry.field(description=_NODES)
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[AdAccountOrManagerAccount]:
        return shown(_nodes(parent))


@strawberry.type(description="A manager account somewhere above, by its shortest way.")
class AncestorEdge:
    """An edge of `ancestors`."""

    cursor: str = strawberry.field(description=_CURSOR)
    node: LazyManagerAccount = strawberry.field(description=_NODE)
    depth: int = strawberry.field(description="How many levels above: 1 is directly above it.")
    child_id: strawberry.ID | None = strawberry.field(
        description="The customer id, or at depth 1 the account id, of what it leads down to; null when you may not see"
        " that."
    )
    relationship: Relationship | None = strawberry.field(
        description="How that belongs to this manager account; null when you may not see it."
    )
    link_permission: LinkPermission | None = strawberry.field(
        description="What the customer link lets through; only on customer links to what you may see."
    )

    @strawberry.field(description=_LINK)
    def link(self, parent: strawberry.Parent[Ancestor], info: Info) -> LazyClientLink | None:
        return _link(info, parent.link_id)


@strawberry.type(description="The manager accounts above, nearest first.")
class AncestorConnection(ConnectionBase):
    """The list behind `ancestors`."""

    edges: list[AncestorEdge] = strawberry.field(description=_EDGES)

    @strawberry.field(description=_NODES)
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[LazyManagerAccount]:
        return shown(_nodes(parent))


# Who can access


@strawberry.type(description="A user who holds a capability on a target, with all he holds there.")
class AccessorEdge:
    """An edge of `accessors`."""

    cursor: str = strawberry.field(description=_CURSOR)
    node: LazyUser = strawberry.field(description="The user.")

    @strawberry.field(description="The roles that lead him there.")
    def roles(self, parent: strawberry.Parent[Accessor]) -> list[Role]:
        return shown(parent.permissions.roles)

    @strawberry.field(description="Everything he may do there.")
    def capabilities(self, parent: strawberry.Parent[Accessor]) -> list[Capability]:
        return shown(names_of(parent.permissions.capabilities))

    @strawberry.field(description="How he got there, path by path.")
    def access(self, parent: strawberry.Parent[Accessor]) -> LazyAccess:
        return shown(parent.explanation)


@strawberry.type(description="The users who hold a capability on a target, by user id.")
class AccessorConnection(ConnectionBase):
    """The list behind `accessors`."""

    edges: list[AccessorEdge] = strawberry.field(description=_EDGES)
    over_limit_count: int = strawberry.field(
        description="Of how many more users it can be said neither yes nor no: only a chain of more than five manager"
        " accounts would give it to them (rule P10). They are not in the list; `check` tells what is wrong."
    )

    @strawberry.field(description=_NODES)
    def nodes(self, parent: strawberry.Parent[Connection[Any]]) -> list[LazyUser]:
        return shown(_nodes(parent))
