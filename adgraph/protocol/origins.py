"""Pages of other sites: which may use the API from a browser, and what is said to the others.

Nothing here uses cookies, so a foreign page never acts as somebody; it is kept out all the same, because a browser
may stand in a network where the API answers and the page's author does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adgraph.addresses import is_address
from adgraph.protocol.refusals import SAFE_HEADERS, HttpRefusal, refusal_response

REQUEST_HEADERS = ("Authorization", "DeveloperToken", "ActAs", "X-Request-Id")
"""What a page may send besides what every page may."""
SHOWN_HEADERS = ("X-Request-Id", "Retry-After", "WWW-Authenticate")
PREFLIGHT_SECONDS = 600
"""How long a browser may remember that it may ask; Chromium keeps no longer than two hours anyway."""
_VARIES = (b"vary", b"Origin")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def is_foreign(headers: Mapping[str, str], allowed: Collection[str]) -> bool:
    """Whether a browser sends this for a page of another site that is not among the allowed ones.

    What is not sent by a browser has no Origin.
    """
    origin = headers.get("origin")
    if origin is None:
        return False
    if origin in allowed:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return True
    # Behind a proxy the scheme is not known here; the host is.
    return not parts.netloc or _without_default_port(parts.netloc, parts.scheme) != _without_default_port(
        headers.get("host", ""), parts.scheme
    )


def _without_default_port(netloc: str, scheme: str) -> str:
    return netloc.lower().removesuffix(_DEFAULT_PORTS.get(scheme, ""))


def is_known_host(host: str | None, public_url: str) -> bool:
    """Whether a browser that names this host means this server: by an address, as this machine, or as mails name it.

    Any other name may be one whose owner has pointed it here, so that his pages count as this server's own.
    """
    try:
        name = urlsplit(f"//{host or ''}").hostname or ""
    except ValueError:
        return False
    return name in ("localhost", urlsplit(public_url).hostname) or is_address(name)


def is_foreign_get(headers: Mapping[str, str], allowed: Collection[str]) -> bool:
    """Whether a GET was caused by a page of another site: a picture, a script or a link, which carry no Origin."""
    if "origin" in headers:
        return is_foreign(headers, allowed)
    return headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def foreign_refused() -> HttpRefusal:
    """403: the page's site is not allowed."""
    return HttpRefusal(
        403,
        "FORBIDDEN",
        "Pages of this site may not use the API: an operator allows its origin with ADGRAPH_CORS_ORIGINS.",
    )


class Cors(CORSMiddleware):
    """Answers browsers that ask whether a page of an allowed origin may send a request; never with credentials."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "POST"),
            allow_headers=REQUEST_HEADERS,
            expose_headers=SHOWN_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What carries no Origin, as programs send it, is only told that another answer may follow where one is."""
        if any(name == b"origin" for name, _ in scope["headers"]):
            await super().__call__(scope, receive, send)
            return

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append(_VARIES)
            await send(message)

        await self.app(scope, receive, tell)

    def preflight_response(self, request_headers: Headers) -> Response:
        """204, or the refusal in JSON."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == 200:
            kept = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
            return Response(status_code=204, headers={**kept, **SAFE_HEADERS})
        refusal = foreign_refused()
        if self.is_allowed_origin(request_headers["origin"]):
            names = ", ".join(self.allow_headers)
            message = f"A page may send GET and POST with the headers {names}; it asked for something else."
            refusal = HttpRefusal(400, "BAD_REQUEST", message)
        return refusal_response(refusal)
