"""Every role over every way, for each kind of write: done or refused exactly as documented, and refused without trace.

Who may is told twice: by the product's own table of capabilities, and by the documented matrix, retyped in `cells`.
"""

from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema

from resolvers.rules.capabilities import BIT, NOTHING, ROLE_CAPABILITIES, SURVIVES_CUSTOMER_LINK, Capability
from resolvers.session import Viewer
from schema.build import sdl
from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.records.values import LinkPermission, Role, TokenScope
from tests.schema.write_client import Writer, dump
from tests.writes.cells import ACTOR, CALLS, HERE, ROLES, WAYS, Call, secret_of, store_cell
from tests.writes.inputs import GIVEN

LETTERS = {"VIEWER": "V", "CAMPAIGN_MANAGER": "C", "STANDARD": "S", "SUPER_ADMIN": "A", "AGGREGATOR": "G"}
RESULTS = "results { link { id } userErrors { code number message } }"
BY_SECRET = "acceptUserInvitation"
FOR_ONESELF = {"issueAccessToken", "revokeAccessToken"}
"""What no role gives or takes: whose the token is decides, and what the token asked with opens."""
BY_DEPLOYMENT = {mutation: GIVEN[mutation] for mutation in ("consolidateLogins", "provisionAggregator")}
"""What no role gives: only logins the operator names may do these."""
NONSENSE: dict[str, dict[str, Any]] = {
    "consolidateLogins": {"primaryLogin": "nobody", "mergedLogins": []},
    "provisionAggregator": BY_DEPLOYMENT["provisionAggregator"] | {"loginName": ""},
}
"""The same asked about what is not there."""
NOT_PERMITTED, NOT_THERE = 106, 210


def by_the_table(call: Call, role: str, way: str) -> bool:
    """Whether the product's own table lets the role do it over the way."""
    held = ROLE_CAPABILITIES[Role(role)]
    if way == "none":
        held = NOTHING
    elif way != "direct":
        held = type(held)(held & SURVIVES_CUSTOMER_LINK[LinkPermission(way)])
    return all(need in Capability.__members__ and bool(held & BIT[Capability(need)]) for need in call.needs)


def by_the_matrix(call: Call, role: str, way: str) -> bool:
    """Whether the documented matrix lets the role do it over the way."""
    if way == "none":
        return False
    return LETTERS[role] in (call.standard if way == "STANDARD" else call.direct)


def errors_of(writer: Writer, call: Call) -> list[dict[str, Any]]:
    """Why a call is refused, as a whole or in its one item; nothing when it is done."""
    in_items = call.mutation.endswith("ClientLinks")
    payload = writer.payload(call.mutation, call.given, RESULTS if in_items else "")
    errors = list(payload["userErrors"])
    for result in payload.get("results", ()):
        errors += result["userErrors"]
        assert (result["link"] is None) == bool(result["userErrors"])
    assert (payload["revision"] is None) == bool(errors)
    return errors


def test_every_mutation_of_the_schema_is_in_the_matrix() -> None:
    fields = build_schema(sdl()).mutation_type
    assert fields is not None
    assert set(fields.fields) == {call.mutation for call in CALLS.values()} | {BY_SECRET} | FOR_ONESELF | set(
        BY_DEPLOYMENT
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("role", ROLES)
def test_the_table_of_capabilities_says_what_the_documented_matrix_says(role: str, way: str) -> None:
    said = {name: by_the_table(call, role, way) for name, call in CALLS.items()}
    assert said == {name: by_the_matrix(call, role, way) for name, call in CALLS.items()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("role", ROLES)
def test_each_cell_is_done_or_refused_without_a_trace(database: Database, role: str, way: str) -> None:
    store_cell(database, role, way)
    writer = Writer(database, ACTOR)
    before = dump(database)
    allowed = [name for name, call in CALLS.items() if by_the_matrix(call, role, way)]
    for name, call in CALLS.items():
        if name in allowed:
            continue
        errors = errors_of(writer, call)
        assert errors, f"{name} was done"
        assert {error["number"] for error in errors} <= {NOT_PERMITTED, NOT_THERE}, (name, errors)
        assert dump(database) == before, f"{name} was refused and left a trace"
    for name in allowed:
        assert errors_of(writer, CALLS[name]) == [], name
    with database.read() as transaction:
        assert read_inconsistencies(transaction) == []


@pytest.mark.parametrize("way", ["none", "direct"])
def test_whoever_knows_the_secret_may_accept_and_nobody_else(database: Database, way: str) -> None:
    store_cell(database, "VIEWER", way)
    writer = Writer(database, ACTOR)
    assert writer.refused(BY_SECRET, {"secret": "adi_guessed"})["number"] == NOT_THERE
    joined = writer.done(BY_SECRET, {"secret": secret_of(5)}, "user { customerId customerRoles { roleId } }")
    assert joined["user"]["customerId"] == str(HERE)
    assert {row["roleId"] for row in joined["user"]["customerRoles"]} == {100}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("mutation", BY_DEPLOYMENT)
def test_no_role_makes_a_system_administrator(database: Database, mutation: str, role: str) -> None:
    store_cell(database, role, "direct")
    error = Writer(database, ACTOR).refused(mutation, BY_DEPLOYMENT[mutation])
    assert (error["code"], error["number"], error["field"]) == ("ADMINISTRATORS_ONLY", NOT_PERMITTED, [])
    assert error == Writer(database, ACTOR).refused(mutation, NONSENSE[mutation]), "it tells of nothing in the input"


@pytest.mark.parametrize("mutation", BY_DEPLOYMENT)
def test_a_system_administrator_needs_a_token_that_says_so_and_no_role(database: Database, mutation: str) -> None:
    store_cell(database, "VIEWER", "none")
    writer = Writer(database, ACTOR, administrates=True)
    administrator = writer.viewer
    assert isinstance(administrator, Viewer)
    for lacking in (
        administrator._replace(scopes=frozenset({TokenScope.READ, TokenScope.WRITE})),
        administrator._replace(is_system_administrator=False),
    ):
        writer.viewer = lacking
        error = writer.refused(mutation, BY_DEPLOYMENT[mutation])
        assert (error["code"], error["number"]) == ("ADMINISTRATORS_ONLY", NOT_PERMITTED)
    writer.viewer = administrator
    writer.done(mutation, BY_DEPLOYMENT[mutation])


@pytest.mark.parametrize("permission", ["ADMINISTRATIVE", "STANDARD"])
def test_a_campaign_manager_changes_nothing_but_the_tags(database: Database, permission: str) -> None:
    store_cell(database, "CAMPAIGN_MANAGER", permission)
    given = {"accountId": "20", "timeStamp": "1", "name": "Renamed", "autoTagType": "REPLACE"}
    account = Writer(database, ACTOR).done("updateAdAccount", given, "adAccount { name autoTagType }")["adAccount"]
    assert account == {"name": "Ad 20", "autoTagType": "REPLACE"}
