"""Every code a write can be refused with, as one table: its documented number, the rule behind it, and when.

A refusal is made from a member of `WriteCode`, and number and rule come from here: no other can be raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from storage.records.values import ValueSet, auto


class WriteCode(ValueSet):
    """The stable codes of `userErrors`; clients may switch on them."""

    FORBIDDEN = auto()
    NOT_FOUND = auto()
    MOVE_WOULD_WIDEN = auto()
    TIMESTAMP_NOT_MATCH = auto()
    REQUEST_ID_REUSED = auto()
    BAD_USER_INPUT = auto()
    API_INPUT_VALIDATION_ERROR = auto()
    NULL_PARAMETER = auto()
    NAME_TOO_LONG = auto()
    LIST_NULL_OR_EMPTY = auto()
    BATCH_SIZE_EXCEEDED = auto()
    ID_MISMATCH = auto()
    DATE_OUT_OF_RANGE = auto()
    OBJECT_STATE = auto()
    INVALID_STATUS = auto()
    ALREADY_LINKED = auto()
    ALREADY_OWNED = auto()
    HIERARCHY_NOT_ALLOWED = auto()
    LINK_PAIR_MISMATCH = auto()
    CLIENT_LINK_INVITATION_ALREADY_SENT = auto()
    CLIENT_ACCOUNT_MANAGED_BY_ANOTHER_AGENCY = auto()
    PREPAID_CLIENT_ACCOUNT_NOT_SUPPORTED = auto()
    ACCOUNT_LINK_TRANSITION_IN_PROGRESS = auto()
    BILLING_TRANSITION_FAILED = auto()
    INVITATION_USED = auto()
    INVITATION_CANCELED = auto()
    INVITATION_EXPIRED = auto()
    USER_NOT_ACTIVE = auto()
    USER_IS_PRIMARY_CONTACT = auto()
    LAST_SUPER_ADMIN = auto()
    ROLE_CANNOT_BE_SCOPED = auto()
    ROLE_NOT_HELD = auto()
    ROLE_NOT_RESTRICTED = auto()
    ACCOUNT_ID_INVALID = auto()
    CUSTOMER_ID_INVALID = auto()
    ACCOUNT_LIFE_CYCLE_STATUS_FORBIDS_UPDATE = auto()
    DRAFT_ACCOUNT_EXISTS = auto()
    DUPLICATE_ACCOUNT_NAME = auto()
    FINAL_BILLING_FAILED = auto()
    PRIMARY_USER_NOT_FIT = auto()
    PRIMARY_USER_REQUIRED = auto()
    BILL_TO_CUSTOMER_ONLY = auto()
    PAYMENT_INSTRUMENT_OF_ANOTHER = auto()
    INVOICE_ACCOUNT_BUSINESS_ADDRESS_NOT_ALLOWED = auto()
    INVOICE_ACCOUNT_TAX_ID_NOT_ALLOWED = auto()
    BUSINESS_ADDRESS_INVALID = auto()
    BUSINESS_ADDRESS_CURRENCY_MISMATCH = auto()
    CURRENCY_NOT_ACCEPTED_IN_LOCATION = auto()
    ADDRESS_LINE1_INVALID = auto()
    ADDRESS_LINE3_INVALID = auto()
    ADDRESS_CITY_INVALID = auto()
    ADDRESS_POSTAL_CODE_INVALID = auto()
    TAX_INFORMATION_KEYS_INVALID = auto()
    TAX_INFORMATION_NOT_APPLICABLE = auto()
    TAX_INFORMATION_READ_ONLY = auto()
    GSTIN_INVALID = auto()
    GSTIN_LOCATION_MISMATCH = auto()
    PAN_INVALID = auto()
    PAN_REQUIRED = auto()
    TOKEN_REQUIRED = auto()
    TOKEN_REVOKED = auto()
    TOKEN_SCOPE_EXCEEDED = auto()
    TOKEN_LIFETIME_EXCEEDED = auto()
    TOO_MANY_TOKENS = auto()
    ADMINISTRATORS_ONLY = auto()
    ASKED_AS_ONE_USER = auto()
    LOGIN_ALREADY_MERGED = auto()
    LOGIN_MERGED_INTO_ITSELF = auto()
    LOGINS_IN_CONFLICT = auto()


OF_THE_CAPABILITY = "of the capability"
"""Stands for a rule that depends on what was asked for; the refusal names it."""


class WriteCodeRow(NamedTuple):
    """One row: the number of the Customer Management reference, the rule if there is one, and when it is told."""

    number: int
    rule: str | None
    when: str


_ = WriteCode
_Row = WriteCodeRow
WRITE_CODES: Mapping[WriteCode, WriteCodeRow] = {
    _.FORBIDDEN: _Row(106, OF_THE_CAPABILITY, "your roles do not give what it needs"),
    _.NOT_FOUND: _Row(210, None, "there is no such thing, or you may not see it"),
    _.MOVE_WOULD_WIDEN: _Row(106, OF_THE_CAPABILITY, "somebody could gain on a client who is not asked"),
    _.TIMESTAMP_NOT_MATCH: _Row(209, None, "somebody wrote it since you read it"),
    _.REQUEST_ID_REUSED: _Row(201, None, "the `requestId` was used for another request"),
    _.BAD_USER_INPUT: _Row(201, None, "a field cannot be what it says, or two do not go together"),
    _.API_INPUT_VALIDATION_ERROR: _Row(201, None, "a field of an account has a value that is not one of its values"),
    _.NULL_PARAMETER: _Row(203, None, "a field is missing or blank"),
    _.NAME_TOO_LONG: _Row(211, None, "a name has too many characters"),
    _.LIST_NULL_OR_EMPTY: _Row(3087, None, "a list is empty"),
    _.BATCH_SIZE_EXCEEDED: _Row(3024, None, "a list has more than ten items"),
    _.ID_MISMATCH: _Row(201, None, "the id of contact info or address is not that of this user"),
    _.DATE_OUT_OF_RANGE: _Row(532, None, "a link would start more than 90 days from now"),
    _.OBJECT_STATE: _Row(202, "P12", "something it is about is INACTIVE"),
    _.INVALID_STATUS: _Row(480, "P10", "the status of the link does not let it be done"),
    _.ALREADY_LINKED: _Row(202, "P10", "the manager account has this link already"),
    _.ALREADY_OWNED: _Row(202, "P10", "the manager account owns the ad account"),
    _.HIERARCHY_NOT_ALLOWED: _Row(202, "P10", "a link to itself, a circle, or more than five levels"),
    _.LINK_PAIR_MISMATCH: _Row(201, None, "the number given does not belong to the client"),
    _.CLIENT_LINK_INVITATION_ALREADY_SENT: _Row(1410, None, "these two have a link that has not ended"),
    _.CLIENT_ACCOUNT_MANAGED_BY_ANOTHER_AGENCY: _Row(1424, None, "another agency pays for the ad account"),
    _.PREPAID_CLIENT_ACCOUNT_NOT_SUPPORTED: _Row(1471, None, "the ad account pays in advance"),
    _.ACCOUNT_LINK_TRANSITION_IN_PROGRESS: _Row(1472, "P12", "a link to the ad account is being made or unmade"),
    _.BILLING_TRANSITION_FAILED: _Row(202, None, "who would be billed has no valid payment instrument"),
    _.INVITATION_USED: _Row(202, None, "the invitation was accepted already"),
    _.INVITATION_CANCELED: _Row(202, None, "the invitation was cancelled"),
    _.INVITATION_EXPIRED: _Row(202, None, "the invitation has expired"),
    _.USER_NOT_ACTIVE: _Row(202, "P12", "the user was deleted or disabled"),
    _.USER_IS_PRIMARY_CONTACT: _Row(202, "C20", "ad accounts need the user as their primary user"),
    _.LAST_SUPER_ADMIN: _Row(202, "C17", "the manager account would have no Super Admin"),
    _.ROLE_CANNOT_BE_SCOPED: _Row(201, "P2", "a role for whole manager accounts was limited to ad accounts"),
    _.ROLE_NOT_HELD: _Row(202, None, "a role was to be taken that is not held"),
    _.ROLE_NOT_RESTRICTED: _Row(202, "P2", "some were to be taken from a role that holds for all"),
    _.ACCOUNT_ID_INVALID: _Row(2108, "P2", "an ad account does not stand directly under the manager account"),
    _.CUSTOMER_ID_INVALID: _Row(201, "P4", "a manager account is not linked directly below"),
    _.ACCOUNT_LIFE_CYCLE_STATUS_FORBIDS_UPDATE: _Row(2192, "P12", "the ad account is deleted"),
    _.DRAFT_ACCOUNT_EXISTS: _Row(202, None, "the manager account has a draft already"),
    _.DUPLICATE_ACCOUNT_NAME: _Row(202, None, "another ad account of the owner has this name"),
    _.FINAL_BILLING_FAILED: _Row(2204, None, "the balance of the ad account could not be billed"),
    _.PRIMARY_USER_NOT_FIT: _Row(201, "C20", "the primary user named is neither Super Admin nor Standard there"),
    _.PRIMARY_USER_REQUIRED: _Row(203, "C20", "none of your users can be the primary user: name one"),
    _.BILL_TO_CUSTOMER_ONLY: _Row(2203, "C7", "payment is set by those who manage it where the bill goes"),
    _.PAYMENT_INSTRUMENT_OF_ANOTHER: _Row(202, None, "the payment instrument is not of who pays"),
    _.INVOICE_ACCOUNT_BUSINESS_ADDRESS_NOT_ALLOWED: _Row(1138, None, "an invoiced account keeps its address"),
    _.INVOICE_ACCOUNT_TAX_ID_NOT_ALLOWED: _Row(1137, None, "an invoiced account keeps its tax ids"),
    _.BUSINESS_ADDRESS_INVALID: _Row(1140, None, "the address lacks a field or has a wrong one"),
    _.BUSINESS_ADDRESS_CURRENCY_MISMATCH: _Row(1141, None, "country, currency and payment do not go together"),
    _.CURRENCY_NOT_ACCEPTED_IN_LOCATION: _Row(1142, None, "the currency is for another country only"),
    _.ADDRESS_LINE1_INVALID: _Row(205, None, "line 1 of the address is missing or too long"),
    _.ADDRESS_LINE3_INVALID: _Row(207, None, "line 3 of the address is too long"),
    _.ADDRESS_CITY_INVALID: _Row(200, None, "the city is missing or too long"),
    _.ADDRESS_POSTAL_CODE_INVALID: _Row(209, None, "the postal code is not written as its country writes them"),
    _.TAX_INFORMATION_KEYS_INVALID: _Row(1145, None, "a tax id is unknown, given twice, missing or malformed"),
    _.TAX_INFORMATION_NOT_APPLICABLE: _Row(1144, None, "a tax id belongs to another country"),
    _.TAX_INFORMATION_READ_ONLY: _Row(201, None, "a tax id is set for good when the account is added"),
    _.GSTIN_INVALID: _Row(1146, None, "GSTINNumber is malformed"),
    _.GSTIN_LOCATION_MISMATCH: _Row(2207, None, "GSTINNumber is of another state"),
    _.PAN_INVALID: _Row(1147, None, "PanNumber is malformed"),
    _.PAN_REQUIRED: _Row(1148, None, "an account in India needs PanNumber"),
    _.TOKEN_REQUIRED: _Row(116, None, "a token is issued to who shows one only"),
    _.TOKEN_REVOKED: _Row(202, None, "the token was revoked before"),
    _.TOKEN_SCOPE_EXCEEDED: _Row(106, None, "a token would open more than the one it is asked for with"),
    _.TOKEN_LIFETIME_EXCEEDED: _Row(106, None, "a token would live longer than the one it is asked for with"),
    _.TOO_MANY_TOKENS: _Row(202, None, "your login has as many good tokens as a login may"),
    _.ADMINISTRATORS_ONLY: _Row(106, None, "your login is no system administrator, or your token has no scope ADMIN"),
    _.ASKED_AS_ONE_USER: _Row(106, "P11", "it is for a login, and you ask as one of its users"),
    _.LOGIN_ALREADY_MERGED: _Row(202, "P12", "the login was merged into another one before"),
    _.LOGIN_MERGED_INTO_ITSELF: _Row(202, None, "the primary login is among those to merge"),
    _.LOGINS_IN_CONFLICT: _Row(202, None, "two of the logins have a user in the same manager account"),
}
"""Every code, in the order the documentation lists them: rights, input, links, people, accounts, tokens, logins."""
del _, _Row


def rule_of(code: WriteCode, named: str | None = None) -> str | None:
    """The rule behind a refusal. Raises: ValueError for a rule that is not the table's, or none where one is needed.

    >>> rule_of(WriteCode.OBJECT_STATE)
    'P12'
    >>> rule_of(WriteCode.FORBIDDEN, "C16")
    'C16'
    """
    rule = WRITE_CODES[code].rule
    if rule == OF_THE_CAPABILITY:
        if named is None:
            raise ValueError(f"{code} needs the rule of what was asked for")
        return named
    if named is not None:
        raise ValueError(f"{code} has the rule of its table, not {named}")
    return rule
