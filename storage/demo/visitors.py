"""As whom a visitor of the demo may look around: a handful of its logins, with a word about each."""

from __future__ import annotations

from typing import NamedTuple

from storage.demo.worked_example import WORKED_USER_NAME


class Visitor(NamedTuple):
    """One of the demo's logins: what people call him, and who he is."""

    user_name: str
    first_name: str
    about: str


VISITORS = (
    Visitor(WORKED_USER_NAME, "Alex", "Super Admin at the top of the worked example"),
    Visitor("dana@l3.example", "Dana", "Super Admin of L3, in the middle of it"),
    Visitor("erik@l3.example", "Erik", "Standard user of L3"),
    Visitor("hana@l4.example", "Hana", "Viewer of L4"),
    Visitor("aino.abernet@northwindreach.example", "Aino", "Super Admin of an agency, links in every state"),
    Visitor("robin.castellan@northwindreach.example", "Robin", "five users in one, hundreds of accounts"),
    Visitor("ines.castellan@northwindreach.example", "Ines", "Super Admin of a client who is asked for links"),
)
"""The first one is who the page begins as."""
