"""The log: one line an event on standard error, JSON for machines or text for people, and nothing in it that should not
leave the machine.

The rooms log through `logging` with `extra={…}`; only here it becomes text. What never gets out: access tokens,
secrets, passwords, and personal data beyond ids. Rooms do not log such things; the mask is for what drivers and
libraries put into their messages.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import orjson
import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name

from adgraph.settings import Settings

Event = MutableMapping[str, Any]

LONGEST_TEXT = 20_000
"""Characters of one field of a line: a trace has a few thousand. More is cut: to look for secrets in it takes long."""
_SECRETS = (
    (re.compile(r"\badg[a-z]{0,8}_[A-Za-z0-9_-]{8,}"), "(token)"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,4096}(\.[A-Za-z0-9_-]*){1,4}"), "(token)"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',]{6,}"), r"\1 (token)"),
    (re.compile(r"(?i)([a-z][a-z0-9+.-]{0,30}://)[^\s/@]*@"), r"\1(credentials)@"),
    (re.compile(r"[^\s@\"'<>()=,;:]{1,320}@[^\s@\"'<>()=,;:]+"), "(e-mail)"),
    # PostgreSQL repeats the values of the row it refuses.
    (re.compile(r"(?m)^[ \t]*(DETAIL|CONTEXT):.*$"), r"(\1 left out)"),
)
_TELLTALE = re.compile(r"@|eyJ|adg[a-z]{0,8}_|DETAIL|CONTEXT|(?i:bearer|basic)\s")
"""In every text one of those finds something in. Most texts have none, and one look tells."""
_OURS = "adgraph"


def masked(text: str) -> str:
    """The text without what should not be kept in a log.

    >>> masked("token adg_0123456789abcdef of jo@example.com refused")
    'token (token) of (e-mail) refused'
    >>> masked("postgresql://adgraph:secret@db.example/adgraph")
    'postgresql://(credentials)@db.example/adgraph'
    """
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}… ({len(text) - LONGEST_TEXT} characters more)"
    if _TELLTALE.search(text) is None:
        return text
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _mask(_logger: Any, _method: str, event: Event) -> Event:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = masked(value)
    return event


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def formatter(*, as_json: bool) -> ProcessorFormatter:
    """Turns a record into its line. Traces are part of it, in the field `exception`."""
    shared: list[Any] = [
        add_log_level,
        add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        ExtraAdder(),
    ]
    last: list[Any] = (
        [structlog.processors.EventRenamer("message"), structlog.processors.JSONRenderer(serializer=_json)]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, exception_formatter=_plain)]
    )
    return ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _mask,
            *last,
        ],
    )


def _plain(stream: TextIO, trace: Any) -> None:
    stream.write(str(trace))


def log_to_terminal(settings: Settings, stream: TextIO | None = None) -> None:
    """Send the log to standard error, as much of it and in the form the settings say."""
    stream = stream or sys.stderr
    as_json = not stream.isatty() if settings.log_format is None else settings.log_format == "json"
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(as_json=as_json))
    root = logging.getLogger()
    for known in list(root.handlers):
        root.removeHandler(known)
    root.addHandler(handler)
    # Other people's libraries are heard when something is wrong; ours as the settings say.
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(settings.log_level.upper())
