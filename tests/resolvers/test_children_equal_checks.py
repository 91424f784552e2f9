"""One level under every manager account the asker sees: what stands there, less what a check would refuse, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from resolvers.children import AdAccountChildren, ManagerAccountChildren, ad_accounts_under, manager_accounts_under
from resolvers.errors import Code, Refusal
from resolvers.paging import Page
from storage.database import Database
from storage.records.ids import ManagerAccountId
from tests.builders import a_chain, a_link, a_role, a_world, an_ad, an_aggregation
from tests.databases import Databases
from tests.oracle import AD, CARRYING, MANAGER, Target, World
from tests.resolvers.askers import Asker, askers
from tests.stored_worlds import stored
from tests.worlds import seeded_world

Child = tuple[str, int]
"""How it stands there, and its id."""


@pytest.fixture(scope="module", params=range(80_000, 80_025))
def world(request: pytest.FixtureRequest) -> World:
    seed: int = request.param
    return seeded_world(seed)


@pytest.fixture(scope="module")
def database(world: World, databases: Databases, migrated_url: str) -> Iterator[Database]:
    with stored(world, databases, migrated_url) as database:
        yield database


def ads_under(world: World, parent: int) -> Counter[Child]:
    """Every ad account one level under a manager account, whoever asks."""
    signed_up = [item.manager_account for item in world.aggregations if item.aggregator == parent]
    owned = [("OWNED", item.id) for item in world.ad_accounts if item.owner == parent]
    linked = [
        ("ACCOUNT_LINK", link.client)
        for link in world.account_links
        if link.managing == parent and link.status in CARRYING
    ]
    aggregated = [("AGGREGATED", item.id) for item in world.ad_accounts if item.owner in signed_up]
    return Counter(owned + linked + aggregated)


def managers_under(world: World, parent: int) -> Counter[Child]:
    """Every manager account one level under a manager account, whoever asks."""
    linked = [
        ("CUSTOMER_LINK", link.client)
        for link in world.customer_links
        if link.managing == parent and link.status in CARRYING
    ]
    aggregated = [("AGGREGATED", item.manager_account) for item in world.aggregations if item.aggregator == parent]
    return Counter(linked + aggregated)


def split(asker: Asker, kind: str, children: Counter[Child]) -> tuple[list[Child], int, bool]:
    """What the asker sees, how much he does not, and whether a chain over the limit is part of the answer."""
    seen = sorted(child for child in children.elements() if asker.views(Target(kind, child[1])))
    long_way = any("VIEW" in asker.truths[Target(kind, id)].over_limit for _, id in children)
    return seen, children.total() - len(seen), long_way


def test_ad_accounts_under_each_manager_account(world: World, database: Database) -> None:
    for asker in askers(world):
        for parent in [item.id for item in world.manager_accounts if asker.views(Target(MANAGER, item.id))]:
            seen, hidden, long_way = split(asker, AD, ads_under(world, parent))
            with database.read() as transaction:
                try:
                    found = ad_accounts_under(asker.session(transaction), ManagerAccountId(parent))
                except Refusal as refusal:
                    assert refusal.code == Code.CHAIN_OVER_LIMIT  # noqa: PT017
                    assert long_way, (asker.login, parent)
                    continue
                assert not long_way, (asker.login, parent)
                told = sorted((str(edge.relationship), edge.node.account_id) for edge in found.edges)
                assert told == seen, (asker.login, parent)
                assert found.hidden_count == hidden
                assert found.total() == len(seen)


def test_manager_accounts_under_each_manager_account(world: World, database: Database) -> None:
    for asker in askers(world):
        for parent in [item.id for item in world.manager_accounts if asker.views(Target(MANAGER, item.id))]:
            seen, hidden, long_way = split(asker, MANAGER, managers_under(world, parent))
            with database.read() as transaction:
                try:
                    found = manager_accounts_under(asker.session(transaction), ManagerAccountId(parent))
                except Refusal as refusal:
                    assert refusal.code == Code.CHAIN_OVER_LIMIT  # noqa: PT017
                    assert long_way, (asker.login, parent)
                    continue
                assert not long_way, (asker.login, parent)
                told = sorted((str(edge.relationship), edge.node.customer_id) for edge in found.edges)
                assert told == seen, (asker.login, parent)
                assert found.hidden_count == hidden
                assert found.total() == len(seen)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_under_a_manager_account_concatenate_to_the_list(world: World, database: Database, size: int) -> None:
    for asker in askers(world):
        for parent in [item.id for item in world.manager_accounts if asker.views(Target(MANAGER, item.id))]:
            seen, hidden, long_way = split(asker, AD, ads_under(world, parent))
            if long_way:
                continue
            collected: list[Child] = []
            page = Page(size)
            while True:
                with database.read() as transaction:
                    asked = AdAccountChildren(page=page)
                    found = ad_accounts_under(asker.session(transaction), ManagerAccountId(parent), asked)
                    assert (found.total(), found.hidden_count) == (len(seen), hidden)
                    collected += [(str(edge.relationship), edge.node.account_id) for edge in found.edges]
                if not found.has_next_page:
                    break
                page = Page(size, after=found.edges[-1].cursor)
            assert sorted(collected) == seen, (asker.login, parent)


def test_the_sixth_level_is_an_error_and_not_a_child(databases: Databases, migrated_url: str) -> None:
    world = a_world(a_role("VIEWER", at=1), *a_chain(1, 2, 3, 4, 5, 6))
    asker = askers(world)[0]
    with stored(world, databases, migrated_url) as database, database.read() as transaction:
        session = asker.session(transaction)
        assert len(manager_accounts_under(session, ManagerAccountId(4), ManagerAccountChildren()).edges) == 1
        with pytest.raises(Refusal) as refused:
            manager_accounts_under(session, ManagerAccountId(5), ManagerAccountChildren())
    assert refused.value.code == Code.CHAIN_OVER_LIMIT


def test_an_aggregator_below_does_not_show_what_a_scope_left_out(databases: Databases, migrated_url: str) -> None:
    """LINKED_ENTITY_ONLY in 1, which 2 below it signed up: ad account 7 of 1 stays hidden under 2."""
    world = a_world(
        a_role("SUPER_ADMIN", at=1, scope="EVERY_LINKED_ENTITY"),
        a_link(1, 2),
        an_aggregation(2, 1),
        an_ad(7, owner=1),
        an_ad(8, owner=2),
    )
    asker = askers(world)[0]
    assert not asker.views(Target(AD, 7))
    with stored(world, databases, migrated_url) as database, database.read() as transaction:
        found = ad_accounts_under(asker.session(transaction), ManagerAccountId(2))
        assert [edge.node.account_id for edge in found.edges] == [8]
        assert found.hidden_count == 1
