"""Random operations of the schema, with ids that lead somewhere, and what must hold of every answer to them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

import graphql
from graphql import (
    REMOVE,
    DocumentNode,
    GraphQLSchema,
    Node,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    visit,
)
from graphql.language import ast
from hypothesis import strategies as st
from hypothesis_graphql import mutations, queries

from tests.readme import documented_codes
from tests.schema.client import GRAPH
from tests.schema.places import KINDS_BY_NAME

DOCUMENTED = documented_codes() - {"INTERNAL_SERVER_ERROR"}
INSIDES = re.compile(
    r"Traceback|[Ss][Qq][Ll]ite|psycopg|[Pp]eewee|SELECT |INSERT |<class|<function|object at 0x|NoneType|KeyError"
    r"|\.py\b|/usr/|/home/|site-packages|graphql-core|strawberry"
)
"""What a sentence to a stranger never contains."""
TOKEN = re.compile(r"\bad[a-z]_[A-Za-z0-9_-]{20,}")
"""A secret of ours: of an access token, a developer token or an invitation."""


Ids = Mapping[str, Collection[str]]
"""Numbers that are there, by kind."""


class _Sense(Visitor):
    """Puts ids that are there in place of most of the random ones, and keeps most lists within their pages."""

    def __init__(self, ids: Ids, draw: st.DrawFn) -> None:
        super().__init__()
        self.info = TypeInfo(GRAPH)
        self.ids = ids
        self.draw = draw
        self.field = self.name = ""

    def enter(self, node: Node, *_: Any) -> Any:
        """What is to stand there; None for what was there."""
        if isinstance(node, ast.FieldNode):
            self.field = node.name.value
        elif isinstance(node, ast.ArgumentNode | ast.ObjectFieldNode):
            self.name = node.name.value
            if self.name in ("first", "last", "after", "before"):
                return self._paging(node)
        elif isinstance(node, ast.StringValueNode | ast.IntValueNode):
            kind = self.info.get_input_type()
            if kind is not None and getattr(get_named_type(kind), "name", "") == "ID":
                return self._id()
        return None

    def _id(self) -> StringValueNode | None:
        """One of a kind that can stand there; now and then any, or the random one."""
        chance = self.draw(st.integers(0, 9))
        if chance == 0:
            return None
        kinds = KINDS_BY_NAME.get(f"{self.field}.{self.name}") or KINDS_BY_NAME.get(self.name) or tuple(self.ids)
        kind = self.draw(st.sampled_from(tuple(self.ids) if chance == 1 else kinds))
        number = self.draw(st.sampled_from(tuple(self.ids[kind])))
        return StringValueNode(value=f"{kind}:{number}" if len(kinds) > 1 else number, block=False)

    def _paging(self, node: ast.ArgumentNode | ast.ObjectFieldNode) -> Any:
        what = self.draw(st.integers(0, 9))
        if what == 0:
            return None
        if node.name.value != "first":
            return REMOVE
        return ast.ArgumentNode(name=node.name, value=ast.IntValueNode(value=str(what)))


@st.composite
def _with_sense(draw: st.DrawFn, documents: st.SearchStrategy[Any], ids: Ids) -> str:
    document: DocumentNode = draw(documents)
    visitor = _Sense(ids, draw)
    return graphql.print_ast(visit(document, TypeInfoVisitor(visitor.info, visitor)))


def _scalars() -> dict[str, st.SearchStrategy[Any]]:
    """Values of the scalars that are not GraphQL's own."""
    texts = {
        "DateTime": ("2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        "Decimal": ("1.5", "-1", "99999999999999999999"),
    }
    strategies = {
        name: st.sampled_from([StringValueNode(value=text, block=False) for text in known])
        for name, known in texts.items()
    }
    return {name: one for name, one in strategies.items() if name in GRAPH.type_map}


def random_queries(ids: Ids) -> st.SearchStrategy[str]:
    """Valid queries."""
    return _with_sense(queries(_schema(), custom_scalars=_scalars(), print_ast=lambda node: node), ids)


def random_mutations(ids: Ids) -> st.SearchStrategy[str]:
    """Valid mutations."""
    return _with_sense(mutations(_schema(), custom_scalars=_scalars(), print_ast=lambda node: node), ids)


def _schema() -> GraphQLSchema:
    """The schema as clients know it, by its SDL alone."""
    return graphql.build_schema(graphql.print_schema(GRAPH))


def judge(response: Any, hidden: Collection[str] = ()) -> Any:
    """The answer, once it holds: never the server's fault, JSON, documented codes, nothing from the inside.

    `hidden`: texts the caller may not be told.
    """
    text = response.text
    assert response.status_code < 500, (response.status_code, text[:500])
    assert "json" in response.headers["content-type"]
    answer = json.loads(text)
    assert isinstance(answer, dict)
    assert "data" in answer or answer["errors"], text[:500]
    for error in answer.get("errors", ()):
        assert error["message"].strip()
        assert error["extensions"]["code"] in DOCUMENTED, error
        assert not INSIDES.search(error["message"]), error
    told = [one for one in hidden if one in text]
    assert told == [], told
    return answer
