"""Reads the facts that decide access: links, aggregations, assignments, users, states.

Two excerpts exist. The plain one holds the links that carry access (P9), and account links in transition.
The one for explanations holds the latest generation of every link, whatever its status, so that a near
miss can be told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from peewee import JOIN, fn

from storage.database import Transaction
from storage.models import (
    AdAccount,
    Aggregation,
    Assignment,
    AssignmentAdAccount,
    AssignmentManagerAccount,
    ClientLink,
    Login,
    ManagerAccount,
    Revision,
    User,
)
from storage.records import facts
from storage.records.ids import (
    MAX_ID,
    AdAccountId,
    AssignmentId,
    LoginId,
    ManagerAccountId,
    RevisionId,
    UserId,
)
from storage.records.values import ClientLinkStatus, LinkType, Role, ScopeKind
from storage.statements import Param, Statement, each, is_in, tied_to

CARRIES_ACCESS = (ClientLinkStatus.ACTIVE, ClientLinkStatus.UNLINK_PENDING, ClientLinkStatus.UNLINK_IN_PROGRESS)
"""The statuses the plain excerpt reads; the rules decide again what carries (P9)."""
OF_INTEREST = (*CARRIES_ACCESS, ClientLinkStatus.LINK_IN_PROGRESS)
"""An account link being made locks its account although it carries nothing yet."""

_LINK_COLUMNS = (
    ClientLink.id,
    ClientLink.managing,
    ClientLink.client_manager_account,
    ClientLink.permission,
    ClientLink.status,
)
_Newer = ClientLink.alias("newer")


def _is_latest(link: Any) -> Any:
    return ~fn.EXISTS(_Newer.select(1).where(_Newer.previous == link.id))


def _customer_links_above(*, any_status: bool) -> Statement[facts.CustomerLink]:
    """All customer links on all chains that end at the given manager accounts, each once."""
    seed = each("ids")
    first = (
        ClientLink.select(*_LINK_COLUMNS)
        .from_(seed)
        .join(ClientLink, on=(ClientLink.client_manager_account == seed.c.value))
        .where(_counts(ClientLink, any_status))
    )
    above = first.cte("above", recursive=True, columns=("id", "managing", "client", "permission", "status"))
    Next = ClientLink.alias("next")
    further = (
        Next.select(Next.id, Next.managing, Next.client_manager_account, Next.permission, Next.status)
        .from_(above)
        .join(Next, on=(Next.client_manager_account == above.c.managing))
        .where(tied_to(above.c.managing, _counts(Next, any_status)))
    )
    walk = above.union(further)
    columns = (walk.c.id, walk.c.managing, walk.c.client, walk.c.permission, walk.c.status)
    return Statement(walk.select_from(*columns), facts.CustomerLink)


def _customer_links_below(*, any_status: bool) -> Statement[facts.CustomerLink]:
    """All customer links on all chains that begin at the given manager accounts, each once."""
    seed = each("ids")
    is_customer_link = ClientLink.type == LinkType.CUSTOMER_LINK
    first = (
        ClientLink.select(*_LINK_COLUMNS)
        .from_(seed)
        .join(ClientLink, on=(ClientLink.managing == seed.c.value))
        .where(is_customer_link & _counts(ClientLink, any_status))
    )
    below = first.cte("below", recursive=True, columns=("id", "managing", "client", "permission", "status"))
    Next = ClientLink.alias("next")
    further = (
        Next.select(Next.id, Next.managing, Next.client_manager_account, Next.permission, Next.status)
        .from_(below)
        .join(Next, on=(Next.managing == below.c.client))
        .where(tied_to(below.c.client, (Next.type == LinkType.CUSTOMER_LINK) & _counts(Next, any_status)))
    )
    walk = below.union(further)
    columns = (walk.c.id, walk.c.managing, walk.c.client, walk.c.permission, walk.c.status)
    return Statement(walk.select_from(*columns), facts.CustomerLink)


def _counts(link: Any, any_status: bool) -> Any:
    return _is_latest(link) if any_status else link.status.in_(CARRIES_ACCESS)


_CUSTOMER_LINKS_ABOVE = {flag: _customer_links_above(any_status=flag) for flag in (False, True)}
_CUSTOMER_LINKS_BELOW = {flag: _customer_links_below(any_status=flag) for flag in (False, True)}


_CUSTOMER_LINKS_TO = {
    flag: Statement(
        ClientLink.select(*_LINK_COLUMNS).where(
            is_in(ClientLink.client_manager_account, "ids") & _counts(ClientLink, flag)
        ),
        facts.CustomerLink,
    )
    for flag in (False, True)
}


def _account_links(column: Any, *, any_status: bool) -> Statement[facts.AccountLink]:
    wanted = _is_latest(ClientLink) if any_status else ClientLink.status.in_(OF_INTEREST)
    return Statement(
        ClientLink.select(ClientLink.id, ClientLink.managing, ClientLink.client_ad_account, ClientLink.status).where(
            is_in(column, "ids") & (ClientLink.type == LinkType.ACCOUNT_LINK) & wanted
        ),
        facts.AccountLink,
    )


_ACCOUNT_LINKS_TO = {flag: _account_links(ClientLink.client_ad_account, any_status=flag) for flag in (False, True)}


_AT_MOST = Param("most")
_ACCOUNT_LINKS_FROM = Statement(
    ClientLink.select(ClientLink.id, ClientLink.managing, ClientLink.client_ad_account, ClientLink.status)
    .where(
        is_in(ClientLink.managing, "ids")
        & (ClientLink.type == LinkType.ACCOUNT_LINK)
        & ClientLink.status.in_(OF_INTEREST)
    )
    .limit(_AT_MOST),
    facts.AccountLink,
)
_CUSTOMER_LINKS_FROM = Statement(
    ClientLink.select(*_LINK_COLUMNS)
    .where(
        is_in(ClientLink.managing, "ids")
        & (ClientLink.type == LinkType.CUSTOMER_LINK)
        & ClientLink.status.in_(CARRIES_ACCESS)
    )
    .limit(_AT_MOST),
    facts.CustomerLink,
)


def _aggregations(column: Any) -> Any:
    return Aggregation.select(Aggregation.id, Aggregation.aggregator, Aggregation.manager_account).where(
        is_in(column, "ids") & Aggregation.ended_revision.is_null()
    )


_AGGREGATIONS_FROM = Statement(_aggregations(Aggregation.aggregator), facts.Aggregation)
# Two halves, each by its own index: an OR over both columns would read the whole table.
_AGGREGATIONS_AT = Statement(
    _aggregations(Aggregation.aggregator).union(_aggregations(Aggregation.manager_account)), facts.Aggregation
)

_AD_ACCOUNTS = Statement(
    AdAccount.select(AdAccount.id, AdAccount.manager_account, AdAccount.status).where(is_in(AdAccount.id, "ids")),
    facts.AdAccountFact,
)
_MANAGER_ACCOUNTS = Statement(
    ManagerAccount.select(ManagerAccount.id, ManagerAccount.status).where(is_in(ManagerAccount.id, "ids")),
    facts.ManagerAccountFact,
)

_USER_COLUMNS = (User.id, User.login, User.manager_account, User.status, User.is_original, Login.status)
_USERS_OF_LOGINS = Statement(User.select(*_USER_COLUMNS).join(Login).where(is_in(User.login, "ids")), facts.UserFact)
_Asked = User.alias("asked")
_USERS_SHARING_A_LOGIN = Statement(
    User.select(*_USER_COLUMNS)
    .join(Login)
    .where(User.login.in_(_Asked.select(_Asked.login).where(is_in(_Asked.id, "ids")))),
    facts.UserFact,
)


class _AssignmentRow(NamedTuple):
    id: AssignmentId
    user_id: UserId
    manager_account_id: ManagerAccountId
    role: Role
    scope: ScopeKind
    ad_account_id: AdAccountId | None
    linked_id: ManagerAccountId | None


def _assignments(column: Any) -> Statement[_AssignmentRow]:
    """One row an assignment, or one an entry of its scope: only one of the two lists can have entries."""
    return Statement(
        Assignment.select(
            Assignment.id,
            Assignment.user,
            Assignment.manager_account,
            Assignment.role,
            Assignment.scope,
            AssignmentAdAccount.ad_account,
            AssignmentManagerAccount.manager_account,
        )
        .join(AssignmentAdAccount, JOIN.LEFT_OUTER, on=(AssignmentAdAccount.assignment == Assignment.id))
        .join(AssignmentManagerAccount, JOIN.LEFT_OUTER, on=(AssignmentManagerAccount.assignment == Assignment.id))
        .where(is_in(column, "ids") & Assignment.ended_revision.is_null()),
        _AssignmentRow,
    )


_ASSIGNMENTS_OF_USERS = _assignments(Assignment.user)
_ASSIGNMENTS_IN_MANAGER_ACCOUNTS = _assignments(Assignment.manager_account)


class RevisionMark(NamedTuple):
    """A revision and when it was made: also tells apart two histories that count alike, as a restored one does."""

    id: RevisionId
    at_ms: int


_Any = Revision.alias("any")
_LATEST_REVISION = Statement(
    Revision.select(Revision.id, Revision.at_ms).where(Revision.id == _Any.select(fn.MAX(_Any.id))), RevisionMark
)


def read_revision_mark(tx: Transaction) -> RevisionMark:
    """The last committed revision this transaction sees; 0 in an empty database. Cost: at most one SELECT."""
    found = tx.recall(_LATEST_REVISION)
    return found[0] if found else RevisionMark(RevisionId(0), 0)


def read_revision(tx: Transaction) -> RevisionId:
    """The id of the last committed revision this transaction sees; 0 in an empty database. Cost: at most one SELECT."""
    return read_revision_mark(tx).id


def read_customer_links_above(
    tx: Transaction, ids: Collection[ManagerAccountId], *, any_status: bool = False
) -> list[facts.CustomerLink]:
    """Every customer link on every chain upward, whatever its length. Cost: one recursive SELECT."""
    return tx.fetch(_CUSTOMER_LINKS_ABOVE[any_status], ids=ids) if ids else []


def read_customer_links_to(
    tx: Transaction, ids: Collection[ManagerAccountId], *, any_status: bool = False
) -> list[facts.CustomerLink]:
    """The customer links that lead straight to these manager accounts. Cost: one SELECT, cheaper than a walk."""
    return tx.fetch(_CUSTOMER_LINKS_TO[any_status], ids=ids) if ids else []


def read_customer_links_below(
    tx: Transaction, ids: Collection[ManagerAccountId], *, any_status: bool = False
) -> list[facts.CustomerLink]:
    """Every customer link on every chain downward, whatever its length. Cost: one recursive SELECT."""
    return tx.fetch(_CUSTOMER_LINKS_BELOW[any_status], ids=ids) if ids else []


def read_account_links_to(
    tx: Transaction, ids: Collection[AdAccountId], *, any_status: bool = False
) -> list[facts.AccountLink]:
    """The account links that lead to these ad accounts. Cost: one SELECT."""
    return tx.fetch(_ACCOUNT_LINKS_TO[any_status], ids=ids) if ids else []


def read_account_links_from(
    tx: Transaction, ids: Collection[ManagerAccountId], most: int = MAX_ID
) -> list[facts.AccountLink]:
    """The account links these manager accounts hold, `most` at most. Cost: one SELECT."""
    return tx.fetch(_ACCOUNT_LINKS_FROM, ids=ids, most=most) if ids else []


def read_customer_links_from(
    tx: Transaction, ids: Collection[ManagerAccountId], most: int = MAX_ID
) -> list[facts.CustomerLink]:
    """The customer links these manager accounts hold that carry access, `most` at most. Cost: one SELECT."""
    return tx.fetch(_CUSTOMER_LINKS_FROM, ids=ids, most=most) if ids else []


def read_aggregations_at(tx: Transaction, ids: Collection[ManagerAccountId]) -> list[facts.Aggregation]:
    """Who aggregates these manager accounts, and whom they aggregate. Cost: one SELECT."""
    return tx.fetch(_AGGREGATIONS_AT, ids=ids) if ids else []


def read_aggregations_from(tx: Transaction, ids: Collection[ManagerAccountId]) -> list[facts.Aggregation]:
    """Whom these manager accounts aggregate. Cost: one SELECT."""
    return tx.fetch(_AGGREGATIONS_FROM, ids=ids) if ids else []


def read_ad_account_facts(tx: Transaction, ids: Collection[AdAccountId]) -> list[facts.AdAccountFact]:
    """Owner and status of these ad accounts; unknown ids are left out. Cost: one SELECT."""
    return tx.fetch(_AD_ACCOUNTS, ids=ids) if ids else []


def read_manager_account_facts(tx: Transaction, ids: Collection[ManagerAccountId]) -> list[facts.ManagerAccountFact]:
    """Status of these manager accounts; unknown ids are left out. Cost: one SELECT."""
    return tx.fetch(_MANAGER_ACCOUNTS, ids=ids) if ids else []


def read_users_of_logins(tx: Transaction, ids: Collection[LoginId]) -> list[facts.UserFact]:
    """All users of these logins, deleted ones included. Cost: one SELECT."""
    return tx.fetch(_USERS_OF_LOGINS, ids=ids) if ids else []


def read_users_sharing_a_login(tx: Transaction, ids: Collection[UserId]) -> list[facts.UserFact]:
    """These users and all others of their logins (rule P11). Cost: one SELECT."""
    return tx.fetch(_USERS_SHARING_A_LOGIN, ids=ids) if ids else []


def read_assignments_of_users(tx: Transaction, ids: Collection[UserId]) -> list[facts.Assignment]:
    """What these users hold now. Cost: one SELECT."""
    return _with_scopes(tx.fetch(_ASSIGNMENTS_OF_USERS, ids=ids)) if ids else []


def read_assignments_in(tx: Transaction, ids: Collection[ManagerAccountId]) -> list[facts.Assignment]:
    """What anybody holds in these manager accounts now. Cost: one SELECT."""
    return _with_scopes(tx.fetch(_ASSIGNMENTS_IN_MANAGER_ACCOUNTS, ids=ids)) if ids else []


def _with_scopes(rows: Iterable[_AssignmentRow]) -> list[facts.Assignment]:
    first: dict[AssignmentId, _AssignmentRow] = {}
    ad_accounts: dict[AssignmentId, list[AdAccountId]] = {}
    linked: dict[AssignmentId, list[ManagerAccountId]] = {}
    for row in rows:
        first[row.id] = row
        if row.ad_account_id is not None:
            ad_accounts.setdefault(row.id, []).append(row.ad_account_id)
        if row.linked_id is not None:
            linked.setdefault(row.id, []).append(row.linked_id)
    return [
        facts.Assignment(
            row.id,
            row.user_id,
            row.manager_account_id,
            row.role,
            _scope(row.scope, ad_accounts.get(row.id, ()), linked.get(row.id, ())),
        )
        for row in first.values()
    ]


_EVERY_ACCOUNT = facts.EveryAccount()


def _scope(kind: ScopeKind, ad_accounts: Iterable[AdAccountId], linked: Iterable[ManagerAccountId]) -> facts.Scope:
    match kind:
        case ScopeKind.EVERY_ACCOUNT:
            return _EVERY_ACCOUNT
        case ScopeKind.ONLY_ACCOUNTS:
            return facts.OnlyAccounts(frozenset(ad_accounts))
        case ScopeKind.EVERY_LINKED_ENTITY:
            return facts.EveryLinkedEntity()
        case ScopeKind.ONLY_LINKED_ENTITIES:
            return facts.OnlyLinkedEntities(frozenset(linked))
