"""Documents made to be expensive: each a few lines of code, some of them a mebibyte of text.

All are refused by a server with its usual limits. `HOSTILE` gives each a name for reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from schema.document_rules import DocumentLimits

LIMITS = DocumentLimits()
MEBIBYTE = 1024 * 1024
FITS = LIMITS.characters - 1_000
"""As long as one token may be, with room for what stands around it."""


def each(pattern: str, count: int) -> str:
    """The pattern again and again; `%` in it is the number of the repetition."""
    return " ".join(pattern.replace("%", str(number)) for number in range(count))


def doubling(levels: int, spread: str = "...f% ...f%", kind: str = "Query", start: str = "{ ...f0 }") -> str:
    """Fragments that each spread the next one twice: a line a level, and 2^levels selections."""
    fragments = (f"fragment f{level} on {kind} {{ {spread.replace('%', str(level + 1))} }}" for level in range(levels))
    return " ".join((start, *fragments, f"fragment f{levels} on {kind} {{ __typename }}"))


def doubling_fields(levels: int) -> str:
    """As `doubling`, with an aliased field around every spread."""
    up = "a%: adAccounts { nodes { owner { ...f% } } } b%: adAccounts { nodes { owner { ...f% } } }"
    return doubling(levels, up, "ManagerAccount", '{ managerAccount(id: "1") { ...f0 } }')


def spreading(count: int, spreads: Callable[[int], Iterable[int]]) -> str:
    """Fragments that spread those `spreads` names."""
    fragments = (
        f"fragment f{number} on Query {{ {' '.join(f'...f{other}' for other in spreads(number))} nothing }}"
        for number in range(count)
    )
    return "{ ...f0 } " + " ".join(fragments)


def nested(opening: str, closing: str, depth: int, inside: str = "") -> str:
    """Brackets around brackets."""
    return opening * depth + inside + closing * depth


_KINDS = ("User", "AdAccount", "ManagerAccount", "ClientLink")
_REPEATED = {
    "letters": "a",
    "names": "a ",
    "braces": "{}",
    "open braces": "{",
    "open brackets": "[",
    "open parentheses": "(",
    "blanks": " ",
    "commas": ",",
    "byte order marks": "\ufeff",
    "comments": "#\n",
    "one comment": "#",
    "digits": "9",
    "quotes": '"',
    "spreads": "...f ",
    "directives": "@a",
    "zeros": "\0",
    "faces": "\U0001f600",
    "fields": "{a}",
}
"""Each as long as a body may be, and as long as a document may be: too long, and just not."""
_AROUND = {
    "a string": ('{ find(prefix: "', "x", '") { nothing } }'),
    "escapes": ('{ find(prefix: "', "\\u00e9", '") { nothing } }'),
    "a block string": ('{ find(prefix: """', "x\n", '""") { nothing } }'),
    "a number": ("{ nodes(ids: ", "9", ") { nothing } }"),
    "a fraction": ("{ nodes(ids: 1.", "9", ") { nothing } }"),
    "a field name": ("{ a", "x", " }"),
    "an alias": ("{ a", "x", ": nothing }"),
    "an argument name": ("{ nodes(a", "x", ": 1) { id } }"),
    "an enum value": ("{ check(capability: A", "X", ', target: "1") { allowed } }'),
    "a fragment name": ("{ ...a", "x", " }"),
    "a type name": ("query ($v: A", "x", ") { __typename }"),
    "blanks inside": ("{ ", " ", "nothing }"),
    "a comment inside": ("{ #", "x", "\n nothing }"),
}
_COUNTED = {
    "20,000 aliases": "{" + each("a%: __typename", 20_000) + "}",
    "aliases within the tokens": "{" + each("a%: __typename", 490) + "}",
    "aliases below": "{ viewer { " + each("a%: revision", 400) + " } }",
    "fields of one name": "{ viewer { " + "revision " * 900 + "} }",
    "fields of one name, at the root": "{" + "__typename " * 1_900 + "}",
    "selections of one name": "{" + "viewer { login { loginId } } " * 240 + "}",
    "selections of one name below": "{ viewer {" + "login { loginId } " * 390 + "} }",
    "fields that do not agree": "{ viewer {" + "a: revision a: login { loginId } " * 120 + "} }",
    "types that do not agree": '{ node(id: "1") {'
    + "".join(f"... on {kind} {{ a: {field} }} " for field in ("id", "__typename") * 30 for kind in _KINDS)
    + "} }",
    "unknown fields": "{ viewer { " + each("x%", 900) + " } }",
    "unknown fields that look known": "{ viewer { " + each("revisiom%", 900) + " } }",
    "unknown fragments": "{ viewer { " + each("...f%", 450) + " } }",
    "unused fragments": "{ nothing } " + each("fragment f% on Query { __typename }", 270),
    "fragments of one name": "{ nothing } " + "fragment f on Query { __typename } " * 270,
    "a chain of fragments": spreading(230, lambda number: [number + 1]),
    "a cycle of fragments": spreading(230, lambda number: [(number + 1) % 230]),
    "every fragment spreads every fragment": spreading(24, lambda _: range(24)),
    "every fragment spreads all later ones": spreading(35, lambda number: range(number + 1, 35)),
    "a fragment in itself": "{ ...f } fragment f on Query { ...f }",
    "one fragment many times": "{ viewer { " + "...f " * 450 + "} } fragment f on Viewer { nothing }",
    "fragments inside fragments": "{" + nested("... on Query {", "}", 190, "nothing") + "}",
    "fragments beside fragments": "{ viewer {" + "... on Viewer { nothing } " * 300 + "} }",
    "variables": "query (" + each("$v%: Int", 480) + ") { __typename }",
    "variables of one name": "query (" + "$v: Int " * 480 + ") { __typename }",
    "variables of unknown types": "query (" + each("$v%: Capabilitz%", 480) + ") { __typename }",
    "variables with defaults": "query (" + each('$v%: [ID!] = ["1", 2.5]', 170) + ") { __typename }",
    "unknown variables": '{ managerAccount(id: "1") {' + each("adAccounts(first: $v%) { totalCount }", 180) + "} }",
    "many operations": each("query q% { __typename }", 390),
    "operations within the roots": each("query q% { nothing }", 50),
    "operations of one name": "query q { nothing } " * 50,
    "operations without a name": "{ nothing } " * 50,
    "operations times fragments": each("query q% { ...f0 }", 50) + doubling(9, "...f% nothing", start=""),
    "directives on a field": "{ __typename " + "@skip(if: true) " * 280 + "}",
    "unknown directives": "{ __typename " + "@a" * 990 + " }",
    "as many directives as may be": "{ __typename " + "@a" * 50 + " }",
    "directives on a variable": "query ($v: Int " + "@a" * 990 + ") { __typename }",
    "directives on an operation": "query " + "@a" * 990 + " { __typename }",
    "a long list of wrong values": "{ nodes(ids: [" + "1.5 " * 1_980 + "]) { id } }",
    "a long list, wrong at its end": "{ nodes(ids: [" + '"1" ' * 1_980 + "{}]) { id } }",
    "checks, wrong at their end": "{ checkMany(checks: ["
    + '{capability: VIEW, target: "1"} ' * 240
    + "{}]) { allowed } }",
    "wrong checks": "{ checkMany(checks: [" + '{capability: NO, target: "1"} ' * 240 + "]) { allowed } }",
    "unknown input fields": "{ validateAddress(address: {" + each("linf%: 1", 650) + "}) { __typename } }",
    "one input field many times": "{ validateAddress(address: {" + "line1: 1 " * 650 + "}) { __typename } }",
    "inputs inside inputs": "{ validateAddress(address: " + nested("{line1: ", "}", 190, "1") + ") { __typename } }",
    "lists inside lists": "{ nodes(ids: " + nested("[", "]", 190) + ") { id } }",
    "unknown arguments": "{ nodes(" + each("idz%: 1", 650) + ") { id } }",
    "one argument many times": "{ nodes(" + "ids: 1 " * 650 + ") { id } }",
    "fields inside fields": '{ managerAccount(id: "1") ' + nested("{ owner ", "}", 190, "{ name }") + "}",
    "deep introspection": "{ __schema { types {" + nested("fields { type {", "} }", 90, "name") + "} } }",
    "introspection that goes round": "{ __schema { types {" + nested("fields { type {", "} }", 10, "name") + "} } }",
    "wide introspection": "{" + each("a%: __schema { types { fields { type { name } } } }", 45) + " nothing }",
    "a schema": "type A { a: Int } " * 200,
    "mutations": "mutation {" + each('a%: deleteUser(input: {userId: "1"}) { userErrors { code } }', 45) + " nothing }",
    "fragment arguments": "{ ...f(x: 1) } fragment f($x: Int) on Query { nothing }",
    "wide, and wrong at its end": "{ adAccounts { nodes {" + "name accountId id number " * 220 + "} } nothing }",
    "150,000 open braces": "{" * 150_000,
    "open braces": "{" * 1_990,
}

HOSTILE: dict[str, str] = {
    **{f"{levels} doubling fragments": doubling(levels) for levels in (10, 18, 25, 100, 150, 10_000)},
    **{f"{levels} doubling fragments with fields": doubling_fields(levels) for levels in (9, 18, 25, 100)},
    **{f"a mebibyte of {name}": part * (MEBIBYTE // len(part.encode())) for name, part in _REPEATED.items()},
    **{f"as much as fits of {name}": part * (LIMITS.characters // len(part)) for name, part in _REPEATED.items()},
    **{
        f"{name}, as long as fits": before + part * (FITS // len(part)) + after
        for name, (before, part, after) in _AROUND.items()
    },
    **_COUNTED,
}
