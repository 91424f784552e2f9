"""A request costs what it gives out and reads, never what its pages might have held; and it is stopped there."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, get_named_type, is_leaf_type

from resolvers.reachable import reachable_by_viewer
from resolvers.session import ROWS_OF_A_POINT, ROWS_OF_AN_ID, Limits, Meter, Session
from schema.execution import Engine
from storage.database import Database
from storage.records.ids import Instant
from tests.oracle import World
from tests.schema.client import COMPILED, GRAPH, INTERPRETED, NOW_MS, GraphClient
from tests.schema.conftest import AsUser, GeneratedData
from tests.schema.questions import FOLDER

BOTH = pytest.mark.parametrize("engine", [COMPILED, INTERPRETED], ids=["compiled", "interpreted"])
WHOLE = (FOLDER / "how-does-the-whole-hierarchy-look.graphql").read_text()
PAGES = """query ($top: ID!, $size: Int) { managerAccount(id: $top) { managerAccounts(first: $size) { nodes {
  managerAccounts(first: $size) { nodes { managerAccounts(first: $size) { nodes { adAccounts(first: $size) {
  nodes { name } } } } } } } } } }"""


def objects_in(answer: Any, kind: Any = None) -> int:
    """The objects of an answer, counted by its text: connections, edges and the page info are none."""
    if isinstance(answer, list):
        return sum(objects_in(one) for one in answer)
    if not isinstance(answer, dict):
        return 0
    holds_rows = answer.keys() & {"nodes", "edges", "pageInfo", "node", "cursor", "endCursor"}
    return (not holds_rows) + sum(map(objects_in, answer.values()))


def run(client: GraphClient, engine: Engine, query: str, variables: dict[str, Any], limits: Limits) -> Any:
    """The answer and the cost of one request."""
    meter = Meter()
    client.limits = limits
    with client.database.read() as transaction:
        answer = engine.execute(query, variables, None, client.session(transaction), meter=meter)
    return answer, meter.cost


def asker(generated: GeneratedData) -> GraphClient:
    return GraphClient(generated.database, generated.has.tree_login_id, world=World(), limits=Limits(max_nodes=11_000))


def test_the_name_of_the_root_costs_one(as_user: AsUser) -> None:
    client = as_user(1001)
    client.data("{ __typename }")
    assert client.cost == 1


@BOTH
def test_objects_cost_one_each_and_rows_read_a_tenth(generated: GeneratedData, engine: Engine) -> None:
    client = asker(generated)
    meter = Meter()
    with client.database.read() as transaction:
        query = "{ viewer { customerRoles { role linkedAccountIds } } }"
        answer = engine.execute(query, None, None, client.session(transaction), meter=meter)
        rows = transaction.rows
    assert rows > 2 * ROWS_OF_A_POINT
    assert meter.cost == objects_in(answer["data"]) + rows // ROWS_OF_A_POINT


@BOTH
def test_an_id_that_is_looked_up_costs_as_much_as_ten_rows_whatever_is_there(as_user: AsUser, engine: Engine) -> None:
    client = as_user(1008)
    for kind in ("ManagerAccount", "AdAccount", "User", "ClientLink", "UserInvitation"):
        ids = [f"{kind}:{number}" for number in range(8_000_001, 8_000_041)]
        query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
        _, cost = run(client, engine, query, {"ids": ids}, Limits())
        assert cost == 1 + 40 * ROWS_OF_AN_ID // ROWS_OF_A_POINT, kind


def test_a_row_costs_the_same_in_nodes_and_in_edges(as_user: AsUser) -> None:
    client = as_user(1001)
    client.data('{ managerAccount(id: "111") { adAccounts { nodes { name } } } }')
    by_nodes = client.cost
    client.data('{ managerAccount(id: "111") { adAccounts { edges { cursor node { name } } } } }')
    assert client.cost == by_nodes


def test_pages_are_not_multiplied_out(generated: GeneratedData) -> None:
    """A hundred of a hundred of a hundred of a hundred, of a tree of ten: it costs the tree."""
    client = asker(generated)
    variables = {"top": str(generated.has.roots[10]), "size": 100}
    assert "errors" not in client.ask_once(PAGES, variables)
    wide = client.cost
    assert "errors" not in client.ask_once(PAGES, {**variables, "size": 10})
    assert wide == client.cost < 50


def test_the_largest_tree_that_may_be_loaded_is_far_from_the_limit(generated: GeneratedData) -> None:
    client = asker(generated)
    assert "errors" not in client.ask_once(WHOLE, {"top": str(generated.has.roots[10_000])})
    assert 10_000 < client.cost < Limits().max_cost / 2


@BOTH
def test_a_request_of_exactly_the_limit_is_answered_and_one_past_it_is_not(
    generated: GeneratedData, engine: Engine
) -> None:
    client = asker(generated)
    variables = {"top": str(generated.has.roots[1_000])}
    answer, cost = run(client, engine, WHOLE, variables, Limits(max_nodes=11_000))
    assert "errors" not in answer
    assert run(client, engine, WHOLE, variables, Limits(max_nodes=11_000, max_cost=cost)) == (answer, cost)
    refused, _ = run(client, engine, WHOLE, variables, Limits(max_nodes=11_000, max_cost=cost - 1))
    [error] = refused["errors"]
    assert "data" not in refused
    assert error["extensions"] == {"code": "TOO_EXPENSIVE"}
    assert f"more than {cost - 1} " in error["message"]
    assert "may ask for all of it" in error["message"]


@BOTH
def test_too_expensive_a_request_is_stopped_while_it_loads(generated: GeneratedData, engine: Engine) -> None:
    client = asker(generated)
    variables = {"top": str(generated.has.roots[10_000])}
    refused, cost = run(client, engine, WHOLE, variables, Limits(max_nodes=11_000, max_cost=200))
    assert refused["errors"][0]["extensions"]["code"] == "TOO_EXPENSIVE"
    whole, whole_cost = run(client, engine, WHOLE, variables, Limits(max_nodes=11_000))
    assert "errors" not in whole
    assert cost < whole_cost / 5


EVERY_LIST = [
    pytest.param("{ managerAccount(id: 111) { users { nodes { userId } } } }", id="users"),
    pytest.param("{ clientLinks { nodes { linkId } } }", id="links"),
    pytest.param('{ invitations(filter: { customerId: "111" }) { nodes { __typename } } }', id="invitations"),
    pytest.param("{ adAccount(id: 111111) { accessors { nodes { userId } } } }", id="accessors"),
    pytest.param('{ access(target: "AdAccount:444111") { paths { nodes { hops { kind } } } } }', id="paths"),
    pytest.param("{ managerAccount(id: 111) { auditLog { nodes { __typename } } } }", id="audit entries"),
    pytest.param("{ viewer { customerRoles { role } } }", id="roles"),
    pytest.param('{ find(prefix: "") { nodes { __typename } } }', id="found"),
    pytest.param("{ adAccount(id: 111111) { ancestors { nodes { name } } } }", id="ancestors"),
    pytest.param(
        '{ a: node(id: "User:1001") { ... on User { accessibleAccounts { nodes { __typename } } } } }', id="accessible"
    ),
]


@pytest.mark.parametrize("query", EVERY_LIST)
def test_every_list_costs_its_rows(as_user: AsUser, query: str) -> None:
    client = as_user(1001)
    data = client.data(query)
    assert objects_in(data) <= client.cost
    with client.database.read() as transaction:
        session = client.session(transaction)
        COMPILED.execute(query, None, None, session)
        assert session.objects_served == objects_in(data)


def test_every_field_of_the_schema_that_gives_objects_is_counted() -> None:
    """No type may be free but those that only hold rows together."""
    free = set()
    for kind in GRAPH.type_map.values():
        for field in getattr(kind, "fields", {}).values() if isinstance(kind, GraphQLObjectType) else ():
            named = get_named_type(field.type)
            if not is_leaf_type(named) and named.name.endswith(("Connection", "Edge", "PageInfo")):
                free.add(named.name)
    for name in free:
        kind = GRAPH.type_map[name]
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
        assert isinstance(kind, GraphQLObjectType)
        assert kind.fields.keys() & {"nodes", "node", "endCursor"}, name


@pytest.mark.parametrize(
    ("query", "name", "expected"),
    [
        ("{ __typename }", None, 1),
        ("{ viewer { login { loginId } revision } }", None, 3),
        ("query A { __typename } query B { viewer { revision } }", "B", 2),
        ("query A { __typename } query B { viewer { revision } }", None, 0),
        ("{ nothing }", None, 0),
        ('mutation { a: deleteUser(input: {userId: 1, timeStamp: "1"}) { userErrors { code } } }', None, 12),
    ],
)
def test_what_is_expected_is_one_of_everything(query: str, name: str | None, expected: int) -> None:
    assert Engine().expected(query, name).cost == expected


def test_reading_a_document_is_paid_once() -> None:
    engine = Engine()
    query = "{ __typename }".ljust(251)
    assert [engine.expected(query, None).reading for _ in range(3)] == [11, 0, 0]
    assert engine.expected("{" * 1_999, None).reading == 1_999


def test_reading_costs_the_words_and_signs_of_a_document_up_to_the_limit_on_them() -> None:
    engine = Engine()
    assert engine.expected('{ a: node(id: "1") { id } }', None).reading == 15
    assert engine.expected("{" * 5_000, None).reading == 2_000
    assert engine.expected("{" * 100_000, None).reading == 4_000


def test_what_is_refused_before_it_runs_costs_nothing_more(demo_database: Database) -> None:
    meter = Meter()
    with demo_database.read() as transaction:
        COMPILED.execute("{ nothing }", None, None, Session(transaction, None, Instant(NOW_MS)), meter=meter)
    assert meter.cost == 0


SEARCHES = {
    "find": 'find(prefix: "zzz", first: 1) { nodes { __typename } }',
    "ad accounts": 'adAccounts(first: 1, filter: { number: { contains: "zzzz" } }) { nodes { __typename } }',
    "manager accounts": 'managerAccounts(first: 1, filter: { name: { contains: "zzzz" } }) { nodes { id } }',
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_pays_for_what_it_looks_through_each_time_it_is_asked(generated: GeneratedData, name: str) -> None:
    client = asker(generated)
    with generated.database.read() as transaction:
        session = client.session(transaction)
        looked_through = len(reachable_by_viewer(session).ad_accounts().owners)
    assert looked_through > 100
    _, once = run(client, COMPILED, f"{{ {SEARCHES[name]} }}", {}, Limits())
    _, ten_times = run(
        client, COMPILED, "{{ {} }}".format(" ".join(f"a{i}: {SEARCHES[name]}" for i in range(10))), {}, Limits()
    )
    assert once >= looked_through
    assert ten_times - once >= 9 * looked_through
