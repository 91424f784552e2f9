"""Every field × every role, by every way it is held: what should be hidden is hidden, and nothing else is.

The table of rights is compared with the schema: a new field has no row, and fails here until somebody has said what
right it takes. What is there to see is what a caller with every right is shown; who may see it is the oracle's word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType

from resolvers.session import Session, Viewer
from resolvers.writing import WriteSession
from storage.database import Database
from storage.records.ids import Instant, LoginId
from storage.records.values import TokenScope
from tests.databases import Databases, SqliteDatabases, migrated
from tests.matrix import company as of
from tests.matrix.company import CALLERS, WAYS, links_of
from tests.matrix.findings import EVERYBODY, ROLES, Findings
from tests.matrix.means import MEANING
from tests.matrix.questions import ENGINE, kind_of, writes
from tests.matrix.rights import RIGHTS
from tests.matrix.seer import Seer
from tests.oracle import MANAGER
from tests.schema.client import GRAPH, NOW_MS, GraphClient
from tests.schema.places import PLACES, Place

FIELDS = {
    f"{kind.name}.{field}"
    for kind in GRAPH.type_map.values()
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__")
    for field in kind.fields
}
SILENT_HERE = {
    "Node.id": "an interface: its fields are those of the objects",
    "Access.contextId": "no question names a context; tests/resolvers/test_lists_equal_checks.py does",
    "CheckResult.error": "there is no chain over the limit; tests/schema/test_nothing_hidden_is_named.py has one",
    **dict.fromkeys(("CheckError.code", "CheckError.message", "CheckError.number", "CheckError.rule"), "as its error"),
    "RemedyNeed.accountId": "no account link here would carry what is missing; tests/rules/test_remedies.py has one",
    "AddressValidation.problems": "the address asked about has none",
    "AddressValidation.suggestedAddresses": "the address asked about has none",
    **dict.fromkeys((f"AddressProblem.{name}" for name in ("code", "message", "number", "field")), "as its problems"),
    "IssueAccessTokenPayload.secret": "a dry run makes no secret",
    "ClientLinksPayload.userErrors": "its items have their own",
    "IssueAccessTokenPayload.userErrors": "anybody may issue tokens to himself",
    "RevokeAccessTokenPayload.userErrors": "anybody may revoke his own",
    **{one: "a dry run has no revision" for one in FIELDS if one.endswith("Payload.revision")},
}
"""Fields with nothing to tell in this company, and why."""


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Findings]:
    """The company on SQLite, on which every cell is looked at."""
    database = Database.open(migrated(SqliteDatabases(tmp_path_factory.mktemp("matrix"))))
    yield Findings(database)
    database.close()


@pytest.fixture(scope="module")
def findings_on_each(databases: Databases, migrated_url: str) -> Iterator[Findings]:
    """The company on each kind of database."""
    url = databases.copy_of(migrated_url)
    database = Database.open(url)
    yield Findings(database)
    database.close()
    databases.drop(url)


def test_every_field_of_the_schema_has_a_right_and_every_right_a_field() -> None:
    assert sorted(FIELDS - RIGHTS.keys()) == [], "say in tests/matrix/rights.py what right it takes"
    assert sorted(RIGHTS.keys() - FIELDS) == [], "there is no such field"


def test_every_right_has_a_meaning() -> None:
    assert {right for right in RIGHTS.values() if not right.startswith("HOLDS ")} == MEANING.keys()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("field", sorted(RIGHTS))
def test_what_should_be_hidden_is_hidden_and_what_should_be_seen_is_seen(
    findings: Findings, field: str, role: str
) -> None:
    assert findings.wrong(field, [caller for caller in EVERYBODY if caller.role == role]) == []


def test_every_field_has_something_to_tell_to_somebody(findings: Findings) -> None:
    for caller in EVERYBODY:
        findings.of(caller)
    assert sorted(RIGHTS.keys() - findings.told) == sorted(SILENT_HERE)


@pytest.mark.parametrize("way", WAYS)
def test_it_is_so_on_each_kind_of_database(findings_on_each: Findings, way: str) -> None:
    for caller in CALLERS:
        if caller.way == way and caller.role in ("VIEWER", "STANDARD"):
            assert dict(findings_on_each.of(caller)) == {}


# Hidden is missing


@pytest.mark.parametrize("role", ["VIEWER", "STANDARD"])
@pytest.mark.parametrize("way", WAYS)
def test_whatever_is_hidden_by_a_way_is_answered_like_what_is_not_there(
    findings: Findings, way: str, role: str
) -> None:
    [caller] = [one for one in CALLERS if (one.way, one.role) == (way, role)]
    seer = Seer(findings.everything, caller)
    client = GraphClient(findings.database, caller.login, world=findings.shown.world)
    seen = next(one for one in seer.truths if seer.views(one))
    target = f"{'ManagerAccount' if seen.kind == MANAGER else 'AdAccount'}:{seen.id}"
    world = findings.shown.world
    numbers = [*of.MANAGERS, *of.ADS, *of.INVITATIONS, *(user.id for user in world.users)]
    numbers += [link.id for link in links_of(world)]
    hidden = [one for one in numbers if not seer.sees((kind_of(one), one)) and one not in seer.homes]
    assert {kind_of(one) for one in hidden} >= {"ManagerAccount", "AdAccount", "User", "ClientLink"}
    named = {end for link in links_of(world) if seer.sees_link(link.id) for end in (link.managing, link.client)}
    for place in PLACES:
        if place.parent != "Query":
            continue
        for kind in place.kinds:
            hidden_here = [number for number in hidden if kind_of(number) == kind]
            if place.field == "clientLinks":
                # A link one sees names its ends, and can be found by them.
                hidden_here = [number for number in hidden_here if number not in named]
            missing = _answer(client, place, of.MISSING[hidden_here[0] // 10_000 * 10_000], target)
            assert {_answer(client, place, number, target) for number in hidden_here} == {missing}, (place, kind)


def _answer(client: GraphClient, place: Place, number: int, target: str) -> str:
    spelled = f"{kind_of(number)}:{number}" if len(place.kinds) > 1 else str(number)
    answer = client.ask_once(place.document("%s", target), {"id": spelled})
    return json.dumps(answer).replace(str(number), "#")


# Tokens that open half of it

ON = f'target: "AdAccount:{of.FULL}"'
REQUIRED = {
    **dict.fromkeys(("node", "user", "managerAccount", "adAccount", "clientLink"), '(id: "1")'),
    "nodes": '(ids: ["1"])',
    "find": '(prefix: "")',
    "invitations": f'(filter: {{ customerId: "{of.HERE}" }})',
    "check": f"(capability: VIEW, {ON})",
    "checkMany": f"(checks: [{{ capability: VIEW, {ON} }}])",
    "access": f"({ON})",
    "validateAddress": '(address: { line1: "1 Main Street", city: "Redmond", countryCode: "US" })',
}
"""Arguments without which a field of the root cannot be asked for."""


def viewer_with(scope: TokenScope) -> Viewer:
    """Who sees everything, with a token for one thing."""
    return Viewer(LoginId(of.REFERENCE.login or 0), "someone@user.example", scopes=frozenset({scope}))


@pytest.mark.parametrize("field", sorted(one.partition(".")[2] for one in RIGHTS if one.startswith("Query.")))
def test_a_token_that_may_only_write_reads_no_field(findings: Findings, field: str) -> None:
    required = REQUIRED.get(field, "")
    text = f"{{ {field}{required} {{ __typename }} }}"
    with findings.database.read() as tx:
        answer = ENGINE.execute(text, None, None, Session(tx, viewer_with(TokenScope.WRITE), Instant(NOW_MS)))
    refused_as_missing_a_scope(answer, "READ")


@pytest.mark.parametrize("name", sorted(writes(1)))
def test_a_token_that_may_only_read_carries_out_no_mutation(findings: Findings, name: str) -> None:
    text = f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ __typename }} }}"

    class Begin:
        def __enter__(self) -> WriteSession:
            self.context = findings.database.write()
            return WriteSession(self.context.__enter__(), viewer_with(TokenScope.READ), Instant(NOW_MS))

        def __exit__(self, *problem: Any) -> None:
            self.context.__exit__(*problem)

    answer = ENGINE.execute(text, {"input": writes(1)[name]}, None, None, begin_write=Begin)
    refused_as_missing_a_scope(answer, "WRITE")


def test_every_mutation_has_a_call() -> None:
    assert writes(1).keys() == {one.partition(".")[2] for one in RIGHTS if one.startswith("Mutation.")}


def refused_as_missing_a_scope(answer: dict[str, Any], scope: str) -> None:
    """The whole answer is one refusal with the documented number."""
    [error] = answer["errors"]
    assert (error["extensions"]["code"], error["extensions"]["number"]) == ("FORBIDDEN", 106)
    assert f"the scope {scope}" in error["message"]
    assert set((answer["data"] or {"": None}).values()) == {None}
