"""What a client link must not be: checked when it is added, moved, and again when it is about to become active.

Every answer is a sentence with the offending path, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from resolvers.rules.links import CARRIES_ACCESS, MAX_MANAGER_ACCOUNTS_ON_A_CHAIN
from storage.records.facts import CustomerLink, Facts
from storage.records.ids import ManagerAccountId
from storage.records.values import PaymentMethodType

PREPAID: frozenset[PaymentMethodType] = frozenset(
    {
        PaymentMethodType.ELV,
        PaymentMethodType.OFFLINE_PAYMENT_METHOD,
        PaymentMethodType.VBA,
        PaymentMethodType.BOLETO,
    }
)
"""Methods of accounts that pay in advance: such a client account cannot be linked (1471)."""


Shown: TypeAlias = Callable[[Sequence[ManagerAccountId]], Collection[ManagerAccountId]]
"""Which of some manager accounts whoever reads the sentence may be told of."""


def _way(chain: Iterable[int], shown: Collection[int]) -> str:
    """The steps of a chain. Those not shown are one dash each: they count, but are not named."""
    steps = [str(one) if one in shown else "–" for one in chain]
    return " → ".join(steps) + (" (a dash is one that is not shown)" if "–" in steps else "")


def _longest(
    start: ManagerAccountId,
    links: Mapping[ManagerAccountId, tuple[CustomerLink, ...]],
    *,
    upward: bool,
    seen: frozenset[ManagerAccountId] = frozenset(),
) -> tuple[ManagerAccountId, ...]:
    best: tuple[ManagerAccountId, ...] = ()
    seen = seen | {start}
    for link in links.get(start, ()):
        following = link.managing_id if upward else link.client_id
        if link.status in CARRIES_ACCESS and following not in seen and len(seen) <= MAX_MANAGER_ACCOUNTS_ON_A_CHAIN:
            chain = _longest(following, links, upward=upward, seen=seen)
            if len(chain) > len(best):
                best = chain
    return (start, *best)


def cycle_of(facts: Facts, managing: ManagerAccountId, client: ManagerAccountId) -> tuple[ManagerAccountId, ...] | None:
    """The way from the client back to the managing side, when linking them would close a circle (P10)."""
    stack: list[tuple[ManagerAccountId, ...]] = [(client,)]
    seen = {client}
    while stack:
        chain = stack.pop()
        if chain[-1] == managing:
            return chain
        for link in facts.customer_links_from.get(chain[-1], ()):
            if link.status in CARRIES_ACCESS and link.client_id not in seen:
                seen.add(link.client_id)
                stack.append((*chain, link.client_id))
    return None


def customer_link_forbidden(
    facts: Facts, managing: ManagerAccountId, client: ManagerAccountId, shown: Shown
) -> str | None:
    """Why a customer link may not be made, from facts with all above the managing side and below the client.

    The two ends are named, and of the others those that are `shown`.
    """
    ends = {managing, client}
    if managing == client:
        return f"Manager account {managing} cannot be linked to itself."
    back = cycle_of(facts, managing, client)
    if back is not None:
        return (
            f"Linking {managing} → {client} would close a circle: {_way((managing, *back), ends.union(shown(back)))}."
        )
    above = tuple(reversed(_longest(managing, facts.customer_links_to, upward=True)))
    below = _longest(client, facts.customer_links_from, upward=False)
    chain = (*above, *below)
    if len(chain) > MAX_MANAGER_ACCOUNTS_ON_A_CHAIN:
        way = _way(chain, ends.union(shown(chain)))
        return (
            f"The chain {way} would have {len(chain)} levels of manager accounts; at most"
            f" {MAX_MANAGER_ACCOUNTS_ON_A_CHAIN} are allowed."
        )
    return None
