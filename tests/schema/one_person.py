"""The documented story of consolidation: four logins, three of them one person, in manager accounts A, B and C."""

from __future__ import annotations

from typing import Any

from storage.database import Database
from storage.entries import AddressEntry, ContactInfoEntry
from storage.writes import begin_revision, write_addresses, write_contact_infos
from tests.builders import a_role, a_user, a_world, an_ad
from tests.oracle import Login
from tests.stored_worlds import LONG_AGO_MS, write_world

A, B, C, OFFICE = 1, 2, 3, 9
"""Manager accounts; the system administrator has a role in the last one only."""
ONE, TWO, THREE, FOUR, OPERATOR = 11, 12, 13, 14, 99
"""Logins."""
NAMES = {
    ONE: "one@contoso.example",
    TWO: "two@contoso.example",
    THREE: "three@contoso.example",
    FOUR: "four@contoso.example",
    OPERATOR: "operator@office.example",
}
CONTACTS = {123: 234, 456: 567, 789: 890}
"""The contact info of each of the person's users; addresses are 1000 more."""
ONLY_ACCOUNT = 31
"""The one ad account the role in C is limited to."""
Row = tuple[int, str, list[str] | None, str | None]
"""Role id, customer id, account ids, link permission."""
IN_A: Row = (100, "1", None, None)
IN_B: Row = (41, "2", None, None)
IN_C: Row = (100, "3", ["31"], None)
GET_USER = "customerRoles { roleId customerId accountIds linkPermission }"


def store(database: Database, *more: Any) -> None:
    """Write it, each user last modified by itself; `more` facts besides."""
    facts: list[Any] = [
        *(Login(key, name) for key, name in NAMES.items()),
        a_user(123, of=A, login=ONE),
        a_user(456, of=B, login=TWO),
        a_user(789, of=C, login=THREE),
        a_user(400, of=B, login=FOUR),
        a_user(900, of=OFFICE, login=OPERATOR),
        a_role("VIEWER", at=A, user=123, id=1),
        a_role("SUPER_ADMIN", at=B, user=456, id=2),
        a_role("VIEWER", at=C, user=789, id=3, scope="ONLY_ACCOUNTS", listed=[ONLY_ACCOUNT]),
        a_role("STANDARD", at=B, user=400, id=4),
        a_role("SUPER_ADMIN", at=OFFICE, user=900, id=5),
        *(an_ad(10 * owner + digit, owner=owner) for owner in (A, B, C) for digit in (1, 2)),
    ]
    with database.write() as transaction:
        write_world(transaction, a_world(*facts, *more))
        stamp = begin_revision(transaction, operation="storeContacts", at_ms=LONG_AGO_MS)
        addresses = [AddressEntry(key + 1000, line1="1 Main Street", city="Redmond") for key in CONTACTS.values()]
        write_addresses(transaction, stamp, addresses)
        contacts = [ContactInfoEntry(key, key + 1000, f"u{user}@user.example") for user, key in CONTACTS.items()]
        write_contact_infos(transaction, stamp, contacts)
        for user, key in CONTACTS.items():
            transaction.execute(
                f"UPDATE app_user SET contact_info_id = {key}, last_modified_by_user_id = {user} WHERE id = {user}"
            )


def merge(*merged: int, primary: int = ONE, **more: Any) -> dict[str, Any]:
    """The input of `consolidateLogins`."""
    return {"primaryLogin": NAMES[primary], "mergedLogins": [NAMES[one] for one in merged], **more}


def rows_of(found: Any) -> list[Row]:
    """The rows of GetUser as the documentation has them."""
    names = ("roleId", "customerId", "accountIds", "linkPermission")
    return [tuple(row[name] for name in names) for row in found["customerRoles"]]


def users_now(database: Database) -> dict[int, dict[str, Any]]:
    """What is stored about the person's users."""
    columns = "id, login_id, is_original, status, contact_info_id, last_modified_by_user_id, last_modified_at_ms"
    with database.read() as transaction:
        found = transaction.execute(
            f"SELECT {columns}, time_stamp FROM app_user WHERE id IN (123, 456, 789) ORDER BY id"
        ).fetchall()
    names = ("id", "login", "original", "status", "contact", "by", "at", "time")
    return {row[0]: dict(zip(names, row, strict=True)) for row in found}
