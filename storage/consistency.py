"""Does the store agree with itself? What no constraint of the database can hold, checked on demand.

Reads whole tables: for tests, for support, never for a request.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from storage.database import Transaction

_PERIODS: tuple[tuple[str, str, str, str], ...] = (
    ("manager_account", "manager_account_period", "manager_account_id", "status"),
    ("login", "login_period", "login_id", "status"),
    ("app_user", "user_period", "user_id", "login_id, is_original, status"),
    ("ad_account", "ad_account_period", "ad_account_id", "manager_account_id, status"),
    ("client_link", "client_link_period", "client_link_id", "status"),
)
"""Table, its periods, whose they are, and the columns both must agree on."""

_RULES: dict[str, str] = {
    "assignment {0} lists ad accounts although its scope does not": """
        SELECT DISTINCT a.id FROM assignment a JOIN assignment_ad_account l ON l.assignment_id = a.id
        WHERE a.scope <> 'ONLY_ACCOUNTS'""",
    "assignment {0} lists manager accounts although its scope does not": """
        SELECT DISTINCT a.id FROM assignment a JOIN assignment_manager_account l ON l.assignment_id = a.id
        WHERE a.scope <> 'ONLY_LINKED_ENTITIES'""",
    "assignment {0} is in another manager account than its user": """
        SELECT a.id FROM assignment a JOIN app_user u ON u.id = a.user_id
        WHERE a.manager_account_id <> u.manager_account_id""",
    "invitation {0} lists ad accounts although its scope does not": """
        SELECT DISTINCT i.id FROM user_invitation i
        JOIN user_invitation_ad_account l ON l.user_invitation_id = i.id WHERE i.scope <> 'ONLY_ACCOUNTS'""",
    "user {0} belongs to a merged login": """
        SELECT u.id FROM app_user u JOIN login l ON l.id = u.login_id WHERE l.status = 'MERGED'""",
    "link {0} follows a link of another pair": """
        SELECT n.id FROM client_link n JOIN client_link p ON p.id = n.previous_id
        WHERE n.managing_id <> p.managing_id OR n.type <> p.type
           OR coalesce(n.client_manager_account_id, 0) <> coalesce(p.client_manager_account_id, 0)
           OR coalesce(n.client_ad_account_id, 0) <> coalesce(p.client_ad_account_id, 0)""",
    "link {0} follows a link that has not ended": """
        SELECT n.id FROM client_link n JOIN client_link p ON p.id = n.previous_id
        WHERE p.status NOT IN
          ('LINK_CANCELED', 'LINK_DECLINED', 'LINK_EXPIRED', 'LINK_FAILED', 'INACTIVE')""",
    "link {0} is one of several first links of its pair": """
        SELECT l.id FROM client_link l JOIN client_link o ON o.id <> l.id AND o.managing_id = l.managing_id
          AND o.type = l.type AND o.previous_id IS NULL
          AND (o.client_manager_account_id = l.client_manager_account_id
               OR o.client_ad_account_id = l.client_ad_account_id)
        WHERE l.previous_id IS NULL""",
    "link {0} leads to an ad account of its own manager account": """
        SELECT l.id FROM client_link l JOIN ad_account a ON a.id = l.client_ad_account_id
        WHERE a.manager_account_id = l.managing_id""",
}
"""A sentence, and the query that selects what breaks it."""


class _Period(NamedTuple):
    subject: int
    began: int
    ended: int | None


def read_inconsistencies(transaction: Transaction) -> list[str]:
    """One sentence for each disagreement; empty when all is well.

    Checked: the open period of everything that has a history equals its current columns; each history has
    exactly one open period, no gap and no overlap; scopes, merged logins and generations of links hold together.
    """
    found: list[str] = []
    for table, periods, subject, columns in _PERIODS:
        found.extend(_without_open_period(transaction, table, periods, subject, columns))
        found.extend(_broken_histories(transaction, periods, subject))
    for sentence, query in _RULES.items():
        found.extend(sentence.format(id_) for (id_,) in transaction.execute(query).fetchall())
    return found


def _without_open_period(transaction: Transaction, table: str, periods: str, subject: str, columns: str) -> list[str]:
    # Names are the constants above; none comes from outside.
    current = f"SELECT id, {columns} FROM {table}"  # noqa: S608
    recorded = f"SELECT {subject}, {columns} FROM {periods} WHERE ended_revision_id IS NULL"  # noqa: S608
    rows = transaction.execute(f"{current} EXCEPT {recorded}").fetchall()
    return [f"{table} {row[0]} differs from its open period" for row in rows]


def _broken_histories(transaction: Transaction, periods: str, subject: str) -> Iterator[str]:
    query = f"SELECT {subject}, began_revision_id, ended_revision_id FROM {periods} ORDER BY {subject}, id"  # noqa: S608
    rows: Iterator[Any] = map(_Period._make, transaction.execute(query).fetchall())
    for id_, history in groupby(rows, key=itemgetter(0)):
        listed = list(history)
        if any(before.ended != after.began for before, after in pairwise(listed)):
            yield f"{periods} of {id_} has a gap or an overlap"
        if listed[-1].ended is not None:
            yield f"{periods} of {id_} has no open period"
        if any(period.ended is not None and period.ended < period.began for period in listed):
            yield f"{periods} of {id_} ends before it begins"
