"""Everything people can do to a small company, chosen at random, through the public mutations.

What is chosen is often refused: by rights, by state, by rules. What counts is what holds afterwards.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from resolvers.worker import Trouble, Work, work_off
from storage.billing import write_payment_instruments
from storage.database import Database
from storage.entries import PaymentInstrumentEntry
from storage.records.ids import Instant, ManagerAccountId, PaymentInstrumentId
from storage.writes import continue_ids_after_given_ones
from tests.builders import a_link, a_login, a_role, a_user, a_world, an_account_link, an_ad, an_aggregation
from tests.oracle import AccountLink, CustomerLink, User, World
from tests.schema.facts_of import read_world
from tests.schema.write_client import NOW_MS, Writer
from tests.stored_worlds import write_world

DAY_MS = 86_400_000
CUSTOMERS = (1, 2, 3, 4, 5)
HERO = 1
"""The login the random roles are for; 11 to 15 are the Super Admins of the five manager accounts."""
STRANGERS = (21, 22, 23)
"""Logins without any user, until somebody invites them."""
ROLES = ("VIEWER", "CAMPAIGN_MANAGER", "STANDARD", "SUPER_ADMIN")
ADDRESS = {"businessName": "Adventure", "line1": "1 Example Way", "city": "Redmond", "countryCode": "US"}
RESULTS = "results { userErrors { code } }"
T = TypeVar("T")
Choose = Callable[[int], int]
"""A number below the one given."""


def small_company(seed: int) -> World:
    """Five manager accounts with two ad accounts each, some linked, and one login with roles in two or three."""
    dice = random.Random(seed)
    homes = dice.sample(CUSTOMERS, dice.randint(2, 3))
    hero = [a_user(HERO + 100 * nth, of=one, login=HERO, original=nth == 0) for nth, one in enumerate(homes)]
    roles = [
        a_role(dice.choice((*ROLES, "STANDARD", "SUPER_ADMIN")), at=user.manager_account, user=user.id, id=user.id)
        for user in hero
    ]
    if seed % 2:
        # He leads one side and only works for another: what tempts people to move clients.
        roles[0], roles[1] = replace(roles[0], role="SUPER_ADMIN"), replace(roles[1], role="STANDARD")
    one = dice.choice(hero)
    listed = [one.manager_account * 10]
    roles.append(a_role("STANDARD", at=one.manager_account, user=one.id, id=900, scope="ONLY_ACCOUNTS", listed=listed))
    if not seed % 3:
        # Some are Aggregators, over a manager account that has people and links of its own.
        roles.append(a_role("AGGREGATOR", at=one.manager_account, user=one.id, id=901))
    signed_up = [an_aggregation(one.manager_account, seed % 5 + 1)] if not seed % 3 else []
    pairs = [(above, below) for above in CUSTOMERS for below in CUSTOMERS if above < below]
    links = [
        a_link(above, below, dice.choice(("ADMINISTRATIVE", "STANDARD")))
        for above, below in dice.sample(pairs, dice.randint(1, 4))
    ]
    tempting = [(homes[1], owner * 10 + 1) for owner in CUSTOMERS if owner not in homes] if seed % 2 else []
    managed = [(above, owner * 10 + 1) for above in CUSTOMERS for owner in CUSTOMERS if above != owner]
    return a_world(
        *hero,
        *(a_user(10 + one, of=one, login=10 + one) for one in CUSTOMERS),
        *(a_role(at=one, user=10 + one, id=10 + one) for one in CUSTOMERS),
        *(a_login(one) for one in STRANGERS),
        *(an_ad(one * 10 + digit, owner=one) for one in CUSTOMERS for digit in (0, 1)),
        *roles,
        *links,
        *(item for item in signed_up if item.aggregator != item.manager_account),
        *(an_account_link(above, account) for above, account in sorted({*dice.sample(managed, 3), *tempting})),
    )


class Dealings:
    """One company in one database, and what was done in it."""

    def __init__(self, database: Database, world: World, choose: Choose) -> None:
        self.database = database
        self.now_ms = NOW_MS
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._choose = choose
        self.homes = {user.manager_account for user in world.users if user.login == HERO}
        self._secrets: list[str] = []
        self._names = 0
        with database.write() as tx:
            write_world(tx, world)
            customers = [ManagerAccountId(one.id) for one in world.manager_accounts]
            paying = [PaymentInstrumentEntry(PaymentInstrumentId(int(one)), one) for one in customers]
            write_payment_instruments(tx, paying)
            continue_ids_after_given_ones(tx)

    def world(self) -> World:
        """What is stored now."""
        with self.database.read() as transaction:
            return read_world(transaction)

    def one_of(self, options: Iterable[T]) -> T:
        """One of some, by chance."""
        sequence: Sequence[T] = list(options)
        return sequence[self._choose(len(sequence))]

    def anything(self) -> tuple[str, dict[str, Any]]:
        """Some mutation and its input."""
        return self.one_of(ALL)(self)

    def send(self, login: int, mutation: str, given: dict[str, Any]) -> bool:
        """Whether a mutation was done. Secrets of invitations are kept."""
        in_items = mutation.endswith("ClientLinks")
        payload = Writer(self.database, login, self.now_ms).payload(mutation, given, RESULTS if in_items else "")
        errors = payload["userErrors"] or [one for each in payload.get("results", ()) for one in each["userErrors"]]
        (self.refused if errors else self.done)[mutation] += 1
        if mutation == "sendUserInvitation" and not errors:
            self._secrets.append(self._latest_secret())
        return not errors

    def wait(self, days: int) -> None:
        """Let time pass, and the service do what is due."""
        self.now_ms += days * DAY_MS
        troubles = [one for one in work_off(Work(self.database), Instant(self.now_ms)) if isinstance(one, Trouble)]
        assert troubles == []

    def _latest_secret(self) -> str:
        with self.database.read() as tx:
            [*_, (data,)] = tx.execute("SELECT data FROM outbox_message WHERE data IS NOT NULL ORDER BY id").fetchall()
        return str(json.loads(data)["secret"])

    def _stamp(self, table: str, key: int) -> str:
        with self.database.read() as tx:
            [(stamp,)] = tx.execute(f'SELECT time_stamp FROM "{table}" WHERE id = {key}').fetchall()
        return str(stamp)

    def _near(self, options: Iterable[T], place: Callable[[T], int]) -> T:
        """One of some, mostly of those where who writes is at home: elsewhere most is refused."""
        everywhere = list(options)
        near = [one for one in everywhere if place(one) in self.homes]
        return self.one_of(near if near and self._choose(4) < 3 else everywhere)

    def _customer(self) -> str:
        return str(self._near(CUSTOMERS, int))

    def _account(self) -> int:
        return self._near(self.world().ad_accounts, lambda one: one.owner).id

    def _user(self) -> User:
        return self._near(self.world().users, lambda one: one.manager_account)

    def _links(self) -> list[CustomerLink | AccountLink]:
        world = self.world()
        return sorted([*world.customer_links, *world.account_links], key=lambda one: -one.id)

    def send_link(self) -> tuple[str, dict[str, Any]]:
        """A link between any two."""
        link: dict[str, Any] = {"managingCustomerId": self._customer()}
        if self._choose(2):
            link |= {"clientEntityId": str(self._account()), "isBillToClient": bool(self._choose(2))}
        else:
            permission = self.one_of(("ADMINISTRATIVE", "STANDARD"))
            link |= {"type": "CUSTOMER_LINK", "clientEntityId": self._customer(), "customerLinkPermission": permission}
        return "addClientLinks", {"links": [link]}

    def answer_link(self) -> tuple[str, dict[str, Any]]:
        """Something done to any link; what waits is mostly accepted."""
        links = self._links()
        link = self.one_of([one for one in links if one.status == "LINK_PENDING"] or links)
        waits = link.status == "LINK_PENDING"
        action = self.one_of(("ACCEPT", "ACCEPT", "DECLINE", "CANCEL") if waits else ("REQUEST_UNLINK", "CANCEL"))
        return "updateClientLinks", {
            "links": [{"linkId": str(link.id), "timeStamp": self._stamp("client_link", link.id), "action": action}]
        }

    def move_link(self) -> tuple[str, dict[str, Any]]:
        """Any link given to anybody, mostly one of a manager account where who writes is at home."""
        links = self._links()
        active = [one for one in links if one.status == "ACTIVE"]
        link = self._near(active or links, lambda one: one.managing)
        stamp = self._stamp("client_link", link.id)
        return "moveClientLink", {
            "linkId": str(link.id),
            "timeStamp": stamp,
            "toManagingCustomerId": str(self._near([one for one in CUSTOMERS if one != link.managing], int)),
        }

    def change_roles(self) -> tuple[str, dict[str, Any]]:
        """A role given to anybody, one taken, or both."""
        user = self._user()
        given: dict[str, Any] = {"customerId": str(user.manager_account), "userId": str(user.id)}
        what = self._choose(4)
        if what != 1:
            given["newRole"] = self.one_of(ROLES)
            if self._choose(2):
                given["newAccountIds"] = [str(self._account())]
            if not self._choose(4):
                given["newCustomerIds"] = [self._customer()]
        if what in (1, 2):
            given["deleteRole"] = self.one_of(ROLES)
        return "updateUserRoles", given

    def lower_oneself(self) -> tuple[str, dict[str, Any]]:
        """The role of a Super Admin given up for the one below."""
        leading = [one for one in self.world().assignments if one.role == "SUPER_ADMIN" and one.user % 100 == HERO]
        if not leading:
            return self.change_roles()
        one = self.one_of(leading)
        given = {"customerId": str(one.manager_account), "userId": str(one.user), "deleteRole": "SUPER_ADMIN"}
        return "updateUserRoles", {**given, "newRole": "STANDARD"}

    def invite_a_leader(self) -> tuple[str, dict[str, Any]]:
        """Somebody invited to lead a manager account with the hero."""
        leading = [one for one in self.world().assignments if one.role == "SUPER_ADMIN" and one.user % 100 == HERO]
        mutation, given = self.invite()
        if leading:
            given = {**given, "customerId": str(self.one_of(leading).manager_account), "role": "SUPER_ADMIN"}
            given.pop("accountIds", None)
        return mutation, given

    def invite(self) -> tuple[str, dict[str, Any]]:
        """Somebody invited to anything."""
        given = {"customerId": self._customer(), "email": "kim@user.example", "firstName": "Kim", "lastName": "Larsen"}
        limited = {"accountIds": [str(self._account())]} if self._choose(2) else {}
        return "sendUserInvitation", {**given, "role": self.one_of(ROLES), **limited}

    def accept_invitation(self) -> tuple[str, dict[str, Any]]:
        """Any secret that was ever sent."""
        secret = self.one_of(self._secrets[-3:]) if self._secrets else "adi_unknown"
        return "acceptUserInvitation", {"secret": secret}

    def change_user(self) -> tuple[str, dict[str, Any]]:
        """Anybody changed or, less often, deleted."""
        user = self._user().id
        given = {"userId": str(user), "timeStamp": f"{self._stamp('app_user', user)}-{user}"}
        return ("deleteUser", given) if not self._choose(3) else ("updateUser", {**given, "jobTitle": self._name()})

    def change_account(self) -> tuple[str, dict[str, Any]]:
        """Any ad account changed or, less often, deleted."""
        account = self._account()
        given = {"accountId": str(account), "timeStamp": self._stamp("ad_account", account)}
        return ("deleteAdAccount", given) if not self._choose(4) else ("updateAdAccount", {**given, "name": "Renamed"})

    def add_account(self) -> tuple[str, dict[str, Any]]:
        """An ad account added anywhere, or a manager account renamed."""
        customer = self._customer()
        if self._choose(2):
            stamp = self._stamp("manager_account", int(customer))
            given = {"customerId": customer, "timeStamp": stamp, "name": self._name(), "industry": "RETAIL"}
            return "updateManagerAccount", given
        contact = {"primaryUserId": str(10 + int(customer))}
        new = {"name": self._name(), "currencyCode": "USD", "businessAddress": ADDRESS}
        return "addAdAccount", {"parentCustomerId": customer, **new, **contact}

    def _name(self) -> str:
        self._names += 1
        return f"Name {self._names}"


ALL: tuple[Callable[[Dealings], tuple[str, dict[str, Any]]], ...] = (
    Dealings.send_link,
    Dealings.send_link,
    Dealings.answer_link,
    Dealings.answer_link,
    Dealings.move_link,
    Dealings.change_roles,
    Dealings.change_roles,
    Dealings.invite,
    Dealings.accept_invitation,
    Dealings.change_user,
    Dealings.change_account,
    Dealings.add_account,
)
"""What can be done; twice what takes several steps to have an effect."""
