"""What a login may be called."""

from __future__ import annotations

from resolvers.rules.problems import Problem
from resolvers.rules.user_fields import is_printable
from resolvers.rules.write_codes import WriteCode

LONGEST_LOGIN_NAME = 100
"""As long as an e-mail address may be here: most logins are named by one."""


def is_login_name(text: str) -> bool:
    """Whether a login can be called this. Names are exact: case counts, and so would a blank at an end.

    >>> is_login_name("kim@user.example"), is_login_name(" kim"), is_login_name("")
    (True, False, False)
    """
    return 1 <= len(text) <= LONGEST_LOGIN_NAME and text == text.strip() and is_printable(text)


def problems_of_login_name(text: str, *field: str) -> list[Problem]:
    """What is wrong with the name of a new login."""
    if is_login_name(text):
        return []
    if not text.strip():
        return [Problem(WriteCode.NULL_PARAMETER, field, f"`{field[-1]}` must not be empty.")]
    message = (
        f"`{field[-1]}` has 1 to {LONGEST_LOGIN_NAME} characters, no blanks at its ends and no control characters: most"
        " logins are named by an e-mail address."
    )
    return [Problem(WriteCode.BAD_USER_INPUT, field, message)]
