"""Callers who leave: whoever closes the connection stops the work he asked for."""

from __future__ import annotations

import asyncio
from types import TracebackType

from starlette.types import Receive

from storage.deadlines import Deadline

LOOKED_AFTER_S = 0.02
"""Most work is done by then: nobody looks whether its caller is still there."""


class CancelledWhenGone:
    """While the block runs, a disconnect ends the deadline. The body must have been read, or not be wanted.

    A class, and looking begins late: a task for every small request would cost as much as its work.
    """

    __slots__ = ("_deadline", "_receive", "_timer", "_watching")

    def __init__(self, receive: Receive, deadline: Deadline) -> None:
        self._receive = receive
        self._deadline = deadline
        self._watching: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOKED_AFTER_S, self._begin)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _begin(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._deadline.cancel()
