"""The subscription `changes`: every revision the subscriber may see, in order, once, and nothing of the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from resolvers import changes
from resolvers.changes import cursor_of
from resolvers.paging import encode_cursor
from resolvers.session import Limits
from schema.ids import node_id
from storage.audit import AuditNote, write_audit_entries
from storage.database import Database
from storage.demo import load_demo
from storage.records.ids import RevisionId
from storage.writes import begin_revision
from tests.databases import Databases
from tests.oracle import World
from tests.schema.client import NOW_MS, GraphClient
from tests.schema.facts_of import read_world
from tests.schema.subscriber import BEGINNING, CHANGES, Subscriber
from tests.schema.test_long_chains import SIX
from tests.schema.write_client import Writer
from tests.stored_worlds import stored

PEOPLE = ("alex@contoso.example", "erik@l3.example", "farah@l3.example", "gus@l4.example", "hana@l4.example",
          "aino.abernet@northwindreach.example")  # fmt: skip
"""Super Admin of everything below, Standard, one limited to an account, Super Admin and Viewer elsewhere, an agency."""


@pytest.fixture(scope="module")
def template(databases: Databases, migrated_url: str) -> Iterator[str]:
    """The address of a demo company that nobody has open."""
    url = databases.copy_of(migrated_url)
    database = Database.open(url)
    load_demo(database, now_ms=NOW_MS)
    database.close()
    yield url
    databases.drop(url)


@pytest.fixture
def demo(databases: Databases, template: str) -> Iterator[Database]:
    """A demo company that may be changed."""
    url = databases.copy_of(template)
    database = Database.open(url)
    yield database
    database.close()
    databases.drop(url)


@pytest.fixture
def logins(demo: Database) -> dict[str, int]:
    """Logins by name."""
    with demo.read() as transaction:
        return {login.user_name: login.id for login in read_world(transaction).logins}


def rename(demo: Database, login: int, account: int, name: str) -> int:
    """A write about one ad account; returns its revision."""
    with demo.read() as transaction:
        [(stamp,)] = transaction.execute(f"SELECT time_stamp FROM ad_account WHERE id = {account}").fetchall()
    given = {"accountId": str(account), "timeStamp": str(stamp), "name": name}
    return int(Writer(demo, login, NOW_MS).done("updateAdAccount", given)["revision"])


def write_about(demo: Database, *things: tuple[str, int]) -> int:
    """A revision that says it wrote about these things, whatever they are."""
    with demo.write() as transaction:
        stamp = begin_revision(transaction, operation="testWrite", at_ms=NOW_MS)
        notes = [AuditNote(kind, number, None, "{}") for kind, number in things]
        write_audit_entries(transaction, stamp, "testWrite", None, notes, "because")
        return stamp.id


def expected(demo: Database, login: int) -> list[tuple[str, list[str]]]:
    """What `node` itself says the login may see of every revision with an audit entry."""
    with demo.read() as transaction:
        rows = transaction.execute(
            "SELECT revision_id, entity_kind, entity_id FROM audit_entry WHERE entity_kind <> 'Nothing'"
            " ORDER BY revision_id, id"
        ).fetchall()
    client = GraphClient(demo, login, world=World())
    ids = sorted({node_id(kind, number) for _, kind, number in rows})
    seen: set[str] = set()
    for start in range(0, len(ids), 100):
        asked = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
        answer = client.ask_once(asked, {"ids": ids[start : start + 100]})["data"]["nodes"]
        seen |= {one["id"] for one in answer if one is not None}
    told: dict[str, list[str]] = {}
    for revision, kind, number in rows:
        node = node_id(kind, number)
        if node in seen and node not in told.setdefault(str(revision), []):
            told[str(revision)].append(node)
    return [(revision, nodes) for revision, nodes in told.items() if nodes]


def told(events: list[Any]) -> list[tuple[str, list[str]]]:
    """Revisions and nodes of events."""
    return [(event["revision"], [one["node"]["id"] for one in event["changed"]]) for event in events]


@pytest.mark.parametrize("name", PEOPLE)
def test_it_tells_of_every_revision_exactly_the_nodes_that_node_would_answer(
    demo: Database, logins: dict[str, int], name: str
) -> None:
    rename(demo, logins["dana@l3.example"], 333111, "Renamed")
    rename(demo, logins["gus@l4.example"], 444222, "Hidden from most")
    rename(demo, logins["gus@l4.example"], 444111, "Seen through a link")
    write_about(demo, ("User", 1006), ("AdAccount", 333222), ("ManagerAccount", 444), ("Nothing", 3), ("User", 99999))
    events = Subscriber(demo, logins[name], variables=BEGINNING).all()
    assert told(events) == expected(demo, logins[name])
    assert told(events)


def test_a_hidden_part_is_not_named_and_a_hidden_revision_not_told(demo: Database, logins: dict[str, int]) -> None:
    before = Subscriber(demo, logins["farah@l3.example"])
    rename(demo, logins["gus@l4.example"], 444222, "Nobody's business")
    write_about(demo, ("ManagerAccount", 444), ("AdAccount", 333111), ("AdAccount", 444222), ("ClientLink", 8001))
    [event] = before.all()
    assert event["changed"] == [
        {"node": {"__typename": "AdAccount", "id": node_id("AdAccount", 333111)}, "entries": None}
    ]
    assert (event["operation"], event["actor"], event["actingAs"]) == (None, None, None)


@pytest.mark.parametrize("name", PEOPLE)
def test_what_was_done_is_told_to_those_who_may_read_the_audit_log(
    demo: Database, logins: dict[str, int], name: str
) -> None:
    write_about(demo, ("AdAccount", 333111), ("ManagerAccount", 333), ("User", 1006), ("AdAccount", 444111))
    client = GraphClient(demo, logins[name], world=World())
    log = "... on {0} {{ {0}: auditLog(last: 1) {{ nodes {{ operation before after reason }} }} }}"
    kinds = " ".join(log.format(kind) for kind in ("AdAccount", "ManagerAccount", "User", "ClientLink"))
    for event in Subscriber(demo, logins[name], variables=BEGINNING).all():
        for one in event["changed"]:
            asked = client.data("query ($id: ID!) { node(id: $id) { " + kinds + " } }", {"id": one["node"]["id"]})
            assert (one["entries"] is None) == (asked["node"].get(one["node"]["__typename"]) is None)
        assert (event["operation"] is None) == all(one["entries"] is None for one in event["changed"])


def test_without_a_cursor_it_begins_now(demo: Database, logins: dict[str, int]) -> None:
    subscriber = Subscriber(demo, logins["alex@contoso.example"])
    assert subscriber.event() is None
    revision = rename(demo, logins["dana@l3.example"], 333111, "Renamed")
    assert [event["revision"] for event in subscriber.all()] == [str(revision)]
    assert subscriber.event() is None


def test_the_viewers_cursor_hands_over_without_a_gap(demo: Database, logins: dict[str, int]) -> None:
    login = logins["alex@contoso.example"]
    cursor = GraphClient(demo, login, world=World()).data("{ viewer { changesCursor } }")["viewer"]["changesCursor"]
    revision = rename(demo, logins["dana@l3.example"], 333111, "In between")
    events = Subscriber(demo, login, variables={"after": cursor}).all()
    assert [event["revision"] for event in events] == [str(revision)]


def test_every_cursor_goes_on_exactly_after_its_event(demo: Database, logins: dict[str, int]) -> None:
    login = logins["alex@contoso.example"]
    events = Subscriber(demo, login, variables=BEGINNING).all()
    assert len(events) > 5
    for place, event in enumerate(events):
        assert Subscriber(demo, login, variables={"after": event["cursor"]}).all() == events[place + 1 :]


@pytest.mark.parametrize("window", [1, 2, 3, 7])
def test_a_backlog_is_the_same_however_it_is_cut(
    demo: Database, logins: dict[str, int], monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    write_about(demo, *(("AdAccount", number) for number in (444222, 111111, 111222, 222111, 222222)))
    login = logins["alex@contoso.example"]
    whole = Subscriber(demo, login, variables=BEGINNING).all()
    monkeypatch.setattr(changes, "WINDOW", window)
    assert Subscriber(demo, login, variables=BEGINNING).all() == whole
    assert len(whole[-1]["changed"]) == 4


def test_an_event_describes_the_moment_it_is_sent(demo: Database, logins: dict[str, int]) -> None:
    document = "subscription { changes { revision changed { node { ... on AdAccount { name } } } } }"
    subscriber = Subscriber(demo, logins["alex@contoso.example"], document)
    first = rename(demo, logins["dana@l3.example"], 333111, "One")
    assert subscriber.data()["changes"] == {"revision": str(first), "changed": [{"node": {"name": "One"}}]}
    for name in ("Two", "Three"):
        rename(demo, logins["dana@l3.example"], 333111, name)
    assert [one["changed"] for one in subscriber.all()] == [[{"node": {"name": "Three"}}]] * 2


def test_who_loses_sight_is_told_no_more(demo: Database, logins: dict[str, int]) -> None:
    subscriber = Subscriber(demo, logins["farah@l3.example"], variables=BEGINNING)
    seen = rename(demo, logins["dana@l3.example"], 333111, "Seen")
    assert [event["revision"] for event in subscriber.all()] == [str(seen)]
    with demo.write() as transaction:
        stamp = begin_revision(transaction, operation="test", at_ms=NOW_MS)
        transaction.execute(f"UPDATE assignment SET ended_revision_id = {stamp.id} WHERE user_id = 1006")
    rename(demo, logins["dana@l3.example"], 333111, "Not seen any more")
    assert subscriber.all() == []


def test_it_ends_after_so_many_events(demo: Database, logins: dict[str, int]) -> None:
    login = logins["alex@contoso.example"]
    every = Subscriber(demo, login, variables=BEGINNING).all()
    subscriber = Subscriber(demo, login, variables=BEGINNING | {"first": 3})
    assert subscriber.all() == every[:3]
    assert subscriber.is_over


@pytest.mark.parametrize(
    ("given", "code"),
    [
        pytest.param({"first": 0}, "INVALID_PAGE_SIZE", id="no event at all"),
        pytest.param({"first": 1001}, "INVALID_PAGE_SIZE", id="too many events"),
        pytest.param({"after": ""}, "INVALID_CURSOR", id="an empty cursor"),
        pytest.param({"after": "nonsense"}, "INVALID_CURSOR", id="no cursor"),
        pytest.param({"after": cursor_of(RevisionId(0))[:-1]}, "INVALID_CURSOR", id="a cursor cut short"),
        pytest.param({"after": encode_cursor("users:1", (1,))}, "INVALID_CURSOR", id="a cursor of another list"),
        pytest.param({"after": cursor_of(RevisionId(10**9))}, "INVALID_CURSOR", id="a cursor of another database"),
    ],
)
def test_what_cannot_begin_says_why(demo: Database, logins: dict[str, int], given: dict[str, Any], code: str) -> None:
    refused = Subscriber(demo, logins["alex@contoso.example"], variables=given).refused
    assert refused is not None
    assert "data" not in refused
    [error] = refused["errors"]
    assert (error["extensions"]["code"], error["path"]) == (code, ["changes"])


@pytest.mark.parametrize("first", [1, 1000])
def test_the_ends_of_the_range_are_taken(demo: Database, logins: dict[str, int], first: int) -> None:
    assert Subscriber(demo, logins["alex@contoso.example"], variables={"first": first}).refused is None


def test_without_a_token_nothing_is_told(demo: Database) -> None:
    refused = Subscriber(demo, None).refused
    assert refused is not None
    assert refused["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED", "number": 116}


def test_a_condition_may_not_leave_it_without_a_field(demo: Database, logins: dict[str, int]) -> None:
    document = "subscription ($no: Boolean!) { changes @include(if: $no) { cursor } }"
    refused = Subscriber(demo, logins["alex@contoso.example"], document, {"no": False}).refused
    assert refused is not None
    assert refused["errors"][0]["extensions"]["code"] in ("BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED")


def test_the_limits_of_a_request_hold_for_each_event_and_the_next_one_comes(
    demo: Database, logins: dict[str, int]
) -> None:
    login = logins["alex@contoso.example"]
    limits = Limits(max_values=40)
    subscriber = Subscriber(demo, login, limits=limits)
    write_about(demo, *(("AdAccount", number) for number in (111111, 111222, 222111, 222222, 333111)))
    small = write_about(demo, ("AdAccount", 111111))
    stopped = subscriber.event()
    assert stopped is not None
    assert stopped["errors"][0]["extensions"]["code"] == "TOO_MANY_VALUES"
    assert subscriber.data()["changes"]["revision"] == str(small)


def test_a_backlog_of_hidden_revisions_costs_a_fixed_number_of_statements(
    demo: Database, logins: dict[str, int]
) -> None:
    costs = []
    for count in (3, 150):
        subscriber = Subscriber(demo, logins["farah@l3.example"])
        for _ in range(count):
            write_about(demo, ("AdAccount", 444222), ("ManagerAccount", 444))
        # A hundred and fifty revisions are two windows of entries.
        for _ in range(1 if count == 3 else 2):
            assert subscriber.step() is None
            costs.append(subscriber.statements)
        assert subscriber.tail.position == subscriber.latest()
    small, first, second = costs
    assert small == first
    # Nobody has committed anything between the two windows, and SQLite knows that.
    assert second == first - (demo.kind == "sqlite")


def test_a_chain_over_the_limit_is_an_error_at_its_place(databases: Databases, migrated_url: str) -> None:
    with ExitStack() as stack:
        database = stack.enter_context(stored(SIX, databases, migrated_url))
        subscriber = Subscriber(database, 1)
        write_about(database, ("AdAccount", 60), ("AdAccount", 50))
        response = subscriber.event()
    assert response is not None
    assert [one["node"] and one["node"]["id"] for one in response["data"]["changes"]["changed"]] == [
        None,
        node_id("AdAccount", 50),
    ]
    [error] = response["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("CHAIN_OVER_LIMIT", ["changes", "changed", 0, "node"])


def test_over_http_it_says_where_to_ask(demo: Database, logins: dict[str, int]) -> None:
    answer = GraphClient(demo, logins["alex@contoso.example"], world=World()).ask_once(CHANGES)
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"
    assert "graphql-transport-ws" in json.dumps(answer)
