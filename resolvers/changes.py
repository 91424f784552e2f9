"""The committed revisions the viewer may see, one after the other: what a subscription goes through.

A revision is seen when it wrote about a node the viewer may see now, and only those nodes are told; one that wrote
about nothing he may see is passed over without a word. Where a subscription stands is a value (`Tail`), so a step
that fails is taken again: nothing is skipped, nothing is told twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from resolvers.audit import have_entries, may_read_log
from resolvers.errors import Code, Refusal
from resolvers.nodes import Wanted, visible_nodes
from resolvers.paging import decode_cursor, encode_cursor, fingerprint
from resolvers.session import Session
from storage.audit import AuditRow
from storage.reads.changes import read_entries_of, read_touched
from storage.records.ids import RevisionId

MOST_EVENTS = 1_000
"""How many events `first` may ask for; who wants more asks without it."""
WINDOW = 200
"""How many audit entries are judged at a time: their nodes are loaded together, at most a dozen statements a kind."""
_SCOPE = fingerprint("changes")


class ChangedNode(NamedTuple):
    """A node a revision wrote about, as it is now. `node` is its row, or the Refusal met on the way to it."""

    node: Any
    entries: tuple[AuditRow, ...] | None
    """What was done to it; None when the viewer may not read its audit log."""


class Change(NamedTuple):
    """One revision as far as the viewer may see it. `entry` is any of its audit entries: they agree on who and when."""

    revision: RevisionId
    entry: AuditRow
    changed: tuple[ChangedNode, ...]

    @property
    def cursor(self) -> str:
        """Where a later subscription goes on."""
        return cursor_of(self.revision)

    @property
    def operation(self) -> str | None:
        """What was done; None unless the viewer may read the audit log of something it was done to."""
        return self.entry.operation if any(one.entries is not None for one in self.changed) else None


@dataclass(frozen=True, slots=True)
class Tail:
    """How far a subscription has come.

    `position`: every revision up to it is told or passed over. `found`: revisions after it that are likely to be
    seen, in order. `reached`: up to where has been looked. `left`: how many events are still wanted; None for all.
    """

    position: RevisionId
    found: tuple[RevisionId, ...] = ()
    reached: RevisionId | None = None
    left: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether as many events were told as were asked for."""
        return self.left == 0


def cursor_of(revision: RevisionId) -> str:
    """The cursor of a revision: what comes after it is what its reader has not seen."""
    return encode_cursor(_SCOPE, (revision,))


def begin_changes(session: Session, after: str | None, first: int | None) -> Tail:
    """Where a subscription begins: after a cursor, or now.

    Raises: Refusal UNAUTHENTICATED, INVALID_CURSOR, INVALID_PAGE_SIZE.
    """
    _ = session.viewer  # raises without one
    if first is not None and not 1 <= first <= MOST_EVENTS:
        message = f"`first` must be between 1 and {MOST_EVENTS}, not {first}. Leave it out to be told without end."
        raise Refusal(Code.INVALID_PAGE_SIZE, message)
    latest = session.revision
    position = latest
    if after is not None:
        position = RevisionId(decode_cursor(_SCOPE, after)[0])
        if position > latest:
            raise Refusal(
                Code.INVALID_CURSOR,
                "This cursor is of a revision that is not there: it comes from another database. Leave it out.",
            )
    return Tail(position, left=first)


def next_change(session: Session, tail: Tail) -> tuple[Tail, Change | None]:
    """The next revision the viewer may see in this snapshot, and where the subscription stands after it.

    None when there is none among those looked at; ask again once a revision after `position` is there.
    Cost: a fixed number of SELECTs. Raises: StorageError; then the same step may be taken again.
    """
    if not tail.found:
        tail = _look_on(session, tail)
    if not tail.found:
        return tail, None
    revision, *later = tail.found
    change = _change(session, revision)
    position = revision if later or tail.reached is None else tail.reached
    left = tail.left if change is None or tail.left is None else tail.left - 1
    return replace(tail, position=position, found=tuple(later), left=left), change


def _look_on(session: Session, tail: Tail) -> Tail:
    """Judge the next revisions, some hundred entries of them at once."""
    rows = read_touched(session.transaction, tail.position, WINDOW)
    reached = session.revision
    touched: dict[RevisionId, list[Wanted]] = {}
    for row in rows:
        touched.setdefault(row.revision, []).append((row.entity_kind, row.entity_id))
    if len(rows) == WINDOW:
        # The last revision may have been cut: it is looked at next time, or whole when it is alone.
        last = rows[-1].revision
        if len(touched) == 1:
            return Tail(tail.position, (last,), last, tail.left)
        del touched[last]
        reached = max(touched)
    seen = visible_nodes(session, [one for wanted in touched.values() for one in wanted])
    found = tuple(revision for revision, wanted in touched.items() if any(one in seen for one in wanted))
    return Tail(tail.position if found else reached, found, reached, tail.left)


def _change(session: Session, revision: RevisionId) -> Change | None:
    entries = read_entries_of(session.transaction, revision)
    by_node: dict[Wanted, list[AuditRow]] = {}
    for entry in entries:
        by_node.setdefault((entry.entity_kind, entry.entity_id), []).append(entry)
    seen = visible_nodes(session, by_node)
    if not seen:
        return None
    have_entries(session, entries)
    changed = tuple(
        ChangedNode(seen[node], tuple(done) if may_read_log(session, seen[node]) else None)
        for node, done in by_node.items()
        if node in seen
    )
    return Change(revision, entries[0], changed)
