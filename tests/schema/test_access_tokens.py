"""Access tokens by mutation, for oneself: never more than the token they are asked for with, and shown once."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.rules.access_tokens import (
    DAY_MS,
    DEFAULT_LIFETIME_DAYS,
    LONGEST_LABEL,
    LONGEST_LIFETIME_DAYS,
    MOST_LIVE_TOKENS,
    AskedToken,
    Issuer,
    expiry_of,
    problems_of_asked_token,
)
from resolvers.session import Limits, Session, Viewer
from resolvers.writing import WriteSession
from storage.database import Database
from storage.records.ids import AccessTokenId, Instant, LoginId
from storage.records.values import TokenScope
from storage.tokens import IssuedToken, NewToken, TokenState, find_token, issue_token, revoke_token
from tests.builders import a_role, a_user, a_world
from tests.schema.client import COMPILED
from tests.schema.write_client import NOW_MS, Writer, dump
from tests.stored_worlds import write_world

ADA, BEN = LoginId(1), LoginId(2)
READ, WRITE, ADMIN = TokenScope
YEAR_MS = 365 * DAY_MS
PLAIN = "tokenId label scopes createdAt expiresAt lastUsedAt revokedAt issuedByTokenId"
SHOWN = f"secret secretWithheld accessToken {{ {PLAIN} }}"
LOG = "auditLog { nodes { operation actor before after reason } }"
LISTED = f"{{ viewer {{ accessTokens {{ totalCount hiddenCount nodes {{ {PLAIN} {LOG} }} }} }} }}"


class Holder(Writer):
    """Asks and writes with a token."""

    def __init__(
        self,
        database: Database,
        login: LoginId,
        token: IssuedToken,
        scopes: frozenset[TokenScope],
        now_ms: int = NOW_MS,
    ) -> None:
        super().__init__(database, int(login), now_ms)
        self.token = token
        self.viewer = Viewer(
            login,
            f"user{login}@adventure.example",
            scopes=scopes,
            token_id=token.id,
            token_expires_at=Instant(token.expires_at_ms),
        )

    @contextmanager
    def begin(self) -> Iterator[WriteSession]:
        with self.database.write() as transaction:
            yield WriteSession(transaction, self.viewer, Instant(self.now_ms), Limits())

    def issue(self, **given: Any) -> Any:
        """The payload of a token issued."""
        return self.done("issueAccessToken", {"label": "sync", "scopes": ["READ"], **given}, SHOWN)

    def tokens(self) -> Any:
        """The viewer's tokens as listed."""
        with self.database.read() as transaction:
            session = Session(transaction, self.viewer, Instant(self.now_ms))
            return COMPILED.execute(LISTED, None, None, session)["data"]["viewer"]["accessTokens"]


@pytest.fixture
def company(database: Database) -> Database:
    """Two people of one company."""
    world = a_world(
        a_user(1, of=1, login=1),
        a_user(2, of=1, login=2),
        a_role("SUPER_ADMIN", at=1, user=1, id=1),
        a_role("VIEWER", at=1, user=2, id=2),
    )
    with database.write() as transaction:
        write_world(transaction, world)
    return database


def a_holder(
    database: Database,
    login: LoginId = ADA,
    *,
    scopes: tuple[TokenScope, ...] = (READ, WRITE),
    lifetime_ms: int = YEAR_MS,
) -> Holder:
    """Somebody with a token an operator issued."""
    with database.write() as transaction:
        new = NewToken(login, "from the operator", frozenset(scopes), NOW_MS + lifetime_ms)
        return Holder(database, login, issue_token(transaction, new, NOW_MS), frozenset(scopes))


def worth(database: Database, token: str, now_ms: int = NOW_MS) -> TokenState:
    """What a token is worth."""
    with database.read() as transaction:
        return find_token(transaction, token, now_ms).state


# Issued


def test_an_issued_token_is_good_and_as_it_was_asked_for(company: Database) -> None:
    ada = a_holder(company)
    payload = ada.issue(label="  nightly sync ", scopes=["WRITE", "READ", "READ"], lifetimeDays=30)
    assert payload["secretWithheld"] is None
    with company.read() as transaction:
        state, row = find_token(transaction, payload["secret"], NOW_MS)
    assert state is TokenState.GOOD
    assert row is not None
    assert (row.login_id, row.label, row.scopes) == (ADA, "nightly sync", frozenset({READ, WRITE}))
    assert row.expires_at_ms == NOW_MS + 30 * DAY_MS
    assert payload["accessToken"].items() <= ada.tokens()["nodes"][0].items()
    assert payload["accessToken"]["issuedByTokenId"] == str(ada.token.id)
    assert payload["revision"] is not None


def test_the_secret_is_in_the_answer_and_nowhere_else(company: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ada = a_holder(company)
    secret = ada.issue(requestId="once")["secret"]
    kept = json.dumps(dump(company))
    assert '"once"' in kept or "once" in kept
    assert secret not in kept
    assert secret.removeprefix("adg_") not in kept + caplog.text + json.dumps(ada.tokens())


def test_a_repeat_says_that_the_secret_was_told_before(company: Database) -> None:
    ada = a_holder(company)
    first = ada.issue(requestId="once")
    written = dump(company)
    again = ada.issue(requestId="once")
    assert dump(company) == written
    assert again["secret"] is None
    assert f"revoke token {first['accessToken']['tokenId']}" in again["secretWithheld"]
    assert again["accessToken"] == first["accessToken"]


def test_a_dry_run_tells_no_secret_and_keeps_nothing(company: Database) -> None:
    ada = a_holder(company)
    before = dump(company)
    payload = ada.issue(dryRun=True)
    assert payload["secret"] is None
    assert "dry run" in payload["secretWithheld"]
    assert dump(company) == before


def test_a_refusal_tells_no_secret_and_needs_no_reason_for_it(company: Database) -> None:
    payload = a_holder(company).payload("issueAccessToken", {"label": " ", "scopes": ["READ"]}, SHOWN)
    assert payload["userErrors"]
    assert (payload["secret"], payload["secretWithheld"], payload["accessToken"]) == (None, None, None)


@pytest.mark.parametrize(
    ("given", "code", "number", "field"),
    [
        ({"label": ""}, "NULL_PARAMETER", 203, "label"),
        ({"label": "x" * (LONGEST_LABEL + 1)}, "NAME_TOO_LONG", 211, "label"),
        ({"label": "a\nb"}, "BAD_USER_INPUT", 201, "label"),
        ({"scopes": []}, "LIST_NULL_OR_EMPTY", 3087, "scopes"),
        ({"scopes": ["READ", "ADMIN"]}, "TOKEN_SCOPE_EXCEEDED", 106, "scopes"),
        ({"lifetimeDays": 0}, "BAD_USER_INPUT", 201, "lifetimeDays"),
        ({"lifetimeDays": -1}, "BAD_USER_INPUT", 201, "lifetimeDays"),
        ({"lifetimeDays": LONGEST_LIFETIME_DAYS + 1}, "BAD_USER_INPUT", 201, "lifetimeDays"),
        ({"lifetimeDays": 31}, "TOKEN_LIFETIME_EXCEEDED", 106, "lifetimeDays"),
    ],
    ids=str,
)
def test_what_speaks_against_a_token_is_told(
    company: Database, given: dict[str, Any], code: str, number: int, field: str
) -> None:
    ada = a_holder(company, lifetime_ms=30 * DAY_MS)
    error = ada.refused("issueAccessToken", {"label": "sync", "scopes": ["READ"]} | given)
    assert (error["code"], error["number"], error["field"]) == (code, number, [field])


@pytest.mark.parametrize(
    "given",
    [
        {"label": "x" * LONGEST_LABEL},
        {"lifetimeDays": 1},
        {"lifetimeDays": LONGEST_LIFETIME_DAYS},
        {"scopes": ["WRITE"]},
    ],
    ids=str,
)
def test_what_is_just_within_is_issued(company: Database, given: dict[str, Any]) -> None:
    assert a_holder(company).issue(**given)["secret"]


@pytest.mark.parametrize(
    ("own_days", "days"), [(10, 10), (DEFAULT_LIFETIME_DAYS, DEFAULT_LIFETIME_DAYS), (365, DEFAULT_LIFETIME_DAYS)]
)
def test_without_a_lifetime_a_token_ends_with_its_issuer_or_in_ninety_days(
    company: Database, own_days: int, days: int
) -> None:
    ada = a_holder(company, lifetime_ms=own_days * DAY_MS)
    secret = ada.issue()["secret"]
    assert worth(company, secret, NOW_MS + days * DAY_MS - 1) is TokenState.GOOD
    assert worth(company, secret, NOW_MS + days * DAY_MS) is TokenState.EXPIRED


def test_a_login_has_so_many_live_tokens_and_not_more(company: Database) -> None:
    ada, ben = a_holder(company), a_holder(company, BEN)
    issued = [ada.issue() for _ in range(MOST_LIVE_TOKENS - 1)]
    assert ada.refused("issueAccessToken", {"label": "x", "scopes": ["READ"]})["code"] == "TOO_MANY_TOKENS"
    assert ben.issue()["secret"]
    ada.done("revokeAccessToken", {"tokenId": issued[0]["accessToken"]["tokenId"]})
    assert ada.issue(lifetimeDays=1)["secret"]
    ada.refused("issueAccessToken", {"label": "x", "scopes": ["READ"]})
    ada.now_ms += DAY_MS
    assert ada.issue()["secret"], "an expired one counts no more"


@given(
    held=st.frozensets(st.sampled_from(TokenScope)),
    asked=st.lists(st.sampled_from(TokenScope), max_size=5),
    own_ms=st.integers(1, 800 * DAY_MS),
    days=st.none() | st.integers(-3, 400),
)
def test_what_is_issued_opens_no_more_and_lives_no_longer_than_what_it_is_issued_with(
    held: frozenset[TokenScope], asked: list[TokenScope], own_ms: int, days: int | None
) -> None:
    now = Instant(NOW_MS)
    issuer, wanted = Issuer(held, Instant(now + own_ms)), AskedToken("x", tuple(asked), days)
    if list(problems_of_asked_token(wanted, issuer, now)):
        assert not asked or not set(asked) <= held or days is not None
    else:
        assert set(asked) <= held
        assert now < expiry_of(wanted, issuer, now) <= issuer.expires_at


def test_no_chain_of_tokens_leads_to_more_than_the_first_one_had(company: Database) -> None:
    holder = a_holder(company, scopes=(READ, WRITE), lifetime_ms=40 * DAY_MS)
    until = holder.token.expires_at_ms
    for generation in range(1, 6):
        holder.now_ms = NOW_MS + generation * 5 * DAY_MS
        payload = holder.issue(scopes=["READ", "WRITE"])
        with company.read() as transaction:
            _, row = find_token(transaction, payload["secret"], holder.now_ms)
        assert row is not None
        assert row.scopes <= {READ, WRITE}
        assert row.expires_at_ms <= until
        token = IssuedToken(row.id, payload["secret"], row.expires_at_ms)
        holder = Holder(company, ADA, token, row.scopes, holder.now_ms)


# Revoked


def test_a_revoked_token_opens_nothing_and_neither_does_what_was_issued_with_it(company: Database) -> None:
    ada = a_holder(company)
    child = ada.issue(scopes=["READ", "WRITE"])
    child_token = IssuedToken(AccessTokenId(int(child["accessToken"]["tokenId"])), child["secret"], NOW_MS + DAY_MS)
    grandchild = Holder(company, ADA, child_token, frozenset({READ, WRITE})).issue()
    other = ada.issue()
    payload = ada.done(
        "revokeAccessToken",
        {"tokenId": child["accessToken"]["tokenId"]},
        "issuedTokensRevoked accessToken { revokedAt } revision",
    )
    assert payload["issuedTokensRevoked"] == 1
    assert payload["accessToken"]["revokedAt"] is not None
    for revoked in (child, grandchild):
        assert worth(company, revoked["secret"]) is TokenState.REVOKED
    assert worth(company, other["secret"]) is TokenState.GOOD


def test_one_may_revoke_the_token_one_asks_with(company: Database) -> None:
    ada = a_holder(company)
    ada.done("revokeAccessToken", {"tokenId": str(ada.token.id)})
    assert worth(company, ada.token.token) is TokenState.REVOKED


def test_a_token_that_was_revoked_meanwhile_issues_nothing(company: Database) -> None:
    ada = a_holder(company)
    with company.write() as transaction:
        revoke_token(transaction, ada.token.id, NOW_MS)
    before = dump(company)
    document = 'mutation { issueAccessToken(input: {label: "x", scopes: [READ]}) { secret } }'
    answer = ada.execute(document)
    assert answer["data"] == {"issueAccessToken": None}
    assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED", "number": 105}
    assert dump(company) == before


def test_where_no_token_was_shown_none_is_issued(company: Database) -> None:
    assert (
        Writer(company, 1).refused("issueAccessToken", {"label": "x", "scopes": ["READ"]})["code"] == "TOKEN_REQUIRED"
    )


def test_a_token_of_another_is_refused_as_one_that_is_not_there(company: Database) -> None:
    ada, ben = a_holder(company), a_holder(company, BEN)
    hidden = ben.refused("revokeAccessToken", {"tokenId": str(ada.token.id)})
    assert hidden == ben.refused("revokeAccessToken", {"tokenId": "987654"})
    assert hidden["number"] == 210
    assert worth(company, ada.token.token) is TokenState.GOOD


def test_a_token_is_revoked_once(company: Database) -> None:
    ada = a_holder(company)
    key = {"tokenId": ada.issue()["accessToken"]["tokenId"]}
    ada.done("revokeAccessToken", key)
    assert ada.refused("revokeAccessToken", key)["code"] == "TOKEN_REVOKED"


# Listed, and logged


def test_the_list_is_ones_own_newest_first_and_tells_no_secret(company: Database) -> None:
    ada, ben = a_holder(company), a_holder(company, BEN)
    first, second = ada.issue(label="first"), ada.issue(label="second", scopes=["WRITE", "READ"])
    ada.done("revokeAccessToken", {"tokenId": first["accessToken"]["tokenId"]})
    listed = ada.tokens()
    assert [node["label"] for node in listed["nodes"]] == ["second", "first", "from the operator"]
    assert (listed["totalCount"], listed["hiddenCount"]) == (3, 0)
    assert listed["nodes"][0]["scopes"] == ["READ", "WRITE"]
    assert [node["revokedAt"] is None for node in listed["nodes"]] == [True, False, True]
    for secret in (first["secret"], second["secret"], ada.token.token):
        assert secret.removeprefix("adg_") not in json.dumps(listed)
    assert [node["label"] for node in ben.tokens()["nodes"]] == ["from the operator"]


def test_every_write_to_a_token_is_in_its_log_without_the_secret(company: Database) -> None:
    ada = a_holder(company)
    child = ada.issue(label="child", reason="For the sync")
    ada.done("revokeAccessToken", {"tokenId": str(ada.token.id), "reason": "Laptop lost"})
    newest, parent = ada.tokens()["nodes"]
    assert [(entry["operation"], entry["reason"]) for entry in newest["auditLog"]["nodes"]] == [
        ("revokeAccessToken", "Laptop lost"),
        ("issueAccessToken", "For the sync"),
    ]
    assert [entry["operation"] for entry in parent["auditLog"]["nodes"]] == ["revokeAccessToken"]
    issued = newest["auditLog"]["nodes"][1]
    assert issued["actor"] == "user1@adventure.example"
    assert json.loads(issued["after"]) == {
        "expiresAt": NOW_MS + DEFAULT_LIFETIME_DAYS * DAY_MS,
        "issuedById": ada.token.id,
        "label": "child",
        "loginId": 1,
        "scopes": "READ",
    }
    assert child["secret"].removeprefix("adg_") not in json.dumps([newest, parent])


def test_the_list_costs_one_statement_a_page_and_one_for_all_logs(company: Database) -> None:
    ada = a_holder(company)
    costs = []
    for _ in range(2):
        for _ in range(5):
            ada.issue()
        with company.read() as transaction:
            COMPILED.execute(LISTED, None, None, Session(transaction, ada.viewer, Instant(NOW_MS)))
            costs.append(transaction.statements)
    assert costs[0] == costs[1]


def test_who_revokes_a_token_is_never_outrun_by_who_issues_another_one_with_it(company: Database) -> None:
    for _ in range(8):
        ada, other = a_holder(company), a_holder(company)
        start = Barrier(2)

        def issue(holder: Holder = ada, start: Barrier = start) -> Any:
            start.wait()
            return holder.execute('mutation { issueAccessToken(input: {label: "x", scopes: [READ]}) { secret } }')

        def revoke(holder: Holder = other, key: AccessTokenId = ada.token.id, start: Barrier = start) -> Any:
            start.wait()
            return holder.done("revokeAccessToken", {"tokenId": str(key)})

        with ThreadPoolExecutor(2) as pool:
            issued, revoked = pool.submit(issue), pool.submit(revoke)
            answer = issued.result()
            revoked.result()
        if "errors" in answer:
            assert answer["errors"][0]["extensions"]["number"] == 105
        else:
            assert worth(company, answer["data"]["issueAccessToken"]["secret"]) is TokenState.REVOKED
