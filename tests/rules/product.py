"""The product's rules asked in the oracle's words: one small translation, no judgement."""

from __future__ import annotations

from resolvers.rules.access import Access, access_of, permissions_on
from resolvers.rules.capabilities import CapabilitySet, names_of
from resolvers.rules.customer_roles import CustomerRoleRow, LinkedAccounts, customer_roles
from resolvers.rules.hierarchy import Hierarchy
from resolvers.rules.paths import AnyTarget, Hop, Path
from resolvers.rules.reach import Permissions, Reach, users_asked_as, users_of_login
from storage.records import facts as records
from storage.records.ids import LoginId, ManagerAccountId, UserId
from tests import verifier
from tests.oracle import AD, MANAGER, Answer, RoleRow, Target, World
from tests.worlds import to_facts


def names(capabilities: CapabilitySet) -> frozenset[str]:
    """A set of the product, spelled out."""
    return frozenset(str(name) for name in names_of(capabilities))


class Product:
    """The product's answers about one world."""

    def __init__(self, world: World, facts: records.Facts | None = None) -> None:
        """`facts`: another excerpt of the same world, such as one read from a database."""
        self.world = world
        self.facts = to_facts(world) if facts is None else facts
        self.hierarchy = Hierarchy(self.facts)
        self._reaches: dict[int, Reach] = {}

    def target(self, target: Target) -> AnyTarget:
        """The target as the rules take it."""
        if target.kind == MANAGER:
            return ManagerAccountId(target.id)
        return next(fact for id, fact in self.facts.ad_accounts.items() if id == target.id)

    def reach(self, user: int) -> Reach:
        """What the user asks with."""
        if user not in self._reaches:
            users = users_asked_as(self.facts, UserId(user))
            self._reaches[user] = Reach.of_users(self.hierarchy, users)
        return self._reaches[user]

    def assignments(self, user: int) -> list[records.Assignment]:
        """The assignments that count when the user asks."""
        users = users_asked_as(self.facts, UserId(user))
        return [item for id in users for item in self.facts.assignments_by_user.get(id, ())]

    def effective(self, user: int, target: Target, context: int | None = None) -> Answer:
        """What the user may do with the target."""
        named = None if context is None else ManagerAccountId(context)
        return answer(permissions_on(self.reach(user), self.target(target), named))

    def everything(self, user: int) -> dict[Target, Answer]:
        """The whole effective set."""
        return {target: self.effective(user, target) for target in self.world.targets()}

    def everything_of_login(self, login: int) -> dict[Target, Answer]:
        """The whole effective set of a login."""
        reach = Reach.of_users(self.hierarchy, users_of_login(self.facts, LoginId(login)))
        return {target: answer(permissions_on(reach, self.target(target))) for target in self.world.targets()}

    def access(self, user: int, target: Target, context: int | None = None) -> Access:
        """The whole answer with its paths."""
        named = None if context is None else ManagerAccountId(context)
        return access_of(self.reach(user), self.assignments(user), self.target(target), named)

    def contexts(self, user: int, target: Target) -> dict[int, frozenset[str]]:
        """What the user may do through each manager account he may name."""
        found = self.target(target)
        reach = self.reach(user)
        contexts = (
            reach.contexts_of_ad_account(found)
            if isinstance(found, records.AdAccountFact)
            else reach.contexts_of_manager_account(found)
        )
        return {context.manager_account_id: names(context.capabilities) for context in contexts}

    def explanations(self, user: int, target: Target) -> list[verifier.Explanation]:
        """Every path the product gives, once for each capability it gives and the state leaves."""
        access = self.access(user, target)
        usable = names(access.permissions.capabilities)
        return [
            explanation(user, target, path, capability)
            for path in access.paths
            for capability in sorted(names(path.capabilities) & usable)
        ]

    def customer_roles(self, user: int) -> list[RoleRow]:
        """The rows of GetUser, repeats kept."""
        signed_up = {item.manager_account for item in self.world.aggregations}
        owned = {
            ManagerAccountId(owner): tuple(
                fact.id for fact in self.facts.ad_accounts.values() if fact.owner_id == owner
            )
            for owner in signed_up
        }
        linked = LinkedAccounts(self.facts, owned)
        return [role_row(row) for row in customer_roles(self.hierarchy, self.assignments(user), linked)]


def answer(permissions: Permissions) -> Answer:
    """The product's permissions in the oracle's words."""
    return Answer(names(permissions.capabilities), names(permissions.over_limit), names(permissions.withheld))


def explanation(user: int, target: Target, path: Path, capability: str) -> verifier.Explanation:
    """One path as the claim that it gives one capability."""
    hops = tuple(hop_claim(hop) for hop in path.hops)
    return verifier.Explanation(user, target, capability, path.assignment.id, hops, path.context)


def hop_claim(hop: Hop) -> verifier.Hop:
    """One hop as the verifier takes it."""
    if hop.to_ad_account_id is not None:
        destination = Target(AD, hop.to_ad_account_id)
    else:
        assert hop.to_manager_account_id is not None
        destination = Target(MANAGER, hop.to_manager_account_id)
    fact = hop.link_id if hop.aggregation_id is None else hop.aggregation_id
    return verifier.Hop(str(hop.kind), hop.from_id, destination, fact, names(hop.removed))


def role_row(row: CustomerRoleRow) -> RoleRow:
    """One row in the oracle's words."""
    return RoleRow(
        str(row.role),
        row.manager_account_id,
        None if row.link_permission is None else str(row.link_permission),
        None if row.account_ids is None else frozenset(row.account_ids),
        frozenset(row.linked_account_ids),
    )
