"""Finds entities by their display numbers."""

from __future__ import annotations

from collections.abc import Collection

from storage.database import Transaction
from storage.models import AdAccount, ManagerAccount
from storage.records.ids import AdAccountId, ManagerAccountId
from storage.statements import Statement, is_in

_MANAGER_ACCOUNTS = Statement(
    ManagerAccount.select(ManagerAccount.number, ManagerAccount.id).where(is_in(ManagerAccount.number, "numbers"))
)
_AD_ACCOUNTS = Statement(AdAccount.select(AdAccount.number, AdAccount.id).where(is_in(AdAccount.number, "numbers")))


def read_manager_account_ids(tx: Transaction, numbers: Collection[str]) -> dict[str, ManagerAccountId]:
    """Customer ids by display number; unknown numbers are left out. Cost: one SELECT."""
    return dict(tx.fetch(_MANAGER_ACCOUNTS, numbers=numbers)) if numbers else {}


def read_ad_account_ids(tx: Transaction, numbers: Collection[str]) -> dict[str, AdAccountId]:
    """Account ids by display number; unknown numbers are left out. Cost: one SELECT."""
    return dict(tx.fetch(_AD_ACCOUNTS, numbers=numbers)) if numbers else {}
