"""Changing who is billed for an ad account when an account link begins or ends.

`BillingTransition` is all the rest knows of it: a deployment with a billing system of its own gives another
implementation. `OwnBooks`, the one that is shipped, keeps it in the store.
"""

from __future__ import annotations

from typing import Protocol

from resolvers.rules.billing import payer_without_agency
from resolvers.rules.link_checks import PREPAID
from resolvers.session import fact_of
from resolvers.writing import WriteSession
from storage.billing import read_who_can_pay, write_bill_to
from storage.reads.entities import read_ad_accounts, read_billing
from storage.records.ids import AdAccountId, ManagerAccountId
from storage.records.rows import AdAccountRow, ClientLinkRow

AD_ACCOUNT = "AdAccount"


class BillingFailed(Exception):
    """The payer could not be changed; the message is a sentence for the people on both sides. Nothing was written."""


class BillingNotYet(BillingFailed):
    """The billing system has not finished: the link stays where it is, and the worker asks again at its next look."""


class BillingTransition(Protocol):
    """What a billing system must be able to do, inside the transaction of the link's own step."""

    def begin(self, session: WriteSession, link: ClientLinkRow) -> None:
        """An account link becomes active. Raises: BillingFailed, BillingNotYet."""
        ...

    def prepare_end(self, session: WriteSession, link: ClientLinkRow) -> None:
        """An account link is about to end; from here on its ad account is locked. Raises: BillingNotYet."""
        ...

    def end(self, session: WriteSession, link: ClientLinkRow) -> None:
        """An account link ends. Raises: BillingFailed, BillingNotYet."""
        ...


class OwnBooks:
    """The agency pays while its link says so; before and after, whoever signed up the owner, or the owner.

    A link under which the client pays changes nobody, but still needs a client who can pay.
    """

    def begin(self, session: WriteSession, link: ClientLinkRow) -> None:
        """As `BillingTransition.begin`. Cost: three SELECTs, and an UPDATE when the payer changes."""
        account = _account_of(session, link)
        if read_billing(session.transaction, [account.account_id])[account.account_id].payment_method_type in PREPAID:
            raise BillingFailed(
                f"Ad account {account.account_id} pays in advance; only accounts that are billed afterwards can be"
                " linked."
            )
        agency_pays = link.is_bill_to_client is False
        payer = link.managing_customer_id if agency_pays else _payer(account)
        _require_instrument(session, account, payer)
        _change(session, account, payer)

    def prepare_end(self, session: WriteSession, link: ClientLinkRow) -> None:
        """As `BillingTransition.prepare_end`: it is always ready."""

    def end(self, session: WriteSession, link: ClientLinkRow) -> None:
        """As `BillingTransition.end`. Cost: at most eight SELECTs, and an UPDATE when the payer changes."""
        account = _account_of(session, link)
        if link.is_bill_to_client is not False or _payer(account) != link.managing_customer_id:
            return
        fact = fact_of(account)
        session.excerpt.know_ad_accounts([fact])
        payer = payer_without_agency(session.excerpt.facts, fact)
        _require_instrument(session, account, payer)
        _change(session, account, payer)


BILLING: BillingTransition = OwnBooks()
"""What is used unless somebody says otherwise."""


def _account_of(session: WriteSession, link: ClientLinkRow) -> AdAccountRow:
    key = link.client_account_id
    if key is None:
        raise ValueError("a customer link has no billing of its own")
    return read_ad_accounts(session.transaction, [AdAccountId(key)])[AdAccountId(key)]


def _payer(account: AdAccountRow) -> ManagerAccountId:
    return account.bill_to_customer_id or account.parent_customer_id


def _require_instrument(session: WriteSession, account: AdAccountRow, payer: ManagerAccountId) -> None:
    if payer not in read_who_can_pay(session.transaction, [payer]):
        raise BillingFailed(
            f"Manager account {payer} would be billed for ad account {account.account_id} and has no valid payment"
            " instrument; add one and try again."
        )


def _change(session: WriteSession, account: AdAccountRow, payer: ManagerAccountId) -> None:
    if account.bill_to_customer_id == payer:
        return
    write_bill_to(session.transaction, session.stamp, account.account_id, payer)
    before, after = {"bill_to_customer_id": account.bill_to_customer_id}, {"bill_to_customer_id": payer}
    session.note(AD_ACCOUNT, account.account_id, before, after)
