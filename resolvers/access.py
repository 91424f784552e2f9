"""Who may do what on what, and why: check, checkMany, access. Who else may is in `resolvers.accessors`.

Every answer comes from the same rules over one snapshot. What the asker may not see is told by one code,
NOT_VISIBLE, whether it exists or not.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from resolvers.errors import Refusal, too_many_paths
from resolvers.excerpt import Excerpt
from resolvers.long_chains import may_be_told_of, refuse_long_chain
from resolvers.paging import Connection, Page, fingerprint
from resolvers.path_order import page_of_paths
from resolvers.people import visible_users
from resolvers.rules import access as rules
from resolvers.rules.access import Access, Decision, Denied, permissions_on
from resolvers.rules.capabilities import BIT, RULE_ID, Capability
from resolvers.rules.lazily import lazily
from resolvers.rules.near_misses import AccessCode, NearMiss, near_misses
from resolvers.rules.paths import PATHS_AT_MOST, AnyTarget, HopKind, Path, TooManyPaths
from resolvers.rules.reach import Permissions, Reach, users_asked_as
from resolvers.session import CLIENT_LINK, USER, Session
from storage.records.facts import AdAccountFact, Assignment, Facts
from storage.records.ids import AdAccountId, ManagerAccountId, UserId

EXPLANATION = "explanation"
MOST_CHECKS = 1_000
"""How many checks one `checkMany` answers."""


class TargetId(NamedTuple):
    """A target by id: exactly one of the two is set."""

    manager_account: ManagerAccountId | None
    ad_account: AdAccountId | None


Subject: TypeAlias = UserId | None
"""Who is asked about: a user, or None for the viewer: his whole login, or the user he asks as."""


class CheckRequest(NamedTuple):
    """One check as it is asked."""

    subject: Subject
    capability: Capability
    target: TargetId
    context: ManagerAccountId | None


@dataclass(eq=False)
class Answer:
    """One check. `permissions` is None when the subject or the target is not visible to the asker.

    Reasons are worked out when they are asked for.
    """

    batch: _Batch
    request: CheckRequest
    target: AnyTarget | None
    permissions: Permissions | None
    explained_by: Explanation | None = None
    allowed: bool | None = field(init=False)
    """Whether the capability is held; None when only a chain over the limit would answer (P10)."""

    def __post_init__(self) -> None:
        permissions, bit = self.permissions, BIT[self.request.capability]
        if permissions is None:
            self.allowed = False
        elif permissions.capabilities & bit:
            self.allowed = True
        else:
            self.allowed = None if permissions.over_limit & bit else False

    @property
    def capability(self) -> Capability:
        """What was asked."""
        return self.request.capability

    @lazily
    def error(self) -> Refusal | None:
        """Why this one check could not be answered; the others of its batch are not touched by it."""
        if self.permissions is None or self.target is None or self.allowed is not None:
            return None
        session, (subject, capability, _, _) = self.batch.session, self.request
        assignments = assignments_of(session.excerpt, session, subject)
        try:
            refuse_long_chain(session, self.permissions, session.excerpt.facts, assignments, self.target, capability)
        except Refusal as refusal:
            return refusal
        return None

    @lazily
    def decision(self) -> Decision | None:
        """The reason; None when the check could not be answered.

        Raises: Refusal TOO_MANY_PATHS.
        """
        if self.error is not None:
            return None
        if self.permissions is None or self.target is None:
            return not_visible(self.capability)
        return self._explanation.decide(self.capability, self.permissions)

    @property
    def code(self) -> AccessCode | None:
        """The code of the decision, mostly without loading what the whole reason would need.

        Raises: Refusal TOO_MANY_PATHS.
        """
        if self.allowed:
            return AccessCode.ALLOWED
        if self.permissions is None or self.target is None:
            return not_visible(self.capability).code
        if self.allowed is None:
            return None
        # One's own ways over active links lead through what one sees, so there is nothing to hide.
        if self.request.subject is None:
            denied = Denied(self.permissions, self.target, self.request.context, self.capability)
            settled = self.batch.own_code_over_active_links(denied)
            if settled is not None:
                return settled
        return self.decision.code if self.decision is not None else None

    @property
    def deciding_path(self) -> Path | None:
        """The path that gives the capability, when it is held and the asker may see it."""
        if not self.allowed or self.decision is None or self.decision.deciding_path is None:
            return None
        return self._explanation.access.paths[self.decision.deciding_path]

    @lazily
    def _explanation(self) -> Explanation:
        if self.explained_by is not None:
            return self.explained_by
        if self.target is None:
            raise ValueError("what is not visible has no explanation")
        return self.batch.explain(self.request.subject, self.target, self.request.context)


class _Batch:
    """The checks of one call: what the answer to one of them needs is found once, and for all.

    `targets`: those the asker may be told of. `permissions`: one a check, None where nothing may be told.
    """

    def __init__(
        self,
        session: Session,
        requests: Sequence[CheckRequest] = (),
        targets: Mapping[TargetId, AnyTarget] | None = None,
        permissions: Sequence[Permissions | None] = (),
    ) -> None:
        self.session = session
        self._requests = requests
        self._targets = targets or {}
        self._permissions = permissions
        self._registered = len(requests) < 2
        self._own_codes: dict[Hashable, AccessCode | None] = {}

    @lazily
    def _own_assignments(self) -> tuple[Assignment, ...]:
        return assignments_of(self.session.excerpt, self.session, None)

    def own_code_over_active_links(self, denied: Denied) -> AccessCode | None:
        """The code of a denial of the asker himself, where near misses over active links settle it.

        Raises: Refusal TOO_MANY_PATHS.
        """
        _, target, context, capability = denied
        alike: Hashable = target
        if isinstance(target, AdAccountFact) and self.session.reach.is_like_its_siblings(target):
            alike = "owned by", target.owner_id
        key = (alike, capability, context)
        if key not in self._own_codes:
            self.session.go_on()
            facts = self.session.excerpt.facts
            try:
                misses = near_misses(facts, self._own_assignments, target, capability, context)
            except TooManyPaths as error:
                raise too_many_paths(PATHS_AT_MOST) from error
            self._own_codes[key] = rules.code_over_active_links(denied, misses)
        return self._own_codes[key]

    def explain(self, subject: Subject, target: AnyTarget, context: ManagerAccountId | None) -> Explanation:
        """The explanation of one of the answers.

        Whoever asks for one gets all loaded: of the denied ones, or of the allowed ones, which few ask for.
        """
        if not self._registered:
            self._registered = True
            for allowed in (False, True):
                keys = [
                    (one.subject, self._targets[one.target], one.context)
                    for one, held in zip(self._requests, self._permissions, strict=True)
                    if held is not None and held.allow(one.capability) is allowed
                ]
                self.session.register(EXPLANATION, list(dict.fromkeys(keys)))
        return explain(self.session, subject, target, context)


def not_visible(capability: Capability) -> Decision:
    """The one answer for what is hidden and for what does not exist."""
    message = "There is no such user, manager account or ad account, or you may not see it."
    return Decision(capability, False, AccessCode.NOT_VISIBLE, RULE_ID[Capability.VIEW], message, None, ())


def assignments_of(excerpt: Excerpt, session: Session, subject: Subject) -> tuple[Assignment, ...]:
    """What a subject holds, from a given excerpt (rule P11)."""
    held = excerpt.facts.assignments_by_user
    return tuple(item for user in users_of(excerpt, session, subject) for item in held.get(user, ()))


def users_of(excerpt: Excerpt, session: Session, subject: Subject) -> tuple[UserId, ...]:
    """The users whose roles count for a subject (rule P11)."""
    facts = excerpt.facts
    return session.viewer_users_in(facts) if subject is None else users_asked_as(facts, subject)


def check_many(session: Session, requests: Sequence[CheckRequest]) -> list[Answer]:
    """Answers in the order asked, each on its own. Cost: a fixed number of SELECTs for any number of checks."""
    subjects = {request.subject for request in requests if request.subject is not None}
    known = visible_users(session, list(subjects)) if subjects else {}
    session.excerpt.know_users(list(known))
    targets = {request.target for request in requests}
    with session.looking_up(len(targets)):
        session.know_manager_accounts([one.manager_account for one in targets if one.manager_account is not None])
        session.know_ad_accounts([one.ad_account for one in targets if one.ad_account is not None])
    through = _contexts_told(session, {one.context for one in requests if one.subject is not None})
    facts, mine = session.excerpt.facts, session.reach
    reaches = {user: session.excerpt.reach_of(users_asked_as(facts, user)) for user in known}
    found: dict[TargetId, AnyTarget] = {}
    own: dict[TargetId, Permissions] = {}
    for one in targets:
        target = _target(facts, one)
        if target is not None:
            permissions = permissions_on(mine, target)
            if _shows(permissions):
                found[one], own[one] = target, permissions
    session.go_on()
    judged: list[Permissions | None] = []
    for subject, _, one, context in requests:
        held = own.get(one)
        if held is not None and (subject is not None or context is not None):
            session.go_on()
            reach = mine if subject is None else reaches.get(subject)
            judged_by = context if subject is None else through[context]
            held = None if reach is None else permissions_on(reach, found[one], judged_by)
        judged.append(held)
    batch = _Batch(session, requests, found, judged)
    return [
        Answer(batch, request, found.get(request.target), held) for request, held in zip(requests, judged, strict=True)
    ]


def viewer_can(session: Session, kind: str, target: TargetId, capability: Capability) -> Answer:
    """One check of the viewer on a row at hand, made for all rows of its cohort at once."""
    key = target.ad_account if target.ad_account is not None else target.manager_account
    is_account = target.ad_account is not None

    def load(ids: list[Any]) -> dict[Any, Answer]:
        targets = [TargetId(None, one) if is_account else TargetId(one, None) for one in ids]
        asked = [CheckRequest(None, capability, one, None) for one in targets]
        return dict(zip(ids, check_many(session, asked), strict=True))

    return session.each(kind, key, ("viewer can", capability), load)


def _shows(permissions: Permissions) -> bool:
    """Whether the asker may be told about a target; one only a long chain shows him is told with its error."""
    return bool((permissions.capabilities | permissions.over_limit) & BIT[Capability.VIEW])


_NOWHERE = ManagerAccountId(0)
"""What no path leads through: ids begin with 1."""


_Context: TypeAlias = ManagerAccountId | None


def _contexts_told(session: Session, contexts: Collection[_Context]) -> dict[_Context, _Context]:
    """For contexts named about somebody else: what to judge by, which of one the asker may not be told of is nowhere.

    Such a context is answered like an unrelated one, or a guessed id would tell through what somebody's way leads.
    One's own ways lead through nothing hidden.
    """
    named = [one for one in contexts if one is not None]
    if not named:
        return {None: None}
    with session.looking_up(len(named)):
        session.know_manager_accounts(named)
    return {None: None, **{one: one if may_be_told_of(session, one) else _NOWHERE for one in named}}


def _target(facts: Facts, one: TargetId) -> AnyTarget | None:
    if one.ad_account is not None:
        return facts.ad_accounts.get(one.ad_account)
    key = one.manager_account
    return key if key is not None and key in facts.manager_accounts else None


# Explanations


class _Asker:
    """The asker of some explanations: what decides whether he may be told of a path, worked out once for all."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._ways: dict[tuple[ManagerAccountId, ...], bool] = {}

    @lazily
    def reach(self) -> Reach:
        """What he reaches."""
        return self.session.explained.reach_of(users_of(self.session.explained, self.session, None))

    @lazily
    def manager_accounts(self) -> frozenset[ManagerAccountId]:
        """Where he holds a role, however narrow: he knows that they exist."""
        held = assignments_of(self.session.explained, self.session, None)
        return frozenset(item.manager_account_id for item in held)

    def sees_way(self, way: tuple[ManagerAccountId, ...]) -> bool:
        """Whether he may be told of every manager account on a way; thousands of targets share a few ways."""
        known = self._ways.get(way)
        if known is None:
            known = self._ways[way] = all(
                one in self.manager_accounts or self.reach.on_manager_account(one).allow(Capability.VIEW) for one in way
            )
        return known


_Key: TypeAlias = tuple[Subject, AnyTarget, ManagerAccountId | None]
"""What an explanation is about: subject, target, context."""


class Explanation:
    """All there is to say about one subject and one target, as far as the asker may see it. Made by `explain`."""

    def __init__(self, asker: _Asker, key: _Key, assignments: tuple[Assignment, ...]) -> None:
        self.session = asker.session
        self.subject, self.target, self.context = key
        self.assignments = assignments
        self._asker = asker
        self._excerpt = asker.session.explained
        self._batch = _Batch(self.session)

    @property
    def target_id(self) -> TargetId:
        """What it is about, by id: the facts about it may change."""
        target = self.target
        return TargetId(None, target.id) if isinstance(target, AdAccountFact) else TargetId(target, None)

    @lazily
    def _reach(self) -> Reach:
        return self._excerpt.reach_of(users_of(self._excerpt, self.session, self.subject))

    @lazily
    def _through(self) -> ManagerAccountId | None:
        own = self.subject is None
        return self.context if own else _contexts_told(self.session, [self.context])[self.context]

    @lazily
    def permissions(self) -> Permissions:
        """What the subject holds on the target, found without looking at single paths."""
        return permissions_on(self._reach, self.target, self._through)

    @lazily
    def access(self) -> Access:
        """Paths, deciding paths, contexts. Raises: Refusal TOO_MANY_PATHS."""
        try:
            return rules.access_of(self._reach, self.assignments, self.target, self._through, self._visible)
        except TooManyPaths as error:
            raise too_many_paths(PATHS_AT_MOST) from error

    def paths(self, page: Page) -> Connection[Path]:
        """The paths the asker may see, deciding ones first. Raises: Refusal (INVALID_CURSOR, TOO_MANY_PATHS)."""
        access = self.access
        deciding = [access.paths[index] for index in access.deciding.values()]
        scope = fingerprint("paths", self.subject, *self.target_id, self.context)
        return page_of_paths(access.paths, deciding, page, scope, access.hidden_paths)

    def answer(self, capability: Capability) -> Answer:
        """The answer to one check about the same subject and target."""
        request = CheckRequest(self.subject, capability, self.target_id, self.context)
        return Answer(self._batch, request, self.target, self.permissions, self)

    def decide(self, capability: Capability, permissions: Permissions | None = None) -> Decision:
        """The reason for one capability. `permissions`: those of the subject on the target, where they are at hand.

        Raises: Refusal CHAIN_OVER_LIMIT or TOO_MANY_PATHS.
        """
        facts = self._excerpt.facts
        permissions = permissions or self.permissions
        refuse_long_chain(self.session, permissions, facts, self.assignments, self.target, capability)
        try:
            if permissions.allow(capability):
                return rules.decision(self.access, capability, lambda: ())
            denied = Denied(permissions, self.target, self.context, capability)
            return rules.denial(denied, lambda: self._near_misses(capability), lambda: self.access)
        except TooManyPaths as error:
            raise too_many_paths(PATHS_AT_MOST) from error

    def _near_misses(self, capability: Capability) -> list[NearMiss]:
        known = [item for item in self.assignments if self._asker.sees_way((item.manager_account_id,))]
        return near_misses(
            self._excerpt.facts, self.assignments, self.target, capability, self.context, self._visible, known
        )

    def _visible(self, path: Path) -> bool:
        """Whether the asker may be told of a path: all it leads through, and links that are not active."""
        return self._asker.sees_way(path.manager_accounts) and all(
            hop.carries_access or self._sees_link(hop.kind, hop.from_id, hop.to_manager_account_id) for hop in path.hops
        )

    def _sees_link(self, kind: HopKind, managing: ManagerAccountId, client: ManagerAccountId | None) -> bool:
        needed = Capability.VIEW_ACCOUNT_LINKS if kind == HopKind.ACCOUNT_LINK else Capability.VIEW_MANAGER_LINKS
        mine = self._asker.reach
        if mine.on_manager_account(managing).allow(needed):
            return True
        if client is not None:
            return mine.on_manager_account(client).allow(needed)
        return isinstance(self.target, AdAccountFact) and mine.on_ad_account(self.target).allow(needed)


def explain(session: Session, subject: Subject, target: AnyTarget, context: ManagerAccountId | None) -> Explanation:
    """The explanation of one subject and target; both must be visible to the asker. Made once a request."""
    key = (subject, target, context)
    found = session.together(EXPLANATION, key, "explanation", lambda keys: _explanations(session, keys))
    if found is None:
        raise LookupError("an explanation was asked for and not made")
    return found


def _explanations(session: Session, keys: Sequence[_Key]) -> dict[_Key, Explanation]:
    """Cost: a fixed number of SELECTs for any number of explanations."""
    excerpt = session.explained
    excerpt.know_users(list({subject for subject, _, _ in keys if subject is not None}))
    accounts = {target for _, target, _ in keys if isinstance(target, AdAccountFact)}
    excerpt.know_ad_accounts(list(accounts))
    excerpt.know_manager_accounts(list({target for _, target, _ in keys if not isinstance(target, AdAccountFact)}))
    # Whether a path may be shown depends on every manager account it leads through.
    excerpt.know_manager_accounts(list(excerpt.above()))
    held = {subject: assignments_of(excerpt, session, subject) for subject in {key[0] for key in keys}}
    _register_what_paths_name(session, held.values())
    asker = _Asker(session)
    return {key: Explanation(asker, key, held[key[0]]) for key in keys}


def _register_what_paths_name(session: Session, held: Iterable[Sequence[Assignment]]) -> None:
    """Whoever asks for a link or a user of one path gets those of all paths."""
    facts = session.explained.facts
    customer_links = {link.id for links in facts.customer_links_to.values() for link in links}
    account_links = {link.id for links in facts.account_links_to.values() for link in links}
    session.register(CLIENT_LINK, list(customer_links | account_links))
    session.register(USER, list({item.user_id for items in held for item in items}))


def access_of(
    session: Session, subject: Subject, target_id: TargetId, context: ManagerAccountId | None
) -> Explanation | None:
    """The whole answer about a subject and a target, or None when either is not visible to the asker."""
    answer = check_many(session, [CheckRequest(subject, Capability.VIEW, target_id, context)])[0]
    if answer.permissions is None or answer.target is None:
        return None
    return explain(session, subject, answer.target, context)
