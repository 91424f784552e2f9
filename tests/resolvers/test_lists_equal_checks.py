"""One truth however it is asked: lists, checks, accessors and rows over a stored world, each against the oracle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from resolvers.access import Answer, CheckRequest, TargetId, check_many
from resolvers.accessible import Accessible, accounts_of_viewer
from resolvers.accessors import accessors_of
from resolvers.errors import Code, Refusal
from resolvers.paging import WHOLE, Page
from resolvers.people import customer_roles_of, customer_roles_of_viewer, visible_users
from resolvers.reachable import reachable_by_viewer
from resolvers.rules.capabilities import Capability
from resolvers.rules.paths import AnyTarget
from storage.database import Database
from storage.records.facts import AdAccountFact, OnlyLinkedEntities
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.values import AdAccountStatus
from tests.builders import a_chain, a_role, a_world, an_account_link, an_ad, an_aggregation
from tests.databases import Databases
from tests.oracle import AD, MANAGER, RoleRow, Target, World, capabilities_on, forbidden_by_state
from tests.resolvers.askers import Asker, askers, target_id
from tests.rules.product import names, role_row
from tests.stored_worlds import stored
from tests.worlds import seeded_world

ASKED = (Capability.VIEW, Capability.MANAGE_CAMPAIGNS, Capability.UPDATE_AD_ACCOUNT, Capability.DELETE_AD_ACCOUNT)
LARGEST = Page(100)


@pytest.fixture(scope="module", params=range(70_000, 70_025))
def world(request: pytest.FixtureRequest) -> World:
    seed: int = request.param
    return seeded_world(seed)


@pytest.fixture(scope="module")
def database(world: World, databases: Databases, migrated_url: str) -> Iterator[Database]:
    with stored(world, databases, migrated_url) as database:
        yield database


def target_of(world: World, target: Target) -> AnyTarget:
    if target.kind == MANAGER:
        return ManagerAccountId(target.id)
    [item] = [item for item in world.ad_accounts if item.id == target.id]
    return AdAccountFact(AdAccountId(item.id), ManagerAccountId(item.owner), AdAccountStatus(item.status))


@pytest.mark.parametrize("capability", ASKED, ids=str)
def test_accessible_ad_accounts_are_those_a_check_allows(
    world: World, database: Database, capability: Capability
) -> None:
    for asker in askers(world):
        ads = {target: truth for target, truth in asker.truths.items() if target.kind == AD}
        must_refuse = any(
            capability in truth.over_limit and capability not in forbidden_by_state(world, target)
            for target, truth in ads.items()
        )
        with database.read() as transaction:
            try:
                listed = accounts_of_viewer(asker.session(transaction), Accessible(capability, page=LARGEST))
            except Refusal as refusal:
                assert refusal.code == Code.CHAIN_OVER_LIMIT  # noqa: PT017
                assert asker.may_be_refused
                continue
            assert not must_refuse, "an account only a long chain leads to was left out in silence"
            assert [edge.node.account_id for edge in listed.edges] == sorted(
                target.id for target, truth in ads.items() if capability in truth.allowed
            )
            assert listed.total() == len(listed.edges)
            assert listed.hidden_count == 0


@pytest.mark.parametrize("capability", [Capability.VIEW, Capability.MANAGE_USERS, Capability.ADD_AD_ACCOUNT], ids=str)
def test_reachable_manager_accounts_are_those_a_check_allows(
    world: World, database: Database, capability: Capability
) -> None:
    for asker in askers(world):
        managers = {target: truth for target, truth in asker.truths.items() if target.kind == MANAGER}
        must_refuse = any(
            capability in truth.over_limit and capability not in forbidden_by_state(world, target)
            for target, truth in managers.items()
        )
        with database.read() as transaction:
            try:
                found = reachable_by_viewer(asker.session(transaction)).manager_accounts(capability)
            except Refusal as refusal:
                assert refusal.code == Code.CHAIN_OVER_LIMIT  # noqa: PT017
                assert asker.may_be_refused
                continue
        assert not must_refuse, "a manager account only a long chain leads to was left out in silence"
        assert list(found) == sorted(target.id for target, truth in managers.items() if capability in truth.allowed)


def test_an_account_linked_at_the_end_of_a_long_chain_is_not_left_out_in_silence(
    databases: Databases, migrated_url: str
) -> None:
    """6 is signed up by 1, so what it owns is reached; the account link it holds is six levels down."""
    world = a_world(
        a_role("VIEWER", at=1),
        *a_chain(1, 2, 3, 4, 5, 6),
        an_aggregation(1, 6),
        an_account_link(6, 7),
        an_ad(7, owner=9),
        an_ad(8, owner=6),
    )
    asker = askers(world)[0]
    assert asker.truths[Target(AD, 8)].allowed == {"VIEW", "VIEW_PAYMENT_METHODS"}
    assert asker.truths[Target(AD, 7)].over_limit == {"VIEW", "VIEW_PAYMENT_METHODS"}
    with (
        stored(world, databases, migrated_url) as database,
        database.read() as transaction,
        pytest.raises(Refusal) as refused,
    ):
        accounts_of_viewer(asker.session(transaction), Accessible(page=LARGEST))
    assert refused.value.code == Code.CHAIN_OVER_LIMIT


def test_pages_of_every_size_concatenate_to_the_list(world: World, database: Database) -> None:
    for asker in askers(world):
        if asker.may_be_refused:
            continue
        whole = sorted(target.id for target in asker.truths if target.kind == AD and asker.views(target))
        for size in {1, 2, len(whole) - 1, len(whole), len(whole) + 1} - {-1, 0}:
            collected: list[int] = []
            after: str | None = None
            while True:
                with database.read() as transaction:
                    session = asker.session(transaction)
                    page = accounts_of_viewer(session, Accessible(page=Page(size, after=after)))
                    assert page.total() == len(whole)
                    collected += [edge.node.account_id for edge in page.edges]
                    assert page.has_previous_page == (after is not None)
                if not page.has_next_page:
                    break
                after = page.edges[-1].cursor
            assert collected == whole


def test_checks_of_the_viewer_equal_the_oracle(world: World, database: Database) -> None:
    for asker in askers(world):
        requests = [
            CheckRequest(None, capability, target_id(target), None)
            for target in asker.truths
            for capability in Capability
        ]
        with database.read() as transaction:
            answers = check_many(asker.session(transaction), requests)
            asked = [(target, capability) for target in asker.truths for capability in Capability]
            for (target, capability), answer in zip(asked, answers, strict=True):
                truth = asker.truths[target]
                expected = None if capability in truth.over_limit else capability in truth.allowed
                assert answer.allowed is expected, (asker.login, target, capability)
                assert (answer.error is not None) == (expected is None)


def test_checks_of_other_users_equal_the_oracle_or_show_nothing(world: World, database: Database) -> None:
    for asker in askers(world):
        asked = [
            (user, target, capability)
            for user in world.users
            for target in world.targets()
            for capability in (Capability.VIEW, Capability.MANAGE_USERS, Capability.DELETE_AD_ACCOUNT)
        ]
        everything = {user.id: asker.oracle.everything(user.id) for user in world.users}
        with database.read() as transaction:
            requests = [
                CheckRequest(UserId(user.id), wanted, target_id(target), None) for user, target, wanted in asked
            ]
            answers = check_many(asker.session(transaction), requests)
            for (user, target, capability), answer in zip(asked, answers, strict=True):
                if "VIEW" in asker.truths[target].over_limit:
                    continue
                truth = everything[user.id][target]
                shown = asker.views(target) and asker.sees(user)
                assert shown == (answer.permissions is not None), (asker.login, user, target)
                expected = shown and (None if capability in truth.over_limit else capability in truth.allowed)
                assert answer.allowed is expected, (asker.login, user, target, capability)


def test_a_named_context_counts_in_checks(world: World, database: Database) -> None:
    for asker in askers(world):
        grants = asker.grants
        asked = [(target, item.id) for target in asker.truths if asker.views(target) for item in world.manager_accounts]
        requests = [
            CheckRequest(None, Capability.VIEW, target_id(target), ManagerAccountId(context))
            for target, context in asked
        ]
        with database.read() as transaction:
            answers = check_many(asker.session(transaction), requests)
        for (target, context), answer in zip(asked, answers, strict=True):
            truth = asker.oracle.judged(grants, target, context)
            expected = None if "VIEW" in truth.over_limit else "VIEW" in truth.allowed
            assert answer.allowed is expected, (asker.login, target, context)


def test_one_bad_check_changes_no_other(world: World, database: Database) -> None:
    for asker in askers(world):
        good = [CheckRequest(None, Capability.VIEW, target_id(target), None) for target in asker.truths]
        nobody = CheckRequest(UserId(10**15), Capability.VIEW, good[0].target, None)
        nothing = CheckRequest(None, Capability.VIEW, TargetId(None, AdAccountId(10**15)), None)
        with database.read() as transaction:
            alone = [answer.allowed for answer in check_many(asker.session(transaction), good)]
            mixed: list[Answer] = check_many(
                asker.session(transaction), [one for request in good for one in (nobody, request, nothing)]
            )
        assert [answer.allowed for answer in mixed[1::3]] == alone
        assert {answer.allowed for answer in (*mixed[0::3], *mixed[2::3])} == {False}


def test_accessors_are_the_users_whose_check_allows(world: World, database: Database) -> None:
    for asker in askers(world):
        for target in asker.truths:
            if not asker.views(target):
                continue
            truths = [asker.oracle.effective(user.id, target) for user in world.users]
            expected = asker.oracle.accessors(target)
            visible = {user.id for user in world.users if user.id in expected and asker.sees(user)}
            with database.read() as transaction:
                session = asker.session(transaction)
                session.know_manager_accounts(
                    [item for item in [target_id(target).manager_account] if item is not None]
                )
                session.know_ad_accounts([item for item in [target_id(target).ad_account] if item is not None])
                found = accessors_of(session, target_of(world, target), Capability.VIEW, None, WHOLE)
                assert [edge.node.user_id for edge in found.edges] == sorted(visible), (asker.login, target)
                assert found.hidden_count == len(expected) - len(visible)
                assert found.over_limit_count == sum("VIEW" in truth.over_limit for truth in truths)
                for edge in found.edges:
                    truth = asker.oracle.effective(edge.node.user_id, target)
                    assert names(edge.permissions.capabilities) == truth.allowed


def test_customer_roles_equal_the_oracle(world: World, database: Database) -> None:
    for asker in askers(world):
        with database.read() as transaction:
            mine = customer_roles_of_viewer(asker.session(transaction))
        assert frozenset(role_row(one.row) for one in mine.rows) == asker.customer_roles
        assert mine.hidden == 0


def test_customer_roles_of_others_hide_and_count_what_the_viewer_may_not_see(world: World, database: Database) -> None:
    for asker in askers(world):
        with database.read() as transaction:
            users = visible_users(asker.session(transaction), [UserId(user.id) for user in world.users])
            assert set(users) == {user.id for user in world.users if asker.sees(user)}
            for key, row in users.items():
                told = customer_roles_of(asker.session(transaction), row)
                truth = asker.oracle.customer_roles(key)
                own = asker.is_self(row.user_id)
                shown = {one for one in truth if own or asker.views(Target(MANAGER, one.manager_account))}
                as_seen = shown if own else {as_seen_by(asker, one) for one in shown}
                assert frozenset(role_row(one.row) for one in told.rows) == as_seen, (asker.login, key)
                assert len(told.rows) + told.hidden >= len(truth)
                assert (told.hidden == 0) == (len(shown) == len(truth))
                whole = {
                    (
                        str(one.row.role),
                        one.row.manager_account_id,
                        one.hidden_accounts + len(one.row.account_ids or ()),
                        one.hidden_linked_accounts + len(one.row.linked_account_ids),
                    )
                    for one in told.rows
                }
                assert whole == {
                    (one.role, one.manager_account, len(one.accounts or ()), len(one.linked_accounts)) for one in shown
                }, "a hidden id was not counted"


def as_seen_by(asker: Asker, row: RoleRow) -> RoleRow:
    """A row of somebody else as the asker may be told it."""

    def seen(accounts: frozenset[int]) -> frozenset[int]:
        return frozenset(one for one in accounts if asker.views(Target(AD, one)))

    accounts = None if row.accounts is None else seen(row.accounts)
    return row._replace(accounts=accounts, linked_accounts=seen(row.linked_accounts))


def test_linked_customers_of_others_hide_and_count_what_the_viewer_may_not_see(
    world: World, database: Database
) -> None:
    listed = {item.id: item.listed for item in world.assignments if item.scope == "ONLY_LINKED_ENTITIES"}
    for asker in askers(world):
        with database.read() as transaction:
            users = visible_users(asker.session(transaction), [UserId(user.id) for user in world.users])
            for row in users.values():
                for one in customer_roles_of(asker.session(transaction), row).rows:
                    if isinstance(one.row.scope, OnlyLinkedEntities) and one.row.assignment_id is not None:
                        every = listed[one.row.assignment_id]
                        own = asker.is_self(row.user_id)
                        seen = {id for id in every if own or asker.views(Target(MANAGER, id))}
                        assert one.row.scope.ids == seen, (asker.login, row)
                        assert one.hidden_linked_customers == len(every) - len(seen)


def test_capabilities_are_named_alike_on_both_sides() -> None:
    assert {str(capability) for capability in Capability} == capabilities_on(MANAGER) | capabilities_on(AD)
