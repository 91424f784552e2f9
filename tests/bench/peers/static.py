"""The limit: answers that are there already, from a bare route of the same framework on the same server."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def create_app(folder: Path) -> Starlette:
    """Answers POST /<name> with the file of that name."""
    replies = {path.name: path.read_bytes() for path in folder.iterdir()}

    async def reply(request: Request) -> Response:
        await request.body()
        return Response(replies[request.path_params["name"]], media_type="application/json")

    return Starlette(routes=[Route("/{name}", reply, methods=["POST"])])
