"""Users as the viewer may see them, and the roles they hold.

A user is visible to those who may view a manager account he belongs to or reaches; of his roles, only those
in manager accounts the viewer may view.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from resolvers.errors import too_many_nodes
from resolvers.paging import Connection, Edge, Page, fingerprint, page_of
from resolvers.rules.capabilities import Capability
from resolvers.rules.customer_roles import CustomerRoleRow, LinkedAccounts, customer_roles
from resolvers.rules.reach import Reach, users_asked_as
from resolvers.session import AD_ACCOUNT, MANAGER_ACCOUNT, USER, Session
from storage.reads.children import read_owned_ad_account_ids
from storage.reads.entities import read_users, read_users_of_logins
from storage.reads.people import read_users_in
from storage.records.facts import OnlyAccounts
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.rows import AdAccountRow, UserRow
from storage.records.values import UserStatus


class CustomerRoles(NamedTuple):
    """The rows of GetUser the viewer may see, and how many more there are."""

    rows: tuple[CustomerRoleRow, ...]
    hidden: int


def visible_users(session: Session, ids: Collection[UserId]) -> dict[UserId, UserRow]:
    """Those of these users the viewer may see. Cost: at most twelve SELECTs.

    Unknown and hidden users are left out alike.
    """
    rows = read_users(session.transaction, ids)
    session.register(USER, list(rows))
    own = session.viewer.login_id
    session.know_manager_accounts(list({row.customer_id for row in rows.values()}))
    seen = {
        key
        for key, row in rows.items()
        if row.login_id == own or session.reach.on_manager_account(row.customer_id).allow(Capability.VIEW)
    }
    others = [key for key in rows if key not in seen]
    if others:
        seen.update(_sharing_a_manager_account(session, others))
    return {key: row for key, row in rows.items() if key in seen}


def _sharing_a_manager_account(session: Session, ids: Collection[UserId]) -> set[UserId]:
    excerpt = session.excerpt
    excerpt.know_users(ids)
    asked = {key: users_asked_as(excerpt.facts, key) for key in ids}
    held = excerpt.facts.assignments_by_user
    tops = {item.manager_account_id for users in asked.values() for user in users for item in held.get(user, ())}
    excerpt.know_below(list(tops))
    reaches = {key: Reach.of_users(excerpt.hierarchy, users).manager_accounts() for key, users in asked.items()}
    session.know_manager_accounts(list({one for reached in reaches.values() for one in reached}))
    mine = session.reach
    return {
        key
        for key, reached in reaches.items()
        if any(mine.on_manager_account(one).allow(Capability.VIEW) for one in reached)
    }


def user_by_id(session: Session, key: UserId) -> UserRow | None:
    """A user the viewer may see, or None: hidden and unknown look alike."""
    return visible_users(session, [key]).get(key)


def viewer_user_rows(session: Session) -> tuple[UserRow, ...]:
    """All users of the viewer's own login, by id. Cost: one SELECT."""
    login = session.viewer.login_id
    rows = read_users_of_logins(session.transaction, [login])[login]
    session.register(USER, [row.user_id for row in rows])
    return tuple(rows)


def users_of(
    session: Session, manager_account: ManagerAccountId, statuses: tuple[UserStatus, ...], page: Page
) -> Connection[UserRow]:
    """The users that belong to a manager account the viewer sees (GetUsersInfo), by id. Cost: one SELECT a cohort."""
    found = session.together(
        MANAGER_ACCOUNT, manager_account, "users", lambda ids: read_users_in(session.transaction, ids)
    )
    scope = fingerprint("users", manager_account, statuses)
    rows = [row for row in found or () if row.status in statuses]
    session.register(USER, [row.user_id for row in rows])
    return page_of([Edge(row, (row.user_id,), scope) for row in rows], page, scope)


def customer_roles_of_viewer(session: Session) -> CustomerRoles:
    """The viewer's own rows: all users of the login together."""
    return _customer_roles(session, session.viewer_users, own=True)


def customer_roles_of(session: Session, row: UserRow) -> CustomerRoles:
    """The rows of a user asked as himself (rule P11), as far as the viewer may see them."""
    session.excerpt.know_users([row.user_id])
    users = users_asked_as(session.excerpt.facts, row.user_id)
    return _customer_roles(session, users, own=row.login_id == session.viewer.login_id)


def _customer_roles(session: Session, users: Collection[UserId], *, own: bool) -> CustomerRoles:
    excerpt = session.excerpt
    excerpt.know_users(users)
    held = [item for user in users for item in excerpt.facts.assignments_by_user.get(user, ())]
    excerpt.know_below([item.manager_account_id for item in held])
    excerpt.know_ad_account_facts(
        list({one for item in held if isinstance(item.scope, OnlyAccounts) for one in item.scope.ids})
    )
    facts = excerpt.facts
    signed_up = {item.manager_account_id for items in facts.aggregations_from.values() for item in items}
    owned = read_owned_ad_account_ids(session.transaction, list(signed_up))
    rows = customer_roles(excerpt.hierarchy, held, LinkedAccounts(facts, owned))
    if len(rows) > session.limits.max_nodes:
        raise too_many_nodes(session.limits.max_nodes)
    session.register(MANAGER_ACCOUNT, list({row.manager_account_id for row in rows}))
    if own:
        return CustomerRoles(tuple(rows), 0)
    session.know_manager_accounts(list({row.manager_account_id for row in rows}))
    mine = session.reach
    seen = tuple(row for row in rows if mine.on_manager_account(row.manager_account_id).allow(Capability.VIEW))
    return CustomerRoles(seen, len(rows) - len(seen))


def primary_user_of(session: Session, row: AdAccountRow) -> UserRow | None:
    """The primary contact of an ad account, or None when there is none or the viewer may not see him.

    Cost: a fixed number of SELECTs a cohort.
    """

    def load(ids: list[AdAccountId]) -> dict[AdAccountId, UserRow]:
        accounts = session.ad_accounts
        wanted = {one: accounts[one].primary_user_id for one in ids if one in accounts}
        seen = visible_users(session, list({user for user in wanted.values() if user is not None}))
        return {one: seen[user] for one, user in wanted.items() if user is not None and user in seen}

    return session.together(AD_ACCOUNT, row.account_id, "primary user", load)
