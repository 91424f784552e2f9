"""What there is in the company, and what of it is whose to see: the oracle's word, and nothing of the product's."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from tests.matrix import company as of
from tests.matrix.answers import Key, Place, shape
from tests.matrix.company import Caller, Shown
from tests.oracle import AD, MANAGER, Answer, Oracle, Target, User, World
from tests.resolvers.askers import end_of


class Everything:
    """What there is: the answers to the caller who sees all of it, and the oracle's world."""

    def __init__(self, shown: Shown, places: Iterable[Place]) -> None:
        self.world: World = shown.world
        self.tokens = shown.tokens
        self.oracle = Oracle(shown.world)
        self.at: dict[Key, Any] = {}
        for place in places:
            self.at[place.key] = shape(place.value)
        self.users = {user.id: user for user in self.world.users}
        self.links = {link.id: link for link in of.links_of(self.world)}
        self.owners = {ad.id: ad.owner for ad in self.world.ad_accounts}
        self.names = {login.user_name: login.id for login in self.world.logins}
        self.grants = {user.id: self.oracle.grants(user.id) for user in self.world.users}

    def homes(self, user: User) -> set[int]:
        """The manager accounts a user belongs to or reaches."""
        reached = {grant.chain[-1] for grant in self.grants[user.id] if grant.target == end_of(grant)}
        return {user.manager_account} | reached


class Seer:
    """One caller, and what the oracle says is his to see."""

    def __init__(self, everything: Everything, caller: Caller) -> None:
        self.all = everything
        self.caller = caller
        oracle, world = everything.oracle, everything.world
        if caller.login is None:
            self.grants = []
        else:
            self.grants = (
                oracle.grants_of_login(caller.login) if caller.acting is None else oracle.grants(caller.acting)
            )
        self.truths: dict[Target, Answer] = {one: oracle.judged(self.grants, one) for one in world.targets()}
        own = [user for user in world.users if user.login == caller.login]
        alone = caller.acting is not None and not everything.users[caller.acting].is_original
        self.users = {user.id for user in own if not alone or user.id == caller.acting}
        self.homes = {one.manager_account for one in world.assignments if one.user in self.users}
        self._users_seen: dict[int, bool] = {}

    # What he sees

    def views(self, target: Target) -> bool:
        """Whether a manager account or ad account is his to see."""
        return target in self.truths and "VIEW" in self.truths[target].allowed

    def holds(self, capability: str, target: Target) -> bool:
        """Whether he holds it, whatever the state of the target takes."""
        truth = self.truths[target]
        return capability in truth.allowed | truth.taken_by_state

    def sees_user(self, number: int) -> bool:
        """Whether a user is his to see."""
        if number not in self._users_seen:
            user = self.all.users[number]
            seen = number in self.users or any(self.views(Target(MANAGER, one)) for one in self.all.homes(user))
            self._users_seen[number] = seen
        return self._users_seen[number]

    def sees_link(self, number: int) -> bool:
        """Whether a client link is his to see: from either end, by C12 or C14."""
        link = self.all.links[number]
        of_account = number not in self.customer_links
        needed, end = ("VIEW_ACCOUNT_LINKS", AD) if of_account else ("VIEW_MANAGER_LINKS", MANAGER)
        ends = (Target(MANAGER, link.managing), Target(end, link.client))
        return any(needed in self.truths[one].allowed for one in ends)

    @cached_property
    def customer_links(self) -> set[int]:
        """The links that are no account links."""
        return {link.id for link in self.all.world.customer_links}

    def sees(self, key: Key | None) -> bool:
        """Whether an object is his to see; what the company does not have was made by the very request."""
        if key is None:
            return False
        if len(key) < 2:
            return True
        kind, number = key[0], key[1]
        if kind == "ManagerAccount":
            return self.views(Target(MANAGER, number)) or number not in of.MANAGERS
        if kind == "AdAccount":
            return self.views(Target(AD, number)) or number not in of.ADS
        if kind == "User":
            return number not in self.all.users or self.sees_user(number)
        if kind == "ClientLink":
            return number not in self.all.links or self.sees_link(number)
        if kind == "UserInvitation":
            home = {of.INVITATIONS[0]: of.HERE, of.INVITATIONS[1]: of.HIDDEN}.get(number, of.HERE)
            return self.views(Target(MANAGER, home))
        return True

    def told_of(self, manager: int) -> bool:
        """Whether a manager account on a way is his to know: he views it, or holds a role in it."""
        return self.views(Target(MANAGER, manager)) or manager in self.homes

    def may_read_log(self, key: Key) -> bool:
        """Whether what was done to an object he sees is his to know."""
        kind, number = key[0], key[1]
        if kind == "ManagerAccount":
            return self.holds("UPDATE_MANAGER_ACCOUNT", Target(MANAGER, number))
        if kind == "AdAccount":
            return self.holds("UPDATE_AD_ACCOUNT", Target(AD, number))
        if kind == "User":
            home = Target(MANAGER, self.all.users[number].manager_account)
            return number in self.users or self.holds("MANAGE_USERS", home)
        return bool(kind == "ClientLink")

    def actions(self, link: int) -> list[str]:
        """What he may do with a link he sees: what its state lets anybody do, where his side and capability fit."""
        there = self.all.links[link]
        of_account = link not in self.customer_links
        needed = "MANAGE_ACCOUNT_LINKS" if of_account else "MANAGE_MANAGER_LINKS"
        client = Target(AD if of_account else MANAGER, there.client)
        side = {"ACCEPT": client, "DECLINE": client}
        possible = self.all.at[("ClientLink", link, "viewerActions")]
        managing = Target(MANAGER, there.managing)
        return [one for one in possible if needed in self.truths[side.get(one, managing)].allowed]
