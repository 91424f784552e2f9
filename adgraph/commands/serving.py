"""Running the server: the socket, uvicorn, the log, and what is said on the terminal at start."""

from __future__ import annotations

import errno
import gc
import logging
import socket
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory

import uvicorn
from rich.console import Console
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from adgraph.addresses import is_loopback
from adgraph.app import DemoSession, create_app
from adgraph.commands.tokens import OperatorError
from adgraph.http.connections import HttpConnection, SocketConnection
from adgraph.observability.logs import log_to_terminal
from adgraph.settings import METRICS_FOLDER, Settings, hand_down

ALLOCATIONS_BEFORE_COLLECTION = 50_000
"""Python's 700 makes forty collections of one large answer."""
GRACE_SECONDS = 10
"""How long running requests may still take when the server is asked to stop."""
BACKLOG = 2_048
"""Connections the system holds for us until a process takes them; uvicorn's own number."""
THE_PORT_IS_WRONG = (errno.EADDRINUSE, errno.EACCES)
"""Somebody else has it, or it is among those only the system's own programs may take; all else is about the host."""
OPEN_DEMO = (
    "the page gives tokens of every scope for the demo company to everybody who can reach this server and opens it"
    " under an IP address, localhost or the host of ADGRAPH_PUBLIC_URL; with --host 127.0.0.1 only this machine can."
)
SOCKET_WALL = 4
"""How many times the longest message a WebSocket may send before the connection is cut."""


@dataclass(frozen=True, slots=True)
class AppFactory:
    """Makes the application in each process that serves it; small enough to be sent to one."""

    settings: Settings
    demo: DemoSession | None

    def __call__(self) -> Starlette:
        """The application, with this process prepared for it."""
        log_to_terminal(self.settings)
        spare_the_collector()
        return create_app(self.settings, demo=self.demo)


def serve(settings: Settings, demo: DemoSession | None, listening: socket.socket, console: Console) -> None:
    """Serve on a socket of `listen` until told to stop, in as many processes as the settings say.

    Raises: SettingsError for what cannot be done.
    """
    factory = AppFactory(settings, demo)
    # Made here also where other processes serve: what is wrong with the settings is said before they start.
    app = factory()
    several = settings.processes > 1
    config = server_config(factory if several else app, settings)
    announce(settings, demo, console)
    if not several:
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
        console.print("Stopped.")
        return
    with TemporaryDirectory(prefix="adgraph-metrics-") as folder:
        if settings.metrics:
            hand_down(METRICS_FOLDER, folder)
        # Each process makes its own application; this one only watches that they live, and tells when one does not.
        logging.getLogger("uvicorn.error").setLevel(logging.INFO)
        Multiprocess(config, [listening]).run()
    console.print("Stopped.")


def server_config(app: Starlette | AppFactory, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves an application, or what makes one in each process."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, AppFactory),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="on",
        http=HttpConnection,
        ws=SocketConnection,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        workers=settings.processes,
        # The endpoint itself refuses what is too long, with a sentence; this is the outer wall.
        ws_max_size=SOCKET_WALL * settings.max_body_bytes,
        # Pressing a large answer together would hold up everybody on the event loop.
        ws_per_message_deflate=False,
    )


def spare_the_collector() -> None:
    """Let garbage be looked for more rarely: an answer of ten thousand rows is all allocation and no cycles.

    With Python's own thresholds a third of the time of such an answer goes into looking through its rows.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_BEFORE_COLLECTION, 20, 50)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket: who connects waits until it is served. Raises: OperatorError saying what is in the way."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            # Binding alone does not keep others from the address who bind it, too, before anybody listens.
            listening.listen(BACKLOG)
        except OSError:
            listening.close()
            raise
    except (OSError, UnicodeError) as problem:  # the latter for what cannot be a host name at all
        what = getattr(problem, "strerror", None) or "no host has such a name"
        choose = "Choose another port with --port or ADGRAPH_PORT (make serve PORT=8001)."
        if getattr(problem, "errno", None) not in THE_PORT_IS_WRONG:
            choose = "Choose an address of this machine with --host or ADGRAPH_HOST, such as 127.0.0.1."
        raise OperatorError(f"Cannot listen on {host}, port {port}: {what}. {choose}") from problem
    return listening


def announce(settings: Settings, demo: DemoSession | None, console: Console) -> None:
    """Say where the server is and, in demo mode, how to ask it something."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{settings.port}/graphql"
    console.print(f"\n[bold]adgraph[/bold] is at [bold]{address}[/bold]")
    if not settings.shows_ide:
        console.print("The page for browsers is off (ADGRAPH_IDE=on shows it); programs send POST requests.")
    if demo:
        console.print(f"Open it in a browser: you are signed in to the demo company as {demo.signed_in_as}.")
        console.print("Programs send the access token:")
        console.print(f"  {demo.token}", style="cyan", highlight=False, soft_wrap=True)
        if settings.shows_ide and not is_loopback(address):
            console.print(f"[bold yellow]Warning:[/bold yellow] {OPEN_DEMO}", highlight=False)
    console.print("Stop with Ctrl+C.\n")
