"""What is worked out about an ad account besides its row: who pays, which agencies, which contexts."""

from __future__ import annotations

from typing import NamedTuple

from resolvers.errors import Refusal
from resolvers.lookup import visible_manager_accounts
from resolvers.rules.billing import BillToReason, bill_to_reason
from resolvers.rules.links import CARRIES_ACCESS
from resolvers.rules.reach import Context
from resolvers.session import AD_ACCOUNT, Session, fact_of
from storage.reads.links import read_account_links_to
from storage.records.ids import AdAccountId, ManagerAccountId
from storage.records.rows import AdAccountRow, ClientLinkRow, ManagerAccountRow


class BillTo(NamedTuple):
    """Who is billed for an ad account; `row` is None when the viewer may not see that manager account."""

    customer_id: ManagerAccountId
    reason: BillToReason
    row: ManagerAccountRow | None


def bill_to_of(session: Session, row: AdAccountRow) -> BillTo:
    """Who is billed for an ad account, and why. Cost: a fixed number of SELECTs a cohort."""

    def load(ids: list[AdAccountId]) -> dict[AdAccountId, BillTo | Refusal]:
        rows = [session.ad_accounts[one] for one in ids if one in session.ad_accounts]
        session.know_ad_accounts([one.account_id for one in rows])
        payers = {one.account_id: one.bill_to_customer_id or one.parent_customer_id for one in rows}
        seen = visible_manager_accounts(session, list(set(payers.values())))
        facts = session.excerpt.facts
        found: dict[AdAccountId, BillTo | Refusal] = {}
        for one in rows:
            payer = payers[one.account_id]
            shown = seen.get(payer)
            reason = bill_to_reason(facts, fact_of(one), payer)
            found[one.account_id] = shown if isinstance(shown, Refusal) else BillTo(payer, reason, shown)
        return found

    found = session.together(AD_ACCOUNT, row.account_id, "bill to", load)
    if found is None:
        raise LookupError("an ad account is asked about that this request did not load")
    return found


def linked_agencies_of(session: Session, row: AdAccountRow) -> tuple[ClientLinkRow, ...]:
    """The active account links of an ad account, by agency. Cost: one SELECT a cohort."""

    def load(ids: list[AdAccountId]) -> dict[AdAccountId, tuple[ClientLinkRow, ...]]:
        found: dict[AdAccountId, tuple[ClientLinkRow, ...]] = {}
        for link in read_account_links_to(session.transaction, ids):
            if link.status in CARRIES_ACCESS and link.client_account_id is not None:
                found[link.client_account_id] = (*found.get(link.client_account_id, ()), link)
        return found

    links = session.together(AD_ACCOUNT, row.account_id, "agencies", load) or ()
    return tuple(sorted(links, key=lambda link: link.managing_customer_id))


def contexts_of(session: Session, row: AdAccountRow) -> tuple[Context, ...]:
    """The contexts the viewer can use an ad account through, the recommended one first (rule P8)."""
    session.on_ad_account(row)
    return session.reach.contexts_of_ad_account(fact_of(row))
