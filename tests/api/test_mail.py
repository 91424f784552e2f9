"""Mail leaves: as files in a folder, or through a real mail server."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from adgraph.background.mail import FolderSender, SmtpSender, sender_for
from adgraph.background.worker import Worker
from adgraph.settings import Settings, SettingsError
from resolvers.mail import Mail, MailFailed, MailRefused
from storage.database import Database
from storage.records.ids import Instant
from tests.link_world import build_link_world
from tests.resolvers.test_mail import NOW_MS, outbox, post
from tests.schema.write_client import Writer

FROM = "Adgraph <adgraph@company.example>"
URL = "https://graph.example"
MAIL = Mail("k3y", "kim@user.example", "Invitation to Bäckerei Ω", "Hello Kim,\nπ\n", NOW_MS)


class Mailbox:
    """What a mail server received, and how it answers."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.answers: dict[str, str] = {}

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        answer = self.answers.get(address)
        if answer is not None:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.answers.get("DATA")
        if answer is not None:
            return answer
        self.received.append(envelope)
        return "250 Message accepted"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


def started(mailbox: Mailbox, host: str) -> Controller:
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname=host, port=port)
    controller.start()
    return controller


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[Controller]:
    controller = started(mailbox, "127.0.0.1")
    yield controller
    controller.stop()


@pytest.fixture
def address(server: Controller) -> str:
    return f"smtp://127.0.0.1:{server.port}"


def parsed(content: bytes) -> Any:
    return email.message_from_bytes(content, policy=email.policy.default)


def test_a_mail_arrives_at_a_mail_server_as_it_was_written(mailbox: Mailbox, address: str) -> None:
    SmtpSender(address, FROM, URL).send(MAIL)
    [envelope] = mailbox.received
    assert envelope.mail_from == "adgraph@company.example"
    assert envelope.rcpt_tos == ["kim@user.example"]
    message = parsed(envelope.content)
    assert message["Subject"] == MAIL.subject
    assert message["Message-ID"] == "<k3y@company.example>"
    assert message["To"] == "kim@user.example"
    assert message.get_content().replace("\r\n", "\n") == MAIL.text


@pytest.mark.parametrize(
    "recipient",
    [
        "a@user.example, b@user.example",
        "a@user.example\r\nBcc: b@user.example",
        "Kim <a@user.example>",
        "nobody",
        "",
        "@",
    ],
)
def test_a_recipient_that_is_not_one_address_is_refused_before_anything_leaves(
    mailbox: Mailbox, address: str, recipient: str
) -> None:
    with pytest.raises(MailRefused, match="not one address"):
        SmtpSender(address, FROM, URL).send(MAIL._replace(recipient=recipient))
    assert mailbox.received == []


@pytest.mark.parametrize(
    ("step", "answer", "kind"),
    [
        ("kim@user.example", "550 no such mailbox", MailRefused),
        ("kim@user.example", "450 try again", MailFailed),
        ("DATA", "554 not wanted", MailRefused),
        ("DATA", "451 try again", MailFailed),
    ],
)
def test_only_a_final_no_is_taken_as_one(
    mailbox: Mailbox, address: str, step: str, answer: str, kind: type[Exception]
) -> None:
    mailbox.answers[step] = answer
    with pytest.raises(kind):
        SmtpSender(address, FROM, URL).send(MAIL)
    mailbox.answers.clear()
    SmtpSender(address, FROM, URL).send(MAIL)
    assert len(mailbox.received) == 1


def test_a_server_that_is_away_is_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        with pytest.raises(MailFailed, match="fails") as caught:
            SmtpSender(f"smtp://user:hunter2@127.0.0.1:{taken.getsockname()[1]}", FROM, URL).send(MAIL)
    assert "hunter2" not in str(caught.value)


def test_a_password_is_never_sent_in_clear_to_a_server_elsewhere(mailbox: Mailbox) -> None:
    # Another address of this machine stands for a server elsewhere; it offers no TLS.
    server = started(mailbox, "127.0.0.2")
    try:
        with pytest.raises(MailFailed, match="SMTPException"):
            SmtpSender(f"smtp://user:secret@127.0.0.2:{server.port}", FROM, URL).send(MAIL)
    finally:
        server.stop()
    assert mailbox.received == []


def test_the_worker_sends_what_waits_through_a_real_server(database: Database, mailbox: Mailbox, address: str) -> None:
    for number in range(5):
        post(database, f"p{number}@user.example")
    workers = [
        Worker(database, interval_ms=10, sender=SmtpSender(address, FROM, URL), now=lambda: Instant(NOW_MS))
        for _ in range(2)
    ]
    threads = [threading.Thread(target=worker.once) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(envelope.rcpt_tos[0] for envelope in mailbox.received) == [f"p{n}@user.example" for n in range(5)]
    assert {status for status, _, _ in outbox(database)} == {"SENT"}
    assert workers[0].once() == 0


def test_a_client_hears_of_a_link_through_a_real_server(database: Database, mailbox: Mailbox, address: str) -> None:
    build_link_world(database)
    link = {"managingCustomerId": "1", "clientEntityId": "201", "isBillToClient": True, "note": "Grüße, Ω"}
    Writer(database, 1, NOW_MS).done("addClientLinks", {"links": [link]})
    worker = Worker(database, interval_ms=10, sender=SmtpSender(address, FROM, URL), now=lambda: Instant(NOW_MS))
    assert [worker.once(), worker.once()] == [1, 0]
    [envelope] = mailbox.received
    assert envelope.rcpt_tos == ["everywhere@adventure.example"]
    message = parsed(envelope.content)
    assert message["Subject"] == "Manager 1 asks for a link to Account 201"
    assert "> Grüße, Ω" in message.get_content()


def test_a_mail_in_a_folder_is_one_file_however_often_it_is_sent(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    sender = FolderSender(folder, FROM, URL)
    sender.send(MAIL)
    first = (folder / "k3y.eml").read_bytes()
    sender.send(MAIL)
    assert [one.name for one in folder.iterdir()] == ["k3y.eml"]
    assert (folder / "k3y.eml").read_bytes() == first
    assert parsed(first).get_content().replace("\r\n", "\n") == MAIL.text
    assert (folder / "k3y.eml").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["Kim", "Bö"])
def test_a_secret_can_be_copied_out_of_the_file(tmp_path: Path, name: str) -> None:
    line = f'      acceptUserInvitation(input: {{secret: "adi_{"x" * 43}"}}) {{'
    FolderSender(tmp_path, FROM, URL).send(MAIL._replace(text=f"Hello {name},\n{line}\n"))
    assert line in (tmp_path / "k3y.eml").read_text("utf-8")


def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file stands in the way")
    with pytest.raises(MailFailed):
        FolderSender(tmp_path / "mail", FROM, URL).send(MAIL)


def test_settings_choose_the_way() -> None:
    assert isinstance(sender_for(Settings()), FolderSender)
    assert isinstance(sender_for(Settings.from_env({"ADGRAPH_MAIL": "smtps://u:p@mail.example"})), SmtpSender)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADGRAPH_MAIL", "imap://mail.example"),
        ("ADGRAPH_MAIL", "smtp://"),
        ("ADGRAPH_MAIL", "smtp://mail.example:99999"),
        ("ADGRAPH_MAIL_FROM", "nobody"),
        ("ADGRAPH_MAIL_FROM", "a@b.example\nBcc: c@d.example"),
        ("ADGRAPH_PUBLIC_URL", "graph.example"),
        ("ADGRAPH_PUBLIC_URL", "javascript:alert(1)"),
    ],
)
def test_what_cannot_work_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({name: value})


def test_a_password_is_not_repeated_when_the_address_is_wrong() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"ADGRAPH_MAIL": "smtp://user:hunter2@mail.example:none"})
    assert "hunter2" not in str(caught.value)
