"""The demo company, loaded once for each kind of database and only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from storage.database import Database
from storage.demo import load_demo
from storage.generator import Generated, Size, load_generated
from tests.databases import Databases
from tests.oracle import World
from tests.schema.client import NOW_MS, GraphClient
from tests.schema.facts_of import read_world
from tests.schema.full_house import build_full_house

AsUser = Callable[[int], GraphClient]


class GeneratedData(NamedTuple):
    """A database of generated data, and what to ask about in it."""

    database: Database
    has: Generated


@pytest.fixture(scope="session")
def demo_database(databases: Databases, migrated_url: str) -> Iterator[Database]:
    """The demo company. Read it only: every test shares it."""
    url = databases.copy_of(migrated_url)
    database = Database.open(url)
    load_demo(database, now_ms=NOW_MS)
    yield database
    database.close()
    databases.drop(url)


@pytest.fixture(scope="session")
def demo_world(demo_database: Database) -> World:
    """What the demo company stores, for the oracle."""
    with demo_database.read() as transaction:
        return read_world(transaction)


@pytest.fixture(scope="session")
def as_user(demo_database: Database, demo_world: World) -> AsUser:
    """The client of the login a user of the demo company belongs to."""
    login_of = {user.id: user.login for user in demo_world.users}
    clients: dict[int, GraphClient] = {}

    def client(user: int) -> GraphClient:
        login = login_of[user]
        if login not in clients:
            clients[login] = GraphClient(demo_database, login, world=demo_world)
        return clients[login]

    return client


@pytest.fixture(scope="session")
def house(databases: Databases, migrated_url: str) -> Iterator[GraphClient]:
    """The Super Admin of the company of `full_house`. Read it only: every test shares it."""
    url = databases.copy_of(migrated_url)
    database = Database.open(url)
    build_full_house(database)
    yield GraphClient(database, 1)
    database.close()
    databases.drop(url)


@pytest.fixture(scope="session")
def generated(databases: Databases, migrated_url: str) -> Iterator[GeneratedData]:
    """Generated data at three hundredths of its size, with the trees of 10, 1,000 and 10,000 ad accounts."""
    url = databases.copy_of(migrated_url)
    database = Database.open(url)
    yield GeneratedData(database, load_generated(database, Size().scaled(0.03)))
    database.close()
    databases.drop(url)
