"""Of several chains that are too long the same one is told, in whatever order their links were loaded (rule P10)."""

from __future__ import annotations

import random

import pytest

from resolvers.rules.capabilities import BIT, Capability
from resolvers.rules.paths import PathFinder
from storage.records.ids import ManagerAccountId
from tests.builders import a_link, a_role, a_user, a_world
from tests.worlds import to_facts

LINKS = [*(a_link(1, middle) for middle in (21, 22, 23)), *(a_link(middle, 3) for middle in (21, 22, 23))]
LINKS += [a_link(3, 4), a_link(4, 5), a_link(5, 6)]
ROLES = [a_role("SUPER_ADMIN", at=1, user=1, id=1), a_role("VIEWER", at=1, user=1, id=2)]


@pytest.mark.parametrize("seed", range(10))
def test_the_chain_that_is_told_does_not_waver(seed: int) -> None:
    dice = random.Random(seed)

    def told() -> tuple[ManagerAccountId, ...] | None:
        links, roles = dice.sample(LINKS, len(LINKS)), dice.sample(ROLES, len(ROLES))
        facts = to_facts(a_world(a_user(1, of=1, login=1), *roles, *links))
        held = facts.assignments_by_user.values()
        return PathFinder(facts, ManagerAccountId(6)).chain_over_limit(
            [item for items in held for item in items], BIT[Capability.VIEW]
        )

    first = told()
    assert first is not None
    assert len(first) == 6
    assert all(told() == first for _ in range(5))
