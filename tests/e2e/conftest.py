"""A real server on a real port and a real browser that can reach nothing else."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pytest
import uvicorn

from adgraph.app import create_app, open_database
from adgraph.commands.demo import prepare_demo
from adgraph.commands.serving import listen
from adgraph.operations.run import Graph
from adgraph.settings import Settings
from storage.migrate import migrate

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Serve: TypeAlias = Callable[..., "Running"]


class Running(NamedTuple):
    """A server that runs: where it is, and the token its page is given in demo mode."""

    url: str
    token: str | None


@contextmanager
def running(settings: Settings, *, graph: Graph | None, queries: Path | None) -> Iterator[Running]:
    """A server in a thread, on a free port."""
    database = open_database(settings, make=True)
    migrate(database)
    named, now_ms = settings.developer_tokens != "off", time.time_ns() // 1_000_000
    demo = prepare_demo(database, now_ms=now_ms, developer_token=named) if settings.demo else None
    database.close()
    app = create_app(settings, demo=demo, graph=graph, queries=queries)
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server took too long to start"
            time.sleep(0.02)
        yield Running(f"http://127.0.0.1:{listening.getsockname()[1]}", demo.token if demo else None)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers with the settings named, each on a database of its own."""
    with ExitStack() as stack:

        def start(*, graph: Graph | None = None, queries: Path | None = None, **settings: Any) -> Running:
            chosen = Settings(database_url=f"sqlite:///{tmp_path / 'adgraph.db'}", **settings)
            return stack.enter_context(running(chosen, graph=graph, queries=queries))

        yield start


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium for which no host exists but this machine."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        missing = "there is no Chromium here; on Debian and Ubuntu: apt install chromium fonts-dejavu-core"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    offline = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu", offline])
        yield chromium
        chromium.close()
