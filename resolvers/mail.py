"""Sends the mail that waits in the outbox.

A mail is claimed in a transaction of its own, sent, and marked in another. Two workers never hold one mail at
the same time, and one that fails or dies leaves it due again, so none is lost. The one gap is a death between
the mail server's yes and the mark: the mail is then sent once more, under the same Message-ID, by which
mail programs and the folder know it. Losing a mail was judged worse than that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import orjson

from resolvers.mail_texts import MailKind, text_of
from storage.database import Database
from storage.outbox import WaitingMail, claim_mail, put_off_mail, settle_mail
from storage.records.ids import Instant
from storage.records.values import MailStatus

LEASE_MS = 5 * 60_000
"""How long a worker may take to send one mail; longer than every sender waits."""
FIRST_WAIT_MS = 60_000
LONGEST_WAIT_MS = 6 * 3_600_000
LONGEST_ERROR = 500


class Mail(NamedTuple):
    """A mail as it is sent. `key` is the same for every try of the same mail."""

    key: str
    recipient: str
    subject: str
    text: str
    written_at_ms: int


class MailFailed(Exception):
    """The mail could not be sent now; it is tried again."""


class MailRefused(Exception):
    """The mail server will never take this mail; it is not tried again."""


class Sender(Protocol):
    """Where mail goes."""

    @property
    def public_url(self) -> str:
        """The address of this service as a mail names it."""

    def send(self, mail: Mail) -> None:
        """Send a mail; twice the same key is one mail, as far as the way allows. Raises: MailFailed, MailRefused."""


def send_due_mail(database: Database, now_ms: int, sender: Sender, stops: Callable[[], bool] = lambda: False) -> int:
    """Send every mail that is due, and return how many were sent; those that failed are put off.

    Raises: StorageError. What was claimed by then is due again when its lease is over.
    """
    sent = 0
    while not stops():
        with database.write() as transaction:
            waiting = claim_mail(transaction, Instant(now_ms), LEASE_MS)
        if waiting is None:
            return sent
        sent += _send(database, now_ms, sender, waiting)
    return sent


def _send(database: Database, now_ms: int, sender: Sender, waiting: WaitingMail) -> bool:
    try:
        sender.send(written(waiting, sender.public_url))
    except MailFailed as failure:
        with database.write() as transaction:
            put_off_mail(transaction, waiting, now_ms + wait_after(waiting.attempts), str(failure)[:LONGEST_ERROR])
        return False
    except MailRefused as refusal:
        with database.write() as transaction:
            settle_mail(transaction, waiting, MailStatus.REFUSED, now_ms, str(refusal)[:LONGEST_ERROR])
        return False
    with database.write() as transaction:
        settle_mail(transaction, waiting, MailStatus.SENT, now_ms)
    return True


def wait_after(attempts: int) -> int:
    """How long to wait after so many tries: a minute, then twice as long each time, six hours at most.

    >>> wait_after(1), wait_after(3), wait_after(1000)
    (60000, 240000, 21600000)
    """
    return min(FIRST_WAIT_MS << min(attempts - 1, 20), LONGEST_WAIT_MS)


def written(waiting: WaitingMail, public_url: str) -> Mail:
    """The mail as people read it."""
    subject, text = text_of(MailKind(waiting.kind), orjson.loads(waiting.data), public_url)
    return Mail(waiting.message_key, waiting.recipient, subject, text, waiting.created_at_ms)
