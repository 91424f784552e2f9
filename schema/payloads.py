"""What mutations share: how a write is ordered, what every payload has, and how refusals read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields, is_dataclass
from typing import Any, NamedTuple

import strawberry
from strawberry.utils.str_converters import to_camel_case

from resolvers.rules.texts import is_storable
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import Outcome, UserError, WriteOrder, WriteSession
from schema.context import Info, shown
from schema.effects import AccessEffects

DryRun = "Do everything but keep nothing: the payload is the same, and `effects` tells who would gain and lose access."
RequestId = (
    "A name of your own for this request: sent again, with the same input, it changes nothing and returns the first"
    " result."
)
Reason = "Why, for the audit log; 1,000 characters at most."


@strawberry.input
class WriteInput:
    """What every mutation's input has."""

    dry_run: bool = strawberry.field(default=False, description=DryRun)
    request_id: str | None = strawberry.field(default=None, description=RequestId)
    reason: str | None = strawberry.field(default=None, description=Reason)


@strawberry.type(name="UserError", description="Why a write, or one item of it, was refused; nothing of it was done.")
class UserErrorType:
    """Resolved on a `UserError`."""

    code: str = strawberry.field(description="A stable code.")
    message: str = strawberry.field(description="What is wrong, why, and what to do, in one sentence.")
    number: int | None = strawberry.field(description="The documented error number, where there is one.")
    field: list[str] = strawberry.field(description="The path of the input it is about.")
    rule: str | None = strawberry.field(description="The rule behind it.")


@strawberry.type
class Payload:
    """What every payload has. Resolved on an `Outcome`."""

    @strawberry.field(description="Everything that speaks against the write; empty when it was done.")
    def user_errors(self, parent: strawberry.Parent[Outcome]) -> list[UserErrorType]:
        return list(parent.errors)  # type: ignore[arg-type]

    @strawberry.field(
        description="Of a dry run, who would gain and lose access at once; null of a write that was done or refused."
        " What becomes of it later, as when a link that was accepted turns ACTIVE, is not in it."
    )
    def effects(self, parent: strawberry.Parent[Outcome], info: Info) -> AccessEffects | None:
        return None if parent.errors or not parent.is_dry_run else shown(writing(info).effects())

    @strawberry.field(description="The revision this write made; null when nothing was changed.")
    def revision(self, parent: strawberry.Parent[Outcome]) -> strawberry.ID | None:
        return None if parent.revision is None else strawberry.ID(str(parent.revision))


class Item(NamedTuple):
    """One item of a payload with results for each."""

    id: Any
    errors: tuple[UserError, ...]


def items_of(outcome: Outcome) -> list[Item]:
    """The results of a payload, from the plain values they are kept as."""
    return [
        Item(one["id"], tuple(_user_error(error) for error in one["errors"]))
        for one in outcome.value.get("results", ())
    ]


def _user_error(values: list[Any]) -> UserError:
    code, message, number, field, rule = values
    return UserError(WriteCode(code), message, number, tuple(field), rule)


def body_of(given: WriteInput) -> dict[str, Any]:
    """What an input asks for, without how it is to be done: what a repeat under one request id must share."""
    body = asdict(given)
    for name in ("dry_run", "request_id", "reason"):
        del body[name]
    return body


def order(operation: str, given: WriteInput, body: Any) -> WriteOrder:
    """A write as it is ordered by an input."""
    unstorable = tuple(path for path, text in _texts_of(given, ()) if not is_storable(text))
    return WriteOrder(operation, body, given.request_id, given.dry_run, given.reason, unstorable)


def _texts_of(given: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text of an input with its path, as the schema spells it."""
    if isinstance(given, str):
        yield path, given
    elif isinstance(given, list):
        for position, one in enumerate(given):
            yield from _texts_of(one, (*path, str(position)))
    elif is_dataclass(given):
        for one in fields(given):
            yield from _texts_of(getattr(given, one.name), (*path, to_camel_case(one.name)))


def writing(info: Info) -> WriteSession:
    """The session of a mutation."""
    session = info.context
    if not isinstance(session, WriteSession):
        raise TypeError("mutations run in write transactions")
    return session
