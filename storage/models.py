"""The tables, as Peewee models: columns, foreign keys, uniqueness and value sets.

Models describe; they are bound to no database. Statements built from them are compiled once per
database (`storage.statements`), and rows come back as named tuples, never as model instances.
Instants are milliseconds since 1970 UTC (`…_ms`), money is in millionths of the currency unit, and
`time_stamp` is the revision that last wrote the row: the opaque concurrency token clients send back.
Columns ending in `_folded` hold the case-folded text that prefix search and ordering by name use.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from peewee import (
    SQL,
    BigAutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    Check,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from storage.records.values import (
    AdAccountFinancialStatus,
    AdAccountStatus,
    AutoTagType,
    ClientLinkStatus,
    EmailFormat,
    Industry,
    InvitationStatus,
    Language,
    LinkPermission,
    LinkType,
    LoginStatus,
    MailStatus,
    ManagerAccountFinancialStatus,
    ManagerAccountStatus,
    PaymentMethodType,
    Role,
    ScopeKind,
    ServiceLevel,
    TaxCertificateStatus,
    UserStatus,
)

OPEN = SQL("ended_revision_id IS NULL")
"""The condition of every partial index on facts that have not ended."""
WAITING_LINK = "status IN ('LINK_PENDING', 'LINK_IN_PROGRESS', 'UNLINK_PENDING', 'UNLINK_IN_PROGRESS')"
"""The condition of the index of links the service may have to lead on."""
WAITING_INVITATION = "status = 'PENDING'"
"""The condition of the index of invitations that may run out."""
WAITING_MAIL = "status = 'WAITING'"
"""The condition of the index of mail that is still to be sent."""
SCOPES_OF_TOKENS = "scopes IN ('READ', 'WRITE', 'ADMIN', 'READ WRITE', 'READ ADMIN', 'WRITE ADMIN', 'READ WRITE ADMIN')"
"""Scopes of a token as one text, always in this order and never none."""


def one_of(column: str, values: type[StrEnum] | tuple[StrEnum, ...]) -> Any:
    """A CHECK that holds a column to its value set (NULL passes where the column allows it)."""
    return Check(f"{column} IN ({', '.join(repr(str(value)) for value in values)})")


class Table(Model):
    """What every table shares: names as written, no database of its own."""

    class Meta:
        legacy_table_names = False


class Revision(Table):
    """One committed write: when, who, what. Its id grows with every write."""

    id = BigAutoField()
    at_ms = BigIntegerField()
    operation = TextField()
    actor_login_id = BigIntegerField(null=True)
    actor_user_id = BigIntegerField(null=True)
    request_id = TextField(null=True)


class Address(Table):
    """A postal address of a manager account, an ad account or a user."""

    id = BigAutoField()
    business_name = TextField(null=True)
    line1 = TextField(null=True)
    line2 = TextField(null=True)
    line3 = TextField(null=True)
    line4 = TextField(null=True)
    city = TextField(null=True)
    postal_code = TextField(null=True)
    state_or_province = TextField(null=True)
    country_code = TextField(null=True)
    time_stamp = BigIntegerField()


class ManagerAccount(Table):
    """The docs' Customer."""

    id = BigAutoField()
    number = TextField(unique=True)
    name = TextField()
    name_folded = TextField()
    industry = TextField(constraints=[one_of("industry", Industry)])
    market_country = TextField()
    market_language = TextField(constraints=[one_of("market_language", Language)])
    address = ForeignKeyField(Address, null=True)
    financial_status = TextField(constraints=[one_of("financial_status", ManagerAccountFinancialStatus)])
    status = TextField(constraints=[one_of("status", ManagerAccountStatus)])
    service_level = TextField(constraints=[one_of("service_level", ServiceLevel)])
    created_at_ms = BigIntegerField()
    last_modified_by_user_id = BigIntegerField(null=True)
    last_modified_at_ms = BigIntegerField()
    time_stamp = BigIntegerField()

    class Meta:
        indexes = ((("name_folded", "id"), False),)


class Login(Table):
    """One person's credentials; a merged login names the one it lives on in."""

    id = BigAutoField()
    user_name = TextField(unique=True)
    status = TextField(constraints=[one_of("status", LoginStatus)])
    merged_into = ForeignKeyField("self", null=True)

    class Meta:
        constraints = (Check("(status = 'MERGED') = (merged_into_id IS NOT NULL)"),)


class ContactInfo(Table):
    """How a user is reached."""

    id = BigAutoField()
    address = ForeignKeyField(Address, null=True)
    email = TextField(null=True)
    phone1 = TextField(null=True)
    phone2 = TextField(null=True)
    home_phone = TextField(null=True)
    mobile = TextField(null=True)
    fax = TextField(null=True)
    contact_by_phone = BooleanField(null=True)
    contact_by_postal_mail = BooleanField(null=True)
    email_format = TextField(null=True, constraints=[one_of("email_format", EmailFormat)])


class User(Table):
    """One person in one manager account."""

    id = BigAutoField()
    login = ForeignKeyField(Login)
    manager_account = ForeignKeyField(ManagerAccount, index=False)
    is_original = BooleanField()
    first_name = TextField(null=True)
    middle_initial = TextField(null=True)
    last_name = TextField(null=True)
    job_title = TextField(null=True)
    lcid = TextField()
    contact_info = ForeignKeyField(ContactInfo, null=True)
    status = TextField(constraints=[one_of("status", UserStatus)])
    created_at_ms = BigIntegerField()
    last_modified_by_user_id = BigIntegerField(null=True)
    last_modified_at_ms = BigIntegerField()
    time_stamp = BigIntegerField()

    class Meta:
        table_name = "app_user"  # "user" is a reserved word in PostgreSQL
        indexes = ((("login", "manager_account"), True), (("manager_account", "id"), False))


User.add_index(User.login, unique=True, where=SQL("is_original"), name="app_user_one_original")


class AdAccount(Table):
    """The docs' AdvertiserAccount."""

    id = BigAutoField()
    number = TextField(unique=True)
    number_folded = TextField()
    name = TextField()
    name_folded = TextField()
    manager_account = ForeignKeyField(ManagerAccount, index=False)
    status = TextField(constraints=[one_of("status", AdAccountStatus)])
    financial_status = TextField(constraints=[one_of("financial_status", AdAccountFinancialStatus)])
    pause_reason = IntegerField(null=True, constraints=[Check("pause_reason IN (1, 2, 4)")])
    currency_code = TextField()
    time_zone = TextField()
    language = TextField(null=True, constraints=[one_of("language", Language)])
    auto_tag_type = TextField(constraints=[one_of("auto_tag_type", AutoTagType)])
    account_mode = TextField(null=True)
    business_address = ForeignKeyField(Address, null=True)
    primary_user = ForeignKeyField(User, null=True)
    bill_to_manager_account = ForeignKeyField(ManagerAccount, null=True, index=False)
    payment_method_id = BigIntegerField(null=True)
    payment_method_type = TextField(null=True, constraints=[one_of("payment_method_type", PaymentMethodType)])
    backup_payment_instrument_id = BigIntegerField(null=True)
    sold_to_payment_instrument_id = BigIntegerField(null=True)
    billing_threshold_micros = BigIntegerField(null=True)
    sales_house_manager_account_id = BigIntegerField(null=True)
    created_at_ms = BigIntegerField()
    last_modified_by_user_id = BigIntegerField(null=True)
    last_modified_at_ms = BigIntegerField()
    time_stamp = BigIntegerField()

    class Meta:
        indexes = (
            (("manager_account", "id"), False),
            (("manager_account", "name"), True),
            (("name_folded", "id"), False),
            (("number_folded", "id"), False),
        )


class PaymentInstrument(Table):
    """What a manager account pays with; only a valid one is accepted when it takes over billing."""

    id = BigAutoField()
    manager_account = ForeignKeyField(ManagerAccount, index=False)
    type = TextField(constraints=[one_of("type", PaymentMethodType)])
    is_valid = BooleanField()

    class Meta:
        indexes = ((("manager_account", "id"), False),)


class AdAccountTaxInformation(Table):
    """One tax id of an ad account, by its documented key."""

    ad_account = ForeignKeyField(AdAccount, index=False)
    key = TextField()
    value = TextField()

    class Meta:
        primary_key = CompositeKey("ad_account", "key")


class AdAccountTaxCertificate(Table):
    """The tax certificate record of an ad account; reserved in the reference, readable on request."""

    ad_account = ForeignKeyField(AdAccount, primary_key=True)
    blob_container_name = TextField(null=True)
    status = TextField(constraints=[one_of("status", TaxCertificateStatus)])


class AdAccountTaxCertificateFile(Table):
    """One certificate file, by name."""

    ad_account = ForeignKeyField(AdAccountTaxCertificate, index=False)
    name = TextField()
    content = BlobField()

    class Meta:
        primary_key = CompositeKey("ad_account", "name")


class Assignment(Table):
    """One CustomerRole a user holds, with the revisions that began and ended it.

    A change of scope ends one assignment and begins another: neither is ever edited.
    """

    id = BigAutoField()
    user = ForeignKeyField(User, index=False)
    manager_account = ForeignKeyField(ManagerAccount, index=False)
    role = TextField(constraints=[one_of("role", Role)])
    scope = TextField(constraints=[one_of("scope", ScopeKind)])
    began_revision = ForeignKeyField(Revision, index=False)
    ended_revision = ForeignKeyField(Revision, null=True, index=False)

    class Meta:
        constraints = (
            Check("ended_revision_id IS NULL OR ended_revision_id >= began_revision_id"),
            # Super Admin and Aggregator are customer-level: a scope on accounts would be a silent lie.
            Check("scope <> 'ONLY_ACCOUNTS' OR role NOT IN ('SUPER_ADMIN', 'AGGREGATOR')"),
        )


Assignment.add_index(
    Assignment.user,
    Assignment.manager_account,
    Assignment.role,
    Assignment.scope,
    unique=True,
    where=OPEN,
    name="assignment_open",
)
Assignment.add_index(Assignment.manager_account, where=OPEN, name="assignment_open_manager_account")


class AssignmentAdAccount(Table):
    """One ad account an ONLY_ACCOUNTS assignment lists."""

    assignment = ForeignKeyField(Assignment, index=False)
    ad_account = ForeignKeyField(AdAccount)

    class Meta:
        primary_key = CompositeKey("assignment", "ad_account")


class AssignmentManagerAccount(Table):
    """One linked manager account an ONLY_LINKED_ENTITIES assignment lists."""

    assignment = ForeignKeyField(Assignment, index=False)
    manager_account = ForeignKeyField(ManagerAccount)

    class Meta:
        primary_key = CompositeKey("assignment", "manager_account")


_BLOCKING = SQL(
    "status IN ('ACTIVE', 'LINK_ACCEPTED', 'LINK_IN_PROGRESS', 'LINK_PENDING',"
    " 'UNLINK_REQUESTED', 'UNLINK_IN_PROGRESS', 'UNLINK_PENDING', 'UNLINK_FAILED')"
)


class ClientLink(Table):
    """One generation of a link; `status` repeats the open row of `ClientLinkPeriod` for look-ups."""

    id = BigAutoField()
    type = TextField(constraints=[one_of("type", LinkType)])
    managing = ForeignKeyField(ManagerAccount, index=False)
    client_manager_account = ForeignKeyField(ManagerAccount, null=True, index=False)
    client_ad_account = ForeignKeyField(AdAccount, null=True, index=False)
    permission = TextField(null=True, constraints=[one_of("permission", LinkPermission)])
    is_bill_to_client = BooleanField(null=True)
    status = TextField(constraints=[one_of("status", ClientLinkStatus)])
    start_at_ms = BigIntegerField()
    name = TextField()
    name_folded = TextField()
    note = TextField(null=True)
    inviter_email = TextField(null=True)
    inviter_name = TextField(null=True)
    inviter_phone = TextField(null=True)
    suppress_notification = BooleanField()
    previous = ForeignKeyField("self", null=True, unique=True)
    created_at_ms = BigIntegerField()
    last_modified_by_user_id = BigIntegerField(null=True)
    last_modified_at_ms = BigIntegerField()
    time_stamp = BigIntegerField()

    class Meta:
        constraints = (
            Check(
                "(type = 'CUSTOMER_LINK' AND client_manager_account_id IS NOT NULL AND client_ad_account_id IS NULL"
                " AND permission IS NOT NULL AND is_bill_to_client IS NULL)"
                " OR (type = 'ACCOUNT_LINK' AND client_ad_account_id IS NOT NULL AND client_manager_account_id IS NULL"
                " AND permission IS NULL AND is_bill_to_client IS NOT NULL)"
            ),
            Check("managing_id <> client_manager_account_id"),
        )
        indexes = (
            (("managing", "type", "status"), False),
            (("client_manager_account", "status"), False),
            (("client_ad_account", "status"), False),
        )


ClientLink.add_index(
    ClientLink.managing,
    ClientLink.client_manager_account,
    unique=True,
    where=_BLOCKING,
    name="client_link_open_customer_link",
)
ClientLink.add_index(
    ClientLink.managing,
    ClientLink.client_ad_account,
    unique=True,
    where=_BLOCKING,
    name="client_link_open_account_link",
)


ClientLink.add_index(
    ClientLink.status,
    ClientLink.id,
    where=SQL(WAITING_LINK),
    name="client_link_waiting",
)


class ClientLinkPeriod(Table):
    """The status a link had, between two revisions: its history, and the record of access over time."""

    id = BigAutoField()
    client_link = ForeignKeyField(ClientLink, index=False)
    status = TextField(constraints=[one_of("status", ClientLinkStatus)])
    began_revision = ForeignKeyField(Revision, index=False)
    ended_revision = ForeignKeyField(Revision, null=True, index=False)
    began_at_ms = BigIntegerField()
    actor_user_id = BigIntegerField(null=True)
    note = TextField(null=True)

    class Meta:
        indexes = ((("client_link", "id"), False),)


ClientLinkPeriod.add_index(ClientLinkPeriod.client_link, unique=True, where=OPEN, name="client_link_period_open")


class Aggregation(Table):
    """An aggregator's manager account signed up another one; it has no link and cannot be unlinked."""

    id = BigAutoField()
    aggregator = ForeignKeyField(ManagerAccount, index=False)
    manager_account = ForeignKeyField(ManagerAccount, index=False)
    began_revision = ForeignKeyField(Revision, index=False)
    ended_revision = ForeignKeyField(Revision, null=True, index=False)

    class Meta:
        constraints = (Check("aggregator_id <> manager_account_id"),)


Aggregation.add_index(
    Aggregation.aggregator,
    Aggregation.manager_account,
    unique=True,
    where=OPEN,
    name="aggregation_open",
)
Aggregation.add_index(Aggregation.manager_account, where=OPEN, name="aggregation_open_manager_account")


class ManagerAccountPeriod(Table):
    """The status a manager account had, between two revisions."""

    id = BigAutoField()
    manager_account = ForeignKeyField(ManagerAccount, index=False)
    status = TextField(constraints=[one_of("status", ManagerAccountStatus)])
    began_revision = ForeignKeyField(Revision, index=False)
    ended_revision = ForeignKeyField(Revision, null=True, index=False)

    class Meta:
        indexes = ((("manager_account", "id"), False),)


class AdAccountPeriod(Table):
    """Who owned an ad account and the status it had, between two revisions."""

    id = BigAutoField()
    ad_account = ForeignKeyField(AdAccount, index=False)
    manager_account = ForeignKeyField(ManagerAccount, index=False)
    status = TextField(constraints=[one_of("status", AdAccountStatus)])
    began_revision = ForeignKeyField(Revision, index=False)
    ended_revision = ForeignKeyField(Revision, null=True, index=False)

    class Meta:
        indexes = ((("ad_account", "id"), False),)


class UserPeriod(Table):
    """Which login a user was part of and the status it had, between two revisions."""

    id = BigAutoField()
    user = ForeignKeyField(User, index=False)
    login = ForeignKeyField(Login, index=False)
    is_original = BooleanField()
    status = TextField(constraints=[one_of("status", UserStatus)])
    began_revision = ForeignKeyField(Revision, index=False)
    ended_revision = ForeignKeyField(Revision, null=True, index=False)

    class Meta:
        indexes = ((("user", "id"), False),)


class LoginPeriod(Table):
    """The status a login had, between two revisions."""

    id = BigAutoField()
    login = ForeignKeyField(Login, index=False)
    status = TextField(constraints=[one_of("status", LoginStatus)])
    began_revision = ForeignKeyField(Revision, index=False)
    ended_revision = ForeignKeyField(Revision, null=True, index=False)

    class Meta:
        indexes = ((("login", "id"), False),)


class UserInvitation(Table):
    """An invitation to become a user of a manager account; the secret itself is only in the mail."""

    id = BigAutoField()
    manager_account = ForeignKeyField(ManagerAccount, index=False)
    email = TextField()
    first_name = TextField()
    last_name = TextField()
    role = TextField(constraints=[one_of("role", Role), Check("role <> 'AGGREGATOR'")])
    scope = TextField(constraints=[one_of("scope", ScopeKind)])
    lcid = TextField()
    status = TextField(constraints=[one_of("status", InvitationStatus)])
    secret_digest = BlobField(unique=True)
    inviter_user_id = BigIntegerField(null=True)
    sent_at_ms = BigIntegerField()
    expires_at_ms = BigIntegerField()
    time_stamp = BigIntegerField()

    class Meta:
        indexes = ((("manager_account", "id"), False),)


UserInvitation.add_index(
    UserInvitation.expires_at_ms,
    UserInvitation.id,
    where=SQL(WAITING_INVITATION),
    name="user_invitation_waiting",
)


class UserInvitationAdAccount(Table):
    """One ad account an invitation is limited to."""

    user_invitation = ForeignKeyField(UserInvitation, index=False)
    ad_account = ForeignKeyField(AdAccount)

    class Meta:
        primary_key = CompositeKey("user_invitation", "ad_account")


class OutboxMessage(Table):
    """A mail that is to be sent, written together with what it tells of; `data` is forgotten once it is settled."""

    id = BigAutoField()
    kind = TextField()
    message_key = TextField(unique=True)
    recipient = TextField()
    data = TextField(null=True)
    user_invitation = ForeignKeyField(UserInvitation, null=True)
    client_link = ForeignKeyField(ClientLink, null=True)
    status = TextField(constraints=[one_of("status", MailStatus)])
    created_at_ms = BigIntegerField()
    due_at_ms = BigIntegerField()
    useful_until_ms = BigIntegerField(null=True)
    attempts = IntegerField()
    settled_at_ms = BigIntegerField(null=True)
    last_error = TextField(null=True)

    class Meta:
        constraints = (Check("(status = 'WAITING') = (data IS NOT NULL)"),)


OutboxMessage.add_index(
    OutboxMessage.due_at_ms, OutboxMessage.id, where=SQL(WAITING_MAIL), name="outbox_message_waiting"
)


class AccessToken(Table):
    """A bearer token, kept as a digest: what is stolen from here opens nothing."""

    id = BigAutoField()
    digest = BlobField(unique=True)
    login = ForeignKeyField(Login)
    label = TextField()
    scopes = TextField(constraints=[Check(SCOPES_OF_TOKENS)])
    issued_by = ForeignKeyField("self", null=True, index=False)
    created_at_ms = BigIntegerField()
    expires_at_ms = BigIntegerField()
    revoked_at_ms = BigIntegerField(null=True)
    last_used_at_ms = BigIntegerField(null=True)


# Most tokens are issued by nobody: an index of those would tell the planner that a look-up finds half the table.
AccessToken.add_index(AccessToken.issued_by, where=SQL("issued_by_id IS NOT NULL"), name="access_token_issued_by")


class DeveloperToken(Table):
    """What an application shows beside the token of its user; with a login it works for that login only."""

    id = BigAutoField()
    label = TextField()
    login = ForeignKeyField(Login, null=True)
    created_at_ms = BigIntegerField()
    revoked_at_ms = BigIntegerField(null=True)
    last_used_at_ms = BigIntegerField(null=True)


class DeveloperTokenSecret(Table):
    """A secret a developer token is known by, kept as a digest; while one replaces another there are two."""

    digest = BlobField(primary_key=True)
    developer_token = ForeignKeyField(DeveloperToken)
    created_at_ms = BigIntegerField()
    expires_at_ms = BigIntegerField()


class AuditEntry(Table):
    """What one write did to one entity: who, acting as which user, before and after as JSON, and why."""

    id = BigAutoField()
    revision = ForeignKeyField(Revision, index=False)
    at_ms = BigIntegerField()
    operation = TextField()
    entity_kind = TextField()
    entity_id = BigIntegerField()
    actor_login_id = BigIntegerField(null=True)
    actor_user_id = BigIntegerField(null=True)
    before = TextField(null=True)
    after = TextField(null=True)
    reason = TextField(null=True)

    class Meta:
        indexes = ((("entity_kind", "entity_id", "id"), False), (("revision", "id"), False))


class WriteRequest(Table):
    """The first result of a write that carried a request id: a repeat is answered with it."""

    login = ForeignKeyField(Login, index=False)
    request_id = TextField()
    operation = TextField()
    digest = TextField()
    outcome = TextField()
    revision = ForeignKeyField(Revision, index=False)

    class Meta:
        primary_key = CompositeKey("login", "request_id")


TABLES: tuple[type[Table], ...] = (
    Revision,
    Address,
    ManagerAccount,
    Login,
    ContactInfo,
    User,
    AdAccount,
    AdAccountTaxInformation,
    AdAccountTaxCertificate,
    AdAccountTaxCertificateFile,
    Assignment,
    AssignmentAdAccount,
    AssignmentManagerAccount,
    ClientLink,
    ClientLinkPeriod,
    Aggregation,
    ManagerAccountPeriod,
    AdAccountPeriod,
    UserPeriod,
    LoginPeriod,
    UserInvitation,
    UserInvitationAdAccount,
    OutboxMessage,
    AccessToken,
    DeveloperToken,
    DeveloperTokenSecret,
    AuditEntry,
    WriteRequest,
    PaymentInstrument,
)
"""Every table, parents before children."""
