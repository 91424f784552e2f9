"""The outbox: every mail leaves once, whatever fails in between, and none before its write is committed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

import pytest

from resolvers.mail import LEASE_MS, LONGEST_WAIT_MS, Mail, MailFailed, MailRefused, send_due_mail, wait_after
from storage import outbox as outbox_storage
from storage.database import Database
from storage.outbox import NewMail, claim_mail, drop_mail_of_invitation, write_mail
from storage.records.ids import Instant, InvitationId
from tests.storage.test_waiting import plan

NOW_MS = 1_700_000_000_000
EXPIRES_MS = NOW_MS + 30 * 86_400_000


class Memory:
    """A sender that keeps what it is given, and fails as often as it is told to."""

    public_url = "https://graph.example"

    def __init__(self, *failures: BaseException) -> None:
        self.sent: list[Mail] = []
        self._failures: Iterator[BaseException] = iter(failures)

    def send(self, mail: Mail) -> None:
        failure = next(self._failures, None)
        if failure is not None:
            raise failure
        self.sent.append(mail)


def post(database: Database, recipient: str = "kim@user.example", **changed: object) -> None:
    data = {
        "firstName": "Kim",
        "lastName": "Larsen",
        "role": "CAMPAIGN_MANAGER",
        "managerAccount": "Adventure\r\nWorks",
        "customerId": 111,
        "lcid": "EnglishUS",
        "expiresAt": EXPIRES_MS,
        "secret": "adi_secret",
        **changed,
    }
    with database.write() as transaction:
        write_mail(transaction, [NewMail("USER_INVITATION", recipient, json.dumps(data), EXPIRES_MS)], NOW_MS)


def outbox(database: Database) -> list[tuple[str, bool, str | None]]:
    """Status, whether it still carries its data, and the last error of each mail."""
    with database.read() as transaction:
        rows = transaction.execute("SELECT status, data, last_error FROM outbox_message ORDER BY id").fetchall()
    return [(status, data is not None, error) for status, data, error in rows]


def test_a_mail_says_who_is_invited_to_what_and_carries_the_secret(database: Database) -> None:
    post(database)
    sender = Memory()
    assert send_due_mail(database, NOW_MS, sender) == 1
    [mail] = sender.sent
    assert mail.recipient == "kim@user.example"
    assert mail.subject == "Invitation to Adventure Works"
    for said in (
        "Hello Kim Larsen",
        "111",
        "Campaign Manager",
        'secret: "adi_secret"',
        "https://graph.example/graphql",
    ):
        assert said in mail.text


def test_what_was_sent_is_not_sent_again_and_its_secret_is_forgotten(database: Database) -> None:
    post(database)
    sender = Memory()
    send_due_mail(database, NOW_MS, sender)
    assert send_due_mail(database, NOW_MS + 365 * 86_400_000, sender) == 0
    assert len(sender.sent) == 1
    assert outbox(database) == [("SENT", False, None)]


def test_what_fails_is_tried_again_later_under_the_same_key(database: Database) -> None:
    post(database)
    sender = Memory(MailFailed("no connection"), MailFailed("no connection"))
    assert send_due_mail(database, NOW_MS, sender) == 0
    assert outbox(database) == [("WAITING", True, "no connection")]
    assert send_due_mail(database, NOW_MS + wait_after(1) - 1, sender) == 0
    assert send_due_mail(database, NOW_MS + wait_after(1), sender) == 0
    assert send_due_mail(database, NOW_MS + wait_after(1) + wait_after(2), sender) == 1
    assert len(sender.sent) == 1


def test_waits_grow_and_end_at_six_hours() -> None:
    waits = [wait_after(attempt) for attempt in range(1, 100)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_MS


def test_what_is_refused_for_good_is_kept_with_its_reason_and_not_tried_again(database: Database) -> None:
    post(database, "gone@user.example")
    post(database)
    sender = Memory(MailRefused("no such mailbox"))
    assert send_due_mail(database, NOW_MS, sender) == 1
    assert outbox(database) == [("REFUSED", False, "no such mailbox"), ("SENT", False, None)]


def test_a_worker_that_dies_gives_its_mail_back(database: Database) -> None:
    post(database)
    sender = Memory(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        send_due_mail(database, NOW_MS, sender)
    assert send_due_mail(database, NOW_MS + LEASE_MS - 1, sender) == 0
    assert send_due_mail(database, NOW_MS + LEASE_MS, sender) == 1


def test_a_mail_that_has_become_pointless_is_dropped(database: Database) -> None:
    post(database)
    assert send_due_mail(database, EXPIRES_MS, Memory()) == 0
    assert outbox(database) == [("DROPPED", False, None)]


def test_a_write_that_is_rolled_back_sends_nothing(database: Database) -> None:
    with suppress(ZeroDivisionError), database.write() as transaction:
        write_mail(transaction, [NewMail("USER_INVITATION", "a@b.example", "{}", EXPIRES_MS)], NOW_MS)
        raise ZeroDivisionError
    assert outbox(database) == []


def test_dropping_the_mail_of_one_invitation_leaves_others(database: Database) -> None:
    post(database)
    with database.write() as transaction:
        drop_mail_of_invitation(transaction, InvitationId(1), NOW_MS)
    assert outbox(database) == [("WAITING", True, None)]


def test_two_workers_never_claim_the_same_mail(database: Database) -> None:
    for number in range(20):
        post(database, f"p{number}@user.example")
    senders = [Memory(), Memory()]
    ready = threading.Barrier(2)

    def work(sender: Memory) -> None:
        ready.wait()
        send_due_mail(database, NOW_MS, sender)

    threads = [threading.Thread(target=work, args=(sender,)) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = [mail.key for sender in senders for mail in sender.sent]
    assert len(keys) == 20
    assert len(set(keys)) == 20


def test_a_claimed_mail_is_nobody_elses(database: Database) -> None:
    post(database)
    with database.write() as transaction:
        assert claim_mail(transaction, Instant(NOW_MS), LEASE_MS) is not None
    with database.write() as transaction:
        assert claim_mail(transaction, Instant(NOW_MS + LEASE_MS - 1), LEASE_MS) is None


def test_the_worker_looks_only_through_mail_that_waits(database: Database) -> None:
    assert "outbox_message_waiting" in plan(database, cast(Any, outbox_storage._NEXT))
