"""What was done to manager accounts, ad accounts, users, links and access tokens, told to those who may know.

Who may: of a manager account, who holds UPDATE_MANAGER_ACCOUNT there; of an ad account, who holds
UPDATE_AD_ACCOUNT; of a user, himself and who holds MANAGE_USERS in his manager account; of a link, who may see it; of
an access token, whose it is. A capability the state withholds (deleted, in transition) counts here: nothing is
written by reading. To others the log is null, as if there were none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from resolvers.paging import Connection, Edge, Page, fingerprint, page_of
from resolvers.people import user_by_id, visible_users
from resolvers.rules.capabilities import BIT, Capability
from resolvers.rules.reach import Permissions
from resolvers.session import AD_ACCOUNT, CLIENT_LINK, CREDENTIAL, MANAGER_ACCOUNT, USER, Session
from storage.audit import AuditRow, read_audit_entries
from storage.reads.entities import read_users_of_logins
from storage.records.ids import LoginId, UserId
from storage.records.rows import AdAccountRow, ClientLinkRow, ManagerAccountRow, UserRow
from storage.tokens import TokenRow

AUDIT_ENTRY = "audit entry"
LOGIN = "login"
HIDDEN = "(hidden)"
SECRETS = ("secret", "password", "token", "digest")
"""Fields named like this are never told, whoever asks."""

_KINDS = {
    MANAGER_ACCOUNT: "ManagerAccount",
    AD_ACCOUNT: "AdAccount",
    USER: "User",
    CLIENT_LINK: "ClientLink",
    CREDENTIAL: "AccessToken",
}
"""How entries name what they are about."""


def may_read_log(session: Session, row: object) -> bool:
    """Whether the viewer, who sees the row, may know what was done to it."""
    match row:
        case ManagerAccountRow():
            return _held(session.on_manager_account(row.customer_id), Capability.UPDATE_MANAGER_ACCOUNT)
        case AdAccountRow():
            return _held(session.on_ad_account(row), Capability.UPDATE_AD_ACCOUNT)
        case UserRow():
            return session.is_self(row) or _held(session.on_manager_account(row.customer_id), Capability.MANAGE_USERS)
        case ClientLinkRow():
            return True
    return False


def _held(permissions: Permissions, capability: Capability) -> bool:
    return bool((permissions.capabilities | permissions.withheld) & BIT[capability])


def audit_log_of_manager_account(session: Session, row: ManagerAccountRow, page: Page) -> Connection[AuditRow] | None:
    """The log of a manager account, newest first. Cost: one SELECT a cohort. Raises: Refusal INVALID_CURSOR."""
    return _log(session, MANAGER_ACCOUNT, row.customer_id, page) if may_read_log(session, row) else None


def audit_log_of_ad_account(session: Session, row: AdAccountRow, page: Page) -> Connection[AuditRow] | None:
    """The log of an ad account, newest first. Cost: one SELECT a cohort. Raises: Refusal INVALID_CURSOR."""
    return _log(session, AD_ACCOUNT, row.account_id, page) if may_read_log(session, row) else None


def audit_log_of_user(session: Session, row: UserRow, page: Page) -> Connection[AuditRow] | None:
    """The log of a user, newest first. Cost: one SELECT a cohort. Raises: Refusal INVALID_CURSOR."""
    return _log(session, USER, row.user_id, page) if may_read_log(session, row) else None


def audit_log_of_link(session: Session, row: ClientLinkRow, page: Page) -> Connection[AuditRow]:
    """The log of a link the viewer sees, newest first. Cost: one SELECT a cohort. Raises: Refusal INVALID_CURSOR."""
    return _log(session, CLIENT_LINK, row.link_id, page)


def audit_log_of_access_token(session: Session, row: TokenRow, page: Page) -> Connection[AuditRow] | None:
    """The log of a token, newest first. Cost: one SELECT a cohort. Raises: Refusal INVALID_CURSOR."""
    return _log(session, CREDENTIAL, row.id, page) if row.login_id == session.viewer.login_id else None


def _log(session: Session, kind: str, key: int, page: Page) -> Connection[AuditRow]:
    rows = session.together(kind, key, "audit log", lambda ids: _entries(session, kind, ids))
    scope = fingerprint("auditLog", kind, key)
    return page_of([Edge(row, (row.audit_id,), scope) for row in rows or ()], page, scope, descending=True)


def _entries(session: Session, kind: str, ids: list[int]) -> dict[int, tuple[AuditRow, ...]]:
    found = read_audit_entries(session.transaction, _KINDS[kind], ids)
    have_entries(session, [row for entries in found.values() for row in entries])
    return found


def have_entries(session: Session, rows: Collection[AuditRow]) -> None:
    """These entries were loaded together: who they name is, too."""
    session.register(USER, list({row.actor_user_id for row in rows if row.actor_user_id is not None}))
    session.register(LOGIN, list({row.actor_login_id for row in rows if row.actor_login_id is not None}))


def acting_user(session: Session, row: AuditRow) -> UserRow | None:
    """The user whose role let it be done; None when the service did it, or the viewer may not see him."""
    key = row.actor_user_id
    if key is None:
        return None
    return user_by_id(session, UserId(key))


def actor_name(session: Session, row: AuditRow) -> str | None:
    """The login that did it, by its name; None when the service did it, or the viewer may see none of its users."""
    key = row.actor_login_id
    if key is None:
        return None
    return session.together(LOGIN, LoginId(key), "name", lambda ids: _names(session, ids))


def _names(session: Session, ids: list[LoginId]) -> dict[LoginId, str]:
    rows = [row for rows in read_users_of_logins(session.transaction, ids).values() for row in rows]
    seen = visible_users(session, [row.user_id for row in rows])
    return {row.login_id: row.user_name for row in rows if row.user_id in seen}


def reason_of(session: Session, row: AuditRow) -> str | None:
    """Why it was done, in the words of who did it: for those who may see him."""
    return row.reason if acting_user(session, row) is not None else None


def told(text: str | None) -> str | None:
    """The fields of an entry as JSON under the names of the graph, without what is secret.

    >>> told('{"name":"A","secret_digest":"ab"}')
    '{"name":"A","secretDigest":"(hidden)"}'
    """
    return None if text is None else orjson.dumps(_without_secrets(orjson.loads(text))).decode()


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            _camel(name): HIDDEN if any(word in name.lower() for word in SECRETS) else _without_secrets(part)
            for name, part in value.items()
        }
    return [_without_secrets(part) for part in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
