"""Tokens: found by what is kept of them, and worth exactly what their past says."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from storage.database import Database
from storage.errors import ConstraintBroken
from storage.records.ids import AccessTokenId, LoginId
from storage.records.values import TokenScope
from storage.tokens import (
    PREFIX,
    TOUCH_INTERVAL_MS,
    FoundToken,
    IssuedToken,
    NewToken,
    TokenRow,
    TokenState,
    count_live_tokens,
    count_tokens,
    find_token,
    is_due_for_touch,
    issue_token,
    read_tokens,
    revoke_token,
    touch_token,
)
from storage.writes import write_logins_merged
from tests.storage.small_world import L1, L2, NOW_MS, a_revision, write_small_world

DAY_MS = 86_400_000
READ, WRITE, ADMIN = TokenScope


@pytest.fixture
def world(database: Database) -> Database:
    write_small_world(database)
    return database


def issue(
    database: Database,
    login: LoginId = L1,
    scopes: Collection[TokenScope] = (TokenScope.READ, TokenScope.WRITE),
    issued_by: AccessTokenId | None = None,
) -> IssuedToken:
    with database.write() as transaction:
        return issue_token(
            transaction, NewToken(login, "laptop", frozenset(scopes), NOW_MS + DAY_MS, issued_by), NOW_MS
        )


def find(database: Database, token: str, now_ms: int = NOW_MS) -> FoundToken:
    with database.read() as transaction:
        return find_token(transaction, token, now_ms)


def row_of(found: FoundToken) -> TokenRow:
    assert found.row is not None
    return found.row


def test_a_token_names_its_login(world: Database) -> None:
    issued = issue(world)
    state, row = find(world, issued.token)
    assert state is TokenState.GOOD
    assert row is not None
    assert tuple(row) == (
        issued.id, L1, "one@contoso.example", "ACTIVE", "laptop", "READ WRITE", None,
        NOW_MS, NOW_MS + DAY_MS, None, None,
    )  # fmt: skip


def test_tokens_are_long_random_and_recognisable(world: Database) -> None:
    tokens = {issue(world).token for _ in range(20)}
    assert len(tokens) == 20
    assert all(token.startswith(PREFIX) and len(token) == len(PREFIX) + 43 for token in tokens)


def test_nothing_kept_gives_a_token_away(world: Database) -> None:
    issued = issue(world)
    with world.read() as transaction:
        [kept] = transaction.execute("SELECT * FROM access_token").fetchall()
    secret = issued.token.removeprefix(PREFIX)
    assert all(secret.encode() not in bytes(value) for value in kept if isinstance(value, bytes | memoryview))
    assert all(secret not in str(value) for value in kept)


@pytest.mark.parametrize("change", ["", "x", "adg_", "adg_x", "\ud800", "adg_\ud800", "adg_" + "A" * 43])
def test_what_was_never_issued_is_wrong(world: Database, change: str) -> None:
    issue(world)
    assert find(world, change) == FoundToken(TokenState.WRONG, None)


def test_a_token_with_one_character_changed_is_wrong(world: Database) -> None:
    token = issue(world).token
    for position in range(len(PREFIX), len(token)):
        other = "B" if token[position] == "A" else "A"
        assert find(world, token[:position] + other + token[position + 1 :]).state is TokenState.WRONG
    assert find(world, token.swapcase()).state is TokenState.WRONG
    assert find(world, token + " ").state is TokenState.WRONG


def test_a_token_is_good_up_to_its_last_millisecond(world: Database) -> None:
    issued = issue(world)
    assert find(world, issued.token, issued.expires_at_ms - 1).state is TokenState.GOOD
    assert find(world, issued.token, issued.expires_at_ms).state is TokenState.EXPIRED


def test_a_revoked_token_stays_revoked_from_the_first_time(world: Database) -> None:
    issued = issue(world)
    with world.write() as transaction:
        assert revoke_token(transaction, issued.id, NOW_MS + 5) == [issued.id]
        assert revoke_token(transaction, issued.id, NOW_MS + 9) == []
        assert revoke_token(transaction, 404, NOW_MS) == []
    found = find(world, issued.token, NOW_MS + 2 * DAY_MS)
    assert found.state is TokenState.REVOKED
    assert row_of(found).revoked_at_ms == NOW_MS + 5


def test_a_good_token_of_a_merged_login_is_told_apart(world: Database) -> None:
    issued, other = issue(world, L2), issue(world, L1)
    with world.write() as transaction:
        write_logins_merged(transaction, a_revision(transaction), [L2], L1)
    assert find(world, issued.token).state is TokenState.LOGIN_MERGED
    assert find(world, other.token).state is TokenState.GOOD


def test_a_token_for_nobody_is_refused(world: Database) -> None:
    with pytest.raises(ConstraintBroken):
        issue(world, LoginId(404))


def test_use_is_noted_at_most_once_a_minute_and_never_backwards(world: Database) -> None:
    issued = issue(world)
    assert is_due_for_touch(row_of(find(world, issued.token)).last_used_at_ms, NOW_MS)
    with world.write() as transaction:
        touch_token(transaction, issued.id, NOW_MS + 100)
        touch_token(transaction, issued.id, NOW_MS + 50)
    row = row_of(find(world, issued.token))
    assert row.last_used_at_ms == NOW_MS + 100
    assert not is_due_for_touch(row.last_used_at_ms, NOW_MS + 99 + TOUCH_INTERVAL_MS)
    assert is_due_for_touch(row.last_used_at_ms, NOW_MS + 100 + TOUCH_INTERVAL_MS)


def test_the_tokens_of_a_login_are_listed_oldest_first(world: Database) -> None:
    mine = [issue(world).id, issue(world).id]
    issue(world, L2)
    with world.read() as transaction:
        assert [row.id for row in read_tokens(transaction, L1)] == mine


def test_finding_costs_one_statement_and_rubbish_none(world: Database) -> None:
    issued = issue(world)
    with world.read() as transaction:
        find_token(transaction, issued.token, NOW_MS)
        assert transaction.statements == 1
        find_token(transaction, "rubbish", NOW_MS)
        assert transaction.statements == 1


@pytest.mark.parametrize(
    "scopes", [{READ}, {WRITE}, {ADMIN}, {READ, WRITE}, {READ, ADMIN}, {WRITE, ADMIN}, {READ, WRITE, ADMIN}]
)
def test_a_token_keeps_its_scopes(world: Database, scopes: set[TokenScope]) -> None:
    assert row_of(find(world, issue(world, scopes=scopes).token)).scopes == scopes


def test_a_token_without_scopes_is_refused(world: Database) -> None:
    with pytest.raises(ConstraintBroken):
        issue(world, scopes=())


def test_with_a_token_end_those_that_were_issued_with_it_and_no_others(world: Database) -> None:
    parent, other = issue(world), issue(world)
    child = issue(world, issued_by=parent.id)
    grandchildren = [issue(world, issued_by=child.id) for _ in range(2)]
    with world.write() as transaction:
        ended = revoke_token(transaction, parent.id, NOW_MS + 5)
    assert ended == [parent.id, child.id, *(one.id for one in grandchildren)]
    for one in (parent, child, *grandchildren):
        assert find(world, one.token).state is TokenState.REVOKED
    assert find(world, other.token).state is TokenState.GOOD


def test_live_tokens_are_those_neither_revoked_nor_expired(world: Database) -> None:
    first = issue(world)
    issue(world)
    issue(world, L2)
    with world.write() as transaction:
        assert count_live_tokens(transaction, L1, NOW_MS + DAY_MS - 1) == 2
        assert count_live_tokens(transaction, L1, NOW_MS + DAY_MS) == 0
        revoke_token(transaction, first.id, NOW_MS)
        assert count_live_tokens(transaction, L1, NOW_MS) == 1
        assert count_tokens(transaction, L1) == 2
