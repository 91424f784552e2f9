"""Changing and deleting users: one User object is named, and what describes the person follows on all of his.

Name, job title, locale and contact values of a person are the same on all his users from the first edit on;
the ids of contact info and address stay each user's own, and so does everything about access.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from resolvers.effects import Region
from resolvers.rules.addresses import FIELD_RULES, AddressFields, problems_of_fields, problems_of_place
from resolvers.rules.problems import Problem
from resolvers.rules.role_changes import described, held_by
from resolvers.rules.user_fields import (
    CONTACT_TEXTS,
    LCIDS,
    NEVER_EMPTY_IN_ADDRESS,
    USER_TEXTS,
    is_printable,
    problems_of_texts,
    user_time_stamp,
)
from resolvers.rules.write_codes import WriteCode
from resolvers.user_rights import (
    Holdings,
    managed_user,
    needs_super_admin_management,
    primary_contact,
    require_super_admin_management,
    require_user_management,
    require_within,
)
from resolvers.writing import Refused, WriteSession, not_there, refused, require_time_stamp, user_error
from storage.entries import AddressEntry, ContactInfoEntry
from storage.reads.deciding import read_primary_of
from storage.reads.entities import read_addresses, read_contact_infos, read_users, read_users_of_logins
from storage.reads.facts import read_assignments_of_users
from storage.records.ids import UserId
from storage.records.rows import ContactInfoRow, UserRow
from storage.records.values import UserStatus
from storage.user_writes import (
    new_address_id,
    new_contact_info_id,
    write_address_fields,
    write_contact_fields,
    write_user_fields,
)
from storage.writes import end_assignments, write_addresses, write_contact_infos, write_user_status

KIND = "User"


@dataclass(frozen=True, slots=True)
class AddressChange:
    """New values of a user's address by column. The id and time stamp must be those of the address he has."""

    address_id: int | None
    time_stamp: str | None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContactChange:
    """New values of a user's contact info by column; texts and switches. The id must be that of the one he has."""

    contact_info_id: int | None
    values: Mapping[str, Any] = field(default_factory=dict)
    address: AddressChange | None = None


@dataclass(frozen=True, slots=True)
class UserChange:
    """New values of a user by column. What is not named stays; an empty text clears."""

    time_stamp: str
    values: Mapping[str, str] = field(default_factory=dict)
    contact: ContactChange | None = None


def _managed(session: WriteSession, key: UserId) -> tuple[UserRow, Holdings]:
    """A user the viewer may change as a whole (C16, C17, C21). Raises: Refused."""
    row = read_users(session.transaction, [key]).get(key)
    if row is None:
        raise not_there("userId")
    if session.is_self(row) and row.status == UserStatus.ACTIVE:
        # An edit of one's own is made in the context of the user that is edited.
        session.act_as(key)
    allowed = require_user_management(session, row.customer_id, "userId")
    holdings = Holdings(session, row.customer_id)
    managed_user(session, holdings, key, allowed, "userId")
    if needs_super_admin_management(holdings.held(key)):
        require_super_admin_management(session, row.customer_id, allowed, "userId")
    require_within(allowed, holdings.held(key), (), "userId")
    return row, holdings


# Deleting


def delete_user(session: WriteSession, key: UserId, time_stamp: str) -> Mapping[str, Any]:
    """Delete one User object and end its roles; the person's other users stay. Raises: Refused."""
    row, holdings = _managed(session, key)
    _require_user_time_stamp(time_stamp, row)
    tx = session.transaction
    primary_of = read_primary_of(tx, key)
    if primary_of:
        raise primary_contact(session, key, [account for account, _ in primary_of], "userId")
    assignments = read_assignments_of_users(tx, [key])
    for manager_account in sorted({item.manager_account_id for item in assignments}):
        Holdings(session, manager_account).require_a_super_admin_left(key, held_by(()), "userId")
    session.concern(Region(users=frozenset({key})))
    if assignments:
        end_assignments(tx, session.stamp, [item.id for item in assignments])
    write_user_status(tx, session.stamp, [key], UserStatus.DELETED)
    before = {"lifeCycleStatus": row.status, "roles": described(holdings.held(key))}
    session.note(KIND, key, before, {"lifeCycleStatus": UserStatus.DELETED, "roles": []})
    session.forget()
    return {"user": key}


def _require_user_time_stamp(given: str, row: UserRow) -> None:
    """Raises: Refused (209)."""
    if given != user_time_stamp(row.user_id, row.time_stamp):
        require_time_stamp(given, -1, "timeStamp")


# Updating


def update_user(session: WriteSession, key: UserId, change: UserChange) -> Mapping[str, Any]:
    """Change what describes a person, on all his users. Raises: Refused."""
    row, _ = _managed(session, key)
    _require_user_time_stamp(change.time_stamp, row)
    contact = None
    if row.contact_info_id is not None:
        contact = read_contact_infos(session.transaction, [row.contact_info_id])[row.contact_info_id]
    problems = [*_user_problems(change), *_contact_problems(session, change.contact, contact)]
    if problems:
        raise Refused(*(user_error(one.code, one.message, one.field) for one in problems))
    if not change.values and not _says_something(change.contact):
        return {"user": key}
    _write_everywhere(session, row, change)
    session.forget()
    return {"user": key}


def _says_something(contact: ContactChange | None) -> bool:
    return contact is not None and bool(contact.values or (contact.address is not None and contact.address.values))


def _user_problems(change: UserChange) -> list[Problem]:
    found = problems_of_texts(change.values, USER_TEXTS)
    lcid = change.values.get("lcid")
    if lcid is not None and lcid not in LCIDS:
        found.append(Problem(WriteCode.BAD_USER_INPUT, ("lcid",), "`lcid` is not a known locale, such as EnglishUS."))
    return found


def _contact_problems(
    session: WriteSession, change: ContactChange | None, stored: ContactInfoRow | None
) -> list[Problem]:
    if change is None:
        return []
    if change.contact_info_id != (stored.contact_info_id if stored is not None else None):
        raise _foreign("contactInfo", "contactInfoId", stored.contact_info_id if stored is not None else None)
    texts = {name: value for name, value in change.values.items() if name in CONTACT_TEXTS}
    found = problems_of_texts(texts, CONTACT_TEXTS, "contactInfo")
    if change.address is not None:
        found += _address_problems(session, change.address, stored.address_id if stored is not None else None)
    return found


def _foreign(holder: str, name: str, stored: int | None) -> Refused:
    wanted = f"is {stored}" if stored is not None else "does not exist yet, so leave the id out"
    message = f"`{name}` is not that of this user: his own {wanted}."
    return refused(WriteCode.ID_MISMATCH, message, holder, name)


def _address_problems(session: WriteSession, change: AddressChange, stored_id: int | None) -> list[Problem]:
    if change.address_id != stored_id:
        raise _foreign("contactInfo", "addressId", stored_id)
    current: dict[str, str | None] = {}
    if stored_id is not None:
        stored = read_addresses(session.transaction, [stored_id])[stored_id]
        require_time_stamp(change.time_stamp or "", stored.time_stamp, "contactInfo", "address", "timeStamp")
        current = {name: getattr(stored, name) for name in AddressFields._fields}
    given = AddressFields(**change.values)
    after = AddressFields(**{**current, **change.values})
    found = problems_of_fields(given, "address")
    if {"postal_code", "state_or_province", "country_code"} & set(change.values):
        found += problems_of_place(after, "address")
    for name in sorted(NEVER_EMPTY_IN_ADDRESS & set(change.values)):
        if not change.values[name].strip():
            where = ("address", FIELD_RULES[name].name)
            found.append(Problem(WriteCode.NULL_PARAMETER, where, f"`{where[1]}` must not be empty."))
    for name, text in change.values.items():
        if not is_printable(text):
            where = ("address", FIELD_RULES[name].name)
            found.append(Problem(WriteCode.BAD_USER_INPUT, where, f"`{where[1]}` contains control characters."))
    return [one._replace(field=("contactInfo", *one.field)) for one in found]


def _write_everywhere(session: WriteSession, row: UserRow, change: UserChange) -> None:
    tx, stamp = session.transaction, session.stamp
    modified_by = row.user_id if session.is_self(row) else stamp.actor_user_id
    users = [one for one in read_users_of_logins(tx, [row.login_id])[row.login_id] if one.status != UserStatus.DELETED]
    values = {name: value or None for name, value in change.values.items()}
    write_user_fields(tx, stamp, [one.user_id for one in users], values, modified_by)
    for one in users:
        before, after = {name: getattr(one, name) for name in values}, dict(values)
        if change.contact is not None and _says_something(change.contact):
            before |= _contact_now(session, one)
            _write_contact(session, one, change.contact, modified_by)
            after |= _contact_now(session, one)
        session.note(KIND, one.user_id, before, after)


def _contact_now(session: WriteSession, user: UserRow) -> dict[str, Any]:
    """What a user's contact info and address say now, by column."""
    tx = session.transaction
    key = read_users(tx, [user.user_id])[user.user_id].contact_info_id
    if key is None:
        return {}
    contact = read_contact_infos(tx, [key])[key]
    said = contact._asdict()
    if contact.address_id is not None:
        said |= read_addresses(tx, [contact.address_id])[contact.address_id]._asdict()
    return {name: value for name, value in said.items() if name not in ("contact_info_id", "address_id", "time_stamp")}


def _write_contact(session: WriteSession, user: UserRow, change: ContactChange, modified_by: UserId | None) -> None:
    """Give a user these values in his own contact info and address, which are made where he has none."""
    tx, stamp = session.transaction, session.stamp
    values = {name: None if value == "" else value for name, value in change.values.items()}
    contact_id = user.contact_info_id
    if contact_id is None:
        contact_id = new_contact_info_id(tx)
        write_contact_infos(tx, stamp, [ContactInfoEntry(contact_id, **values)])
        write_user_fields(tx, stamp, [user.user_id], {"contact_info_id": contact_id}, modified_by)
    elif values:
        write_contact_fields(tx, [contact_id], values)
    if change.address is None or not change.address.values:
        return
    address = {name: value or None for name, value in change.address.values.items()}
    address_id = read_contact_infos(tx, [contact_id])[contact_id].address_id
    if address_id is None:
        address_id = new_address_id(tx)
        write_addresses(tx, stamp, [AddressEntry(address_id, **address)])
        write_contact_fields(tx, [contact_id], {"address_id": address_id})
    else:
        write_address_fields(tx, stamp, [address_id], address)
