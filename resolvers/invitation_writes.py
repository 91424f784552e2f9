"""Inviting people: an invitation grants nothing until the login that holds its secret accepts it.

The secret is 256 random bits. It goes into the mail and is kept as its SHA-256 only; whoever presents it may
accept, whatever login and e-mail that is.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from resolvers.effects import Region
from resolvers.mail_texts import MailKind
from resolvers.newcomers import login_of_caller
from resolvers.role_writes import replace_held, require_accounts_under
from resolvers.rules.capabilities import Capability
from resolvers.rules.invitations import (
    Invitation,
    InvitationEvent,
    forbidden_invitation,
    state_forbids,
    status_now,
)
from resolvers.rules.links import INVITATION_LIFETIME_MS
from resolvers.rules.role_changes import CUSTOMER_LEVEL, Held, described, held_by, merged
from resolvers.rules.write_codes import WriteCode
from resolvers.user_rights import (
    Holdings,
    refused_by,
    require_super_admin_management,
    require_user_management,
    require_within,
)
from resolvers.writing import WriteSession, not_there, refused
from storage.entries import AddressEntry, ContactInfoEntry, UserEntry, UserInvitationEntry
from storage.outbox import NewMail, drop_mail_of_invitation, write_mail
from storage.reads.deciding import has_original_user, read_invitation_by_digest, read_invitations_of_any_status
from storage.reads.entities import read_manager_accounts, read_users_of_logins
from storage.reads.people import read_invited_ad_accounts
from storage.records.facts import EveryAccount, OnlyAccounts, Scope
from storage.records.ids import InvitationId, ManagerAccountId, UserId
from storage.records.rows import InvitationRow, UserRow
from storage.records.values import InvitationStatus, ManagerAccountStatus, ScopeKind, UserStatus
from storage.user_writes import (
    new_address_id,
    new_contact_info_id,
    new_invitation_id,
    new_user_id,
    write_invitation_sent_again,
    write_user_fields,
)
from storage.writes import (
    write_addresses,
    write_contact_infos,
    write_user_invitation_status,
    write_user_invitations,
    write_user_status,
    write_users,
)

KIND = "UserInvitation"
SECRET_PREFIX = "adi_"  # noqa: S105 (what every secret begins with, so that people and scanners recognise one)
SECRET_BYTES = 32
LONGEST_SECRET = 200


def digest_of(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def send_user_invitation(
    session: WriteSession, manager_account: ManagerAccountId, invitation: Invitation
) -> Mapping[str, Any]:
    """Invite somebody; the mail leaves when this is committed. Raises: Refused."""
    grant = Held(invitation.role, _scope(invitation))
    _require_inviter(session, manager_account, grant, "customerId")
    wrong = tuple(forbidden_invitation(invitation))
    if wrong:
        raise refused_by(*wrong)
    require_accounts_under(session, manager_account, invitation.accounts or (), "accountIds")
    tx, stamp = session.transaction, session.stamp
    key = new_invitation_id(tx)
    secret = SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    entry = UserInvitationEntry(
        id=key,
        manager_account_id=manager_account,
        email=invitation.email,
        first_name=invitation.first_name,
        last_name=invitation.last_name,
        role=invitation.role,
        secret_digest=digest_of(secret),
        sent_at_ms=session.now,
        expires_at_ms=session.now + INVITATION_LIFETIME_MS,
        inviter_user_id=stamp.actor_user_id,
        lcid=invitation.lcid,
        scope=grant.scope,
    )
    write_user_invitations(tx, stamp, [entry])
    _write_mail(session, key, secret)
    told = {"email": entry.email, "roles": described([grant]), "expiresAt": entry.expires_at_ms}
    session.note(KIND, key, None, told | {"status": InvitationStatus.PENDING, "customerId": manager_account})
    session.forget()
    return {"invitation": key}


def _scope(invitation: Invitation) -> Scope:
    return EveryAccount() if invitation.accounts is None else OnlyAccounts(invitation.accounts)


def _require_inviter(session: WriteSession, manager_account: ManagerAccountId, grant: Held, field: str) -> None:
    """The viewer may invite somebody to this (C16, C17, C21). Raises: Refused."""
    allowed = require_user_management(session, manager_account, field)
    if grant.role in CUSTOMER_LEVEL:
        require_super_admin_management(session, manager_account, allowed, "role" if field == "customerId" else field)
    require_within(allowed, (), (grant,), "accountIds" if field == "customerId" else field)


def _write_mail(session: WriteSession, key: InvitationId, secret: str) -> None:
    tx = session.transaction
    row = read_invitations_of_any_status(tx, [key])[key]
    manager_account = read_manager_accounts(tx, [row.customer_id])[row.customer_id]
    data = {
        "firstName": row.first_name,
        "lastName": row.last_name,
        "role": row.role,
        "managerAccount": manager_account.name,
        "customerId": row.customer_id,
        "lcid": row.lcid,
        "expiresAt": row.expires_at,
        "secret": secret,
    }
    mail = NewMail(MailKind.USER_INVITATION, row.email, orjson.dumps(data).decode(), row.expires_at, invitation=key)
    write_mail(tx, [mail], session.now)


# Sent again, cancelled


def resend_user_invitation(session: WriteSession, key: InvitationId) -> Mapping[str, Any]:
    """Send an invitation again with a new secret and new thirty days; the old secret is void. Raises: Refused."""
    row = _managed_invitation(session, key, InvitationEvent.RESEND)
    tx, stamp = session.transaction, session.stamp
    secret = SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    expires_at = session.now + INVITATION_LIFETIME_MS
    drop_mail_of_invitation(tx, key, session.now)
    write_invitation_sent_again(tx, stamp, key, digest_of(secret), expires_at)
    _write_mail(session, key, secret)
    session.note(
        KIND,
        key,
        {"status": row.status, "expiresAt": row.expires_at},
        {"status": InvitationStatus.PENDING, "expiresAt": expires_at},
    )
    session.forget()
    return {"invitation": key}


def cancel_user_invitation(session: WriteSession, key: InvitationId) -> Mapping[str, Any]:
    """Withdraw an invitation: its secret is void, and a mail still waiting does not leave. Raises: Refused."""
    row = _managed_invitation(session, key, InvitationEvent.CANCEL)
    write_user_invitation_status(session.transaction, session.stamp, [key], InvitationStatus.CANCELED)
    drop_mail_of_invitation(session.transaction, key, session.now)
    session.note(KIND, key, {"status": row.status}, {"status": InvitationStatus.CANCELED})
    session.forget()
    return {"invitation": key}


def _managed_invitation(session: WriteSession, key: InvitationId, event: InvitationEvent) -> InvitationRow:
    """An invitation the viewer could send himself, in a state the event is possible in. Raises: Refused."""
    row = read_invitations_of_any_status(session.transaction, [key]).get(key)
    if row is None:
        raise not_there("invitationId")
    _require_inviter(session, row.customer_id, _grant(session, row), "invitationId")
    forbidden = state_forbids(event, status_now(row.status, row.expires_at, session.now), "invitationId")
    if forbidden is not None:
        raise refused_by(forbidden)
    return row


def _grant(session: WriteSession, row: InvitationRow) -> Held:
    if row.scope == ScopeKind.EVERY_ACCOUNT:
        return Held(row.role, EveryAccount())
    listed = read_invited_ad_accounts(session.transaction, [row.invitation_id])[row.invitation_id]
    return Held(row.role, OnlyAccounts(frozenset(listed)))


# Accepted


def accept_user_invitation(session: WriteSession, secret: str) -> Mapping[str, Any]:
    """Become a user of the manager account, or gain the role as the user one is there already.

    A login joins, not one of its users; a newcomer gets his login by it. Raises: Refused.
    """
    _require_whole_login(session)
    row = read_invitation_by_digest(session.transaction, digest_of(secret)) if len(secret) <= LONGEST_SECRET else None
    if row is None:
        raise refused(
            WriteCode.NOT_FOUND,
            "No invitation has this secret. Take it from the latest mail: sending an invitation again voids the older"
            " ones.",
            "secret",
        )
    status = status_now(row.status, row.expires_at, session.now)
    forbidden = state_forbids(InvitationEvent.ACCEPT, status, "secret")
    if forbidden is not None:
        raise refused_by(forbidden)
    _require_living(session, row.customer_id)
    login = login_of_caller(session, "secret")
    own = read_users_of_logins(session.transaction, [login])[login]
    here = next((user for user in own if user.customer_id == row.customer_id), None)
    if here is not None and here.status == UserStatus.INACTIVE:
        raise refused(
            WriteCode.USER_NOT_ACTIVE,
            f"Your user {here.user_id} in this manager account was disabled; an invitation does not bring it back.",
            "secret",
        )
    here_only = frozenset({row.customer_id})
    session.concern(Region(users=frozenset(user.user_id for user in own), above=here_only, below=here_only))
    user = _new_user(session, row) if here is None else _present_user(session, here)
    holdings = Holdings(session, row.customer_id)
    before = holdings.held(user)
    after = merged(before, _grant(session, row))
    replace_held(session, holdings, user, after)
    session.note("User", user, {"roles": described(before)}, {"roles": described(after)})
    tx, stamp = session.transaction, session.stamp
    write_user_invitation_status(tx, stamp, [row.invitation_id], InvitationStatus.ACCEPTED)
    drop_mail_of_invitation(tx, row.invitation_id, session.now)
    session.note(KIND, row.invitation_id, {"status": row.status}, {"status": InvitationStatus.ACCEPTED, "userId": user})
    session.forget()
    return {"user": user, "invitation": row.invitation_id}


def _require_whole_login(session: WriteSession) -> None:
    if session.newcomer is None and session.narrowed_to is not None:
        raise refused(
            WriteCode.ASKED_AS_ONE_USER,
            "An invitation is accepted by a login, and you ask as one of its users. Send this without `ActAs`.",
            "secret",
        )


def _require_living(session: WriteSession, manager_account: ManagerAccountId) -> None:
    if (
        read_manager_accounts(session.transaction, [manager_account])[manager_account].status
        != ManagerAccountStatus.ACTIVE
    ):
        raise refused(
            WriteCode.OBJECT_STATE,
            f"Manager account {manager_account} is INACTIVE: nobody can join it.",
            "secret",
        )


def _new_user(session: WriteSession, row: InvitationRow) -> UserId:
    """A new user of the viewer's login, known by the names the invitation gave."""
    tx, stamp, login = session.transaction, session.stamp, session.viewer.login_id
    address = AddressEntry(new_address_id(tx))
    contact = ContactInfoEntry(new_contact_info_id(tx), address_id=address.id, email=row.email)
    user = UserEntry(
        id=new_user_id(tx),
        login_id=login,
        manager_account_id=row.customer_id,
        is_original=not has_original_user(tx, login),
        first_name=row.first_name,
        last_name=row.last_name,
        lcid=row.lcid,
        contact_info_id=contact.id,
    )
    write_addresses(tx, stamp, [address])
    write_contact_infos(tx, stamp, [contact])
    write_users(tx, stamp, [user])
    if stamp.actor_user_id is None:
        write_user_fields(tx, stamp, [user.id], {}, user.id)
    session.note("User", user.id, None, {"customerId": row.customer_id, "isOriginal": user.is_original})
    return user.id


def _present_user(session: WriteSession, here: UserRow) -> UserId:
    """The user the viewer's login has there; one that was deleted begins anew, with nothing of what it held."""
    tx, user = session.transaction, here.user_id
    session.act_as(user)
    if here.status == UserStatus.ACTIVE:
        write_user_fields(tx, session.stamp, [user], {}, user)
        return user
    holdings = Holdings(session, here.customer_id)
    if here.status == UserStatus.DELETED and holdings.held(user):
        replace_held(session, holdings, user, held_by(()))
    write_user_status(tx, session.stamp, [user], UserStatus.ACTIVE)
    session.note("User", user, {"lifeCycleStatus": here.status}, {"lifeCycleStatus": UserStatus.ACTIVE})
    return user


def shown_invitation(session: WriteSession, key: InvitationId) -> InvitationRow | None:
    """An invitation of any status, to those who see its manager account and to who sent it; else None."""
    row = read_invitations_of_any_status(session.transaction, [key]).get(key)
    if row is None:
        return None
    session.know_manager_accounts([row.customer_id])
    sees = session.reach.on_manager_account(row.customer_id).allow(Capability.VIEW)
    return row if sees or row.inviter_user_id in session.viewer_users else None
