"""The server, put together: routes, what is opened at start and closed at the end. Nothing happens at import."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from adgraph.background.billing import billing_for
from adgraph.background.mail import sender_for
from adgraph.background.worker import BackgroundWorker, Worker, clock
from adgraph.http.page import Assets, Page, queries_folder
from adgraph.http.view import GraphQLEndpoint
from adgraph.identity.administrators import warn_of_unknown
from adgraph.identity.auth import Credentials, Door, required_caller
from adgraph.observability.metrics import CONTENT_TYPE_LATEST, Metrics
from adgraph.observability.telling import request_id_of
from adgraph.observability.tracing import tracing_for
from adgraph.operations.documents import Documents, trusted_documents
from adgraph.operations.graph import graph_for
from adgraph.operations.run import Graph, Operations
from adgraph.operations.workers import Workers, give_way_sooner
from adgraph.protocol.negotiation import HTML, JSON, preferred
from adgraph.protocol.origins import Cors, is_known_host
from adgraph.protocol.refusals import SAFE_HEADERS, HttpRefusal, method_not_allowed, refusal_response, unexpected
from adgraph.protocol.wire import headers_of
from adgraph.settings import Settings, metrics_folder, traces_wanted
from adgraph.sockets.endpoint import SocketEndpoint
from adgraph.sockets.watch import RevisionWatch
from storage.database import Database
from storage.errors import StorageError, StorageUnavailable
from storage.migrate import check_current
from storage.stores import sqlite_path

log = logging.getLogger("adgraph")


class DemoLogin(NamedTuple):
    """A login of the demo company that visitors of the page may use: its token, and who that is."""

    token: str
    user_name: str
    first_name: str
    about: str


class DemoSession(NamedTuple):
    """The logins every visitor of the page is given in demo mode. Never given out otherwise.

    `developer_token` is the page's own, where applications must present one.
    """

    logins: tuple[DemoLogin, ...]
    developer_token: str | None = None

    @property
    def token(self) -> str:
        """The token of whom the page begins as."""
        return self.logins[0].token

    @property
    def signed_in_as(self) -> str:
        """Whom the page begins as."""
        return self.logins[0].user_name


def create_app(
    settings: Settings,
    *,
    demo: DemoSession | None = None,
    graph: Graph | None = None,
    queries: Path | None = None,
    door: Door | None = None,
) -> Starlette:
    """The server for these settings.

    `demo`: whom the page signs in by itself, and may switch to; only used when `settings.demo`. `graph` and `queries`
    stand in for the real schema and the menu in tests. The database is opened when the server starts, not here.
    """
    workers = Workers(
        threads=settings.threads,
        max_waiting=settings.max_waiting,
        timeout_ms=settings.request_timeout_ms,
        # PostgreSQL is waited for; SQLite works in the same process, and a second thread only gets in its way.
        at_once=1 if settings.database_url.startswith("sqlite:") else settings.threads,
    )
    page = Page(queries) if settings.shows_ide else None
    tracing = tracing_for(traces_wanted())
    watch = RevisionWatch()
    door = door or Door(settings)
    graph = graph or graph_for(settings)
    operations = Operations(graph, documents_for(settings, graph, queries), workers, watch.wake, door, tracing)
    endpoint = GraphQLEndpoint(settings, operations, page.html if page else None)
    sockets = SocketEndpoint(settings, operations, watch)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        give_way_sooner()
        database = open_database(settings)
        try:
            check_current(database)
            tracing.watch(database)
            warn_of_unknown(database, settings.system_administrators)
            app.state.database = database
            app.state.metrics = Metrics(database, clock, metrics_folder())
            app.state.workers = workers
            app.state.background = background = _background(settings, database)
            try:
                yield
            finally:
                if background is not None:
                    # On a thread, because the loop still answers what is under way.
                    await asyncio.to_thread(background.close)
        finally:
            await watch.close()
            workers.close()
            database.close()
            tracing.close()

    routes: list[BaseRoute] = [
        Route("/graphql", Cors(endpoint, settings.allowed_origins)),
        WebSocketRoute("/graphql", sockets),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
    ]
    if settings.metrics:
        routes.append(Route("/metrics", numbers))
    if page:
        routes += page_routes(page, demo if settings.demo else None, settings.public_url)
    routes.append(WebSocketRoute("/{path:path}", no_socket_here))
    handlers = {HTTPException: not_found, HttpRefusal: refused, StorageError: unavailable, Exception: failed}
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)  # type: ignore[arg-type]
    app.state.door = door
    # A redirect from /graphql/ would turn some clients' POST into a GET.
    app.router.redirect_slashes = False
    return app


def documents_for(settings: Settings, graph: Graph, queries: Path | None = None) -> Documents:
    """The documents a server under these settings knows. Raises: SettingsError for trusted ones that cannot run."""
    trusted = trusted_documents(trusted_folders(settings, queries)) if settings.knows_documents else []
    return Documents(trusted, only_trusted=settings.documents == "trusted", refusal_of=graph.refusal_of)


def trusted_folders(settings: Settings, queries: Path | None = None) -> list[Path]:
    """Where trusted documents lie: `queries/`, and the folder of the settings."""
    folder = settings.documents_folder
    return [queries or queries_folder(), *([Path(folder)] if folder else [])]


def _background(settings: Settings, database: Database) -> BackgroundWorker | None:
    if not settings.worker:
        return None
    background = BackgroundWorker(worker_for(settings, database))
    background.start()
    return background


def worker_for(settings: Settings, database: Database) -> Worker:
    """The worker under these settings."""
    return Worker(
        database,
        interval_ms=settings.worker_interval_ms,
        sender=sender_for(settings),
        billing=billing_for(settings),
    )


def open_database(settings: Settings, *, make: bool = False) -> Database:
    """The database of these settings.

    `make`: a SQLite file that does not exist yet is made, and its folder, for its owner only; otherwise it is refused.
    Raises: BadDatabaseUrl, StorageUnavailable.
    """
    if settings.database_url.startswith("sqlite:"):
        _look_for_file(Path(sqlite_path(settings.database_url)).absolute(), make=make)
    return Database.open(
        settings.database_url,
        busy_timeout_ms=settings.busy_timeout_ms,
        pool_size=settings.threads + 2,  # one for the worker, one for whoever watches for new revisions
        statement_timeout_ms=settings.request_timeout_ms,
    )


def _look_for_file(path: Path, *, make: bool) -> None:
    """Return when the file of a database is there, or could be made. Raises: StorageUnavailable."""
    try:
        if path.exists():
            return
        if not make:
            # SQLite would make an empty one, and a mistyped address would go on as a database without tables.
            raise StorageUnavailable(
                f"There is no database at {path}. If ADGRAPH_DATABASE_URL means this place, `adgraph migrate` makes one"
                " there."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        # It holds people's data and the secrets of mails not sent yet. The files beside it get the same rights.
        path.touch(mode=0o600)
    except OSError as problem:
        raise StorageUnavailable(
            f"There can be no database at {path}: {problem.strerror} ({problem.filename}). Name another place in"
            " ADGRAPH_DATABASE_URL, or change what is in the way."
        ) from problem


def page_routes(page: Page, demo: DemoSession | None, public_url: str) -> list[BaseRoute]:
    """What the IDE page asks for, all under /graphiql."""

    async def home(request: Request) -> Response:
        if preferred(request.headers.get("accept"), (JSON, HTML)) == HTML:
            return RedirectResponse("/graphql", status_code=307, headers=SAFE_HEADERS)
        raise HTTPException(404)

    async def menu(request: Request) -> Response:
        return page.menu()

    async def session(request: Request) -> Response:
        # A page of another site may not read this answer; browsers that say where they come from need not be asked.
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise HttpRefusal(403, "FORBIDDEN", "The demo's tokens are given to this server's own page only.")
        if demo and not is_known_host(request.headers.get("host"), public_url):
            message = "The demo's tokens are given under this server's address or ADGRAPH_PUBLIC_URL only."
            raise HttpRefusal(403, "FORBIDDEN", message)
        return _json({"demo": demo and _shown(demo)})

    return [
        Route("/", home),
        Route("/graphiql/operations", menu),
        Route("/graphiql/session", session),
        Route("/graphiql/whoami", whoami),
        Mount(page.prefix, Assets()),
    ]


def _shown(demo: DemoSession) -> dict[str, object]:
    logins = [
        {"token": one.token, "userName": one.user_name, "firstName": one.first_name, "about": one.about}
        for one in demo.logins
    ]
    return {"logins": logins, "developerToken": demo.developer_token}


async def whoami(request: Request) -> Response:
    """Whose token this is, for the page's bar: 200, or the refusal a query would get."""
    credentials = Credentials.of_headers(headers_of(request.scope["headers"]))
    database: Database = request.app.state.database
    door: Door = request.app.state.door

    def work() -> Response:
        presented = door.identify(credentials, application=False)
        with database.read() as transaction:
            caller = required_caller(transaction, presented, time.time_ns() // 1_000_000)
        return _json({"signedInAs": caller.user_name, "label": caller.label, "expiresAt": caller.expires_at_text})

    workers: Workers = request.app.state.workers
    return await workers.run(work)


async def healthz(request: Request) -> Response:
    """200 while the process answers; it asks nothing of the database, or a slow one would get the process killed."""
    return _json({"status": "alive"})


async def readyz(request: Request) -> Response:
    """200 when the database is reachable, its tables are the ones this code expects, and the worker, if any, works."""
    database: Database = request.app.state.database
    try:
        # Not through the workers: a probe must not wait behind the requests it is asked about.
        await asyncio.to_thread(check_current, database)
    except StorageError as problem:
        return refusal_response(HttpRefusal(503, "NOT_READY", str(problem)))
    background: BackgroundWorker | None = request.app.state.background
    if background is not None and not background.is_alive:
        return refusal_response(HttpRefusal(503, "NOT_READY", "The worker has stopped: restart the server."))
    return _json({"status": "ready"})


async def numbers(request: Request) -> Response:
    """The numbers for Prometheus. Not through the workers: they are asked for when the server is busy."""
    told: Metrics = request.app.state.metrics
    text = await asyncio.to_thread(told.text)
    return Response(text, headers={**SAFE_HEADERS, "Content-Type": CONTENT_TYPE_LATEST})


async def no_socket_here(socket: WebSocket) -> None:
    """404 for a WebSocket anywhere else, in JSON."""
    message = "There is no WebSocket at this address; connect to /graphql."
    await socket.send_denial_response(refusal_response(HttpRefusal(404, "NOT_FOUND", message)))


async def not_found(request: Request, problem: HTTPException) -> Response:
    """404 and 405 as JSON, naming what is here."""
    if problem.status_code == 405:
        allowed = tuple((problem.headers or {}).get("Allow", "GET").split(", "))
        return refusal_response(method_not_allowed(request.method, allowed))
    if problem.status_code == 404:
        message = "There is nothing at this address; the API is at /graphql."
        return refusal_response(HttpRefusal(404, "NOT_FOUND", message))
    return refusal_response(HttpRefusal(problem.status_code, "BAD_REQUEST", problem.detail))


async def refused(request: Request, refusal: HttpRefusal) -> Response:
    """A refusal outside /graphql."""
    return refusal_response(refusal)


async def unavailable(request: Request, problem: StorageError) -> Response:
    """Storage's own sentence: it is written for strangers."""
    log.error("%s", problem, exc_info=problem)
    return refusal_response(HttpRefusal(503, "STORAGE_UNAVAILABLE", str(problem)))


async def failed(request: Request, problem: Exception) -> Response:
    """What nobody foresaw, outside /graphql. Starlette logs the trace after this."""
    request_id = request_id_of(request.headers.get("x-request-id"))
    log.error("unexpected error", exc_info=problem, extra={"request_id": request_id})
    return refusal_response(unexpected(request_id))


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), headers=SAFE_HEADERS, media_type="application/json")
