"""How large a document may be: depth, fields, aliases, root fields, directives and tokens, measured in linear time.

A fragment is measured once and counted as often as it is spread, so a document of a few lines that writes out
billions of fields is refused as fast as any other. Nothing here looks at the schema or at variables: what is measured
is true of the text, and is kept with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.language import VariableDefinitionNode
from graphql.validation import OverlappingFieldsCanBeMergedRule, ValidationContext

COUNTED_TO = 1_000_000_000
"""Counts stop here: beyond, a number says nothing more and only takes longer to write."""
CHARACTERS_PER_TOKEN = 25
"""On average; written out with indentation, queries have ten. What is longer is comments, blanks, or values that belong
in variables."""
MOST_COMPARISONS = 10_000
"""What finding out whether fields of one name agree may take, in graphql-core's own units: some 20 ms. An ordinary
document takes hundreds; one that repeats a name a thousand times would take a million."""

MOST_VALUES = 10_000
"""Values in the variables of a request, lists and objects included. A thousand checks have five thousand; looking at
half a million, as fit into a body, takes seconds."""
_HOLDS_VALUES = (dict, list)


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """How large a document may be. All counts are those of the whole document, fragments written out.

    `depth`: fields inside fields, the outermost being one. The deepest question of `queries/` has 17 and introspection
    15. `aliases`: names for asking one thing several times. `tokens`: words and signs; reading and checking them is
    what a document costs before it runs, and 2,000 take 50 ms.
    """

    depth: int = 25
    fields: int = 1_000
    aliases: int = 100
    root_fields: int = 50
    directives: int = 50
    tokens: int = 2_000

    @property
    def characters(self) -> int:
        """How long the text may be: scanning blanks and comments takes time, too."""
        return self.tokens * CHARACTERS_PER_TOKEN


class TooLarge(NamedTuple):
    """Which limit a document is over. `actual` is None where counting ended at the limit."""

    limit: str
    allowed: int
    actual: int | None
    advice: str

    @property
    def message(self) -> str:
        """What is wrong and what to do."""
        size = f"more than {self.allowed}" if self.actual is None else f"{self.actual}"
        allowed = "" if self.actual is None else f" and {self.allowed} are allowed"
        whose = (
            "The variables are too large: they have" if self.limit == "values" else "The document is too large: it has"
        )
        return f"{whose} {size} {_CALLED[self.limit]}{allowed}. {self.advice}"


_CALLED = {
    "characters": "characters",
    "tokens": "tokens (words and signs)",
    "depth": "levels of fields inside fields",
    "fields": "fields, fragments written out",
    "aliases": "aliases",
    "rootFields": "fields at the root",
    "directives": "directives",
    "comparisons": "fields of one name to compare with each other",
    "values": "values",
}
_ADVICE = {
    "characters": "Send values as variables and leave comments out.",
    "tokens": "Send values as variables, name repeated selections as fragments, or send several requests.",
    "depth": "Ask for fewer levels at a time, or for a flat list: `descendants`.",
    "fields": "Ask for less at a time: fragments count as often as they are spread.",
    "aliases": "Ask for several things by one field that takes many: `nodes`, `checkMany`, a search with a filter.",
    "rootFields": "Send several requests.",
    "directives": "One `@include` on a fragment does for many fields.",
    "comparisons": "Name each field once in a selection, or give it an alias.",
    "values": "Send fewer items at a time: no list here takes more than a thousand.",
}


def too_large(limit: str, allowed: int, actual: int | None = None) -> TooLarge:
    """The refusal for one limit, with what to do."""
    return TooLarge(limit, allowed, actual, _ADVICE[limit])


class Size(NamedTuple):
    """The size of a selection set, everything inside it included. `objects` are fields that have selections."""

    depth: int = 0
    fields: int = 0
    objects: int = 0
    aliases: int = 0
    directives: int = 0
    roots: int = 0

    def plus(self, other: Size, at_depth: int = 0) -> Size:
        """With another selection spread into it, below `at_depth` fields."""
        return Size(
            max(self.depth, min(at_depth + other.depth, COUNTED_TO)),
            min(self.fields + other.fields, COUNTED_TO),
            min(self.objects + other.objects, COUNTED_TO),
            min(self.aliases + other.aliases, COUNTED_TO),
            min(self.directives + other.directives, COUNTED_TO),
            min(self.roots + (other.roots if at_depth == 0 else 0), COUNTED_TO),
        )


class _Written(NamedTuple):
    """A definition as it is written: its own size, and the fragments it spreads with how deep they stand in it."""

    size: Size
    spreads: tuple[tuple[str, int], ...]


def sizes_of(document: DocumentNode) -> list[tuple[OperationDefinitionNode, Size]]:
    """The operations of a parsed document, each with its size. Takes time linear in the text, whatever it spreads.

    A fragment inside itself is counted as if it were not there, and so is one nobody defined: validation says so.
    """
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    sizes = _sizes({name: _written(one) for name, one in fragments.items()})
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    return [(one, _total(_written(one), sizes)) for one in operations]


def oversize(sizes: Iterable[Size], limits: DocumentLimits) -> TooLarge | None:
    """The first limit that operations of these sizes are over together, or None."""
    whole = Size()
    for size in sizes:
        whole = whole.plus(size)
    for limit, allowed, actual in (
        ("depth", limits.depth, whole.depth),
        ("fields", limits.fields, whole.fields),
        ("aliases", limits.aliases, whole.aliases),
        ("rootFields", limits.root_fields, whole.roots),
        ("directives", limits.directives, whole.directives),
    ):
        if actual > allowed:
            return too_large(limit, allowed, actual)
    return None


def _written(definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Written:
    depth = fields = objects = aliases = roots = 0
    directives = len(definition.directives or ()) + _on_variables(definition.variable_definitions or ())
    spreads: list[tuple[str, int]] = []
    waiting: list[tuple[SelectionSetNode, int]] = [(definition.selection_set, 0)]
    while waiting:
        selections, above = waiting.pop()
        for node in selections.selections:
            directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                fields += 1
                aliases += node.alias is not None
                roots += above == 0
                depth = max(depth, above + 1)
                if node.selection_set is not None:
                    objects += 1
                    waiting.append((node.selection_set, above + 1))
            elif isinstance(node, FragmentSpreadNode):
                fields += 1  # or fragments that only spread each other would be free
                spreads.append((node.name.value, above))
            else:
                waiting.append((node.selection_set, above))  # type: ignore[attr-defined]
    return _Written(Size(depth, fields, objects, aliases, directives, roots), tuple(spreads))


def _on_variables(definitions: Iterable[VariableDefinitionNode]) -> int:
    return sum(len(one.directives or ()) for one in definitions)


def _total(written: _Written, sizes: Mapping[str, Size]) -> Size:
    total = written.size
    for name, depth in written.spreads:
        if name in sizes:
            total = total.plus(sizes[name], depth)
    return total


def _sizes(fragments: Mapping[str, _Written]) -> dict[str, Size]:
    """The size of each fragment, those it spreads first. Without recursion: a chain may be as long as the document."""
    sizes: dict[str, Size] = {}
    in_progress: set[str] = set()
    waiting = list(fragments)
    while waiting:
        name = waiting[-1]
        if name in sizes or name not in fragments:
            waiting.pop()
        elif name in in_progress:
            in_progress.remove(name)
            sizes[name] = _total(fragments[name], sizes)
            waiting.pop()
        else:
            in_progress.add(name)
            waiting += {one for one, _ in fragments[name].spreads if one not in sizes and one not in in_progress}
    return sizes


class FieldsAgree(OverlappingFieldsCanBeMergedRule):
    """graphql-core's rule that fields of one name agree, with `MOST_COMPARISONS` for the whole document."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = MOST_COMPARISONS


def too_many_values_in(variables: dict[str, Any]) -> TooLarge | None:
    """The refusal of variables with more values than can be looked at in no time, or None."""
    count = 0
    level: list[Any] = [variables]
    while level:
        count += sum(map(len, level))
        if count > MOST_VALUES:
            return too_large("values", MOST_VALUES)
        inside = (value.values() if isinstance(value, dict) else value for value in level)
        level = [value for values in inside for value in values if isinstance(value, _HOLDS_VALUES)]
    return None
