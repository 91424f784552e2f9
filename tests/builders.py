"""Small worlds, spelled with only what matters to the test at hand.

Every builder has defaults that give access; a test names what it is about. Ids are chosen by the test, since
identity is often the point. Nothing is random and nothing is shared between two worlds.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from tests.oracle import (
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

Fact = Login | User | ManagerAccount | AdAccount | Assignment | CustomerLink | AccountLink | Aggregation


def a_login(id: int = 1, *, merged_into: int | None = None) -> Login:
    """A login that may be used, unless it was merged."""
    return Login(id, f"user{id}@adventure.example", merged_into)


def a_user(id: int = 1, *, of: int = 1, login: int = 1, original: bool = True, status: str = "ACTIVE") -> User:
    """A user of the manager account `of`."""
    return User(id, login, of, original, status)


def a_manager(id: int, *, status: str = "ACTIVE") -> ManagerAccount:
    """A living manager account."""
    return ManagerAccount(id, f"Manager {id}", status)


def an_ad(id: int, *, owner: int, status: str = "ACTIVE") -> AdAccount:
    """A living ad account."""
    return AdAccount(id, owner, f"Ad {id}", status)


def a_role(
    role: str = "SUPER_ADMIN",
    *,
    at: int = 1,
    user: int = 1,
    scope: str = "EVERY_ACCOUNT",
    listed: Iterable[int] = (),
    id: int = 1,
) -> Assignment:
    """An assignment; by default the user's only one."""
    return Assignment(id, user, at, role, scope, frozenset(listed))


def a_link(
    managing: int,
    client: int,
    permission: str = "ADMINISTRATIVE",
    *,
    status: str = "ACTIVE",
    id: int | None = None,
) -> CustomerLink:
    """A customer link; its id defaults to one no other pair of small ids has."""
    return CustomerLink(managing * 1_000 + client if id is None else id, managing, client, permission, status)


def a_chain(*ids: int, permission: str = "ADMINISTRATIVE") -> list[CustomerLink]:
    """Customer links from each manager account to the next."""
    return [a_link(managing, client, permission) for managing, client in pairwise(ids)]


def an_account_link(managing: int, client: int, *, status: str = "ACTIVE", id: int | None = None) -> AccountLink:
    """An account link; its id never equals that of a customer link between small ids."""
    return AccountLink(10_000_000 + managing * 1_000 + client if id is None else id, managing, client, status)


def an_aggregation(aggregator: int, signed_up: int, *, id: int = 1) -> Aggregation:
    """An aggregator and whom it signed up."""
    return Aggregation(id, aggregator, signed_up)


def a_world(*facts: Fact) -> World:
    """The facts given, and the plainest of everything they name without giving it.

    A manager account that is only named is made; so is user 1 of login 1 when no user is given, and the login
    of a user. Ad accounts are never made up: who owns one is a fact a test must state.
    """
    users = [item for item in facts if isinstance(item, User)]
    logins = [item for item in facts if isinstance(item, Login)]
    managers = [item for item in facts if isinstance(item, ManagerAccount)]
    ads = [item for item in facts if isinstance(item, AdAccount)]
    roles = [item for item in facts if isinstance(item, Assignment)]
    links = [item for item in facts if isinstance(item, CustomerLink)]
    account_links = [item for item in facts if isinstance(item, AccountLink)]
    aggregations = [item for item in facts if isinstance(item, Aggregation)]
    if not users:
        users = [a_user(of=roles[0].manager_account if roles else 1)]
    named_logins = {user.login for user in users} | {login.merged_into for login in logins if login.merged_into}
    logins += [a_login(id) for id in sorted(named_logins - {login.id for login in logins})]
    named = {user.manager_account for user in users} | {role.manager_account for role in roles}
    named |= {ad.owner for ad in ads} | {link.managing for link in links} | {link.client for link in links}
    named |= {link.managing for link in account_links}
    named |= {item.aggregator for item in aggregations} | {item.manager_account for item in aggregations}
    managers += [a_manager(id) for id in sorted(named - {manager.id for manager in managers})]
    return World(
        tuple(logins),
        tuple(users),
        tuple(managers),
        tuple(ads),
        tuple(roles),
        tuple(links),
        tuple(account_links),
        tuple(aggregations),
    )


def the_worked_example() -> World:
    """The published example: user 1 is Super Admin in 999, user 2 of the same login in 111; user 4 is 444's own."""
    levels = {111: "L1", 222: "L2", 333: "L3", 444: "L4"}
    return World(
        logins=(a_login(1), a_login(4)),
        users=(
            a_user(1, of=999, login=1),
            a_user(2, of=111, login=1, original=False),
            a_user(4, of=444, login=4),
        ),
        manager_accounts=(
            *(ManagerAccount(id, f"Manager Account {level}") for id, level in levels.items()),
            ManagerAccount(999, "Adventure Works"),
        ),
        ad_accounts=tuple(
            AdAccount(id * 1_000 + tail, id, f"Ad Account {level[1]}{letter}", "PAUSE")
            for id, level in levels.items()
            for tail, letter in ((111, "A"), (222, "B"))
        ),
        assignments=(
            a_role("SUPER_ADMIN", at=999, user=1, id=1),
            a_role("SUPER_ADMIN", at=111, user=2, id=2),
            a_role("SUPER_ADMIN", at=444, user=4, id=3),
        ),
        customer_links=(a_link(111, 222, "ADMINISTRATIVE", id=1), a_link(222, 333, "STANDARD", id=2)),
        account_links=(an_account_link(333, 444111, id=3),),
    )
