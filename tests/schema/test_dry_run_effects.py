"""The effects a dry run tells are the difference really writing makes, by an oracle that shares no code with it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from resolvers import effects
from storage.database import Database
from tests.builders import a_link, a_role, a_user, a_world, an_account_link, an_ad
from tests.databases import Databases
from tests.oracle import AD, MANAGER, Oracle, Target, World
from tests.schema.client import GraphClient
from tests.schema.facts_of import read_world
from tests.schema.write_client import ERRORS, Writer, dump
from tests.stored_worlds import stored, write_world
from tests.worlds import seeded_world

EFFECTS = """effects { totalCount hiddenCount nodes { user { userId }
  target { ... on AdAccount { accountId } ... on ManagerAccount { customerId } } gained lost } }"""
ADDRESS = {"businessName": "Adventure", "line1": "1 Example Way", "city": "Redmond", "countryCode": "US"}
Told = dict[tuple[int, Target], tuple[frozenset[str], frozenset[str]]]
"""What each user gains and loses on each target."""
NEW = 0
"""Stands for the id of what is only just made: a dry run and the write after it may give it different ones."""


def world_of(database: Database) -> World:
    with database.read() as transaction:
        return read_world(transaction)


def truth(before: World, after: World) -> Told:
    """By brute force, for every user and target of either world."""
    found: Told = {}
    known = set(before.targets())
    for user in {user.id for user in (*before.users, *after.users)}:
        left = Oracle(before).everything(user) if any(one.id == user for one in before.users) else {}
        right = Oracle(after).everything(user)
        for target in left.keys() | right.keys():
            was = left[target].allowed if target in left else frozenset()
            now = right[target].allowed if target in right else frozenset()
            if was != now:
                found[user, target if target in known else Target(target.kind, NEW)] = now - was, was - now
    return found


def told(answer: Any, before: World) -> Told:
    known = set(before.targets())
    found: Told = {}
    for node in answer["nodes"]:
        one = node["target"]
        target = Target(AD, int(one["accountId"])) if "accountId" in one else Target(MANAGER, int(one["customerId"]))
        target = target if target in known else Target(target.kind, NEW)
        found[int(node["user"]["userId"]), target] = frozenset(node["gained"]), frozenset(node["lost"])
    return found


def asked(writer: Writer, name: str, given: dict[str, Any], selection: str = "") -> Any:
    kind = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {ERRORS} {EFFECTS} {selection} }} }}"
    return writer.execute(document, {"input": given})


def compare(database: Database, login: int, name: str, given: dict[str, Any], selection: str = "") -> Told | None:
    """Run a write dry, then really: None when it is refused either way, else what was told and is true."""
    writer = Writer(database, login)
    rows, before = dump(database), world_of(database)
    dry = asked(writer, name, {**given, "dryRun": True}, selection)
    assert dump(database) == rows, "a dry run left a trace"
    real = asked(writer, name, given, selection)
    payload, written = dry["data"][name], real["data"][name]
    assert [error["code"] for error in payload["userErrors"]] == [error["code"] for error in written["userErrors"]]
    assert written["effects"] is None
    if payload["userErrors"] or dump(database) == rows:
        assert dump(database) == rows
        return None
    expected = truth(before, world_of(database))
    if "errors" in dry:  # only a chain no answer can be given about
        assert {error["extensions"]["code"] for error in dry["errors"]} == {"CHAIN_OVER_LIMIT"}
        return None
    answer = payload["effects"]
    found = told(answer, before)
    assert found.items() <= expected.items(), "it tells what is not so"
    assert len(found) == answer["totalCount"]
    assert len(found) + answer["hiddenCount"] == len(expected), "it keeps something back without counting it"
    return found


@pytest.fixture(params=range(81_000, 81_012))
def random_world(request: pytest.FixtureRequest, databases: Databases, migrated_url: str) -> Iterator[tuple[Any, ...]]:
    world = seeded_world(request.param)
    with stored(world, databases, migrated_url) as database:
        yield database, world, random.Random(request.param)


def time_stamp_of(database: Database, table: str, key: int) -> str:
    with database.read() as transaction:
        [(stamp,)] = transaction.execute(f'SELECT time_stamp FROM "{table}" WHERE id = {key}').fetchall()
    return str(stamp)


def attempts(database: Database, dice: random.Random) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Writes of every kind that can change access, with random ids of the world as it stands."""
    world = world_of(database)
    managers = [one.id for one in world.manager_accounts]
    user = dice.choice(world.users)
    role = dice.choice(["VIEWER", "STANDARD", "SUPER_ADMIN", "CAMPAIGN_MANAGER"])
    whose = {"customerId": str(user.manager_account), "userId": str(user.id)}
    held = [item.role for item in world.assignments if item.user == user.id]
    yield "updateUserRoles", {**whose, "newRole": role}, ""
    if held:
        yield "updateUserRoles", {**whose, "deleteRole": dice.choice(held)}, ""
    owner = str(dice.choice(managers))
    given = {"parentCustomerId": owner, "name": f"New {dice.random()}", "currencyCode": "USD"}
    yield "addAdAccount", {**given, "businessAddress": ADDRESS}, "adAccount { accountId }"
    if world.ad_accounts:
        account = dice.choice(world.ad_accounts).id
        stamp = time_stamp_of(database, "ad_account", account)
        yield "deleteAdAccount", {"accountId": str(account), "timeStamp": stamp}, "adAccount { accountId }"
    links: list[Any] = [*world.customer_links, *world.account_links]
    if links:
        link = dice.choice(links).id
        stamp = time_stamp_of(database, "client_link", link)
        action = dice.choice(["ACCEPT", "DECLINE", "CANCEL", "REQUEST_UNLINK"])
        yield (
            "updateClientLinks",
            {"links": [{"linkId": str(link), "timeStamp": stamp, "action": action}]},
            "results { link { linkId } userErrors { code } }",
        )


def test_what_a_dry_run_tells_is_what_writing_does(random_world: tuple[Any, ...]) -> None:
    database, world, dice = random_world
    powerful = {item.user for item in world.assignments if item.role in ("SUPER_ADMIN", "AGGREGATOR", "STANDARD")}
    # Mostly those who may write something: whom everything is refused tells little.
    living = {login.id for login in world.logins if login.merged_into is None}
    users = [user for user in world.users if user.login in living]
    logins = sorted(user.login for user in users if user.id in powerful or user.id % 4 == 0)
    for _ in range(3 if logins else 0):
        for login in dice.sample(logins, min(4, len(logins))):
            for name, given, selection in attempts(database, dice):
                compare(database, login, name, given, selection)


AGENT, ADMIN, VIEWER, NEIGHBOUR = 1, 2, 3, 4


@pytest.fixture
def agency(database: Database) -> Database:
    """An agency over an owner with two accounts; a neighbour whose link waits for an answer."""
    world = a_world(
        *(a_user(id, of=of, login=id) for id, of in {AGENT: 1, ADMIN: 2, VIEWER: 2, NEIGHBOUR: 3}.items()),
        a_role("SUPER_ADMIN", at=1, user=AGENT, id=1),
        a_role("SUPER_ADMIN", at=2, user=ADMIN, id=2),
        a_role("VIEWER", at=2, user=VIEWER, id=3),
        a_role("SUPER_ADMIN", at=3, user=NEIGHBOUR, id=4),
        a_link(1, 2, id=903),
        an_ad(20, owner=2),
        an_ad(21, owner=2),
        an_account_link(3, 20, status="LINK_PENDING", id=900),
        an_account_link(3, 21, id=901),
        a_link(3, 2, status="LINK_PENDING", id=902),
    )
    with database.write() as transaction:
        write_world(transaction, world)
    return database


def test_adding_an_account_gives_it_to_all_above(agency: Database) -> None:
    given = {"parentCustomerId": "2", "name": "New one", "currencyCode": "USD", "businessAddress": ADDRESS}
    found = compare(agency, ADMIN, "addAdAccount", given, "adAccount { number }")
    assert found is not None
    assert {user for user, _ in found} == {AGENT, ADMIN, VIEWER}
    assert found[VIEWER, Target(AD, NEW)] == (frozenset({"VIEW", "VIEW_PAYMENT_METHODS"}), frozenset())


def test_deleting_an_account_leaves_only_seeing_it(agency: Database) -> None:
    given = {"accountId": "21", "timeStamp": time_stamp_of(agency, "ad_account", 21)}
    found = compare(agency, AGENT, "deleteAdAccount", given, "adAccount { number }")
    assert found is not None
    gained, lost = found[AGENT, Target(AD, 21)]
    assert not gained
    assert "DELETE_AD_ACCOUNT" in lost
    assert "VIEW" not in lost
    assert NEIGHBOUR not in {user for user, _ in found}, "he is counted, not named"


def test_a_link_that_is_accepted_gives_nothing_yet_but_locks_the_account(agency: Database) -> None:
    link = {"linkId": "900", "timeStamp": time_stamp_of(agency, "client_link", 900), "action": "ACCEPT"}
    selection = "results { userErrors { code } }"
    found = compare(agency, ADMIN, "updateClientLinks", {"links": [link]}, selection)
    assert found is not None
    locked = frozenset({"SET_AUTO_TAG", "UPDATE_AD_ACCOUNT", "DELETE_AD_ACCOUNT"})
    assert found == {(user, Target(AD, 20)): (frozenset(), locked) for user in (AGENT, ADMIN)}


def test_a_role_that_is_given_is_told_with_all_it_opens(agency: Database) -> None:
    given = {"customerId": "2", "userId": str(VIEWER), "newRole": "SUPER_ADMIN"}
    found = compare(agency, ADMIN, "updateUserRoles", given)
    assert found is not None
    assert {target for _, target in found} == {Target(MANAGER, 2), Target(AD, 20), Target(AD, 21)}
    assert all(not lost for _, lost in found.values())


def test_what_was_really_written_or_refused_tells_no_effects(agency: Database) -> None:
    refused = asked(Writer(agency, VIEWER), "deleteAdAccount", {"accountId": "20", "timeStamp": "1", "dryRun": True})
    assert refused["data"]["deleteAdAccount"]["effects"] is None
    assert refused["data"]["deleteAdAccount"]["userErrors"]


def test_too_many_pairs_are_an_error_that_says_what_to_ask_and_the_rest_of_the_payload_stands(
    agency: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects, "MOST_PAIRS", 1)
    given = {"customerId": "2", "userId": str(VIEWER), "newRole": "STANDARD", "dryRun": True}
    before = dump(agency)
    answer = asked(Writer(agency, ADMIN), "updateUserRoles", given)
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "TOO_MANY_EFFECTS"
    assert "accessors" in error["message"]
    assert answer["data"]["updateUserRoles"] == {"userErrors": [], "effects": None}
    assert dump(agency) == before


def test_the_reads_after_a_dry_run_know_nothing_of_it(agency: Database) -> None:
    given = {"parentCustomerId": "2", "name": "New one", "currencyCode": "USD", "businessAddress": ADDRESS}
    asked(Writer(agency, ADMIN), "addAdAccount", {**given, "dryRun": True})
    answer = GraphClient(agency, ADMIN).data('{ managerAccount(id: "2") { adAccounts { totalCount } } }')
    assert answer["managerAccount"]["adAccounts"]["totalCount"] == 2


def once_done(database: Database, login: int, link: int, action: str) -> tuple[Any, str] | None:
    """What a dry run tells will come of a link, and its status at once; None when it is refused. Keeps nothing."""
    rows = dump(database)
    item = {"linkId": str(link), "timeStamp": time_stamp_of(database, "client_link", link), "action": action}
    later = EFFECTS.replace("effects", "effectsOnceDone", 1)
    selection = f"{later} results {{ link {{ status }} userErrors {{ code }} }}"
    dry = asked(Writer(database, login), "updateClientLinks", {"links": [item], "dryRun": True}, selection)
    assert dump(database) == rows
    if "errors" in dry:  # only a chain no answer can be given about
        assert {error["extensions"]["code"] for error in dry["errors"]} == {"CHAIN_OVER_LIMIT"}
        return None
    payload = dry["data"]["updateClientLinks"]
    [result] = payload["results"]
    return None if result["userErrors"] else (payload["effectsOnceDone"], result["link"]["status"])


def once_it_is(database: Database, link: int, status: str) -> Told:
    """What really comes of it when the link has that status, all else staying as it is. Keeps nothing."""
    before, after = world_of(database), None
    with suppress(ZeroDivisionError), database.write() as transaction:
        transaction.execute(f"UPDATE client_link SET status = '{status}' WHERE id = {link}")
        after = read_world(transaction)
        raise ZeroDivisionError
    assert after is not None
    return truth(before, after)


@pytest.mark.parametrize(
    ("link", "who", "action", "at_once", "then"),
    [
        (900, ADMIN, "ACCEPT", "LINK_IN_PROGRESS", "ACTIVE"),
        (902, ADMIN, "ACCEPT", "LINK_IN_PROGRESS", "ACTIVE"),
        (901, NEIGHBOUR, "REQUEST_UNLINK", "UNLINK_PENDING", "INACTIVE"),
        (903, AGENT, "REQUEST_UNLINK", "UNLINK_PENDING", "INACTIVE"),
    ],
)
def test_what_will_come_of_a_link_is_told_apart_and_is_what_then_comes_of_it(
    agency: Database, link: int, who: int, action: str, at_once: str, then: str
) -> None:
    before = world_of(agency)
    told_of = once_done(agency, who, link, action)
    assert told_of is not None
    answer, status = told_of
    assert status == at_once
    expected = once_it_is(agency, link, then)
    found = told(answer, before)
    assert expected
    assert found.items() <= expected.items()
    assert len(found) + answer["hiddenCount"] == len(expected)
    if action == "ACCEPT":
        assert NEIGHBOUR not in {user for user, _ in found}, "whom one may not see today is counted"
    else:
        assert found
        assert all(lost and not gained for gained, lost in found.values())


def test_in_random_worlds_a_link_that_is_ended_takes_what_was_told(random_world: tuple[Any, ...]) -> None:
    database, world, dice = random_world
    links = [link.id for link in (*world.customer_links, *world.account_links) if link.status == "ACTIVE"]
    logins = sorted({user.login for user in world.users})
    for link in dice.sample(links, min(4, len(links))):
        for login in dice.sample(logins, min(4, len(logins))):
            told_of = once_done(database, login, link, "REQUEST_UNLINK")
            if told_of is None:
                continue
            answer, _ = told_of
            found, expected = told(answer, world), once_it_is(database, link, "INACTIVE")
            assert found.items() <= expected.items(), "it tells what is not so"
            assert len(found) + answer["hiddenCount"] == len(expected)
