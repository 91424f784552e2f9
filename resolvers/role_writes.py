"""Giving and taking roles (UpdateUserRoles): an assignment is never edited, one ends and another begins."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from resolvers.effects import Region
from resolvers.rules.links import CARRIES_ACCESS
from resolvers.rules.role_changes import (
    Held,
    RoleChange,
    changed,
    described,
    forbidden_by_holding,
    forbidden_by_shape,
)
from resolvers.rules.write_codes import WriteCode
from resolvers.user_rights import (
    Holdings,
    managed_user,
    needs_super_admin_management,
    refused_by,
    require_no_primary_contact_lost,
    require_super_admin_management,
    require_user_management,
    require_within,
)
from resolvers.writing import WriteSession, listed, refused
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.user_writes import begin_assignments, write_user_fields
from storage.writes import end_assignments

KIND = "User"


def update_user_roles(
    session: WriteSession, manager_account: ManagerAccountId, user: UserId, change: RoleChange
) -> Mapping[str, Any]:
    """Take one role of a user in a manager account, give one, or both. Raises: Refused."""
    wrong = tuple(forbidden_by_shape(change))
    allowed = require_user_management(session, manager_account, "customerId")
    if wrong:
        raise refused_by(*wrong)
    holdings = Holdings(session, manager_account)
    managed_user(session, holdings, user, allowed, "userId")
    before = holdings.held(user)
    field = "newRole" if change.new_role is not None else "deleteRole"
    forbidden = forbidden_by_holding(before, change)
    after = changed(before, change)
    if needs_super_admin_management(before, after):
        require_super_admin_management(session, manager_account, allowed, field)
    require_within(allowed, before, after, field)
    if forbidden is not None:
        raise refused_by(forbidden)
    require_accounts_under(session, manager_account, change.new_accounts or (), "newAccountIds")
    _require_linked(session, manager_account, change.new_customers or ())
    holdings.require_a_super_admin_left(user, after, field)
    require_no_primary_contact_lost(session, holdings, user, after, field)
    if after != before:
        session.concern(Region(users=frozenset({user})))
        replace_held(session, holdings, user, after)
        write_user_fields(session.transaction, session.stamp, [user], {}, session.stamp.actor_user_id)
        session.note(KIND, user, {"roles": described(before)}, {"roles": described(after)})
    session.forget()
    return {"user": user}


def replace_held(session: WriteSession, holdings: Holdings, user: UserId, after: Collection[Held]) -> None:
    """End what a user shall no longer hold and begin what he does not hold yet."""
    tx, stamp = session.transaction, session.stamp
    wanted = set(after)
    ending = [item.id for item in holdings.of(user) if Held(item.role, item.scope) not in wanted]
    if ending:
        end_assignments(tx, stamp, ending)
    beginning = sorted(wanted - holdings.held(user), key=lambda one: (one.role, repr(one.scope)))
    if beginning:
        begin_assignments(tx, stamp, user, holdings.manager_account, beginning)


def require_accounts_under(
    session: WriteSession, manager_account: ManagerAccountId, accounts: Collection[AdAccountId], field: str
) -> None:
    """Every ad account is owned by, linked to or signed up under the manager account. Raises: Refused.

    What does not exist and what belongs to others is refused alike.
    """
    session.know_ad_accounts(accounts)
    facts = session.excerpt.facts
    strange = []
    for account in sorted(accounts):
        fact = facts.ad_accounts.get(account)
        links = facts.account_links_to.get(account, ())
        under = fact is not None and (
            fact.owner_id == manager_account
            or any(link.managing_id == manager_account and link.status in CARRIES_ACCESS for link in links)
            or any(one.aggregator_id == manager_account for one in facts.aggregations_to.get(fact.owner_id, ()))
        )
        if not under:
            strange.append(account)
    if strange:
        raise refused(
            WriteCode.ACCOUNT_ID_INVALID,
            f"Not directly under manager account {manager_account}: {listed(strange)}. Name ad accounts that it owns,"
            " holds an active link to, or signed up.",
            field,
        )


def _require_linked(
    session: WriteSession, manager_account: ManagerAccountId, customers: Collection[ManagerAccountId]
) -> None:
    session.know_manager_accounts(customers)
    links = session.excerpt.facts.customer_links_to
    strange = [
        one
        for one in sorted(customers)
        if not any(link.managing_id == manager_account and link.status in CARRIES_ACCESS for link in links.get(one, ()))
    ]
    if strange:
        raise refused(
            WriteCode.CUSTOMER_ID_INVALID,
            f"Not linked directly below manager account {manager_account}: {listed(strange)}. Name manager accounts at"
            " the other end of its own active customer links; its own id cannot be one of them.",
            "newCustomerIds",
        )
