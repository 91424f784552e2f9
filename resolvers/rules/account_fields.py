"""What may be written into manager accounts and ad accounts, as data: lengths, value sets, states, currencies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from resolvers.rules.problems import Problem, listed
from resolvers.rules.user_fields import is_printable
from resolvers.rules.write_codes import WriteCode
from storage.records.values import (
    AdAccountFinancialStatus,
    AdAccountStatus,
    Industry,
    Language,
    PaymentMethodType,
    Role,
)

LONGEST_MANAGER_ACCOUNT_NAME = 90
SHORTEST_AD_ACCOUNT_NAME = 3
LONGEST_AD_ACCOUNT_NAME = 100
MOST_LINKED_AGENCIES = 1
"""Agencies a new ad account may be linked to."""
NUMBER_LENGTH = 8
NUMBER_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
"""What display numbers of new ad accounts are drawn from; I and O look like digits."""

RESERVED_INDUSTRIES: frozenset[Industry] = frozenset({Industry.INTERNAL})
"""Industries nobody may choose."""

CURRENCIES: frozenset[str] = listed("""
    ARS AUD BRL CAD CHF CLP COP DKK EUR GBP HKD IDR INR MXN MYR NOK NZD PEN PHP PLN SEK SGD THB TRY TWD USD VEF ZAR
    """)
"""The currencies an ad account can be settled in."""

TIME_ZONES: frozenset[str] = listed("""
    AbuDhabiMuscat Adelaide Alaska AlmatyNovosibirsk AmsterdamBerlinBernRomeStockholmVienna Arizona
    AstanaDhaka AthensBuckarestIstanbul AtlanticTimeCanada AucklandWellington Azores Baghdad
    BakuTbilisiYerevan BangkokHanoiJakarta BeijingChongqingHongKongUrumqi
    BelgradeBratislavaBudapestLjubljanaPrague BogotaLimaQuito Brasilia Brisbane
    BrusselsCopenhagenMadridParis Bucharest BuenosAiresGeorgetown Cairo CanberraMelbourneSydney
    CapeVerdeIsland CaracasLaPaz CasablancaMonrovia CentralAmerica CentralTimeUSCanada
    ChennaiKolkataMumbaiNewDelhi ChihuahuaLaPazMazatlan Darwin EasternTimeUSCanada Ekaterinburg
    FijiKamchatkaMarshallIsland Greenland GreenwichMeanTimeDublinEdinburghLisbonLondon
    GuadalajaraMexicoCityMonterrey GuamPortMoresby HararePretoria Hawaii
    HelsinkiKyivRigaSofiaTallinnVilnius Hobart IndianaEast InternationalDateLineWest IrkutskUlaanBataar
    IslamabadKarachiTashkent Jerusalem Kabul Kathmandu Krasnoyarsk KualaLumpurSingapore KuwaitRiyadh
    MidAtlantic MidwayIslandAndSamoa MoscowStPetersburgVolgograd MountainTimeUSCanada Nairobi Newfoundland
    Nukualofa OsakaSapporoTokyo PacificTimeUSCanadaTijuana Perth Rangoon Santiago
    SarajevoSkopjeWarsawZagreb Saskatchewan Seoul SolomonIslandNewCaledonia SriJayawardenepura Taipei
    Tehran Vladivostok WestCentralAfrica Yakutsk
    """)
"""The time zones reports can be shown in."""

OWN_CURRENCY: Mapping[str, str] = {"BR": "BRL", "IN": "INR"}
"""Countries with tax rules of their own: an account there is settled in their currency, and that currency only
there. Decided: the documentation has the two refusals (1141, 1142) and no table."""


class PrepaidTerms(NamedTuple):
    """Where, and in which currency alone, a way of paying in advance exists."""

    country: str
    currency: str


PREPAID_TERMS: Mapping[PaymentMethodType, PrepaidTerms] = {
    PaymentMethodType.ELV: PrepaidTerms("DE", "EUR"),
    PaymentMethodType.VBA: PrepaidTerms("TW", "TWD"),
    PaymentMethodType.BOLETO: PrepaidTerms("BR", "BRL"),
}
"""Stated for each of these payment methods."""

INVOICED: frozenset[PaymentMethodType] = frozenset({PaymentMethodType.INVOICE})
"""Accounts billed by monthly invoice: their address and tax ids are not changed by users (1138, 1137)."""

PRIMARY_USER_ROLES: frozenset[Role] = frozenset({Role.SUPER_ADMIN, Role.STANDARD})
"""C20: who may be an ad account's primary user."""

FINAL_BILLING_FAILS: frozenset[AdAccountFinancialStatus] = frozenset({AdAccountFinancialStatus.HOLD})
"""Past due: the last balance cannot be billed, so the account cannot be deleted (2204)."""

NEW_AD_ACCOUNT = AdAccountStatus.DRAFT
"""How every ad account begins; a payment instrument makes it ACTIVE."""

DELETE_MANAGER_ACCOUNT_RULE = "C19"
"""Nobody may delete a manager account."""


def problems_of_manager_account(name: str, industry: Industry) -> list[Problem]:
    """What is wrong with the fields every update of a manager account carries."""
    found = []
    if not name.strip():
        found.append(Problem(WriteCode.NULL_PARAMETER, ("name",), "`name` is required."))
    elif len(name) > LONGEST_MANAGER_ACCOUNT_NAME:
        found.append(
            Problem(
                WriteCode.NAME_TOO_LONG, ("name",), f"`name` has at most {LONGEST_MANAGER_ACCOUNT_NAME} characters."
            )
        )
    found += problems_of_line(name)
    if industry in RESERVED_INDUSTRIES:
        message = f"{industry} is reserved; choose the industry the business is in."
        found.append(Problem(WriteCode.API_INPUT_VALIDATION_ERROR, ("industry",), message))
    return found


def problems_of_ad_account_name(name: str) -> list[Problem]:
    """Whether a name is one: 3 to 100 characters."""
    if len(name) > LONGEST_AD_ACCOUNT_NAME:
        message = f"`name` has at most {LONGEST_AD_ACCOUNT_NAME} characters."
        return [Problem(WriteCode.NAME_TOO_LONG, ("name",), message)]
    if len(name.strip()) < SHORTEST_AD_ACCOUNT_NAME:
        message = f"`name` has at least {SHORTEST_AD_ACCOUNT_NAME} characters."
        return [Problem(WriteCode.API_INPUT_VALIDATION_ERROR, ("name",), message)]
    return problems_of_line(name)


def problems_of_line(name: str) -> list[Problem]:
    """Whether a name is one line: names stand in lists and mails."""
    if is_printable(name):
        return []
    return [Problem(WriteCode.BAD_USER_INPUT, ("name",), "`name` contains control characters.")]


def problems_of_currency(currency: str) -> list[Problem]:
    """Whether an ad account can be settled in a currency."""
    if currency in CURRENCIES:
        return []
    message = f"An ad account cannot be settled in {currency[:10]!r}: choose one of {', '.join(sorted(CURRENCIES))}."
    return [Problem(WriteCode.API_INPUT_VALIDATION_ERROR, ("currencyCode",), message)]


def problems_of_time_zone(time_zone: str | None) -> list[Problem]:
    """Whether there is such a time zone."""
    if time_zone is None or time_zone in TIME_ZONES:
        return []
    message = f"There is no time zone {time_zone[:40]!r}; an example is PacificTimeUSCanadaTijuana."
    return [Problem(WriteCode.API_INPUT_VALIDATION_ERROR, ("timeZone",), message)]


def problems_of_country_and_currency(
    country: str | None, currency: str, payment: PaymentMethodType | None
) -> list[Problem]:
    """Whether country and currency fit each other, and the way the account is paid for."""
    if country is None:
        return []
    own = OWN_CURRENCY.get(country)
    if own is not None and own != currency:
        message = f"An ad account in {country} is settled in {own}, not in {currency}."
        return [Problem(WriteCode.BUSINESS_ADDRESS_CURRENCY_MISMATCH, ("businessAddress", "countryCode"), message)]
    homes = [home for home, money in OWN_CURRENCY.items() if money == currency]
    if homes and country not in homes:
        message = f"{currency} is accepted only in {', '.join(homes)}, not in {country}."
        return [Problem(WriteCode.CURRENCY_NOT_ACCEPTED_IN_LOCATION, ("businessAddress", "countryCode"), message)]
    terms = PREPAID_TERMS.get(payment) if payment is not None else None
    if terms is not None and terms != (country, currency):
        message = f"The account pays by {payment}, which exists only in {terms.country} and {terms.currency}."
        return [Problem(WriteCode.BUSINESS_ADDRESS_CURRENCY_MISMATCH, ("businessAddress", "countryCode"), message)]
    return []


LANGUAGES_OF_LCIDS: tuple[tuple[str, Language], ...] = (
    ("Chinese", Language.TRADITIONAL_CHINESE),
    *((str(one).title(), one) for one in Language if "_" not in one),
)
"""The language part of locale names, for the language of billing documents."""


def language_of_lcid(lcid: str) -> Language:
    """The language of billing documents that suits a user's locale.

    >>> str(language_of_lcid("FrenchCanada"))
    'FRENCH'
    """
    return next((language for part, language in LANGUAGES_OF_LCIDS if lcid.startswith(part)), Language.ENGLISH)
