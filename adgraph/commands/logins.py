"""What an operator does with logins: make one that has no users yet. What it may do, it is given by others."""

from __future__ import annotations

import orjson

from adgraph.commands.tokens import OperatorError
from resolvers.rules.login_fields import is_login_name, problems_of_login_name
from storage.audit import AuditNote, write_audit_entries
from storage.database import Database
from storage.login_writes import begin_life_of_login, write_login
from storage.reads.logins import read_login
from storage.writes import begin_revision, wait_for_turn

OPERATION = "makeLogin"


def make(database: Database, *, user_name: str, now_ms: int) -> None:
    """A new login of this name. Raises: OperatorError for a name that is taken, or that no login can have."""
    if not is_login_name(user_name):
        raise OperatorError(problems_of_login_name(user_name, "user")[0].message)
    with database.write() as transaction:
        wait_for_turn(transaction)
        if read_login(transaction, user_name) is not None:
            raise OperatorError(f"There is a login named {user_name} already; `adgraph token issue` lets it in.")
        login = write_login(transaction, user_name)
        stamp = begin_revision(transaction, operation=OPERATION, at_ms=now_ms)
        begin_life_of_login(transaction, stamp, login)
        made = AuditNote("Login", login, None, orjson.dumps({"userName": user_name}).decode())
        write_audit_entries(transaction, stamp, OPERATION, None, [made], None)
