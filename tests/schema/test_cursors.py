"""A cursor is what we gave out for this very list, or it is refused; writes in between do not spoil it."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import Any

import orjson
import pytest

from resolvers.paging import encode_cursor
from storage import writes
from storage.database import Database
from storage.entries import AdAccountEntry, ClientLinkEntry, LoginEntry, ManagerAccountEntry, UserEntry
from storage.entries import AssignmentEntry as Role
from storage.records.ids import (
    AdAccountId,
    AssignmentId,
    ClientLinkId,
    LoginId,
    ManagerAccountId,
    UserId,
)
from storage.records.values import ClientLinkStatus, LinkPermission, LinkType
from storage.records.values import Role as RoleName
from tests.schema.client import NOW_MS, GraphClient
from tests.schema.full_house import an_invitation, build_full_house
from tests.schema.lists import LISTS, PLAIN_LISTS, ListField, ask, the_whole

NOT_BASE64 = ("", " ", "null", "0", "é", "=" * 8, "\x00", "a" * 5_000)
FORGED_KEYS: tuple[tuple[Any, ...], ...] = (
    (),
    (None,),
    ("text",),
    (1.5,),
    (2**70,),
    ([],),
    ({"a": 1},),
    (1, None),
    (1, "text", 2),
    ("text", 1),
    ("text", "text"),
    (True, True),
    (7, 7, 7, 7, 7, 7, 7, 7),
)
"""Sort keys of every wrong shape: the checksum is no secret, so anybody can sign one."""


def refused(client: GraphClient, one: ListField, **paging: int | str) -> str:
    """The code a page is refused with, or an empty text for a page that was given."""
    errors = client.ask_once(one.query(), paging).get("errors", [])
    return str(errors[0]["extensions"]["code"]) if errors else ""


@pytest.mark.parametrize("one", PLAIN_LISTS, ids=str)
def test_a_cursor_with_any_one_byte_changed_is_refused(house: GraphClient, one: ListField) -> None:
    cursor = the_whole(house, one)[1]["cursor"]
    for place, character in enumerate(cursor):
        # The neighbour in the alphabet differs in the lowest bit alone, which padding would forgive.
        changed = cursor[:place] + (chr(ord(character) ^ 1)) + cursor[place + 1 :]
        assert refused(house, one, after=changed) == "INVALID_CURSOR", (place, changed)
        assert refused(house, one, after=cursor[:place] + cursor[place + 1 :]) == "INVALID_CURSOR", place


@pytest.mark.parametrize("one", LISTS, ids=str)
def test_what_was_never_a_cursor_is_refused(house: GraphClient, one: ListField) -> None:
    cursor = the_whole(house, one)[1]["cursor"]
    for text in (*NOT_BASE64, cursor + "A", cursor + "=", cursor + "\n", f" {cursor}", cursor[:-1], cursor * 2):
        assert refused(house, one, after=text) == "INVALID_CURSOR", text
        if one.reads_backwards:
            assert refused(house, one, last=3, before=text) == "INVALID_CURSOR", text


@pytest.mark.parametrize("one", LISTS, ids=str)
def test_the_cursor_of_another_list_is_refused(house: GraphClient, one: ListField) -> None:
    mine = the_whole(house, one)
    for other in LISTS:
        theirs = the_whole(house, other)
        # One list can be asked for in two places, and then a cursor serves both.
        if [edge["cursor"] for edge in theirs] != [edge["cursor"] for edge in mine]:
            assert refused(house, one, after=theirs[1]["cursor"]) == "INVALID_CURSOR", str(other)


@pytest.mark.parametrize("one", LISTS, ids=str)
def test_a_forged_cursor_is_refused_or_read_and_never_a_fault_of_ours(house: GraphClient, one: ListField) -> None:
    genuine = the_whole(house, one)[1]["cursor"]
    scope = str(urlsafe_b64decode(genuine + "=" * (-len(genuine) % 4))[6:].decode().split('"')[1])
    for key in FORGED_KEYS:
        try:
            forged = encode_cursor(scope, key)
        except TypeError:  # a number no cursor can carry
            continue
        assert refused(house, one, after=forged) in ("INVALID_CURSOR", ""), key
        if one.reads_backwards:
            assert refused(house, one, last=2, before=forged) in ("INVALID_CURSOR", ""), key


@pytest.mark.parametrize("one", LISTS, ids=str)
def test_a_forged_cursor_of_another_shape_than_the_keys_of_the_list_is_refused(
    house: GraphClient, one: ListField
) -> None:
    genuine = the_whole(house, one)[1]["cursor"]
    scope, *key = orjson.loads(urlsafe_b64decode(genuine + "=" * (-len(genuine) % 4))[6:])
    assert refused(house, one, after=encode_cursor(scope, tuple(key))) == "", "what we gave out ourselves"
    other = [1 if isinstance(part, str) else "text" for part in key]
    shapes = [other, [*key, "text"], [*other[:1], *key[1:]], [*key[:-1], other[-1]]]
    if one.name != "descendants":
        # The keys of a tree are as long as the way down to the row.
        shapes += [[*key, 1], key[:-1]]
    for shape in shapes:
        assert refused(house, one, after=encode_cursor(scope, tuple(shape))) == "INVALID_CURSOR", shape


def add_rows_all_over(database: Database) -> None:
    """New rows before, between and behind the old ones of every list."""
    new = (0, 25, 999)
    with database.write() as transaction:
        stamp = writes.begin_revision(transaction, operation="grow", at_ms=NOW_MS)
        places = [ManagerAccountEntry(ManagerAccountId(900 + id), f"C{900 + id}", "alike") for id in new]
        writes.write_manager_accounts(transaction, stamp, places)
        accounts = [AdAccountEntry(AdAccountId(id), f"X{id}", f"alike {id}", ManagerAccountId(1)) for id in new]
        writes.write_ad_accounts(transaction, stamp, accounts)
        writes.write_logins(transaction, stamp, [LoginEntry(LoginId(50 + id), f"new{id}@user.example") for id in new])
        users = [UserEntry(UserId(50 + id), LoginId(50 + id), ManagerAccountId(1), True) for id in new]
        writes.write_users(transaction, stamp, users)
        roles = [Role(AssignmentId(50 + u.id), u.id, ManagerAccountId(1), RoleName.STANDARD) for u in users]
        writes.write_assignments(transaction, stamp, roles)
        writes.write_client_links(transaction, stamp, [_link(id, places[at].id) for at, id in enumerate(new)])
        writes.write_user_invitations(transaction, stamp, [an_invitation(50 + id) for id in new])


def _link(id: int, client: ManagerAccountId) -> ClientLinkEntry:
    return ClientLinkEntry(
        ClientLinkId(id or 3),
        LinkType.CUSTOMER_LINK,
        ManagerAccountId(1),
        client,
        None,
        LinkPermission.ADMINISTRATIVE,
        None,
        f"Link {id}",
        NOW_MS,
        ClientLinkStatus.ACTIVE,
    )


def test_a_cursor_survives_a_write_in_between(database: Database) -> None:
    build_full_house(database)
    before = GraphClient(database, 1)
    old = {one: the_whole(before, one) for one in LISTS}
    add_rows_all_over(database)
    after = GraphClient(database, 1)
    grown = 0
    for one in LISTS:
        for place in (0, len(old[one]) // 2):
            rest = ask(after, one, first=100, after=old[one][place]["cursor"])["edges"]
            keys = [edge["cursor"] for edge in rest]
            expected = [edge["cursor"] for edge in old[one][place + 1 :]]
            assert [key for key in keys if key in expected] == expected, f"{one}: a gap or another order"
            assert not {edge["cursor"] for edge in old[one][: place + 1]} & set(keys), f"{one}: a repeat"
        grown += len(the_whole(after, one)) > len(old[one])
    assert grown > len(LISTS) // 2, "the write was to touch most lists"
