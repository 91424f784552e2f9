"""The command line: one command per thing an operator does. What goes wrong is one sentence and an exit code."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import Progress, TaskID

from adgraph.app import worker_for
from adgraph.commands import access
from adgraph.commands.access import session_as, target_of
from adgraph.commands.terminal import errors, now_ms, opened, out, without_password
from adgraph.commands.token_commands import developer_token_app, token_app
from adgraph.commands.tokens import OperatorError
from adgraph.settings import Settings, SettingsError, shown, variable_of
from resolvers.errors import Refusal
from resolvers.rules.capabilities import Capability
from resolvers.session import Limits, Session
from storage.errors import StorageError
from storage.records.ids import MAX_ID

NOT_ALLOWED = 3
"""The exit code of a check that was answered with no; 1 and 2 say that it was not answered."""


class Sentences(typer.core.TyperGroup):
    """Turns what commands raise on purpose into one sentence on standard error and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command named."""
        try:
            return super().invoke(ctx)
        except (SettingsError, StorageError, OperatorError, Refusal) as problem:
            errors.print(f"[bold red]adgraph:[/bold red] {escape(str(problem))}", highlight=False)
            raise typer.Exit(1) from problem
        except Exception as problem:
            # Typer's own exceptions know their exit code, and how to show wrong usage.
            if hasattr(problem, "exit_code") or isinstance(problem, typer.Abort) or _wants_traces():
                raise
            errors.print(f"[bold red]adgraph:[/bold red] {escape(UNFORESEEN)}", highlight=False)
            raise typer.Exit(1) from problem


UNFORESEEN = (
    "Something went wrong that nobody foresaw: this is a bug. Run the command again with ADGRAPH_LOG_LEVEL=debug to see"
    " where, and report it."
)


def _wants_traces() -> bool:
    try:
        return Settings.from_env().log_level == "debug"
    except SettingsError:
        return False


app = typer.Typer(
    name="adgraph",
    cls=Sentences,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Serve and look after an account hierarchy: who owns what, who may do what, and why.",
)
app.add_typer(token_app, name="token")
app.add_typer(developer_token_app, name="developer-token")


@app.command()
def serve(
    demo: Annotated[
        bool, typer.Option("--demo", help="Load the demo company and sign every visitor in to it.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="The address to listen on (ADGRAPH_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="The port (ADGRAPH_PORT).")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="How many processes serve the address (ADGRAPH_PROCESSES).")
    ] = None,
) -> None:
    """Serve the API, and the page for browsers where it is on."""
    from adgraph.commands.demo import demo_settings, prepare_demo
    from adgraph.commands.serving import listen
    from adgraph.commands.serving import serve as run

    settings = Settings.from_env()
    settings = replace(
        settings,
        host=host or settings.host,
        port=port or settings.port,
        processes=workers or settings.processes,
    )
    if demo or settings.demo:
        settings = demo_settings(settings)
    # First of all: where the address is taken, nothing is written.
    with listen(settings.host, settings.port) as listening:
        with opened(settings, migrates=settings.demo) as database:
            names_itself = settings.developer_tokens != "off"
            session = prepare_demo(database, now_ms=now_ms(), developer_token=names_itself) if settings.demo else None
        run(settings, session, listening, out)


@app.command()
def worker(
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then end.")] = False,
) -> None:
    """Lead links and invitations on when their time has come; several at once share the work."""
    from adgraph.observability.logs import log_to_terminal

    settings = Settings.from_env()
    log_to_terminal(settings)
    with opened(settings) as database:
        hand = worker_for(settings, database)
        if once:
            out.print(f"{hand.once()} steps done.", highlight=False)
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: hand.stop())
        hand.run()


@app.command()
def migrate() -> None:
    """Bring the database to the tables of this version; twice is harmless."""
    from storage.migrate import migrate as run

    with opened(migrates=True) as database:
        applied = run(database)
    out.print(f"Applied {', '.join(applied)}." if applied else "The database is up to date.", highlight=False)


@app.command()
def demo() -> None:
    """Load the demo company into an empty database."""
    from storage.demo import WORKED_USER_NAME, load_demo
    from storage.migrate import migrate as run

    with opened(migrates=True) as database:
        run(database)
        loaded = load_demo(database, now_ms=now_ms())
    out.print("Loaded the demo company." if loaded else "The demo company is there already.", highlight=False)
    out.print(f"Next: adgraph token issue --user {WORKED_USER_NAME}", highlight=False)


@app.command()
def settings() -> None:
    """List every environment variable, what it decides and its value now."""
    now = Settings.from_env()
    for each in fields(now):
        variable = variable_of(each)
        value = getattr(now, each.name)
        out.print(f"[bold]{variable.name}[/bold]={without_password(shown(value))}", highlight=False)
        out.print(f"    {variable.decides}: {variable.allowed}", highlight=False)


@app.command()
def documents() -> None:
    """List the trusted documents: the name of each, and the SHA-256 it may be asked for by."""
    from adgraph.app import trusted_folders
    from adgraph.operations.documents import trusted_documents

    for one in trusted_documents(trusted_folders(Settings.from_env())):
        out.print(f"sha256:{one.hash}  {one.name}", highlight=False)


@app.command()
def login(user: Annotated[str, typer.Option("--user", help="The login's name, exactly.")]) -> None:
    """Make a login that has no users yet: a system administrator's, or of somebody who will be invited."""
    from adgraph.commands.logins import make

    with opened() as database:
        make(database, user_name=user, now_ms=now_ms())
    out.print(f"Made the login {user}. Next: adgraph token issue --user {user}", highlight=False)


@app.command()
def generate(
    share: Annotated[
        float, typer.Option(min=0.001, max=10.0, help="How much of the full size, 1 being all of it.")
    ] = 1.0,
    seed: Annotated[int | None, typer.Option(help="Another seed gives other data of the same size.")] = None,
) -> None:
    """Fill an empty database with a large invented hierarchy, for measuring: by default 200,000 ad accounts."""
    from storage.generator import SEED, TREE_USER_NAME, Size, load_generated
    from storage.migrate import migrate as run

    with (
        opened(migrates=True) as database,
        Progress(console=errors, transient=True, disable=not errors.is_terminal) as bars,
    ):
        run(database)
        shown: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in shown:
                shown[what] = bars.add_task(what, total=total)
            bars.update(shown[what], completed=done)

        size = Size().scaled(share) if share != 1 else Size()
        made = load_generated(database, size, seed=SEED if seed is None else seed, progress=progress)
    out.print(f"Generated {len(made.ad_account_ids):,} ad accounts and {len(made.user_ids):,} users.", highlight=False)
    out.print(f"Next: adgraph token issue --user {TREE_USER_NAME}", highlight=False)


AskedUser = Annotated[str, typer.Option("--user", help="The login's name, or the id of one of its users.")]
AskedAdAccount = Annotated[int | None, typer.Option("--ad-account", min=1, max=MAX_ID, help="The ad account's id.")]
AskedManager = Annotated[
    int | None, typer.Option("--manager-account", min=1, max=MAX_ID, help="The manager account's id.")
]
AskedContext = Annotated[
    int | None, typer.Option("--context", min=1, max=MAX_ID, help="Only through this manager account.")
]


@contextmanager
def _session_as(user: str) -> Iterator[Session]:
    settings = Settings.from_env()
    with opened(settings) as database, database.read() as transaction:
        yield session_as(transaction, user, now_ms(), Limits(max_nodes=settings.max_nodes))


@app.command()
def check(
    user: AskedUser,
    capability: Annotated[Capability, typer.Option(case_sensitive=False, help="What is to be done.")],
    ad_account: AskedAdAccount = None,
    manager_account: AskedManager = None,
    context: AskedContext = None,
) -> None:
    """Ask whether a login may do one thing on one target, and why. Exit code 0 is yes, 3 is no."""
    target = target_of(ad_account, manager_account)
    with _session_as(user) as session:
        verdict = access.check(session, capability, target, context)
    out.print("[bold green]yes[/bold green]" if verdict.allowed else "[bold red]no[/bold red]")
    for line in verdict.lines:
        out.print(line, highlight=False, markup=False)
    if not verdict.allowed:
        raise typer.Exit(NOT_ALLOWED)


@app.command()
def explain(
    user: AskedUser,
    ad_account: AskedAdAccount = None,
    manager_account: AskedManager = None,
    context: AskedContext = None,
) -> None:
    """Show everything a login holds on one target: every path, and what each hop took away."""
    target = target_of(ad_account, manager_account)
    with _session_as(user) as session:
        lines = access.explain(session, target, context)
    for line in lines:
        out.print(line, highlight=False, markup=False)


@app.command("export-schema")
def export_schema(
    output: Annotated[Path | None, typer.Option("--output", help="The file to write; unset prints.")] = None,
) -> None:
    """Print the schema of the graph, as committed in schema/schema.graphql."""
    from schema.build import sdl

    if output is None:
        typer.echo(sdl(), nl=False)
        return
    try:
        output.write_text(sdl(), encoding="utf-8")
    except OSError as problem:
        raise OperatorError(f"Cannot write {output}: {problem.strerror}.") from problem
