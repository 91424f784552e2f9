"""A story: what happened when, collected in any order and written in the order of time, a revision each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

import orjson

from storage.audit import AuditNote, write_audit_entries
from storage.billing import write_payment_instruments
from storage.database import Transaction
from storage.entries import (
    AdAccountEntry,
    AddressEntry,
    AggregationEntry,
    AssignmentEntry,
    ClientLinkEntry,
    ContactInfoEntry,
    LoginEntry,
    ManagerAccountEntry,
    PaymentInstrumentEntry,
    TaxCertificateEntry,
    TaxInformationEntry,
    UserEntry,
    UserInvitationEntry,
)
from storage.records.ids import ClientLinkId, LoginId, UserId
from storage.records.values import ClientLinkStatus
from storage.writes import (
    Stamp,
    begin_revision,
    write_ad_accounts,
    write_addresses,
    write_aggregations,
    write_assignments,
    write_client_link_status,
    write_client_links,
    write_contact_infos,
    write_logins,
    write_manager_accounts,
    write_tax_certificates,
    write_tax_information,
    write_user_invitations,
    write_users,
)

EPOCH_MS = 1_704_099_600_000
"""2024-01-01T09:00Z: day 0 of the demo."""
MINUTE_MS = 60_000
DAY_MS = 86_400_000

Change = Callable[[Transaction, Stamp], None]

_WRITERS: tuple[tuple[type[Any], Callable[[Transaction, Stamp, Any], None]], ...] = (
    (AddressEntry, write_addresses),
    (ManagerAccountEntry, write_manager_accounts),
    (PaymentInstrumentEntry, lambda transaction, _, entries: write_payment_instruments(transaction, entries)),
    (LoginEntry, write_logins),
    (ContactInfoEntry, write_contact_infos),
    (UserEntry, write_users),
    (AdAccountEntry, write_ad_accounts),
    (TaxInformationEntry, lambda transaction, _, entries: write_tax_information(transaction, entries)),
    (TaxCertificateEntry, lambda transaction, _, entries: write_tax_certificates(transaction, entries)),
    (AssignmentEntry, write_assignments),
    (ClientLinkEntry, write_client_links),
    (AggregationEntry, write_aggregations),
    (UserInvitationEntry, write_user_invitations),
)
"""What writes each kind of entry, parents before children."""


class _When(NamedTuple):
    at_ms: int
    operation: str
    actor: int
    """The acting user; 0 for the service itself."""


@dataclass
class _Chapter:
    entries: dict[type[Any], list[Any]] = field(default_factory=lambda: defaultdict(list))
    links: dict[ClientLinkStatus, list[ClientLinkId]] = field(default_factory=lambda: defaultdict(list))
    changes: list[Change] = field(default_factory=list)


class Story:
    """Entries and changes by the moment they happened. What shares moment, operation and actor is one revision."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self._chapters: dict[_When, _Chapter] = defaultdict(_Chapter)
        self._numbers: dict[str, count[int]] = {}

    @staticmethod
    def at_day(day: float) -> int:
        """The moment so many days after the epoch, in milliseconds."""
        return EPOCH_MS + int(day * DAY_MS)

    def days_ago(self, days: float) -> int:
        """The moment so many days before the story is loaded, in milliseconds."""
        return self.now_ms - int(days * DAY_MS)

    @property
    def beginning(self) -> tuple[int, str]:
        """Moment and operation of the first revision, the same for every `now_ms`."""
        first = self._in_order()[0][0]
        return first.at_ms, first.operation

    def next_id(self, kind: str, first: int) -> int:
        """A fresh id; those of one kind follow each other from `first`."""
        return next(self._numbers.setdefault(kind, count(first)))

    def tell(self, at_ms: int, operation: str, entries: Iterable[Any], actor: UserId | None = None) -> None:
        """Entries of any kinds that came to be at that moment."""
        chapter = self._chapters[_When(at_ms, operation, actor or 0)]
        for entry in entries:
            chapter.entries[type(entry)].append(entry)

    def tell_link_status(
        self, at_ms: int, operation: str, link: ClientLinkId, status: ClientLinkStatus, actor: UserId | None = None
    ) -> None:
        """A link that reached a status at that moment."""
        self._chapters[_When(at_ms, operation, actor or 0)].links[status].append(link)

    def tell_change(self, at_ms: int, operation: str, change: Change, actor: UserId | None = None) -> None:
        """Anything else that happened at that moment."""
        self._chapters[_When(at_ms, operation, actor or 0)].changes.append(change)

    def write(self, transaction: Transaction) -> None:
        """Write it all, in the order of time; at one moment in the order it was told."""
        notes, logins = self._audit(), self._logins()
        for when, chapter in self._in_order():
            actor = UserId(when.actor) if when.actor else None
            stamp = begin_revision(transaction, operation=when.operation, at_ms=when.at_ms, actor_user_id=actor)
            for kind, write in _WRITERS:
                if chapter.entries[kind]:
                    write(transaction, stamp, chapter.entries[kind])
            for status, links in chapter.links.items():
                write_client_link_status(transaction, stamp, links, status)
            for change in chapter.changes:
                change(transaction, stamp)
            write_audit_entries(transaction, stamp, when.operation, logins.get(actor), notes[when], None)

    def _audit(self) -> dict[_When, list[AuditNote]]:
        """What the audit log has of the lives of links, as it would have been written when they were led."""
        told: dict[_When, list[AuditNote]] = defaultdict(list)
        statuses: dict[ClientLinkId, ClientLinkStatus] = {}
        for when, chapter in self._in_order():
            for entry in chapter.entries[ClientLinkEntry]:
                statuses[entry.id] = entry.status
                told[when].append(AuditNote("ClientLink", entry.id, None, _json(entry._asdict())))
            for status, links in chapter.links.items():
                for link in links:
                    before = _json({"status": statuses[link]})
                    told[when].append(AuditNote("ClientLink", link, before, _json({"status": status})))
                    statuses[link] = status
        return told

    def _logins(self) -> dict[UserId | None, LoginId]:
        """Whose login each user of the story is part of."""
        return {entry.id: entry.login_id for chapter in self._chapters.values() for entry in chapter.entries[UserEntry]}

    def _in_order(self) -> list[tuple[_When, _Chapter]]:
        return sorted(self._chapters.items(), key=lambda item: item[0].at_ms)


def _json(values: dict[str, Any]) -> str:
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()
