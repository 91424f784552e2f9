"""What the fields of a user may hold, as data, and what each User of one login is told apart by."""

from __future__ import annotations

from resolvers.rules.problems import listed
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
