"""Whatever is wrong with a question gets a sentence and a stable code (the client checks both on every error)."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from tests.schema.client import GRAPH, GraphClient
from tests.schema.lists import LISTS, PLAIN_LISTS, TWO_ENDED_LISTS, ListField

MALFORMED_IDS = (
    "",
    " ",
    "abc",
    "1.5",
    "-1",
    "+1",
    "01",
    "1 ",
    "0x1",
    "1e3",
    "٣",
    "9223372036854775808",
    "9" * 400,
    "ManagerAccount:",
    "Manageraccount:1",
    "ManagerAccount:01",
    "ManagerAccount: 1",
    "Wolf:1",
    "Ü:1",
    "TWFuYWdlckFjY291bnQ6MQ",
    "TWFuYWdlckFjY291bnQ6MQ=",
    "TWFuYWdlckFjY291bnQ6MQ==\n",
)
KINDS = {
    "managerAccount": "ManagerAccount",
    "adAccount": "AdAccount",
    "user": "User",
    "clientLink": "ClientLink",
}
"""The look-ups of the root and the one kind each takes."""


def code_of(client: GraphClient, query: str, variables: dict[str, Any] | None = None) -> str:
    return str(client.refusal(query, variables)["extensions"]["code"])


@pytest.mark.parametrize("one", LISTS, ids=str)
@pytest.mark.parametrize("size", [0, -1, 101, 10**9])
def test_a_page_size_that_cannot_be_is_refused(house: GraphClient, one: ListField, size: int) -> None:
    [error] = house.ask_once(one.query(), {"first": size})["errors"]
    assert (error["extensions"]["code"], error["extensions"]["number"]) == ("INVALID_PAGE_SIZE", 3080)
    assert "between 1 and 100" in error["message"]


@pytest.mark.parametrize("one", TWO_ENDED_LISTS, ids=str)
def test_a_page_size_from_the_end_that_cannot_be_is_refused(house: GraphClient, one: ListField) -> None:
    for size in (0, -1, 101, 10**9):
        [error] = house.ask_once(one.query(), {"last": size})["errors"]
        assert (error["extensions"]["code"], error["extensions"]["number"]) == ("INVALID_PAGE_SIZE", 3080)


@pytest.mark.parametrize("one", TWO_ENDED_LISTS, ids=str)
def test_both_ends_at_once_are_refused(house: GraphClient, one: ListField) -> None:
    [error] = house.ask_once(one.query(), {"first": 1, "last": 1})["errors"]
    assert error["extensions"]["code"] == "INVALID_PAGE_SIZE"


@pytest.mark.parametrize("one", PLAIN_LISTS, ids=str)
def test_a_page_size_that_is_no_number_never_runs(house: GraphClient, one: ListField) -> None:
    no_numbers: tuple[Any, ...] = ("ten", 1.5, True, 2**40, [1], {})
    for size in no_numbers:
        answer = house.ask_once(one.query(), {"first": size})
        assert "data" not in answer
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("text", MALFORMED_IDS)
def test_a_malformed_id_is_refused_by_every_look_up(house: GraphClient, text: str) -> None:
    for field in KINDS:
        error = house.refusal(f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}", {"id": text})
        assert (error["extensions"]["code"], error["extensions"]["number"]) == ("BAD_USER_INPUT", 201)
        assert "is not the id of" in error["message"]
    assert code_of(house, "query ($id: ID!) { node(id: $id) { id } }", {"id": text}) == "BAD_USER_INPUT"
    assert code_of(house, "query ($id: ID!) { access(target: $id) { capabilities } }", {"id": text}) == "BAD_USER_INPUT"
    for given in ("target: $id", 'target: "AdAccount:60", user: $id', 'target: "AdAccount:60", context: $id'):
        query = f"query ($id: ID!) {{ check(capability: VIEW, {given}) {{ allowed }} }}"
        assert code_of(house, query, {"id": text}) == "BAD_USER_INPUT"


@pytest.mark.parametrize("field", KINDS)
def test_the_id_of_another_kind_is_refused_and_its_own_taken_in_three_spellings(house: GraphClient, field: str) -> None:
    query = f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}"
    for kind in {*KINDS.values(), "UserInvitation"} - {KINDS[field]}:
        assert code_of(house, query, {"id": f"{kind}:1"}) == "BAD_USER_INPUT"
    known = {"managerAccount": "1", "adAccount": "60", "user": "1", "clientLink": "1002"}[field]
    node = house.data(query, {"id": known})[field]["id"]
    for spelling in (f"{KINDS[field]}:{known}", node):
        assert house.data(query, {"id": spelling})[field]["id"] == node
    assert house.data("query ($id: ID!) { node(id: $id) { id } }", {"id": node})["node"] == {"id": node}


def test_a_bare_number_is_no_target_and_the_sentence_says_how_to_write_it(house: GraphClient) -> None:
    error = house.refusal('{ check(capability: VIEW, target: "60") { allowed } }')
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert '"ManagerAccount:60" or "AdAccount:60"' in error["message"]


def test_unknown_ids_are_null_and_no_error(house: GraphClient) -> None:
    answer = house.data(
        """{
          managerAccount(id: "77777") { id } adAccount(id: "77777") { id } user(id: "77777") { id }
          clientLink(id: "77777") { id } node(id: "UserInvitation:77777") { id }
          nodes(ids: ["AdAccount:77777", "ManagerAccount:1", "User:77777"]) { __typename }
          access(target: "AdAccount:77777") { capabilities }
          invitations(filter: { customerId: "77777" }) { totalCount }
        }"""
    )
    assert answer.pop("nodes") == [None, {"__typename": "ManagerAccount"}, None]
    assert answer.pop("invitations") == {"totalCount": 0}
    assert set(answer.values()) == {None}


def test_one_bad_check_of_many_spoils_only_itself(house: GraphClient) -> None:
    good = {"capability": "VIEW", "target": "ManagerAccount:1"}
    bad = [{**good, "target": text} for text in ("1", "User:1", "x")] + [{**good, "user": "x"}, {**good, "context": ""}]
    answers = house.data(
        "query ($checks: [CheckInput!]!) { checkMany(checks: $checks) { allowed code message error { code number } } }",
        {"checks": [one for item in bad for one in (good, item)]},
    )["checkMany"]
    assert [answer["allowed"] for answer in answers] == [True, None] * len(bad)
    for answer in answers[1::2]:
        assert answer["code"] is None
        assert answer["message"]
        assert answer["error"] == {"code": "BAD_USER_INPUT", "number": 201}


def test_as_many_checks_and_nodes_as_are_told_and_no_more(house: GraphClient) -> None:
    checks = "query ($checks: [CheckInput!]!) { checkMany(checks: $checks) { allowed } }"
    one = {"capability": "VIEW", "target": "ManagerAccount:1"}
    assert len(house.data(checks, {"checks": [one] * 1_000})["checkMany"]) == 1_000
    for number in (0, 1_001):
        assert code_of(house, checks, {"checks": [one] * number}) == "BAD_USER_INPUT"
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert len(house.data(nodes, {"ids": ["AdAccount:60"] * 100})["nodes"]) == 100
    assert house.data(nodes, {"ids": []})["nodes"] == []
    assert code_of(house, nodes, {"ids": ["AdAccount:60"] * 101}) == "BAD_USER_INPUT"


@pytest.mark.parametrize("depth", [0, -1, 6, 10**9])
def test_a_depth_that_cannot_be_is_refused(house: GraphClient, depth: int) -> None:
    query = "query ($depth: Int!) { managerAccount(id: 1) { descendants(maxDepth: $depth) { totalCount } } }"
    assert code_of(house, query, {"depth": depth}) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "selection",
    [
        "adAccounts(relationship: [CUSTOMER_LINK]) { totalCount }",
        "adAccounts(relationship: []) { totalCount }",
        "adAccounts(status: []) { totalCount }",
        "managerAccounts(relationship: [OWNED]) { totalCount }",
        "managerAccounts(status: []) { totalCount }",
        "descendants(status: []) { totalCount }",
        "descendants(relationship: []) { totalCount }",
        "users(status: []) { totalCount }",
        'accessors(via: "x") { totalCount }',
    ],
)
def test_a_choice_that_would_select_nothing_by_mistake_is_refused(house: GraphClient, selection: str) -> None:
    assert code_of(house, f'{{ managerAccount(id: "1") {{ {selection} }} }}') == "BAD_USER_INPUT"


UNRUNNABLE = {
    "": "GRAPHQL_PARSE_FAILED",
    "   # nothing": "GRAPHQL_PARSE_FAILED",
    "{": "GRAPHQL_PARSE_FAILED",
    "{ viewer { login { loginId } }": "GRAPHQL_PARSE_FAILED",
    "query \x00 { viewer }": "GRAPHQL_PARSE_FAILED",
    "{ wolf }": "GRAPHQL_VALIDATION_FAILED",
    "{ viewer }": "GRAPHQL_VALIDATION_FAILED",
    "{ viewer { login } }": "GRAPHQL_VALIDATION_FAILED",
    "{ viewer { revision { id } } }": "GRAPHQL_VALIDATION_FAILED",
    '{ check(capability: FLY, target: "AdAccount:60") { allowed } }': "GRAPHQL_VALIDATION_FAILED",
    '{ managerAccount(id: "1") { adAccounts(status: [ASLEEP]) { totalCount } } }': "GRAPHQL_VALIDATION_FAILED",
    "{ adAccounts(orderBy: { field: COLOUR }) { totalCount } }": "GRAPHQL_VALIDATION_FAILED",
    "{ managerAccount { id } }": "GRAPHQL_VALIDATION_FAILED",
    "{ viewer { ...Missing } }": "GRAPHQL_VALIDATION_FAILED",
    "{ ...Round } fragment Round on Query { ...Round }": "GRAPHQL_VALIDATION_FAILED",
    "query ($id: ID!) { viewer { revision } }": "GRAPHQL_VALIDATION_FAILED",
    "mutation { deleteEverything }": "GRAPHQL_VALIDATION_FAILED",
    "subscription { changes }": "GRAPHQL_VALIDATION_FAILED",
    "fragment Some on Viewer { revision } { viewer { revision ...Some } } { viewer { revision } }": (
        "GRAPHQL_VALIDATION_FAILED"
    ),
    "query A { viewer { revision } } query B { viewer { revision } }": "OPERATION_RESOLUTION_FAILURE",
    "type Wolf { name: String }": "GRAPHQL_VALIDATION_FAILED",
}


@pytest.mark.parametrize(("document", "code"), UNRUNNABLE.items(), ids=list(UNRUNNABLE))
def test_a_document_that_cannot_run_has_a_code_and_no_data(house: GraphClient, document: str, code: str) -> None:
    answer = house.ask(document)
    assert "data" not in answer
    assert {error["extensions"]["code"] for error in answer["errors"]} == {code}


def test_a_number_of_thousands_of_digits_is_refused_in_our_own_words(house: GraphClient) -> None:
    for digits in (5_000, 300):
        document = "{ adAccounts(first: " + "9" * digits + ") { totalCount } }"
        [error] = house.ask(document)["errors"]
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert "set_int_max_str_digits" not in error["message"]
        assert len(error["message"]) < 300, error["message"]


def test_an_operation_that_is_not_in_the_document_is_named(house: GraphClient) -> None:
    answer = house.ask("query A { viewer { revision } }", operation_name="B")
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"
    assert '"B"' in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"capability": None},
        {"capability": "FLY"},
        {"capability": "view"},
        {"capability": 1},
        {"capability": ["VIEW", "VIEW"]},
    ],
    ids=str,
)
def test_variables_that_do_not_fit_never_run(house: GraphClient, variables: dict[str, Any]) -> None:
    query = 'query ($capability: Capability!) { check(capability: $capability, target: "AdAccount:60") { allowed } }'
    answer = house.ask(query, variables)
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_a_fault_in_one_field_leaves_its_siblings_intact(house: GraphClient) -> None:
    answer = house.ask('{ bad: managerAccount(id: "x") { id } good: managerAccount(id: "1") { customerId } }')
    assert answer["data"] == {"bad": None, "good": {"customerId": "1"}}
    assert [error["path"] for error in answer["errors"]] == [["bad"]]


def test_without_a_token_there_is_no_data(house: GraphClient) -> None:
    nobody = GraphClient(house.database, None, world=house.world)
    root = GRAPH.query_type
    assert isinstance(root, GraphQLObjectType)
    given = {"ID!": '"AdAccount:60"', "[ID!]!": '["AdAccount:60"]', "String!": '"x"', "Capability!": "VIEW"}
    given |= {
        "BusinessAddressInput!": "{}",
        "[CheckInput!]!": "[]",
        "UserInvitationFilterInput!": '{ customerId: "1" }',
    }
    for name, field in root.fields.items():
        arguments = ", ".join(
            f"{arg}: {given[str(one.type)]}" for arg, one in field.args.items() if str(one.type) in given
        )
        kind = get_named_type(field.type)
        text = f"{{ {name}{f'({arguments})' if arguments else ''} {{ __typename }} }}"
        answer = nobody.ask(text)
        assert not any((answer["data"] or {}).values()), (name, kind)
        assert answer["errors"][0]["extensions"]["code"] in ("UNAUTHENTICATED", "BAD_USER_INPUT"), name
    assert nobody.refusal("{ viewer { revision } }")["extensions"] == {"code": "UNAUTHENTICATED", "number": 116}


SEARCHES = {
    "find": "{ find(prefix: $text) { totalCount } }",
    "an account's name": "{ adAccounts(filter: {name: {contains: $text}}) { totalCount } }",
    "an account's number": "{ adAccounts(filter: {number: {equals: $text}}) { totalCount } }",
    "several numbers": "{ adAccounts(filter: {number: {in: [$text]}}) { totalCount } }",
    "the beginning of a name": "{ managerAccounts(filter: {namePrefix: $text}) { totalCount } }",
    "a login": "{ managerAccounts(filter: {userName: $text}) { totalCount } }",
    "a market": "{ managerAccounts(filter: {marketCountry: $text, marketLanguage: ENGLISH}) { totalCount } }",
}


@pytest.mark.parametrize("text", ["abc\x00d", "abc\ud800"], ids=["NUL", "half a character"])
@pytest.mark.parametrize("search", SEARCHES)
def test_what_no_database_keeps_is_searched_in_none(house: GraphClient, search: str, text: str) -> None:
    query = f"query ($text: String!) {SEARCHES[search]}"
    [error] = house.ask_once(query, {"text": text})["errors"]
    assert error["extensions"]["code"] == "INVALID_FILTER"
    assert "contains a character no name has" in error["message"]
