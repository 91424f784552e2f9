"""GraphQL over HTTP, inward: from bytes or a query string to one checked `GraphQLRequest`.

Unknown members are ignored, as the specification wants; known ones must have their type. Nothing here knows GraphQL
itself or the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from adgraph.protocol.refusals import HttpRefusal, bad_request

HASH_PREFIX = "sha256:"
"""How a `documentId` begins that is a hash."""


class GraphQLRequest(NamedTuple):
    """One operation to run, checked for shape only.

    `query` is empty when the document is only named by `document_hash`, its SHA-256 in hexadecimal.
    """

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    document_hash: str | None = None


def check_content_type(value: str | None, encoding: str | None) -> None:
    """Take only UTF-8 JSON, uncompressed.

    A form or plain text could be sent by any foreign page without asking first; JSON cannot.
    Raises: HttpRefusal (415).
    """
    if value == "application/json" and encoding is None:
        return
    media, *parameters = (piece.strip().lower() for piece in (value or "").split(";"))
    charsets = [text.partition("=")[2].strip('"') for text in parameters if text.startswith("charset=")]
    if media != "application/json" or any(charset not in ("utf-8", "utf8") for charset in charsets):
        shown = f"it is {value!r}" if value else "it has no Content-Type"
        raise HttpRefusal(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            f"The body must be JSON in UTF-8, but {shown}; send Content-Type: application/json.",
            headers={"Accept-Post": "application/json"},
        )
    if encoding and encoding.strip().lower() != "identity":
        raise HttpRefusal(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            f"The body is sent with Content-Encoding: {encoding}; send it uncompressed.",
            headers={"Accept-Encoding": "identity"},
        )


def headers_of(sent: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of a request by name in lower case, as ASGI has them.

    One that was sent twice is read as one with a comma: a proxy may have looked at the other.
    """
    found: dict[str, str] = {}
    for raw, value in sent:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


async def read_body(receive: Receive, declared: str | None, limit: int) -> bytes:
    """The whole body, at most `limit` bytes.

    Raises: HttpRefusal (413), before reading when the declared length already says so, else by counting;
    ClientDisconnect when the rest will never come.
    """
    if declared and declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def _too_large(limit: int) -> HttpRefusal:
    return HttpRefusal(
        413, "PAYLOAD_TOO_LARGE", f"The body is longer than {limit} bytes; send fewer variables or split the request."
    )


def parse_body(body: bytes) -> GraphQLRequest:
    """The request in a JSON body.

    Raises: HttpRefusal (400) for what is not JSON (NaN and Infinity are not), no object, or has a wrong member.
    """
    if not body:
        raise bad_request('The body is empty; send JSON such as {"query": "{ __typename }"}.')
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise bad_request(f"The body is not valid JSON in UTF-8, near {where}.") from None
    return checked(decoded)


def parse_query_string(text: str) -> GraphQLRequest:
    """The request in the parameters of a GET; an empty parameter is as good as none.

    Raises: HttpRefusal (400).
    """
    try:
        pairs = parse_qsl(text, errors="strict", max_num_fields=32)
    except ValueError:
        raise bad_request("The parameters of the address are not UTF-8, or more than 32.") from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise bad_request(f"The parameter {name!r} is given twice; give it once.")
        found[name] = _decoded(name, value) if name in ("variables", "extensions") else value
    return checked(found)


def _decoded(name: str, value: str) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise bad_request(f"The parameter {name!r} must be a JSON object.") from None


def checked(decoded: Any) -> GraphQLRequest:
    """The request in decoded JSON. Raises: HttpRefusal (400)."""
    if isinstance(decoded, list):
        raise bad_request("The body is a list; several operations in one request are not taken, send them one by one.")
    if not isinstance(decoded, dict):
        raise bad_request(f"The body must be a JSON object, but it is {_kind(decoded)}.")
    variables = _member(decoded, "variables", dict, "an object")
    operation_name = _member(decoded, "operationName", str, "a string")
    extensions = _member(decoded, "extensions", dict, "an object")
    query = _member(decoded, "query", str, "a string")
    document_hash = _document_hash(decoded, extensions or {})
    if not query and document_hash is None:
        raise bad_request("There is no 'query'; send the GraphQL document under that name, as a string.")
    return GraphQLRequest(query or "", variables, operation_name or None, document_hash)


def _document_hash(decoded: dict[str, Any], extensions: dict[str, Any]) -> str | None:
    """By which hash the document is named: as `documentId`, or as clients of persisted queries do it."""
    named = _member(decoded, "documentId", str, "a string")
    persisted = _member(extensions, "persistedQuery", dict, "an object")
    hashes = set()
    if named:
        hashes.add(named.removeprefix(HASH_PREFIX).lower())
    if persisted is not None:
        found = _member(persisted, "sha256Hash", str, "a string")
        if persisted.get("version") != 1 or not found:
            raise bad_request(
                "'persistedQuery' must be of version 1 and have a 'sha256Hash'; or send the whole document as 'query'.",
                code="PERSISTED_QUERY_NOT_SUPPORTED",
            )
        hashes.add(found.lower())
    if len(hashes) > 1:
        raise bad_request("'documentId' and 'persistedQuery' name different documents; send one of them.")
    return hashes.pop() if hashes else None


def _member(decoded: dict[str, Any], name: str, kind: type, wanted: str) -> Any:
    value = decoded.get(name)
    if value is not None and not isinstance(value, kind):
        raise bad_request(f"The member '{name}' must be {wanted} or null, but it is {_kind(value)}.")
    return value


_KINDS = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null")
