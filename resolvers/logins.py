"""Logins of one person made one (consolidation): a system administrator's act (rules P11, P12).

The surviving login keeps every User object with its id, roles and scopes; the others are refused with 120 from the
commit on. What describes the person differs until the next edit, which then follows on all users (`user_writes`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from resolvers.administrators import require_system_administrator
from resolvers.effects import Region
from resolvers.rules.login_fields import is_login_name
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import Refused, WriteSession, refused, user_error
from storage.reads.entities import read_users_of_logins
from storage.reads.logins import LoginRow, read_logins_named
from storage.records.ids import LoginId
from storage.records.rows import UserRow
from storage.records.values import LoginStatus, UserStatus
from storage.writes import write_logins_merged

KIND = "Login"
MOST_MERGED = 20
"""Logins one consolidation ends: more than any one person has, and few enough for one answer."""


@dataclass(frozen=True, slots=True)
class Consolidation:
    """Which logins become one, by their names."""

    primary: str
    merged: tuple[str, ...]


class LoginUser(NamedTuple):
    """A user of the surviving login, by ids alone; `came_from` names the login it belonged to before, if another."""

    user_id: int
    customer_id: int
    is_original: bool
    came_from: str | None


def consolidate_logins(session: WriteSession, order: Consolidation) -> Mapping[str, Any]:
    """Merge logins into one; all of them or none. Raises: Refused."""
    require_system_administrator(session)
    _require_shape(order)
    primary, *merged = _living(session, order)
    names = {login.id: login.user_name for login in (primary, *merged)}
    users = read_users_of_logins(session.transaction, list(names))
    everybody = sorted((user for rows in users.values() for user in rows), key=lambda user: user.user_id)
    _refuse_conflicts(everybody)
    session.concern(Region(users=frozenset(user.user_id for user in everybody)))
    write_logins_merged(session.transaction, session.stamp, [login.id for login in merged], primary.id)
    _note(session, primary, merged, everybody)
    session.forget()
    rows = [
        LoginUser(
            user.user_id,
            user.customer_id,
            user.is_original and user.login_id == primary.id,
            None if user.login_id == primary.id else names[user.login_id],
        )
        for user in everybody
    ]
    return {"login_id": primary.id, "user_name": primary.user_name, "users": [list(row) for row in rows]}


def _require_shape(order: Consolidation) -> None:
    field = "mergedLogins"
    if not order.merged:
        message = "Name at least one login to merge into the primary one."
        raise refused(WriteCode.LIST_NULL_OR_EMPTY, message, field)
    if len(order.merged) > MOST_MERGED:
        message = f"One consolidation merges at most {MOST_MERGED} logins, not {len(order.merged)}."
        raise refused(WriteCode.BATCH_SIZE_EXCEEDED, message, field)
    seen: set[str] = set()
    for position, name in enumerate(order.merged):
        where = (field, str(position))
        if name == order.primary:
            message = "A login cannot be merged into itself: leave the primary one out of this list."
            raise refused(WriteCode.LOGIN_MERGED_INTO_ITSELF, message, *where)
        if name in seen:
            raise refused(WriteCode.BAD_USER_INPUT, "The login is named twice; once is enough.", *where)
        seen.add(name)


def _living(session: WriteSession, order: Consolidation) -> Sequence[LoginRow]:
    """The logins named, the primary first. Raises: Refused with every one that is unknown or merged already."""
    wanted: dict[tuple[str, ...], str] = {("primaryLogin",): order.primary}
    wanted |= {("mergedLogins", str(position)): name for position, name in enumerate(order.merged)}
    # What nobody can be called need not be looked for, and could not be by every database.
    known = read_logins_named(session.transaction, [name for name in wanted.values() if is_login_name(name)])
    errors = []
    for field, name in wanted.items():
        login = known.get(name)
        if login is None:
            message = "No login has this name. Names are exact: case counts."
            errors.append(user_error(WriteCode.NOT_FOUND, message, field))
        elif login.status is not LoginStatus.ACTIVE:
            message = f"Login {name} was merged into login {login.merged_into_id} before, and stays so: name that one."
            errors.append(user_error(WriteCode.LOGIN_ALREADY_MERGED, message, field))
    if errors:
        raise Refused(*errors)
    return [known[name] for name in wanted.values()]


def _refuse_conflicts(users: Sequence[UserRow]) -> None:
    """A person is one user in a manager account, whatever became of that user. Raises: Refused."""
    by_place = sorted(users, key=lambda user: (user.customer_id, user.user_id))
    conflicts = []
    for customer, rows in groupby(by_place, key=lambda user: user.customer_id):
        here = list(rows)
        if len(here) > 1:
            conflicts.append(f"manager account {customer} ({', '.join(map(_described, here))})")
    if conflicts:
        raise refused(
            WriteCode.LOGINS_IN_CONFLICT,
            "A login has one user in a manager account at most, and these logins have several in"
            f" {'; '.join(conflicts)}. Nothing was merged: leave out all of them but one.",
            "mergedLogins",
        )


def _described(user: UserRow) -> str:
    gone = "" if user.status is UserStatus.ACTIVE else f", {user.status}"
    return f"user {user.user_id} of {user.user_name}{gone}"


def _note(session: WriteSession, primary: LoginRow, merged: Sequence[LoginRow], users: Sequence[UserRow]) -> None:
    """An entry for every login and user touched; the primary login's own users are as they were."""
    by_login: dict[LoginId, list[int]] = {login.id: [] for login in (primary, *merged)}
    for user in users:
        by_login[user.login_id].append(user.user_id)
    session.note(KIND, primary.id, {"users": by_login[primary.id]}, {"users": [user.user_id for user in users]})
    for login in merged:
        before = {"status": login.status, "mergedIntoLogin": None, "users": by_login[login.id]}
        after = {"status": LoginStatus.MERGED, "mergedIntoLogin": primary.user_name, "users": list[int]()}
        session.note(KIND, login.id, before, after)
    for user in users:
        if user.login_id != primary.id:
            was = {"userName": user.user_name, "isOriginal": user.is_original}
            session.note("User", user.user_id, was, {"userName": primary.user_name, "isOriginal": False})
