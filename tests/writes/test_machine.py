"""Any sequence of writes by anybody: the store agrees with itself, and access is what the oracle says of its facts."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from resolvers.rules.capabilities import names_of
from resolvers.session import Session
from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.reads.facts import read_revision
from storage.reads.remembered import FactMemory
from storage.records.ids import AdAccountId, ManagerAccountId, RevisionId
from tests.databases import Databases
from tests.oracle import MANAGER, Target, World
from tests.resolvers.askers import Asker
from tests.schema.facts_of import read_world
from tests.writes.dealings import ALL, CUSTOMERS, HERO, STRANGERS, Dealings, small_company

LOGINS = (HERO, *(10 + one for one in CUSTOMERS), STRANGERS[0])
EXAMPLES = {"sqlite": 40, "postgresql": 2}
STEPS = 30
EVERYTHING = tuple(sorted({one.__name__ for one in ALL}))


def machine_on(databases: Databases, template: str) -> type[RuleBasedStateMachine]:
    """The machine, on new databases copied from a template."""

    class Company(RuleBasedStateMachine):
        """Everything people can do, one step a rule; what is refused changes nothing that is looked at."""

        def __init__(self) -> None:
            super().__init__()
            self.url = databases.copy_of(template)
            self.database = Database.open(self.url)
            self.numbers: Iterator[int] = itertools.repeat(0)
            self.dealings: Dealings | None = None
            self.memory = FactMemory()
            self.before: tuple[World, RevisionId] | None = None

        def _choose(self, count: int) -> int:
            return next(self.numbers) % count

        @initialize(seed=st.integers(0, 10_000))
        def found(self, seed: int) -> None:
            """The company as it is at first."""
            self.dealings = Dealings(self.database, small_company(seed), self._choose)

        def _send(self, what: str, login: int, numbers: list[int]) -> None:
            assert self.dealings is not None
            self.numbers = itertools.cycle(numbers)
            self.dealings.send(login, *getattr(self.dealings, what)())

        @rule(
            what=st.sampled_from(EVERYTHING),
            login=st.sampled_from(LOGINS),
            numbers=st.lists(st.integers(0, 59), min_size=8, max_size=8),
        )
        def somebody_writes(self, what: str, login: int, numbers: list[int]) -> None:
            """A mutation by anybody."""
            self._send(what, login, numbers)

        @rule(
            what=st.sampled_from(EVERYTHING),
            home=st.sampled_from(CUSTOMERS),
            numbers=st.lists(st.integers(0, 59), min_size=8, max_size=8),
        )
        def a_super_admin_writes(self, what: str, home: int, numbers: list[int]) -> None:
            """A mutation by who may do most."""
            assert self.dealings is not None
            self.dealings.homes = {home}
            self._send(what, 10 + home, numbers)

        @rule(login=st.sampled_from((HERO, *STRANGERS)), number=st.integers(0, 2))
        def somebody_accepts(self, login: int, number: int) -> None:
            """An invitation, by whoever has its secret."""
            self._send("accept_invitation", login, [number])

        @rule(days=st.sampled_from([0, 1, 31]))
        def time_passes(self, days: int) -> None:
            """The service does what is due."""
            assert self.dealings is not None
            self.dealings.wait(days)

        @invariant()
        def the_store_agrees_with_itself(self) -> None:
            """What no constraint holds."""
            with self.database.read() as transaction:
                assert read_inconsistencies(transaction) == []

        @invariant()
        def access_is_what_the_oracle_says(self) -> None:
            """For somebody with roles in several places, a Super Admin and whoever was invited; cold, and warm."""
            with self.database.read() as transaction:
                world = read_world(transaction)
                if not world.manager_accounts:
                    return
                managers = [ManagerAccountId(one.id) for one in world.manager_accounts]
                ads = [AdAccountId(one.id) for one in world.ad_accounts]
                for login in (HERO, 11, STRANGERS[0]):
                    asker = Asker(world, login)
                    for memory in (None, self.memory):
                        session = asker.session(transaction, memory)
                        session.know_manager_accounts(managers)
                        session.know_ad_accounts(ads)
                        for target, answer in asker.truths.items():
                            assert held(session, target) == answer.allowed, (login, target, memory)

        @invariant()
        def a_fact_changes_with_the_revision_only(self) -> None:
            """What is remembered between requests relies on it."""
            with self.database.read() as transaction:
                world, revision = read_world(transaction), read_revision(transaction)
            if self.before is not None and self.before[0] != world:
                assert revision > self.before[1]
            self.before = world, revision

        @invariant()
        def every_manager_account_keeps_a_super_admin(self) -> None:
            """As it began with one."""
            if self.dealings is None:
                return
            world = self.dealings.world()
            alive = {user.id for user in world.users if user.status == "ACTIVE"}
            kept = {
                one.manager_account
                for one in world.assignments
                if one.role == "SUPER_ADMIN" and one.scope == "EVERY_ACCOUNT" and one.user in alive
            }
            assert kept == set(CUSTOMERS)

        def teardown(self) -> None:
            """Leave nothing behind."""
            if self.dealings is not None:
                DONE.update(self.dealings.done)
            self.database.close()
            databases.drop(self.url)

    return Company


DONE: Counter[str] = Counter()
"""How often each mutation was done."""


def held(session: Session, target: Target) -> frozenset[str]:
    """What the product says the login may do."""
    if target.kind == MANAGER:
        found = session.reach.on_manager_account(ManagerAccountId(target.id)).capabilities
    else:
        fact = session.excerpt.facts.ad_accounts[AdAccountId(target.id)]
        found = session.reach.on_ad_account(fact).capabilities
    return frozenset(map(str, names_of(found)))


@pytest.mark.timeout(300)
def test_whatever_people_do(databases: Databases, migrated_url: str) -> None:
    kind = migrated_url.partition(":")[0]
    limits = settings(
        max_examples=EXAMPLES[kind],
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        # Making a failure shorter takes minutes here; thirty steps can be read.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    DONE.clear()
    run_state_machine_as_test(machine_on(databases, migrated_url), settings=limits)
    if kind == "sqlite":
        # A machine that is always refused would prove nothing.
        assert len(DONE) >= 10, DONE
        assert DONE.total() >= 50, DONE
