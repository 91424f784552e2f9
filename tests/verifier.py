"""Checks one explanation of an access, fact by fact, against the stored facts.

It searches for nothing: it follows the path it is given and says at the first step that is not true why not.
An answer that allows without an explanation that verifies here is wrong, whatever else agrees with it.
Nothing of the product is used; the table of roles is the oracle's own copy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from tests.oracle import (
    AD,
    CARRYING,
    MANAGER,
    THROUGH_ACCOUNT_LINK,
    THROUGH_STANDARD_LINK,
    AccountLink,
    Aggregation,
    Assignment,
    CustomerLink,
    Target,
    User,
    World,
    capabilities_on,
    forbidden_by_state,
    role_capabilities,
)

MOST_CUSTOMER_LINKS = 4
SCOPED_ROUTES = (["OWNERSHIP"], ["ACCOUNT_LINK"], ["AGGREGATION", "OWNERSHIP"])
"""The only ways from an assignment to an ad account its scope lists."""


class Hop(NamedTuple):
    """One step of an explanation.

    `kind` is OWNERSHIP, CUSTOMER_LINK, ACCOUNT_LINK or AGGREGATION; `fact` the id of the link or aggregation,
    None for ownership; `removed` what the answer says the hop took away, None when it says nothing.
    """

    kind: str
    source: int
    destination: Target
    fact: int | None = None
    removed: frozenset[str] | None = None


class Explanation(NamedTuple):
    """The claim: `user` holds `capability` on `target`, by this assignment and these hops, through `context`."""

    user: int
    target: Target
    capability: str
    assignment: int
    hops: tuple[Hop, ...] = ()
    context: int | None = None


class Untrue(Exception):
    """The sentence that says what is not so."""


class Remedy(NamedTuple):
    """What is said to turn a denial into a yes: what is done, which role for whom and where, and on which link."""

    kind: str
    role: str | None
    user: int | None
    at: int | None
    link: int | None
    needs: tuple[tuple[str, Target], ...]


def why_not(world: World, explanation: Explanation, *, whatever_the_state: bool = False) -> str | None:
    """None when the explanation is true and gives the capability, else what is wrong with it."""
    try:
        _verify(world, explanation, whatever_the_state)
    except Untrue as untrue:
        return str(untrue)
    return None


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise Untrue(sentence)


def _verify(world: World, explanation: Explanation, whatever_the_state: bool) -> None:
    assignment = _assignment(world, explanation)
    _shape(explanation, assignment)
    _scope(explanation, assignment)
    held = role_capabilities(assignment.role)
    context = assignment.manager_account
    for hop in explanation.hops:
        through = _lets_through(world, hop)
        _removed_as_said(hop, held, held - through)
        held &= through
        if hop.kind == "CUSTOMER_LINK":
            context = hop.destination.id
    if not explanation.hops and assignment.scope != "EVERY_ACCOUNT":
        held &= {"VIEW"}
    capability, target = explanation.capability, explanation.target
    _require(capability in held, f"{capability} does not survive the path of {assignment.role}")
    _require(capability in capabilities_on(target.kind), f"{capability} cannot be held on a {target.kind} account")
    forbidden = not whatever_the_state and capability in forbidden_by_state(world, target)
    _require(not forbidden, f"the state of {target} forbids {capability}")
    _require(explanation.context in (None, context), f"the context is {context}, not {explanation.context}")


def _assignment(world: World, explanation: Explanation) -> Assignment:
    """The assignment, once it is clear that the asking user may use it."""
    asking = _user(world, explanation.user)
    assignment = next((item for item in world.assignments if item.id == explanation.assignment), None)
    if assignment is None:
        raise Untrue(f"there is no assignment {explanation.assignment}")
    holder = _user(world, assignment.user)
    for user in (asking, holder):
        _require(user.status == "ACTIVE", f"user {user.id} is {user.status}")
        login = next(item for item in world.logins if item.id == user.login)
        _require(login.merged_into is None, f"login {login.id} was merged")
    whole_login = asking.is_original and asking.login == holder.login
    _require(holder.id == asking.id or whole_login, f"assignment {assignment.id} is user {holder.id}'s")
    return assignment


def _user(world: World, id: int) -> User:
    user = next((item for item in world.users if item.id == id), None)
    if user is None:
        raise Untrue(f"there is no user {id}")
    return user


def _shape(explanation: Explanation, assignment: Assignment) -> None:
    """The hops hang together, end at the target, and are simple and short enough."""
    at = Target(MANAGER, assignment.manager_account)
    visited = [at]
    for index, hop in enumerate(explanation.hops):
        _require(Target(MANAGER, hop.source) == at, f"hop {index} starts at {hop.source}, the path is at {at}")
        previous = explanation.hops[index - 1].kind if index else None
        _require(previous != "AGGREGATION" or hop.kind == "OWNERSHIP", "a path goes on below a signed-up account")
        at = hop.destination
        visited.append(at)
    _require(at == explanation.target, f"the path ends at {at}")
    _require(len(visited) == len(set(visited)), "the path visits an account twice")
    customer_links = sum(hop.kind == "CUSTOMER_LINK" for hop in explanation.hops)
    _require(customer_links <= MOST_CUSTOMER_LINKS, f"{customer_links} customer links in a row")


def _scope(explanation: Explanation, assignment: Assignment) -> None:
    """The scope of the assignment lets the path begin as it does and end where it does."""
    hops = explanation.hops
    if assignment.scope == "ONLY_ACCOUNTS":
        _require(explanation.target.kind == AD, "the scope lists ad accounts only")
        _require(explanation.target.id in assignment.listed, "the scope does not list the ad account")
        _require([hop.kind for hop in hops] in SCOPED_ROUTES, "a scope on ad accounts ends one step away")
    elif assignment.scope == "EVERY_LINKED_ENTITY":
        _require(not hops or hops[0].kind != "OWNERSHIP", "the scope leaves out owned ad accounts")
    elif assignment.scope == "ONLY_LINKED_ENTITIES" and hops:
        _require(hops[0].kind == "CUSTOMER_LINK", "the scope begins with a customer link")
        _require(hops[0].destination.id in assignment.listed, "the scope does not list the linked manager account")


def _lets_through(world: World, hop: Hop) -> frozenset[str]:
    """What the hop carries, once the stored fact behind it was found as told."""
    everything = capabilities_on(MANAGER) | capabilities_on(AD)
    if hop.kind == "OWNERSHIP":
        owner = next((item.owner for item in world.ad_accounts if item.id == hop.destination.id), None)
        _require(hop.destination.kind == AD and owner == hop.source, f"{hop.source} does not own {hop.destination}")
        return everything
    fact = _fact(world, hop)
    if isinstance(fact, Aggregation):
        ends: tuple[int, Target] = (fact.aggregator, Target(MANAGER, fact.manager_account))
        through = everything
    elif isinstance(fact, CustomerLink):
        ends = (fact.managing, Target(MANAGER, fact.client))
        through = THROUGH_STANDARD_LINK if fact.permission == "STANDARD" else everything
    else:
        ends = (fact.managing, Target(AD, fact.client))
        through = THROUGH_ACCOUNT_LINK
    _require(ends == (hop.source, hop.destination), f"{hop.kind} {hop.fact} leads elsewhere")
    status = getattr(fact, "status", "ACTIVE")
    _require(status in CARRYING, f"{hop.kind} {hop.fact} is {status}")
    return through


def _fact(world: World, hop: Hop) -> CustomerLink | AccountLink | Aggregation:
    tables: dict[str, tuple[CustomerLink, ...] | tuple[AccountLink, ...] | tuple[Aggregation, ...]] = {
        "CUSTOMER_LINK": world.customer_links,
        "ACCOUNT_LINK": world.account_links,
        "AGGREGATION": world.aggregations,
    }
    fact = next((item for item in tables.get(hop.kind, ()) if item.id == hop.fact), None)
    if fact is None:
        raise Untrue(f"there is no {hop.kind} {hop.fact}")
    return fact


def _removed_as_said(hop: Hop, arrived: frozenset[str], lost: frozenset[str]) -> None:
    """What the hop says it removed is what it removed; at an ad account only what can be held there counts."""
    if hop.removed is None:
        return
    counts = capabilities_on(AD) if hop.destination.kind == AD else arrived
    _require(hop.removed & counts == lost & counts, f"{hop.kind} {hop.fact} removed {set(lost & counts)}")
    _require(hop.removed <= lost, f"{hop.kind} {hop.fact} did not remove {set(hop.removed - lost)}")


# --- the facts of explanations ---------------------------------------------------------------------------


def only_the_facts_of(world: World, explanation: Explanation) -> World:
    """The world with nothing in it but what the explanation names."""
    kinds = {(hop.kind, hop.fact) for hop in explanation.hops}
    assignment = next(item for item in world.assignments if item.id == explanation.assignment)
    users = tuple(user for user in world.users if user.id in (explanation.user, assignment.user))
    managers = {explanation.target.id, assignment.manager_account, *(user.manager_account for user in users)}
    managers |= {hop.source for hop in explanation.hops} | {hop.destination.id for hop in explanation.hops}
    ads = tuple(item for item in world.ad_accounts if Target(AD, item.id) == explanation.target)
    managers |= {item.owner for item in ads}
    return World(
        logins=tuple(login for login in world.logins if login.id in {user.login for user in users}),
        users=users,
        manager_accounts=tuple(item for item in world.manager_accounts if item.id in managers),
        ad_accounts=ads,
        assignments=(assignment,),
        customer_links=tuple(link for link in world.customer_links if ("CUSTOMER_LINK", link.id) in kinds),
        account_links=tuple(link for link in world.account_links if ("ACCOUNT_LINK", link.id) in kinds),
        aggregations=tuple(item for item in world.aggregations if ("AGGREGATION", item.id) in kinds),
    )


def without_one_fact_each(world: World, explanations: list[Explanation], pick: int) -> World:
    """The world after one fact of every explanation was taken out; `pick` varies which."""
    gone: set[tuple[str, int | None]] = set()
    for explanation in explanations:
        facts = [("ASSIGNMENT", explanation.assignment)]
        facts += [(hop.kind, hop.fact) for hop in explanation.hops if hop.kind != "OWNERSHIP" and hop.fact is not None]
        gone.add(facts[pick % len(facts)])
    return replace(
        world,
        assignments=tuple(item for item in world.assignments if ("ASSIGNMENT", item.id) not in gone),
        customer_links=tuple(link for link in world.customer_links if ("CUSTOMER_LINK", link.id) not in gone),
        account_links=tuple(link for link in world.account_links if ("ACCOUNT_LINK", link.id) not in gone),
        aggregations=tuple(item for item in world.aggregations if ("AGGREGATION", item.id) not in gone),
    )


# --- remedies ------------------------------------------------------------------------------------------------


def remedied(world: World, denied: Explanation, remedy: Remedy) -> tuple[World, Explanation]:
    """The world once a remedy was carried out, and the claim that must then be true.

    `denied` is the path of the near miss, as a claim that is not true yet.
    """
    hops = tuple(hop._replace(removed=None) for hop in denied.hops)
    denied = denied._replace(hops=hops)
    if remedy.kind == "GIVE_ROLE":
        assert remedy.user is not None
        assert remedy.at is not None
        assert remedy.role is not None
        given = Assignment(10**9, remedy.user, remedy.at, remedy.role)
        claim = denied._replace(assignment=given.id, hops=_from(world, denied, remedy.at))
        return replace(world, assignments=(*world.assignments, given)), claim
    if remedy.kind == "WIDEN_SCOPE":
        return replace(world, assignments=tuple(_widened(item, denied) for item in world.assignments)), denied
    if remedy.kind == "NAME_CONTEXT":
        return world, denied._replace(context=remedy.at)
    if remedy.kind == "RELINK":
        relinked = [replace(one, permission="ADMINISTRATIVE") for one in world.customer_links if one.id == remedy.link]
        others = [one for one in world.customer_links if one.id != remedy.link]
        return replace(world, customer_links=(*others, *relinked)), denied
    links = tuple(replace(one, status="ACTIVE") if one.id == remedy.link else one for one in world.customer_links)
    to_ads = tuple(replace(one, status="ACTIVE") if one.id == remedy.link else one for one in world.account_links)
    return replace(world, customer_links=links, account_links=to_ads), denied


def _from(world: World, denied: Explanation, at: int) -> tuple[Hop, ...]:
    """The way to the target from its owner, or from a manager account on the path."""
    if any(Target(AD, one.id) == denied.target and one.owner == at for one in world.ad_accounts):
        return (Hop("OWNERSHIP", at, denied.target),)
    start = next((index for index, hop in enumerate(denied.hops) if hop.source == at), len(denied.hops))
    return denied.hops[start:]


def _widened(assignment: Assignment, denied: Explanation) -> Assignment:
    if assignment.id != denied.assignment:
        return assignment
    added = denied.target if assignment.scope == "ONLY_ACCOUNTS" else denied.hops[0].destination
    return replace(assignment, listed=assignment.listed | {added.id})


def needed(world: World, denied: Explanation, remedy: Remedy) -> tuple[tuple[str, Target], ...]:
    """Everything that is needed for a remedy, worked out from the stored facts alone.

    A role is given by who manages users there (C16), or Super Admins where one is made or touched (C17). A link is
    sent and ended by its managing side and accepted by its client.
    """
    if remedy.kind in ("GIVE_ROLE", "WIDEN_SCOPE"):
        assert remedy.at is not None
        there = (remedy.user, remedy.at)
        held = {item.role for item in world.assignments if (item.user, item.manager_account) == there}
        touches = {remedy.role, *held} & {"SUPER_ADMIN", "AGGREGATOR"}
        by_system = remedy.role == "AGGREGATOR"
        capability = "MANAGE_SUPER_ADMINS" if touches else "MANAGE_USERS"
        return () if by_system else ((capability, Target(MANAGER, remedy.at)),)
    hop = next((hop for hop in denied.hops if hop.kind.endswith("LINK") and hop.fact == remedy.link), None)
    if hop is None:
        return ()
    capability = "MANAGE_ACCOUNT_LINKS" if hop.kind == "ACCOUNT_LINK" else "MANAGE_MANAGER_LINKS"
    managing, client = (capability, Target(MANAGER, hop.source)), (capability, hop.destination)
    both = (managing, client)
    return {"ACCEPT_LINK": (client,), "SEND_LINK": both, "RELINK": both}.get(remedy.kind, ())
