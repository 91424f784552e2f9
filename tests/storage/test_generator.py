"""The generated data: the promised numbers, seeded, within the rules of what may be stored."""

from __future__ import annotations

import pytest

from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.errors import StorageFailure
from storage.generator import TREE_USER_NAME, Size, load_generated
from storage.migrate import migrate

SMALL = Size(manager_accounts=300, ad_accounts=1_500, users=600, account_links=100, trees=(10, 1_000))

BELOW = """
WITH RECURSIVE below (id, depth) AS (
    SELECT CAST({0} AS BIGINT), 1
    UNION SELECT l.client_manager_account_id, below.depth + 1 FROM client_link l
    JOIN below ON l.managing_id = below.id WHERE l.type = 'CUSTOMER_LINK'
)
SELECT max(depth), count(DISTINCT below.id), count(DISTINCT a.id) FROM below
LEFT JOIN ad_account a ON a.manager_account_id = below.id
"""


def one(database: Database, sql: str) -> tuple[int, ...]:
    with database.read() as transaction:
        [row] = transaction.execute(sql).fetchall()
        return tuple(row)


def test_it_holds_what_was_asked_for(database: Database) -> None:
    told: list[tuple[str, int, int]] = []
    generated = load_generated(database, SMALL, progress=lambda *step: told.append(step))
    with database.read() as transaction:
        assert read_inconsistencies(transaction) == []
    assert one(database, "SELECT count(*) FROM ad_account WHERE id <= 1500") == (1_500,)
    assert one(database, "SELECT count(*) FROM app_user WHERE id <= 600") == (600,)
    assert one(database, "SELECT count(*) FROM client_link WHERE type = 'ACCOUNT_LINK'") == (100,)
    assert {step[0] for step in told if step[1] == step[2]} == {
        "manager accounts", "ad accounts", "logins", "users", "assignments", "customer links", "account links", "trees"
    }  # fmt: skip
    assert generated.roots == {10: 900_001, 1_000: 910_001}


@pytest.mark.parametrize(("tree", "managers"), [(10, 5), (1_000, 31)])
def test_a_tree_has_five_levels_and_exactly_its_ad_accounts(database: Database, tree: int, managers: int) -> None:
    generated = load_generated(database, SMALL)
    assert one(database, BELOW.format(generated.roots[tree])) == (5, managers, tree)
    assert one(
        database,
        "SELECT count(*) FROM app_user u JOIN login l ON l.id = u.login_id JOIN assignment a ON a.user_id = u.id"
        f" WHERE l.user_name = '{TREE_USER_NAME}' AND a.role = 'SUPER_ADMIN'"
        f" AND u.manager_account_id = {generated.roots[tree]}",
    ) == (1,)


def test_the_forest_is_five_levels_deep_with_diamonds(database: Database) -> None:
    load_generated(database, SMALL)
    roots = range(1, 7)  # the first level: two in a hundred
    assert max(one(database, BELOW.format(root))[0] for root in roots) == 5
    diamonds = (
        "SELECT count(*) FROM (SELECT client_manager_account_id FROM client_link WHERE type = 'CUSTOMER_LINK'"
        " GROUP BY client_manager_account_id HAVING count(*) > 1) AS twice"
    )
    assert one(database, diamonds) > (0,)


def test_the_same_seed_gives_the_same_rows(tmp_path_factory: pytest.TempPathFactory) -> None:
    seen = []
    for seed in (7, 7, 8):
        database = Database.open(f"sqlite:///{tmp_path_factory.mktemp('generated')}/a.db")
        migrate(database)
        load_generated(database, SMALL, seed=seed)
        with database.read() as transaction:
            seen.append(transaction.execute("SELECT * FROM ad_account ORDER BY id").fetchall())
        database.close()
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]


def test_it_is_never_mixed_with_other_data(database: Database) -> None:
    load_generated(database, SMALL)
    with pytest.raises(StorageFailure, match="new, empty database"):
        load_generated(database, SMALL)


def test_a_scaled_size_keeps_the_proportions() -> None:
    scaled = Size().scaled(0.01)
    assert (scaled.manager_accounts, scaled.ad_accounts, scaled.users) == (200, 2_000, 500)
    assert scaled.trees == (10, 1_000, 10_000)
    assert Size().scaled(0.0001).trees == (10, 1_000)


def test_statistics_are_gathered_for_the_planner(database: Database) -> None:
    load_generated(database, SMALL)
    if database.kind == "sqlite":
        assert one(database, "SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'client_link'") > (0,)
    else:
        assert one(database, "SELECT reltuples::bigint FROM pg_class WHERE relname = 'ad_account'") == (2_510,)
