"""Writing rows: new entries, and changes that keep current columns and their history in step.

Everything here happens inside a caller's transaction, in one revision, and decides nothing: who may write,
and what, is settled before. Functions take many entries and cost one statement per table they touch.
Raises everywhere: ConstraintBroken when the database refuses; StorageBusy and StorageFailure as `Transaction`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from peewee import Model

from storage.database import Transaction
from storage.entries import (
    AdAccountEntry,
    AddressEntry,
    AggregationEntry,
    AssignmentEntry,
    ClientLinkEntry,
    ContactInfoEntry,
    LoginEntry,
    ManagerAccountEntry,
    TaxCertificateEntry,
    TaxInformationEntry,
    UserEntry,
    UserInvitationEntry,
)
from storage.folding import fold
from storage.models import (
    TABLES,
    AdAccount,
    AdAccountPeriod,
    AdAccountTaxCertificate,
    AdAccountTaxCertificateFile,
    AdAccountTaxInformation,
    Address,
    Aggregation,
    Assignment,
    AssignmentAdAccount,
    AssignmentManagerAccount,
    ClientLink,
    ClientLinkPeriod,
    ContactInfo,
    Login,
    LoginPeriod,
    ManagerAccount,
    ManagerAccountPeriod,
    Revision,
    User,
    UserInvitation,
    UserInvitationAdAccount,
    UserPeriod,
)
from storage.records.facts import EveryAccount, EveryLinkedEntity, OnlyAccounts, OnlyLinkedEntities, Scope
from storage.records.ids import (
    AdAccountId,
    AggregationId,
    AssignmentId,
    ClientLinkId,
    InvitationId,
    LoginId,
    ManagerAccountId,
    RevisionId,
    UserId,
)
from storage.records.values import (
    AdAccountStatus,
    ClientLinkStatus,
    InvitationStatus,
    LoginStatus,
    ManagerAccountStatus,
    ScopeKind,
    UserStatus,
)
from storage.statements import Param, Statement, is_in

SCOPE_KINDS: dict[type[Any], ScopeKind] = {
    EveryAccount: ScopeKind.EVERY_ACCOUNT,
    OnlyAccounts: ScopeKind.ONLY_ACCOUNTS,
    EveryLinkedEntity: ScopeKind.EVERY_LINKED_ENTITY,
    OnlyLinkedEntities: ScopeKind.ONLY_LINKED_ENTITIES,
}
"""How a scope's kind is stored; the ids it lists stand in tables of their own."""


class Stamp(NamedTuple):
    """A revision under way: what every row written in it is marked with."""

    id: RevisionId
    at_ms: int
    actor_user_id: UserId | None


def wait_for_turn(transaction: Transaction) -> None:
    """Wait until no other writer is under way, until this transaction ends.

    What decides about a write must be read after it: two Super Admins who demote each other at once would
    otherwise each see the other one still there.
    """
    if transaction.kind == "postgresql":
        # Also for the ids of revisions: a sequence hands them out in order, but they commit in any, and a reader
        # waiting for "all up to revision n" must not be overtaken.
        transaction.execute("SELECT pg_advisory_xact_lock(%s)", (_WRITERS,))


def begin_revision(
    transaction: Transaction,
    *,
    operation: str,
    at_ms: int,
    actor_login_id: LoginId | None = None,
    actor_user_id: UserId | None = None,
    request_id: str | None = None,
) -> Stamp:
    """A new revision: every write happens in one, and its id is the rows' concurrency token.

    `operation` says what is done, in the words of the API; `at_ms` when. Ids grow, also between processes,
    because the transaction's lock on writing is taken first.
    """
    wait_for_turn(transaction)
    [(id_,)] = transaction.fetch(
        _NEW_REVISION,
        at_ms=at_ms,
        operation=operation,
        actor_login_id=actor_login_id,
        actor_user_id=actor_user_id,
        request_id=request_id,
    )
    return Stamp(RevisionId(id_), at_ms, actor_user_id)


_REVISION_COLUMNS = ("at_ms", "operation", "actor_login_id", "actor_user_id", "request_id")
# Every write begins with it, so it is built once: building it each time took a seventh of a small write.
_NEW_REVISION = Statement(
    Revision.insert({getattr(Revision, name): Param(name) for name in _REVISION_COLUMNS}).returning(Revision.id)
)


_WRITERS = 0x6164_6772_6170_6802
"""The lock writers of one PostgreSQL database take in turn ("adgraph", 2)."""


def reserve_ids(transaction: Transaction, table: type[Model], count: int) -> range:
    """`count` ids that no row of the table has; nobody else gets them while the transaction is open.

    Call it after `begin_revision`, whose lock it relies on.
    """
    name = table._meta.table_name
    if transaction.kind == "sqlite":  # one writer at a time: what is free now stays free
        [(last,)] = transaction.execute(f'SELECT coalesce(max(id), 0) FROM "{name}"').fetchall()  # noqa: S608
        return range(last + 1, last + 1 + count)
    # Moved in one step under the writers' lock, so that the ids follow each other.
    [(first,)] = transaction.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", (f'"{name}"',)).fetchall()
    if count > 1:
        transaction.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (f'"{name}"', first + count - 1))
    return range(first, first + count)


def new_client_link_id(transaction: Transaction) -> ClientLinkId:
    """An id for a new link. Call it after `begin_revision`."""
    return ClientLinkId(reserve_ids(transaction, ClientLink, 1)[0])


def continue_ids_after_given_ones(transaction: Transaction) -> None:
    """Let generated ids go on after the highest present: needed once rows came with ids of their own."""
    if transaction.kind == "sqlite":
        return
    for table in TABLES:
        name = table._meta.table_name
        if "id" in table._meta.fields:
            transaction.execute(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'),"  # noqa: S608
                f' (SELECT coalesce(max(id), 0) + 1 FROM "{name}"), false)'
            )


# --- new rows ----------------------------------------------------------------------------------------------------


def write_addresses(transaction: Transaction, stamp: Stamp, entries: Iterable[AddressEntry]) -> None:
    """New addresses."""
    columns = (*AddressEntry._fields, "time_stamp")
    transaction.insert(Address, columns, [(*entry, stamp.id) for entry in entries])


_AUTHORSHIP = ("created_at_ms", "last_modified_by_user_id", "last_modified_at_ms", "time_stamp")


def _authorship(stamp: Stamp) -> tuple[int, int | None, int, int]:
    return stamp.at_ms, stamp.actor_user_id, stamp.at_ms, stamp.id


def write_manager_accounts(transaction: Transaction, stamp: Stamp, entries: Sequence[ManagerAccountEntry]) -> None:
    """New manager accounts, each with its first period."""
    columns = (*ManagerAccountEntry._fields, "name_folded", *_AUTHORSHIP)
    authorship = _authorship(stamp)
    transaction.insert(ManagerAccount, columns, [(*entry, fold(entry.name), *authorship) for entry in entries])
    _begin_periods(transaction, stamp, ManagerAccountPeriod, ((entry.id, entry.status) for entry in entries))


def write_logins(transaction: Transaction, stamp: Stamp, entries: Sequence[LoginEntry]) -> None:
    """New logins, each with its first period; a merged one after the one it was merged into."""
    transaction.insert(Login, LoginEntry._fields, entries)
    _begin_periods(transaction, stamp, LoginPeriod, ((entry.id, entry.status) for entry in entries))


def write_contact_infos(transaction: Transaction, stamp: Stamp, entries: Iterable[ContactInfoEntry]) -> None:
    """New contact details. They carry no mark of their own: the user they belong to does."""
    transaction.insert(ContactInfo, ContactInfoEntry._fields, entries)


def write_users(transaction: Transaction, stamp: Stamp, entries: Sequence[UserEntry]) -> None:
    """New users, each with its first period."""
    authorship = _authorship(stamp)
    transaction.insert(User, (*UserEntry._fields, *_AUTHORSHIP), [(*entry, *authorship) for entry in entries])
    periods = ((entry.id, entry.login_id, entry.is_original, entry.status) for entry in entries)
    _begin_periods(transaction, stamp, UserPeriod, periods)


def write_ad_accounts(transaction: Transaction, stamp: Stamp, entries: Sequence[AdAccountEntry]) -> None:
    """New ad accounts, each with its first period."""
    columns = (*AdAccountEntry._fields, "number_folded", "name_folded", *_AUTHORSHIP)
    authorship = _authorship(stamp)
    rows = [(*entry, fold(entry.number), fold(entry.name), *authorship) for entry in entries]
    transaction.insert(AdAccount, columns, rows)
    periods = ((entry.id, entry.manager_account_id, entry.status) for entry in entries)
    _begin_periods(transaction, stamp, AdAccountPeriod, periods)


def write_tax_information(transaction: Transaction, entries: Iterable[TaxInformationEntry]) -> None:
    """New tax ids; the ad account's own mark is the caller's to renew."""
    transaction.insert(AdAccountTaxInformation, TaxInformationEntry._fields, entries)


def write_tax_certificates(transaction: Transaction, entries: Sequence[TaxCertificateEntry]) -> None:
    """New tax certificates with their files."""
    columns = ("ad_account_id", "blob_container_name", "status")
    transaction.insert(AdAccountTaxCertificate, columns, [entry[:3] for entry in entries])
    files = [(entry.ad_account_id, *file) for entry in entries for file in entry.files]
    transaction.insert(AdAccountTaxCertificateFile, ("ad_account_id", "name", "content"), files)


def _listed_ad_accounts(scope: Scope) -> frozenset[AdAccountId]:
    return scope.ids if isinstance(scope, OnlyAccounts) else frozenset()


def _listed_manager_accounts(scope: Scope) -> frozenset[ManagerAccountId]:
    return scope.ids if isinstance(scope, OnlyLinkedEntities) else frozenset()


def write_assignments(transaction: Transaction, stamp: Stamp, entries: Sequence[AssignmentEntry]) -> None:
    """New assignments with what their scopes list."""
    columns = ("id", "user_id", "manager_account_id", "role", "scope", "began_revision_id")
    rows = [(*entry[:4], SCOPE_KINDS[type(entry.scope)], stamp.id) for entry in entries]
    transaction.insert(Assignment, columns, rows)
    ad_accounts = [(entry.id, id_) for entry in entries for id_ in sorted(_listed_ad_accounts(entry.scope))]
    transaction.insert(AssignmentAdAccount, ("assignment_id", "ad_account_id"), ad_accounts)
    managers = [(entry.id, id_) for entry in entries for id_ in sorted(_listed_manager_accounts(entry.scope))]
    transaction.insert(AssignmentManagerAccount, ("assignment_id", "manager_account_id"), managers)


def write_client_links(transaction: Transaction, stamp: Stamp, entries: Sequence[ClientLinkEntry]) -> None:
    """New links, each with the first period of its history."""
    columns = (*ClientLinkEntry._fields, "name_folded", *_AUTHORSHIP)
    authorship = _authorship(stamp)
    transaction.insert(ClientLink, columns, [(*entry, fold(entry.name), *authorship) for entry in entries])
    periods = ((entry.id, entry.status, stamp.at_ms, stamp.actor_user_id, entry.note) for entry in entries)
    _begin_periods(transaction, stamp, ClientLinkPeriod, periods)


def write_aggregations(transaction: Transaction, stamp: Stamp, entries: Iterable[AggregationEntry]) -> None:
    """New aggregations."""
    columns = (*AggregationEntry._fields, "began_revision_id")
    transaction.insert(Aggregation, columns, [(*entry, stamp.id) for entry in entries])


def write_user_invitations(transaction: Transaction, stamp: Stamp, entries: Sequence[UserInvitationEntry]) -> None:
    """New invitations with the ad accounts they are limited to.

    An invitation can name no linked manager accounts; there is nowhere to keep them.
    """
    columns = (*UserInvitationEntry._fields, "time_stamp")
    rows = [(*entry._replace(scope=SCOPE_KINDS[type(entry.scope)]), stamp.id) for entry in entries]  # type: ignore[arg-type]
    transaction.insert(UserInvitation, columns, rows)
    listed = [(entry.id, id_) for entry in entries for id_ in sorted(_listed_ad_accounts(entry.scope))]
    transaction.insert(UserInvitationAdAccount, ("user_invitation_id", "ad_account_id"), listed)


# --- periods -----------------------------------------------------------------------------------------------------

_PERIOD_COLUMNS: dict[type[Model], tuple[str, ...]] = {
    ManagerAccountPeriod: ("manager_account_id", "status"),
    LoginPeriod: ("login_id", "status"),
    UserPeriod: ("user_id", "login_id", "is_original", "status"),
    AdAccountPeriod: ("ad_account_id", "manager_account_id", "status"),
    ClientLinkPeriod: ("client_link_id", "status", "began_at_ms", "actor_user_id", "note"),
}
"""What each table of periods records: whose period it is, then what held during it."""


def _begin_periods(transaction: Transaction, stamp: Stamp, table: type[Model], rows: Iterable[tuple[Any, ...]]) -> None:
    columns = (*_PERIOD_COLUMNS[table], "began_revision_id")
    transaction.insert(table, columns, [(*row, stamp.id) for row in rows])


def _turn_periods(transaction: Transaction, stamp: Stamp, table: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    """End the open periods of these subjects and begin the next ones."""
    subject = getattr(table, _PERIOD_COLUMNS[table][0])
    transaction.run(
        table.update({table.ended_revision: stamp.id}).where(is_in(subject, "ids") & table.ended_revision.is_null()),
        ids=[row[0] for row in rows],
    )
    _begin_periods(transaction, stamp, table, rows)


# --- changes -----------------------------------------------------------------------------------------------------


def write_manager_account_status(
    transaction: Transaction, stamp: Stamp, ids: Collection[ManagerAccountId], status: ManagerAccountStatus
) -> None:
    """Give manager accounts another status; its history gains a period."""
    _update(transaction, stamp, ManagerAccount, ids, {ManagerAccount.status: status})
    _turn_periods(transaction, stamp, ManagerAccountPeriod, [(id_, status) for id_ in ids])


def write_ad_account_status(
    transaction: Transaction,
    stamp: Stamp,
    ids: Collection[AdAccountId],
    status: AdAccountStatus,
    pause_reason: int | None = None,
) -> None:
    """Give ad accounts another status; each one's history gains a period with its owner."""
    values = {AdAccount.status: status, AdAccount.pause_reason: pause_reason}
    _update(transaction, stamp, AdAccount, ids, values)
    owners = transaction.fetch(_OWNERS, ids=ids)
    _turn_periods(transaction, stamp, AdAccountPeriod, [(id_, owner, status) for id_, owner in owners])


_OWNERS = Statement(AdAccount.select(AdAccount.id, AdAccount.manager_account).where(is_in(AdAccount.id, "ids")))


def write_user_status(transaction: Transaction, stamp: Stamp, ids: Collection[UserId], status: UserStatus) -> None:
    """Give users another status; each one's history gains a period with its login."""
    _update(transaction, stamp, User, ids, {User.status: status})
    _repeat_users(transaction, stamp, ids)


def write_logins_merged(transaction: Transaction, stamp: Stamp, merged: Collection[LoginId], into: LoginId) -> None:
    """Move all users of some logins to another, as no longer the original ones, and mark those logins as merged.

    Each user gets a new concurrency token. Who modified him last, and when, stays: that is told of what describes
    the person, and a merge changes nothing of it.
    """
    moved = [UserId(id_) for (id_,) in transaction.fetch(_USERS_OF_LOGINS, logins=merged)]
    values = {User.login: into, User.is_original: False, User.time_stamp: stamp.id}
    transaction.run(User.update(values).where(is_in(User.id, "ids")), ids=moved)
    _repeat_users(transaction, stamp, moved)
    ended = {Login.status: LoginStatus.MERGED, Login.merged_into: into}
    transaction.run(Login.update(ended).where(is_in(Login.id, "ids")), ids=merged)
    _turn_periods(transaction, stamp, LoginPeriod, [(login, LoginStatus.MERGED) for login in merged])


_USERS_OF_LOGINS = Statement(User.select(User.id).where(is_in(User.login, "logins")).order_by(User.id))
_USERS_NOW = Statement(User.select(User.id, User.login, User.is_original, User.status).where(is_in(User.id, "ids")))


def _repeat_users(transaction: Transaction, stamp: Stamp, ids: Collection[UserId]) -> None:
    rows = [
        (id_, login, bool(original), status) for id_, login, original, status in transaction.fetch(_USERS_NOW, ids=ids)
    ]
    _turn_periods(transaction, stamp, UserPeriod, rows)


def write_client_link_status(
    transaction: Transaction,
    stamp: Stamp,
    ids: Collection[ClientLinkId],
    status: ClientLinkStatus,
    note: str | None = None,
) -> None:
    """Give links another status; each one's history gains a period with who did it and why."""
    _update(transaction, stamp, ClientLink, ids, {ClientLink.status: status})
    rows = [(id_, status, stamp.at_ms, stamp.actor_user_id, note) for id_ in ids]
    _turn_periods(transaction, stamp, ClientLinkPeriod, rows)


def write_link_note(transaction: Transaction, stamp: Stamp, id_: ClientLinkId, note: str) -> None:
    """Give a link another note."""
    _update(transaction, stamp, ClientLink, [id_], {ClientLink.note: note})


def write_user_invitation_status(
    transaction: Transaction, stamp: Stamp, ids: Collection[InvitationId], status: InvitationStatus
) -> None:
    """Give invitations another status; the audit log is their history."""
    values = {UserInvitation.status: status, UserInvitation.time_stamp: stamp.id}
    transaction.run(UserInvitation.update(values).where(is_in(UserInvitation.id, "ids")), ids=ids)


def end_assignments(transaction: Transaction, stamp: Stamp, ids: Collection[AssignmentId]) -> None:
    """End assignments; they stay as history. One that has ended already is left alone."""
    open_ones = is_in(Assignment.id, "ids") & Assignment.ended_revision.is_null()
    transaction.run(Assignment.update({Assignment.ended_revision: stamp.id}).where(open_ones), ids=ids)


def end_aggregations(transaction: Transaction, stamp: Stamp, ids: Collection[AggregationId]) -> None:
    """End aggregations; they stay as history. One that has ended already is left alone."""
    open_ones = is_in(Aggregation.id, "ids") & Aggregation.ended_revision.is_null()
    transaction.run(Aggregation.update({Aggregation.ended_revision: stamp.id}).where(open_ones), ids=ids)


def _update(transaction: Transaction, stamp: Stamp, table: Any, ids: Collection[int], values: dict[Any, Any]) -> None:
    modified = {
        table.last_modified_by_user_id: stamp.actor_user_id,
        table.last_modified_at_ms: stamp.at_ms,
        table.time_stamp: stamp.id,
    }
    transaction.run(table.update(values | modified).where(is_in(table.id, "ids")), ids=ids)
