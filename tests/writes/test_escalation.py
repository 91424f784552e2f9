"""Nobody writes himself more than he held: not in many steps, not through whom he invites."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from storage.database import Database
from tests.databases import Databases
from tests.oracle import Oracle, Target, World
from tests.writes.dealings import HERO, STRANGERS, Dealings, small_company

SEEDS = {"sqlite": range(60), "postgresql": range(4)}
STEPS = 40
DOCUMENTED = {"MANAGE_ACCOUNT_LINKS": {"TAKE_OVER_BILLING"}, "MANAGE_MANAGER_LINKS": {"SIGN_UP_CUSTOMER"}}
"""What may be gained by whom on a target: who answers for a client may give it to a manager account in which he
holds a stronger role (C13, C15), and what that role can do over a link beyond his own is just this."""


def held(world: World, login: int) -> dict[Target, frozenset[str]]:
    """What the paths of a login give it, whatever the state of the target."""
    oracle = Oracle(world)
    grants = oracle.grants_of_login(login)
    answers = {target: oracle.judged(grants, target) for target in world.targets()}
    return {key: one.allowed | one.taken_by_state | one.over_limit for key, one in answers.items()}


def gained(before: World, after: World, login: int) -> list[tuple[Target, frozenset[str]]]:
    """What a login holds now beyond what the hero held at first and what the documented roles allow."""
    known = {one.id for one in before.ad_accounts}
    added = tuple(one for one in after.ad_accounts if one.id not in known)
    first = held(replace(before, ad_accounts=(*before.ad_accounts, *added)), HERO)
    found = []
    for target, now in held(after, login).items():
        allowed = set(first[target])
        for capability, more in DOCUMENTED.items():
            if capability in first[target]:
                allowed |= more
        if now - allowed:
            found.append((target, frozenset(now - allowed)))
    return found


@pytest.mark.timeout(300)
def test_no_sequence_of_writes_gives_a_user_or_his_invitees_what_he_did_not_hold(
    databases: Databases, migrated_url: str
) -> None:
    done: Counter[str] = Counter()
    kind = "postgresql" if migrated_url.startswith("postgresql") else "sqlite"
    for seed in SEEDS[kind]:
        url = databases.copy_of(migrated_url)
        database = Database.open(url)
        try:
            done += play(database, seed)
        finally:
            database.close()
            databases.drop(url)
    if kind == "sqlite":
        # A sequence of refusals would prove nothing.
        for mutation in ("addClientLinks", "updateClientLinks", "updateUserRoles", "acceptUserInvitation"):
            assert done[mutation] >= 15, done
        assert done["moveClientLink"] >= 3, done


def play(database: Database, seed: int) -> Counter[str]:
    """One sequence by the hero and whom he invites; returns what was done."""
    dice = random.Random(seed)
    dealings = Dealings(database, small_company(seed), dice.randrange)
    before = dealings.world()
    joined = {HERO}
    for step in range(STEPS):
        actor = dice.choice(sorted(joined))
        mutation, given = dealings.anything()
        if mutation == "acceptUserInvitation":
            actor = dice.choice((HERO, *STRANGERS))
        if dealings.send(actor, mutation, given) and mutation == "acceptUserInvitation":
            joined.add(actor)
        if step % 4 == 3:
            dealings.wait(1)
            after = dealings.world()
            for login in sorted(joined):
                assert gained(before, after, login) == [], (seed, step, login)
    return dealings.done
