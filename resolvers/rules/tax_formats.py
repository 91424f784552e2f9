"""Tax ids of ad accounts: which country has which, which are needed, and how they are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from resolvers.rules.addresses import AddressFields
from resolvers.rules.problems import Problem, listed
from resolvers.rules.write_codes import WriteCode

LONGEST_TAX_ID = 50
"""For keys whose form the documentation does not give. Decided."""


class TaxKey(NamedTuple):
    """One documented key: where it belongs, whether it may be written later, how it is written."""

    name: str
    countries: frozenset[str]
    is_read_only_on_update: bool
    form: re.Pattern[str] | None
    written: str
    code: WriteCode


class TaxId(NamedTuple):
    """A tax id as somebody writes it; an empty value removes it."""

    key: str
    value: str


_VAT_COUNTRIES = listed("AT BE BG CY CZ DE DK EE GR ES FI FR GB HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")
_INVALID = WriteCode.TAX_INFORMATION_KEYS_INVALID
_ANY = "not empty"


def _key(
    name: str,
    countries: str,
    form: str | None = None,
    written: str = _ANY,
    *,
    read_only: bool = False,
    code: WriteCode = _INVALID,
) -> TaxKey:
    pattern = None if form is None else re.compile(form)
    return TaxKey(name, listed(countries), read_only, pattern, written, code)


TAX_KEYS: Mapping[str, TaxKey] = {
    key.name: key
    for key in (
        _key("AUGSTNumber", "AU"),
        _key("CCM", "BR"),
        _key("CNPJ", "BR"),
        _key("CPF", "BR"),
        _key(
            "GSTINNumber",
            "IN",
            r"[0-9]{2}[A-Za-z0-9]{1,13}",
            "two digits of the state and at most 13 letters and digits",
            read_only=True,
            code=WriteCode.GSTIN_INVALID,
        ),
        _key(
            "PanNumber",
            "IN",
            r"[A-Za-z]{5}[0-9]{4}[A-Za-z]",
            "five letters, four digits and a letter",
            read_only=True,
            code=WriteCode.PAN_INVALID,
        ),
        _key(
            "GSTNumber",
            "SG",
            r"[A-Za-z0-9]{2}-?[0-9]{7}-?[A-Za-z0-9]|[0-9]{8,9}[A-Za-z0-9]|[TtSs][0-9]{2}[A-Za-z][A-Za-z0-9][0-9]{4}[A-Za-z0-9]",
            "like M2-1234567-8, 201234567A or T08LL1234A",
            read_only=True,
        ),
        _key("NZGSTNumber", "NZ", r"[0-9]{8,9}", "8 or 9 digits", read_only=True),
    )
} | {
    "VATNumber": TaxKey(
        "VATNumber",
        _VAT_COUNTRIES,
        True,
        re.compile(r"[A-Za-z]{2}[A-Za-z0-9]{1,12}"),
        "the two letters of the country and at most 12 letters and digits",
        _INVALID,
    )
}
"""Every key there is."""

VAT_PREFIXES: Mapping[str, frozenset[str]] = {"GR": listed("EL GR")}
"""Countries whose VAT numbers begin with other letters than their code."""

_GSTIN_STATES = """
    01:JK 02:HP 03:PB 04:CH 05:UK/UT 06:HR 07:DL 08:RJ 09:UP 10:BR 11:SK 12:AR 13:NL 14:MN 15:MZ 16:TR 17:ML 18:AS
    19:WB 20:JH 21:OD/OR 22:CG/CT 23:MP 24:GJ 25:DD/DH 26:DN/DH 27:MH 29:KA 30:GA 31:LD 32:KL 33:TN 34:PY 35:AN
    36:TG/TS 37:AP 38:LA
"""
GSTIN_STATES: Mapping[str, frozenset[str]] = {
    number: listed(states.replace("/", " "))
    for number, _, states in (pair.partition(":") for pair in listed(_GSTIN_STATES))
}
"""The states the first two digits of an Indian GSTIN stand for."""

SAO_PAULO = "sao paulo"
"""Businesses in this city also need a CCM."""
_AT = "taxInformation"


def _problem(index: int | None, code: WriteCode, message: str) -> Problem:
    return Problem(code, (_AT,) if index is None else (_AT, str(index)), message)


def problems_of_tax_ids(given: Iterable[TaxId]) -> list[Problem]:
    """Unknown keys, keys given twice, and values not written as their key is. Empty values remove, and pass."""
    found = []
    seen: set[str] = set()
    for index, (key, value) in enumerate(given):
        rule = TAX_KEYS.get(key)
        if rule is None:
            message = f"There is no tax id {key[:30]!r}: the keys are {', '.join(TAX_KEYS)}."
            found.append(_problem(index, _INVALID, message))
        elif key in seen:
            found.append(_problem(index, _INVALID, f"{key} is given twice."))
        elif value and not _is_written(rule, value):
            found.append(_problem(index, rule.code, f"{key} is written as {rule.written}."))
        seen.add(key)
    return found


def _is_written(rule: TaxKey, value: str) -> bool:
    if rule.form is not None:
        return rule.form.fullmatch(value) is not None
    return bool(value.strip()) and len(value) <= LONGEST_TAX_ID


def problems_of_change(stored: Mapping[str, str], given: Iterable[TaxId]) -> list[Problem]:
    """Keys that may be written only once; sent back unchanged they are no change."""
    return [
        _problem(
            index,
            WriteCode.TAX_INFORMATION_READ_ONLY,
            f"{key} is set when the account is added and cannot be changed or removed later.",
        )
        for index, (key, value) in enumerate(given)
        if key in TAX_KEYS and TAX_KEYS[key].is_read_only_on_update and stored.get(key, "") != value
    ]


def problems_of_country(held: Mapping[str, str], address: AddressFields) -> list[Problem]:
    """Whether the tax ids an account would hold suit the country of its business address, with none missing."""
    country = address.country_code or ""
    found = [
        _problem(
            None,
            WriteCode.TAX_INFORMATION_NOT_APPLICABLE,
            f"{key} belongs to {', '.join(sorted(TAX_KEYS[key].countries))}, not to {country}.",
        )
        for key in held
        if key in TAX_KEYS and country not in TAX_KEYS[key].countries
    ]
    special = _SPECIAL.get(country)
    if special is not None:
        found += special(held, address)
    return found + _vat(held, country)


def _australia(held: Mapping[str, str], _address: AddressFields) -> list[Problem]:
    return [] if "AUGSTNumber" in held else [_problem(None, _INVALID, "An account in AU needs AUGSTNumber.")]


def _brazil(held: Mapping[str, str], address: AddressFields) -> list[Problem]:
    if ("CNPJ" in held) == ("CPF" in held):
        message = "An account in BR needs CNPJ when it is a business, or CPF when it is personal, not both."
        return [_problem(None, _INVALID, message)]
    in_sao_paulo = _plain(address.city) == SAO_PAULO
    if "CNPJ" in held and in_sao_paulo and "CCM" not in held:
        return [_problem(None, _INVALID, "A business in Sao Paulo needs CCM, its municipal registration.")]
    if "CCM" in held and not ("CNPJ" in held and in_sao_paulo):
        message = "CCM is for businesses in Sao Paulo only."
        return [_problem(None, WriteCode.TAX_INFORMATION_NOT_APPLICABLE, message)]
    return []


def _india(held: Mapping[str, str], address: AddressFields) -> list[Problem]:
    found = []
    if "PanNumber" not in held:
        found.append(_problem(None, WriteCode.PAN_REQUIRED, "An account in IN needs PanNumber."))
    states = GSTIN_STATES.get(held.get("GSTINNumber", "")[:2])
    if "GSTINNumber" in held and (states is None or address.state_or_province not in states):
        message = "The first two digits of GSTINNumber are not those of the state of the business address."
        found.append(_problem(None, WriteCode.GSTIN_LOCATION_MISMATCH, message))
    return found


_SPECIAL = {"AU": _australia, "BR": _brazil, "IN": _india}


def _vat(held: Mapping[str, str], country: str) -> list[Problem]:
    value = held.get("VATNumber", "").upper()
    if not value or country not in _VAT_COUNTRIES or value[:2] in VAT_PREFIXES.get(country, {country}):
        return []
    return [_problem(None, _INVALID, f"The VATNumber of an account in {country} begins with its country's letters.")]


def _plain(text: str | None) -> str:
    """Without accents and case, so that São Paulo is Sao Paulo."""
    return unicodedata.normalize("NFKD", text or "").encode("ascii", "ignore").decode().strip().casefold()
