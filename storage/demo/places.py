"""How the agency's story is told: a place opens, an ad account is added, a person joins, a link is asked for."""

from __future__ import annotations

import random
from typing import NamedTuple

from storage.demo.cast import a_link, a_login, a_user
from storage.demo.names import (
    DOMAIN,
    FIRST_NAMES,
    GROUP,
    JOB_TITLES,
    LAST_NAMES,
    PURPOSES,
    TAX_KEYS,
    Desk,
)
from storage.demo.story import Change, Story
from storage.entries import (
    AdAccountEntry,
    AddressEntry,
    ManagerAccountEntry,
    PaymentInstrumentEntry,
    TaxInformationEntry,
)
from storage.records.facts import EveryAccount, Scope
from storage.records.ids import (
    AdAccountId,
    LoginId,
    ManagerAccountId,
    PaymentInstrumentId,
    UserId,
)
from storage.records.values import (
    AdAccountFinancialStatus,
    AdAccountStatus,
    AutoTagType,
    Industry,
    Language,
    LinkPermission,
    LinkType,
    PaymentMethodType,
    Role,
    ServiceLevel,
    UserStatus,
)
from storage.writes import (
    write_ad_account_status,
)

SEED = 7

EVERY: Scope = EveryAccount()
HOME = Desk("Home", "US", Language.ENGLISH, "USD", "EasternTimeUSCanada", "EnglishUS", "Portsmouth", "NH")
"""Where the agency's head office and everybody without a desk is."""

_LATER_STATUSES: tuple[tuple[AdAccountStatus, int | None], ...] = (
    (AdAccountStatus.PAUSE, 1),
    (AdAccountStatus.PAUSE, 2),
    (AdAccountStatus.PAUSE, 4),
    (AdAccountStatus.SUSPENDED, None),
    (AdAccountStatus.INACTIVE, None),
)
_ONE_IN = 9
"""One ad account in so many has fared worse than active since."""


class Place(NamedTuple):
    """A manager account of the story with the ad accounts it owns."""

    id: ManagerAccountId
    accounts: tuple[AdAccountId, ...]
    boss: UserId


class Agency:
    """The telling: keeps the dice, the people met so far and the day."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.dice = random.Random(SEED)  # noqa: S311 (a seeded story, nothing secret)
        self.inviter = (f"links@{DOMAIN}", GROUP, "+1 555 0100")

    # --- turns of the story ---

    def a_place(
        self,
        day: float,
        name: str,
        industry: Industry,
        desk: Desk,
        account_count: int,
        *,
        level: ServiceLevel = ServiceLevel.SELF_SERVE,
        bill_to: ManagerAccountId | None = None,
        boss: bool = True,
    ) -> Place:
        """A manager account opens, with a Super Admin and its ad accounts."""
        story, at = self.story, self.story.at_day(day)
        id_ = ManagerAccountId(story.next_id("manager account", 5001))
        address = self.an_address(name, desk)
        place = ManagerAccountEntry(
            id_,
            f"C{id_:09d}",
            name,
            industry=industry,
            market_country=desk.country,
            market_language=desk.language,
            address_id=address.id,
            service_level=level,
        )
        instrument = PaymentInstrumentEntry(PaymentInstrumentId(story.next_id("payment instrument", 900_001)), id_)
        story.tell(at, "signUpManagerAccount", [address, place, instrument])
        user = UserId(0)
        if boss:
            _, user = self.a_person(day, id_, [(Role.SUPER_ADMIN, EVERY)], desk)
        accounts = [self.an_account(day, id_, name, desk, bill_to, user or None) for _ in range(account_count)]
        return Place(id_, tuple(accounts), user)

    def an_address(self, name: str, desk: Desk) -> AddressEntry:
        """A business address at the desk's city."""
        number = self.story.next_id("address", 3001)
        return AddressEntry(
            id=number,
            business_name=name,
            line1=f"{number % 90 + 1} Harbour Road",
            city=desk.city,
            postal_code=f"{10_000 + number}",
            state_or_province=desk.state,
            country_code=desk.country,
        )

    def an_account(
        self,
        day: float,
        owner: ManagerAccountId,
        name: str,
        desk: Desk,
        bill_to: ManagerAccountId | None,
        primary_user: UserId | None,
    ) -> AdAccountId:
        """An ad account is added; some fare worse later."""
        story, dice = self.story, self.dice
        id_ = AdAccountId(story.next_id("ad account", 500_001))
        address = self.an_address(name, desk)
        draft = dice.randrange(40) == 0
        entry = AdAccountEntry(
            id=id_,
            number=f"N{id_:07d}",
            name=f"{name} {dice.choice(PURPOSES)} {id_ % 1_000}",
            manager_account_id=owner,
            status=AdAccountStatus.DRAFT if draft else AdAccountStatus.ACTIVE,
            financial_status=dice.choices(list(AdAccountFinancialStatus), [90, 1, 1, 1, 1, 1, 3, 1, 1])[0],
            currency_code=desk.currency,
            time_zone=desk.time_zone,
            language=desk.language,
            auto_tag_type=dice.choice(list(AutoTagType)),
            account_mode=dice.choice(("Expert", "Expert", "Smart")),
            business_address_id=address.id,
            primary_user_id=primary_user,
            bill_to_manager_account_id=bill_to or owner,
            payment_method_id=None if draft else 900_000 + id_ % 1_000,
            payment_method_type=None
            if draft
            else dice.choice((PaymentMethodType.INVOICE, PaymentMethodType.CREDIT_CARD)),
            billing_threshold_micros=None if draft else dice.choice((50, 200, 500)) * 1_000_000,
        )
        taxes = [TaxInformationEntry(id_, key, value) for key, value in TAX_KEYS.get(desk.country, ())]
        story.tell(story.at_day(day), "addAdAccount", [address, entry, *taxes])
        if not draft and dice.randrange(_ONE_IN) == 0:
            status, reason = dice.choice(_LATER_STATUSES)
            self.later(
                day + 200,
                "advanceAdAccounts",
                lambda transaction, stamp: write_ad_account_status(transaction, stamp, [id_], status, reason),
            )
        return id_

    def a_person(
        self,
        day: float,
        place: ManagerAccountId,
        roles: list[tuple[Role, Scope]],
        desk: Desk = HOME,
        *,
        status: UserStatus = UserStatus.ACTIVE,
        user_name: str | None = None,
    ) -> tuple[LoginId, UserId]:
        """Somebody new joins a manager account."""
        story, dice = self.story, self.dice
        number = story.next_id("person", 0)
        first = FIRST_NAMES[number % len(FIRST_NAMES)]
        last = LAST_NAMES[number // len(FIRST_NAMES) % len(LAST_NAMES)]
        name = user_name or f"{first}.{last}@{DOMAIN}".lower()
        at = story.at_day(day)
        login = a_login(story, at, name)
        user = a_user(
            story,
            at,
            login,
            place,
            (first, last),
            roles,
            email=name,
            job_title=dice.choice(JOB_TITLES),
            lcid=desk.lcid,
            status=status,
            address=self.an_address("", desk)._replace(business_name=None) if number % 3 == 0 else None,
        )
        return login, user

    def later(self, day: float, operation: str, change: Change) -> None:
        """Something changes on that day."""
        self.story.tell_change(self.story.at_day(day), operation, change)

    def link(
        self,
        day: float,
        managing: ManagerAccountId,
        client: ManagerAccountId | AdAccountId,
        kind: LinkPermission | LinkType,
        life: str = "active",
        name: str = "Agency link",
    ) -> None:
        """A link asked for on that day of the past."""
        at = self.story.at_day(day)
        a_link(self.story, at, managing, client, kind, life, name=name, inviter=self.inviter)
