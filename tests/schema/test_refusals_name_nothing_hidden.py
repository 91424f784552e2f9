"""A refused write names what the writer named or sees. What else stands in his way is counted, or told in general."""

from __future__ import annotations

from typing import Any

import pytest

from storage.database import Database
from storage.records.values import ClientLinkStatus
from tests.builders import a_link as link
from tests.builders import a_role, a_user, a_world, an_account_link, an_ad
from tests.link_world import SENT_MS, a_link, accounts_of, build_link_world
from tests.schema.write_client import Writer
from tests.stored_worlds import write_world

ACTIVE = ClientLinkStatus.ACTIVE
ACCOUNT = accounts_of(5)[0]
ITEM = "results { userErrors { code message } }"


def only_in(database: Database, *managers: int) -> Writer:
    """The login of the world of links, with roles in these manager accounts alone."""
    with database.write() as tx:
        tx.execute(f"DELETE FROM assignment WHERE id NOT IN ({', '.join(map(str, managers))})")
    return Writer(database, 1, SENT_MS + 1)


def told(writer: Writer, **sent: Any) -> str:
    given = {"links": [{"managingCustomerId": "3", **sent}]}
    [result] = writer.payload("addClientLinks", given, ITEM)["results"]
    [error] = result["userErrors"]
    return str(error["message"])


CHAIN = [a_link(1, 1, 2, ACTIVE), a_link(2, 2, 3, ACTIVE), a_link(3, 4, 5, ACTIVE), a_link(4, 5, 6, ACTIVE)]


@pytest.mark.parametrize(
    ("roles", "way"),
    [
        pytest.param([3], "– → – → 3 → 4 → – → – (a dash is one that is not shown)", id="the ends"),
        pytest.param([2, 3, 5], "– → 2 → 3 → 4 → 5 → 6 (a dash is one that is not shown)", id="and what is seen"),
        pytest.param([1, 3, 4], "1 → 2 → 3 → 4 → 5 → 6", id="and all that is seen"),
    ],
)
def test_of_a_chain_too_long_the_ends_and_what_is_seen_are_named(
    database: Database, roles: list[int], way: str
) -> None:
    build_link_world(database, links=CHAIN)
    message = told(only_in(database, *roles), type="CUSTOMER_LINK", clientEntityId="4")
    assert message.startswith(f"The chain {way} would have 6 levels")


def test_of_a_circle_too(database: Database) -> None:
    build_link_world(database, links=[a_link(1, 5, 4, ACTIVE), a_link(2, 4, 3, ACTIVE)])
    message = told(only_in(database, 3), type="CUSTOMER_LINK", clientEntityId="5")
    assert "3 → 5 → – → 3 (a dash" in message


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ([3], "A link to this ad account is being made or unmade; retry"),
        ([3, 1], "Client link 7 to this ad account is LINK_IN_PROGRESS; retry"),
    ],
)
def test_the_link_that_is_in_the_way_is_named_to_those_who_see_it(
    database: Database, roles: list[int], said: str
) -> None:
    build_link_world(database, links=[a_link(7, 1, ACCOUNT, client_pays=True)])
    assert told(only_in(database, *roles), clientEntityId=str(ACCOUNT), isBillToClient=True).startswith(said)


def test_how_a_foreign_client_pays_is_not_told(database: Database) -> None:
    build_link_world(database)
    writer = only_in(database, 3)
    with database.write() as tx:
        tx.execute("UPDATE ad_account SET payment_method_type = 'VBA'")
    assert "VBA" not in told(writer, clientEntityId=str(ACCOUNT), isBillToClient=True)


def company(*more: Any) -> Any:
    """Super Admin 1 of manager account 1 and his colleague 2, who is the contact of many ad accounts."""
    own = [an_ad(10 + digit, owner=1) for digit in range(3)]
    others = [an_ad(30 + digit, owner=3) for digit in range(2)]
    return a_world(a_user(1), a_role(id=1), a_user(2, login=2), a_role(user=2, id=2), *own, *others, *more)


def test_ad_accounts_that_need_the_user_are_named_as_far_as_they_are_seen(database: Database) -> None:
    with database.write() as tx:
        write_world(tx, company(an_account_link(1, 30)))
        tx.execute("UPDATE ad_account SET primary_user_id = 2 WHERE id IN (10, 30, 31)")
    error = Writer(database).refused("deleteUser", {"userId": "2", "timeStamp": "1-2"})
    assert "ad account 10, 30 and 1 more, and only" in error["message"]


def test_ad_accounts_of_which_none_is_seen_are_counted(database: Database) -> None:
    with database.write() as tx:
        write_world(tx, company())
        tx.execute("UPDATE ad_account SET primary_user_id = 2 WHERE id IN (30, 31)")
    error = Writer(database).refused("deleteUser", {"userId": "2", "timeStamp": "1-2"})
    assert "ad account 2 that you may not see, and only" in error["message"]


def test_a_hidden_manager_account_that_would_lose_its_last_super_admin_is_not_named(database: Database) -> None:
    with database.write() as tx:
        write_world(tx, company(a_role(at=3, user=2, id=3)))
    error = Writer(database).refused("deleteUser", {"userId": "2", "timeStamp": "1-2"})
    assert error["message"].startswith("User 2 is the last Super Admin of a manager account you may not see.")


def test_whoever_sees_a_link_from_one_side_is_told_that_the_other_side_acts(database: Database) -> None:
    with database.write() as tx:
        write_world(tx, company(link(3, 1, id=9, status="LINK_PENDING")))
    change = {"linkId": "9", "timeStamp": "1", "action": "CANCEL"}
    [result] = Writer(database).payload("updateClientLinks", {"links": [change]}, ITEM)["results"]
    [error] = result["userErrors"]
    assert error["code"] == "FORBIDDEN"
    assert error["message"].startswith("This is for the managing side of client link 9")
