"""Writing manager accounts and ad accounts field by field; folded names and marks are kept in step."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from peewee import fn

from storage.database import Transaction
from storage.entries import TaxInformationEntry
from storage.folding import fold
from storage.models import AdAccount, AdAccountTaxInformation, ManagerAccount, PaymentInstrument
from storage.records.ids import AdAccountId, ManagerAccountId
from storage.records.values import AdAccountStatus, PaymentMethodType
from storage.statements import Param, Statement, is_in
from storage.writes import Stamp, reserve_ids, write_tax_information

_MANAGER_ACCOUNT_FIELDS = {
    "name": ManagerAccount.name,
    "industry": ManagerAccount.industry,
    "address_id": ManagerAccount.address,
}
_AD_ACCOUNT_FIELDS = {
    "name": AdAccount.name,
    "time_zone": AdAccount.time_zone,
    "language": AdAccount.language,
    "auto_tag_type": AdAccount.auto_tag_type,
    "business_address_id": AdAccount.business_address,
    "primary_user_id": AdAccount.primary_user,
    "payment_method_id": AdAccount.payment_method_id,
    "payment_method_type": AdAccount.payment_method_type,
    "backup_payment_instrument_id": AdAccount.backup_payment_instrument_id,
    "sold_to_payment_instrument_id": AdAccount.sold_to_payment_instrument_id,
    "billing_threshold_micros": AdAccount.billing_threshold_micros,
}


class InstrumentRow(NamedTuple):
    """What a manager account pays with."""

    instrument_id: int
    manager_account_id: ManagerAccountId
    type: PaymentMethodType
    is_valid: bool


_INSTRUMENTS = Statement(
    PaymentInstrument.select(
        PaymentInstrument.id, PaymentInstrument.manager_account, PaymentInstrument.type, PaymentInstrument.is_valid
    ).where(is_in(PaymentInstrument.id, "ids")),
    InstrumentRow,
)
_NAMED = Statement(
    AdAccount.select(AdAccount.id).where(
        (AdAccount.manager_account == Param("owner")) & (AdAccount.name == Param("name"))
    )
)
_DRAFT = Statement(
    AdAccount.select(fn.MIN(AdAccount.id)).where(
        (AdAccount.manager_account == Param("owner")) & (AdAccount.status == AdAccountStatus.DRAFT)
    )
)


def read_payment_instruments(tx: Transaction, ids: Collection[int]) -> dict[int, InstrumentRow]:
    """Payment instruments by id; unknown ids are left out. Cost: one SELECT."""
    return {row.instrument_id: row for row in tx.fetch(_INSTRUMENTS, ids=ids)} if ids else {}


def read_ad_account_named(tx: Transaction, owner: ManagerAccountId, name: str) -> AdAccountId | None:
    """The ad account of an owner with exactly this name. Cost: one SELECT."""
    found = tx.fetch(_NAMED, owner=owner, name=name)
    return AdAccountId(found[0][0]) if found else None


def read_draft_of(tx: Transaction, owner: ManagerAccountId) -> AdAccountId | None:
    """An ad account of the owner that is still a draft. Cost: one SELECT over the owner's accounts."""
    [(found,)] = tx.fetch(_DRAFT, owner=owner)
    return None if found is None else AdAccountId(found)


def new_manager_account_id(tx: Transaction) -> ManagerAccountId:
    """An id for a new manager account. Call it after `begin_revision`."""
    return ManagerAccountId(reserve_ids(tx, ManagerAccount, 1)[0])


def new_ad_account_id(tx: Transaction) -> AdAccountId:
    """An id for a new ad account. Call it after `begin_revision`."""
    return AdAccountId(reserve_ids(tx, AdAccount, 1)[0])


def _write_fields(
    tx: Transaction, stamp: Stamp, table: Any, fields: Mapping[str, Any], id_: int, values: Mapping[str, Any]
) -> None:
    columns: dict[Any, Any] = {fields[name]: value for name, value in values.items()}
    if "name" in values:
        columns[table.name_folded] = fold(values["name"])
    columns |= {
        table.last_modified_by_user_id: stamp.actor_user_id,
        table.last_modified_at_ms: stamp.at_ms,
        table.time_stamp: stamp.id,
    }
    tx.run(table.update(columns).where(table.id == id_))


def write_manager_account_fields(
    tx: Transaction, stamp: Stamp, id_: ManagerAccountId, values: Mapping[str, Any]
) -> None:
    """Give a manager account these values, named as in `ManagerAccountEntry`."""
    _write_fields(tx, stamp, ManagerAccount, _MANAGER_ACCOUNT_FIELDS, id_, values)


def write_ad_account_fields(tx: Transaction, stamp: Stamp, id_: AdAccountId, values: Mapping[str, Any]) -> None:
    """Give an ad account these values, named as in `AdAccountEntry`; none to mark it as written only.

    Raises: ConstraintBroken when its owner has another one of this name.
    """
    _write_fields(tx, stamp, AdAccount, _AD_ACCOUNT_FIELDS, id_, values)


def write_tax_ids(tx: Transaction, id_: AdAccountId, values: Mapping[str, str]) -> None:
    """Give an ad account these tax ids; an empty value removes its key, and keys not named stay."""
    table = AdAccountTaxInformation
    tx.run(table.delete().where((table.ad_account == id_) & table.key.in_(list(values))))
    write_tax_information(tx, [TaxInformationEntry(id_, key, value) for key, value in values.items() if value])
