"""Plain asynchronous Strawberry as its guide has it: types built from models, async resolvers, DataLoaders.

Peewee is called in the resolvers directly: on one connection that is faster than handing over to a thread.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NewType

import peewee
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.schema.config import StrawberryConfig

from resolvers.rules.capabilities import Capability
from storage import models as typed_models
from storage.records.values import Relationship, Role
from tests.bench.peers.rules import (
    CARRIES_ACCESS,
    ByRole,
    Held,
    Standing,
    decided,
    roles_on_ad_account,
    sees,
)

models: Any = typed_models
"""Peewee makes the columns of foreign keys (`login_id`) at run time, where no checker sees them."""
DateTime = NewType("DateTime", int)
PREFIX = "AdAccount:"


def _instant(value: int) -> str:
    moment = datetime.fromtimestamp(value / 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{value % 1_000:03d}Z"


class Loaders:
    """The DataLoaders of one request, and what they were told about the viewer."""

    def __init__(self, login: int) -> None:
        self.login = login
        self.manager_accounts: DataLoader[int, Any] = DataLoader(self._by_id(models.ManagerAccount))
        self.ad_accounts: DataLoader[int, Any] = DataLoader(self._by_id(models.AdAccount))
        self.owned = DataLoader(self._listed(models.AdAccount.select(), models.AdAccount.manager_account))
        customer_links = self._links("CUSTOMER_LINK")
        account_links = self._links("ACCOUNT_LINK")
        link = models.ClientLink
        self.clients = DataLoader(self._listed(customer_links, link.managing))
        self.managed_by = DataLoader(self._listed(customer_links, link.client_manager_account))
        self.account_links_from = DataLoader(self._listed(account_links, link.managing))
        self.account_links_to = DataLoader(self._listed(account_links, link.client_ad_account))
        self.above = DataLoader(self._load_above)
        self.links_to: dict[int, list[tuple[int, str]]] = {}
        self._standing: Standing | None = None

    @staticmethod
    def _by_id(model: Any) -> Callable[[list[int]], Awaitable[list[Any]]]:
        async def load(ids: list[int]) -> list[Any]:
            rows = {row.id: row for row in model.select().where(model.id.in_(ids))}
            return [rows.get(one) for one in ids]

        return load

    @staticmethod
    def _links(kind: str) -> Any:
        link = models.ClientLink
        return link.select().where((link.type == kind) & link.status.in_(CARRIES_ACCESS))

    @staticmethod
    def _listed(query: Any, column: Any) -> Callable[[list[int]], Awaitable[list[list[Any]]]]:
        async def load(ids: list[int]) -> list[list[Any]]:
            found = defaultdict(list)
            for row in query.where(column.in_(ids)):
                found[row.__data__[column.name]].append(row)
            return [found[one] for one in ids]

        return load

    async def know_above(self, manager_accounts: Iterable[int]) -> None:
        """Load the customer links above these."""
        unknown = [one for one in manager_accounts if one not in self.links_to]
        if unknown:
            await self.above.load_many(unknown)

    async def _load_above(self, ids: list[int]) -> list[bool]:
        found: dict[int, list[tuple[int, str]]] = {}
        level = ids
        while level:
            of_level = await self.managed_by.load_many(level)
            for one, links in zip(level, of_level, strict=True):
                found[one] = [(link.managing_id, link.permission) for link in links]
            level = list({link.managing_id for links in of_level for link in links} - found.keys())
        # Only now: what is in there is taken to be complete by those who run beside this.
        self.links_to.update(found)
        return [True for _ in ids]

    @property
    def standing(self) -> Standing:
        """What the viewer's users hold."""
        if self._standing is None:
            users = models.User.select().where((models.User.login == self.login) & (models.User.status == "ACTIVE"))
            self._standing = Standing(held_by([user.id for user in users]), self.links_to)
        return self._standing

    async def on_manager_account(self, manager_account: int) -> ByRole:
        """What the viewer holds on a manager account."""
        await self.know_above([manager_account])
        return self.standing.on_manager_account(manager_account)

    async def on_ad_account(self, ad_account: int, owner: int) -> ByRole:
        """What the viewer holds on an ad account."""
        holders = [link.managing_id for link in await self.account_links_to.load(ad_account)]
        await self.know_above([owner, *holders])
        return self.standing.on_ad_account(ad_account, owner, holders)


def held_by(users: list[int]) -> list[Held]:
    """The roles of these users."""
    assignment = models.Assignment
    return _held(assignment.select().where(assignment.user.in_(users) & assignment.ended_revision.is_null()))


def _held(query: Any) -> list[Held]:
    rows = list(query)
    listed = defaultdict(set)
    scope = models.AssignmentAdAccount
    for one in scope.select().where(scope.assignment.in_([row.id for row in rows])):
        listed[one.assignment_id].add(one.ad_account_id)
    return [
        Held(
            row.manager_account_id,
            Role(row.role),
            frozenset(listed[row.id]) if row.scope == "ONLY_ACCOUNTS" else None,
        )
        for row in rows
    ]


Info = strawberry.Info[Loaders, None]


@strawberry.type
class RestrictedManagerAccount:
    customer_id: strawberry.ID


@strawberry.type
class User:
    user_id: strawberry.ID
    user_name: str


@strawberry.type
class AccessorEdge:
    node: User
    roles: list[str]


@strawberry.type
class AccessorConnection:
    edges: list[AccessorEdge]


@strawberry.type
class AdAccount:
    owner_id: strawberry.Private[int]
    account_id: strawberry.ID
    number: str
    name: str
    life_cycle_status: str
    financial_status: str
    currency_code: str
    time_zone: str
    created_at: DateTime

    @classmethod
    def of(cls, row: Any) -> AdAccount:
        return cls(
            owner_id=row.manager_account_id,
            account_id=strawberry.ID(str(row.id)),
            number=row.number,
            name=row.name,
            life_cycle_status=row.status,
            financial_status=row.financial_status,
            currency_code=row.currency_code,
            time_zone=row.time_zone,
            created_at=DateTime(row.created_at_ms),
        )

    @strawberry.field
    async def viewer_roles(self, info: Info) -> list[str]:
        return roles_on_ad_account(await info.context.on_ad_account(int(self.account_id), self.owner_id))

    @strawberry.field
    async def owner(
        self, info: Info
    ) -> Annotated[
        Annotated[ManagerAccount, strawberry.lazy("tests.bench.peers.plain")] | RestrictedManagerAccount,
        strawberry.union("ManagerAccountOrRestricted"),
    ]:
        if not sees(await info.context.on_manager_account(self.owner_id)):
            return RestrictedManagerAccount(customer_id=strawberry.ID(str(self.owner_id)))
        return ManagerAccount.of(await info.context.manager_accounts.load(self.owner_id))

    @strawberry.field
    async def accessors(self, info: Info, first: int = 50) -> AccessorConnection:
        return AccessorConnection(edges=await _accessors(info.context, int(self.account_id), self.owner_id, first))


async def _accessors(loaders: Loaders, ad_account: int, owner: int, first: int) -> list[AccessorEdge]:
    """Everybody whose roles above the ad account, together with those of his login, give VIEW on it."""
    holders = [link.managing_id for link in await loaders.account_links_to.load(ad_account)]
    await loaders.know_above([owner, *holders])
    above, level = {owner, *holders}, [owner, *holders]
    while level:
        level = list({managing for one in level for managing, _ in loaders.links_to[one]} - above)
        above.update(level)
    assignment, user, login = models.Assignment, models.User, models.Login
    there = assignment.manager_account.in_(above) & assignment.ended_revision.is_null()
    logins = user.select(user.login).join(assignment, on=(assignment.user == user.id)).where(there)
    people = list(user.select(user, login).join(login).where(user.login.in_(logins) & (user.status == "ACTIVE")))
    roles = await _held_by_user([one.id for one in people])
    edges = []
    for one in sorted(people, key=lambda person: int(person.id)):
        asked_as = [other.id for other in people if other.login_id == one.login_id] if one.is_original else [one.id]
        standing = Standing([held for other in asked_as for held in roles[other]], loaders.links_to)
        held = standing.on_ad_account(ad_account, owner, holders)
        if not sees(held):
            continue
        if one.login_id == loaders.login or sees(await loaders.on_manager_account(one.manager_account_id)):
            node = User(user_id=strawberry.ID(str(one.id)), user_name=one.login.user_name)
            edges.append(AccessorEdge(node=node, roles=roles_on_ad_account(held)))
    return edges[:first]


async def _held_by_user(users: list[int]) -> dict[int, list[Held]]:
    assignment = models.Assignment
    rows = list(assignment.select().where(assignment.user.in_(users) & assignment.ended_revision.is_null()))
    found: dict[int, list[Held]] = {one: [] for one in users}
    for row, held in zip(rows, _held(rows), strict=True):
        found[row.user_id].append(held)
    return found


@strawberry.type
class PageInfo:
    has_next_page: bool


@strawberry.type
class AdAccountEdge:
    node: AdAccount
    relationship: str


@strawberry.type
class AdAccountConnection:
    edges: list[AdAccountEdge]
    page_info: PageInfo

    @strawberry.field
    def nodes(self) -> list[AdAccount]:
        return [edge.node for edge in self.edges]


@strawberry.type
class ManagerAccountConnection:
    nodes: list[Annotated[ManagerAccount, strawberry.lazy("tests.bench.peers.plain")]]


strawberry.enum(Relationship)
strawberry.enum(Capability)


@strawberry.type
class ManagerAccount:
    customer_id: strawberry.ID
    name: str
    number: str

    @classmethod
    def of(cls, row: Any) -> ManagerAccount:
        return cls(customer_id=strawberry.ID(str(row.id)), name=row.name, number=row.number)

    @strawberry.field
    async def ad_accounts(
        self, info: Info, relationship: list[Relationship] | None = None, first: int | None = None
    ) -> AdAccountConnection:
        loaders, key = info.context, int(self.customer_id)
        found: list[tuple[Any, str]] = []
        if relationship is None or Relationship.OWNED in relationship:
            found += [(row, "OWNED") for row in await loaders.owned.load(key)]
        if relationship is None or Relationship.ACCOUNT_LINK in relationship:
            links = await loaders.account_links_from.load(key)
            linked = await loaders.ad_accounts.load_many([link.client_ad_account_id for link in links])
            found += [(row, "ACCOUNT_LINK") for row in linked]
        found.sort(key=lambda one: int(one[0].id))
        page = found if first is None else found[:first]
        return AdAccountConnection(
            edges=[AdAccountEdge(node=AdAccount.of(row), relationship=kind) for row, kind in page],
            page_info=PageInfo(has_next_page=len(page) < len(found)),
        )

    @strawberry.field
    async def manager_accounts(self, info: Info) -> ManagerAccountConnection:
        links = await info.context.clients.load(int(self.customer_id))
        ids = sorted({link.client_manager_account_id for link in links})
        rows = await info.context.manager_accounts.load_many(ids)
        return ManagerAccountConnection(nodes=[ManagerAccount.of(row) for row in rows])


@strawberry.input
class CheckInput:
    capability: Capability
    target: strawberry.ID


@strawberry.type
class CheckResult:
    allowed: bool
    code: str


async def _checked(loaders: Loaders, check: CheckInput) -> CheckResult:
    row = await loaders.ad_accounts.load(int(check.target.removeprefix(PREFIX)))
    if row is None:
        return CheckResult(allowed=False, code="NOT_VISIBLE")
    held = await loaders.on_ad_account(row.id, row.manager_account_id)
    allowed, code = decided(held, check.capability, is_inactive=row.status == "INACTIVE")
    return CheckResult(allowed=allowed, code=code)


@strawberry.type
class Query:
    @strawberry.field
    async def manager_account(self, info: Info, id: strawberry.ID) -> ManagerAccount | None:
        row = await info.context.manager_accounts.load(int(id))
        if row is None or not sees(await info.context.on_manager_account(row.id)):
            return None
        return ManagerAccount.of(row)

    @strawberry.field
    async def ad_account(self, info: Info, id: strawberry.ID) -> AdAccount | None:
        row = await info.context.ad_accounts.load(int(id))
        if row is None or not sees(await info.context.on_ad_account(row.id, row.manager_account_id)):
            return None
        return AdAccount.of(row)

    @strawberry.field
    async def check(self, info: Info, capability: Capability, target: strawberry.ID) -> CheckResult:
        return await _checked(info.context, CheckInput(capability=capability, target=target))

    @strawberry.field
    async def check_many(self, info: Info, checks: list[CheckInput]) -> list[CheckResult]:
        return await asyncio.gather(*(_checked(info.context, check) for check in checks))


class Server(GraphQL[Loaders, None]):
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Loaders:
        secret = request.headers["authorization"].removeprefix("Bearer ")
        token = models.AccessToken.get(models.AccessToken.digest == hashlib.sha256(secret.encode()).digest())
        return Loaders(token.login_id)


def create_app(path: Path) -> Starlette:
    """The server over the SQLite file at `path`."""
    database = peewee.SqliteDatabase(str(path), pragmas={"cache_size": -16_384, "temp_store": "memory"})
    database.bind(models.TABLES)
    database.connect()
    schema = strawberry.Schema(
        query=Query,
        config=StrawberryConfig(scalar_map={DateTime: strawberry.scalar(name="DateTime", serialize=_instant)}),
    )
    app = Starlette()
    app.mount("/graphql", Server(schema))
    return app
