"""The value sets of the graph, with what each member means."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import strawberry

from resolvers.rules.addresses import AddressStatus
from resolvers.rules.billing import BillToReason
from resolvers.rules.capabilities import CAPABILITY_RULES, Capability
from resolvers.rules.links import ClientLinkAction
from resolvers.rules.near_misses import AccessCode
from resolvers.rules.paths import HopKind
from resolvers.rules.remedies import RemedyActor, RemedyKind
from storage.reads.search import OrderField
from storage.records import values as v

_MEANINGS: dict[type[StrEnum], tuple[str, dict[str, str]]] = {
    v.Role: (
        "What a user may do in a manager account, before scopes and links take away from it.",
        {
            "VIEWER": "Role id 100: reads everything, changes nothing.",
            "CAMPAIGN_MANAGER": "Role id 16: reads everything, manages campaigns; of an ad account only the auto-tag.",
            "STANDARD": "Role id 203: campaigns, ad accounts, account links, and users below Super Admin.",
            "SUPER_ADMIN": "Role id 41: everything but deleting the manager account and signing up customers.",
            "AGGREGATOR": "Role id 33: as Super Admin, and may sign up customers.",
        },
    ),
    v.LinkPermission: (
        "What a customer link lets through.",
        {
            "ADMINISTRATIVE": "Everything the role has.",
            "STANDARD": "Everything but managing users, manager links, payment methods and the account itself.",
        },
    ),
    v.RoleLinkPermission: (
        "How a customer role came to be; a direct role has none.",
        {
            "ADMINISTRATIVE": "Reached through administrative customer links only.",
            "STANDARD": "Reached through at least one standard customer link.",
            "LINKED_ENTITY_ONLY": "Held directly, but barred from the ad accounts the manager account owns.",
        },
    ),
    v.LinkType: (
        "What a client link leads to.",
        {"ACCOUNT_LINK": "One ad account.", "CUSTOMER_LINK": "A whole manager account."},
    ),
    v.ClientLinkStatus: (
        "Where a client link stands. Access is carried by ACTIVE, UNLINK_PENDING and UNLINK_IN_PROGRESS (rule P9).",
        {
            "LINK_PENDING": "Sent; waits for the client.",
            "LINK_CANCELED": "Withdrawn by the managing side. Final.",
            "LINK_EXPIRED": "Nobody acted within 30 days. Final.",
            "LINK_ACCEPTED": "Accepted; turns into LINK_IN_PROGRESS at once.",
            "LINK_DECLINED": "Refused by the client. Final.",
            "LINK_IN_PROGRESS": "Waits for its start date or for billing to be moved.",
            "ACTIVE": "The managing side has access.",
            "LINK_FAILED": "Could not be completed, for instance because billing could not be moved. Final.",
            "UNLINK_REQUESTED": "Asked to be undone; turns into UNLINK_PENDING at once.",
            "UNLINK_PENDING": "Waits to be undone; access still holds.",
            "UNLINK_CANCELED": "Reserved; never seen.",
            "UNLINK_IN_PROGRESS": "Being undone; access still holds.",
            "INACTIVE": "Undone. Final.",
            "UNLINK_FAILED": "Could not be undone; falls back to ACTIVE.",
        },
    ),
    v.Relationship: (
        "How something belongs to the manager account it is listed under.",
        {
            "OWNED": "An ad account of its own.",
            "ACCOUNT_LINK": "An ad account of another manager account, through an account link.",
            "CUSTOMER_LINK": "A manager account, through a customer link.",
            "AGGREGATED": "A manager account it signed up as an aggregator, or an ad account in one.",
        },
    ),
    v.ScopeKind: (
        "How far a role reaches.",
        {
            "EVERY_ACCOUNT": "The manager account, all its ad accounts now and later, and everything below.",
            "ONLY_ACCOUNTS": "Exactly the ad accounts listed.",
            "EVERY_LINKED_ENTITY": "Everything below, but none of the ad accounts it owns.",
            "ONLY_LINKED_ENTITIES": "Only what lies below the linked manager accounts listed.",
        },
    ),
    v.AdAccountStatus: (
        "AccountLifeCycleStatus.",
        {
            "DRAFT": "Just created.",
            "ACTIVE": "Can be managed; ads can serve.",
            "INACTIVE": "Deleted: can be viewed, nothing else.",
            "PAUSE": "Paused; `pauseReason` says by whom.",
            "PENDING": "Not yet ready; can be updated.",
            "SUSPENDED": "Suspicious activity; nothing serves.",
        },
    ),
    v.AdAccountFinancialStatus: (
        "AccountFinancialStatus.",
        {
            "CLEAR_FINANCIAL_STATUS": "In good standing.",
            "HOLD": "Past due, or the card was declined; nothing is delivered.",
            "PROPOSED": "Campaigns may be added; nothing is delivered.",
            "WRITE_OFF": "Past due and no longer collected.",
            "TAX_ON_HOLD": "A publisher without a valid tax instrument.",
            "USER_HOLD": "A publisher who put the payout on hold.",
            "CREDIT_WARNING": "Not used.",
            "PENDING_CREDIT_CHECK": "Not used.",
            "SOLD_TO_ONLY": "Not used.",
        },
    ),
    v.ManagerAccountStatus: (
        "CustomerLifeCycleStatus.",
        {"ACTIVE": "In use.", "INACTIVE": "Deleted: can be viewed, nothing else."},
    ),
    v.ManagerAccountFinancialStatus: (
        "CustomerFinancialStatus.",
        {
            "CLEAR_FINANCIAL_STATUS": "In good standing.",
            "CREDIT_HOLD": "One of its ad accounts is past due.",
            "PENDING_CREDIT_CHECK": "A credit check runs; nothing is delivered.",
            "SOLD_TO_ONLY": "A credit risk; may not be billed.",
            "CREDIT_WARNING": "Not used.",
            "PROPOSALS_ONLY": "Not used.",
        },
    ),
    v.UserStatus: (
        "UserLifeCycleStatus.",
        {
            "ACTIVE": "May act.",
            "PENDING": "Not yet activated; no longer used.",
            "INACTIVE": "Disabled by the system.",
            "DELETED": "Deleted.",
        },
    ),
    v.TokenScope: (
        "What an access token may be used for. It never gives more than its login holds.",
        {
            "READ": "Queries.",
            "WRITE": "Mutations, with what their payloads tell.",
            "ADMIN": "Acts of system administrators, for logins the deployment names as such.",
        },
    ),
    v.InvitationStatus: (
        "Where a user invitation stands.",
        {
            "PENDING": "Waits for the invited person.",
            "ACCEPTED": "Used.",
            "CANCELED": "Withdrawn.",
            "EXPIRED": "Its 30 days are over; it can no longer be accepted.",
        },
    ),
    v.ServiceLevel: (
        "How the advertising platform serves a manager account; internal to it.",
        {
            "SELF_SERVE": "Without support of its own.",
            "SELF_SERVE_TRUSTED": "Without support of its own, with a good record.",
            "PREMIUM": "With an account manager.",
            "INTERNAL": "The platform's own.",
            "SELECT": "Selected for special service.",
        },
    ),
    v.AutoTagType: (
        "How tracking tags are added to final URLs.",
        {"INACTIVE": "Not at all.", "PRESERVE": "Added; existing ones stay.", "REPLACE": "Added; existing ones go."},
    ),
    v.EmailFormat: ("How a user is written to.", {"HTML": "Formatted mail.", "TEXT": "Plain text."}),
    v.PaymentMethodType: (
        "What kind of payment instrument pays.",
        {
            "CREDIT_CARD": "A credit card.",
            "INVOICE": "A monthly invoice.",
            "CHECK": "A cheque.",
            "ELECTRONIC_FUNDS_TRANSFER": "An electronic transfer.",
            "PAY_PAL": "A PayPal account.",
            "ELV": "SEPA direct debit (Germany, EUR, prepaid).",
            "OFFLINE_PAYMENT_METHOD": "A cheque or transfer into a prepaid account.",
            "VBA": "A virtual bank account (Taiwan, TWD, prepaid).",
            "BOLETO": "Boleto (Brazil, BRL, prepaid).",
        },
    ),
    v.TaxCertificateStatus: (
        "Whether a tax certificate was accepted.",
        {"VALID": "Accepted.", "INVALID": "Refused.", "PENDING": "Not yet looked at."},
    ),
    v.Industry: (
        "What a manager account's business is in.",
        {member: member.replace("_", " ").capitalize() + "." for member in v.Industry} | {"NA": "Not given."},
    ),
    v.Language: (
        "A language of a market or of billing documents.",
        {member: member.replace("_", " ").title() + "." for member in v.Language},
    ),
    AccessCode: (
        "Why a capability is held or not.",
        {
            "ALLOWED": "Held.",
            "NO_PATH": "No assignment leads there over active links, or not through the context named.",
            "ROLE_LACKS_CAPABILITY": "A role leads there but does not include it.",
            "LINK_CAP": "A link on the way takes it away.",
            "LINK_NOT_ACTIVE": "A link on the way does not carry access, or not any more.",
            "ACCOUNT_NOT_IN_SCOPE": "A role is limited to other ad accounts.",
            "LINKED_ENTITY_ONLY": "A role is limited to linked entities.",
            "OBJECT_STATE": "The paths give it, but the state of the object forbids it now.",
            "NOT_VISIBLE": "There is no such user or object, or you may not see it.",
        },
    ),
    RemedyKind: (
        "What would make the answer yes.",
        {
            "GIVE_ROLE": "Give the user a role; by invitation, where he is not known yet.",
            "WIDEN_SCOPE": "Add what is asked about to the scope of a role he holds.",
            "ACCEPT_LINK": "Accept a client link that waits.",
            "SEND_LINK": "Send a client link that has ended anew, and accept it.",
            "RELINK": "End a STANDARD customer link, send it anew as ADMINISTRATIVE, and accept it.",
            "WAIT": "Wait for the service.",
            "NAME_CONTEXT": "Name another context in the request.",
        },
    ),
    RemedyActor: (
        "Who can carry out a remedy.",
        {
            "USERS": "Whoever holds what is needed.",
            "SERVICE": "The service does it by itself.",
            "SYSTEM_ADMINISTRATOR": "The system administrator only.",
            "CALLER": "Whoever asks, in the next request.",
        },
    ),
    Capability: (
        "One thing a user may do on a manager account or an ad account; each is a rule (C1–C18).",
        {
            str(rule.capability): f"Rule {rule.id}. On "
            + " and ".join(
                name
                for name, on in (
                    ("manager accounts", rule.on_manager_account),
                    ("ad accounts", rule.on_ad_account),
                )
                if on
            )
            + ". Roles: "
            + ", ".join(sorted(rule.roles))
            + (". Survives a standard link" if rule.survives_standard_link else ". Ends at a standard link")
            + ("; carried by an account link." if rule.survives_account_link else ".")
            for rule in CAPABILITY_RULES
        },
    ),
    HopKind: (
        "What leads from one end of a hop to the other.",
        {
            "OWNERSHIP": "The manager account owns the ad account.",
            "CUSTOMER_LINK": "A customer link.",
            "ACCOUNT_LINK": "An account link.",
            "AGGREGATION": "The aggregator signed the manager account up.",
        },
    ),
    ClientLinkAction: (
        "What a person can do with a client link.",
        {
            "ACCEPT": "Accept it, for the client.",
            "DECLINE": "Decline it, for the client.",
            "CANCEL": "Withdraw it, for the managing side.",
            "REQUEST_UNLINK": "Ask to undo it, for the managing side.",
        },
    ),
    BillToReason: (
        "Why a manager account is billed for an ad account.",
        {
            "OWNER": "It owns the ad account.",
            "AGENCY_LINK": "It is the agency of an account link that bills it.",
            "AGGREGATOR": "It signed up the owner as an aggregator.",
        },
    ),
    AddressStatus: (
        "Whether mail could arrive at an address, and whether it is better written otherwise.",
        {
            "ADDRESS_VALID_WITHOUT_SUGGESTIONS": "Valid as it is.",
            "ADDRESS_VALID_WITH_SUGGESTIONS": "Valid, and better written otherwise.",
            "ADDRESS_INVALID_WITHOUT_SUGGESTIONS": "Not valid, and nothing near it is.",
            "ADDRESS_INVALID_WITH_SUGGESTIONS": "Not valid, but something near it is.",
        },
    ),
    OrderField: (
        "What a list can be ordered by.",
        {"ID": "The numeric id.", "NAME": "The name, ignoring case.", "NUMBER": "The display number."},
    ),
}


class SortOrder(StrEnum):
    """Which end of an order comes first."""

    ASCENDING = "ASCENDING"
    DESCENDING = "DESCENDING"


_MEANINGS[SortOrder] = ("Which end comes first.", {"ASCENDING": "Smallest first.", "DESCENDING": "Largest first."})


def _declare(enum: Any, meaning: str, members: dict[str, str]) -> None:
    strawberry.enum(enum, description=meaning)
    for value in enum.__strawberry_definition__.values:
        value.description = members[value.name]


for _enum, (_meaning, _members) in _MEANINGS.items():
    _declare(_enum, _meaning, _members)
