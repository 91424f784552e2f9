"""Who asks about a stored world: a login, what the oracle says is true for it, and requests of its own."""

from __future__ import annotations

from resolvers.access import TargetId
from resolvers.session import Session, Viewer
from storage.database import Transaction
from storage.reads.remembered import FactMemory
from storage.records.ids import AdAccountId, Instant, LoginId, ManagerAccountId
from tests import oracle
from tests.oracle import MANAGER, Oracle, Target, World

Truths = dict[Target, oracle.Answer]


class Asker:
    """A login of the world with what is true for it, and new sessions of its own."""

    def __init__(self, world: World, login: int) -> None:
        self.world = world
        self.login = login
        self.oracle = Oracle(world)
        grants = self.oracle.grants_of_login(login)
        self.truths: Truths = {target: self.oracle.judged(grants, target) for target in world.targets()}

    def session(self, transaction: Transaction, memory: FactMemory | None = None) -> Session:
        """One request of this login, warm with a memory that has seen some."""
        return Session(transaction, Viewer(LoginId(self.login), "someone@user.example"), Instant(0), memory=memory)

    @property
    def may_be_refused(self) -> bool:
        """Whether the asker has anything to do with a chain over the limit, even where nothing stands at its end."""
        return any(grant.over_limit for grant in self.oracle.grants_of_login(self.login))

    def views(self, target: Target) -> bool:
        """Whether the asker may see the target."""
        return "VIEW" in self.truths[target].allowed

    def sees(self, user: oracle.User) -> bool:
        """Whether the asker may see the user: his own, or one he shares a viewed manager account with."""
        reached = {grant.chain[-1] for grant in self.oracle.grants(user.id) if grant.target == end_of(grant)}
        places = {user.manager_account} | reached
        return user.login == self.login or any(self.views(Target(MANAGER, place)) for place in places)


def end_of(grant: oracle.Grant) -> Target:
    """The manager account at the end of the chain of a grant within the limit."""
    return Target(MANAGER, grant.chain[-1] if not grant.over_limit else -1)


def askers(world: World) -> list[Asker]:
    """Every login that may come in; a merged one is refused at the door."""
    return [Asker(world, login.id) for login in world.logins if login.merged_into is None]


def target_id(target: Target) -> TargetId:
    """The target as the resolvers take it."""
    if target.kind == MANAGER:
        return TargetId(ManagerAccountId(target.id), None)
    return TargetId(None, AdAccountId(target.id))
