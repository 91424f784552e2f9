"""What must be true of the two ends of a client link: when it is sent, moved, accepted, and about to become active.

A refusal names what the viewer named himself or sees; of the rest it says only that it is there.
"""

from __future__ import annotations

from collections.abc import Iterable

from resolvers.links import visible_links
from resolvers.rules.capabilities import Capability
from resolvers.rules.link_checks import PREPAID, customer_link_forbidden
from resolvers.rules.links import CARRIES_ACCESS, IN_TRANSITION
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import ServiceSession, WriteSession, refused
from storage.reads import links as read
from storage.reads.entities import read_billing
from storage.records.ids import AdAccountId, ClientLinkId, ManagerAccountId
from storage.records.rows import AdAccountRow


def check_account(
    session: WriteSession,
    managing: ManagerAccountId,
    account: AdAccountRow,
    client_pays: bool | None,
    besides: ClientLinkId | None = None,
) -> None:
    """Who manages and who pays is possible; `besides` is a link that does not count. Raises: Refused."""
    if account.parent_customer_id == managing:
        raise refused(
            WriteCode.ALREADY_OWNED,
            f"Manager account {managing} owns ad account {account.account_id} already.",
            "clientEntityId",
        )
    billing = read_billing(session.transaction, [account.account_id]).get(account.account_id)
    if billing is not None and billing.payment_method_type in PREPAID:
        raise refused(
            WriteCode.PREPAID_CLIENT_ACCOUNT_NOT_SUPPORTED,
            f"Ad account {account.account_id} pays in advance; only accounts that are billed afterwards can be linked.",
            "clientEntityId",
        )
    links = read.read_account_links_to(session.transaction, [account.account_id])
    paid_by_agency = [row for row in links if row.status in CARRIES_ACCESS and row.is_bill_to_client is False]
    billed = [row for row in paid_by_agency if row.link_id != besides]
    if billed and not client_pays:
        raise refused(
            WriteCode.CLIENT_ACCOUNT_MANAGED_BY_ANOTHER_AGENCY,
            f"Another agency pays for ad account {account.account_id} already. Let the client pay, or unlink it first.",
            "isBillToClient",
        )


def check_not_in_transition(session: WriteSession, account: AdAccountId) -> None:
    """No other link to the ad account is being made or undone. Raises: Refused (1472)."""
    links = read.read_account_links_to(session.transaction, [account])
    moving = [row for row in links if row.status in IN_TRANSITION]
    if moving:
        shown = visible_links(session, moving)
        which = (
            f"Client link {shown[0].link_id} to this ad account is {shown[0].status}"
            if shown
            else ("A link to this ad account is being made or unmade")
        )
        raise refused(
            WriteCode.ACCOUNT_LINK_TRANSITION_IN_PROGRESS,
            f"{which}; retry in 5 to 30 minutes.",
            "clientEntityId",
        )


def check_customer_link(session: WriteSession, managing: ManagerAccountId, client: ManagerAccountId) -> None:
    """No self-link, circle or sixth level (P10). Raises: Refused."""
    excerpt = session.excerpt
    excerpt.know_manager_accounts([managing, client])
    excerpt.know_below([client])
    forbidden = customer_link_forbidden(excerpt.facts, managing, client, lambda chain: _shown(session, chain))
    if forbidden is not None:
        raise refused(WriteCode.HIERARCHY_NOT_ALLOWED, forbidden, "clientEntityId")


def _shown(session: WriteSession, chain: Iterable[ManagerAccountId]) -> frozenset[ManagerAccountId]:
    """Those on a chain the viewer sees. What the service says is read by both sides, so it names the ends only."""
    if isinstance(session, ServiceSession):
        return frozenset()
    asked = list(chain)
    session.know_manager_accounts(asked)
    return frozenset(one for one in asked if session.reach.on_manager_account(one).allow(Capability.VIEW))
