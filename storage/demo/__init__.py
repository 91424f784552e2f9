"""The demo company: the worked example the tests rely on, and a livelier invented agency to explore.

All names are invented. The same `now_ms` gives the same rows, byte for byte.
"""

from __future__ import annotations

from storage.database import Database
from storage.demo.agency import UNDER_WAY, tell_agency
from storage.demo.story import EPOCH_MS, Story
from storage.demo.visitors import VISITORS, Visitor
from storage.demo.worked_example import WORKED_USER_NAME, tell_worked_example
from storage.errors import StorageFailure
from storage.models import Revision
from storage.writes import continue_ids_after_given_ones

__all__ = ["EARLIEST_NOW_MS", "EPOCH_MS", "UNDER_WAY", "VISITORS", "WORKED_USER_NAME", "Visitor", "load_demo"]

EARLIEST_NOW_MS = Story.at_day(800)
"""The demo's past is told up to here; what is pending in it was sent shortly before `now_ms`."""


def load_demo(database: Database, *, now_ms: int) -> bool:
    """Fill an empty, migrated database with the demo company. False when it is there already.

    `now_ms` decides only what is recent: pending links and invitations were sent a few hours before, so they are there
    for four weeks and a day.
    Cost: one transaction, about a second.
    Raises: StorageFailure when the database holds something else.
    """
    if now_ms < EARLIEST_NOW_MS:
        raise ValueError(f"the demo plays up to {EARLIEST_NOW_MS} ms; now_ms must not be earlier")
    story = Story(now_ms)
    tell_worked_example(story)
    tell_agency(story)
    with database.write() as transaction:
        # Revisions stay as they were written; ids and names may be anybody's, and a visitor may change names.
        at_ms, operation = story.beginning
        begun = (Revision.at_ms == at_ms) & (Revision.operation == operation)
        if transaction.run(Revision.select(Revision.id).where(begun).limit(1)).fetchall():
            return False
        if transaction.run(Revision.select(Revision.id).limit(1)).fetchall():
            raise StorageFailure(
                "The database holds other data, and the demo company is only loaded into a new, empty one. Name another"
                " in ADGRAPH_DATABASE_URL, such as sqlite:///var/demo.db, or remove this one if nobody needs it."
            )
        story.write(transaction)
        continue_ids_after_given_ones(transaction)
    return True
