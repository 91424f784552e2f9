"""Which billing system the worker asks when an account link begins or ends."""

from __future__ import annotations

from adgraph.settings import Settings
from resolvers.billing_transition import BILLING, BillingNotYet, BillingTransition, OwnBooks
from resolvers.writing import WriteSession
from storage.demo import UNDER_WAY
from storage.records.rows import ClientLinkRow


class DemoBilling(OwnBooks):
    """The demo's billing system never finishes what the demo shows as under way; whatever else is done at once.

    An unlink waits for billing in practice, for minutes. In the demo it would be over before anybody looks.
    """

    def prepare_end(self, session: WriteSession, link: ClientLinkRow) -> None:
        """As `BillingTransition.prepare_end`."""
        _hold(link)

    def end(self, session: WriteSession, link: ClientLinkRow) -> None:
        """As `BillingTransition.end`."""
        _hold(link)
        super().end(session, link)


def _hold(link: ClientLinkRow) -> None:
    if link.name in UNDER_WAY:
        raise BillingNotYet(f"Billing is still busy with link {link.link_id}, as the demo wants it.")


def billing_for(settings: Settings) -> BillingTransition:
    """The billing system under these settings."""
    return DemoBilling() if settings.demo else BILLING
