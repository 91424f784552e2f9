"""What each role may do and what each kind of link lets through (rules C1–C18), as one table.

Inside the rules a set of capabilities is an integer with one bit a capability: sets of 18 are joined
and cut millions of times a minute, and `&` and `|` say exactly what a hop and a union do.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple, NewType

from storage.records.values import LinkPermission, Role, ValueSet, auto

CapabilitySet = NewType("CapabilitySet", int)
"""A set of capabilities, bit n for the n-th row of `CAPABILITY_RULES`."""


class Capability(ValueSet):
    """One thing a user may do on a manager account or an ad account."""

    VIEW = auto()
    VIEW_PAYMENT_METHODS = auto()
    MANAGE_CAMPAIGNS = auto()
    SET_AUTO_TAG = auto()
    UPDATE_AD_ACCOUNT = auto()
    MANAGE_INSERTION_ORDERS = auto()
    MANAGE_PAYMENT_METHODS = auto()
    TAKE_OVER_BILLING = auto()
    ADD_AD_ACCOUNT = auto()
    DELETE_AD_ACCOUNT = auto()
    UPDATE_MANAGER_ACCOUNT = auto()
    VIEW_ACCOUNT_LINKS = auto()
    MANAGE_ACCOUNT_LINKS = auto()
    VIEW_MANAGER_LINKS = auto()
    MANAGE_MANAGER_LINKS = auto()
    MANAGE_USERS = auto()
    MANAGE_SUPER_ADMINS = auto()
    SIGN_UP_CUSTOMER = auto()


class Target(ValueSet):
    """What a capability can be held on."""

    MANAGER_ACCOUNT = auto()
    AD_ACCOUNT = auto()


class CapabilityRule(NamedTuple):
    """One row of the table: who holds the capability, on what, and what survives a link."""

    id: str
    capability: Capability
    on_manager_account: bool
    on_ad_account: bool
    roles: frozenset[Role]
    survives_standard_link: bool
    survives_account_link: bool
    basis: str


def _row(
    number: int, capability: Capability, on: str, roles: str, standard: str, account: str, basis: str
) -> CapabilityRule:
    letters = {
        "V": Role.VIEWER,
        "C": Role.CAMPAIGN_MANAGER,
        "S": Role.STANDARD,
        "A": Role.SUPER_ADMIN,
        "G": Role.AGGREGATOR,
    }
    return CapabilityRule(
        id=f"C{number}",
        capability=capability,
        on_manager_account="M" in on,
        on_ad_account="A" in on,
        roles=frozenset(letters[letter] for letter in roles),
        survives_standard_link=standard == "yes",
        survives_account_link=account == "yes",
        basis=basis,
    )


_ = Capability
CAPABILITY_RULES: tuple[CapabilityRule, ...] = (
    #    id capability                on    roles    Standard link, account link, basis
    _row(1, _.VIEW, "MA", "VCSAG", "yes", "yes", "stated"),
    _row(2, _.VIEW_PAYMENT_METHODS, "MA", "VCSAG", "yes", "yes", "stated"),
    _row(3, _.MANAGE_CAMPAIGNS, "A", "CSAG", "yes", "yes", "stated"),
    _row(4, _.SET_AUTO_TAG, "A", "CSAG", "yes", "yes", "stated"),
    _row(5, _.UPDATE_AD_ACCOUNT, "A", "SAG", "yes", "yes", "stated; through a Standard link decided"),
    _row(6, _.MANAGE_INSERTION_ORDERS, "A", "SAG", "yes", "yes", "stated"),
    _row(7, _.MANAGE_PAYMENT_METHODS, "MA", "AG", "no", "no", "stated; link columns decided"),
    _row(8, _.TAKE_OVER_BILLING, "MA", "AG", "yes", "yes", "stated"),
    _row(9, _.ADD_AD_ACCOUNT, "M", "AG", "yes", "no", "stated"),
    _row(10, _.DELETE_AD_ACCOUNT, "A", "AG", "yes", "no", "stated; account link decided"),
    _row(11, _.UPDATE_MANAGER_ACCOUNT, "M", "AG", "no", "no", "stated; Standard link decided"),
    _row(12, _.VIEW_ACCOUNT_LINKS, "MA", "SAG", "yes", "no", "stated"),
    _row(13, _.MANAGE_ACCOUNT_LINKS, "MA", "SAG", "yes", "no", "stated"),
    _row(14, _.VIEW_MANAGER_LINKS, "M", "AG", "no", "no", "stated; Standard link decided"),
    _row(15, _.MANAGE_MANAGER_LINKS, "M", "AG", "no", "no", "stated"),
    _row(16, _.MANAGE_USERS, "M", "SAG", "no", "no", "stated"),
    _row(17, _.MANAGE_SUPER_ADMINS, "M", "AG", "no", "no", "stated"),
    _row(18, _.SIGN_UP_CUSTOMER, "M", "G", "no", "no", "stated"),
)
del _

BIT: dict[Capability, CapabilitySet] = {
    rule.capability: CapabilitySet(1 << position) for position, rule in enumerate(CAPABILITY_RULES)
}
RULE_ID: dict[Capability, str] = {rule.capability: rule.id for rule in CAPABILITY_RULES}
ROLE_RANK: dict[Role, int] = {role: rank for rank, role in enumerate(Role)}
"""Weakest role first; only for ordering lists of roles, never for deciding."""

NOTHING = CapabilitySet(0)


def _set(rules: Iterable[CapabilityRule]) -> CapabilitySet:
    return CapabilitySet(sum(BIT[rule.capability] for rule in rules))


VIEW = BIT[Capability.VIEW]
EVERYTHING = _set(CAPABILITY_RULES)
ON_MANAGER_ACCOUNT = _set(rule for rule in CAPABILITY_RULES if rule.on_manager_account)
ON_AD_ACCOUNT = _set(rule for rule in CAPABILITY_RULES if rule.on_ad_account)
SURVIVES_ACCOUNT_LINK = _set(rule for rule in CAPABILITY_RULES if rule.survives_account_link)
SURVIVES_CUSTOMER_LINK: dict[LinkPermission, CapabilitySet] = {
    LinkPermission.ADMINISTRATIVE: EVERYTHING,
    LinkPermission.STANDARD: _set(rule for rule in CAPABILITY_RULES if rule.survives_standard_link),
}
ROLE_CAPABILITIES: dict[Role, CapabilitySet] = {
    role: _set(rule for rule in CAPABILITY_RULES if role in rule.roles) for role in Role
}
NEEDS_SETTLED_LINKS = CapabilitySet(
    BIT[Capability.SET_AUTO_TAG] | BIT[Capability.UPDATE_AD_ACCOUNT] | BIT[Capability.DELETE_AD_ACCOUNT]
)
"""What may not be done to an ad account while one of its links is in transition (error 1472)."""


@lru_cache(maxsize=4096)
def names_of(capabilities: CapabilitySet) -> tuple[Capability, ...]:
    """The members of a set in the order of the table.

    >>> [str(name) for name in names_of(ROLE_CAPABILITIES[Role.VIEWER])]
    ['VIEW', 'VIEW_PAYMENT_METHODS']
    """
    return tuple(capability for capability, bit in BIT.items() if capabilities & bit)


def set_of(capabilities: Iterable[Capability]) -> CapabilitySet:
    """The set with these members.

    >>> set_of([Capability.VIEW]) == VIEW
    True
    """
    result = 0
    for capability in capabilities:
        result |= BIT[capability]
    return CapabilitySet(result)


# Not functions of our own: each costs as much to call as all else a hop does.
joined: Callable[[CapabilitySet, CapabilitySet], CapabilitySet] = operator.or_
"""What either gives (rule P7)."""
cut: Callable[[CapabilitySet, CapabilitySet], CapabilitySet] = operator.and_
"""What survives both (rule P5)."""


def without(left: CapabilitySet, right: CapabilitySet) -> CapabilitySet:
    """What the left gives and the right does not."""
    return CapabilitySet(left & ~right)
