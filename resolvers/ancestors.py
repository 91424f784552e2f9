"""What stands above a manager account or an ad account, nearest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from resolvers.paging import Connection, Edge, Page, fingerprint, page_of
from resolvers.rules.capabilities import Capability
from resolvers.session import AD_ACCOUNT, MANAGER_ACCOUNT, Session
from storage.reads.entities import read_manager_accounts
from storage.reads.facts import CARRIES_ACCESS
from storage.records.ids import ClientLinkId, ManagerAccountId
from storage.records.rows import AdAccountRow, ManagerAccountRow
from storage.records.values import LinkPermission, Relationship


class Ancestor(NamedTuple):
    """A manager account above: how many steps up, and through which child it leads down.

    A child the viewer may not see is None, and so is what belongs to the way to it.
    """

    node: ManagerAccountRow
    key: tuple[Any, ...]
    scope: str
    depth: int
    child_id: int | None
    relationship: Relationship | None
    link_id: ClientLinkId | None
    link_permission: LinkPermission | None

    @property
    def cursor(self) -> str:
        """The opaque position of this manager account in its list."""
        return Edge(self.node, self.key, self.scope).cursor


class _Step(NamedTuple):
    depth: int
    child_id: int
    relationship: Relationship
    link_id: ClientLinkId | None
    permission: LinkPermission | None


def ancestors_of_manager_account(session: Session, bottom: ManagerAccountId, page: Page) -> Connection[Any]:
    """The manager accounts above one, nearest first. Cost: at most six SELECTs."""
    session.know_manager_accounts([bottom])
    steps: dict[ManagerAccountId, _Step] = {}
    for item in session.excerpt.facts.aggregations_to.get(bottom, ()):
        steps[item.aggregator_id] = _Step(1, bottom, Relationship.AGGREGATED, None, None)
    _climb(session, {bottom: 0}, steps, bottom)
    return _ancestors(session, steps, page, fingerprint("ancestors", MANAGER_ACCOUNT, bottom))


def ancestors_of_ad_account(session: Session, bottom: AdAccountRow, page: Page) -> Connection[Any]:
    """The manager accounts above an ad account: its owner, those linked to it, and all above. Cost: ≤ 8 SELECTs."""
    session.know_ad_accounts([bottom.account_id])
    facts = session.excerpt.facts
    steps: dict[ManagerAccountId, _Step] = {
        bottom.parent_customer_id: _Step(1, bottom.account_id, Relationship.OWNED, None, None)
    }
    for link in facts.account_links_to.get(bottom.account_id, ()):
        if link.status in CARRIES_ACCESS:
            step = _Step(1, bottom.account_id, Relationship.ACCOUNT_LINK, link.id, None)
            steps.setdefault(link.managing_id, step)
    for item in facts.aggregations_to.get(bottom.parent_customer_id, ()):
        steps.setdefault(item.aggregator_id, _Step(1, bottom.account_id, Relationship.AGGREGATED, None, None))
    _climb(session, dict.fromkeys(steps, 1), steps, None)
    return _ancestors(session, steps, page, fingerprint("ancestors", AD_ACCOUNT, bottom.account_id))


def _climb(
    session: Session,
    start: dict[ManagerAccountId, int],
    steps: dict[ManagerAccountId, _Step],
    bottom: ManagerAccountId | None,
) -> None:
    facts = session.excerpt.facts
    frontier: Iterable[tuple[ManagerAccountId, int]] = [*start.items(), *((key, s.depth) for key, s in steps.items())]
    while frontier:
        above: list[tuple[ManagerAccountId, int]] = []
        for client, depth in frontier:
            for link in facts.customer_links_to.get(client, ()):
                if link.status in CARRIES_ACCESS and link.managing_id not in steps and link.managing_id != bottom:
                    steps[link.managing_id] = _Step(
                        depth + 1, client, Relationship.CUSTOMER_LINK, link.id, link.permission
                    )
                    above.append((link.managing_id, depth + 1))
        frontier = above


def _ancestors(session: Session, steps: dict[ManagerAccountId, _Step], page: Page, scope: str) -> Connection[Any]:
    rows = read_manager_accounts(session.transaction, list(steps))
    session.count_nodes(len(rows))
    session.have_manager_accounts(list(rows.values()))
    session.know_manager_accounts(list(rows))
    seen = [_as_seen(session, row, steps[key], scope) for key, row in rows.items() if session.sees(key)]
    seen.sort(key=lambda item: item.key)
    return page_of(seen, page, scope, len(rows) - len(seen))  # type: ignore[arg-type]


def _as_seen(session: Session, row: ManagerAccountRow, step: _Step, scope: str) -> Ancestor:
    """A manager account above, and the step down from it as far as the viewer may be told of it."""
    key = (step.depth, row.customer_id)
    # What depth 1 leads down to is what was asked about; further up it is a manager account of its own.
    if step.depth > 1 and not session.reach.on_manager_account(ManagerAccountId(step.child_id)).allow(Capability.VIEW):
        return Ancestor(row, key, scope, step.depth, None, None, None, None)
    return Ancestor(row, key, scope, step.depth, step.child_id, step.relationship, step.link_id, step.permission)
