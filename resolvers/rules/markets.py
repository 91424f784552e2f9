"""Markets of manager accounts: which language goes with which country (the reference's product languages)."""

from __future__ import annotations

from collections.abc import Mapping

from resolvers.rules.addresses import COUNTRIES
from resolvers.rules.problems import Problem, listed
from resolvers.rules.write_codes import WriteCode
from storage.records.values import Language

COUNTRIES_OF: Mapping[Language, frozenset[str]] = {
    Language.ENGLISH: listed("""
        AD AG AI AL AM AQ AS AU AW AZ BA BB BD BE BG BI BM BN BS BT BW BY BZ CC CK CV CX CY CZ DJ DM EE ER ET FJ FM FO
        GA GB GD GE GF GH GI GL GM GN GP GQ GR GT GU GW GY HR HU ID IE IL IN IS JM JP KE KG KH KI KM KN KR KY KZ LA LC
        LI LK LR LS LT LV MC MD ME MG MH MK MM MN MO MP MQ MR MS MT MU MV MW MY NA NC NF NG NP NR NU NZ PF PG PH PK PL
        PM PN PR PS PW RE RO RS RU RW SB SC SG SH SI SK SL SM SO SR ST SZ TC TH TJ TK TM TO TR TT TV TZ UA UG US UZ VA
        VG VI VN VU WF WS YT ZA ZM ZW
        """),
    Language.FRENCH: listed("BF BJ CD CF CG CI CM FR HT LU ML NE SN TD TG"),
    Language.GERMAN: listed("AT CH DE"),
    Language.ITALIAN: listed("IT"),
    Language.PORTUGUESE: listed("AO BR MZ PT TL"),
    Language.SPANISH: listed("AR BO CL CO CR DO EC ES GT HN MX NI PA PE PY SV UY VE"),
    Language.TRADITIONAL_CHINESE: listed("HK TW"),
}
"""The published pairs. Countries it lacks (Canada, the Netherlands, Scandinavia and others) take any language:
decided, because leaving a whole country out cannot be meant."""


def problems_of_market(country: str, language: Language, *at: str) -> list[Problem]:
    """Whether a manager account can be in this market.

    >>> [one.number for one in problems_of_market("DE", Language.ENGLISH)]
    [201]
    >>> problems_of_market("CA", Language.FRENCH)
    []
    """
    if country not in COUNTRIES:
        message = f"There is no country {country[:20]!r} here: give two capital letters."
        return [Problem(WriteCode.API_INPUT_VALIDATION_ERROR, (*at, "marketCountry"), message)]
    paired = [str(one) for one, countries in COUNTRIES_OF.items() if country in countries]
    if not paired or language in paired:
        return []
    message = f"The market {country} goes with {' or '.join(paired)}, not with {language}."
    return [Problem(WriteCode.API_INPUT_VALIDATION_ERROR, (*at, "marketLanguage"), message)]
