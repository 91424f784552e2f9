"""Mail about client links: who gets one, what it says, and when it does not leave."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adgraph.background.mail import message_of
from resolvers.mail import Mail, MailFailed, send_due_mail, wait_after
from resolvers.rules.links import INVITATION_LIFETIME_MS
from resolvers.worker import Work, work_off
from storage.account_writes import write_ad_account_fields
from storage.billing import write_payment_instruments
from storage.database import Database
from storage.entries import AssignmentEntry, ContactInfoEntry, LoginEntry, PaymentInstrumentEntry, UserEntry
from storage.records.facts import EveryAccount, EveryLinkedEntity, OnlyAccounts, Scope
from storage.records.ids import AssignmentId, Instant, LoginId, ManagerAccountId, PaymentInstrumentId, UserId
from storage.records.values import EmailFormat, Role, UserStatus
from storage.writes import (
    begin_revision,
    end_assignments,
    write_assignments,
    write_contact_infos,
    write_logins,
    write_user_status,
    write_users,
)
from tests.link_world import DAY_MS, SENT_MS, accounts_of, build_link_world
from tests.oracle import World
from tests.resolvers.test_mail import Memory, outbox
from tests.schema.client import GraphClient
from tests.schema.write_client import Writer

NOW = SENT_MS + DAY_MS
EXPIRES = NOW + INVITATION_LIFETIME_MS
AGENCY, CLIENT = 1, 2
[ACCOUNT, OTHER_ACCOUNT] = accounts_of(CLIENT)
ANN, CLEO, DEV, LENA, SAM = 101, 102, 103, 104, 105
"""The agency's Super Admin; of the client a Super Admin, one without a contact, one held to links, a Standard user."""
RESULTS = "results { link { id linkId timeStamp status inviterEmail inviterName inviterPhone } userErrors { code } }"


@pytest.fixture
def world(database: Database) -> Database:
    """An agency and a client whose Super Admin Cleo is the primary user of the first account."""
    build_link_world(database)
    people: list[tuple[int, int, str, str | None, Role, Scope]] = [
        (ANN, AGENCY, "ann", "ann@agency.example", Role.SUPER_ADMIN, EveryAccount()),
        (CLEO, CLIENT, "cleo.login@client.example", "cleo@client.example", Role.SUPER_ADMIN, EveryAccount()),
        (DEV, CLIENT, "dev@client.example", None, Role.SUPER_ADMIN, EveryAccount()),
        (LENA, CLIENT, "lena@client.example", None, Role.SUPER_ADMIN, EveryLinkedEntity()),
        (SAM, CLIENT, "sam@client.example", None, Role.STANDARD, EveryAccount()),
    ]
    with database.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=SENT_MS)
        # The one who is in all of them would get mail in every test.
        end_assignments(tx, stamp, [AssignmentId(CLIENT)])
        for key, place, login, email, role, scope in people:
            write_logins(tx, stamp, [LoginEntry(LoginId(key), login)])
            if email:
                write_contact_infos(
                    tx, stamp, [ContactInfoEntry(key, email=email, phone1="+1 555 0199", email_format=EmailFormat.HTML)]
                )
            manager = ManagerAccountId(place)
            user = UserEntry(UserId(key), LoginId(key), manager, is_original=True, first_name=f"N{key}", last_name="L")
            write_users(tx, stamp, [user._replace(contact_info_id=key if email else None)])
            write_assignments(tx, stamp, [AssignmentEntry(AssignmentId(key), UserId(key), manager, role, scope)])
        write_ad_account_fields(tx, stamp, ACCOUNT, {"primary_user_id": CLEO})
    return database


def send(world: Database, login: int = ANN, **changed: Any) -> dict[str, Any]:
    """An account link from the agency to the client's first account; the link as it is answered."""
    new = {"type": "ACCOUNT_LINK", "managingCustomerId": str(AGENCY), "clientEntityId": str(ACCOUNT)}
    given = {**new, "isBillToClient": True, **changed}
    [result] = Writer(world, login, NOW).done("addClientLinks", {"links": [given]}, RESULTS)["results"]
    assert result["userErrors"] == []
    found: dict[str, Any] = result["link"]
    return found


def send_customer_link(world: Database, **changed: Any) -> dict[str, Any]:
    given = {"type": "CUSTOMER_LINK", "clientEntityId": str(CLIENT), "isBillToClient": None, **changed}
    return send(world, **given)


def act(world: Database, link: dict[str, Any], action: str, login: int, now: int = NOW, **more: Any) -> None:
    change = {"linkId": link["id"], "timeStamp": link["timeStamp"], "action": action, **more}
    [result] = Writer(world, login, now).done("updateClientLinks", {"links": [change]}, RESULTS)["results"]
    assert result["userErrors"] == []


def mails(world: Database, now: int = NOW) -> list[Mail]:
    """What leaves now, by address."""
    sender = Memory()
    send_due_mail(world, now, sender)
    return sorted(sender.sent, key=lambda mail: mail.recipient)


def recipients(world: Database, now: int = NOW) -> list[str]:
    return [mail.recipient for mail in mails(world, now)]


def work(world: Database, now: int) -> None:
    list(work_off(Work(world), Instant(now)))


# The client


def test_the_primary_user_of_the_ad_account_is_written_to_at_his_contact_address(world: Database) -> None:
    send(world)
    assert recipients(world) == ["cleo@client.example"]


def test_a_customer_link_is_told_to_those_who_can_answer_it_at_their_logins_if_need_be(world: Database) -> None:
    send_customer_link(world)
    assert recipients(world) == ["cleo@client.example", "dev@client.example"]


def test_an_account_without_a_primary_user_falls_back_on_the_super_admins_of_its_owner(world: Database) -> None:
    send(world, clientEntityId=str(OTHER_ACCOUNT))
    assert recipients(world) == ["cleo@client.example", "dev@client.example"]


def test_a_primary_user_who_has_left_is_not_written_to(world: Database) -> None:
    with world.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=SENT_MS)
        write_user_status(tx, stamp, [UserId(CLEO)], UserStatus.DELETED)
    send(world)
    assert recipients(world) == ["dev@client.example"]


def test_people_who_share_an_address_get_one_mail(world: Database) -> None:
    with world.write() as tx:
        tx.execute(f"UPDATE login SET user_name = 'cleo@client.example' WHERE id = {DEV}")
    send_customer_link(world)
    assert recipients(world) == ["cleo@client.example"]


def test_a_login_that_is_no_address_gets_no_mail(world: Database) -> None:
    with world.write() as tx:
        tx.execute(f"UPDATE login SET user_name = 'dev' WHERE id = {DEV}")
    send_customer_link(world)
    assert recipients(world) == ["cleo@client.example"]


def test_a_suppressed_link_sends_no_mail_neither_now_nor_later(world: Database) -> None:
    link = send(world, suppressNotification=True)
    act(world, link, "DECLINE", CLEO)
    assert outbox(world) == []


def test_the_mail_says_who_asks_for_what_from_when_until_when_and_how_to_answer(world: Database) -> None:
    asked: dict[str, Any] = {"startDate": "2023-12-01T08:00:00Z", "note": "Hello,\n\nas agreed.", "name": "Spring"}
    link = send(world, isBillToClient=False, **asked)
    [mail] = mails(world)
    assert mail.subject == "Manager 1 asks for a link to Account 201"
    for said in (
        "Hello N102 L,",
        "Manager 1 (manager account 1, C1) asks for a link to Account 201 (ad account",
        "What for:   an account link: people of that manager account could work",
        "Who pays:   Manager 1, once it is active",
        "From:       on 2023-12-01 08:00 UTC",
        f"Link:       Spring (id {link['linkId']})",
        "Inviter:    Manager 1\n              ann@agency.example\n              +1 555 0199\n",
        "> Hello,\n>\n> as agreed.\n",
        "It can be answered until 2023-12-15 22:13 UTC",
        "https://graph.example/graphql",
        f'{{linkId: "{link["linkId"]}", timeStamp: "{link["timeStamp"]}", action: ACCEPT}}',
        "primary user",
    ):
        assert said in mail.text, said
    assert max(len(line) for line in mail.text.splitlines()) <= 80


@pytest.mark.parametrize(
    ("permission", "said"),
    [("STANDARD", "could not manage your users"), ("ADMINISTRATIVE", "whatever their roles allow")],
)
def test_the_mail_says_what_a_customer_link_would_let_through(world: Database, permission: str, said: str) -> None:
    send_customer_link(world, customerLinkPermission=permission)
    assert all(said in " ".join(mail.text.split()) for mail in mails(world))


def test_what_the_mail_says_to_send_accepts_the_link(world: Database) -> None:
    send(world)
    [mail] = mails(world)
    document = mail.text[mail.text.index("mutation {") :].partition("\n\n")[0]
    response = Writer(world, CLEO, NOW).execute(document)
    assert response["data"]["updateClientLinks"]["results"] == [
        {"link": {"status": "LINK_IN_PROGRESS"}, "userErrors": []}
    ]


def test_nothing_typed_by_the_inviter_becomes_a_header_or_passes_for_the_mails_own_text(world: Database) -> None:
    evil = "x\r\nBcc: spy@evil.example\r\n\r\nmutation\u2028\u202e{ }"
    send(world, note=f"{evil}\nIt can be answered")
    with world.write() as tx:
        place = "?" if tx.kind == "sqlite" else "%s"
        tx.execute(f"UPDATE manager_account SET name = {place} WHERE id = {AGENCY}", (evil,))
    send(world, clientEntityId=str(OTHER_ACCOUNT))
    for mail in mails(world):
        message = message_of(mail, "adgraph@company.example")
        head = bytes(message).partition(b"\r\n\r\n")[0].lower()
        assert b"\nbcc" not in head
        assert {name.lower() for name in message} == {
            "from", "to", "subject", "date", "message-id", "auto-submitted",
            "mime-version", "content-type", "content-transfer-encoding",
        }  # fmt: skip
        assert "\u202e" not in mail.text
        own = [line for line in mail.text.splitlines() if line.startswith(("Bcc", "mutation", "It can be"))]
        assert len(own) == 1
        assert own[0].startswith("It can be answered until")


def test_a_note_of_the_longest_length_is_whole(world: Database) -> None:
    send(world, note="y" * 1_000)
    [mail] = mails(world)
    assert "characters; the rest" not in mail.text


# When it does not leave


@pytest.mark.parametrize(("action", "login"), [("CANCEL", ANN), ("DECLINE", CLEO), ("ACCEPT", CLEO)])
def test_a_mail_that_still_waits_is_dropped_when_the_link_is_answered_or_withdrawn(
    world: Database, action: str, login: int
) -> None:
    link = send(world)
    send_due_mail(world, NOW, Memory(MailFailed("no connection")))
    act(world, link, action, login)
    assert "cleo@client.example" not in recipients(world, NOW + wait_after(1))
    assert outbox(world)[0] == ("DROPPED", False, "no connection")


@pytest.mark.parametrize(("at", "left"), [(EXPIRES - 1, 1), (EXPIRES, 0)])
def test_a_mail_is_of_no_use_when_the_link_has_expired(world: Database, at: int, left: int) -> None:
    send(world)
    assert len(mails(world, at)) == left


def test_a_link_that_expires_before_its_mail_left_drops_it(world: Database) -> None:
    send(world)
    work(world, EXPIRES)
    assert recipients(world, EXPIRES) == ["ann@agency.example"]
    assert outbox(world)[0][0] == "DROPPED"


def test_mail_is_written_once_for_a_request_that_is_repeated_and_never_for_one_that_was_not_done(
    world: Database,
) -> None:
    new = {"managingCustomerId": str(AGENCY), "clientEntityId": str(ACCOUNT), "isBillToClient": True}
    writer = Writer(world, ANN, NOW)
    writer.done("addClientLinks", {"links": [new], "dryRun": True})
    assert outbox(world) == []
    for _ in range(2):
        writer.done("addClientLinks", {"links": [new], "requestId": "once"})
    writer.done("addClientLinks", {"links": [new]}, RESULTS)
    assert len(outbox(world)) == 1


# Who sent it


def outcome(world: Database, now: int = NOW) -> Mail:
    """The one mail that leaves, which is to the sender."""
    [mail] = [mail for mail in mails(world, now) if mail.recipient != "cleo@client.example"]
    assert mail.recipient == "ann@agency.example"
    return mail


def test_the_sender_is_told_that_his_link_was_accepted_and_from_when_it_counts(world: Database) -> None:
    link = send(world, startDate="2023-12-01T08:00:00Z")
    act(world, link, "ACCEPT", CLEO)
    mail = outcome(world)
    assert mail.subject == "Account 201 accepted your link"
    assert "It becomes active on 2023-12-01" in " ".join(mail.text.split())


def test_the_sender_is_told_that_his_link_was_declined_and_why(world: Database) -> None:
    act(world, send(world), "DECLINE", CLEO, note="Not this year.")
    mail = outcome(world)
    assert mail.subject == "Account 201 declined your link"
    assert "> Not this year." in mail.text


def test_what_the_senders_mail_says_to_send_tells_how_the_link_went(world: Database) -> None:
    act(world, send(world), "DECLINE", CLEO)
    document = outcome(world).text.partition("query {")[2].partition("\n")[0]
    data = GraphClient(world, ANN, world=World()).data(f"query {{{document}")
    assert data["clientLink"]["status"] == "LINK_DECLINED"


def test_the_sender_is_told_that_his_link_expired(world: Database) -> None:
    send(world)
    mails(world)
    work(world, EXPIRES)
    assert outcome(world, EXPIRES).subject == "Your link to Account 201 expired"


def test_the_sender_is_told_that_his_link_failed_and_why(world: Database) -> None:
    act(world, send(world, isBillToClient=False), "ACCEPT", CLEO)
    mails(world)
    with world.write() as tx:
        tx.execute(f"DELETE FROM payment_instrument WHERE manager_account_id = {AGENCY}")
        instrument = PaymentInstrumentEntry(PaymentInstrumentId(900), ManagerAccountId(AGENCY), is_valid=False)
        write_payment_instruments(tx, [instrument])
    work(world, NOW + 1)
    mail = outcome(world, NOW + 1)
    assert mail.subject == "Your link to Account 201 failed"
    assert "no valid payment instrument" in " ".join(mail.text.replace("> ", "").split())


def test_becoming_active_is_what_acceptance_promised_and_is_not_told_again(world: Database) -> None:
    act(world, send(world), "ACCEPT", CLEO)
    mails(world)
    work(world, NOW + 1)
    assert mails(world, NOW + 1) == []


def test_withdrawing_a_link_is_told_to_nobody(world: Database) -> None:
    link = send(world)
    mails(world)
    act(world, link, "CANCEL", ANN)
    assert mails(world) == []


def test_who_answers_his_own_link_is_not_told_what_he_did(world: Database) -> None:
    with world.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=SENT_MS)
        both = AssignmentEntry(AssignmentId(900), UserId(2), ManagerAccountId(CLIENT), Role.SUPER_ADMIN)
        write_assignments(tx, stamp, [both])
    act(world, send(world, login=1), "ACCEPT", 1)
    assert outbox(world) == [("DROPPED", False, None)]


@pytest.mark.parametrize("gone", ["deleted", "without the role"])
def test_a_sender_who_may_no_longer_manage_links_there_is_told_nothing(world: Database, gone: str) -> None:
    link = send(world)
    with world.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=NOW)
        if gone == "deleted":
            write_user_status(tx, stamp, [UserId(ANN)], UserStatus.DELETED)
        else:
            end_assignments(tx, stamp, [AssignmentId(ANN)])
            viewer = AssignmentEntry(AssignmentId(901), UserId(ANN), ManagerAccountId(AGENCY), Role.VIEWER)
            scoped = AssignmentEntry(
                AssignmentId(902),
                UserId(ANN),
                ManagerAccountId(AGENCY),
                Role.STANDARD,
                OnlyAccounts(frozenset(accounts_of(AGENCY))),
            )
            write_assignments(tx, stamp, [viewer, scoped])
    act(world, link, "DECLINE", CLEO)
    assert mails(world) == []


# Who asks, unless said otherwise


def test_an_inviter_is_who_sends_with_his_address_his_phone_and_the_name_of_his_manager_account(
    world: Database,
) -> None:
    with world.write() as tx:
        stamp = begin_revision(tx, operation="test", at_ms=SENT_MS)
        write_assignments(
            tx, stamp, [AssignmentEntry(AssignmentId(903), UserId(ANN), ManagerAccountId(5), Role.SUPER_ADMIN)]
        )
    link = send(world, managingCustomerId="5")
    assert (link["inviterEmail"], link["inviterName"], link["inviterPhone"]) == (
        "ann@agency.example",
        "Manager 1",
        "+1 555 0199",
    )


def test_without_contact_details_the_login_stands_for_the_address(world: Database) -> None:
    link = send(world, login=1)
    assert (link["inviterEmail"], link["inviterPhone"]) == ("everywhere@adventure.example", None)


def test_what_the_inviter_gives_is_taken_as_it_is_and_no_mail_goes_there(world: Database) -> None:
    link = send(world, inviterEmail="desk@agency.example", inviterName="The desk", inviterPhone="7")
    assert [link["inviterEmail"], link["inviterName"], link["inviterPhone"]] == ["desk@agency.example", "The desk", "7"]
    act(world, link, "DECLINE", CLEO)
    assert recipients(world) == ["ann@agency.example"]


def test_no_mail_about_a_link_keeps_a_secret(world: Database) -> None:
    send(world)
    with world.read() as tx:
        [(data,)] = tx.execute("SELECT data FROM outbox_message").fetchall()
    assert {key for key in json.loads(data) if "secret" in key or "token" in key} == set()


def test_a_customer_links_sender_hears_of_it_too(world: Database) -> None:
    act(world, send_customer_link(world), "DECLINE", CLEO)
    assert outcome(world).subject == "Manager 2 declined your link"
