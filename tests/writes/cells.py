"""The world of the matrix and one call of each kind of write in it, each on rows of its own.

The actor holds one role in two manager accounts: where the writes happen, and in a neighbour that can take links
over. He holds it directly, or from above through a customer link, or has nothing to do with either.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from resolvers.invitation_writes import digest_of
from storage.billing import write_payment_instruments
from storage.database import Database
from storage.entries import PaymentInstrumentEntry, UserInvitationEntry
from storage.records.ids import InvitationId, ManagerAccountId, PaymentInstrumentId, UserId
from storage.records.values import Role
from storage.writes import begin_revision, continue_ids_after_given_ones, write_user_invitations
from tests.builders import a_link, a_role, a_user, a_world, an_account_link, an_ad
from tests.oracle import World
from tests.schema.write_client import NOW_MS
from tests.stored_worlds import LONG_AGO_MS, write_world

ABOVE, HERE, OTHER, NEIGHBOUR = 1, 2, 3, 7
ACTOR, CONTACT = 1, 50
ROLES = ("VIEWER", "CAMPAIGN_MANAGER", "STANDARD", "SUPER_ADMIN", "AGGREGATOR")
WAYS = ("direct", "ADMINISTRATIVE", "STANDARD", "none")
INVITED_AS = {1: Role.VIEWER, 2: Role.VIEWER, 3: Role.SUPER_ADMIN, 4: Role.SUPER_ADMIN, 5: Role.VIEWER}
"""The invitations that wait, by id."""
USERS_HERE = {51: "VIEWER", 52: "VIEWER", 53: "VIEWER", 54: "VIEWER", 55: "SUPER_ADMIN", 56: "SUPER_ADMIN"}
USERS_HERE |= {57: "SUPER_ADMIN", 58: "STANDARD"}
"""Users the calls are about, besides the Super Admin who always stays."""


class Call(NamedTuple):
    """One mutation as it is sent, what the product's table says it needs, and who may by the documented matrix.

    `direct` and `standard` are letters of roles: V, C, S, A, G; the second is what a Standard link leaves of them.
    """

    mutation: str
    given: dict[str, Any]
    needs: tuple[str, ...]
    direct: str
    standard: str


ADDRESS = {"businessName": "Adventure", "line1": "1 Example Way", "city": "Redmond", "countryCode": "US"}
PERSON = {"customerId": str(HERE), "email": "kim@user.example", "firstName": "Kim", "lastName": "Larsen"}
USERS, SUPER_ADMINS = ("MANAGE_USERS",), ("MANAGE_USERS", "MANAGE_SUPER_ADMINS")
ACCOUNT_LINKS, MANAGER_LINKS = ("MANAGE_ACCOUNT_LINKS",), ("MANAGE_MANAGER_LINKS",)


def _to_account(account: int) -> dict[str, Any]:
    return {"managingCustomerId": str(HERE), "clientEntityId": str(account), "isBillToClient": True}


def _to_customer(customer: int) -> dict[str, Any]:
    return {"type": "CUSTOMER_LINK", "managingCustomerId": str(HERE), "clientEntityId": str(customer)}


def _change(link: int, action: str | None) -> dict[str, Any]:
    said = {"note": "Seen."} if action is None else {"action": action}
    return {"links": [{"linkId": str(link), "timeStamp": "1", **said}]}


def _move(link: int) -> dict[str, Any]:
    return {"linkId": str(link), "timeStamp": "1", "toManagingCustomerId": str(NEIGHBOUR)}


def _user(user: int, **values: Any) -> dict[str, Any]:
    return {"userId": str(user), "timeStamp": f"1-{user}", **values}


def _roles(user: int, **values: Any) -> dict[str, Any]:
    return {"customerId": str(HERE), "userId": str(user), **values}


def _account(account: int, **values: Any) -> dict[str, Any]:
    return {"accountId": str(account), "timeStamp": "1", **values}


def _invitation(number: int) -> dict[str, Any]:
    return {"invitationId": str(number)}


def secret_of(number: int) -> str:
    """What opens a waiting invitation."""
    return f"adi_example-{number}"


_CUSTOMER = {"customerId": str(HERE), "timeStamp": "1"}
_NEW_ACCOUNT = {"parentCustomerId": str(HERE), "name": "New one", "currencyCode": "USD", "businessAddress": ADDRESS}
CALLS: dict[str, Call] = {
    "change a manager account": Call(
        "updateManagerAccount",
        {**_CUSTOMER, "name": "Renamed", "industry": "RETAIL"},
        ("UPDATE_MANAGER_ACCOUNT",),
        "AG",
        "",
    ),
    "delete a manager account": Call("deleteManagerAccount", _CUSTOMER, ("NOBODY",), "", ""),
    "add an account": Call(
        "addAdAccount", {**_NEW_ACCOUNT, "primaryUserId": str(CONTACT)}, ("ADD_AD_ACCOUNT",), "AG", "AG"
    ),
    "change an account's tags": Call(
        "updateAdAccount",
        _account(20, name="Ad 20", autoTagType="REPLACE"),
        ("SET_AUTO_TAG",),
        "CSAG",
        "CSAG",
    ),
    "delete an account": Call("deleteAdAccount", _account(21), ("DELETE_AD_ACCOUNT",), "AG", "AG"),
    "invite a Viewer": Call("sendUserInvitation", {**PERSON, "roleId": 100}, USERS, "SAG", ""),
    "invite a Campaign Manager": Call("sendUserInvitation", {**PERSON, "roleId": 16}, USERS, "SAG", ""),
    "invite a Standard user": Call("sendUserInvitation", {**PERSON, "roleId": 203}, USERS, "SAG", ""),
    "invite a Super Admin": Call("sendUserInvitation", {**PERSON, "roleId": 41}, SUPER_ADMINS, "AG", ""),
    "invite an Aggregator": Call("sendUserInvitation", {**PERSON, "roleId": 33}, ("NOBODY",), "", ""),
    "invite a Viewer again": Call("resendUserInvitation", _invitation(1), USERS, "SAG", ""),
    "withdraw a Viewer's invitation": Call("cancelUserInvitation", _invitation(2), USERS, "SAG", ""),
    "invite a Super Admin again": Call("resendUserInvitation", _invitation(3), SUPER_ADMINS, "AG", ""),
    "withdraw a Super Admin's invitation": Call("cancelUserInvitation", _invitation(4), SUPER_ADMINS, "AG", ""),
    "change a Viewer": Call("updateUser", _user(51, jobTitle="Buyer"), USERS, "SAG", ""),
    "delete a Viewer": Call("deleteUser", _user(52), USERS, "SAG", ""),
    "give a Viewer a role": Call("updateUserRoles", _roles(53, newRoleId=203), USERS, "SAG", ""),
    "take a Viewer's role": Call("updateUserRoles", _roles(54, deleteRoleId=100), USERS, "SAG", ""),
    "change a Super Admin": Call("updateUser", _user(55, jobTitle="Buyer"), SUPER_ADMINS, "AG", ""),
    "delete a Super Admin": Call("deleteUser", _user(56), SUPER_ADMINS, "AG", ""),
    "take a Super Admin's role": Call("updateUserRoles", _roles(57, deleteRoleId=41), SUPER_ADMINS, "AG", ""),
    "make a Super Admin": Call("updateUserRoles", _roles(58, newRoleId=41), SUPER_ADMINS, "AG", ""),
    "send an account link": Call("addClientLinks", {"links": [_to_account(30)]}, ACCOUNT_LINKS, "SAG", "SAG"),
    "accept an account link": Call("updateClientLinks", _change(1, "ACCEPT"), ACCOUNT_LINKS, "SAG", "SAG"),
    "decline an account link": Call("updateClientLinks", _change(2, "DECLINE"), ACCOUNT_LINKS, "SAG", "SAG"),
    "cancel an account link": Call("updateClientLinks", _change(3, "CANCEL"), ACCOUNT_LINKS, "SAG", "SAG"),
    "undo an account link": Call("updateClientLinks", _change(4, "REQUEST_UNLINK"), ACCOUNT_LINKS, "SAG", "SAG"),
    "annotate an account link": Call("updateClientLinks", _change(5, None), ACCOUNT_LINKS, "SAG", "SAG"),
    "move an account link": Call("moveClientLink", _move(6), (*ACCOUNT_LINKS, "TAKE_OVER_BILLING"), "AG", "AG"),
    "send a customer link": Call("addClientLinks", {"links": [_to_customer(10)]}, MANAGER_LINKS, "AG", ""),
    "accept a customer link": Call("updateClientLinks", _change(11, "ACCEPT"), MANAGER_LINKS, "AG", ""),
    "decline a customer link": Call("updateClientLinks", _change(12, "DECLINE"), MANAGER_LINKS, "AG", ""),
    "cancel a customer link": Call("updateClientLinks", _change(13, "CANCEL"), MANAGER_LINKS, "AG", ""),
    "undo a customer link": Call("updateClientLinks", _change(14, "REQUEST_UNLINK"), MANAGER_LINKS, "AG", ""),
    "annotate a customer link": Call("updateClientLinks", _change(15, None), MANAGER_LINKS, "AG", ""),
    "move a customer link": Call("moveClientLink", _move(16), MANAGER_LINKS, "AG", ""),
}
"""Each kind of write, in an order in which all of them can be done one after the other.

Accepting an invitation is not here: whoever knows its secret may.
"""


def world_of(role: str, way: str) -> World:
    """Everything the calls are about, and the actor with his role at the end of one way."""
    at = (HERE, NEIGHBOUR) if way == "direct" else (ABOVE,)
    ways = [a_link(ABOVE, one, way, id=90 + one) for one in (HERE, NEIGHBOUR) if way in ("ADMINISTRATIVE", "STANDARD")]
    actor = [a_user(ACTOR + 100 * nth, of=one, login=ACTOR, original=nth == 0) for nth, one in enumerate(at)]
    roles = [a_role(role, at=user.manager_account, user=user.id, id=user.id) for user in actor]
    return a_world(
        *actor,
        *roles,
        a_user(CONTACT, of=HERE, login=CONTACT),
        a_role(at=HERE, user=CONTACT, id=CONTACT),
        *(a_user(key, of=HERE, login=key) for key in USERS_HERE),
        *(a_role(held, at=HERE, user=key, id=key) for key, held in USERS_HERE.items()),
        *(an_ad(key, owner=HERE) for key in (20, 21, 22, 23)),
        *(an_ad(key, owner=OTHER) for key in range(30, 35)),
        an_account_link(OTHER, 22, status="LINK_PENDING", id=1),
        an_account_link(OTHER, 23, status="LINK_PENDING", id=2),
        an_account_link(HERE, 31, status="LINK_PENDING", id=3),
        an_account_link(HERE, 32, id=4),
        an_account_link(HERE, 33, id=5),
        an_account_link(HERE, 34, id=6),
        a_link(OTHER, HERE, status="LINK_PENDING", id=11),
        a_link(4, HERE, status="LINK_PENDING", id=12),
        a_link(HERE, 5, status="LINK_PENDING", id=13),
        a_link(HERE, 6, id=14),
        a_link(HERE, 8, id=15),
        a_link(HERE, 9, id=16),
        a_link(NEIGHBOUR, 10, status="LINK_DECLINED", id=17),
        *ways,
    )


def store_cell(database: Database, role: str, way: str) -> None:
    """Write that world, with invitations that wait and manager accounts that can pay."""
    world = world_of(role, way)
    customers = [ManagerAccountId(one.id) for one in world.manager_accounts]
    with database.write() as tx:
        write_world(tx, world)
        write_payment_instruments(tx, [PaymentInstrumentEntry(PaymentInstrumentId(int(key)), key) for key in customers])
        stamp = begin_revision(tx, operation="test", at_ms=LONG_AGO_MS)
        write_user_invitations(tx, stamp, [_waiting(number, held) for number, held in INVITED_AS.items()])
        continue_ids_after_given_ones(tx)


def _waiting(number: int, role: Role) -> UserInvitationEntry:
    return UserInvitationEntry(
        id=InvitationId(number),
        manager_account_id=ManagerAccountId(HERE),
        email=f"guest{number}@invited.example",
        first_name="Guest",
        last_name="Of Honour",
        role=role,
        secret_digest=digest_of(secret_of(number)),
        sent_at_ms=LONG_AGO_MS,
        expires_at_ms=NOW_MS + 86_400_000,
        inviter_user_id=UserId(CONTACT),
    )
