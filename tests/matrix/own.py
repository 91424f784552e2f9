"""What is true of whoever asks, by the oracle, for the fields that are about himself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.matrix.answers import Key, Place
from tests.matrix.seer import Seer
from tests.oracle import AD, MANAGER, Target


def target_of(key: Key) -> Target:
    """The account of a key, as the oracle names it."""
    return Target(MANAGER if key[0] == "ManagerAccount" else AD, key[1])


def _contexts(seer: Seer, place: Place) -> list[tuple[int, int]]:
    """Through which manager accounts he uses an ad account, with how much each gives."""
    target = target_of(place.parent)
    through = {one.context for one in seer.grants if one.target == target and not one.over_limit}
    return [(len(seer.all.oracle.judged(seer.grants, target, one).allowed), one) for one in through]


OWN: Final[dict[str, Callable[[Seer, Place], Any]]] = {
    "ManagerAccount.viewerCapabilities": lambda seer, at: sorted(seer.truths[target_of(at.parent)].allowed),
    "AdAccount.viewerCapabilities": lambda seer, at: sorted(seer.truths[target_of(at.parent)].allowed),
    "ManagerAccount.viewerRoles": lambda seer, at: _roles(seer, at),
    "AdAccount.viewerRoles": lambda seer, at: _roles(seer, at),
    "AdAccount.viewerContextId": lambda seer, at: (
        at.value if (_most(at), int(at.value or 0)) in _contexts(seer, at) else "one of his contexts"
    ),
    "ClientLink.viewerActions": lambda seer, at: seer.actions(at.parent[1]),
    "ClientLinkActionResult.allowed": lambda seer, at: (
        at.data["ClientLinkActionResult_action"] in seer.actions(at.parent[1])
    ),
    "Login.loginId": lambda seer, at: str(seer.caller.login),
    "Viewer.isSystemAdministrator": lambda seer, at: False,
    "AccessTokenConnection.hiddenCount": lambda seer, at: 0,
    "AccessTokenConnection.totalCount": lambda seer, at: len(seer.all.tokens[seer.caller.login or 0]),
}
"""What is true of whoever asks, by field; other fields of himself name at least nothing hidden."""
IN_ORDER: Final = frozenset({"ClientLink.viewerActions"})


def _roles(seer: Seer, place: Place) -> list[str]:
    target = target_of(place.parent)
    return sorted({one.assignment.role for one in seer.grants if one.target == target and not one.over_limit})


def _most(place: Place) -> int:
    return len(place.data["AdAccount_viewerCapabilities"])
