"""Who asks about a stored world: a login, or one of its users alone.

Each comes with what the oracle says is true for it, and with requests of its own.
"""

from __future__ import annotations

from resolvers.access import TargetId
from resolvers.session import Session, Viewer
from storage.database import Transaction
from storage.reads.remembered import FactMemory
from storage.records.ids import AdAccountId, Instant, LoginId, ManagerAccountId, UserId
from tests import oracle
from tests.oracle import MANAGER, Oracle, RoleRow, Target, World

Truths = dict[Target, oracle.Answer]


class Asker:
    """A login of the world, or one user of it who asks alone, with what is true for it and new sessions of its own."""

    def __init__(self, world: World, login: int, acting: int | None = None) -> None:
        self.world = world
        self.login = login
        self.acting = acting
        self.oracle = Oracle(world)
        self.grants = self.oracle.grants_of_login(login) if acting is None else self.oracle.grants(acting)
        self.truths: Truths = {target: self.oracle.judged(self.grants, target) for target in world.targets()}
        stands_for_all = acting is None or any(user.id == acting and user.is_original for user in world.users)
        self._alone = None if stands_for_all else acting

    @property
    def viewer(self) -> Viewer:
        """Who asks, as a token and a header name him."""
        acting = None if self.acting is None else UserId(self.acting)
        return Viewer(LoginId(self.login), "someone@user.example", acting_user=acting)

    def session(self, transaction: Transaction, memory: FactMemory | None = None) -> Session:
        """One request of this asker, warm with a memory that has seen some."""
        return Session(transaction, self.viewer, Instant(0), memory=memory)

    @property
    def customer_roles(self) -> frozenset[RoleRow]:
        """The rows of GetUser without a user named."""
        if self.acting is not None:
            return self.oracle.customer_roles(self.acting)
        return self.oracle.customer_roles_of_login(self.login)

    def is_self(self, user: int) -> bool:
        """Whether a user is the asker: one of his login's, or just the one who asks."""
        [found] = [item for item in self.world.users if item.id == user]
        return found.login == self.login and self._alone in (None, user)

    @property
    def may_be_refused(self) -> bool:
        """Whether the asker has anything to do with a chain over the limit, even where nothing stands at its end."""
        return any(grant.over_limit for grant in self.grants)

    def views(self, target: Target) -> bool:
        """Whether the asker may see the target."""
        return "VIEW" in self.truths[target].allowed

    def sees(self, user: oracle.User) -> bool:
        """Whether the asker may see the user: his own, or one he shares a viewed manager account with."""
        reached = {grant.chain[-1] for grant in self.oracle.grants(user.id) if grant.target == end_of(grant)}
        places = {user.manager_account} | reached
        return self.is_self(user.id) or any(self.views(Target(MANAGER, place)) for place in places)


def end_of(grant: oracle.Grant) -> Target:
    """The manager account at the end of the chain of a grant within the limit."""
    return Target(MANAGER, grant.chain[-1] if not grant.over_limit else -1)


def askers(world: World) -> list[Asker]:
    """Every login that may come in, and each of its users that may be asked as; a merged one is refused at the door."""
    logins = [login.id for login in world.logins if login.merged_into is None]
    users = [user for user in world.users if user.login in logins and user.status == "ACTIVE"]
    return [*(Asker(world, login) for login in logins), *(Asker(world, user.login, user.id) for user in users)]


def target_id(target: Target) -> TargetId:
    """The target as the resolvers take it."""
    if target.kind == MANAGER:
        return TargetId(ManagerAccountId(target.id), None)
    return TargetId(None, AdAccountId(target.id))
