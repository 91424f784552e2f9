"""Who is billed for an ad account, and why."""

from __future__ import annotations

from storage.records.facts import AdAccountFact, Facts
from storage.records.ids import ManagerAccountId
from storage.records.values import ValueSet, auto


class BillToReason(ValueSet):
    """Why a manager account is billed for an ad account."""

    OWNER = auto()
    AGENCY_LINK = auto()
    AGGREGATOR = auto()


def bill_to_reason(facts: Facts, account: AdAccountFact, bill_to: ManagerAccountId) -> BillToReason:
    """Why `bill_to` pays: it owns the account, signed up its owner, or is its agency by link."""
    if bill_to == account.owner_id:
        return BillToReason.OWNER
    if any(item.aggregator_id == bill_to for item in facts.aggregations_to.get(account.owner_id, ())):
        return BillToReason.AGGREGATOR
    return BillToReason.AGENCY_LINK


def payer_without_agency(facts: Facts, account: AdAccountFact) -> ManagerAccountId:
    """Who pays when no agency does: whoever signed up the owner, or else the owner."""
    aggregators = [item.aggregator_id for item in facts.aggregations_to.get(account.owner_id, ())]
    return min(aggregators, default=account.owner_id)
