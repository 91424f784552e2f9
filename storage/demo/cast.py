"""The story's recurring turns: a manager account opens, a person joins, a link is asked for and answered."""

from __future__ import annotations

from collections.abc import Sequence

from storage.demo.story import DAY_MS, MINUTE_MS, Story
from storage.entries import (
    AddressEntry,
    AssignmentEntry,
    ClientLinkEntry,
    ContactInfoEntry,
    LoginEntry,
    UserEntry,
)
from storage.records.facts import EveryAccount, Scope
from storage.records.ids import AdAccountId, AssignmentId, ClientLinkId, LoginId, ManagerAccountId, UserId
from storage.records.values import ClientLinkStatus, EmailFormat, LinkPermission, LinkType, Role, UserStatus

Turns = tuple[tuple[ClientLinkStatus, float, str], ...]
"""Statuses a link goes through: which, how many days after it was asked for, by which operation."""

_S = ClientLinkStatus
_ACCEPTED: Turns = (
    (_S.LINK_ACCEPTED, 1, "acceptClientLink"),
    (_S.LINK_IN_PROGRESS, 1 + MINUTE_MS / DAY_MS, "advanceClientLinks"),
)
_ACTIVE: Turns = (*_ACCEPTED, (_S.ACTIVE, 2, "advanceClientLinks"))
_LEAVING: Turns = (
    *_ACTIVE,
    (_S.UNLINK_REQUESTED, 60, "requestUnlink"),
    (_S.UNLINK_PENDING, 60 + MINUTE_MS / DAY_MS, "advanceClientLinks"),
)
_ENDING: Turns = (*_LEAVING, (_S.UNLINK_IN_PROGRESS, 60.5, "advanceClientLinks"))

LIVES: dict[str, Turns] = {
    "pending": (),
    "declined": ((_S.LINK_DECLINED, 3, "declineClientLink"),),
    "canceled": ((_S.LINK_CANCELED, 4, "cancelClientLink"),),
    "expired": ((_S.LINK_EXPIRED, 30, "expireClientLinks"),),
    "failed": (*_ACCEPTED, (_S.LINK_FAILED, 2, "advanceClientLinks")),
    "in progress": _ACCEPTED,
    "active": _ACTIVE,
    "unlink pending": _LEAVING,
    "unlink in progress": _ENDING,
    "inactive": (*_ENDING, (_S.INACTIVE, 61, "advanceClientLinks")),
    "active after a failed unlink": (
        *_ENDING,
        (_S.UNLINK_FAILED, 61, "advanceClientLinks"),
        (_S.ACTIVE, 61 + MINUTE_MS / DAY_MS, "advanceClientLinks"),
    ),
}
"""How links fare, by how they end."""


def a_link(
    story: Story,
    at_ms: int,
    managing: ManagerAccountId,
    client: ManagerAccountId | AdAccountId,
    kind: LinkPermission | LinkType,
    life: str = "active",
    *,
    name: str = "Client link",
    note: str | None = None,
    previous: ClientLinkId | None = None,
    actor: UserId | None = None,
    inviter: tuple[str, str, str] | None = None,
    is_bill_to_client: bool = True,
    start_in_days: float = 0,
) -> ClientLinkId:
    """A link asked for at `at_ms`: a customer link when `kind` is a permission, else an account link."""
    is_customer_link = isinstance(kind, LinkPermission)
    email, inviter_name, phone = inviter or (None, None, None)
    link = ClientLinkEntry(
        id=ClientLinkId(story.next_id("client link", 8001)),
        type=LinkType.CUSTOMER_LINK if is_customer_link else LinkType.ACCOUNT_LINK,
        managing_id=managing,
        client_manager_account_id=ManagerAccountId(client) if is_customer_link else None,
        client_ad_account_id=None if is_customer_link else AdAccountId(client),
        permission=kind if isinstance(kind, LinkPermission) else None,
        is_bill_to_client=None if is_customer_link else is_bill_to_client,
        name=name[:40],
        start_at_ms=at_ms + int(start_in_days * DAY_MS),
        note=note,
        inviter_email=email,
        inviter_name=inviter_name,
        inviter_phone=phone,
        previous_id=previous,
    )
    story.tell(at_ms, "addClientLinks", [link], actor)
    for status, days, operation in LIVES[life]:
        story.tell_link_status(at_ms + int(days * DAY_MS), operation, link.id, status)
    return link.id


def a_login(story: Story, at_ms: int, user_name: str) -> LoginId:
    """A new login."""
    login = LoginId(story.next_id("login", 7001))
    story.tell(at_ms, "acceptUserInvitation", [LoginEntry(login, user_name)])
    return login


def a_user(
    story: Story,
    at_ms: int,
    login: LoginId,
    manager_account: ManagerAccountId,
    name: tuple[str, str],
    roles: Sequence[tuple[Role, Scope]] = ((Role.SUPER_ADMIN, EveryAccount()),),
    *,
    email: str,
    is_original: bool = True,
    job_title: str | None = None,
    lcid: str = "EnglishUS",
    status: UserStatus = UserStatus.ACTIVE,
    address: AddressEntry | None = None,
    user_id: int | None = None,
) -> UserId:
    """A person joining a manager account, with contact details and roles."""
    user = UserId(user_id or story.next_id("user", 6001))
    contact = ContactInfoEntry(
        id=story.next_id("contact info", 4001),
        address_id=address.id if address else None,
        email=email,
        phone1=f"+1 555 01{user % 100:02d}",  # a range set aside for fiction
        contact_by_phone=user % 2 == 0,
        contact_by_postal_mail=False,
        email_format=EmailFormat.HTML if user % 3 else EmailFormat.TEXT,
    )
    entry = UserEntry(
        id=user,
        login_id=login,
        manager_account_id=manager_account,
        is_original=is_original,
        first_name=name[0],
        middle_initial=name[0][-1].upper() if user % 4 == 0 else None,
        last_name=name[1],
        job_title=job_title,
        lcid=lcid,
        contact_info_id=contact.id,
        status=status,
    )
    held = [
        AssignmentEntry(AssignmentId(story.next_id("assignment", 9001)), user, manager_account, role, scope)
        for role, scope in roles
    ]
    story.tell(at_ms, "acceptUserInvitation", [*([address] if address else []), contact, entry, *held])
    return user
