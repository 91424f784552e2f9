"""The whole tree below a manager account, flat, in the order a tree is printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from resolvers.children import (
    AD_ACCOUNT_RELATIONSHIPS,
    MANAGER_ACCOUNT_RELATIONSHIPS,
    AdAccountChildren,
    ChildEdge,
    ManagerAccountChildren,
    ad_accounts_under,
    manager_accounts_under,
)
from resolvers.paging import WHOLE, Connection, Edge, Page, fingerprint, page_of
from resolvers.session import AD_ACCOUNT, CLIENT_LINK, MANAGER_ACCOUNT, Session
from storage.records.ids import ClientLinkId, ManagerAccountId
from storage.records.values import AdAccountStatus, LinkPermission, Relationship


class Descendant(NamedTuple):
    """One node below a manager account: where it stands first, and under which parents besides."""

    node: Any
    key: tuple[Any, ...]
    scope: str
    depth: int
    path: tuple[ManagerAccountId, ...]
    parent_ids: tuple[ManagerAccountId, ...]
    relationship: Relationship
    link_id: ClientLinkId | None
    link_permission: LinkPermission | None

    @property
    def parent_id(self) -> ManagerAccountId:
        """The manager account it stands under on `path`."""
        return self.path[-1]

    @property
    def cursor(self) -> str:
        """The opaque position of this node in the tree's list."""
        return Edge(self.node, self.key, self.scope).cursor


@dataclass(frozen=True, slots=True)
class Descent:
    """Which part of the tree below is asked for. `max_depth` 1 is one level."""

    max_depth: int
    relationships: tuple[Relationship, ...] = tuple(Relationship)
    statuses: tuple[AdAccountStatus, ...] = tuple(AdAccountStatus)
    page: Page = WHOLE


def descendants_of(session: Session, top: ManagerAccountId, asked: Descent) -> Connection[Any]:
    """Everything below a manager account the viewer sees: each node once, by the shortest way, as a tree is printed.

    Cost: a fixed number of SELECTs a level.
    Raises: Refusal (INVALID_CURSOR, TOO_MANY_NODES, CHAIN_OVER_LIMIT).
    """
    scope = fingerprint("descendants", top, asked.max_depth, asked.relationships, asked.statuses)
    found: dict[tuple[str, int], Descendant] = {}
    hidden: set[tuple[str, int]] = set()
    managers = ManagerAccountChildren(tuple(r for r in MANAGER_ACCOUNT_RELATIONSHIPS if r in asked.relationships))
    accounts = AdAccountChildren(tuple(r for r in AD_ACCOUNT_RELATIONSHIPS if r in asked.relationships), asked.statuses)
    level: dict[ManagerAccountId, tuple[ManagerAccountId, ...]] = {top: (top,)}
    for depth in range(1, asked.max_depth + 1):
        below: dict[ManagerAccountId, tuple[ManagerAccountId, ...]] = {}
        session.register(MANAGER_ACCOUNT, list(level))
        for parent, path in level.items():
            for kind, connection in (
                (MANAGER_ACCOUNT, manager_accounts_under(session, parent, managers)),
                (AD_ACCOUNT, ad_accounts_under(session, parent, accounts)),
            ):
                hidden.update((kind, one) for one in connection.hidden_ids)
                for edge in connection.edges:
                    new = _descend(found, kind, edge, path, depth, scope)
                    if new and kind == MANAGER_ACCOUNT and edge.node.customer_id != top:
                        below[edge.node.customer_id] = (*path, edge.node.customer_id)
        if not below:
            break
        level = below
    found.pop((MANAGER_ACCOUNT, top), None)
    # Each level has its own cohort of links; here they are asked for across levels.
    session.regroup(CLIENT_LINK, [item.link_id for item in found.values() if item.link_id is not None])
    rows = sorted(found.values(), key=lambda item: item.key)
    return page_of(rows, asked.page, scope, len(hidden), shape=None)  # type: ignore[arg-type]


def _descend(
    found: dict[tuple[str, int], Descendant],
    kind: str,
    edge: ChildEdge,
    path: tuple[ManagerAccountId, ...],
    depth: int,
    scope: str,
) -> bool:
    number = edge.key[0]
    already = found.get((kind, number))
    if already is not None:
        if path[-1] not in already.parent_ids:
            found[kind, number] = already._replace(parent_ids=(*already.parent_ids, path[-1]))
        return False
    # Accounts of a manager account come before the manager accounts below it, as a tree is read.
    way = [part for step in path[1:] for part in (1, step)]
    key = (*way, int(kind == MANAGER_ACCOUNT), number)
    found[kind, number] = Descendant(
        edge.node, key, scope, depth, path, (path[-1],), edge.relationship, edge.link_id, edge.link_permission
    )
    return True
