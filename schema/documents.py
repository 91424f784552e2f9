"""Documents, parsed and validated once: a bounded cache keyed by their text."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)

from schema.errors import OPERATION_RESOLUTION_FAILURE, PARSE_FAILED, VALIDATION_FAILED, request_errors

MOST_TOKENS = 20_000
"""A thousand checks written out inline have 15,000 tokens; nothing sensible has more."""
MOST_DOCUMENTS = 512
MOST_CHARACTERS = 400_000
"""Of all cached documents together. A character costs some 180 bytes once its plan is made: 70 MiB at most."""
MOST_OF_THE_CACHE = 4
"""No document may take more than this part of the cache: one of four, and never everybody else's place."""


class Document:
    """A document that is ready to run, or the response that says why it cannot."""

    def __init__(self, text: str, schema: GraphQLSchema, *, introspection: bool) -> None:
        self.size = len(text)
        self.refused: dict[str, Any] | None = None
        self.operations: dict[str | None, OperationDefinitionNode] = {}
        self.fragments: dict[str, FragmentDefinitionNode] = {}
        self.plans: dict[Any, Any] = {}
        self.coercers: dict[str | None, Any] = {}
        try:
            node: DocumentNode = parse(text, max_tokens=MOST_TOKENS)
        except GraphQLError as error:
            self.refused = request_errors([error], PARSE_FAILED)
            return
        rules = list(specified_rules)
        if not introspection:
            rules.append(NoSchemaIntrospectionCustomRule)
        errors = validate(schema, node, rules, hide_suggestions=not introspection)
        if errors:
            self.refused = request_errors(errors, VALIDATION_FAILED)
            return
        # Only what can run is worth keeping: the nodes of a refused document would fill the cache for nothing.
        self.node = node
        for definition in node.definitions:
            if isinstance(definition, OperationDefinitionNode):
                self.operations[definition.name.value if definition.name else None] = definition
            elif isinstance(definition, FragmentDefinitionNode):
                self.fragments[definition.name.value] = definition

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


class DocumentCache:
    """The documents used last, by their text. Safe to share between threads."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
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
        document = Document(text, self._schema, introspection=introspection)
        with self._lock:
            self.parsed += 1
            if key not in self._documents and document.size <= MOST_CHARACTERS // MOST_OF_THE_CACHE:
                self._documents[key] = document
                self._characters += document.size
            while len(self._documents) > MOST_DOCUMENTS or self._characters > MOST_CHARACTERS:
                self._characters -= self._documents.popitem(last=False)[1].size
        return document
