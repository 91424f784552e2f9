"""Reads users and invitations of manager accounts."""

from __future__ import annotations

from collections.abc import Collection

from storage.database import Transaction
from storage.models import Login, User, UserInvitation, UserInvitationAdAccount
from storage.reads.entities import USER_COLUMNS
from storage.records.ids import AdAccountId, InvitationId, ManagerAccountId
from storage.records.rows import InvitationRow, UserRow
from storage.records.values import InvitationStatus
from storage.statements import Statement, is_in

_USERS_IN = Statement(
    User.select(*USER_COLUMNS).join(Login).where(is_in(User.manager_account, "ids")).order_by(User.id), UserRow
)
INVITATION_COLUMNS = (
    UserInvitation.id,
    UserInvitation.manager_account,
    UserInvitation.email,
    UserInvitation.first_name,
    UserInvitation.last_name,
    UserInvitation.role,
    UserInvitation.scope,
    UserInvitation.lcid,
    UserInvitation.status,
    UserInvitation.inviter_user_id,
    UserInvitation.sent_at_ms,
    UserInvitation.expires_at_ms,
    UserInvitation.time_stamp,
)
_OPEN = (InvitationStatus.PENDING, InvitationStatus.EXPIRED)
_INVITATIONS_TO = Statement(
    UserInvitation.select(*INVITATION_COLUMNS)
    .where(is_in(UserInvitation.manager_account, "ids") & UserInvitation.status.in_(_OPEN))
    .order_by(UserInvitation.id),
    InvitationRow,
)
_INVITATIONS = Statement(
    UserInvitation.select(*INVITATION_COLUMNS).where(
        is_in(UserInvitation.id, "ids") & UserInvitation.status.in_(_OPEN)
    ),
    InvitationRow,
)
_INVITED_TO = Statement(
    UserInvitationAdAccount.select(UserInvitationAdAccount.user_invitation, UserInvitationAdAccount.ad_account)
    .where(is_in(UserInvitationAdAccount.user_invitation, "ids"))
    .order_by(UserInvitationAdAccount.user_invitation, UserInvitationAdAccount.ad_account)
)


def read_users_in(tx: Transaction, ids: Collection[ManagerAccountId]) -> dict[ManagerAccountId, tuple[UserRow, ...]]:
    """The users of these manager accounts by id, deleted ones included; an entry for each asked. Cost: one SELECT."""
    found: dict[ManagerAccountId, list[UserRow]] = {key: [] for key in ids}
    for row in tx.fetch(_USERS_IN, ids=ids) if ids else ():
        found[row.customer_id].append(row)
    return {key: tuple(rows) for key, rows in found.items()}


def read_invitations_to(
    tx: Transaction, ids: Collection[ManagerAccountId]
) -> dict[ManagerAccountId, tuple[InvitationRow, ...]]:
    """Pending and expired invitations into these manager accounts; an entry for each asked. Cost: one SELECT."""
    found: dict[ManagerAccountId, list[InvitationRow]] = {key: [] for key in ids}
    for row in tx.fetch(_INVITATIONS_TO, ids=ids) if ids else ():
        found[row.customer_id].append(row)
    return {key: tuple(rows) for key, rows in found.items()}


def read_invitations(tx: Transaction, ids: Collection[InvitationId]) -> dict[InvitationId, InvitationRow]:
    """Pending and expired invitations by id; others are left out. Cost: one SELECT."""
    return {row.invitation_id: row for row in tx.fetch(_INVITATIONS, ids=ids)} if ids else {}


def read_invited_ad_accounts(
    tx: Transaction, ids: Collection[InvitationId]
) -> dict[InvitationId, tuple[AdAccountId, ...]]:
    """The ad accounts these invitations are limited to; an entry for each asked. Cost: one SELECT."""
    found: dict[InvitationId, tuple[AdAccountId, ...]] = dict.fromkeys(ids, ())
    for invitation, ad_account in tx.fetch(_INVITED_TO, ids=ids) if ids else ():
        found[invitation] += (ad_account,)
    return found
