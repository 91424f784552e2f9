"""moveClientLink: another manager at once, or nothing at all."""

from __future__ import annotations

from typing import Any

import pytest

from resolvers.rules.capabilities import (
    BIT,
    ON_AD_ACCOUNT,
    ROLE_CAPABILITIES,
    SURVIVES_ACCOUNT_LINK,
    SURVIVES_CUSTOMER_LINK,
    Capability,
)
from storage.audit import read_audit_entries
from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.entries import ClientLinkEntry
from storage.records.ids import ClientLinkId, ManagerAccountId
from storage.records.values import ClientLinkStatus, LinkPermission, PaymentMethodType, Role
from tests.link_world import DAY_MS, SENT_MS, a_link, accounts_of, bill_to, build_link_world, trace
from tests.schema.write_client import Writer, dump

ACTIVE = ClientLinkStatus.ACTIVE
NOW = SENT_MS + DAY_MS
[ACCOUNT, _] = accounts_of(2)
LINK = "{ id status customerLinkPermission isBillToClient name note managingCustomerId transitions { to note } }"
MOVED = f"link {LINK} previousLink {LINK}"


def writer(database: Database, *links: ClientLinkEntry, **world: Any) -> Writer:
    """The one who may do everything, in a world with these links."""
    build_link_world(database, links=links, **world)
    return Writer(database, 1, NOW)


def move(link: int, to: int, time_stamp: str = "1", **also: Any) -> dict[str, Any]:
    return {"linkId": str(link), "timeStamp": time_stamp, "toManagingCustomerId": str(to), **also}


def restrict(database: Database, manager: int) -> None:
    """The login's user in one manager account is a viewer from now on."""
    with database.write() as tx:
        tx.execute(f"UPDATE assignment SET role = 'VIEWER' WHERE id = {manager}")


def links_of(database: Database) -> list[tuple[Any, ...]]:
    with database.read() as tx:
        return [
            tuple(row) for row in tx.execute("SELECT id, managing_id, status FROM client_link ORDER BY id").fetchall()
        ]


def newest(database: Database) -> int:
    return int(links_of(database)[-1][0])


def test_a_customer_link_ends_and_a_new_one_of_the_same_permission_is_active_in_one_revision(
    database: Database,
) -> None:
    asks = writer(database, a_link(1, 1, 2, ACTIVE, permission=LinkPermission.STANDARD, note="Kept."))
    payload = asks.done("moveClientLink", move(1, 3, reason="New desk"), MOVED)
    new, old = payload["link"], payload["previousLink"]
    assert (old["status"], new["status"], new["customerLinkPermission"]) == ("INACTIVE", "ACTIVE", "STANDARD")
    assert (new["managingCustomerId"], new["name"], new["note"]) == ("3", "Link 1", "Kept.")
    assert [each["to"] for each in new["transitions"]] == ["ACTIVE"]
    assert old["transitions"][-1] == {"to": "INACTIVE", "note": "Moved to another manager account."}
    key = newest(database)
    with database.read() as tx:
        assert read_inconsistencies(tx) == []
        entries = read_audit_entries(tx, "ClientLink", [1, key])
    told = [entry for found in entries.values() for entry in found]
    assert {(str(entry.revision), entry.operation, entry.reason) for entry in told} == {
        (payload["revision"], "moveClientLink", "New desk")
    }
    assert len(told) == 2


@pytest.mark.parametrize(("client_pays", "payer"), [(False, 3), (True, 2)])
def test_who_is_billed_moves_along_exactly_when_the_agency_is(
    database: Database, client_pays: bool, payer: int
) -> None:
    billed = {} if client_pays else {"bill_to_manager_account_id": ManagerAccountId(1)}
    asks = writer(database, a_link(1, 1, ACCOUNT, ACTIVE, client_pays=client_pays), accounts=billed)
    new = asks.done("moveClientLink", move(1, 3), MOVED)["link"]
    assert (new["isBillToClient"], new["managingCustomerId"]) == (client_pays, "3")
    assert bill_to(database, ACCOUNT) == payer


def test_a_dry_run_shows_the_links_and_who_gains_and_loses_and_leaves_no_trace(database: Database) -> None:
    asks = writer(database, a_link(1, 1, ACCOUNT, ACTIVE, client_pays=True))
    with database.write() as tx:
        tx.execute("DELETE FROM assignment WHERE id NOT IN (1, 3)")
    before = dump(database)
    effects = "effects { hiddenCount nodes { user { customerId } target { __typename } gained lost } }"
    payload = asks.done("moveClientLink", move(1, 3, dryRun=True), f"{MOVED} {effects}")
    assert payload["revision"] is None
    assert (payload["link"]["status"], payload["previousLink"]["status"]) == ("ACTIVE", "INACTIVE")
    # User 1 began the login, stands for all of it, and so loses nothing.
    [effect] = payload["effects"]["nodes"]
    assert (effect["user"]["customerId"], effect["target"]["__typename"], effect["lost"]) == ("3", "AdAccount", [])
    assert "MANAGE_CAMPAIGNS" in effect["gained"]
    assert dump(database) == before


def test_a_repeated_request_moves_once(database: Database) -> None:
    asks = writer(database, a_link(1, 1, 2, ACTIVE))
    first = asks.done("moveClientLink", move(1, 3, requestId="once"), MOVED)
    after = dump(database)
    assert asks.done("moveClientLink", move(1, 3, requestId="once"), MOVED) == first
    assert dump(database) == after


def test_a_pair_with_a_past_goes_on_from_its_last_generation(database: Database) -> None:
    past = a_link(1, 3, 2, ClientLinkStatus.LINK_DECLINED)
    asks = writer(database, past, a_link(2, 1, 2, ACTIVE))
    asks.done("moveClientLink", move(2, 3))
    key = newest(database)
    with database.read() as tx:
        assert read_inconsistencies(tx) == []
        [(previous,)] = tx.execute(f"SELECT previous_id FROM client_link WHERE id = {key}").fetchall()
    assert previous == 1


def test_a_link_moved_there_and_back_is_three_generations(database: Database) -> None:
    asks = writer(database, a_link(1, 1, 2, ACTIVE))
    there = asks.done("moveClientLink", move(1, 3), "link { timeStamp }")["link"]
    asks.done("moveClientLink", move(2, 1, there["timeStamp"]))
    assert links_of(database) == [(1, 1, "INACTIVE"), (2, 3, "INACTIVE"), (3, 1, "ACTIVE")]


@pytest.mark.parametrize("status", [one for one in ClientLinkStatus if one != ACTIVE])
def test_only_an_active_link_can_be_moved(database: Database, status: ClientLinkStatus) -> None:
    asks = writer(database, a_link(1, 1, 2, status))
    error = asks.refused("moveClientLink", move(1, 3))
    assert (error["code"], error["number"]) == ("INVALID_STATUS", 480)


@pytest.mark.parametrize("manager", [1, 3])
def test_both_managing_sides_must_let_one_manage_links(database: Database, manager: int) -> None:
    asks = writer(database, a_link(1, 1, 2, ACTIVE))
    restrict(database, manager)
    error = asks.refused("moveClientLink", move(1, 3))
    assert error["number"] == 106
    assert f"manager account {manager}" in error["message"]


@pytest.mark.parametrize("new", ["SUPER_ADMIN", "STANDARD"])
def test_nobody_moves_a_client_to_where_somebody_may_do_more_than_he(database: Database, new: str) -> None:
    asks = writer(database, a_link(1, 1, ACCOUNT, ACTIVE, client_pays=True))
    with database.write() as tx:
        tx.execute("DELETE FROM assignment WHERE id NOT IN (1, 3)")
        tx.execute("UPDATE assignment SET role = 'STANDARD' WHERE id = 1")
        tx.execute(f"UPDATE assignment SET role = '{new}' WHERE id = 3")
    error = asks.refused("moveClientLink", move(1, 3))
    assert (error["code"], error["number"], error["field"]) == ("MOVE_WOULD_WIDEN", 106, ["toManagingCustomerId"])
    assert (error["rule"], "TAKE_OVER_BILLING on it" in error["message"]) == ("C8", True)


def test_a_super_admin_of_the_old_side_moves_a_client_to_where_he_may_do_less(database: Database) -> None:
    asks = writer(database, a_link(1, 1, ACCOUNT, ACTIVE, client_pays=True))
    with database.write() as tx:
        tx.execute("DELETE FROM assignment WHERE id NOT IN (1, 3)")
        tx.execute("UPDATE assignment SET role = 'STANDARD' WHERE id = 3")
    asks.done("moveClientLink", move(1, 3))


def test_who_may_answer_for_the_client_may_move_him_to_where_more_can_be_done(database: Database) -> None:
    asks = writer(database, a_link(1, 1, ACCOUNT, ACTIVE, client_pays=True))
    with database.write() as tx:
        tx.execute("DELETE FROM assignment WHERE id NOT IN (1, 2, 3)")
        tx.execute("UPDATE assignment SET role = 'STANDARD' WHERE id IN (1, 2)")
    asks.done("moveClientLink", move(1, 3))


def test_a_target_that_is_hidden_is_like_one_that_does_not_exist(database: Database) -> None:
    asks = writer(database, a_link(1, 1, 2, ACTIVE))
    with database.write() as tx:
        tx.execute("DELETE FROM assignment WHERE id = 3")
    hidden, missing = (asks.refused("moveClientLink", move(1, to)) for to in (3, 777))
    assert hidden == missing
    assert (hidden["number"], hidden["field"]) == (210, ["toManagingCustomerId"])


CHAIN = [a_link(2, 4, 5, ACTIVE), a_link(3, 5, 6, ACTIVE), a_link(4, 6, 7, ACTIVE), a_link(5, 2, 3, ACTIVE)]


@pytest.mark.parametrize(
    ("link", "to", "code", "said"),
    [
        pytest.param(a_link(1, 1, 2, ACTIVE), 1, "ALREADY_LINKED", "already", id="where it is"),
        pytest.param(a_link(1, 1, 2, ACTIVE), 2, "HIERARCHY_NOT_ALLOWED", "itself", id="to the client itself"),
        pytest.param(a_link(1, 1, 2, ACTIVE), 3, "HIERARCHY_NOT_ALLOWED", "3 → 2 → 3", id="below the client"),
        pytest.param(a_link(1, 1, 2, ACTIVE), 7, "HIERARCHY_NOT_ALLOWED", "6 levels", id="too deep"),
        pytest.param(a_link(1, 1, ACCOUNT, ACTIVE, client_pays=True), 2, "ALREADY_OWNED", "owns", id="to the owner"),
    ],
)
def test_what_may_not_be_linked_cannot_be_moved_there(
    database: Database, link: ClientLinkEntry, to: int, code: str, said: str
) -> None:
    asks = writer(database, link, *CHAIN)
    error = asks.refused("moveClientLink", move(1, to))
    assert (error["code"], error["field"]) == (code, ["toManagingCustomerId"])
    assert said in error["message"]


def test_a_pair_that_has_a_link_cannot_get_another_by_moving(database: Database) -> None:
    asks = writer(database, a_link(1, 1, 2, ACTIVE), a_link(2, 3, 2, ClientLinkStatus.LINK_PENDING))
    assert asks.refused("moveClientLink", move(1, 3))["number"] == 1410


def test_a_pending_link_whose_days_are_over_is_no_hindrance(database: Database) -> None:
    asks = writer(database, a_link(1, 1, 2, ACTIVE), a_link(2, 3, 2, ClientLinkStatus.LINK_PENDING))
    asks.now_ms = SENT_MS + 31 * DAY_MS
    asks.done("moveClientLink", move(1, 3))
    assert trace(database, 2).statuses == ("LINK_PENDING", "LINK_EXPIRED")


@pytest.mark.parametrize(
    ("world", "other", "number", "said"),
    [
        pytest.param({"broke": [3]}, (), 202, "no valid payment instrument", id="the new payer cannot pay"),
        pytest.param(
            {"accounts": {"payment_method_type": PaymentMethodType.VBA}}, (), 1471, "in advance", id="prepaid by now"
        ),
        pytest.param(
            {}, (a_link(2, 4, ACCOUNT, client_pays=True),), 1472, "LINK_IN_PROGRESS", id="another link in transition"
        ),
    ],
)
def test_what_billing_does_not_allow_leaves_the_link_where_it_is(
    database: Database, world: dict[str, Any], other: tuple[ClientLinkEntry, ...], number: int, said: str
) -> None:
    asks = writer(database, a_link(1, 1, ACCOUNT, ACTIVE, client_pays=False), *other, **world)
    error = asks.refused("moveClientLink", move(1, 3))
    assert error["number"] == number
    assert said in error["message"]


def test_a_stale_time_stamp_and_a_long_name_are_refused(database: Database) -> None:
    asks = writer(database, a_link(1, 1, 2, ACTIVE))
    assert asks.refused("moveClientLink", move(1, 3, "0"))["number"] == 209
    assert asks.refused("moveClientLink", move(1, 3, name="n" * 41))["number"] == 211
    assert asks.refused("moveClientLink", move(9, 3))["number"] == 210
    assert links_of(database) == [(ClientLinkId(1), 1, "ACTIVE")]


OVER_LINK: dict[LinkPermission | None, int] = {
    None: ON_AD_ACCOUNT & SURVIVES_ACCOUNT_LINK,
    **{permission: SURVIVES_CUSTOMER_LINK[permission] for permission in LinkPermission},
}


@pytest.mark.parametrize("permission", OVER_LINK)
@pytest.mark.parametrize("old", list(Role))
def test_roles_on_both_sides_decide_by_the_table_of_capabilities(
    database: Database, permission: LinkPermission | None, old: Role
) -> None:
    of_account = permission is None
    link = a_link(1, 1, ACCOUNT, ACTIVE, client_pays=True) if of_account else a_link(1, 1, 2, ACTIVE)
    asks = writer(database, link if of_account else link._replace(permission=permission))
    needed = BIT[Capability.MANAGE_ACCOUNT_LINKS if of_account else Capability.MANAGE_MANAGER_LINKS]
    with database.write() as tx:
        tx.execute("DELETE FROM assignment WHERE id NOT IN (1, 3)")
        tx.execute(f"UPDATE assignment SET role = '{old}' WHERE id = 1")
    held = ROLE_CAPABILITIES[old] & OVER_LINK[permission]
    answers = held & needed
    for new in Role:
        with database.write() as tx:
            tx.execute(f"UPDATE assignment SET role = '{new}' WHERE id = 3")
        manages = ROLE_CAPABILITIES[old] & ROLE_CAPABILITIES[new] & needed
        if manages and (answers or held == OVER_LINK[permission]):
            assert asks.done("moveClientLink", move(1, 3, dryRun=True), "link { status }")["link"]["status"] == "ACTIVE"
        else:
            assert asks.refused("moveClientLink", move(1, 3))["number"] in (106, 210)


DELETED = {"client": ("ad_account", ACCOUNT), "new managing side": ("manager_account", 3)}


@pytest.mark.parametrize("end", DELETED)
def test_no_link_is_moved_to_or_from_what_has_been_deleted(database: Database, end: str) -> None:
    asks = writer(database, a_link(1, 1, ACCOUNT, ACTIVE, client_pays=True))
    table, key = DELETED[end]
    with database.write() as tx:
        tx.execute(f"UPDATE {table} SET status = 'INACTIVE' WHERE id = {key}")
    error = asks.refused("moveClientLink", move(1, 3))
    assert (error["code"], error["number"], error["rule"]) == ("OBJECT_STATE", 202, "P12")


def test_an_inactive_client_manager_account_stays_where_it_is(database: Database) -> None:
    asks = writer(database, a_link(1, 1, 2, ACTIVE))
    with database.write() as tx:
        tx.execute("UPDATE manager_account SET status = 'INACTIVE' WHERE id = 2")
    assert asks.refused("moveClientLink", move(1, 3))["code"] == "OBJECT_STATE"
