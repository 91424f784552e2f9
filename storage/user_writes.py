"""Writing users, what they hold, and invitations; current columns and periods kept in step as in `storage.writes`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from storage.database import Transaction
from storage.entries import AssignmentEntry
from storage.models import Address, Assignment, ContactInfo, User, UserInvitation
from storage.records.facts import Scope
from storage.records.ids import AssignmentId, InvitationId, ManagerAccountId, UserId
from storage.records.values import InvitationStatus, Role
from storage.statements import is_in
from storage.writes import Stamp, reserve_ids, write_assignments

_USER_FIELDS = {
    "first_name": User.first_name,
    "middle_initial": User.middle_initial,
    "last_name": User.last_name,
    "job_title": User.job_title,
    "lcid": User.lcid,
    "contact_info_id": User.contact_info,
}
_CONTACT_FIELDS = {
    "address_id": ContactInfo.address,
    "email": ContactInfo.email,
    "phone1": ContactInfo.phone1,
    "phone2": ContactInfo.phone2,
    "home_phone": ContactInfo.home_phone,
    "mobile": ContactInfo.mobile,
    "fax": ContactInfo.fax,
    "contact_by_phone": ContactInfo.contact_by_phone,
    "contact_by_postal_mail": ContactInfo.contact_by_postal_mail,
    "email_format": ContactInfo.email_format,
}
_ADDRESS_FIELDS = {
    "business_name": Address.business_name,
    "line1": Address.line1,
    "line2": Address.line2,
    "line3": Address.line3,
    "line4": Address.line4,
    "city": Address.city,
    "postal_code": Address.postal_code,
    "state_or_province": Address.state_or_province,
    "country_code": Address.country_code,
}


def new_user_id(tx: Transaction) -> UserId:
    """An id for a new user. Call it after `begin_revision`."""
    return UserId(reserve_ids(tx, User, 1)[0])


def new_contact_info_id(tx: Transaction) -> int:
    """An id for a new contact info. Call it after `begin_revision`."""
    return reserve_ids(tx, ContactInfo, 1)[0]


def new_address_id(tx: Transaction) -> int:
    """An id for a new address. Call it after `begin_revision`."""
    return reserve_ids(tx, Address, 1)[0]


def new_invitation_id(tx: Transaction) -> InvitationId:
    """An id for a new invitation. Call it after `begin_revision`."""
    return InvitationId(reserve_ids(tx, UserInvitation, 1)[0])


def begin_assignments(
    tx: Transaction, stamp: Stamp, user: UserId, manager_account: ManagerAccountId, held: Collection[tuple[Role, Scope]]
) -> None:
    """New assignments of a user in a manager account."""
    keys = reserve_ids(tx, Assignment, len(held)) if held else ()
    entries = [
        AssignmentEntry(AssignmentId(key), user, manager_account, role, scope)
        for key, (role, scope) in zip(keys, held, strict=True)
    ]
    write_assignments(tx, stamp, entries)


def write_user_fields(
    tx: Transaction, stamp: Stamp, ids: Collection[UserId], values: Mapping[str, Any], modified_by: UserId | None
) -> None:
    """Give users these values, named as in `UserEntry`; none to mark them as written only."""
    columns: dict[Any, Any] = {_USER_FIELDS[name]: value for name, value in values.items()}
    columns |= {
        User.last_modified_by_user_id: modified_by,
        User.last_modified_at_ms: stamp.at_ms,
        User.time_stamp: stamp.id,
    }
    tx.run(User.update(columns).where(is_in(User.id, "ids")), ids=ids)


def write_contact_fields(tx: Transaction, ids: Collection[int], values: Mapping[str, Any]) -> None:
    """Give contact infos these values, named as in `ContactInfoEntry`."""
    columns = {_CONTACT_FIELDS[name]: value for name, value in values.items()}
    tx.run(ContactInfo.update(columns).where(is_in(ContactInfo.id, "ids")), ids=ids)


def write_address_fields(tx: Transaction, stamp: Stamp, ids: Collection[int], values: Mapping[str, Any]) -> None:
    """Give addresses these values, named as in `AddressEntry`."""
    columns: dict[Any, Any] = {_ADDRESS_FIELDS[name]: value for name, value in values.items()}
    columns[Address.time_stamp] = stamp.id
    tx.run(Address.update(columns).where(is_in(Address.id, "ids")), ids=ids)


def write_invitation_sent_again(
    tx: Transaction, stamp: Stamp, id_: InvitationId, secret_digest: bytes, expires_at_ms: int
) -> None:
    """Give an invitation a new secret and new days; the old secret opens nothing any more."""
    values = {
        UserInvitation.status: InvitationStatus.PENDING,
        UserInvitation.secret_digest: secret_digest,
        UserInvitation.sent_at_ms: stamp.at_ms,
        UserInvitation.expires_at_ms: expires_at_ms,
        UserInvitation.time_stamp: stamp.id,
    }
    tx.run(UserInvitation.update(values).where(UserInvitation.id == id_))
