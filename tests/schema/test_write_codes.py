"""Every code of the table is told by some mutation, with its number and its rule; and no other can be."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import pytest

from resolvers.invitation_writes import digest_of
from resolvers.rules.access_tokens import MOST_LIVE_TOKENS
from resolvers.rules.write_codes import OF_THE_CAPABILITY, WRITE_CODES, WriteCode, rule_of
from resolvers.session import Viewer
from resolvers.writing import refused
from storage.database import Database
from storage.entries import AssignmentEntry, ClientLinkEntry, LoginEntry, UserEntry, UserInvitationEntry
from storage.records.ids import AssignmentId, Instant, InvitationId, LoginId, ManagerAccountId, UserId
from storage.records.values import ClientLinkStatus, InvitationStatus, Role, TokenScope
from storage.tokens import NewToken, issue_token
from storage.writes import (
    begin_revision,
    continue_ids_after_given_ones,
    write_assignments,
    write_logins,
    write_user_invitations,
    write_users,
)
from tests.link_world import DAY_MS, SENT_MS, USER_NAME, a_link, accounts_of, build_link_world
from tests.schema.write_client import Writer, dump

NOW = SENT_MS + DAY_MS
ACTIVE, PENDING, DECLINED = ClientLinkStatus.ACTIVE, ClientLinkStatus.LINK_PENDING, ClientLinkStatus.LINK_DECLINED
OWN, OWN_TOO = accounts_of(1)
ACCOUNT = accounts_of(2)[0]
COLLEAGUES_LOGIN = "colleague@adventure.example"
LONELY_LOGIN = "lonely@adventure.example"
"""A login without users: with it any other can be merged."""
COLLEAGUE = 20
"""A Standard user of another login in manager account 1."""
SECRET = "adi_example"
ADDRESS = {"businessName": "Adventure", "line1": "1 Example Way", "city": "Redmond", "countryCode": "US"}
ONE_ROLE = "DELETE FROM assignment WHERE id NOT IN (1, 20)"


class Case(NamedTuple):
    """A mutation that is refused, the links there are, and what is changed in the store before."""

    mutation: str
    given: dict[str, Any]
    links: Collection[ClientLinkEntry] = ()
    sql: tuple[str, ...] = ()
    broke: Collection[int] = ()
    invitation: InvitationStatus | None = None
    first: tuple[str, dict[str, Any]] | None = None
    tokens: int = 1
    shows: bool = True
    """Whether the request shows an access token, as every one that comes through the door does."""
    acting: int | None = None
    administrates: bool = True


def _add(**link: Any) -> tuple[str, dict[str, Any]]:
    given = {"managingCustomerId": "3", "clientEntityId": str(ACCOUNT), "isBillToClient": True, **link}
    return "addClientLinks", {"links": [given]}


def _move(to: int = 3) -> tuple[str, dict[str, Any]]:
    return "moveClientLink", {"linkId": "1", "timeStamp": "1", "toManagingCustomerId": str(to)}


def _roles(user: int = COLLEAGUE, at: int = 1, **given: Any) -> tuple[str, dict[str, Any]]:
    return "updateUserRoles", {"customerId": str(at), "userId": str(user), **given}


def _manager(key: int = 1, **given: Any) -> tuple[str, dict[str, Any]]:
    told = {"customerId": str(key), "timeStamp": "1", "name": "Renamed", "industry": "RETAIL"}
    return "updateManagerAccount", {**told, **given}


def _account(**given: Any) -> tuple[str, dict[str, Any]]:
    return "updateAdAccount", {"accountId": str(OWN), "timeStamp": "1", "name": "Renamed", **given}


def _new(**given: Any) -> tuple[str, dict[str, Any]]:
    told = {"parentCustomerId": "1", "name": "New one", "currencyCode": "USD", "businessAddress": ADDRESS}
    return "addAdAccount", {**told, **given}


def _at(**address: Any) -> dict[str, Any]:
    return {"businessAddress": {**ADDRESS, **address}}


INDIA = _at(countryCode="IN", city="Mumbai", stateOrProvince="MH", postalCode="400001") | {"currencyCode": "INR"}
PAN, GSTIN = ({"key": key, "value": value} for key, value in (("PanNumber", "ABCPE1234F"), ("GSTINNumber", "27ABCD1")))


def _taxes(*taxes: dict[str, str]) -> dict[str, Any]:
    return {"taxInformation": list(taxes)}


def _token(**given: Any) -> tuple[str, dict[str, Any]]:
    return "issueAccessToken", {"label": "sync", "scopes": ["READ"], **given}


def _merge(name: str) -> tuple[str, dict[str, Any]]:
    return "consolidateLogins", {"primaryLogin": USER_NAME, "mergedLogins": [name]}


_revoke: tuple[str, dict[str, Any]] = ("revokeAccessToken", {"tokenId": "2"})
_accept: tuple[str, dict[str, Any]] = ("acceptUserInvitation", {"secret": SECRET})
_ = WriteCode
CASES: dict[WriteCode, Case] = {
    _.FORBIDDEN: Case("deleteManagerAccount", {"customerId": "1", "timeStamp": "1"}),
    _.NOT_FOUND: Case(*_manager(777)),
    _.MOVE_WOULD_WIDEN: Case(
        *_move(),
        [a_link(1, 1, ACCOUNT, ACTIVE, client_pays=True)],
        ("DELETE FROM assignment WHERE id NOT IN (1, 3)", "UPDATE assignment SET role = 'STANDARD' WHERE id = 1"),
    ),
    _.TIMESTAMP_NOT_MATCH: Case(*_manager(timeStamp="0")),
    _.REQUEST_ID_REUSED: Case(*_manager(2, requestId="one"), first=_manager(requestId="one")),
    _.BAD_USER_INPUT: Case(*_add(clientEntityNumber="X201")),
    _.API_INPUT_VALIDATION_ERROR: Case(*_new(currencyCode="XXX")),
    _.NULL_PARAMETER: Case(*_roles()),
    _.NAME_TOO_LONG: Case(*_manager(name="n" * 91)),
    _.LIST_NULL_OR_EMPTY: Case("addClientLinks", {"links": []}),
    _.BATCH_SIZE_EXCEEDED: Case("addClientLinks", {"links": _add()[1]["links"] * 11}),
    _.ID_MISMATCH: Case(
        "updateUser", {"userId": "20", "timeStamp": "1-20", "contactInfo": {"contactInfoId": "5", "phone1": "1"}}
    ),
    _.DATE_OUT_OF_RANGE: Case(*_add(startDate="9999-12-31T00:00:00Z")),
    _.OBJECT_STATE: Case(*_manager(), sql=("UPDATE manager_account SET status = 'INACTIVE' WHERE id = 1",)),
    _.INVALID_STATUS: Case(
        "updateClientLinks",
        {"links": [{"linkId": "1", "timeStamp": "1", "action": "ACCEPT"}]},
        [a_link(1, 1, 2, DECLINED)],
    ),
    _.ALREADY_LINKED: Case(*_move(1), [a_link(1, 1, 2, ACTIVE)]),
    _.ALREADY_OWNED: Case(*_add(managingCustomerId="2")),
    _.HIERARCHY_NOT_ALLOWED: Case(*_add(type="CUSTOMER_LINK", clientEntityId="3", isBillToClient=None)),
    _.LINK_PAIR_MISMATCH: Case(*_add(clientEntityCustomerNumber="C9")),
    _.CLIENT_LINK_INVITATION_ALREADY_SENT: Case(*_add(), [a_link(1, 3, ACCOUNT, PENDING, client_pays=True)]),
    _.CLIENT_ACCOUNT_MANAGED_BY_ANOTHER_AGENCY: Case(
        *_add(isBillToClient=False), [a_link(1, 4, ACCOUNT, ACTIVE, client_pays=False)]
    ),
    _.PREPAID_CLIENT_ACCOUNT_NOT_SUPPORTED: Case(*_add(), sql=("UPDATE ad_account SET payment_method_type = 'VBA'",)),
    _.ACCOUNT_LINK_TRANSITION_IN_PROGRESS: Case(*_add(), [a_link(1, 4, ACCOUNT, client_pays=True)]),
    _.BILLING_TRANSITION_FAILED: Case(*_move(), [a_link(1, 1, ACCOUNT, ACTIVE, client_pays=False)], broke=[3]),
    _.INVITATION_USED: Case(*_accept, invitation=InvitationStatus.ACCEPTED),
    _.INVITATION_CANCELED: Case(*_accept, invitation=InvitationStatus.CANCELED),
    _.INVITATION_EXPIRED: Case(*_accept, invitation=InvitationStatus.EXPIRED),
    _.USER_NOT_ACTIVE: Case(*_roles(newRole="VIEWER"), sql=("UPDATE app_user SET status = 'DELETED' WHERE id = 20",)),
    _.USER_IS_PRIMARY_CONTACT: Case(
        "deleteUser",
        {"userId": "20", "timeStamp": "1-20"},
        sql=(f"UPDATE ad_account SET primary_user_id = 20 WHERE id = {OWN}",),
    ),
    _.LAST_SUPER_ADMIN: Case(*_roles(2, 2, newRole="STANDARD", deleteRole="SUPER_ADMIN")),
    _.ROLE_CANNOT_BE_SCOPED: Case(*_roles(newRole="SUPER_ADMIN", newAccountIds=[str(OWN)])),
    _.ROLE_NOT_HELD: Case(*_roles(deleteRole="VIEWER")),
    _.ROLE_NOT_RESTRICTED: Case(*_roles(deleteRole="STANDARD", deleteAccountIds=[str(OWN)])),
    _.ACCOUNT_ID_INVALID: Case(*_roles(newRole="VIEWER", newAccountIds=[str(ACCOUNT)])),
    _.CUSTOMER_ID_INVALID: Case(*_roles(newRole="VIEWER", newCustomerIds=["5"])),
    _.ACCOUNT_LIFE_CYCLE_STATUS_FORBIDS_UPDATE: Case(
        *_account(), sql=(f"UPDATE ad_account SET status = 'INACTIVE' WHERE id = {OWN}",)
    ),
    _.DRAFT_ACCOUNT_EXISTS: Case(*_new(), sql=(f"UPDATE ad_account SET status = 'DRAFT' WHERE id = {OWN}",)),
    _.DUPLICATE_ACCOUNT_NAME: Case(*_account(name=f"Account {OWN_TOO}")),
    _.FINAL_BILLING_FAILED: Case(
        "deleteAdAccount",
        {"accountId": str(OWN), "timeStamp": "1"},
        sql=(f"UPDATE ad_account SET financial_status = 'HOLD' WHERE id = {OWN}",),
    ),
    _.PRIMARY_USER_NOT_FIT: Case(
        *_new(primaryUserId="20"), sql=("UPDATE assignment SET role = 'VIEWER' WHERE id = 20",)
    ),
    _.PRIMARY_USER_REQUIRED: Case(*_new(), sql=(ONE_ROLE, "UPDATE assignment SET role = 'AGGREGATOR' WHERE id = 1")),
    _.BILL_TO_CUSTOMER_ONLY: Case(
        *_account(paymentMethodId="1"), sql=(ONE_ROLE, "UPDATE assignment SET role = 'STANDARD' WHERE id = 1")
    ),
    _.PAYMENT_INSTRUMENT_OF_ANOTHER: Case(*_account(paymentMethodId="2")),
    _.INVOICE_ACCOUNT_BUSINESS_ADDRESS_NOT_ALLOWED: Case(
        *_account(**_at()), sql=("UPDATE ad_account SET payment_method_type = 'INVOICE'",)
    ),
    _.INVOICE_ACCOUNT_TAX_ID_NOT_ALLOWED: Case(
        *_account(**_taxes(PAN)), sql=("UPDATE ad_account SET payment_method_type = 'INVOICE'",)
    ),
    _.BUSINESS_ADDRESS_INVALID: Case(*_new(**_at(countryCode="ZZ"))),
    _.BUSINESS_ADDRESS_CURRENCY_MISMATCH: Case(*_new(**INDIA | {"currencyCode": "USD"})),
    _.CURRENCY_NOT_ACCEPTED_IN_LOCATION: Case(*_new(currencyCode="INR")),
    _.ADDRESS_LINE1_INVALID: Case(*_new(**_at(line1="1" * 36))),
    _.ADDRESS_LINE3_INVALID: Case(*_new(**_at(line3="1" * 36))),
    _.ADDRESS_CITY_INVALID: Case(*_new(**_at(city=" "))),
    _.ADDRESS_POSTAL_CODE_INVALID: Case(*_new(**_at(postalCode="X"))),
    _.TAX_INFORMATION_KEYS_INVALID: Case(*_new(**_taxes({"key": "Unknown", "value": "1"}))),
    _.TAX_INFORMATION_NOT_APPLICABLE: Case(*_new(**_taxes(PAN))),
    _.TAX_INFORMATION_READ_ONLY: Case(*_account(**_taxes(GSTIN))),
    _.GSTIN_INVALID: Case(*_new(**INDIA | _taxes(PAN, {"key": "GSTINNumber", "value": "X"}))),
    _.GSTIN_LOCATION_MISMATCH: Case(*_new(**INDIA | _taxes(PAN, {"key": "GSTINNumber", "value": "29ABCD1"}))),
    _.PAN_INVALID: Case(*_new(**INDIA | _taxes({"key": "PanNumber", "value": "X"}))),
    _.PAN_REQUIRED: Case(*_new(**INDIA)),
    _.TOKEN_REQUIRED: Case(*_token(), shows=False),
    _.TOKEN_REVOKED: Case(
        "revokeAccessToken", {"tokenId": "2"}, first=("revokeAccessToken", {"tokenId": "2"}), tokens=2
    ),
    _.TOKEN_SCOPE_EXCEEDED: Case(*_token(scopes=["ADMIN"])),
    _.TOKEN_LIFETIME_EXCEEDED: Case(*_token(lifetimeDays=2)),
    _.TOO_MANY_TOKENS: Case(*_token(), tokens=MOST_LIVE_TOKENS),
    _.ADMINISTRATORS_ONLY: Case(*_merge(LONELY_LOGIN), administrates=False),
    _.ASKED_AS_ONE_USER: Case(*_accept, invitation=InvitationStatus.PENDING, acting=3),
    _.LOGIN_ALREADY_MERGED: Case(*_merge(LONELY_LOGIN), first=_merge(LONELY_LOGIN)),
    _.LOGIN_MERGED_INTO_ITSELF: Case(*_merge(USER_NAME)),
    _.LOGINS_IN_CONFLICT: Case(*_merge(COLLEAGUES_LOGIN)),
}
del _


def build(database: Database, case: Case) -> None:
    """The world of links, a colleague, and what the case has besides."""
    build_link_world(database, links=case.links, broke=case.broke)
    login, user, home = LoginId(2), UserId(COLLEAGUE), ManagerAccountId(1)
    with database.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=SENT_MS)
        write_logins(tx, stamp, [LoginEntry(login, COLLEAGUES_LOGIN), LoginEntry(LoginId(3), LONELY_LOGIN)])
        write_users(tx, stamp, [UserEntry(user, login, home, is_original=True)])
        write_assignments(tx, stamp, [AssignmentEntry(AssignmentId(20), user, home, Role.STANDARD)])
        if case.invitation is not None:
            write_user_invitations(tx, stamp, [_invitation(case.invitation)])
        tx.execute("UPDATE app_user SET time_stamp = 1")
        for statement in case.sql:
            tx.execute(statement)
        continue_ids_after_given_ones(tx)


def _invitation(status: InvitationStatus) -> UserInvitationEntry:
    return UserInvitationEntry(
        id=InvitationId(1),
        manager_account_id=ManagerAccountId(4),
        email="guest@invited.example",
        first_name="Guest",
        last_name="Of Honour",
        role=Role.VIEWER,
        secret_digest=digest_of(SECRET),
        sent_at_ms=SENT_MS,
        expires_at_ms=SENT_MS + 30 * DAY_MS,
        status=status,
    )


def test_every_code_has_a_row_and_a_case() -> None:
    assert list(WRITE_CODES) == list(WriteCode)
    assert set(CASES) == set(WriteCode)


@pytest.mark.parametrize("code", CASES)
def test_a_code_is_told_with_its_number_and_rule_and_nothing_is_done(database: Database, code: WriteCode) -> None:
    case = CASES[code]
    build(database, case)
    asks = Writer(database, 1, NOW, acting=case.acting, administrates=case.administrates)
    with database.write() as tx:
        new = NewToken(LoginId(1), "test", frozenset({TokenScope.READ, TokenScope.WRITE}), NOW + DAY_MS)
        tokens = [issue_token(tx, new, NOW).id for _ in range(case.tokens)]
    if case.shows:
        held = frozenset({TokenScope.READ, TokenScope.WRITE})
        scopes = frozenset(TokenScope) if case.mutation == "consolidateLogins" else held
        known = asks.viewer
        assert isinstance(known, Viewer)
        asks.viewer = known._replace(scopes=scopes, token_id=tokens[0], token_expires_at=Instant(NOW + DAY_MS))
    if case.first is not None:
        asks.done(*case.first)
    before = dump(database)
    items = "results { userErrors { code number rule message } }" if case.mutation.endswith("ClientLinks") else ""
    payload = asks.payload(case.mutation, case.given, items)
    errors = payload["userErrors"] + [one for each in payload.get("results") or () for one in each["userErrors"]]
    [told] = {(one["number"], one["rule"]) for one in errors if one["code"] == code} or {(None, None)}
    number, rule, _ = WRITE_CODES[code]
    assert told[0] == number, errors
    assert (told[1] is not None) if rule == OF_THE_CAPABILITY else (told[1] == rule), errors
    assert dump(database) == before


def _named(code: WriteCode, rule: str | None) -> Callable[[], object]:
    return lambda: rule_of(code, rule)


@pytest.mark.parametrize(
    "raise_it",
    [
        pytest.param(lambda: refused("NO_SUCH_CODE", "No."), id="a code that is not listed"),  # type: ignore[arg-type]
        pytest.param(_named(WriteCode.NOT_FOUND, "C1"), id="a rule the table has not"),
        pytest.param(_named(WriteCode.FORBIDDEN, None), id="no rule where one is needed"),
    ],
)
def test_what_is_not_in_the_table_cannot_be_raised(raise_it: Callable[[], object]) -> None:
    with pytest.raises((KeyError, ValueError)):
        raise_it()
