"""The closed value sets of the field: what a status, role or permission may be.

Members are stored, sent and printed under one spelling. Source: the published reference of the
advertising API; the spelling is turned into UPPER_CASE as GraphQL has it.
"""

from __future__ import annotations

from enum import StrEnum
from enum import auto as auto


class ValueSet(StrEnum):
    """A string enumeration whose members are spelled as they are named."""

    # Enum's own is a function in Python, and a large answer looks values up some hundred thousand times.
    __hash__ = str.__hash__

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        return name


class Role(ValueSet):
    """What a user may do, before links and scopes take away from it."""

    VIEWER = auto()
    CAMPAIGN_MANAGER = auto()
    STANDARD = auto()
    SUPER_ADMIN = auto()
    AGGREGATOR = auto()


ROLE_IDS: dict[Role, int] = {
    Role.VIEWER: 100,
    Role.CAMPAIGN_MANAGER: 16,
    Role.STANDARD: 203,
    Role.SUPER_ADMIN: 41,
    Role.AGGREGATOR: 33,
}
"""The numbers partners send and receive."""


class LinkPermission(ValueSet):
    """What a customer link lets through."""

    ADMINISTRATIVE = auto()
    STANDARD = auto()


class RoleLinkPermission(ValueSet):
    """How a customer role came to be, as GetUser reports it; a direct role has none."""

    ADMINISTRATIVE = auto()
    STANDARD = auto()
    LINKED_ENTITY_ONLY = auto()


class LinkType(ValueSet):
    """What a client link leads to: one ad account, or a whole manager account."""

    ACCOUNT_LINK = auto()
    CUSTOMER_LINK = auto()


class ClientLinkStatus(ValueSet):
    """Where a client link stands in its life."""

    LINK_PENDING = auto()
    LINK_CANCELED = auto()
    LINK_EXPIRED = auto()
    LINK_ACCEPTED = auto()
    LINK_DECLINED = auto()
    LINK_IN_PROGRESS = auto()
    ACTIVE = auto()
    LINK_FAILED = auto()
    UNLINK_REQUESTED = auto()
    UNLINK_PENDING = auto()
    UNLINK_CANCELED = auto()
    UNLINK_IN_PROGRESS = auto()
    INACTIVE = auto()
    UNLINK_FAILED = auto()


class Relationship(ValueSet):
    """How something belongs to the manager account it is listed under."""

    OWNED = auto()
    ACCOUNT_LINK = auto()
    CUSTOMER_LINK = auto()
    AGGREGATED = auto()


class ScopeKind(ValueSet):
    """How far an assignment reaches (rules P1, P2, P4)."""

    EVERY_ACCOUNT = auto()
    ONLY_ACCOUNTS = auto()
    EVERY_LINKED_ENTITY = auto()
    ONLY_LINKED_ENTITIES = auto()


class AdAccountStatus(ValueSet):
    """AccountLifeCycleStatus."""

    DRAFT = auto()
    ACTIVE = auto()
    INACTIVE = auto()
    PAUSE = auto()
    PENDING = auto()
    SUSPENDED = auto()


class AdAccountFinancialStatus(ValueSet):
    """AccountFinancialStatus."""

    CLEAR_FINANCIAL_STATUS = auto()
    HOLD = auto()
    PROPOSED = auto()
    WRITE_OFF = auto()
    TAX_ON_HOLD = auto()
    USER_HOLD = auto()
    CREDIT_WARNING = auto()
    PENDING_CREDIT_CHECK = auto()
    SOLD_TO_ONLY = auto()


class ManagerAccountStatus(ValueSet):
    """CustomerLifeCycleStatus."""

    ACTIVE = auto()
    INACTIVE = auto()


class ManagerAccountFinancialStatus(ValueSet):
    """CustomerFinancialStatus."""

    CLEAR_FINANCIAL_STATUS = auto()
    CREDIT_HOLD = auto()
    PENDING_CREDIT_CHECK = auto()
    SOLD_TO_ONLY = auto()
    CREDIT_WARNING = auto()
    PROPOSALS_ONLY = auto()


class UserStatus(ValueSet):
    """UserLifeCycleStatus."""

    ACTIVE = auto()
    PENDING = auto()
    INACTIVE = auto()
    DELETED = auto()


class LoginStatus(ValueSet):
    """Whether a login may still be used; a merged one lives on in the login it was merged into."""

    ACTIVE = auto()
    MERGED = auto()


class TokenScope(ValueSet):
    """What an access token may be used for; it never gives more than its login holds."""

    READ = auto()
    WRITE = auto()
    ADMIN = auto()
    """Acts of a system administrator, for logins the deployment names as such."""


class InvitationStatus(ValueSet):
    """Where a user invitation stands; expiry is a matter of the clock and shows as EXPIRED."""

    PENDING = auto()
    ACCEPTED = auto()
    CANCELED = auto()
    EXPIRED = auto()


class MailStatus(ValueSet):
    """What became of a mail: still to be sent, sent, refused for good by the mail server, or no longer wanted."""

    WAITING = auto()
    SENT = auto()
    REFUSED = auto()
    DROPPED = auto()


class ServiceLevel(ValueSet):
    """ServiceLevel of a manager account; internal to the advertising platform."""

    SELF_SERVE = auto()
    SELF_SERVE_TRUSTED = auto()
    PREMIUM = auto()
    INTERNAL = auto()
    SELECT = auto()


class AutoTagType(ValueSet):
    """How tracking tags are added to final URLs."""

    INACTIVE = auto()
    PRESERVE = auto()
    REPLACE = auto()


class EmailFormat(ValueSet):
    """How a user is written to."""

    HTML = auto()
    TEXT = auto()


class PaymentMethodType(ValueSet):
    """What kind of payment instrument pays for an ad account."""

    CREDIT_CARD = auto()
    INVOICE = auto()
    CHECK = auto()
    ELECTRONIC_FUNDS_TRANSFER = auto()
    PAY_PAL = auto()
    ELV = auto()
    OFFLINE_PAYMENT_METHOD = auto()
    VBA = auto()
    BOLETO = auto()


class TaxCertificateStatus(ValueSet):
    """Whether a tax certificate was accepted."""

    VALID = auto()
    INVALID = auto()
    PENDING = auto()


class Industry(ValueSet):
    """What a manager account's business is in."""

    NA = auto()
    AGENCY_SALES_HOUSE = auto()
    AUTOMOTIVE = auto()
    CONSUMER_PACKAGED_GOODS = auto()
    EDUCATION = auto()
    ENTERTAINMENT = auto()
    FINANCIAL_SERVICES = auto()
    FOOD_SERVICES = auto()
    GAMING = auto()
    GOVERNMENT_NONPROFIT_POLITICAL = auto()
    HEALTHCARE = auto()
    INTERNAL = auto()
    PUBLISHING_AND_WEB_MEDIA = auto()
    REAL_ESTATE = auto()
    RETAIL = auto()
    SERVICES = auto()
    TECHNOLOGY = auto()
    TELECOMMUNICATIONS = auto()
    TRAVEL_HOSPITALITY = auto()
    OTHER = auto()
    PHARMACEUTICALS = auto()


class Language(ValueSet):
    """LanguageType: of a market, or of an ad account's billing documents."""

    ARABIC = auto()
    DANISH = auto()
    DUTCH = auto()
    ENGLISH = auto()
    FINNISH = auto()
    FRENCH = auto()
    GERMAN = auto()
    HEBREW = auto()
    ITALIAN = auto()
    JAPANESE = auto()
    KOREAN = auto()
    NORWEGIAN = auto()
    PORTUGUESE = auto()
    RUSSIAN = auto()
    SIMPLIFIED_CHINESE = auto()
    SPANISH = auto()
    SWEDISH = auto()
    TRADITIONAL_CHINESE = auto()
