"""Who would gain and lose access by a write: the effects of a dry run.

A use case says beforehand where its write may change access (`Region`). What is held there is worked out before
and after by the rules that answer every question about access, and the two are compared: nothing is predicted.
What the viewer could see neither before nor after is counted, never named.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from resolvers.access import TargetId
from resolvers.accessors import led_from
from resolvers.errors import Code, Refusal
from resolvers.people import visible_users
from resolvers.reachable import reachable_by
from resolvers.rules.capabilities import NOTHING, Capability, CapabilitySet, names_of, without
from resolvers.rules.links import CARRIES_ACCESS
from resolvers.rules.reach import Reach, users_asked_as
from resolvers.session import Session
from storage.reads.children import read_every_owned_ad_account
from storage.reads.entities import read_ad_accounts, read_manager_accounts, read_users
from storage.records.ids import AdAccountId, ClientLinkId, ManagerAccountId, UserId
from storage.records.rows import AdAccountRow, ManagerAccountRow, UserRow
from storage.records.values import ClientLinkStatus
from storage.writes import Stamp, write_client_link_status

MOST_PAIRS = 20_000
"""How many pairs of a user and a target the effects of one dry run may look at."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where a write may change access: whose, and to what.

    Whose: `users` with everybody of their logins, and whoever holds a role in the `above` manager accounts or
    anywhere above them. To what: the `below` manager accounts with all that lies below them, and `ad_accounts`;
    with neither, everything those users reach.
    """

    users: frozenset[UserId] = frozenset()
    above: frozenset[ManagerAccountId] = frozenset()
    below: frozenset[ManagerAccountId] = frozenset()
    ad_accounts: frozenset[AdAccountId] = frozenset()

    @property
    def is_all_they_reach(self) -> bool:
        """Whether no targets are named."""
        return not self.below and not self.ad_accounts


_Pair: TypeAlias = tuple[UserId, TargetId]


@dataclass(slots=True)
class _Held:
    """What is held in a region at one moment, and what of it the viewer may see."""

    users: set[UserId] = field(default_factory=set)
    targets: set[TargetId] = field(default_factory=set)
    capabilities: dict[_Pair, CapabilitySet] = field(default_factory=dict)
    seen: set[UserId | TargetId] = field(default_factory=set)


class Effect(NamedTuple):
    """What one user gains and loses on one target."""

    user: UserRow
    target: ManagerAccountRow | AdAccountRow
    gained: tuple[Capability, ...]
    lost: tuple[Capability, ...]


class Effects(NamedTuple):
    """All that changes and that the viewer may see, by user and target; and how much more changes."""

    nodes: tuple[Effect, ...]
    hidden_count: int


def too_many_effects() -> Refusal:
    """A question whose answer would take too long."""
    return Refusal(
        Code.TOO_MANY_EFFECTS,
        f"This write touches the access of more than {MOST_PAIRS} pairs of a user and an account, too many to compare."
        " Ask for fewer items in one dry run, or leave `effects` out and ask `accessors` of single accounts.",
    )


class EffectsOfDryRun:
    """Gathers what was held before each part of a write, and compares it with what is held at the end."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._regions: list[Region] = []
        self._before: list[_Held] = []
        self._refusal: Refusal | None = None
        self._to_come: dict[ClientLinkStatus, list[ClientLinkId]] = {}

    def concern(self, region: Region) -> None:
        """Remember what is held in a region that is about to be written."""
        if self._refusal is not None:
            return
        try:
            self._before.append(_held_in(self._session, region, _Held()))
        except Refusal as refusal:  # told to whoever asks for the effects; the dry run itself goes on
            self._refusal = refusal
        else:
            self._regions.append(region)

    def will_be(self, link: ClientLinkId, status: ClientLinkStatus) -> None:
        """Where a link will stand once the service has done its part; its region has been told by `concern`."""
        self._to_come.setdefault(status, []).append(link)

    def once_done(self, stamp: Stamp) -> Effects:
        """The effects there will be when every link stands where it is to come, all else staying as it is.

        It is tried out and undone. Nobody is named whom the viewer could not see before: an invitation to link is
        no way to learn who works for the other side. Raises: Refusal TOO_MANY_EFFECTS, CHAIN_OVER_LIMIT.
        """
        tx = self._session.transaction
        tx.execute("SAVEPOINT once_done")
        try:
            for status, links in self._to_come.items():
                write_client_link_status(tx, stamp, links, status)
            return self._found(before_only=True)
        finally:
            tx.execute("ROLLBACK TO SAVEPOINT once_done")

    def found(self) -> Effects:
        """The effects of all that was written. Raises: Refusal TOO_MANY_EFFECTS, CHAIN_OVER_LIMIT."""
        return self._found(before_only=False)

    def _found(self, *, before_only: bool) -> Effects:
        if self._refusal is not None:
            raise self._refusal
        after: dict[_Pair, CapabilitySet] = {}
        seen: set[UserId | TargetId] = set()
        for region, held in zip(self._regions, self._before, strict=True):
            now = _held_in(self._session, region, held)
            after.update(now.capabilities)
            seen |= held.seen if before_only else held.seen | now.seen
        return self._compared(self._at_first(), after, seen)

    def _at_first(self) -> dict[_Pair, CapabilitySet]:
        """What was held before anything was written.

        A later region was looked at after earlier parts had been written: what an earlier one covers, it decides.
        """
        first: dict[_Pair, CapabilitySet] = {}
        for index, held in enumerate(self._before):
            first |= {
                pair: capabilities
                for pair, capabilities in held.capabilities.items()
                if not any(self._covers(earlier, pair) for earlier in range(index))
            }
        return first

    def _covers(self, index: int, pair: _Pair) -> bool:
        user, target = pair
        held = self._before[index]
        return user in held.users and (self._regions[index].is_all_they_reach or target in held.targets)

    def _compared(
        self, before: dict[_Pair, CapabilitySet], after: dict[_Pair, CapabilitySet], seen: set[UserId | TargetId]
    ) -> Effects:
        changed = [
            (
                pair,
                without(after.get(pair, NOTHING), before.get(pair, NOTHING)),
                without(before.get(pair, NOTHING), now),
            )
            for pair in before.keys() | after.keys()
            if (now := after.get(pair, NOTHING)) != before.get(pair, NOTHING)
        ]
        shown = sorted((one for one in changed if one[0][0] in seen and one[0][1] in seen), key=_order)
        rows = _Rows(self._session, [pair for pair, _, _ in shown])
        nodes = [
            Effect(rows.users[user], rows.targets[target], names_of(gained), names_of(lost))
            for (user, target), gained, lost in shown
        ]
        return Effects(tuple(nodes), len(changed) - len(shown))


def _order(one: tuple[_Pair, CapabilitySet, CapabilitySet]) -> tuple[int, int, int]:
    user, target = one[0]
    return user, target.manager_account or 0, target.ad_account or 0


class _Rows:
    """The rows of what is shown, at hand for the fields of the payload."""

    def __init__(self, session: Session, pairs: Collection[_Pair]) -> None:
        tx = session.transaction
        targets = {target for _, target in pairs}
        managers = read_manager_accounts(
            tx, [one.manager_account for one in targets if one.manager_account is not None]
        )
        accounts = read_ad_accounts(tx, [one.ad_account for one in targets if one.ad_account is not None])
        session.have_manager_accounts(list(managers.values()))
        session.have_ad_accounts(list(accounts.values()))
        self.users = read_users(tx, list({user for user, _ in pairs}))
        self.targets: dict[TargetId, ManagerAccountRow | AdAccountRow] = {}
        self.targets.update((TargetId(key, None), manager) for key, manager in managers.items())
        self.targets.update((TargetId(None, key), account) for key, account in accounts.items())


def _held_in(session: Session, region: Region, known: _Held) -> _Held:
    """What is held in a region now; what was looked at before is looked at again. Cost: some twenty SELECTs."""
    probe = session.anew()
    held = _Held(users=_subjects(probe, region) | known.users)
    managers, accounts = _targets(probe, region, held.users, known)
    probe.know_manager_accounts(managers)
    probe.have_ad_accounts(accounts)
    probe.know_ad_accounts([row.account_id for row in accounts])
    held.targets = {TargetId(one, None) for one in managers} | {TargetId(None, row.account_id) for row in accounts}
    hierarchy = probe.excerpt.hierarchy
    for user in held.users:
        probe.go_on()
        reach = Reach.of_users(hierarchy, users_asked_as(hierarchy.facts, user))
        for one in managers:
            _keep(held, (user, TargetId(one, None)), reach.on_manager_account(one).capabilities)
        for row in accounts:
            _keep(held, (user, TargetId(None, row.account_id)), reach.on_ad_account(row).capabilities)
    mine = probe.reach
    held.seen.update(TargetId(one, None) for one in managers if mine.on_manager_account(one).allow(Capability.VIEW))
    held.seen.update(
        TargetId(None, row.account_id) for row in accounts if mine.on_ad_account(row).allow(Capability.VIEW)
    )
    held.seen.update(visible_users(probe, list({user for user, _ in held.capabilities} | held.users)))
    return held


def _keep(held: _Held, pair: _Pair, capabilities: CapabilitySet) -> None:
    if capabilities:
        held.capabilities[pair] = capabilities


def _subjects(probe: Session, region: Region) -> set[UserId]:
    excerpt = probe.excerpt
    excerpt.know_users(list(region.users))
    named = set(region.users)
    if region.above:
        probe.know_manager_accounts(list(region.above))
        starts = {one for top in region.above for one in led_from(excerpt, top)}
        named |= excerpt.know_holders_in(list(starts))
    facts = excerpt.facts
    logins = {facts.users[user].login_id for user in named if user in facts.users}
    return {user.id for user in facts.users.values() if user.login_id in logins}


def _targets(
    probe: Session, region: Region, users: set[UserId], known: _Held
) -> tuple[list[ManagerAccountId], list[AdAccountRow]]:
    """Raises: Refusal TOO_MANY_EFFECTS before more is loaded than may be compared."""
    managers = {one.manager_account for one in known.targets if one.manager_account is not None}
    ids = {one.ad_account for one in known.targets if one.ad_account is not None} | region.ad_accounts
    owners: set[ManagerAccountId] = set()
    if region.is_all_they_reach:
        reached = reachable_by(probe, users)
        led = reached.ad_accounts()
        managers.update(reached.manager_accounts())
        owners.update(led.owners)
        ids |= set(led.ids)
    elif region.below:
        inside, linked = _below(probe, region.below)
        managers |= inside
        owners |= inside
        ids |= linked
    room = MOST_PAIRS // max(1, len(users)) - len(managers)
    rows = {
        row.account_id: row for row in read_every_owned_ad_account(probe.transaction, list(owners), max(1, room + 1))
    }
    rows |= read_ad_accounts(probe.transaction, [one for one in ids if one not in rows])
    if len(rows) > room:
        raise too_many_effects()
    return sorted(managers), [rows[key] for key in sorted(rows)]


def _below(probe: Session, tops: Collection[ManagerAccountId]) -> tuple[set[ManagerAccountId], set[AdAccountId]]:
    excerpt = probe.excerpt
    excerpt.know_below(list(tops))
    facts, hierarchy = excerpt.facts, excerpt.hierarchy
    inside = {one for top in tops for one in hierarchy.below(top).within}
    signed_up = {item.manager_account_id for one in inside for item in facts.aggregations_from.get(one, ())}
    linked = {
        link.client_id
        for one in inside
        for link in facts.account_links_from.get(one, ())
        if link.status in CARRIES_ACCESS
    }
    return inside | signed_up, linked
