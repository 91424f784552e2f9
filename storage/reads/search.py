"""Searches for ad accounts and manager accounts among those a caller reaches.

What he reaches comes in as sets of ids; conditions, order and keyset bounds are put together into a
statement once per shape and remembered, with the values bound each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from peewee import SQL, NodeList, fn

from storage.database import Transaction
from storage.folding import after_prefix, fold
from storage.models import AdAccount, ClientLink, Login, ManagerAccount, User
from storage.reads.entities import AD_ACCOUNT_COLUMNS, MANAGER_ACCOUNT_COLUMNS
from storage.reads.facts import CARRIES_ACCESS
from storage.records.ids import AdAccountId, ManagerAccountId
from storage.records.rows import AdAccountRow, ManagerAccountRow
from storage.records.values import AdAccountStatus, ClientLinkStatus
from storage.statements import Param, Statement, is_in


class OrderField(StrEnum):
    """What a search can be ordered by; ids make every order unique."""

    ID = "ID"
    NAME = "NAME"
    NUMBER = "NUMBER"


@dataclass(frozen=True, slots=True)
class Order:
    """One order; text is ordered case-folded, by code point, on both databases."""

    field: OrderField = OrderField.ID
    descending: bool = False


@dataclass(frozen=True, slots=True)
class AdAccountSet:
    """Ad accounts by owner or by id. With the flags, accounts a state locks are left out."""

    owners: tuple[ManagerAccountId, ...]
    ids: tuple[AdAccountId, ...]
    without_inactive: bool = False
    without_in_transition: bool = False


class Condition(NamedTuple):
    """One search condition: a name from the tables below and the values it binds."""

    name: str
    values: Any


class Bounds(NamedTuple):
    """Keyset bounds: sort key and id; None where open."""

    after: tuple[Any, ...] | None
    before: tuple[Any, ...] | None
    limit: int
    backwards: bool


def containing(text: str) -> str:
    """The LIKE pattern of "contains", with the wildcards of LIKE taken literally."""
    escaped = fold(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def prefix_bounds(text: str) -> tuple[str, str]:
    """The range of folded texts that begin with this one."""
    start = fold(text)
    return start, after_prefix(start) or _LAST_TEXT


_LAST_TEXT = "\U0010ffff" * 8
"""Past every text of real length, for the one prefix that has no follower."""


def _like(column: Any, name: str) -> Any:
    return NodeList((column, SQL("LIKE"), Param(name), SQL("ESCAPE '\\'")))


def _within(column: Any, name: str) -> Any:
    return (column >= Param(f"{name}_from")) & (column < Param(f"{name}_to"))


_TRANSITION = (ClientLinkStatus.LINK_IN_PROGRESS, ClientLinkStatus.UNLINK_IN_PROGRESS)


def _ad_account_conditions(account: Any) -> dict[str, Any]:
    Link = ClientLink.alias("link")
    linked = Link.select(Link.client_ad_account).where(
        is_in(Link.managing, "customer_id") & Link.status.in_(CARRIES_ACCESS)
    )
    paused = account.status == AdAccountStatus.PAUSE
    return {
        "account_id": is_in(account.id, "account_id"),
        "customer_id": is_in(account.manager_account, "customer_id") | account.id.in_(linked),
        "name_equals": account.name_folded == Param("name_equals"),
        "name_contains": _like(account.name_folded, "name_contains"),
        "name_prefix": _within(account.name_folded, "name_prefix"),
        "number_in": is_in(account.number_folded, "number_in"),
        "number_contains": _like(account.number_folded, "number_contains"),
        "name_or_number_prefix": _within(account.name_folded, "name_or_number_prefix")
        | _within(account.number_folded, "name_or_number_prefix"),
        # An account paused by the billing service still counts as active; one paused by a user does not.
        "status_active": (account.status == AdAccountStatus.ACTIVE) | (paused & (account.pause_reason == 2)),
        "status_pause": paused & account.pause_reason.in_((1, 4)),
        "status": is_in(account.status, "status"),
    }


def _manager_account_conditions() -> dict[str, Any]:
    Account = AdAccount.alias("account")
    accounts = _ad_account_conditions(Account)

    def has_account(condition: Any) -> Any:
        inside = Account.select(1).where(
            (Account.manager_account == ManagerAccount.id) & _in_set(Account, 0) & condition
        )
        return fn.EXISTS(inside)

    users = (
        User.select(1)
        .join(Login)
        .where((User.manager_account == ManagerAccount.id) & (Login.user_name == Param("user_name")))
    )
    return {
        "customer_id": is_in(ManagerAccount.id, "customer_id"),
        "name_equals": ManagerAccount.name_folded == Param("name_equals"),
        "name_contains": _like(ManagerAccount.name_folded, "name_contains"),
        "name_prefix": _within(ManagerAccount.name_folded, "name_prefix"),
        "market_country": ManagerAccount.market_country == Param("market_country"),
        "market_language": ManagerAccount.market_language == Param("market_language"),
        "created_from": ManagerAccount.created_at_ms >= Param("created_from"),
        "created_before": ManagerAccount.created_at_ms < Param("created_before"),
        "user_name": fn.EXISTS(users),
        "account_id": has_account(accounts["account_id"]),
        "account_name_equals": has_account(Account.name_folded == Param("account_name_equals")),
        "account_name_contains": has_account(_like(Account.name_folded, "account_name_contains")),
        "account_number_in": has_account(is_in(Account.number_folded, "account_number_in")),
        "account_number_contains": has_account(_like(Account.number_folded, "account_number_contains")),
    }


def _in_set(account: Any, position: int) -> Any:
    return is_in(account.manager_account, f"owners_{position}") | is_in(account.id, f"ids_{position}")


Flags = tuple[bool, bool]
"""Whether a set leaves out inactive ad accounts, and those in transition."""


def flags_of(one: AdAccountSet) -> Flags:
    """The flags of a set."""
    return one.without_inactive, one.without_in_transition


def in_set(account: Any, position: int, flags: Flags) -> Any:
    """The condition that an account is in the set bound at a position."""
    return _in_set(account, position) & usable(account, str(position), flags)


def usable(account: Any, name: str, flags: Flags) -> Any:
    """The condition that the state of an account does not leave it out of a set; `name` keeps aliases apart."""
    without_inactive, without_in_transition = flags
    condition: Any = SQL("1 = 1")
    if without_inactive:
        condition = account.status != AdAccountStatus.INACTIVE
    if without_in_transition:
        Link = ClientLink.alias(f"moving_{name}")
        moving = Link.select(1).where((Link.client_ad_account == account.id) & Link.status.in_(_TRANSITION))
        condition = condition & ~fn.EXISTS(moving)
    return condition


def _keyset(column: Any, key: Any, order: Order, *, after: bool, before: bool, backwards: bool) -> tuple[Any, Any]:
    """The bounds as one condition, and the ORDER BY terms; text columns carry the id as a second key."""
    condition: Any = SQL("1 = 1")
    for name, wanted in (("after", after), ("before", before)):
        if not wanted:
            continue
        upward = (name == "after") != order.descending
        if column is key:
            bound = key > Param(f"{name}_id") if upward else key < Param(f"{name}_id")
        elif upward:
            bound = (column > Param(f"{name}_key")) | ((column == Param(f"{name}_key")) & (key > Param(f"{name}_id")))
        else:
            bound = (column < Param(f"{name}_key")) | ((column == Param(f"{name}_key")) & (key < Param(f"{name}_id")))
        condition = condition & bound
    down = order.descending != backwards
    columns = (key,) if column is key else (column, key)
    return condition, tuple(one.desc() if down else one.asc() for one in columns)


def _bound_values(order: Order, bounds: Bounds) -> dict[str, Any]:
    values: dict[str, Any] = {"limit": bounds.limit}
    for name, bound in (("after", bounds.after), ("before", bounds.before)):
        if bound is not None:
            values[f"{name}_id"] = bound[-1]
            if order.field != OrderField.ID:
                values[f"{name}_key"] = bound[0]
    return values


def _condition_values(conditions: Sequence[Condition]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in conditions:
        if name.endswith("prefix"):
            values[f"{name}_from"], values[f"{name}_to"] = value
        elif value is not None:
            values[name] = value
    return values


def set_values(sets: Sequence[AdAccountSet]) -> dict[str, Any]:
    """What `in_set` of each position is bound to."""
    values: dict[str, Any] = {}
    for position, one in enumerate(sets):
        values[f"owners_{position}"], values[f"ids_{position}"] = one.owners, one.ids
    return values


_AD_ACCOUNT_ORDER = {
    OrderField.ID: AdAccount.id,
    OrderField.NAME: AdAccount.name_folded,
    OrderField.NUMBER: AdAccount.number_folded,
}
_MANAGER_ACCOUNT_ORDER = {
    OrderField.ID: ManagerAccount.id,
    OrderField.NAME: ManagerAccount.name_folded,
    OrderField.NUMBER: ManagerAccount.number,
}
_AD_ACCOUNT_CONDITIONS: Mapping[str, Any] = _ad_account_conditions(AdAccount)
_MANAGER_ACCOUNT_CONDITIONS: Mapping[str, Any] = _manager_account_conditions()
_SHAPES_REMEMBERED = 512
"""Shapes are combinations of argument names, so there are some dozens in practice."""

_Shape = tuple[tuple[str, ...], tuple[Flags, ...]]


@lru_cache(maxsize=_SHAPES_REMEMBERED)
def _ad_account_statement(
    shape: _Shape, order: Order, after: bool, before: bool, backwards: bool
) -> Statement[AdAccountRow]:
    names, sets = shape
    column = _AD_ACCOUNT_ORDER[order.field]
    bounds, terms = _keyset(column, AdAccount.id, order, after=after, before=before, backwards=backwards)
    for name in names:
        bounds = bounds & (_AD_ACCOUNT_CONDITIONS[name])
    for position, one in enumerate(sets):
        bounds = bounds & in_set(AdAccount, position, one)
    query = AdAccount.select(*AD_ACCOUNT_COLUMNS).where(bounds).order_by(*terms).limit(Param("limit"))
    return Statement(query, AdAccountRow)


@lru_cache(maxsize=_SHAPES_REMEMBERED)
def _ad_account_count(shape: _Shape) -> Statement[tuple[Any, ...]]:
    names, sets = shape
    condition: Any = SQL("1 = 1")
    for name in names:
        condition = condition & (_AD_ACCOUNT_CONDITIONS[name])
    for position, one in enumerate(sets):
        condition = condition & in_set(AdAccount, position, one)
    return Statement(AdAccount.select(fn.COUNT(AdAccount.id)).where(condition))


def _shape(conditions: Sequence[Condition], sets: Sequence[AdAccountSet]) -> _Shape:
    return (
        tuple(condition.name for condition in conditions),
        tuple(map(flags_of, sets)),
    )


def read_ad_account_page(
    tx: Transaction, sets: Sequence[AdAccountSet], conditions: Sequence[Condition], order: Order, bounds: Bounds
) -> list[AdAccountRow]:
    """Ad accounts that are in every set and meet every condition. Cost: one SELECT. Backwards pages come reversed."""
    statement = _ad_account_statement(
        _shape(conditions, sets), order, bounds.after is not None, bounds.before is not None, bounds.backwards
    )
    values = _bound_values(order, bounds) | _condition_values(conditions) | set_values(sets)
    return tx.fetch(statement, **values)


def count_ad_accounts(tx: Transaction, sets: Sequence[AdAccountSet], conditions: Sequence[Condition] = ()) -> int:
    """How many ad accounts are in every set and meet every condition. Cost: one SELECT."""
    values = _condition_values(conditions) | set_values(sets)
    total: int = tx.fetch(_ad_account_count(_shape(conditions, sets)), **values)[0][0]
    return total


@lru_cache(maxsize=_SHAPES_REMEMBERED)
def _manager_account_statement(
    names: tuple[str, ...], order: Order, after: bool, before: bool, backwards: bool
) -> Statement[ManagerAccountRow]:
    column = _MANAGER_ACCOUNT_ORDER[order.field]
    bounds, terms = _keyset(column, ManagerAccount.id, order, after=after, before=before, backwards=backwards)
    for name in names:
        bounds = bounds & (_MANAGER_ACCOUNT_CONDITIONS[name])
    bounds = bounds & is_in(ManagerAccount.id, "reached")
    query = ManagerAccount.select(*MANAGER_ACCOUNT_COLUMNS).where(bounds).order_by(*terms).limit(Param("limit"))
    return Statement(query, ManagerAccountRow)


@lru_cache(maxsize=_SHAPES_REMEMBERED)
def _manager_account_count(names: tuple[str, ...]) -> Statement[tuple[Any, ...]]:
    condition: Any = is_in(ManagerAccount.id, "reached")
    for name in names:
        condition = condition & (_MANAGER_ACCOUNT_CONDITIONS[name])
    return Statement(ManagerAccount.select(fn.COUNT(ManagerAccount.id)).where(condition))


def _accounts_named(names: Sequence[str]) -> bool:
    return any(name.startswith("account") for name in names)


def read_manager_account_page(
    tx: Transaction,
    reached: Sequence[ManagerAccountId],
    accounts: AdAccountSet,
    conditions: Sequence[Condition],
    order: Order,
    bounds: Bounds,
) -> list[ManagerAccountRow]:
    """Manager accounts among `reached` that meet every condition; conditions on ad accounts look at `accounts` only.

    Cost: one SELECT. Backwards pages come reversed.
    """
    names = tuple(condition.name for condition in conditions)
    statement = _manager_account_statement(
        names, order, bounds.after is not None, bounds.before is not None, bounds.backwards
    )
    values = _bound_values(order, bounds) | _condition_values(conditions) | {"reached": reached}
    if _accounts_named(names):
        values |= set_values([accounts])
    return tx.fetch(statement, **values)


def count_manager_accounts(
    tx: Transaction,
    reached: Sequence[ManagerAccountId],
    accounts: AdAccountSet,
    conditions: Sequence[Condition],
) -> int:
    """How many manager accounts meet every condition. Cost: one SELECT."""
    names = tuple(condition.name for condition in conditions)
    values = _condition_values(conditions) | {"reached": reached}
    if _accounts_named(names):
        values |= set_values([accounts])
    total: int = tx.fetch(_manager_account_count(names), **values)[0][0]
    return total
