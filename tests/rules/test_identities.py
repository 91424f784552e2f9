"""Identities are exact: what reads alike, collides when joined, or is of another kind is something else."""

from __future__ import annotations

from hypothesis import given, settings

from tests.builders import a_link, a_role, a_user, a_world, an_account_link, an_ad, an_aggregation
from tests.oracle import Oracle, World
from tests.rules.judges import accessible, ad, allowed, manager
from tests.rules.product import Product
from tests.strategies import worlds


def test_ids_that_collide_when_joined_are_different() -> None:
    """User 1 in 12 and user 11 in 2 are both '112' when written side by side."""
    world = a_world(
        a_user(1, of=12, login=1),
        a_user(11, of=2, login=11),
        a_role("VIEWER", at=12, user=1, id=1),
        a_role("SUPER_ADMIN", at=2, user=11, id=11),
        an_ad(112, owner=12),
        an_ad(12, owner=2),
    )
    assert accessible(world, user=1) == {manager(12), ad(112)}
    assert accessible(world, user=11) == {manager(2), ad(12)}
    assert "MANAGE_USERS" not in allowed(world, manager(12), user=1)


def test_links_whose_ends_collide_when_joined_are_different() -> None:
    world = a_world(
        a_role("VIEWER", at=1, id=1),
        a_link(1, 12, id=1),
        a_link(11, 2, id=11),
    )
    assert accessible(world) == {manager(1), manager(12)}


def test_a_manager_account_is_not_the_ad_account_of_its_number() -> None:
    world = a_world(a_role("VIEWER", at=1), an_ad(2, owner=1), an_ad(1, owner=2))
    assert accessible(world) == {manager(1), ad(2)}


def test_a_link_to_the_ad_account_is_not_one_to_the_manager_account_of_its_number() -> None:
    world = a_world(a_role("VIEWER", at=1), an_account_link(1, 7), an_ad(7, owner=7), an_ad(8, owner=7))
    assert accessible(world) == {manager(1), ad(7)}


def test_a_scope_on_ad_account_7_says_nothing_about_manager_account_7() -> None:
    scoped = a_world(
        a_role("VIEWER", at=1, scope="ONLY_ACCOUNTS", listed={7}), an_ad(7, owner=1), a_link(1, 7), an_ad(8, owner=7)
    )
    assert accessible(scoped) == {ad(7)}
    linked = a_world(
        a_role("VIEWER", at=1, scope="ONLY_LINKED_ENTITIES", listed={7}),
        an_ad(7, owner=1),
        a_link(1, 7),
        an_ad(8, owner=7),
    )
    assert accessible(linked) == {manager(1), manager(7), ad(8)}


def test_a_link_and_an_aggregation_of_one_number_do_not_mix() -> None:
    world = a_world(
        a_role("SUPER_ADMIN", at=1),
        a_link(1, 2, "STANDARD", status="INACTIVE", id=5),
        an_aggregation(1, 3, id=5),
    )
    assert accessible(world) == {manager(1), manager(3)}


def test_users_of_one_manager_account_are_different_people() -> None:
    world = a_world(
        a_user(1, of=1, login=1),
        a_user(2, of=1, login=2),
        a_role("SUPER_ADMIN", at=1, user=1),
    )
    assert accessible(world, user=1) == {manager(1)}
    assert accessible(world, user=2) == set()


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_a_context_is_a_manager_account_and_never_the_target_of_its_number(world: World) -> None:
    oracle, product = Oracle(world), Product(world)
    for user in world.users:
        for target in world.targets():
            for context in {target.id, *(item.id for item in world.manager_accounts)}:
                assert product.effective(user.id, target, context) == oracle.effective(user.id, target, context)
