"""What is written is what is read: random worlds through the database and back, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from storage.consistency import read_inconsistencies
from storage.errors import ConstraintBroken
from storage.records.facts import Facts
from tests.builders import a_link, a_role, a_user, a_world, an_account_link, an_ad, an_aggregation
from tests.databases import Databases
from tests.oracle import Oracle, World
from tests.rules.product import Product
from tests.stored_worlds import read_whole_world, stored
from tests.worlds import seeded_world, to_facts

SEEDS = range(40_000, 40_012)


def in_one_order(facts: Facts) -> dict[str, Any]:
    """The facts with every group in the order of its ids: what order rows come in means nothing."""
    return {
        name: {
            key: tuple(sorted(value)) if isinstance(value, tuple) and not hasattr(value, "_fields") else value
            for key, value in group.items()
        }
        for name, group in facts._asdict().items()
    }


def oddities(world: World) -> set[str]:
    """What the world holds on purpose that writes through the API would refuse."""
    home = {user.id: user.manager_account for user in world.users}
    merged = {login.id for login in world.logins if login.merged_into is not None}
    own = {(ad.owner, ad.id) for ad in world.ad_accounts}
    return {
        *(
            f"assignment {item.id} is in another manager account than its user"
            for item in world.assignments
            if item.manager_account != home[item.user]
        ),
        *(f"user {user.id} belongs to a merged login" for user in world.users if user.login in merged),
        *(
            f"link {link.id} leads to an ad account of its own manager account"
            for link in world.account_links
            if (link.managing, link.client) in own
        ),
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stored_world_is_read_as_it_was(seed: int, databases: Databases, migrated_url: str) -> None:
    world = seeded_world(seed)
    with stored(world, databases, migrated_url) as database, database.read() as transaction:
        assert in_one_order(read_whole_world(transaction, world)) == in_one_order(to_facts(world))
        assert set(read_inconsistencies(transaction)) == oddities(world)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_plain_excerpt_answers_like_the_whole_world(seed: int, databases: Databases, migrated_url: str) -> None:
    world = seeded_world(seed)
    oracle = Oracle(world)
    with stored(world, databases, migrated_url) as database, database.read() as transaction:
        product = Product(world, read_whole_world(transaction, world, any_status=False))
    for user in world.users:
        assert product.everything(user.id) == oracle.everything(user.id)


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(a_world(a_link(1, 1)), id="a link to itself"),
        pytest.param(a_world(a_link(1, 2, id=1), a_link(1, 2, id=2, status="LINK_PENDING")), id="two open links"),
        pytest.param(
            a_world(an_ad(7, owner=2), an_account_link(1, 7, id=1), an_account_link(1, 7, id=2)),
            id="two open links to an ad account",
        ),
        pytest.param(
            a_world(a_role("SUPER_ADMIN", at=1, scope="ONLY_ACCOUNTS", listed={7}), an_ad(7, owner=1)),
            id="a customer-level role on listed accounts",
        ),
        pytest.param(a_world(a_role("VIEWER", id=1), a_role("VIEWER", id=2)), id="one assignment twice"),
        pytest.param(a_world(a_user(1, of=1), a_user(2, of=1, original=False)), id="two users of a login in one place"),
        pytest.param(a_world(a_user(1, of=1), a_user(2, of=2)), id="two original users of a login"),
        pytest.param(a_world(an_aggregation(1, 1)), id="an aggregator that signed itself up"),
    ],
)
def test_the_database_refuses(world: World, databases: Databases, migrated_url: str) -> None:
    with pytest.raises(ConstraintBroken), stored(world, databases, migrated_url):
        pass
