"""kill -9: a server and a worker die again and again while links move, and nothing is lost, half done or done twice."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2
import pytest

from adgraph.background.mail import FolderSender
from adgraph.background.worker import clock
from resolvers.mail import LEASE_MS, send_due_mail
from resolvers.rules.links import CARRIES_ACCESS
from resolvers.worker import Work, work_off
from storage.consistency import read_inconsistencies
from storage.database import Database
from storage.records.ids import LoginId
from storage.records.values import ClientLinkStatus, TokenScope
from storage.tokens import NewToken, issue_token
from tests.api.live import wait_until_ready
from tests.link_world import LOGIN, accounts_of, build_link_world

ROOT = Path(__file__).parents[2]
MANAGERS = 12
KILLS = 3
BUDGET_S = 12.0
"""When killing ends even if there were fewer; there are always two."""
LINK = "link { id status timeStamp }"


class Processes:
    """A server with its worker, and a worker beside it, on one database."""

    def __init__(self, url: str, mail: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._environment = os.environ | {
            "ADGRAPH_DATABASE_URL": url,
            "ADGRAPH_PORT": str(self.port),
            "ADGRAPH_WORKER_INTERVAL_MS": "10",
            "ADGRAPH_LOG_LEVEL": "error",
            "ADGRAPH_MAIL": str(mail),
        }
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for command in ("serve", "worker"):
            arguments = [sys.executable, "-m", "adgraph", command]
            process = subprocess.Popen(arguments, cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL)
            self._running.append(process)
        wait_until_ready(self.port)

    def kill(self) -> None:
        for process in self._running:
            process.kill()
        for process in self._running:
            process.wait()
        self._running.clear()


class Client(Thread):
    """Sends, accepts, moves and ends links, and asks again under the same request id until it is answered."""

    def __init__(self, port: int, token: str) -> None:
        super().__init__()
        self.answered: list[tuple[str, str]] = []
        """Request id and revision of every write that was acknowledged as done."""
        self.problem: BaseException | None = None
        self.stopping = Event()
        headers = {"authorization": f"Bearer {token}", "accept": "application/graphql-response+json"}
        self._http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10)
        self._numbers = count(1)
        self._dice = random.Random(7)

    def run(self) -> None:
        pairs = [
            (manager, account)
            for manager in range(1, MANAGERS + 1)
            for owner in range(1, MANAGERS + 1)
            for account in accounts_of(owner)
            if owner != manager
        ]
        self._dice.shuffle(pairs)
        try:
            for manager, account in pairs:
                if self.stopping.is_set():
                    break
                self._live(manager, account)
        except BaseException as problem:
            self.problem = problem
        finally:
            self._http.close()

    def _live(self, manager: int, account: int) -> None:
        """The life of one link, as far as it goes before the next one is sent."""
        new = {
            "type": "ACCOUNT_LINK",
            "managingCustomerId": str(manager),
            "clientEntityId": str(account),
            "isBillToClient": self._dice.random() < 0.5,
        }
        link = self._item("addClientLinks", new)
        if link is None:
            return
        link = self._item("updateClientLinks", _action(link, "ACCEPT"))
        link = link and self._awaited(link["id"])
        if link is None or link["status"] != "ACTIVE":
            return
        turn = self._dice.random()
        if turn < 0.4:
            self._item("updateClientLinks", _action(link, "REQUEST_UNLINK"))
        elif turn < 0.8:
            to = self._dice.randrange(1, MANAGERS + 1)
            self._write(
                "moveClientLink",
                {"linkId": link["id"], "timeStamp": link["timeStamp"], "toManagingCustomerId": str(to)},
                LINK,
            )

    def _item(self, name: str, item: dict[str, Any]) -> Any:
        payload = self._write(name, {"links": [item]}, f"results {{ {LINK} userErrors {{ code }} }}")
        return payload["results"][0]["link"]

    def _write(self, name: str, given: dict[str, Any], selection: str) -> Any:
        request = f"request {next(self._numbers)}"
        kind = f"{name[0].upper()}{name[1:]}Input!"
        document = f"mutation ($input: {kind}) {{ {name}(input: $input) {{ revision {selection} }} }}"
        payload = self._ask(document, {"input": given | {"requestId": request}})[name]
        if payload["revision"] is not None:
            self.answered.append((request, payload["revision"]))
        return payload

    def _awaited(self, key: str) -> Any:
        """The link once the worker has led it on, or as it is when that takes too long."""
        until = time.monotonic() + 5
        while True:
            link = self._ask("query ($id: ID!) { clientLink(id: $id) { id status timeStamp } }", {"id": key})
            found = link["clientLink"]
            if found["status"] != "LINK_IN_PROGRESS" or time.monotonic() > until or self.stopping.is_set():
                return found
            time.sleep(0.02)

    def _ask(self, document: str, variables: dict[str, Any]) -> Any:
        until = time.monotonic() + 30
        while True:
            try:
                response = self._http.post("/graphql", json={"query": document, "variables": variables})
            except httpx2.TransportError:
                assert time.monotonic() < until, "the server stayed away"
                time.sleep(0.05)
                continue
            answer = response.json()
            assert "errors" not in answer, answer
            return answer["data"]


def _action(link: dict[str, Any], action: str) -> dict[str, Any]:
    return {"linkId": link["id"], "timeStamp": link["timeStamp"], "action": action}


@pytest.fixture
def token(database_url: str) -> str:
    """A token for the one who may do everything, in a database nobody has open."""
    database = Database.open(database_url)
    build_link_world(database, managers=MANAGERS, broke=[MANAGERS])
    with database.write() as tx:
        issued = issue_token(tx, NewToken(LoginId(LOGIN), "test", frozenset(TokenScope), clock() + 3_600_000), clock())
    database.close()
    return issued.token


def test_kill_9_loses_nothing_and_repeats_nothing(database_url: str, token: str, tmp_path: Path) -> None:
    processes = Processes(database_url, tmp_path / "mail")
    client = Client(processes.port, token)
    dice, until, killed = random.Random(11), time.monotonic() + BUDGET_S, 0
    try:
        processes.start()
        client.start()
        while killed < 2 or (killed < KILLS and time.monotonic() < until):
            busy = len(client.answered) + 8
            while len(client.answered) < busy and client.is_alive():
                time.sleep(0.01)
            time.sleep(dice.uniform(0.0, 0.5))
            processes.kill()
            killed += 1
            processes.start()
        client.stopping.set()
        client.join(60)
    finally:
        client.stopping.set()
        processes.kill()
    assert client.problem is None, client.problem
    assert len(client.answered) >= 8 * killed
    check(database_url, client.answered, tmp_path / "mail")


def check(url: str, answered: list[tuple[str, str]], mail: Path) -> None:
    """Nothing acknowledged is lost, nothing is half done, nothing done twice; nor once the rest has been done."""
    database = Database.open(url)
    try:
        facts_hold(database, answered)
        done = list(work_off(Work(database), clock()))
        assert all(each.kind == "client link" for each in done)
        done_to_links = Counter(operation for told in facts_hold(database, answered) for operation in told)
        assert done_to_links["activateClientLink"] >= 3
        # A mail that was being sent when its worker died is due again when the lease is over.
        send_due_mail(database, clock() + LEASE_MS, FolderSender(mail, "a@b.example", "http://graph.example"))
        mail_holds(database, mail)
    finally:
        database.close()


def facts_hold(database: Database, answered: list[tuple[str, str]]) -> list[tuple[str, ...]]:
    """What must be true of the store at any moment; returns what was done to each link."""
    with database.read() as tx:
        assert read_inconsistencies(tx) == []
        kept = {
            row[0]: str(row[1]) for row in tx.execute("SELECT request_id, revision_id FROM write_request").fetchall()
        }
        lost = [each for each in answered if kept.get(each[0]) != each[1]]
        assert lost == []
        silent = tx.execute(
            "SELECT id, operation FROM revision WHERE operation <> 'test'"
            " AND id NOT IN (SELECT revision_id FROM audit_entry)"
        ).fetchall()
        assert list(silent) == []
        lives: dict[int, tuple[str, ...]] = {}
        for link, status in tx.execute("SELECT client_link_id, status FROM client_link_period ORDER BY id").fetchall():
            lives[link] = (*lives.get(link, ()), status)
        told: dict[int, tuple[str, ...]] = {}
        entries = "SELECT entity_id, operation FROM audit_entry WHERE entity_kind = 'ClientLink' ORDER BY id"
        for link, operation in tx.execute(entries).fetchall():
            told[link] = (*told.get(link, ()), operation)
        assert told == {link: operations_of(statuses) for link, statuses in lives.items()}
        carries = ", ".join(f"'{status}'" for status in CARRIES_ACCESS)
        payers = tx.execute(
            "SELECT a.id, a.bill_to_manager_account_id, coalesce(min(l.managing_id), a.manager_account_id), count(l.id)"
            " FROM ad_account a LEFT JOIN client_link l ON l.client_ad_account_id = a.id AND NOT l.is_bill_to_client"
            f" AND l.status IN ({carries}) GROUP BY a.id, a.bill_to_manager_account_id, a.manager_account_id"
        ).fetchall()
        for account, payer, due, agencies in payers:
            assert (payer, agencies <= 1) == (due, True), f"ad account {account}"
    return list(told.values())


def mail_holds(database: Database, mail: Path) -> None:
    """Every link that was sent has its one mail to the client, every one that failed one to the sender, and all left.

    Where a link was answered first, its mail may have been dropped.
    """
    with database.read() as tx:
        rows = tx.execute("SELECT client_link_id, kind, status, message_key FROM outbox_message").fetchall()
        periods = tx.execute("SELECT client_link_id, status FROM client_link_period").fetchall()
    due = {"LINK_PENDING": "CLIENT_LINK_REQUEST", "LINK_FAILED": "CLIENT_LINK_OUTCOME"}
    assert Counter((link, kind) for link, kind, _, _ in rows) == Counter(
        (link, due[status]) for link, status in periods if status in due
    )
    sent = {key for _, _, status, key in rows if status == "SENT"}
    dropped = {key for _, kind, status, key in rows if status == "DROPPED" and kind == "CLIENT_LINK_REQUEST"}
    files = {file.stem for file in mail.glob("*.eml")}
    assert sent | dropped == {key for _, _, _, key in rows}
    assert sent <= files <= sent | dropped


_STEPS: dict[tuple[str | None, str], str | None] = {
    (None, "LINK_PENDING"): "addClientLinks",
    (None, "ACTIVE"): "moveClientLink",
    ("LINK_PENDING", "LINK_ACCEPTED"): "updateClientLinks",
    ("LINK_ACCEPTED", "LINK_IN_PROGRESS"): None,
    ("LINK_IN_PROGRESS", "ACTIVE"): "activateClientLink",
    ("LINK_IN_PROGRESS", "LINK_FAILED"): "failClientLink",
    ("ACTIVE", "INACTIVE"): "moveClientLink",
    ("ACTIVE", "UNLINK_REQUESTED"): "updateClientLinks",
    ("UNLINK_REQUESTED", "UNLINK_PENDING"): None,
    ("UNLINK_PENDING", "UNLINK_IN_PROGRESS"): "beginUnlink",
    ("UNLINK_IN_PROGRESS", "INACTIVE"): "completeUnlink",
    ("UNLINK_IN_PROGRESS", "UNLINK_FAILED"): "failUnlink",
    ("UNLINK_FAILED", "ACTIVE"): None,
}
"""What was done when one status followed another; None within one step. What is not here must not happen."""


def operations_of(statuses: tuple[str, ...]) -> tuple[str, ...]:
    """What must have been done to a link for it to have taken these statuses; it ends where one can rest."""
    assert statuses[-1] not in (
        ClientLinkStatus.LINK_ACCEPTED,
        ClientLinkStatus.UNLINK_REQUESTED,
        ClientLinkStatus.UNLINK_FAILED,
    )
    done = [_STEPS[pair] for pair in zip((None, *statuses), statuses, strict=False)]
    return tuple(one for one in done if one is not None)
