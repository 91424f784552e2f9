"""Callers who leave: whoever closes the connection stops the work he asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive

from storage.deadlines import Deadline


@asynccontextmanager
async def cancelled_when_gone(receive: Receive, deadline: Deadline) -> AsyncIterator[None]:
    """While the block runs, a disconnect ends the deadline. The body must have been read, or not be wanted."""
    watching = asyncio.create_task(_watch(receive, deadline))
    try:
        yield
    finally:
        watching.cancel()


async def _watch(receive: Receive, deadline: Deadline) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    deadline.cancel()
