"""Documents, parsed and validated once: a bounded cache keyed by their text."""

from __future__ import annotations

import re
from collections import OrderedDict
from itertools import islice
from threading import Lock
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import OverlappingFieldsCanBeMergedRule
from graphql.validation.validate import ValidationAbortedError

from schema.counting import COST_OF_A_MUTATION
from schema.document_rules import (
    CHARACTERS_PER_TOKEN,
    MOST_COMPARISONS,
    DocumentLimits,
    FieldsAgree,
    Size,
    oversize,
    sizes_of,
    too_large,
)
from schema.errors import (
    MOST_ERRORS_SHOWN,
    OPERATION_RESOLUTION_FAILURE,
    PARSE_FAILED,
    VALIDATION_FAILED,
    oversize_request,
    request_errors,
)

MOST_DOCUMENTS = 512
MOST_CHARACTERS = 400_000
"""Of all cached documents together. A character costs some 180 bytes once its plan is made: 70 MiB at most."""
MOST_OF_THE_CACHE = 4
"""No document may take more than this part of the cache: one of four, and never everybody else's place."""
_RULES = tuple(FieldsAgree if rule is OverlappingFieldsCanBeMergedRule else rule for rule in specified_rules)
_RULES_WITHOUT_INTROSPECTION = (*_RULES, NoSchemaIntrospectionCustomRule)
_WORDS = re.compile(r"\w+|[^\s\w,]")
_PAST_THE_TOKENS = "Document contains more than"
"""How graphql-core begins its word on too many tokens or comments: a syntax error by class, but not by nature."""


class Document:
    """A document that is ready to run, or the response that says why it cannot."""

    def __init__(self, text: str, schema: GraphQLSchema, limits: DocumentLimits, *, introspection: bool) -> None:
        self.size = len(text)
        self.refused: dict[str, Any] | None = None
        self.operations: dict[str | None, OperationDefinitionNode] = {}
        self.fragments: dict[str, FragmentDefinitionNode] = {}
        self.plans: dict[Any, Any] = {}
        self.coercers: dict[str | None, Any] = {}
        self.expected: dict[str | None, int] = {}
        """What each operation costs at least when it finds one of everything it asks for."""
        self._unpaid = price_of_reading(text, limits)
        node = _parsed(text, limits)
        if not isinstance(node, DocumentNode):
            self.refused = node
            return
        sizes = sizes_of(node)
        self.refused = _fault(node, [size for _, size in sizes], schema, limits, introspection=introspection)
        if self.refused is not None:
            # Only what can run is worth keeping: the nodes of a refused document would fill the cache for nothing.
            return
        self.node = node
        for definition in node.definitions:
            if isinstance(definition, FragmentDefinitionNode):
                self.fragments[definition.name.value] = definition
        for operation, size in sizes:
            name = operation.name.value if operation.name else None
            self.operations[name] = operation
            self.expected[name] = size.objects + _of_the_root(operation, size)

    def claim_reading(self) -> int:
        """What reading and checking the document cost: whoever sent it first pays, and nobody after that."""
        unpaid, self._unpaid = self._unpaid, 0
        return unpaid

    def operation(self, name: str | None) -> OperationDefinitionNode | dict[str, Any]:
        """The operation to run, or the response that says why none can be chosen."""
        if name:
            found = self.operations.get(name)
            if found is not None:
                return found
            message = f'The document has no operation named "{name[:60]}".'
        elif len(self.operations) == 1:
            return next(iter(self.operations.values()))
        elif not self.operations:
            message = "The document has no operation: it only defines fragments."
        else:
            message = "The document has several operations: name the one to run in `operationName`."
        return request_errors([GraphQLError(message)], OPERATION_RESOLUTION_FAILURE)


def price_of_reading(text: str, limits: DocumentLimits) -> int:
    """What reading a document costs: 1 for each word or sign, and at least 1 for each 25 characters.

    Checking takes its time by words, up to some 50 µs each, and a short document may have many. More than is allowed
    are not counted: such a document is refused before it is checked.
    """
    words = sum(1 for _ in islice(_WORDS.finditer(text), limits.tokens))
    return max(-(-len(text) // CHARACTERS_PER_TOKEN), words)


def _parsed(text: str, limits: DocumentLimits) -> DocumentNode | dict[str, Any]:
    """The document, or the response that says why it cannot be read."""
    if len(text) > limits.characters:
        return oversize_request(too_large("characters", limits.characters, len(text)))
    try:
        return parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.tokens)
    except GraphQLSyntaxError as error:
        if _PAST_THE_TOKENS in error.message:
            return oversize_request(too_large("tokens", limits.tokens))
        return request_errors([error], PARSE_FAILED)
    except GraphQLError as error:
        return request_errors([error], PARSE_FAILED)


def _of_the_root(operation: OperationDefinitionNode, size: Size) -> int:
    return size.roots * COST_OF_A_MUTATION if operation.operation == OperationType.MUTATION else 1


def _fault(
    node: DocumentNode, sizes: list[Size], schema: GraphQLSchema, limits: DocumentLimits, *, introspection: bool
) -> dict[str, Any] | None:
    """The response that says why a document cannot run; None when it can. Size comes first: it bounds the rest."""
    excess = oversize(sizes, limits)
    if excess is not None:
        return oversize_request(excess)
    rules = _RULES if introspection else _RULES_WITHOUT_INTROSPECTION
    errors = validate(schema, node, rules, max_errors=MOST_ERRORS_SHOWN, hide_suggestions=not introspection)
    if not errors:
        return None
    if isinstance(errors[-1], ValidationAbortedError) and len(errors) <= MOST_ERRORS_SHOWN:
        # It was aborted by work, not by the number of its faults.
        return oversize_request(too_large("comparisons", MOST_COMPARISONS))
    return request_errors(errors, VALIDATION_FAILED)


class DocumentCache:
    """The documents used last, by their text. Safe to share between threads."""

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits) -> None:
        self._schema = schema
        self._limits = limits
        self._documents: OrderedDict[tuple[str, bool], Document] = OrderedDict()
        self._characters = 0
        self._lock = Lock()
        self.parsed = 0
        """How many documents have been parsed and validated: a test watches that each is only once."""

    def get(self, text: str, *, introspection: bool) -> Document:
        """The document of this text; parsed and validated at its first use."""
        key = (text, introspection)
        with self._lock:
            found = self._documents.get(key)
            if found is not None:
                self._documents.move_to_end(key)
                return found
        document = Document(text, self._schema, self._limits, introspection=introspection)
        with self._lock:
            self.parsed += 1
            if key not in self._documents and document.size <= MOST_CHARACTERS // MOST_OF_THE_CACHE:
                self._documents[key] = document
                self._characters += document.size
            while len(self._documents) > MOST_DOCUMENTS or self._characters > MOST_CHARACTERS:
                self._characters -= self._documents.popitem(last=False)[1].size
        return document
