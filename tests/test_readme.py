"""The README says what is: its reply, its tables and its map are those of the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adgraph.cli import app
from resolvers.errors import Code
from resolvers.rules.capabilities import CAPABILITY_RULES
from resolvers.session import Session, Viewer
from schema import errors
from schema.execution import Engine
from storage.database import Database
from storage.demo import EARLIEST_NOW_MS, WORKED_USER_NAME, load_demo
from storage.reads.logins import read_login
from storage.records.ids import Instant
from tests.databases import SqliteDatabases, migrated
from tests.readme import GENERATED, README, permission_table, with_tables

ROOT = README.parent
TEXT = README.read_text(encoding="utf-8")
REQUEST_CODES = frozenset(
    {"PARSE_FAILED", "VALIDATION_FAILED", "BAD_USER_INPUT", "OPERATION_RESOLUTION_FAILURE", "DOCUMENT_TOO_LARGE"}
)
FAULT_CODES = frozenset({"INTERNAL_SERVER_ERROR", "STORAGE_BUSY", "STORAGE_UNAVAILABLE"})


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The demo company, as `make serve` loads it."""
    database = Database.open(migrated(SqliteDatabases(tmp_path_factory.mktemp("readme"))))
    load_demo(database, now_ms=EARLIEST_NOW_MS)
    yield database
    database.close()


def first(pattern: str) -> str:
    """What the pattern's group finds first in the README."""
    found = re.search(pattern, TEXT, re.DOTALL)
    assert found, pattern
    return found[1]


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    return first(rf"\n#+ {title}\n(.*?)(?=\n#)")


def test_the_reply_is_the_real_one(demo: Database) -> None:
    asked: dict[str, Any] = json.loads(first(r"-d '(\{.*?\})'\n"))
    shown = json.loads(first(r"```json\n(.*?)```"))
    with demo.read() as transaction:
        login = read_login(transaction, WORKED_USER_NAME)
        assert login is not None
        session = Session(transaction, Viewer(login.id, login.user_name), Instant(EARLIEST_NOW_MS))
        assert Engine().execute(asked["query"], None, None, session) == shown


@pytest.mark.parametrize("name", GENERATED)
def test_a_table_is_the_one_the_code_makes(name: str) -> None:
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    shown, made = (text.partition(begin)[2].partition(end)[0] for text in (TEXT, with_tables(TEXT)))
    assert shown == made, "run: python -m tests.readme"


def test_the_permission_table_has_a_row_for_every_rule() -> None:
    head, _, *rows = permission_table().splitlines()
    assert len(rows) == len(CAPABILITY_RULES)
    assert {row.count("|") for row in rows} == {head.count("|")}
    assert "| C16 | `MANAGE_USERS` | manager account |  |  | ✓ | ✓ | ✓ | – | – |" in rows


def test_every_error_code_is_explained() -> None:
    explained = re.findall(r"^\| `([A-Z_]+)` \| \S", section("Error codes"), re.MULTILINE)
    at_the_door = re.findall(
        r"(?:HttpRefusal\(\s*\d+,|code: str =|code=|_refused\()\s*\"([A-Z_]+)\"",
        "".join(path.read_text() for path in sorted((ROOT / "adgraph").rglob("*.py"))),
    )
    known = set(at_the_door)
    known |= {str(code) for code in Code} | {getattr(errors, name) for name in REQUEST_CODES | FAULT_CODES}
    assert len(at_the_door) > 8
    assert sorted(explained) == sorted(known)


def test_the_map_names_what_is_there() -> None:
    shown = first(r"## The map of the house\n\n```\n(.*?)```")
    top = re.findall(r"^(\w+)/ ", shown, re.MULTILINE)
    for folder in top:
        assert (ROOT / folder).is_dir(), folder
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert rooms <= set(top)
    inside = re.findall(r"^  (\w+)/ ", shown, re.MULTILINE)
    assert {path.parent.name for path in ROOT.glob("adgraph/*/__init__.py")} <= set(inside)


def test_commands_of_the_readme_exist() -> None:
    used = set(re.findall(r"(?:bin/|`)adgraph ((?:token |developer-token )?[a-z]+)", TEXT))
    listed = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    for group in app.registered_groups:
        assert group.typer_instance is not None
        listed |= {
            f"{group.name} {command.name or getattr(command.callback, '__name__', '')}"
            for command in group.typer_instance.registered_commands
        }
    assert {"migrate", "serve", "token issue", "developer-token issue"} <= used <= listed


def test_make_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = set(re.findall(r"(?:^|`)make ([a-z]+)", TEXT, re.MULTILINE))
    assert {"serve", "test", "check"} <= used <= targets


PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_what_exists(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_addresses_are_local_or_examples(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    hosts = re.findall(r"(?:https?|postgresql)://(?:[^\s/@]+@)?([^\s/:`)]+)", text)
    assert all(host in ("127.0.0.1", "localhost", "host") or host.endswith(".example") for host in hosts), hosts


DECISIONS = ROOT / "docs" / "decisions"


def test_the_index_of_decisions_has_each_by_its_title() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    records = sorted(DECISIONS.glob("[0-9]*.md"))
    titles = [(path.name, path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")) for path in records]
    assert re.findall(r"^- \[(\d+)\]\((.*?)\) (.*)$", index, re.MULTILINE) == [
        (title[:4], name, title[5:]) for name, title in titles
    ]


@pytest.mark.parametrize("path", sorted(DECISIONS.glob("[0-9]*.md")), ids=lambda path: path.stem)
def test_a_decision_is_short_and_says_why_what_and_at_what_price(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert 120 <= len(text.split()) <= 350
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
