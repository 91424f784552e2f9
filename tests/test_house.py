"""The shape of the house: what import contracts cannot say."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parent.parent
ROOMS = ("adgraph", "schema", "resolvers", "storage")
LOADED_BY_NAME = {"httptools", "uvloop", "websockets"}
"""What uvicorn picks up when it is there; nothing of ours imports it."""
IMPORTED_AS = {
    "graphql-core": {"graphql"},
    "opentelemetry-api": {"opentelemetry"},
    "opentelemetry-exporter-otlp-proto-http": {"opentelemetry"},
    "opentelemetry-sdk": {"opentelemetry"},
    "peewee": {"peewee", "playhouse"},
    "prometheus-client": {"prometheus_client"},
    "pyjwt": {"jwt"},
    "strawberry-graphql": {"strawberry"},
}
"""What a distribution is imported as, where that is not its own name."""


def modules(*folders: str) -> list[Path]:
    """The Python files under these folders."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    """The modules a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""


@pytest.mark.parametrize(
    ("folder", "also"),
    [
        pytest.param("storage/records", ("storage.records",), id="records"),
        pytest.param("resolvers/rules", ("storage.records", "resolvers.rules"), id="rules"),
    ],
)
def test_the_pure_rooms_import_nothing_but_the_standard_library_and_each_other(
    folder: str, also: tuple[str, ...]
) -> None:
    assert modules(folder)
    for path in modules(folder):
        for name in imported(path):
            ours = any(name == each or name.startswith(f"{each}.") for each in also)
            assert ours or name.partition(".")[0] in sys.stdlib_module_names, f"{path} imports {name}"


def test_only_the_settings_read_the_environment() -> None:
    readers = [path for path in modules(*ROOMS) if re.search(r"\benviron\b|\bgetenv\b", path.read_text())]
    assert readers == [ROOT / "adgraph" / "settings.py"]


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    declared = {re.split(r"[^A-Za-z0-9._-]", line)[0] for line in lines} - LOADED_BY_NAME
    offered = [IMPORTED_AS.get(name, {name}) for name in sorted(declared)]
    roots = {name.partition(".")[0] for path in modules(*ROOMS) for name in imported(path)}
    foreign = roots - set(ROOMS) - sys.stdlib_module_names
    assert foreign <= set().union(*offered)
    assert [names for names in offered if not names & foreign] == []


def test_a_wheel_has_the_rooms_whole_and_no_tests() -> None:
    packed = {Path(each.path).relative_to(ROOT) for each in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {path.parts[0] for path in packed} == {*ROOMS, "queries"}
    needed = {path.relative_to(ROOT) for path in modules(*ROOMS)}
    needed |= {path.relative_to(ROOT) for path in (ROOT / "queries").glob("*.graphql")}
    needed |= {path.relative_to(ROOT) for path in (ROOT / "adgraph" / "static").rglob("*.[jc]s*")}
    assert needed | {Path("schema/schema.graphql"), Path("adgraph/static/index.html")} <= packed


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_name_no_place_to_install_from_and_every_file_by_its_hash(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host|^-", text, re.MULTILINE)
    pinned = re.split(r"\n(?=[a-z])", text.strip())
    assert len(pinned) > 20
    for each in pinned:
        assert re.match(r"[a-z0-9._-]+==\S+", each), each.splitlines()[0]
        assert "--hash=sha256:" in each, each.splitlines()[0]


def test_tests_run_on_the_versions_that_are_served() -> None:
    served, tested = (
        dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert served.items() <= tested.items()
