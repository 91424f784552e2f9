"""Ids as the graph gives and takes them.

Node ids are opaque. Where a kind is expected, the plain number of the advertising API is taken too, and where
several kinds are, `Kind:number` — people type `AdAccount:444111`, programs send back what they were given.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Collection
from typing import Any

from resolvers.access import TargetId
from resolvers.errors import Code, Refusal, bad_id, bad_number
from storage.records.ids import MAX_ID, AdAccountId, ClientLinkId, InvitationId, ManagerAccountId, UserId
from storage.records.rows import AdAccountRow, ClientLinkRow, InvitationRow, ManagerAccountRow, UserRow

MANAGER_ACCOUNT = "ManagerAccount"
AD_ACCOUNT = "AdAccount"
USER = "User"
CLIENT_LINK = "ClientLink"
USER_INVITATION = "UserInvitation"
KINDS = (MANAGER_ACCOUNT, AD_ACCOUNT, USER, CLIENT_LINK, USER_INVITATION)
_NAMES = {
    MANAGER_ACCOUNT: "a manager account",
    AD_ACCOUNT: "an ad account",
    USER: "a user",
    CLIENT_LINK: "a client link",
    USER_INVITATION: "a user invitation",
}
_TARGETS = (MANAGER_ACCOUNT, AD_ACCOUNT)
_MOST_DIGITS = len(str(MAX_ID))


def node_id(kind: str, number: int) -> str:
    """The opaque id of a node.

    >>> parse_node_id(node_id("AdAccount", 7), ["AdAccount"])
    ('AdAccount', 7)
    """
    return b64encode(f"{kind}:{number}".encode()).decode()


_ROWS: dict[type[Any], str] = {
    ManagerAccountRow: MANAGER_ACCOUNT,
    AdAccountRow: AD_ACCOUNT,
    UserRow: USER,
    ClientLinkRow: CLIENT_LINK,
    InvitationRow: USER_INVITATION,
}


def node_id_of(row: Any) -> str:
    """The node id of a row: every row class with one keeps its number in front."""
    return node_id(_ROWS[type(row)], row[0])


def _number(text: str) -> int | None:
    # isdecimal() takes digits of every script; ids are written in one way only.
    if not (text.isascii() and text.isdecimal()) or (text[0] == "0" and text != "0") or len(text) > _MOST_DIGITS:
        return None
    number = int(text)
    return number if number <= MAX_ID else None


def _typed(text: str) -> tuple[str, int] | None:
    kind, _, digits = text.partition(":")
    if kind not in KINDS:
        return None
    number = _number(digits)
    return None if number is None else (kind, number)


def _decoded(text: str) -> tuple[str, int] | None:
    try:
        typed = _typed(b64decode(text.encode("ascii"), validate=True).decode("ascii"))
    except (NotBase64, ValueError):
        return None
    # One spelling an id: what decodes but was not given out is not an id.
    return typed if typed and node_id(*typed) == text else None


def parse_node_id(text: str, kinds: Collection[str] = KINDS) -> tuple[str, int]:
    """Kind and number of a node id, or of `Kind:number`.

    Raises: Refusal BAD_USER_INPUT when it is not an id, or of another kind.
    """
    found = _typed(text) or _decoded(text)
    if found is None or found[0] not in kinds:
        what = " or ".join(_NAMES[kind] for kind in kinds) if len(kinds) < len(KINDS) else "anything here"
        example = "111" if len(kinds) == 1 else f"{next(iter(kinds))}:111"
        raise bad_id(text, what, example)
    return found


def _of_kind(text: str, kind: str) -> int:
    number = _number(text)
    return number if number is not None else parse_node_id(text, [kind])[1]


def manager_account_id(text: str) -> ManagerAccountId:
    """The id of a manager account. Raises: Refusal BAD_USER_INPUT."""
    return ManagerAccountId(_of_kind(text, MANAGER_ACCOUNT))


def ad_account_id(text: str) -> AdAccountId:
    """The id of an ad account. Raises: Refusal BAD_USER_INPUT."""
    return AdAccountId(_of_kind(text, AD_ACCOUNT))


def user_id(text: str) -> UserId:
    """The id of a user. Raises: Refusal BAD_USER_INPUT."""
    return UserId(_of_kind(text, USER))


def client_link_id(text: str) -> ClientLinkId:
    """The id of a client link. Raises: Refusal BAD_USER_INPUT."""
    return ClientLinkId(_of_kind(text, CLIENT_LINK))


def invitation_id(text: str) -> InvitationId:
    """The id of a user invitation. Raises: Refusal BAD_USER_INPUT."""
    return InvitationId(_of_kind(text, USER_INVITATION))


def plain_id(text: str, what: str) -> int:
    """The id of something that is no node; `what` names it. Raises: Refusal BAD_USER_INPUT."""
    number = _number(text)
    if number is None:
        raise bad_number(text, what)
    return number


def payment_instrument_id(text: str) -> int:
    """The id of a payment instrument, which is no node. Raises: Refusal BAD_USER_INPUT."""
    return plain_id(text, "a payment instrument")


def target_id(text: str) -> TargetId:
    """A manager account or an ad account: a bare number would not say which.

    Raises: Refusal BAD_USER_INPUT.
    """
    found = _typed(text)
    if found is None and _number(text) is not None:
        raise Refusal(
            Code.BAD_USER_INPUT,
            f'The number {text} could be a manager account or an ad account: write "ManagerAccount:{text}" or'
            f' "AdAccount:{text}", or give a node id.',
            number=201,
        )
    kind, number = found if found is not None and found[0] in _TARGETS else parse_node_id(text, _TARGETS)
    if kind == MANAGER_ACCOUNT:
        return TargetId(ManagerAccountId(number), None)
    return TargetId(None, AdAccountId(number))
