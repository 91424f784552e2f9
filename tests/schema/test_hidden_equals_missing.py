"""Nothing hidden is told apart from nothing there: answers are the same to the byte, but for the id asked with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.oracle import AD, MANAGER, Target, World
from tests.resolvers.askers import Asker
from tests.schema.client import Answer, GraphClient
from tests.schema.conftest import AsUser
from tests.schema.places import PLACES, Place
from tests.schema.write_client import ERRORS, Writer

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
    return f"{client.cost} {text.replace(number, 'ID')}"


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
def test_a_hidden_id_is_answered_like_one_that_is_not_there(
    as_user: AsUser, place: Place, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The cost is told, so it has to be the same too: to the row, for many ids at once do away with rounding.
    monkeypatch.setattr("resolvers.session.ROWS_OF_A_POINT", 1)
    client = as_user(user)
    for kind in place.kinds:
        missing = answer_text(client, place, kind, MISSING[kind])
        for number in HIDDEN[kind]:
            assert answer_text(client, place, kind, number) == missing, (kind, number)


SOME_NAME = {"firstName": "Jo", "lastName": "Doe"}
WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    "updateUser": ("User", {"userId": "%s", "timeStamp": "1", "jobTitle": "Buyer"}),
    "deleteUser": ("User", {"userId": "%s", "timeStamp": "1"}),
    "updateUserRoles": ("ManagerAccount", {"customerId": "%s", "userId": "1007", "newRole": "VIEWER"}),
    "updateAdAccount": ("AdAccount", {"accountId": "%s", "timeStamp": "1", "name": "Ad Account"}),
    "deleteAdAccount": ("AdAccount", {"accountId": "%s", "timeStamp": "1"}),
    "updateManagerAccount": (
        "ManagerAccount",
        {"customerId": "%s", "timeStamp": "1", "name": "Some Name", "industry": "OTHER"},
    ),
    "moveClientLink": ("ClientLink", {"linkId": "%s", "timeStamp": "1", "toManagingCustomerId": "444"}),
    "updateClientLinks": ("ClientLink", {"links": [{"linkId": "%s", "timeStamp": "1", "action": "ACCEPT"}]}),
    "cancelUserInvitation": ("UserInvitation", {"invitationId": "%s"}),
    "resendUserInvitation": ("UserInvitation", {"invitationId": "%s"}),
    "sendUserInvitation": (
        "ManagerAccount",
        {"customerId": "%s", "email": "jo@user.example", "role": "VIEWER", **SOME_NAME},
    ),
}
"""Mutations that name what they are about by id: the kind, and an input with %s where the id goes."""


def refusal_text(writer: Writer, name: str, given: dict[str, Any], number: str) -> str:
    sent = json.loads(json.dumps(given).replace("%s", number))
    selection = f"results {{ {ERRORS} }}" if "links" in given else ""
    text = json.dumps(writer.payload(name, sent, selection))
    assert "NOT_FOUND" in text, text
    return f"{writer.cost} {text.replace(number, 'ID')}"


@pytest.mark.parametrize("user", [GUS, HANA], ids=["Super Admin", "Viewer"])
@pytest.mark.parametrize("name", WRITES)
def test_a_write_on_a_hidden_id_is_refused_like_one_on_what_is_not_there(
    as_user: AsUser, name: str, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.session.ROWS_OF_A_POINT", 1)
    client = as_user(user)
    writer = Writer(client.database, client.login)
    kind, given = WRITES[name]
    missing = refusal_text(writer, name, given, MISSING[kind])
    for number in HIDDEN[kind]:
        assert refusal_text(writer, name, given, number) == missing, number
