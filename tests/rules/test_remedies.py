"""A remedy names every way to turn a denial into a yes, and all that each way needs; carried out, it opens the way."""

from __future__ import annotations

from collections import Counter

import pytest

from resolvers.rules.capabilities import Capability
from resolvers.rules.near_misses import NearMiss, near_misses
from resolvers.rules.remedies import TO_ACTIVE, Need, RemedyActor, Way
from storage.records.values import ClientLinkStatus
from tests.builders import a_link, a_role, a_world, an_account_link, an_ad
from tests.oracle import AD, CARRYING, MANAGER, Oracle, Target, World, capabilities_on, forbidden_by_state
from tests.rules.judges import ad, manager
from tests.rules.product import Product, explanation
from tests.verifier import Remedy, needed, remedied, why_not
from tests.worlds import seeded_world

SEEDS = [range(start, start + 60) for start in range(60_000, 60_180, 60)]
OWNED = an_ad(7, owner=1)
OF_OTHERS = an_ad(7, owner=3)
LINKED = a_link(1, 2)


def misses(world: World, target: Target, capability: str, user: int = 1, context: int | None = None) -> list[NearMiss]:
    product = Product(world)
    facts, asked = product.facts, Capability(capability)
    named = None if context is None else facts.manager_accounts[context].id  # type: ignore[index]
    return near_misses(facts, product.assignments(user), product.target(target), asked, named)


def told(way: Way) -> str:
    """A way in short: what is done, and by whom or with what on which side."""
    if way.by != RemedyActor.USERS:
        return f"{way.kind}: {way.by}"
    return f"{way.kind}: " + " and ".join(f"{need.capability} on {_on(need)}" for need in way.needs)


def _on(need: Need) -> str:
    return f"ad {need.ad_account}" if need.manager_account is None else str(need.manager_account)


A_ROLE = "GIVE_ROLE: MANAGE_USERS on {0}"
A_GREAT_ROLE = "GIVE_ROLE: MANAGE_SUPER_ADMINS on {0}"
WIDER = "WIDEN_SCOPE: MANAGE_USERS on {0}"
BY_THE_SYSTEM = "GIVE_ROLE: SYSTEM_ADMINISTRATOR"
RELINKED = "RELINK: MANAGE_MANAGER_LINKS on {0} and MANAGE_MANAGER_LINKS on {1}"

CASES = [
    pytest.param(a_world(a_role("VIEWER"), OWNED), ad(7), "MANAGE_CAMPAIGNS", [A_ROLE.format(1)], id="a greater role"),
    pytest.param(
        a_world(a_role("STANDARD")),
        manager(1),
        "UPDATE_MANAGER_ACCOUNT",
        [A_GREAT_ROLE.format(1)],
        id="a role only Super Admins give",
    ),
    pytest.param(
        a_world(a_role("VIEWER"), a_role("SUPER_ADMIN", id=2, scope="EVERY_LINKED_ENTITY"), OWNED),
        ad(7),
        "MANAGE_CAMPAIGNS",
        [A_GREAT_ROLE.format(1)] * 2,
        id="a small role to who is a Super Admin there already",
    ),
    pytest.param(
        a_world(a_role("SUPER_ADMIN")), manager(1), "SIGN_UP_CUSTOMER", [BY_THE_SYSTEM], id="a role nobody here gives"
    ),
    pytest.param(
        a_world(a_role("STANDARD", scope="ONLY_ACCOUNTS", listed={8}), OWNED, an_ad(8, owner=1)),
        ad(7),
        "VIEW",
        [WIDER.format(1), A_ROLE.format(1)],
        id="a scope that could list the account",
    ),
    pytest.param(
        a_world(a_role("STANDARD", scope="ONLY_ACCOUNTS", listed={8}), LINKED, an_ad(7, owner=2), an_ad(8, owner=1)),
        ad(7),
        "VIEW",
        [A_ROLE.format(1)],
        id="a scope that cannot list what stands lower",
    ),
    pytest.param(
        a_world(a_role("SUPER_ADMIN", scope="ONLY_LINKED_ENTITIES", listed={4}), LINKED, a_link(1, 4)),
        manager(2),
        "VIEW",
        ["WIDEN_SCOPE: MANAGE_SUPER_ADMINS on 1", A_GREAT_ROLE.format(1)],
        id="a scope that could list the linked manager account",
    ),
    pytest.param(
        a_world(a_role("VIEWER", scope="EVERY_LINKED_ENTITY"), OWNED),
        ad(7),
        "VIEW",
        [A_ROLE.format(1)],
        id="linked entities never list what is owned",
    ),
    pytest.param(
        a_world(a_role("AGGREGATOR", scope="EVERY_LINKED_ENTITY"), OWNED),
        ad(7),
        "VIEW",
        [BY_THE_SYSTEM],
        id="the limit of an aggregator",
    ),
    pytest.param(
        a_world(a_role("SUPER_ADMIN"), a_link(1, 2, "STANDARD")),
        manager(2),
        "MANAGE_USERS",
        [RELINKED.format(1, 2), A_ROLE.format(2)],
        id="both sides relink, or a role below",
    ),
    pytest.param(
        a_world(a_role("SUPER_ADMIN"), LINKED, a_link(2, 3, "STANDARD"), a_link(3, 4)),
        manager(4),
        "MANAGE_SUPER_ADMINS",
        [RELINKED.format(2, 3), A_GREAT_ROLE.format(3)],
        id="a standard link in the middle",
    ),
    pytest.param(
        a_world(a_role("SUPER_ADMIN"), an_account_link(1, 7), OF_OTHERS),
        ad(7),
        "DELETE_AD_ACCOUNT",
        [A_GREAT_ROLE.format(3)],
        id="what an account link never carries",
    ),
    pytest.param(
        a_world(a_role("STANDARD"), an_account_link(1, 7), OF_OTHERS),
        ad(7),
        "VIEW_ACCOUNT_LINKS",
        [A_ROLE.format(3)],
        id="a lesser thing an account link never carries",
    ),
    *(
        pytest.param(
            a_world(a_role("VIEWER"), a_link(1, 2, status=status)),
            manager(2),
            "VIEW",
            [way],
            id=f"a {status} link",
        )
        for status, way in {
            "LINK_PENDING": "ACCEPT_LINK: MANAGE_MANAGER_LINKS on 2",
            "LINK_ACCEPTED": "WAIT: SERVICE",
            "LINK_IN_PROGRESS": "WAIT: SERVICE",
            "UNLINK_FAILED": "WAIT: SERVICE",
            **dict.fromkeys(
                (
                    "LINK_CANCELED",
                    "LINK_DECLINED",
                    "LINK_EXPIRED",
                    "LINK_FAILED",
                    "INACTIVE",
                    "UNLINK_CANCELED",
                    "UNLINK_REQUESTED",
                ),
                "SEND_LINK: MANAGE_MANAGER_LINKS on 1 and MANAGE_MANAGER_LINKS on 2",
            ),
        }.items()
    ),
    *(
        pytest.param(
            a_world(a_role("VIEWER"), an_account_link(1, 7, status=status), OF_OTHERS),
            ad(7),
            "VIEW",
            [way],
            id=f"an account link that is {status}",
        )
        for status, way in {
            "LINK_PENDING": "ACCEPT_LINK: MANAGE_ACCOUNT_LINKS on ad 7",
            "INACTIVE": "SEND_LINK: MANAGE_ACCOUNT_LINKS on 1 and MANAGE_ACCOUNT_LINKS on ad 7",
        }.items()
    ),
]


@pytest.mark.parametrize(("world", "target", "capability", "ways"), CASES)
def test_a_remedy_names_every_way_and_all_that_each_needs(
    world: World, target: Target, capability: str, ways: list[str]
) -> None:
    found = misses(world, target, capability)
    assert [told(way) for miss in found for way in miss.ways] == ways
    assert all(way.message in miss.remedy for miss in found for way in miss.ways)


def test_every_status_without_access_has_its_remedy() -> None:
    assert set(map(str, TO_ACTIVE)) | set(CARRYING) == set(map(str, ClientLinkStatus))
    assert not set(map(str, TO_ACTIVE)) & set(CARRYING)


def test_another_context_is_a_matter_of_the_caller() -> None:
    world = a_world(a_role("VIEWER"), an_account_link(1, 7), OF_OTHERS)
    [miss] = misses(world, ad(7), "VIEW", context=3)
    assert [(told(way), way.manager_account) for way in miss.ways] == [("NAME_CONTEXT: CALLER", 1)]


BESIDES = [
    pytest.param(
        a_world(a_role("VIEWER"), an_ad(7, owner=1, status="INACTIVE")), ad(7), "MANAGE_CAMPAIGNS", True, id="deleted"
    ),
    pytest.param(
        a_world(a_role("VIEWER"), OWNED, an_account_link(2, 7, status="LINK_IN_PROGRESS")),
        ad(7),
        "UPDATE_AD_ACCOUNT",
        True,
        id="another link in transition",
    ),
    pytest.param(
        a_world(a_role("STANDARD"), OF_OTHERS, an_account_link(1, 7, status="LINK_IN_PROGRESS")),
        ad(7),
        "UPDATE_AD_ACCOUNT",
        False,
        id="the very link that is to become active",
    ),
    pytest.param(a_world(a_role("VIEWER"), OWNED), ad(7), "UPDATE_AD_ACCOUNT", False, id="nothing else"),
]


@pytest.mark.parametrize(("world", "target", "capability", "more"), BESIDES)
def test_what_the_state_forbids_besides_is_told_with_the_remedy(
    world: World, target: Target, capability: str, more: bool
) -> None:
    found = misses(world, target, capability)
    assert found
    for miss in found:
        assert (miss.besides is not None) is more
        assert ("not enough" in miss.remedy) is more


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_each_way_opens_the_path_once_it_is_carried_out(seeds: range) -> None:
    seen: Counter[str] = Counter()
    for world in map(seeded_world, seeds):
        oracle = Oracle(world)
        for user in world.users:
            for target, answer in oracle.everything(user.id).items():
                for capability in sorted(capabilities_on(target.kind) - answer.allowed - answer.over_limit)[::3]:
                    for miss in misses(world, target, capability, user.id):
                        for way in miss.ways:
                            seen[way.kind] += 1
                            _check(world, user.id, target, capability, miss, way)
    assert len(seen) >= 6, seen


def _check(world: World, user: int, target: Target, capability: str, miss: NearMiss, way: Way) -> None:
    denied = explanation(user, target, miss.path, capability)._replace(context=None)
    needs = tuple((str(need.capability), _target(need)) for need in way.needs)
    remedy = Remedy(str(way.kind), way.role, way.user, way.manager_account, way.link, needs)
    after, claim = remedied(world, denied, remedy)
    assert why_not(after, claim, whatever_the_state=miss.besides is not None) is None, (denied, way)
    assert (capability in forbidden_by_state(after, target)) == (miss.besides is not None), (denied, way)
    assert needs == needed(world, denied, remedy), (denied, way)
    if miss.besides is None:
        assert capability in Oracle(after).effective(user, target).allowed


def _target(need: Need) -> Target:
    if need.manager_account is not None:
        return Target(MANAGER, need.manager_account)
    assert need.ad_account is not None
    return Target(AD, need.ad_account)
