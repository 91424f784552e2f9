"""The whole tree below a manager account, flat, in the order a tree is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
from resolvers.errors import Refusal, unless_refused
from resolvers.paging import WHOLE, Connection, Edge, Page, fingerprint, page_of, require_cursors_of
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

    def scope(self, top: ManagerAccountId) -> str:
        """The name of the list below one manager account, for cursors."""
        return fingerprint("descendants", top, self.max_depth, self.relationships, self.statuses)


def descendants_of(session: Session, top: ManagerAccountId, asked: Descent) -> Connection[Any]:
    """Everything below a manager account the viewer sees: each node once, by the shortest way, as a tree is printed.

    Cost: a fixed number of SELECTs a level, for all tops of the cohort together.
    Raises: Refusal (INVALID_CURSOR, TOO_MANY_NODES, CHAIN_OVER_LIMIT).
    """
    scope = asked.scope(top)
    # A cursor belongs to one tree: of the others it is refused, and nothing is loaded for that.
    require_cursors_of(scope, asked.page, shape=None)
    part = Descent(asked.max_depth, asked.relationships, asked.statuses)
    if asked.page.after is not None or asked.page.before is not None:
        tree = unless_refused(_trees(session, [top], part)[top])
    else:
        tree = session.each(MANAGER_ACCOUNT, top, part, lambda tops: _trees(session, tops, part))
    return page_of(tree.rows, asked.page, scope, tree.hidden, shape=None)  # type: ignore[arg-type]


class _Tree:
    """What was found below one top so far, and the level that is to be looked under next."""

    def __init__(self, top: ManagerAccountId, scope: str) -> None:
        self.top = top
        self._scope = scope
        self._found: dict[tuple[str, int], Descendant] = {}
        self._hidden: set[tuple[str, int]] = set()
        self.level: dict[ManagerAccountId, tuple[ManagerAccountId, ...]] = {top: (top,)}
        self.rows: list[Descendant] = []

    @property
    def hidden(self) -> int:
        """How many nodes the viewer may not see."""
        return len(self._hidden)

    def descend(self, depth: int, under: Callable[[ManagerAccountId], Iterable[tuple[str, Connection[Any]]]]) -> None:
        """Take in what stands under the level. `under` gives the lists of one parent, by kind."""
        below: dict[ManagerAccountId, tuple[ManagerAccountId, ...]] = {}
        for parent, path in self.level.items():
            for kind, connection in under(parent):
                self._hidden.update((kind, one) for one in connection.hidden_ids)
                for edge in connection.edges:
                    new = self._take(kind, edge, path, depth)
                    if new and kind == MANAGER_ACCOUNT and edge.node.customer_id != self.top:
                        below[edge.node.customer_id] = (*path, edge.node.customer_id)
        self.level = below

    def _take(self, kind: str, edge: ChildEdge, path: tuple[ManagerAccountId, ...], depth: int) -> bool:
        number = edge.key[0]
        already = self._found.get((kind, number))
        if already is not None:
            if path[-1] not in already.parent_ids:
                self._found[kind, number] = already._replace(parent_ids=(*already.parent_ids, path[-1]))
            return False
        # Accounts of a manager account come before the manager accounts below it, as a tree is read.
        way = [part for step in path[1:] for part in (1, step)]
        key = (*way, int(kind == MANAGER_ACCOUNT), number)
        self._found[kind, number] = Descendant(
            edge.node, key, self._scope, depth, path, (path[-1],), edge.relationship, edge.link_id, edge.link_permission
        )
        return True

    def put_in_order(self) -> None:
        """All of it is found: the top is not below itself, also on a cycle."""
        self._found.pop((MANAGER_ACCOUNT, self.top), None)
        self.rows = sorted(self._found.values(), key=lambda item: item.key)


def _trees(session: Session, tops: list[ManagerAccountId], part: Descent) -> dict[ManagerAccountId, _Tree | Refusal]:
    """The trees below these, level by level, all of one level at once."""
    managers = ManagerAccountChildren(tuple(r for r in MANAGER_ACCOUNT_RELATIONSHIPS if r in part.relationships))
    accounts = AdAccountChildren(tuple(r for r in AD_ACCOUNT_RELATIONSHIPS if r in part.relationships), part.statuses)

    def under(parent: ManagerAccountId) -> Iterable[tuple[str, Connection[Any]]]:
        yield MANAGER_ACCOUNT, manager_accounts_under(session, parent, managers)
        yield AD_ACCOUNT, ad_accounts_under(session, parent, accounts)

    growing = {top: _Tree(top, part.scope(top)) for top in tops}
    found: dict[ManagerAccountId, _Tree | Refusal] = {**growing}
    for depth in range(1, part.max_depth + 1):
        # A manager account may have come in other lists before; here a level belongs together.
        session.regroup(MANAGER_ACCOUNT, list({one for tree in growing.values() for one in tree.level}))
        for top, tree in list(growing.items()):
            try:
                tree.descend(depth, under)
            except Refusal as refusal:
                found[top] = refusal
            if found[top] is not tree or not tree.level:
                del growing[top]
    trees = [tree for tree in found.values() if isinstance(tree, _Tree)]
    for tree in trees:
        tree.put_in_order()
    # Each level has its own cohort of links; here they are asked for across levels.
    session.regroup(CLIENT_LINK, list({row.link_id for tree in trees for row in tree.rows if row.link_id is not None}))
    return found
