"""Every way from an assignment to a target, hop by hop (rules P1–P5, P8–P10, P13).

A path is what an answer shows as its reason. Walking "in general" — also over links that carry no access
and past scopes — finds the near misses of a denial with the same code that finds the paths of a grant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from resolvers.rules.capabilities import (
    EVERYTHING,
    NOTHING,
    ON_AD_ACCOUNT,
    ON_MANAGER_ACCOUNT,
    ROLE_CAPABILITIES,
    SURVIVES_ACCOUNT_LINK,
    SURVIVES_CUSTOMER_LINK,
    VIEW,
    CapabilitySet,
    cut,
    without,
)
from resolvers.rules.links import CARRIES_ACCESS, MAX_MANAGER_ACCOUNTS_ON_A_CHAIN
from storage.records.facts import (
    AccountLink,
    AdAccountFact,
    Aggregation,
    Assignment,
    CustomerLink,
    EveryAccount,
    EveryLinkedEntity,
    Facts,
    OnlyAccounts,
    OnlyLinkedEntities,
)
from storage.records.ids import AdAccountId, AggregationId, ClientLinkId, ManagerAccountId
from storage.records.values import ClientLinkStatus, LinkPermission, ValueSet, auto

PATHS_AT_MOST = 10_000
"""More ways than this between one user and one target are reported as an error, not enumerated."""


class HopKind(ValueSet):
    """What leads from one end of a hop to the other."""

    OWNERSHIP = auto()
    CUSTOMER_LINK = auto()
    ACCOUNT_LINK = auto()
    AGGREGATION = auto()


class Hop(NamedTuple):
    """One step down. `removed` is what this hop took from what had arrived, by the rules named."""

    kind: HopKind
    from_id: ManagerAccountId
    to_manager_account_id: ManagerAccountId | None
    to_ad_account_id: AdAccountId | None
    link_id: ClientLinkId | None
    aggregation_id: AggregationId | None
    permission: LinkPermission | None
    status: ClientLinkStatus | None
    removed: CapabilitySet
    rules: tuple[str, ...]

    @property
    def lets_through(self) -> CapabilitySet:
        """What this kind of hop lets pass, whatever had arrived."""
        if self.permission is not None:
            return SURVIVES_CUSTOMER_LINK[self.permission]
        return SURVIVES_ACCOUNT_LINK if self.kind == HopKind.ACCOUNT_LINK else EVERYTHING

    @property
    def carries_access(self) -> bool:
        """P9; ownership and aggregations always do."""
        return self.status is None or self.status in CARRIES_ACCESS


class Path(NamedTuple):
    """An assignment followed by hops. `capabilities` is what it gives on its end, state aside."""

    assignment: Assignment
    hops: tuple[Hop, ...]
    capabilities: CapabilitySet
    context: ManagerAccountId

    @property
    def manager_accounts(self) -> tuple[ManagerAccountId, ...]:
        """The manager accounts the path leads through, in order, its start included."""
        downward = [hop.to_manager_account_id for hop in self.hops if hop.to_manager_account_id is not None]
        return (self.assignment.manager_account_id, *downward)


class TooManyPaths(Exception):
    """The stored graph has more ways than an answer may list; nothing is wrong with the permission itself."""


class ChainOverLimit(Exception):
    """Only a chain of more than five manager accounts would answer (rule P10): neither granted nor denied."""

    def __init__(self, chain: tuple[ManagerAccountId, ...]) -> None:
        super().__init__(chain)
        self.chain = chain


Chain: TypeAlias = tuple[CustomerLink, ...]
AnyTarget: TypeAlias = ManagerAccountId | AdAccountFact


class _Entry(NamedTuple):
    """How a target is entered from the manager account at the end of a chain.

    A chain to an aggregator may not lead through the manager account it signed up: that is still to come (P5).
    """

    at: ManagerAccountId
    link: AccountLink | None
    aggregation: Aggregation | None
    owned: bool

    @property
    def never(self) -> ManagerAccountId | None:
        return None if self.aggregation is None else self.aggregation.manager_account_id


class PathFinder:
    """The ways through one excerpt of facts to one target.

    With `over_any_link` the walk also takes links that carry no access; their hops say so.
    """

    def __init__(self, facts: Facts, target: AnyTarget, *, over_any_link: bool = False) -> None:
        self._facts = facts
        self._over_any_link = over_any_link
        self._target = target
        self._entries = tuple(self._entries_of(target))
        self._leads_to = {entry.at: self._links_towards(entry.at) for entry in self._entries}

    def paths(self, assignments: Iterable[Assignment]) -> Iterator[Path]:
        """Every simple path of these assignments within the chain limit, in no promised order.

        Raises: TooManyPaths past `PATHS_AT_MOST`.
        """
        count = 0
        for assignment in assignments:
            for entry in self._entries:
                for chain in self._chains(assignment.manager_account_id, entry):
                    count += 1
                    if count > PATHS_AT_MOST:
                        raise TooManyPaths
                    yield self._path(assignment, chain, entry)

    def chain_over_limit(
        self, assignments: Iterable[Assignment], capability: CapabilitySet
    ) -> tuple[ManagerAccountId, ...] | None:
        """The manager accounts of one chain that is too long and would give the capability (rule P10).

        Of several the same one, in whatever order facts were loaded.
        """
        for assignment in sorted(assignments):
            if isinstance(assignment.scope, OnlyAccounts):
                continue
            for entry in sorted(self._entries, key=lambda one: (one.at, one.link.id if one.link else 0)):
                chain = self._long_chain(assignment, entry, capability)
                if chain is not None:
                    return chain
        return None

    def _long_chain(
        self, assignment: Assignment, entry: _Entry, capability: CapabilitySet
    ) -> tuple[ManagerAccountId, ...] | None:
        top, bottom = assignment.manager_account_id, entry.at
        start: tuple[ManagerAccountId, ...] = (top,)
        frontier = [(start, cut(ROLE_CAPABILITIES[assignment.role], capability))]
        seen = {top, entry.never}
        while frontier:
            chain, carried = frontier.pop(0)
            if chain[-1] == bottom and len(chain) > MAX_MANAGER_ACCOUNTS_ON_A_CHAIN:
                return chain
            for link in sorted(self._facts.customer_links_from.get(chain[-1], ())):
                client = link.client_id
                if len(chain) == 1 and not _scope_leads_to(assignment, client):
                    continue
                survives = cut(carried, SURVIVES_CUSTOMER_LINK[link.permission])
                if client in self._leads_to[bottom] and client not in seen and survives and self._takes(link.status):
                    seen.add(client)
                    frontier.append(((*chain, client), survives))
        return None

    def _takes(self, status: ClientLinkStatus) -> bool:
        return self._over_any_link or status in CARRIES_ACCESS

    def _entries_of(self, target: AnyTarget) -> Iterator[_Entry]:
        if isinstance(target, AdAccountFact):
            owner = target.owner_id
            for link in self._facts.account_links_to.get(target.id, ()):
                if self._takes(link.status):
                    yield _Entry(link.managing_id, link, None, owned=False)
        else:
            owner = target
        yield _Entry(owner, None, None, owned=isinstance(target, AdAccountFact))
        for aggregation in self._facts.aggregations_to.get(owner, ()):
            yield _Entry(aggregation.aggregator_id, None, aggregation, owned=isinstance(target, AdAccountFact))

    def _links_towards(self, bottom: ManagerAccountId) -> dict[ManagerAccountId, list[CustomerLink]]:
        """The links that lead on towards a manager account, by where they start; it stands among them itself."""
        found: dict[ManagerAccountId, list[CustomerLink]] = {bottom: []}
        frontier = [bottom]
        while frontier:
            for link in self._facts.customer_links_to.get(frontier.pop(), ()):
                if not self._takes(link.status):
                    continue
                if link.managing_id not in found:
                    found[link.managing_id] = []
                    frontier.append(link.managing_id)
                found[link.managing_id].append(link)
        return found

    def _chains(self, top: ManagerAccountId, entry: _Entry) -> Iterator[Chain]:
        """Every simple chain of at most four links from top to bottom; dead ends are never entered."""
        bottom, links = entry.at, self._leads_to[entry.at]
        if top not in links or top == entry.never:
            return
        stack: list[tuple[ManagerAccountId, Chain, frozenset[ManagerAccountId]]] = [(top, (), frozenset({top}))]
        while stack:
            here, chain, seen = stack.pop()
            if here == bottom:
                yield chain
                continue
            if len(chain) == MAX_MANAGER_ACCOUNTS_ON_A_CHAIN - 1:
                continue
            for link in links[here]:
                client = link.client_id
                if client not in seen and client != entry.never:
                    stack.append((client, (*chain, link), seen | {client}))

    def _path(self, assignment: Assignment, chain: Chain, entry: _Entry) -> Path:
        carried = ROLE_CAPABILITIES[assignment.role]
        hops: list[Hop] = []
        for link in chain:
            hop = _customer_link_hop(link, carried)
            carried = without(carried, hop.removed)
            hops.append(hop)
        if entry.link is not None:
            hop = _account_link_hop(entry.link, carried)
            carried = without(carried, hop.removed)
            hops.append(hop)
        if entry.aggregation is not None:
            hops.append(_aggregation_hop(entry.aggregation))
        if entry.owned and isinstance(self._target, AdAccountFact):
            hops.append(_ownership_hop(self._target))
        on = ON_AD_ACCOUNT if isinstance(self._target, AdAccountFact) else ON_MANAGER_ACCOUNT
        return Path(assignment, tuple(hops), cut(carried, on), entry.at)


def _customer_link_hop(link: CustomerLink, carried: CapabilitySet) -> Hop:
    standard = link.permission == LinkPermission.STANDARD
    return Hop(
        kind=HopKind.CUSTOMER_LINK,
        from_id=link.managing_id,
        to_manager_account_id=link.client_id,
        to_ad_account_id=None,
        link_id=link.id,
        aggregation_id=None,
        permission=link.permission,
        status=link.status,
        removed=without(carried, SURVIVES_CUSTOMER_LINK[link.permission]),
        rules=("P3", "P5", "P6") if standard else ("P3",),
    )


def _account_link_hop(link: AccountLink, carried: CapabilitySet) -> Hop:
    return Hop(
        kind=HopKind.ACCOUNT_LINK,
        from_id=link.managing_id,
        to_manager_account_id=None,
        to_ad_account_id=link.client_id,
        link_id=link.id,
        aggregation_id=None,
        permission=None,
        status=link.status,
        removed=without(cut(carried, ON_AD_ACCOUNT), SURVIVES_ACCOUNT_LINK),
        rules=("P3", "P8"),
    )


def _aggregation_hop(aggregation: Aggregation) -> Hop:
    return Hop(
        kind=HopKind.AGGREGATION,
        from_id=aggregation.aggregator_id,
        to_manager_account_id=aggregation.manager_account_id,
        to_ad_account_id=None,
        link_id=None,
        aggregation_id=aggregation.id,
        permission=None,
        status=None,
        removed=NOTHING,
        rules=("P13",),
    )


def _ownership_hop(target: AdAccountFact) -> Hop:
    return Hop(
        kind=HopKind.OWNERSHIP,
        from_id=target.owner_id,
        to_manager_account_id=None,
        to_ad_account_id=target.id,
        link_id=None,
        aggregation_id=None,
        permission=None,
        status=None,
        removed=NOTHING,
        rules=("P1",),
    )


def _scope_leads_to(assignment: Assignment, client: ManagerAccountId) -> bool:
    """Whether a scope lets its assignment go on through a link to this manager account (P4)."""
    return not isinstance(assignment.scope, OnlyLinkedEntities) or client in assignment.scope.ids


def scope_gives(path: Path) -> CapabilitySet:
    """What the assignment's scope lets this path have: everything, only VIEW, or nothing (P1, P2, P4)."""
    first = path.hops[0] if path.hops else None
    only_links = first is not None and first.kind == HopKind.CUSTOMER_LINK
    match path.assignment.scope:
        case EveryAccount():
            return EVERYTHING
        case OnlyAccounts(ids):
            ends_at = path.hops[-1].to_ad_account_id if path.hops else None
            return EVERYTHING if ends_at in ids and not only_links else NOTHING
        case EveryLinkedEntity():
            if first is None:
                return VIEW
            return NOTHING if first.kind == HopKind.OWNERSHIP else EVERYTHING
        case OnlyLinkedEntities(managers):
            if first is None:
                return VIEW
            return EVERYTHING if only_links and first.to_manager_account_id in managers else NOTHING
