"""Rules P1–P13, each in the smallest worlds that tell it from its neighbours; oracle and product must agree."""

from __future__ import annotations

import pytest

from tests.builders import (
    Fact,
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
from tests.oracle import CARRYING, ROLES, STATUSES, Answer, RoleRow
from tests.rules.judges import accessible, ad, agreed, allowed, manager, rows

READS = {"VIEW", "VIEW_PAYMENT_METHODS"}
REMOVED_BY_STANDARD = {
    "MANAGE_PAYMENT_METHODS",
    "UPDATE_MANAGER_ACCOUNT",
    "VIEW_MANAGER_LINKS",
    "MANAGE_MANAGER_LINKS",
    "MANAGE_USERS",
    "MANAGE_SUPER_ADMINS",
}


def test_P1_without_scope_everything_owned_and_the_manager_account_itself() -> None:
    world = a_world(a_role("VIEWER", at=1), an_ad(7, owner=1), an_ad(8, owner=1), an_ad(9, owner=2))
    assert accessible(world) == {manager(1), ad(7), ad(8)}


def test_P2_a_scope_reaches_listed_accounts_and_not_the_manager_account() -> None:
    world = a_world(
        a_role("STANDARD", at=1, scope="ONLY_ACCOUNTS", listed={7}),
        an_ad(7, owner=1),
        an_ad(8, owner=1),
        a_link(1, 2),
        an_ad(9, owner=2),
    )
    assert accessible(world) == {ad(7)}


def test_P2_a_listed_account_is_reached_through_a_link_as_the_link_allows() -> None:
    world = a_world(
        a_role("STANDARD", at=1, scope="ONLY_ACCOUNTS", listed={7, 8}),
        an_ad(7, owner=1),
        an_ad(8, owner=2),
        an_account_link(1, 8),
    )
    assert allowed(world, ad(7)) - allowed(world, ad(8)) == {"VIEW_ACCOUNT_LINKS", "MANAGE_ACCOUNT_LINKS"}


def test_P2_a_listed_account_under_a_signed_up_manager_account_is_reached() -> None:
    world = a_world(
        a_role("VIEWER", at=1, scope="ONLY_ACCOUNTS", listed={7}),
        an_ad(7, owner=2),
        an_ad(8, owner=2),
        an_aggregation(1, 2),
    )
    assert accessible(world) == {ad(7)}
    assert allowed(world, ad(7), context=1) == READS
    assert allowed(world, ad(7), context=2) == set()


@pytest.mark.parametrize("way", [a_link(1, 2), an_account_link(1, 7, status="INACTIVE"), an_aggregation(2, 1)])
def test_P2_a_listed_account_that_is_none_of_these_is_not_reached(way: Fact) -> None:
    world = a_world(
        a_role("VIEWER", at=1, scope="ONLY_ACCOUNTS", listed={7}),
        an_ad(7, owner=2),
        way,
    )
    assert accessible(world) == set()


def test_P2_an_empty_scope_reaches_nothing_never_everything() -> None:
    world = a_world(a_role("STANDARD", at=1, scope="ONLY_ACCOUNTS"), an_ad(7, owner=1), a_link(1, 2))
    assert accessible(world) == set()


def test_P3_the_role_goes_down_level_by_level_with_all_that_hangs_there() -> None:
    world = a_world(
        a_role("CAMPAIGN_MANAGER", at=1),
        *a_chain(1, 2, 3),
        an_ad(7, owner=3),
        an_account_link(3, 8),
        an_ad(8, owner=9),
        an_aggregation(2, 4),
        an_ad(10, owner=4),
        an_ad(11, owner=9),
    )
    assert accessible(world) == {manager(1), manager(2), manager(3), manager(4), ad(7), ad(8), ad(10)}
    assert "MANAGE_CAMPAIGNS" in allowed(world, ad(8))


def test_P3_nothing_goes_up() -> None:
    world = a_world(a_role("SUPER_ADMIN", at=2), a_link(1, 2), an_ad(7, owner=1), an_aggregation(1, 2))
    assert accessible(world) == {manager(2)}


@pytest.mark.parametrize("role", ROLES)
def test_P4_linked_entity_only_views_its_own_manager_account_and_owns_nothing(role: str) -> None:
    world = a_world(
        a_role(role, at=1, scope="EVERY_LINKED_ENTITY"),
        an_ad(7, owner=1),
        a_link(1, 2),
        an_ad(8, owner=2),
    )
    direct = a_world(a_role(role, at=2), an_ad(8, owner=2))
    assert allowed(world, manager(1)) == {"VIEW"}
    assert allowed(world, ad(7)) == set()
    assert allowed(world, manager(2)) == allowed(direct, manager(2))
    assert allowed(world, ad(8)) == allowed(direct, ad(8))


def test_P4_every_linked_entity_goes_through_all_links() -> None:
    world = a_world(
        a_role("VIEWER", at=1, scope="EVERY_LINKED_ENTITY"),
        *a_chain(1, 2, 3),
        an_account_link(1, 8),
        an_ad(8, owner=9),
        an_aggregation(1, 4),
        an_ad(10, owner=4),
    )
    assert accessible(world) == {manager(1), manager(2), manager(3), manager(4), ad(8), ad(10)}


def test_P4_listed_linked_entities_only() -> None:
    world = a_world(
        a_role("VIEWER", at=1, scope="ONLY_LINKED_ENTITIES", listed={2, 4, 6}),
        *a_chain(1, 2, 3),
        *a_chain(1, 5, 6),
        an_ad(7, owner=1),
        an_account_link(1, 8),
        an_ad(8, owner=9),
        an_aggregation(1, 4),
    )
    assert accessible(world) == {manager(1), manager(2), manager(3)}


def test_P4_a_link_back_does_not_return_what_the_scope_left_out() -> None:
    world = a_world(
        a_role("SUPER_ADMIN", at=1, scope="EVERY_LINKED_ENTITY"),
        *a_chain(1, 2, 1),
        an_ad(7, owner=1),
    )
    assert allowed(world, manager(1)) == {"VIEW"}
    assert allowed(world, ad(7)) == set()


def test_P5_a_standard_link_caps_what_lies_below_it_before_and_after_administrative_ones() -> None:
    top = a_world(a_role("SUPER_ADMIN", at=1))
    for links in (
        [a_link(1, 2, "ADMINISTRATIVE"), a_link(2, 3, "STANDARD")],
        [a_link(1, 2, "STANDARD"), a_link(2, 3, "ADMINISTRATIVE")],
        [a_link(1, 2, "STANDARD"), a_link(2, 3, "STANDARD")],
    ):
        world = a_world(a_role("SUPER_ADMIN", at=1), *links)
        assert allowed(top, manager(1)) - allowed(world, manager(3)) == REMOVED_BY_STANDARD


def test_P5_the_cap_holds_on_account_links_and_aggregations_below() -> None:
    world = a_world(
        a_role("SUPER_ADMIN", at=1),
        a_link(1, 2, "STANDARD"),
        an_aggregation(2, 3),
        an_ad(7, owner=3),
        an_account_link(2, 8),
        an_ad(8, owner=9),
    )
    assert "MANAGE_USERS" not in allowed(world, manager(3))
    assert "MANAGE_PAYMENT_METHODS" not in allowed(world, ad(7)) | allowed(world, ad(8))


def test_P5_a_cycle_gives_each_manager_account_once() -> None:
    world = a_world(a_role("VIEWER", at=1), *a_chain(1, 2, 3, 1), an_ad(7, owner=3))
    assert accessible(world) == {manager(1), manager(2), manager(3), ad(7)}


@pytest.mark.parametrize("role", ROLES)
def test_P6_a_standard_link_never_adds(role: str) -> None:
    direct = a_world(a_role(role, at=1))
    linked = a_world(a_role(role, at=1), a_link(1, 2, "STANDARD"))
    lost = allowed(direct, manager(1)) - allowed(linked, manager(2))
    assert allowed(linked, manager(2)) <= allowed(direct, manager(1))
    assert lost <= REMOVED_BY_STANDARD | {"SIGN_UP_CUSTOMER"}


def test_P7_the_union_over_paths_and_roles() -> None:
    world = a_world(
        a_role("STANDARD", at=1, id=1),
        a_role("SUPER_ADMIN", at=2, id=2),
        a_link(1, 3),
        a_link(2, 3, "STANDARD"),
    )
    held = allowed(world, manager(3))
    assert "MANAGE_USERS" in held, "of the Standard user through the ADMINISTRATIVE link"
    assert "ADD_AD_ACCOUNT" in held, "of the Super Admin through the STANDARD link"
    assert "MANAGE_SUPER_ADMINS" not in held


def test_P7_a_direct_assignment_is_not_weakened_by_a_link() -> None:
    direct = a_world(a_role("SUPER_ADMIN", at=2), an_ad(7, owner=2))
    linked = a_world(
        a_role("SUPER_ADMIN", at=2, id=1),
        a_role("SUPER_ADMIN", at=1, id=2),
        a_link(1, 2, "STANDARD"),
        an_ad(7, owner=2),
    )
    assert allowed(linked, manager(2)) == allowed(direct, manager(2))
    assert allowed(linked, ad(7)) == allowed(direct, ad(7))


def test_P8_only_paths_through_the_named_context_count() -> None:
    world = a_world(a_role("SUPER_ADMIN", at=1), a_link(1, 2), an_account_link(1, 7), an_ad(7, owner=2))
    assert "DELETE_AD_ACCOUNT" in allowed(world, ad(7))
    assert "DELETE_AD_ACCOUNT" in allowed(world, ad(7), context=2)
    assert "DELETE_AD_ACCOUNT" not in allowed(world, ad(7), context=1)
    assert "VIEW" in allowed(world, ad(7), context=1)


def test_P8_the_owner_is_no_context_for_an_account_linked_one() -> None:
    world = the_worked_example()
    assert allowed(world, ad(444111), context=333) == allowed(world, ad(444111))
    for context in (444, 222, 111, 999):
        assert allowed(world, ad(444111), context=context) == set()


@pytest.mark.parametrize("status", STATUSES)
def test_P9_which_statuses_carry_access(status: str) -> None:
    world = a_world(
        a_role("VIEWER", at=1),
        a_link(1, 2, status=status),
        an_ad(8, owner=2),
        an_account_link(1, 7, status=status),
        an_ad(7, owner=3),
    )
    below = {manager(2), ad(8), ad(7)}
    assert accessible(world) == {manager(1)} | (below if status in CARRYING else set())
    assert (status in CARRYING) == (status in {"ACTIVE", "UNLINK_PENDING", "UNLINK_IN_PROGRESS"})


def test_P10_five_manager_accounts_on_a_chain_and_not_six() -> None:
    world = a_world(a_role("VIEWER", at=1), *a_chain(1, 2, 3, 4, 5, 6, 7), an_ad(15, owner=5), an_ad(16, owner=6))
    assert agreed(world, manager(5)) == Answer(allowed=frozenset(READS))
    assert agreed(world, ad(15)) == Answer(allowed=frozenset(READS))
    for target in (manager(6), manager(7), ad(16)):
        assert agreed(world, target) == Answer(over_limit=frozenset(READS))


def test_P10_what_a_short_chain_gives_is_not_over_the_limit() -> None:
    world = a_world(
        a_role("SUPER_ADMIN", at=1),
        *a_chain(1, 2, 3, 4, 5, 6),
        a_link(1, 6, "STANDARD"),
    )
    answer = agreed(world, manager(6))
    assert "ADD_AD_ACCOUNT" in answer.allowed
    assert answer.over_limit == REMOVED_BY_STANDARD


def test_P10_a_chain_that_carries_no_access_is_no_chain() -> None:
    world = a_world(a_role("VIEWER", at=1), *a_chain(1, 2, 3, 4, 5), a_link(5, 6, status="LINK_PENDING"))
    assert agreed(world, manager(6)) == Answer()


def test_P10_account_links_and_aggregations_are_not_counted() -> None:
    world = a_world(
        a_role("VIEWER", at=1),
        *a_chain(1, 2, 3, 4, 5),
        an_account_link(5, 7),
        an_ad(7, owner=9),
        an_aggregation(5, 8),
        an_ad(10, owner=8),
    )
    assert {ad(7), manager(8), ad(10)} <= accessible(world)


def test_P11_the_original_user_stands_for_the_login_and_others_for_themselves() -> None:
    world = a_world(
        a_user(1, of=1),
        a_user(2, of=2, original=False),
        a_user(3, of=3, login=9),
        a_role("VIEWER", at=1, user=1, id=1),
        a_role("VIEWER", at=2, user=2, id=2),
        a_role("VIEWER", at=3, user=3, id=3),
    )
    assert accessible(world, user=1) == {manager(1), manager(2)}
    assert accessible(world, user=2) == {manager(2)}
    assert accessible(world, user=3) == {manager(3)}


@pytest.mark.parametrize("status", ["PENDING", "INACTIVE", "DELETED"])
def test_P12_a_user_that_is_not_active_reaches_nothing_and_lends_nothing(status: str) -> None:
    world = a_world(
        a_user(1, of=1),
        a_user(2, of=2, original=False, status=status),
        a_role("VIEWER", at=1, user=1, id=1),
        a_role("VIEWER", at=2, user=2, id=2),
    )
    assert accessible(world, user=2) == set()
    assert accessible(world, user=1) == {manager(1)}


def test_P12_an_original_user_that_was_deleted_does_not_stand_for_its_login() -> None:
    world = a_world(
        a_user(1, of=1, status="DELETED"),
        a_user(2, of=2, original=False),
        a_role("VIEWER", at=1, user=1, id=1),
        a_role("VIEWER", at=2, user=2, id=2),
    )
    assert accessible(world, user=1) == set()
    assert accessible(world, user=2) == {manager(2)}


def test_P12_a_merged_login_reaches_nothing() -> None:
    merged = a_world(a_user(1, of=1), a_login(1, merged_into=2), a_role("VIEWER", at=1))
    alive = a_world(a_user(1, of=1), a_login(1), a_role("VIEWER", at=1))
    assert accessible(merged) == set()
    assert accessible(alive) == {manager(1)}


def test_P12_an_inactive_account_keeps_view_and_what_lies_below_keeps_all() -> None:
    world = a_world(
        a_role("SUPER_ADMIN", at=1),
        a_manager(1, status="INACTIVE"),
        an_ad(7, owner=1, status="INACTIVE"),
        an_ad(8, owner=1),
        a_link(1, 2),
    )
    direct = a_world(a_role("SUPER_ADMIN", at=1), an_ad(8, owner=1))
    assert allowed(world, manager(1)) == {"VIEW"}
    assert allowed(world, ad(7)) == {"VIEW"}
    assert allowed(world, ad(8)) == allowed(direct, ad(8))
    assert allowed(world, manager(2)) == allowed(direct, manager(1))


@pytest.mark.parametrize("status", ["DRAFT", "ACTIVE", "PAUSE", "PENDING", "SUSPENDED"])
def test_P12_only_inactive_takes_away(status: str) -> None:
    world = a_world(a_role("SUPER_ADMIN", at=1), an_ad(7, owner=1, status=status))
    assert agreed(world, ad(7)).taken_by_state == set()


@pytest.mark.parametrize("status", STATUSES)
def test_an_ad_account_in_transition_cannot_be_changed_or_deleted(status: str) -> None:
    world = a_world(a_role("SUPER_ADMIN", at=1), an_ad(7, owner=1), an_account_link(2, 7, status=status))
    moving = status in {"LINK_IN_PROGRESS", "UNLINK_IN_PROGRESS"}
    taken = {"SET_AUTO_TAG", "UPDATE_AD_ACCOUNT", "DELETE_AD_ACCOUNT"} if moving else set()
    answer = agreed(world, ad(7))
    assert answer.taken_by_state == taken
    assert {"VIEW", "MANAGE_CAMPAIGNS"} <= answer.allowed


def test_P13_an_aggregation_carries_all_that_is_left_to_the_accounts_and_stops_there() -> None:
    world = a_world(
        a_role("AGGREGATOR", at=1),
        an_aggregation(1, 2),
        an_ad(7, owner=2),
        a_link(2, 3),
        an_account_link(2, 8),
        an_ad(8, owner=9),
        an_aggregation(2, 4, id=2),
    )
    assert accessible(world) == {manager(1), manager(2), ad(7)}
    assert allowed(world, manager(2)) == allowed(world, manager(1))
    assert allowed(world, manager(2), context=1) == allowed(world, manager(2))
    assert allowed(world, manager(2), context=2) == set()
    assert allowed(world, ad(7), context=2) == set()


def test_P13_the_accounts_show_in_the_aggregators_row_and_the_signed_up_has_none() -> None:
    world = a_world(a_role("AGGREGATOR", at=111), an_aggregation(111, 5), an_ad(111222, owner=5))
    assert rows(world) == {RoleRow("AGGREGATOR", 111, None, None, frozenset({111222}))}


def test_customer_roles_of_the_worked_example() -> None:
    assert rows(the_worked_example()) == {
        RoleRow("SUPER_ADMIN", 999, None, None, frozenset()),
        RoleRow("SUPER_ADMIN", 111, None, None, frozenset()),
        RoleRow("SUPER_ADMIN", 222, "ADMINISTRATIVE", None, frozenset()),
        RoleRow("SUPER_ADMIN", 333, "STANDARD", None, frozenset({444111})),
    }


def test_customer_roles_show_one_derived_row_with_the_strongest_permission() -> None:
    world = a_world(a_role("VIEWER", at=1), a_link(1, 2), a_link(1, 3, "STANDARD"), a_link(2, 3))
    assert [row.permission for row in rows(world) if row.manager_account == 3] == ["ADMINISTRATIVE"]


def test_customer_roles_keep_a_derived_row_beside_a_scoped_direct_one() -> None:
    world = a_world(
        a_role("VIEWER", at=1, id=1),
        a_role("VIEWER", at=2, scope="ONLY_ACCOUNTS", listed={7}, id=2),
        an_ad(7, owner=2),
        a_link(1, 2),
    )
    assert rows(world) == {
        RoleRow("VIEWER", 1, None, None, frozenset()),
        RoleRow("VIEWER", 2, None, frozenset({7}), frozenset()),
        RoleRow("VIEWER", 2, "ADMINISTRATIVE", None, frozenset()),
    }


def test_customer_roles_leave_out_what_a_direct_row_of_the_role_covers() -> None:
    world = a_world(
        a_role("VIEWER", at=1, id=1),
        a_role("VIEWER", at=2, id=2),
        a_role("STANDARD", at=1, id=3),
        a_link(1, 2),
    )
    assert {(row.role, row.permission) for row in rows(world) if row.manager_account == 2} == {
        ("VIEWER", None),
        ("STANDARD", "ADMINISTRATIVE"),
    }
