"""Writing logins one by one: made for somebody who has none, and their history begun."""

from __future__ import annotations

from storage.database import Transaction
from storage.models import Login, LoginPeriod
from storage.records.ids import LoginId
from storage.records.values import LoginStatus
from storage.writes import Stamp


def write_login(tx: Transaction, user_name: str) -> LoginId:
    """A new login without users, under an id of its own. Begin its life in the same transaction.

    It comes before the revision, so that somebody's first act can be signed with his login.
    Raises: ConstraintBroken when the name is taken.
    """
    row = {Login.user_name: user_name, Login.status: LoginStatus.ACTIVE}
    [(id_,)] = tx.run(Login.insert(row).returning(Login.id)).fetchall()
    return LoginId(id_)


def begin_life_of_login(tx: Transaction, stamp: Stamp, login: LoginId) -> None:
    """The first period of a new login."""
    tx.insert(LoginPeriod, ("login_id", "status", "began_revision_id"), [(login, LoginStatus.ACTIVE, stamp.id)])
