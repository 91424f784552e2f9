"""What stands above a manager account or an ad account, nearest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias, TypeVar

from resolvers.paging import Connection, Edge, Page, fingerprint, page_of
from resolvers.rules.capabilities import Capability
from resolvers.session import AD_ACCOUNT, CLIENT_LINK, MANAGER_ACCOUNT, Session
from storage.reads.entities import read_manager_accounts
from storage.reads.facts import CARRIES_ACCESS
from storage.records.ids import AdAccountId, ClientLinkId, ManagerAccountId
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


_Steps: TypeAlias = dict[ManagerAccountId, _Step]
K = TypeVar("K")


def ancestors_of_manager_account(session: Session, bottom: ManagerAccountId, page: Page) -> Connection[Any]:
    """The manager accounts above one, nearest first. Cost: at most six SELECTs for a cohort."""
    steps = session.together(MANAGER_ACCOUNT, bottom, "steps up", lambda ids: _steps_from_managers(session, ids))
    return _ancestors(session, steps or {}, page, fingerprint("ancestors", MANAGER_ACCOUNT, bottom))


def _steps_from_managers(session: Session, ids: list[ManagerAccountId]) -> dict[ManagerAccountId, _Steps]:
    session.know_manager_accounts(ids)
    found: dict[ManagerAccountId, _Steps] = {}
    for bottom in ids:
        steps: _Steps = {
            item.aggregator_id: _Step(1, bottom, Relationship.AGGREGATED, None, None)
            for item in session.excerpt.facts.aggregations_to.get(bottom, ())
        }
        _climb(session, {bottom: 0}, steps, bottom)
        found[bottom] = steps
    return _with_rows(session, found)


def ancestors_of_ad_account(session: Session, bottom: AdAccountRow, page: Page) -> Connection[Any]:
    """The manager accounts above an ad account: its owner, those linked to it, and all above.

    Cost: at most eight SELECTs for a cohort.
    """
    key = bottom.account_id
    session.ad_accounts.setdefault(key, bottom)
    steps = session.together(AD_ACCOUNT, key, "steps up", lambda ids: _steps_from_accounts(session, ids))
    return _ancestors(session, steps or {}, page, fingerprint("ancestors", AD_ACCOUNT, key))


def _steps_from_accounts(session: Session, ids: list[AdAccountId]) -> dict[AdAccountId, _Steps]:
    session.know_ad_accounts(ids)
    facts = session.excerpt.facts
    found: dict[AdAccountId, _Steps] = {}
    for key in ids:
        owner = session.ad_accounts[key].parent_customer_id
        steps: _Steps = {owner: _Step(1, key, Relationship.OWNED, None, None)}
        for link in facts.account_links_to.get(key, ()):
            if link.status in CARRIES_ACCESS:
                steps.setdefault(link.managing_id, _Step(1, key, Relationship.ACCOUNT_LINK, link.id, None))
        for item in facts.aggregations_to.get(owner, ()):
            steps.setdefault(item.aggregator_id, _Step(1, key, Relationship.AGGREGATED, None, None))
        _climb(session, dict.fromkeys(steps, 1), steps, None)
        found[key] = steps
    return _with_rows(session, found)


def _with_rows(session: Session, found: dict[K, _Steps]) -> dict[K, _Steps]:
    """Load the rows of all that was climbed to, and what decides whether they may be shown."""
    keys = list({key for steps in found.values() for key in steps})
    rows = read_manager_accounts(session.transaction, keys)
    session.count_nodes(len(rows))
    session.have_manager_accounts(list(rows.values()))
    session.know_manager_accounts(list(rows))
    session.register(
        CLIENT_LINK, list({step.link_id for steps in found.values() for step in steps.values() if step.link_id})
    )
    return found


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


def _ancestors(session: Session, steps: _Steps, page: Page, scope: str) -> Connection[Any]:
    rows = session.manager_accounts
    seen = [_as_seen(session, rows[key], step, scope) for key, step in steps.items() if session.sees(key)]
    seen.sort(key=lambda item: item.key)
    return page_of(seen, page, scope, len(steps) - len(seen), shape=(int, int))  # type: ignore[arg-type]


def _as_seen(session: Session, row: ManagerAccountRow, step: _Step, scope: str) -> Ancestor:
    """A manager account above, and the step down from it as far as the viewer may be told of it."""
    key = (step.depth, row.customer_id)
    # What depth 1 leads down to is what was asked about; further up it is a manager account of its own.
    if step.depth > 1 and not session.reach.on_manager_account(ManagerAccountId(step.child_id)).allow(Capability.VIEW):
        return Ancestor(row, key, scope, step.depth, None, None, None, None)
    return Ancestor(row, key, scope, step.depth, step.child_id, step.relationship, step.link_id, step.permission)
