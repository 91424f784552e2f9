"""What becomes of the roles a user holds in one manager account when some are taken and one is given.

A change is worked out on what is held as plain sets, so that it is the same for the real thing and for a dry
run. It never widens: what cannot be taken away exactly is refused, and a scope that empties ends its role.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from resolvers.rules.account_fields import PRIMARY_USER_ROLES
from resolvers.rules.capabilities import BIT, ROLE_CAPABILITIES, ROLE_RANK, Capability
from resolvers.rules.write_codes import WRITE_CODES, WriteCode
from storage.records.facts import (
    Assignment,
    EveryAccount,
    EveryLinkedEntity,
    OnlyAccounts,
    OnlyLinkedEntities,
    Scope,
)
from storage.records.ids import AdAccountId, ManagerAccountId
from storage.records.values import ROLE_IDS, Role

CUSTOMER_LEVEL = frozenset({Role.SUPER_ADMIN, Role.AGGREGATOR})
"""Roles that hold for the manager account as a whole and are never limited to ad accounts."""
ROLE_OF_ID: dict[int, Role] = {number: role for role, number in ROLE_IDS.items()}


class Held(NamedTuple):
    """A role and how far it reaches."""

    role: Role
    scope: Scope


class RoleChange(NamedTuple):
    """What is to be taken and given. A list left out (None) means all of it; an empty one is never sent."""

    new_role: Role | None = None
    new_accounts: frozenset[AdAccountId] | None = None
    new_customers: frozenset[ManagerAccountId] | None = None
    delete_role: Role | None = None
    delete_accounts: frozenset[AdAccountId] | None = None
    delete_customers: frozenset[ManagerAccountId] | None = None


class Forbidden(NamedTuple):
    """Why a change is not made: code, sentence, input field; and the rule where the code leaves it open."""

    code: WriteCode
    message: str
    field: str
    rule: str | None = None

    @property
    def number(self) -> int:
        """The documented number of the code."""
        return WRITE_CODES[self.code].number


def held_by(assignments: Iterable[Assignment]) -> frozenset[Held]:
    """What assignments of one user in one manager account amount to."""
    return frozenset(Held(item.role, item.scope) for item in assignments)


def forbidden_by_shape(change: RoleChange) -> Iterator[Forbidden]:
    """What is wrong with a change whoever sends it and whatever is held."""
    if change.new_role is None and change.delete_role is None:
        yield Forbidden(WriteCode.NULL_PARAMETER, "Give a new role, a role to delete, or both.", "newRole")
    for given, role, name, needed in (
        (change.new_accounts, change.new_role, "newAccountIds", "newRole"),
        (change.new_customers, change.new_role, "newCustomerIds", "newRole"),
        (change.delete_accounts, change.delete_role, "deleteAccountIds", "deleteRole"),
        (change.delete_customers, change.delete_role, "deleteCustomerIds", "deleteRole"),
    ):
        if given is None:
            continue
        if role is None:
            yield Forbidden(WriteCode.NULL_PARAMETER, f"`{name}` says nothing without `{needed}`.", needed)
        if not given:
            message = f"An empty `{name}` could mean none or all: leave it out for all, or list some."
            yield Forbidden(WriteCode.LIST_NULL_OR_EMPTY, message, name)
    if change.new_role in CUSTOMER_LEVEL and change.new_accounts is not None:
        yield cannot_be_scoped(change.new_role, "newAccountIds")
    if change.delete_role in CUSTOMER_LEVEL and change.delete_accounts is not None:
        yield cannot_be_scoped(change.delete_role, "deleteAccountIds")
    for role, field in ((change.new_role, "newRole"), (change.delete_role, "deleteRole")):
        if role == Role.AGGREGATOR:
            yield system_administrators(field)


def cannot_be_scoped(role: Role | None, field: str) -> Forbidden:
    """A customer-level role limited to ad accounts would be a silent lie."""
    message = (
        f"{role} (role id {ROLE_IDS[role] if role else ''}) holds for the whole manager account and cannot be limited"
        f" to ad accounts: leave `{field}` out, or choose another role."
    )
    return Forbidden(WriteCode.ROLE_CANNOT_BE_SCOPED, message, field)


def system_administrators(field: str) -> Forbidden:
    """The Aggregator role comes from the system administrator alone."""
    message = "AGGREGATOR (role id 33) is given and taken by the system administrator only."
    return Forbidden(WriteCode.FORBIDDEN, message, field, "C18")


def forbidden_by_holding(held: Collection[Held], change: RoleChange) -> Forbidden | None:
    """What cannot be taken because it is not held, or not held in a way that lets a part be taken."""
    role = change.delete_role
    if role is None:
        return None
    scopes = [one.scope for one in held if one.role == role]
    if not scopes:
        return Forbidden(WriteCode.ROLE_NOT_HELD, f"The user does not hold {role} here.", "deleteRole")
    partly = change.delete_accounts is not None or change.delete_customers is not None
    if partly and EveryAccount() in scopes and change.new_role != role:
        field = "deleteAccountIds" if change.delete_accounts is not None else "deleteCustomerIds"
        return _all_but_some(role, "ad accounts", field)
    if change.delete_customers is not None and EveryLinkedEntity() in scopes and change.new_role != role:
        return _all_but_some(role, "linked manager accounts", "deleteCustomerIds")
    return None


def _all_but_some(role: Role, what: str, field: str) -> Forbidden:
    message = (
        f"The user holds {role} on all {what}, also future ones; all but some cannot be expressed. Give {role} anew"
        " with the list that shall remain."
    )
    return Forbidden(WriteCode.ROLE_NOT_RESTRICTED, message, field)


def changed(held: Collection[Held], change: RoleChange) -> frozenset[Held]:
    """What is held afterwards: first taken, then given."""
    return _given(_taken(held, change), change)


def _taken(held: Collection[Held], change: RoleChange) -> frozenset[Held]:
    return frozenset(left for one in held for left in _left_of(one, change))


def _left_of(one: Held, change: RoleChange) -> Iterator[Held]:
    accounts, customers = change.delete_accounts, change.delete_customers
    if one.role != change.delete_role:
        yield one
    elif accounts is None and customers is None:
        return
    elif isinstance(one.scope, OnlyAccounts):
        left = one.scope.ids - (accounts or frozenset())
        if left:
            yield Held(one.role, OnlyAccounts(left))
    elif isinstance(one.scope, OnlyLinkedEntities):
        remaining = one.scope.ids - (customers or frozenset())
        if remaining:
            yield Held(one.role, OnlyLinkedEntities(remaining))
    else:
        yield one


def _given(held: frozenset[Held], change: RoleChange) -> frozenset[Held]:
    role = change.new_role
    if role is None:
        return held
    others = frozenset(one for one in held if one.role != role)
    same = frozenset(one.scope for one in held if one.role == role)
    if change.new_accounts is None and change.new_customers is None:
        return others | {Held(role, EveryAccount())}
    scopes = set(same - {EveryAccount()})
    if change.new_accounts is not None:
        scopes = _with_accounts(scopes, change.new_accounts)
    if change.new_customers is not None:
        scopes = _with_customers(scopes, change.new_customers)
    return others | {Held(role, scope) for scope in scopes}


def _with_accounts(scopes: set[Scope], accounts: frozenset[AdAccountId]) -> set[Scope]:
    already = [scope.ids for scope in scopes if isinstance(scope, OnlyAccounts)]
    rest = {scope for scope in scopes if not isinstance(scope, OnlyAccounts)}
    return rest | {OnlyAccounts(accounts.union(*already))}


def _with_customers(scopes: set[Scope], customers: frozenset[ManagerAccountId]) -> set[Scope]:
    already = [scope.ids for scope in scopes if isinstance(scope, OnlyLinkedEntities)]
    rest: set[Scope] = {scope for scope in scopes if not isinstance(scope, OnlyLinkedEntities | EveryLinkedEntity)}
    return rest | {OnlyLinkedEntities(customers.union(*already))}


def merged(held: Collection[Held], grant: Held) -> frozenset[Held]:
    """What is held once a grant is added to it: nothing that was held is lost (an accepted invitation)."""
    if Held(grant.role, EveryAccount()) in held:
        return frozenset(held)
    if isinstance(grant.scope, OnlyAccounts):
        return _given(frozenset(held), RoleChange(new_role=grant.role, new_accounts=grant.scope.ids))
    return _given(frozenset(held), RoleChange(new_role=grant.role))


# Who may


def is_customer_level(held: Iterable[Held]) -> bool:
    """Whether somebody who holds this is managed by Super Admins only (rule C17)."""
    return any(one.role in CUSTOMER_LEVEL for one in held)


def administers(held: Iterable[Held]) -> bool:
    """Whether this makes a Super Admin of the manager account itself, not only of what is linked below."""
    return Held(Role.SUPER_ADMIN, EveryAccount()) in set(held)


def managed_within(assignments: Iterable[Assignment], manager_account: ManagerAccountId) -> frozenset[AdAccountId]:
    """The ad accounts within which these assignments let their holder manage users (rule C21)."""
    found: set[AdAccountId] = set()
    for item in assignments:
        manages = ROLE_CAPABILITIES[item.role] & BIT[Capability.MANAGE_USERS]
        if manages and item.manager_account_id == manager_account and isinstance(item.scope, OnlyAccounts):
            found |= item.scope.ids
    return frozenset(found)


def stays_within(before: Collection[Held], after: Collection[Held], allowed: frozenset[AdAccountId]) -> bool:
    """Whether a change gives and takes access only to these ad accounts (rule C21).

    Compared role by role: handing an account from one role to another within the limit is fine.
    """
    for role in Role:
        old, new = ([one.scope for one in state if one.role == role] for state in (before, after))
        if _unlisted(old) != _unlisted(new):
            return False
        if not _listed(old) ^ _listed(new) <= allowed:
            return False
    return True


def listed_accounts(held: Iterable[Held]) -> frozenset[AdAccountId]:
    """The ad accounts that what is held lists, whatever the role."""
    return _listed(one.scope for one in held)


def _listed(scopes: Iterable[Scope]) -> frozenset[AdAccountId]:
    return frozenset(one for scope in scopes if isinstance(scope, OnlyAccounts) for one in scope.ids)


def _unlisted(scopes: Iterable[Scope]) -> frozenset[Scope]:
    return frozenset(scope for scope in scopes if not isinstance(scope, OnlyAccounts))


def may_be_primary(held: Iterable[Held], ad_account: AdAccountId) -> bool:
    """Whether somebody who holds this on the owner may be an ad account's primary user (rule C20)."""
    return any(
        one.role in PRIMARY_USER_ROLES
        and (
            isinstance(one.scope, EveryAccount) or (isinstance(one.scope, OnlyAccounts) and ad_account in one.scope.ids)
        )
        for one in held
    )


def described(held: Iterable[Held]) -> list[dict[str, object]]:
    """What is held as plain values, in one order, for the audit log."""
    ordered = sorted(held, key=lambda one: (ROLE_RANK[one.role], type(one.scope).__name__, _ids(one.scope)))
    return [{"role": str(one.role), "scope": type(one.scope).__name__, "ids": _ids(one.scope)} for one in ordered]


def _ids(scope: Scope) -> list[int]:
    return sorted(scope.ids) if isinstance(scope, OnlyAccounts | OnlyLinkedEntities) else []
