"""Writes as one login, as the server runs them, and compares whole databases before and after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from resolvers.session import Limits, Meter, Newcomer, Viewer
from resolvers.writing import WriteSession
from schema.errors import INTERNAL_SERVER_ERROR
from schema.execution import Engine
from storage.database import Database
from storage.models import TABLES
from storage.records.ids import Instant, LoginId, UserId
from storage.records.values import TokenScope
from tests.stored_worlds import LONG_AGO_MS

ENGINE = Engine()
NOW_MS = LONG_AGO_MS + 3_600_000
ERRORS = "userErrors { code number field message rule }"


class Writer:
    """Writes as a login, or as one user of it, at a time that tests may move.

    `administrates`: the operator names the login as a system administrator, and its token says so too.
    """

    def __init__(
        self,
        database: Database,
        login: int | None = 1,
        now_ms: int = NOW_MS,
        *,
        acting: int | None = None,
        administrates: bool = False,
    ) -> None:
        self.database = database
        self.now_ms = now_ms
        self.viewer: Viewer | Newcomer | None = None
        """Who writes; a test may put somebody else here."""
        self.statements = 0
        """How many SQL statements the last mutation ran."""
        self.cost = 0
        """What the last document cost."""
        if login is not None:
            user = None if acting is None else UserId(acting)
            known = Viewer(LoginId(login), f"user{login}@adventure.example", user)
            powerful = known._replace(scopes=frozenset(TokenScope), is_system_administrator=True)
            self.viewer = powerful if administrates else known

    @contextmanager
    def begin(self) -> Iterator[WriteSession]:
        """A write transaction with a session of this login."""
        with self.database.write() as transaction:
            yield WriteSession(transaction, self.viewer, Instant(self.now_ms), Limits())
            self.statements = transaction.statements

    def execute(self, document: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The whole response of a mutation, or of a query."""
        meter = Meter()
        response = ENGINE.execute(document, variables, None, None, begin_write=self.begin, meter=meter)
        self.cost = meter.cost
        for error in response.get("errors", ()):
            assert error["extensions"]["code"] != INTERNAL_SERVER_ERROR, error
        return response

    def payload(self, name: str, given: dict[str, Any], selection: str = "") -> Any:
        """The payload of one mutation, named as in the schema."""
        type_name = f"{name[0].upper()}{name[1:]}Input"
        document = f"mutation ($input: {type_name}!) {{ {name}(input: $input) {{ revision {ERRORS} {selection} }} }}"
        response = self.execute(document, {"input": given})
        assert "errors" not in response, response["errors"]
        return response["data"][name]

    def done(self, name: str, given: dict[str, Any], selection: str = "") -> Any:
        """The payload of a mutation that must succeed."""
        payload = self.payload(name, given, selection)
        assert payload["userErrors"] == [], payload["userErrors"]
        return payload

    def refused(self, name: str, given: dict[str, Any]) -> Any:
        """The first error of a mutation that must be refused and leave the whole database as it was."""
        before = dump(self.database)
        payload = self.payload(name, given)
        assert payload["userErrors"], "nothing speaks against it"
        assert payload["revision"] is None
        assert dump(self.database) == before
        for error in payload["userErrors"]:
            assert error["message"].endswith(".")
            assert error["code"].isupper()
        return payload["userErrors"][0]


def dump(database: Database) -> dict[str, list[Any]]:
    """Every row of every table, as text a failed comparison can show."""
    found: dict[str, list[Any]] = {}
    with database.read() as transaction:
        for table in TABLES:
            name = table._meta.table_name
            rows = transaction.execute(f'SELECT * FROM "{name}"').fetchall()
            found[name] = sorted(repr([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in rows)
    return found
