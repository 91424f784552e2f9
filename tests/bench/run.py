"""One run from the data to the result: servers up, answers equal, rounds, what is measured in process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from storage.generator import Size
from tests.bench.data import Data
from tests.bench.in_process import count_parsed, time_point_checks
from tests.bench.measure import ARIADNE, OURS, PLAIN, STATIC, Effort, check_equal, compare, file_name
from tests.bench.questions import Question, questions
from tests.bench.report import Result
from tests.bench.servers import Server, adgraph, running
from tests.bench.writes import measure_on_postgresql, measure_on_sqlite

_SERVE = ["-m", "tests.bench.peers.serve"]


@contextmanager
def answering(data: Data, asked: Sequence[Question]) -> Iterator[dict[str, Server]]:
    """All four servers over the same data, after their answers were found equal.

    Raises: AnswersDiffer, ServerFailed.
    """
    path = data.url.removeprefix("sqlite:///")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="adgraph-bench-")))
        ours = stack.enter_context(adgraph(data.url, folder / "adgraph.log"))
        peers = [
            stack.enter_context(running(name, "/graphql/", [*_SERVE, kind, path, "{port}"], {}, folder / f"{kind}.log"))
            for name, kind in ((PLAIN, "plain"), (ARIADNE, "ariadne"))
        ]
        for server in (ours, *peers):
            server.await_answering()
        replies = check_equal([ours, *peers], asked, data.token)
        prebuilt = folder / "replies"
        prebuilt.mkdir()
        for question in asked:
            (prebuilt / file_name(question)).write_bytes(replies[question.name])
        command = [*_SERVE, "static", str(prebuilt), "{port}"]
        static = stack.enter_context(running(STATIC, "/{name}", command, {}, folder / "static.log"))
        static.await_answering()
        yield {server.name: server for server in (ours, static, *peers)}


def run(
    data: Data, size: Size, effort: Effort, point_checks: int, progress: Callable[[str], None], only: str = ""
) -> Result:
    """Measure everything, or only the questions whose name holds a text.

    `size` is how much PostgreSQL is filled with, which is done anew every time.
    """
    asked = [question for question in questions(data) if only in question.name]
    progress("starting the servers and comparing their answers")
    with answering(data, asked) as servers:
        return measure(data, size, asked, servers, effort, point_checks, progress)


def measure(
    data: Data,
    size: Size,
    asked: Sequence[Question],
    servers: dict[str, Server],
    effort: Effort,
    point_checks: int,
    progress: Callable[[str], None],
) -> Result:
    """Measure everything on servers that run."""
    measured = compare(list(servers.values()), asked, data.token, effort, progress)
    memory = servers[OURS].memory_mib()
    progress("point checks in process")
    checks = time_point_checks(data, point_checks)
    progress("counting parsed documents")
    documents = count_parsed(data, asked)
    progress("writes, and reads under writes, on SQLite")
    written = {"SQLite": measure_on_sqlite(data, effort.write_seconds)}
    progress("writes, and reads under writes, on PostgreSQL")
    written["PostgreSQL"] = measure_on_postgresql(size, effort.write_seconds)
    return Result(effort, data.ad_accounts, measured, memory, checks, documents, written)
