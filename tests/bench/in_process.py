"""What is measured without a server: the point check, and that documents are parsed once."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from resolvers.access import CheckRequest, TargetId, check_many
from resolvers.rules.capabilities import Capability
from resolvers.session import Limits, Session, Viewer
from schema.execution import Engine
from storage.database import Database
from storage.generator import SEED, TREE_USER_NAME
from storage.reads.logins import read_login
from storage.records.ids import AdAccountId, Instant, LoginId
from tests.bench.data import Data
from tests.bench.measure import Ratio
from tests.bench.questions import Question
from tests.bench.servers import MOST_NODES

REPETITIONS = 5
POINT_CHECK_ROUNDS = 7
"""Something else on the machine spoils one of them, not their median."""


class Percentiles(NamedTuple):
    """Of one round of checks."""

    p50_ms: float
    p95_ms: float


class PointChecks(NamedTuple):
    """Milliseconds of one check in one read transaction, session and all; nothing is remembered from check to check."""

    checks: int
    ad_accounts: int
    allowed: int
    rounds: list[Percentiles]

    @property
    def p50_ms(self) -> float:
        """The median of the rounds."""
        return median(one.p50_ms for one in self.rounds)

    @property
    def p95_ms(self) -> Ratio:
        """The median of the rounds, and their extremes."""
        found = [one.p95_ms for one in self.rounds]
        return Ratio(median(found), min(found), max(found))


class Documents(NamedTuple):
    """How many requests ran, of how many documents, and how many documents were parsed for that."""

    requests: int
    documents: int
    parsed: int


def time_point_checks(data: Data, count: int) -> PointChecks:
    """Random logins ask about random ad accounts, one or the other in three about one they surely see."""
    dice = random.Random(SEED)
    database = Database.open(data.url)
    took: list[float] = []
    allowed = 0
    try:
        tree_login = _tree_login(database)
        visible = [AdAccountId(int(one["target"].partition(":")[2])) for one in data.checks]
        for number in range(count + count // 10):
            login = tree_login if number % 3 == 0 else LoginId(dice.randint(1, data.logins))
            target = dice.choice(visible) if number % 3 == 0 else AdAccountId(dice.randint(1, data.ad_accounts))
            request = CheckRequest(None, Capability.MANAGE_CAMPAIGNS, TargetId(None, target), None)
            started = time.perf_counter()
            with database.read() as transaction:
                now = Instant(time.time_ns() // 1_000_000)
                [answer] = check_many(Session(transaction, Viewer(login, ""), now), [request])
                decided = answer.allowed
            if number >= count // 10:  # the first tenth warms the caches up
                took.append((time.perf_counter() - started) * 1_000)
                allowed += bool(decided)
    finally:
        database.close()
    size = -(-count // POINT_CHECK_ROUNDS)
    rounds = [_percentiles(took[start : start + size]) for start in range(0, count, size)]
    return PointChecks(count, data.ad_accounts, allowed, rounds)


def _percentiles(took: Sequence[float]) -> Percentiles:
    ordered = sorted(took)
    return Percentiles(ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)])


def _tree_login(database: Database) -> LoginId:
    with database.read() as transaction:
        login = read_login(transaction, TREE_USER_NAME)
    if login is None:
        raise LookupError("the database was not filled by the generator")
    return login.id


def count_parsed(data: Data, questions: Sequence[Question]) -> Documents:
    """Ask every question several times of one engine and count how often it parsed."""
    engine = Engine()
    database = Database.open(data.url)
    try:
        login = _tree_login(database)
        for _ in range(REPETITIONS):
            for question in questions:
                with database.read() as transaction:
                    viewer, limits = Viewer(login, TREE_USER_NAME), Limits(max_nodes=MOST_NODES)
                    session = Session(transaction, viewer, Instant(time.time_ns() // 1_000_000), limits)
                    engine.execute(question.query, question.variables, None, session)
    finally:
        database.close()
    documents = len({question.query for question in questions})
    return Documents(REPETITIONS * len(questions), documents, engine.documents.parsed)
