"""The whole tree below a manager account: every node that stands there and is seen, once, on a way that exists."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from resolvers.descendants import Descent, descendants_of
from resolvers.errors import Code, Refusal
from resolvers.paging import Page
from storage.database import Database
from storage.records.ids import ManagerAccountId
from tests.databases import Databases
from tests.oracle import AD, CARRYING, MANAGER, Target, World
from tests.resolvers.askers import Asker, askers
from tests.resolvers.test_children_equal_checks import ads_under, managers_under
from tests.stored_worlds import stored
from tests.worlds import seeded_world

DEEPER_THAN_ANY = 20


@pytest.fixture(scope="module", params=range(90_000, 90_025))
def world(request: pytest.FixtureRequest) -> World:
    seed: int = request.param
    return seeded_world(seed)


@pytest.fixture(scope="module")
def database(world: World, databases: Databases, migrated_url: str) -> Iterator[Database]:
    with stored(world, databases, migrated_url) as database:
        yield database


def tree(asker: Asker, top: int, depth: int) -> dict[Target, int]:
    """Every node the asker sees by going down from one he sees to the next, with the fewest steps to it."""
    found: dict[Target, int] = {}
    level = {top}
    for step in range(1, depth + 1):
        children = {Target(AD, id) for parent in level for _, id in ads_under(asker.world, parent)}
        children |= {Target(MANAGER, id) for parent in level for _, id in managers_under(asker.world, parent)}
        new = {child for child in children if asker.views(child) and child not in found}
        found.update(dict.fromkeys(new, step))
        level = {child.id for child in new if child.kind == MANAGER and child.id != top}
    found.pop(Target(MANAGER, top), None)
    return found


def joined(world: World, parent: int, child: int) -> bool:
    """Whether one manager account stands directly under another."""
    links = {(link.managing, link.client) for link in world.customer_links if link.status in CARRYING}
    return (parent, child) in links | {(item.aggregator, item.manager_account) for item in world.aggregations}


@pytest.mark.parametrize("depth", [1, 2, DEEPER_THAN_ANY])
def test_descendants_are_the_nodes_seen_on_the_way_down(world: World, database: Database, depth: int) -> None:
    for asker in askers(world):
        for top in [item.id for item in world.manager_accounts if asker.views(Target(MANAGER, item.id))]:
            with database.read() as transaction:
                try:
                    found = descendants_of(asker.session(transaction), ManagerAccountId(top), Descent(depth))
                except Refusal as refusal:
                    assert refusal.code == Code.CHAIN_OVER_LIMIT  # noqa: PT017
                    assert asker.may_be_refused
                    continue
                told = {
                    Target(AD, edge.node.account_id)
                    if hasattr(edge.node, "account_id")
                    else Target(MANAGER, edge.node.customer_id): edge
                    for edge in found.edges
                }
                expected = tree(asker, top, depth)
                assert len(told) == len(found.edges)
                assert {target: edge.depth for target, edge in told.items()} == expected, (asker.login, top)
                for edge in told.values():
                    assert edge.path[0] == top
                    assert len(edge.path) == edge.depth
                    assert all(joined(world, *pair) for pair in zip(edge.path, edge.path[1:], strict=False))


def test_pages_of_descendants_concatenate_to_the_tree(world: World, database: Database) -> None:
    for asker in askers(world):
        if asker.may_be_refused:
            continue
        for top in [item.id for item in world.manager_accounts if asker.views(Target(MANAGER, item.id))]:
            with database.read() as transaction:
                session = asker.session(transaction)
                whole = descendants_of(session, ManagerAccountId(top), Descent(DEEPER_THAN_ANY))
                keys = [edge.key for edge in whole.edges]
            for size in {1, 2, len(keys) - 1, len(keys), len(keys) + 1} - {-1, 0}:
                collected: list[object] = []
                page = Page(size)
                while True:
                    with database.read() as transaction:
                        asked = Descent(DEEPER_THAN_ANY, page=page)
                        part = descendants_of(asker.session(transaction), ManagerAccountId(top), asked)
                        collected += [edge.key for edge in part.edges]
                        assert part.total() == len(keys)
                    if not part.has_next_page:
                        break
                    page = Page(size, after=part.edges[-1].cursor)
                assert collected == keys
