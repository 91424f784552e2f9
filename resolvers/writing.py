"""How every write is done: one transaction, rights re-read inside it, history, audit entry and revision together.

A use case changes rows through a `WriteSession` and returns what it did as plain values. What is refused is a
value in the answer, and leaves nothing behind. With `dryRun` the same code runs and everything is rolled back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from resolvers.effects import Effects, EffectsOfDryRun, Region
from resolvers.errors import missing_scope
from resolvers.rules.access import permissions_on
from resolvers.rules.capabilities import BIT, RULE_ID, Capability
from resolvers.rules.login_fields import is_login_name
from resolvers.rules.paths import AnyTarget
from resolvers.rules.texts import LONGEST_NOTE
from resolvers.rules.write_codes import WRITE_CODES, WriteCode, rule_of
from resolvers.session import Limits, Newcomer, Session, Viewer
from resolvers.standing import require_standing
from storage.audit import AuditNote, FirstResult, read_first_result, write_audit_entries, write_first_result
from storage.database import Transaction
from storage.reads.logins import read_login
from storage.records.facts import AdAccountFact
from storage.records.ids import ClientLinkId, Instant, LoginId, RevisionId, UserId
from storage.records.values import AdAccountStatus, ClientLinkStatus, TokenScope
from storage.writes import Stamp, begin_revision, wait_for_turn

LONGEST_REQUEST_ID = 200
MOST_NAMED = 10
"""Ids a sentence names; a longer list is counted."""


class UserError(NamedTuple):
    """Why a write, or one item of it, was refused. `field` is the path of the input it is about."""

    code: WriteCode
    message: str
    number: int
    field: tuple[str, ...]
    rule: str | None


class Refused(Exception):
    """A write that is not carried out, with everything that speaks against it."""

    def __init__(self, *errors: UserError) -> None:
        super().__init__(errors)
        self.errors = errors


def user_error(code: WriteCode, message: str, field: tuple[str, ...], rule: str | None = None) -> UserError:
    """One reason against a write, with the number and the rule of its code; `rule` where the code leaves it open."""
    return UserError(code, message, WRITE_CODES[code].number, field, rule_of(code, rule))


def refused(code: WriteCode, message: str, *field: str, rule: str | None = None) -> Refused:
    """A refusal with one reason."""
    return Refused(user_error(code, message, field, rule))


class Outcome(NamedTuple):
    """What a write did: plain values for the payload, refusals, and the revision it made."""

    value: Mapping[str, Any]
    errors: tuple[UserError, ...]
    revision: RevisionId | None
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True)
class WriteOrder:
    """How a write is to be done: as what, under which request id, really or not, and why."""

    operation: str
    body: Any
    request_id: str | None = None
    dry_run: bool = False
    reason: str | None = None
    unstorable: tuple[tuple[str, ...], ...] = ()
    """The paths of texts in the input that no database could keep."""

    @property
    def digest(self) -> str:
        """A fingerprint of the body: the same request sent again has the same."""
        return hashlib.sha256(orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


class WriteSession(Session):
    """A session over a write transaction: what it changes, it records."""

    needs = TokenScope.WRITE

    def __init__(
        self,
        transaction: Transaction,
        viewer: Viewer | Newcomer | None,
        now: Instant,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(transaction, viewer, now, limits)
        self.rolls_back = False
        """Whether the transaction must be rolled back although nothing went wrong."""
        self.secret: str | None = None
        """A new secret, for this payload alone. It is no part of the outcome, which is kept for repeats."""
        self._operation = ""
        self._actor: UserId | None = None
        self._stamp: Stamp | None = None
        self._notes: list[AuditNote] = []
        self._effects: EffectsOfDryRun | None = None

    @property
    def stamp(self) -> Stamp:
        """The revision of this write; it begins with the first row that is written."""
        if self._stamp is None:
            self._stamp = begin_revision(
                self.transaction,
                operation=self._operation,
                at_ms=self.now,
                actor_login_id=self.signing_login,
                actor_user_id=self._signing_user(),
            )
        return self._stamp

    @property
    def signing_login(self) -> LoginId | None:
        """Whose write this is; None when the service does it by itself."""
        return self.viewer.login_id

    def _signing_user(self) -> UserId | None:
        return self._actor or self._first_user()

    def _first_user(self) -> UserId | None:
        users = self.viewer_users
        return min(users) if users else None

    def require(self, capability: Capability, target: AnyTarget, *field: str) -> None:
        """The viewer holds the capability on a target the excerpt knows, by the rules that answer reads.

        The user whose role gives it is who the write is signed with.
        Raises: Refused, alike for what is hidden and what does not exist.
        """
        permissions = permissions_on(self.reach, target)
        if permissions.allow(capability):
            self._actor = self._actor or self._deciding_user(capability, target)
            return
        if not permissions.allow(Capability.VIEW):
            raise not_there(*field)
        withheld = bool(permissions.withheld & BIT[capability])
        kind, number = ("ad account", target.id) if isinstance(target, AdAccountFact) else ("manager account", target)
        if withheld:
            raise _state_forbids(capability, target, *field)
        raise refused(
            WriteCode.FORBIDDEN,
            f"This needs {capability} on {kind} {number}, and your roles do not give it; `viewerCan` tells why and"
            " who could change it.",
            *field,
            rule=RULE_ID[capability],
        )

    def concern(self, region: Region) -> None:
        """Say where the write about to be done may change access: a dry run tells what it changes there.

        Call it when all checks have passed and nothing of this item has been written.
        """
        if self._effects is not None:
            self._effects.concern(region)

    def will_be(self, link: ClientLinkId, status: ClientLinkStatus) -> None:
        """Say where the service will lead a link in a region that was told: a dry run tells what that changes."""
        if self._effects is not None:
            self._effects.will_be(link, status)

    def effects_once_done(self) -> Effects | None:
        """Who will gain and lose access when the service has done its part; None when it was no dry run.

        Raises: Refusal TOO_MANY_EFFECTS, CHAIN_OVER_LIMIT.
        """
        return None if self._effects is None else self._effects.once_done(self.stamp)

    def effects(self) -> Effects | None:
        """Who gained and lost access by a dry run; None when it was none.

        Raises: Refusal TOO_MANY_EFFECTS, CHAIN_OVER_LIMIT.
        """
        return None if self._effects is None else self._effects.found()

    def act_as(self, user: UserId) -> None:
        """Sign the write with this user of the viewer's login, unless it is signed already."""
        self._actor = self._actor or user

    def _deciding_user(self, capability: Capability, target: AnyTarget) -> UserId | None:
        for user in sorted(self.viewer_users):
            if permissions_on(type(self.reach).of_users(self.reach.hierarchy, [user]), target).allow(capability):
                return user
        return None

    def note(self, kind: str, key: int, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        """What this write does to an entity: only the fields that differ are kept."""
        if before is not None and after is not None:
            changed = [name for name in after if before.get(name) != after[name]]
            before = {name: before.get(name) for name in changed}
            after = {name: after[name] for name in changed}
        self._notes.append(AuditNote(kind, key, _json(before), _json(after)))

    @property
    def newcomer(self) -> str | None:
        """The name an issuer gives to who asks, while no login here has it."""
        return self._viewer.user_name if isinstance(self._viewer, Newcomer) else None

    @property
    def _scopes(self) -> frozenset[TokenScope]:
        # Nobody at all is refused by another sentence.
        return frozenset(TokenScope) if self._viewer is None else self._viewer.scopes

    def admit(self, login: LoginId) -> None:
        """From here on the newcomer is the viewer, with a login of his own."""
        if self.newcomer is not None:
            self._viewer = Viewer(login, self.newcomer, scopes=self._scopes)
            self.forget()

    def carry_out(
        self,
        order: WriteOrder,
        use_case: Callable[[WriteSession], Mapping[str, Any]],
        *,
        admits_newcomers: bool = False,
    ) -> Outcome:
        """Do a write as ordered. `admits_newcomers`: the use case makes a login for somebody who has none.

        Raises: Refusal UNAUTHENTICATED, also when the login was merged a moment ago; FORBIDDEN when it may no longer
        ask as that user.
        """
        self._operation = order.operation
        if self.needs not in self._scopes:
            raise missing_scope(self.needs)
        if self.newcomer is None or not admits_newcomers:
            _ = self.viewer  # raises without one
        wait_for_turn(self.transaction)
        self._require_standing()
        self._effects = None
        paid = self.rows_paid
        try:
            _require_storable(order)
            known = None if order.request_id is None else self._known(order, order.request_id)
            if known is not None:
                return known
            if order.dry_run:
                # Also one that changed nothing: what its effects try out must not stay either.
                self.rolls_back = True
                self._effects = EffectsOfDryRun(self)
            value = use_case(self)
        except Refused as refusal:
            self.rolls_back = True
            self.forgive_what_is_not_told(refusal, paid)
            return Outcome({}, refusal.errors, None, order.dry_run)
        if self._stamp is None:
            return Outcome(value, (), None, order.dry_run)
        revision = self._record(self._stamp, order.reason)
        if order.dry_run:
            return Outcome(value, (), None, is_dry_run=True)
        if order.request_id is not None:
            text = orjson.dumps(value).decode()
            result = FirstResult(order.operation, self._digest(order), text, revision)
            write_first_result(self.transaction, self.viewer.login_id, order.request_id, result)
        return Outcome(value, (), revision)

    def forgive_what_is_not_told(self, refusal: Refused, rows_paid: int) -> None:
        """What was read before a refusal costs nothing when it must not say whether anything is there."""
        if any(error.code is WriteCode.NOT_FOUND for error in refusal.errors):
            self.forgive(rows_paid)

    def _record(self, stamp: Stamp, reason: str | None) -> RevisionId:
        login = self.signing_login
        write_audit_entries(self.transaction, stamp, self._operation, login, self._notes, reason)
        self.forget()
        return stamp.id

    def _require_standing(self) -> None:
        """Who asks may still do so; asked among all writers, because the door was a moment ago. Raises: Refusal."""
        if self.newcomer is not None:
            # An issuer may name anybody anything; not every database can look for every text.
            login = read_login(self.transaction, self.newcomer) if is_login_name(self.newcomer) else None
            if login is None:
                return
            self.admit(login.id)
        require_standing(self.transaction, self.viewer.login_id, self.viewer.acting_user)

    def _digest(self, order: WriteOrder) -> str:
        """A fingerprint of the request: asked as one user, the same body is another request."""
        narrowed = self.narrowed_to
        return order.digest if narrowed is None else f"{order.digest} as {narrowed}"

    def _known(self, order: WriteOrder, request_id: str) -> Outcome | None:
        if not 1 <= len(request_id) <= LONGEST_REQUEST_ID:
            raise refused(
                WriteCode.BAD_USER_INPUT,
                f"`requestId` must have 1 to {LONGEST_REQUEST_ID} characters.",
                "requestId",
            )
        if self.newcomer is not None:
            return None
        first = read_first_result(self.transaction, self.viewer.login_id, request_id)
        if first is None:
            return None
        if (first.operation, first.digest) != (order.operation, self._digest(order)):
            raise refused(
                WriteCode.REQUEST_ID_REUSED,
                f'The request id "{request_id}" was used for another request. Nothing was changed; choose a new one.',
                "requestId",
            )
        self.rolls_back = True
        return Outcome(orjson.loads(first.outcome), (), first.revision)


class ServiceSession(WriteSession):
    """What the service does by itself: nobody asks, and nobody signs it."""

    def __init__(self, transaction: Transaction, now: Instant) -> None:
        wait_for_turn(transaction)
        super().__init__(transaction, None, now)

    @property
    def signing_login(self) -> LoginId | None:
        """Nobody."""
        return None

    def _signing_user(self) -> UserId | None:
        return None

    def does(self, operation: str) -> None:
        """Name what is done; call it before the first row is written."""
        self._operation = operation

    def record(self, reason: str | None) -> RevisionId:
        """Close the revision of what was done, with its audit entries."""
        return self._record(self.stamp, reason)


def not_there(*field: str) -> Refused:
    """The one answer for what is hidden and for what does not exist."""
    return refused(WriteCode.NOT_FOUND, "There is no such thing, or you may not see it. Check the id.", *field)


def _state_forbids(capability: Capability, target: AnyTarget, *field: str) -> Refused:
    """The roles would give it, but the state of the target does not (P12, transition lock)."""
    if not isinstance(target, AdAccountFact):
        message = f"Manager account {target} is INACTIVE (deleted): it can be viewed, nothing else."
        return refused(WriteCode.OBJECT_STATE, message, *field)
    if target.status == AdAccountStatus.INACTIVE:
        message = f"Ad account {target.id} is INACTIVE (deleted): it can be viewed, nothing else."
        return refused(WriteCode.ACCOUNT_LIFE_CYCLE_STATUS_FORBIDS_UPDATE, message, *field)
    message = (
        f"A link to ad account {target.id} is being made or unmade, so {capability} has to wait:"
        " retry in 5 to 30 minutes."
    )
    return refused(WriteCode.ACCOUNT_LINK_TRANSITION_IN_PROGRESS, message, *field)


def _json(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else orjson.dumps(values, option=orjson.OPT_SORT_KEYS, default=str).decode()


def _require_storable(order: WriteOrder) -> None:
    """Raises: Refused."""
    errors = [
        user_error(
            WriteCode.BAD_USER_INPUT,
            f"`{path[-1]}` contains a character that cannot be kept: NUL, or half of a surrogate pair.",
            path,
        )
        for path in order.unstorable
    ]
    if order.reason is not None and len(order.reason) > LONGEST_NOTE:
        message = f"`reason` has at most {LONGEST_NOTE} characters, not {len(order.reason)}."
        errors.append(user_error(WriteCode.BAD_USER_INPUT, message, ("reason",)))
    if errors:
        raise Refused(*errors)


def listed(ids: Collection[int], hidden: int = 0) -> str:
    """Ids for a sentence: the first ten, and how many more there are; the hidden ones count.

    >>> listed([3, 1], hidden=2), listed(range(1, 13))
    ('1, 3 and 2 more', '1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more')
    """
    named = sorted(ids)[:MOST_NAMED]
    more = len(ids) - len(named) + hidden
    if not named:
        return f"{more} that you may not see"
    return ", ".join(map(str, named)) + (f" and {more} more" if more else "")


def require_time_stamp(given: str, stored: int, *field: str) -> None:
    """Optimistic concurrency: what is written must be what was read. Raises: Refused (209)."""
    if given != str(stored):
        raise refused(
            WriteCode.TIMESTAMP_NOT_MATCH,
            "Somebody wrote this in between. Nothing was changed: read it again, and send its new `timeStamp`.",
            *field,
        )


def all_errors(checks: Sequence[Callable[[], None]]) -> None:
    """Run every check and refuse with all that failed, so that a form can show them at once."""
    errors: list[UserError] = []
    for check in checks:
        try:
            check()
        except Refused as refusal:
            errors.extend(refusal.errors)
    if errors:
        raise Refused(*errors)
