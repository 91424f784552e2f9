"""Every role over every kind of way, for each mutation of accounts: allowed exactly where the table says so."""

from __future__ import annotations

from typing import Any

import pytest

from storage.database import Database
from tests.builders import a_link, a_role, a_user, a_world, an_account_link, an_ad
from tests.databases import Databases
from tests.oracle import AD, MANAGER, Oracle, Target, World
from tests.schema.test_dry_run_effects import time_stamp_of
from tests.schema.write_client import Writer
from tests.stored_worlds import stored

OWNER, ABOVE, ACCOUNT, ACTOR, CONTACT = 2, 1, 20, 1, 2
ROLES = ("VIEWER", "CAMPAIGN_MANAGER", "STANDARD", "SUPER_ADMIN", "AGGREGATOR")
WAYS = ("direct", "ADMINISTRATIVE", "STANDARD", "account link", "none")
ADDRESS = {"businessName": "Adventure", "line1": "1 Example Way", "city": "Redmond", "countryCode": "US"}
NEEDS = {
    "addAdAccount": ("ADD_AD_ACCOUNT", MANAGER, OWNER),
    "updateAdAccount": ("UPDATE_AD_ACCOUNT", AD, ACCOUNT),
    "deleteAdAccount": ("DELETE_AD_ACCOUNT", AD, ACCOUNT),
    "updateManagerAccount": ("UPDATE_MANAGER_ACCOUNT", MANAGER, OWNER),
    "deleteManagerAccount": (None, MANAGER, OWNER),
}
"""What each mutation needs, and on what; nobody holds what the last one would need."""


def world_of(role: str, way: str) -> World:
    """The actor holds a role at the end of one way; somebody else is the owner's Super Admin."""
    at = OWNER if way == "direct" else ABOVE
    ways: dict[str, list[Any]] = {
        "ADMINISTRATIVE": [a_link(ABOVE, OWNER)],
        "STANDARD": [a_link(ABOVE, OWNER, "STANDARD")],
        "account link": [an_account_link(ABOVE, ACCOUNT)],
    }
    return a_world(
        a_user(ACTOR, of=at, login=ACTOR),
        a_user(CONTACT, of=OWNER, login=CONTACT),
        a_role(role, at=at, user=ACTOR, id=1),
        a_role("SUPER_ADMIN", at=OWNER, user=CONTACT, id=2),
        an_ad(ACCOUNT, owner=OWNER),
        *ways.get(way, []),
    )


def given(database: Database, mutation: str) -> dict[str, Any]:
    if mutation == "addAdAccount":
        new = {"parentCustomerId": str(OWNER), "name": "New one", "currencyCode": "USD", "businessAddress": ADDRESS}
        return {**new, "primaryUserId": str(CONTACT)}
    if mutation.endswith("ManagerAccount"):
        key = {"customerId": str(OWNER), "timeStamp": time_stamp_of(database, "manager_account", OWNER)}
        return key if mutation.startswith("delete") else {**key, "name": "Renamed", "industry": "RETAIL"}
    key = {"accountId": str(ACCOUNT), "timeStamp": time_stamp_of(database, "ad_account", ACCOUNT)}
    return key if mutation.startswith("delete") else {**key, "name": "Renamed", "autoTagType": "REPLACE"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("mutation", sorted(NEEDS))
def test_each_cell_of_the_matrix(databases: Databases, migrated_url: str, mutation: str, role: str, way: str) -> None:
    world = world_of(role, way)
    capability, kind, key = NEEDS[mutation]
    held = Oracle(world).effective(ACTOR, Target(kind, key)).allowed
    with stored(world, databases, migrated_url) as database:
        writer = Writer(database, ACTOR)
        request = given(database, mutation)
        if capability in held:
            writer.done(mutation, request)
        elif mutation == "updateAdAccount" and "SET_AUTO_TAG" in held:
            account = writer.done(mutation, request, "adAccount { name autoTagType }")["adAccount"]
            assert account == {"name": f"Ad {ACCOUNT}", "autoTagType": "REPLACE"}
        else:
            error = writer.refused(mutation, request)
            assert error["number"] == (106 if "VIEW" in held else 210)
