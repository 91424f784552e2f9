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
