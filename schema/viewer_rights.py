"""What the viewer may do with something on the screen: state and permission in one answer."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers.rules.capabilities import Capability

CapabilityArgument = Annotated[Capability, strawberry.argument(description="What you would like to do.")]
VIEWER_CAN = "Whether you may do this now: your roles, the links on the way and the state of the object together."
VIEWER_CAPABILITIES = "Everything you may do with it now."
VIEWER_ROLES = "The roles through which you reach it, weakest first."
ACCESSORS = "Who holds a capability on it, by which roles, and how they got there."
CapabilityHeld = Annotated[
    Capability, strawberry.argument(description="What they must be able to do; by default, see it.")
]
Via = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Only users with a path that leads through this customer id."),
]
