"""Payment instruments, and who is billed for an ad account: the rows behind a billing transition."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from storage.database import Transaction
from storage.entries import PaymentInstrumentEntry
from storage.models import AdAccount, PaymentInstrument
from storage.records.ids import AdAccountId, ManagerAccountId
from storage.statements import Statement, is_in
from storage.writes import Stamp

_PAYERS = Statement(
    PaymentInstrument.select(PaymentInstrument.manager_account)
    .where(is_in(PaymentInstrument.manager_account, "ids") & PaymentInstrument.is_valid)
    .distinct()
)


def read_who_can_pay(tx: Transaction, ids: Collection[ManagerAccountId]) -> frozenset[ManagerAccountId]:
    """Those of these manager accounts that have a valid payment instrument. Cost: one SELECT."""
    return frozenset(ManagerAccountId(id_) for (id_,) in tx.fetch(_PAYERS, ids=ids)) if ids else frozenset()


def write_payment_instruments(tx: Transaction, entries: Iterable[PaymentInstrumentEntry]) -> None:
    """New payment instruments. They carry no mark of their own, and no history."""
    tx.insert(PaymentInstrument, PaymentInstrumentEntry._fields, entries)


def write_bill_to(tx: Transaction, stamp: Stamp, account: AdAccountId, payer: ManagerAccountId) -> None:
    """Let another manager account be billed for an ad account."""
    values = {
        AdAccount.bill_to_manager_account: payer,
        AdAccount.last_modified_by_user_id: stamp.actor_user_id,
        AdAccount.last_modified_at_ms: stamp.at_ms,
        AdAccount.time_stamp: stamp.id,
    }
    tx.run(AdAccount.update(values).where(AdAccount.id == account))
