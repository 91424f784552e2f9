"""GraphQL over WebSocket: the protocol, who may connect, and how a connection ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from adgraph.app import create_app, open_database
from adgraph.commands.demo import prepare_demo
from adgraph.operations.documents import sha256_of
from adgraph.settings import Settings
from adgraph.sockets import endpoint as sockets
from resolvers.changes import cursor_of
from resolvers.errors import RequestStopped, too_many_values
from resolvers.session import Session
from storage.database import Database
from storage.demo import WORKED_USER_NAME
from storage.reads.logins import read_login
from storage.records.ids import RevisionId
from storage.records.values import TokenScope
from storage.tokens import NewToken, issue_token, revoke_token
from tests.api.socket_client import PROTOCOL, connected, opened

WHO = "{ viewer { login { userName } } }"
BEGINNING = cursor_of(RevisionId(0))
PAST = f'subscription {{ changes(after: "{BEGINNING}", first: 2) {{ cursor }} }}'
ENDLESS = "subscription { changes { revision changed { node { id } } } }"
TOUCH = """mutation ($stamp: String!) {
  updateAdAccount(input: { accountId: "111111", timeStamp: $stamp, name: "Renamed" }) { revision userErrors { code } }
}"""
Serve = Callable[..., TestClient]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The demo company."""
    address = f"sqlite:///{tmp_path_factory.mktemp('sockets') / 'adgraph.db'}"
    database = open_database(Settings(database_url=address), make=True)
    prepare_demo(database, now_ms=now_ms())
    database.close()
    return address


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def serve(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Starts servers with the settings named."""
    empty = tmp_path_factory.mktemp("queries")
    with ExitStack() as stack:

        def start(**settings: Any) -> TestClient:
            chosen = Settings(database_url=url, worker=False, **settings)
            return stack.enter_context(TestClient(create_app(chosen, queries=empty)))

        yield start


@pytest.fixture
def client(serve: Serve) -> TestClient:
    """A server with the default settings."""
    return serve()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """The same database, from outside."""
    database = Database.open(url)
    yield database
    database.close()


Issue = Callable[..., str]


@pytest.fixture
def issue(database: Database) -> Issue:
    """Makes tokens of the login of the worked example."""

    def made(lifetime_ms: int = 600_000) -> str:
        with database.write() as tx:
            login = read_login(tx, WORKED_USER_NAME)
            assert login is not None
            token = issue_token(tx, NewToken(login.id, "t", frozenset(TokenScope), now_ms() + lifetime_ms), now_ms())
        return token.token

    return made


@pytest.fixture
def token(issue: Issue) -> str:
    """A good token."""
    return issue()


# Who connects


@pytest.mark.parametrize("member", ["authorization", "Authorization", "AUTHORIZATION"])
def test_a_token_of_the_first_message_says_who_asks(client: TestClient, token: str, member: str) -> None:
    with opened(client) as socket:
        socket.send({"type": "connection_init", "payload": {member: f"Bearer {token}", "other": [1]}})
        assert socket.receive() == {"type": "connection_ack"}
        assert socket.answer("1", WHO)["data"] == {"viewer": {"login": {"userName": WORKED_USER_NAME}}}


@pytest.mark.parametrize("message", [{"type": "connection_init"}, {"type": "connection_init", "payload": None}])
def test_a_program_may_send_its_token_with_the_handshake(
    client: TestClient, token: str, message: dict[str, Any]
) -> None:
    with opened(client, headers={"authorization": f"Bearer {token}"}) as socket:
        socket.send(message)
        assert socket.receive() == {"type": "connection_ack"}
        assert socket.answer("1", WHO)["data"]["viewer"]


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        pytest.param({}, 116, id="no token"),
        pytest.param({"authorization": "Bearer adg_unknown"}, 105, id="an unknown token"),
        pytest.param({"authorization": "Basic x"}, 105, id="another scheme"),
    ],
)
def test_without_a_good_token_the_connection_ends_with_the_documented_sentence(
    client: TestClient, payload: dict[str, str], number: int
) -> None:
    with opened(client) as socket:
        socket.send({"type": "connection_init", "payload": payload})
        code, reason = socket.closed()
    assert code == 4401
    assert reason.startswith(f"{number} UNAUTHENTICATED: ")
    assert len(reason.encode()) <= 123


def test_an_expired_token_ends_the_connection_when_it_expires(client: TestClient, issue: Issue) -> None:
    token = issue(1_500)
    began = time.monotonic()
    with connected(client, token) as socket:
        socket.subscribe("s", ENDLESS)
        told = socket.receive()
        assert time.monotonic() - began < 2.5
        assert (told["type"], told["id"]) == ("error", "s")
        assert told["payload"][0]["extensions"] == {"code": "UNAUTHENTICATED", "number": 109}
        assert socket.closed()[0] == 4401
    assert time.monotonic() - began > 1.3


def revoke_all(database: Database) -> None:
    with database.write() as tx:
        for (id_,) in tx.execute("SELECT id FROM access_token WHERE revoked_at_ms IS NULL").fetchall():
            revoke_token(tx, id_, now_ms())


def test_a_revoked_token_ends_a_silent_connection(
    client: TestClient, token: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "RECHECK_SECONDS", 0.1)
    with connected(client, token) as socket:
        revoke_all(database)
        code, reason = socket.closed()
    assert (code, reason[:3]) == (4401, "105")


def test_a_revoked_token_is_told_no_event(client: TestClient, token: str, issue: Issue, database: Database) -> None:
    other = issue()
    with connected(client, token) as socket, connected(client, other) as writer:
        socket.subscribe("s", ENDLESS)
        with database.write() as tx:
            tx.execute("UPDATE access_token SET revoked_at_ms = 1 WHERE id = (SELECT max(id) - 1 FROM access_token)")
        rename(writer)
        told = socket.receive()
        assert told["type"] == "error"
        assert told["payload"][0]["extensions"]["number"] == 105
        assert socket.closed()[0] == 4401


def test_a_merged_login_ends_its_connections_with_120(
    client: TestClient, token: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "RECHECK_SECONDS", 0.2)
    with connected(client, token) as socket:
        socket.subscribe("a", ENDLESS)
        socket.subscribe("b", ENDLESS)
        socket.answer("q", WHO)
        with database.write() as tx:
            [(login,)] = tx.execute(f"SELECT id FROM login WHERE user_name = '{WORKED_USER_NAME}'").fetchall()
            [(other,)] = tx.execute(f"SELECT min(id) FROM login WHERE id <> {login}").fetchall()
            tx.execute(f"UPDATE login SET status = 'MERGED', merged_into_id = {other} WHERE id = {login}")
        try:
            told = [socket.receive(), socket.receive()]
            assert {one["id"] for one in told} == {"a", "b"}
            assert [one["payload"][0]["extensions"]["number"] for one in told] == [120, 120]
            code, reason = socket.closed()
            assert (code, reason[:3]) == (4401, "120")
        finally:
            with database.write() as tx:
                tx.execute(f"UPDATE login SET status = 'ACTIVE', merged_into_id = NULL WHERE id = {login}")


def test_a_login_has_so_many_connections_and_not_more(
    client: TestClient, token: str, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MOST_OF_A_LOGIN", 2)
    with connected(client, token) as first, connected(client, issue()) as second, opened(client) as third:
        third.send({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        code, reason = third.closed()
        assert (code, reason[:28]) == (1013, "Your login has 2 connections")
        assert first.answer("q", WHO)["data"] == second.answer("q", WHO)["data"]
    until = time.monotonic() + 5
    while True:
        try:
            with connected(client, token):
                return
        except WebSocketDisconnect:
            # Those before it have left, and the server has not noticed yet.
            assert time.monotonic() < until


def test_a_login_has_so_many_subscriptions_and_not_more(
    client: TestClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MOST_OF_A_LOGIN", 2)
    with connected(client, token) as socket, connected(client, token) as other:
        socket.subscribe("a", ENDLESS)
        other.subscribe("b", ENDLESS)
        for one in (socket, other):
            # Answered after what was sent before it.
            one.answer("q", WHO)
        assert other.error("c", ENDLESS)["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        socket.send({"type": "complete", "id": "a"})
        socket.answer("q", WHO)
        other.subscribe("c", f'subscription {{ changes(after: "{BEGINNING}", first: 1) {{ cursor }} }}')
        assert other.receive()["type"] == "next"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://testserver.evil.example"])
def test_a_page_of_another_site_is_refused_at_the_handshake(client: TestClient, origin: str) -> None:
    with pytest.raises(WebSocketDenialResponse) as refused, opened(client, headers={"origin": origin}):
        pass
    assert refused.value.status_code == 403
    assert refused.value.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("origin", ["http://testserver", "https://testserver", "https://app.example"])
def test_a_page_of_this_site_or_an_allowed_one_may_connect(serve: Serve, token: str, origin: str) -> None:
    client = serve(cors_origins="https://app.example")
    with opened(client, headers={"origin": origin, "authorization": f"Bearer {token}"}) as socket:
        socket.send({"type": "connection_init"})
        assert socket.receive() == {"type": "connection_ack"}


# The protocol


@pytest.mark.parametrize("offered", [None, ["something-else"], ["graphql-ws"]])
def test_only_the_modern_protocol_is_spoken(client: TestClient, offered: list[str] | None) -> None:
    with client.websocket_connect("/graphql", offered) as session:
        end = session.receive()
    assert end["code"] == 4406
    assert PROTOCOL in end["reason"]


def test_the_protocol_is_picked_from_several(client: TestClient) -> None:
    with client.websocket_connect("/graphql", ["other", PROTOCOL]) as session:
        assert session.accepted_subprotocol == PROTOCOL


def test_whoever_says_nothing_is_sent_away(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "INIT_SECONDS", 0.1)
    with opened(client) as socket:
        assert socket.closed()[0] == 4408


def test_an_operation_before_the_acknowledgement_is_4401(client: TestClient) -> None:
    with opened(client) as socket:
        socket.subscribe("1", WHO)
        assert socket.closed()[0] == 4401


def test_a_second_introduction_is_4429(client: TestClient, token: str) -> None:
    with connected(client, token) as socket:
        socket.send({"type": "connection_init"})
        assert socket.closed()[0] == 4429


def test_a_taken_id_is_4409(client: TestClient, token: str) -> None:
    with connected(client, token) as socket:
        socket.subscribe("s", ENDLESS)
        socket.subscribe("s", WHO)
        assert socket.closed() == (4409, "Subscriber for s already exists")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '"ping"',
        "7",
        "[" * 100_000,
        "{}",
        '{"type": "nope"}',
        '{"type": 7}',
        '{"type": ["ping"]}',
        '{"type": "next", "id": "1", "payload": {}}',
        '{"type": "ping", "payload": 1}',
        '{"type": "pong", "payload": "x"}',
        '{"type": "connection_init", "payload": []}',
        '{"type": "subscribe", "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ __typename }"}}',
        f'{{"type": "subscribe", "id": "{"x" * 257}", "payload": {{"query": "{{ __typename }}"}}}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": 7}',
        '{"type": "complete"}',
    ],
    ids=lambda text: text[:60] or "nothing",
)
def test_a_message_the_protocol_does_not_have_is_4400(client: TestClient, text: str) -> None:
    with opened(client) as socket:
        socket.send(text)
        code, reason = socket.closed()
    assert code == 4400
    assert reason.endswith(".")


def test_an_authorization_that_is_no_text_is_4400(client: TestClient) -> None:
    with opened(client) as socket:
        socket.send({"type": "connection_init", "payload": {"authorization": 7}})
        assert socket.closed()[0] == 4400


def test_a_binary_message_is_4400(client: TestClient) -> None:
    with opened(client) as socket:
        socket.session.send_bytes(b"\x01")
        assert socket.closed()[0] == 4400


@pytest.mark.parametrize(("length", "code"), [(2_048, None), (2_049, 1009)])
def test_a_message_may_be_as_long_as_a_body(serve: Serve, token: str, length: int, code: int | None) -> None:
    client = serve(max_body_bytes=2_048)
    with connected(client, token) as socket:
        text = '{"type": "ping", "payload": {"x": "%s"}}'
        socket.send(text % ("a" * (length - len(text) + 2)))
        if code is None:
            assert socket.receive()["type"] == "pong"
        else:
            assert socket.closed()[0] == code


@pytest.mark.parametrize("before", [True, False], ids=["before the introduction", "after it"])
def test_a_ping_is_answered_with_its_payload(client: TestClient, token: str, before: bool) -> None:
    with opened(client, headers={"authorization": f"Bearer {token}"}) as socket:
        if not before:
            socket.send({"type": "connection_init"})
            socket.receive()
        socket.send({"type": "ping"})
        assert socket.receive() == {"type": "pong"}
        socket.send({"type": "ping", "payload": {"a": [1]}})
        assert socket.receive() == {"type": "pong", "payload": {"a": [1]}}


@pytest.mark.parametrize(("depth", "code"), [(240, None), (300, 4400)])
def test_a_ping_is_repeated_as_deep_as_json_can_be_written(client: TestClient, depth: int, code: int | None) -> None:
    with opened(client) as socket:
        socket.send('{"type":"ping","payload":' + '{"a":' * depth + "1" + "}" * (depth + 1))
        if code is None:
            assert socket.receive()["type"] == "pong"
        else:
            assert socket.closed()[0] == code


def test_an_unexpected_pong_and_an_unknown_complete_are_ignored(client: TestClient, token: str) -> None:
    with connected(client, token) as socket:
        socket.send({"type": "pong", "payload": {"a": 1}})
        socket.send({"type": "complete", "id": "unknown"})
        assert socket.answer("1", WHO)["data"]


# Operations


@pytest.mark.parametrize(
    ("query", "more", "code"),
    [
        pytest.param("{", {}, "GRAPHQL_PARSE_FAILED", id="cut short"),
        pytest.param("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED", id="an unknown field"),
        pytest.param("subscription { nothing }", {}, "GRAPHQL_VALIDATION_FAILED", id="an unknown subscription"),
        pytest.param("query A { __typename }", {"operationName": "B"}, "OPERATION_RESOLUTION_FAILURE", id="no such"),
        pytest.param("query ($a: ID!) { user(id: $a) { id } }", {}, "BAD_USER_INPUT", id="a missing variable"),
        pytest.param("{ __typename }", {"variables": []}, "BAD_REQUEST", id="variables a list"),
        pytest.param("", {}, "BAD_REQUEST", id="no document"),
        pytest.param("{" * 50_000, {}, "GRAPHQL_PARSE_FAILED", id="nested without end"),
        pytest.param('subscription { changes(after: "x") { cursor } }', {}, "INVALID_CURSOR", id="no cursor"),
    ],
)
def test_an_operation_that_cannot_run_is_an_error_and_the_others_go_on(
    client: TestClient, token: str, query: str, more: dict[str, Any], code: str
) -> None:
    with connected(client, token) as socket:
        assert socket.error("1", query, **more)["extensions"]["code"] == code
        assert socket.answer("1", WHO)["data"]


def test_a_subscription_ends_by_itself_and_its_id_is_free_again(client: TestClient, token: str) -> None:
    with connected(client, token) as socket:
        for _ in range(2):
            socket.subscribe("s", PAST)
            assert [socket.receive()["type"] for _ in range(3)] == ["next", "next", "complete"]


def rename(socket: Any) -> str:
    stamp = socket.answer("r", '{ adAccount(id: "111111") { timeStamp } }')["data"]["adAccount"]["timeStamp"]
    [payload] = socket.answer("w", TOUCH, variables={"stamp": stamp})["data"].values()
    assert payload["userErrors"] == []
    return str(payload["revision"])


def test_a_write_of_this_process_is_told_at_once(client: TestClient, token: str) -> None:
    with connected(client, token) as listener, connected(client, token) as writer:
        listener.subscribe("s", ENDLESS)
        listener.answer("q", WHO)
        time.sleep(0.3)
        revision = rename(writer)
        began = time.monotonic()
        told = listener.receive()
        assert time.monotonic() - began < 0.2
    assert told["payload"]["data"]["changes"]["revision"] == revision


def test_queries_are_answered_while_a_subscription_runs_and_it_ends_when_told_so(
    client: TestClient, token: str
) -> None:
    with connected(client, token) as socket:
        socket.subscribe("s", ENDLESS)
        assert socket.answer("q", WHO)["data"]
        socket.send({"type": "complete", "id": "s"})
        rename(socket)
        time.sleep(0.4)
        assert socket.answer("s", WHO)["data"]


def test_a_connection_runs_so_many_operations_and_no_more(
    client: TestClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MOST_OPERATIONS", 3)
    with connected(client, token) as socket:
        for key in "abc":
            socket.subscribe(key, ENDLESS)
        assert socket.error("d", WHO)["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        socket.send({"type": "complete", "id": "a"})
        assert socket.answer("d", WHO)["data"]


def test_a_process_keeps_so_many_subscriptions_and_gives_them_back(serve: Serve, token: str) -> None:
    client = serve(max_subscriptions=1)
    with connected(client, token) as one:
        one.subscribe("s", ENDLESS)
        one.answer("q", WHO)
        with connected(client, token) as two:
            assert two.error("s", ENDLESS)["extensions"]["code"] == "TOO_MANY_OPERATIONS"
            assert two.answer("q", WHO)["data"]
    with connected(client, token) as three:
        three.subscribe("s", PAST)
        assert three.receive()["type"] == "next"


def test_a_process_keeps_so_many_connections_and_gives_them_back(serve: Serve, token: str) -> None:
    client = serve(max_sockets=1)
    with connected(client, token):
        with pytest.raises(WebSocketDenialResponse) as refused, opened(client):
            pass
        assert refused.value.status_code == 503
        assert refused.value.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
    with connected(client, token) as socket:
        assert socket.answer("1", WHO)["data"]


def test_there_is_no_socket_anywhere_else(client: TestClient) -> None:
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/other", [PROTOCOL]):
        pass
    assert refused.value.status_code == 404
    assert refused.value.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


def test_the_unexpected_ends_one_operation_and_says_one_sentence(
    client: TestClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(client, token) as socket:
        monkeypatch.setattr("resolvers.session.Session.__init__", lambda *_: 1 / 0)
        error = socket.error("1", WHO)
        monkeypatch.undo()
        assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert "division" not in error["message"]
        assert socket.answer("2", WHO)["data"]


def test_who_leaves_is_worked_for_no_more(client: TestClient, token: str) -> None:
    [endpoint] = (route.app for route in client.app.routes if getattr(route, "path", "") == "/graphql"  # type: ignore[attr-defined]
                  and isinstance(route.app, sockets.SocketEndpoint))  # fmt: skip
    with connected(client, token) as socket:
        socket.subscribe("s", ENDLESS)
        socket.answer("q", WHO)
        assert (endpoint.connections, endpoint.subscriptions) == (1, 1)
    began = time.monotonic()
    while endpoint.connections or endpoint.subscriptions or not endpoint.watch.is_idle:
        assert time.monotonic() - began < 1
        time.sleep(0.01)


def test_a_persisted_document_may_be_named_over_a_socket(client: TestClient, token: str) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256_of(WHO)}}
    with connected(client, token) as socket:
        assert socket.answer("1", WHO, extensions=extensions)["data"]
        socket.send({"type": "subscribe", "id": "2", "payload": {"extensions": extensions}})
        assert socket.receive()["payload"]["data"]["viewer"]


def test_only_trusted_documents_are_run_over_a_socket_too(serve: Serve, token: str, tmp_path: Path) -> None:
    (tmp_path / "past.graphql").write_text(PAST)
    client = serve(documents="trusted", documents_folder=str(tmp_path))
    with connected(client, token) as socket:
        assert socket.error("1", WHO)["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
        socket.send({"type": "subscribe", "id": "s", "payload": {"documentId": f"sha256:{sha256_of(PAST)}"}})
        assert [socket.receive()["type"] for _ in range(3)] == ["next", "next", "complete"]


def test_an_event_over_a_limit_is_told_as_errors_and_the_next_one_comes(
    client: TestClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Session.serve

    def serve_but_once(self: Session, values: int, objects: int = 0) -> None:
        monkeypatch.setattr(Session, "serve", plain)
        raise RequestStopped(too_many_values(1))

    with connected(client, token) as socket:
        monkeypatch.setattr(Session, "serve", serve_but_once)
        socket.subscribe(
            "s", f'subscription {{ changes(after: "{BEGINNING}", first: 2) {{ changed {{ node {{ id }} }} }} }}'
        )
        told = socket.receive()
        assert (told["type"], told["payload"]["data"]) == ("next", None)
        assert told["payload"]["errors"][0]["extensions"]["code"] == "TOO_MANY_VALUES"
        assert socket.receive()["payload"]["data"]["changes"]["changed"]
        assert socket.receive()["type"] == "complete"
