"""Roles as inputs take them: by name, or by the number partners know."""

from __future__ import annotations

from resolvers.rules.role_changes import ROLE_OF_ID
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import refused
from storage.records.values import Role


def role_given(role: Role | None, role_id: int | None, name: str) -> Role | None:
    """The role named by `name` or by `{name}Id`. Raises: Refused when both are given or the number is no role's."""
    if role_id is None:
        return role
    if role is not None:
        raise refused(WriteCode.BAD_USER_INPUT, f"Give `{name}` or `{name}Id`, not both.", name)
    if role_id not in ROLE_OF_ID:
        known = ", ".join(f"{number} ({one})" for number, one in sorted(ROLE_OF_ID.items()))
        raise refused(WriteCode.BAD_USER_INPUT, f"{role_id} is not the id of a role: {known}.", f"{name}Id")
    return ROLE_OF_ID[role_id]
