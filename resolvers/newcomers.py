"""Somebody an issuer names who has no login here: the first act that lets him in makes one."""

from __future__ import annotations

from resolvers.rules.login_fields import LONGEST_LOGIN_NAME, is_login_name
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import WriteSession, refused
from storage.login_writes import begin_life_of_login, write_login
from storage.records.ids import LoginId


def login_of_caller(session: WriteSession, field: str) -> LoginId:
    """The viewer's login; a newcomer gets one under the name his issuer gives him. `field`: what lets him in.

    Raises: Refused for a name no login can have.
    """
    name = session.newcomer
    if name is None:
        return session.viewer.login_id
    if not is_login_name(name):
        raise refused(
            WriteCode.BAD_USER_INPUT,
            f"Your issuer gives you a name no login can have: it needs 1 to {LONGEST_LOGIN_NAME} printable characters"
            " without blanks at its ends. Ask whoever runs the issuer for another.",
            field,
        )
    login = write_login(session.transaction, name)
    session.admit(login)
    begin_life_of_login(session.transaction, session.stamp, login)
    session.note("Login", login, None, {"userName": name})
    return login
