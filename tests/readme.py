"""The tables and lists of the README that are made from code. `python -m tests.readme` writes them in place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path

from adgraph.http.page import operations
from adgraph.settings import Settings, shown, variable_of
from resolvers.rules.capabilities import CAPABILITY_RULES, CapabilityRule
from resolvers.rules.write_codes import WRITE_CODES
from storage.records.values import Role

README = Path(__file__).parent.parent / "README.md"
ROLES = {
    "Viewer": Role.VIEWER,
    "Campaign Manager": Role.CAMPAIGN_MANAGER,
    "Standard": Role.STANDARD,
    "Super Admin": Role.SUPER_ADMIN,
    "Aggregator": Role.AGGREGATOR,
}


def _table(*rows: tuple[str, ...]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])


def permission_table() -> str:
    """Who may do what, and what survives a link: every rule C1–C18."""

    def row(rule: CapabilityRule) -> tuple[str, ...]:
        kinds = (("manager account", rule.on_manager_account), ("ad account", rule.on_ad_account))
        on = " and ".join(kind for kind, held in kinds if held)
        ticks = ["✓" if role in rule.roles else "" for role in ROLES.values()]
        links = ["✓" if survives else "–" for survives in (rule.survives_standard_link, rule.survives_account_link)]
        return rule.id, f"`{rule.capability}`", on, *ticks, *links

    head = ("rule", "capability", "on", *ROLES, "standard link", "account link")
    return _table(head, *map(row, CAPABILITY_RULES))


def settings_table() -> str:
    """Every environment variable, as `adgraph.settings` declares it."""
    rows = []
    for each in fields(Settings):
        variable = variable_of(each)
        rows.append((f"`{variable.name}`", variable.decides, variable.allowed, f"`{shown(each.default)}`"))
    return _table(("variable", "what it decides", "allowed", "default"), *rows)


def write_code_table() -> str:
    """Every code of `userErrors`, with its number and rule."""
    rows = [(f"`{code}`", str(row.number), row.rule or "", row.when) for code, row in WRITE_CODES.items()]
    return _table(("code", "number", "rule", "when"), *rows)


def question_list() -> str:
    """The questions of the menu, each with its file."""
    listed = operations(README.parent / "queries")
    return "\n".join(f"- [{each.question}](queries/{each.name}.graphql)" for each in listed)


GENERATED: Mapping[str, Callable[[], str]] = {
    "permissions": permission_table,
    "questions": question_list,
    "settings": settings_table,
    "write codes": write_code_table,
}
"""The blocks of the README that stand between `<!-- name -->` and `<!-- /name -->`."""


def with_tables(text: str) -> str:
    """The text with every generated block as the code has it now."""
    for name, make in GENERATED.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"README.md has no block {begin} … {end}")
        text = f"{before}{begin}\n{make()}\n{end}{after}"
    return text


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")


def documented_codes() -> frozenset[str]:
    """The codes an error may have, as the README lists them."""
    return frozenset(re.findall(r"^\| `([A-Z_]+)` \|", README.read_text(), re.MULTILINE))
