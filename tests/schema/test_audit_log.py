"""The audit log: who may read it, what it tells, and what it never tells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from storage.audit import AuditNote, write_audit_entries
from storage.database import Database
from storage.records.ids import LoginId, UserId
from storage.writes import begin_revision
from tests.builders import a_link, a_role, a_user, a_world, an_account_link, an_ad
from tests.schema.client import GraphClient
from tests.schema.write_client import NOW_MS, Writer
from tests.stored_worlds import write_world

AGENCY, OWNER, CLIENT = 1, 2, 3
AGENT, ADMIN, STANDARD, VIEWER, STRANGER = 1, 2, 3, 4, 5
ACCOUNT = 20
LOG = """auditLog { hiddenCount totalCount nodes {
  operation at actor actingAsUserId actingAs { userId } before after reason revision } }"""


@pytest.fixture
def logged(database: Database) -> Database:
    """An owner with an account an agency is linked to, and one entry about each of them."""
    world = a_world(
        *(a_user(id, of=of, login=id) for id, of in {AGENT: 1, ADMIN: 2, STANDARD: 2, VIEWER: 2, STRANGER: 3}.items()),
        a_role("SUPER_ADMIN", at=AGENCY, user=AGENT, id=1),
        a_role("SUPER_ADMIN", at=OWNER, user=ADMIN, id=2),
        a_role("STANDARD", at=OWNER, user=STANDARD, id=3),
        a_role("VIEWER", at=OWNER, user=VIEWER, id=4),
        a_role("SUPER_ADMIN", at=CLIENT, user=STRANGER, id=5),
        an_ad(ACCOUNT, owner=OWNER),
        an_account_link(AGENCY, ACCOUNT, id=900),
        a_link(OWNER, CLIENT, status="LINK_PENDING", id=901),
    )
    with database.write() as transaction:
        write_world(transaction, world)
        stamp = begin_revision(
            transaction,
            operation="somethingDone",
            at_ms=NOW_MS,
            actor_login_id=LoginId(ADMIN),
            actor_user_id=UserId(ADMIN),
        )
        about = [("ManagerAccount", OWNER), ("AdAccount", ACCOUNT), ("User", VIEWER), ("ClientLink", 901)]
        notes = [
            AuditNote(kind, key, '{"name":"old"}', '{"name":"new","secret_digest":"b\'abc\'","bill_to":{"password":1}}')
            for kind, key in about
        ]
        write_audit_entries(transaction, stamp, "somethingDone", LoginId(ADMIN), notes, "Because")
    return database


def log_of(database: Database, login: int, where: str) -> Any:
    [found] = GraphClient(database, login).data(f"{{ {where} {{ {LOG} }} }}").values()
    return found["auditLog"]


MANAGER, AD, USER, LINK = (
    f'managerAccount(id: "{OWNER}")',
    f'adAccount(id: "{ACCOUNT}")',
    f'user(id: "{VIEWER}")',
    'clientLink(id: "901")',
)


@pytest.mark.parametrize(
    ("where", "login", "reads"),
    [
        (MANAGER, ADMIN, True),
        (MANAGER, STANDARD, False),
        (MANAGER, VIEWER, False),
        (AD, ADMIN, True),
        (AD, STANDARD, True),
        (AD, AGENT, True),
        (AD, VIEWER, False),
        (USER, ADMIN, True),
        (USER, STANDARD, True),
        (USER, VIEWER, True),
        (LINK, ADMIN, True),
        (LINK, STRANGER, True),
    ],
)
def test_who_may_read_which_log(logged: Database, where: str, login: int, reads: bool) -> None:
    log = log_of(logged, login, where)
    assert (log is not None) is reads
    if reads:
        assert [entry["operation"] for entry in log["nodes"]] == ["somethingDone"]


def test_an_entry_tells_who_what_when_and_why(logged: Database) -> None:
    [entry] = log_of(logged, ADMIN, AD)["nodes"]
    assert entry["actor"] == "user2@adventure.example"
    assert entry["actingAs"] == {"userId": str(ADMIN)}
    assert entry["reason"] == "Because"
    assert json.loads(entry["before"]) == {"name": "old"}


@pytest.mark.parametrize(("where", "login"), [(AD, AGENT), (LINK, STRANGER)])
def test_who_did_it_and_why_is_not_told_to_those_who_may_not_see_him(logged: Database, where: str, login: int) -> None:
    [entry] = log_of(logged, login, where)["nodes"]
    assert (entry["actor"], entry["actingAs"], entry["reason"]) == (None, None, None)
    assert entry["actingAsUserId"] == str(ADMIN)


@pytest.mark.parametrize("where", [MANAGER, AD, USER, LINK])
def test_secrets_are_told_to_nobody(logged: Database, where: str) -> None:
    [entry] = log_of(logged, ADMIN, where)["nodes"]
    assert json.loads(entry["after"]) == {
        "name": "new",
        "secretDigest": "(hidden)",
        "billTo": {"password": "(hidden)"},
    }


def test_the_newest_entry_comes_first_and_pages_join_without_gap(logged: Database) -> None:
    client, writer = GraphClient(logged, ADMIN), Writer(logged, ADMIN)
    for number in range(4):
        stamp = client.data(f'{{ adAccount(id: "{ACCOUNT}") {{ timeStamp }} }}')["adAccount"]["timeStamp"]
        given = {"accountId": str(ACCOUNT), "timeStamp": stamp, "name": f"Name {number}", "reason": str(number)}
        writer.done("updateAdAccount", given)
    query = 'query ($after: String) { adAccount(id: "20") { auditLog(first: 2, after: $after) {'
    query += " pageInfo { hasNextPage endCursor } totalCount nodes { reason } } } }"
    reasons: list[str] = []
    after = None
    while True:
        log = client.data(query, {"after": after})["adAccount"]["auditLog"]
        reasons += [entry["reason"] for entry in log["nodes"]]
        assert log["totalCount"] == 5
        after = log["pageInfo"]["endCursor"]
        if not log["pageInfo"]["hasNextPage"]:
            break
    assert reasons == ["3", "2", "1", "0", "Because"]


def test_a_deleted_accounts_log_can_still_be_read(logged: Database) -> None:
    client = GraphClient(logged, ADMIN)
    stamp = client.data(f'{{ adAccount(id: "{ACCOUNT}") {{ timeStamp }} }}')["adAccount"]["timeStamp"]
    Writer(logged, ADMIN).done("deleteAdAccount", {"accountId": str(ACCOUNT), "timeStamp": stamp})
    newest = log_of(logged, ADMIN, AD)["nodes"][0]
    assert (newest["operation"], json.loads(newest["after"])) == ("deleteAdAccount", {"status": "INACTIVE"})
