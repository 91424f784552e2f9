"""Thousands of random worlds: the product and the oracle must give the same whole answers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.oracle import Oracle, Target, World
from tests.rules.product import Product
from tests.strategies import questions, worlds
from tests.worlds import seeded_world

SEEDS = [range(start, start + 500) for start in range(0, 4_000, 500)]


def assert_same_answers(world: World) -> None:
    """Every user on every target, with no context and with every context; and every row of customerRoles."""
    oracle, product = Oracle(world), Product(world)
    for user in (item.id for item in world.users):
        grants = oracle.grants(user)
        for target in world.targets():
            assert product.effective(user, target) == oracle.judged(grants, target), (user, target)
            for context in {grant.context for grant in grants if grant.target == target}:
                expected = oracle.judged(grants, target, context)
                assert product.effective(user, target, context) == expected, (user, target, context)
        rows = product.customer_roles(user)
        assert frozenset(rows) == oracle.customer_roles(user), user
    for login in (item.id for item in world.logins):
        grants = oracle.grants_of_login(login)
        expected_of_login = {target: oracle.judged(grants, target) for target in world.targets()}
        assert product.everything_of_login(login) == expected_of_login, login


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_effective_sets_and_customer_roles_equal_the_oracle(seeds: range) -> None:
    for seed in seeds:
        assert_same_answers(seeded_world(seed))


@pytest.mark.parametrize("seeds", [range(10_000, 10_200)], ids=str)
def test_large_worlds_equal_the_oracle(seeds: range) -> None:
    for seed in seeds:
        assert_same_answers(seeded_world(seed, most_manager_accounts=12))


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_drawn_worlds_equal_the_oracle(world: World) -> None:
    assert_same_answers(world)


@settings(max_examples=200, deadline=None)
@given(questions())
def test_a_drawn_question_has_the_oracles_answer(question: tuple[World, int, Target, int | None]) -> None:
    world, user, target, context = question
    assert Product(world).effective(user, target, context) == Oracle(world).effective(user, target, context)
