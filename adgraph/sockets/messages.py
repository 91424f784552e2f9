"""The messages of graphql-transport-ws, inward: from text to one checked message. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from adgraph.identity.auth import Credentials

PROTOCOL = "graphql-transport-ws"
LONGEST_ID = 256
"""Clients send UUIDs or small numbers; every event repeats the id."""


class BadMessage(Exception):
    """A message the protocol does not have; the connection ends with 4400 and this sentence."""


class ConnectionInit(NamedTuple):
    """Who connects, as far as the message says."""

    payload: dict[str, Any]


class Ping(NamedTuple):
    """A question whether anybody is there; the answer repeats the payload, which is JSON."""

    payload: str | None


class Pong(NamedTuple):
    """An answer to a ping; nothing follows from it."""


class Subscribe(NamedTuple):
    """An operation to run: a query, a mutation or a subscription."""

    id: str
    payload: dict[str, Any]


class Complete(NamedTuple):
    """An operation whose answers are wanted no more."""

    id: str


Message = ConnectionInit | Ping | Pong | Subscribe | Complete


def message_of(text: str) -> Message:
    """The message in a text frame. Raises: BadMessage."""
    try:
        decoded = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadMessage("The message is not valid JSON.") from None
    if not isinstance(decoded, dict):
        raise BadMessage("The message is not a JSON object.")
    match decoded.get("type"):
        case "connection_init":
            return ConnectionInit(_payload(decoded) or {})
        case "ping":
            return Ping(_repeated(_payload(decoded)))
        case "pong":
            _payload(decoded)
            return Pong()
        case "subscribe":
            payload = _payload(decoded)
            if payload is None:
                raise BadMessage("A subscribe message needs a payload.")
            return Subscribe(_id(decoded), payload)
        case "complete":
            return Complete(_id(decoded))
        case _:
            raise BadMessage("The message has no type a client may send.")


def _payload(decoded: dict[str, Any]) -> dict[str, Any] | None:
    payload = decoded.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise BadMessage("The payload of a message must be an object.")
    return payload


def _repeated(payload: dict[str, Any] | None) -> str | None:
    try:
        return None if payload is None else orjson.dumps(payload).decode()
    except orjson.JSONEncodeError:
        raise BadMessage("The payload of a ping is nested too deeply to be repeated.") from None


def _id(decoded: dict[str, Any]) -> str:
    found = decoded.get("id")
    if not isinstance(found, str) or not 1 <= len(found) <= LONGEST_ID:
        raise BadMessage(f"The id of an operation must be text of 1 to {LONGEST_ID} characters.")
    return found


def credentials_of(payload: dict[str, Any], headers: Mapping[str, str]) -> Credentials:
    """The credentials of a connection: of its first message, and what is missing there of the handshake's headers.

    Members are named as the headers, in any case. Raises: BadMessage.
    """
    sent: dict[str, str] = {}
    for name, value in payload.items():
        if name.lower() not in ("authorization", "developertoken", "actas") or value is None:
            continue
        if not isinstance(value, str):
            raise BadMessage(f"'{name}' must be text.")
        sent[name.lower()] = value
    shown, handshake = Credentials.of_headers(sent), Credentials.of_headers(headers)
    return Credentials(*(one if one is not None else other for one, other in zip(shown, handshake, strict=True)))


def message(kind: str, operation: str | None = None, payload: str | None = None) -> str:
    """A message to a client; `payload` is JSON already.

    >>> message("next", "1", '{"data":null}')
    '{"type":"next","id":"1","payload":{"data":null}}'
    """
    named = f',"id":{orjson.dumps(operation).decode()}' if operation is not None else ""
    carried = f',"payload":{payload}' if payload is not None else ""
    return f'{{"type":"{kind}"{named}{carried}}}'
