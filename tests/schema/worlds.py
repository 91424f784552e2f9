"""Asking the graph about random worlds, and what the oracle says must come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage.database import Database
from tests.oracle import AD, Target, World, capabilities_on
from tests.resolvers.askers import Asker
from tests.schema.client import GraphClient

CHECKS_AT_ONCE = 900

Question = tuple[int | None, Target, str, int | None]
"""Whom it is about (None: oneself), the target, the capability, and the context named."""

CHECK_MANY = """query ($checks: [CheckInput!]!) {
  checkMany(checks: $checks) { capability allowed code error { code rule } }
}"""


def named(target: Target) -> str:
    """The target as the graph takes it."""
    return f"{'AdAccount' if target.kind == AD else 'ManagerAccount'}:{target.id}"


def client_of(asker: Asker, database: Database, world: World) -> GraphClient:
    """The asker at the graph."""
    return GraphClient(database, asker.login, world=world, acting=asker.acting)


def check_input(question: Question) -> dict[str, Any]:
    """One question as `checkMany` takes it."""
    user, target, capability, context = question
    given: dict[str, Any] = {"capability": capability, "target": named(target)}
    if user is not None:
        given["user"] = str(user)
    if context is not None:
        given["context"] = str(context)
    return given


def check_many(client: GraphClient, questions: Sequence[Question]) -> list[Any]:
    """The answers to any number of questions, in order."""
    answers: list[Any] = []
    for start in range(0, len(questions), CHECKS_AT_ONCE):
        part = [check_input(one) for one in questions[start : start + CHECKS_AT_ONCE]]
        answers += client.data(CHECK_MANY, {"checks": part})["checkMany"]
    return answers


def every_capability(targets: Sequence[Target]) -> list[Question]:
    """Each target with every capability there is, also those it can never have."""
    everything = sorted(capabilities_on("manager") | capabilities_on(AD))
    return [(None, target, capability, None) for target in targets for capability in everything]


def verdict(answer: Any) -> bool | None:
    """What an answer says: held, not held, or (None) neither, for a chain over the limit and nothing else."""
    allowed: bool | None = answer["allowed"]
    if allowed is None:
        assert answer["code"] is None
        assert answer["error"] == {"code": "CHAIN_OVER_LIMIT", "rule": "P10"}
    else:
        assert answer["error"] is None
        assert (answer["code"] == "ALLOWED") == allowed
    return allowed
