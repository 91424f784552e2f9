"""Answers to requests that never reach the graph: status, code, number and a sentence, always as GraphQL JSON.

Numbers are those of the Customer Management reference, for clients that already switch on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

SAFE_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""On every answer: access answers must not be kept by a cache, nor be read as anything but what they say."""


class HttpRefusal(Exception):
    """A request that gets no data. `message` says what is wrong and what to do; it is shown to the caller."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        number: int | None = None,
        rule: str | None = None,
        headers: Mapping[str, str] | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.number = number
        self.rule = rule
        self.headers = dict(headers or {})
        self.request_id = request_id

    def errors(self) -> list[dict[str, Any]]:
        """The errors of the GraphQL response map."""
        extensions: dict[str, Any] = {"code": self.code}
        if self.number is not None:
            extensions["number"] = self.number
        if self.rule is not None:
            extensions["rule"] = self.rule
        if self.request_id is not None:
            extensions["requestId"] = self.request_id
        return [{"message": self.message, "extensions": extensions}]

    def body(self) -> bytes:
        """The GraphQL response map, as JSON."""
        return orjson.dumps({"errors": self.errors()})


def bad_request(message: str, *, code: str = "BAD_REQUEST") -> HttpRefusal:
    """400: the request itself cannot be understood."""
    return HttpRefusal(400, code, message)


def method_not_allowed(method: str, allowed: tuple[str, ...]) -> HttpRefusal:
    """405, with the `Allow` header HTTP asks for."""
    names = " or ".join(allowed)
    return HttpRefusal(
        405, "METHOD_NOT_ALLOWED", f"{method} is not answered here; use {names}.", headers={"Allow": ", ".join(allowed)}
    )


def unexpected(request_id: str) -> HttpRefusal:
    """500: the one sentence for everything nobody foresaw. What happened stands in the log, under the same id."""
    return HttpRefusal(
        500,
        "INTERNAL_SERVER_ERROR",
        f"Something went wrong on our side. Please report request id {request_id}.",
        request_id=request_id,
    )


def refusal_response(refusal: HttpRefusal, media_type: str = "application/json") -> Response:
    """The HTTP answer for a refusal."""
    headers = {**SAFE_HEADERS, **refusal.headers, "Content-Type": f"{media_type}; charset=utf-8"}
    return Response(refusal.body(), refusal.status, headers)
