"""How an answer must move, or not move, when the world is changed in a known way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import (
    AD,
    MANAGER,
    Answer,
    Assignment,
    CustomerLink,
    Login,
    ManagerAccount,
    RoleRow,
    Target,
    User,
    World,
)
from tests.rules.product import Product
from tests.strategies import worlds

LAW = settings(max_examples=40, deadline=None)
Answers = dict[tuple[int, Target], Answer]


def answers(world: World) -> Answers:
    """Everything the product says about the users and targets of the world."""
    product = Product(world)
    return {(user.id, target): answer for user in world.users for target, answer in product.everything(user.id).items()}


def role_rows(world: World) -> dict[int, frozenset[RoleRow]]:
    """The rows of every user."""
    product = Product(world)
    return {user.id: frozenset(product.customer_roles(user.id)) for user in world.users}


def assert_nothing_lost(before: Answers, after: Answers) -> None:
    """Whatever was allowed still is."""
    for key, answer in before.items():
        assert answer.allowed <= after[key].allowed, key


@LAW
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_insertion_changes_nothing(world: World, random: Random) -> None:
    def shuffled(items: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(random.sample(items, len(items)))

    tables = {name: shuffled(getattr(world, name)) for name in World.__dataclass_fields__}
    other = World(**tables)  # type: ignore[arg-type]
    assert answers(other) == answers(world)
    assert role_rows(other) == role_rows(world)


@LAW
@given(worlds(), st.integers(1, 10**12))
def test_renaming_every_id_renames_the_answer_and_nothing_else(world: World, shift: int) -> None:
    renamed = _renamed(world, lambda id: id * 7 + shift, lambda id: 10**15 - id, lambda id: id * 3 + 1)
    expected = {
        (user * 3 + 1, Target(kind, id * 7 + shift if kind == MANAGER else 10**15 - id)): answer
        for (user, (kind, id)), answer in answers(world).items()
    }
    assert answers(renamed) == expected


def _renamed(
    world: World, manager: Callable[[int], int], ad: Callable[[int], int], user: Callable[[int], int]
) -> World:
    def listed(item: Assignment) -> frozenset[int]:
        name = ad if item.scope == "ONLY_ACCOUNTS" else manager
        return frozenset(name(id) for id in item.listed)

    return World(
        logins=world.logins,
        users=tuple(replace(i, id=user(i.id), manager_account=manager(i.manager_account)) for i in world.users),
        manager_accounts=tuple(replace(i, id=manager(i.id)) for i in world.manager_accounts),
        ad_accounts=tuple(replace(i, id=ad(i.id), owner=manager(i.owner)) for i in world.ad_accounts),
        assignments=tuple(
            replace(i, user=user(i.user), manager_account=manager(i.manager_account), listed=listed(i))
            for i in world.assignments
        ),
        customer_links=tuple(
            replace(i, managing=manager(i.managing), client=manager(i.client)) for i in world.customer_links
        ),
        account_links=tuple(replace(i, managing=manager(i.managing), client=ad(i.client)) for i in world.account_links),
        aggregations=tuple(
            replace(i, aggregator=manager(i.aggregator), manager_account=manager(i.manager_account))
            for i in world.aggregations
        ),
    )


@LAW
@given(worlds())
def test_saying_a_thing_twice_adds_nothing(world: World) -> None:
    twice = replace(
        world,
        assignments=world.assignments + tuple(replace(item, id=item.id + 10**9) for item in world.assignments),
        customer_links=world.customer_links + tuple(replace(item, id=item.id + 10**9) for item in world.customer_links),
        aggregations=world.aggregations + tuple(replace(item, id=item.id + 10**9) for item in world.aggregations),
    )
    assert answers(twice) == answers(world)


@LAW
@given(worlds(most_manager_accounts=6), worlds(most_manager_accounts=6))
def test_unrelated_parts_of_the_graph_change_nothing(world: World, stranger: World) -> None:
    moved = _renamed(stranger, lambda id: id + 10**9, lambda id: id + 10**9, lambda id: id + 10**9)
    both = World(
        logins=world.logins + tuple(replace(i, id=i.id + 10**9, merged_into=None) for i in moved.logins),
        users=world.users + tuple(replace(i, login=i.login + 10**9) for i in moved.users),
        manager_accounts=world.manager_accounts + moved.manager_accounts,
        ad_accounts=world.ad_accounts + moved.ad_accounts,
        assignments=world.assignments + tuple(replace(i, id=i.id + 10**9) for i in moved.assignments),
        customer_links=world.customer_links + tuple(replace(i, id=i.id + 10**9) for i in moved.customer_links),
        account_links=world.account_links + tuple(replace(i, id=i.id + 10**9) for i in moved.account_links),
        aggregations=world.aggregations + tuple(replace(i, id=i.id + 10**9) for i in moved.aggregations),
    )
    together = answers(both)
    assert {key: together[key] for key in answers(world)} == answers(world)
    own = {user.id for user in world.users}
    crossing = [
        key for key, answer in together.items() if (key[0] in own) != (key[1].id < 10**9) and answer != Answer()
    ]
    assert not crossing


@LAW
@given(st.data(), worlds())
def test_a_role_more_never_takes_away(data: st.DataObject, world: World) -> None:
    item = Assignment(
        10**9,
        data.draw(st.sampled_from(world.users)).id,
        data.draw(st.sampled_from(world.manager_accounts)).id,
        data.draw(st.sampled_from(("VIEWER", "STANDARD", "SUPER_ADMIN"))),
        data.draw(st.sampled_from(("EVERY_ACCOUNT", "EVERY_LINKED_ENTITY"))),
    )
    assert_nothing_lost(answers(world), answers(replace(world, assignments=(*world.assignments, item))))


@LAW
@given(st.data(), worlds())
def test_a_link_more_never_takes_away(data: st.DataObject, world: World) -> None:
    managing, client = data.draw(
        st.lists(st.sampled_from(world.manager_accounts), min_size=2, max_size=2, unique_by=lambda item: item.id)
    )
    permission = data.draw(st.sampled_from(("ADMINISTRATIVE", "STANDARD")))
    link = CustomerLink(10**9, managing.id, client.id, permission)
    assert_nothing_lost(answers(world), answers(replace(world, customer_links=(*world.customer_links, link))))


@LAW
@given(worlds())
def test_an_administrative_link_carries_whatever_a_standard_one_does(world: World) -> None:
    opened = tuple(replace(link, permission="ADMINISTRATIVE") for link in world.customer_links)
    capped = tuple(replace(link, permission="STANDARD") for link in world.customer_links)
    assert_nothing_lost(answers(world), answers(replace(world, customer_links=opened)))
    assert_nothing_lost(answers(replace(world, customer_links=capped)), answers(world))


@LAW
@given(worlds())
def test_a_scope_only_narrows(world: World) -> None:
    unscoped = tuple(replace(item, scope="EVERY_ACCOUNT", listed=frozenset()) for item in world.assignments)
    assert_nothing_lost(answers(world), answers(replace(world, assignments=unscoped)))
    fewer = tuple(replace(item, listed=frozenset(sorted(item.listed)[1:])) for item in world.assignments)
    assert_nothing_lost(answers(replace(world, assignments=fewer)), answers(world))


@LAW
@given(worlds())
def test_a_named_context_only_narrows_and_all_contexts_together_give_all(world: World) -> None:
    product = Product(world)
    for user in world.users:
        for target, answer in product.everything(user.id).items():
            through = [product.effective(user.id, target, item.id) for item in world.manager_accounts]
            assert frozenset().union(*(item.allowed for item in through)) == answer.allowed


def test_users_without_a_role_reach_nothing() -> None:
    lonely = World(
        (Login(1, "a@user.example"),), (User(1, 1, 1),), (ManagerAccount(1, "One"),), assignments=(), ad_accounts=()
    )
    assert answers(lonely) == {(1, Target(MANAGER, 1)): Answer()}
    assert Target(AD, 1) not in Product(lonely).everything(1)
