"""Questions about access, asked at the terminal: the same use cases the graph asks, told in lines.

An operator asks as the login in question: what that login would be told is what is printed, no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from adgraph.commands.tokens import OperatorError, login_named
from resolvers.access import Explanation, TargetId, access_of, not_visible
from resolvers.rules.access import Decision, describe
from resolvers.rules.capabilities import Capability, CapabilitySet, names_of
from resolvers.rules.paths import Hop, Path
from resolvers.rules.remedies import Need
from resolvers.session import Limits, Session, Viewer
from storage.database import Transaction
from storage.reads.entities import read_users
from storage.records.ids import MAX_ID, AdAccountId, Instant, LoginId, ManagerAccountId, UserId


class Verdict(NamedTuple):
    """The answer to one check, and the lines that give its reason."""

    allowed: bool
    lines: tuple[str, ...]


def session_as(transaction: Transaction, user: str, now_ms: int, limits: Limits) -> Session:
    """A session of the login of this name, or of the user with this id.

    Raises: OperatorError when there is no such login or user.
    """
    if user.isascii() and user.isdigit() and int(user) <= MAX_ID:
        key = UserId(int(user))
        row = read_users(transaction, [key]).get(key)
        if row is None:
            raise OperatorError(f"There is no user with the id {user}. A login is named by its user name.")
        return Session(transaction, Viewer(row.login_id, row.user_name), Instant(now_ms), limits)
    login = login_named(transaction, user)
    return Session(transaction, Viewer(LoginId(login.id), login.user_name), Instant(now_ms), limits)


def target_of(ad_account: int | None, manager_account: int | None) -> TargetId:
    """The target that two options name. Raises: OperatorError unless exactly one does."""
    if (ad_account is None) == (manager_account is None):
        raise OperatorError("Name exactly one target: --ad-account ID or --manager-account ID.")
    if ad_account is not None:
        return TargetId(None, AdAccountId(ad_account))
    return TargetId(ManagerAccountId(manager_account or 0), None)


def check(session: Session, capability: Capability, target: TargetId, context: int | None) -> Verdict:
    """Whether the session's login holds a capability, and why.

    Raises: Refusal when the question cannot be answered (a chain over the limit, too many paths).
    """
    explanation = _explanation(session, target, context)
    decision = explanation.decide(capability) if explanation else not_visible(capability)
    return Verdict(decision.allowed, tuple(_reasons(decision)))


def explain(session: Session, target: TargetId, context: int | None) -> list[str]:
    """Everything the session's login holds on a target, path by path.

    Raises: Refusal as `check`.
    """
    explanation = _explanation(session, target, context)
    if explanation is None:
        return [not_visible(Capability.VIEW).message]
    access = explanation.access
    lines = [f"capabilities: {_listed(access.permissions.capabilities)}"]
    if access.permissions.withheld:
        lines.append(f"withheld by the state of the target: {_listed(access.permissions.withheld)}")
    lines += [f"context {each.manager_account_id}: {_listed(each.capabilities)}" for each in access.contexts]
    for number, path in enumerate(access.paths, start=1):
        lines += ["", f"path {number}: {describe(path)}", *_details(path)]
    if access.hidden_paths:
        lines += ["", f"{access.hidden_paths} more through what this login may not see"]
    return lines


def _explanation(session: Session, target: TargetId, context: int | None) -> Explanation | None:
    return access_of(session, None, target, None if context is None else ManagerAccountId(context))


def _reasons(decision: Decision) -> Iterator[str]:
    yield f"{decision.code} ({decision.rule}): {decision.message}"
    for miss in decision.near_misses:
        yield f"nearly: {describe(miss.path)}"
        if miss.message != decision.message:
            yield f"  {miss.code} ({miss.rule}): {miss.message}"
        for way in miss.ways:
            yield f"  remedy: {way.message}"
            yield from (f"    needs {_need(need)}" for need in way.needs)
        if miss.besides is not None:
            yield f"  besides: {miss.besides}"


def _need(need: Need) -> str:
    on = f"manager account {need.manager_account}" if need.ad_account is None else f"ad account {need.ad_account}"
    return f"{need.capability} on {on} to {need.what_for}"


def _details(path: Path) -> Iterator[str]:
    yield f"  gives: {_listed(path.capabilities)}"
    for hop in path.hops:
        if hop.removed:
            yield f"  {_named(hop)} removed: {_listed(hop.removed)}"


def _named(hop: Hop) -> str:
    link = f" {hop.link_id}" if hop.link_id is not None else ""
    return f"{hop.kind.lower().replace('_', ' ')}{link}"


def _listed(capabilities: CapabilitySet) -> str:
    return ", ".join(names_of(capabilities)) or "none"
