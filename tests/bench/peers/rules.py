"""Effective access as both peers work it out: the short version, enough for the generated data.

Chains are walked upward from what is asked about. Cycles, chains over the limit, aggregations and roles on
linked entities do not occur among what is asked here, so nothing is spent on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from resolvers.rules.capabilities import (
    BIT,
    ON_AD_ACCOUNT,
    ON_MANAGER_ACCOUNT,
    ROLE_CAPABILITIES,
    ROLE_RANK,
    SURVIVES_ACCOUNT_LINK,
    SURVIVES_CUSTOMER_LINK,
    Capability,
)
from storage.records.values import LinkPermission, Role

CARRIES_ACCESS = ("ACTIVE", "UNLINK_PENDING", "UNLINK_IN_PROGRESS")
_VIEW = int(BIT[Capability.VIEW])

ByRole = dict[Role, int]
"""What is held, by role: a set of capabilities as bits."""
LinksTo = Mapping[int, Sequence[tuple[int, str]]]
"""The customer links that lead to a manager account: managing one, permission."""


class Held(NamedTuple):
    """A role in a manager account; `ad_accounts` are those it is limited to, None for all."""

    manager_account: int
    role: Role
    ad_accounts: frozenset[int] | None


class Standing:
    """What some roles come to, on whatever lies below. `links_to` must hold all that is above what is asked."""

    def __init__(self, held: Iterable[Held], links_to: LinksTo) -> None:
        self._links_to = links_to
        self._roles: dict[int, list[Role]] = {}
        self._scoped: dict[int, list[Held]] = {}
        for one in held:
            if one.ad_accounts is None:
                self._roles.setdefault(one.manager_account, []).append(one.role)
            for ad_account in one.ad_accounts or ():
                self._scoped.setdefault(ad_account, []).append(one)
        self._carried: dict[int, ByRole] = {}

    def on_manager_account(self, manager_account: int) -> ByRole:
        """What arrives at a manager account over all chains."""
        found = self._carried.get(manager_account)
        if found is None:
            found = {role: int(ROLE_CAPABILITIES[role]) for role in self._roles.get(manager_account, ())}
            for managing, permission in self._links_to.get(manager_account, ()):
                survives = SURVIVES_CUSTOMER_LINK[LinkPermission(permission)]
                for role, capabilities in self.on_manager_account(managing).items():
                    found[role] = found.get(role, 0) | capabilities & survives
            self._carried[manager_account] = found
        return found

    def on_ad_account(self, ad_account: int, owner: int, holders: Iterable[int]) -> ByRole:
        """What arrives at an ad account; `holders` are the manager accounts with a working link to it."""
        scoped = self._scoped.get(ad_account)
        if not holders and not scoped:
            return self.on_manager_account(owner)
        found = dict(self.on_manager_account(owner))
        for holder in holders:
            for role, capabilities in self.on_manager_account(holder).items():
                found[role] = found.get(role, 0) | capabilities & SURVIVES_ACCOUNT_LINK
        for one in scoped or ():
            if one.manager_account == owner:
                found[one.role] = found.get(one.role, 0) | ROLE_CAPABILITIES[one.role]
        return found


def roles_of(held: ByRole, on: int) -> list[str]:
    """The roles that give anything, weakest first."""
    return [str(role) for role in sorted((one for one in held if held[one] & on), key=ROLE_RANK.__getitem__)]


def roles_on_ad_account(held: ByRole) -> list[str]:
    """The roles that give anything on an ad account."""
    return roles_of(held, ON_AD_ACCOUNT)


def roles_on_manager_account(held: ByRole) -> list[str]:
    """The roles that give anything on a manager account."""
    return roles_of(held, ON_MANAGER_ACCOUNT)


def sees(held: ByRole) -> bool:
    """Whether any role gives VIEW."""
    return any(capabilities & _VIEW for capabilities in held.values())


def decided(held: ByRole, capability: Capability, *, is_inactive: bool) -> tuple[bool, str]:
    """Whether a capability is held on an ad account, and the code: what a link takes away, or the role lacks."""
    if not sees(held):
        return False, "NOT_VISIBLE"
    bit = BIT[capability]
    if any(capabilities & bit for capabilities in held.values()):
        return (False, "OBJECT_STATE") if is_inactive and capability != Capability.VIEW else (True, "ALLOWED")
    lost = any(ROLE_CAPABILITIES[role] & bit for role in held)
    return False, "LINK_CAP" if lost else "ROLE_LACKS_CAPABILITY"
