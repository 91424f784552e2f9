"""Whether a caller may still speak: his login lives, and the user he asks as is one of its own that may act.

Asked at the door for every request and again, among all writers, before every write: a login that was merged a
moment ago is refused whatever was under way.
"""

from __future__ import annotations

from resolvers.errors import Code, Refusal
from storage.database import Transaction
from storage.reads.logins import read_standing
from storage.records.ids import LoginId, UserId
from storage.records.values import LoginStatus, UserStatus

LOGIN_MERGED = 120
"""UserLoginAccessDenied."""
NOT_AUTHORIZED = 106
"""UserIsNotAuthorized: good credentials, and no right to what the request names."""


def login_merged() -> Refusal:
    """The login lives on in another one (rule P12)."""
    return Refusal(
        Code.UNAUTHENTICATED,
        "The login of this access token was merged into another one and may no longer be used. Sign in with the primary"
        " login.",
        number=LOGIN_MERGED,
        rule="P12",
    )


def not_your_user() -> Refusal:
    """The one answer for a user to ask as who is somebody else's, gone, unknown or no id at all."""
    return Refusal(
        Code.FORBIDDEN,
        "You can ask only as one of your own users that are ACTIVE: `viewer { users { userId } }` lists them. Leave"
        " `ActAs` out to ask as your login.",
        number=NOT_AUTHORIZED,
        rule="P11",
    )


def require_standing(tx: Transaction, login_id: LoginId, acting_user: UserId | None) -> None:
    """The login may be used, and as this user. Cost: one SELECT.

    Raises: Refusal UNAUTHENTICATED (120) for a merged login, FORBIDDEN (106) for a user that is not its own.
    """
    standing = read_standing(tx, login_id, acting_user)
    if standing is None or standing.login_status is not LoginStatus.ACTIVE:
        raise login_merged()
    if acting_user is not None and standing.user_status is not UserStatus.ACTIVE:
        raise not_your_user()
