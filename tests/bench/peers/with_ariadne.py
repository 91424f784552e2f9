"""Ariadne with everything its options allow: synchronous resolvers over rows prefetched a level at a time by
plain SQL, documents parsed and validated once, orjson in and out.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from ariadne import ObjectType, ScalarType, UnionType, load_schema_from_path, make_executable_schema
from ariadne.asgi import GraphQL
from ariadne.asgi.handlers import GraphQLHTTPHandler
from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, specified_rules, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from resolvers.rules.capabilities import Capability
from storage.records.values import Role
from tests.bench.peers.rules import ByRole, Held, Standing, decided, roles_on_ad_account, sees

Row = dict[str, Any]

_AD_ACCOUNT = (
    "SELECT a.id, a.id AS accountId, a.number, a.name, a.status AS lifeCycleStatus, a.financial_status AS"
    " financialStatus, a.currency_code AS currencyCode, a.time_zone AS timeZone, a.created_at_ms AS createdAt,"
    " a.manager_account_id AS ownerId"
)
_MANAGER_ACCOUNT = "SELECT m.id, m.id AS customerId, m.name, m.number"
_CARRIES = "status IN ('ACTIVE', 'UNLINK_PENDING', 'UNLINK_IN_PROGRESS')"
_IDS = "IN (SELECT value FROM json_each(?))"
_OWNED = f"{_AD_ACCOUNT} FROM ad_account a WHERE a.manager_account_id {_IDS}"
_LINKED = (
    f"{_AD_ACCOUNT}, l.managing_id AS holder FROM client_link l JOIN ad_account a ON a.id = l.client_ad_account_id"
    f" WHERE l.managing_id {_IDS} AND l.type = 'ACCOUNT_LINK' AND l.{_CARRIES}"
)
_CLIENTS = (
    f"{_MANAGER_ACCOUNT}, l.managing_id AS managing FROM client_link l"
    " JOIN manager_account m ON m.id = l.client_manager_account_id"
    f" WHERE l.managing_id {_IDS} AND l.type = 'CUSTOMER_LINK' AND l.{_CARRIES}"
)
_HOLDERS = f"SELECT client_ad_account_id, managing_id FROM client_link WHERE client_ad_account_id {_IDS} AND {_CARRIES}"
_ABOVE = (
    "SELECT client_manager_account_id, managing_id, permission FROM client_link"
    f" WHERE client_manager_account_id {_IDS} AND {_CARRIES}"
)
_HELD = (
    "SELECT s.user_id, s.manager_account_id, s.role, s.scope, l.ad_account_id FROM assignment s"
    " LEFT JOIN assignment_ad_account l ON l.assignment_id = s.id"
    f" WHERE s.user_id {_IDS} AND s.ended_revision_id IS NULL"
)
_PEOPLE = (
    "SELECT u.id, u.login_id, u.manager_account_id, u.is_original, n.user_name FROM app_user u"
    " JOIN login n ON n.id = u.login_id WHERE u.status = 'ACTIVE' AND u.login_id IN ("
    " SELECT h.login_id FROM assignment s JOIN app_user h ON h.id = s.user_id"
    f" WHERE s.manager_account_id {_IDS} AND s.ended_revision_id IS NULL) ORDER BY u.id"
)


class Rows:
    """The rows of one request: whatever is asked of one is loaded for all that were loaded with it."""

    def __init__(self, connection: sqlite3.Connection, login: int) -> None:
        self._connection = connection
        self.login = login
        self._together: dict[int, Collection[int]] = {}
        self._children: dict[tuple[str, int], list[Row]] = {}
        self._holders: dict[int, list[int]] = {}
        self._links_to: dict[int, list[tuple[int, str]]] = {}
        self._owner_ids: set[int] = set()
        self._owners: dict[int, Row] = {}
        users = connection.execute("SELECT id FROM app_user WHERE login_id = ? AND status = 'ACTIVE'", (login,))
        held = self.held_by([row[0] for row in users])
        self.standing = Standing([one for some in held.values() for one in some], self._links_to)

    def select(self, sql: str, ids: Iterable[int]) -> list[Row]:
        """Rows as dictionaries."""
        cursor = self._connection.execute(sql, (orjson.dumps(list(ids)).decode(),))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def tuples(self, sql: str, ids: Iterable[int]) -> list[tuple[Any, ...]]:
        """Rows as they come."""
        return self._connection.execute(sql, (orjson.dumps(list(ids)).decode(),)).fetchall()

    def manager_accounts(self, ids: Collection[int]) -> list[Row]:
        """Manager accounts by id."""
        rows = self.select(f"{_MANAGER_ACCOUNT} FROM manager_account m WHERE m.id {_IDS}", ids)
        self.loaded(rows)
        return rows

    def ad_accounts(self, ids: Collection[int]) -> list[Row]:
        """Ad accounts by id."""
        rows = self.select(f"{_AD_ACCOUNT} FROM ad_account a WHERE a.id {_IDS}", ids)
        self.know_ad_accounts(rows)
        return rows

    def loaded(self, rows: Iterable[Row]) -> None:
        """These manager accounts came together."""
        ids = [row["id"] for row in rows]
        self._together.update(dict.fromkeys(ids, ids))

    def children(self, kind: str, sql: str, key: str, parent: int) -> list[Row]:
        """What stands under a manager account."""
        if (kind, parent) not in self._children:
            cohort = self._together.get(parent, (parent,))
            for one in cohort:
                self._children[kind, one] = []
            rows = self.select(sql, cohort)
            for row in rows:
                self._children[kind, row[key]].append(row)
            if kind == "manager accounts":
                self.loaded(rows)
            else:
                self.know_ad_accounts(rows)
        return self._children[kind, parent]

    def know_ad_accounts(self, rows: Iterable[Row]) -> None:
        """Load what leads to these ad accounts."""
        rows = list(rows)
        ids = [row["id"] for row in rows]
        self._owner_ids.update(row["ownerId"] for row in rows)
        self._holders.update((one, []) for one in ids)
        for ad_account, holder in self.tuples(_HOLDERS, ids):
            self._holders[ad_account].append(holder)
        self.know_above({row["ownerId"] for row in rows} | {one for id_ in ids for one in self._holders[id_]})

    def owner(self, id_: int) -> Row:
        """A manager account that owns a loaded ad account; all owners are loaded at once."""
        if id_ not in self._owners:
            self._owners.update((row["id"], row) for row in self.manager_accounts(self._owner_ids))
        return self._owners[id_]

    def know_above(self, ids: Iterable[int]) -> None:
        """Load the customer links above these manager accounts."""
        level = {one for one in ids if one not in self._links_to}
        # A statement a level: SQLite plans a recursive one here with a Bloom filter over the whole table.
        while level:
            self._links_to.update((one, []) for one in level)
            above = set()
            for client, managing, permission in self.tuples(_ABOVE, level):
                self._links_to[client].append((managing, permission))
                above.add(managing)
            level = above - self._links_to.keys()

    def on_manager_account(self, id_: int) -> ByRole:
        """What the viewer holds on a manager account."""
        self.know_above([id_])
        return self.standing.on_manager_account(id_)

    def on_ad_account(self, row: Row) -> ByRole:
        """What the viewer holds on an ad account that was loaded."""
        return self.standing.on_ad_account(row["id"], row["ownerId"], self._holders[row["id"]])

    def held_by(self, users: Iterable[int]) -> dict[int, list[Held]]:
        """The roles of users."""
        found: dict[int, list[Held]] = {}
        scopes: dict[tuple[int, int, str], set[int]] = defaultdict(set)
        for user, manager_account, role, scope, ad_account in self.tuples(_HELD, users):
            if scope == "ONLY_ACCOUNTS":
                scopes[user, manager_account, role].add(ad_account)
            else:
                found.setdefault(user, []).append(Held(manager_account, Role(role), None))
        for (user, manager_account, role), listed in scopes.items():
            found.setdefault(user, []).append(Held(manager_account, Role(role), frozenset(listed)))
        return found

    def accessors(self, row: Row) -> list[Row]:
        """Everybody whose roles above the ad account, together with those of his login, give VIEW on it."""
        id_, owner, holders = row["id"], row["ownerId"], self._holders[row["id"]]
        above, level = {owner, *holders}, [owner, *holders]
        while level:
            level = list({managing for one in level for managing, _ in self._links_to[one]} - above)
            above.update(level)
        people = self.tuples(_PEOPLE, above)
        users_of = defaultdict(list)
        for user, login, *_ in people:
            users_of[login].append(user)
        roles = self.held_by([person[0] for person in people])
        self.know_above({person[2] for person in people})
        edges = []
        for user, login, home, is_original, user_name in people:
            asked_as = users_of[login] if is_original else [user]
            standing = Standing([one for other in asked_as for one in roles.get(other, ())], self._links_to)
            held = standing.on_ad_account(id_, owner, holders)
            if sees(held) and (login == self.login or sees(self.standing.on_manager_account(home))):
                node = {"userId": user, "userName": user_name}
                edges.append({"node": node, "roles": roles_on_ad_account(held)})
        return edges


query, manager_account, ad_account = ObjectType("Query"), ObjectType("ManagerAccount"), ObjectType("AdAccount")
owner_kind, date_time = UnionType("ManagerAccountOrRestricted"), ScalarType("DateTime")


@date_time.serializer
def instant(value: int) -> str:
    """RFC 3339 to the millisecond."""
    moment = datetime.fromtimestamp(value / 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{value % 1_000:03d}Z"


@owner_kind.type_resolver
def kind_of(row: Row, *_: Any) -> str:
    """A hidden manager account has nothing but its id."""
    return "ManagerAccount" if "name" in row else "RestrictedManagerAccount"


@query.field("managerAccount")
def resolve_manager_account(_: Any, info: Any, *, id: str) -> Row | None:
    """A manager account the viewer sees."""
    rows: Rows = info.context
    found = rows.manager_accounts([int(id)])
    return found[0] if found and sees(rows.on_manager_account(int(id))) else None


@query.field("adAccount")
def resolve_ad_account(_: Any, info: Any, *, id: str) -> Row | None:
    """An ad account the viewer sees."""
    rows: Rows = info.context
    found = rows.ad_accounts([int(id)])
    return found[0] if found and sees(rows.on_ad_account(found[0])) else None


@query.field("check")
def resolve_check(_: Any, info: Any, *, capability: str, target: str) -> Row:
    """One check."""
    [answer] = _answers(info.context, [{"capability": capability, "target": target}])
    return answer


@query.field("checkMany")
def resolve_check_many(_: Any, info: Any, *, checks: list[Row]) -> list[Row]:
    """Many checks over one prefetch."""
    return _answers(info.context, checks)


def _answers(rows: Rows, checks: list[Row]) -> list[Row]:
    targets = [int(check["target"].removeprefix("AdAccount:")) for check in checks]
    found = {row["id"]: row for row in rows.ad_accounts(set(targets))}
    answers = []
    for check, target in zip(checks, targets, strict=True):
        row = found.get(target)
        held = rows.on_ad_account(row) if row else {}
        inactive = row is not None and row["lifeCycleStatus"] == "INACTIVE"
        allowed, code = decided(held, Capability(check["capability"]), is_inactive=inactive)
        answers.append({"allowed": allowed, "code": code})
    return answers


@manager_account.field("managerAccounts")
def resolve_manager_accounts(parent: Row, info: Any) -> Row:
    """The manager accounts one level under it, by id."""
    rows: Rows = info.context
    found = rows.children("manager accounts", _CLIENTS, "managing", parent["id"])
    return {"nodes": sorted(found, key=lambda row: row["id"])}


@manager_account.field("adAccounts")
def resolve_ad_accounts(
    parent: Row, info: Any, *, relationship: list[str] | None = None, first: int | None = None
) -> Row:
    """The ad accounts one level under it, by id."""
    rows: Rows = info.context
    found: list[tuple[Row, str]] = []
    if relationship is None or "OWNED" in relationship:
        found += [(row, "OWNED") for row in rows.children("owned", _OWNED, "ownerId", parent["id"])]
    if relationship is None or "ACCOUNT_LINK" in relationship:
        found += [(row, "ACCOUNT_LINK") for row in rows.children("linked", _LINKED, "holder", parent["id"])]
    found.sort(key=lambda one: int(one[0]["id"]))
    page = found[:first]
    return {
        "nodes": [row for row, _ in page],
        "edges": [{"node": row, "relationship": kind} for row, kind in page],
        "pageInfo": {"hasNextPage": len(page) < len(found)},
    }


@ad_account.field("viewerRoles")
def resolve_viewer_roles(parent: Row, info: Any) -> list[str]:
    """The viewer's roles on it."""
    return roles_on_ad_account(info.context.on_ad_account(parent))


@ad_account.field("owner")
def resolve_owner(parent: Row, info: Any) -> Row:
    """The owner, or its bare id."""
    rows: Rows = info.context
    owner = parent["ownerId"]
    if not sees(rows.on_manager_account(owner)):
        return {"customerId": owner}
    return rows.owner(owner)


@ad_account.field("accessors")
def resolve_accessors(parent: Row, info: Any, *, first: int = 50) -> Row:
    """Who can access it."""
    rows: Rows = info.context
    return {"edges": rows.accessors(parent)[:first]}


class Handler(GraphQLHTTPHandler):
    """Ariadne's handler with orjson on both sides."""

    async def extract_data_from_json_request(self, request: Request) -> Any:
        return orjson.loads(await request.body())

    async def create_json_response(self, request: Request, result: Any, success: bool) -> Response:
        return Response(orjson.dumps(result), 200 if success else 400, media_type="application/json")


def create_app(path: Path) -> Starlette:
    """The server over the SQLite file at `path`."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    connection.execute("PRAGMA cache_size = -16384")
    types = load_schema_from_path(str(Path(__file__).with_name("subset.graphql")))
    schema = make_executable_schema(types, query, manager_account, ad_account, owner_kind, date_time)

    faults: dict[int, list[GraphQLError]] = {}
    """By the identity of the document: its own hash is worked out anew each time, from all that is in it."""

    @cache
    def parsed(text: str) -> DocumentNode:
        document = parse(text)
        faults[id(document)] = validate(schema, document, specified_rules)
        return document

    def known_faults(schema: GraphQLSchema, document_ast: DocumentNode, *_: Any, **__: Any) -> list[GraphQLError]:
        return faults[id(document_ast)]

    def rows(request: Request, _: Any = None) -> Rows:
        secret = request.headers["authorization"].removeprefix("Bearer ")
        digest = hashlib.sha256(secret.encode()).digest()
        [login] = connection.execute("SELECT login_id FROM access_token WHERE digest = ?", (digest,)).fetchone()
        return Rows(connection, login)

    app = Starlette()
    app.mount(
        "/graphql",
        GraphQL(
            schema,
            context_value=rows,
            query_parser=lambda _, data: parsed(data["query"]),
            query_validator=known_faults,
            http_handler=Handler(),
        ),
    )
    return app
