"""A denial tells the truth: its code, what would have worked, and chains over the limit as errors."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from resolvers.rules.access import Decision, decision, refuse_over_limit
from resolvers.rules.capabilities import Capability
from resolvers.rules.near_misses import AccessCode, NearMiss, near_misses
from resolvers.rules.paths import ChainOverLimit
from tests.builders import a_chain, a_link, a_role, a_user, a_world, an_account_link, an_ad, an_aggregation
from tests.oracle import AD, CARRYING, IN_TRANSITION, MANAGER, Oracle, Target, World, capabilities_on
from tests.rules.judges import ad, manager
from tests.rules.product import Product
from tests.worlds import seeded_world

SEEDS = [range(start, start + 60) for start in range(50_000, 50_180, 60)]


def decide(world: World, target: Target, capability: str, *, user: int = 1, context: int | None = None) -> Decision:
    """The product's decision; raises ChainOverLimit where it refuses to decide."""
    product = Product(world)
    access = product.access(user, target, context)
    asked, subject = Capability(capability), product.assignments(user)
    refuse_over_limit(access.permissions, product.facts, subject, product.target(target), asked)
    return decision(access, asked, lambda: misses(product, user, target, capability, context))


def misses(product: Product, user: int, target: Target, capability: str, context: int | None = None) -> list[NearMiss]:
    """The near misses of one denial."""
    subject = product.assignments(user)
    named = None if context is None else product.facts.manager_accounts[context].id  # type: ignore[index]
    return near_misses(product.facts, subject, product.target(target), Capability(capability), named)


# --- codes -----------------------------------------------------------------------------------------------

OWNED = an_ad(7, owner=1)
DENIALS = [
    pytest.param(a_world(a_role("VIEWER"), OWNED), ad(7), "VIEW", "ALLOWED", id="held"),
    pytest.param(a_world(a_role("VIEWER"), an_ad(7, owner=2)), ad(7), "VIEW", "NO_PATH", id="nothing leads there"),
    pytest.param(a_world(a_user(1, of=1), OWNED), ad(7), "VIEW", "NO_PATH", id="no role at all"),
    pytest.param(
        a_world(a_role("VIEWER"), OWNED), ad(7), "MANAGE_CAMPAIGNS", "ROLE_LACKS_CAPABILITY", id="a viewer only views"
    ),
    pytest.param(
        a_world(a_role("SUPER_ADMIN"), a_link(1, 2, "STANDARD")),
        manager(2),
        "MANAGE_USERS",
        "LINK_CAP",
        id="a standard link takes it",
    ),
    pytest.param(
        a_world(a_role("SUPER_ADMIN"), an_account_link(1, 7), an_ad(7, owner=2)),
        ad(7),
        "DELETE_AD_ACCOUNT",
        "LINK_CAP",
        id="an account link takes it",
    ),
    pytest.param(
        a_world(a_role("VIEWER"), a_link(1, 2, status="LINK_PENDING")),
        manager(2),
        "VIEW",
        "LINK_NOT_ACTIVE",
        id="the link is pending",
    ),
    pytest.param(
        a_world(a_role("VIEWER"), an_account_link(1, 7, status="INACTIVE"), an_ad(7, owner=2)),
        ad(7),
        "VIEW",
        "LINK_NOT_ACTIVE",
        id="the account link has ended",
    ),
    pytest.param(
        a_world(a_role("VIEWER", scope="ONLY_ACCOUNTS", listed={8}), OWNED, an_ad(8, owner=1)),
        ad(7),
        "VIEW",
        "ACCOUNT_NOT_IN_SCOPE",
        id="the scope lists another account",
    ),
    pytest.param(
        a_world(a_role("VIEWER", scope="EVERY_LINKED_ENTITY"), OWNED),
        ad(7),
        "VIEW",
        "LINKED_ENTITY_ONLY",
        id="linked entities only",
    ),
    pytest.param(
        a_world(a_role("SUPER_ADMIN"), an_ad(7, owner=1, status="INACTIVE")),
        ad(7),
        "MANAGE_CAMPAIGNS",
        "OBJECT_STATE",
        id="the ad account is inactive",
    ),
    pytest.param(
        a_world(a_role("SUPER_ADMIN"), OWNED, an_account_link(2, 7, status="LINK_IN_PROGRESS")),
        ad(7),
        "DELETE_AD_ACCOUNT",
        "OBJECT_STATE",
        id="the ad account is in transition",
    ),
]


@pytest.mark.parametrize(("world", "target", "capability", "code"), DENIALS)
def test_the_code_names_what_is_in_the_way(world: World, target: Target, capability: str, code: str) -> None:
    told = decide(world, target, capability)
    assert told.code == code
    assert told.allowed == (code == "ALLOWED") == (capability in Oracle(world).effective(1, target).allowed)
    assert told.message


def test_codes_of_random_worlds_agree_with_the_oracle() -> None:
    seen: Counter[str] = Counter()
    for world in map(seeded_world, range(51_000, 51_060)):
        oracle = Oracle(world)
        for user in world.users:
            for target, answer in oracle.everything(user.id).items():
                for capability in ("VIEW", "MANAGE_USERS", "MANAGE_CAMPAIGNS", "DELETE_AD_ACCOUNT"):
                    if capability in answer.over_limit or capability not in capabilities_on(target.kind):
                        continue
                    told = decide(world, target, capability, user=user.id)
                    assert told.allowed == (capability in answer.allowed), (user.id, target, capability)
                    assert (told.code == AccessCode.ALLOWED) == told.allowed
                    assert (told.code == AccessCode.OBJECT_STATE) == (capability in answer.taken_by_state)
                    assert (told.deciding_path is None) == (not told.allowed)
                    seen[told.code] += 1
    assert set(seen) >= set(AccessCode) - {AccessCode.NOT_VISIBLE}, "the worlds must show every code"


# --- near misses -----------------------------------------------------------------------------------------


def repaired(world: World, miss: NearMiss, target: Target) -> World | None:
    """The world without the one thing the near miss blames; None when it blames what cannot be changed."""
    at_fault = miss.path.assignment.id
    if miss.code == AccessCode.ROLE_LACKS_CAPABILITY:
        # The remedy is to give another role there; a new role has no scope.
        [role] = [i for i in world.assignments if i.id == at_fault]
        more = replace(role, id=10**9, role="AGGREGATOR", scope="EVERY_ACCOUNT", listed=frozenset())
        return replace(world, assignments=(*world.assignments, more))
    if miss.code in (AccessCode.ACCOUNT_NOT_IN_SCOPE, AccessCode.LINKED_ENTITY_ONLY):
        roles = tuple(
            replace(i, scope="EVERY_ACCOUNT", listed=frozenset()) if i.id == at_fault else i for i in world.assignments
        )
        return replace(world, assignments=roles)
    if miss.code == AccessCode.OBJECT_STATE:
        return _settled(world, target)
    assert miss.hop is not None, miss
    link = miss.path.hops[miss.hop].link_id
    if miss.code == AccessCode.LINK_NOT_ACTIVE:
        return replace(
            world,
            customer_links=tuple(replace(i, status="ACTIVE") if i.id == link else i for i in world.customer_links),
            account_links=tuple(replace(i, status="ACTIVE") if i.id == link else i for i in world.account_links),
        )
    assert miss.code == AccessCode.LINK_CAP, miss
    if link in {item.id for item in world.account_links}:
        return None
    opened = tuple(replace(i, permission="ADMINISTRATIVE") if i.id == link else i for i in world.customer_links)
    return replace(world, customer_links=opened)


def _settled(world: World, target: Target) -> World:
    return replace(
        world,
        manager_accounts=tuple(
            replace(i, status="ACTIVE") if Target(MANAGER, i.id) == target else i for i in world.manager_accounts
        ),
        ad_accounts=tuple(replace(i, status="ACTIVE") if Target(AD, i.id) == target else i for i in world.ad_accounts),
        account_links=tuple(
            replace(i, status="ACTIVE" if i.status == "UNLINK_IN_PROGRESS" else "LINK_FAILED")
            if Target(AD, i.client) == target and i.status in IN_TRANSITION
            else i
            for i in world.account_links
        ),
    )


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_a_near_miss_would_have_worked_but_for_what_it_blames(seeds: range) -> None:
    repairs: Counter[str] = Counter()
    for world in map(seeded_world, seeds):
        product, oracle = Product(world), Oracle(world)
        for user in world.users:
            for target, answer in oracle.everything(user.id).items():
                for capability in sorted(capabilities_on(target.kind) - answer.allowed - answer.over_limit)[::4]:
                    for miss in misses(product, user.id, target, capability):
                        better = repaired(world, miss, target)
                        if better is None:
                            continue
                        repairs[miss.code] += 1
                        # Paths and state are told apart: a path may work while the state still forbids.
                        now = Oracle(_settled(better, target)).effective(user.id, target)
                        assert capability in now.allowed, (user.id, target, capability, miss)
    assert len(repairs) >= 4


TWICE_STOPPED = [
    pytest.param(
        a_world(a_role("VIEWER"), a_link(1, 2, "STANDARD")),
        manager(2),
        "MANAGE_USERS",
        id="another role would be cut by the STANDARD link",
    ),
    pytest.param(
        a_world(a_role("VIEWER"), an_account_link(1, 7), an_ad(7, owner=2)),
        ad(7),
        "DELETE_AD_ACCOUNT",
        id="another role would be cut by the account link",
    ),
    pytest.param(
        a_world(a_role("SUPER_ADMIN"), *a_chain(1, 2, 3, permission="STANDARD")),
        manager(3),
        "MANAGE_USERS",
        id="two STANDARD links, one above the other",
    ),
    pytest.param(
        a_world(a_role("VIEWER"), a_link(1, 2, status="LINK_PENDING"), a_link(2, 3, status="LINK_EXPIRED")),
        manager(3),
        "VIEW",
        id="two links that are not active",
    ),
]


@pytest.mark.parametrize(("world", "target", "capability"), TWICE_STOPPED)
def test_what_two_things_stop_is_no_near_miss(world: World, target: Target, capability: str) -> None:
    assert not decide(world, target, capability).allowed
    assert misses(Product(world), 1, target, capability) == []


MORE_THAN_ONE = [
    pytest.param(
        a_world(a_role("SUPER_ADMIN"), a_link(1, 2, "STANDARD"), an_account_link(2, 7), an_ad(7, owner=3)),
        ad(7),
        "MANAGE_PAYMENT_METHODS",
        "LINK_CAP",
        "client link",
        id="a standard link and an account link",
    ),
    pytest.param(
        a_world(a_role("SUPER_ADMIN"), a_link(1, 2, "STANDARD")),
        manager(2),
        "SIGN_UP_CUSTOMER",
        "ROLE_LACKS_CAPABILITY",
        "the role SUPER_ADMIN",
        id="the role and a standard link",
    ),
    pytest.param(
        a_world(a_role("VIEWER", scope="EVERY_LINKED_ENTITY")),
        manager(1),
        "MANAGE_USERS",
        "ROLE_LACKS_CAPABILITY",
        "the scope",
        id="the role and its scope",
    ),
]


@pytest.mark.parametrize(("world", "target", "capability", "code", "blamed"), MORE_THAN_ONE)
def test_who_gets_there_is_never_told_that_nothing_leads_there(
    world: World, target: Target, capability: str, code: str, blamed: str
) -> None:
    assert decide(world, target, "VIEW").allowed
    told = decide(world, target, capability)
    assert (told.allowed, told.code, told.near_misses) == (False, code, ())
    assert blamed in told.message


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_no_link_that_would_open_the_way_is_left_out(seeds: range) -> None:
    found = 0
    for world in map(seeded_world, seeds):
        product, oracle = Product(world), Oracle(world)
        for user in world.users:
            before = oracle.everything(user.id)
            for link in world.customer_links:
                if link.status in CARRYING:
                    continue
                opened = tuple(replace(i, status="ACTIVE") if i.id == link.id else i for i in world.customer_links)
                after = Oracle(replace(world, customer_links=opened)).everything(user.id)
                for target in after:
                    if (
                        "VIEW" in before[target].allowed | before[target].over_limit
                        or "VIEW" not in after[target].allowed
                    ):
                        continue
                    blamed = {
                        miss.path.hops[miss.hop].link_id
                        for miss in misses(product, user.id, target, "VIEW")
                        if miss.code == AccessCode.LINK_NOT_ACTIVE and miss.hop is not None
                    }
                    assert link.id in blamed, (user.id, target, link)
                    found += 1
    assert found > 10


# --- the limit -------------------------------------------------------------------------------------------


def test_a_chain_over_the_limit_is_an_error_with_the_chain_and_never_a_denial() -> None:
    world = a_world(a_role("VIEWER", at=1), *a_chain(1, 2, 3, 4, 5, 6), an_ad(7, owner=6))
    for target in (manager(6), ad(7)):
        with pytest.raises(ChainOverLimit) as refused:
            decide(world, target, "VIEW")
        assert refused.value.chain == (1, 2, 3, 4, 5, 6)
        assert not decide(world, target, "MANAGE_PAYMENT_METHODS").allowed


def chain_told(product: Product, user: int, target: Target, capability: str) -> tuple[int, ...] | None:
    """The chain of the error, or None when there is none."""
    permissions = product.access(user, target).permissions
    subject, asked = product.assignments(user), Capability(capability)
    try:
        refuse_over_limit(permissions, product.facts, subject, product.target(target), asked)
    except ChainOverLimit as error:
        return error.chain
    return None


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_the_error_comes_exactly_when_only_longer_chains_would_give_it(seeds: range) -> None:
    refused = 0
    for world in map(seeded_world, seeds):
        product, oracle = Product(world), Oracle(world)
        for user in world.users:
            long_grants = [grant for grant in oracle.grants(user.id) if grant.over_limit]
            for target, answer in oracle.everything(user.id).items():
                for capability in sorted(capabilities_on(target.kind)):
                    chain = chain_told(product, user.id, target, capability)
                    assert (chain is not None) == (capability in answer.over_limit), (user.id, target, capability)
                    if chain is not None:
                        refused += 1
                        truth = {
                            grant.chain
                            for grant in long_grants
                            if grant.target == target and capability in grant.capabilities
                        }
                        assert chain in truth, (user.id, target, capability)
    assert refused


def test_the_chain_of_the_error_is_one_the_scope_allows() -> None:
    """1 may go to 6 through 2 only, which is too long; the short link to 6 is not in the scope."""
    world = a_world(
        a_role("VIEWER", at=1, scope="ONLY_LINKED_ENTITIES", listed={2}),
        *a_chain(1, 2, 3, 4, 5, 6),
        a_link(1, 6),
    )
    assert Oracle(world).effective(1, manager(6)).over_limit == {"VIEW", "VIEW_PAYMENT_METHODS"}
    assert chain_told(Product(world), 1, manager(6), "VIEW") == (1, 2, 3, 4, 5, 6)


def test_the_chain_of_the_error_is_not_that_of_an_assignment_that_stops_at_its_accounts() -> None:
    world = a_world(
        a_role("VIEWER", at=1, scope="ONLY_ACCOUNTS", listed={7}, id=1),
        a_role("VIEWER", at=11, id=2),
        *a_chain(1, 2, 3, 4, 5, 6),
        *a_chain(11, 12, 13, 14, 15, 6),
        an_ad(7, owner=6),
    )
    assert chain_told(Product(world), 1, ad(7), "VIEW") == (11, 12, 13, 14, 15, 6)


def test_a_signed_up_manager_account_at_the_end_of_a_long_chain_is_told_too() -> None:
    world = a_world(a_role("VIEWER", at=1), *a_chain(1, 2, 3, 4, 5, 6), an_aggregation(6, 9), an_ad(7, owner=9))
    for target in (manager(9), ad(7)):
        with pytest.raises(ChainOverLimit):
            decide(world, target, "VIEW")
