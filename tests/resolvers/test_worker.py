"""What the service does by itself, with the clock in the test's hand."""

from __future__ import annotations

from collections import Counter
from threading import Barrier, Thread
from typing import Any

import pytest

from resolvers.billing_transition import BillingFailed, BillingNotYet, OwnBooks
from resolvers.rules.links import INVITATION_LIFETIME_MS
from resolvers.worker import BATCH, Step, Trouble, Work, work_off
from resolvers.writing import WriteSession
from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.entries import AggregationEntry, UserInvitationEntry
from storage.errors import StorageBusy
from storage.records.ids import AggregationId, Instant, InvitationId, ManagerAccountId
from storage.records.rows import ClientLinkRow
from storage.records.values import (
    AdAccountStatus,
    ClientLinkStatus,
    InvitationStatus,
    ManagerAccountStatus,
    PaymentMethodType,
    Role,
)
from storage.writes import (
    begin_revision,
    write_ad_account_status,
    write_aggregations,
    write_manager_account_status,
    write_user_invitations,
)
from tests.link_world import DAY_MS, SENT_MS, a_link, accounts_of, bill_to, build_link_world, trace

PENDING = ClientLinkStatus.LINK_PENDING
ACTIVE = ClientLinkStatus.ACTIVE
LATER = SENT_MS + DAY_MS
[ACCOUNT, OTHER] = accounts_of(2)


def steps(database: Database, now: int = LATER, **work: Any) -> list[Step]:
    """What the service does at a moment; afterwards the store agrees with itself and nothing is left to do."""
    done = list(work_off(Work(database, **work), Instant(now)))
    taken = [each for each in done if isinstance(each, Step)]
    assert taken == done
    with database.read() as transaction:
        assert read_inconsistencies(transaction) == []
    assert list(work_off(Work(database, **work), Instant(now))) == []
    return taken


def operations(database: Database, now: int = LATER) -> list[str]:
    return [each.operation for each in steps(database, now)]


def test_a_pending_link_expires_when_its_thirty_days_are_over_and_not_a_millisecond_earlier(database: Database) -> None:
    build_link_world(database, links=[a_link(1, 1, 2, PENDING), a_link(2, 1, ACCOUNT, PENDING, client_pays=True)])
    assert operations(database, SENT_MS + INVITATION_LIFETIME_MS - 1) == []
    assert operations(database, SENT_MS + INVITATION_LIFETIME_MS) == ["expireClientLink"] * 2
    for link in (1, 2):
        assert trace(database, link)[1::2] == (("LINK_PENDING", "LINK_EXPIRED"), ("expireClientLink",))


def test_an_accepted_link_is_active_from_its_start_date_on(database: Database) -> None:
    build_link_world(database, links=[a_link(1, 1, 2, start_at_ms=LATER)])
    assert operations(database, LATER - 1) == []
    [step] = steps(database, LATER)
    assert (step.key, step.operation, step.status, step.reason) == (1, "activateClientLink", "ACTIVE", None)
    assert trace(database, 1).statuses == ("LINK_IN_PROGRESS", "ACTIVE")


def test_nobody_signs_what_the_service_does(database: Database) -> None:
    build_link_world(database, links=[a_link(1, 1, 2)])
    [step] = steps(database)
    with database.read() as tx:
        [signed] = tx.execute(
            "SELECT r.id, r.actor_login_id, r.actor_user_id, a.actor_login_id, a.actor_user_id, p.actor_user_id,"
            " r.at_ms FROM revision r JOIN audit_entry a ON a.revision_id = r.id"
            " JOIN client_link_period p ON p.began_revision_id = r.id"
        ).fetchall()[-1:]
    assert tuple(signed) == (step.revision, None, None, None, None, None, LATER)


@pytest.mark.parametrize("client_pays", [True, False])
def test_the_managing_side_is_billed_while_a_link_is_active_that_says_so(database: Database, client_pays: bool) -> None:
    build_link_world(database, links=[a_link(1, 1, ACCOUNT, client_pays=client_pays)])
    assert operations(database) == ["activateClientLink"]
    assert bill_to(database, ACCOUNT) == (2 if client_pays else 1)
    assert bill_to(database, OTHER) == 2


@pytest.mark.parametrize("begins", [ClientLinkStatus.UNLINK_PENDING, ClientLinkStatus.UNLINK_IN_PROGRESS])
def test_unlinking_goes_through_to_the_end_and_the_owner_is_billed_again(
    database: Database, begins: ClientLinkStatus
) -> None:
    build_link_world(
        database,
        accounts={"bill_to_manager_account_id": ManagerAccountId(1)},
        links=[a_link(1, 1, ACCOUNT, begins, client_pays=False), a_link(2, 1, 2, begins)],
    )
    whole = ["beginUnlink", "completeUnlink"][begins == ClientLinkStatus.UNLINK_IN_PROGRESS :]
    assert operations(database) == whole * 2
    assert trace(database, 1).status == trace(database, 2).status == "INACTIVE"
    assert (bill_to(database, ACCOUNT), bill_to(database, OTHER)) == (2, 1)


def test_an_account_of_somebody_who_was_signed_up_goes_back_to_the_aggregator(database: Database) -> None:
    build_link_world(
        database,
        accounts={"bill_to_manager_account_id": ManagerAccountId(1)},
        links=[a_link(1, 1, ACCOUNT, ClientLinkStatus.UNLINK_IN_PROGRESS, client_pays=False)],
    )
    with database.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=SENT_MS)
        write_aggregations(tx, stamp, [AggregationEntry(AggregationId(1), ManagerAccountId(5), ManagerAccountId(2))])
    assert operations(database) == ["completeUnlink"]
    assert bill_to(database, ACCOUNT) == 5


@pytest.mark.parametrize(("client_pays", "broke"), [(True, 2), (False, 1)])
def test_a_link_fails_when_who_is_to_pay_cannot(database: Database, client_pays: bool, broke: int) -> None:
    build_link_world(database, broke=[broke], links=[a_link(1, 1, ACCOUNT, client_pays=client_pays)])
    [step] = steps(database)
    assert (step.operation, step.status) == ("failClientLink", "LINK_FAILED")
    assert step.reason == (
        f"Manager account {broke} would be billed for ad account {ACCOUNT} and has no valid payment instrument; add one"
        " and try again."
    )
    assert trace(database, 1).notes == (None, step.reason)
    assert bill_to(database, ACCOUNT) == 2


def test_a_link_fails_when_the_client_has_come_to_pay_in_advance(database: Database) -> None:
    method = {"payment_method_type": PaymentMethodType.BOLETO}
    build_link_world(database, accounts=method, links=[a_link(1, 1, ACCOUNT, client_pays=True)])
    [step] = steps(database)
    assert step.status == "LINK_FAILED"
    assert step.reason is not None
    assert "pays in advance" in step.reason


def test_unlinking_falls_back_to_active_when_the_owner_cannot_pay(database: Database) -> None:
    build_link_world(
        database,
        broke=[2],
        accounts={"bill_to_manager_account_id": ManagerAccountId(1)},
        links=[a_link(1, 1, ACCOUNT, ClientLinkStatus.UNLINK_PENDING, client_pays=False)],
    )
    assert operations(database) == ["beginUnlink", "failUnlink"]
    told = trace(database, 1)
    assert told.statuses == ("UNLINK_PENDING", "UNLINK_IN_PROGRESS", "UNLINK_FAILED", "ACTIVE")
    assert told.notes[-1] is not None
    assert "Manager account 2 would be billed" in told.notes[-1]
    assert bill_to(database, ACCOUNT) == 1


def test_two_halves_of_a_chain_that_is_too_long_together_do_not_both_become_active(database: Database) -> None:
    rows = [a_link(1, 1, 2, ACTIVE), a_link(2, 2, 3, ACTIVE), a_link(3, 5, 6, ACTIVE)]
    build_link_world(database, links=[*rows, a_link(4, 3, 4), a_link(5, 4, 5)])
    first, second = steps(database)
    assert (first.key, first.status) == (4, "ACTIVE")
    assert (second.key, second.status) == (5, "LINK_FAILED")
    assert second.reason is not None
    assert "→ 4 → 5 → – (a dash is one that is not shown) would have 6 levels" in second.reason


def test_two_halves_of_a_circle_do_not_both_become_active(database: Database) -> None:
    build_link_world(database, links=[a_link(1, 1, 2), a_link(2, 2, 1)])
    first, second = steps(database)
    assert (first.status, second.status) == ("ACTIVE", "LINK_FAILED")
    assert second.reason == "Linking 2 → 1 would close a circle: 2 → 1 → 2."


def test_of_two_agencies_that_both_want_to_be_billed_the_second_one_fails(database: Database) -> None:
    links = [a_link(1, 1, ACCOUNT, client_pays=False), a_link(2, 3, ACCOUNT, client_pays=False)]
    build_link_world(database, links=links)
    first, second = steps(database)
    assert (first.status, second.status) == ("ACTIVE", "LINK_FAILED")
    assert bill_to(database, ACCOUNT) == 1


def test_a_link_fails_when_an_end_of_it_is_gone(database: Database) -> None:
    links = [a_link(1, 1, 2), a_link(2, 3, ACCOUNT, client_pays=True)]
    build_link_world(database, links=links)
    with database.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=SENT_MS)
        write_manager_account_status(tx, stamp, [ManagerAccountId(2)], ManagerAccountStatus.INACTIVE)
        write_ad_account_status(tx, stamp, [ACCOUNT], AdAccountStatus.INACTIVE)
    assert [(step.status, step.reason) for step in steps(database)] == [
        ("LINK_FAILED", "Manager account 2 is INACTIVE."),
        ("LINK_FAILED", f"Ad account {ACCOUNT} is INACTIVE."),
    ]


def an_invitation(id_: int, **changes: Any) -> UserInvitationEntry:
    entry = UserInvitationEntry(
        InvitationId(id_),
        ManagerAccountId(1),
        "new@adventure.example",
        "New",
        "Person",
        Role.VIEWER,
        secret_digest=bytes([id_]) * 32,
        sent_at_ms=SENT_MS,
        expires_at_ms=SENT_MS + INVITATION_LIFETIME_MS,
    )
    return entry._replace(**changes)


def test_invitations_nobody_accepted_are_marked_when_they_run_out(database: Database) -> None:
    build_link_world(database)
    with database.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=SENT_MS)
        accepted = an_invitation(2, status=InvitationStatus.ACCEPTED)
        write_user_invitations(tx, stamp, [an_invitation(1), accepted, an_invitation(3, expires_at_ms=LATER)])
    assert [step.key for step in steps(database, LATER)] == [3]
    [step] = steps(database, SENT_MS + INVITATION_LIFETIME_MS)
    assert (step.kind, step.key, step.operation) == ("user invitation", 1, "expireUserInvitation")
    with database.read() as tx:
        found = tx.execute("SELECT status FROM user_invitation ORDER BY id").fetchall()
    assert [status for (status,) in found] == ["EXPIRED", "ACCEPTED", "EXPIRED"]


def test_more_than_one_batch_is_done_in_one_go_in_the_order_of_ids(database: Database) -> None:
    count = BATCH + 7
    links = [a_link(id_, 1, id_ + 1) for id_ in range(1, count + 1)]
    build_link_world(database, managers=count + 1, links=links)
    assert [step.key for step in steps(database)] == list(range(1, count + 1))


class _Failing:
    """A billing system that is down for one link, and for others says no or breaks."""

    def __init__(self, problem: Exception) -> None:
        self._problem = problem

    def begin(self, session: WriteSession, link: ClientLinkRow) -> None:
        if link.link_id == 1:
            raise self._problem
        if link.link_id == 2:
            raise BillingFailed("The bank said no.")

    def prepare_end(self, session: WriteSession, link: ClientLinkRow) -> None:
        raise AssertionError("nothing ends here")

    end = prepare_end


@pytest.mark.parametrize("problem", [StorageBusy("The database is locked."), ZeroDivisionError("a fault")], ids=repr)
def test_what_could_not_be_done_stays_due_and_holds_nobody_else_up(database: Database, problem: Exception) -> None:
    links = [a_link(id_, id_ + 2, ACCOUNT, client_pays=True) for id_ in (1, 2, 3)]
    build_link_world(database, links=links)
    done = list(work_off(Work(database, _Failing(problem)), Instant(LATER)))
    assert isinstance(done[0], Trouble)
    assert [each.key for each in done] == [1, 2, 3]
    assert [trace(database, link).status for link in (1, 2, 3)] == ["LINK_IN_PROGRESS", "LINK_FAILED", "ACTIVE"]
    assert trace(database, 2).notes[-1] == "The bank said no."
    assert [step.key for step in steps(database)] == [1]


class _Slow(OwnBooks):
    """A billing system that has not finished with some of the calls."""

    def __init__(self, *busy_with: str) -> None:
        self._busy_with = busy_with

    def begin(self, session: WriteSession, link: ClientLinkRow) -> None:
        self._finish("begin")
        super().begin(session, link)

    def prepare_end(self, session: WriteSession, link: ClientLinkRow) -> None:
        self._finish("prepare_end")

    def end(self, session: WriteSession, link: ClientLinkRow) -> None:
        self._finish("end")
        super().end(session, link)

    def _finish(self, call: str) -> None:
        if call in self._busy_with:
            raise BillingNotYet("Come back later.")


@pytest.mark.parametrize(
    ("call", "status", "then"),
    [
        ("begin", ClientLinkStatus.LINK_IN_PROGRESS, ["activateClientLink"]),
        ("prepare_end", ClientLinkStatus.UNLINK_PENDING, ["beginUnlink", "completeUnlink"]),
        ("end", ClientLinkStatus.UNLINK_IN_PROGRESS, ["completeUnlink"]),
    ],
)
def test_a_link_waits_where_it_is_until_billing_has_finished_and_holds_nobody_else_up(
    database: Database, call: str, status: ClientLinkStatus, then: list[str]
) -> None:
    build_link_world(database, links=[a_link(1, 1, ACCOUNT, status, client_pays=True), a_link(2, 1, 3)])
    assert [(step.key, step.status) for step in steps(database, billing=_Slow(call))] == [(2, "ACTIVE")]
    assert trace(database, 1) == (status, (status,), (None,), ())
    assert operations(database) == then


def test_a_worker_that_is_told_to_stop_leaves_the_rest(database: Database) -> None:
    build_link_world(database, links=[a_link(1, 1, 2), a_link(2, 1, 3)])
    told = iter([False, True])
    assert [step.key for step in work_off(Work(database, stops=lambda: next(told)), Instant(LATER))] == [1]
    assert trace(database, 2).status == "LINK_IN_PROGRESS"


def test_several_workers_at_once_do_every_step_exactly_once(database: Database) -> None:
    count = 60
    unlinked = [a_link(id_, 1, id_ + 1, ClientLinkStatus.UNLINK_PENDING) for id_ in range(1, count + 1)]
    build_link_world(database, managers=count + 1, links=unlinked)
    barrier = Barrier(4)
    found: list[Step | Trouble] = []
    broken: list[BaseException] = []

    def hand() -> None:
        try:
            barrier.wait()
            found.extend(work_off(Work(database), Instant(LATER)))
        except BaseException as problem:
            broken.append(problem)
            raise

    hands = [Thread(target=hand) for _ in range(4)]
    for each in hands:
        each.start()
    for each in hands:
        each.join()
    assert broken == []
    assert Counter((step.key, getattr(step, "operation", "trouble")) for step in found) == {
        (id_, operation): 1 for id_ in range(1, count + 1) for operation in ("beginUnlink", "completeUnlink")
    }
    for id_ in range(1, count + 1):
        told = trace(database, id_)
        assert told.statuses == ("UNLINK_PENDING", "UNLINK_IN_PROGRESS", "INACTIVE")
        assert told.operations == ("beginUnlink", "completeUnlink")
    assert steps(database) == []
