"""Whether a client may be moved to another managing side without being asked.

Sending a link asks the client; a move does not. So it must leave him nothing to be asked about, whoever holds or
will hold a role on the new side: whom the mover invited there, and whom others invite later, counts like himself.
"""

from __future__ import annotations

from resolvers.rules.capabilities import (
    NOTHING,
    ON_AD_ACCOUNT,
    SURVIVES_ACCOUNT_LINK,
    SURVIVES_CUSTOMER_LINK,
    CapabilitySet,
    cut,
    joined,
    without,
)
from resolvers.rules.reach import Reach
from storage.records.ids import ManagerAccountId
from storage.records.values import LinkPermission


def carried_by_link(permission: LinkPermission | None) -> CapabilitySet:
    """All that the strongest role can have on the client through a link; an account link has no permission.

    What lies below a client is reached with no more than that.
    """
    return cut(ON_AD_ACCOUNT, SURVIVES_ACCOUNT_LINK) if permission is None else SURVIVES_CUSTOMER_LINK[permission]


def widened_by_moving(reach: Reach, old: ManagerAccountId, permission: LinkPermission | None) -> CapabilitySet:
    """What somebody on a new managing side could have on the client that this reach has not over the old one.

    Only what goes on through the links of the old managing side counts. Who manages that side by an aggregation
    has nothing there (P13), so he may move none of its clients.
    """
    held = NOTHING
    for carried in reach.carried_at(old):
        held = joined(held, carried.links)
    return without(carried_by_link(permission), held)
