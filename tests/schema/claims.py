"""Every access answer is asked for its reasons too, and the reasons are checked against the stored facts.

A document is widened: wherever it asks for an `Access` or a `CheckResult`, it also asks for the paths behind
it, under names of our own. What comes back is a set of claims for `tests.verifier`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    print_ast,
    visit,
)

from tests.oracle import AD, MANAGER, Assignment, Target, World, forbidden_by_state
from tests.verifier import Explanation, Hop, Remedy, needed, remedied, why_not

_CLAIM_FRAGMENT = """
fragment PathClaim on AccessPath {
  role
  customerId
  assignmentId
  contextId
  capabilities
  hops { kind linkId fromCustomerId toCustomerId toAccountId removed }
}
fragment MissClaim on AccessNearMiss {
  path { ...PathClaim }
  remedy {
    besides
    ways { kind by role userId customerId linkId needs { capability customerId accountId } }
  }
}
"""
_CLAIMS = {
    "CheckResult": """{
      claim_allowed: allowed
      claim_capability: capability
      claim_path: decidingPath { ...PathClaim }
      claim_misses: nearMisses { ...MissClaim }
    }""",
    "Access": """{
      claim_user: user { userId }
      claim_capabilities: capabilities
      claim_paths: paths(first: 100) { hiddenCount pageInfo { hasNextPage } nodes { ...PathClaim } }
      claim_decisions: decisions { capability allowed decidingPath { ...PathClaim } }
    }""",
}


def _selections(text: str) -> tuple[SelectionNode, ...]:
    [operation] = parse(text, no_location=True).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return tuple(operation.selection_set.selections)


_ADDED = {name: _selections(text) for name, text in _CLAIMS.items()}
_FRAGMENTS = parse(_CLAIM_FRAGMENT, no_location=True).definitions


class _AddClaims(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.added: set[str] = set()

    def leave_selection_set(self, node: SelectionSetNode, *_: object) -> SelectionSetNode | None:
        parent = self._types.get_parent_type()
        name = get_named_type(parent).name if parent is not None else ""
        added = _ADDED.get(name)
        if added is None:
            return None
        self.added.add(name)
        return SelectionSetNode(selections=(*node.selections, *added))


@lru_cache(maxsize=512)
def widened(text: str, schema: GraphQLSchema) -> str | None:
    """The document with the reasons of all its access answers; None when it asks for none."""
    types = TypeInfo(schema)
    visitor = _AddClaims(types)
    document = visit(parse(text, no_location=True), TypeInfoVisitor(types, visitor))
    if not visitor.added:
        return None
    names = {one.name.value for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    assert not {"PathClaim", "MissClaim"} & names, "a test's fragment may not be named like ours"
    # A fragment that nothing uses would make the document invalid.
    fragments = _FRAGMENTS if "CheckResult" in visitor.added else _FRAGMENTS[:1]
    return print_ast(DocumentNode(definitions=(*document.definitions, *fragments)))


def without_claims(answer: Any) -> Any:
    """The answer as the document asked for it."""
    if isinstance(answer, dict):
        return {key: without_claims(value) for key, value in answer.items() if not key.startswith("claim_")}
    return [without_claims(item) for item in answer] if isinstance(answer, list) else answer


class Claims:
    """What a widened answer claims, checked one by one; raises AssertionError with the first that is not true."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._assignments = {item.id: item for item in world.assignments}
        self.checked = 0

    def verify(self, answer: Any, viewer_users: frozenset[int]) -> None:
        """Check every claim in the answer to somebody who stands for these users."""
        for found in _dicts(answer):
            if "claim_allowed" in found:
                self._decision(found["claim_capability"], found["claim_allowed"], found["claim_path"], None)
                for miss in found["claim_misses"]:
                    self._miss(miss, found["claim_capability"])
            elif "claim_paths" in found:
                self._access(found, viewer_users)

    def _access(self, found: dict[str, Any], viewer_users: frozenset[int]) -> None:
        subject = None if found["claim_user"] is None else int(found["claim_user"]["userId"])
        held = frozenset(found["claim_capabilities"])
        page = found["claim_paths"]
        given: set[str] = set()
        for path in page["nodes"]:
            target = _end(path)
            forbidden = forbidden_by_state(self._world, target)
            given |= set(path["capabilities"]) - forbidden
            for capability in sorted(set(path["capabilities"]) - forbidden):
                self._explains(path, capability, subject)
            if subject is None:
                assert self._holder(path).user in viewer_users, f"not the viewer's own: {path}"
        if not page["hiddenCount"] and not page["pageInfo"]["hasNextPage"]:
            assert given == held, f"the paths give {sorted(given)}, the answer says {sorted(held)}"
        assert given <= held, f"a path gives more than the answer: {sorted(given - held)}"
        for decision in found["claim_decisions"]:
            capability = decision["capability"]
            self._decision(capability, decision["allowed"], decision["decidingPath"], subject)
            assert (decision["allowed"] is True) == (capability in held), decision

    def _decision(self, capability: str, allowed: bool | None, path: Any, subject: int | None) -> None:
        if path is None:
            return
        assert allowed is True, f"{capability} is decided by a path but not allowed"
        assert capability in path["capabilities"], f"the deciding path does not give {capability}: {path}"
        self._explains(path, capability, subject)

    def _explains(self, path: Any, capability: str, subject: int | None) -> None:
        explanation = self._claim(path, capability, subject)
        untrue = why_not(self._world, explanation)
        assert untrue is None, f"{untrue}: {explanation}"
        self.checked += 1

    def _claim(self, path: Any, capability: str, subject: int | None) -> Explanation:
        assignment = self._holder(path)
        assert (path["role"], int(path["customerId"])) == (assignment.role, assignment.manager_account)
        return Explanation(
            user=assignment.user if subject is None else subject,
            target=_end(path),
            capability=capability,
            assignment=assignment.id,
            hops=tuple(self._hop(hop) for hop in path["hops"]),
            context=int(path["contextId"]),
        )

    def _miss(self, miss: Any, capability: str) -> None:
        """Every way of a remedy opens the path once it is carried out, and names all that is needed for it."""
        path, besides = miss["path"], miss["remedy"]["besides"]
        # Which context a role given elsewhere is used through is another question.
        denied = self._claim(path, capability, None)._replace(context=None)
        assert miss["remedy"]["ways"], f"no remedy: {miss}"
        for way in miss["remedy"]["ways"]:
            remedy = _remedy(way)
            world, claim = remedied(self._world, denied, remedy)
            untrue = why_not(world, claim, whatever_the_state=besides is not None)
            assert untrue is None, f"{untrue}: {way} does not mend {denied}"
            if besides is not None:
                assert capability in forbidden_by_state(world, denied.target), f"nothing speaks against it: {besides}"
            assert remedy.needs == needed(self._world, denied, remedy), f"{way} of {denied}"
            assert (way["by"] == "USERS") == bool(remedy.needs), way
        self.checked += 1

    def _holder(self, path: Any) -> Assignment:
        return self._assignments[int(path["assignmentId"])]

    def _hop(self, hop: Any) -> Hop:
        source, destination = int(hop["fromCustomerId"]), _destination(hop)
        fact = None if hop["linkId"] is None else int(hop["linkId"])
        if hop["kind"] == "AGGREGATION":
            ends = [(item.aggregator, item.manager_account, item.id) for item in self._world.aggregations]
            fact = next(id for above, below, id in ends if (above, below) == (source, destination.id))
        return Hop(hop["kind"], source, destination, fact, frozenset(hop["removed"]))


def _remedy(way: Any) -> Remedy:
    def number(name: str) -> int | None:
        return None if way[name] is None else int(way[name])

    needs = tuple(
        (need["capability"], Target(MANAGER, int(need["customerId"])) if need["customerId"] else _account(need))
        for need in way["needs"]
    )
    return Remedy(way["kind"], way["role"], number("userId"), number("customerId"), number("linkId"), needs)


def _account(need: Any) -> Target:
    return Target(AD, int(need["accountId"]))


def _destination(hop: Any) -> Target:
    if hop["toAccountId"] is not None:
        return Target(AD, int(hop["toAccountId"]))
    return Target(MANAGER, int(hop["toCustomerId"]))


def _end(path: Any) -> Target:
    return _destination(path["hops"][-1]) if path["hops"] else Target(MANAGER, int(path["customerId"]))


def _dicts(answer: Any) -> Iterator[dict[str, Any]]:
    if isinstance(answer, dict):
        yield answer
        for value in answer.values():
            yield from _dicts(value)
    elif isinstance(answer, list):
        for item in answer:
            yield from _dicts(item)
