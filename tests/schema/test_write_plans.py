"""On SQLite with statistics, no statement of any mutation, and none of the worker, scans a big table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from resolvers.session import Limits, Viewer
from resolvers.worker import Step, Work, work_off
from resolvers.writing import WriteSession
from storage.database import Database, Transaction
from storage.entries import LoginEntry
from storage.generator import EPOCH_MS, TREE_ROOTS, TREE_USER_NAME, Generated, Size, load_generated
from storage.models import TABLES
from storage.outbox import claim_mail
from storage.records.ids import Instant, LoginId
from storage.records.values import TokenScope
from storage.writes import begin_revision, write_logins
from tests.databases import SqliteDatabases, migrated
from tests.oracle import World
from tests.schema.client import GRAPH, GraphClient
from tests.schema.statements_run import Watched
from tests.schema.write_client import ENGINE, Writer

NOW_MS = EPOCH_MS + 400 * 86_400_000
SCAN = re.compile(r"SCAN (\w+)")
SMALL = frozenset({"aggregation"})
"""Has a row for each customer an aggregator signed up; those at either end of some are found by reading it."""
NAMED = re.compile(r'"(\w+)"(?: AS "(\w+)")?')


def scans(connection: Any, seen: dict[str, Any], tables: frozenset[str]) -> dict[str, list[str]]:
    """Statements that read a whole stored table, whatever they do with it; a list bound to one is none."""
    found: dict[str, list[str]] = {}
    for sql, values in seen.items():
        # The plan of an INSERT of values has steps only for deferred foreign keys that are broken, and none is.
        if not sql.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            continue
        aliases = {alias or table for table, alias in NAMED.findall(sql) if table in tables} | tables
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()]
        bad = [step for step in plan if (hit := SCAN.match(step)) and hit[1] in aliases]
        if bad or any("AUTOMATIC" in step for step in plan):
            found[sql] = bad or plan
    return found


@dataclass
class Filled:
    """Generated data, and what writes to it ran."""

    database: Database
    has: Generated
    tables: frozenset[str]
    there: dict[str, str]

    def watch(self, work: Callable[[Transaction], None]) -> dict[str, list[str]]:
        """What the work runs badly; nothing of it is kept."""
        found: dict[str, list[str]] = {}
        with suppress(_Enough), self.database.write() as transaction:
            watched = Watched(transaction)
            work(transaction)
            assert any(sql.startswith(("INSERT", "UPDATE")) for sql in watched.seen)
            found.update(scans(watched._connection, watched.seen, self.tables))
            raise _Enough
        return found

    def ask(self, document: str, variables: dict[str, Any], login: LoginId | None) -> dict[str, list[str]]:
        """What a mutation that succeeds runs badly, its payload included."""

        def write(transaction: Transaction) -> None:
            @contextmanager
            def begin() -> Iterator[WriteSession]:
                viewer = Viewer(
                    login or self.has.tree_login_id,
                    "someone@user.example",
                    scopes=frozenset(TokenScope),
                    is_system_administrator=True,
                )
                yield WriteSession(transaction, viewer, Instant(NOW_MS), Limits())

            response = ENGINE.execute(document, variables, None, None, begin_write=begin)
            assert "errors" not in response, response
            [payload] = response["data"].values()
            assert payload["userErrors"] == [], payload
            assert all(one["userErrors"] == [] for one in payload.get("results", ())), payload

        return self.watch(write)


class _Enough(Exception):
    """Takes back what was written."""


GUEST = LoginId(3_000_001)
"""A login without users, before it accepts an invitation."""
ROOT, OTHER = str(TREE_ROOTS[1_000]), str(TREE_ROOTS[10])
ACCOUNT, CLIENT, INVITED = "9000011", "9000012", "guest@invited.example"
ADDRESS = {
    "businessName": "Birch Works",
    "line1": "1 Example Street",
    "city": "Redmond",
    "stateOrProvince": "WA",
    "postalCode": "98052",
    "countryCode": "US",
}
ADDED = {"type": "ACCOUNT_LINK", "managingCustomerId": OTHER, "isBillToClient": True}
STAMP = "query ($id: ID!) { user(id: $id) { timeStamp } }"
PERSON = {"customerId": ROOT, "email": INVITED, "firstName": "Gale", "lastName": "Marsh", "role": "STANDARD"}


def standing(database: Database, has: Generated) -> dict[str, str]:
    """What mutations need to act on, written by mutations: ids, and the secret of the mail."""
    tree, guest = (Writer(database, int(login), NOW_MS) for login in (has.tree_login_id, GUEST))
    with database.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=NOW_MS)
        write_logins(tx, stamp, [LoginEntry(GUEST, INVITED)])
    tree.done("sendUserInvitation", PERSON)
    user = guest.done("acceptUserInvitation", {"secret": secret_in(database)}, "user { userId }")["user"]["userId"]
    waiting = tree.done("sendUserInvitation", PERSON | {"role": "VIEWER"}, "invitation { invitationId }")
    link = tree.done(
        "addClientLinks", {"links": [ADDED | {"clientEntityId": CLIENT}]}, "results { link { linkId timeStamp } }"
    )
    [sent] = link["results"]
    with database.read() as tx:
        [[active]] = tx.execute(
            f"SELECT min(id) FROM client_link WHERE managing_id = {ROOT} AND type = 'CUSTOMER_LINK'"
        ).fetchall()
        [[elsewhere]] = tx.execute(
            "SELECT min(l.user_name) FROM login l JOIN app_user u ON u.login_id = l.id WHERE u.manager_account_id"
            f" NOT IN (SELECT manager_account_id FROM app_user WHERE login_id = {has.tree_login_id})"
        ).fetchall()
    reader = GraphClient(database, int(has.tree_login_id), world=World())
    stamped = reader.data(STAMP, {"id": user})["user"]["timeStamp"]
    return {
        "user": user,
        "user stamp": stamped,
        "invitation": waiting["invitation"]["invitationId"],
        "secret": secret_in(database),
        "sent": sent["link"]["linkId"],
        "sent stamp": sent["link"]["timeStamp"],
        "active": str(active),
        "elsewhere": elsewhere,
    }


def secret_in(database: Database) -> str:
    """The secret of the invitation whose mail waits last."""
    with database.read() as tx:
        [[data]] = tx.execute("SELECT data FROM outbox_message ORDER BY id DESC LIMIT 1").fetchall()
    return str(json.loads(data)["secret"])


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    database = Database.open(migrated(SqliteDatabases(tmp_path_factory.mktemp("plans"))))
    has = load_generated(database, Size().scaled(0.03))
    there = standing(database, has)
    yield Filled(database, has, frozenset(table._meta.table_name for table in TABLES) - SMALL, there)
    database.close()


Given = Callable[[dict[str, str]], dict[str, Any]]
WRITES: dict[str, tuple[str, Given]] = {
    "add links": ("addClientLinks", lambda _: {"links": [ADDED | {"clientEntityId": ACCOUNT}]}),
    "accept": (
        "updateClientLinks",
        lambda has: {"links": [{"linkId": has["sent"], "timeStamp": has["sent stamp"], "action": "ACCEPT"}]},
    ),
    "unlink": (
        "updateClientLinks",
        lambda has: {"links": [{"linkId": has["active"], "timeStamp": "1", "action": "REQUEST_UNLINK"}]},
    ),
    "invite": ("sendUserInvitation", lambda _: PERSON),
    "invite again": ("resendUserInvitation", lambda has: {"invitationId": has["invitation"]}),
    "withdraw": ("cancelUserInvitation", lambda has: {"invitationId": has["invitation"]}),
    "join": ("acceptUserInvitation", lambda has: {"secret": has["secret"]}),
    "user": (
        "updateUser",
        lambda has: {"userId": has["user"], "timeStamp": has["user stamp"], "jobTitle": "Planner"},
    ),
    "roles": (
        "updateUserRoles",
        lambda has: {"customerId": ROOT, "userId": has["user"], "newRole": "VIEWER", "deleteRole": "STANDARD"},
    ),
    "leave": ("deleteUser", lambda has: {"userId": has["user"], "timeStamp": has["user stamp"]}),
    "add account": (
        "addAdAccount",
        lambda _: {"parentCustomerId": ROOT, "name": "New one", "currencyCode": "USD", "businessAddress": ADDRESS},
    ),
    "consolidate": (
        "consolidateLogins",
        lambda has: {"primaryLogin": TREE_USER_NAME, "mergedLogins": [has["elsewhere"]]},
    ),
    "provision": (
        "provisionAggregator",
        lambda _: {
            "customer": {"name": "New", "industry": "RETAIL", "marketCountry": "US", "marketLanguage": "ENGLISH"},
            "loginName": INVITED,
            "user": {"firstName": "Gale", "lastName": "Marsh", "email": INVITED},
        },
    ),
    "account": ("updateAdAccount", lambda _: {"accountId": ACCOUNT, "timeStamp": "1", "name": "Another name"}),
    "delete account": ("deleteAdAccount", lambda _: {"accountId": ACCOUNT, "timeStamp": "1"}),
    "manager account": (
        "updateManagerAccount",
        lambda _: {"customerId": ROOT, "timeStamp": "1", "name": "Another name", "industry": "RETAIL"},
    ),
}


def document_of(mutation: str) -> str:
    """The mutation with its refusals, and what is told of each item."""
    items = "results { userErrors { message } link { status } }" if mutation.endswith("ClientLinks") else ""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    return (
        f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ revision userErrors {{ message field }}"
        f" effects {{ totalCount }} {items} }} }}"
    )


def test_a_scan_would_be_found(filled: Filled) -> None:
    def scanning(transaction: Transaction) -> None:
        transaction.execute('UPDATE "client_link" SET "note" = \'x\' WHERE "name" = \'y\'')

    [steps] = filled.watch(scanning).values()
    assert steps == ["SCAN client_link"]


@pytest.mark.parametrize("name", WRITES)
def test_no_statement_of_a_mutation_scans_a_table(filled: Filled, name: str) -> None:
    mutation, given = WRITES[name]
    asked = given(filled.there) | {"requestId": "once", "reason": "Measured."}
    assert filled.ask(document_of(mutation), {"input": asked}, GUEST if name == "join" else None) == {}


def test_every_mutation_is_watched() -> None:
    mutation = GRAPH.mutation_type
    assert mutation is not None
    # The one is refused always; the other has conditions the generated trees do not meet, and its own rows are
    # read and written by the functions the others use.
    assert set(mutation.fields) - {one for one, _ in WRITES.values()} == {"deleteManagerAccount", "moveClientLink"}


def test_no_statement_of_the_worker_scans_a_table(filled: Filled) -> None:
    def lead_on(transaction: Transaction) -> None:
        class Same:
            """A database whose transactions are all the one that is watched."""

            @contextmanager
            def write(self) -> Iterator[Transaction]:
                yield transaction

            read = write

        later = Instant(NOW_MS + 31 * 86_400_000)
        done = list(work_off(Work(Same()), later))  # type: ignore[arg-type]
        assert {one.operation for one in done if isinstance(one, Step)} == {"expireClientLink", "expireUserInvitation"}
        assert all(isinstance(one, Step) for one in done), done
        assert claim_mail(transaction, Instant(NOW_MS), 1_000) is not None

    assert filled.watch(lead_on) == {}
