"""Facts that decide access, as immutable values: what the rules reason over.

`Facts` is one consistent excerpt of one snapshot. It says nothing about who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

from storage.records.ids import (
    AdAccountId,
    AggregationId,
    AssignmentId,
    ClientLinkId,
    LoginId,
    ManagerAccountId,
    UserId,
)
from storage.records.values import (
    AdAccountStatus,
    ClientLinkStatus,
    LinkPermission,
    LoginStatus,
    ManagerAccountStatus,
    Role,
    UserStatus,
)


@dataclass(frozen=True, slots=True)
class EveryAccount:
    """No scope: the manager account, every ad account of it, and all below (rules P1, P3)."""


@dataclass(frozen=True, slots=True)
class OnlyAccounts:
    """Exactly these ad accounts and nothing else (rule P2); an empty set reaches nothing."""

    ids: frozenset[AdAccountId]


@dataclass(frozen=True, slots=True)
class EveryLinkedEntity:
    """Everything below the manager account but none of the ad accounts it owns (rule P4)."""


@dataclass(frozen=True, slots=True)
class OnlyLinkedEntities:
    """Only what lies below these directly linked manager accounts (rule P4)."""

    ids: frozenset[ManagerAccountId]


Scope: TypeAlias = EveryAccount | OnlyAccounts | EveryLinkedEntity | OnlyLinkedEntities


class UserFact(NamedTuple):
    """One person in one manager account; `is_original` marks the user a login began with (P11)."""

    id: UserId
    login_id: LoginId
    manager_account_id: ManagerAccountId
    status: UserStatus
    is_original: bool
    login_status: LoginStatus


class Assignment(NamedTuple):
    """One stored CustomerRole."""

    id: AssignmentId
    user_id: UserId
    manager_account_id: ManagerAccountId
    role: Role
    scope: Scope


class CustomerLink(NamedTuple):
    """Managing manager account → client manager account, latest generation only."""

    id: ClientLinkId
    managing_id: ManagerAccountId
    client_id: ManagerAccountId
    permission: LinkPermission
    status: ClientLinkStatus


class AccountLink(NamedTuple):
    """Managing manager account → one ad account, latest generation only."""

    id: ClientLinkId
    managing_id: ManagerAccountId
    client_id: AdAccountId
    status: ClientLinkStatus


class Aggregation(NamedTuple):
    """Aggregator's manager account → a manager account it signed up (rule P13)."""

    id: AggregationId
    aggregator_id: ManagerAccountId
    manager_account_id: ManagerAccountId


class AdAccountFact(NamedTuple):
    """Who owns an ad account and whether it lives."""

    id: AdAccountId
    owner_id: ManagerAccountId
    status: AdAccountStatus


class OwnedAccount(Protocol):
    """Whatever states who owns an ad account and whether it lives: a fact, or the row it is shown by."""

    @property
    def id(self) -> AdAccountId:
        """The ad account."""

    @property
    def owner_id(self) -> ManagerAccountId:
        """Its owner."""

    @property
    def status(self) -> AdAccountStatus:
        """Its state."""


class ManagerAccountFact(NamedTuple):
    """Whether a manager account lives."""

    id: ManagerAccountId
    status: ManagerAccountStatus


_K = TypeVar("_K")
_V = TypeVar("_V")


def grouped(items: Iterable[_V], key_of: Callable[[_V], _K]) -> dict[_K, tuple[_V, ...]]:
    """The items of each key, in the order they came."""
    groups: dict[_K, list[_V]] = {}
    for item in items:
        key = key_of(item)
        if key in groups:
            groups[key].append(item)
        else:
            groups[key] = [item]
    return {key: tuple(values) for key, values in groups.items()} if groups else {}


_managing_id, _client_id = attrgetter("managing_id"), attrgetter("client_id")
_aggregator_id, _manager_account_id = attrgetter("aggregator_id"), attrgetter("manager_account_id")


class Facts(NamedTuple):
    """One excerpt of one snapshot, indexed both ways.

    Shapes: every mapping lacks the keys that have nothing; look up with `.get(key, ())`.
    An excerpt holds whatever its loader was asked for; the rules read what is there and never fetch.
    """

    users: Mapping[UserId, UserFact]
    users_of_login: Mapping[LoginId, tuple[UserId, ...]]
    assignments_by_user: Mapping[UserId, tuple[Assignment, ...]]
    manager_accounts: Mapping[ManagerAccountId, ManagerAccountFact]
    ad_accounts: Mapping[AdAccountId, AdAccountFact]
    customer_links_from: Mapping[ManagerAccountId, tuple[CustomerLink, ...]]
    customer_links_to: Mapping[ManagerAccountId, tuple[CustomerLink, ...]]
    account_links_from: Mapping[ManagerAccountId, tuple[AccountLink, ...]]
    account_links_to: Mapping[AdAccountId, tuple[AccountLink, ...]]
    aggregations_from: Mapping[ManagerAccountId, tuple[Aggregation, ...]]
    aggregations_to: Mapping[ManagerAccountId, tuple[Aggregation, ...]]

    @classmethod
    def of(
        cls,
        *,
        users: Iterable[UserFact] = (),
        assignments: Iterable[Assignment] = (),
        manager_accounts: Iterable[ManagerAccountFact] = (),
        ad_accounts: Iterable[AdAccountFact] = (),
        customer_links: Iterable[CustomerLink] = (),
        account_links: Iterable[AccountLink] = (),
        aggregations: Iterable[Aggregation] = (),
    ) -> Facts:
        """Index loose facts. Order of insertion never changes an answer."""
        people = {user.id: user for user in users}
        logins = grouped(people.values(), attrgetter("login_id"))
        return cls.over(
            users=people,
            users_of_login={login: tuple(user.id for user in its) for login, its in logins.items()},
            manager_accounts={item.id: item for item in manager_accounts},
            ad_accounts={item.id: item for item in ad_accounts},
            assignments_by_user=grouped(assignments, attrgetter("user_id")),
            customer_links=tuple(customer_links),
            account_links=tuple(account_links),
            aggregations=tuple(aggregations),
        )

    @classmethod
    def over(
        cls,
        *,
        users: Mapping[UserId, UserFact],
        users_of_login: Mapping[LoginId, tuple[UserId, ...]],
        manager_accounts: Mapping[ManagerAccountId, ManagerAccountFact],
        ad_accounts: Mapping[AdAccountId, AdAccountFact],
        assignments_by_user: Mapping[UserId, tuple[Assignment, ...]],
        customer_links: Collection[CustomerLink],
        account_links: Collection[AccountLink],
        aggregations: Collection[Aggregation],
    ) -> Facts:
        """Index links and aggregations; people, their roles and states are taken as they are and may grow."""
        return cls(
            users,
            users_of_login,
            assignments_by_user,
            manager_accounts,
            ad_accounts,
            grouped(customer_links, _managing_id),
            grouped(customer_links, _client_id),
            grouped(account_links, _managing_id),
            grouped(account_links, _client_id),
            grouped(aggregations, _aggregator_id),
            grouped(aggregations, _manager_account_id),
        )
