"""What was promised of the door, item by item, and the tests that prove it: each limit just below and just above.

The items are those of the design's checklist about transport (1–9), errors (10–14) and security (26–33); a test of each
is named here, so that none can be renamed away. What had no test of its own has it below.
"""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from resolvers.errors import Code
from schema import errors
from tests.api.conftest import Serve
from tests.api.demo_server import started
from tests.databases import SqliteDatabases, migrated
from tests.readme import documented_codes

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"[A-Z][A-Z_]{4,}")

CHECKLIST: dict[str, str] = {
    "1 a GraphQL server over HTTP as the specification has it": """
        api/test_http: test_the_accept_header_decides_the_media_type test_only_json_in_utf8_is_taken
            test_json_may_name_its_charset test_a_body_that_is_no_request_is_400_and_says_why
            test_optional_members_may_be_null test_unknown_members_and_extensions_are_ignored
            test_a_document_that_cannot_run_is_400_under_the_graphql_type
            test_a_document_that_cannot_run_is_200_under_plain_json test_partial_data_is_200
            test_no_data_at_all_has_a_status_that_says_why_under_the_graphql_type test_get_runs_queries
            test_get_never_runs_mutations test_a_get_that_is_no_request_is_400_and_says_why""",
    "2 nothing sent gives 5xx or a body that is not JSON": """
        api/test_fuzz: test_any_query test_any_mutation test_any_variable test_any_headers_and_any_body
        api/test_robustness: test_any_bytes test_any_json test_any_address
        api/test_limits: test_hostile_documents_are_the_callers_fault_and_get_an_answer""",
    "3 media type 415, method 405 with Allow, body length 413 at and past it": """
        api/test_http: test_only_json_in_utf8_is_taken test_a_compressed_body_is_refused
            test_other_methods_are_405_and_say_which_are_allowed test_get_can_be_switched_off
            test_a_body_at_the_limit_is_taken test_a_body_over_the_limit_is_413_by_its_declared_length
            test_a_body_over_the_limit_is_413_by_counting
        api/test_sockets: test_a_message_may_be_as_long_as_a_body""",
    "4 two operations without a name": """
        api/test_real_graph: test_a_document_that_cannot_run_is_400_with_a_code""",
    "5 Accept with q-values, nosniff, no-store": """
        api/test_http: test_the_accept_header_decides_the_media_type test_nothing_acceptable_is_406_in_json
            test_every_answer_may_not_be_kept_nor_guessed_at""",
    "6 graphql-transport-ws, and no other protocol; a bad message has a close code": """
        api/test_sockets: test_only_the_modern_protocol_is_spoken test_the_protocol_is_picked_from_several
            test_whoever_says_nothing_is_sent_away test_an_operation_before_the_acknowledgement_is_4401
            test_a_second_introduction_is_4429 test_a_taken_id_is_4409
            test_a_message_the_protocol_does_not_have_is_4400 test_an_authorization_that_is_no_text_is_4400
            test_a_binary_message_is_4400 test_a_ping_is_answered_with_its_payload
        api/test_live_sockets: test_a_bad_message_has_a_close_code_and_harms_nobody_else""",
    "7 one failed operation does not end the others": """
        api/test_sockets: test_an_operation_that_cannot_run_is_an_error_and_the_others_go_on
            test_the_unexpected_ends_one_operation_and_says_one_sentence""",
    "8 fresh data in every event, leaving stops the work, stopping ends streams": """
        schema/test_changes: test_an_event_describes_the_moment_it_is_sent test_who_loses_sight_is_told_no_more
        api/test_sockets: test_who_leaves_is_worked_for_no_more
        api/test_live_sockets: test_asked_to_stop_the_server_says_so_on_every_socket_and_ends""",
    "9 server-sent events are not offered": "api/test_checklist: test_streams_over_http_are_not_offered",
    "10 every code is documented and has a test": """
        api/test_checklist: test_every_code_is_documented_and_has_a_test test_no_code_is_documented_that_is_not_said
        schema/test_many_paths: test_as_many_ways_are_listed_as_may_be_and_past_it_the_check_still_answers
        schema/test_write_codes: test_every_code_has_a_row_and_a_case""",
    "11 nothing from the inside; the unexpected has a request id that the log has too": """
        api/test_http: test_the_unexpected_says_one_sentence_and_the_log_says_the_rest
        api/test_fuzz: test_any_query test_any_mutation""",
    "12 expected failures of mutations are data": """
        schema/test_write_codes: test_a_code_is_told_with_its_number_and_rule_and_nothing_is_done""",
    "13 hidden is missing": """
        matrix/test_fields: test_whatever_is_hidden_by_a_way_is_answered_like_what_is_not_there
        schema/test_hidden_equals_missing: test_a_hidden_id_is_answered_like_one_that_is_not_there
        writes/test_hidden_ids: test_what_is_hidden_is_answered_like_what_is_not_there""",
    "14 the caller's faults are no errors of the log, ours are there once": """
        api/test_checklist: test_a_fault_of_the_caller_is_no_error_of_the_log
        api/test_http: test_the_unexpected_says_one_sentence_and_the_log_says_the_rest""",
    "26 introspection, page and suggestions follow the settings, off by default": """
        api/test_real_graph: test_introspection_follows_the_settings
        api/test_page: test_the_page_is_off_by_default
        api/test_settings: test_page_and_introspection_are_off_unless_asked_for_or_in_demo_mode
        api/test_checklist: test_names_are_suggested_only_where_the_schema_may_be_read""",
    "27 pages of other sites run nothing and read nothing": """
        api/test_origins: test_a_foreign_page_runs_nothing_by_a_simple_request
            test_no_page_is_allowed_unless_somebody_says_so test_any_other_page_is_told_no_in_json
        api/test_sockets: test_a_page_of_another_site_is_refused_at_the_handshake""",
    "28 depth, fields, aliases, roots, directives, tokens, characters, values, cost, rows, pages: at and past each": """
        schema/test_document_limits: test_the_usual_limits_are_exact
            test_a_document_at_the_limit_is_taken_and_one_past_it_is_not
            test_variables_may_have_so_many_values_and_not_one_more
        api/test_limits: test_a_document_is_taken_at_the_setting_and_refused_past_it
        schema/test_costs: test_a_request_of_exactly_the_limit_is_answered_and_one_past_it_is_not
        schema/test_budgets: test_a_tree_of_exactly_the_limit_is_given_whole_and_one_more_is_an_error
        schema/test_bad_input: test_a_page_size_that_cannot_be_is_refused
            test_a_page_size_from_the_end_that_cannot_be_is_refused
            test_as_many_checks_and_nodes_as_are_told_and_no_more
        schema/test_pages: test_what_lies_between_two_cursors_is_that_part_of_the_list
        schema/test_changes: test_the_ends_of_the_range_are_taken test_what_cannot_begin_says_why
        api/test_sockets: test_a_connection_runs_so_many_operations_and_no_more
            test_a_process_keeps_so_many_subscriptions_and_gives_them_back
            test_a_process_keeps_so_many_connections_and_gives_them_back
        api/test_threads: test_more_requests_than_may_wait_are_refused_at_once""",
    "29 each refusal within a tenth of a second": """
        schema/test_document_limits: test_a_hostile_document_is_refused_within_a_tenth_of_a_second
            test_hostile_variables_are_refused_within_a_tenth_of_a_second""",
    "30 every field × every role": """
        matrix/test_fields: test_every_field_of_the_schema_has_a_right_and_every_right_a_field
            test_what_should_be_hidden_is_hidden_and_what_should_be_seen_is_seen
            test_every_field_has_something_to_tell_to_somebody""",
    "31 a budget for each caller, what is left of it, and when to come back": """
        api/test_budget_arithmetic: test_exactly_what_is_there_is_granted_and_one_more_is_not
            test_a_refusal_says_when_and_then_it_is_so test_callers_do_not_pay_for_each_other
        api/test_limits: test_a_budget_used_up_is_429_with_when_to_come_back test_who_waits_as_told_is_answered
            test_what_is_left_is_what_was_there_less_what_it_cost test_the_rate_limit_can_be_asked""",
    "32 time limits of requests and statements that stop the work": """
        api/test_stopping: test_a_slow_statement_is_stopped_and_said_to_be
            test_a_mutation_that_is_stopped_did_nothing_and_may_be_sent_again
            test_work_that_waits_past_its_time_is_not_begun
        api/test_threads: test_a_request_that_takes_too_long_is_given_up
        schema/test_out_of_time: test_a_question_is_answered_whole_or_not_at_all
        storage/test_deadlines: test_a_statement_is_stopped_at_the_deadline
            test_a_write_is_not_committed_past_the_deadline""",
    "33 only trusted documents, where that is chosen": """
        api/test_documents: test_a_trusted_document_is_run_by_its_text test_a_trusted_document_is_run_by_its_hash
            test_everything_else_is_refused_and_not_parsed
        api/test_sockets: test_only_trusted_documents_are_run_over_a_socket_too""",
}
"""Each item, and by which tests of which modules it is proven."""


def proofs(listed: str) -> Iterator[tuple[str, str]]:
    """Module and test, of a list of an item."""
    module = ""
    for word in listed.split():
        if word.endswith(":"):
            module = word.removesuffix(":")
        else:
            yield module, word


@cache
def functions_of(module: str) -> frozenset[str]:
    """The functions a test module defines."""
    tree = ast.parse((ROOT / "tests" / f"{module}.py").read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_item_is_here() -> None:
    numbers = [int(item.partition(" ")[0]) for item in CHECKLIST]
    assert numbers == [*range(1, 15), *range(26, 34)]


@pytest.mark.parametrize("item", CHECKLIST)
def test_the_tests_of_an_item_exist(item: str) -> None:
    named = list(proofs(CHECKLIST[item]))
    assert named
    assert [(module, test) for module, test in named if test not in functions_of(module)] == []


# What had no test of its own


def test_streams_over_http_are_not_offered(client: TestClient) -> None:
    response = client.post("/graphql", json={"query": "{ __typename }"}, headers={"accept": "text/event-stream"})
    assert response.status_code == 406
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "NOT_ACCEPTABLE"


def codes_said() -> set[str]:
    """Every code an error may have, by the lists there are and by what is written where refusals are made."""
    found = {*map(str, Code), *(value for name, value in vars(errors).items() if name.isupper() and _is_code(value))}
    for path in (ROOT / "adgraph").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("HttpRefusal", "bad_request"):
                values = [*node.args, *(keyword.value for keyword in node.keywords)]
                found |= {one.value for one in values if isinstance(one, ast.Constant) and _is_code(one.value)}
    return found


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and CODE.fullmatch(value) is not None


def test_every_code_is_documented_and_has_a_test() -> None:
    said = codes_said()
    assert sorted(said - documented_codes()) == []
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__))
    assert sorted(code for code in said if f'"{code}"' not in tests and f"Code.{code}" not in tests) == []


def test_no_code_is_documented_that_is_not_said() -> None:
    texts = "".join(
        path.read_text() for room in ("adgraph", "schema", "resolvers") for path in (ROOT / room).rglob("*.py")
    )
    assert sorted(code for code in documented_codes() if code not in texts) == []


@pytest.mark.parametrize(
    "body",
    [{"query": "{"}, {"query": "{ nothing }"}, {"query": "query A { viewer } query B { viewer }"}, [], {"query": 1}],
    ids=["cut short", "an unknown field", "two operations", "a list", "no text"],
)
def test_a_fault_of_the_caller_is_no_error_of_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture, body: Any
) -> None:
    client = serve()
    with caplog.at_level(logging.WARNING):
        assert "errors" in client.post("/graphql", json=body).json()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


NEARLY = {
    "{ viewr { revision } }": {},
    "{ adAccounts(frst: 1) { totalCount } }": {},
    "{ adAccounts(filter: { nam: 1 }) { totalCount } }": {},
    '{ check(capability: VIE, target: "1") { allowed } }': {},
    "query ($v: AdAccountFilterInpu) { adAccounts(filter: $v) { totalCount } }": {},
    '{ node(id: "User:1") { userId } }': {},
    "query ($v: AdAccountFilterInput) { adAccounts(filter: $v) { totalCount } }": {"v": {"nam": 1}},
    'query ($v: Capability!) { check(capability: $v, target: "1") { allowed } }': {"v": "VIE"},
}
"""Documents with a name that is nearly right, and their variables."""


def test_names_are_suggested_only_where_the_schema_may_be_read(tmp_path: Path) -> None:
    url = migrated(SqliteDatabases(tmp_path))
    for open_ in (False, True):
        with ExitStack() as stack:
            client = started(stack, url, lambda app: app, introspection=open_)
            for query, variables in NEARLY.items():
                text = client.post("/graphql", json={"query": query, "variables": variables}).text
                assert ("Did you mean" in text) == open_, query
