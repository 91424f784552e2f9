"""The oracle against truth worked out by hand, so that it may judge the product."""

from __future__ import annotations

import pytest

from tests.builders import (
    a_chain,
    a_link,
    a_login,
    a_manager,
    a_role,
    a_user,
    a_world,
    an_account_link,
    an_ad,
    an_aggregation,
    the_worked_example,
)
from tests.oracle import AD, MANAGER, ROLES, STATUSES, Answer, Oracle, RoleRow, Target, World

READS = {"VIEW", "VIEW_PAYMENT_METHODS"}
CAMPAIGNS = {"MANAGE_CAMPAIGNS", "SET_AUTO_TAG"}
ACCOUNT_WORK = {"UPDATE_AD_ACCOUNT", "MANAGE_INSERTION_ORDERS"}
ACCOUNT_LINKS = {"VIEW_ACCOUNT_LINKS", "MANAGE_ACCOUNT_LINKS"}
NEVER_THROUGH_STANDARD = {
    "MANAGE_PAYMENT_METHODS",
    "UPDATE_MANAGER_ACCOUNT",
    "VIEW_MANAGER_LINKS",
    "MANAGE_MANAGER_LINKS",
    "MANAGE_USERS",
    "MANAGE_SUPER_ADMINS",
    "SIGN_UP_CUSTOMER",
}

ON_AD_ACCOUNT = {
    "VIEWER": READS,
    "CAMPAIGN_MANAGER": READS | CAMPAIGNS,
    "STANDARD": READS | CAMPAIGNS | ACCOUNT_WORK | ACCOUNT_LINKS,
    "SUPER_ADMIN": READS
    | CAMPAIGNS
    | ACCOUNT_WORK
    | ACCOUNT_LINKS
    | {"MANAGE_PAYMENT_METHODS", "TAKE_OVER_BILLING", "DELETE_AD_ACCOUNT"},
}
ON_AD_ACCOUNT["AGGREGATOR"] = ON_AD_ACCOUNT["SUPER_ADMIN"]
ON_MANAGER_ACCOUNT = {
    "VIEWER": READS,
    "CAMPAIGN_MANAGER": READS,
    "STANDARD": READS | ACCOUNT_LINKS | {"MANAGE_USERS"},
    "SUPER_ADMIN": READS
    | ACCOUNT_LINKS
    | {"TAKE_OVER_BILLING", "ADD_AD_ACCOUNT"}
    | (NEVER_THROUGH_STANDARD - {"SIGN_UP_CUSTOMER"}),
}
ON_MANAGER_ACCOUNT["AGGREGATOR"] = ON_MANAGER_ACCOUNT["SUPER_ADMIN"] | {"SIGN_UP_CUSTOMER"}


def manager(id: int) -> Target:
    return Target(MANAGER, id)


def ad(id: int) -> Target:
    return Target(AD, id)


def allowed(world: World, target: Target, *, user: int = 1, context: int | None = None) -> set[str]:
    return set(Oracle(world).effective(user, target, context).allowed)


# --- the worked example ----------------------------------------------------------------------------------


def test_worked_example_customer_roles() -> None:
    assert Oracle(the_worked_example()).customer_roles(1) == {
        RoleRow("SUPER_ADMIN", 999, None, None, frozenset()),
        RoleRow("SUPER_ADMIN", 111, None, None, frozenset()),
        RoleRow("SUPER_ADMIN", 222, "ADMINISTRATIVE", None, frozenset()),
        RoleRow("SUPER_ADMIN", 333, "STANDARD", None, frozenset({444111})),
    }


@pytest.mark.parametrize(("level", "count"), [(333, 3), (222, 5), (111, 7)])
def test_worked_example_ad_accounts_reachable_through_a_level(level: int, count: int) -> None:
    example = the_worked_example()
    users = (*example.users, a_user(9, of=level, login=9))
    roles = (*example.assignments, a_role("VIEWER", at=level, user=9, id=9))
    world = World(
        (*example.logins, a_login(9)),
        users,
        example.manager_accounts,
        example.ad_accounts,
        roles,
        example.customer_links,
        example.account_links,
    )
    assert sum(target.kind == AD for target in Oracle(world).accessible(9)) == count


def test_worked_example_who_reaches_444222() -> None:
    oracle = Oracle(the_worked_example())
    assert oracle.accessors(ad(444222)) == {4}
    assert oracle.accessors(ad(444111)) == {1, 2, 4}


def test_worked_example_context_for_444111() -> None:
    assert Oracle(the_worked_example()).contexts(1, ad(444111)) == {333}


def test_worked_example_what_the_standard_link_removed() -> None:
    world = the_worked_example()
    assert allowed(world, manager(222)) - allowed(world, manager(333)) == NEVER_THROUGH_STANDARD - {"SIGN_UP_CUSTOMER"}


# --- the table -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_C_direct(role: str) -> None:
    world = a_world(a_role(role, at=1), an_ad(7, owner=1))
    assert allowed(world, manager(1)) == ON_MANAGER_ACCOUNT[role]
    assert allowed(world, ad(7)) == ON_AD_ACCOUNT[role]


@pytest.mark.parametrize("role", ROLES)
def test_C_through_an_administrative_link(role: str) -> None:
    world = a_world(a_role(role, at=1), a_link(1, 2), an_ad(7, owner=2))
    assert allowed(world, manager(2)) == ON_MANAGER_ACCOUNT[role]
    assert allowed(world, ad(7)) == ON_AD_ACCOUNT[role]


@pytest.mark.parametrize("role", ROLES)
def test_C_through_a_standard_link(role: str) -> None:
    world = a_world(a_role(role, at=1), a_link(1, 2, "STANDARD"), an_ad(7, owner=2))
    assert allowed(world, manager(2)) == ON_MANAGER_ACCOUNT[role] - NEVER_THROUGH_STANDARD
    assert allowed(world, ad(7)) == ON_AD_ACCOUNT[role] - {"MANAGE_PAYMENT_METHODS"}


@pytest.mark.parametrize("role", ROLES)
def test_C_through_an_account_link(role: str) -> None:
    world = a_world(a_role(role, at=1), an_account_link(1, 7), an_ad(7, owner=2))
    carried = READS | CAMPAIGNS | ACCOUNT_WORK | {"TAKE_OVER_BILLING"}
    assert allowed(world, ad(7)) == ON_AD_ACCOUNT[role] & carried
    assert allowed(world, manager(2)) == set()


# --- the paths -------------------------------------------------------------------------------------------


def test_P1_unscoped_reaches_what_the_manager_account_owns() -> None:
    world = a_world(a_role("VIEWER", at=1), an_ad(7, owner=1), an_ad(8, owner=2))
    assert Oracle(world).accessible(1) == {manager(1), ad(7)}


def test_P2_listed_accounts_only() -> None:
    world = a_world(
        a_role("VIEWER", at=1, scope="ONLY_ACCOUNTS", listed={7, 8, 9, 10}),
        an_ad(7, owner=1),
        an_ad(8, owner=2),
        an_ad(9, owner=3),
        an_ad(10, owner=4),
        an_ad(11, owner=1),
        an_account_link(1, 8),
        an_aggregation(1, 3),
        a_link(1, 4),
    )
    assert Oracle(world).accessible(1) == {ad(7), ad(8), ad(9)}


def test_P2_empty_scope_reaches_nothing() -> None:
    world = a_world(a_role("STANDARD", at=1, scope="ONLY_ACCOUNTS"), an_ad(7, owner=1), a_link(1, 2))
    assert Oracle(world).accessible(1) == set()


def test_P3_unscoped_continues_below() -> None:
    world = a_world(a_role("VIEWER", at=1), *a_chain(1, 2, 3), an_account_link(3, 7), an_ad(7, owner=4))
    assert Oracle(world).accessible(1) == {manager(1), manager(2), manager(3), ad(7)}


def test_P4_every_linked_entity() -> None:
    world = a_world(
        a_role("SUPER_ADMIN", at=1, scope="EVERY_LINKED_ENTITY"),
        an_ad(7, owner=1),
        an_ad(8, owner=2),
        an_ad(9, owner=3),
        an_ad(10, owner=4),
        a_link(1, 2),
        an_account_link(1, 9),
        an_aggregation(1, 4),
    )
    assert Oracle(world).accessible(1) == {manager(1), manager(2), manager(4), ad(8), ad(9), ad(10)}
    assert allowed(world, manager(1)) == {"VIEW"}
    assert allowed(world, manager(2)) == ON_MANAGER_ACCOUNT["SUPER_ADMIN"]


def test_P4_only_linked_entities() -> None:
    world = a_world(
        a_role("SUPER_ADMIN", at=1, scope="ONLY_LINKED_ENTITIES", listed={2}),
        an_ad(7, owner=1),
        an_ad(8, owner=2),
        an_ad(9, owner=3),
        an_ad(10, owner=4),
        a_link(1, 2),
        a_link(1, 5),
        a_link(2, 6),
        an_account_link(1, 9),
        an_aggregation(1, 4),
    )
    assert Oracle(world).accessible(1) == {manager(1), manager(2), manager(6), ad(8)}
    assert allowed(world, manager(1)) == {"VIEW"}


def test_P5_standard_caps_below_a_later_administrative_link() -> None:
    world = a_world(a_role("SUPER_ADMIN", at=1), a_link(1, 2, "STANDARD"), a_link(2, 3))
    assert "MANAGE_USERS" not in allowed(world, manager(3))
    assert "ADD_AD_ACCOUNT" in allowed(world, manager(3))


def test_P5_a_cycle_ends() -> None:
    world = a_world(a_role("VIEWER", at=1), *a_chain(1, 2, 3, 1))
    assert Oracle(world).accessible(1) == {manager(1), manager(2), manager(3)}


def test_P6_a_link_only_removes() -> None:
    world = a_world(a_role("VIEWER", at=1), a_link(1, 2, "STANDARD"))
    assert allowed(world, manager(2)) == READS


def test_P7_paths_add_up() -> None:
    world = a_world(
        a_role("STANDARD", at=1),
        a_role("SUPER_ADMIN", at=2, id=2),
        a_link(1, 3),
        a_link(2, 3, "STANDARD"),
    )
    both = ON_MANAGER_ACCOUNT["STANDARD"] | (ON_MANAGER_ACCOUNT["SUPER_ADMIN"] - NEVER_THROUGH_STANDARD)
    assert allowed(world, manager(3)) == both


def test_P8_only_the_named_context_counts() -> None:
    world = a_world(a_role("SUPER_ADMIN", at=1), a_link(1, 2), an_account_link(1, 7), an_ad(7, owner=2))
    assert allowed(world, ad(7), context=2) == ON_AD_ACCOUNT["SUPER_ADMIN"]
    assert "DELETE_AD_ACCOUNT" not in allowed(world, ad(7), context=1)
    assert allowed(world, ad(7), context=3) == set()
    assert Oracle(world).contexts(1, ad(7)) == {1, 2}


@pytest.mark.parametrize("status", STATUSES)
def test_P9_statuses(status: str) -> None:
    world = a_world(
        a_role("VIEWER", at=1),
        a_link(1, 2, status=status),
        an_account_link(1, 7, status=status),
        an_ad(7, owner=3),
    )
    expected = {manager(1)}
    if status in {"ACTIVE", "UNLINK_PENDING", "UNLINK_IN_PROGRESS"}:
        expected |= {manager(2), ad(7)}
    assert Oracle(world).accessible(1) == expected


def test_P10_over_the_limit_is_neither_allowed_nor_silent() -> None:
    world = a_world(a_role("VIEWER", at=1), *a_chain(1, 2, 3, 4, 5, 6), an_ad(7, owner=6), an_ad(8, owner=5))
    oracle = Oracle(world)
    assert oracle.effective(1, manager(5)).allowed == READS
    assert oracle.effective(1, ad(8)).allowed == READS
    assert oracle.effective(1, manager(6)) == Answer(over_limit=frozenset(READS))
    assert oracle.effective(1, ad(7)) == Answer(over_limit=frozenset(READS))


def test_P10_account_links_and_aggregations_are_no_levels() -> None:
    world = a_world(
        a_role("VIEWER", at=1),
        *a_chain(1, 2, 3, 4, 5),
        an_account_link(5, 7),
        an_ad(7, owner=9),
        an_aggregation(5, 8),
        an_ad(10, owner=8),
    )
    assert {ad(7), manager(8), ad(10)} <= Oracle(world).accessible(1)


def test_P11_the_original_user_asks_for_the_whole_login() -> None:
    world = a_world(
        a_user(1, of=1),
        a_user(2, of=2, original=False),
        a_role("VIEWER", at=1, user=1, id=1),
        a_role("VIEWER", at=2, user=2, id=2),
    )
    assert Oracle(world).accessible(1) == {manager(1), manager(2)}
    assert Oracle(world).accessible(2) == {manager(2)}
    assert Oracle(world).accessors(manager(2)) == {1, 2}


@pytest.mark.parametrize("status", ["PENDING", "INACTIVE", "DELETED"])
def test_P12_users_that_are_not_active_reach_nothing(status: str) -> None:
    world = a_world(
        a_user(1, of=1, status=status),
        a_user(2, of=2, original=False),
        a_role("VIEWER", at=1, user=1, id=1),
        a_role("VIEWER", at=2, user=2, id=2),
    )
    assert Oracle(world).accessible(1) == set()
    assert Oracle(world).accessible(2) == {manager(2)}
    assert {grant.target for grant in Oracle(world).grants_of_login(1)} == {manager(2)}


def test_P12_merged_logins_reach_nothing() -> None:
    world = a_world(a_user(1, of=1), a_login(1, merged_into=2), a_role("VIEWER", at=1))
    assert Oracle(world).accessible(1) == set()


def test_P12_inactive_targets_keep_view() -> None:
    world = a_world(
        a_role("SUPER_ADMIN", at=1),
        a_manager(1, status="INACTIVE"),
        an_ad(7, owner=1, status="INACTIVE"),
        an_ad(8, owner=1),
        a_link(1, 2),
    )
    assert allowed(world, manager(1)) == {"VIEW"}
    assert allowed(world, ad(7)) == {"VIEW"}
    assert allowed(world, ad(8)) == ON_AD_ACCOUNT["SUPER_ADMIN"]
    assert allowed(world, manager(2)) == ON_MANAGER_ACCOUNT["SUPER_ADMIN"]


@pytest.mark.parametrize("status", ["LINK_IN_PROGRESS", "UNLINK_IN_PROGRESS"])
def test_an_account_in_transition_is_frozen(status: str) -> None:
    world = a_world(a_role("SUPER_ADMIN", at=1), an_ad(7, owner=1), an_account_link(2, 7, status=status))
    frozen = {"SET_AUTO_TAG", "UPDATE_AD_ACCOUNT", "DELETE_AD_ACCOUNT"}
    assert allowed(world, ad(7)) == ON_AD_ACCOUNT["SUPER_ADMIN"] - frozen
    assert Oracle(world).effective(1, ad(7)).taken_by_state == frozen


def test_P13_aggregation_carries_what_is_left_and_stops() -> None:
    world = a_world(
        a_role("SUPER_ADMIN", at=1),
        a_link(1, 2, "STANDARD"),
        an_aggregation(2, 3),
        an_ad(7, owner=3),
        an_ad(8, owner=9),
        a_link(3, 4),
        an_account_link(3, 8),
    )
    oracle = Oracle(world)
    assert oracle.accessible(1) == {manager(1), manager(2), manager(3), ad(7)}
    assert allowed(world, manager(3)) == ON_MANAGER_ACCOUNT["SUPER_ADMIN"] - NEVER_THROUGH_STANDARD
    assert oracle.contexts(1, manager(3)) == {2}
    assert oracle.contexts(1, ad(7)) == {2}


# --- customerRoles ---------------------------------------------------------------------------------------


def test_rows_derived_row_takes_the_strongest_path() -> None:
    world = a_world(a_role("VIEWER", at=1), a_link(1, 2), a_link(1, 3, "STANDARD"), a_link(2, 3))
    assert RoleRow("VIEWER", 3, "ADMINISTRATIVE", None, frozenset()) in Oracle(world).customer_roles(1)


def test_rows_a_direct_unscoped_row_covers_a_derived_one_of_its_role() -> None:
    world = a_world(
        a_role("VIEWER", at=1),
        a_role("VIEWER", at=2, id=2),
        a_role("STANDARD", at=3, scope="ONLY_ACCOUNTS", listed={7}, id=3),
        an_ad(7, owner=3),
        a_link(1, 2),
        a_link(2, 3),
    )
    assert Oracle(world).customer_roles(1) == {
        RoleRow("VIEWER", 1, None, None, frozenset()),
        RoleRow("VIEWER", 2, None, None, frozenset()),
        RoleRow("STANDARD", 3, None, frozenset({7}), frozenset()),
        RoleRow("VIEWER", 3, "ADMINISTRATIVE", None, frozenset()),
    }


def test_rows_of_every_scope() -> None:
    scopes = {
        "EVERY_ACCOUNT": RoleRow("VIEWER", 1, None, None, frozenset({8, 9})),
        "ONLY_ACCOUNTS": RoleRow("VIEWER", 1, None, frozenset({7}), frozenset({8})),
        "EVERY_LINKED_ENTITY": RoleRow("VIEWER", 1, "LINKED_ENTITY_ONLY", frozenset(), frozenset({8, 9})),
        "ONLY_LINKED_ENTITIES": RoleRow("VIEWER", 1, "LINKED_ENTITY_ONLY", frozenset(), frozenset()),
    }
    for scope, row in scopes.items():
        world = a_world(
            a_role("VIEWER", at=1, scope=scope, listed={7, 8} if scope == "ONLY_ACCOUNTS" else ()),
            an_ad(7, owner=1),
            an_ad(8, owner=2),
            an_ad(9, owner=3),
            an_account_link(1, 8),
            an_aggregation(1, 3),
        )
        assert Oracle(world).customer_roles(1) == {row}


def test_rows_a_signed_up_manager_account_has_none() -> None:
    world = a_world(
        a_role("AGGREGATOR", at=111),
        a_role("SUPER_ADMIN", at=111, id=2),
        an_aggregation(111, 5),
        an_ad(111222, owner=5),
    )
    assert Oracle(world).customer_roles(1) == {
        RoleRow("AGGREGATOR", 111, None, None, frozenset({111222})),
        RoleRow("SUPER_ADMIN", 111, None, None, frozenset({111222})),
    }


# --- identity --------------------------------------------------------------------------------------------


def test_the_kind_belongs_to_the_identity() -> None:
    world = a_world(a_role("VIEWER", at=1), an_ad(2, owner=1), a_manager(2))
    assert allowed(world, ad(2)) == READS
    assert allowed(world, manager(2)) == set()
