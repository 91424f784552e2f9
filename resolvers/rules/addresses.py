"""Postal addresses: which fields each country needs, how long they may be, and whether mail could arrive.

Everything is data. Australia, Canada and the United States have a basic check of deliverability: a postal code
in the country's form that lies in the state given. Elsewhere only presence, length and the country are checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from resolvers.rules.problems import Problem, listed
from resolvers.rules.write_codes import WriteCode
from storage.records.values import ValueSet, auto


class AddressFields(NamedTuple):
    """An address as somebody writes it; None where a line is not given."""

    business_name: str | None = None
    line1: str | None = None
    line2: str | None = None
    line3: str | None = None
    line4: str | None = None
    city: str | None = None
    postal_code: str | None = None
    state_or_province: str | None = None
    country_code: str | None = None


COUNTRIES: frozenset[str] = listed("""
    AD AE AF AG AI AL AM AN AO AQ AR AS AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CV CX CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IN IQ IS IT JM JO JP KE
    KG KH KI KM KN KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MO MP MQ MR
    MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SE SG SH SI SK SL SM SN SO SR ST SV SZ TC TD TG TH TJ TK TL TM TN TO TR
    TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """)
"""Every country an address may be in, by its two letters."""


class FieldRule(NamedTuple):
    """What holds for one field of every address, and how a breach is reported."""

    name: str
    longest: int
    code: WriteCode


_BAD = WriteCode.BUSINESS_ADDRESS_INVALID
FIELD_RULES: Mapping[str, FieldRule] = {
    "business_name": FieldRule("businessName", 100, _BAD),
    "line1": FieldRule("line1", 35, WriteCode.ADDRESS_LINE1_INVALID),
    "line2": FieldRule("line2", 35, _BAD),
    "line3": FieldRule("line3", 35, WriteCode.ADDRESS_LINE3_INVALID),
    "line4": FieldRule("line4", 35, _BAD),
    "city": FieldRule("city", 35, WriteCode.ADDRESS_CITY_INVALID),
    "postal_code": FieldRule("postalCode", 10, WriteCode.ADDRESS_POSTAL_CODE_INVALID),
    "state_or_province": FieldRule("stateOrProvince", 35, _BAD),
    "country_code": FieldRule("countryCode", 2, _BAD),
}

ALWAYS_REQUIRED: tuple[str, ...] = ("business_name", "line1", "city", "country_code")
"""On the business address of every ad account."""
ALSO_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "BR": ("postal_code", "state_or_province"),
    "IN": ("postal_code", "state_or_province"),
}
"""What some countries need besides."""
WITHOUT_STATES: frozenset[str] = frozenset({"SG"})
"""Countries whose addresses must name no state."""

STATES: Mapping[str, frozenset[str]] = {
    "AU": listed("ACT NSW NT QLD SA TAS VIC WA"),
    "BR": listed("AC AL AM AP BA CE DF ES GO MA MG MS MT PA PB PE PI PR RJ RN RO RR RS SC SE SP TO"),
    "CA": listed("AB BC MB NB NL NS NT NU ON PE QC SK YT"),
    "IN": listed("""
        AN AP AR AS BR CG CH CT DD DH DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TG TN
        TR TS UK UP UT WB
        """),
    "US": listed("""
        AA AE AK AL AP AR AS AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MP MS MT NC ND NE NH
        NJ NM NV NY OH OK OR PA PR RI SC SD TN TX UT VA VI VT WA WI WV WY
        """),
}
"""The codes of states and provinces, for the countries whose sub-geographies are known here."""

POSTAL_FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "AU": (re.compile(r"[0-9]{4}"), "four digits"),
    "BR": (re.compile(r"[0-9]{5}-?[0-9]{3}"), "eight digits"),
    "CA": (re.compile(r"[A-Za-z][0-9][A-Za-z] ?[0-9][A-Za-z][0-9]"), "like K1A 0B1"),
    "IN": (re.compile(r"[1-9][0-9]{5}"), "six digits"),
    "US": (re.compile(r"[0-9]{5}(-[0-9]{4})?"), "five digits, or nine like 98052-6399"),
}
"""How a postal code is written, for the countries whose form is known here."""

_US_RANGES = """
    AL 350-369 AK 995-999 AZ 850-865 AR 716-729 CA 900-961 CO 800-816 CT 060-069 DE 197-199 DC 200-200 DC 202-205
    DC 569-569 FL 320-339 FL 341-349 GA 300-319 GA 398-399 HI 967-968 ID 832-838 IL 600-629 IN 460-479 IA 500-528
    KS 660-679 KY 400-427 LA 700-714 ME 039-049 MD 206-219 MA 010-027 MA 055-055 MI 480-499 MN 550-567 MS 386-397
    MO 630-658 MT 590-599 NE 680-693 NV 889-898 NH 030-038 NJ 070-089 NM 870-884 NY 005-005 NY 063-063 NY 100-149
    NC 270-289 ND 580-588 OH 430-459 OK 730-732 OK 734-749 OR 970-979 PA 150-196 RI 028-029 SC 290-299 SD 570-577
    TN 370-385 TX 733-733 TX 750-799 TX 885-885 UT 840-847 VT 050-054 VT 056-059 VA 201-201 VA 220-246 WA 980-994
    WV 247-268 WI 530-549 WY 820-831 PR 006-007 PR 009-009 VI 008-008 GU 969-969 MP 969-969 AS 967-967 AA 340-340
    AE 090-098 AP 962-966
"""
_AU_RANGES = """
    NSW 1000-2599 NSW 2619-2899 NSW 2921-2999 ACT 0200-0299 ACT 2600-2618 ACT 2900-2920 VIC 3000-3999 VIC 8000-8999
    QLD 4000-4999 QLD 9000-9999 SA 5000-5999 WA 6000-6999 TAS 7000-7999 NT 0800-0999
"""
_CA_LETTERS = """
    NL A-A NS B-B PE C-C NB E-E QC G-H QC J-J ON K-N ON P-P MB R-R SK S-S AB T-T BC V-V NT X-X NU X-X YT Y-Y
"""


class PostalRange(NamedTuple):
    """The postal codes whose beginnings lie between two texts of one length belong to a state."""

    state: str
    first: str
    last: str

    def holds(self, postal_code: str) -> bool:
        """Whether a postal code lies in here."""
        return self.first <= postal_code[: len(self.first)] <= self.last


def _ranges(text: str) -> tuple[PostalRange, ...]:
    words = text.split()
    pairs = zip(words[::2], words[1::2], strict=True)
    return tuple(PostalRange(state, *span.split("-")) for state, span in pairs)


POSTAL_RANGES: Mapping[str, tuple[PostalRange, ...]] = {
    "AU": _ranges(_AU_RANGES),
    "CA": _ranges(_CA_LETTERS),
    "US": _ranges(_US_RANGES),
}
"""Where postal codes lie, in the countries whose deliverability is checked. Basic: whole ranges, not single codes."""


def problems_of_fields(address: AddressFields, at: str) -> list[Problem]:
    """What is wrong with single fields, whatever the address is for: too long, or no such country.

    `at` is the name of the address in the input. Blank fields count as not given.
    """
    found = [
        Problem(rule.code, (at, rule.name), f"`{rule.name}` has at most {rule.longest} characters.")
        for name, rule in FIELD_RULES.items()
        if len(getattr(address, name) or "") > rule.longest and name != "country_code"
    ]
    country = address.country_code
    if country and country not in COUNTRIES:
        found.append(
            Problem(_BAD, (at, "countryCode"), f"There is no country {country[:20]!r} here: give two capital letters.")
        )
    return found


def problems_of_business_address(address: AddressFields, at: str, *, is_change: bool) -> list[Problem]:
    """What keeps an address from being the business address of an ad account.

    `is_change`: a changed address must also name the state where the country is known to have states.
    """
    found = problems_of_fields(address, at)
    country = address.country_code or ""
    required = ALWAYS_REQUIRED + ALSO_REQUIRED.get(country, ())
    if is_change and country in STATES and "state_or_province" not in required:
        required = (*required, "state_or_province")
    for name in required:
        if not (getattr(address, name) or "").strip():
            rule = FIELD_RULES[name]
            found.append(Problem(rule.code, (at, rule.name), f"`{rule.name}` is required."))
    return found + problems_of_place(address, at)


def problems_of_place(address: AddressFields, at: str) -> list[Problem]:
    """Whether state and postal code are written as their country writes them."""
    country, state, postal = address.country_code or "", address.state_or_province, address.postal_code
    found = []
    if state and country in WITHOUT_STATES:
        found.append(Problem(_BAD, (at, "stateOrProvince"), f"Addresses in {country} have no state: leave it out."))
    elif state and country in STATES and state not in STATES[country]:
        found.append(
            Problem(
                _BAD,
                (at, "stateOrProvince"),
                f"{country} has no state or province {state[:20]!r}: give its code without the country, like `WA`.",
            )
        )
    form = POSTAL_FORMS.get(country)
    if postal and form and not form[0].fullmatch(postal):
        rule = FIELD_RULES["postal_code"]
        message = (
            f"A postal code in {country} has {form[1]}." if country != "CA" else "A postal code in CA is like K1A 0B1."
        )
        found.append(Problem(rule.code, (at, rule.name), message))
    return found


class AddressStatus(ValueSet):
    """What ValidateAddress answers."""

    ADDRESS_VALID_WITHOUT_SUGGESTIONS = auto()
    ADDRESS_VALID_WITH_SUGGESTIONS = auto()
    ADDRESS_INVALID_WITHOUT_SUGGESTIONS = auto()
    ADDRESS_INVALID_WITH_SUGGESTIONS = auto()


class AddressAnswer(NamedTuple):
    """Whether mail could arrive, and how the address is better written."""

    status: AddressStatus
    suggestions: tuple[AddressFields, ...]
    problems: tuple[Problem, ...]


def validated(address: AddressFields) -> AddressAnswer:
    """Judge an address and suggest better spellings of it; nothing is looked up beyond the tables here.

    >>> str(validated(AddressFields(line1="1 Example Way", city="Redmond", postal_code="98052",
    ...     state_or_province="US-WA", country_code="US")).status)
    'ADDRESS_INVALID_WITH_SUGGESTIONS'
    """
    problems = _undeliverable(address)
    suggestions = tuple(one for one in _suggestions(address) if one != address and not _undeliverable(one))
    status = AddressStatus[
        f"ADDRESS_{'INVALID' if problems else 'VALID'}_{'WITH' if suggestions else 'WITHOUT'}_SUGGESTIONS"
    ]
    return AddressAnswer(status, suggestions, tuple(problems))


def _undeliverable(address: AddressFields) -> list[Problem]:
    found = problems_of_fields(address, "address") + problems_of_place(address, "address")
    country = address.country_code or ""
    required = ("line1", "city", "country_code", *ALSO_REQUIRED.get(country, ()))
    if country in POSTAL_RANGES:
        required = ("line1", "city", "country_code", "postal_code", "state_or_province")
    for name in required:
        if not (getattr(address, name) or "").strip():
            rule = FIELD_RULES[name]
            found.append(Problem(rule.code, ("address", rule.name), f"`{rule.name}` is missing."))
    return found or _wrong_state(address)


def _states_of(address: AddressFields) -> tuple[str, ...]:
    postal = (address.postal_code or "").upper()
    ranges = POSTAL_RANGES.get(address.country_code or "", ())
    return tuple(dict.fromkeys(one.state for one in ranges if one.holds(postal)))


def _wrong_state(address: AddressFields) -> list[Problem]:
    if address.country_code not in POSTAL_RANGES:
        return []
    states = _states_of(address)
    rule = FIELD_RULES["postal_code"]
    if not states:
        return [Problem(rule.code, ("address", rule.name), "No mail is delivered to this postal code.")]
    if address.state_or_province in states:
        return []
    message = f"Postal code {address.postal_code} lies in {' or '.join(states)}, not in {address.state_or_province}."
    return [Problem(_BAD, ("address", "stateOrProvince"), message)]


def _suggestions(address: AddressFields) -> list[AddressFields]:
    """The address spelled as its country spells it; then with each state its postal code lies in."""
    tidy = AddressFields(*(" ".join(part.split()) or None if part is not None else None for part in address))
    country = (tidy.country_code or "").upper() or None
    state = (tidy.state_or_province or "").upper().removeprefix(f"{country}-") or None
    known = STATES.get(country or "")
    tidy = tidy._replace(
        country_code=country,
        state_or_province=state if known and state in known else tidy.state_or_province,
        postal_code=_tidy_postal_code(country or "", tidy.postal_code),
    )
    if country in WITHOUT_STATES:
        tidy = tidy._replace(state_or_province=None)
    return [tidy, *(tidy._replace(state_or_province=one) for one in _states_of(tidy) if one != tidy.state_or_province)]


def _tidy_postal_code(country: str, postal_code: str | None) -> str | None:
    if postal_code is None:
        return None
    bare = postal_code.upper().replace(" ", "").replace("-", "")
    match country, len(bare):
        case "CA", 6:
            return f"{bare[:3]} {bare[3:]}"
        case "US", 9:
            return f"{bare[:5]}-{bare[5:]}"
        case "BR", 8:
            return f"{bare[:5]}-{bare[5:]}"
        case (("US" | "AU" | "IN"), _):
            return bare
        case _:
            return postal_code
