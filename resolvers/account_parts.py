"""The parts of writing accounts that both adding and changing need: addresses, primary users, money."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple, ParamSpec, TypeVar

from resolvers.people import user_by_id
from resolvers.rules.account_fields import INVOICED, PRIMARY_USER_ROLES
from resolvers.rules.addresses import AddressFields
from resolvers.rules.capabilities import Capability
from resolvers.rules.problems import Problem
from resolvers.rules.reach import Reach, may_act
from resolvers.rules.role_changes import held_by, may_be_primary
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import Refused, UserError, WriteSession, not_there, refused, user_error
from storage.account_writes import InstrumentRow, read_ad_account_named, read_payment_instruments
from storage.entries import AddressEntry
from storage.reads.entities import read_users
from storage.records.ids import AdAccountId, ManagerAccountId, UserId
from storage.records.rows import AdAccountRow, AddressRow, BillingRow
from storage.records.values import PaymentMethodType
from storage.user_writes import new_address_id, write_address_fields
from storage.writes import write_addresses

P = ParamSpec("P")
T = TypeVar("T")


def refuse_all(problems: Iterable[Problem]) -> None:
    """Raises: Refused with every problem, when there is one."""
    errors = [user_error(one.code, one.message, one.field) for one in problems]
    if errors:
        raise Refused(*errors)


class Checks:
    """Checks that are all made before any of them refuses, so that a form can show everything at once."""

    def __init__(self) -> None:
        self._errors: list[UserError] = []

    def make(self, check: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What a check finds, or None when it refuses."""
        try:
            return check(*args, **kwargs)
        except Refused as refusal:
            self._errors.extend(refusal.errors)
            return None

    def refuse(self) -> None:
        """Raises: Refused with everything the checks said."""
        if self._errors:
            raise Refused(*dict.fromkeys(self._errors))


AD_ACCOUNT = "AdAccount"
"""How the audit log names ad accounts."""


def require_free_name(session: WriteSession, owner: ManagerAccountId, name: str, own: AdAccountId | None) -> None:
    """An owner has no two ad accounts of one name; `own` is the account that may keep its own. Raises: Refused."""
    taken = read_ad_account_named(session.transaction, owner, name)
    if taken is not None and taken != own:
        message = f"Another ad account of manager account {owner} is called like this; choose another name."
        raise refused(WriteCode.DUPLICATE_ACCOUNT_NAME, message, "name")


# Addresses


def address_of(row: AddressRow | None) -> AddressFields | None:
    """A stored address as somebody would write it."""
    return None if row is None else AddressFields(*(getattr(row, name) for name in AddressFields._fields))


def write_address(session: WriteSession, stored: AddressRow | None, address: AddressFields) -> int:
    """Write an address over the stored one, or as a new one; returns its id."""
    given = AddressFields(*(part or None for part in address))
    if stored is not None:
        write_address_fields(session.transaction, session.stamp, [stored.address_id], given._asdict())
        return stored.address_id
    stamp = session.stamp
    key = new_address_id(session.transaction)
    write_addresses(session.transaction, stamp, [AddressEntry(key, *given)])
    return key


# Primary users (C20)


def _is_fit(
    session: WriteSession, user: UserId, managers: Collection[ManagerAccountId], account: AdAccountRow | None
) -> bool:
    excerpt = session.excerpt
    excerpt.know_users([user])
    session.know_manager_accounts(list(managers))
    facts = excerpt.facts
    fact = facts.users.get(user)
    if fact is None or not may_act(fact):
        return False
    reach = Reach.of_users(excerpt.hierarchy, [user])
    if any(PRIMARY_USER_ROLES.intersection(reach.on_manager_account(one).roles) for one in managers):
        return True
    if account is None:
        return False
    owned = [one for one in facts.assignments_by_user.get(user, ()) if one.manager_account_id == account.owner_id]
    return may_be_primary(held_by(owned), account.account_id)


def _require_fit(
    session: WriteSession, user: UserId, managers: Collection[ManagerAccountId], account: AdAccountRow | None
) -> UserId:
    if user_by_id(session, user) is None:
        raise not_there("primaryUserId")
    if not _is_fit(session, user, managers, account):
        raise refused(
            WriteCode.PRIMARY_USER_NOT_FIT,
            f"User {user} is not Super Admin or Standard there; only such a user can be the primary contact.",
            "primaryUserId",
        )
    return user


def primary_user_of_new(
    session: WriteSession, owner: ManagerAccountId, agencies: Collection[ManagerAccountId], named: UserId | None
) -> UserId:
    """The user named, or the caller's own in the owner, or another of the caller's that may. Raises: Refused."""
    if named is not None:
        return _require_fit(session, named, [owner, *agencies], None)
    mine = read_users(session.transaction, session.viewer_users)
    for user in sorted(mine, key=lambda one: (mine[one].customer_id != owner, one)):
        if _is_fit(session, user, [owner], None):
            return user
    raise refused(
        WriteCode.PRIMARY_USER_REQUIRED,
        "None of your users is Super Admin or Standard there: name the primary contact with `primaryUserId`.",
        "primaryUserId",
    )


def primary_user_of_change(
    session: WriteSession, account: AdAccountRow, agencies: Collection[ManagerAccountId], named: UserId
) -> UserId:
    """The user named, when he may be the primary contact of an account. Raises: Refused."""
    return _require_fit(session, named, [account.owner_id, *agencies], account)


# Money


class Money(NamedTuple):
    """Who is billed for a new ad account, and by what."""

    bill_to: ManagerAccountId
    payment_method_id: int | None
    payment_method_type: PaymentMethodType | None
    sold_to_payment_instrument_id: int | None


def _bill_to_only(*field: str) -> Refused:
    return refused(
        WriteCode.BILL_TO_CUSTOMER_ONLY,
        "How an account is paid for is set by those who manage payment methods of the manager account that is billed.",
        *field,
    )


def _instrument(session: WriteSession, key: int, payers: Collection[ManagerAccountId], field: str) -> InstrumentRow:
    """A payment instrument the viewer may know of, of one of these manager accounts. Raises: Refused."""
    row = read_payment_instruments(session.transaction, [key]).get(key)
    if row is None:
        raise not_there(field)
    session.know_manager_accounts([row.manager_account_id])
    if not session.reach.on_manager_account(row.manager_account_id).allow(Capability.VIEW_PAYMENT_METHODS):
        raise not_there(field)
    if row.manager_account_id not in payers:
        raise refused(
            WriteCode.PAYMENT_INSTRUMENT_OF_ANOTHER,
            f"Payment instrument {key} belongs to a manager account that does not pay here: billing moves by client"
            " links only.",
            field,
        )
    return row


def money_of_new(session: WriteSession, owner: ManagerAccountId, payment: int | None, sold_to: int | None) -> Money:
    """Who pays for a new ad account: the owner, or the aggregator that signed it up. Raises: Refused."""
    aggregators = [item.aggregator_id for item in session.excerpt.facts.aggregations_to.get(owner, ())]
    bill_to = aggregators[0] if aggregators else owner
    kind = None
    if payment is not None:
        instrument = _instrument(session, payment, [owner, *aggregators], "paymentMethodId")
        bill_to, kind = instrument.manager_account_id, instrument.type
        needed = Capability.MANAGE_PAYMENT_METHODS if bill_to == owner else Capability.TAKE_OVER_BILLING
        if not session.reach.on_manager_account(bill_to).allow(needed):
            raise _bill_to_only("paymentMethodId")
    if sold_to is not None:
        _instrument(session, sold_to, [owner], "soldToPaymentInstrumentId")
        if not session.reach.on_manager_account(owner).allow(Capability.MANAGE_PAYMENT_METHODS):
            raise _bill_to_only("soldToPaymentInstrumentId")
    elif bill_to != owner:
        raise refused(
            WriteCode.NULL_PARAMETER,
            f"Manager account {bill_to} is billed, not the owner: name the owner's `soldToPaymentInstrumentId`.",
            "soldToPaymentInstrumentId",
        )
    return Money(bill_to, payment, kind, sold_to)


class MoneyChange(NamedTuple):
    """How an ad account is to be paid for; None leaves a field as it is."""

    payment_method_id: int | None
    backup_payment_instrument_id: int | None
    sold_to_payment_instrument_id: int | None
    billing_threshold_micros: int | None


def money_of_change(
    session: WriteSession, account: AdAccountRow, billing: BillingRow, change: MoneyChange
) -> dict[str, object]:
    """The fields that are written, named as in `AdAccountEntry`. Raises: Refused."""
    bill_to = account.bill_to_customer_id or account.owner_id
    values: dict[str, object] = {}
    manages = session.on_ad_account(account).allow(Capability.MANAGE_PAYMENT_METHODS)
    instruments = (
        ("payment_method_id", "paymentMethodId", change.payment_method_id, bill_to),
        ("backup_payment_instrument_id", "backupPaymentInstrumentId", change.backup_payment_instrument_id, bill_to),
        (
            "sold_to_payment_instrument_id",
            "soldToPaymentInstrumentId",
            change.sold_to_payment_instrument_id,
            account.owner_id,
        ),
    )
    for name, field, key, payer in instruments:
        if key is None or key == getattr(billing, name):
            continue
        if not manages:
            raise _bill_to_only(field)
        instrument = _instrument(session, key, [payer], field)
        values[name] = key
        if name == "payment_method_id":
            values["payment_method_type"] = instrument.type
    if "backup_payment_instrument_id" in values and values.get("payment_method_type", billing.payment_method_type) in (
        INVOICED
    ):
        raise refused(
            WriteCode.API_INPUT_VALIDATION_ERROR,
            "The account is billed by invoice and has no second instrument.",
            "backupPaymentInstrumentId",
        )
    threshold = change.billing_threshold_micros
    if threshold is not None and threshold != billing.billing_threshold_micros:
        _require_user_of(session, bill_to)
        if threshold <= 0:
            message = "The threshold is an amount above zero."
            raise refused(WriteCode.API_INPUT_VALIDATION_ERROR, message, "billingThresholdAmount")
        values["billing_threshold_micros"] = threshold
    return values


def _require_user_of(session: WriteSession, bill_to: ManagerAccountId) -> None:
    mine = read_users(session.transaction, session.viewer_users)
    if not any(row.customer_id == bill_to for row in mine.values()):
        raise refused(
            WriteCode.BILL_TO_CUSTOMER_ONLY,
            "Only users of the manager account that is billed may set its threshold.",
            "billingThresholdAmount",
        )


def is_valid_instrument(session: WriteSession, key: int) -> bool:
    """Whether a payment instrument is accepted: what makes a draft an active account."""
    row = read_payment_instruments(session.transaction, [key]).get(key)
    return row is not None and row.is_valid
