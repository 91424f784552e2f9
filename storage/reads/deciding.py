"""Reads what decides about writes to users and invitations, and who is to be told."""

from __future__ import annotations

from collections.abc import Collection

from storage.database import Transaction
from storage.models import OPEN, AdAccount, Assignment, Login, User, UserInvitation
from storage.reads.entities import USER_COLUMNS
from storage.reads.people import INVITATION_COLUMNS
from storage.records.ids import AdAccountId, InvitationId, ManagerAccountId, UserId
from storage.records.rows import InvitationRow, UserRow
from storage.records.values import LoginStatus, Role, ScopeKind, UserStatus
from storage.statements import Param, Statement, is_in

_PRIMARY_OF = Statement(
    AdAccount.select(AdAccount.id, AdAccount.manager_account)
    .where(AdAccount.primary_user == Param("user"))
    .order_by(AdAccount.id)
)
_BY_DIGEST = Statement(
    UserInvitation.select(*INVITATION_COLUMNS).where(UserInvitation.secret_digest == Param("digest")), InvitationRow
)
_ANY_STATUS = Statement(
    UserInvitation.select(*INVITATION_COLUMNS).where(is_in(UserInvitation.id, "ids")), InvitationRow
)
_SUPER_ADMINS_OF = Statement(
    User.select(*USER_COLUMNS)
    .join(Login)
    .switch(User)
    .join(Assignment, on=(Assignment.user == User.id))
    .where(
        (Assignment.manager_account == Param("manager_account"))
        & OPEN
        & (Assignment.role == Role.SUPER_ADMIN)
        & (Assignment.scope == ScopeKind.EVERY_ACCOUNT)
        & (User.status == UserStatus.ACTIVE)
        & (Login.status == LoginStatus.ACTIVE)
    )
    .order_by(User.id),
    UserRow,
)
_HAS_ORIGINAL = Statement(User.select(User.id).where((User.login == Param("login")) & User.is_original))


def read_primary_of(tx: Transaction, user: UserId) -> list[tuple[AdAccountId, ManagerAccountId]]:
    """The ad accounts a user is the primary contact of, each with its owner. Cost: one SELECT."""
    return [(AdAccountId(account), ManagerAccountId(owner)) for account, owner in tx.fetch(_PRIMARY_OF, user=user)]


def read_invitation_by_digest(tx: Transaction, digest: bytes) -> InvitationRow | None:
    """The invitation whose secret has this digest, whatever became of it. Cost: one SELECT."""
    found = tx.fetch(_BY_DIGEST, digest=digest)
    return found[0] if found else None


def read_invitations_of_any_status(tx: Transaction, ids: Collection[InvitationId]) -> dict[InvitationId, InvitationRow]:
    """Invitations by id, whatever became of them. Cost: one SELECT."""
    return {row.invitation_id: row for row in tx.fetch(_ANY_STATUS, ids=ids)} if ids else {}


def read_super_admins_of(tx: Transaction, manager_account: ManagerAccountId) -> list[UserRow]:
    """Who is Super Admin in a manager account itself and for all of it, and may act, by id. Cost: one SELECT."""
    return tx.fetch(_SUPER_ADMINS_OF, manager_account=manager_account)


def has_original_user(tx: Transaction, login: int) -> bool:
    """Whether a login has the user it began with. Cost: one SELECT."""
    return bool(tx.fetch(_HAS_ORIGINAL, login=login))
