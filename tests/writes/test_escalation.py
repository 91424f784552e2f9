"""Nobody writes himself more than he held: not in many steps, not through whom he invites, not round the client.

Besides the hero and whom he brings in, the Super Admins of all manager accounts write too: they accept and send
links, move them and change roles. What such a person gives is given. So whatever the hero and his people hold
right after it counts as held, and all they then do by themselves must leave them with no more.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import pytest

from storage.database import Database
from tests.builders import a_role
from tests.databases import Databases
from tests.oracle import Oracle, Target, World
from tests.writes.dealings import CUSTOMERS, HERO, STRANGERS, Dealings, small_company

SEEDS = {"sqlite": range(60), "postgresql": range(4)}
STEPS = 40


class Allowance(NamedTuple):
    """What somebody who holds a capability on a target may come to hold there besides, and where that is written."""

    holding: str
    gains: str
    why: str
    source: str


DOCUMENTED = (
    Allowance(
        "MANAGE_ACCOUNT_LINKS",
        "TAKE_OVER_BILLING",
        "who answers for an ad account may accept a link to it from a manager account in which he, or somebody he"
        " invited, is Super Admin; an account link carries to a Super Admin just this beyond a Standard user's rights",
        "permissions C8 and C13; fact sheet 5.2 (account links: Standard, both as agency and as client) and 8.3 (who"
        " belongs to both sides may do what either side may do)",
    ),
    Allowance(
        "MANAGE_MANAGER_LINKS",
        "SIGN_UP_CUSTOMER",
        "who answers for a manager account may accept an administrative link from one in which he is Aggregator; such"
        " a link carries everything, and this is all an Aggregator has beyond a Super Admin",
        "permissions C15 and C18, and the sentence under the table of section 2; fact sheet 8.3",
    ),
)
"""All exceptions on one target. There is one more, `as_super_admin`."""


def as_super_admin(world: World, login: int) -> World:
    """The world once a login has made itself Super Admin wherever it manages Super Admins.

    Who holds MANAGE_SUPER_ADMINS invites and names them, himself too (permissions C17; fact sheet 5.2,
    SendUserInvitation and UpdateUserRoles), and a Super Admin reaches what his manager account is linked to. For an
    Aggregator that is more than his aggregation gives by itself, which stops at the one it signed up (P13).
    """
    user = next((one.id for one in world.users if one.login == login and one.status == "ACTIVE"), None)
    leads = [] if user is None else [key.id for key, may in held(world, login).items() if "MANAGE_SUPER_ADMINS" in may]
    named = (a_role(at=one, user=user or 0, id=-nth) for nth, one in enumerate(leads, 1))
    return replace(world, assignments=(*world.assignments, *named))


def held(world: World, login: int) -> dict[Target, frozenset[str]]:
    """What the paths of a login give it, whatever the state of the target."""
    oracle = Oracle(world)
    grants = oracle.grants_of_login(login)
    answers = {target: oracle.judged(grants, target) for target in world.targets()}
    return {key: one.allowed | one.taken_by_state | one.over_limit for key, one in answers.items()}


def gained(before: World, after: World, login: int) -> list[tuple[Target, frozenset[str]]]:
    """What a login holds now beyond what the hero held at first and what the documented roles allow."""
    return Given([(before, (HERO,))]).exceeded(after, login)


@dataclass
class Given:
    """Moments at which what some people held was theirs: at first, and whenever somebody else had given something."""

    moments: list[tuple[World, tuple[int, ...]]]
    _known: dict[tuple[int, frozenset[int]], dict[Target, set[str]]] = field(default_factory=dict)

    def exceeded(self, after: World, login: int) -> list[tuple[Target, frozenset[str]]]:
        """What a login holds beyond all that was given, and beyond what follows from it by `DOCUMENTED`."""
        given = [self._held_at(nth, after) for nth in range(len(self.moments))]
        found = []
        for target, now in held(after, login).items():
            allowed = set[str]().union(*(one.get(target, ()) for one in given))
            allowed |= {one.gains for one in DOCUMENTED if one.holding in allowed}
            if now - allowed:
                found.append((target, frozenset(now - allowed)))
        return found

    def _held_at(self, nth: int, after: World) -> dict[Target, set[str]]:
        """What was held at a moment, as if the ad accounts added since had been there."""
        world, logins = self.moments[nth]
        there = {one.id for one in world.ad_accounts}
        added = tuple(one for one in after.ad_accounts if one.id not in there)
        key = (nth, frozenset(one.id for one in added))
        if key not in self._known:
            whole = replace(world, ad_accounts=(*world.ad_accounts, *added))
            each = [held(as_super_admin(whole, login), login) for login in logins]
            self._known[key] = {target: set[str]().union(*(one[target] for one in each)) for target in each[0]}
        return self._known[key]


@pytest.mark.timeout(600)
def test_no_sequence_of_writes_gives_a_user_or_his_invitees_what_he_did_not_hold(
    databases: Databases, migrated_url: str
) -> None:
    done: Counter[str] = Counter()
    kind = "postgresql" if migrated_url.startswith("postgresql") else "sqlite"
    for seed in SEEDS[kind]:
        url = databases.copy_of(migrated_url)
        database = Database.open(url)
        try:
            done += Play(database, seed).run()
        finally:
            database.close()
            databases.drop(url)
    if kind == "sqlite":
        # A sequence of refusals would prove nothing.
        for mutation, times in NEEDED.items():
            assert done[mutation] >= times, done


NEEDED = {
    "addClientLinks": 15,
    "updateClientLinks": 15,
    "moveClientLink": 10,
    "updateUserRoles": 15,
    "sendUserInvitation": 15,
    "acceptUserInvitation": 15,
    # A manager account has one draft at a time.
    "addAdAccount": 5,
}
"""How often the hero and his people must have done what matters."""
BY_OTHERS: tuple[Callable[[Dealings], tuple[str, dict[str, Any]]], ...] = (
    Dealings.answer_link,
    Dealings.answer_link,
    Dealings.send_link,
    Dealings.move_link,
    Dealings.change_roles,
)
"""What people do who were not invited by the hero. They invite nobody: who accepts counts as the hero's guest."""
SCHEME: tuple[Callable[[Dealings], tuple[str, dict[str, Any]]], ...] = (
    Dealings.invite_a_leader,
    Dealings.accept_invitation,
    Dealings.lower_oneself,
    Dealings.move_link,
    Dealings.move_link,
)
"""Steps of somebody who wants more and knows how; in any order."""


class Play:
    """One sequence of writes by the hero, whom he invites, and others."""

    def __init__(self, database: Database, seed: int) -> None:
        self._seed = seed
        self._dice = random.Random(seed)
        self._dealings = Dealings(database, small_company(seed), self._dice.randrange)
        self._joined = {HERO}
        self._given = Given([(self._dealings.world(), (HERO,))])
        self._done: Counter[str] = Counter()

    def run(self) -> Counter[str]:
        """Play it; returns what was done by the hero and his people."""
        for step in range(STEPS):
            if self._dice.randrange(6) == 0:
                self._check(step)
                self._somebody_else_acts()
            else:
                self._one_of_them_acts()
            if step % 4 == 3:
                self._check(step)
        return self._done

    def _one_of_them_acts(self) -> None:
        dice, dealings = self._dice, self._dealings
        schemes = dice.randrange(2) == 0
        actor = HERO if schemes else dice.choice(sorted(self._joined))
        mutation, given = dice.choice(SCHEME)(dealings) if schemes else dealings.anything()
        if mutation == "acceptUserInvitation":
            actor = dice.choice((HERO, *STRANGERS))
        if dealings.send(actor, mutation, given):
            self._done[mutation] += 1
            if mutation == "acceptUserInvitation":
                self._joined.add(actor)

    def _somebody_else_acts(self) -> None:
        dealings = self._dealings
        actor = 10 + self._dice.choice(CUSTOMERS)
        if dealings.send(actor, *self._dice.choice(BY_OTHERS)(dealings)):
            dealings.wait(1)
            self._given.moments.append((dealings.world(), tuple(sorted(self._joined))))

    def _check(self, step: int) -> None:
        self._dealings.wait(1)
        after = self._dealings.world()
        for login in sorted(self._joined):
            assert self._given.exceeded(after, login) == [], (self._seed, step, login)
