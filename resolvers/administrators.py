"""System administrators: logins the deployment names.

Being one gives no access to anything; it lets logins be consolidated and aggregators be provisioned.
"""

from __future__ import annotations

from resolvers.rules.write_codes import WriteCode
from resolvers.session import Session
from resolvers.writing import refused
from storage.records.values import TokenScope


def is_system_administrator(session: Session) -> bool:
    """Whether the deployment names the viewer's login. Asked as one of its users, a login is not itself (rule P11)."""
    return session.viewer.is_system_administrator and session.narrowed_to is None


def require_system_administrator(session: Session) -> None:
    """The viewer may act as a system administrator, with this token. Say nothing about the input before this.

    Raises: Refused (106).
    """
    if not is_system_administrator(session):
        raise refused(
            WriteCode.ADMINISTRATORS_ONLY,
            "Only system administrators may do this, and your login is none, or you ask as one of its users. The"
            " operator names them in ADGRAPH_SYSTEM_ADMINISTRATORS; ask one of them.",
        )
    if TokenScope.ADMIN not in session.viewer.scopes:
        raise refused(
            WriteCode.ADMINISTRATORS_ONLY,
            "Your login is a system administrator, but this access token does not have the scope ADMIN. Ask again with"
            " one that has it.",
        )
