"""What becomes of roles: the documented examples, and the laws no change breaks."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.rules.role_changes import (
    Held,
    RoleChange,
    changed,
    forbidden_by_holding,
    forbidden_by_shape,
    managed_within,
    merged,
    stays_within,
)
from storage.records.facts import Assignment, EveryAccount, EveryLinkedEntity, OnlyAccounts, OnlyLinkedEntities, Scope
from storage.records.ids import AdAccountId, AssignmentId, ManagerAccountId, UserId
from storage.records.values import Role

CM = Role.CAMPAIGN_MANAGER


def accounts(*numbers: int) -> frozenset[AdAccountId]:
    return frozenset(map(AdAccountId, numbers))


def customers(*numbers: int) -> frozenset[ManagerAccountId]:
    return frozenset(map(ManagerAccountId, numbers))


def on(role: Role, *numbers: int) -> Held:
    return Held(role, OnlyAccounts(accounts(*numbers)) if numbers else EveryAccount())


def below(role: Role, *numbers: int) -> Held:
    return Held(role, OnlyLinkedEntities(customers(*numbers)) if numbers else EveryLinkedEntity())


EXAMPLES = [
    pytest.param(
        [on(CM, 123, 456, 789)],
        RoleChange(CM, accounts(123, 789), None, CM, accounts(456)),
        [on(CM, 123, 789)],
        id="documented: drop 456",
    ),
    pytest.param(
        [on(CM, 123, 789)],
        RoleChange(CM, None, None, CM, accounts(123, 456, 789)),
        [on(CM)],
        id="documented: then open everything",
    ),
    pytest.param(
        [on(CM, 123, 456)], RoleChange(CM, accounts(789)), [on(CM, 123, 456, 789)], id="documented: add to a list"
    ),
    pytest.param([on(CM)], RoleChange(CM, accounts(1, 2)), [on(CM, 1, 2)], id="a list restricts what was unrestricted"),
    pytest.param(
        [on(CM)],
        RoleChange(Role.VIEWER, accounts(1)),
        [on(CM), on(Role.VIEWER, 1)],
        id="another role without deleting leaves two grants",
    ),
    pytest.param(
        [on(CM, 1)], RoleChange(delete_role=CM, delete_accounts=accounts(1)), [], id="the last account ends the role"
    ),
    pytest.param([on(CM, 1, 2)], RoleChange(delete_role=CM), [], id="no list takes the whole role"),
    pytest.param(
        [on(CM)],
        RoleChange(Role.SUPER_ADMIN, delete_role=CM),
        [on(Role.SUPER_ADMIN)],
        id="from account to customer level",
    ),
    pytest.param([on(CM)], RoleChange(CM, new_customers=customers(7)), [below(CM, 7)], id="customers restrict"),
    pytest.param(
        [below(CM, 7)], RoleChange(CM, new_customers=customers(8)), [below(CM, 7, 8)], id="customers add to a list"
    ),
    pytest.param(
        [below(CM)],
        RoleChange(CM, new_customers=customers(8)),
        [below(CM, 8)],
        id="customers restrict every linked one",
    ),
    pytest.param(
        [below(CM, 7)],
        RoleChange(delete_role=CM, delete_customers=customers(7)),
        [],
        id="the last customer ends the role",
    ),
]


@pytest.mark.parametrize(("held", "change", "after"), EXAMPLES)
def test_roles_change_as_documented(held: list[Held], change: RoleChange, after: list[Held]) -> None:
    assert list(forbidden_by_shape(change)) == []
    assert forbidden_by_holding(held, change) is None
    assert changed(held, change) == frozenset(after)


SHAPES = [
    (RoleChange(), "NULL_PARAMETER", 203),
    (RoleChange(new_accounts=accounts(1)), "NULL_PARAMETER", 203),
    (RoleChange(new_role=CM, delete_accounts=accounts(1)), "NULL_PARAMETER", 203),
    (RoleChange(new_role=CM, new_accounts=accounts()), "LIST_NULL_OR_EMPTY", 3087),
    (RoleChange(delete_role=CM, delete_customers=customers()), "LIST_NULL_OR_EMPTY", 3087),
    (RoleChange(new_role=Role.SUPER_ADMIN, new_accounts=accounts(1)), "ROLE_CANNOT_BE_SCOPED", 201),
    (RoleChange(delete_role=Role.SUPER_ADMIN, delete_accounts=accounts(1)), "ROLE_CANNOT_BE_SCOPED", 201),
    (RoleChange(new_role=Role.AGGREGATOR), "FORBIDDEN", 106),
    (RoleChange(delete_role=Role.AGGREGATOR), "FORBIDDEN", 106),
]


@pytest.mark.parametrize(("change", "code", "number"), SHAPES)
def test_a_change_that_says_nothing_clear_is_refused(change: RoleChange, code: str, number: int) -> None:
    assert (code, number) in [(one.code, one.number) for one in forbidden_by_shape(change)]


def test_all_but_some_is_refused_and_never_guessed() -> None:
    forbidden = forbidden_by_holding([on(CM)], RoleChange(delete_role=CM, delete_accounts=accounts(1)))
    assert forbidden is not None
    assert forbidden.code == "ROLE_NOT_RESTRICTED"


def test_a_role_that_is_not_held_cannot_be_taken() -> None:
    forbidden = forbidden_by_holding([on(CM)], RoleChange(delete_role=Role.VIEWER))
    assert forbidden is not None
    assert forbidden.code == "ROLE_NOT_HELD"


ACCOUNTS = st.frozensets(st.integers(1, 4).map(AdAccountId), min_size=1)
CUSTOMERS = st.frozensets(st.integers(1, 4).map(ManagerAccountId), min_size=1)
SCOPES: st.SearchStrategy[Scope] = st.one_of(
    st.just(EveryAccount()),
    st.just(EveryLinkedEntity()),
    ACCOUNTS.map(OnlyAccounts),
    CUSTOMERS.map(OnlyLinkedEntities),
)
ROLES = st.sampled_from([Role.VIEWER, CM, Role.STANDARD])
HELD = st.lists(st.builds(Held, ROLES, SCOPES), max_size=4, unique_by=lambda one: (one.role, type(one.scope)))


@given(
    HELD, st.builds(lambda role, ids: RoleChange(delete_role=role, delete_accounts=ids), ROLES, st.none() | ACCOUNTS)
)
def test_taking_never_gives(held: list[Held], change: RoleChange) -> None:
    after = changed(held, change)
    for one in after:
        assert any(_covers(before, one) for before in held)
    if forbidden_by_holding(held, change) is None and change.delete_accounts is not None:
        assert not any(
            one.role == change.delete_role
            and isinstance(one.scope, OnlyAccounts)
            and one.scope.ids & change.delete_accounts
            for one in after
        )


@given(HELD, st.builds(RoleChange, ROLES, st.none() | ACCOUNTS, st.none() | CUSTOMERS, ROLES, st.none() | ACCOUNTS))
def test_no_scope_is_ever_empty_and_none_is_widened_unasked(held: list[Held], change: RoleChange) -> None:
    after = changed(held, change)
    assert not any(isinstance(one.scope, OnlyAccounts | OnlyLinkedEntities) and not one.scope.ids for one in after)
    asked_for_all = change.new_accounts is None and change.new_customers is None
    for one in after:
        if one.scope == EveryAccount() and one not in held:
            assert asked_for_all
            assert one.role == change.new_role


@given(HELD, st.builds(Held, ROLES, st.just(EveryAccount()) | ACCOUNTS.map(OnlyAccounts)))
def test_an_accepted_grant_is_held_and_nothing_is_lost(held: list[Held], grant: Held) -> None:
    after = merged(held, grant)
    for one in (*held, grant):
        assert any(_covers(new, one) for new in after)


@given(HELD, HELD, ACCOUNTS)
def test_staying_within_some_accounts_leaves_all_others_as_they_were(
    before: list[Held], after: list[Held], allowed: frozenset[AdAccountId]
) -> None:
    if stays_within(before, after, allowed):
        outside = accounts(1, 2, 3, 4) - allowed
        for role in Role:
            for account in outside:
                assert _reaches(before, role, account) == _reaches(after, role, account)


def test_only_a_scoped_standard_role_manages_within_accounts() -> None:
    scoped = OnlyAccounts(accounts(1))
    items = [
        Assignment(AssignmentId(1), UserId(1), ManagerAccountId(1), Role.STANDARD, scoped),
        Assignment(AssignmentId(2), UserId(1), ManagerAccountId(1), CM, OnlyAccounts(accounts(2))),
        Assignment(AssignmentId(3), UserId(1), ManagerAccountId(2), Role.STANDARD, OnlyAccounts(accounts(3))),
    ]
    assert managed_within(items, ManagerAccountId(1)) == accounts(1)


def _covers(wide: Held, narrow: Held) -> bool:
    if wide.role != narrow.role:
        return False
    if wide.scope == EveryAccount() or wide.scope == narrow.scope:
        return True
    if isinstance(wide.scope, OnlyAccounts) and isinstance(narrow.scope, OnlyAccounts):
        return narrow.scope.ids <= wide.scope.ids
    if isinstance(wide.scope, OnlyLinkedEntities) and isinstance(narrow.scope, OnlyLinkedEntities):
        return narrow.scope.ids <= wide.scope.ids
    return False


def _reaches(held: Iterable[Held], role: Role, account: AdAccountId) -> bool:
    return any(
        one.role == role
        and (one.scope == EveryAccount() or (isinstance(one.scope, OnlyAccounts) and account in one.scope.ids))
        for one in held
    )
