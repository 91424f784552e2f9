"""Who is written to about a client link: the client when it is sent, and who sent it when it is decided.

The mail is written in the transaction of what it tells of. What is still to be sent when a link has been
answered, withdrawn or has expired is dropped. A link whose notification is suppressed sends no mail at all.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from resolvers.excerpt import Excerpt
from resolvers.link_rights import manage_links
from resolvers.mail_texts import LinkOutcome, MailKind
from resolvers.rules.access import permissions_on
from resolvers.rules.links import INVITATION_LIFETIME_MS, LinkEvent
from resolvers.rules.reach import users_of_login
from resolvers.rules.user_fields import is_email
from resolvers.writing import WriteSession
from storage.outbox import NewMail, drop_mail_of_link, write_mail
from storage.reads.deciding import read_super_admins_of
from storage.reads.entities import read_ad_accounts, read_contact_infos, read_manager_accounts, read_users
from storage.reads.links import read_client_links, read_link_periods
from storage.reads.remembered import FactReader
from storage.records.ids import ClientLinkId, ManagerAccountId, UserId
from storage.records.rows import ClientLinkRow, ContactInfoRow, UserRow
from storage.records.values import ClientLinkStatus, LinkType, LoginStatus, UserStatus

OUTCOMES: dict[LinkEvent, LinkOutcome] = {
    LinkEvent.ACCEPT: LinkOutcome.ACCEPTED,
    LinkEvent.DECLINE: LinkOutcome.DECLINED,
    LinkEvent.EXPIRE: LinkOutcome.EXPIRED,
    LinkEvent.FAIL: LinkOutcome.FAILED,
}
"""What the sender of a link is told of: each decides about his request, or takes the decision back."""


def inviter_of(session: WriteSession) -> tuple[str, str | None, str | None]:
    """E-mail, name and phone an inviter has unless he gives others: his own, and the name of his manager account.

    Of the user who signs the write. Cost: three SELECTs.
    """
    tx, signs = session.transaction, session.stamp.actor_user_id
    user = read_users(tx, [signs]).get(signs) if signs is not None else None
    if user is None:
        return session.viewer.user_name, None, None
    contact = _contacts(session, [user]).get(user.user_id)
    parent = read_manager_accounts(tx, [user.customer_id])[user.customer_id]
    return _address(user, contact), parent.name, contact.phone1 if contact is not None else None


def tell_client(session: WriteSession, key: ClientLinkId) -> None:
    """Write to the client's people that a link was sent to them.

    To an ad account's primary user; where there is none who is active, and for a manager account, to those who
    are Super Admins in it, not limited to what is linked. Cost: a fixed number of SELECTs, one INSERT.
    """
    row = read_client_links(session.transaction, [key])[key]
    if row.suppress_notification:
        return
    primary = _primary_user(session, row)
    owner = ManagerAccountId(row.client_owner_id)
    people = [primary] if primary is not None else read_super_admins_of(session.transaction, owner)
    told = {
        **_told(session, row),
        "permission": row.permission,
        "isBillToClient": row.is_bill_to_client,
        "note": row.note,
        "inviterName": row.inviter_name,
        "inviterEmail": row.inviter_email,
        "inviterPhone": row.inviter_phone,
        "linkName": row.name,
        "timeStamp": str(row.time_stamp),
        "expiresAt": row.created_at + INVITATION_LIFETIME_MS,
        "isPrimaryUser": primary is not None,
    }
    _write(session, row, MailKind.CLIENT_LINK_REQUEST, people, told)


def tell_sender(session: WriteSession, row: ClientLinkRow, event: LinkEvent, why: str | None) -> None:
    """Write to who sent a link that it was accepted or declined, has expired or failed.

    Only to a user who is active and may still manage such links there, and not of what the same login did itself.
    `row` is the link before the event. What is still to be sent to the client is dropped once it is decided.
    """
    if row.status == ClientLinkStatus.LINK_PENDING:
        drop_mail_of_link(session.transaction, row.link_id, session.now)
    outcome = OUTCOMES.get(event)
    if outcome is None or row.suppress_notification:
        return
    sender = _sender(session, row)
    if sender is None:
        return
    told = {**_told(session, row), "outcome": outcome, "why": why}
    _write(session, row, MailKind.CLIENT_LINK_OUTCOME, [sender], told)


# To whom


def _primary_user(session: WriteSession, row: ClientLinkRow) -> UserRow | None:
    """The primary user of the ad account a link leads to, when he is active."""
    if row.client_account_id is None:
        return None
    key = read_ad_accounts(session.transaction, [row.client_account_id])[row.client_account_id].primary_user_id
    user = read_users(session.transaction, [key]).get(key) if key is not None else None
    return user if user is not None and _is_active(user) else None


def _sender(session: WriteSession, row: ClientLinkRow) -> UserRow | None:
    """Who sent a link, unless he does this himself, is not active or may no longer manage such links there."""
    tx = session.transaction
    key = read_link_periods(tx, [row.link_id])[row.link_id][0].actor_user_id
    user = read_users(tx, [key]).get(key) if key is not None else None
    if user is None or not _is_active(user) or user.login_id == session.signing_login:
        return None
    excerpt = Excerpt(FactReader(tx))
    excerpt.know_users([user.user_id])
    excerpt.know_manager_accounts([row.managing_customer_id])
    reach = excerpt.reach_of(users_of_login(excerpt.facts, user.login_id))
    return user if permissions_on(reach, row.managing_customer_id).allow(manage_links(row.type)) else None


def _is_active(user: UserRow) -> bool:
    return user.status == UserStatus.ACTIVE and user.login_status == LoginStatus.ACTIVE


def _contacts(session: WriteSession, users: Collection[UserRow]) -> dict[UserId, ContactInfoRow]:
    keys = {user.user_id: user.contact_info_id for user in users if user.contact_info_id is not None}
    found = read_contact_infos(session.transaction, list(keys.values()))
    return {user: found[key] for user, key in keys.items() if key in found}


def _address(user: UserRow, contact: ContactInfoRow | None) -> str:
    """Where a user gets his mail: the e-mail of his contact info, else his login."""
    return (contact.email if contact is not None else None) or user.user_name


# What is kept for the mail


def _told(session: WriteSession, row: ClientLinkRow) -> dict[str, Any]:
    of_account = row.type == LinkType.ACCOUNT_LINK
    return {
        "linkId": str(row.link_id),
        "type": row.type,
        "managingId": row.managing_customer_id,
        "managingNumber": row.managing_customer_number,
        "managingName": row.managing_customer_name,
        "clientId": row.client_account_id if of_account else row.client_customer_id,
        "clientNumber": row.client_entity_number,
        "clientName": row.client_entity_name,
        "startAt": row.start_at,
        "now": session.now,
    }


def _write(
    session: WriteSession, row: ClientLinkRow, kind: MailKind, people: Collection[UserRow], told: dict[str, Any]
) -> None:
    """One mail to each address; a login that is no address gets none."""
    contacts = _contacts(session, people)
    addressed = {_address(user, contacts.get(user.user_id)): user for user in people}
    mails = [
        NewMail(
            kind,
            address,
            orjson.dumps(told | {"firstName": user.first_name, "lastName": user.last_name}).decode(),
            session.now + INVITATION_LIFETIME_MS,
            client_link=row.link_id,
        )
        for address, user in addressed.items()
        if is_email(address)
    ]
    write_mail(session.transaction, mails, session.now)
