"""The environment decides, and a wrong value stops the start with a sentence."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from adgraph.settings import Settings, SettingsError, variable_of


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()


def test_an_empty_value_is_as_good_as_none() -> None:
    assert Settings.from_env({"ADGRAPH_PORT": "", "ADGRAPH_IDE": "  "}) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        (
            "ADGRAPH_DATABASE_URL",
            "postgresql://ada:x@db.example/graph",
            "database_url",
            "postgresql://ada:x@db.example/graph",
        ),
        ("ADGRAPH_DATABASE_URL", "postgres://db.example/graph", "database_url", "postgresql://db.example/graph"),
        ("ADGRAPH_DATABASE_URL", "sqlite:////data/a.db", "database_url", "sqlite:////data/a.db"),
        ("ADGRAPH_HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("ADGRAPH_PORT", "1", "port", 1),
        ("ADGRAPH_PORT", "65535", "port", 65_535),
        ("ADGRAPH_DEMO", "on", "demo", True),
        ("ADGRAPH_IDE", "OFF", "ide", False),
        ("ADGRAPH_INTROSPECTION", "true", "introspection", True),
        ("ADGRAPH_GET_QUERIES", "0", "get_queries", False),
        ("ADGRAPH_MAX_BODY_BYTES", "2048", "max_body_bytes", 2_048),
        ("ADGRAPH_MAX_NODES", "500000", "max_nodes", 500_000),
        ("ADGRAPH_DOCUMENTS", "trusted", "documents", "trusted"),
        ("ADGRAPH_MAX_SOCKETS", "0", "max_sockets", 0),
        ("ADGRAPH_MAX_SUBSCRIPTIONS", "100000", "max_subscriptions", 100_000),
        ("ADGRAPH_LOG_LEVEL", "debug", "log_level", "debug"),
        ("ADGRAPH_OIDC_CLOCK_SKEW_MS", "0", "oidc_clock_skew_ms", 0),
        ("ADGRAPH_OIDC_CLOCK_SKEW_MS", "300000", "oidc_clock_skew_ms", 300_000),
        (
            "ADGRAPH_OIDC_LOGIN_CLAIM",
            "https://agency.example/login",
            "oidc_login_claim",
            "https://agency.example/login",
        ),
        ("ADGRAPH_DEVELOPER_TOKEN", "required", "developer_tokens", "required"),
        ("ADGRAPH_DEVELOPER_TOKEN", "optional", "developer_tokens", "optional"),
    ],
)
def test_a_good_value_is_taken(name: str, text: str, field: str, value: Any) -> None:
    assert getattr(Settings.from_env({name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ADGRAPH_DATABASE_URL", "mysql://db.example/graph"),
        ("ADGRAPH_DATABASE_URL", "var/adgraph.db"),
        ("ADGRAPH_DATABASE_URL", "sqlite://"),
        ("ADGRAPH_HOST", "127.0.0.1/x"),
        ("ADGRAPH_PORT", "0"),
        ("ADGRAPH_PORT", "65536"),
        ("ADGRAPH_PORT", "8_000"),
        ("ADGRAPH_PORT", "+80"),
        ("ADGRAPH_PORT", "8000.0"),
        ("ADGRAPH_PORT", "٨٠"),
        ("ADGRAPH_PORT", "9" * 5_000),
        ("ADGRAPH_DEMO", "yes please"),
        ("ADGRAPH_IDE", "2"),
        ("ADGRAPH_MAX_NODES", "0"),
        ("ADGRAPH_THREADS", "-1"),
        ("ADGRAPH_DOCUMENTS", "some"),
        ("ADGRAPH_MAX_SOCKETS", "100001"),
        ("ADGRAPH_LOG_LEVEL", "loud"),
        ("ADGRAPH_OIDC_ISSUER", "login.agency.example"),
        ("ADGRAPH_OIDC_ISSUER", "http://login.agency.example"),
        ("ADGRAPH_OIDC_ISSUER", "http://127.0.0.1.evil.example"),
        ("ADGRAPH_OIDC_ISSUER", "https://login.agency.example/?tenant=1"),
        ("ADGRAPH_OIDC_ISSUER", "https://login.agency.example/#x"),
        ("ADGRAPH_OIDC_ISSUER", "https://login.agency.example:0"),
        ("ADGRAPH_OIDC_ISSUER", "https://"),
        ("ADGRAPH_OIDC_AUDIENCE", "two words"),
        ("ADGRAPH_OIDC_LOGIN_CLAIM", "two words"),
        ("ADGRAPH_OIDC_SCOPES", "read delete"),
        ("ADGRAPH_OIDC_SCOPES", "adgraph.read"),
        ("ADGRAPH_OIDC_CLOCK_SKEW_MS", "300001"),
        ("ADGRAPH_DEVELOPER_TOKEN", "on"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: text})
    sentence = str(caught.value)
    allowed = next(variable_of(each).allowed for each in fields(Settings) if variable_of(each).name == name)
    assert name in sentence
    assert text[:40] in sentence
    assert allowed in sentence
    assert len(sentence) < 500


ISSUER = {"ADGRAPH_OIDC_ISSUER": "https://login.agency.example/", "ADGRAPH_OIDC_AUDIENCE": "adgraph"}


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.agency.example",
        "https://login.agency.example:8443/a/",
        "http://127.0.0.1:9/",
        "http://[::1]:9",
        "http://localhost",
    ],
)
def test_an_issuer_is_kept_to_the_last_slash(issuer: str) -> None:
    assert Settings.from_env(ISSUER | {"ADGRAPH_OIDC_ISSUER": issuer}).oidc_issuer == issuer


def test_scopes_of_jwts_are_kept_in_one_order() -> None:
    assert Settings.from_env(ISSUER | {"ADGRAPH_OIDC_SCOPES": "Write  read"}).oidc_scopes == "read write"


@pytest.mark.parametrize("missing", ISSUER)
def test_half_an_issuer_is_refused_with_the_other_half(missing: str) -> None:
    [given] = set(ISSUER) - {missing}
    with pytest.raises(SettingsError, match=f"{given} is set and {missing} is not"):
        Settings.from_env({given: ISSUER[given]})


def test_scopes_for_jwts_of_nobody_are_refused() -> None:
    with pytest.raises(SettingsError, match="ADGRAPH_OIDC_SCOPES"):
        Settings.from_env({"ADGRAPH_OIDC_SCOPES": "read"})


def test_a_password_in_an_issuer_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(ISSUER | {"ADGRAPH_OIDC_ISSUER": "https://ada:hunter2@login.agency.example"})
    assert "hunter2" not in str(caught.value)


def test_a_password_never_stands_in_the_sentence() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"ADGRAPH_DATABASE_URL": "oracle://ada:hunter2@db.example/graph"})
    assert "hunter2" not in str(caught.value)
    assert "db.example" in str(caught.value)


def test_page_and_introspection_are_off_unless_asked_for_or_in_demo_mode() -> None:
    assert not Settings().shows_ide
    assert not Settings().allows_introspection
    assert Settings(demo=True).shows_ide
    assert Settings(demo=True).allows_introspection
    assert not Settings(demo=True, ide=False).shows_ide
    assert Settings(ide=True).shows_ide


def test_every_variable_says_what_it_decides() -> None:
    variables = [variable_of(each) for each in fields(Settings)]
    assert len({variable.name for variable in variables}) == len(variables)
    for variable in variables:
        assert variable.name.startswith("ADGRAPH_")
        assert variable.decides
        assert variable.allowed
