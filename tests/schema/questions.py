"""The operations of `queries/`, read: who asks, what, with which variables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from graphql import OperationDefinitionNode, OperationType, parse

from storage.demo import WORKED_USER_NAME

FOLDER = Path(__file__).parent.parent.parent / "queries"
FILES = sorted(FOLDER.glob("*.graphql"))


class Question(NamedTuple):
    """One file of `queries/`. `asked_as` is the demo login that is shown most."""

    header: list[str]
    asked_as: str
    text: str
    variables: dict[str, Any]


def question(path: Path) -> Question:
    """A file and its variables."""
    text = path.read_text(encoding="utf-8")
    block = text.partition("\n\n")[0].splitlines()
    named = [line.removeprefix("# as: ") for line in block if line.startswith("# as: ")]
    beside = path.with_name(f"{path.stem}.variables.json")
    variables = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
    return Question(block, named[0] if named else WORKED_USER_NAME, text, variables)


def operation(text: str) -> OperationDefinitionNode:
    """The one operation of a document."""
    [only] = [one for one in parse(text).definitions if isinstance(one, OperationDefinitionNode)]
    return only


def _of(kind: OperationType) -> list[Path]:
    return [path for path in FILES if operation(path.read_text()).operation is kind]


QUERIES, MUTATIONS, SUBSCRIPTIONS = map(_of, (OperationType.QUERY, OperationType.MUTATION, OperationType.SUBSCRIPTION))
