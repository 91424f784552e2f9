"""An explanation shows whole paths through what the asker sees; the others are counted and never named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from resolvers.access import CheckRequest, Explanation, access_of, check_many
from resolvers.rules.capabilities import Capability
from resolvers.rules.paths import Path
from resolvers.session import Session
from storage.database import Database
from storage.records.ids import UserId
from tests.databases import Databases
from tests.oracle import MANAGER, Target, User, World, capabilities_on
from tests.resolvers.askers import Asker, askers, target_id
from tests.rules.product import explanation, names
from tests.stored_worlds import stored
from tests.verifier import why_not
from tests.worlds import seeded_world


@pytest.fixture(scope="module", params=range(95_000, 95_025))
def world(request: pytest.FixtureRequest) -> World:
    seed: int = request.param
    return seeded_world(seed)


@pytest.fixture(scope="module")
def database(world: World, databases: Databases, migrated_url: str) -> Iterator[Database]:
    with stored(world, databases, migrated_url) as database:
        yield database


def led_through(path: Path) -> set[int]:
    """Every manager account a path names."""
    ends = {hop.to_manager_account_id for hop in path.hops if hop.to_manager_account_id is not None}
    return {path.assignment.manager_account_id, *(hop.from_id for hop in path.hops), *ends}


def explained(asker: Asker, session: Session) -> Iterator[tuple[User, Target, Explanation]]:
    """Every explanation the asker can get about another user."""
    for user in asker.world.users:
        for target in asker.world.targets():
            if not asker.views(target) or not asker.sees(user):
                continue
            found = access_of(session, UserId(user.id), target_id(target), None)
            assert found is not None, (asker.login, user, target)
            yield user, target, found


def test_paths_lead_through_what_the_asker_sees_and_the_rest_is_counted(world: World, database: Database) -> None:
    for asker in askers(world):
        viewed = {item.id for item in world.manager_accounts if asker.views(Target(MANAGER, item.id))}
        with database.read() as transaction:
            for user, target, found in explained(asker, asker.session(transaction)):
                grants = [g for g in asker.oracle.grants(user.id) if g.target == target and not g.over_limit]
                access = found.access
                assert len(access.paths) + access.hidden_paths == len(grants), (asker.login, user, target)
                own = asker.is_self(user.id)
                for path in access.paths:
                    assert own or led_through(path) <= viewed, (asker.login, user, target)
                open_ways = sum(own or {*grant.chain} <= viewed for grant in grants)
                assert len(access.paths) <= open_ways
                if len(viewed) == len(world.manager_accounts):
                    assert access.hidden_paths == 0


def test_every_path_shown_verifies(world: World, database: Database) -> None:
    for asker in askers(world):
        with database.read() as transaction:
            for user, target, found in explained(asker, asker.session(transaction)):
                usable = asker.oracle.effective(user.id, target).allowed
                for path in found.access.paths:
                    for capability in names(path.capabilities) & usable:
                        assert why_not(world, explanation(user.id, target, path, capability)) is None


def test_near_misses_lead_through_what_the_asker_sees(world: World, database: Database) -> None:
    for asker in askers(world):
        viewed = {item.id for item in world.manager_accounts if asker.views(Target(MANAGER, item.id))}
        with database.read() as transaction:
            for user, target, found in explained(asker, asker.session(transaction)):
                truth = asker.oracle.effective(user.id, target)
                for name in sorted(capabilities_on(target.kind) - truth.allowed - truth.over_limit)[:4]:
                    for miss in found.decide(Capability(name)).near_misses:
                        assert asker.is_self(user.id) or led_through(miss.path) <= viewed, (asker.login, user, miss)


def test_nobody_who_holds_something_there_is_said_to_have_no_way_there(world: World, database: Database) -> None:
    for asker in askers(world):
        with database.read() as transaction:
            for user, target, found in explained(asker, asker.session(transaction)):
                truth = asker.oracle.effective(user.id, target)
                if not truth.allowed:
                    continue
                for name in sorted(capabilities_on(target.kind) - truth.allowed - truth.over_limit):
                    decision = found.decide(Capability(name))
                    assert decision.code != "NO_PATH", (asker.login, user, target, decision.message)


def test_what_is_hidden_and_what_is_not_there_are_told_alike(world: World, database: Database) -> None:
    for asker in askers(world):
        hidden = [target for target in world.targets() if asker.truths[target].allowed == set()]
        hidden = [target for target in hidden if not asker.truths[target].over_limit]
        missing = [Target(target.kind, 10**15 + target.id) for target in hidden]
        with database.read() as transaction:
            session = asker.session(transaction)
            asked = [CheckRequest(None, Capability.VIEW, target_id(target), None) for target in (*hidden, *missing)]
            told = {answer.decision for answer in check_many(session, asked)}
            assert len(told) <= 1
            assert all(decision is not None and decision.code == "NOT_VISIBLE" for decision in told)
            assert all(access_of(session, None, target_id(target), None) is None for target in (*hidden, *missing))
