"""Random worlds, and the same world as the product takes it: facts for the rules.

One generator serves both ways of being random: it asks a `Dice` for numbers, thrown from a seed (thousands of
worlds in seconds, the same ones every time) or drawn by Hypothesis (which shrinks what fails). Every choice is
such that a lower number is a plainer world.

What a world may hold is what the database would hold: no self-links, one link for each managing and client
pair, one assignment for each user, manager account, role and scope, no customer-level role on listed accounts.
Everything else that writes would refuse (cycles, chains over the limit) is there on purpose.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise, product
from typing import Protocol, TypeVar

from storage.records import facts, ids, values
from tests.oracle import (
    CARRYING,
    ROLES,
    STATUSES,
    AccountLink,
    AdAccount,
    Aggregation,
    Assignment,
    CustomerLink,
    Login,
    ManagerAccount,
    User,
    World,
)

T = TypeVar("T")

CONFUSABLE_IDS = tuple(int("".join(digits)) for length in range(1, 8) for digits in product("12", repeat=length))
"""Ids that run into one another when written side by side: 1, 2, 11, 12, 21, 111, …"""
CONFUSABLE_NAMES = ("northwind", "Northwind", "NORTHWIND", "NorthWind")
CUSTOMER_LEVEL_ROLES = ("SUPER_ADMIN", "AGGREGATOR")
USER_STATUSES = ("ACTIVE", "DELETED", "INACTIVE", "PENDING")
AD_ACCOUNT_STATUSES = ("ACTIVE", "PAUSE", "INACTIVE", "DRAFT", "PENDING", "SUSPENDED")


class Dice(Protocol):
    """Where randomness comes from."""

    def number(self, low: int, high: int) -> int:
        """A number from low to high, both possible."""


class SeededDice:
    """Throws from a seed: fast, and the same worlds every time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def number(self, low: int, high: int) -> int:
        """A number from low to high, both possible."""
        return self._random.randint(low, high)


def _pick(dice: Dice, options: Sequence[T]) -> T:
    return options[dice.number(0, len(options) - 1)]


def _happens(dice: Dice, percent: int) -> bool:
    return dice.number(0, 99) >= 100 - percent


def _ids(dice: Dice, count: int) -> list[int]:
    start = dice.number(0, 20)
    return list(CONFUSABLE_IDS[start : start + count])


def _name(index: int) -> str:
    turn, variant = divmod(index, len(CONFUSABLE_NAMES))
    return CONFUSABLE_NAMES[variant] + (f" {turn}" if turn else "")


def make_world(dice: Dice, *, most_manager_accounts: int = 12) -> World:
    """A random world of 3 to `most_manager_accounts` manager accounts."""
    managers = _manager_accounts(dice, dice.number(3, most_manager_accounts))
    manager_ids = [item.id for item in managers]
    ads = _ad_accounts(dice, manager_ids)
    link_ids = _ids(dice, 100)
    customer_links = _customer_links(dice, manager_ids, link_ids)
    account_links = _account_links(dice, manager_ids, ads, link_ids[len(customer_links) :])
    aggregations = _aggregations(dice, manager_ids)
    logins = _logins(dice)
    users = _users(dice, logins, manager_ids)
    world = World(logins, users, managers, ads, (), customer_links, account_links, aggregations)
    return World(logins, users, managers, ads, _assignments(dice, world), customer_links, account_links, aggregations)


def seeded_world(seed: int, *, most_manager_accounts: int = 9) -> World:
    """The world of this seed."""
    return make_world(SeededDice(seed), most_manager_accounts=most_manager_accounts)


def _manager_accounts(dice: Dice, count: int) -> tuple[ManagerAccount, ...]:
    return tuple(
        ManagerAccount(id, _name(index % 4), "INACTIVE" if _happens(dice, 8) else "ACTIVE")
        for index, id in enumerate(_ids(dice, count))
    )


def _ad_accounts(dice: Dice, managers: Sequence[int]) -> tuple[AdAccount, ...]:
    return tuple(
        AdAccount(
            id,
            _pick(dice, managers),
            _name(index),
            _pick(dice, AD_ACCOUNT_STATUSES) if _happens(dice, 30) else "ACTIVE",
        )
        for index, id in enumerate(_ids(dice, dice.number(1, 2 * len(managers))))
    )


def _pairs(dice: Dice, managers: Sequence[int]) -> list[tuple[int, int]]:
    """Managing and client of every customer link: a shape worth having, and some at random."""
    start = dice.number(0, len(managers) - 3) if _happens(dice, 40) else 0
    line = list(managers[start:])
    pairs = list(pairwise(line))
    shape = _pick(dice, ("scattered", "chain", "cycle", "diamonds"))
    if shape == "scattered":
        pairs = []
    elif shape == "cycle":
        pairs.append((_pick(dice, line), line[0]))
    elif shape == "diamonds":
        # Each manager account links the next two: a diamond on every step.
        pairs += list(zip(line, line[2:], strict=False))
    pairs += [(_pick(dice, managers), _pick(dice, managers)) for _ in range(dice.number(0, 8))]
    return [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]


def _customer_links(dice: Dice, managers: Sequence[int], link_ids: Sequence[int]) -> tuple[CustomerLink, ...]:
    pairs = _pairs(dice, managers)
    return tuple(
        CustomerLink(
            id,
            managing,
            client,
            "STANDARD" if _happens(dice, 30) else "ADMINISTRATIVE",
            _link_status(dice, mostly_active=len(pairs) > 4),
        )
        for id, (managing, client) in zip(link_ids, pairs, strict=False)
    )


def _link_status(dice: Dice, *, mostly_active: bool) -> str:
    if not _happens(dice, 12 if mostly_active else 30):
        return "ACTIVE"
    return _pick(dice, CARRYING) if _happens(dice, 30) else _pick(dice, STATUSES)


def _account_links(
    dice: Dice, managers: Sequence[int], ads: Sequence[AdAccount], link_ids: Sequence[int]
) -> tuple[AccountLink, ...]:
    pairs = dict.fromkeys(
        (_pick(dice, managers), _pick(dice, ads).id) for _ in range(dice.number(0, min(6, 2 * len(managers))))
    )
    return tuple(
        AccountLink(id, managing, client, _link_status(dice, mostly_active=False))
        for id, (managing, client) in zip(link_ids, pairs, strict=False)
    )


def _aggregations(dice: Dice, managers: Sequence[int]) -> tuple[Aggregation, ...]:
    count = dice.number(1, 3) if _happens(dice, 50) else 0
    pairs = dict.fromkeys((_pick(dice, managers), _pick(dice, managers)) for _ in range(count))
    distinct = [pair for pair in pairs if pair[0] != pair[1]]
    return tuple(Aggregation(id, *pair) for id, pair in zip(_ids(dice, 4), distinct, strict=False))


def _logins(dice: Dice) -> tuple[Login, ...]:
    logins = [Login(id, f"{_name(index)}@user.example") for index, id in enumerate(_ids(dice, dice.number(1, 3)))]
    if len(logins) > 1 and _happens(dice, 20):
        logins[-1] = Login(logins[-1].id, logins[-1].user_name, merged_into=logins[0].id)
    return tuple(logins)


def _users(dice: Dice, logins: Sequence[Login], managers: Sequence[int]) -> tuple[User, ...]:
    user_ids = iter(_ids(dice, 9))
    users: list[User] = []
    for login in logins:
        homes = dict.fromkeys(_early(dice, managers) for _ in range(dice.number(1, 3)))
        for index, home in enumerate(homes):
            original = index == 0 and not _happens(dice, 10)
            status = _pick(dice, USER_STATUSES) if _happens(dice, 25) else "ACTIVE"
            users.append(User(next(user_ids), login.id, home, original, status))
    return tuple(users)


def _early(dice: Dice, options: Sequence[T]) -> T:
    """One of the first more often than one of the last: chains begin there."""
    return options[min(dice.number(0, len(options) - 1), dice.number(0, len(options) - 1))]


def _assignments(dice: Dice, world: World) -> tuple[Assignment, ...]:
    assignment_ids = iter(_ids(dice, 40))
    managers = [item.id for item in world.manager_accounts]
    found: dict[tuple[int, int, str, str], Assignment] = {}
    for user in world.users:
        for _ in range(dice.number(0, 3)):
            home = _early(dice, managers) if _happens(dice, 40) else user.manager_account
            role = _pick(dice, ROLES)
            scope = _scope(dice, role)
            item = Assignment(next(assignment_ids), user.id, home, role, scope, _listed(dice, world, home, scope))
            found.setdefault((user.id, home, role, scope), item)
    return tuple(found.values())


def _scope(dice: Dice, role: str) -> str:
    if not _happens(dice, 45):
        return "EVERY_ACCOUNT"
    if role in CUSTOMER_LEVEL_ROLES:
        return _pick(dice, ("EVERY_LINKED_ENTITY", "ONLY_LINKED_ENTITIES"))
    return _pick(dice, ("ONLY_ACCOUNTS", "ONLY_ACCOUNTS", "EVERY_LINKED_ENTITY", "ONLY_LINKED_ENTITIES"))


def _listed(dice: Dice, world: World, home: int, scope: str) -> frozenset[int]:
    if scope == "ONLY_ACCOUNTS":
        signed_up = [item.manager_account for item in world.aggregations if item.aggregator == home]
        near = [item.id for item in world.ad_accounts if item.owner in (home, *signed_up)]
        near += [link.client for link in world.account_links if link.managing == home]
        anywhere = [item.id for item in world.ad_accounts]
    elif scope == "ONLY_LINKED_ENTITIES":
        near = [link.client for link in world.customer_links if link.managing == home]
        anywhere = [item.id for item in world.manager_accounts]
    else:
        return frozenset()
    # A scope may name what is not near, or what is not near any more: it must then reach nothing.
    return frozenset(
        _pick(dice, anywhere if not near or _happens(dice, 30) else near) for _ in range(dice.number(0, 3))
    )


# --- the same world, as the product takes it -------------------------------------------------------------


def to_scope(assignment: Assignment) -> facts.Scope:
    """The scope of an assignment as the rules hold it."""
    if assignment.scope == "ONLY_ACCOUNTS":
        return facts.OnlyAccounts(frozenset(ids.AdAccountId(id) for id in assignment.listed))
    if assignment.scope == "ONLY_LINKED_ENTITIES":
        return facts.OnlyLinkedEntities(frozenset(ids.ManagerAccountId(id) for id in assignment.listed))
    return facts.EveryAccount() if assignment.scope == "EVERY_ACCOUNT" else facts.EveryLinkedEntity()


def to_facts(world: World) -> facts.Facts:
    """The whole world as one excerpt."""
    merged = {login.id for login in world.logins if login.merged_into is not None}
    return facts.Facts.of(
        users=[
            facts.UserFact(
                ids.UserId(user.id),
                ids.LoginId(user.login),
                ids.ManagerAccountId(user.manager_account),
                values.UserStatus(user.status),
                user.is_original,
                values.LoginStatus.MERGED if user.login in merged else values.LoginStatus.ACTIVE,
            )
            for user in world.users
        ],
        assignments=[
            facts.Assignment(
                ids.AssignmentId(item.id),
                ids.UserId(item.user),
                ids.ManagerAccountId(item.manager_account),
                values.Role(item.role),
                to_scope(item),
            )
            for item in world.assignments
        ],
        manager_accounts=[
            facts.ManagerAccountFact(ids.ManagerAccountId(item.id), values.ManagerAccountStatus(item.status))
            for item in world.manager_accounts
        ],
        ad_accounts=[
            facts.AdAccountFact(
                ids.AdAccountId(item.id), ids.ManagerAccountId(item.owner), values.AdAccountStatus(item.status)
            )
            for item in world.ad_accounts
        ],
        customer_links=[
            facts.CustomerLink(
                ids.ClientLinkId(link.id),
                ids.ManagerAccountId(link.managing),
                ids.ManagerAccountId(link.client),
                values.LinkPermission(link.permission),
                values.ClientLinkStatus(link.status),
            )
            for link in world.customer_links
        ],
        account_links=[
            facts.AccountLink(
                ids.ClientLinkId(link.id),
                ids.ManagerAccountId(link.managing),
                ids.AdAccountId(link.client),
                values.ClientLinkStatus(link.status),
            )
            for link in world.account_links
        ],
        aggregations=[
            facts.Aggregation(
                ids.AggregationId(item.id),
                ids.ManagerAccountId(item.aggregator),
                ids.ManagerAccountId(item.manager_account),
            )
            for item in world.aggregations
        ],
    )
