"""What every resolver of the graph has at hand, and how a value is handed to Strawberry."""

from __future__ import annotations

from typing import Any, TypeAlias

import strawberry

from resolvers.session import Session

Info: TypeAlias = strawberry.Info[Session, None]
"""The context of every resolver is the session of its request."""


def shown(value: object) -> Any:
    """A row or value for a field whose type describes it: nothing is wrapped, so types cannot check it here."""
    return value
