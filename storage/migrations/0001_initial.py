"""The first tables. A frozen copy: what `storage.models` says later is the business of later migrations."""

from __future__ import annotations

from typing import Any

from peewee import (
    SQL,
    BigAutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    Check,
    CompositeKey,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    PostgresqlDatabase,
    TextField,
)

AD_ACCOUNT_FINANCIAL_STATUS = (
    "CLEAR_FINANCIAL_STATUS HOLD PROPOSED WRITE_OFF TAX_ON_HOLD USER_HOLD CREDIT_WARNING PENDING_CREDIT_CHECK "
    "SOLD_TO_ONLY"
)
AD_ACCOUNT_STATUS = "DRAFT ACTIVE INACTIVE PAUSE PENDING SUSPENDED"
AUTO_TAG_TYPE = "INACTIVE PRESERVE REPLACE"
CLIENT_LINK_STATUS = (
    "LINK_PENDING LINK_CANCELED LINK_EXPIRED LINK_ACCEPTED LINK_DECLINED LINK_IN_PROGRESS ACTIVE LINK_FAILED "
    "UNLINK_REQUESTED UNLINK_PENDING UNLINK_CANCELED UNLINK_IN_PROGRESS INACTIVE UNLINK_FAILED"
)
EMAIL_FORMAT = "HTML TEXT"
INDUSTRY = (
    "NA AGENCY_SALES_HOUSE AUTOMOTIVE CONSUMER_PACKAGED_GOODS EDUCATION ENTERTAINMENT FINANCIAL_SERVICES "
    "FOOD_SERVICES GAMING GOVERNMENT_NONPROFIT_POLITICAL HEALTHCARE INTERNAL PUBLISHING_AND_WEB_MEDIA REAL_ESTATE "
    "RETAIL SERVICES TECHNOLOGY TELECOMMUNICATIONS TRAVEL_HOSPITALITY OTHER PHARMACEUTICALS"
)
INVITATION_STATUS = "PENDING ACCEPTED CANCELED EXPIRED"
LANGUAGE = (
    "ARABIC DANISH DUTCH ENGLISH FINNISH FRENCH GERMAN HEBREW ITALIAN JAPANESE KOREAN NORWEGIAN PORTUGUESE RUSSIAN "
    "SIMPLIFIED_CHINESE SPANISH SWEDISH TRADITIONAL_CHINESE"
)
LINK_PERMISSION = "ADMINISTRATIVE STANDARD"
LINK_TYPE = "ACCOUNT_LINK CUSTOMER_LINK"
LOGIN_STATUS = "ACTIVE MERGED"
MANAGER_ACCOUNT_FINANCIAL_STATUS = (
    "CLEAR_FINANCIAL_STATUS CREDIT_HOLD PENDING_CREDIT_CHECK SOLD_TO_ONLY CREDIT_WARNING PROPOSALS_ONLY"
)
MANAGER_ACCOUNT_STATUS = "ACTIVE INACTIVE"
PAYMENT_METHOD_TYPE = (
    "CREDIT_CARD INVOICE CHECK ELECTRONIC_FUNDS_TRANSFER PAY_PAL ELV OFFLINE_PAYMENT_METHOD VBA BOLETO"
)
ROLE = "VIEWER CAMPAIGN_MANAGER STANDARD SUPER_ADMIN AGGREGATOR"
SCOPE_KIND = "EVERY_ACCOUNT ONLY_ACCOUNTS EVERY_LINKED_ENTITY ONLY_LINKED_ENTITIES"
SERVICE_LEVEL = "SELF_SERVE SELF_SERVE_TRUSTED PREMIUM INTERNAL SELECT"
TAX_CERTIFICATE_STATUS = "VALID INVALID PENDING"
USER_STATUS = "ACTIVE PENDING INACTIVE DELETED"

OPEN = SQL("ended_revision_id IS NULL")


def one_of(column: str, values: str) -> Any:
    return Check(f"{column} IN ({', '.join(repr(value) for value in values.split())})")


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
    industry = TextField(constraints=[one_of("industry", INDUSTRY)])
    market_country = TextField()
    market_language = TextField(constraints=[one_of("market_language", LANGUAGE)])
    address = ForeignKeyField(Address, null=True)
    financial_status = TextField(constraints=[one_of("financial_status", MANAGER_ACCOUNT_FINANCIAL_STATUS)])
    status = TextField(constraints=[one_of("status", MANAGER_ACCOUNT_STATUS)])
    service_level = TextField(constraints=[one_of("service_level", SERVICE_LEVEL)])
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
    status = TextField(constraints=[one_of("status", LOGIN_STATUS)])
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
    email_format = TextField(null=True, constraints=[one_of("email_format", EMAIL_FORMAT)])


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
    status = TextField(constraints=[one_of("status", USER_STATUS)])
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
    status = TextField(constraints=[one_of("status", AD_ACCOUNT_STATUS)])
    financial_status = TextField(constraints=[one_of("financial_status", AD_ACCOUNT_FINANCIAL_STATUS)])
    pause_reason = IntegerField(null=True, constraints=[Check("pause_reason IN (1, 2, 4)")])
    currency_code = TextField()
    time_zone = TextField()
    language = TextField(null=True, constraints=[one_of("language", LANGUAGE)])
    auto_tag_type = TextField(constraints=[one_of("auto_tag_type", AUTO_TAG_TYPE)])
    account_mode = TextField(null=True)
    business_address = ForeignKeyField(Address, null=True)
    primary_user = ForeignKeyField(User, null=True)
    bill_to_manager_account = ForeignKeyField(ManagerAccount, null=True, index=False)
    payment_method_id = BigIntegerField(null=True)
    payment_method_type = TextField(null=True, constraints=[one_of("payment_method_type", PAYMENT_METHOD_TYPE)])
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
    status = TextField(constraints=[one_of("status", TAX_CERTIFICATE_STATUS)])


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
    role = TextField(constraints=[one_of("role", ROLE)])
    scope = TextField(constraints=[one_of("scope", SCOPE_KIND)])
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
    type = TextField(constraints=[one_of("type", LINK_TYPE)])
    managing = ForeignKeyField(ManagerAccount, index=False)
    client_manager_account = ForeignKeyField(ManagerAccount, null=True, index=False)
    client_ad_account = ForeignKeyField(AdAccount, null=True, index=False)
    permission = TextField(null=True, constraints=[one_of("permission", LINK_PERMISSION)])
    is_bill_to_client = BooleanField(null=True)
    status = TextField(constraints=[one_of("status", CLIENT_LINK_STATUS)])
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


class ClientLinkPeriod(Table):
    """The status a link had, between two revisions: its history, and the record of access over time."""

    id = BigAutoField()
    client_link = ForeignKeyField(ClientLink, index=False)
    status = TextField(constraints=[one_of("status", CLIENT_LINK_STATUS)])
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
    status = TextField(constraints=[one_of("status", MANAGER_ACCOUNT_STATUS)])
    began_revision = ForeignKeyField(Revision, index=False)
    ended_revision = ForeignKeyField(Revision, null=True, index=False)

    class Meta:
        indexes = ((("manager_account", "id"), False),)


class AdAccountPeriod(Table):
    """Who owned an ad account and the status it had, between two revisions."""

    id = BigAutoField()
    ad_account = ForeignKeyField(AdAccount, index=False)
    manager_account = ForeignKeyField(ManagerAccount, index=False)
    status = TextField(constraints=[one_of("status", AD_ACCOUNT_STATUS)])
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
    status = TextField(constraints=[one_of("status", USER_STATUS)])
    began_revision = ForeignKeyField(Revision, index=False)
    ended_revision = ForeignKeyField(Revision, null=True, index=False)

    class Meta:
        indexes = ((("user", "id"), False),)


class LoginPeriod(Table):
    """The status a login had, between two revisions."""

    id = BigAutoField()
    login = ForeignKeyField(Login, index=False)
    status = TextField(constraints=[one_of("status", LOGIN_STATUS)])
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
    role = TextField(constraints=[one_of("role", ROLE), Check("role <> 'AGGREGATOR'")])
    scope = TextField(constraints=[one_of("scope", SCOPE_KIND)])
    lcid = TextField()
    status = TextField(constraints=[one_of("status", INVITATION_STATUS)])
    secret_digest = BlobField(unique=True)
    inviter_user_id = BigIntegerField(null=True)
    sent_at_ms = BigIntegerField()
    expires_at_ms = BigIntegerField()
    time_stamp = BigIntegerField()

    class Meta:
        indexes = ((("manager_account", "id"), False),)


class UserInvitationAdAccount(Table):
    """One ad account an invitation is limited to."""

    user_invitation = ForeignKeyField(UserInvitation, index=False)
    ad_account = ForeignKeyField(AdAccount)

    class Meta:
        primary_key = CompositeKey("user_invitation", "ad_account")


class AccessToken(Table):
    """A bearer token, kept as a digest: what is stolen from here opens nothing."""

    id = BigAutoField()
    digest = BlobField(unique=True)
    login = ForeignKeyField(Login)
    label = TextField()
    created_at_ms = BigIntegerField()
    expires_at_ms = BigIntegerField()
    revoked_at_ms = BigIntegerField(null=True)
    last_used_at_ms = BigIntegerField(null=True)


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
    AccessToken,
)


def up(migrator: Any, db: Database) -> None:
    if isinstance(db, PostgresqlDatabase):
        order_text_by_code_point()
    db.bind(TABLES, bind_refs=False, bind_backrefs=False)
    db.create_tables(TABLES, safe=False)


def order_text_by_code_point() -> None:
    # SQLite compares text byte by byte. Under a language's collation PostgreSQL would order names, cut pages
    # and scan ranges of prefixes differently.
    for table in TABLES:
        for field in table._meta.sorted_fields:
            if isinstance(field, TextField):
                field.collation = '"C"'
