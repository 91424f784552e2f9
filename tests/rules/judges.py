"""One question put to the oracle and to the product: the answer counts only when both give it."""

from __future__ import annotations

from tests.oracle import AD, MANAGER, Answer, Oracle, RoleRow, Target, World
from tests.rules.product import Product


def manager(id: int) -> Target:
    """The manager account of this id."""
    return Target(MANAGER, id)


def ad(id: int) -> Target:
    """The ad account of this id."""
    return Target(AD, id)


def agreed(world: World, target: Target, *, user: int = 1, context: int | None = None) -> Answer:
    """The whole answer both judges give."""
    truth = Oracle(world).effective(user, target, context)
    assert Product(world).effective(user, target, context) == truth
    return truth


def allowed(world: World, target: Target, *, user: int = 1, context: int | None = None) -> set[str]:
    """The capabilities both judges allow."""
    return set(agreed(world, target, user=user, context=context).allowed)


def accessible(world: World, *, user: int = 1) -> set[Target]:
    """Everything both judges let the user view."""
    return {target for target in world.targets() if "VIEW" in allowed(world, target, user=user)}


def rows(world: World, *, user: int = 1) -> set[RoleRow]:
    """The rows of customerRoles both judges give."""
    truth = Oracle(world).customer_roles(user)
    assert frozenset(Product(world).customer_roles(user)) == truth
    return set(truth)
