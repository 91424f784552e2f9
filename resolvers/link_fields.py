"""What may be written into the fields of a client link, before anything about its ends is looked at."""

from __future__ import annotations

from resolvers.rules.texts import LONGEST_INVITER_FIELD, LONGEST_NOTE
from resolvers.rules.user_fields import is_printable
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import refused
from storage.records.ids import Instant
from storage.records.values import LinkPermission, LinkType

LONGEST_NAME = 40
LATEST_START_DAYS = 90
"""How far ahead a link may start: a quarter. Undocumented; a link that waits for its day locks its ad account."""
LATEST_START_MS = LATEST_START_DAYS * 86_400_000


def check_start(start_at: Instant | None, now: Instant) -> None:
    """A link starts soon enough. Raises: Refused (532)."""
    if start_at is not None and start_at > now + LATEST_START_MS:
        raise refused(
            WriteCode.DATE_OUT_OF_RANGE,
            f"`startDate` is at most {LATEST_START_DAYS} days from now: until then an accepted ad account could be"
            " neither changed nor deleted.",
            "startDate",
        )


def check_inviter(email: str | None, name: str | None, phone: str | None) -> None:
    """What the client is told about who sends the link. Raises: Refused."""
    for field, text in (("inviterEmail", email), ("inviterName", name), ("inviterPhone", phone)):
        _check_line(field, text, LONGEST_INVITER_FIELD)


def check_texts(name: str | None, note: str | None) -> None:
    """Name and note of a link can be shown where links are shown. Raises: Refused."""
    if name is not None and len(name) > LONGEST_NAME:
        raise refused(WriteCode.NAME_TOO_LONG, f"`name` has at most {LONGEST_NAME} characters.", "name")
    _check_line("name", name, LONGEST_NAME)
    if note is not None and len(note) > LONGEST_NOTE:
        message = f"`note` has at most {LONGEST_NOTE} characters, not {len(note)}."
        raise refused(WriteCode.BAD_USER_INPUT, message, "note")


def _check_line(field: str, text: str | None, longest: int) -> None:
    if text is not None and (len(text) > longest or not is_printable(text)):
        message = f"`{field}` is one line of at most {longest} characters, without control characters."
        raise refused(WriteCode.BAD_USER_INPUT, message, field)


def check_kind(link_type: LinkType, permission: LinkPermission | None, client_pays: bool | None) -> None:
    """An account link says who pays, a customer link what it lets through. Raises: Refused."""
    if link_type == LinkType.CUSTOMER_LINK:
        if client_pays is not None:
            message = "`isBillToClient` is for account links only."
            raise refused(WriteCode.BAD_USER_INPUT, message, "isBillToClient")
        return
    if client_pays is None:
        raise refused(
            WriteCode.NULL_PARAMETER,
            "Say with `isBillToClient` who pays: true for the client, false for the managing side.",
            "isBillToClient",
        )
    if permission is not None:
        message = "`customerLinkPermission` is for customer links only."
        raise refused(WriteCode.BAD_USER_INPUT, message, "customerLinkPermission")
