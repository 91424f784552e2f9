"""The life of a client link as a table: every status, event and side has an answer, and the answers hold together."""

from __future__ import annotations

from itertools import product

import pytest

from resolvers.rules.links import (
    BLOCKS_A_DUPLICATE,
    CARRIES_ACCESS,
    INVITATION_LIFETIME_MS,
    SIDE_OF,
    TRANSITIONS,
    ClientLinkAction,
    LinkEvent,
    Side,
    answer,
    due_event,
    has_expired,
    state_forbids,
    statuses_after,
)
from storage.records.ids import Instant
from storage.records.values import ClientLinkStatus

_ = ClientLinkStatus
DOCUMENTED: dict[tuple[ClientLinkStatus, LinkEvent, Side], str] = {
    (_.LINK_PENDING, LinkEvent.CANCEL, Side.MANAGING): "LINK_CANCELED",
    (_.LINK_PENDING, LinkEvent.DECLINE, Side.CLIENT): "LINK_DECLINED",
    (_.LINK_PENDING, LinkEvent.ACCEPT, Side.CLIENT): "LINK_ACCEPTED LINK_IN_PROGRESS",
    (_.LINK_PENDING, LinkEvent.EXPIRE, Side.SERVICE): "LINK_EXPIRED",
    (_.LINK_IN_PROGRESS, LinkEvent.ACTIVATE, Side.SERVICE): "ACTIVE",
    (_.LINK_IN_PROGRESS, LinkEvent.FAIL, Side.SERVICE): "LINK_FAILED",
    (_.ACTIVE, LinkEvent.REQUEST_UNLINK, Side.MANAGING): "UNLINK_REQUESTED UNLINK_PENDING",
    (_.ACTIVE, LinkEvent.MOVE, Side.MANAGING): "INACTIVE",
    (_.UNLINK_PENDING, LinkEvent.BEGIN_UNLINK, Side.SERVICE): "UNLINK_IN_PROGRESS",
    (_.UNLINK_IN_PROGRESS, LinkEvent.COMPLETE_UNLINK, Side.SERVICE): "INACTIVE",
    (_.UNLINK_IN_PROGRESS, LinkEvent.FAIL_UNLINK, Side.SERVICE): "UNLINK_FAILED ACTIVE",
}
"""All that is possible, written down a second time; what is not here is refused."""
PASSED_THROUGH = {_.LINK_ACCEPTED, _.UNLINK_REQUESTED, _.UNLINK_FAILED}
NEVER = {_.UNLINK_CANCELED}
FINAL = {_.LINK_CANCELED, _.LINK_EXPIRED, _.LINK_DECLINED, _.LINK_FAILED, _.INACTIVE}
AT_REST = [one for one in ClientLinkStatus if one not in PASSED_THROUGH | NEVER]
SENT, FRESH = Instant(0), Instant(1)


@pytest.mark.parametrize(("status", "event", "side"), list(product(ClientLinkStatus, LinkEvent, Side)))
def test_every_status_event_and_side_has_the_documented_answer(
    status: ClientLinkStatus, event: LinkEvent, side: Side
) -> None:
    found = answer(status, event, side)
    assert (" ".join(found) if found else None) == DOCUMENTED.get((status, event, side))


@pytest.mark.parametrize(("status", "event"), list(product(ClientLinkStatus, LinkEvent)))
def test_what_is_impossible_is_refused_with_a_sentence_that_says_where_it_is_possible(
    status: ClientLinkStatus, event: LinkEvent
) -> None:
    said = state_forbids(event, status, SENT, FRESH)
    assert (said is None) == (statuses_after(status, event) is not None)
    if said is not None:
        assert said.startswith(f"The link is {status}; {event} is possible only while it is ")
        assert ("It has ended; send a new one." in said) == (status not in {origin for origin, _ in TRANSITIONS})


def test_what_people_can_do_are_events_of_one_of_the_two_sides_and_all_else_but_moving_is_the_services() -> None:
    of_people = {LinkEvent(action) for action in ClientLinkAction} | {LinkEvent.MOVE}
    assert {event for event, side in SIDE_OF.items() if side != Side.SERVICE} == of_people
    assert set(SIDE_OF) == set(LinkEvent)


def test_every_life_ends_and_no_status_at_rest_is_a_dead_end_but_the_final_ones() -> None:
    following = {status: {path[-1] for (origin, _), path in TRANSITIONS.items() if origin == status} for status in _}
    reached, open_ones = {_.LINK_PENDING}, [_.LINK_PENDING]
    while open_ones:
        for one in following[open_ones.pop()] - reached:
            reached.add(one)
            open_ones.append(one)
    assert reached == set(AT_REST)
    assert {status for status in reached if not following[status]} == FINAL


def test_a_final_link_makes_room_for_another_and_carries_nothing() -> None:
    assert not FINAL & (BLOCKS_A_DUPLICATE | CARRIES_ACCESS)
    assert set(ClientLinkStatus) - FINAL - NEVER == set(BLOCKS_A_DUPLICATE)


def test_access_begins_and_ends_only_where_the_table_says() -> None:
    changes = {
        event
        for (origin, event), path in TRANSITIONS.items()
        if (origin in CARRIES_ACCESS) != (path[-1] in CARRIES_ACCESS)
    }
    assert changes == {LinkEvent.ACTIVATE, LinkEvent.COMPLETE_UNLINK, LinkEvent.MOVE}


@pytest.mark.parametrize("status", list(ClientLinkStatus))
@pytest.mark.parametrize("now", [Instant(0), Instant(9), Instant(10), Instant(INVITATION_LIFETIME_MS)])
def test_what_is_due_is_possible_and_the_services(status: ClientLinkStatus, now: Instant) -> None:
    event = due_event(status, SENT, Instant(10), now)
    if event is None:
        waits = status in {_.LINK_PENDING, _.LINK_IN_PROGRESS}
        assert waits or not any(key[0] == status and key[2] == Side.SERVICE for key in DOCUMENTED)
        return
    assert answer(status, event, Side.SERVICE)
    assert state_forbids(event, status, SENT, now) is None


@pytest.mark.parametrize("event", list(LinkEvent))
def test_of_a_link_whose_days_are_over_nothing_can_be_done_but_marking_it(event: LinkEvent) -> None:
    last = Instant(INVITATION_LIFETIME_MS - 1)
    assert not has_expired(_.LINK_PENDING, SENT, last)
    assert due_event(_.LINK_PENDING, SENT, SENT, last) is None
    over = Instant(INVITATION_LIFETIME_MS)
    assert due_event(_.LINK_PENDING, SENT, SENT, over) == LinkEvent.EXPIRE
    said = state_forbids(event, _.LINK_PENDING, SENT, over)
    assert said == (
        None if event == LinkEvent.EXPIRE else "The link expired 30 days after it was sent; send a new one."
    )


def test_an_accepted_link_waits_for_its_start_date_to_the_millisecond() -> None:
    start = Instant(50)
    assert due_event(_.LINK_IN_PROGRESS, SENT, start, Instant(49)) is None
    assert due_event(_.LINK_IN_PROGRESS, SENT, start, start) == LinkEvent.ACTIVATE
