"""Every explanation is checked fact by fact, and the facts it names are the ones that matter."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings

from resolvers.rules.capabilities import BIT
from tests.oracle import AD, MANAGER, Oracle, Target, World
from tests.rules.product import Product, names
from tests.strategies import worlds
from tests.verifier import Explanation, only_the_facts_of, why_not, without_one_fact_each
from tests.worlds import seeded_world

SEEDS = [range(start, start + 100) for start in range(20_000, 20_400, 100)]


def reached(world: World) -> list[tuple[int, Target]]:
    """Every user with every target that has anything to explain."""
    oracle = Oracle(world)
    pairs = []
    for user in world.users:
        targets = {grant.target for grant in oracle.grants(user.id)}
        pairs += [(user.id, target) for target in sorted(targets)]
    return pairs


def assert_explanations_are_true(world: World) -> None:
    product = Product(world)
    for user, target in reached(world):
        explanations = product.explanations(user, target)
        for explanation in explanations:
            assert why_not(world, explanation) is None, explanation
        explained = {explanation.capability for explanation in explanations}
        assert explained == product.effective(user, target).allowed, (user, target)


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_every_explanation_verifies_and_whatever_is_allowed_has_one(seeds: range) -> None:
    for seed in seeds:
        assert_explanations_are_true(seeded_world(seed))


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_every_explanation_of_a_drawn_world_verifies(world: World) -> None:
    assert_explanations_are_true(world)


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_no_path_is_left_out_or_told_twice(seeds: range) -> None:
    for world in map(seeded_world, seeds):
        oracle, product = Oracle(world), Product(world)
        for user, target in reached(world):
            expected = Counter(
                (grant.assignment.id, grant.context, len(grant.chain), grant.capabilities)
                for grant in oracle.grants(user)
                if grant.target == target and not grant.over_limit
            )
            told = Counter(
                (
                    path.assignment.id,
                    path.context,
                    1 + sum(hop.kind == "CUSTOMER_LINK" for hop in path.hops),
                    names(path.capabilities),
                )
                for path in product.access(user, target).paths
            )
            assert told == expected, (user, target)


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_the_deciding_path_gives_the_capability_and_deciding_paths_come_first(seeds: range) -> None:
    for world in map(seeded_world, seeds):
        product = Product(world)
        for user, target in reached(world):
            access = product.access(user, target)
            held = names(access.permissions.capabilities)
            assert {str(capability) for capability in access.deciding} >= held
            for capability, index in access.deciding.items():
                assert access.paths[index].capabilities & BIT[capability], (user, target, capability)
            deciding = set(access.deciding.values())
            assert deciding == set(range(len(deciding))), (user, target)


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_contexts_tell_what_is_held_through_each(seeds: range) -> None:
    for world in map(seeded_world, seeds):
        oracle, product = Oracle(world), Product(world)
        for user, target in reached(world):
            contexts = {item.manager_account_id: item.capabilities for item in product.access(user, target).contexts}
            assert set(contexts) == oracle.contexts(user, target), (user, target)
            for context, capabilities in contexts.items():
                assert names(capabilities) == oracle.effective(user, target, context).allowed, (user, target, context)


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_the_contexts_of_a_reach_are_those_of_its_explanations(seeds: range) -> None:
    for world in map(seeded_world, seeds):
        oracle, product = Oracle(world), Product(world)
        for user in world.users:
            for target in world.targets():
                expected = {
                    context: oracle.effective(user.id, target, context).allowed
                    for context in oracle.contexts(user.id, target)
                }
                assert product.contexts(user.id, target) == expected, (user.id, target)


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_a_named_context_keeps_the_paths_through_it_only(seeds: range) -> None:
    for world in map(seeded_world, seeds):
        product = Product(world)
        for user, target in reached(world):
            everything = product.access(user, target).paths
            for context in {path.context for path in everything}:
                kept = product.access(user, target, context).paths
                assert Counter(kept) == Counter(path for path in everything if path.context == context)


@pytest.mark.parametrize("seeds", [range(30_000, 30_040)], ids=str)
def test_the_facts_of_one_explanation_alone_still_allow_it(seeds: range) -> None:
    for world in map(seeded_world, seeds):
        for user, target in reached(world):
            for explanation in Product(world).explanations(user, target)[::7]:
                alone = only_the_facts_of(world, explanation)
                assert explanation.capability in Product(alone).effective(user, target).allowed, explanation


@pytest.mark.parametrize("seeds", [range(31_000, 31_060)], ids=str)
def test_taking_one_fact_from_every_explanation_denies(seeds: range) -> None:
    for seed, world in ((seed, seeded_world(seed)) for seed in seeds):
        for user, target in reached(world):
            by_capability: dict[str, list[Explanation]] = {}
            for explanation in Product(world).explanations(user, target):
                by_capability.setdefault(explanation.capability, []).append(explanation)
            for capability in sorted(by_capability)[:3]:
                poorer = without_one_fact_each(world, by_capability[capability], pick=seed)
                assert capability not in Product(poorer).effective(user, target).allowed, (seed, user, target)


def test_without_links_every_path_is_the_assignment_or_one_step_of_ownership() -> None:
    ways: set[tuple[str, ...]] = set()
    for world in map(seeded_world, range(40)):
        bare = replace(world, customer_links=(), account_links=(), aggregations=())
        product = Product(bare)
        for user, target in reached(bare):
            ways |= {(target.kind, *(hop.kind for hop in path.hops)) for path in product.access(user, target).paths}
    assert ways == {(MANAGER,), (AD, "OWNERSHIP")}
