"""The verifier refuses whatever is not so: true explanations, each made false in one place."""

from __future__ import annotations

import pytest

from tests.builders import (
    a_chain,
    a_link,
    a_login,
    a_role,
    a_user,
    a_world,
    an_account_link,
    an_ad,
    an_aggregation,
)
from tests.oracle import MANAGER, World
from tests.rules.judges import ad, manager
from tests.rules.product import Product
from tests.verifier import Explanation, Hop, only_the_facts_of, why_not
from tests.worlds import seeded_world

WORLD = a_world(
    a_user(1, of=1, login=1),
    a_user(2, of=1, login=2),
    a_user(3, of=2, login=1, original=False),
    a_user(4, of=1, login=4, status="DELETED"),
    a_user(5, of=1, login=5),
    a_login(5, merged_into=1),
    a_role("SUPER_ADMIN", at=1, user=1, id=1),
    a_role("VIEWER", at=1, user=2, scope="ONLY_ACCOUNTS", listed={7, 8, 9}, id=2),
    a_role("VIEWER", at=2, user=3, id=3),
    a_role("VIEWER", at=1, user=4, id=4),
    a_role("VIEWER", at=1, user=5, id=5),
    a_role("STANDARD", at=1, user=2, scope="EVERY_LINKED_ENTITY", id=6),
    a_role("STANDARD", at=1, user=2, scope="ONLY_LINKED_ENTITIES", listed={2}, id=7),
    a_link(1, 2, "STANDARD", id=12),
    a_link(2, 3, id=23),
    a_link(3, 1, id=31),
    a_link(1, 6, status="LINK_PENDING", id=16),
    an_account_link(1, 8, id=18),
    an_aggregation(1, 4, id=14),
    a_link(4, 5, id=45),
    an_ad(7, owner=1),
    an_ad(8, owner=3),
    an_ad(9, owner=4),
    an_ad(10, owner=1, status="INACTIVE"),
)
TO_2 = Hop("CUSTOMER_LINK", 1, manager(2), 12)
TO_3 = Hop("CUSTOMER_LINK", 2, manager(3), 23)
BACK_TO_1 = Hop("CUSTOMER_LINK", 3, manager(1), 31)
TO_6 = Hop("CUSTOMER_LINK", 1, manager(6), 16)
OWNS_7 = Hop("OWNERSHIP", 1, ad(7))
OWNS_8 = Hop("OWNERSHIP", 3, ad(8))
OWNS_9 = Hop("OWNERSHIP", 4, ad(9))
LINKS_8 = Hop("ACCOUNT_LINK", 1, ad(8), 18)
SIGNED_UP_4 = Hop("AGGREGATION", 1, manager(4), 14)

TRUE = [
    Explanation(1, manager(1), "MANAGE_SUPER_ADMINS", 1, (), 1),
    Explanation(1, manager(3), "ADD_AD_ACCOUNT", 1, (TO_2, TO_3), 3),
    Explanation(1, ad(8), "DELETE_AD_ACCOUNT", 1, (TO_2, TO_3, OWNS_8), 3),
    Explanation(1, ad(8), "TAKE_OVER_BILLING", 1, (LINKS_8,), 1),
    Explanation(1, ad(9), "MANAGE_PAYMENT_METHODS", 1, (SIGNED_UP_4, OWNS_9), 1),
    Explanation(1, manager(2), "VIEW", 3, (), 2),
    Explanation(2, ad(7), "VIEW", 2, (OWNS_7,), 1),
    Explanation(2, ad(8), "VIEW", 2, (LINKS_8,), 1),
    Explanation(2, ad(9), "VIEW", 2, (SIGNED_UP_4, OWNS_9), 1),
    Explanation(2, manager(1), "VIEW", 6, (), 1),
    Explanation(2, manager(2), "MANAGE_ACCOUNT_LINKS", 7, (TO_2,), 2),
    Explanation(1, ad(10), "VIEW", 1, (Hop("OWNERSHIP", 1, ad(10)),), 1),
]

FALSE = [
    (Explanation(9, manager(1), "VIEW", 1), "no user 9"),
    (Explanation(1, manager(1), "VIEW", 9), "no assignment 9"),
    (Explanation(2, manager(1), "VIEW", 1), "is user 1's"),
    (Explanation(3, manager(1), "VIEW", 1), "is user 1's"),
    (Explanation(4, manager(1), "VIEW", 4), "user 4 is DELETED"),
    (Explanation(5, manager(1), "VIEW", 5), "login 5 was merged"),
    (Explanation(1, manager(2), "VIEW", 1), "ends at"),
    (Explanation(1, ad(1), "VIEW", 1), "ends at"),
    (Explanation(1, manager(3), "VIEW", 1, (TO_3,)), "starts at 2"),
    (Explanation(1, manager(1), "VIEW", 1, (TO_2, TO_3, BACK_TO_1)), "twice"),
    (Explanation(1, manager(6), "VIEW", 1, (TO_6,)), "LINK_PENDING"),
    (Explanation(1, manager(2), "VIEW", 1, (TO_2._replace(fact=99),)), "no CUSTOMER_LINK 99"),
    (Explanation(1, manager(2), "VIEW", 1, (TO_2._replace(fact=23),)), "leads elsewhere"),
    (Explanation(1, manager(2), "VIEW", 1, (TO_2._replace(kind="SCOPE"),)), "no SCOPE 12"),
    (Explanation(1, ad(8), "VIEW", 1, (Hop("OWNERSHIP", 1, ad(8)),)), "does not own"),
    (Explanation(1, manager(3), "MANAGE_USERS", 1, (TO_2, TO_3)), "does not survive"),
    (Explanation(1, ad(8), "DELETE_AD_ACCOUNT", 1, (LINKS_8,)), "does not survive"),
    (Explanation(1, manager(1), "SIGN_UP_CUSTOMER", 1), "does not survive"),
    (Explanation(1, manager(1), "MANAGE_CAMPAIGNS", 1), "cannot be held"),
    (Explanation(1, ad(10), "MANAGE_CAMPAIGNS", 1, (Hop("OWNERSHIP", 1, ad(10)),)), "state"),
    (Explanation(1, ad(8), "VIEW", 1, (LINKS_8,), 3), "the context is 1"),
    (
        Explanation(1, manager(5), "VIEW", 1, (SIGNED_UP_4, Hop("CUSTOMER_LINK", 4, manager(5), 45))),
        "below a signed-up account",
    ),
    (Explanation(2, manager(1), "VIEW", 2), "ad accounts only"),
    (Explanation(2, ad(10), "VIEW", 2, (Hop("OWNERSHIP", 1, ad(10)),)), "does not list"),
    (Explanation(2, ad(8), "VIEW", 2, (TO_2, TO_3, OWNS_8)), "one step away"),
    (Explanation(2, manager(1), "MANAGE_USERS", 6), "does not survive"),
    (Explanation(2, ad(7), "VIEW", 6, (OWNS_7,)), "leaves out owned"),
    (Explanation(2, ad(8), "VIEW", 7, (LINKS_8,)), "begins with a customer link"),
    (Explanation(2, manager(6), "VIEW", 7, (TO_6,)), "does not list"),
    (Explanation(1, manager(2), "VIEW", 1, (TO_2._replace(removed=frozenset()),)), "removed"),
    (Explanation(1, ad(7), "VIEW", 1, (OWNS_7._replace(removed=frozenset({"VIEW"})),)), "removed"),
]


@pytest.mark.parametrize("explanation", TRUE, ids=str)
def test_what_is_true_is_accepted(explanation: Explanation) -> None:
    assert why_not(WORLD, explanation) is None


@pytest.mark.parametrize(
    ("explanation", "sentence"), FALSE, ids=[f"{index} {row[1]}" for index, row in enumerate(FALSE)]
)
def test_what_is_not_so_is_refused_with_its_reason(explanation: Explanation, sentence: str) -> None:
    told = why_not(WORLD, explanation)
    assert told is not None
    assert sentence in told


def test_a_fifth_customer_link_is_refused() -> None:
    world = a_world(a_role("VIEWER", at=1), *a_chain(1, 2, 3, 4, 5, 6))
    hops = tuple(Hop("CUSTOMER_LINK", link.managing, manager(link.client), link.id) for link in world.customer_links)
    assert why_not(world, Explanation(1, manager(5), "VIEW", 1, hops[:4])) is None
    assert why_not(world, Explanation(1, manager(6), "VIEW", 1, hops)) == "5 customer links in a row"


def test_the_facts_of_an_explanation_are_no_more_than_it_names() -> None:
    explanation = TRUE[2]
    alone = only_the_facts_of(WORLD, explanation)
    assert why_not(alone, explanation) is None
    assert [link.id for link in alone.customer_links] == [12, 23]
    assert (alone.account_links, alone.aggregations, [item.id for item in alone.assignments]) == ((), (), [1])


def _with_another_hop(world: World, explanation: Explanation, index: int) -> list[Explanation]:
    """The explanation with one hop left out, doubled, or led to a neighbouring number."""
    hops, hop = explanation.hops, explanation.hops[index]
    others = [
        (*hops[:index], *hops[index + 1 :]),
        (*hops[: index + 1], *hops[index:]),
        (*hops[:index], hop._replace(source=hop.source + 1), *hops[index + 1 :]),
        (*hops[:index], hop._replace(destination=hop.destination._replace(id=-1)), *hops[index + 1 :]),
    ]
    if hop.kind != "OWNERSHIP":
        others.append((*hops[:index], hop._replace(fact=-1), *hops[index + 1 :]))
    return [explanation._replace(hops=other) for other in others]


def test_an_explanation_with_any_hop_changed_is_refused() -> None:
    tampered = 0
    for world in map(seeded_world, range(60_000, 60_040)):
        product = Product(world)
        for user in world.users:
            for target in world.targets():
                for explanation in product.explanations(user.id, target)[::5]:
                    for index in range(len(explanation.hops)):
                        for other in _with_another_hop(world, explanation, index):
                            assert why_not(world, other) is not None, other
                            tampered += 1
                    flipped = explanation._replace(target=explanation.target._replace(kind=MANAGER))
                    assert flipped == explanation or why_not(world, flipped) is not None
    assert tampered > 1_000
