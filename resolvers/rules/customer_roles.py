"""The rows of GetUser: one per reachable manager account and role (permissions.md §3, last paragraph)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from resolvers.rules.capabilities import EVERYTHING
from resolvers.rules.hierarchy import Below, Hierarchy
from resolvers.rules.links import CARRIES_ACCESS
from storage.records.facts import (
    Assignment,
    EveryAccount,
    EveryLinkedEntity,
    Facts,
    OnlyAccounts,
    OnlyLinkedEntities,
    Scope,
)
from storage.records.ids import AdAccountId, AssignmentId, ManagerAccountId, UserId
from storage.records.values import Role, RoleLinkPermission


class CustomerRoleRow(NamedTuple):
    """One row: a role in a manager account, held directly or derived from the links above it.

    `scope` and `assignment_id` are those of the direct assignment, None on a derived row; `user_id` is the
    user the row comes from. `account_ids` is None for every ad account of the manager account, now and later.
    """

    role: Role
    manager_account_id: ManagerAccountId
    user_id: UserId
    assignment_id: AssignmentId | None
    scope: Scope | None
    account_ids: tuple[AdAccountId, ...] | None
    linked_account_ids: tuple[AdAccountId, ...]
    link_permission: RoleLinkPermission | None


class LinkedAccounts:
    """The ad accounts that manager accounts reach besides those they own, from one excerpt of facts.

    `owned_by_aggregated` gives, for a signed-up manager account, the ad accounts in it.
    """

    def __init__(self, facts: Facts, owned_by_aggregated: dict[ManagerAccountId, tuple[AdAccountId, ...]]) -> None:
        self._facts = facts
        self._owned = owned_by_aggregated

    def of(self, manager_account: ManagerAccountId) -> frozenset[AdAccountId]:
        """Account-linked and aggregated ad accounts used through this manager account (rules P3, P13)."""
        linked = {
            link.client_id
            for link in self._facts.account_links_from.get(manager_account, ())
            if link.status in CARRIES_ACCESS
        }
        for aggregation in self._facts.aggregations_from.get(manager_account, ()):
            linked.update(self._owned.get(aggregation.manager_account_id, ()))
        return frozenset(linked)


def customer_roles(
    hierarchy: Hierarchy, assignments: Collection[Assignment], linked: LinkedAccounts
) -> list[CustomerRoleRow]:
    """Direct rows, then derived rows with the strongest permission over all paths; ordered by manager account."""
    direct = [_direct_row(hierarchy.facts, assignment, linked) for assignment in assignments]
    covered = {(item.role, item.manager_account_id) for item in assignments if isinstance(item.scope, EveryAccount)}
    derived: dict[tuple[Role, ManagerAccountId], CustomerRoleRow] = {}
    for assignment in assignments:
        for manager_account, permission in _below(hierarchy, assignment):
            key = (assignment.role, manager_account)
            already = derived.get(key)
            stronger = already is None or permission == RoleLinkPermission.ADMINISTRATIVE
            if key in covered or not stronger or (already and already.link_permission == permission):
                continue
            derived[key] = CustomerRoleRow(
                role=assignment.role,
                manager_account_id=manager_account,
                user_id=assignment.user_id,
                assignment_id=None,
                scope=None,
                account_ids=None,
                linked_account_ids=tuple(sorted(linked.of(manager_account))),
                link_permission=permission,
            )
    return sorted((*direct, *derived.values()), key=_row_order)


def _row_order(row: CustomerRoleRow) -> tuple[int, bool, Role, int]:
    return row.manager_account_id, row.assignment_id is None, row.role, row.assignment_id or 0


def _below(hierarchy: Hierarchy, assignment: Assignment) -> Iterator[tuple[ManagerAccountId, RoleLinkPermission]]:
    top = assignment.manager_account_id
    match assignment.scope:
        case EveryAccount():
            below: Below = hierarchy.below(top)
        case EveryLinkedEntity():
            below = hierarchy.below_linked_entities(top, None)
        case OnlyLinkedEntities(ids):
            below = hierarchy.below_linked_entities(top, ids)
        case OnlyAccounts():
            return
    for manager_account, survives in below.within.items():
        if manager_account != top:
            whole = survives == EVERYTHING
            yield manager_account, RoleLinkPermission.ADMINISTRATIVE if whole else RoleLinkPermission.STANDARD


def _direct_row(facts: Facts, assignment: Assignment, linked: LinkedAccounts) -> CustomerRoleRow:
    at = assignment.manager_account_id
    accounts: tuple[AdAccountId, ...] | None
    match assignment.scope:
        case EveryAccount():
            accounts, others, permission = None, linked.of(at), None
        case OnlyAccounts(ids):
            owned = {account for account in ids if _owner(facts, account) == at}
            accounts, others, permission = tuple(sorted(owned)), ids & linked.of(at), None
        case EveryLinkedEntity():
            accounts, others, permission = (), linked.of(at), RoleLinkPermission.LINKED_ENTITY_ONLY
        case OnlyLinkedEntities():
            accounts, others, permission = (), frozenset(), RoleLinkPermission.LINKED_ENTITY_ONLY
    return CustomerRoleRow(
        role=assignment.role,
        manager_account_id=at,
        user_id=assignment.user_id,
        assignment_id=assignment.id,
        scope=assignment.scope,
        account_ids=accounts,
        linked_account_ids=tuple(sorted(others)),
        link_permission=permission,
    )


def _owner(facts: Facts, ad_account: AdAccountId) -> ManagerAccountId | None:
    fact = facts.ad_accounts.get(ad_account)
    return fact.owner_id if fact is not None else None
