"""Anything that has a node id, of several kinds at once, as the viewer may see it: hidden and unknown look alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from resolvers.links import INVITATION, visible_invitations, visible_links_by_id
from resolvers.lookup import visible_ad_accounts, visible_manager_accounts
from resolvers.people import visible_users
from resolvers.session import AD_ACCOUNT, CLIENT_LINK, MANAGER_ACCOUNT, USER, Session

Wanted = tuple[str, int]
"""A kind, as node ids and the audit log name it, and a number."""

_LOADS: Mapping[str, tuple[str, Callable[[Session, Any], Mapping[Any, Any]]]] = {
    "ManagerAccount": (MANAGER_ACCOUNT, visible_manager_accounts),
    "AdAccount": (AD_ACCOUNT, visible_ad_accounts),
    "User": (USER, visible_users),
    "ClientLink": (CLIENT_LINK, visible_links_by_id),
    "UserInvitation": (INVITATION, visible_invitations),
}
"""Kinds that have node ids: the cohort they are loaded with, and what loads those the viewer may see."""


def visible_nodes(session: Session, wanted: Iterable[Wanted]) -> dict[Wanted, Any]:
    """The rows of those the viewer may see; other kinds than those with node ids are left out.

    In place of one that only a chain over the limit leads to stands its Refusal: it is neither granted nor denied,
    and the others stay. Cost: at most twelve SELECTs a kind.
    """
    by_kind: dict[str, list[int]] = {}
    for kind, number in dict.fromkeys(wanted):
        if kind in _LOADS:
            by_kind.setdefault(kind, []).append(number)
    return {(kind, key): row for kind, keys in by_kind.items() for key, row in _of_kind(session, kind, keys).items()}


def _of_kind(session: Session, kind: str, numbers: Collection[int]) -> dict[int, Any]:
    cohort, load = _LOADS[kind]
    session.register(cohort, numbers)
    return dict(load(session, numbers))
