"""The command line: what it does, and that everything that goes wrong is one sentence and an exit code."""

from __future__ import annotations

import hashlib
import io
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from adgraph.app import DemoLogin, DemoSession, open_database
from adgraph.cli import app
from adgraph.commands.demo import EARLIER_STARTS, PAGE_LABEL, prepare_demo
from adgraph.commands.serving import announce, listen
from adgraph.commands.terminal import without_password
from adgraph.commands.tokens import OperatorError, issue, listed, login_named
from adgraph.settings import Settings
from resolvers.rules.access_tokens import MOST_LIVE_TOKENS
from storage.audit import read_audit_entries
from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.demo import EARLIEST_NOW_MS, WORKED_USER_NAME
from storage.developer_tokens import DeveloperTokenState, find_developer_token
from storage.entries import ManagerAccountEntry
from storage.errors import StorageFailure
from storage.migrate import migrate
from storage.records.ids import ManagerAccountId
from storage.records.values import TokenScope
from storage.tokens import NewToken, TokenState, count_live_tokens, find_token, issue_token, read_token
from storage.writes import begin_revision, write_manager_accounts

NOW_MS = EARLIEST_NOW_MS


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database the environment names, not there yet."""
    address = f"sqlite:///{tmp_path / 'var' / 'adgraph.db'}"
    monkeypatch.setenv("ADGRAPH_DATABASE_URL", address)
    return address


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """That database, made and migrated."""
    database = open_database(Settings(database_url=url), make=True)
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def demo(database: Database) -> str:
    """The demo company in it; the page's token."""
    return prepare_demo(database, now_ms=NOW_MS).token


def run(*arguments: str) -> Result:
    """What a command did."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def refused(*arguments: str) -> str:
    """The sentence with which a command was refused."""
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("adgraph: ")
    return result.stderr


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def test_without_a_command_the_commands_are_listed() -> None:
    shown = run("--help").stdout
    for name in ("serve", "migrate", "demo", "token", "settings"):
        assert re.search(rf"\b{name}\b", shown)


def test_a_database_file_is_made_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "adgraph.db"
    monkeypatch.setenv("ADGRAPH_DATABASE_URL", f"sqlite:///{path}")
    run("migrate")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("beyond", ["file/x.db", "file/a/b/x.db"])
def test_a_place_where_no_database_can_be_is_named_with_what_the_system_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beyond: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ADGRAPH_DATABASE_URL", f"sqlite:///{tmp_path / beyond}")
    sentence = refused("migrate")
    assert f"no database at {tmp_path / beyond}: " in sentence
    assert re.search("(?i)not a directory|file exists", sentence)
    assert "ADGRAPH_DATABASE_URL" in sentence


def test_the_folder_of_a_database_is_made_where_its_address_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADGRAPH_DATABASE_URL", f"sqlite:///{tmp_path}/two%20words/x.db")
    assert run("migrate").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["two words"]


def test_migrating_twice_is_harmless() -> None:
    assert "Applied 0001" in run("migrate").stdout
    assert "up to date" in run("migrate").stdout


def test_a_database_without_tables_is_named_with_the_command_that_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.db").touch()
    monkeypatch.setenv("ADGRAPH_DATABASE_URL", f"sqlite:///{tmp_path}/empty.db")
    sentence = refused("token", "list", "--user", "ada@agency.example")
    assert f"{tmp_path}/empty.db: The database has no tables yet" in sentence
    assert "adgraph migrate" in sentence


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "worker --once",
        "token list --user ada",
        "token issue --user ada",
        "token revoke 1",
        "developer-token list",
        "login --user ada",
        "check --user ada --capability VIEW --ad-account 1",
        "explain --user ada --ad-account 1",
    ],
)
def test_a_file_that_is_not_there_is_named_and_not_made(tmp_path: Path, command: str) -> None:
    sentence = refused(*command.split(), *(["--port", str(free_port())] if command == "serve" else []))
    assert str(tmp_path / "var" / "adgraph.db") in sentence
    assert "adgraph migrate" in sentence
    assert "ADGRAPH_DATABASE_URL" in sentence
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["postgresql://ada:hunter2@db.example/graph", "postgresql://db.example/graph?password=at@hunter2&user=ada"]
)
def test_a_database_is_named_without_its_password(url: str) -> None:
    assert "hunter2" not in without_password(url)
    assert "db.example/graph" in without_password(url)


def test_a_wrong_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADGRAPH_PORT", "eighty")
    assert "ADGRAPH_PORT" in refused("serve")


def test_a_server_that_cannot_be_reached_is_refused_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADGRAPH_DATABASE_URL", "postgresql://ada:hunter2@127.0.0.1:1/graph")
    assert "hunter2" not in refused("migrate")


def test_the_demo_is_loaded_once() -> None:
    assert "Loaded" in run("demo").stdout
    assert "already" in run("demo").stdout


def test_the_demo_is_not_mixed_with_other_data(database: Database) -> None:
    with database.write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=NOW_MS)
        write_manager_accounts(transaction, stamp, [ManagerAccountEntry(ManagerAccountId(7), "X7", "Somebody's")])
    assert "other data" in refused("demo")
    with pytest.raises(StorageFailure):
        prepare_demo(database, now_ms=NOW_MS)


def test_generated_data_is_not_taken_for_the_demo_whatever_ids_it_has(database: Database) -> None:
    run("generate", "--share", "0.01")
    with database.read() as transaction:
        assert transaction.execute("SELECT 1 FROM manager_account WHERE id = 111").fetchall()
    for command in (("demo",), ("serve", "--demo", "--port", str(free_port()))):
        sentence = refused(*command)
        assert "other data" in sentence
        assert "ADGRAPH_DATABASE_URL" in sentence


def test_an_issued_token_stands_alone_on_standard_output_and_is_good(database: Database, demo: str) -> None:
    result = run("token", "issue", "--user", WORKED_USER_NAME, "--days", "1")
    token = result.stdout.removesuffix("\n")
    assert re.fullmatch(r"adg_[A-Za-z0-9_-]{43}", token)
    assert "good until" in result.stderr
    with database.read() as transaction:
        assert find_token(transaction, token, time.time_ns() // 1_000_000).state is TokenState.GOOD


def test_a_token_is_listed_without_its_secret_and_revoked(database: Database, demo: str) -> None:
    token = issue(database, user_name=WORKED_USER_NAME, label="laptop", days=1, now_ms=NOW_MS)
    shown = run("token", "list", "--user", WORKED_USER_NAME).stdout
    assert "laptop" in shown
    assert token.token not in shown
    assert "is revoked" in run("token", "revoke", str(token.id)).stdout
    assert "could be revoked" in refused("token", "revoke", str(token.id))


def test_a_token_is_issued_with_the_scopes_named_and_listed_with_them(database: Database, demo: str) -> None:
    token = run("token", "issue", "--user", WORKED_USER_NAME, "--scope", "read", "--scope", "Admin").stdout.strip()
    with database.read() as transaction:
        _, row = find_token(transaction, token, time.time_ns() // 1_000_000)
    assert row is not None
    assert row.scopes == {TokenScope.READ, TokenScope.ADMIN}
    shown = run("token", "list", "--user", WORKED_USER_NAME).stdout
    assert "read admin" in shown
    assert "last used" in shown
    assert run("token", "issue", "--user", WORKED_USER_NAME, "--scope", "everything").exit_code == 2


def test_by_default_a_token_reads_and_writes(database: Database, demo: str) -> None:
    issued = issue(database, user_name=WORKED_USER_NAME, label="x", days=1, now_ms=NOW_MS)
    with database.read() as transaction:
        _, row = find_token(transaction, issued.token, NOW_MS)
    assert row is not None
    assert row.scopes == {TokenScope.READ, TokenScope.WRITE}


def test_revoking_a_token_says_how_many_end_with_it(database: Database, demo: str) -> None:
    parent = issue(database, user_name=WORKED_USER_NAME, label="parent", days=1, now_ms=NOW_MS)
    with database.write() as transaction:
        row = read_token(transaction, parent.id)
        assert row is not None
        for _ in range(2):
            issue_token(transaction, NewToken(row.login_id, "x", row.scopes, NOW_MS + 1, row.id), NOW_MS)
    assert "2 that were issued with it" in run("token", "revoke", str(parent.id)).stdout


def test_a_login_gets_so_many_live_tokens_and_not_more(database: Database, demo: str) -> None:
    for _ in range(MOST_LIVE_TOKENS - 1):
        issue(database, user_name=WORKED_USER_NAME, label="x", days=1, now_ms=NOW_MS)
    with pytest.raises(OperatorError, match=str(MOST_LIVE_TOKENS)):
        issue(database, user_name=WORKED_USER_NAME, label="x", days=1, now_ms=NOW_MS)
    assert issue(database, user_name=WORKED_USER_NAME, label="x", days=1, now_ms=NOW_MS + 86_400_000)


def test_what_an_operator_does_to_tokens_is_in_the_audit_log(database: Database, demo: str) -> None:
    token = run("token", "issue", "--user", WORKED_USER_NAME, "--label", "for the log").stdout.strip()
    with database.read() as transaction:
        _, row = find_token(transaction, token, time.time_ns() // 1_000_000)
    assert row is not None
    run("token", "revoke", str(row.id))
    application = run("developer-token", "issue", "--label", "app", "--user", WORKED_USER_NAME).stdout.strip()
    rotated = run("developer-token", "rotate", "1").stdout.strip()
    run("developer-token", "revoke", "1")
    with database.read() as transaction:
        own = read_audit_entries(transaction, "AccessToken", [row.id])[row.id]
        others = read_audit_entries(transaction, "DeveloperToken", [1])[1]
    assert [one.operation for one in own] == ["issueAccessToken", "revokeAccessToken"]
    assert [one.operation for one in others] == ["issueDeveloperToken", "rotateDeveloperToken", "revokeDeveloperToken"]
    assert {one.actor_login_id for one in (*own, *others)} == {None}
    assert {one.reason for one in (*own, *others)} == {"By an operator, on the terminal."}
    for secret in (token, application, rotated):
        assert secret.partition("_")[2] not in str((own, others))


def test_a_developer_token_is_issued_listed_rotated_and_revoked(database: Database, demo: str) -> None:
    first = run("developer-token", "issue", "--label", "reports").stdout.strip()
    single = run("developer-token", "issue", "--label", "sync", "--user", WORKED_USER_NAME)
    assert re.fullmatch(r"adgdev_[A-Za-z0-9_-]{43}", first)
    assert f"for {WORKED_USER_NAME}" in single.stderr
    second = run("developer-token", "rotate", "1", "--grace-hours", "0").stdout.strip()
    now = time.time_ns() // 1_000_000
    with database.read() as transaction:
        assert find_developer_token(transaction, first, now).state is DeveloperTokenState.EXPIRED
        assert find_developer_token(transaction, second, now).state is DeveloperTokenState.GOOD
    shown = run("developer-token", "list").stdout
    assert "reports" in shown
    assert "every login" in shown
    assert not any(secret in shown for secret in (first, second, single.stdout.strip()))
    assert "is revoked" in run("developer-token", "revoke", "1").stdout
    for verb in ("revoke", "rotate"):
        assert "developer-token list" in refused("developer-token", verb, "1")
        assert "developer-token list" in refused("developer-token", verb, "404")


def test_a_developer_token_is_for_a_login_that_is_there_and_has_a_label(database: Database, demo: str) -> None:
    assert "nobody@" in refused("developer-token", "issue", "--label", "x", "--user", "nobody@agency.example")
    assert "--label" in refused("developer-token", "issue", "--label", "  ")
    assert "--label" in refused("token", "issue", "--user", WORKED_USER_NAME, "--label", "x" * 101)


def test_without_developer_tokens_the_list_says_so(database: Database) -> None:
    assert "no developer tokens" in run("developer-token", "list").stdout


@pytest.mark.parametrize("hours", ["-1", "2161"])
def test_a_grace_period_has_bounds(database: Database, hours: str) -> None:
    assert run("developer-token", "rotate", "1", "--grace-hours", hours).exit_code == 2


def test_a_half_set_issuer_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADGRAPH_OIDC_ISSUER", "https://login.agency.example")
    for command in ("serve", "settings", "worker"):
        assert "ADGRAPH_OIDC_AUDIENCE" in refused(command)


def test_tokens_are_listed_with_what_they_are_worth(database: Database, demo: str) -> None:
    issue(database, user_name=WORKED_USER_NAME, label="short", days=1, now_ms=NOW_MS)
    later = listed(database, user_name=WORKED_USER_NAME, now_ms=NOW_MS + 2 * 86_400_000)
    assert [(each.row.label, each.state) for each in later] == [(PAGE_LABEL, "good"), ("short", "expired")]


def test_a_name_nobody_has_is_answered_with_names_like_it(demo: str) -> None:
    assert WORKED_USER_NAME in refused("token", "issue", "--user", WORKED_USER_NAME.upper()[:3] + WORKED_USER_NAME[3:])


def test_a_name_in_an_empty_database_says_how_to_fill_it(database: Database) -> None:
    assert "adgraph demo" in refused("token", "issue", "--user", "ada@agency.example")


@pytest.mark.parametrize("days", ["0", "-1", "3651", "x", "1.5"])
def test_a_lifetime_out_of_bounds_is_wrong_usage(demo: str, days: str) -> None:
    assert run("token", "issue", "--user", WORKED_USER_NAME, "--days", days).exit_code == 2


def test_each_start_of_the_demo_leaves_the_tokens_of_those_before_good(database: Database, demo: str) -> None:
    second = prepare_demo(database, now_ms=NOW_MS + 1).token
    assert second != demo
    with database.read() as transaction:
        for token in (demo, second):
            assert find_token(transaction, token, NOW_MS + 2).state is TokenState.GOOD


def test_of_many_starts_of_the_demo_the_oldest_tokens_end(database: Database) -> None:
    def start(number: int) -> DemoSession:
        return prepare_demo(database, now_ms=NOW_MS + number, developer_token=True)

    sessions = [start(number) for number in range(EARLIER_STARTS + 3)]
    with database.read() as transaction:
        login = login_named(transaction, WORKED_USER_NAME)
        assert count_live_tokens(transaction, login.id, NOW_MS + 100) == MOST_LIVE_TOKENS // 2
        for kept, session in enumerate(sessions, start=-2):
            state = find_token(transaction, session.token, NOW_MS + 100).state
            assert state is (TokenState.GOOD if kept >= 0 else TokenState.REVOKED)
            found = find_developer_token(transaction, session.developer_token or "", NOW_MS + 100)
            assert found.state is (DeveloperTokenState.GOOD if kept >= 0 else DeveloperTokenState.REVOKED)


def test_tokens_a_visitor_names_as_the_page_does_end_none_of_the_pages(database: Database, demo: str) -> None:
    with database.write() as transaction:
        page = find_token(transaction, demo, NOW_MS).row
        assert page is not None
        for _ in range(EARLIER_STARTS):
            issue_token(transaction, NewToken(page.login_id, PAGE_LABEL, page.scopes, NOW_MS + 100, page.id), NOW_MS)
    prepare_demo(database, now_ms=NOW_MS + 1)
    with database.read() as transaction:
        assert find_token(transaction, demo, NOW_MS + 2).state is TokenState.GOOD


def test_a_demo_on_a_port_that_is_taken_writes_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused("serve", "--demo", "--port", str(taken.getsockname()[1]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("host", "is_open"),
    [("0.0.0.0", True), ("::", True), ("192.0.2.7", True), ("127.0.0.1", False), ("::1", False), ("localhost", False)],
)
def test_a_demo_that_others_can_reach_warns_of_what_they_are_given(host: str, is_open: bool) -> None:
    session = DemoSession((DemoLogin("adg_secret", WORKED_USER_NAME, "Alex", ""),))

    def warns(settings: Settings, demo: DemoSession | None) -> bool:
        said = io.StringIO()
        announce(settings, demo, Console(file=said, width=1_000))
        return "Warning: the page gives tokens" in said.getvalue()

    assert warns(Settings(host=host, demo=True), session) is is_open
    assert not warns(Settings(host=host, demo=True, ide=False), session)
    assert not warns(Settings(host=host), None)


def test_a_port_that_is_taken_is_refused_with_what_to_do(database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        sentence = refused("serve", "--port", str(taken.getsockname()[1]))
    assert "PORT=" in sentence


@pytest.mark.parametrize("host", ["256.1.1.1", "192.0.2.1", "x" * 70])
def test_a_host_that_is_not_of_this_machine_is_refused_with_what_to_do(database: Database, host: str) -> None:
    sentence = refused("serve", "--host", host, "--port", str(free_port()))
    assert host in sentence
    assert "--host or ADGRAPH_HOST" in sentence
    assert "--port" not in sentence


def test_an_address_is_taken_from_the_moment_it_is_listened_on() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(OperatorError, match=str(port)):
            listen("127.0.0.1", port)


def test_settings_lists_every_variable_but_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADGRAPH_DATABASE_URL", "postgresql://ada:hunter2@db.example/graph")
    shown = run("settings").stdout
    assert "hunter2" not in shown
    assert "db.example/graph" in shown
    assert shown.count("ADGRAPH_") >= 12


def test_documents_are_listed_with_the_hash_they_may_be_asked_for_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.graphql").write_text("{ __typename }\n")
    monkeypatch.setenv("ADGRAPH_DOCUMENTS_FOLDER", str(tmp_path))
    lines = run("documents").stdout.splitlines()
    assert f"sha256:{hashlib.sha256(b'{ __typename }' + bytes([10])).hexdigest()}  mine" in lines
    assert any(line.endswith("  who-am-i-and-what-may-i-do") for line in lines)


def test_a_folder_of_documents_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADGRAPH_DOCUMENTS_FOLDER", "/nowhere")
    assert "'/nowhere'" in refused("documents")


def test_a_merged_login_gets_no_token(database: Database, demo: str) -> None:
    with database.read() as transaction:
        merged = [name for (name,) in transaction.execute("SELECT user_name FROM login WHERE status = 'MERGED'")]
    assert merged
    with pytest.raises(OperatorError, match="merged"):
        issue(database, user_name=merged[0], label="x", days=1, now_ms=NOW_MS)


def test_a_check_that_is_answered_with_yes_gives_the_way(demo: str) -> None:
    asked = run("check", "--user", WORKED_USER_NAME, "--capability", "manage_campaigns", "--ad-account", "444111")
    assert asked.exit_code == 0
    assert asked.stdout.startswith("yes\nALLOWED (C3)")
    assert "manager account 333 (standard customer link) → ad account 444111 (account link)" in asked.stdout


def test_a_check_that_is_answered_with_no_gives_the_reason_and_the_remedy(demo: str) -> None:
    asked = run("check", "--user", WORKED_USER_NAME, "--capability", "MANAGE_USERS", "--manager-account", "333")
    assert asked.exit_code == 3
    assert asked.stdout.startswith("no\nLINK_CAP (P6)")
    assert "remedy: " in asked.stdout


@pytest.mark.parametrize("account", ["444222", "9223372036854775807"])
def test_a_check_tells_what_is_hidden_and_what_is_not_there_alike(demo: str, account: str) -> None:
    asked = run("check", "--user", WORKED_USER_NAME, "--capability", "VIEW", "--ad-account", account)
    assert asked.exit_code == 3
    assert asked.stdout.startswith("no\nNOT_VISIBLE")


def test_a_check_can_be_limited_to_a_context(demo: str) -> None:
    question = ("--user", WORKED_USER_NAME, "--capability", "VIEW", "--ad-account", "444111", "--context")
    assert run("check", *question, "333").exit_code == 0
    assert run("check", *question, "111").exit_code == 3


def test_explaining_shows_every_path_and_what_each_hop_took(demo: str) -> None:
    shown = run("explain", "--user", "1002", "--manager-account", "333").stdout
    [removed] = re.findall(r"customer link \d+ removed: (.+)", shown)
    assert set(removed.split(", ")) == {
        "MANAGE_PAYMENT_METHODS",
        "UPDATE_MANAGER_ACCOUNT",
        "VIEW_MANAGER_LINKS",
        "MANAGE_MANAGER_LINKS",
        "MANAGE_USERS",
        "MANAGE_SUPER_ADMINS",
    }
    assert "path 1: SUPER_ADMIN in manager account 111" in shown


def test_explaining_what_is_hidden_says_so(demo: str) -> None:
    assert "may not see it" in run("explain", "--user", WORKED_USER_NAME, "--ad-account", "444222").stdout


@pytest.mark.parametrize("targets", [(), ("--ad-account", "444111", "--manager-account", "333")])
def test_exactly_one_target_is_asked_about(demo: str, targets: tuple[str, ...]) -> None:
    assert "exactly one target" in refused("explain", "--user", WORKED_USER_NAME, *targets)


@pytest.mark.parametrize("user", ["424242", "99999999999999999999", "nobody@agency.example"])
def test_asking_about_nobody_is_refused(demo: str, user: str) -> None:
    refused("check", "--user", user, "--capability", "VIEW", "--ad-account", "444111")


def test_generating_fills_an_empty_database_once() -> None:
    assert "Generated" in run("generate", "--share", "0.001").stdout
    assert "already" in refused("generate", "--share", "0.001")


def test_a_bug_is_one_sentence_and_a_trace_only_on_request(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("inside")

    monkeypatch.setattr("adgraph.commands.tokens.revoke", broken)
    sentence = refused("token", "revoke", "1")
    assert "ADGRAPH_LOG_LEVEL=debug" in sentence
    assert "inside" not in sentence
    monkeypatch.setenv("ADGRAPH_LOG_LEVEL", "debug")
    assert isinstance(CliRunner().invoke(app, ["token", "revoke", "1"]).exception, KeyError)


def test_the_schema_is_printed_or_written(tmp_path: Path) -> None:
    printed = run("export-schema").stdout
    assert "type Query" in printed
    written = tmp_path / "schema.graphql"
    assert run("export-schema", "--output", str(written)).exit_code == 0
    assert written.read_text() == printed


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    assert "Cannot write" in refused("export-schema", "--output", str(tmp_path))


def test_a_login_is_made_once_and_can_be_given_a_token(database: Database) -> None:
    assert "Made the login kim@office.example" in run("login", "--user", "kim@office.example").stdout
    issued = run("token", "issue", "--user", "kim@office.example").stdout.strip()
    with database.read() as transaction:
        assert find_token(transaction, issued, time.time_ns() // 1_000_000).state is TokenState.GOOD
        assert read_inconsistencies(transaction) == []
    again = run("login", "--user", "kim@office.example")
    assert (again.exit_code, "already" in again.stderr) == (1, True)


@pytest.mark.parametrize("name", ["", " kim", "x" * 101])
def test_a_login_has_a_name_a_login_can_have(database: Database, name: str) -> None:
    refused = run("login", "--user", name)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("adgraph: ")
