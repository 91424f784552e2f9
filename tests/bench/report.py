"""The result of a run: as tables on the terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from tests.bench.in_process import Documents, PointChecks
from tests.bench.measure import ARIADNE, OURS, PLAIN, STATIC, Effort, Measured, Ratio
from tests.bench.writes import Throughput, Writes

PLAIN_AT_LEAST, ARIADNE_AT_LEAST = 3.0, 1.0
POINT_CHECK_P95_MS = 0.5
MEMORY_MIB = 200
SERVERS = (OURS, STATIC, PLAIN, ARIADNE)


@dataclass(frozen=True, slots=True)
class Result:
    """Everything one run found."""

    effort: Effort
    ad_accounts: int
    measured: Sequence[Measured]
    memory_mib: dict[str, float]
    point_checks: PointChecks
    documents: Documents
    writes: Mapping[str, Writes]
    """By database."""

    def targets(self) -> dict[str, bool]:
        """Each target by its sentence, and whether this run reached it. Nothing fails by it: machines differ."""
        slowest = [(one.question, server) for one in self.measured for server in (PLAIN, ARIADNE)]
        reached = {
            f"{question}: {server} takes at least {_least(server):g}× our CPU": self._ratio(question, server).median
            >= _least(server)
            for question, server in slowest
        }
        reached[f"point check in process: p95 ≤ {POINT_CHECK_P95_MS} ms"] = (
            self.point_checks.p95_ms.median <= POINT_CHECK_P95_MS
        )
        reached[f"memory ≤ {MEMORY_MIB} MiB with the largest tree served"] = self.memory_mib["VmHWM"] <= MEMORY_MIB
        reached["every document is parsed once"] = self.documents.parsed == self.documents.documents
        return reached

    def _ratio(self, question: str, server: str) -> Ratio:
        [one] = (each for each in self.measured if each.question == question)
        return one.ratio(server, OURS)

    def as_json(self) -> bytes:
        """The run as JSON, samples and all."""
        found: dict[str, Any] = {
            "effort": self.effort._asdict(),
            "adAccounts": self.ad_accounts,
            "questions": [
                {
                    "name": one.question,
                    "replyBytes": one.reply_bytes,
                    "samples": {name: [sample._asdict() for sample in all_] for name, all_ in one.samples.items()},
                    "cpuMs": {name: one.cpu_ms(name) for name in one.samples},
                    "cpuToOurs": {name: one.ratio(name, OURS)._asdict() for name in one.samples if name != OURS},
                }
                for one in self.measured
            ],
            "memoryMib": self.memory_mib,
            "pointChecks": {
                **self.point_checks._asdict(),
                "rounds": [one._asdict() for one in self.point_checks.rounds],
            },
            "documents": self.documents._asdict(),
            "writes": {
                name: {
                    "adAccounts": found.ad_accounts,
                    "throughput": found.throughput._asdict(),
                    "readsUnderWrites": [one._asdict() for one in found.under_writes],
                }
                for name, found in self.writes.items()
            },
            "targets": self.targets(),
        }
        return orjson.dumps(found, option=orjson.OPT_INDENT_2)


def _least(server: str) -> float:
    return PLAIN_AT_LEAST if server == PLAIN else ARIADNE_AT_LEAST


def show(result: Result, console: Console) -> None:
    """Print the tables."""
    console.print(_times(result))
    console.print(_ratios(result))
    for name, found in result.writes.items():
        console.print(_under_writes(name, found))
    checks, documents = result.point_checks, result.documents
    p95 = checks.p95_ms
    console.print(
        f"Point check in process, {checks.ad_accounts:,} ad accounts: p50 {checks.p50_ms:.3f} ms,"
        f" p95 {p95.median:.3f} ms ({p95.lowest:.3f}–{p95.highest:.3f} in {len(checks.rounds)} rounds;"
        f" {checks.checks:,} checks, {checks.allowed:,} allowed)",
        f"Memory of the adgraph process after all questions: {result.memory_mib['VmRSS']:.0f} MiB,"
        f" at most {result.memory_mib['VmHWM']:.0f} MiB",
        f"Documents: {documents.requests} requests of {documents.documents} documents, {documents.parsed} parsed",
        *(_throughput(name, found.throughput) for name, found in result.writes.items()),
        sep="\n",
        highlight=False,
    )
    missed = [sentence for sentence, reached in result.targets().items() if not reached]
    console.print("All targets reached." if not missed else "Targets missed:", style="green" if not missed else "red")
    for sentence in missed:
        console.print(f"  {sentence}", highlight=False)


def _times(result: Result) -> Table:
    table = Table(title="CPU ms a request of the server process (requests/s in brackets), medians")
    table.add_column("question")
    table.add_column("reply", justify="right")
    for name in SERVERS:
        table.add_column(name, justify="right")
    for one in result.measured:
        cells = [f"{one.cpu_ms(name):.3g} ({one.requests_per_second(name):.3g})" for name in SERVERS]
        table.add_row(one.question, f"{one.reply_bytes / 1_000:,.1f} kB", *cells)
    return table


def _throughput(name: str, found: Throughput) -> str:
    return (
        f"Writes by several clients at once, {name}: {found.per_second:.0f} a second, p50 {found.p50_ms:.1f} ms,"
        f" p95 {found.p95_ms:.1f} ms, {found.cpu_ms:.1f} ms of the server's CPU each ({found.writes:,} writes)"
    )


def _under_writes(name: str, found: Writes) -> Table:
    table = Table(title=f"Reading a tree while it is written into: {name}, {found.ad_accounts:,} ad accounts")
    titles = ("writes/s wanted", "reached", "write p50", "write p95", "reads", "read p50", "read p95", "server CPU")
    for title in titles:
        table.add_column(title, justify="right")
    for one in found.under_writes:
        times = [f"{ms:.1f} ms" for ms in (one.write_p50_ms, one.write_p95_ms, one.p50_ms, one.p95_ms)]
        written, read = (times[:2] if one.wanted else ["", ""]), times[2:]
        table.add_row(
            f"{one.wanted:,}", f"{one.reached:.0f}", *written, f"{one.reads:,}", *read, f"{one.cpu_share:.0%}"
        )
    return table


def _ratios(result: Result) -> Table:
    table = Table(title="CPU compared, median of the rounds (lowest–highest)")
    table.add_column("question")
    for title in ("adgraph / static", "plain Strawberry / adgraph", "Ariadne / adgraph"):
        table.add_column(title, justify="right")
    for one in result.measured:
        ratios = (one.ratio(OURS, STATIC), one.ratio(PLAIN, OURS), one.ratio(ARIADNE, OURS))
        table.add_row(one.question, *(f"{each.median:.1f} ({each.lowest:.1f}–{each.highest:.1f})" for each in ratios))
    return table


def write(result: Result, path: Path) -> None:
    """Write the JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(result.as_json())
