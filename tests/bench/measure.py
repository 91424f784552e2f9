"""The comparison: answers first checked to be equal, then rounds in which all servers take turns.

What counts is CPU time of the server process a request. Client and servers share the machine, so absolute
times swing; ratios within a round do not, and their median over rounds is what is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

import orjson

from tests.bench.client import ask_many, ask_once, request_bytes
from tests.bench.questions import Question
from tests.bench.servers import Server

CONNECTIONS = 4
OURS, STATIC, PLAIN, ARIADNE = "adgraph", "static", "plain Strawberry", "Ariadne"
_WARM_UP_REQUESTS = 3


class AnswersDiffer(Exception):
    """Two servers disagree: then nothing they are timed on means anything."""


class Effort(NamedTuple):
    """How much is measured: rounds, and the time each server gets for each question in each of them."""

    rounds: int
    seconds: float
    write_seconds: float = 0.3
    """For each rate of writes, and for writing alone."""


QUICK = Effort(rounds=5, seconds=0.12, write_seconds=2.0)
FULL = Effort(rounds=7, seconds=1.0, write_seconds=10.0)


class Sample(NamedTuple):
    """One server and one question in one round."""

    cpu_ms: float
    requests_per_second: float


@dataclass
class Measured:
    """All samples of one question: by server, one a round."""

    question: str
    reply_bytes: int
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def cpu_ms(self, server: str) -> float:
        """The median of CPU milliseconds a request."""
        return median(sample.cpu_ms for sample in self.samples[server])

    def requests_per_second(self, server: str) -> float:
        """The median of requests answered a second."""
        return median(sample.requests_per_second for sample in self.samples[server])

    def ratio(self, server: str, to: str) -> Ratio:
        """How many times the CPU of `to` a server takes, round by round."""
        pairs = zip(self.samples[server], self.samples[to], strict=True)
        ratios = [mine.cpu_ms / other.cpu_ms for mine, other in pairs]
        return Ratio(median(ratios), min(ratios), max(ratios))


class Ratio(NamedTuple):
    """The median over the rounds, and their extremes."""

    median: float
    lowest: float
    highest: float


def path_of(server: Server, question: Question) -> str:
    """Where a server takes a question."""
    return server.path.replace("{name}", file_name(question))


def file_name(question: Question) -> str:
    """A question's name as part of an address."""
    return question.name.replace(" ", "-").replace(",", "")


def check_equal(servers: Sequence[Server], questions: Sequence[Question], token: str) -> dict[str, bytes]:
    """The reply of the first server to each question, which all others must equal as JSON.

    Raises: AnswersDiffer naming the first difference.
    """
    replies: dict[str, bytes] = {}
    for question in questions:
        first, *others = (
            ask_once(server.port, request_bytes(path_of(server, question), token, question.body)) for server in servers
        )
        expected = orjson.loads(first)
        if expected.get("errors") or expected.get("data") is None:
            raise AnswersDiffer(f"{servers[0].name} does not answer {question.name}: {first[:500]!r}")
        for server, body in zip(servers[1:], others, strict=True):
            # Only ours says what a request has cost, in `extensions`; what was asked for must be the same.
            difference = _difference(expected["data"], orjson.loads(body)["data"])
            if difference is not None:
                raise AnswersDiffer(f"{question.name}: {servers[0].name} and {server.name} differ {difference}")
        replies[question.name] = first
    return replies


def _difference(expected: Any, found: Any, where: str = "") -> str | None:
    """Where two decoded replies differ first, or None."""
    if isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys():
        pairs = [(f"{where}.{key}", expected[key], found[key]) for key in expected]
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = [(f"{where}[{index}]", *both) for index, both in enumerate(zip(expected, found, strict=True))]
    else:
        return None if expected == found else f"at {where or 'the top'}: {str(expected)[:200]} and {str(found)[:200]}"
    return next((text for text in (_difference(one, other, at) for at, one, other in pairs) if text), None)


def compare(
    servers: Sequence[Server],
    questions: Sequence[Question],
    token: str,
    effort: Effort,
    progress: Callable[[str], None],
) -> list[Measured]:
    """Time all servers on all questions in interleaved rounds (A B C, C B A, …)."""
    found = []
    for question in questions:
        requests = {server.name: request_bytes(path_of(server, question), token, question.body) for server in servers}
        counts = {server.name: _how_many(server, requests[server.name], effort) for server in servers}
        measured = Measured(question.name, 0, {server.name: [] for server in servers})
        for number in range(effort.rounds):
            for server in servers if number % 2 == 0 else list(reversed(servers)):
                progress(f"{question.name}, round {number + 1} of {effort.rounds}: {server.name}")
                sample = _sample(server, requests[server.name], counts[server.name])
                measured.samples[server.name].append(sample)
        measured.reply_bytes = len(ask_once(servers[0].port, requests[servers[0].name]))
        found.append(measured)
    return found


def _how_many(server: Server, request: bytes, effort: Effort) -> int:
    """As many requests as fit into the time; these are also the warm-up."""
    warm = ask_many(server.port, request, _WARM_UP_REQUESTS, 1)
    if warm.seconds < effort.seconds:
        more = max(1, int(_WARM_UP_REQUESTS * effort.seconds / 4 / warm.seconds))
        warm = ask_many(server.port, request, more, CONNECTIONS)
    return max(1, int(effort.seconds * warm.requests / warm.seconds))


def _sample(server: Server, request: bytes, count: int) -> Sample:
    before = server.cpu_seconds()
    timing = ask_many(server.port, request, count, CONNECTIONS)
    cpu = server.cpu_seconds() - before
    return Sample(cpu / timing.requests * 1_000, timing.requests / timing.seconds)
