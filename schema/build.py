"""The schema, built once."""

from __future__ import annotations

from functools import lru_cache

import strawberry
from strawberry.schema.config import StrawberryConfig

import schema.enums  # noqa: F401 - gives the value sets their descriptions
from schema.access import Access, AccessPath
from schema.invitation import UserInvitation
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription


@lru_cache(maxsize=1)
def build_schema() -> strawberry.Schema:
    """The one schema of the process."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[UserInvitation, Access, AccessPath],
        config=StrawberryConfig(scalar_map=SCALARS),
    )


def sdl() -> str:
    """The schema as it is committed in `schema/schema.graphql`."""
    return build_schema().as_str() + "\n"
