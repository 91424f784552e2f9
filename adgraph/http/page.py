"""The IDE page and what it loads: static files, the menu of `queries/`, all from the same origin.

The page has a policy that lets nothing in from elsewhere and no inline script or style; it works without a network.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import orjson
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from adgraph.protocol.refusals import SAFE_HEADERS

PACKAGE = Path(__file__).parent.parent
STATIC = PACKAGE / "static"
ASSETS = (
    "graphiql/graphiql.min.js",
    "graphiql/graphiql.min.css",
    "graphiql/react.production.min.js",
    "graphiql/react-dom.production.min.js",
    "graphiql/explorer.umd.js",
    "graphiql/explorer.css",
    "init.js",
    "page.css",
)

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self' data:",
        "img-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

PAGE_HEADERS: Mapping[str, str] = {
    **SAFE_HEADERS,
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class Operation(NamedTuple):
    """One entry of the menu: a file of `queries/`. `variables` is JSON text, as the editor wants it.

    `login` is the demo login the question is made for; empty for any.
    """

    name: str
    question: str
    about: str
    query: str
    variables: str
    login: str


AS = "as: "
"""Begins the comment line of a file that names a login."""


def queries_folder() -> Path:
    """Where the example operations are: beside this package in a checkout, inside it when installed from a wheel."""
    installed = PACKAGE / "_app" / "queries"
    return installed if installed.is_dir() else PACKAGE.parent / "queries"


def operations(folder: Path) -> list[Operation]:
    """The menu, in the order of the file names; no folder means no menu.

    A file begins with comment lines: the first is the question it answers, the others say more about it, and one of
    them may name the demo login that is shown most.
    """
    return [_operation(path) for path in sorted(folder.glob("*.graphql"))]


def _operation(path: Path) -> Operation:
    text = path.read_text(encoding="utf-8")
    comments = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        comments.append(line.removeprefix("#").strip())
    question, *about = comments or [path.stem.replace("-", " ")]
    variables = path.with_name(f"{path.stem}.variables.json")
    given = variables.read_text(encoding="utf-8").strip() if variables.exists() else ""
    logins = [line.removeprefix(AS) for line in about if line.startswith(AS)]
    told = " ".join(line for line in about if line and not line.startswith(AS))
    return Operation(path.stem, question, told, text, given, logins[0] if logins else "")


def asset_version() -> str:
    """A name for exactly these files: a changed file gets another address, so browsers may keep the old one forever."""
    digest = hashlib.sha256()
    for name in ASSETS:
        digest.update((STATIC / name).read_bytes())
    return digest.hexdigest()[:16]


class Page:
    """The page as it is sent, and the menu; read from disk once."""

    def __init__(self, folder: Path | None = None) -> None:
        self.prefix = f"/graphiql/{asset_version()}"
        self._html = (STATIC / "index.html").read_text(encoding="utf-8").replace("{assets}", self.prefix).encode()
        listed = operations(folder or queries_folder())
        self._menu = orjson.dumps({"operations": [each._asdict() for each in listed]})

    def html(self) -> Response:
        """The page itself."""
        return Response(self._html, headers=PAGE_HEADERS, media_type="text/html")

    def menu(self) -> Response:
        """The operations of `queries/`, as JSON."""
        return Response(self._menu, headers=SAFE_HEADERS, media_type="application/json")


class Assets(StaticFiles):
    """The page's scripts and styles, only those it names, kept by browsers for a year under their versioned address."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a file, but none that the page does not load (the vendoring script lies in the same folder)."""
        return super().lookup_path(path) if Path(path).as_posix() in ASSETS else ("", None)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with headers that say how long it holds."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
