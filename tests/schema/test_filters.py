"""Each rule of searching (domain sheet §15): what breaks it is refused with its number, what keeps it is answered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema.client import GraphClient

AD_ACCOUNTS = "query ($filter: AdAccountFilterInput) { adAccounts(filter: $filter) { nodes { accountId } } }"
MANAGERS = "query ($filter: ManagerAccountFilterInput) { managerAccounts(filter: $filter) { nodes { customerId } } }"
LINKS = "query ($filter: ClientLinkFilterInput) { clientLinks(filter: $filter) { nodes { linkId } } }"
ELEVEN = [str(number) for number in range(1, 12)]

BROKEN: list[tuple[str, dict[str, Any], int]] = [
    (AD_ACCOUNTS, {}, 474),
    (AD_ACCOUNTS, {"lifeCycleStatus": "ACTIVE"}, 3030),
    (AD_ACCOUNTS, {"customerId": "1", "userId": "1"}, 3030),
    (AD_ACCOUNTS, {"customerId": "1", "accountId": {"equals": "60"}}, 3030),
    (AD_ACCOUNTS, {"name": {"contains": "alike"}, "number": {"contains": "alike"}}, 3030),
    (AD_ACCOUNTS, {"name": {}}, 3030),
    (AD_ACCOUNTS, {"name": {"equals": "alike", "contains": "alike"}}, 3030),
    (AD_ACCOUNTS, {"name": {"contains": "ali"}}, 2180),
    (AD_ACCOUNTS, {"name": {"equals": ""}}, 2180),
    (AD_ACCOUNTS, {"number": {"in": ["X60", "long enough"]}}, 2180),
    (AD_ACCOUNTS, {"number": {"in": []}}, 3030),
    (AD_ACCOUNTS, {"number": {"in": ["long enough"] * 11}}, 3030),
    (AD_ACCOUNTS, {"accountId": {"in": ELEVEN}}, 3030),
    (AD_ACCOUNTS, {"accountId": {"in": []}}, 3030),
    (AD_ACCOUNTS, {"accountId": {}}, 3030),
    (AD_ACCOUNTS, {"accountId": {"equals": "60", "in": ["60"]}}, 3030),
    (MANAGERS, {}, 3079),
    (MANAGERS, {"name": {"contains": "abc"}}, 2180),
    (MANAGERS, {"name": {}}, 3030),
    (MANAGERS, {"customerId": {"in": ELEVEN}}, 3030),
    (MANAGERS, {"customerId": {}}, 3030),
    (MANAGERS, {"marketCountry": "US"}, 3030),
    (MANAGERS, {"marketLanguage": "ENGLISH"}, 3030),
    (MANAGERS, {"createdFrom": "2026-02-01", "createdTo": "2026-01-31"}, 532),
    (MANAGERS, {"userName": "abc"}, 2180),
    (MANAGERS, {"accountName": {"contains": "abc"}}, 2180),
    (MANAGERS, {"accountNumber": {"in": ["abc"]}}, 2180),
    (LINKS, {"directManagingCustomerId": "1", "managingCustomerId": "1"}, 3030),
    (LINKS, {"clientAccountId": {"equals": "60"}, "clientCustomerId": {"equals": "2"}}, 3030),
    (LINKS, {"clientAccountId": {}}, 3030),
    (LINKS, {"clientAccountId": {"in": ELEVEN}}, 3030),
    (LINKS, {"clientCustomerId": {"in": ELEVEN}}, 3030),
]

KEPT: list[tuple[str, dict[str, Any], set[str]]] = [
    (AD_ACCOUNTS, {"accountId": {"equals": "60"}}, {"60"}),
    (AD_ACCOUNTS, {"accountId": {"in": ["60", "70", "77777"]}}, {"60", "70"}),
    (AD_ACCOUNTS, {"customerId": "7"}, {"70", "71"}),
    (AD_ACCOUNTS, {"customerId": "4"}, {"60", "70"}),
    (AD_ACCOUNTS, {"customerId": "7", "lifeCycleStatus": "ACTIVE"}, {"70", "71"}),
    (AD_ACCOUNTS, {"customerId": "7", "lifeCycleStatus": "SUSPENDED"}, set()),
    (AD_ACCOUNTS, {"name": {"equals": "ALIKE TOO"}}, {"11", "71"}),
    (AD_ACCOUNTS, {"name": {"contains": "%%%%"}}, set()),
    (AD_ACCOUNTS, {"name": {"contains": "____"}}, set()),
    (AD_ACCOUNTS, {"userId": "77777"}, set()),
    (AD_ACCOUNTS, {"customerId": "77777"}, set()),
    (MANAGERS, {"customerId": {"in": ["1", "2", "8", "77777"]}}, {"1", "2"}),
    (MANAGERS, {"accountId": "60"}, {"6"}),
    (MANAGERS, {"name": {"equals": "manager 5"}}, {"5"}),
    (MANAGERS, {"name": {"contains": "AGER 6"}, "customerId": {"equals": "6"}}, {"6"}),
    (MANAGERS, {"name": {"contains": "AGER 6"}, "customerId": {"equals": "5"}}, set()),
    (MANAGERS, {"namePrefix": "manager 3"}, {"3"}),
    (MANAGERS, {"createdTo": "1999-01-01"}, set()),
    (MANAGERS, {"createdFrom": "2020-09-13", "createdTo": "2020-09-13", "accountId": "60"}, {"6"}),
    (LINKS, {"directManagingCustomerId": "5"}, {"5006"}),
    (LINKS, {"clientCustomerId": {"equals": "5"}}, {"2005", "3005"}),
    (LINKS, {"clientCustomerId": {"equals": "5"}, "directManagingCustomerId": "3"}, {"3005"}),
    (LINKS, {"clientAccountId": {"equals": "70"}}, {"10004070"}),
    (LINKS, {"clientAccountId": {"equals": "60"}, "directManagingCustomerId": "4"}, {"10004060"}),
    (LINKS, {"clientAccountId": {"equals": "70"}, "managingCustomerId": "1"}, {"10004070"}),
    (LINKS, {"managingCustomerId": "1"}, {"10001060", "10002060", "10003060", "10004060"}),
    (LINKS, {"status": ["ACTIVE"], "clientCustomerId": {"equals": "2"}}, {"1002"}),
    (LINKS, {"status": ["LINK_PENDING"]}, set()),
]


def sentence(case: tuple[str, dict[str, Any], object]) -> str:
    return f"{case[0].partition('{ ')[2].partition('(')[0]} {case[1]}"


@pytest.mark.parametrize(("query", "given", "number"), BROKEN, ids=map(sentence, BROKEN))
def test_a_filter_that_breaks_a_rule_is_refused(
    house: GraphClient, query: str, given: dict[str, Any], number: int
) -> None:
    error = house.refusal(query, {"filter": given})
    assert (error["extensions"]["code"], error["extensions"]["number"]) == ("INVALID_FILTER", number), error
    assert len(error["message"]) > 20


@pytest.mark.parametrize(("query", "given", "expected"), KEPT, ids=map(sentence, KEPT))
def test_a_filter_that_keeps_the_rules_is_answered(
    house: GraphClient, query: str, given: dict[str, Any], expected: set[str]
) -> None:
    [found] = house.data(query, {"filter": given}).values()
    assert {next(iter(node.values())) for node in found["nodes"]} == expected


@pytest.mark.parametrize("day", ["2026-02-30", "2026-2-1", "20260201", "yesterday", 20260201, "2026-02-01T00:00:00Z"])
def test_a_day_that_is_none_never_runs(house: GraphClient, day: object) -> None:
    answer = house.ask(MANAGERS, {"filter": {"createdFrom": day}})
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_a_viewer_who_may_view_no_manager_links_may_not_search_customer_links(house: GraphClient) -> None:
    standard = GraphClient(house.database, 2, world=house.world)
    error = standard.refusal(LINKS, {"filter": {"clientCustomerId": {"equals": "2"}}})
    assert (error["extensions"]["code"], error["extensions"]["rule"]) == ("FORBIDDEN", "C14")


@pytest.mark.parametrize("text", ["MAN", "man", "Manager 5", "x6", "ALIKE", "", "%", "_", "\\", "'", "ß", "\U0010ffff"])
def test_find_gives_what_begins_so_whatever_the_case(house: GraphClient, text: str) -> None:
    nodes = house.data(
        """query ($text: String!) { find(prefix: $text, first: 100) { nodes {
          ... on AdAccount { adName: name number }
          ... on ManagerAccount { managerName: name customerId }
        } } }""",
        {"text": text},
    )["find"]["nodes"]
    accounts = list(house.world.ad_accounts)
    start = text.casefold()
    expected = sum(item.name.casefold().startswith(start) or f"x{item.id}".startswith(start) for item in accounts)
    reached = [item for item in house.world.manager_accounts if item.id < 8]
    expected += sum(item.name.casefold().startswith(start) for item in reached)
    assert len(nodes) == expected
    kinds = ["adName" in node for node in nodes]
    assert kinds == sorted(kinds, reverse=True), "ad accounts come first"
