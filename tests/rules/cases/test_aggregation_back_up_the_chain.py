"""An aggregator below the manager account it signed up: the path would visit that one twice (P5, P13)."""

from __future__ import annotations

from tests.builders import a_link, a_role, a_world, an_ad, an_aggregation
from tests.oracle import AD, MANAGER, Oracle, Target
from tests.rules.product import Product


def test_linked_entity_only_does_not_come_back_with_everything() -> None:
    """Manager account 1 links 2, which signed 1 up: P4 leaves VIEW on 1 and nothing of ad account 7."""
    world = a_world(
        a_role("SUPER_ADMIN", at=1, scope="EVERY_LINKED_ENTITY"),
        a_link(1, 2),
        an_aggregation(2, 1),
        an_ad(7, owner=1),
    )
    for judge in (Oracle(world), Product(world)):
        assert judge.effective(1, Target(MANAGER, 1)).allowed == {"VIEW"}
        assert judge.effective(1, Target(AD, 7)).allowed == set()


def test_the_aggregator_is_no_context_for_what_the_path_already_visited() -> None:
    """1 links 2 links 3, which signed 2 up: 2 is used through itself, never through 3."""
    world = a_world(
        a_role("SUPER_ADMIN", at=1),
        a_link(1, 2),
        a_link(2, 3),
        an_aggregation(3, 2),
        an_ad(7, owner=2),
    )
    for judge in (Oracle(world), Product(world)):
        for target in (Target(MANAGER, 2), Target(AD, 7)):
            assert "VIEW" in judge.effective(1, target, context=2).allowed
            assert judge.effective(1, target, context=3).allowed == set()
