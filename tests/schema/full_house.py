"""A small company in which every list of the graph has several rows: for whatever must hold of each list.

User 1 is Super Admin at the top. A diamond (5), an account linked by four (60), an account that stands under
one manager account in two ways (70), names that differ only by who owns them, and invitations.
"""

from __future__ import annotations

from dataclasses import replace

from storage import writes
from storage.audit import AuditNote, write_audit_entries
from storage.database import Database
from storage.entries import UserInvitationEntry
from storage.records.facts import EveryAccount
from storage.records.ids import InvitationId, LoginId, ManagerAccountId, UserId
from storage.records.values import Role, TokenScope
from storage.tokens import NewToken, issue_token
from tests.builders import a_link, a_manager, a_role, a_user, a_world, an_account_link, an_ad, an_aggregation
from tests.oracle import World
from tests.schema.client import NOW_MS
from tests.stored_worlds import write_world

TOP = 1
LOGGED = (("ManagerAccount", TOP), ("AdAccount", 60), ("User", 1), ("ClientLink", 1_002), ("AccessToken", 5))
"""What the audit log knows something about."""
OWNERS = {1: 3, 2: 1, 3: 1, 5: 1, 6: 1, 7: 2}
"""How many ad accounts each manager account owns; their ids are its own with a digit behind it."""


def full_house() -> World:
    """The facts of the company."""
    users = [a_user(id, of=TOP if id < 6 else id - 4, login=id) for id in range(1, 10)]
    roles = [a_role("SUPER_ADMIN", at=TOP, user=1, id=1), a_role("VIEWER", at=TOP, user=1, id=2)]
    roles += [a_role("STANDARD", at=user.manager_account, user=user.id, id=user.id + 10) for user in users[1:]]
    world = a_world(
        *users,
        *roles,
        a_link(1, 2),
        a_link(1, 3, "STANDARD"),
        a_link(1, 4),
        a_link(2, 5),
        a_link(3, 5),
        a_link(5, 6),
        *(an_account_link(managing, 60) for managing in (1, 2, 3, 4)),
        an_account_link(4, 70),
        an_aggregation(4, 7),
        a_manager(8),
        a_manager(9),
        *(an_ad(owner * 10 + digit, owner=owner) for owner, count in OWNERS.items() for digit in range(count)),
    )
    # Only the owner tells these names apart, and the case of the letters tells nothing.
    names = [replace(ad, name=("Alike", "alike too")[ad.id % 2] + " " * (ad.id % 10 // 2)) for ad in world.ad_accounts]
    return replace(world, ad_accounts=tuple(names))


def an_invitation(number: int) -> UserInvitationEntry:
    """An invitation into the top."""
    return UserInvitationEntry(
        id=InvitationId(number),
        manager_account_id=ManagerAccountId(TOP),
        email=f"guest{number}@invited.example",
        first_name="Guest",
        last_name="Of Honour",
        role=Role.VIEWER,
        secret_digest=number.to_bytes(32, "big"),
        sent_at_ms=NOW_MS,
        expires_at_ms=NOW_MS + 1_000,
        inviter_user_id=UserId(1),
        scope=EveryAccount(),
    )


def build_full_house(database: Database) -> None:
    """Write the company into an empty, migrated database."""
    with database.write() as transaction:
        write_world(transaction, full_house())
        stamp = writes.begin_revision(transaction, operation="sendUserInvitation", at_ms=NOW_MS)
        writes.write_user_invitations(transaction, stamp, [an_invitation(number) for number in range(1, 6)])
        for number in range(5):
            token = NewToken(LoginId(1), f"token {number}", frozenset({TokenScope.READ}), NOW_MS + 1_000)
            issue_token(transaction, token, NOW_MS)
        for number in range(5):
            notes = [AuditNote(kind, key, None, f'{{"name":"{number}"}}') for kind, key in LOGGED]
            write_audit_entries(transaction, stamp, "rename", LoginId(1), notes, None)
