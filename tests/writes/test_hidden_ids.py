"""In every mutation, an id or a number of what the writer may not see is answered like one of what is not there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from resolvers.invitation_writes import digest_of
from storage.billing import write_payment_instruments
from storage.database import Database
from storage.entries import (
    AdAccountEntry,
    AddressEntry,
    ContactInfoEntry,
    LoginEntry,
    ManagerAccountEntry,
    PaymentInstrumentEntry,
    UserEntry,
    UserInvitationEntry,
)
from storage.records.ids import AdAccountId, InvitationId, LoginId, ManagerAccountId, PaymentInstrumentId, UserId
from storage.records.values import Role, TokenScope
from storage.tokens import NewToken, issue_token
from storage.writes import (
    begin_revision,
    write_ad_accounts,
    write_addresses,
    write_client_links,
    write_contact_infos,
    write_logins,
    write_manager_accounts,
    write_user_invitations,
    write_users,
)
from tests.link_world import a_link
from tests.schema.write_client import NOW_MS, Writer, dump
from tests.stored_worlds import LONG_AGO_MS
from tests.writes.cells import ACTOR, store_cell
from tests.writes.inputs import GIVEN, MUTATIONS, Leaf, document_of, errors_in, leaves_of, put

HIDDEN, MISSING = "8001", "8999"
"""The id of one hidden thing of each kind, and an id of nothing; as numbers, with a letter before."""
ITS_CLIENT = 90_017
NAME = "Hidden Harbour"
IDS = frozenset(
    {
        *("customerId", "managingCustomerId", "toManagingCustomerId", "parentCustomerId"),
        *("newCustomerIds", "deleteCustomerIds", "linkedAgencyIds"),
        *("accountId", "accountIds", "newAccountIds", "deleteAccountIds", "clientEntityId"),
        *("userId", "primaryUserId", "linkId", "invitationId", "contactInfoId", "addressId", "tokenId"),
        *("paymentMethodId", "backupPaymentInstrumentId", "soldToPaymentInstrumentId"),
    }
)
NUMBERS = frozenset({"managingCustomerNumber", "clientEntityNumber", "clientEntityCustomerNumber"})
FOUND_BY_DESIGN = {
    "clientEntityId": "an agency sends links to clients it cannot see yet (fact sheet 8.2 T1)",
    "clientEntityNumber": "the same, by number",
    "linkedAgencyIds": "an owner names an agency it cannot see (fact sheet 3.2, LinkedAgencies)",
}
"""Where somebody must be able to name what he does not see, and why. What is told there names nothing else of it."""
NO_IDS = frozenset({"requestId"})


def named(leaf: Leaf) -> str:
    """The field of a place, whether it is one of a list or not."""
    return str(next(step for step in reversed(leaf.path) if isinstance(step, str)))


PLACES: list[tuple[str, Leaf]] = [
    (mutation, leaf) for mutation in MUTATIONS for leaf in leaves_of(mutation) if named(leaf) in IDS | NUMBERS
]


def hide(database: Database) -> None:
    """One thing of each kind that nobody of the cell's world has anything to do with."""
    key = int(HIDDEN)
    home, client = ManagerAccountId(key), ManagerAccountId(ITS_CLIENT)
    with database.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=LONG_AGO_MS)
        managers = [ManagerAccountEntry(one, f"N{one}", NAME) for one in (home, client)]
        write_manager_accounts(tx, stamp, managers)
        account = AdAccountEntry(AdAccountId(key), f"A{key}", NAME, home, bill_to_manager_account_id=home)
        write_ad_accounts(tx, stamp, [account])
        write_payment_instruments(tx, [PaymentInstrumentEntry(PaymentInstrumentId(key), home)])
        write_addresses(tx, stamp, [AddressEntry(key, NAME)])
        write_contact_infos(tx, stamp, [ContactInfoEntry(key, address_id=key, email="hidden@harbour.example")])
        write_logins(tx, stamp, [LoginEntry(LoginId(key), "hidden@harbour.example")])
        user = UserEntry(UserId(key), LoginId(key), home, is_original=True, last_name=NAME, contact_info_id=key)
        write_users(tx, stamp, [user])
        write_client_links(tx, stamp, [a_link(key, home, client)])
        invitation = UserInvitationEntry(
            id=InvitationId(key),
            manager_account_id=home,
            email="hidden@harbour.example",
            first_name="Hidden",
            last_name="Harbour",
            role=Role.VIEWER,
            secret_digest=digest_of("adi_hidden"),
            sent_at_ms=LONG_AGO_MS,
            expires_at_ms=NOW_MS + 86_400_000,
        )
        write_user_invitations(tx, stamp, [invitation])
        issue_token(tx, NewToken(LoginId(key), "hidden", frozenset({TokenScope.READ}), NOW_MS + 86_400_000), NOW_MS)
        tx.execute(f"UPDATE access_token SET id = {key}")


def answer(database: Database, mutation: str, leaf: Leaf, key: str) -> str:
    """The whole response, with what was sent taken out of it."""
    name = named(leaf)
    value = key if name in IDS else ("A" if name == "clientEntityNumber" else "N") + key
    given = put({**GIVEN[mutation], "dryRun": True}, leaf.path, value)
    if name in NUMBERS and name != "clientEntityCustomerNumber":
        # An end is named in one way.
        del given["links"][0][name.replace("Number", "Id")]
    if name == "addressId":
        given["contactInfo"]["contactInfoId"] = None
    response = Writer(database, ACTOR).execute(document_of(mutation), {"input": given})
    return json.dumps(response, sort_keys=True).replace(value, "#")


def test_every_id_and_number_of_every_mutation_is_tried() -> None:
    for mutation in MUTATIONS:
        for leaf in leaves_of(mutation):
            name = named(leaf)
            if leaf.scalar == "ID" or name.endswith(("Id", "Ids", "Number")):
                assert name in IDS | NUMBERS | NO_IDS or leaf.scalar == "Int", (mutation, leaf.path)


@pytest.mark.parametrize("role", ["SUPER_ADMIN", "STANDARD", "VIEWER"])
def test_what_is_hidden_is_answered_like_what_is_not_there(database: Database, role: str) -> None:
    store_cell(database, role, "direct")
    hide(database)
    before = dump(database)
    different = []
    for mutation, leaf in PLACES:
        hidden, missing = (answer(database, mutation, leaf, key) for key in (HIDDEN, MISSING))
        if named(leaf) in FOUND_BY_DESIGN:
            assert NAME not in hidden
            assert HIDDEN not in hidden
            assert str(ITS_CLIENT) not in hidden
        elif hidden != missing:
            different.append((mutation, leaf.field, hidden, missing))
    assert different == []
    assert dump(database) == before


def test_the_hidden_things_are_there(database: Database) -> None:
    store_cell(database, "SUPER_ADMIN", "direct")
    hide(database)
    with database.write() as tx:
        tx.execute(f"UPDATE app_user SET manager_account_id = {HIDDEN} WHERE id = {ACTOR}")
        tx.execute(f"UPDATE assignment SET manager_account_id = {HIDDEN} WHERE user_id = {ACTOR}")
    found = []
    for mutation, name in (
        ("updateManagerAccount", "customerId"),
        ("deleteAdAccount", "accountId"),
        ("deleteUser", "userId"),
        ("resendUserInvitation", "invitationId"),
    ):
        given: dict[str, Any] = {**GIVEN[mutation], name: HIDDEN, "dryRun": True}
        errors = errors_in(Writer(database, ACTOR).execute(document_of(mutation), {"input": given}), mutation)
        found += [error["code"] for error in errors]
    assert "NOT_FOUND" not in found
