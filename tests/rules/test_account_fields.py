"""Addresses, tax ids, currencies and names: the tables, and what they refuse."""

from __future__ import annotations

import pytest

from resolvers.rules.account_fields import (
    CURRENCIES,
    OWN_CURRENCY,
    PREPAID_TERMS,
    TIME_ZONES,
    language_of_lcid,
    problems_of_country_and_currency,
)
from resolvers.rules.addresses import (
    COUNTRIES,
    POSTAL_RANGES,
    STATES,
    AddressFields,
    problems_of_business_address,
    validated,
)
from resolvers.rules.tax_formats import TAX_KEYS, TaxId, problems_of_country, problems_of_tax_ids
from storage.entries import DEFAULT_TIME_ZONE
from storage.records.values import Language, PaymentMethodType

REDMOND = AddressFields(
    "Adventure", "1 Example Way", city="Redmond", postal_code="98052", state_or_province="WA", country_code="US"
)
TORONTO = AddressFields(
    "Adventure", "1 Example Way", city="Toronto", postal_code="M5V 3L9", state_or_province="ON", country_code="CA"
)
SYDNEY = AddressFields(
    "Adventure", "1 Example Way", city="Sydney", postal_code="2000", state_or_province="NSW", country_code="AU"
)
PARIS = AddressFields("Adventure", "1 Example Way", city="Paris", postal_code="75001", country_code="FR")


def test_the_tables_have_the_documented_size_and_name_each_other() -> None:
    assert (len(COUNTRIES), len(CURRENCIES), len(TIME_ZONES)) == (227, 28, 75)
    assert DEFAULT_TIME_ZONE in TIME_ZONES
    assert set(STATES) | set(OWN_CURRENCY) | {terms.country for terms in PREPAID_TERMS.values()} <= COUNTRIES
    assert set(OWN_CURRENCY.values()) | {terms.currency for terms in PREPAID_TERMS.values()} <= CURRENCIES
    assert all(key.countries <= COUNTRIES for key in TAX_KEYS.values())
    assert len(TAX_KEYS) == 9


@pytest.mark.parametrize("country", sorted(POSTAL_RANGES))
def test_postal_ranges_are_of_known_states_and_run_upward(country: str) -> None:
    for one in POSTAL_RANGES[country]:
        assert one.state in STATES[country]
        assert one.first <= one.last
        assert len(one.first) == len(one.last)
    assert {one.state for one in POSTAL_RANGES[country]} == STATES[country]


@pytest.mark.parametrize("address", [REDMOND, TORONTO, SYDNEY, PARIS], ids=lambda one: one.city)
def test_a_well_written_address_is_valid_as_it_is(address: AddressFields) -> None:
    assert validated(address).status == "ADDRESS_VALID_WITHOUT_SUGGESTIONS"


@pytest.mark.parametrize(
    ("address", "status", "suggested"),
    [
        (TORONTO._replace(postal_code="m5v3l9"), "ADDRESS_VALID_WITH_SUGGESTIONS", TORONTO),
        (REDMOND._replace(line1="1  Example Way"), "ADDRESS_VALID_WITH_SUGGESTIONS", REDMOND),
        (REDMOND._replace(state_or_province="US-WA"), "ADDRESS_INVALID_WITH_SUGGESTIONS", REDMOND),
        (REDMOND._replace(state_or_province="OR"), "ADDRESS_INVALID_WITH_SUGGESTIONS", REDMOND),
        (REDMOND._replace(state_or_province=None), "ADDRESS_INVALID_WITH_SUGGESTIONS", REDMOND),
        (REDMOND._replace(country_code="us"), "ADDRESS_INVALID_WITH_SUGGESTIONS", REDMOND),
        (SYDNEY._replace(state_or_province="VIC"), "ADDRESS_INVALID_WITH_SUGGESTIONS", SYDNEY),
        (REDMOND._replace(postal_code="00000"), "ADDRESS_INVALID_WITHOUT_SUGGESTIONS", None),
        (REDMOND._replace(city=None), "ADDRESS_INVALID_WITHOUT_SUGGESTIONS", None),
        (PARIS._replace(country_code="ZZ"), "ADDRESS_INVALID_WITHOUT_SUGGESTIONS", None),
        (AddressFields(), "ADDRESS_INVALID_WITHOUT_SUGGESTIONS", None),
    ],
)
def test_what_can_be_mended_is_suggested(address: AddressFields, status: str, suggested: AddressFields | None) -> None:
    answer = validated(address)
    assert answer.status == status
    assert answer.suggestions == (() if suggested is None else (suggested,))
    assert bool(answer.problems) is ("INVALID" in status)


@pytest.mark.parametrize("address", [REDMOND, TORONTO, SYDNEY], ids=lambda one: one.city)
def test_what_is_suggested_is_valid_itself(address: AddressFields) -> None:
    for state in sorted(STATES[address.country_code or ""]):
        for suggestion in validated(address._replace(state_or_province=state)).suggestions:
            assert validated(suggestion).status == "ADDRESS_VALID_WITHOUT_SUGGESTIONS"


@pytest.mark.parametrize(
    ("country", "is_change", "missing"),
    [
        ("US", False, set()),
        ("US", True, {"stateOrProvince"}),
        ("FR", True, set()),
        ("BR", False, {"postalCode", "stateOrProvince"}),
        ("IN", True, {"postalCode", "stateOrProvince"}),
        ("SG", True, set()),
    ],
)
def test_what_each_country_needs(country: str, is_change: bool, missing: set[str]) -> None:
    least = AddressFields("Adventure", "1 Example Way", city="Town", country_code=country)
    found = problems_of_business_address(least, "businessAddress", is_change=is_change)
    assert {problem.field[1] for problem in found} == missing


def test_singapore_has_no_states() -> None:
    address = AddressFields("Adventure", "1 Way", city="Singapore", state_or_province="SG", country_code="SG")
    [problem] = problems_of_business_address(address, "businessAddress", is_change=False)
    assert problem.field == ("businessAddress", "stateOrProvince")


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("GSTINNumber", ["27ABCDE1234F1Z5", "27A"], ["AB", "27", "27ABCDE1234F1Z56"]),
        ("PanNumber", ["ABCDE1234F"], ["ABCD1234F", "ABCDE12345", "ABCDE1234FF"]),
        (
            "GSTNumber",
            ["M2-1234567-8", "M212345678", "12345678A", "123456789A", "T08LL1234A", "S99A11234B"],
            ["1", "U08LL1234A", "T08LL1234", "M2-123456-8", "12345678-A"],
        ),
        ("NZGSTNumber", ["12345678", "123456789"], ["1234567", "1234567890", "1234567A"]),
        ("VATNumber", ["DE123456789", "FRAB123456789012"[:14]], ["D1", "DE", "DE1234567890123", "DE-1"]),
        ("CPF", ["123"], [" ", "1" * 51]),
    ],
)
def test_how_each_tax_id_is_written(key: str, good: list[str], bad: list[str]) -> None:
    assert [problems_of_tax_ids([TaxId(key, value)]) for value in good] == [[]] * len(good)
    assert all(problems_of_tax_ids([TaxId(key, value)]) for value in bad)
    assert problems_of_tax_ids([TaxId(key, "")]) == [], "an empty value removes"


def test_a_key_is_given_once() -> None:
    [problem] = problems_of_tax_ids([TaxId("CPF", "1"), TaxId("CPF", "2")])
    assert (problem.number, problem.field) == (1145, ("taxInformation", "1"))


MUMBAI = AddressFields(
    "Adventure", "1 Way", city="Mumbai", postal_code="400001", state_or_province="MH", country_code="IN"
)
SAO_PAULO = AddressFields(
    "Adventure", "1 Way", city="São Paulo", postal_code="01000-000", state_or_province="SP", country_code="BR"
)


@pytest.mark.parametrize(
    ("address", "held", "numbers"),
    [
        (MUMBAI, {}, [1148]),
        (MUMBAI, {"PanNumber": "ABCDE1234F"}, []),
        (MUMBAI, {"PanNumber": "ABCDE1234F", "GSTINNumber": "29ABCDE1234F"}, [2207]),
        (SAO_PAULO, {}, [1145]),
        (SAO_PAULO, {"CPF": "1", "CNPJ": "2"}, [1145]),
        (SAO_PAULO, {"CNPJ": "1"}, [1145]),
        (SAO_PAULO, {"CNPJ": "1", "CCM": "2"}, []),
        (SAO_PAULO, {"CPF": "1", "CCM": "2"}, [1144]),
        (SAO_PAULO._replace(city="Santos"), {"CNPJ": "1"}, []),
        (SAO_PAULO._replace(city="Santos"), {"CNPJ": "1", "CCM": "2"}, [1144]),
        (SYDNEY, {}, [1145]),
        (SYDNEY, {"AUGSTNumber": "1"}, []),
        (PARIS, {}, []),
        (PARIS, {"VATNumber": "FR1"}, []),
        (PARIS, {"VATNumber": "DE1"}, [1145]),
        (PARIS._replace(country_code="GR"), {"VATNumber": "EL1"}, []),
        (REDMOND, {"VATNumber": "FR1"}, [1144]),
    ],
)
def test_which_tax_ids_each_country_has(address: AddressFields, held: dict[str, str], numbers: list[int]) -> None:
    assert [problem.number for problem in problems_of_country(held, address)] == numbers


@pytest.mark.parametrize(
    ("country", "currency", "payment", "numbers"),
    [
        ("US", "USD", None, []),
        ("FR", "USD", None, []),
        ("BR", "USD", None, [1141]),
        ("US", "BRL", None, [1142]),
        ("IN", "INR", None, []),
        ("DE", "EUR", PaymentMethodType.ELV, []),
        ("FR", "EUR", PaymentMethodType.ELV, [1141]),
        ("TW", "USD", PaymentMethodType.VBA, [1141]),
        (None, "USD", None, []),
    ],
)
def test_country_currency_and_payment_fit(
    country: str | None, currency: str, payment: PaymentMethodType | None, numbers: list[int]
) -> None:
    assert [one.number for one in problems_of_country_and_currency(country, currency, payment)] == numbers


@pytest.mark.parametrize(
    ("lcid", "language"),
    [
        ("FrenchCanada", Language.FRENCH),
        ("ChineseTaiwan", Language.TRADITIONAL_CHINESE),
        ("EnglishUS", Language.ENGLISH),
        ("KlingonHere", Language.ENGLISH),
    ],
)
def test_billing_documents_are_in_the_language_of_the_primary_user(lcid: str, language: Language) -> None:
    assert language_of_lcid(lcid) == language
