"""What a supervisor asks: is it alive, can it answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from adgraph.app import create_app
from adgraph.settings import Settings
from storage.errors import OutdatedDatabase, StorageUnavailable
from storage.migrate import HISTORY
from tests.api.conftest import Serve
from tests.api.stub import StubGraph
from tests.api.test_tokens import database_of


def test_a_good_server_is_alive_and_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_a_server_whose_database_was_migrated_by_a_newer_one_is_alive_but_not_ready(serve: Serve) -> None:
    client = serve()
    with database_of(client).write() as transaction:
        newest = f"SELECT max(name) FROM {HISTORY}"
        transaction.execute(f"UPDATE {HISTORY} SET name = '9999_later' WHERE name = ({newest})")
    response = client.get("/readyz")
    [error] = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (503, "NOT_READY")
    assert "later version" in error["message"]
    assert client.get("/healthz").status_code == 200


def test_a_database_without_tables_is_not_served(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path / 'a.db'}"), graph=StubGraph())
    with pytest.raises(OutdatedDatabase, match="adgraph migrate"), TestClient(app):
        pass


def test_a_database_that_is_not_there_is_not_made_by_serving_it(tmp_path: Path) -> None:
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path / 'new' / 'a.db'}"), graph=StubGraph())
    with pytest.raises(StorageUnavailable, match="adgraph migrate"), TestClient(app):
        pass
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_opened_before_the_server_starts(tmp_path: Path) -> None:
    create_app(Settings(database_url=f"sqlite:///{tmp_path / 'a.db'}"), graph=StubGraph())
    assert list(tmp_path.iterdir()) == []
