"""Users as the viewer may see them, and the roles they hold.

A user is visible to those who may view a manager account he belongs to or reaches; of his roles, only those
in manager accounts the viewer may view, and what these list only as far as he may see it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from resolvers.errors import too_many_nodes
from resolvers.lookup import contact_infos
from resolvers.paging import Connection, Edge, Page, fingerprint, page_of
from resolvers.rules.capabilities import Capability
from resolvers.rules.customer_roles import CustomerRoleRow, LinkedAccounts, customer_roles
from resolvers.rules.reach import Reach, users_asked_as
from resolvers.session import AD_ACCOUNT, MANAGER_ACCOUNT, USER, Session
from storage.reads.children import read_owned_ad_account_ids
from storage.reads.entities import read_users, read_users_of_logins
from storage.reads.people import read_users_in
from storage.records.facts import OnlyAccounts, OnlyLinkedEntities
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.rows import AdAccountRow, ContactInfoRow, UserRow
from storage.records.values import UserStatus


class RoleSeen(NamedTuple):
    """A row of GetUser: of the ids it lists only those the viewer may see, and how many more each list has."""

    row: CustomerRoleRow
    hidden_accounts: int = 0
    hidden_linked_accounts: int = 0
    hidden_linked_customers: int = 0


class CustomerRoles(NamedTuple):
    """The rows of GetUser the viewer may see, and how many more there are."""

    rows: tuple[RoleSeen, ...]
    hidden: int


def visible_users(session: Session, ids: Collection[UserId]) -> dict[UserId, UserRow]:
    """Those of these users the viewer may see. Cost: at most twelve SELECTs.

    Unknown and hidden users are left out alike.
    """
    unknown = [key for key in ids if key not in session.users_seen]
    if unknown:
        with session.looking_up(len(unknown)):
            _look_at(session, unknown)
    return {key: session.users[key] for key in ids if session.users_seen[key]}


def _look_at(session: Session, ids: Collection[UserId]) -> None:
    rows = read_users(session.transaction, ids)
    session.have_users(list(rows.values()))
    session.know_manager_accounts(list({row.customer_id for row in rows.values()}))
    seen = {key for key, row in rows.items() if session.is_self(row) or session.views(row.customer_id)}
    others = [key for key in rows if key not in seen]
    if others:
        seen.update(_sharing_a_manager_account(session, others))
    session.users_seen.update((key, key in seen) for key in ids)


def _sharing_a_manager_account(session: Session, ids: Collection[UserId]) -> set[UserId]:
    excerpt = session.excerpt
    excerpt.know_users(ids)
    asked = {key: users_asked_as(excerpt.facts, key) for key in ids}
    held = excerpt.facts.assignments_by_user
    tops = {item.manager_account_id for users in asked.values() for user in users for item in held.get(user, ())}
    excerpt.know_below(list(tops))
    reaches = {key: Reach.of_users(excerpt.hierarchy, users).manager_accounts() for key, users in asked.items()}
    session.know_manager_accounts(list({one for reached in reaches.values() for one in reached}))
    return {key for key, reached in reaches.items() if any(session.views(one) for one in reached)}


def user_by_id(session: Session, key: UserId) -> UserRow | None:
    """A user the viewer may see, or None: hidden and unknown look alike. Loaded for its whole cohort."""
    return session.together(USER, key, "row", lambda ids: visible_users(session, ids))


def viewer_user_rows(session: Session) -> tuple[UserRow, ...]:
    """The users the viewer is: all of his login, or the one he asks as; by id. Cost: one SELECT."""
    login = session.viewer.login_id
    rows = [row for row in read_users_of_logins(session.transaction, [login])[login] if session.is_self(row)]
    session.have_users(rows)
    return tuple(rows)


def acting_user_row(session: Session) -> UserRow | None:
    """The user the whole request is asked as; None when it is asked as the login. Cost: one SELECT."""
    acting = session.viewer.acting_user
    return next((row for row in viewer_user_rows(session) if row.user_id == acting), None)


def users_of(
    session: Session, manager_account: ManagerAccountId, statuses: tuple[UserStatus, ...], page: Page
) -> Connection[UserRow]:
    """The users that belong to a manager account the viewer sees (GetUsersInfo), by id. Cost: one SELECT a cohort."""
    found = session.together(MANAGER_ACCOUNT, manager_account, "users", lambda ids: _users_in(session, ids))
    scope = fingerprint("users", manager_account, statuses)
    rows = [row for row in found or () if row.status in statuses]
    return page_of([Edge(row, (row.user_id,), scope) for row in rows], page, scope)


def _users_in(session: Session, ids: list[ManagerAccountId]) -> dict[ManagerAccountId, tuple[UserRow, ...]]:
    found = read_users_in(session.transaction, ids)
    session.have_users([row for rows in found.values() for row in rows])
    return found


def customer_roles_of_viewer(session: Session) -> CustomerRoles:
    """The viewer's own rows: all users he stands for together. Raises: Refusal TOO_MANY_NODES."""
    [rows] = _rows_of(session, [session.viewer_users])
    session.register(MANAGER_ACCOUNT, list({row.manager_account_id for row in rows}))
    return CustomerRoles(tuple(RoleSeen(row) for row in _few(session, rows)), 0)


def customer_roles_of(session: Session, row: UserRow) -> CustomerRoles:
    """The rows of a user asked as himself (rule P11), as far as the viewer may see them.

    Cost: a fixed number of SELECTs a cohort. Raises: Refusal TOO_MANY_NODES.
    """
    found = session.together(USER, row.user_id, "customer roles", lambda ids: _rows_by_user(session, ids))
    rows = _few(session, found or [])
    if session.is_self(row):
        return CustomerRoles(tuple(RoleSeen(one) for one in rows), 0)
    seen = [one for one in rows if session.views(one.manager_account_id)]
    return CustomerRoles(tuple(_as_seen(session.reach, one) for one in seen), len(rows) - len(seen))


def _few(session: Session, rows: list[CustomerRoleRow]) -> list[CustomerRoleRow]:
    if len(rows) > session.limits.max_nodes:
        raise too_many_nodes(session.limits.max_nodes)
    return rows


def _rows_by_user(session: Session, ids: list[UserId]) -> dict[UserId, list[CustomerRoleRow]]:
    """All rows of these users, and loaded for the viewer all that they name."""
    session.excerpt.know_users(ids)
    facts = session.excerpt.facts
    found = dict(zip(ids, _rows_of(session, [users_asked_as(facts, one) for one in ids]), strict=True))
    rows = [row for of_user in found.values() for row in of_user]
    places = {row.manager_account_id for row in rows}
    session.register(MANAGER_ACCOUNT, list(places))
    listed = {one for row in rows if isinstance(row.scope, OnlyLinkedEntities) for one in row.scope.ids}
    session.know_manager_accounts(list(places | listed))
    session.know_ad_accounts(list({one for row in rows for one in (*(row.account_ids or ()), *row.linked_account_ids)}))
    return found


def _rows_of(session: Session, subjects: Sequence[Collection[UserId]]) -> list[list[CustomerRoleRow]]:
    """The rows of each subject, all users of one taken together. Cost: a fixed number of SELECTs."""
    excerpt = session.excerpt
    excerpt.know_users(list({user for users in subjects for user in users}))
    by_user = excerpt.facts.assignments_by_user
    held = [[item for user in users for item in by_user.get(user, ())] for users in subjects]
    every = [item for items in held for item in items]
    excerpt.know_below(list({item.manager_account_id for item in every}))
    excerpt.know_ad_account_facts(
        list({one for item in every if isinstance(item.scope, OnlyAccounts) for one in item.scope.ids})
    )
    facts = excerpt.facts
    signed_up = {item.manager_account_id for items in facts.aggregations_from.values() for item in items}
    linked = LinkedAccounts(facts, read_owned_ad_account_ids(session.transaction, list(signed_up)))
    return [customer_roles(excerpt.hierarchy, items, linked) for items in held]


def _as_seen(mine: Reach, row: CustomerRoleRow) -> RoleSeen:
    """A row of somebody else without the ids the viewer may not see, which are counted."""
    facts = mine.facts.ad_accounts

    def seen(ids: tuple[AdAccountId, ...]) -> tuple[AdAccountId, ...]:
        return tuple(one for one in ids if one in facts and mine.on_ad_account(facts[one]).allow(Capability.VIEW))

    accounts = None if row.account_ids is None else seen(row.account_ids)
    linked = seen(row.linked_account_ids)
    scope, listed = row.scope, 0
    if isinstance(scope, OnlyLinkedEntities):
        managers = {one for one in scope.ids if mine.on_manager_account(one).allow(Capability.VIEW)}
        scope, listed = OnlyLinkedEntities(frozenset(managers)), len(scope.ids) - len(managers)
    return RoleSeen(
        row._replace(account_ids=accounts, linked_account_ids=linked, scope=scope),
        hidden_accounts=len(row.account_ids or ()) - len(accounts or ()),
        hidden_linked_accounts=len(row.linked_account_ids) - len(linked),
        hidden_linked_customers=listed,
    )


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


def contact_info_of(session: Session, row: UserRow) -> ContactInfoRow | None:
    """How to reach a user: for himself, and for those who may view the manager account he belongs to.

    Cost: a fixed number of SELECTs a cohort.
    """

    def load(ids: list[UserId]) -> dict[UserId, ContactInfoRow]:
        rows = [session.users[key] for key in ids if key in session.users]
        session.know_manager_accounts(list({one.customer_id for one in rows}))
        shown = {
            one.user_id: one.contact_info_id
            for one in rows
            if one.contact_info_id is not None and (session.is_self(one) or session.views(one.customer_id))
        }
        found = contact_infos(session, list(shown.values()))
        return {user: found[key] for user, key in shown.items() if key in found}

    session.users.setdefault(row.user_id, row)
    return session.together(USER, row.user_id, "contact info", load)
