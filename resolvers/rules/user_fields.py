"""What the fields of a user may hold, as data, and what each User of one login is told apart by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from resolvers.rules.problems import Problem, listed
from resolvers.rules.write_codes import WriteCode
from storage.records.ids import UserId

LCIDS = listed(
    """
    ArabicAlgeria ArabicBahrain ArabicEgypt ArabicIraq ArabicJordan ArabicKuwait ArabicLebanon ArabicLibya
    ArabicMorocco ArabicOman ArabicQatar ArabicSaudiArabia ArabicTunisia ArabicUnitedArabEmirates ArabicYemen
    ChineseHongKong ChineseTaiwan DanishDenmark DutchNetherlands EnglishAustralia EnglishCanada EnglishIndia
    EnglishIndonesia EnglishIreland EnglishMalaysia EnglishNewZealand EnglishPhilippines EnglishSingapore
    EnglishThailand EnglishUK EnglishUS EnglishVietnam FinnishFinland FrenchCanada FrenchFrance GermanAustria
    GermanGermany GermanSwitzerland HebrewIsrael ItalianItaly KoreanKorea NorwegianNorway PortugueseBrazil
    RussianRussia SpanishArgentina SpanishChile SpanishColombia SpanishMexico SpanishPeru SpanishSpain
    SpanishVenezuela SwedishSweden
    """
)
"""Locales a user may be written to in."""


def user_time_stamp(user: UserId, revision: int) -> str:
    """The concurrency token of a user: no two users share one, also when one write wrote both.

    >>> user_time_stamp(UserId(7), 42)
    '42-7'
    """
    return f"{revision}-{user}"


class TextRule(NamedTuple):
    """What holds for one text of a user: its name in the input, its longest length, whether it may be cleared."""

    name: str
    longest: int
    may_be_empty: bool
    is_name: bool = False


USER_TEXTS: Mapping[str, TextRule] = {
    "first_name": TextRule("firstName", 100, may_be_empty=False, is_name=True),
    "middle_initial": TextRule("middleInitial", 1, may_be_empty=True, is_name=True),
    "last_name": TextRule("lastName", 100, may_be_empty=False, is_name=True),
    "job_title": TextRule("jobTitle", 50, may_be_empty=True),
}
CONTACT_TEXTS: Mapping[str, TextRule] = {
    "email": TextRule("email", 100, may_be_empty=False),
    "phone1": TextRule("phone1", 100, may_be_empty=False),
    "phone2": TextRule("phone2", 100, may_be_empty=True),
    "home_phone": TextRule("homePhone", 100, may_be_empty=True),
    "mobile": TextRule("mobile", 100, may_be_empty=True),
    "fax": TextRule("fax", 100, may_be_empty=True),
}
NEVER_EMPTY_IN_ADDRESS = frozenset({"line1", "city", "country_code"})
"""What every address of a user keeps once it is given."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)


def is_email(text: str) -> bool:
    """Whether mail can be sent there, as far as the text tells.

    >>> is_email("a.b@company.example"), is_email("a b@company.example"), is_email("nobody")
    (True, False, False)
    """
    return _EMAIL.fullmatch(text) is not None


def is_printable(text: str) -> bool:
    """Whether a text has no control characters: names stand in mails and files."""
    return _UNPRINTABLE.search(text) is None


def problems_of_texts(given: Mapping[str, str], rules: Mapping[str, TextRule], *at: str) -> list[Problem]:
    """What is wrong with texts that are given, by column; an empty text clears the field where that is allowed."""
    found = []
    for column, text in given.items():
        rule = rules.get(column)
        if rule is None:
            continue
        where = (*at, rule.name)
        if not text.strip() and not rule.may_be_empty:
            found.append(Problem(WriteCode.NULL_PARAMETER, where, f"`{rule.name}` must not be empty."))
        elif len(text) > rule.longest:
            message = f"`{rule.name}` has at most {rule.longest} characters, not {len(text)}."
            found.append(Problem(_TOO_LONG[rule.is_name], where, message))
        elif not is_printable(text):
            found.append(Problem(WriteCode.BAD_USER_INPUT, where, f"`{rule.name}` contains control characters."))
        elif column == "email" and not is_email(text):
            message = "`email` is not an address mail can be sent to, such as name@company.example."
            found.append(Problem(WriteCode.BAD_USER_INPUT, where, message))
    return found


_TOO_LONG = {True: WriteCode.NAME_TOO_LONG, False: WriteCode.BAD_USER_INPUT}
