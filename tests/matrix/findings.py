"""Everything every caller is shown, looked at field by field: what is wrong, and what was told at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from storage.database import Database
from tests.matrix.company import CALLERS, REFERENCE, Caller, build_company
from tests.matrix.means import Judge
from tests.matrix.questions import answers_to, answers_to_writes
from tests.matrix.rights import RIGHTS
from tests.matrix.seer import Everything

NOBODY = Caller("NOBODY", "without a token", None)
EVERYBODY = (REFERENCE, *CALLERS, NOBODY)
ROLES = tuple(dict.fromkeys(caller.role for caller in EVERYBODY))


class Findings:
    """The company in one database. Who asks is looked at when he is asked about, once."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.shown = build_company(database)
        self.told: set[str] = set()
        """The fields that had something to tell to somebody."""
        self._wrong: dict[Caller, dict[str, list[str]]] = {}

    @cached_property
    def everything(self) -> Everything:
        """What there is to see."""
        return Everything(self.shown, answers_to(self.database, self.shown, REFERENCE))

    def of(self, caller: Caller) -> dict[str, list[str]]:
        """What is wrong with what a caller is shown, by field."""
        if caller not in self._wrong:
            self._wrong[caller] = self._look(caller)
        return self._wrong[caller]

    def _look(self, caller: Caller) -> dict[str, list[str]]:
        judge = Judge(self.everything, caller)
        found: dict[str, list[str]] = defaultdict(list)
        asked, written = (
            answers_to(self.database, self.shown, caller),
            answers_to_writes(self.database, self.shown, caller),
        )
        for places in (asked, written):
            for place in places:
                field = f"{place.type}.{place.field}"
                if place.value not in (None, []):
                    self.told.add(field)
                # One without a right fails as such, by its name.
                wrong = judge.wrong(place) if field in RIGHTS else None
                if wrong is not None:
                    found[field].append(f"{caller}: {' > '.join(place.way)} at {place.key}: {wrong}")
        return found

    def wrong(self, field: str, callers: Iterable[Caller]) -> list[str]:
        """The first few things that are wrong with a field."""
        return [one for caller in callers for one in self.of(caller).get(field, ())][:5]
