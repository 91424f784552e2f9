"""Chains over the limit (rule P10), told to an asker: in full, or without the manager accounts he may not see."""

from __future__ import annotations

from collections.abc import Collection

from resolvers.errors import Code, Refusal, over_limit
from resolvers.rules.access import refuse_over_limit
from resolvers.rules.capabilities import BIT, Capability
from resolvers.rules.paths import AnyTarget, ChainOverLimit
from resolvers.rules.reach import Permissions
from resolvers.session import Session
from storage.records.facts import Assignment, Facts
from storage.records.ids import ManagerAccountId


def may_be_told_of(session: Session, key: ManagerAccountId) -> bool:
    """Whether the viewer may be told of a manager account that the session knows as a target.

    He may when he views it, holds a role in it, or is told of a chain over the limit that leads him there.
    """
    held = session.excerpt.facts.assignments_by_user
    if any(item.manager_account_id == key for user in session.viewer_users for item in held.get(user, ())):
        return True
    permissions = session.reach.on_manager_account(key)
    return bool((permissions.capabilities | permissions.over_limit) & BIT[Capability.VIEW])


def chain_refusal(session: Session, chain: Collection[ManagerAccountId]) -> Refusal:
    """The error about a chain over the limit: it names the chain only to those who may see all of it.

    Cost: at most four SELECTs for all errors of a request, however many chains there are.
    """
    # All that any chain leads through, at once: a batch may hold many errors.
    session.know_manager_accounts(list(session.excerpt.above() | set(chain)))
    if chain and all(may_be_told_of(session, one) for one in chain):
        return over_limit(tuple(chain))
    return Refusal(
        Code.CHAIN_OVER_LIMIT,
        "A chain through manager accounts you may not see is longer than the five that are allowed, so what lies at"
        " its end can be neither granted nor denied. Somebody who sees it must unlink one of its customer links.",
        number=202,
        rule="P10",
    )


def refuse_long_chain(
    session: Session,
    permissions: Permissions,
    facts: Facts,
    assignments: Collection[Assignment],
    target: AnyTarget,
    capability: Capability,
) -> None:
    """What only a chain over the limit would give is neither a denial nor a grant.

    Raises: Refusal CHAIN_OVER_LIMIT.
    """
    try:
        refuse_over_limit(permissions, facts, assignments, target, capability)
    except ChainOverLimit as error:
        raise chain_refusal(session, error.chain) from error
