"""What the log says, in which form, and what it never says."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adgraph.observability import logs
from adgraph.observability.logs import LONGEST_TEXT, log_to_terminal, masked
from adgraph.settings import Settings


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def undisturbed() -> Iterator[None]:
    """Gives the root logger back as it was."""
    root, ours = logging.getLogger(), logging.getLogger("adgraph")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """The events written."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def logged(**settings: Any) -> io.StringIO:
    """A stream that gets the log under these settings."""
    stream = io.StringIO()
    log_to_terminal(Settings(**settings), stream)
    return stream


def test_a_line_is_one_json_object_with_its_fields() -> None:
    stream = logged()
    logging.getLogger("adgraph.requests").info("answered", extra={"request_id": "r1", "status": 200})
    [line] = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "message": "answered",
        "level": "info",
        "logger": "adgraph.requests",
        "request_id": "r1",
        "status": 200,
    }


def test_on_a_terminal_a_line_is_text_unless_json_is_asked_for() -> None:
    for chosen, is_json in ((None, False), ("text", False), ("json", True)):
        stream = Terminal()
        log_to_terminal(Settings(log_format=chosen), stream)
        logging.getLogger("adgraph").info("hello %s", "there")
        assert "hello there" in stream.getvalue()
        assert stream.getvalue().startswith("{") is is_json


def test_what_is_ours_is_heard_from_the_chosen_level_and_what_is_not_from_warnings() -> None:
    stream = logged(log_level="info")
    logging.getLogger("adgraph").debug("too small")
    logging.getLogger("uvicorn.error").info("somebody else's")
    logging.getLogger("uvicorn.error").warning("somebody else's trouble")
    logging.getLogger("adgraph").info("ours")
    assert [line["message"] for line in lines(stream)] == ["somebody else's trouble", "ours"]


def test_a_trace_is_part_of_its_line() -> None:
    stream = logged()
    problem = ValueError("out of cheese of jo@example.com")
    logging.getLogger("adgraph").error("unexpected", exc_info=problem)
    [line] = lines(stream)
    assert line["exception"] == "ValueError: out of cheese of (e-mail)"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param("got adg_Zm9vYmFyYmF6cXV4Zm9vYmFy", "Zm9v", id="an access token"),
        pytest.param("got adgdev_Zm9vYmFyYmF6cXV4Zm9v", "Zm9v", id="a developer token"),
        pytest.param("got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqbyJ9.c2ln", "eyJ", id="a JWT"),
        pytest.param("Authorization: Bearer s3cretsecret", "s3cret", id="any bearer"),
        pytest.param("connect to postgresql://ada:hunter2@db.example/graph failed", "hunter2", id="a password"),
        pytest.param("smtp://ada:hunter2@mail.example", "hunter2", id="a mail password"),
        pytest.param(
            "duplicate key\nDETAIL:  Key (name)=(Northwind) already exists.", "Northwind", id="a row's values"
        ),
        pytest.param("mail to jo.doe@example.com refused", "jo.doe", id="an address"),
    ],
)
def test_what_must_not_leave_the_machine_is_masked_wherever_it_stands(text: str, secret: str) -> None:
    stream = logged()
    logging.getLogger("adgraph").warning(text, extra={"also": text})
    [line] = lines(stream)
    assert secret not in stream.getvalue()
    assert line["also"] == masked(text)


def test_plain_sentences_are_left_as_they_are() -> None:
    sentence = "client link 1 is ACTIVE now (activateClientLink, revision 2): bearer of news, 3 @ 4"
    assert masked(sentence) == sentence


PIECES = (
    *("adg", "adgl_", "adg_", "0123456789abcdef", "adgraph.requests", "-eyJhbGciOiJIUzI1NiJ9", "."),
    *("Bearer ", "bASIC\t", "bearer", "sqlite://", "postgres://", "me", ":", "@", "example.com", " "),
    *("\n", "\nDETAIL:  Key", "CONTEXT", " CONTEXT: x"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_what_is_not_looked_through_has_nothing_to_mask(text: str) -> None:
    expected = text
    for pattern, instead in logs._SECRETS:
        expected = pattern.sub(instead, expected)
    assert masked(text) == expected


ENDLESS = ("a", "a.", "-eyJaaaaaaaa", "-adg", "a://", "bearer ", "a@", " ", "\n", "\nDETAIL", "adga")


@pytest.mark.parametrize("piece", ENDLESS, ids=repr)
def test_a_text_without_end_is_cut_and_looked_through_quickly(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    found = masked(text)
    assert time.perf_counter() - started < 2
    assert found.endswith("characters more)")


def test_a_text_just_short_enough_is_kept_whole() -> None:
    assert masked("a" * LONGEST_TEXT) == "a" * LONGEST_TEXT
    assert masked("a" * (LONGEST_TEXT + 1)) == "a" * LONGEST_TEXT + "… (1 characters more)"
