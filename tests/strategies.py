"""Hypothesis strategies for worlds: the generator of `tests.worlds` with every number drawn, so failures shrink."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.oracle import Target, World
from tests.worlds import make_world


class DrawnDice:
    """Numbers drawn by Hypothesis."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def number(self, low: int, high: int) -> int:
        """A number from low to high, both possible; shrinks towards low."""
        return self._draw(st.integers(low, high))


@st.composite
def worlds(draw: st.DrawFn, *, most_manager_accounts: int = 12) -> World:
    """Worlds of 3 to `most_manager_accounts` manager accounts."""
    return make_world(DrawnDice(draw), most_manager_accounts=most_manager_accounts)


@st.composite
def questions(draw: st.DrawFn) -> tuple[World, int, Target, int | None]:
    """A world, one of its users, one of its targets, and a context to name or none."""
    world = draw(worlds())
    user = draw(st.sampled_from([item.id for item in world.users]))
    target = draw(st.sampled_from(world.targets()))
    context = draw(st.none() | st.sampled_from([item.id for item in world.manager_accounts]))
    return world, user, target, context
