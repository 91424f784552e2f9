"""`python -m adgraph`: the command line."""

from adgraph.cli import app

app()
