"""Runs one peer under the same server, with the same options, as adgraph is served."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp


def app_of(kind: str) -> Callable[[Path], ASGIApp]:
    """What makes the peer's application from the path of its data."""
    # Each process loads one peer only: its memory and its start are its own.
    if kind == "plain":
        from tests.bench.peers.plain import create_app as plain

        return plain
    if kind == "ariadne":
        from tests.bench.peers.with_ariadne import create_app as with_ariadne

        return with_ariadne
    from tests.bench.peers.static import create_app as static

    return static


if __name__ == "__main__":
    _, kind, path, port = sys.argv
    uvicorn.run(
        app_of(kind)(Path(path)),
        host="127.0.0.1",
        port=int(port),
        log_config=None,
        access_log=False,
        server_header=False,
    )
