"""What mails say: pure texts, made when a mail is sent, from what was kept when it was written.

Plain text only: everybody can read it, and what people typed cannot become a link or a picture in it. Whatever
somebody else may choose is set on one line, cut to a length and marked as his words.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from resolvers.rules.texts import LONGEST_NOTE
from storage.records.values import LinkPermission, LinkType, ValueSet, auto

WIDTH = 76
LONGEST_WORD = 200
"""Mail servers take lines of 998 bytes; a character may have four."""
LONGEST_NAME = 100
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
"""Control characters, and those that make a text read in another direction than it is written."""

Data = Mapping[str, Any]


class MailKind(ValueSet):
    """What a mail is about; `text_of` says what each kind keeps in its data."""

    USER_INVITATION = auto()
    CLIENT_LINK_REQUEST = auto()
    CLIENT_LINK_OUTCOME = auto()


class LinkOutcome(ValueSet):
    """How a request for a client link was decided."""

    ACCEPTED = auto()
    DECLINED = auto()
    EXPIRED = auto()
    FAILED = auto()


def text_of(kind: MailKind, data: Data, public_url: str) -> tuple[str, str]:
    """Subject and text of a mail. Lines are wrapped, except those that are to be copied."""
    subject, lines = _TEXTS[kind](data, public_url)
    return one_line(subject, LONGEST_NAME * 2), "\n".join(lines) + "\n"


def one_line(text: str, longest: int = LONGEST_NAME) -> str:
    r"""A text as it can stand in a header or a sentence.

    >>> one_line("Adventure\r\nBcc: x", 12)
    'Adventure B…'
    """
    line = " ".join(_UNPRINTABLE.sub(" ", text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


# The texts, by kind


def _invitation(data: Data, public_url: str) -> tuple[str, Iterable[str]]:
    name, role = one_line(data["managerAccount"]), str(data["role"]).replace("_", " ").title()
    return f"Invitation to {name}", (
        _greeting(data),
        "",
        *_wrapped(f"you are invited to {name} (customer id {data['customerId']}) as {role}."),
        f"The invitation can be accepted until {_moment(data['expiresAt'])}, with any login of yours:",
        "",
        f"    {public_url}/graphql",
        "",
        "    mutation {",
        f'      acceptUserInvitation(input: {{secret: "{data["secret"]}"}}) {{',
        "        user { userId customerId }",
        "        userErrors { message }",
        "      }",
        "    }",
        "",
        "Whoever has this secret can accept, so keep this mail to yourself. If you expected no invitation, ignore it.",
    )


def _request(data: Data, public_url: str) -> tuple[str, Iterable[str]]:
    asks, client = one_line(data["managingName"]), one_line(data["clientName"])
    subject = f"{asks} asks for a link to {client}"
    return subject, (
        _greeting(data),
        "",
        *_wrapped(f"{_managing(data)} asks for a link to {_client(data)}. Nothing changes unless it is accepted."),
        "",
        *_row("What for", _PURPOSES[data["permission"] or data["type"]]),
        *_row("Who pays", _payer(data)),
        *_row("From", _start(data, "as soon as it is accepted")),
        *_row("Link", f"{one_line(data['linkName'])} (id {data['linkId']})"),
        *_inviter(data),
        *_note("Note by the inviter", data["note"]),
        "",
        *_wrapped(
            f"It can be answered until {_moment(data['expiresAt'])}, by {_ANSWERS[data['type']]}. Unanswered, it"
            " lapses. Sign in and send this, with ACCEPT or with DECLINE:"
        ),
        "",
        f"    {public_url}/graphql",
        "",
        "    mutation {",
        "      updateClientLinks(input: {links: [",
        f'        {{linkId: "{data["linkId"]}", timeStamp: "{data["timeStamp"]}", action: ACCEPT}}',
        "      ]}) {",
        "        results { link { status } userErrors { message } }",
        "      }",
        "    }",
        "",
        *_wrapped(
            "If you do not know who asks, decline or ignore it. You get this mail because "
            f"{_REASONS[bool(data['isPrimaryUser'])]}."
        ),
    )


def _outcome(data: Data, public_url: str) -> tuple[str, Iterable[str]]:
    outcome = LinkOutcome(data["outcome"])
    client = one_line(data["clientName"])
    subject, said, next_step = _OUTCOMES[outcome]
    return subject.format(client=client), (
        _greeting(data),
        "",
        *_wrapped(said.format(client=_client(data), managing=_managing(data), start=_start(data, "at once"))),
        *_note("Why" if outcome == LinkOutcome.FAILED else "Note by the client", data["why"]),
        "",
        *_wrapped(next_step),
        "",
        f"    {public_url}/graphql",
        "",
        f'    query {{ clientLink(id: "{data["linkId"]}") {{ name status transitions {{ to at note }} }} }}',
        "",
        *_wrapped("You get this mail because you sent the link."),
    )


_TEXTS: dict[MailKind, Callable[[Data, str], tuple[str, Iterable[str]]]] = {
    MailKind.USER_INVITATION: _invitation,
    MailKind.CLIENT_LINK_REQUEST: _request,
    MailKind.CLIENT_LINK_OUTCOME: _outcome,
}

_PURPOSES: dict[str, str] = {
    LinkType.ACCOUNT_LINK: "an account link: people of that manager account could work in this ad account, as far as"
    " their roles go; they could not delete it, nor manage its payment methods and links",
    LinkPermission.STANDARD: "a standard customer link: people of that manager account could work in your manager"
    " account and all below it, as far as their roles go; they could not manage your users, your payment methods or"
    " your links to manager accounts",
    LinkPermission.ADMINISTRATIVE: "an administrative customer link: people of that manager account could do in your"
    " manager account and all below it whatever their roles allow, also manage your users, payment methods and links",
}
_ANSWERS: dict[str, str] = {
    LinkType.ACCOUNT_LINK: "a Super Admin or Standard user of the manager account that owns the ad account",
    LinkType.CUSTOMER_LINK: "a Super Admin of the manager account",
}
_REASONS: dict[bool, str] = {
    True: "you are the primary user of this ad account",
    False: "you are a Super Admin of the manager account that is asked",
}
_OUTCOMES: dict[LinkOutcome, tuple[str, str, str]] = {
    LinkOutcome.ACCEPTED: (
        "{client} accepted your link",
        "{client} accepted the link from {managing}. It becomes active {start}, after one more check.",
        "You hear again only if that fails. How the link stands:",
    ),
    LinkOutcome.DECLINED: (
        "{client} declined your link",
        "{client} declined the link from {managing}.",
        "A new link can be sent. What was said, and when:",
    ),
    LinkOutcome.EXPIRED: (
        "Your link to {client} expired",
        "nobody answered the link from {managing} to {client} within thirty days, so it has expired.",
        "A new link can be sent. How it went:",
    ),
    LinkOutcome.FAILED: (
        "Your link to {client} failed",
        "the link from {managing} to {client} was accepted, but could not be made active.",
        "Nothing changed for the client. Remove the cause and send a new link. How it went:",
    ),
}
"""Subject, what happened, what next."""


# Parts of texts


def _greeting(data: Data) -> str:
    name = one_line(f"{data['firstName'] or ''} {data['lastName'] or ''}")
    return f"Hello {name}," if name else "Hello,"


def _managing(data: Data) -> str:
    return f"{one_line(data['managingName'])} (manager account {data['managingId']}, {data['managingNumber']})"


def _client(data: Data) -> str:
    kind = "ad account" if data["type"] == LinkType.ACCOUNT_LINK else "manager account"
    return f"{one_line(data['clientName'])} ({kind} {data['clientId']}, {data['clientNumber']})"


def _payer(data: Data) -> str:
    if data["isBillToClient"] is None:
        return "stays as it is"
    return "the client, as now" if data["isBillToClient"] else f"{one_line(data['managingName'])}, once it is active"


def _start(data: Data, at_once: str) -> str:
    return at_once if data["startAt"] <= data["now"] else f"on {_moment(data['startAt'])}"


def _inviter(data: Data) -> Iterator[str]:
    given = [one_line(data[key]) for key in ("inviterName", "inviterEmail", "inviterPhone") if data[key]]
    for number, text in enumerate(given):
        yield from _row("Inviter" if number == 0 else "", text)


def _note(label: str, note: str | None) -> Iterator[str]:
    """A note, quoted, so that it cannot pass for the rest of the mail."""
    if not note or not note.strip():
        return
    yield ""
    yield f"{label}:"
    yield ""
    for line in note.splitlines():
        for part in _wrapped(one_line(line, LONGEST_NOTE)) or [""]:
            yield f"> {part}".rstrip()


def _row(label: str, text: str) -> Iterator[str]:
    for number, line in enumerate(_wrapped(text, WIDTH - 14)):
        yield f"  {f'{label}:' if label and number == 0 else '':<12}{line}"


def _wrapped(text: str, width: int = WIDTH) -> list[str]:
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return [line[at : at + LONGEST_WORD] for line in lines for at in range(0, len(line), LONGEST_WORD)]


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
