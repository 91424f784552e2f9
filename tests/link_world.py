"""A world for everything about links: manager accounts in a row, one login that is Super Admin in all of them.

Every manager account owns two ad accounts and can pay, unless it is said to be broke.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from storage.billing import write_payment_instruments
from storage.database import Database
from storage.entries import (
    AdAccountEntry,
    AssignmentEntry,
    ClientLinkEntry,
    LoginEntry,
    ManagerAccountEntry,
    PaymentInstrumentEntry,
    UserEntry,
)
from storage.records.ids import (
    AdAccountId,
    AssignmentId,
    ClientLinkId,
    LoginId,
    ManagerAccountId,
    PaymentInstrumentId,
    UserId,
)
from storage.records.values import ClientLinkStatus, LinkPermission, LinkType, Role
from storage.writes import (
    begin_revision,
    continue_ids_after_given_ones,
    write_ad_accounts,
    write_assignments,
    write_client_links,
    write_logins,
    write_manager_accounts,
    write_users,
)

SENT_MS = 1_700_000_000_000
DAY_MS = 86_400_000
LOGIN = LoginId(1)
USER_NAME = "everywhere@adventure.example"


def accounts_of(manager: int) -> tuple[AdAccountId, AdAccountId]:
    """The ad accounts a manager account owns."""
    return AdAccountId(manager * 100 + 1), AdAccountId(manager * 100 + 2)


def build_link_world(
    database: Database,
    *,
    managers: int = 8,
    broke: Collection[int] = (),
    accounts: dict[str, Any] | None = None,
    links: Collection[ClientLinkEntry] = (),
) -> None:
    """Write it all in one revision, at `SENT_MS`; `accounts` are changes to every ad account."""
    keys = [ManagerAccountId(id_) for id_ in range(1, managers + 1)]
    with database.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=SENT_MS)
        write_manager_accounts(tx, stamp, [ManagerAccountEntry(id_, f"C{id_}", f"Manager {id_}") for id_ in keys])
        instruments = (
            PaymentInstrumentEntry(PaymentInstrumentId(int(id_)), id_, is_valid=id_ not in broke) for id_ in keys
        )
        write_payment_instruments(tx, instruments)
        write_logins(tx, stamp, [LoginEntry(LOGIN, USER_NAME)])
        write_users(tx, stamp, [UserEntry(UserId(int(id_)), LOGIN, id_, is_original=id_ == 1) for id_ in keys])
        roles = [AssignmentEntry(AssignmentId(int(id_)), UserId(int(id_)), id_, Role.SUPER_ADMIN) for id_ in keys]
        write_assignments(tx, stamp, roles)
        owned = [
            AdAccountEntry(key, f"X{key}", f"Account {key}", id_, bill_to_manager_account_id=id_)
            for id_ in keys
            for key in accounts_of(id_)
        ]
        write_ad_accounts(tx, stamp, [one._replace(**(accounts or {})) for one in owned])
        write_client_links(tx, stamp, list(links))
        continue_ids_after_given_ones(tx)


def a_link(
    id_: int,
    managing: int,
    client: int,
    status: ClientLinkStatus = ClientLinkStatus.LINK_IN_PROGRESS,
    *,
    client_pays: bool | None = None,
    **changes: Any,
) -> ClientLinkEntry:
    """A customer link, or an account link when it is said who pays."""
    of_account = client_pays is not None
    entry = ClientLinkEntry(
        ClientLinkId(id_),
        LinkType.ACCOUNT_LINK if of_account else LinkType.CUSTOMER_LINK,
        ManagerAccountId(managing),
        None if of_account else ManagerAccountId(client),
        AdAccountId(client) if of_account else None,
        None if of_account else LinkPermission.ADMINISTRATIVE,
        client_pays,
        name=f"Link {id_}",
        start_at_ms=SENT_MS,
        status=status,
    )
    return entry._replace(**changes)


class Trace(NamedTuple):
    """What is stored about one link: its status, the statuses it took, why, and what the audit log says was done."""

    status: str
    statuses: tuple[str, ...]
    notes: tuple[str | None, ...]
    operations: tuple[str, ...]


def trace(database: Database, link: int) -> Trace:
    """The stored life of a link."""
    with database.read() as tx:
        place = "?" if tx.kind == "sqlite" else "%s"
        [(status,)] = tx.execute(f"SELECT status FROM client_link WHERE id = {place}", (link,)).fetchall()
        periods = tx.execute(
            f"SELECT status, note FROM client_link_period WHERE client_link_id = {place} ORDER BY id", (link,)
        ).fetchall()
        audit = tx.execute(
            f"SELECT operation FROM audit_entry WHERE entity_kind = 'ClientLink' AND entity_id = {place} ORDER BY id",
            (link,),
        ).fetchall()
    return Trace(
        status, tuple(row[0] for row in periods), tuple(row[1] for row in periods), tuple(row[0] for row in audit)
    )


def bill_to(database: Database, account: int) -> int:
    """Who is billed for an ad account."""
    with database.read() as tx:
        place = "?" if tx.kind == "sqlite" else "%s"
        [(payer,)] = tx.execute(
            f"SELECT bill_to_manager_account_id FROM ad_account WHERE id = {place}", (account,)
        ).fetchall()
    return int(payer)
