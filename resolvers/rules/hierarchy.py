"""What survives on the way down from one manager account to another (rules P3, P5, P6, P9, P10).

Roles are no part of it: a hop removes capabilities whatever the role, so what reaches the end of a chain
is the role's set cut by what the chain lets through, and one walk serves every role and every user.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from resolvers.rules.capabilities import (
    EVERYTHING,
    NOTHING,
    SURVIVES_CUSTOMER_LINK,
    CapabilitySet,
    cut,
    joined,
    without,
)
from resolvers.rules.links import CARRIES_ACCESS, MAX_MANAGER_ACCOUNTS_ON_A_CHAIN
from storage.records.facts import Facts
from storage.records.ids import ManagerAccountId


class Below(NamedTuple):
    """What lies below a manager account, and what survives the way there over all chains.

    `within` counts chains of at most five manager accounts. `beyond` holds what only longer chains would
    bring: never granted, never silently denied (rule P10), because such a chain must not exist.
    """

    within: dict[ManagerAccountId, CapabilitySet]
    beyond: dict[ManagerAccountId, CapabilitySet]


class Hierarchy:
    """The customer links of one excerpt of facts, walked downward and remembered."""

    __slots__ = ("_below", "_linked_only", "facts")

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._below: dict[tuple[ManagerAccountId, ManagerAccountId | None], Below] = {}
        self._linked_only: dict[
            tuple[ManagerAccountId, frozenset[ManagerAccountId] | None, ManagerAccountId | None], Below
        ] = {}

    def below(self, top: ManagerAccountId, avoiding: ManagerAccountId | None = None) -> Below:
        """Everything below `top`, itself included (rules P1, P3), over chains that do not touch `avoiding`."""
        key = (top, avoiding)
        found = self._below.get(key)
        if found is None:
            if top not in self.facts.customer_links_from and top != avoiding:
                found = Below({top: EVERYTHING}, {})
            else:
                never = frozenset() if avoiding is None else frozenset({avoiding})
                found = self._walk([(top, EVERYTHING)], 1, never)
            self._below[key] = found
        return found

    def below_linked_entities(
        self,
        top: ManagerAccountId,
        only: frozenset[ManagerAccountId] | None,
        avoiding: ManagerAccountId | None = None,
    ) -> Below:
        """Everything below `top` but not `top` itself, through all its links or those to `only` (rule P4).

        `top` is left out of the walk: a cycle back to it would make a path that is not simple (P5).
        """
        key = (top, only, avoiding)
        found = self._linked_only.get(key)
        if found is None:
            starts = [
                (client, survives) for client, survives in self._clients_of(top) if only is None or client in only
            ]
            never = frozenset({top}) if avoiding is None else frozenset({top, avoiding})
            found = self._linked_only[key] = self._walk(starts, 2, never)
        return found

    def leads_back(self, aggregator: ManagerAccountId, signed_up: ManagerAccountId) -> bool:
        """Whether a signed-up manager account stands above its own aggregator.

        A path may not name it twice (P5), so ways to the aggregator must then be walked around it.
        """
        below = self.below(signed_up)
        return aggregator in below.within or aggregator in below.beyond

    def _clients_of(self, managing: ManagerAccountId) -> list[tuple[ManagerAccountId, CapabilitySet]]:
        return [
            (link.client_id, SURVIVES_CUSTOMER_LINK[link.permission])
            for link in self.facts.customer_links_from.get(managing, ())
            if link.status in CARRIES_ACCESS
        ]

    def _walk(
        self,
        starts: Iterable[tuple[ManagerAccountId, CapabilitySet]],
        level: int,
        never: frozenset[ManagerAccountId],
    ) -> Below:
        """Level by level; a manager account is visited again only by a chain that carries more.

        A walk that is not simple never adds anything: cutting its loop out leaves a shorter chain with
        fewer hops, which carries at least as much. So remembering sets is exact, also on cycles.
        """
        within: dict[ManagerAccountId, CapabilitySet] = {}
        beyond: dict[ManagerAccountId, CapabilitySet] = {}
        frontier = list(starts)
        while frontier:
            arrived: list[tuple[ManagerAccountId, CapabilitySet]] = []
            for manager_account, carried in frontier:
                already = joined(within.get(manager_account, NOTHING), beyond.get(manager_account, NOTHING))
                added = without(carried, already)
                if not added or manager_account in never:
                    continue
                if level <= MAX_MANAGER_ACCOUNTS_ON_A_CHAIN:
                    within[manager_account] = joined(already, carried)
                else:
                    beyond[manager_account] = joined(beyond.get(manager_account, NOTHING), added)
                for client, survives in self._clients_of(manager_account):
                    arrived.append((client, cut(carried, survives)))
            frontier = arrived
            level += 1
        return Below(within, beyond)
