"""Ways for mail to leave: files in a folder, or a mail server."""

from __future__ import annotations

import asyncio
import os
import ssl
import tempfile
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib

from adgraph.settings import Settings
from resolvers.mail import Mail, MailFailed, MailRefused, Sender

TIMEOUT_S = 30
"""How long a mail server may take for one step."""
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that passwords may be sent to in clear: nobody listens in between."""


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """The message, the same bytes for every try: also its Message-ID and date.

    Raises: MailRefused when the recipient is anything but one address.
    """
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = _one_address(mail.recipient)
    message["Subject"] = mail.subject
    message["Date"] = datetime.fromtimestamp(mail.written_at_ms / 1000, UTC)
    message["Message-ID"] = f"<{mail.key}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    # Never quoted-printable: it breaks long lines, and with them secrets people copy out of a file.
    message.set_content(mail.text, cte="7bit" if mail.text.isascii() else "8bit")
    return message


def _one_address(text: str) -> Address:
    try:
        return Address(addr_spec=text)
    except (ValueError, IndexError, MessageError) as problem:  # the parser's own stumbles, too
        raise MailRefused("The recipient is not one address that mail can be sent to.") from problem


class FolderSender:
    """Writes each mail to a file of its own, readable by its owner only; a mail sent again is the same file."""

    def __init__(self, folder: Path, sender: str, public_url: str) -> None:
        self._folder = folder
        self._sender = sender
        self.public_url = public_url

    def send(self, mail: Mail) -> None:
        """Write the mail whole or not at all. Raises: MailFailed."""
        target = self._folder / f"{mail.key}.eml"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not target.exists():
                self._write(target, message_of(mail, self._sender).as_bytes())
        except OSError as problem:
            raise MailFailed(f"The folder {self._folder} cannot be written: {problem.strerror}.") from problem

    def _write(self, target: Path, content: bytes) -> None:
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".part")
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class SmtpSender:
    """Hands each mail to a mail server: `smtp://user:password@host:587`, or `smtps://` for TLS from the start.

    With `smtp://`, TLS is used where the server offers it; with a password it must, unless the server is local.
    """

    def __init__(self, url: str, sender: str, public_url: str, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        self._implicit = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._implicit else 587 if parts.username else 25)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._sender = sender
        self._tls = tls
        self.public_url = public_url

    def send(self, mail: Mail) -> None:
        """Hand the mail over. Raises: MailFailed, MailRefused."""
        try:
            asyncio.run(self._deliver(message_of(mail, self._sender)))
        except aiosmtplib.SMTPRecipientsRefused as problem:
            codes = [one.code for one in problem.recipients]
            raise _failure(codes, "The mail server refuses the recipient", codes) from problem
        except aiosmtplib.SMTPDataError as problem:
            raise _failure([problem.code], "The mail server refuses the mail", [problem.code]) from problem
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as problem:
            # The message of a driver may repeat a password; the kind of failure is enough to act on.
            raise MailFailed(f"The mail server {self._host}:{self._port} fails: {type(problem).__name__}.") from problem

    async def _deliver(self, message: EmailMessage) -> None:
        must = self._password is not None and self._host not in LOCAL
        await aiosmtplib.send(
            message,
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._implicit,
            start_tls=None if self._implicit or not must else True,
            tls_context=self._tls,
            timeout=TIMEOUT_S,
        )


def _failure(codes: list[int], what: str, shown: list[int]) -> Exception:
    text = f"{what} ({', '.join(map(str, shown))})."
    return MailRefused(text) if codes and all(code >= 500 for code in codes) else MailFailed(text)


def sender_for(settings: Settings) -> Sender:
    """The way mail leaves under these settings."""
    if settings.mail.startswith(("smtp://", "smtps://")):
        return SmtpSender(settings.mail, settings.mail_from, settings.public_url)
    return FolderSender(Path(settings.mail), settings.mail_from, settings.public_url)
