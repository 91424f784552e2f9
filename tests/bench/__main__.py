"""`make bench`: measure adgraph beside its peers on generated data and print what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.status import Status

from storage.generator import Size
from tests.bench.data import prepared
from tests.bench.measure import FULL, QUICK
from tests.bench.report import show, write
from tests.bench.run import run
from tests.bench.servers import ROOT

FOLDER = ROOT / "var" / "bench"
POINT_CHECKS = {True: 2_000, False: 10_000}
QUICK_SHARE = 0.1
"""How much of the data PostgreSQL is filled with for a quick run; SQLite's is kept from run to run."""
DATA_VERSION = 1
"""Part of the file's name: raise it when the generator or what is added to its data changes."""

err = Console(stderr=True)


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer requests: rough numbers in under two minutes.")] = False,
    share: Annotated[float, typer.Option(min=0.001, max=1.0, help="How much of the full data to generate.")] = 1.0,
    only: Annotated[str, typer.Option(help="Ask only the questions whose name holds this text.")] = "",
    output: Annotated[Path, typer.Option(help="Where the JSON goes.")] = FOLDER / "result.json",
) -> None:
    """Compare adgraph with a static reply, plain Strawberry and Ariadne over the same data."""
    size = Size() if share == 1.0 else Size().scaled(share)
    path = FOLDER / f"data-{DATA_VERSION}-{size.ad_accounts}.db"
    with Progress(console=err, transient=True) as bars:
        shown: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in shown:
                shown[what] = bars.add_task(f"generating {what}", total=total)
            bars.update(shown[what], completed=done)

        data = prepared(path, size, progress)
    with Status("measuring", console=err) as status:
        filled = size.scaled(QUICK_SHARE) if quick else size
        result = run(data, filled, QUICK if quick else FULL, POINT_CHECKS[quick], status.update, only)
    console = Console()
    show(result, console)
    write(result, output)
    console.print(f"Samples: {output}", highlight=False)


if __name__ == "__main__":
    typer.run(main)
