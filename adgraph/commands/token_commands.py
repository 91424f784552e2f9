"""The commands about tokens: `adgraph token …` for people, `adgraph developer-token …` for applications."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from adgraph.commands import developer_tokens, tokens
from adgraph.commands.developer_tokens import DEFAULT_GRACE_HOURS, LONGEST_GRACE_HOURS
from adgraph.commands.terminal import errors, moment, now_ms, opened, out
from adgraph.commands.tokens import LONGEST_LIFETIME_DAYS
from resolvers.rules.access_tokens import DEFAULT_LIFETIME_DAYS
from storage.records.values import TokenScope

token_app = typer.Typer(no_args_is_help=True, help="Access tokens: issue, list, revoke.")
developer_token_app = typer.Typer(
    no_args_is_help=True, help="Developer tokens, which name applications: issue, list, rotate, revoke."
)

UserName = Annotated[str, typer.Option("--user", help="The login's name, exactly.")]
Days = Annotated[int, typer.Option(min=1, max=LONGEST_LIFETIME_DAYS, help="How long it is good for.")]
DeveloperTokenId = Annotated[int, typer.Argument(help="The id that `developer-token list` shows.")]


@token_app.command()
def issue(
    user: UserName,
    scope: Annotated[
        list[TokenScope], typer.Option(case_sensitive=False, help="What it may be used for; several are possible.")
    ] = list(tokens.DEFAULT_SCOPES),  # noqa: B006 - Typer reads it once
    label: Annotated[str, typer.Option(help="What the token is for.")] = "command line",
    days: Days = DEFAULT_LIFETIME_DAYS,
) -> None:
    """Issue a token for a login. It is shown now and never again: only a digest is kept."""
    with opened() as database:
        issued = tokens.issue(database, user_name=user, label=label, days=days, now_ms=now_ms(), scopes=scope)
    named = ", ".join(one.lower() for one in TokenScope if one in scope)
    errors.print(f"Token {issued.id} for {user} ({named}), good until {moment(issued.expires_at_ms)}:", highlight=False)
    # Alone on standard output, so that a script can take it.
    typer.echo(issued.token)


@token_app.command("list")
def list_tokens(user: UserName) -> None:
    """List a login's tokens; the secrets themselves are nowhere."""
    with opened() as database:
        found = tokens.listed(database, user_name=user, now_ms=now_ms())
    table = Table("id", "label", "scopes", "state", "issued", "expires", "last used")
    for row, state in found:
        table.add_row(
            str(row.id),
            row.label,
            row.scope_names.lower(),
            state,
            moment(row.created_at_ms),
            moment(row.expires_at_ms),
            moment(row.last_used_at_ms),
        )
    out.print(table if found else f"{user} has no tokens.", highlight=False)


@token_app.command()
def revoke(token_id: Annotated[int, typer.Argument(help="The id that `token list` shows.")]) -> None:
    """Revoke a token, and those issued with it; they open nothing from the next request on."""
    with opened() as database:
        also = tokens.revoke(database, token_id=token_id, now_ms=now_ms())
    out.print(f"Token {token_id} is revoked.", highlight=False)
    if also:
        out.print(f"So are {also} that were issued with it.", highlight=False)


@developer_token_app.command("issue")
def issue_developer_token(
    label: Annotated[str, typer.Option(help="Which application it is for.")],
    user: Annotated[str | None, typer.Option("--user", help="Only for this login; left out, for all.")] = None,
    days: Days = developer_tokens.DEFAULT_LIFETIME_DAYS,
) -> None:
    """Issue a developer token. It is shown now and never again: only a digest is kept."""
    with opened() as database:
        issued = developer_tokens.issue(database, label=label, user_name=user, days=days, now_ms=now_ms())
    whose = "every login" if user is None else user
    errors.print(
        f"Developer token {issued.id} for {whose}, good until {moment(issued.expires_at_ms)}:", highlight=False
    )
    typer.echo(issued.token)


@developer_token_app.command("list")
def list_developer_tokens() -> None:
    """List all developer tokens; the secrets themselves are nowhere."""
    with opened() as database:
        found = developer_tokens.listed(database, now_ms=now_ms())
    table = Table("id", "label", "works for", "state", "issued", "expires", "last used")
    for row, state in found:
        table.add_row(
            str(row.id),
            row.label,
            row.user_name or "every login",
            state.lower(),
            moment(row.created_at_ms),
            moment(row.expires_at_ms),
            moment(row.last_used_at_ms),
        )
    out.print(table if found else "There are no developer tokens.", highlight=False)


@developer_token_app.command("rotate")
def rotate_developer_token(
    token_id: DeveloperTokenId,
    days: Days = developer_tokens.DEFAULT_LIFETIME_DAYS,
    grace_hours: Annotated[
        int, typer.Option(min=0, max=LONGEST_GRACE_HOURS, help="How long the old secret still works.")
    ] = DEFAULT_GRACE_HOURS,
) -> None:
    """Give a developer token a new secret; the old one works for a while, so that applications can change over."""
    now = now_ms()
    with opened() as database:
        issued = developer_tokens.rotate(database, token_id=token_id, days=days, grace_hours=grace_hours, now_ms=now)
    until = moment(now + grace_hours * developer_tokens.HOUR_MS)
    errors.print(
        f"Developer token {token_id}, good until {moment(issued.expires_at_ms)}; the old secret until {until} at most:",
        highlight=False,
    )
    typer.echo(issued.token)


@developer_token_app.command("revoke")
def revoke_developer_token(token_id: DeveloperTokenId) -> None:
    """Revoke a developer token with all its secrets; applications that show it are refused from the next request on."""
    with opened() as database:
        developer_tokens.revoke(database, token_id=token_id, now_ms=now_ms())
    out.print(f"Developer token {token_id} is revoked.", highlight=False)
