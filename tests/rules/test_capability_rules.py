"""Rules C1–C19: who holds each capability, where, and what carries it, spelled out capability by capability."""

from __future__ import annotations

from typing import NamedTuple

from resolvers.rules.capabilities import CAPABILITY_RULES, Capability
from tests.builders import a_link, a_role, a_world, an_account_link, an_ad, an_aggregation
from tests.rules.judges import ad, allowed, manager

ROLES = {"V": "VIEWER", "C": "CAMPAIGN_MANAGER", "S": "STANDARD", "A": "SUPER_ADMIN", "G": "AGGREGATOR"}


class Holders(NamedTuple):
    """The letters of the roles that hold a capability: at home, below a STANDARD link, by an account link."""

    on_manager: str
    on_ad: str
    standard_manager: str
    standard_ad: str
    account_link: str


def holders(capability: str) -> Holders:
    """Who holds it, both judges agreeing; links that carry everything must change nothing."""
    found = ["", "", "", "", ""]
    for letter, role in ROLES.items():
        world = a_world(
            a_role(role, at=1),
            a_link(1, 2, "STANDARD"),
            a_link(1, 3, "ADMINISTRATIVE"),
            an_aggregation(1, 5),
            an_account_link(1, 7004),
            *(an_ad(7000 + owner, owner=owner) for owner in (1, 2, 3, 4, 5)),
        )
        places = (manager(1), ad(7001), manager(2), ad(7002), ad(7004))
        for index, place in enumerate(places):
            if capability in allowed(world, place):
                found[index] += letter
        for carried in (3, 5):
            assert allowed(world, manager(carried)) == allowed(world, manager(1))
            assert allowed(world, ad(7000 + carried)) == allowed(world, ad(7001))
    return Holders(*found)


def test_C1_VIEW() -> None:
    assert holders("VIEW") == Holders("VCSAG", "VCSAG", "VCSAG", "VCSAG", "VCSAG")


def test_C2_VIEW_PAYMENT_METHODS() -> None:
    assert holders("VIEW_PAYMENT_METHODS") == Holders("VCSAG", "VCSAG", "VCSAG", "VCSAG", "VCSAG")


def test_C3_MANAGE_CAMPAIGNS() -> None:
    assert holders("MANAGE_CAMPAIGNS") == Holders("", "CSAG", "", "CSAG", "CSAG")


def test_C4_SET_AUTO_TAG() -> None:
    assert holders("SET_AUTO_TAG") == Holders("", "CSAG", "", "CSAG", "CSAG")


def test_C5_UPDATE_AD_ACCOUNT() -> None:
    assert holders("UPDATE_AD_ACCOUNT") == Holders("", "SAG", "", "SAG", "SAG")


def test_C6_MANAGE_INSERTION_ORDERS() -> None:
    assert holders("MANAGE_INSERTION_ORDERS") == Holders("", "SAG", "", "SAG", "SAG")


def test_C7_MANAGE_PAYMENT_METHODS() -> None:
    assert holders("MANAGE_PAYMENT_METHODS") == Holders("AG", "AG", "", "", "")


def test_C8_TAKE_OVER_BILLING() -> None:
    assert holders("TAKE_OVER_BILLING") == Holders("AG", "AG", "AG", "AG", "AG")


def test_C9_ADD_AD_ACCOUNT() -> None:
    assert holders("ADD_AD_ACCOUNT") == Holders("AG", "", "AG", "", "")


def test_C10_DELETE_AD_ACCOUNT() -> None:
    assert holders("DELETE_AD_ACCOUNT") == Holders("", "AG", "", "AG", "")


def test_C11_UPDATE_MANAGER_ACCOUNT() -> None:
    assert holders("UPDATE_MANAGER_ACCOUNT") == Holders("AG", "", "", "", "")


def test_C12_VIEW_ACCOUNT_LINKS() -> None:
    assert holders("VIEW_ACCOUNT_LINKS") == Holders("SAG", "SAG", "SAG", "SAG", "")


def test_C13_MANAGE_ACCOUNT_LINKS() -> None:
    assert holders("MANAGE_ACCOUNT_LINKS") == Holders("SAG", "SAG", "SAG", "SAG", "")


def test_C14_VIEW_MANAGER_LINKS() -> None:
    assert holders("VIEW_MANAGER_LINKS") == Holders("AG", "", "", "", "")


def test_C15_MANAGE_MANAGER_LINKS() -> None:
    assert holders("MANAGE_MANAGER_LINKS") == Holders("AG", "", "", "", "")


def test_C16_MANAGE_USERS() -> None:
    assert holders("MANAGE_USERS") == Holders("SAG", "", "", "", "")


def test_C17_MANAGE_SUPER_ADMINS() -> None:
    assert holders("MANAGE_SUPER_ADMINS") == Holders("AG", "", "", "", "")


def test_C18_SIGN_UP_CUSTOMER() -> None:
    assert holders("SIGN_UP_CUSTOMER") == Holders("G", "", "", "", "")


def test_C19_nobody_can_hold_a_capability_to_delete_a_manager_account() -> None:
    assert not [capability for capability in Capability if "DELETE" in capability and "MANAGER" in capability]


def test_the_product_has_a_row_for_every_id_and_no_other() -> None:
    assert [rule.id for rule in CAPABILITY_RULES] == [f"C{number}" for number in range(1, 19)]
    assert {rule.capability for rule in CAPABILITY_RULES} == set(Capability)
