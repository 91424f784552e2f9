"""GraphQL over WebSocket: subscriptions, and queries and mutations too, by the protocol graphql-transport-ws.

A connection is a state machine over checked messages; operations are run by `operations` like those of HTTP. Whoever
connects shows his credentials once; they are judged again before every operation, before every event and on a timer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, NamedTuple

import orjson
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from adgraph.identity.auth import Credentials
from adgraph.observability.metrics import SOCKETS, SUBSCRIPTIONS
from adgraph.observability.telling import CLIENT_LEFT, Told, request_id_of
from adgraph.operations.run import Asked, Live, Operations, expires_at_ms
from adgraph.protocol.origins import foreign_refused, is_foreign
from adgraph.protocol.refusals import HttpRefusal, refusal_response, unexpected
from adgraph.protocol.wire import checked, headers_of
from adgraph.settings import Settings
from adgraph.sockets import messages
from adgraph.sockets.messages import PROTOCOL, BadMessage
from adgraph.sockets.watch import RevisionWatch
from storage.database import Database

log = logging.getLogger("adgraph.sockets")

INIT_SECONDS = 5.0
"""Clients send their first message at once; who has not after this long holds a place for nothing."""
RECHECK_SECONDS = 5.0
"""How long a revoked token may keep a silent connection open. Whoever is told something is judged again before it."""
SEND_SECONDS = 30.0
"""Who reads nothing for so long is gone, whatever his TCP says."""
MOST_OPERATIONS = 50
"""Of one connection at a time: a page full of live parts has a dozen."""
MOST_OF_A_LOGIN = 100
"""Connections of one login to a process, and its subscriptions there, so that nobody takes the places of all."""
MOST_RETRIES = 3
"""How often an event that could not be read for lack of room is tried again, a little later each time."""
RETRY_SECONDS = 0.5
LONGEST_REASON = 123
"""Bytes of a close frame."""

BAD_MESSAGE, UNAUTHORIZED, FORBIDDEN, NOT_ACCEPTABLE = 4400, 4401, 4403, 4406
INIT_TIMEOUT, ALREADY_THERE, TOO_MANY_INITS = 4408, 4409, 4429
TOO_LONG, TRY_AGAIN = 1009, 1013


class Closing(NamedTuple):
    """How we end a connection. `told`: messages to send before, one for each operation that ends with it."""

    code: int
    reason: str
    told: tuple[str, ...] = ()


class SocketEndpoint:
    """The ASGI application behind /graphql for WebSockets. Counts them, and the subscriptions of this process."""

    def __init__(self, settings: Settings, operations: Operations, watch: RevisionWatch) -> None:
        self.settings = settings
        self.operations = operations
        self.watch = watch
        self.connections = 0
        self.subscriptions = 0
        self.connections_of: Counter[Hashable] = Counter()
        self.subscriptions_of: Counter[Hashable] = Counter()
        # Events take half of the threads at most: a write that wakes everybody must not hold up requests.
        self.turn = asyncio.Semaphore(max(1, settings.threads // 2))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep one connection until either side ends it."""
        socket = WebSocket(scope, receive, send)
        refusal = self._refusal(socket)
        if refusal is not None:
            await socket.send_denial_response(refusal_response(refusal))
            return
        if PROTOCOL not in scope["subprotocols"]:
            await socket.accept()
            await socket.close(NOT_ACCEPTABLE, f"Subprotocol not acceptable: connect with {PROTOCOL}.")
            return
        self.connections += 1
        SOCKETS.inc()
        try:
            await Connection(self, socket).serve()
        finally:
            self.connections -= 1
            SOCKETS.dec()

    def _refusal(self, socket: WebSocket) -> HttpRefusal | None:
        if is_foreign(socket.headers, self.settings.allowed_origins):
            return foreign_refused()
        if self.connections >= self.settings.max_sockets:
            message = f"This process keeps {self.settings.max_sockets} WebSockets, and all are taken; try again later."
            return HttpRefusal(503, "OVERLOADED", message, headers={"Retry-After": "5"})
        return None


class Connection:
    """One WebSocket: who is connected, and what runs for him."""

    def __init__(self, endpoint: SocketEndpoint, socket: WebSocket) -> None:
        self._endpoint = endpoint
        self._socket = socket
        self._database: Database = socket.app.state.database
        self._headers = headers_of(socket.scope["headers"])
        self._id = request_id_of(self._headers.get("x-request-id"))
        self._credentials: Credentials | None = None
        self._login: Hashable = None
        """Whose connection it is, once that is known and it counts as his."""
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._working: set[asyncio.Task[None]] = set()
        """Also those whose ids are free again, while their last message waits for a client that does not read."""
        self._over: asyncio.Future[Closing | None] = asyncio.get_running_loop().create_future()
        self._timer: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Answer messages until the connection is over, then end everything that runs for it."""
        await self._socket.accept(PROTOCOL)
        started = time.perf_counter()
        self._timer = asyncio.create_task(self._await_init())
        listening = asyncio.create_task(self._listen())
        try:
            await asyncio.wait((listening, self._over), return_when=asyncio.FIRST_COMPLETED)
            closing = self._over.result() if self._over.done() else None
        finally:
            # Before anything is awaited: the server may not wait for that.
            if self._login is not None:
                _less(self._endpoint.connections_of, self._login)
            await _end([listening, self._timer, *self._working])
        if closing is not None:
            await self._send_close(closing)
        code = closing.code if closing else "left"
        seconds = round(time.perf_counter() - started, 1)
        log.info("socket ended", extra={"request_id": self._id, "close": code, "seconds": seconds})

    # What comes in

    async def _listen(self) -> None:
        try:
            while not self._over.done():
                frame = await self._socket.receive()
                if frame["type"] == "websocket.disconnect":
                    return
                await self._take(frame.get("text"))
        except BadMessage as problem:
            self._close(BAD_MESSAGE, str(problem))
        except WebSocketDisconnect:
            return
        except Exception:
            log.exception("unexpected error", extra={"request_id": self._id})
            self._close(1011, unexpected(self._id).message)

    async def _take(self, text: str | None) -> None:
        if text is None:
            raise BadMessage("Messages are text frames, not binary ones.")
        limit = self._endpoint.settings.max_body_bytes
        if len(text.encode("utf-8", "surrogatepass")) > limit:
            self._close(TOO_LONG, f"The message is longer than {limit} bytes; send fewer variables.")
            return
        match messages.message_of(text):
            case messages.ConnectionInit(payload):
                await self._init(payload)
            case messages.Ping(payload):
                await self._send(messages.message("pong", payload=payload))
            case messages.Subscribe(key, payload):
                await self._subscribe(key, payload)
            case messages.Complete(key) if key in self._operations:
                await _end([self._operations.pop(key)])

    async def _init(self, payload: dict[str, Any]) -> None:
        if self._credentials is not None:
            self._close(TOO_MANY_INITS, "Too many initialisation requests")
            return
        credentials = messages.credentials_of(payload, self._headers)
        try:
            caller = await self._endpoint.operations.caller(self._database, credentials, self._id)
        except HttpRefusal as refusal:
            self._refuse(refusal)
            return
        login = caller.user_name if caller.login_id is None else caller.login_id
        if self._endpoint.connections_of[login] >= MOST_OF_A_LOGIN:
            self._close(TRY_AGAIN, f"Your login has {MOST_OF_A_LOGIN} connections here: use one for many operations.")
            return
        self._endpoint.connections_of[login] += 1
        self._login = login
        self._credentials = credentials
        if self._timer is not None:
            self._timer.cancel()
        await self._send(messages.message("connection_ack"))
        self._timer = asyncio.create_task(self._keep_judging(credentials, expires_at_ms(caller)))

    async def _subscribe(self, key: str, payload: dict[str, Any]) -> None:
        if self._credentials is None:
            self._close(UNAUTHORIZED, "Unauthorized: send connection_init first, and wait for connection_ack.")
        elif key in self._operations:
            self._close(ALREADY_THERE, f"Subscriber for {key} already exists")
        elif len(self._working) >= MOST_OPERATIONS:
            await self._send_errors(key, _too_many(f"A connection runs at most {MOST_OPERATIONS} operations at a time"))
        else:
            told = Told("socket", request_id_of(None))
            asked = Asked(partial(checked, payload), self._credentials, told, self._headers, subscribes=True)
            task = self._operations[key] = asyncio.create_task(self._operate(key, asked))
            self._working.add(task)
            task.add_done_callback(self._working.discard)

    # What is run

    async def _operate(self, key: str, asked: Asked) -> None:
        told = asked.told
        try:
            answer = await self._endpoint.operations.run(self._database, asked, _payload)
            if isinstance(answer, Live):
                await self._follow(key, answer)
            else:
                await self._answer(key, *answer)
        except HttpRefusal as refusal:
            told.code = refusal.code
            if refusal.status in (401, 403):
                self._refuse(refusal)
            else:
                await self._send_errors(key, refusal)
        except WebSocketDisconnect:
            told.code = CLIENT_LEFT
            self._leave()
        except Exception:
            log.exception("unexpected error", extra={"request_id": asked.request_id})
            told.code = "INTERNAL_SERVER_ERROR"
            await self._send_errors(key, unexpected(asked.request_id))
        finally:
            self._forget(key)
            told.answered("operation over a socket")

    async def _answer(self, key: str, ran: bool, payload: str) -> None:
        self._forget(key)
        if not ran:
            await self._send(messages.message("error", key, payload))
            return
        await self._send(messages.message("next", key, payload))
        await self._send(messages.message("complete", key))

    async def _follow(self, key: str, live: Live[tuple[bool, str]]) -> None:
        """Send the events of a subscription. The next is read when the one before has been taken."""
        endpoint = self._endpoint
        if endpoint.subscriptions >= endpoint.settings.max_subscriptions:
            raise _too_many(f"This process keeps {endpoint.settings.max_subscriptions} subscriptions going")
        if endpoint.subscriptions_of[self._login] >= MOST_OF_A_LOGIN:
            raise _too_many(f"One login keeps {MOST_OF_A_LOGIN} subscriptions going")
        endpoint.subscriptions += 1
        endpoint.subscriptions_of[self._login] += 1
        SUBSCRIPTIONS.inc()
        try:
            tail = live.feed.begins
            while not tail.is_over:
                tail, event = await self._patiently(partial(live.step, tail))
                if event is not None:
                    await self._send(messages.message("next", key, _as_next(*event)))
                elif not tail.is_over:
                    await endpoint.watch.beyond(self._database, tail.position)
        finally:
            endpoint.subscriptions -= 1
            _less(endpoint.subscriptions_of, self._login)
            SUBSCRIPTIONS.dec()
        self._forget(key)
        await self._send(messages.message("complete", key))

    async def _patiently(self, step: Callable[[], Any]) -> Any:
        """A step, tried again when there was no room for it: events are late rather than lost."""
        for attempt in range(1, MOST_RETRIES + 1):
            try:
                async with self._endpoint.turn:
                    return await step()
            except HttpRefusal as refusal:
                if refusal.status != 503:
                    raise
            await asyncio.sleep(attempt * RETRY_SECONDS)
        async with self._endpoint.turn:
            return await step()

    def _forget(self, key: str) -> None:
        # An id is free again before the last message of its operation leaves; it may even have been taken again.
        if self._operations.get(key) is asyncio.current_task():
            del self._operations[key]

    # Who is connected

    async def _await_init(self) -> None:
        await asyncio.sleep(INIT_SECONDS)
        self._close(INIT_TIMEOUT, f"Connection initialisation timeout: send connection_init within {INIT_SECONDS:g} s.")

    async def _keep_judging(self, credentials: Credentials, until_ms: int) -> None:
        """Ask again and again whether the credentials still hold, and at the moment they expire."""
        while True:
            left = (until_ms - time.time_ns() // 1_000_000 + 1) / 1_000
            await asyncio.sleep(min(RECHECK_SECONDS, max(left, 0.05)))
            try:
                caller = await self._endpoint.operations.caller(self._database, credentials, self._id)
            except HttpRefusal as refusal:
                if refusal.status in (401, 403):
                    self._refuse(refusal)
                    return
            else:
                until_ms = expires_at_ms(caller)

    def _refuse(self, refusal: HttpRefusal) -> None:
        """End the connection because of who is connected; every operation is told first."""
        if refusal.status not in (401, 403):
            self._close(TRY_AGAIN, refusal.message)
            return
        number = "" if refusal.number is None else f"{refusal.number} "
        code = UNAUTHORIZED if refusal.status == 401 else FORBIDDEN
        errors = _errors(refusal)
        told = tuple(messages.message("error", key, errors) for key in self._operations)
        self._close(code, f"{number}{refusal.code}: {refusal.message}", told)

    # What goes out

    def _close(self, code: int, reason: str, told: tuple[str, ...] = ()) -> None:
        if not self._over.done():
            self._over.set_result(Closing(code, reason, told))

    def _leave(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    async def _send(self, text: str) -> None:
        """Hand over one message; waits while the client is slow, so nothing piles up. Raises: WebSocketDisconnect."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._socket.send_text(text)
        except (TimeoutError, RuntimeError):
            raise WebSocketDisconnect(1006) from None

    async def _send_errors(self, key: str, refusal: HttpRefusal) -> None:
        self._forget(key)
        try:
            await self._send(messages.message("error", key, _errors(refusal)))
        except WebSocketDisconnect:
            self._leave()

    async def _send_close(self, closing: Closing) -> None:
        try:
            for text in closing.told:
                await self._send(text)
            async with asyncio.timeout(SEND_SECONDS):
                await self._socket.close(closing.code, _reason(closing.reason))
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            return


def _less(counts: Counter[Hashable], login: Hashable) -> None:
    """One fewer; who has none is forgotten."""
    counts[login] -= 1
    if not counts[login]:
        del counts[login]


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _payload(response: dict[str, Any]) -> tuple[bool, str]:
    """Whether the document ran, and its response as the payload of `next`, or its errors as the payload of `error`."""
    ran = "data" in response
    return ran, orjson.dumps(response if ran else response["errors"]).decode()


def _as_next(ran: bool, payload: str) -> str:
    """An event that was stopped on its way has errors only, and the subscription goes on."""
    return payload if ran else f'{{"data":null,"errors":{payload}}}'


def _errors(refusal: HttpRefusal) -> str:
    return orjson.dumps(refusal.errors()).decode()


def _too_many(what: str) -> HttpRefusal:
    return HttpRefusal(429, "TOO_MANY_OPERATIONS", f"{what}, and all are taken: end one first, or try again later.")


def _reason(text: str) -> str:
    """The sentence, cut where a close frame has no more room."""
    encoded = text.encode()
    if len(encoded) <= LONGEST_REASON:
        return text
    return encoded[: LONGEST_REASON - 3].decode(errors="ignore") + "…"
