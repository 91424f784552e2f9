"""What a session loads together it refuses together: a refusal is never taken for something that is not there."""

from __future__ import annotations

from typing import Any

import pytest

from resolvers.errors import Code, Refusal
from resolvers.session import Session
from storage.database import Database
from storage.errors import StorageBusy
from storage.reads import facts
from storage.reads.remembered import FactMemory
from storage.records.ids import AdAccountId, Instant
from tests.builders import a_link, a_role, a_user, a_world, an_account_link, an_ad
from tests.databases import Databases
from tests.oracle import AD, Target
from tests.resolvers.askers import Asker
from tests.stored_worlds import stored


def test_a_refused_load_is_refused_to_all_of_its_cohort(database: Database) -> None:
    loads: list[list[int]] = []

    def load(ids: list[int]) -> dict[int, str]:
        loads.append(ids)
        raise Refusal(Code.CHAIN_OVER_LIMIT, "too long")

    with database.read() as transaction:
        session = Session(transaction, None, Instant(0))
        session.register("thing", [1, 2])
        for asked in (1, 2, 1):
            with pytest.raises(Refusal):
                session.together("thing", asked, "row", load)
    assert loads == [[1, 2]]


def test_a_load_that_failed_is_tried_again(database: Database) -> None:
    def fail(_: list[int]) -> dict[int, str]:
        raise OSError("gone")

    with database.read() as transaction:
        session = Session(transaction, None, Instant(0))
        session.register("thing", [1, 2])
        with pytest.raises(OSError, match="gone"):
            session.together("thing", 1, "row", fail)
        assert session.together("thing", 2, "row", lambda ids: {one: str(one) for one in ids}) == "2"
        assert session.together("thing", 1, "row", lambda ids: {one: str(one) for one in ids}) == "1"


LINKED = a_world(
    a_user(1, of=1, login=1), a_role(at=1, user=1), a_link(1, 2), an_account_link(2, 30), an_ad(30, owner=3)
)
"""The ad account is seen over a customer link and an account link, and by nothing else."""


@pytest.mark.parametrize("memory", [None, FactMemory()], ids=["cold", "with a memory"])
@pytest.mark.parametrize(
    "load",
    [
        "read_users_of_logins",
        "read_assignments_of_users",
        "read_account_links_to",
        "read_aggregations_at",
        "read_customer_links_above",
        "read_customer_links_to",
    ],
)
def test_facts_that_could_not_be_loaded_are_not_taken_for_none(
    load: str,
    memory: FactMemory | None,
    databases: Databases,
    migrated_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target, asker = AdAccountId(30), Asker(LINKED, 1)
    assert asker.views(Target(AD, target))
    reads = getattr(facts, load)

    def busy_once(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(facts, load, reads)
        raise StorageBusy("Busy.")

    with stored(LINKED, databases, migrated_url) as database, database.read() as transaction:
        session = asker.session(transaction, memory)
        monkeypatch.setattr(facts, load, busy_once)
        with pytest.raises(StorageBusy):
            session.know_ad_accounts([target])
        session.know_ad_accounts([target])
        assert session.sees(session.excerpt.ad_account_facts[target])
