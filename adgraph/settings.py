"""What a deployment can decide: every environment variable, documented once, here.

`Settings.from_env()` is the only place that reads the environment. A wrong value stops the start with a sentence that
names the variable, the value and what is allowed; it is never replaced by a default.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar
from urllib.parse import urlsplit

from adgraph.setting_texts import (
    DEVELOPER_TOKENS,
    NOBODY,
    SWITCH,
    between,
    database_url,
    host,
    issuer,
    mail,
    mail_address,
    names,
    networks,
    one_word,
    origins,
    public_url,
    scopes,
    switch,
)

_T = TypeVar("_T")

MEBIBYTE = 1024 * 1024


class SettingsError(ValueError):
    """An environment variable has a value adgraph cannot use; the message says which and what is allowed."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its name, what it decides, how its text is read."""

    name: str
    decides: str
    allowed: str
    read: Callable[[str], Any]


def _variable(name: str, decides: str, allowed: str, read: Callable[[str], _T], default: _T) -> Any:
    return field(default=default, metadata={"variable": Variable(name, decides, allowed, read)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The decisions of one deployment. Sizes are bytes, times are milliseconds (`…_ms`)."""

    database_url: str = _variable(
        "ADGRAPH_DATABASE_URL",
        "where everything is kept; a relative SQLite path starts at the working directory",
        "sqlite:///path/to/file.db or postgresql://user:password@host/name",
        database_url,
        "sqlite:///var/adgraph.db",
    )
    host: str = _variable("ADGRAPH_HOST", "the address to listen on", "a host name or an address", host, "127.0.0.1")
    port: int = _variable("ADGRAPH_PORT", "the port to listen on", *between(1, 65_535), 8_000)
    demo: bool = _variable(
        "ADGRAPH_DEMO", "whether the page signs every visitor in to the demo company", SWITCH, switch, False
    )
    ide: bool | None = _variable(
        "ADGRAPH_IDE",
        "whether /graphql shows the IDE page to browsers (unset: only in demo mode)",
        SWITCH,
        switch,
        None,
    )
    introspection: bool | None = _variable(
        "ADGRAPH_INTROSPECTION",
        "whether the schema may be asked for (unset: only in demo mode)",
        SWITCH,
        switch,
        None,
    )
    get_queries: bool = _variable(
        "ADGRAPH_GET_QUERIES", "whether queries (never mutations) may come by GET", SWITCH, switch, True
    )
    documents: str = _variable(
        "ADGRAPH_DOCUMENTS",
        "whether any document is run, or only trusted ones: those of queries/ and of ADGRAPH_DOCUMENTS_FOLDER",
        "any or trusted",
        {name: name for name in ("any", "trusted")}.__getitem__,
        "any",
    )
    documents_folder: str | None = _variable(
        "ADGRAPH_DOCUMENTS_FOLDER",
        "where more trusted documents lie, as .graphql files; each may be asked for by its SHA-256",
        "a folder",
        str,
        None,
    )
    cors_origins: str | None = _variable(
        "ADGRAPH_CORS_ORIGINS",
        "which other sites' pages may use the API from browsers (unset: none)",
        "origins, separated by commas, such as https://app.example",
        origins,
        None,
    )
    max_sockets: int = _variable(
        "ADGRAPH_MAX_SOCKETS", "how many WebSockets one process keeps open", *between(0, 100_000), 1_000
    )
    max_subscriptions: int = _variable(
        "ADGRAPH_MAX_SUBSCRIPTIONS", "how many subscriptions one process keeps going", *between(0, 100_000), 1_000
    )
    max_body_bytes: int = _variable(
        "ADGRAPH_MAX_BODY_BYTES",
        "the longest request body or WebSocket message taken",
        *between(1_024, 64 * MEBIBYTE),
        MEBIBYTE,
    )
    max_nodes: int = _variable(
        "ADGRAPH_MAX_NODES", "the most rows one request may load", *between(100, 10_000_000), 10_000
    )
    max_cost: int = _variable(
        "ADGRAPH_MAX_COST",
        "the most one request may cost: an object of the answer costs 1, a mutation 10, ten rows read 1",
        *between(100, 100_000_000),
        100_000,
    )
    budget: int = _variable(
        "ADGRAPH_BUDGET", "what a caller may spend at once; 0 for no budgets", *between(0, 1_000_000_000), 1_000_000
    )
    budget_per_minute: int = _variable(
        "ADGRAPH_BUDGET_PER_MINUTE",
        "how much of a caller's budget comes back in a minute",
        *between(1, 1_000_000_000),
        300_000,
    )
    max_depth: int = _variable(
        "ADGRAPH_MAX_DEPTH", "how many levels of fields inside fields a document may have", *between(5, 100), 25
    )
    max_fields: int = _variable(
        "ADGRAPH_MAX_FIELDS",
        "how many fields a document may have, fragments counted as often as they are spread",
        *between(10, 100_000),
        1_000,
    )
    max_aliases: int = _variable(
        "ADGRAPH_MAX_ALIASES", "how many aliases a document may have", *between(0, 100_000), 100
    )
    max_root_fields: int = _variable(
        "ADGRAPH_MAX_ROOT_FIELDS", "how many fields a document may have at its root", *between(1, 10_000), 50
    )
    max_directives: int = _variable(
        "ADGRAPH_MAX_DIRECTIVES", "how many directives a document may have", *between(0, 10_000), 50
    )
    max_tokens: int = _variable(
        "ADGRAPH_MAX_TOKENS",
        "how many words and signs a document may have, and 25 times as many characters",
        *between(100, 100_000),
        2_000,
    )
    threads: int = _variable("ADGRAPH_THREADS", "how many requests run at the same time", *between(1, 64), 4)
    max_waiting: int = _variable(
        "ADGRAPH_MAX_WAITING", "how many more may wait for a thread before new ones get 503", *between(0, 100_000), 256
    )
    worker: bool = _variable(
        "ADGRAPH_WORKER",
        "whether the server itself leads links and invitations on; off where `adgraph worker` does",
        SWITCH,
        switch,
        True,
    )
    worker_interval_ms: int = _variable(
        "ADGRAPH_WORKER_INTERVAL_MS",
        "how long the worker waits before it looks again for what is due",
        *between(10, 3_600_000),
        2_000,
    )
    mail: str = _variable(
        "ADGRAPH_MAIL",
        "where mail goes: files in a folder, or a mail server",
        "a folder, smtp://user:password@host:port or smtps://user:password@host:port",
        mail,
        "var/mail",
    )
    mail_from: str = _variable(
        "ADGRAPH_MAIL_FROM",
        "the sender of mail",
        "an e-mail address, with or without a name",
        mail_address,
        "adgraph@localhost",
    )
    public_url: str = _variable(
        "ADGRAPH_PUBLIC_URL",
        "the address of this service as mails name it",
        "an address that begins with http:// or https://",
        public_url,
        "http://127.0.0.1:8000",
    )
    oidc_issuer: str | None = _variable(
        "ADGRAPH_OIDC_ISSUER",
        "whose JWTs are taken as access tokens (unset: nobody's)",
        "the issuer of an OpenID provider, exactly as its tokens name it, beginning with https:// (or with http:// on"
        " this machine)",
        issuer,
        None,
    )
    oidc_audience: str | None = _variable(
        "ADGRAPH_OIDC_AUDIENCE", "the audience (`aud`) those JWTs must be for", "one word", one_word, None
    )
    oidc_login_claim: str = _variable(
        "ADGRAPH_OIDC_LOGIN_CLAIM",
        "the claim of a JWT that names the login; `email` counts only when it is verified",
        "the name of a claim whose value users cannot choose themselves",
        one_word,
        "preferred_username",
    )
    oidc_scopes: str | None = _variable(
        "ADGRAPH_OIDC_SCOPES",
        "what a JWT opens that names no scope of ours, for issuers that cannot mint scopes (unset: nothing)",
        "read, write and admin, with blanks between",
        scopes,
        None,
    )
    oidc_clock_skew_ms: int = _variable(
        "ADGRAPH_OIDC_CLOCK_SKEW_MS", "how far the issuer's clock may be off", *between(0, 300_000), 30_000
    )
    developer_tokens: str = _variable(
        "ADGRAPH_DEVELOPER_TOKEN",
        "whether applications must present a developer token, may, or need not (off: none is looked at)",
        "required, optional or off",
        DEVELOPER_TOKENS.__getitem__,
        "off",
    )
    system_administrators: frozenset[str] = _variable(
        "ADGRAPH_SYSTEM_ADMINISTRATORS",
        "which logins may consolidate logins and provision aggregators; that gives them no access to anything",
        "names of logins with commas between them",
        names,
        NOBODY,
    )
    busy_timeout_ms: int = _variable(
        "ADGRAPH_BUSY_TIMEOUT_MS", "how long a request waits for a locked database", *between(0, 600_000), 5_000
    )
    request_timeout_ms: int = _variable(
        "ADGRAPH_REQUEST_TIMEOUT_MS", "how long one request may take, waiting included", *between(100, 600_000), 10_000
    )
    log_level: str = _variable(
        "ADGRAPH_LOG_LEVEL",
        "how much is logged",
        "debug, info, warning or error",
        {name: name for name in ("debug", "info", "warning", "error")}.__getitem__,
        "info",
    )
    log_format: str | None = _variable(
        "ADGRAPH_LOG_FORMAT",
        "how a line of the log is written (unset: text on a terminal, else json)",
        "json or text",
        {name: name for name in ("json", "text")}.__getitem__,
        None,
    )
    processes: int = _variable("ADGRAPH_PROCESSES", "how many processes serve the same address", *between(1, 64), 1)
    metrics: bool = _variable(
        "ADGRAPH_METRICS",
        "whether /metrics tells numbers to whoever asks; keep the proxy from it",
        SWITCH,
        switch,
        False,
    )
    trusted_proxies: str = _variable(
        "ADGRAPH_TRUSTED_PROXIES",
        "the proxies whose word about the caller's address and protocol is taken",
        "addresses or networks, with commas between them",
        networks,
        "127.0.0.1",
    )

    def __post_init__(self) -> None:
        """Refuse what is set by halves. Raises: SettingsError."""
        if (self.oidc_issuer is None) != (self.oidc_audience is None):
            given, missing = ("ADGRAPH_OIDC_ISSUER", "ADGRAPH_OIDC_AUDIENCE")
            given, missing = (given, missing) if self.oidc_issuer else (missing, given)
            raise SettingsError(
                f"{given} is set and {missing} is not, but JWTs are only taken from a known issuer and for a known"
                " audience: set both, or none."
            )
        if self.oidc_scopes is not None and self.oidc_issuer is None:
            raise SettingsError(
                "ADGRAPH_OIDC_SCOPES is set and ADGRAPH_OIDC_ISSUER is not, so there is no JWT it could say anything"
                " about: set both, or none."
            )

    @property
    def shows_ide(self) -> bool:
        """Whether browsers get the IDE page."""
        return self.demo if self.ide is None else self.ide

    @property
    def knows_documents(self) -> bool:
        """Whether trusted documents are read when the server starts."""
        return self.documents == "trusted" or self.documents_folder is not None

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins of pages that may use the API besides this server's own page."""
        public = urlsplit(self.public_url)
        return frozenset((self.cors_origins or "").split(",")) - {""} | {f"{public.scheme}://{public.netloc}"}

    @property
    def allows_introspection(self) -> bool:
        """Whether the schema may be asked for."""
        return self.demo if self.introspection is None else self.introspection

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read every variable; an unset or empty one means its default.

        Raises: SettingsError naming the first variable whose value is not allowed.
        """
        environ = os.environ if environ is None else environ
        found: dict[str, Any] = {}
        for each in fields(cls):
            variable = variable_of(each)
            text = environ.get(variable.name, "").strip()
            if text:
                found[each.name] = _read(variable, text)
        return cls(**found)


TRACE_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
TRACE_PROTOCOLS = ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
"""Standard variables: an endpoint, or OTEL_TRACES_EXPORTER=otlp, switches traces on; OTEL_SDK_DISABLED off again."""
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where processes of one server put their numbers together; the metrics library reads it when it is imported."""


def traces_wanted(environ: Mapping[str, str] | None = None) -> bool:
    """Whether the standard variables ask for traces.

    Raises: SettingsError when they ask for a way of sending them that is not here.
    """
    environ = os.environ if environ is None else environ
    exporter = environ.get("OTEL_TRACES_EXPORTER", "")
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or exporter == "none":
        return False
    if exporter not in ("", "otlp"):
        raise SettingsError(
            f"OTEL_TRACES_EXPORTER is {exporter!r}, but traces are only sent by otlp, or not at all: none."
        )
    wanted = exporter == "otlp" or any(environ.get(name) for name in TRACE_ENDPOINTS)
    for name in TRACE_PROTOCOLS:
        if wanted and environ.get(name, "http/protobuf") != "http/protobuf":
            raise SettingsError(f"{name} is {environ[name]!r}, but traces are only sent as http/protobuf.")
    return wanted


def metrics_folder(environ: Mapping[str, str] | None = None) -> str | None:
    """Where the processes of this server put their numbers together; None when there is only one."""
    return (os.environ if environ is None else environ).get(METRICS_FOLDER) or None


def hand_down(name: str, value: str) -> None:
    """Set a variable for this process and those it starts."""
    os.environ[name] = value


def variable_of(each: Field[Any]) -> Variable:
    """The environment variable behind one field of `Settings`."""
    variable: Variable = each.metadata["variable"]
    return variable


def shown(value: object) -> str:
    """The value of a setting as the environment would spell it; "unset" for one that is not there."""
    match value:
        case None:
            return "unset"
        case bool():
            return "on" if value else "off"
        case frozenset():
            return ", ".join(sorted(value)) or "unset"
        case _:
            return str(value)


def _read(variable: Variable, text: str) -> Any:
    try:
        return variable.read(text)
    except (ValueError, KeyError):
        # A database address carries a password, and this sentence ends in a log.
        shown = text if "@" not in text else f"{text.partition(':')[0]}:…@{text.rpartition('@')[2]}"
        shown = shown if len(shown) <= 80 else f"{shown[:80]}…"
        raise SettingsError(
            f"{variable.name} is {shown!r}, but must be {variable.allowed}: it says {variable.decides}."
        ) from None
