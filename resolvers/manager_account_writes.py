"""Changing manager accounts; nobody deletes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resolvers.account_parts import address_of, refuse_all, write_address
from resolvers.rules.account_fields import DELETE_MANAGER_ACCOUNT_RULE, problems_of_manager_account
from resolvers.rules.addresses import AddressFields, problems_of_fields, problems_of_place
from resolvers.rules.capabilities import Capability
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import WriteSession, not_there, refused, require_time_stamp
from storage.account_writes import write_manager_account_fields
from storage.reads.entities import read_addresses, read_manager_accounts
from storage.records.ids import ManagerAccountId
from storage.records.values import Industry

KIND = "ManagerAccount"


@dataclass(frozen=True, slots=True)
class ManagerAccountChange:
    """What a manager account is to become; without an address it keeps its own."""

    customer_id: ManagerAccountId
    time_stamp: str
    name: str
    industry: Industry
    address: AddressFields | None


def update_manager_account(session: WriteSession, change: ManagerAccountChange) -> Mapping[str, Any]:
    """Change a manager account (UpdateCustomer). Raises: Refused."""
    tx, key = session.transaction, change.customer_id
    session.know_manager_accounts([key])
    session.require(Capability.UPDATE_MANAGER_ACCOUNT, key, "customerId")
    row = read_manager_accounts(tx, [key])[key]
    require_time_stamp(change.time_stamp, row.time_stamp, "timeStamp")
    problems = problems_of_manager_account(change.name, change.industry)
    if change.address is not None:
        problems += problems_of_fields(change.address, "address") + problems_of_place(change.address, "address")
    refuse_all(problems)
    before: dict[str, Any] = {"name": row.name, "industry": row.industry}
    after: dict[str, Any] = {"name": change.name, "industry": change.industry}
    values = dict(after)
    stored = read_addresses(tx, [row.address_id]).get(row.address_id) if row.address_id is not None else None
    if change.address is not None and change.address != address_of(stored):
        was = address_of(stored)
        before["address"] = None if was is None else was._asdict()
        after["address"] = change.address._asdict()
        values["address_id"] = write_address(session, stored, change.address)
    write_manager_account_fields(tx, session.stamp, key, values)
    session.note(KIND, key, before, after)
    return {"customer_id": key}


def delete_manager_account(session: WriteSession, key: ManagerAccountId) -> Mapping[str, Any]:
    """Always refuses (rule C19). Raises: Refused."""
    session.know_manager_accounts([key])
    if not session.reach.on_manager_account(key).allow(Capability.VIEW):
        raise not_there("customerId")
    raise refused(
        WriteCode.FORBIDDEN,
        f"Nobody may delete a manager account, whatever his roles: {key} stays. Unlink what should no longer reach it,"
        " and delete its ad accounts.",
        "customerId",
        rule=DELETE_MANAGER_ACCOUNT_RULE,
    )
