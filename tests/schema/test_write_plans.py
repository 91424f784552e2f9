"""With statistics, no statement of any mutation, and none of the worker, reads a whole table, on either database.

What is watched is made from the lists of what there is: mutations, actions, steps of the worker, functions of the
outbox. A new one fails here until it is watched, too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from resolvers.rules.links import ClientLinkAction
from resolvers.worker import EXPIRE_INVITATION, OPERATIONS, Step, Work, work_off
from storage import outbox
from storage.database import Database, Transaction
from storage.entries import ClientLinkEntry
from storage.records.ids import AdAccountId, ClientLinkId, Instant, InvitationId, LoginId, ManagerAccountId
from storage.records.values import ClientLinkStatus, LinkType, MailStatus
from storage.writes import begin_revision, new_client_link_id, write_client_links
from tests.databases import Databases
from tests.schema.client import GRAPH
from tests.schema.filled import (
    ACCOUNT,
    CLIENT,
    DAY_MS,
    GUEST,
    INVITED,
    LINK,
    NOW_MS,
    OTHER,
    PERSON,
    ROOT,
    Filled,
    fill,
)

Given = Callable[[dict[str, str]], dict[str, Any]]
ADDRESS = {
    "businessName": "Birch Works",
    "line1": "1 Example Street",
    "city": "Redmond",
    "stateOrProvince": "WA",
    "postalCode": "98052",
    "countryCode": "US",
}


@pytest.fixture(scope="module")
def filled(databases: Databases, migrated_url: str) -> Iterator[Filled]:
    """Generated data on either database."""
    url = databases.copy_of(migrated_url)
    database = Database.open(url)
    yield fill(database)
    database.close()
    databases.drop(url)


def test_a_whole_read_would_be_found(filled: Filled) -> None:
    def scanning(transaction: Transaction) -> None:
        transaction.execute('UPDATE "client_link" SET "note" = \'x\' WHERE "name" = \'y\'')

    [[step]] = filled.watch(scanning).values()
    assert step in ("SCAN client_link", "Seq Scan on client_link")


# Mutations


class Write(NamedTuple):
    """One mutation as it is sent, and by whom if not by who leads the tree."""

    mutation: str
    given: Given
    login: LoginId | None = None
    is_refused: bool = False


def _change(link: str, **change: Any) -> Given:
    return lambda has: {"links": [{"linkId": has[link], "timeStamp": has[f"{link} stamp"], **change}]}


def _move(link: str, stamp: str | None, to: str) -> Given:
    return lambda has: {
        "linkId": has[link],
        "timeStamp": "1" if stamp is None else has[stamp],
        "toManagingCustomerId": to,
    }


WRITES: dict[str, Write] = {
    "add account links": Write("addClientLinks", lambda _: {"links": [LINK | {"clientEntityId": ACCOUNT}]}),
    "add account links by number": Write(
        "addClientLinks",
        lambda _: {
            "links": [
                {
                    "managingCustomerNumber": f"G{int(OTHER):09d}",
                    "clientEntityNumber": f"A{int(ACCOUNT):07d}",
                    "isBillToClient": True,
                }
            ]
        },
    ),
    "add customer links": Write(
        "addClientLinks",
        lambda has: {
            "links": [{"type": "CUSTOMER_LINK", "managingCustomerId": OTHER, "clientEntityId": has["childless"]}]
        },
    ),
    "accept": Write("updateClientLinks", _change("sent", action="ACCEPT")),
    "decline": Write("updateClientLinks", _change("sent", action="DECLINE")),
    "cancel": Write("updateClientLinks", _change("sent", action="CANCEL")),
    "unlink": Write("updateClientLinks", _change("active", action="REQUEST_UNLINK")),
    "annotate": Write("updateClientLinks", _change("sent", note="Seen.")),
    "move an account link": Write("moveClientLink", _move("active", "active stamp", str(int(ROOT) + 1))),
    "move a customer link": Write("moveClientLink", _move("below", None, OTHER)),
    "invite": Write("sendUserInvitation", lambda _: PERSON),
    "invite within an account": Write("sendUserInvitation", lambda _: PERSON | {"accountIds": [ACCOUNT]}),
    "invite again": Write("resendUserInvitation", lambda has: {"invitationId": has["invitation"]}),
    "withdraw": Write("cancelUserInvitation", lambda has: {"invitationId": has["invitation"]}),
    "join": Write("acceptUserInvitation", lambda has: {"secret": has["secret"]}, GUEST),
    "user": Write(
        "updateUser",
        lambda has: {"userId": has["user"], "timeStamp": has["user stamp"], "jobTitle": "Planner"},
    ),
    "roles": Write(
        "updateUserRoles",
        lambda has: {"customerId": ROOT, "userId": has["user"], "newRole": "VIEWER", "deleteRole": "STANDARD"},
    ),
    "roles within accounts": Write(
        "updateUserRoles",
        lambda has: {"customerId": ROOT, "userId": has["user"], "newRole": "VIEWER", "newAccountIds": [ACCOUNT]},
    ),
    "roles within linked manager accounts": Write(
        "updateUserRoles",
        lambda has: {
            "customerId": ROOT,
            "userId": has["user"],
            "newRole": "VIEWER",
            "newCustomerIds": [str(int(ROOT) + 1)],
        },
    ),
    "leave": Write("deleteUser", lambda has: {"userId": has["user"], "timeStamp": has["user stamp"]}),
    "add account": Write(
        "addAdAccount",
        lambda _: {"parentCustomerId": ROOT, "name": "New one", "currencyCode": "USD", "businessAddress": ADDRESS},
    ),
    "account": Write(
        "updateAdAccount",
        lambda has: {
            "accountId": ACCOUNT,
            "timeStamp": "1",
            "name": "Another name",
            "businessAddress": ADDRESS,
            "primaryUserId": has["own user"],
        },
    ),
    "delete account": Write("deleteAdAccount", lambda _: {"accountId": ACCOUNT, "timeStamp": "1"}),
    "manager account": Write(
        "updateManagerAccount",
        lambda _: {"customerId": ROOT, "timeStamp": "1", "name": "Another name", "industry": "RETAIL"},
    ),
    "consolidate": Write(
        "consolidateLogins", lambda has: {"primaryLogin": INVITED, "mergedLogins": [has["elsewhere"]]}
    ),
    "provision": Write(
        "provisionAggregator",
        lambda _: {
            "customer": {"name": "New", "industry": "RETAIL", "marketCountry": "US", "marketLanguage": "ENGLISH"},
            "loginName": INVITED,
            "user": {"firstName": "Gale", "lastName": "Marsh", "email": INVITED},
        },
    ),
    "token": Write("issueAccessToken", lambda _: {"label": "sync", "scopes": ["READ"]}),
    "revoke": Write("revokeAccessToken", lambda has: {"tokenId": has["token"]}),
    "delete manager account": Write(
        "deleteManagerAccount", lambda _: {"customerId": ROOT, "timeStamp": "1"}, is_refused=True
    ),
}


def document_of(mutation: str) -> str:
    """The mutation with its refusals, its effects, and what is told of each item."""
    items = "effectsOnceDone { totalCount } results { userErrors { message } link { status } }"
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    return (
        f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ revision userErrors {{ message field }}"
        f" effects {{ totalCount }} {items if mutation.endswith('ClientLinks') else ''} }} }}"
    )


@pytest.mark.parametrize("dry", [False, True], ids=["done", "tried"])
@pytest.mark.parametrize("name", WRITES)
def test_no_statement_of_a_mutation_reads_a_whole_table(filled: Filled, name: str, dry: bool) -> None:
    write = WRITES[name]

    def judge(response: dict[str, Any]) -> None:
        assert "errors" not in response, response
        [payload] = response["data"].values()
        assert bool(payload["userErrors"]) == write.is_refused, payload
        assert all(one["userErrors"] == [] for one in payload.get("results", ())), payload

    asked = write.given(filled.there) | {"requestId": "once", "reason": "Measured.", "dryRun": dry}
    assert filled.ask(document_of(write.mutation), {"input": asked}, write.login, judge=judge) == {}


def test_every_mutation_and_every_action_is_watched() -> None:
    assert GRAPH.mutation_type is not None
    assert {one.mutation for one in WRITES.values()} == set(GRAPH.mutation_type.fields)
    stamps = dict.fromkeys(("sent", "sent stamp", "active", "active stamp"), "1")
    changes = [one.given(stamps) for one in WRITES.values() if one.mutation == "updateClientLinks"]
    assert {one["links"][0].get("action") for one in changes} == {*map(str, ClientLinkAction), None}


# What the worker does


def waiting(transaction: Transaction) -> None:
    """Links in every state the worker leads on, some of which it must fail."""
    stamp = begin_revision(transaction, operation="test", at_ms=NOW_MS)
    statuses = (
        ClientLinkStatus.LINK_IN_PROGRESS,
        ClientLinkStatus.LINK_IN_PROGRESS,
        ClientLinkStatus.UNLINK_PENDING,
        ClientLinkStatus.UNLINK_PENDING,
    )
    broke, able = int(ROOT) + 2, int(ROOT) + 3
    first = new_client_link_id(transaction)
    links = [
        ClientLinkEntry(
            id=ClientLinkId(first + nth),
            type=LinkType.ACCOUNT_LINK,
            managing_id=ManagerAccountId(broke if nth % 2 and status == statuses[0] else able),
            client_manager_account_id=None,
            client_ad_account_id=AdAccountId(int(CLIENT) + 5 + nth),
            permission=None,
            is_bill_to_client=False,
            name="Waiting",
            start_at_ms=NOW_MS,
            status=status,
        )
        for nth, status in enumerate(statuses)
    ]
    write_client_links(transaction, stamp, links)
    transaction.execute(f"UPDATE payment_instrument SET is_valid = false WHERE manager_account_id IN ({broke}, {ROOT})")
    # The agency pays for the last two; the owner, who would pay again, cannot for the very last.
    transaction.execute(
        f"UPDATE ad_account SET bill_to_manager_account_id = {able} WHERE id IN"
        f" ({links[2].client_ad_account_id}, {links[3].client_ad_account_id})"
    )
    transaction.execute(
        f"UPDATE ad_account SET manager_account_id = {int(ROOT) + 1} WHERE id = {links[2].client_ad_account_id}"
    )
    transaction.execute(f"UPDATE ad_account SET manager_account_id = {ROOT} WHERE id = {links[3].client_ad_account_id}")


def test_no_statement_of_the_worker_reads_a_whole_table(filled: Filled) -> None:
    def lead_on(transaction: Transaction) -> None:
        class Same:
            """A database whose transactions are all the one that is watched."""

            @contextmanager
            def write(self) -> Iterator[Transaction]:
                yield transaction

            read = write

        done: list[object] = []
        for days in (0, 31):
            done += work_off(Work(Same()), Instant(NOW_MS + days * DAY_MS))  # type: ignore[arg-type]
        assert all(isinstance(one, Step) for one in done), done
        assert {one.operation for one in done if isinstance(one, Step)} == {*OPERATIONS.values(), EXPIRE_INVITATION}

    assert filled.watch(lead_on, first=waiting) == {}


def _claimed(transaction: Transaction) -> outbox.WaitingMail:
    mail = outbox.claim_mail(transaction, Instant(NOW_MS), 1_000)
    assert mail is not None
    return mail


def _write_mail(transaction: Transaction) -> None:
    mail = outbox.NewMail("USER_INVITATION", "kim@user.example", "{}", NOW_MS + DAY_MS)
    outbox.write_mail(transaction, [mail], NOW_MS)


MAIL: dict[str, Callable[[Transaction], object]] = {
    "write_mail": _write_mail,
    "drop_mail_of_invitation": lambda tx: outbox.drop_mail_of_invitation(tx, InvitationId(1), NOW_MS),
    "drop_mail_of_link": lambda tx: outbox.drop_mail_of_link(tx, ClientLinkId(1), NOW_MS),
    "claim_mail": lambda tx: (_claimed(tx), outbox.claim_mail(tx, Instant(NOW_MS + 400 * DAY_MS), 1_000)),
    "settle_mail": lambda tx: outbox.settle_mail(tx, _claimed(tx), MailStatus.SENT, NOW_MS),
    "put_off_mail": lambda tx: outbox.put_off_mail(tx, _claimed(tx), NOW_MS, "Busy."),
}
"""What is done with mail, by the function of the outbox; the second claim drops what has become pointless."""


@pytest.mark.parametrize("step", MAIL)
def test_no_statement_about_mail_reads_a_whole_table(filled: Filled, step: str) -> None:
    def work(transaction: Transaction) -> None:
        MAIL[step](transaction)

    assert filled.watch(work) == {}


def test_every_function_of_the_outbox_is_watched() -> None:
    functions = inspect.getmembers(outbox, inspect.isfunction)
    own = {name for name, one in functions if one.__module__ == outbox.__name__ and not name.startswith("_")}
    assert own == set(MAIL)
