"""How every write is done: one transaction, rights re-read inside it, history, audit entry and revision together.

A use case changes rows through a `WriteSession` and returns what it did as plain values. What is refused is a
value in the answer, and leaves nothing behind. With `dryRun` the same code runs and everything is rolled back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from resolvers.effects import Effects, EffectsOfDryRun, Region
from resolvers.errors import Refusal
from resolvers.rules.access import permissions_on
from resolvers.rules.capabilities import BIT, RULE_ID, Capability
from resolvers.rules.login_fields import is_login_name
from resolvers.rules.paths import AnyTarget
from resolvers.session import Limits, Newcomer, Session, Viewer
from resolvers.standing import require_standing
from storage.audit import AuditNote, FirstResult, read_first_result, write_audit_entries, write_first_result
from storage.database import Transaction
from storage.reads.logins import read_login
from storage.records.facts import AdAccountFact
from storage.records.ids import ClientLinkId, Instant, LoginId, RevisionId, UserId
from storage.records.values import AdAccountStatus
from storage.writes import Stamp, begin_revision, wait_for_turn

LONGEST_REQUEST_ID = 200


class UserError(NamedTuple):
    """Why a write, or one item of it, was refused. `field` is the path of the input it is about."""

    code: str
    message: str
    number: int | None
    field: tuple[str, ...]
    rule: str | None


class Refused(Exception):
    """A write that is not carried out, with everything that speaks against it."""

    def __init__(self, *errors: UserError) -> None:
        super().__init__(errors)
        self.errors = errors


def refused(code: str, message: str, *field: str, number: int | None = None, rule: str | None = None) -> Refused:
    """A refusal with one reason."""
    return Refused(UserError(code, message, number, field, rule))


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

    @property
    def digest(self) -> str:
        """A fingerprint of the body: the same request sent again has the same."""
        return hashlib.sha256(orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


class WriteSession(Session):
    """A session over a write transaction: what it changes, it records."""

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
                actor_login_id=self._signing_login(),
                actor_user_id=self._signing_user(),
            )
        return self._stamp

    def _signing_login(self) -> LoginId | None:
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
            "FORBIDDEN",
            f"This needs {capability} on {kind} {number}, and your roles do not give it; `viewerCan` tells why and"
            " who could change it.",
            *field,
            number=106,
            rule=RULE_ID[capability],
        )

    def concern(self, region: Region) -> None:
        """Say where the write about to be done may change access: a dry run tells what it changes there.

        Call it when all checks have passed and nothing of this item has been written.
        """
        if self._effects is not None:
            self._effects.concern(region)

    def accepted(self, link: ClientLinkId) -> None:
        """Say that this write accepts a link in a region that was told: a dry run tells what it will give."""
        if self._effects is not None:
            self._effects.accepted(link)

    def effects_once_active(self) -> Effects | None:
        """Who will gain and lose access when the links a dry run accepted are active; None when it was none.

        Raises: Refusal TOO_MANY_EFFECTS, CHAIN_OVER_LIMIT.
        """
        return None if self._effects is None else self._effects.once_active(self.stamp)

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

    def admit(self, login: LoginId) -> None:
        """From here on the newcomer is the viewer, with a login of his own."""
        if self.newcomer is not None:
            self._viewer = Viewer(login, self.newcomer)
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
        if self.newcomer is None or not admits_newcomers:
            _ = self.viewer  # raises without one
        wait_for_turn(self.transaction)
        self._require_standing()
        self._effects = None
        try:
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

    def _record(self, stamp: Stamp, reason: str | None) -> RevisionId:
        login = self._signing_login()
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
                "BAD_USER_INPUT",
                f"`requestId` must have 1 to {LONGEST_REQUEST_ID} characters.",
                "requestId",
                number=201,
            )
        if self.newcomer is not None:
            return None
        first = read_first_result(self.transaction, self.viewer.login_id, request_id)
        if first is None:
            return None
        if (first.operation, first.digest) != (order.operation, self._digest(order)):
            raise refused(
                "REQUEST_ID_REUSED",
                f'The request id "{request_id}" was used for another request. Nothing was changed; choose a new one.',
                "requestId",
                number=201,
            )
        self.rolls_back = True
        return Outcome(orjson.loads(first.outcome), (), first.revision)


class ServiceSession(WriteSession):
    """What the service does by itself: nobody asks, and nobody signs it."""

    def __init__(self, transaction: Transaction, now: Instant) -> None:
        wait_for_turn(transaction)
        super().__init__(transaction, None, now)

    def _signing_login(self) -> LoginId | None:
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
    return refused("NOT_FOUND", "There is no such thing, or you may not see it. Check the id.", *field, number=210)


def _state_forbids(capability: Capability, target: AnyTarget, *field: str) -> Refused:
    """The roles would give it, but the state of the target does not (P12, transition lock)."""
    if not isinstance(target, AdAccountFact):
        message = f"Manager account {target} is INACTIVE (deleted): it can be viewed, nothing else."
        return refused("OBJECT_STATE", message, *field, number=202, rule="P12")
    if target.status == AdAccountStatus.INACTIVE:
        message = f"Ad account {target.id} is INACTIVE (deleted): it can be viewed, nothing else."
        return refused("ACCOUNT_LIFE_CYCLE_STATUS_FORBIDS_UPDATE", message, *field, number=2192, rule="P12")
    message = (
        f"A link to ad account {target.id} is being made or unmade, so {capability} has to wait:"
        " retry in 5 to 30 minutes."
    )
    return refused("ACCOUNT_LINK_TRANSITION_IN_PROGRESS", message, *field, number=1472, rule="P12")


def from_refusal(refusal: Refusal, *field: str) -> Refused:
    """A refusal of a read, met while writing."""
    return Refused(UserError(str(refusal.code), refusal.message, refusal.number, field, refusal.rule))


def _json(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else orjson.dumps(values, option=orjson.OPT_SORT_KEYS, default=str).decode()


def require_time_stamp(given: str, stored: int, *field: str) -> None:
    """Optimistic concurrency: what is written must be what was read. Raises: Refused (209)."""
    if given != str(stored):
        raise refused(
            "TIMESTAMP_NOT_MATCH",
            "Somebody wrote this in between. Nothing was changed: read it again, and send its new `timeStamp`.",
            *field,
            number=209,
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
