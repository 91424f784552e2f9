"""Nothing hidden is told apart from nothing there: answers are the same to the byte, but for the id asked with."""

from __future__ import annotations

import json

import pytest

from tests.oracle import AD, MANAGER, Target, World
from tests.resolvers.askers import Asker
from tests.schema.client import Answer, GraphClient
from tests.schema.conftest import AsUser
from tests.schema.places import PLACES, Place

GUS, HANA = 1007, 1008
SEATS = {
    "Query": "%s",
    "Viewer": "viewer { %s }",
    "ManagerAccount": 'managerAccount(id: "444") { %s }',
    "AdAccount": 'adAccount(id: "444111") { %s }',
    "User": 'user(id: "1008") { %s }',
}
"""What users of 444 see: their manager account, the ad account 333 links to, each other."""
HIDDEN = {
    "ManagerAccount": ("333", "222", "111", "999", "5001"),
    "AdAccount": ("333111", "111111", "500101"),
    "User": ("1001", "1003", "1004", "6001"),
    "ClientLink": ("8001", "8002", "8010"),
    "UserInvitation": ("1001", "1002"),
}
MISSING = dict.fromkeys(HIDDEN, "77777777")


def spelled(place: Place, kind: str, number: str) -> str:
    """The id as the place takes it; where several kinds are taken, with its kind."""
    return f"{kind}:{number}" if len(place.kinds) > 1 else number


def answer_text(client: GraphClient, place: Place, kind: str, number: str) -> str:
    document = place.document(SEATS[place.parent], "AdAccount:444111")
    answer: Answer = client.ask_once(document, {"id": spelled(place, kind, number)})
    text = json.dumps(answer)
    assert "GRAPHQL_VALIDATION_FAILED" not in text, text[:600]
    return text.replace(number, "ID")


def test_what_is_called_hidden_here_is_there_and_hidden(as_user: AsUser, demo_world: World) -> None:
    for user in (GUS, HANA):
        asker = Asker(demo_world, as_user(user).login or 0)
        known = {item.id for item in demo_world.manager_accounts}, {item.id for item in demo_world.ad_accounts}
        for kind, ids, names in zip((MANAGER, AD), known, ("ManagerAccount", "AdAccount"), strict=True):
            for number in map(int, HIDDEN[names]):
                if number in ids:
                    assert not asker.views(Target(kind, number))
        assert set(map(int, HIDDEN["ManagerAccount"])) <= known[0]
        assert set(map(int, HIDDEN["User"])) <= {item.id for item in demo_world.users}
        assert not any(asker.sees(item) for item in demo_world.users if str(item.id) in HIDDEN["User"])


@pytest.mark.parametrize("user", [GUS, HANA], ids=["Super Admin", "Viewer"])
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_hidden_id_is_answered_like_one_that_is_not_there(as_user: AsUser, place: Place, user: int) -> None:
    client = as_user(user)
    for kind in place.kinds:
        missing = answer_text(client, place, kind, MISSING[kind])
        for number in HIDDEN[kind]:
            assert answer_text(client, place, kind, number) == missing, (kind, number)
