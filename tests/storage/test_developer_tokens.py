"""Developer tokens as stored, on both databases: found by digest, listed with their newest secret, rotated, revoked."""

from __future__ import annotations

import pytest

from storage.database import Database
from storage.developer_tokens import (
    PREFIX,
    DeveloperTokenState,
    IssuedDeveloperToken,
    find_developer_token,
    issue_developer_token,
    read_developer_token,
    read_developer_tokens,
    revoke_developer_token,
    rotate_developer_token,
    touch_developer_token,
)
from storage.errors import ConstraintBroken
from storage.records.ids import DeveloperTokenId, LoginId
from tests.storage.small_world import L1, NOW_MS, write_small_world

DAY_MS = 86_400_000
GOOD, WRONG, REVOKED, EXPIRED = DeveloperTokenState


@pytest.fixture
def world(database: Database) -> Database:
    write_small_world(database)
    return database


def issue(database: Database, login: LoginId | None = None) -> IssuedDeveloperToken:
    with database.write() as transaction:
        return issue_developer_token(
            transaction, label="app", login_id=login, now_ms=NOW_MS, expires_at_ms=NOW_MS + DAY_MS
        )


def rotate(database: Database, key: DeveloperTokenId, grace_ms: int) -> IssuedDeveloperToken:
    with database.write() as transaction:
        return rotate_developer_token(
            transaction, key, now_ms=NOW_MS, expires_at_ms=NOW_MS + 9 * DAY_MS, old_until_ms=NOW_MS + grace_ms
        )


def state(database: Database, token: str, now_ms: int = NOW_MS) -> DeveloperTokenState:
    with database.read() as transaction:
        return find_developer_token(transaction, token, now_ms).state


def test_a_token_names_the_login_it_is_for_or_none(world: Database) -> None:
    universal, single = issue(world), issue(world, L1)
    with world.read() as transaction:
        assert find_developer_token(transaction, universal.token, NOW_MS) == (GOOD, universal.id, None, None)
        assert find_developer_token(transaction, single.token, NOW_MS) == (GOOD, single.id, L1, None)
        assert transaction.statements == 2


def test_it_is_good_up_to_its_last_millisecond(world: Database) -> None:
    token = issue(world).token
    assert token.startswith(PREFIX)
    assert state(world, token, NOW_MS + DAY_MS - 1) is GOOD
    assert state(world, token, NOW_MS + DAY_MS) is EXPIRED


@pytest.mark.parametrize("change", ["", "adgdev_", "adg_x", "\ud800", "adgdev_\ud800", "adgdev_" + "A" * 43])
def test_what_was_never_issued_is_wrong(world: Database, change: str) -> None:
    issue(world)
    assert state(world, change) is WRONG


def test_each_rotation_ends_all_secrets_before_it_at_the_end_of_its_grace(world: Database) -> None:
    first = issue(world)
    second = rotate(world, first.id, 60_000)
    third = rotate(world, first.id, 30_000)
    for token, ends in ((first, 30_000), (second, 30_000), (third, 9 * DAY_MS)):
        assert token.id == first.id
        assert state(world, token.token, NOW_MS + ends - 1) is GOOD
        assert state(world, token.token, NOW_MS + ends) is EXPIRED


def test_without_grace_the_old_secret_ends_at_once(world: Database) -> None:
    first = issue(world)
    rotate(world, first.id, 0)
    assert state(world, first.token) is EXPIRED


def test_a_list_shows_every_token_once_with_its_newest_secret(world: Database) -> None:
    universal, single = issue(world), issue(world, L1)
    rotate(world, universal.id, 60_000)
    with world.write() as transaction:
        revoke_developer_token(transaction, single.id, NOW_MS + 5)
        touch_developer_token(transaction, universal.id, NOW_MS + 9)
        touch_developer_token(transaction, universal.id, NOW_MS + 7)
    with world.read() as transaction:
        rows = read_developer_tokens(transaction)
        assert [tuple(row) for row in rows] == [
            (universal.id, "app", None, None, NOW_MS, None, NOW_MS + 9, NOW_MS + 9 * DAY_MS),
            (single.id, "app", L1, "one@contoso.example", NOW_MS, NOW_MS + 5, None, NOW_MS + DAY_MS),
        ]
        assert read_developer_token(transaction, single.id) == rows[1]
        assert read_developer_token(transaction, DeveloperTokenId(404)) is None
    assert [row.state(NOW_MS) for row in rows] == [GOOD, REVOKED]
    assert rows[0].state(NOW_MS + 9 * DAY_MS) is EXPIRED


def test_a_token_for_nobody_is_refused(world: Database) -> None:
    with pytest.raises(ConstraintBroken):
        issue(world, LoginId(404))
    with pytest.raises(ConstraintBroken):
        rotate(world, DeveloperTokenId(404), 0)
