"""A move is no way round the client: whoever comes to the new managing side gets nothing the mover could not give."""

from __future__ import annotations

from typing import Any

import pytest

from storage.database import Database
from tests.builders import a_link, a_login, a_role, a_user, a_world, an_account_link, an_ad, an_aggregation
from tests.oracle import CustomerLink, World
from tests.writes.dealings import Dealings
from tests.writes.test_escalation import gained

NEW, OLD, CLIENT, ABOVE = 1, 2, 3, 4
MOVER, ADMIN_OF_NEW, GUEST = 1, 11, 21
ACCOUNT, LINK = 30, 500
INVITATION = {
    "customerId": str(NEW),
    "email": "kim@user.example",
    "firstName": "Kim",
    "lastName": "Larsen",
    "role": "SUPER_ADMIN",
}
LOWERED = {"customerId": str(NEW), "userId": "1", "newRole": "STANDARD", "deleteRole": "SUPER_ADMIN"}


def company(*more: Any, old_role: str = "STANDARD") -> World:
    """The mover leads NEW and holds a role in OLD, which manages an ad account of CLIENT."""
    return a_world(
        a_user(MOVER, of=NEW, login=MOVER),
        a_user(101, of=OLD, login=MOVER, original=False),
        a_role(at=NEW, user=MOVER, id=1),
        a_role(old_role, at=OLD, user=101, id=2),
        *(a_user(10 + one, of=one, login=10 + one) for one in (NEW, OLD, CLIENT, ABOVE)),
        *(a_role(at=one, user=10 + one, id=10 + one) for one in (NEW, OLD, CLIENT, ABOVE)),
        a_login(GUEST),
        an_ad(ACCOUNT, owner=CLIENT),
        an_account_link(OLD, ACCOUNT, id=LINK),
        *more,
    )


def dealing(database: Database, world: World) -> Dealings:
    return Dealings(database, world, lambda count: 0)


def move(dealings: Dealings, to: int = NEW, link: int = LINK) -> bool:
    given = {"linkId": str(link), "timeStamp": dealings._stamp("client_link", link), "toManagingCustomerId": str(to)}
    return dealings.send(MOVER, "moveClientLink", given)


@pytest.mark.parametrize("when", ["before he moves", "after he has moved"])
def test_whoever_he_invites_to_the_new_side_gains_nothing_he_did_not_hold(database: Database, when: str) -> None:
    dealings = dealing(database, company())
    before = dealings.world()
    assert dealings.send(MOVER, "sendUserInvitation", INVITATION)
    [secret] = dealings._secrets
    if when == "before he moves":
        assert dealings.send(GUEST, "acceptUserInvitation", {"secret": secret})
    assert dealings.send(MOVER, "updateUserRoles", LOWERED)
    move(dealings)
    if when == "after he has moved":
        assert dealings.send(GUEST, "acceptUserInvitation", {"secret": secret})
    for login in (MOVER, GUEST, ADMIN_OF_NEW):
        assert gained(before, dealings.world(), login) == [], login


def test_what_an_aggregator_has_not_over_the_links_of_whom_it_signed_up_it_cannot_pass_on(database: Database) -> None:
    """P13: an aggregation gives the manager account and its ad accounts, and nothing behind its links."""
    signed_up = (an_aggregation(ABOVE, OLD, id=1), an_aggregation(ABOVE, NEW, id=2))
    led = (a_user(102, of=ABOVE, login=MOVER, original=False), a_role("AGGREGATOR", at=ABOVE, user=102, id=3))
    dealings = dealing(database, company(*signed_up, *led, old_role="VIEWER"))
    assert not move(dealings)


CUSTOMER_LINKS = {"a client that has clients": "ADMINISTRATIVE", "a client under a standard link": "STANDARD"}


@pytest.mark.parametrize("permission", CUSTOMER_LINKS.values(), ids=CUSTOMER_LINKS)
def test_a_client_moves_with_all_below_him_by_who_leads_both_sides(database: Database, permission: str) -> None:
    below: tuple[CustomerLink, ...] = (a_link(OLD, CLIENT, permission, id=501), a_link(CLIENT, 5, "STANDARD", id=502))
    world = company(*below, an_ad(50, owner=5), an_account_link(CLIENT, 50, id=503), old_role="SUPER_ADMIN")
    dealings = dealing(database, world)
    before = dealings.world()
    assert dealings.send(MOVER, "sendUserInvitation", INVITATION)
    assert dealings.send(MOVER, "updateUserRoles", LOWERED)
    # Standard in the new managing side: he may not manage its customer links any more.
    assert not move(dealings, link=501)
    given = {"customerId": str(NEW), "userId": "1", "newRole": "SUPER_ADMIN", "deleteRole": "STANDARD"}
    assert dealings.send(ADMIN_OF_NEW, "updateUserRoles", given)
    assert move(dealings, link=501)
    assert dealings.send(GUEST, "acceptUserInvitation", {"secret": dealings._secrets[0]})
    for login in (MOVER, GUEST, ADMIN_OF_NEW):
        first = {target: None for target, _ in gained(before, dealings.world(), login)}
        # What the new side's own people hold at home is theirs; of the client and all below him nobody has more.
        assert not {target for target in first if target.id in (CLIENT, 30, 5, 50)}, login
