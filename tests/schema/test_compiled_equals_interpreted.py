"""Compiled selections are a faster way to the same answer: random operations, and those that only look alike.

The test client compares the two ways on every request of every other test too.
"""

from __future__ import annotations

from collections import Counter

import pytest

from schema.execution import Engine
from tests.schema.client import GraphClient
from tests.schema.random_queries import RandomQuery

SEEDS = [range(start, start + 25) for start in range(0, 200, 25)]


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_random_operations_get_one_answer_from_both(house: GraphClient, seeds: range) -> None:
    kinds: Counter[str] = Counter()
    for seed in seeds:
        drawn = RandomQuery(seed)
        answer = house.ask(drawn.text, drawn.variables)
        assert "data" in answer, (answer, drawn.text)
        kinds["with errors" if "errors" in answer else "without"] += 1
        kinds["no data"] += answer.get("data") is None
    assert kinds["without"] > len(seeds) // 5, kinds
    assert kinds["with errors"] > 0, kinds


def test_random_operations_are_really_compiled(house: GraphClient) -> None:
    engine = Engine()
    compiled = 0
    for seed in range(30):
        drawn = RandomQuery(seed)
        with house.database.read() as transaction:
            engine.execute(drawn.text, drawn.variables, None, house.session(transaction))
        document = engine.documents.get(drawn.text, introspection=True)
        compiled += any(plan is not None for key, plan in document.plans.items() if key != ("conditions",))
    assert compiled > 25


SAME_NAME = """query ($yes: Boolean!, $no: Boolean!) {
  viewer { login { loginId } }
  viewer { login { userName } users { userId } }
  ... on Query { viewer { revision } }
  ...More
  off: viewer @include(if: $no) { revision }
  gone: viewer @skip(if: $yes) { revision }
  twice: viewer @skip(if: $no) @include(if: $yes) { revision }
  never: viewer @skip(if: $yes) @include(if: $yes) { revision }
}
fragment More on Query { viewer { users { isOriginal ...Name } } }
fragment Name on User { name { firstName } ... on Node { id } }"""


def test_selections_of_one_name_are_merged(house: GraphClient) -> None:
    data = house.data(SAME_NAME, {"yes": True, "no": False})
    assert list(data) == ["viewer", "twice"]
    assert set(data["viewer"]) == {"login", "users", "revision"}
    assert set(data["viewer"]["login"]) == {"loginId", "userName"}
    assert set(data["viewer"]["users"][0]) == {"userId", "isOriginal", "name", "id"}


def test_one_document_answers_each_set_of_conditions(house: GraphClient) -> None:
    query = """query ($a: Boolean = true, $b: Boolean!) {
      viewer { revision @include(if: $a) login @skip(if: $b) { loginId } users { userId } }
    }"""
    for given, keys in (
        ({"b": False}, {"revision", "login", "users"}),
        ({"b": True}, {"revision", "users"}),
        ({"a": False, "b": False}, {"login", "users"}),
        ({"a": False, "b": True}, {"users"}),
        ({"a": True, "b": False}, {"revision", "login", "users"}),
    ):
        assert set(house.data(query, given)["viewer"]) == keys, given


def test_more_conditions_than_are_remembered_are_still_answered(house: GraphClient) -> None:
    names = [f"c{number}" for number in range(6)]
    fields = " ".join(f"{name}: revision @include(if: ${name})" for name in names)
    query = f"query ({', '.join(f'${name}: Boolean!' for name in names)}) {{ viewer {{ always: revision {fields} }} }}"
    for number in range(2 ** len(names)):
        given = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        assert set(house.data(query, given)["viewer"]) == {"always", *(name for name in names if given[name])}


def test_introspection_is_answered_beside_other_fields(house: GraphClient) -> None:
    data = house.data(
        '{ __typename __schema { queryType { name } } __type(name: "User") { name } viewer { revision } }'
    )
    assert data["__typename"] == "Query"
    assert data["__schema"] == {"queryType": {"name": "Query"}}
    assert data["__type"] == {"name": "User"}


def test_variables_left_out_null_and_given_are_three_things(house: GraphClient) -> None:
    query = """query ($first: Int, $capability: Capability! = MANAGE_USERS) {
      managerAccount(id: "1") {
        users(first: $first) { nodes { userId } }
        viewerCan(capability: $capability) { capability }
      }
    }"""
    for given, count in (({}, 5), ({"first": None}, 5), ({"first": 2}, 2)):
        found = house.data(query, given)["managerAccount"]
        assert len(found["users"]["nodes"]) == count
        assert found["viewerCan"]["capability"] == "MANAGE_USERS"
    assert house.data(query, {"capability": "VIEW"})["managerAccount"]["viewerCan"]["capability"] == "VIEW"
