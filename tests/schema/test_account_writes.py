"""Adding, changing and deleting accounts through the graph, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from storage import writes
from storage.billing import write_payment_instruments
from storage.database import Database
from storage.entries import PaymentInstrumentEntry
from storage.models import AdAccount
from storage.records.ids import AdAccountId, ManagerAccountId, PaymentInstrumentId
from storage.records.values import AdAccountFinancialStatus, PaymentMethodType
from tests.builders import a_link, a_role, a_user, a_world, an_account_link, an_ad, an_aggregation
from tests.schema.write_client import NOW_MS, Writer, dump
from tests.stored_worlds import write_world

AGENCY, OWNER, OTHER = 1, 2, 3
ADMIN, CAMPAIGNS, AGENT, STRANGER, AGGREGATOR, SUPPORT, VIEWER = 1, 2, 3, 4, 5, 6, 7
ACCOUNT, LINKED, DELETED, MOVING, CLIENTS = 20, 21, 22, 23, 50
CARD, INVOICE, BROKEN, AGENCYS, CLIENTS_CARD = 901, 902, 903, 904, 905
ADDRESS = {"businessName": "Adventure", "line1": "1 Example Way", "city": "Redmond", "countryCode": "US"}
NEW = {"parentCustomerId": str(OWNER), "name": "New one", "currencyCode": "USD", "businessAddress": ADDRESS}
INDIA = {**ADDRESS, "city": "Mumbai", "countryCode": "IN", "stateOrProvince": "MH", "postalCode": "400001"}
BRAZIL = {**ADDRESS, "city": "São Paulo", "countryCode": "BR", "stateOrProvince": "SP", "postalCode": "01000-000"}


@pytest.fixture
def accounts(database: Database) -> Database:
    """An agency over an owner by a standard link; the owner's people; an aggregator with a client."""
    world = a_world(
        *(
            a_user(id, of=of, login=id)
            for id, of in {ADMIN: 2, CAMPAIGNS: 2, AGENT: 1, STRANGER: 3, AGGREGATOR: 4, SUPPORT: 2, VIEWER: 2}.items()
        ),
        a_role("SUPER_ADMIN", at=OWNER, user=ADMIN, id=1),
        a_role("CAMPAIGN_MANAGER", at=OWNER, user=CAMPAIGNS, id=2),
        a_role("SUPER_ADMIN", at=AGENCY, user=AGENT, id=3),
        a_role("SUPER_ADMIN", at=OTHER, user=STRANGER, id=4),
        a_role("AGGREGATOR", at=4, user=AGGREGATOR, id=5),
        a_role("SUPER_ADMIN", at=4, user=AGGREGATOR, id=6),
        a_role("STANDARD", at=OWNER, user=SUPPORT, id=7),
        a_role("VIEWER", at=OWNER, user=VIEWER, id=8),
        a_link(AGENCY, OWNER, "STANDARD"),
        an_ad(ACCOUNT, owner=OWNER),
        an_ad(LINKED, owner=OWNER),
        an_ad(DELETED, owner=OWNER, status="INACTIVE"),
        an_ad(MOVING, owner=OWNER),
        an_ad(CLIENTS, owner=5),
        an_account_link(OTHER, LINKED),
        an_account_link(OTHER, MOVING, status="LINK_IN_PROGRESS"),
        an_aggregation(4, 5),
    )
    owners = {CARD: OWNER, INVOICE: OWNER, BROKEN: OWNER, AGENCYS: AGENCY, CLIENTS_CARD: 5}
    with database.write() as transaction:
        write_world(transaction, world)
        write_payment_instruments(
            transaction,
            [
                PaymentInstrumentEntry(
                    PaymentInstrumentId(key),
                    ManagerAccountId(owner),
                    PaymentMethodType.INVOICE if key == INVOICE else PaymentMethodType.CREDIT_CARD,
                    key != BROKEN,
                )
                for key, owner in owners.items()
            ],
        )
        writes.continue_ids_after_given_ones(transaction)
    return database


def stamp_of(database: Database, account: int) -> str:
    with database.read() as transaction:
        query = AdAccount.select(AdAccount.time_stamp).where(AdAccount.id == account)
        [(stamp,)] = transaction.run(query).fetchall()
    return str(stamp)


def the_change(database: Database, account: int = ACCOUNT, **changes: Any) -> dict[str, Any]:
    return {"accountId": str(account), "timeStamp": stamp_of(database, account), "name": f"Ad {account}", **changes}


SHOWN = """adAccount { accountId number name lifeCycleStatus currencyCode timeZone language autoTagType primaryUserId
  parentCustomerId timeStamp businessAddress { line1 line2 city } taxInformation { key value }
  billing { paymentMethodId paymentMethodType soldToPaymentInstrumentId thresholdAmount }
  billTo { customerId reason } clientLinks { nodes { managingCustomerId status isBillToClient } } }"""


# Adding


def test_a_new_ad_account_is_a_draft_with_the_documented_defaults(accounts: Database) -> None:
    account = Writer(accounts, ADMIN).done("addAdAccount", NEW, SHOWN)["adAccount"]
    assert len(account["number"]) == 8
    assert account["number"].isalnum()
    assert account["lifeCycleStatus"] == "DRAFT"
    assert account["timeZone"] == "PacificTimeUSCanadaTijuana"
    assert (account["autoTagType"], account["language"]) == ("INACTIVE", "ENGLISH")
    assert account["primaryUserId"] == str(ADMIN)
    assert account["billTo"] == {"customerId": str(OWNER), "reason": "OWNER"}


def test_an_agency_over_a_standard_link_may_add_and_is_the_primary_contact(accounts: Database) -> None:
    account = Writer(accounts, AGENT).done("addAdAccount", NEW, SHOWN)["adAccount"]
    assert account["primaryUserId"] == str(AGENT)


def test_there_is_no_second_draft(accounts: Database) -> None:
    writer = Writer(accounts, ADMIN)
    writer.done("addAdAccount", NEW)
    error = writer.refused("addAdAccount", {**NEW, "name": "Another"})
    assert (error["code"], error["number"]) == ("DRAFT_ACCOUNT_EXISTS", 202)


def test_a_valid_payment_method_makes_a_draft_active(accounts: Database) -> None:
    writer = Writer(accounts, ADMIN)
    account = writer.done("addAdAccount", {**NEW, "paymentMethodId": str(BROKEN)}, SHOWN)["adAccount"]
    given = {"accountId": account["accountId"], "timeStamp": account["timeStamp"], "name": "New one"}
    still = writer.done("updateAdAccount", {**given, "paymentMethodId": str(BROKEN)}, SHOWN)["adAccount"]
    assert still["lifeCycleStatus"] == "DRAFT"
    given["timeStamp"] = still["timeStamp"]
    now = writer.done("updateAdAccount", {**given, "paymentMethodId": str(CARD)}, SHOWN)["adAccount"]
    assert now["lifeCycleStatus"] == "ACTIVE"
    assert now["billing"]["paymentMethodId"] == str(CARD)
    writer.done("addAdAccount", {**NEW, "name": "Another"})


@pytest.mark.parametrize(
    ("given", "code", "number", "field"),
    [
        ({"name": "ab"}, "API_INPUT_VALIDATION_ERROR", 201, ["name"]),
        ({"name": "x" * 101}, "NAME_TOO_LONG", 211, ["name"]),
        ({"name": f"Ad {ACCOUNT}"}, "DUPLICATE_ACCOUNT_NAME", 202, ["name"]),
        ({"currencyCode": "AED"}, "API_INPUT_VALIDATION_ERROR", 201, ["currencyCode"]),
        ({"currencyCode": "BRL"}, "CURRENCY_NOT_ACCEPTED_IN_LOCATION", 1142, ["businessAddress", "countryCode"]),
        ({"timeZone": "Nowhere"}, "API_INPUT_VALIDATION_ERROR", 201, ["timeZone"]),
        ({"businessAddress": {}}, "BUSINESS_ADDRESS_INVALID", 1140, ["businessAddress", "businessName"]),
        (
            {"businessAddress": {**ADDRESS, "city": None}},
            "ADDRESS_CITY_INVALID",
            200,
            ["businessAddress", "city"],
        ),
        (
            {"businessAddress": {**ADDRESS, "line1": "x" * 36}},
            "ADDRESS_LINE1_INVALID",
            205,
            ["businessAddress", "line1"],
        ),
        ({"businessAddress": {**ADDRESS, "countryCode": "ZZ"}}, "BUSINESS_ADDRESS_INVALID", 1140, None),
        ({"businessAddress": {**ADDRESS, "stateOrProvince": "US-WA"}}, "BUSINESS_ADDRESS_INVALID", 1140, None),
        ({"businessAddress": INDIA}, "PAN_REQUIRED", 1148, ["taxInformation"]),
        (
            {"businessAddress": {**INDIA, "postalCode": None}},
            "ADDRESS_POSTAL_CODE_INVALID",
            209,
            ["businessAddress", "postalCode"],
        ),
        (
            {"taxInformation": [{"key": "VATNumber", "value": "DE1"}]},
            "TAX_INFORMATION_NOT_APPLICABLE",
            1144,
            ["taxInformation"],
        ),
        (
            {"taxInformation": [{"key": "Nothing", "value": "1"}]},
            "TAX_INFORMATION_KEYS_INVALID",
            1145,
            ["taxInformation", "0"],
        ),
        ({"primaryUserId": str(CAMPAIGNS)}, "PRIMARY_USER_NOT_FIT", 201, ["primaryUserId"]),
        ({"primaryUserId": str(STRANGER)}, "NOT_FOUND", 210, ["primaryUserId"]),
        ({"primaryUserId": "777"}, "NOT_FOUND", 210, ["primaryUserId"]),
        ({"paymentMethodId": "777"}, "NOT_FOUND", 210, ["paymentMethodId"]),
        ({"paymentMethodId": str(AGENCYS)}, "NOT_FOUND", 210, ["paymentMethodId"]),
        ({"linkedAgencyIds": [str(OTHER), str(AGENCY)]}, "API_INPUT_VALIDATION_ERROR", 201, ["linkedAgencyIds"]),
        ({"linkedAgencyIds": [str(OWNER)]}, "ALREADY_OWNED", 202, ["linkedAgencyIds"]),
        ({"linkedAgencyIds": ["777"]}, "NOT_FOUND", 210, ["linkedAgencyIds"]),
    ],
)
def test_what_an_ad_account_may_not_be(
    accounts: Database, given: dict[str, Any], code: str, number: int, field: list[str] | None
) -> None:
    error = Writer(accounts, ADMIN).refused("addAdAccount", {**NEW, **given})
    assert (error["code"], error["number"]) == (code, number)
    assert field is None or error["field"] == field


def test_everything_wrong_is_told_at_once(accounts: Database) -> None:
    given = {**NEW, "name": "x", "currencyCode": "???", "primaryUserId": "777"}
    errors = Writer(accounts, ADMIN).payload("addAdAccount", given)["userErrors"]
    assert {tuple(error["field"]) for error in errors} >= {("name",), ("currencyCode",), ("primaryUserId",)}


@pytest.mark.parametrize("login", [CAMPAIGNS, SUPPORT, VIEWER])
def test_only_super_admins_and_aggregators_add(accounts: Database, login: int) -> None:
    error = Writer(accounts, login).refused("addAdAccount", NEW)
    assert (error["number"], error["rule"]) == (106, "C9")


def test_adding_where_nothing_is_seen_is_as_adding_nowhere(accounts: Database) -> None:
    hidden = Writer(accounts, STRANGER).refused("addAdAccount", NEW)
    missing = Writer(accounts, STRANGER).refused("addAdAccount", {**NEW, "parentCustomerId": "777"})
    assert hidden == missing


@pytest.mark.parametrize(
    ("address", "currency", "taxes"),
    [
        (INDIA, "INR", {"PanNumber": "ABCDE1234F", "GSTINNumber": "27ABCDE1234F1Z5"}),
        (BRAZIL, "BRL", {"CNPJ": "12.345.678/0001-00", "CCM": "1.234.567-8"}),
        (BRAZIL, "BRL", {"CPF": "123.456.789-00"}),
        ({**ADDRESS, "city": "Perth", "countryCode": "AU"}, "AUD", {"AUGSTNumber": "12345678901"}),
        ({**ADDRESS, "city": "Athens", "countryCode": "GR"}, "EUR", {"VATNumber": "EL123456789"}),
        ({**ADDRESS, "city": "Singapore", "countryCode": "SG"}, "SGD", {"GSTNumber": "M2-1234567-8"}),
        ({**ADDRESS, "city": "Auckland", "countryCode": "NZ"}, "NZD", {"NZGSTNumber": "123456789"}),
        ({**ADDRESS, "city": "Paris", "countryCode": "FR"}, "EUR", {}),
    ],
)
def test_each_country_has_its_own_tax_ids(
    accounts: Database, address: dict[str, str], currency: str, taxes: dict[str, str]
) -> None:
    listed = [{"key": key, "value": value} for key, value in taxes.items()]
    given = {**NEW, "businessAddress": address, "currencyCode": currency, "taxInformation": listed}
    account = Writer(accounts, ADMIN).done("addAdAccount", given, SHOWN)["adAccount"]
    assert {one["key"]: one["value"] for one in account["taxInformation"]} == taxes


def test_an_agency_named_while_adding_gets_a_pending_link_and_may_lend_the_contact(accounts: Database) -> None:
    given = {**NEW, "linkedAgencyIds": [str(AGENCY)], "primaryUserId": str(AGENT)}
    account = Writer(accounts, AGENT).done("addAdAccount", given, SHOWN)["adAccount"]
    assert account["clientLinks"]["nodes"] == [
        {"managingCustomerId": str(AGENCY), "status": "LINK_PENDING", "isBillToClient": True}
    ]


def test_an_aggregator_pays_for_what_its_client_adds_and_needs_the_clients_instrument(accounts: Database) -> None:
    writer = Writer(accounts, AGGREGATOR)
    given = {**NEW, "parentCustomerId": "5"}
    error = writer.refused("addAdAccount", given)
    assert (error["number"], error["field"]) == (203, ["soldToPaymentInstrumentId"])
    agencies = writer.refused("addAdAccount", {**given, "linkedAgencyIds": ["1"]})
    assert agencies["field"] == ["linkedAgencyIds"]
    account = writer.done("addAdAccount", {**given, "soldToPaymentInstrumentId": str(CLIENTS_CARD)}, SHOWN)["adAccount"]
    assert account["billTo"] == {"customerId": "4", "reason": "AGGREGATOR"}


def test_payment_is_not_set_through_a_standard_link(accounts: Database) -> None:
    error = Writer(accounts, AGENT).refused("addAdAccount", {**NEW, "paymentMethodId": str(CARD)})
    assert (error["code"], error["number"]) == ("BILL_TO_CUSTOMER_ONLY", 2203)


# Changing


def test_what_is_left_out_stays(accounts: Database) -> None:
    writer = Writer(accounts, ADMIN)
    given = the_change(accounts, autoTagType="REPLACE", businessAddress={**ADDRESS, "stateOrProvince": "WA"})
    first = writer.done("updateAdAccount", given, SHOWN)["adAccount"]
    second = writer.done("updateAdAccount", the_change(accounts, name="Renamed"), SHOWN)["adAccount"]
    assert second["name"] == "Renamed"
    assert second["timeStamp"] != first["timeStamp"]
    assert (second["autoTagType"], second["businessAddress"]) == ("REPLACE", first["businessAddress"])


def test_a_campaign_manager_sets_the_auto_tag_and_nothing_else(accounts: Database) -> None:
    given = the_change(
        accounts,
        name="x",
        timeZone="Nowhere",
        autoTagType="PRESERVE",
        businessAddress={},
        paymentMethodId="777",
        billingThresholdAmount="1",
    )
    account = Writer(accounts, CAMPAIGNS).done("updateAdAccount", given, SHOWN)["adAccount"]
    assert (account["name"], account["autoTagType"]) == (f"Ad {ACCOUNT}", "PRESERVE")
    stale = Writer(accounts, CAMPAIGNS).refused("updateAdAccount", given)
    assert stale["number"] == 209


@pytest.mark.parametrize(
    ("login", "account", "number"),
    [(VIEWER, ACCOUNT, 106), (STRANGER, ACCOUNT, 210), (ADMIN, DELETED, 2192), (ADMIN, MOVING, 1472)],
)
@pytest.mark.parametrize("mutation", ["updateAdAccount", "deleteAdAccount"])
def test_who_may_not_and_when_nobody_may(
    accounts: Database, mutation: str, login: int, account: int, number: int
) -> None:
    given = the_change(accounts, account)
    if mutation == "deleteAdAccount":
        del given["name"]
    assert Writer(accounts, login).refused(mutation, given)["number"] == number


@pytest.mark.parametrize("mutation", ["updateAdAccount", "deleteAdAccount"])
def test_a_stale_time_stamp_changes_nothing(accounts: Database, mutation: str) -> None:
    given = {"accountId": str(ACCOUNT), "timeStamp": "0"} | ({"name": "abc"} if mutation.startswith("u") else {})
    error = Writer(accounts, ADMIN).refused(mutation, given)
    assert (error["code"], error["number"]) == ("TIMESTAMP_NOT_MATCH", 209)


def test_tax_ids_are_set_once_changed_or_removed_as_their_key_allows(accounts: Database) -> None:
    writer = Writer(accounts, ADMIN)
    paris = {**ADDRESS, "city": "Paris", "countryCode": "FR"}
    taxed = {"businessAddress": paris, "currencyCode": "EUR"}
    vat = [{"key": "VATNumber", "value": "FR12345"}]
    account = writer.done("addAdAccount", {**NEW, **taxed, "taxInformation": vat}, SHOWN)["adAccount"]
    key = int(account["accountId"])
    for value in ("FR999", ""):
        tax = [{"key": "VATNumber", "value": value}]
        error = writer.refused("updateAdAccount", the_change(accounts, key, name="New one", taxInformation=tax))
        assert error["code"] == "TAX_INFORMATION_READ_ONLY"
    same = writer.done("updateAdAccount", the_change(accounts, key, name="New one", taxInformation=vat), SHOWN)
    assert same["adAccount"]["taxInformation"] == vat


def test_an_empty_value_removes_a_tax_id_the_country_does_not_need(accounts: Database) -> None:
    writer = Writer(accounts, ADMIN)
    brazil = {"businessAddress": BRAZIL, "currencyCode": "BRL"}
    personal = [{"key": "CPF", "value": "123"}]
    account = writer.done("addAdAccount", {**NEW, **brazil, "taxInformation": personal}, SHOWN)["adAccount"]
    key = int(account["accountId"])
    nothing = [{"key": "CPF", "value": ""}]
    error = writer.refused("updateAdAccount", the_change(accounts, key, taxInformation=nothing))
    assert error["number"] == 1145
    business = [*nothing, {"key": "CNPJ", "value": "456"}, {"key": "CCM", "value": "7"}]
    now = writer.done("updateAdAccount", the_change(accounts, key, taxInformation=business), SHOWN)["adAccount"]
    assert [one["key"] for one in now["taxInformation"]] == ["CCM", "CNPJ"]


def test_invoiced_accounts_keep_their_address_and_tax_ids(accounts: Database) -> None:
    writer = Writer(accounts, ADMIN)
    writer.done("updateAdAccount", the_change(accounts, paymentMethodId=str(INVOICE)))
    moved = {**ADDRESS, "stateOrProvince": "WA"}
    assert writer.refused("updateAdAccount", the_change(accounts, businessAddress=moved))["number"] == 1138
    tax = [{"key": "VATNumber", "value": "FR1"}]
    assert writer.refused("updateAdAccount", the_change(accounts, taxInformation=tax))["number"] == 1137
    backup = the_change(accounts, backupPaymentInstrumentId=str(CARD))
    assert writer.refused("updateAdAccount", backup)["field"] == ["backupPaymentInstrumentId"]


def test_a_changed_address_is_whole_and_names_its_state(accounts: Database) -> None:
    writer = Writer(accounts, ADMIN)
    error = writer.refused("updateAdAccount", the_change(accounts, businessAddress=ADDRESS))
    assert error["field"] == ["businessAddress", "stateOrProvince"]
    whole = {**ADDRESS, "stateOrProvince": "WA", "line2": "Second"}
    writer.done("updateAdAccount", the_change(accounts, businessAddress=whole))
    plain = {**ADDRESS, "stateOrProvince": "WA"}
    account = writer.done("updateAdAccount", the_change(accounts, businessAddress=plain), SHOWN)["adAccount"]
    assert account["businessAddress"]["line2"] is None


def test_the_threshold_is_for_users_of_who_is_billed(accounts: Database) -> None:
    given = the_change(accounts, billingThresholdAmount="12.50")
    assert Writer(accounts, AGENT).refused("updateAdAccount", given)["number"] == 2203
    account = Writer(accounts, SUPPORT).done("updateAdAccount", given, SHOWN)["adAccount"]
    assert account["billing"]["thresholdAmount"] == "12.5"


def test_a_standard_user_sets_no_payment_method(accounts: Database) -> None:
    given = the_change(accounts, paymentMethodId=str(CARD))
    assert Writer(accounts, SUPPORT).refused("updateAdAccount", given)["number"] == 2203


def test_the_primary_contact_is_a_super_admin_or_standard_user(accounts: Database) -> None:
    writer = Writer(accounts, ADMIN)
    error = writer.refused("updateAdAccount", the_change(accounts, primaryUserId=str(VIEWER)))
    assert (error["number"], error["rule"]) == (201, "C20")
    account = writer.done("updateAdAccount", the_change(accounts, primaryUserId=str(SUPPORT)), SHOWN)["adAccount"]
    assert account["primaryUserId"] == str(SUPPORT)


# Deleting


def test_a_deleted_ad_account_is_inactive_still_seen_and_not_deleted_twice(accounts: Database) -> None:
    writer = Writer(accounts, ADMIN)
    given = {"accountId": str(ACCOUNT), "timeStamp": stamp_of(accounts, ACCOUNT)}
    account = writer.done("deleteAdAccount", given, SHOWN)["adAccount"]
    assert account["lifeCycleStatus"] == "INACTIVE"
    again = writer.refused("deleteAdAccount", {**given, "timeStamp": account["timeStamp"]})
    assert again["number"] == 2192


def test_a_linked_agency_does_not_delete(accounts: Database) -> None:
    given = {"accountId": str(LINKED), "timeStamp": stamp_of(accounts, LINKED)}
    assert Writer(accounts, STRANGER).refused("deleteAdAccount", given)["rule"] == "C10"


def test_what_is_past_due_cannot_be_deleted(accounts: Database) -> None:
    with accounts.write() as transaction:
        held = {AdAccount.financial_status: AdAccountFinancialStatus.HOLD}
        transaction.run(AdAccount.update(held).where(AdAccount.id == AdAccountId(ACCOUNT)))
    given = {"accountId": str(ACCOUNT), "timeStamp": stamp_of(accounts, ACCOUNT)}
    assert Writer(accounts, ADMIN).refused("deleteAdAccount", given)["number"] == 2204


# Manager accounts


def the_manager(database: Database, key: int = OWNER, **changes: Any) -> dict[str, Any]:
    with database.read() as transaction:
        [(stamp,)] = transaction.execute(f"SELECT time_stamp FROM manager_account WHERE id = {key}").fetchall()
    return {"customerId": str(key), "timeStamp": str(stamp), "name": "Renamed", "industry": "RETAIL", **changes}


def test_a_manager_account_is_renamed_and_its_address_written(accounts: Database) -> None:
    given = the_manager(accounts, address={"line1": "1 Example Way", "city": "Redmond", "countryCode": "US"})
    shown = "managerAccount { name industry address { city } }"
    account = Writer(accounts, ADMIN).done("updateManagerAccount", given, shown)["managerAccount"]
    assert account == {"name": "Renamed", "industry": "RETAIL", "address": {"city": "Redmond"}}
    kept = Writer(accounts, ADMIN).done("updateManagerAccount", the_manager(accounts), shown)["managerAccount"]
    assert kept["address"] == {"city": "Redmond"}


@pytest.mark.parametrize(
    ("given", "number", "field"),
    [
        ({"name": " "}, 203, "name"),
        ({"name": "x" * 91}, 211, "name"),
        ({"industry": "INTERNAL"}, 201, "industry"),
        ({"timeStamp": "0"}, 209, "timeStamp"),
        ({"address": {"countryCode": "ZZ"}}, 1140, "address"),
    ],
)
def test_what_a_manager_account_may_not_be(accounts: Database, given: dict[str, Any], number: int, field: str) -> None:
    error = Writer(accounts, ADMIN).refused("updateManagerAccount", the_manager(accounts, **given))
    assert (error["number"], error["field"][0]) == (number, field)


@pytest.mark.parametrize(("login", "number"), [(AGENT, 106), (SUPPORT, 106), (STRANGER, 210)])
def test_who_may_not_change_a_manager_account(accounts: Database, login: int, number: int) -> None:
    assert Writer(accounts, login).refused("updateManagerAccount", the_manager(accounts))["number"] == number


@pytest.mark.parametrize(
    ("login", "number", "rule"), [(ADMIN, 106, "C19"), (VIEWER, 106, "C19"), (STRANGER, 210, None)]
)
def test_nobody_deletes_a_manager_account(accounts: Database, login: int, number: int, rule: str | None) -> None:
    given = {"customerId": str(OWNER), "timeStamp": "1"}
    error = Writer(accounts, login).refused("deleteManagerAccount", given)
    assert (error["number"], error["rule"]) == (number, rule)


# How a write is ordered


def test_a_dry_run_answers_as_the_write_and_leaves_no_trace(accounts: Database) -> None:
    before = dump(accounts)
    payload = Writer(accounts, ADMIN).done("addAdAccount", {**NEW, "dryRun": True}, SHOWN)
    assert payload["adAccount"]["lifeCycleStatus"] == "DRAFT"
    assert payload["revision"] is None
    assert dump(accounts) == before


def test_what_was_written_is_in_the_audit_log(accounts: Database) -> None:
    Writer(accounts, ADMIN).done("updateAdAccount", the_change(accounts, name="Renamed", reason="A better name"))
    with accounts.read() as transaction:
        rows = transaction.execute(
            "SELECT operation, entity_kind, entity_id, actor_user_id, before, after, reason, at_ms FROM audit_entry"
        ).fetchall()
    assert [tuple(row) for row in rows] == [
        (
            "updateAdAccount",
            "AdAccount",
            ACCOUNT,
            ADMIN,
            f'{{"name":"Ad {ACCOUNT}"}}',
            '{"name":"Renamed"}',
            "A better name",
            NOW_MS,
        )
    ]
