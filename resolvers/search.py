"""Searches over all the viewer reaches: SearchAccounts, SearchCustomers, GetCustomersInfo, FindAccounts.

The predicates and their rules are those of the published reference: which may be combined, how long a text
must be, what an operator means. Whatever the viewer may not see is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from resolvers.errors import Code, Refusal
from resolvers.paging import Connection, Edge, Page, decode_cursor, fingerprint
from resolvers.people import visible_users
from resolvers.reachable import Reachable, reachable_by_user, reachable_by_viewer
from resolvers.rules.texts import is_storable
from resolvers.session import Session
from storage.folding import fold
from storage.reads import search as read
from storage.reads.search import AdAccountSet, Bounds, Condition, Order, OrderField
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.rows import AdAccountRow, ManagerAccountRow
from storage.records.values import AdAccountStatus, Language

SHORTEST_TEXT = 4
"""Texts to search names and numbers by have at least four characters (error 2180)."""
MOST_VALUES = 10
"""`in` takes at most ten values."""
NOBODY = AdAccountSet((), ())
"""The set of what may not be asked about."""


def _storable(name: str, text: str) -> str:
    """A text a database can be asked for. Raises: Refusal INVALID_FILTER."""
    if not is_storable(text):
        message = f"`{name}` contains a character no name has: NUL, or half of a surrogate pair."
        raise Refusal(Code.INVALID_FILTER, message, number=3030)
    return text


def _require_text(name: str, text: str) -> str:
    _storable(name, text)
    if len(text) < SHORTEST_TEXT:
        raise Refusal(
            Code.INVALID_FILTER,
            f"`{name}` needs at least {SHORTEST_TEXT} characters; to list by a shorter beginning use `find`.",
            number=2180,
        )
    return text


def require_few(name: str, values: Sequence[Any]) -> None:
    """Refuse an `in` with no values or too many. Raises: Refusal INVALID_FILTER."""
    if not 1 <= len(values) <= MOST_VALUES:
        raise Refusal(Code.INVALID_FILTER, f"`{name}` takes 1 to {MOST_VALUES} values, not {len(values)}.", number=3030)


@dataclass(frozen=True, slots=True)
class TextPredicate:
    """One of the operators a text field knows; exactly one is set."""

    equals: str | None = None
    contains: str | None = None
    one_of: tuple[str, ...] | None = None

    def conditions(self, name: str, *, stored: str) -> list[Condition]:
        """The conditions on the stored column. Raises: Refusal INVALID_FILTER."""
        given = [value for value in (self.equals, self.contains, self.one_of) if value is not None]
        if len(given) != 1:
            raise Refusal(Code.INVALID_FILTER, f"`{name}` takes exactly one operator, not {len(given)}.", number=3030)
        if self.contains is not None:
            return [Condition(f"{stored}_contains", read.containing(_require_text(name, self.contains)))]
        if self.equals is not None:
            text = fold(_require_text(name, self.equals))
            return [Condition(f"{stored}_in", [text]) if "number" in stored else Condition(f"{stored}_equals", text)]
        values = self.one_of or ()
        require_few(name, values)
        return [Condition(f"{stored}_in", [fold(_require_text(name, value)) for value in values])]


@dataclass(frozen=True, slots=True)
class AdAccountFilter:
    """The predicates of SearchAccounts: exactly one, or a status with exactly one more."""

    account_ids: tuple[AdAccountId, ...] | None = None
    status: AdAccountStatus | None = None
    name: TextPredicate | None = None
    number: TextPredicate | None = None
    customer_id: ManagerAccountId | None = None
    user_id: UserId | None = None

    def conditions(self) -> list[Condition]:
        """What the database is asked. Raises: Refusal INVALID_FILTER."""
        conditions: list[Condition] = []
        if self.account_ids is not None:
            require_few("accountId", self.account_ids)
            conditions.append(Condition("account_id", list(self.account_ids)))
        if self.name is not None:
            conditions += self.name.conditions("name", stored="name")
        if self.number is not None:
            conditions += self.number.conditions("number", stored="number")
        if self.customer_id is not None:
            conditions.append(Condition("customer_id", [self.customer_id]))
        predicates = len(conditions) + (self.user_id is not None)
        if predicates > 1 or (predicates == 0 and self.status is None):
            raise Refusal(
                Code.INVALID_FILTER,
                "A search for ad accounts takes exactly one predicate, and `lifeCycleStatus` beside it:"
                f" {predicates} were given. Leave `filter` out to list everything.",
                number=3030 if predicates else 474,
            )
        if predicates == 0:
            raise Refusal(
                Code.INVALID_FILTER,
                "`lifeCycleStatus` needs exactly one further predicate beside it, for example `customerId`.",
                number=3030,
            )
        return [*conditions, *_status_conditions(self.status)]


def _status_conditions(status: AdAccountStatus | None) -> list[Condition]:
    if status is None:
        return []
    if status == AdAccountStatus.ACTIVE:
        return [Condition("status_active", None)]
    if status == AdAccountStatus.PAUSE:
        return [Condition("status_pause", None)]
    return [Condition("status", [status])]


@dataclass(frozen=True, slots=True)
class ManagerAccountFilter:
    """The predicates of SearchCustomers, all of which must hold, and the prefix of GetCustomersInfo."""

    customer_ids: tuple[ManagerAccountId, ...] | None = None
    name: TextPredicate | None = None
    name_prefix: str | None = None
    account_id: AdAccountId | None = None
    account_name: TextPredicate | None = None
    account_number: TextPredicate | None = None
    created_from: date | None = None
    created_to: date | None = None
    market_country: str | None = None
    market_language: Language | None = None
    user_name: str | None = None

    def conditions(self) -> list[Condition]:
        """What the database is asked. Raises: Refusal INVALID_FILTER."""
        conditions: list[Condition] = []
        if self.customer_ids is not None:
            require_few("customerId", self.customer_ids)
            conditions.append(Condition("customer_id", list(self.customer_ids)))
        if self.name is not None:
            conditions += self.name.conditions("name", stored="name")
        if self.name_prefix is not None:
            conditions.append(Condition("name_prefix", read.prefix_bounds(_storable("namePrefix", self.name_prefix))))
        if self.account_id is not None:
            conditions.append(Condition("account_id", [self.account_id]))
        if self.account_name is not None:
            conditions += self.account_name.conditions("accountName", stored="account_name")
        if self.account_number is not None:
            conditions += self.account_number.conditions("accountNumber", stored="account_number")
        conditions += self._dates()
        conditions += self._market()
        if self.user_name is not None:
            conditions.append(Condition("user_name", _require_text("userName", self.user_name)))
        if not conditions:
            raise Refusal(
                Code.INVALID_FILTER,
                "A search for manager accounts takes at least one predicate. Leave `filter` out to list everything.",
                number=3079,
            )
        return conditions

    def _dates(self) -> list[Condition]:
        if self.created_from and self.created_to and self.created_from > self.created_to:
            raise Refusal(Code.INVALID_FILTER, "`createdTo` lies before `createdFrom`.", number=532)
        conditions = []
        if self.created_from is not None:
            conditions.append(Condition("created_from", _midnight(self.created_from)))
        if self.created_to is not None:
            conditions.append(Condition("created_before", _midnight(self.created_to + timedelta(days=1))))
        return conditions

    def _market(self) -> list[Condition]:
        if (self.market_country is None) != (self.market_language is None):
            raise Refusal(
                Code.INVALID_FILTER, "Give both `marketCountry` and `marketLanguage`, or neither.", number=3030
            )
        if self.market_country is None or self.market_language is None:
            return []
        return [
            Condition("market_country", _storable("marketCountry", self.market_country).upper()),
            Condition("market_language", self.market_language),
        ]


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


# Ad accounts


def search_ad_accounts(
    session: Session, asked: AdAccountFilter | None, order: Order, page: Page
) -> Connection[AdAccountRow]:
    """Ad accounts the viewer reaches, filtered and ordered. Cost: a fixed number of SELECTs.

    Raises: Refusal (INVALID_FILTER, INVALID_CURSOR, CHAIN_OVER_LIMIT).
    """
    conditions = asked.conditions() if asked is not None else []
    sets = [reachable_by_viewer(session).ad_accounts()]
    if asked is not None and asked.user_id is not None:
        sets.append(_accounts_of_visible_user(session, asked.user_id))
    if asked is not None and asked.customer_id is not None and not session.knows(asked.customer_id):
        # An id the caller may not see in a predicate yields nothing, even where one of his accounts is linked there.
        sets.append(NOBODY)
    return ad_account_page(session, sets, conditions, order, page, fingerprint("adAccounts", asked, order))


def _accounts_of_visible_user(session: Session, user: UserId) -> AdAccountSet:
    if user not in visible_users(session, [user]):
        return NOBODY
    return reachable_by_user(session, user).ad_accounts()


def ad_account_page(
    session: Session,
    sets: list[AdAccountSet],
    conditions: list[Condition],
    order: Order,
    page: Page,
    scope: str,
) -> Connection[AdAccountRow]:
    """A page of what is in all of these sets and meets all conditions. Cost: one SELECT, and one for the total.

    Raises: Refusal INVALID_CURSOR.
    """
    _look_through(session, *sets)
    rows = read.read_ad_account_page(session.transaction, sets, conditions, order, bounds_of(page, scope, order))
    session.have_ad_accounts(rows)
    return connection_of(
        rows,
        page,
        lambda row: edge_of(row, order, scope),
        lambda: read.count_ad_accounts(session.transaction, sets, conditions),
    )


def edge_of(row: AdAccountRow, order: Order, scope: str) -> Edge:
    """An ad account in a list of this order."""
    if order.field == OrderField.NAME:
        return Edge(row, (fold(row.name), row.account_id), scope)
    if order.field == OrderField.NUMBER:
        return Edge(row, (fold(row.number), row.account_id), scope)
    return Edge(row, (row.account_id,), scope)


ROWS_OF_AN_OWNER = 10
"""As how many rows a manager account counts whose ad accounts are looked through. They are not counted first."""


def _look_through(session: Session, *sets: AdAccountSet) -> None:
    """A search pays for what it looks through, not only for the page it gives: by the smallest of the sets."""
    session.look_through(min(len(one.owners) * ROWS_OF_AN_OWNER + len(one.ids) for one in sets))
    session.go_on()


def bounds_of(page: Page, scope: str, order: Order) -> Bounds:
    """What a page means to the database: one row more than it shows, to know of the next. Raises: Refusal."""
    if page.size is None:
        raise ValueError("a search is read page by page")
    shape = (int,) if order.field == OrderField.ID else (str, int)
    return Bounds(
        None if page.after is None else decode_cursor(scope, page.after, shape),
        None if page.before is None else decode_cursor(scope, page.before, shape),
        page.size + 1,
        page.backwards,
    )


def connection_of(rows: list[Any], page: Page, edge: Any, total: Any) -> Connection[Any]:
    """The page of rows read by `bounds_of`, its one row too many cut off."""
    size = page.size or 0
    more = len(rows) > size
    shown = rows[:size]
    # A bound was given out as a row of this list: beyond it there is more.
    beyond_after, beyond_before = page.after is not None, page.before is not None
    if page.backwards:
        shown.reverse()
        return Connection([edge(row) for row in shown], beyond_before, more or beyond_after, total, 0)
    return Connection([edge(row) for row in shown], more or beyond_before, beyond_after, total, 0)


# Manager accounts


def search_manager_accounts(
    session: Session, asked: ManagerAccountFilter | None, order: Order, page: Page
) -> Connection[ManagerAccountRow]:
    """Manager accounts the viewer reaches, filtered and ordered. Cost: a fixed number of SELECTs.

    Raises: Refusal (INVALID_FILTER, INVALID_CURSOR, CHAIN_OVER_LIMIT).
    """
    conditions = asked.conditions() if asked is not None else []
    scope = fingerprint("managerAccounts", asked, order)
    return _manager_account_page(session, reachable_by_viewer(session), conditions, order, page, scope)


def _manager_account_page(
    session: Session, mine: Reachable, conditions: list[Condition], order: Order, page: Page, scope: str
) -> Connection[ManagerAccountRow]:
    tx = session.transaction
    reached, accounts = mine.manager_accounts(), mine.ad_accounts()
    _look_through(session, accounts)
    rows = read.read_manager_account_page(tx, reached, accounts, conditions, order, bounds_of(page, scope, order))
    session.have_manager_accounts(rows)

    def key(row: ManagerAccountRow) -> tuple[Any, ...]:
        if order.field == OrderField.NAME:
            return fold(row.name), row.customer_id
        if order.field == OrderField.NUMBER:
            return row.number, row.customer_id
        return (row.customer_id,)

    return connection_of(
        rows,
        page,
        lambda row: Edge(row, key(row), scope),
        lambda: read.count_manager_accounts(tx, reached, accounts, conditions),
    )


# Find by prefix


def find(session: Session, prefix: str, page: Page) -> Connection[Any]:
    """Ad accounts whose name or number begins so, then manager accounts whose name does, by name, ignoring case.

    An empty prefix lists everything. Forward pages only.
    Cost: a fixed number of SELECTs. Raises: Refusal (INVALID_CURSOR, INVALID_PAGE_SIZE, CHAIN_OVER_LIMIT).
    """
    if page.backwards or page.before is not None:
        raise Refusal(Code.INVALID_PAGE_SIZE, "`find` is read forward: use `first` and `after`.")
    mine = reachable_by_viewer(session)
    tx = session.transaction
    scope = fingerprint("find", _storable("prefix", prefix))
    after = None if page.after is None else decode_cursor(scope, page.after, (int, str, int))
    size = page.size or 0
    by_name = Order(OrderField.NAME)
    accounts_by = [Condition("name_or_number_prefix", read.prefix_bounds(prefix))] if prefix else []
    managers_by = [Condition("name_prefix", read.prefix_bounds(prefix))] if prefix else []
    account_set, reached = mine.ad_accounts(), mine.manager_accounts()
    _look_through(session, account_set)
    edges: list[Edge] = []
    if after is None or after[0] == 0:
        bounds = Bounds(after[1:] if after else None, None, size + 1, False)
        rows = read.read_ad_account_page(tx, [account_set], accounts_by, by_name, bounds)
        session.have_ad_accounts(rows)
        edges += [Edge(row, (0, fold(row.name), row.account_id), scope) for row in rows]
    if len(edges) <= size:
        start = after[1:] if after and after[0] == 1 else None
        bounds = Bounds(start, None, size + 1 - len(edges), False)
        managers = read.read_manager_account_page(tx, reached, account_set, managers_by, by_name, bounds)
        session.have_manager_accounts(managers)
        edges += [Edge(row, (1, fold(row.name), row.customer_id), scope) for row in managers]

    def total() -> int:
        accounts = read.count_ad_accounts(tx, [account_set], accounts_by)
        return accounts + read.count_manager_accounts(tx, reached, account_set, managers_by)

    return Connection(edges[:size], len(edges) > size, after is not None, total, 0)
