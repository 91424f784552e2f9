"""The command line: one command per thing an operator does."""

import typer

app = typer.Typer(name="adgraph", no_args_is_help=True, add_completion=False)
