"""A world as rows: written through `storage.writes`, read back through `storage.reads`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from storage import writes
from storage.database import Database, Transaction
from storage.entries import (
    AdAccountEntry,
    AggregationEntry,
    AssignmentEntry,
    ClientLinkEntry,
    LoginEntry,
    ManagerAccountEntry,
    UserEntry,
)
from storage.reads import facts as reads
from storage.records import ids, values
from storage.records.facts import Facts
from tests.databases import Databases
from tests.oracle import World
from tests.worlds import to_scope

LONG_AGO_MS = 1_600_000_000_000
PAUSED_BY_SYSTEM = 2


@contextmanager
def stored(world: World, databases: Databases, template: str) -> Iterator[Database]:
    """A database of its own that holds the world and nothing else."""
    url = databases.copy_of(template)
    database = Database.open(url)
    try:
        with database.write() as transaction:
            write_world(transaction, world)
        yield database
    finally:
        database.close()
        databases.drop(url)


def write_world(transaction: Transaction, world: World) -> None:
    """All facts of the world in one revision, under the ids they have there.

    Raises: ConstraintBroken when the world holds what the database may not hold.
    """
    stamp = writes.begin_revision(transaction, operation="storeWorld", at_ms=LONG_AGO_MS)
    writes.write_manager_accounts(transaction, stamp, _manager_accounts(world))
    writes.write_logins(transaction, stamp, _logins(world))
    writes.write_users(transaction, stamp, _users(world))
    writes.write_ad_accounts(transaction, stamp, _ad_accounts(world))
    writes.write_assignments(transaction, stamp, _assignments(world))
    writes.write_client_links(transaction, stamp, _client_links(world))
    writes.write_aggregations(transaction, stamp, _aggregations(world))
    writes.continue_ids_after_given_ones(transaction)


def _manager_accounts(world: World) -> list[ManagerAccountEntry]:
    return [
        ManagerAccountEntry(
            ids.ManagerAccountId(item.id), f"C{item.id}", item.name, status=values.ManagerAccountStatus(item.status)
        )
        for item in world.manager_accounts
    ]


def _logins(world: World) -> list[LoginEntry]:
    # A merged login names the one it lives on in, which must be there first.
    ordered = sorted(world.logins, key=lambda item: item.merged_into is not None)
    return [
        LoginEntry(ids.LoginId(item.id), item.user_name)
        if item.merged_into is None
        else LoginEntry(ids.LoginId(item.id), item.user_name, values.LoginStatus.MERGED, ids.LoginId(item.merged_into))
        for item in ordered
    ]


def _users(world: World) -> list[UserEntry]:
    return [
        UserEntry(
            ids.UserId(item.id),
            ids.LoginId(item.login),
            ids.ManagerAccountId(item.manager_account),
            item.is_original,
            status=values.UserStatus(item.status),
        )
        for item in world.users
    ]


def _ad_accounts(world: World) -> list[AdAccountEntry]:
    return [
        AdAccountEntry(
            ids.AdAccountId(item.id),
            f"X{item.id}",
            item.name,
            ids.ManagerAccountId(item.owner),
            status=values.AdAccountStatus(item.status),
            pause_reason=PAUSED_BY_SYSTEM if item.status == "PAUSE" else None,
        )
        for item in world.ad_accounts
    ]


def _assignments(world: World) -> list[AssignmentEntry]:
    return [
        AssignmentEntry(
            ids.AssignmentId(item.id),
            ids.UserId(item.user),
            ids.ManagerAccountId(item.manager_account),
            values.Role(item.role),
            to_scope(item),
        )
        for item in world.assignments
    ]


def _client_links(world: World) -> list[ClientLinkEntry]:
    customer_links = [
        ClientLinkEntry(
            ids.ClientLinkId(link.id),
            values.LinkType.CUSTOMER_LINK,
            ids.ManagerAccountId(link.managing),
            ids.ManagerAccountId(link.client),
            None,
            values.LinkPermission(link.permission),
            None,
            f"Link {link.id}",
            LONG_AGO_MS,
            values.ClientLinkStatus(link.status),
        )
        for link in world.customer_links
    ]
    account_links = [
        ClientLinkEntry(
            ids.ClientLinkId(link.id),
            values.LinkType.ACCOUNT_LINK,
            ids.ManagerAccountId(link.managing),
            None,
            ids.AdAccountId(link.client),
            None,
            False,
            f"Link {link.id}",
            LONG_AGO_MS,
            values.ClientLinkStatus(link.status),
        )
        for link in world.account_links
    ]
    return customer_links + account_links


def _aggregations(world: World) -> list[AggregationEntry]:
    return [
        AggregationEntry(
            ids.AggregationId(item.id),
            ids.ManagerAccountId(item.aggregator),
            ids.ManagerAccountId(item.manager_account),
        )
        for item in world.aggregations
    ]


def read_whole_world(transaction: Transaction, world: World, *, any_status: bool = True) -> Facts:
    """Every fact of the stored world, through the product's own reads.

    Without `any_status` only what the plain excerpt keeps: links that carry access or are in transition.
    """
    managers = [ids.ManagerAccountId(item.id) for item in world.manager_accounts]
    ads = [ids.AdAccountId(item.id) for item in world.ad_accounts]
    users = [ids.UserId(item.id) for item in world.users]
    return Facts.of(
        users=reads.read_users_of_logins(transaction, [ids.LoginId(item.id) for item in world.logins]),
        assignments=reads.read_assignments_of_users(transaction, users),
        manager_accounts=reads.read_manager_account_facts(transaction, managers),
        ad_accounts=reads.read_ad_account_facts(transaction, ads),
        customer_links=reads.read_customer_links_below(transaction, managers, any_status=any_status),
        account_links=reads.read_account_links_to(transaction, ads, any_status=any_status),
        aggregations=reads.read_aggregations_from(transaction, managers),
    )
