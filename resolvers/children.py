"""One level under manager accounts: owned, linked and aggregated.

Children are loaded for a whole cohort of parents at once. Where the viewer sees everything a parent holds,
pages are cut in the database; where something is hidden from him, the list is loaded, filtered and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from resolvers.child_links import (
    EVERY_AD_ACCOUNT_STATUS,
    EVERY_MANAGER_ACCOUNT_STATUS,
    account_links,
    customer_links,
)
from resolvers.errors import Refusal
from resolvers.paging import WHOLE, Connection, Edge, Page, cut, decode_cursor, fingerprint, page_of, require_cursors_of
from resolvers.rules.capabilities import VIEW
from resolvers.session import CLIENT_LINK, MANAGER_ACCOUNT, Session, fact_of
from storage.reads import children as read
from storage.reads.entities import read_ad_accounts, read_manager_accounts
from storage.records.facts import EveryAccount, EveryLinkedEntity
from storage.records.ids import MAX_ID, AdAccountId, AggregationId, ClientLinkId, ManagerAccountId
from storage.records.rows import AdAccountRow, ChildLink, ManagerAccountRow
from storage.records.values import (
    AdAccountStatus,
    ClientLinkStatus,
    LinkPermission,
    ManagerAccountStatus,
    Relationship,
)

_ORDER = {relationship: position for position, relationship in enumerate(Relationship)}
_KEY = (int, int)
"""Children are ordered by id, then by how they belong."""
_TWINS = 2
"""One ad account can stand up to three times under one parent: owned, linked and aggregated."""


class ChildEdge(NamedTuple):
    """A child, and why it stands under its parent. `linkPermission` only for customer links."""

    node: Any
    key: tuple[Any, ...]
    scope: str
    relationship: Relationship
    link_id: ClientLinkId | None
    aggregation_id: AggregationId | None
    link_permission: LinkPermission | None
    link_status: ClientLinkStatus | None

    @property
    def cursor(self) -> str:
        """The opaque position of this child in its list."""
        return Edge(self.node, self.key, self.scope).cursor


AD_ACCOUNT_RELATIONSHIPS = (Relationship.OWNED, Relationship.ACCOUNT_LINK, Relationship.AGGREGATED)
MANAGER_ACCOUNT_RELATIONSHIPS = (Relationship.CUSTOMER_LINK, Relationship.AGGREGATED)


@lru_cache(maxsize=256)
def _text(relationships: tuple[str, ...], statuses: tuple[str, ...]) -> str:
    """The filters of a list as text: the same for all parents of a level, and slow to write."""
    return f"{','.join(relationships)} {','.join(statuses)}"


@lru_cache(maxsize=1_024)
def _scope(name: str, parent: ManagerAccountId, relationships: tuple[str, ...], statuses: tuple[str, ...]) -> str:
    """The name of a list, for cursors."""
    return fingerprint(name, parent, _text(relationships, statuses))


@dataclass(frozen=True, slots=True)
class AdAccountChildren:
    """Which ad accounts of one level are asked for."""

    relationships: tuple[Relationship, ...] = AD_ACCOUNT_RELATIONSHIPS
    statuses: tuple[AdAccountStatus, ...] = EVERY_AD_ACCOUNT_STATUS
    page: Page = WHOLE

    def scope(self, parent: ManagerAccountId) -> str:
        """The name of one parent's list, for cursors."""
        return _scope("adAccounts", parent, self.relationships, self.statuses)


@dataclass(frozen=True, slots=True)
class ManagerAccountChildren:
    """Which manager accounts of one level are asked for."""

    relationships: tuple[Relationship, ...] = MANAGER_ACCOUNT_RELATIONSHIPS
    statuses: tuple[ManagerAccountStatus, ...] = EVERY_MANAGER_ACCOUNT_STATUS
    page: Page = WHOLE

    def scope(self, parent: ManagerAccountId) -> str:
        """The name of one parent's list, for cursors."""
        return _scope("managerAccounts", parent, self.relationships, self.statuses)


class _Passes(NamedTuple):
    """What the viewer sees of a parent's children without looking at each: all of a kind, or not surely."""

    owned: bool
    linked: bool
    managers: bool


def ad_accounts_under(
    session: Session, parent: ManagerAccountId, asked: AdAccountChildren = AdAccountChildren()
) -> Connection[AdAccountRow]:
    """The ad accounts one level under a manager account the viewer sees, ordered by id.

    Cost: at most eleven SELECTs for all parents of the cohort together.
    Raises: Refusal (INVALID_CURSOR, TOO_MANY_NODES, CHAIN_OVER_LIMIT).
    """
    return _together(session, parent, asked, _load_ad_accounts)


def manager_accounts_under(
    session: Session, parent: ManagerAccountId, asked: ManagerAccountChildren = ManagerAccountChildren()
) -> Connection[ManagerAccountRow]:
    """The manager accounts one level under a manager account the viewer sees, ordered by id.

    Cost: at most eight SELECTs for all parents of the cohort together.
    Raises: Refusal (INVALID_CURSOR, TOO_MANY_NODES, CHAIN_OVER_LIMIT).
    """
    return _together(session, parent, asked, _load_manager_accounts)


def _together(
    session: Session,
    parent: ManagerAccountId,
    asked: Any,
    load: Callable[[Session, list[ManagerAccountId], Any], dict[ManagerAccountId, Connection[Any] | Refusal]],
) -> Connection[Any]:
    if asked.page.after is not None or asked.page.before is not None:
        # A cursor belongs to one parent's list; its siblings are refused it, and nothing is loaded for that.
        require_cursors_of(asked.scope(parent), asked.page, _KEY)
        found: Connection[Any] | Refusal | None = load(session, [parent], asked)[parent]
    else:
        found = session.together(MANAGER_ACCOUNT, parent, asked, lambda ids: load(session, ids, asked))
    if isinstance(found, Refusal):
        raise found
    return found if found is not None else Connection((), False, False, lambda: 0, 0)


def _passes(session: Session, parent: ManagerAccountId) -> _Passes:
    owned = linked = managers = False
    for carried in session.reach.carried_at(parent):
        owned = owned or bool(carried.accounts & VIEW)
        linked = linked or bool(carried.links & VIEW)
        scope = carried.assignment.scope
        at_its_own = carried.assignment.manager_account_id == parent
        managers = managers or not at_its_own or isinstance(scope, EveryAccount | EveryLinkedEntity)
    hierarchy = session.excerpt.hierarchy
    signed_up = hierarchy.facts.aggregations_from.get(parent, ())
    if any(hierarchy.leads_back(parent, item.manager_account_id) for item in signed_up):
        # A path may not name a manager account twice, so what stands under it has to be looked at one by one.
        return _Passes(owned=False, linked=False, managers=False)
    return _Passes(owned, linked, managers)


# Ad accounts


def _load_ad_accounts(
    session: Session, parents: list[ManagerAccountId], asked: AdAccountChildren
) -> dict[ManagerAccountId, Connection[AdAccountRow] | Refusal]:
    session.know_manager_accounts(parents)
    session.excerpt.know_aggregations_from(parents)
    passes = {parent: _passes(session, parent) for parent in parents}
    open_to = [parent for parent in parents if passes[parent].owned and passes[parent].linked]
    partly = [parent for parent in parents if parent not in set(open_to)]
    result: dict[ManagerAccountId, Connection[AdAccountRow] | Refusal] = {}
    if open_to:
        edges = _ad_account_edges(session, open_to, asked, asked.page)
        for parent in open_to:
            result[parent] = _cut_in_database(session, parent, asked, edges.get(parent, []))
    if partly:
        edges = _ad_account_edges(session, partly, asked, WHOLE)
        session.know_ad_accounts([edge.node.account_id for parent in partly for edge in edges.get(parent, ())])
        for parent in partly:
            result[parent] = _only_visible(
                edges.get(parent, []), asked, parent, lambda edge: session.sees(fact_of(edge.node))
            )
    return result


def _cut_in_database(
    session: Session, parent: ManagerAccountId, asked: AdAccountChildren, edges: list[ChildEdge]
) -> Connection[AdAccountRow] | Refusal:
    try:
        shown, more_after, more_before = cut(edges, asked.page, asked.scope(parent), _KEY)  # type: ignore[arg-type]
    except Refusal as refusal:
        return refusal

    def total() -> int:
        counts = session.together(
            MANAGER_ACCOUNT,
            parent,
            ("count", asked.relationships, asked.statuses),
            lambda ids: read.count_ad_accounts(session.transaction, ids, asked.relationships, asked.statuses),
        )
        return counts or 0

    whole = asked.page.size is None
    return Connection(shown, more_after, more_before, (lambda: len(edges)) if whole else total, 0)


def _ad_account_edges(
    session: Session, parents: list[ManagerAccountId], asked: AdAccountChildren, page: Page
) -> dict[ManagerAccountId, list[ChildEdge]]:
    """The ad accounts of these parents, ordered, at most a page and its twins of each."""
    tx, statuses = session.transaction, asked.statuses
    wanted = _child_page(session, parents, asked, page)
    owned: list[AdAccountRow] = []
    if Relationship.OWNED in asked.relationships:
        if page.size is None:
            owned = read.read_every_owned_ad_account(tx, parents, wanted.limit, statuses)
        else:
            owned = read.read_owned_ad_accounts(tx, parents, wanted, statuses)
    links: list[ChildLink] = []
    if Relationship.ACCOUNT_LINK in asked.relationships:
        links += account_links(session, parents, statuses, wanted, whole=page.size is None)
    aggregators = _aggregators(session, parents, asked.relationships)
    if aggregators:
        links += _aggregated_links(session, read.read_aggregated_ad_accounts(tx, aggregators, wanted, statuses))
    session.count_nodes(len(owned) + len(links))
    session.register(CLIENT_LINK, [link.link_id for link in links if link.link_id is not None])
    others = read_ad_accounts(tx, list({AdAccountId(link.child_id) for link in links}))
    session.have_ad_accounts([*owned, *others.values()])
    scopes = {parent: asked.scope(parent) for parent in parents}
    edges: dict[ManagerAccountId, list[ChildEdge]] = {}
    for row in owned:
        parent = row.parent_customer_id
        edge = ChildEdge(row, (row.account_id, 0), scopes[parent], Relationship.OWNED, None, None, None, None)
        edges.setdefault(parent, []).append(edge)
    for link in links:
        edge = _link_edge(others[AdAccountId(link.child_id)], link, scopes[link.parent_id])
        edges.setdefault(link.parent_id, []).append(edge)
    for siblings in edges.values():
        siblings.sort(key=_edge_key)
    return edges


def _aggregators(
    session: Session, parents: list[ManagerAccountId], relationships: Collection[Relationship]
) -> list[ManagerAccountId]:
    """Those parents that signed somebody up: most never did, and are not asked."""
    signed_up = session.excerpt.facts.aggregations_from
    return [one for one in parents if one in signed_up] if Relationship.AGGREGATED in relationships else []


def _edge_key(edge: ChildEdge) -> tuple[Any, ...]:
    return edge.key


def _link_edge(node: Any, link: ChildLink, scope: str) -> ChildEdge:
    relationship = Relationship(link.relationship)
    return ChildEdge(
        node,
        (link.child_id, _ORDER[relationship]),
        scope,
        relationship,
        link.link_id,
        link.aggregation_id,
        link.permission,
        link.link_status,
    )


def _aggregated_links(session: Session, rows: Collection[read.AggregatedAdAccount]) -> list[ChildLink]:
    session.excerpt.know_manager_accounts(list({row.owner_id for row in rows}))
    ids = {
        (item.aggregator_id, item.manager_account_id): item.id
        for owner in {row.owner_id for row in rows}
        for item in session.excerpt.facts.aggregations_to.get(owner, ())
    }
    return [
        ChildLink(
            row.aggregator_id,
            row.ad_account_id,
            Relationship.AGGREGATED,
            None,
            ids[row.aggregator_id, row.owner_id],
            None,
            None,
        )
        for row in rows
    ]


def _child_page(
    session: Session,
    parents: list[ManagerAccountId],
    asked: AdAccountChildren | ManagerAccountChildren,
    page: Page,
) -> read.ChildPage:
    if page.size is None:
        # One row past the limit is enough to know that the tree is too large, and the work stops there.
        return read.ChildPage(limit=session.nodes_left + 1)
    after, before = -1, MAX_ID
    if page.after is not None:
        after = decode_cursor(asked.scope(parents[0]), page.after, _KEY)[0] - 1
    if page.before is not None:
        before = decode_cursor(asked.scope(parents[0]), page.before, _KEY)[0] + 1
    return read.ChildPage(page.size + 1 + _TWINS, after, before, page.backwards)


def _only_visible(
    edges: list[ChildEdge],
    asked: AdAccountChildren | ManagerAccountChildren,
    parent: ManagerAccountId,
    sees: Callable[[ChildEdge], bool],
) -> Connection[Any] | Refusal:
    try:
        seen = [edge for edge in edges if sees(edge)]
        hidden = len(edges) - len(seen)
        found = page_of(seen, asked.page, asked.scope(parent), hidden, shape=_KEY)  # type: ignore[arg-type]
        shown = {edge.key[0] for edge in seen}
        return found._replace(hidden_ids=frozenset(edge.key[0] for edge in edges) - shown)
    except Refusal as refusal:
        return refusal


# Manager accounts


def _load_manager_accounts(
    session: Session, parents: list[ManagerAccountId], asked: ManagerAccountChildren
) -> dict[ManagerAccountId, Connection[ManagerAccountRow] | Refusal]:
    session.know_manager_accounts(parents)
    session.excerpt.know_aggregations_from(parents)
    paged = asked.page.size is not None
    # A page may only be cut before filtering where nothing will be filtered out.
    open_to = [parent for parent in parents if not paged or _passes(session, parent).managers]
    partly = [parent for parent in parents if parent not in set(open_to)]
    edges = _manager_account_edges(session, open_to, asked, asked.page)
    edges |= _manager_account_edges(session, partly, asked, WHOLE) if partly else {}
    session.know_manager_accounts(list({edge.node.customer_id for siblings in edges.values() for edge in siblings}))
    result: dict[ManagerAccountId, Connection[ManagerAccountRow] | Refusal] = {}
    for parent in parents:
        found = _only_visible(edges.get(parent, []), asked, parent, lambda edge: session.sees(edge.node.customer_id))
        if paged and parent not in partly and isinstance(found, Connection):
            found = found._replace(total=lambda parent=parent: _count_managers(session, parent, asked))  # type: ignore[misc]
        result[parent] = found
    return result


def _count_managers(session: Session, parent: ManagerAccountId, asked: ManagerAccountChildren) -> int:
    everything = ManagerAccountChildren(asked.relationships, asked.statuses, WHOLE)
    return len(manager_accounts_under(session, parent, everything).edges)


def _manager_account_edges(
    session: Session, parents: list[ManagerAccountId], asked: ManagerAccountChildren, page: Page
) -> dict[ManagerAccountId, list[ChildEdge]]:
    if not parents:
        return {}
    tx, statuses = session.transaction, asked.statuses
    wanted = _child_page(session, parents, asked, page)
    links: list[ChildLink] = []
    if Relationship.CUSTOMER_LINK in asked.relationships:
        links += customer_links(session, parents, statuses, wanted, whole=page.size is None)
    aggregators = _aggregators(session, parents, asked.relationships)
    if aggregators:
        links += read.read_aggregated_manager_accounts(tx, aggregators, wanted, statuses)
    session.count_nodes(len(links))
    session.register(CLIENT_LINK, [link.link_id for link in links if link.link_id is not None])
    rows = read_manager_accounts(tx, list({ManagerAccountId(link.child_id) for link in links}))
    session.have_manager_accounts(list(rows.values()))
    edges: dict[ManagerAccountId, list[ChildEdge]] = {}
    for link in links:
        edge = _link_edge(rows[ManagerAccountId(link.child_id)], link, asked.scope(link.parent_id))
        edges.setdefault(link.parent_id, []).append(edge)
    for siblings in edges.values():
        siblings.sort(key=_edge_key)
    return edges
