"""What each right means, by the oracle: whether a place shows what it should to one who asks.

What there is to show is what the caller who sees everything is shown at the same place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from tests.matrix import company as of
from tests.matrix.answers import Key, Place, node_of, shape
from tests.matrix.own import IN_ORDER, OWN, target_of
from tests.matrix.questions import kind_of
from tests.matrix.rights import RIGHTS
from tests.matrix.seer import Seer
from tests.oracle import AD, CARRYING, MANAGER, Answer, Target

COUNTS_HIDDEN: Final = frozenset(
    {
        *("ManagerAccount.adAccounts", "ManagerAccount.managerAccounts", "ManagerAccount.descendants"),
        *("ManagerAccount.ancestors", "AdAccount.ancestors", "ManagerAccount.accessors", "AdAccount.accessors"),
        *("User.accessibleAccounts", "ManagerAccount.clientLinks", "AdAccount.clientLinks"),
    }
)
"""Lists that say how many of their rows are hidden. Others are lists of what one may see."""
LISTED: Final = {"accountIds": AD, "linkedAccountIds": AD, "linkedCustomerIds": MANAGER}
COUNTED: Final = {
    "hiddenAccounts": "accountIds",
    "hiddenLinkedAccounts": "linkedAccountIds",
    "hiddenLinkedCustomers": "linkedCustomerIds",
}
_NUMBER: Final = re.compile(r"(?<![\w.:-])[1-6]\d{4}(?![\w:-])")
_MISSING: Final = "nothing there"


class Judge(Seer):
    """One caller, and what is wrong with what he is shown. Each check returns what is wrong, or nothing."""

    def wrong(self, place: Place) -> str | None:
        """What is wrong with what a place shows him."""
        right = RIGHTS[f"{place.type}.{place.field}"]
        holds, _, capability = right.partition(" ")
        if holds == "HOLDS":
            return self._null_unless(place, self.holds(capability, target_of(place.parent)))
        return MEANING[right](self, place)

    # What each right means

    def _there(self, place: Place) -> Any:
        return self.all.at.get(place.key, _MISSING)

    def _is_his_own(self, place: Place) -> bool:
        """Whether only he is shown this, so that there is nothing to measure it by."""
        own = ("Viewer.customerRoles", "AccessToken.auditLog", "Viewer.accessTokens", "Viewer.accessibleAccounts")
        return any(one in place.way for one in own) or place.way[0].startswith("Mutation.")

    def told(self, place: Place) -> str | None:
        """TOLD, BARE ID."""
        there = self._there(place)
        if there is _MISSING or place.way[0].startswith("Mutation."):
            return None if self._is_his_own(place) else "nobody else is told of such a place"
        if isinstance(place.value, dict):
            return None if there is not None else "there is nothing, and something is told"
        if isinstance(place.value, list) and place.value and isinstance(place.value[0], dict):
            return None if len(there) == len(place.value) else f"{len(place.value)} told of {len(there)}"
        return None if shape(place.value) == there else f"{place.value!r} is told of {there!r}"

    def if_seen(self, place: Place) -> str | None:
        """IF SEEN."""
        value = place.value
        if isinstance(value, list):
            expected = [one if self.sees(one) else None for one in self._there(place)]
            return None if shape(value) == expected else f"{shape(value)} instead of {expected}"
        told = node_of(value)
        given = place.way[0] == "Mutation.acceptUserInvitation" and told in of.GIVEN
        if told is not None and not given and not self.sees(told):
            return f"{told} is hidden"
        there = self._there(place)
        if place.type == "AccessHop":
            link = place.data["AccessHop_linkId"]
            there = None if link is None else ("ClientLink", int(link))
        elif self._is_not_compared(place):
            return None
        if told is None and there is not None and self.sees(there):
            return f"{there} is seen and not told"
        return None

    def _is_not_compared(self, place: Place) -> bool:
        """Whether what there is to see at a place is looked at by another right: of rows, and of ways, as a whole."""
        of_rows = place.type.endswith("Edge") and place.field == "node"
        of_ways = place.type in ("Access", "AccessPath")
        return of_rows or of_ways or self._there(place) is _MISSING or self._is_his_own(place)

    def or_restricted(self, place: Place) -> str | None:
        """OR RESTRICTED."""
        kind, number = node_of(place.value)  # type: ignore[misc]
        expected = "ManagerAccount" if self.views(Target(MANAGER, number)) else "RestrictedManagerAccount"
        if kind != expected and number in of.MANAGERS:
            return f"{kind} {number} instead of {expected}"
        there = self._there(place)
        return None if there is _MISSING or there[1] == number else f"{number} instead of {there[1]}"

    def client(self, place: Place) -> str | None:
        """CLIENT."""
        of_account = place.parent[1] not in self.customer_links
        return self.if_seen(place) if of_account else self.or_restricted(place)

    def rows_seen(self, place: Place) -> str | None:
        """ROWS SEEN."""
        value = place.value
        if place.way[0].startswith("Mutation."):
            return None
        if place.way[0] == "Viewer.accessibleAccounts" or self._is_his_own(place):
            return None if isinstance(value, dict) else self._viewers_accounts(place)
        if place.way[0].startswith("Subscription.") and place.field == "changes":
            seen = any(self.sees(node_of(one["ChangedNode_node"])) for one in value["Change_changed"])
            return None if seen else "nothing of it is seen"
        if isinstance(value, dict) or value is None:
            nobody = self.caller.login is None and value is None
            return None if value is not None or nobody else "a list one may ask for is missing"
        there = self._there(place)
        if place.field == "customerRoles":
            told, expected = shape(value), [one for one in there if self._sees_role(place.parent[1], one)]
        else:
            told, expected = shape(value), [one for one in there if self.sees(one)]
        return None if told == expected else f"{told} instead of {expected}"

    def _sees_role(self, user: int, row: Key) -> bool:
        return user in self.users or self.views(Target(MANAGER, int(row[2])))

    def _viewers_accounts(self, place: Place) -> str | None:
        expected = [("AdAccount", one) for one in sorted(of.ADS) if self.views(Target(AD, one))]
        return None if shape(place.value) == expected else f"{shape(place.value)} instead of {expected}"

    def ids_seen(self, place: Place) -> str | None:
        """IDS SEEN."""
        there = self._there(place)
        if there is _MISSING:
            return None if self._is_his_own(place) else "nobody else is told of such a place"
        if there is not None and not self._is_self(place):
            there = [one for one in there if self.views(Target(LISTED[place.field], int(one)))]
        return None if place.value == there else f"{place.value} instead of {there}"

    def _is_self(self, place: Place) -> bool:
        return place.parent[0] == "User" and place.parent[1] in self.users

    def the_rest(self, place: Place) -> str | None:
        """THE REST."""
        if place.way[0].startswith("Mutation."):
            return None
        if self._is_his_own(place):
            return None if place.value == 0 else f"{place.value} of one's own is hidden"
        if place.field == "hiddenRoles":
            rows = self.all.at[(*place.parent, "customerRoles")]
            expected = sum(not self._sees_role(place.parent[1], one) for one in rows)
        elif place.field in COUNTED:
            name = COUNTED[place.field]
            there = self.all.at.get((*place.parent, name), ())
            seen = place.data.get(f"{place.type}_{name}")
            expected = len(there or ()) - len(seen or ())
        else:
            expected = self._hidden_rows(place)
        return None if place.value == expected else f"{place.value} instead of {expected}"

    def _hidden_rows(self, place: Place) -> int:
        if place.way[-2] not in COUNTS_HIDDEN:
            return 0
        rows = self.all.at[(*place.parent, "edges")]
        hidden = [row for row in rows if not self.sees(row)]
        if place.type == "DescendantConnection":
            # What is hidden is not looked behind.
            under = {row: self.all.at[(*place.parent, "edges", "edge", *row, "parentIds")] for row in hidden}
            return sum(any(self.views(Target(MANAGER, int(one))) for one in under[row]) for row in hidden)
        return len(hidden)

    def _null_unless(self, place: Place, shown: bool) -> str | None:
        if shown and place.value is None and self._there(place) not in (None, _MISSING):
            return "it may be known, and is not told"
        if not shown and place.value is not None:
            return "it may not be known, and is told"
        return None

    def contact(self, place: Place) -> str | None:
        """ONESELF OR VIEW OF HIS MANAGER ACCOUNT."""
        user = self.all.users.get(place.parent[1])
        if user is None:
            return None
        shown = user.id in self.users or self.views(Target(MANAGER, user.manager_account))
        return self._null_unless(place, shown)

    def log(self, place: Place) -> str | None:
        """ONESELF OR MANAGE_USERS THERE."""
        return self._null_unless(place, place.parent[1] not in self.all.users or self.may_read_log(place.parent))

    def its_log(self, place: Place) -> str | None:
        """ITS LOG."""
        return self._null_unless(place, self.may_read_log(node_of(place.data["ChangedNode_node"])))  # type: ignore[arg-type]

    def log_of_one(self, place: Place) -> str | None:
        """LOG OF ONE OF THEM."""
        changed = [node_of(one["ChangedNode_node"]) for one in place.data["Change_changed"]]
        return self._null_unless(place, any(self.may_read_log(one) for one in changed if one is not None))

    def login_of_one_seen(self, place: Place) -> str | None:
        """LOGIN OF A USER SEEN."""
        there = self._there(place)
        name = place.value if there in (None, _MISSING) else there
        users = [user.id for user in self.all.world.users if user.login == self.all.names.get(name)]
        return self._null_unless(place, any(self.sees_user(one) for one in users))

    def reason(self, place: Place) -> str | None:
        """WHEN WHO DID IT IS SEEN."""
        user = place.data["AuditEntry_actingAsUserId"]
        return self._null_unless(place, user is not None and self.sees_user(int(user)))

    def step_down(self, place: Place) -> str | None:
        """STEP DOWN SEEN."""
        child = self.all.at.get((*place.parent, "childId"))
        if child is None:
            return None
        return self._null_unless(place, self.sees((kind_of(int(child)), int(child))))

    def silent(self, place: Place) -> str | None:
        """SILENT."""
        for text in _texts(place.value):
            for number in map(int, _NUMBER.findall(text)):
                if not self._may_be_named(number, place):
                    return f"{number} is hidden and named: {text!r}"
        return None

    def _may_be_named(self, number: int, place: Place) -> bool:
        kind = kind_of(number)
        if place.type == "ClientLinkActionResult":
            # A link one sees says itself which two it joins.
            link = self.all.links[place.parent[1]]
            return number in (link.managing, link.client)
        if kind == "ManagerAccount":
            return self.told_of(number) or number not in of.MANAGERS or self._is_owner_asked_about(number, place)
        if kind == "Login":
            return number == self.caller.login or place.way[0].startswith("Mutation.")
        if kind == "ClientLink" and number in self.all.links and self.all.links[number].status in CARRYING:
            return True
        return self.sees((kind, number))

    def _is_owner_asked_about(self, number: int, place: Place) -> bool:
        """Whether a remedy names who owns the ad account it is for, as `parentCustomerId` of that account does."""
        if place.about is None or not place.type.startswith("Remedy"):
            return False
        target = target_of(place.about[1])
        return target.kind == AD and self.all.owners.get(target.id) == number and self.views(target)

    def whole_way(self, place: Place) -> str | None:
        """WHOLE WAY."""
        if place.field in ("kind", "linkId", "linkPermission", "linkStatus"):
            link = place.data["AccessHop_linkId"]
            known = link is None or self.all.links[int(link)].status in CARRYING or self.sees_link(int(link))
            return None if known else f"link {link} carries nothing and is hidden"
        return self.silent(place)

    def when_done(self, place: Place) -> str | None:
        """WHEN DONE."""
        if place.data[f"{place.type}_userErrors"] and place.value is not None:
            return "refused, and something is told"
        told = node_of(place.value) if isinstance(place.value, dict) else ()
        return None if self.sees(told) else f"{told} is hidden"

    def may_write(self, place: Place) -> str | None:
        """MAY WRITE."""
        if self.caller.login is None:
            return None if place.value is None else "nobody may write"
        if place.value is None:
            return "the payload is missing"
        system = place.field in ("consolidateLogins", "provisionAggregator") and self.caller.way != "everywhere"
        errors = next(value for alias, value in place.value.items() if alias.endswith("_userErrors"))
        return "only a system administrator may" if system and not errors else None

    def restricted(self, place: Place) -> str | None:
        """RESTRICTED."""
        return "it is seen, and shown as hidden" if self.views(Target(MANAGER, int(place.value))) else None

    def nothing_wrong(self, place: Place) -> str | None:
        """FIXED, PAGE."""
        return None

    # About access

    def _held(self, place: Place) -> tuple[Answer, list[Any]] | None:
        """What the user asked about holds on the account asked about; None when either is hidden."""
        assert place.about is not None, place.way
        subject, key = place.about
        target = target_of(key)
        if not self.views(target) or (subject is not None and not self.sees_user(int(subject))):
            return None
        grants = self.grants if subject is None else self.all.grants[int(subject)]
        return self.all.oracle.judged(grants, target), [
            one for one in grants if one.target == target and not one.over_limit
        ]

    def as_asked(self, place: Place) -> str | None:
        """AS ASKED."""
        held = self._held(place)
        name = f"{place.type}.{place.field}"
        if held is None:
            hidden = {"CheckResult.allowed": False, "Query.access": None}
            return None if place.value == hidden.get(name, place.value) else "it is about something hidden"
        answer, grants = held
        expected: Any
        if name == "CheckResult.allowed":
            expected = place.data["CheckResult_capability"] in answer.allowed
        elif name in ("Access.capabilities", "AccessorEdge.capabilities"):
            expected = sorted(answer.allowed)
        elif name in ("Access.roles", "AccessorEdge.roles"):
            expected = sorted({one.assignment.role for one in grants})
        elif name == "Access.withheld":
            expected = sorted(answer.taken_by_state)
        elif name == "AccessPathConnection.totalCount":
            expected = len(grants) - place.data["AccessPathConnection_hiddenCount"]
        elif name == "Query.access":
            return None if place.value is not None else "it is missing"
        else:
            return self.silent(place)
        told = sorted(place.value) if isinstance(place.value, list) else place.value
        return None if told == expected else f"{told} instead of {expected}"

    # About himself

    def own(self, place: Place) -> str | None:
        """OWN."""
        if place.way[0].startswith("Mutation."):
            return None
        name = f"{place.type}.{place.field}"
        if place.type == "Query":
            nobody = self.caller.login is None
            return None if (place.value is None) == nobody else "it should be there for somebody only"
        expected = OWN[name](self, place) if name in OWN else None
        if name not in OWN:
            return self.silent(place) if place.type == "Viewer" else self._of_his_token(place)
        told = sorted(place.value) if isinstance(place.value, list) and name not in IN_ORDER else place.value
        return None if told == expected else f"{told} instead of {expected}"

    def _of_his_token(self, place: Place) -> str | None:
        if place.type != "AccessToken":
            return None
        mine = self.all.tokens[self.caller.login or 0]
        return None if place.parent[1] in mine else "somebody else's token"


def _texts(value: Any) -> Iterable[str]:
    """All texts of a value, below it too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


MEANING: Final[dict[str, Callable[[Judge, Place], str | None]]] = {
    "TOLD": Judge.told,
    "BARE ID": Judge.told,
    "IF SEEN": Judge.if_seen,
    "OR RESTRICTED": Judge.or_restricted,
    "CLIENT": Judge.client,
    "ROWS SEEN": Judge.rows_seen,
    "IDS SEEN": Judge.ids_seen,
    "THE REST": Judge.the_rest,
    "ONESELF OR VIEW OF HIS MANAGER ACCOUNT": Judge.contact,
    "ONESELF OR MANAGE_USERS THERE": Judge.log,
    "ITS LOG": Judge.its_log,
    "LOG OF ONE OF THEM": Judge.log_of_one,
    "LOGIN OF A USER SEEN": Judge.login_of_one_seen,
    "WHEN WHO DID IT IS SEEN": Judge.reason,
    "STEP DOWN SEEN": Judge.step_down,
    "SILENT": Judge.silent,
    "WHOLE WAY": Judge.whole_way,
    "WHEN DONE": Judge.when_done,
    "RESTRICTED": Judge.restricted,
    "MAY WRITE": Judge.may_write,
    "PAGE": Judge.nothing_wrong,
    "FIXED": Judge.nothing_wrong,
    "AS ASKED": Judge.as_asked,
    "OWN": Judge.own,
}
"""Each right, and how it is looked at."""
