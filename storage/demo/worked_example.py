"""The worked example: four manager accounts over three links, and a person who is Super Admin at the top.

L1 (111) holds L2 (222) by an administrative link, L2 holds L3 (333) by a standard one, L3 holds one ad
account of L4 (444), which is outside the hierarchy. Every answer about it is known beforehand.
"""

from __future__ import annotations

from storage.demo.cast import a_link, a_login, a_user
from storage.demo.story import Story
from storage.entries import AdAccountEntry, AddressEntry, ManagerAccountEntry, PaymentInstrumentEntry
from storage.records.facts import EveryAccount, OnlyAccounts, Scope
from storage.records.ids import AdAccountId, ManagerAccountId, PaymentInstrumentId, UserId
from storage.records.values import AdAccountStatus, Industry, LinkPermission, LinkType, Role

WORKED_USER_NAME = "alex@contoso.example"
"""The login that is Super Admin in 999, where it began, and in 111."""

_MANAGER_ACCOUNTS = {
    111: "Manager Account L1",
    222: "Manager Account L2",
    333: "Manager Account L3",
    444: "Manager Account L4",
    999: "Contoso Studio",
}
_AD_ACCOUNTS = {
    111111: ("Ad Account 1A", "E101NUMB", 111),
    111222: ("Ad Account 1B", "E102NUMB", 111),
    222111: ("Ad Account 2A", "E201NUMB", 222),
    222222: ("Ad Account 2B", "E202NUMB", 222),
    333111: ("Ad Account 3A", "E301NUMB", 333),
    333222: ("Ad Account 3B", "E302NUMB", 333),
    444111: ("Ad Account 4A", "E401NUMB", 444),
    444222: ("Ad Account 4B", "E402NUMB", 444),
}
_EVERY = EveryAccount()
_PEOPLE: tuple[tuple[int, int, str, str, Role, Scope], ...] = (
    (1003, 222, "Chloe", "Marsh", Role.SUPER_ADMIN, _EVERY),
    (1004, 333, "Dana", "Okafor", Role.SUPER_ADMIN, _EVERY),
    (1005, 333, "Erik", "Solberg", Role.STANDARD, _EVERY),
    (1006, 333, "Farah", "Nasser", Role.CAMPAIGN_MANAGER, OnlyAccounts(frozenset({AdAccountId(333111)}))),
    (1007, 444, "Gus", "Petrov", Role.SUPER_ADMIN, _EVERY),
    (1008, 444, "Hana", "Ito", Role.VIEWER, _EVERY),
)
"""Other users: id, manager account, name, role, scope. None of them changes what the first login reaches."""

_OPENED, _JOINED, _LINKED = 0.0, 1.0, 2.0
_PAUSED_BY_BILLING = 2


def tell_worked_example(story: Story) -> None:
    """Tell the whole example, in the first days of the story."""
    opened = story.at_day(_OPENED)
    managers = _manager_accounts(story)
    instruments = [PaymentInstrumentEntry(PaymentInstrumentId(int(one.id)), one.id) for one in managers]
    story.tell(opened, "signUpManagerAccount", [*managers, *instruments, *_ad_accounts(story)])
    joined = story.at_day(_JOINED)
    alex = a_login(story, joined, WORKED_USER_NAME)
    name = ("Alex", "Reyes")
    a_user(story, joined, alex, ManagerAccountId(999), name, email=WORKED_USER_NAME, user_id=1001)
    a_user(story, joined, alex, ManagerAccountId(111), name, email=WORKED_USER_NAME, user_id=1002, is_original=False)
    for user, manager_account, first, last, role, scope in _PEOPLE:
        email = f"{first.lower()}@l{manager_account // 111}.example"
        login = a_login(story, joined, email)
        a_user(
            story,
            joined,
            login,
            ManagerAccountId(manager_account),
            (first, last),
            [(role, scope)],
            email=email,
            user_id=user,
        )
    linked = story.at_day(_LINKED)
    one, two, three = (ManagerAccountId(id_) for id_ in (111, 222, 333))
    a_link(story, linked, one, two, LinkPermission.ADMINISTRATIVE, name="L1 manages L2", actor=UserId(1002))
    a_link(story, linked, two, three, LinkPermission.STANDARD, name="L2 manages L3", actor=UserId(1003))
    a_link(story, linked, three, AdAccountId(444111), LinkType.ACCOUNT_LINK, name="L3 runs 4A", actor=UserId(1004))


def _manager_accounts(story: Story) -> list[ManagerAccountEntry]:
    return [
        ManagerAccountEntry(
            ManagerAccountId(id_), f"C{id_:09d}", name, industry=Industry.RETAIL if id_ == 999 else Industry.SERVICES
        )
        for id_, name in _MANAGER_ACCOUNTS.items()
    ]


def _ad_accounts(story: Story) -> list[AddressEntry | AdAccountEntry]:
    entries: list[AddressEntry | AdAccountEntry] = []
    for id_, (name, number, owner) in _AD_ACCOUNTS.items():
        address = AddressEntry(
            id=story.next_id("address", 3001),
            business_name=_MANAGER_ACCOUNTS[owner],
            line1=f"{owner} Example Street",
            city="Redmond",
            postal_code="98052",
            state_or_province="WA",
            country_code="US",
        )
        account = AdAccountEntry(
            id=AdAccountId(id_),
            number=number,
            name=name,
            manager_account_id=ManagerAccountId(owner),
            status=AdAccountStatus.PAUSE,
            pause_reason=_PAUSED_BY_BILLING,
            business_address_id=address.id,
            bill_to_manager_account_id=ManagerAccountId(owner),
        )
        entries += [address, account]
    return entries
