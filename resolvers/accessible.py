"""The ad accounts on which somebody holds a capability: accessibleAccounts, of the viewer or of users in a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resolvers.errors import Refusal, unless_refused
from resolvers.paging import WHOLE, Connection, Page, fingerprint, require_cursors_of
from resolvers.reachable import ad_accounts_of_each, contains, reachable_by_each_user, reachable_by_viewer, tree_below
from resolvers.rules.capabilities import Capability
from resolvers.rules.lazily import lazily
from resolvers.search import NOBODY, ad_account_page, bounds_of, connection_of, edge_of
from resolvers.session import USER, Session
from storage.reads.entities import read_ad_accounts
from storage.reads.pages import count_ad_accounts_of_each, read_ad_account_pages
from storage.reads.search import AdAccountSet, Order
from storage.records.ids import ManagerAccountId, UserId
from storage.records.rows import AdAccountRow


@dataclass(frozen=True, slots=True)
class Accessible:
    """Which of the accounts somebody may use are asked for: by capability, and below one manager account."""

    capability: Capability = Capability.VIEW
    under: ManagerAccountId | None = None
    page: Page = WHOLE

    def scope(self, user: UserId | None) -> str:
        """The name of one user's list, for cursors."""
        return fingerprint("accessibleAccounts", user, self.capability, self.under)


def accounts_of_viewer(session: Session, asked: Accessible) -> Connection[AdAccountRow]:
    """The ad accounts on which the viewer holds a capability, by id. Cost: a fixed number of SELECTs.

    Raises: Refusal (INVALID_CURSOR, CHAIN_OVER_LIMIT).
    """
    sets = [reachable_by_viewer(session).ad_accounts(asked.capability), *_under(session, asked)]
    return ad_account_page(session, sets, [], Order(), asked.page, asked.scope(None))


def accounts_of_user(session: Session, user: UserId, asked: Accessible) -> Connection[AdAccountRow]:
    """The ad accounts on which a user the viewer sees holds a capability, by id.

    Those the viewer may not see are counted in `hidden_count`. Cost: a fixed number of SELECTs for all users of the
    cohort together. Raises: Refusal (INVALID_CURSOR, CHAIN_OVER_LIMIT).
    """
    if asked.page.after is not None or asked.page.before is not None:
        # A cursor belongs to one user's list; it is refused to the others, and nothing is loaded for that.
        require_cursors_of(asked.scope(user), asked.page)
        return unless_refused(_accounts_of_users(session, [user], asked)[user])
    return session.each(USER, user, asked, lambda users: _accounts_of_users(session, users, asked))


def _under(session: Session, asked: Accessible) -> list[AdAccountSet]:
    if asked.under is None:
        return []
    return [tree_below(session, asked.under) if session.knows(asked.under) else NOBODY]


class _Lists:
    """The sets of a cohort, each once however many users share it, and what is counted of them when asked for."""

    def __init__(self, session: Session, sets: list[AdAccountSet], mine: AdAccountSet, under: list[AdAccountSet]):
        self._transaction = session.transaction
        self._numbers = {one: number for number, one in enumerate(dict.fromkeys(sets))}
        self.sets = list(self._numbers)
        self._mine, self._under = mine, under

    def number_of(self, one: AdAccountSet) -> int:
        """Which list a set is."""
        return self._numbers[one]

    @property
    def shared(self) -> list[AdAccountSet]:
        """What every list is cut to: what the viewer sees, and what stands below where he asks."""
        return [*self._under, self._mine]

    @lazily
    def totals(self) -> list[int]:
        """How many rows each list has that the viewer sees."""
        return count_ad_accounts_of_each(self._transaction, self.sets, self.shared)

    @lazily
    def hidden(self) -> list[int]:
        """How many more rows each list has."""
        sees_all_of = contains(self._mine)
        if all(map(sees_all_of, self.sets)):
            return [0] * len(self.sets)
        every = count_ad_accounts_of_each(self._transaction, self.sets, self._under)
        return [all_rows - seen for all_rows, seen in zip(every, self.totals, strict=True)]


def _accounts_of_users(
    session: Session, users: list[UserId], asked: Accessible
) -> dict[UserId, Connection[AdAccountRow] | Refusal]:
    mine = reachable_by_viewer(session).ad_accounts()
    theirs = ad_accounts_of_each(session, reachable_by_each_user(session, users), asked.capability)
    sets = [one for one in theirs.values() if isinstance(one, AdAccountSet)]
    lists = _Lists(session, sets, mine, _under(session, asked))
    bounds = bounds_of(asked.page, asked.scope(users[0]), Order())
    pages = read_ad_account_pages(session.transaction, lists.sets, lists.shared, bounds)
    rows = read_ad_accounts(session.transaction, list({key for page in pages for key in page}))
    session.have_ad_accounts(list(rows.values()))
    found: dict[UserId, Connection[AdAccountRow] | Refusal] = {}
    for user, one in theirs.items():
        if isinstance(one, Refusal):
            found[user] = one
            continue
        number = lists.number_of(one)
        page = [rows[key] for key in pages[number]]
        found[user] = _connection(page, asked, user, lists, number)
    return found


def _connection(
    rows: list[AdAccountRow], asked: Accessible, user: UserId, lists: _Lists, number: int
) -> Connection[Any]:
    scope = asked.scope(user)
    found = connection_of(rows, asked.page, lambda row: edge_of(row, Order(), scope), lambda: lists.totals[number])
    return found._replace(hidden_count=lists.hidden[number])
