"""Random operations, variables, headers and bodies through the real server: never its fault, never a leak.

A run of the tests tries a few, always the same. `make fuzz` tries as many as FUZZ_EXAMPLES says, new ones each time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from storage.database import Database
from storage.demo import WORKED_USER_NAME
from storage.entries import LoginEntry
from storage.records.ids import LoginId
from storage.records.values import TokenScope
from storage.tokens import NewToken, issue_token
from storage.writes import begin_revision, write_logins
from tests.api.demo_server import started
from tests.api.fuzz import TOKEN, judge, random_mutations, random_queries
from tests.api.test_robustness import ACCEPTS, CONTENT_TYPES, HEADER_TEXT, METHODS, VALUES
from tests.databases import SqliteDatabases, migrated
from tests.resolvers.askers import Asker
from tests.schema.facts_of import read_world

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
STRANGER = LoginId(987_654_321)
IDS = {
    "ManagerAccount": ("111", "222", "333", "444", "5001", "5003"),
    "AdAccount": ("111111", "333111", "444111", "444222", "500101"),
    "User": ("1001", "1002", "1004", "1007", "1008", "6001"),
    "ClientLink": ("8001", "8002", "8003", "8010"),
    "UserInvitation": ("1001", "1002"),
}
"""Of what is in the demo company, seen by its first Super Admin and hidden from him."""
pytestmark = pytest.mark.timeout(0 if EXAMPLES else 240)


def bounded(examples: int) -> settings:
    """How many examples one test tries, of each kind of caller."""
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True)
class Caller:
    """Somebody's headers, and the names of logins he may not be told. A report shows neither."""

    headers: dict[str, str] = field(repr=False)
    hidden: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Server:
    """A server, and who asks it."""

    client: TestClient
    callers: tuple[Caller, ...]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo company, to be thrown away; asked by its Super Admin, a stranger with a token, and nobody."""
    url = migrated(SqliteDatabases(tmp_path_factory.mktemp("fuzz")))
    with ExitStack() as stack:
        roomy = {"budget": 1_000_000_000, "budget_per_minute": 1_000_000_000}
        client = started(stack, url, lambda app: app, **roomy)
        authorization = client.headers.pop("authorization")
        database = Database.open(url)
        with database.write() as tx:
            stamp = begin_revision(tx, operation="test", at_ms=1)
            write_logins(tx, stamp, [LoginEntry(STRANGER, "stranger@nowhere.example")])
            expires = time.time_ns() // 1_000_000 + 86_400_000
            token = issue_token(tx, NewToken(STRANGER, "t", frozenset(TokenScope), expires), 1).token
        with database.read() as tx:
            world = read_world(tx)
        database.close()
        names = {login.id: login.user_name for login in world.logins}
        [own] = [login for login in world.logins if login.user_name == WORKED_USER_NAME]
        asker = Asker(world, own.id)
        seen = {user.login for user in world.users if asker.sees(user)}
        others = tuple(name for login, name in names.items() if login not in seen | {STRANGER})
        everybody = tuple(name for login, name in names.items() if login != STRANGER)
        yield Server(
            client,
            (
                Caller({"authorization": authorization}, others),
                Caller({"authorization": f"Bearer {token}"}, everybody),
                Caller({}, everybody),
            ),
        )


def ask(server: Server, caller: Caller, document: str, **more: Any) -> Any:
    """Send a document, look at the answer, and look for what the caller may not know."""
    body = json.dumps({"query": document, **more})
    headers = {"content-type": "application/json", **caller.headers}
    answer = judge(server.client.post("/graphql", content=body, headers=headers), caller.hidden)
    if "issueAccessToken" not in document:
        assert not TOKEN.search(json.dumps(answer))
    return answer


@bounded(120)
@given(document=random_queries(IDS), who=st.integers(0, 2))
def test_any_query(server: Server, document: str, who: int) -> None:
    ask(server, server.callers[who], document)


@bounded(80)
@given(document=random_mutations(IDS), who=st.integers(0, 1))
def test_any_mutation(server: Server, document: str, who: int) -> None:
    ask(server, server.callers[who], document)


NAMED = {
    "($v: ID!)": "user(id: $v) { userId customerRoles { role } }",
    "($v: [ID!]!)": "nodes(ids: $v) { id }",
    "($v: Int)": "adAccounts(first: $v) { nodes { name } }",
    "($v: String)": "adAccounts(after: $v) { nodes { name } }",
    "($v: String!)": "find(prefix: $v) { nodes { __typename } }",
    "($v: AdAccountFilterInput)": "adAccounts(filter: $v) { totalCount }",
    "($v: ManagerAccountFilterInput)": "managerAccounts(filter: $v) { totalCount }",
    "($v: ClientLinkFilterInput)": "clientLinks(filter: $v) { totalCount }",
    "($v: OrderByInput)": "adAccounts(orderBy: $v) { totalCount }",
    "($v: [CheckInput!]!)": "checkMany(checks: $v) { allowed }",
    "($v: BusinessAddressInput!)": "validateAddress(address: $v) { status }",
}
"""A variable of each kind, and where it is used."""
KEYS = st.sampled_from(
    ["id", "name", "accountId", "customerId", "number", "equals", "in", "contains", "field", "line1"]
)
ANYTHING = st.recursive(
    VALUES | st.sampled_from([one for ids in IDS.values() for one in ids]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@bounded(150)
@given(kind=st.sampled_from(sorted(NAMED)), value=ANYTHING, who=st.integers(0, 2))
def test_any_variable(server: Server, kind: str, value: Any, who: int) -> None:
    ask(server, server.callers[who], f"query {kind} {{ {NAMED[kind]} }}", variables={"v": value})


HEADERS = st.dictionaries(
    st.sampled_from(["authorization", "developertoken", "actas", "origin", "cookie", "x-request-id", "traceparent"]),
    HEADER_TEXT | st.sampled_from(["1001", "1002", "Bearer adg_", "null", "http://127.0.0.1"]),
    max_size=4,
)
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "query": st.sampled_from(["{ viewer { login { userName } } }", "{", "mutation { __typename }"]) | VALUES,
        "variables": VALUES,
        "operationName": VALUES,
        "extensions": VALUES | st.fixed_dictionaries({"persistedQuery": VALUES}),
    },
)


@bounded(150)
@given(
    method=METHODS,
    body=st.binary(max_size=200) | (MEMBERS | VALUES).map(lambda one: json.dumps(one).encode()),
    headers=HEADERS,
    accept=ACCEPTS,
    content_type=CONTENT_TYPES,
    who=st.integers(0, 2),
)
def test_any_headers_and_any_body(
    server: Server, method: str, body: bytes, headers: dict[str, str], accept: str, content_type: str, who: int
) -> None:
    caller = server.callers[who]
    sent = {"accept": accept, "content-type": content_type, **caller.headers, **headers}
    raw = {name.encode(): value.strip().encode() for name, value in sent.items()}
    judge(server.client.request(method, "/graphql", content=body, headers=raw), caller.hidden)
