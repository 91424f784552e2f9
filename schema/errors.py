"""Turns whatever went wrong into the errors of a response: one place, stable codes, nothing from inside.

Codes of refusals are those of `resolvers.errors.Code`; requests that never ran have the codes tools know.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError

from resolvers.errors import Refusal
from schema.document_rules import TooLarge
from storage.errors import StorageBusy, StorageError

log = logging.getLogger("adgraph.graph")

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
DOCUMENT_TOO_LARGE = "DOCUMENT_TOO_LARGE"
BAD_USER_INPUT = "BAD_USER_INPUT"
OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"
STORAGE_BUSY = "STORAGE_BUSY"
STORAGE_UNAVAILABLE = "STORAGE_UNAVAILABLE"
_TOO_MANY_DIGITS = re.compile(r"Exceeds the limit \(\d+ digits\) for integer string conversion[^']*")
_LONG_NUMBER = re.compile(r"(\d{40})\d+")
MOST_PLACES_SHOWN = 5
LONGEST_MESSAGE = 1_000
"""An error repeats parts of the document, and those may be as long as the caller likes."""
MOST_ERRORS_SHOWN = 5
"""A document that fails validation is told its first faults; a hundred help nobody."""


def request_errors(errors: Iterable[GraphQLError], code: str) -> dict[str, Any]:
    """The response of a request that did not run: errors, and no data."""
    return {"errors": [_formatted(error, {"code": code}) for error in list(errors)[:MOST_ERRORS_SHOWN]]}


def oversize_request(excess: TooLarge) -> dict[str, Any]:
    """The response to a document over a limit; which one, and by how much, can be read by programs."""
    extensions = {"code": DOCUMENT_TOO_LARGE, "limit": excess.limit, "allowed": excess.allowed}
    if excess.actual is not None:
        extensions["actual"] = excess.actual
    return {"errors": [{"message": excess.message, "extensions": extensions}]}


def stopped_request(refusal: Refusal) -> dict[str, Any]:
    """The response of a request that was stopped on its way: what it had found is not given out."""
    return {"errors": [{"message": refusal.message, "extensions": {"code": str(refusal.code)}}]}


def field_errors(errors: Iterable[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """The errors of a request that ran, each with its path and code; faults of ours are logged and masked."""
    return [_field_error(error, request_id) for error in errors]


def _field_error(error: GraphQLError, request_id: str) -> dict[str, Any]:
    cause = error.original_error
    if isinstance(cause, Refusal):
        extensions: dict[str, Any] = {"code": str(cause.code)}
        if cause.number is not None:
            extensions["number"] = cause.number
        if cause.rule is not None:
            extensions["rule"] = cause.rule
        return _formatted(error, extensions)
    if isinstance(cause, StorageError):
        code = STORAGE_BUSY if isinstance(cause, StorageBusy) else STORAGE_UNAVAILABLE
        log.error("%s", cause, exc_info=cause, extra={"request_id": request_id})
        return _formatted(error, {"code": code, "requestId": request_id})
    if cause is None or isinstance(cause, GraphQLError):
        return _formatted(error, {"code": BAD_USER_INPUT})
    log.error("unexpected error", exc_info=cause, extra={"request_id": request_id})
    masked = _formatted(error, {"code": INTERNAL_SERVER_ERROR, "requestId": request_id})
    masked["message"] = f"Something went wrong on our side. Please report request id {request_id}."
    return masked


def _formatted(error: GraphQLError, extensions: dict[str, Any]) -> dict[str, Any]:
    # A literal of thousands of digits: Python's own words about it are for programmers, and the number for nobody.
    message = error.message[: 2 * LONGEST_MESSAGE]
    message = _LONG_NUMBER.sub(r"\1…", _TOO_MANY_DIGITS.sub("it has too many digits", message))
    if len(message) > LONGEST_MESSAGE:
        message = message[:LONGEST_MESSAGE] + "…"
    shown: dict[str, Any] = {"message": message}
    if error.locations:
        places = error.locations[:MOST_PLACES_SHOWN]
        shown["locations"] = [{"line": one.line, "column": one.column} for one in places]
    if error.path is not None:
        shown["path"] = list(error.path)
    shown["extensions"] = extensions
    return shown
