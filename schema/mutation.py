"""The root of writing: every part in its own module, put together here."""

from __future__ import annotations

import strawberry

from schema.link_mutations import ClientLinkMutations


@strawberry.type(
    description="Everything that can be done. Each field is one transaction with its history and audit entry; what is"
    " refused is told in `userErrors` and changes nothing."
)
class Mutation(ClientLinkMutations):
    """The root of mutations."""
