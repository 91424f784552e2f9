"""Who may manage the users of a manager account: everywhere, or only within some ad accounts (rules C16, C17, C21)."""

from __future__ import annotations

from collections.abc import Collection

from resolvers.people import user_by_id
from resolvers.rules.capabilities import Capability
from resolvers.rules.reach import may_act
from resolvers.rules.role_changes import (
    Forbidden,
    Held,
    administers,
    held_by,
    is_customer_level,
    listed_accounts,
    managed_within,
    may_be_primary,
    stays_within,
)
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import Refused, WriteSession, listed, not_there, refused, user_error
from storage.reads.deciding import read_primary_of
from storage.reads.entities import read_users
from storage.reads.facts import read_assignments_in
from storage.records.facts import Assignment
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.rows import UserRow
from storage.records.values import ManagerAccountStatus, UserStatus


def refused_by(*forbidden: Forbidden) -> Refused:
    """The refusal rules ask for."""
    return Refused(*(user_error(one.code, one.message, (one.field,), one.rule) for one in forbidden))


def require_user_management(
    session: WriteSession, manager_account: ManagerAccountId, field: str
) -> frozenset[AdAccountId] | None:
    """The viewer manages the users of a manager account: None for everywhere, else within which ad accounts (C21).

    Raises: Refused.
    """
    session.know_manager_accounts([manager_account])
    if not session.reach.on_manager_account(manager_account).allow(Capability.MANAGE_USERS):
        facts = session.excerpt.facts
        fact = facts.manager_accounts.get(manager_account)
        for user in sorted(session.viewer_users):
            within = managed_within(facts.assignments_by_user.get(user, ()), manager_account)
            if within and fact is not None and fact.status == ManagerAccountStatus.ACTIVE:
                session.act_as(user)
                return within
    session.require(Capability.MANAGE_USERS, manager_account, field)
    return None


def require_within(
    allowed: frozenset[AdAccountId] | None, before: Collection[Held], after: Collection[Held], field: str
) -> None:
    """A viewer limited to ad accounts gives and takes access to no others (C21). Raises: Refused."""
    if allowed is not None and not stays_within(before, after, allowed):
        raise refused(
            WriteCode.FORBIDDEN,
            f"Your role here is limited to ad accounts {listed(allowed)}, so you can give and take access to"
            " those only.",
            field,
            rule="C21",
        )


def require_super_admin_management(
    session: WriteSession,
    manager_account: ManagerAccountId,
    allowed: frozenset[AdAccountId] | None,
    field: str,
) -> None:
    """The viewer, who manages users everywhere or within `allowed`, may manage Super Admins too (C17).

    Raises: Refused.
    """
    if allowed is not None:
        raise refused(
            WriteCode.FORBIDDEN,
            "Super Admins are managed by Super Admins only; your role here is limited to some ad accounts.",
            field,
            rule="C17",
        )
    session.require(Capability.MANAGE_SUPER_ADMINS, manager_account, field)


def managed_user(
    session: WriteSession, holdings: Holdings, user: UserId, allowed: frozenset[AdAccountId] | None, field: str
) -> UserRow:
    """A user of the manager account, or one with a role in it, who can still be changed.

    Who manages users within some ad accounts only knows of those who hold one of them.
    Raises: Refused, alike for what is hidden and what does not exist.
    """
    held = holdings.held(user)
    if allowed is None:
        row = user_by_id(session, user)
    else:
        row = read_users(session.transaction, [user]).get(user) if listed_accounts(held) & allowed else None
    if row is None or (row.customer_id != holdings.manager_account and not held):
        raise not_there(field)
    if row.status not in (UserStatus.ACTIVE, UserStatus.PENDING):
        raise refused(
            WriteCode.USER_NOT_ACTIVE,
            f"User {user} is {row.status} and can be neither changed nor deleted again. Invite the person anew.",
            field,
        )
    return row


class Holdings:
    """Who holds what in one manager account, as stored now."""

    def __init__(self, session: WriteSession, manager_account: ManagerAccountId) -> None:
        self._session = session
        self.manager_account = manager_account
        self._assignments = read_assignments_in(session.transaction, [manager_account])

    def of(self, user: UserId) -> tuple[Assignment, ...]:
        """The assignments of a user."""
        return tuple(item for item in self._assignments if item.user_id == user)

    def held(self, user: UserId) -> frozenset[Held]:
        """What a user holds."""
        return held_by(self.of(user))

    def other_super_admins(self, user: UserId) -> bool:
        """Whether somebody else who may act is Super Admin here."""
        others = {item.user_id for item in self._assignments} - {user}
        excerpt = self._session.excerpt
        excerpt.know_users(others)
        users = excerpt.facts.users
        return any(administers(self.held(one)) for one in others if one in users and may_act(users[one]))

    def require_a_super_admin_left(self, user: UserId, after: Collection[Held], field: str) -> None:
        """The manager account keeps a Super Admin when this user holds only that. Raises: Refused."""
        if administers(self.held(user)) and not administers(after) and not self.other_super_admins(user):
            self._session.know_manager_accounts([self.manager_account])
            seen = self._session.reach.on_manager_account(self.manager_account).allow(Capability.VIEW)
            where = f"manager account {self.manager_account}" if seen else "a manager account you may not see"
            raise refused(
                WriteCode.LAST_SUPER_ADMIN,
                f"User {user} is the last Super Admin of {where}. Make somebody else Super Admin first.",
                field,
            )


def require_no_primary_contact_lost(
    session: WriteSession, holdings: Holdings, user: UserId, after: Collection[Held], field: str
) -> None:
    """No ad account loses its primary contact's right to be one (C20). Raises: Refused."""
    before = holdings.held(user)
    lost = [
        account
        for account, owner in read_primary_of(session.transaction, user)
        if owner == holdings.manager_account and may_be_primary(before, account) and not may_be_primary(after, account)
    ]
    if lost:
        raise primary_contact(session, user, lost, field)


def primary_contact(session: WriteSession, user: UserId, accounts: Collection[AdAccountId], field: str) -> Refused:
    """Ad accounts need another primary user first; those the viewer may not see are counted."""
    session.know_ad_accounts(accounts)
    facts = session.excerpt.facts.ad_accounts
    seen = [one for one in accounts if session.reach.on_ad_account(facts[one]).allow(Capability.VIEW)]
    which = listed(seen, len(accounts) - len(seen))
    return refused(
        WriteCode.USER_IS_PRIMARY_CONTACT,
        f"User {user} is the primary user of ad account {which}, and only a Super Admin or Standard user of its owner"
        " can be. Point it at another user first.",
        field,
    )


def needs_super_admin_management(*states: Collection[Held]) -> bool:
    """Whether a change from, to, or of this touches Super Admins or Aggregators (C17)."""
    return any(is_customer_level(state) for state in states)
