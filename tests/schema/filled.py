"""Generated data with everything mutations and the worker act on, and a watch over the SQL that is run on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from resolvers.session import Limits, Viewer
from resolvers.worker import Trouble, Work, work_off
from resolvers.writing import WriteSession
from storage.audit import AuditNote, FirstResult, write_audit_entries, write_first_result
from storage.database import Database, Transaction
from storage.entries import (
    AddressEntry,
    AggregationEntry,
    AssignmentEntry,
    ContactInfoEntry,
    LoginEntry,
    UserInvitationEntry,
)
from storage.generator import EPOCH_MS, TREE_ROOTS, Generated, Size, load_generated
from storage.models import TABLES
from storage.outbox import NewMail, write_mail
from storage.records.facts import OnlyLinkedEntities
from storage.records.ids import AggregationId, AssignmentId, Instant, InvitationId, LoginId, ManagerAccountId, UserId
from storage.records.values import InvitationStatus, Role, TokenScope
from storage.tokens import NewToken, issue_token
from storage.writes import (
    Stamp,
    begin_revision,
    continue_ids_after_given_ones,
    write_addresses,
    write_aggregations,
    write_assignments,
    write_contact_infos,
    write_logins,
    write_user_invitations,
)
from tests.oracle import World
from tests.schema.client import GraphClient
from tests.schema.statements_run import Watched
from tests.schema.write_client import ENGINE, Writer

DAY_MS = 86_400_000
NOW_MS = EPOCH_MS + 400 * DAY_MS
TABLE_NAMES = frozenset(table._meta.table_name for table in TABLES)
GUEST = LoginId(3_000_001)
"""A login without users, before it accepts an invitation."""
ROOT, OTHER = str(TREE_ROOTS[1_000]), str(TREE_ROOTS[10])
ACCOUNT, CLIENT, MANAGED, INVITED = "9000011", "9000012", "9000013", "guest@invited.example"
"""Ad accounts of the tree: one nobody links to, one with a link that waits, one with an active link."""
LINK = {"type": "ACCOUNT_LINK", "managingCustomerId": OTHER, "isBillToClient": True}
PERSON = {"customerId": ROOT, "email": INVITED, "firstName": "Gale", "lastName": "Marsh", "role": "STANDARD"}
STAMP = "query ($id: ID!) { user(id: $id) { timeStamp } }"


class _Enough(Exception):
    """Takes back what was written."""


@dataclass
class Filled:
    """The data, and what is known of it by name."""

    database: Database
    has: Generated
    there: dict[str, str]

    def watch(
        self, work: Callable[[Transaction], None], first: Callable[[Transaction], None] | None = None
    ) -> dict[str, list[str]]:
        """What the work runs badly; nothing of it is kept. `first` is done before and not watched."""
        found: dict[str, list[str]] = {}
        with suppress(_Enough), self.database.write() as transaction:
            if first is not None:
                first(transaction)
            watched = Watched(transaction)
            work(transaction)
            assert watched.seen
            found.update(watched.whole_reads(TABLE_NAMES))
            raise _Enough
        return found

    def ask(
        self,
        document: str,
        variables: dict[str, Any],
        login: LoginId | None = None,
        *,
        judge: Callable[[dict[str, Any]], None],
    ) -> dict[str, list[str]]:
        """What a mutation runs badly, its payload included."""

        def write(transaction: Transaction) -> None:
            @contextmanager
            def begin() -> Iterator[WriteSession]:
                viewer = Viewer(
                    login or self.has.tree_login_id,
                    "someone@user.example",
                    scopes=frozenset(TokenScope),
                    is_system_administrator=True,
                    token_expires_at=Instant(NOW_MS + 1_000),
                )
                yield WriteSession(transaction, viewer, Instant(NOW_MS), Limits())

            judge(ENGINE.execute(document, variables, None, None, begin_write=begin))

        return self.watch(write)


def fill(database: Database) -> Filled:
    """Fill a database without rows."""
    has = load_generated(database, Size().scaled(0.03))
    with database.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=NOW_MS)
        write_logins(tx, stamp, [LoginEntry(GUEST, INVITED)])
        _many(tx, stamp)
        ids = list(has.manager_account_ids)
        pairs = zip(ids[:200], ids[-200:], strict=True)
        write_aggregations(
            tx,
            stamp,
            [
                AggregationEntry(AggregationId(nth), ManagerAccountId(one), ManagerAccountId(other))
                for nth, (one, other) in enumerate(pairs, 1)
            ],
        )
        scoped = [
            AssignmentEntry(
                AssignmentId(1_000_000 + nth),
                UserId(user),
                ManagerAccountId(user),
                Role.VIEWER,
                OnlyLinkedEntities(frozenset({ManagerAccountId(ids[-nth])})),
            )
            for nth, user in enumerate(ids[:-1], 1)
        ]
        write_assignments(tx, stamp, scoped)
    there = _standing(database, has)
    with database.write() as tx:
        tx.execute("ANALYZE")
    return Filled(database, has, there)


def _many(tx: Transaction, stamp: Stamp) -> None:
    """Rows of what generated data has none: a planner reads three rows rather than look one up."""
    numbers = range(1, 2_001)
    write_addresses(tx, stamp, [AddressEntry(nth) for nth in numbers])
    write_contact_infos(tx, stamp, [ContactInfoEntry(nth, address_id=nth) for nth in numbers])
    invitations = [
        UserInvitationEntry(
            id=InvitationId(nth),
            manager_account_id=ManagerAccountId(nth % 100 + 1),
            email=f"guest{nth}@invited.example",
            first_name="Guest",
            last_name="Of Honour",
            role=Role.VIEWER,
            secret_digest=nth.to_bytes(32),
            sent_at_ms=EPOCH_MS,
            expires_at_ms=EPOCH_MS + 30 * DAY_MS,
            status=InvitationStatus.EXPIRED,
        )
        for nth in numbers
    ]
    write_user_invitations(tx, stamp, invitations)
    mails = [
        NewMail("USER_INVITATION", "guest@invited.example", "{}", NOW_MS + 30 * DAY_MS, invitation=InvitationId(nth))
        for nth in numbers
    ]
    write_mail(tx, mails, EPOCH_MS)
    for nth in numbers:
        token = NewToken(LoginId(nth % 500 + 1), f"Token {nth}", frozenset({TokenScope.READ}), EPOCH_MS + nth)
        issue_token(tx, token, EPOCH_MS)
    tx.execute("UPDATE outbox_message SET status = 'SENT', data = NULL")
    note = [AuditNote("User", nth, None, "{}") for nth in numbers]
    write_audit_entries(tx, stamp, "test", None, note, None)
    for nth in numbers:
        write_first_result(tx, LoginId(1), str(nth), FirstResult("test", "", "{}", stamp.id))
    continue_ids_after_given_ones(tx)


def _standing(database: Database, has: Generated) -> dict[str, str]:
    """What mutations act on, written by mutations and the worker: ids, time stamps, and the secret of a mail."""
    tree, guest = (Writer(database, int(login), NOW_MS) for login in (has.tree_login_id, GUEST))
    tree.done("sendUserInvitation", PERSON)
    user = guest.done("acceptUserInvitation", {"secret": secret_in(database)}, "user { userId }")["user"]["userId"]
    waiting = tree.done("sendUserInvitation", PERSON | {"role": "VIEWER"}, "invitation { invitationId }")
    active = _sent(tree, MANAGED)
    accepted = {**active, "action": "ACCEPT"}
    assert not tree.done("updateClientLinks", {"links": [accepted]}, ITEM)["results"][0]["userErrors"]
    assert not [one for one in work_off(Work(database), Instant(NOW_MS)) if isinstance(one, Trouble)]
    sent = _sent(tree, CLIENT)
    reader = GraphClient(database, int(has.tree_login_id), world=World())
    with database.read() as tx:
        [[below]] = tx.execute(
            f"SELECT min(id) FROM client_link WHERE type = 'CUSTOMER_LINK' AND managing_id = {ROOT}"
        ).fetchall()
        [[elsewhere]] = tx.execute(
            "SELECT min(l.user_name) FROM login l JOIN app_user u ON u.login_id = l.id WHERE u.manager_account_id"
            f" NOT IN (SELECT manager_account_id FROM app_user WHERE login_id = {has.tree_login_id})"
        ).fetchall()
        [[stamp]] = tx.execute(f"SELECT time_stamp FROM client_link WHERE id = {active['linkId']}").fetchall()
        [[own]] = tx.execute(f"SELECT id FROM app_user WHERE manager_account_id = {ROOT} ORDER BY id").fetchall()[:1]
    with database.write() as tx:
        new = NewToken(has.tree_login_id, "test", frozenset({TokenScope.READ}), NOW_MS + 1_000)
        token = issue_token(tx, new, NOW_MS)
        issue_token(tx, new._replace(issued_by=token.id), NOW_MS)
    return {
        "elsewhere": elsewhere,
        "token": str(token.id),
        "user": user,
        "user stamp": reader.data(STAMP, {"id": user})["user"]["timeStamp"],
        "own user": str(own),
        "invitation": waiting["invitation"]["invitationId"],
        "secret": secret_in(database),
        "sent": sent["linkId"],
        "sent stamp": sent["timeStamp"],
        "active": active["linkId"],
        "active stamp": str(stamp),
        "below": str(below),
        "childless": str(has.manager_account_ids[-1]),
    }


ITEM = "results { link { linkId timeStamp } userErrors { message } }"


def _sent(writer: Writer, account: str) -> dict[str, str]:
    [result] = writer.done("addClientLinks", {"links": [LINK | {"clientEntityId": account}]}, ITEM)["results"]
    assert result["userErrors"] == []
    return dict(result["link"])


def secret_in(database: Database) -> str:
    """The secret of the invitation whose mail waits last."""
    with database.read() as tx:
        [[data]] = tx.execute(
            "SELECT data FROM outbox_message WHERE user_invitation_id IS NOT NULL ORDER BY id DESC LIMIT 1"
        ).fetchall()
    return str(json.loads(data)["secret"])
