"""What one request carries: its snapshot, who asks, the clock, limits, and what it has loaded so far.

Nothing of it survives the request but facts, where it has a memory. Lists register the rows they load as a
cohort; whoever then asks one of them for more gets it loaded for the whole cohort at once, so statements grow
with depth and not with rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, TypeVar

from resolvers.errors import (
    Refusal,
    RequestStopped,
    missing_scope,
    no_login_yet,
    over_limit,
    too_expensive,
    too_many_nodes,
    too_many_values,
    unauthenticated,
)
from resolvers.excerpt import Excerpt
from resolvers.rules.access import permissions_on, refuse_over_limit
from resolvers.rules.capabilities import BIT, Capability
from resolvers.rules.paths import AnyTarget, ChainOverLimit
from resolvers.rules.reach import Permissions, Reach, may_act, users_of_caller
from storage.database import Transaction
from storage.deadlines import Deadline
from storage.reads.remembered import FactMemory, FactReader
from storage.records.facts import AdAccountFact, Facts, ManagerAccountFact
from storage.records.ids import AccessTokenId, AdAccountId, Instant, LoginId, ManagerAccountId, RevisionId, UserId
from storage.records.rows import AdAccountRow, ManagerAccountRow, UserRow
from storage.records.values import TokenScope

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MANAGER_ACCOUNT = "manager account"
AD_ACCOUNT = "ad account"
USER = "user"
CLIENT_LINK = "client link"
CREDENTIAL = "access token"


class Viewer(NamedTuple):
    """Who asks: a login, as the token names it.

    `acting_user`: the one of its users the whole request is asked as (rule P11); None asks as the login.
    `scopes`: what the token may be used for. `is_system_administrator`: the deployment names this login as one.
    `token_id`: the token, when it is one of ours; `token_expires_at`: when it ends, None where none was shown.
    """

    login_id: LoginId
    user_name: str
    acting_user: UserId | None = None
    scopes: frozenset[TokenScope] = frozenset({TokenScope.READ, TokenScope.WRITE})
    is_system_administrator: bool = False
    token_id: AccessTokenId | None = None
    token_expires_at: Instant | None = None


class Newcomer(NamedTuple):
    """Somebody an issuer this deployment trusts names, and no login here is his yet.

    He may accept an invitation, which gives him a login of this name, and nothing else.
    """

    user_name: str
    scopes: frozenset[TokenScope] = frozenset({TokenScope.READ, TokenScope.WRITE})


ROWS_OF_A_POINT = 10
"""How many rows read cost as much as one object given out: looking is cheaper than telling, and not free."""
ROWS_OF_AN_ID = 10
"""As how many rows an id counts that is looked up, whether it is there or not; a hidden user takes sixteen."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost. `max_nodes` counts manager accounts and ad accounts of the hierarchy as they are
    loaded, `max_values` the values of the answer as they are given out, `max_cost` objects of the answer and rows
    read; `seconds` is how long it may run where its thread works under no deadline.
    """

    max_nodes: int = 10_000
    max_values: int = 500_000
    max_cost: int = 100_000
    seconds: float = 10.0


class Allowance(NamedTuple):
    """How much a caller may still ask for, as the request was let in. `cost` is what it was expected to cost."""

    limit: int
    remaining: int
    cost: int
    per_minute: int
    full_at_ms: Instant


class Meter:
    """What one request has cost in the end, over all its sessions."""

    __slots__ = ("cost",)

    def __init__(self) -> None:
        self.cost = 0


class _LookingUp:
    """What `Session.looking_up` gives; within another one it does nothing."""

    __slots__ = ("_ids", "_is_outermost", "_paid", "_session")

    def __init__(self, session: Session, ids: int) -> None:
        self._session = session
        self._ids = ids

    def __enter__(self) -> None:
        session = self._session
        self._is_outermost = not session.looks_up
        self._paid = session.rows_paid
        session.looks_up = True

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self._is_outermost:
            self._session.looks_up = False
            self._session.forgive(self._paid + self._ids * ROWS_OF_AN_ID)


class Session:
    """One request over one snapshot; with a `memory`, it reads only the facts that are not remembered."""

    needs: ClassVar[TokenScope] = TokenScope.READ
    """The scope without which the viewer's token opens nothing here. All that is asked goes through `viewer`."""
    allowance: Allowance | None = None
    """What the caller's budget was when the request began; None where there are no budgets."""

    def __init__(
        self,
        transaction: Transaction,
        viewer: Viewer | Newcomer | None,
        now: Instant,
        limits: Limits | None = None,
        memory: FactMemory | None = None,
    ) -> None:
        self.transaction = transaction
        self._memory = memory
        self.now = now
        self.limits = limits or Limits()
        self.values_served = 0
        self.objects_served = 0
        self._rows_free = transaction.rows
        self.looks_up = False
        """Whether it is being found out what may be seen, which costs the same whatever is found."""
        self._deadline = transaction.deadline or Deadline.after(self.limits.seconds)
        self._viewer = viewer
        self.nodes_loaded = 0
        self.made: set[ManagerAccountId] = set()
        """Manager accounts this very request made: shown to who made them, though they give him nothing."""
        self.forget()

    def forget(self) -> None:
        """Forget all that was loaded: what is asked next is read again."""
        self.facts = FactReader(self.transaction, self._memory)
        self.excerpt = Excerpt(self.facts)
        self._viewer_known = False
        self._reach: Reach | None = None
        self._explained: Excerpt | None = None
        self.manager_accounts: dict[ManagerAccountId, ManagerAccountRow] = {}
        self.ad_accounts: dict[AdAccountId, AdAccountRow] = {}
        self.users: dict[UserId, UserRow] = {}
        self.users_seen: dict[UserId, bool] = {}
        self._judged_managers: set[ManagerAccountId] = set()
        self._judged_accounts: set[AdAccountId] = set()
        self._cohorts: dict[tuple[str, Any], Collection[Any]] = {}
        self._loaded: dict[Hashable, dict[Any, Any]] = {}

    def anew(self) -> Session:
        """The same request over the same snapshot with nothing loaded: to run it a second time."""
        again = Session(self.transaction, self._viewer, self.now, self.limits, self._memory)
        again._deadline = self._deadline
        again.allowance = self.allowance
        return again

    @property
    def cost(self) -> int:
        """What the request has cost so far: objects of the answer, and rows read for it."""
        return self.objects_served + self.rows_paid // ROWS_OF_A_POINT

    def looking_up(self, ids: int) -> _LookingUp:
        """Whether so many ids may be seen is found out in here, and costs the same whatever is found.

        More is read for what is there and hidden than for what is not there, and the cost is told to who asks.
        """
        return _LookingUp(self, ids)

    @property
    def rows_paid(self) -> int:
        """How many of the rows read so far count for the cost."""
        return self.transaction.rows - self._rows_free

    def look_through(self, rows: int) -> None:
        """Let so many rows count as read: the database looks through them, and gives a few."""
        self._rows_free -= rows

    def forgive(self, rows_paid: int) -> None:
        """Let cost nothing what was read since so many rows counted."""
        self._rows_free = self.transaction.rows - rows_paid

    def serve(self, values: int, objects: int = 0) -> None:
        """Take values and objects of the answer into account.

        Raises: RequestStopped past a limit, OutOfTime past the time.
        """
        self.values_served += values
        self.objects_served += objects
        if self.values_served > self.limits.max_values:
            raise RequestStopped(too_many_values(self.limits.max_values))
        self.go_on()

    def go_on(self) -> None:
        """For every loop that may be long. Raises: RequestStopped past the cost, OutOfTime past the time."""
        if self.cost > self.limits.max_cost:
            raise RequestStopped(too_expensive(self.limits.max_cost))
        self._deadline.check()

    # Who asks

    @property
    def viewer(self) -> Viewer:
        """Who asks.

        Raises: Refusal UNAUTHENTICATED when no token was sent or nobody here has the name in it, FORBIDDEN when it is
        not for this kind of request.
        """
        viewer = self._viewer
        if viewer is None:
            raise unauthenticated()
        if isinstance(viewer, Newcomer):
            raise no_login_yet(viewer.user_name)
        if self.needs not in viewer.scopes:
            raise missing_scope(self.needs)
        return viewer

    @property
    def viewer_users(self) -> tuple[UserId, ...]:
        """The users whose roles count for the viewer: those of his login, or the one he asks as (rules P11, P12)."""
        self._know_viewer()
        return self.viewer_users_in(self.excerpt.facts)

    def viewer_users_in(self, facts: Facts) -> tuple[UserId, ...]:
        """The same by facts that know the viewer's login. The only place that says who stands behind a request."""
        viewer = self.viewer
        return users_of_caller(facts, viewer.login_id, viewer.acting_user)

    @property
    def narrowed_to(self) -> UserId | None:
        """The one user this request is asked as; None when it is asked as the whole login.

        The user a login began with stands for all of it, so asking as him narrows nothing (rule P11).
        """
        acting = self.viewer.acting_user
        if acting is None:
            return None
        self._know_viewer()
        user = self.excerpt.facts.users.get(acting)
        own = user is not None and user.login_id == self.viewer.login_id
        return None if own and user is not None and user.is_original and may_act(user) else acting

    def is_self(self, row: UserRow) -> bool:
        """Whether a user is the viewer himself: one of his login's, or just the one he asks as."""
        return row.login_id == self.viewer.login_id and self.narrowed_to in (None, row.user_id)

    @property
    def reach(self) -> Reach:
        """What the viewer reaches, as far as loaded: ask only about targets the excerpt knows."""
        if not self._viewer_known:
            self._know_viewer()
        hierarchy = self.excerpt.hierarchy
        found = self._reach
        if found is None or found.hierarchy is not hierarchy:
            found = self._reach = Reach.of_users(hierarchy, self.viewer_users_in(hierarchy.facts))
        return found

    def _know_viewer(self) -> None:
        login = self.viewer.login_id
        if not self._viewer_known:
            self.excerpt.know_login(login)
            self._viewer_known = True

    @property
    def explained(self) -> Excerpt:
        """A second excerpt that also knows links which carry no access; made when a denial needs it."""
        if self._explained is None:
            self._explained = Excerpt(self.facts, any_status=True)
            self._explained.know_login(self.viewer.login_id)
        return self._explained

    @property
    def revision(self) -> RevisionId:
        """The revision all answers of this request describe."""
        return self.facts.revision

    # Loading together

    def register(self, kind: str, ids: Collection[Any]) -> None:
        """These were loaded together; what one of them needs later is loaded for all."""
        cohorts = self._cohorts
        for key in ids:
            cohorts.setdefault((kind, key), ids)

    def regroup(self, kind: str, ids: Collection[Any]) -> None:
        """As `register`, for a list made of rows that came in several loads: its rows belong together from now on."""
        self._cohorts.update(((kind, key), ids) for key in ids)

    def together(
        self, kind: str, key: K, name: Hashable, load: Callable[[list[K]], Mapping[K, V | Refusal]]
    ) -> V | None:
        """What `load` finds for `key`, loaded once for all of its cohort; None when it finds nothing.

        Raises: the Refusal of this one, where `load` gives one in its place.
        """
        loaded = self._loaded.setdefault((kind, name), {})
        if key not in loaded:
            self.go_on()
            cohort = self._cohorts.get((kind, key), (key,))
            missing = [one for one in cohort if one not in loaded]
            loaded.update(dict.fromkeys(missing))
            try:
                loaded.update(load(missing))
            except BaseException as problem:
                # What could not be loaded is not absent: a refusal is everybody's, anything else is asked again.
                for one in missing:
                    if isinstance(problem, Refusal):
                        loaded[one] = problem
                    else:
                        loaded.pop(one, None)
                raise
        found: Any = loaded[key]
        if isinstance(found, Refusal):
            raise found
        shown: V | None = found
        return shown

    def each(self, kind: str, key: K, name: Hashable, load: Callable[[list[K]], Mapping[K, V | Refusal]]) -> V:
        """As `together`, where something is found for all. Raises: the Refusal of this one."""
        found = self.together(kind, key, name, load)
        if found is None:
            raise LookupError("something was asked for and not loaded")
        return found

    @property
    def nodes_left(self) -> int:
        """How many more rows of the hierarchy this request may load."""
        return self.limits.max_nodes - self.nodes_loaded

    def count_nodes(self, number: int) -> None:
        """Take rows of the hierarchy into account. Raises: Refusal TOO_MANY_NODES past the limit."""
        self.nodes_loaded += number
        if self.nodes_loaded > self.limits.max_nodes:
            raise too_many_nodes(self.limits.max_nodes)

    # Rows at hand, and what the viewer may do with them

    def have_manager_accounts(self, rows: Collection[ManagerAccountRow]) -> None:
        """These rows were loaded together."""
        self.manager_accounts.update((row.customer_id, row) for row in rows)
        self.register(MANAGER_ACCOUNT, [row.customer_id for row in rows])

    def have_ad_accounts(self, rows: Collection[AdAccountRow]) -> None:
        """These rows were loaded together."""
        self.ad_accounts.update((row.account_id, row) for row in rows)
        self.register(AD_ACCOUNT, [row.account_id for row in rows])

    def have_users(self, rows: Collection[UserRow]) -> None:
        """These rows were loaded together; so are, when asked for, the manager accounts they belong to."""
        self.users.update((row.user_id, row) for row in rows)
        self.register(USER, [row.user_id for row in rows])
        self.register(MANAGER_ACCOUNT, list({row.customer_id for row in rows}))

    def know_manager_accounts(self, ids: Collection[ManagerAccountId]) -> None:
        """Load what decides about these manager accounts, for the viewer."""
        self._know_viewer()
        rows = self.manager_accounts
        known = [ManagerAccountFact(key, rows[key].status) for key in ids if key in rows]
        self.excerpt.know_manager_accounts(ids, known)

    def know_ad_accounts(self, ids: Collection[AdAccountId]) -> None:
        """Load what decides about these ad accounts, for the viewer; unknown ids stay unknown."""
        self._know_viewer()
        self.excerpt.know_ad_account_facts([key for key in ids if key not in self.ad_accounts])
        facts = self.excerpt.ad_account_facts
        rows = self.ad_accounts
        self.excerpt.know_ad_accounts(
            [fact_of(rows[key]) if key in rows else facts[key] for key in ids if key in rows or key in facts]
        )

    def on_manager_account(self, key: ManagerAccountId) -> Permissions:
        """What the viewer holds on a manager account, loaded for its whole cohort."""
        if key not in self._judged_managers:
            cohort = self._cohorts.get((MANAGER_ACCOUNT, key), (key,))
            self.know_manager_accounts(cohort)
            self._judged_managers.update(cohort)
        return self.reach.on_manager_account(key)

    def on_ad_account(self, row: AdAccountRow) -> Permissions:
        """What the viewer holds on an ad account, loaded for its whole cohort."""
        key = row.account_id
        if key not in self._judged_accounts:
            cohort = self._cohorts.get((AD_ACCOUNT, key), (key,))
            self.know_ad_accounts(cohort)
            self._judged_accounts.update(cohort)
        return self.reach.on_ad_account(row)

    def sees(self, target: AnyTarget) -> bool:
        """Whether the viewer may see a target the excerpt knows.

        Raises: Refusal CHAIN_OVER_LIMIT when only a chain that is too long would say yes (rule P10); OutOfTime, since
        lists ask this of every row.
        """
        if target in self.made:
            return True
        self._deadline.check()
        permissions = permissions_on(self.reach, target)
        if permissions.allow(Capability.VIEW):
            return True
        if permissions.over_limit & BIT[Capability.VIEW]:
            facts = self.excerpt.facts
            held = [item for user in self.viewer_users for item in facts.assignments_by_user.get(user, ())]
            try:
                refuse_over_limit(permissions, facts, held, target, Capability.VIEW)
            except ChainOverLimit as error:
                raise over_limit(error.chain) from error
        return False

    def views(self, key: ManagerAccountId) -> bool:
        """Whether the viewer may be told what hangs on a manager account the excerpt knows: its users, their roles."""
        return key in self.made or self.reach.on_manager_account(key).allow(Capability.VIEW)

    def knows(self, key: ManagerAccountId) -> bool:
        """Whether the viewer may be told that a manager account is there: he sees it, or holds a role in it.

        An id he does not know is answered as one that does not exist. Raises: Refusal CHAIN_OVER_LIMIT.
        """
        with self.looking_up(1):
            self.know_manager_accounts([key])
            held = self.excerpt.facts.assignments_by_user
            if any(item.manager_account_id == key for user in self.viewer_users for item in held.get(user, ())):
                return True
            return self.sees(key)


def fact_of(row: AdAccountRow) -> AdAccountFact:
    """The fact an ad account's row states."""
    return AdAccountFact(row.account_id, row.parent_customer_id, row.status)
