"""The second opinion on access: brute force, slow and obvious, and none of the product's code.

It holds its own picture of the stored facts (`World`), its own copy of the table of roles, and answers by
walking every simple path there is. Nothing here is imported from the product, not even a spelling; when the
two disagree, the rules decide who is right.

Decisions the rules leave open, as taken here: a manager account that is INACTIVE keeps only VIEW, like an ad
account; an ad account with a link on its way in or out cannot be changed or deleted; the state of a target
takes from the target alone and never from what lies below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

ROLE_TABLE: Final = """
VIEW                    both  V C S A G  std link
VIEW_PAYMENT_METHODS    both  V C S A G  std link
MANAGE_CAMPAIGNS        ad      C S A G  std link
SET_AUTO_TAG            ad      C S A G  std link
UPDATE_AD_ACCOUNT       ad        S A G  std link
MANAGE_INSERTION_ORDERS ad        S A G  std link
MANAGE_PAYMENT_METHODS  both        A G
TAKE_OVER_BILLING       both        A G  std link
ADD_AD_ACCOUNT          manager     A G  std
DELETE_AD_ACCOUNT       ad          A G  std
UPDATE_MANAGER_ACCOUNT  manager     A G
VIEW_ACCOUNT_LINKS      both      S A G  std
MANAGE_ACCOUNT_LINKS    both      S A G  std
VIEW_MANAGER_LINKS      manager     A G
MANAGE_MANAGER_LINKS    manager     A G
MANAGE_USERS            manager   S A G
MANAGE_SUPER_ADMINS     manager     A G
SIGN_UP_CUSTOMER        manager       G
"""
"""Capability; where it applies; who holds it; whether a STANDARD customer link and an account link carry it."""

LETTERS: Final = {
    "VIEWER": "V",
    "CAMPAIGN_MANAGER": "C",
    "STANDARD": "S",
    "SUPER_ADMIN": "A",
    "AGGREGATOR": "G",
}
ROLES: Final = tuple(LETTERS)
STATUSES: Final = (
    "LINK_PENDING",
    "LINK_CANCELED",
    "LINK_EXPIRED",
    "LINK_ACCEPTED",
    "LINK_DECLINED",
    "LINK_IN_PROGRESS",
    "ACTIVE",
    "LINK_FAILED",
    "UNLINK_REQUESTED",
    "UNLINK_PENDING",
    "UNLINK_CANCELED",
    "UNLINK_IN_PROGRESS",
    "INACTIVE",
    "UNLINK_FAILED",
)
CARRYING: Final = ("ACTIVE", "UNLINK_PENDING", "UNLINK_IN_PROGRESS")
IN_TRANSITION: Final = ("LINK_IN_PROGRESS", "UNLINK_IN_PROGRESS")
FROZEN_IN_TRANSITION: Final = frozenset({"SET_AUTO_TAG", "UPDATE_AD_ACCOUNT", "DELETE_AD_ACCOUNT"})
MOST_MANAGER_ACCOUNTS: Final = 5

MANAGER: Final = "manager"
AD: Final = "ad"


class Target(NamedTuple):
    """What is reached. The kind belongs to the identity: ad account 7 is not manager account 7."""

    kind: str
    id: int


# --- the world -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Login:
    """One person's credentials; a merged login names the one it lives on in."""

    id: int
    user_name: str
    merged_into: int | None = None


@dataclass(frozen=True)
class User:
    """That person in one manager account."""

    id: int
    login: int
    manager_account: int
    is_original: bool = True
    status: str = "ACTIVE"


@dataclass(frozen=True)
class ManagerAccount:
    """A manager account."""

    id: int
    name: str
    status: str = "ACTIVE"


@dataclass(frozen=True)
class AdAccount:
    """An ad account and its one owner."""

    id: int
    owner: int
    name: str
    status: str = "ACTIVE"


@dataclass(frozen=True)
class Assignment:
    """A stored role; `scope` is a kind, `listed` the ids the two ONLY_ kinds list."""

    id: int
    user: int
    manager_account: int
    role: str
    scope: str = "EVERY_ACCOUNT"
    listed: frozenset[int] = frozenset()


@dataclass(frozen=True)
class CustomerLink:
    """Managing manager account → client manager account."""

    id: int
    managing: int
    client: int
    permission: str = "ADMINISTRATIVE"
    status: str = "ACTIVE"


@dataclass(frozen=True)
class AccountLink:
    """Managing manager account → ad account."""

    id: int
    managing: int
    client: int
    status: str = "ACTIVE"


@dataclass(frozen=True)
class Aggregation:
    """Aggregator → the manager account it signed up."""

    id: int
    aggregator: int
    manager_account: int


@dataclass(frozen=True)
class World:
    """Every stored fact that can matter to access."""

    logins: tuple[Login, ...] = ()
    users: tuple[User, ...] = ()
    manager_accounts: tuple[ManagerAccount, ...] = ()
    ad_accounts: tuple[AdAccount, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    customer_links: tuple[CustomerLink, ...] = ()
    account_links: tuple[AccountLink, ...] = ()
    aggregations: tuple[Aggregation, ...] = ()

    def targets(self) -> list[Target]:
        """Everything that can be asked about."""
        return [Target(MANAGER, m.id) for m in self.manager_accounts] + [Target(AD, a.id) for a in self.ad_accounts]


# --- the table, read -------------------------------------------------------------------------------------


def _rows() -> Iterator[tuple[str, str, list[str]]]:
    for line in ROLE_TABLE.strip().splitlines():
        capability, where, *marks = line.split()
        yield capability, where, marks


@cache
def role_capabilities(role: str) -> frozenset[str]:
    """What the role holds before anything takes from it."""
    return frozenset(name for name, _, marks in _rows() if LETTERS[role] in marks)


@cache
def capabilities_on(kind: str) -> frozenset[str]:
    """What can be held on a target of this kind."""
    return frozenset(name for name, where, _ in _rows() if where in (kind, "both"))


THROUGH_STANDARD_LINK: Final = frozenset(name for name, _, marks in _rows() if "std" in marks)
THROUGH_ACCOUNT_LINK: Final = frozenset(name for name, _, marks in _rows() if "link" in marks)
EVERYTHING: Final = frozenset(name for name, _, _ in _rows())


# --- every simple path -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grant:
    """What one path gives, before the state of the target takes from it.

    `chain` lists the manager accounts joined by customer links; `standard` says whether one of those links
    was STANDARD.
    """

    assignment: Assignment
    target: Target
    context: int
    capabilities: frozenset[str]
    chain: tuple[int, ...]
    standard: bool = False

    @property
    def over_limit(self) -> bool:
        """Whether the chain has more manager accounts than may be linked in a row."""
        return len(self.chain) > MOST_MANAGER_ACCOUNTS


@dataclass
class _Walk:
    world: World
    assignment: Assignment
    grants: list[Grant] = field(default_factory=list)

    def give(self, target: Target, context: int, held: frozenset[str], chain: tuple[int, ...], standard: bool) -> None:
        self.grants.append(
            Grant(self.assignment, target, context, held & capabilities_on(target.kind), chain, standard),
        )

    def at(self, manager_account: int, held: frozenset[str], chain: tuple[int, ...], standard: bool) -> None:
        self.give(Target(MANAGER, manager_account), manager_account, held, chain, standard)
        self.owned(manager_account, held, chain, standard)
        self.account_links(manager_account, held, chain, standard)
        self.aggregations(manager_account, held, chain, standard)
        self.customer_links(manager_account, held, chain, standard, only=None)

    def owned(self, manager_account: int, held: frozenset[str], chain: tuple[int, ...], standard: bool) -> None:
        for ad_account in self.world.ad_accounts:
            if ad_account.owner == manager_account:
                self.give(Target(AD, ad_account.id), manager_account, held, chain, standard)

    def account_links(self, manager_account: int, held: frozenset[str], chain: tuple[int, ...], standard: bool) -> None:
        for link in self.world.account_links:
            if link.managing == manager_account and link.status in CARRYING:
                self.give(Target(AD, link.client), manager_account, held & THROUGH_ACCOUNT_LINK, chain, standard)

    def aggregations(self, manager_account: int, held: frozenset[str], chain: tuple[int, ...], standard: bool) -> None:
        for aggregation in self.world.aggregations:
            signed_up = aggregation.manager_account
            if aggregation.aggregator == manager_account and signed_up not in chain:
                self.give(Target(MANAGER, signed_up), manager_account, held, chain, standard)
                for ad_account in self.world.ad_accounts:
                    if ad_account.owner == signed_up:
                        self.give(Target(AD, ad_account.id), manager_account, held, chain, standard)

    def customer_links(
        self,
        manager_account: int,
        held: frozenset[str],
        chain: tuple[int, ...],
        standard: bool,
        only: frozenset[int] | None,
    ) -> None:
        for link in self.world.customer_links:
            if link.managing != manager_account or link.status not in CARRYING or link.client in chain:
                continue
            if only is not None and link.client not in only:
                continue
            if link.permission == "STANDARD":
                self.at(link.client, held & THROUGH_STANDARD_LINK, (*chain, link.client), True)
            else:
                self.at(link.client, held, (*chain, link.client), standard)


def grants_of_assignment(world: World, assignment: Assignment) -> list[Grant]:
    """One grant for each simple path that starts with this assignment, of any length."""
    walk = _Walk(world, assignment)
    own = assignment.manager_account
    held = role_capabilities(assignment.role)
    if assignment.scope == "EVERY_ACCOUNT":
        walk.at(own, held, (own,), False)
    elif assignment.scope == "ONLY_ACCOUNTS":
        # No manager account is given and nothing is walked below: only the listed ad accounts one step away.
        walk.owned(own, held, (own,), False)
        walk.account_links(own, held, (own,), False)
        walk.aggregations(own, held, (own,), False)
        walk.grants = [g for g in walk.grants if g.target.kind == AD and g.target.id in assignment.listed]
    elif assignment.scope == "EVERY_LINKED_ENTITY":
        walk.give(Target(MANAGER, own), own, held & {"VIEW"}, (own,), False)
        walk.account_links(own, held, (own,), False)
        walk.aggregations(own, held, (own,), False)
        walk.customer_links(own, held, (own,), False, only=None)
    elif assignment.scope == "ONLY_LINKED_ENTITIES":
        walk.give(Target(MANAGER, own), own, held & {"VIEW"}, (own,), False)
        walk.customer_links(own, held, (own,), False, only=assignment.listed)
    else:
        raise AssertionError(f"unknown scope {assignment.scope}")
    return walk.grants


# --- who asks --------------------------------------------------------------------------------------------


def users_of_login(world: World, login: int) -> list[User]:
    """The users a login may act as: none once it was merged, and only active ones."""
    merged = {item.id for item in world.logins if item.merged_into is not None}
    return [user for user in world.users if user.login == login and user.status == "ACTIVE" and login not in merged]


def users_behind(world: World, user: int) -> list[User]:
    """Whose assignments count when this user asks: the whole login's for its original user, else its own."""
    [asking] = [item for item in world.users if item.id == user]
    alive = users_of_login(world, asking.login)
    if asking not in alive:
        return []
    return alive if asking.is_original else [asking]


def _grants_of(world: World, users: list[User]) -> list[Grant]:
    ids = {user.id for user in users}
    return [
        grant
        for assignment in world.assignments
        if assignment.user in ids
        for grant in grants_of_assignment(world, assignment)
    ]


# --- answers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """Capabilities on one target.

    `allowed`: what may be used. `over_limit`: what only chains over the limit would give whatever the state
    of the target, an error and never a denial. `taken_by_state`: what the paths give but the target's state
    forbids now.
    """

    allowed: frozenset[str] = frozenset()
    over_limit: frozenset[str] = frozenset()
    taken_by_state: frozenset[str] = frozenset()


def forbidden_by_state(world: World, target: Target) -> frozenset[str]:
    """What nobody may do with the target as it is now."""
    forbidden: frozenset[str] = frozenset()
    if target.kind == MANAGER:
        [manager_account] = [item for item in world.manager_accounts if item.id == target.id]
        if manager_account.status == "INACTIVE":
            forbidden = EVERYTHING - {"VIEW"}
        return forbidden
    [ad_account] = [item for item in world.ad_accounts if item.id == target.id]
    if ad_account.status == "INACTIVE":
        forbidden = EVERYTHING - {"VIEW"}
    if any(link.client == target.id and link.status in IN_TRANSITION for link in world.account_links):
        forbidden = forbidden | FROZEN_IN_TRANSITION
    return forbidden


class RoleRow(NamedTuple):
    """One row of customerRoles. `accounts` is None when the row is not restricted ('every')."""

    role: str
    manager_account: int
    permission: str | None
    accounts: frozenset[int] | None
    linked_accounts: frozenset[int]


def _strongest(permissions: set[str]) -> str:
    return "ADMINISTRATIVE" if "ADMINISTRATIVE" in permissions else "STANDARD"


@dataclass(frozen=True)
class Oracle:
    """Answers about one world."""

    world: World

    def grants(self, user: int) -> list[Grant]:
        """Every path of the user, over the limit or not."""
        return _grants_of(self.world, users_behind(self.world, user))

    def grants_of_login(self, login: int) -> list[Grant]:
        """Every path of the whole login."""
        return _grants_of(self.world, users_of_login(self.world, login))

    def effective(self, user: int, target: Target, context: int | None = None) -> Answer:
        """What the user may do with the target, through one context or through any."""
        return self.judged(self.grants(user), target, context)

    def judged(self, grants: list[Grant], target: Target, context: int | None = None) -> Answer:
        """The union over these grants, then the state of the target."""
        within: set[str] = set()
        beyond: set[str] = set()
        for grant in grants:
            if grant.target == target and (context is None or grant.context == context):
                (beyond if grant.over_limit else within).update(grant.capabilities)
        forbidden = forbidden_by_state(self.world, target)
        return Answer(
            allowed=frozenset(within - forbidden),
            over_limit=frozenset(beyond - within),
            taken_by_state=frozenset(within & forbidden),
        )

    def everything(self, user: int) -> dict[Target, Answer]:
        """The whole effective set: one answer per target of the world."""
        grants = self.grants(user)
        return {target: self.judged(grants, target) for target in self.world.targets()}

    def contexts(self, user: int, target: Target) -> frozenset[int]:
        """The manager accounts that can be named to use the target."""
        return frozenset(g.context for g in self.grants(user) if g.target == target and not g.over_limit)

    def accessible(self, user: int) -> frozenset[Target]:
        """Everything the user has VIEW on."""
        return frozenset(target for target, answer in self.everything(user).items() if "VIEW" in answer.allowed)

    def accessors(self, target: Target) -> frozenset[int]:
        """The users who have VIEW on the target."""
        return frozenset(user.id for user in self.world.users if target in self.accessible(user.id))

    def linked_accounts(self, manager_account: int) -> frozenset[int]:
        """Ad accounts used through this manager account without being its own."""
        linked = {
            link.client
            for link in self.world.account_links
            if link.managing == manager_account and link.status in CARRYING
        }
        signed_up = {g.manager_account for g in self.world.aggregations if g.aggregator == manager_account}
        return frozenset(linked | {a.id for a in self.world.ad_accounts if a.owner in signed_up})

    def customer_roles(self, user: int) -> frozenset[RoleRow]:
        """The rows GetUser would show for this user."""
        return self._rows_for(users_behind(self.world, user))

    def customer_roles_of_login(self, login: int) -> frozenset[RoleRow]:
        """The rows GetUser would show for the whole login."""
        return self._rows_for(users_of_login(self.world, login))

    def _rows_for(self, users: list[User]) -> frozenset[RoleRow]:
        ids = {user.id for user in users}
        assignments = [item for item in self.world.assignments if item.user in ids]
        direct = {self._direct_row(item) for item in assignments}
        covered = {(item.role, item.manager_account) for item in assignments if item.scope == "EVERY_ACCOUNT"}
        permissions: dict[tuple[str, int], set[str]] = {}
        for grant in _grants_of(self.world, users):
            # A grant on the last manager account of a chain of links: what aggregation reaches ends elsewhere.
            arrived = grant.target == Target(MANAGER, grant.chain[-1])
            if arrived and len(grant.chain) > 1 and not grant.over_limit:
                key = (grant.assignment.role, grant.target.id)
                permissions.setdefault(key, set()).add("STANDARD" if grant.standard else "ADMINISTRATIVE")
        derived = {
            RoleRow(role, manager_account, _strongest(found), None, self.linked_accounts(manager_account))
            for (role, manager_account), found in permissions.items()
            if (role, manager_account) not in covered
        }
        return frozenset(direct | derived)

    def _direct_row(self, item: Assignment) -> RoleRow:
        owned = frozenset(a.id for a in self.world.ad_accounts if a.owner == item.manager_account)
        linked = self.linked_accounts(item.manager_account)
        if item.scope == "EVERY_ACCOUNT":
            return RoleRow(item.role, item.manager_account, None, None, linked)
        if item.scope == "ONLY_ACCOUNTS":
            return RoleRow(item.role, item.manager_account, None, owned & item.listed, linked & item.listed)
        if item.scope == "EVERY_LINKED_ENTITY":
            return RoleRow(item.role, item.manager_account, "LINKED_ENTITY_ONLY", frozenset(), linked)
        return RoleRow(item.role, item.manager_account, "LINKED_ENTITY_ONLY", frozenset(), frozenset())
