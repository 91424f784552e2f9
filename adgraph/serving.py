"""Running the server: the socket, uvicorn, the log, and what is said on the terminal at start."""

from __future__ import annotations

import gc
import logging
import socket

import uvicorn
from rich.console import Console

from adgraph.app import DemoSession, create_app
from adgraph.settings import Settings
from adgraph.tokens import OperatorError

ALLOCATIONS_BEFORE_COLLECTION = 50_000
"""Python's 700 makes forty collections of one large answer."""
GRACE_SECONDS = 10
"""How long running requests may still take when the server is asked to stop."""

SOCKET_WALL = 4
"""How many times the longest message a WebSocket may send before the connection is cut."""


def serve(settings: Settings, demo: DemoSession | None, console: Console) -> None:
    """Serve until told to stop. Raises: OperatorError when the address cannot be listened on."""
    log_to_terminal(settings)
    # Its lines about the start repeat what is printed here; its access lines, what the endpoint logs.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    listening = listen(settings.host, settings.port)
    spare_the_collector()
    app = create_app(settings, demo=demo)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="on",
        # The endpoint itself refuses what is too long, with a sentence; this is the outer wall.
        ws_max_size=SOCKET_WALL * settings.max_body_bytes,
        # Pressing a large answer together would hold up everybody on the event loop.
        ws_per_message_deflate=False,
    )
    announce(settings, demo, console)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        console.print("Stopped.")


def log_to_terminal(settings: Settings) -> None:
    """Send the log to standard error, as much of it as the settings say."""
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")


def spare_the_collector() -> None:
    """Let garbage be looked for more rarely: an answer of ten thousand rows is all allocation and no cycles.

    With Python's own thresholds a third of the time of such an answer goes into looking through its rows.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_BEFORE_COLLECTION, 20, 50)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises: OperatorError saying what is in the way."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError:
            listening.close()
            raise
    except OSError as problem:
        raise OperatorError(
            f"Cannot listen on {host}, port {port}: {problem.strerror}. Choose another with --port or ADGRAPH_PORT"
            " (make serve PORT=8001)."
        ) from problem
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
    console.print("Stop with Ctrl+C.\n")
