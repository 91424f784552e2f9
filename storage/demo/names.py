"""Invented names and places for the demo agency. None belongs to a real company or person."""

from __future__ import annotations

from typing import NamedTuple

from storage.records.values import Industry, Language, LinkPermission


class Desk(NamedTuple):
    """A country desk of the agency: where it is and how its accounts are kept."""

    name: str
    country: str
    language: Language
    currency: str
    time_zone: str
    lcid: str
    city: str
    state: str | None


GROUP = "Northwind Reach Group"
DOMAIN = "northwindreach.example"

REGIONS: tuple[tuple[str, LinkPermission, tuple[Desk, ...]], ...] = (
    (
        "Northwind Reach Europe",
        LinkPermission.ADMINISTRATIVE,
        (
            Desk("Nordics", "SE", Language.SWEDISH, "SEK", "AmsterdamBerlinBernRomeStockholmVienna",
                 "SwedishSweden", "Malmö", None),
            Desk("Alps", "AT", Language.GERMAN, "EUR", "AmsterdamBerlinBernRomeStockholmVienna",
                 "GermanAustria", "Innsbruck", None),
            Desk("Iberia", "ES", Language.SPANISH, "EUR", "BrusselsCopenhagenMadridParis",
                 "SpanishSpain", "Vigo", None),
        ),
    ),
    (
        "Northwind Reach Americas",
        LinkPermission.ADMINISTRATIVE,
        (
            Desk("Canada", "CA", Language.ENGLISH, "CAD", "PacificTimeUSCanadaTijuana",
                 "EnglishCanada", "Kelowna", "BC"),
            Desk("Brazil", "BR", Language.PORTUGUESE, "BRL", "Brasilia", "PortugueseBrazil", "Recife", "PE"),
            Desk("Great Lakes", "US", Language.ENGLISH, "USD", "CentralTimeUSCanada", "EnglishUS", "Duluth", "MN"),
        ),
    ),
    (
        "Northwind Reach Pacific",
        LinkPermission.STANDARD,
        (
            Desk("Australia", "AU", Language.ENGLISH, "AUD", "CanberraMelbourneSydney",
                 "EnglishAustralia", "Hobart", "TAS"),
            Desk("India", "IN", Language.ENGLISH, "INR", "ChennaiKolkataMumbaiNewDelhi",
                 "EnglishIndia", "Mysuru", "KA"),
            Desk("Singapore", "SG", Language.ENGLISH, "SGD", "KualaLumpurSingapore",
                 "EnglishSingapore", "Singapore", None),
        ),
    ),
)  # fmt: skip

TAX_KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "AU": (("AUGSTNumber", "51824753556"),),
    "BR": (("CNPJ", "11222333000181"),),
    "IN": (("GSTINNumber", "29ABCDE1234F1Z5"), ("PanNumber", "ABCDE1234F")),
    "SG": (("GSTNumber", "20-1234567-8"),),
    "AT": (("VATNumber", "ATU12345678"),),
    "ES": (("VATNumber", "ESB12345678"),),
    "SE": (("VATNumber", "SE123456789001"),),
}
"""Tax ids by country, made up in the documented form."""

CLIENTS: tuple[tuple[str, Industry], ...] = (
    ("Larkspur Outdoor", Industry.RETAIL),
    ("Tidewater Ceramics", Industry.CONSUMER_PACKAGED_GOODS),
    ("Hollowbrook Dental", Industry.HEALTHCARE),
    ("Amberline Rail", Industry.TRAVEL_HOSPITALITY),
    ("Pinecrest Learning", Industry.EDUCATION),
    ("Saltmarsh Kitchens", Industry.FOOD_SERVICES),
    ("Vellum & Thread", Industry.RETAIL),
    ("Orchard Lane Insurance", Industry.FINANCIAL_SERVICES),
    ("Copperfield Motors", Industry.AUTOMOTIVE),
    ("Marrow Bay Seafood", Industry.FOOD_SERVICES),
    ("Brightwater Lofts", Industry.REAL_ESTATE),
    ("Fernhill Veterinary", Industry.HEALTHCARE),
    ("Kestrel Telecom", Industry.TELECOMMUNICATIONS),
    ("Sundial Games", Industry.GAMING),
    ("Meadowlark Radio", Industry.ENTERTAINMENT),
    ("Quarry Street Tools", Industry.RETAIL),
    ("Ivory Pines Resort", Industry.TRAVEL_HOSPITALITY),
    ("Nettlecombe Press", Industry.PUBLISHING_AND_WEB_MEDIA),
    ("Driftwood Software", Industry.TECHNOLOGY),
    ("Alder & Finch", Industry.SERVICES),
    ("Thistledown Toys", Industry.RETAIL),
    ("Harrowgate Pharma", Industry.PHARMACEUTICALS),
    ("Cobalt Cycle Works", Industry.AUTOMOTIVE),
    ("Willowmere Spa", Industry.SERVICES),
    ("Basalt Climbing", Industry.ENTERTAINMENT),
    ("Stonefruit Market", Industry.FOOD_SERVICES),
    ("Lanternfish Apps", Industry.TECHNOLOGY),
)
BRANDS = ("Home", "Kids", "Studio")
INDEPENDENTS: tuple[tuple[str, Industry], ...] = (
    ("Juniper & Vale Interiors", Industry.RETAIL),
    ("Blackthorn Theatre", Industry.ENTERTAINMENT),
    ("Candlewick Candles", Industry.CONSUMER_PACKAGED_GOODS),
    ("Dovetail Joinery", Industry.SERVICES),
    ("Elmswood Cider", Industry.FOOD_SERVICES),
    ("Foxglove Florists", Industry.RETAIL),
    ("Gannet Ferries", Industry.TRAVEL_HOSPITALITY),
    ("Hearthstone Bakery", Industry.FOOD_SERVICES),
)
AGGREGATOR = "Quillfeather Partners"
SIGNED_UP = ("Rosehip Tea", "Sparrow Cargo", "Umber Print", "Wrenfield Golf", "Yarrow Yoga", "Zephyr Kites")

PURPOSES = ("Search", "Shopping", "Brand", "Audience", "Remarketing", "Local")

FIRST_NAMES = (
    "Aino", "Bram", "Cleo", "Davi", "Esra", "Finn", "Gita", "Hugo", "Ines", "Jonas", "Kaya", "Liam", "Mira", "Nils",
    "Olga", "Pavel", "Quinn", "Rosa", "Sami", "Tara", "Ugo", "Vera", "Wim", "Xenia", "Yara", "Zeno",
)  # fmt: skip
LAST_NAMES = (
    "Abernet", "Brisling", "Castellan", "Dunmore", "Eskerby", "Fallow", "Greave", "Holloway", "Ingersund", "Jessop",
    "Kirkwell", "Lindholt", "Maddern", "Norrby", "Ottaway", "Penhale", "Quillan", "Rookwood", "Selwick", "Tolland",
)  # fmt: skip
JOB_TITLES = ("Account director", "Campaign planner", "Analyst", "Buyer", "Finance partner", "Coordinator")
