"""Reads what decides about writes to users and invitations."""

from __future__ import annotations

from collections.abc import Collection

from storage.database import Transaction
from storage.models import AdAccount, User, UserInvitation
from storage.reads.people import INVITATION_COLUMNS
from storage.records.ids import AdAccountId, InvitationId, ManagerAccountId, UserId
from storage.records.rows import InvitationRow
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


def has_original_user(tx: Transaction, login: int) -> bool:
    """Whether a login has the user it began with. Cost: one SELECT."""
    return bool(tx.fetch(_HAS_ORIGINAL, login=login))
