"""What right makes each field of the schema visible. Every field stands here; what each right means stands in `means`.

TOLD               with the object it belongs to, whoever sees that, the same to all
BARE ID            as TOLD, and it may be the id of something hidden: ids of neighbours are no secret
IF SEEN            the object, when it is seen itself; else null
OR RESTRICTED      the manager account, when it is seen itself; else its bare id
ROWS SEEN          of the list, those that are seen themselves, in their order
IDS SEEN           of the ids, those of what is seen; all of one's own
THE REST           how many of the rows or ids beside it are hidden
HOLDS …            null without this capability on the object, whatever state takes from it
ONESELF OR …       for oneself, and as said
OWN                about whoever asks: as the oracle says it is true for him
AS ASKED           about the user and the account of the question: as the oracle says
SILENT             a text, or a value that says how things stand, that names nothing hidden
WHOLE WAY          when all it leads through is seen, or is where one holds a role oneself
WHEN DONE          null when the write was refused
PAGE               where one is in a list: nothing but positions of rows that are seen
FIXED              says nothing about what is stored
"""

from __future__ import annotations

from typing import Final

_PAGED: Final = {"PAGE": "pageInfo totalCount", "ROWS SEEN": "edges nodes"}


def _list(**more: str) -> dict[str, str]:
    return {**_PAGED, "THE REST": "hiddenCount", **more}


def _edge(more: dict[str, str] | None = None) -> dict[str, str]:
    return {"PAGE": "cursor", "IF SEEN": "node", **(more or {})}


_PAYLOAD: Final = {"SILENT": "userErrors", "WHEN DONE": "effects revision"}
_ADDRESS: Final = "businessName line1 line2 line3 line4 city postalCode stateOrProvince countryCode"

_TABLE: Final[dict[str, dict[str, str]]] = {
    # The objects
    "ManagerAccount": {
        "TOLD": "id customerId number name industry marketCountry marketLanguage financialStatus lifeCycleStatus"
        " serviceLevel createdAt lastModifiedAt timeStamp address",
        "BARE ID": "lastModifiedByUserId",
        "ROWS SEEN": "adAccounts managerAccounts descendants ancestors users invitations clientLinks accessors",
        "OWN": "viewerCan viewerCapabilities viewerRoles",
        "HOLDS UPDATE_MANAGER_ACCOUNT": "auditLog",
    },
    "AdAccount": {
        "TOLD": "id accountId number name lifeCycleStatus financialStatus pauseReason currencyCode timeZone language"
        " autoTagType accountMode createdAt lastModifiedAt timeStamp billTo businessAddress billing taxInformation"
        " taxCertificate linkedAgencies",
        "BARE ID": "parentCustomerId primaryUserId lastModifiedByUserId",
        "OR RESTRICTED": "owner",
        "IF SEEN": "primaryUser",
        "ROWS SEEN": "ancestors clientLinks accessors",
        "OWN": "viewerCan viewerCapabilities viewerRoles viewerContexts viewerContextId",
        "HOLDS UPDATE_AD_ACCOUNT": "auditLog",
    },
    "User": {
        "TOLD": "id userId userName isOriginal jobTitle lcid lifeCycleStatus createdAt lastModifiedAt timeStamp name",
        "BARE ID": "customerId lastModifiedByUserId",
        "OR RESTRICTED": "managerAccount",
        "ONESELF OR VIEW OF HIS MANAGER ACCOUNT": "contactInfo",
        "ROWS SEEN": "customerRoles accessibleAccounts",
        "THE REST": "hiddenRoles",
        "ONESELF OR MANAGE_USERS THERE": "auditLog",
    },
    "ClientLink": {
        "TOLD": "id linkId type managingCustomerNumber managingCustomerName clientEntityNumber clientEntityName"
        " customerLinkPermission isBillToClient startDate name note inviterEmail inviterName inviterPhone"
        " suppressNotification createdAt lastModifiedAt timeStamp status transitions auditLog",
        "BARE ID": "managingCustomerId clientEntityId lastModifiedByUserId",
        "OR RESTRICTED": "managingCustomer",
        "IF SEEN": "previous",
        "CLIENT": "clientEntity",
        "OWN": "viewerCan viewerActions",
    },
    "UserInvitation": {
        "TOLD": "id invitationId customerId email firstName lastName role scope lcid sentAt expirationDate timeStamp"
        " roleId status",
        "BARE ID": "inviterUserId",
        "IDS SEEN": "accountIds",
        "THE REST": "hiddenAccounts",
        "OR RESTRICTED": "managerAccount",
    },
    "AccessToken": {
        "OWN": "label tokenId scopes issuedByTokenId createdAt expiresAt lastUsedAt revokedAt auditLog",
    },
    "RestrictedManagerAccount": {"RESTRICTED": "customerId", "FIXED": "reason"},
    "Node": {"TOLD": "id"},
    # What belongs to them
    "Address": {"TOLD": f"addressId {_ADDRESS} timeStamp"},
    "BillTo": {"BARE ID": "customerId", "TOLD": "reason", "OR RESTRICTED": "managerAccount"},
    "Billing": {
        "TOLD": "paymentMethodId paymentMethodType backupPaymentInstrumentId soldToPaymentInstrumentId thresholdAmount",
        "BARE ID": "salesHouseCustomerId",
    },
    "TaxInformation": {"TOLD": "key value"},
    "TaxCertificate": {"TOLD": "blobContainerName status files"},
    "TaxCertificateFile": {"TOLD": "name content"},
    "LinkedAgency": {"BARE ID": "customerId", "TOLD": "name"},
    "PersonName": {"TOLD": "firstName middleInitial lastName"},
    "ContactInfo": {
        "TOLD": "contactInfoId email phone1 phone2 homePhone mobile fax contactByPhone contactByPostalMail emailFormat"
        " address"
    },
    "CustomerRole": {
        "TOLD": "role roleId customerId linkPermission scope userId assignmentId",
        "OR RESTRICTED": "customer",
        "IDS SEEN": "accountIds linkedAccountIds linkedCustomerIds",
        "THE REST": "hiddenAccounts hiddenLinkedAccounts hiddenLinkedCustomers",
    },
    "ClientLinkTransition": {"TOLD": "from to at note", "BARE ID": "actorUserId", "IF SEEN": "actor"},
    "ClientLinkActionResult": {"FIXED": "action", "OWN": "allowed", "SILENT": "reasons"},
    "AuditEntry": {
        "TOLD": "auditId revision at operation before after",
        "BARE ID": "actingAsUserId",
        "LOGIN OF A USER SEEN": "actor",
        "IF SEEN": "actingAs",
        "WHEN WHO DID IT IS SEEN": "reason",
    },
    # Lists
    "AdAccountConnection": _list(),
    "ManagerAccountConnection": _list(),
    "FindConnection": _list(),
    "AdAccountChildConnection": _list(),
    "ManagerAccountChildConnection": _list(),
    "DescendantConnection": _list(),
    "AncestorConnection": _list(),
    "UserConnection": _list(),
    "UserInvitationConnection": _list(),
    "ClientLinkConnection": _list(),
    "AccessorConnection": _list(TOLD="overLimitCount"),
    "AuditEntryConnection": {"PAGE": "pageInfo", "TOLD": "hiddenCount totalCount edges nodes"},
    "AccessTokenConnection": {"PAGE": "pageInfo", "OWN": "hiddenCount totalCount edges nodes"},
    "AccessPathConnection": {"PAGE": "pageInfo", "WHOLE WAY": "edges nodes", "AS ASKED": "totalCount hiddenCount"},
    "PageInfo": {"PAGE": "hasNextPage hasPreviousPage startCursor endCursor"},
    "AdAccountEdge": _edge(),
    "ManagerAccountEdge": _edge(),
    "FindEdge": _edge(),
    "UserEdge": _edge(),
    "UserInvitationEdge": _edge(),
    "ClientLinkEdge": _edge(),
    "AdAccountChildEdge": {"PAGE": "cursor", "IF SEEN": "node link", "TOLD": "relationship"},
    "ManagerAccountChildEdge": {"PAGE": "cursor", "IF SEEN": "node link", "TOLD": "relationship linkPermission"},
    "DescendantEdge": {
        "PAGE": "cursor",
        "IF SEEN": "node link",
        "SILENT": "depth parentId parentIds path relationship linkPermission",
    },
    "AncestorEdge": {
        "PAGE": "cursor",
        "IF SEEN": "node link",
        "TOLD": "depth",
        "STEP DOWN SEEN": "childId relationship linkPermission",
    },
    "AccessorEdge": {"PAGE": "cursor", "IF SEEN": "node", "AS ASKED": "roles capabilities access"},
    "AuditEntryEdge": {"PAGE": "cursor", "TOLD": "node"},
    "AccessTokenEdge": {"PAGE": "cursor", "OWN": "node"},
    "AccessPathEdge": {"PAGE": "cursor", "WHOLE WAY": "node"},
    # Answers about access
    "Access": {
        "AS ASKED": "capabilities roles withheld decisions decision paths recommendedContextId contexts",
        "IF SEEN": "user",
        "FIXED": "contextId",
    },
    "AccessContext": {"AS ASKED": "customerId capabilities"},
    "AccessPath": {
        "WHOLE WAY": "customerId contextId hops",
        "AS ASKED": "role roleId capabilities assignmentId scope",
        "IF SEEN": "user",
        "SILENT": "summary",
    },
    "AccessHop": {
        "WHOLE WAY": "fromCustomerId toCustomerId toAccountId kind linkId linkPermission linkStatus",
        "FIXED": "rules removed",
        "IF SEEN": "link",
    },
    "CheckResult": {
        "FIXED": "capability",
        "AS ASKED": "allowed",
        "SILENT": "code rule message error",
        "WHOLE WAY": "decidingPath nearMisses",
    },
    "AccessNearMiss": {"SILENT": "code rule message hop remedy", "WHOLE WAY": "path"},
    "Remedy": {"SILENT": "message needs onCustomerId ways besides"},
    "RemedyWay": {"SILENT": "kind by message needs role userId customerId linkId"},
    "RemedyNeed": {"SILENT": "capability customerId accountId whatFor"},
    "CheckError": {"SILENT": "code message number rule"},
    # Whoever asks
    "Viewer": {
        "OWN": "login actingAs isSystemAdministrator users customerRoles accessibleAccounts accessTokens",
        "FIXED": "revision changesCursor",
    },
    "Login": {"OWN": "loginId userName"},
    "RateLimit": {"OWN": "limit cost remaining perMinute resetAt"},
    # Roots
    "Query": {
        "OWN": "viewer rateLimit",
        "IF SEEN": "node nodes user managerAccount adAccount clientLink",
        "ROWS SEEN": "adAccounts managerAccounts find clientLinks invitations",
        "AS ASKED": "check checkMany access",
        "FIXED": "validateAddress",
    },
    "AddressValidation": {"FIXED": "status originalAddress suggestedAddresses problems"},
    "AddressLines": {"FIXED": _ADDRESS},
    "AddressProblem": {"FIXED": "code message number field"},
    "Subscription": {"ROWS SEEN": "changes"},
    "Change": {
        "PAGE": "cursor",
        "TOLD": "revision at",
        "LOG OF ONE OF THEM": "operation",
        "LOGIN OF A USER SEEN": "actor",
        "IF SEEN": "actingAs",
        "ROWS SEEN": "changed",
    },
    "ChangedNode": {"IF SEEN": "node", "ITS LOG": "entries"},
    # Writes
    "Mutation": {
        "MAY WRITE": "addClientLinks updateClientLinks moveClientLink updateUserRoles updateUser deleteUser"
        " sendUserInvitation resendUserInvitation cancelUserInvitation acceptUserInvitation updateManagerAccount"
        " deleteManagerAccount addAdAccount updateAdAccount deleteAdAccount issueAccessToken revokeAccessToken"
        " consolidateLogins provisionAggregator"
    },
    "AcceptUserInvitationPayload": {**_PAYLOAD, "WHEN DONE": "effects revision user"},
    "AdAccountPayload": {**_PAYLOAD, "WHEN DONE": "effects revision adAccount"},
    "ManagerAccountPayload": {**_PAYLOAD, "WHEN DONE": "effects revision managerAccount"},
    "UserPayload": {**_PAYLOAD, "WHEN DONE": "effects revision user lastModifiedTime"},
    "UserInvitationPayload": {**_PAYLOAD, "WHEN DONE": "effects revision invitation"},
    "ClientLinksPayload": {
        **_PAYLOAD,
        "WHEN DONE": "effects revision effectsOnceDone",
        "SILENT": "userErrors results",
    },
    "MoveClientLinkPayload": {**_PAYLOAD, "WHEN DONE": "effects revision link previousLink"},
    "IssueAccessTokenPayload": {**_PAYLOAD, "WHEN DONE": "effects revision accessToken secret secretWithheld"},
    "RevokeAccessTokenPayload": {
        **_PAYLOAD,
        "WHEN DONE": "effects revision accessToken",
        "SILENT": "userErrors issuedTokensRevoked",
    },
    "ConsolidateLoginsPayload": {**_PAYLOAD, "WHEN DONE": "effects revision login", "SILENT": "userErrors users"},
    "ProvisionAggregatorPayload": {
        **_PAYLOAD,
        "WHEN DONE": "effects revision customerId userId managerAccount user",
    },
    "ClientLinkResult": {"WHEN DONE": "link", "SILENT": "userErrors"},
    "LoginUser": {"SILENT": "userId customerId isOriginal cameFrom"},
    "AccessEffects": {"SILENT": "hiddenCount totalCount", "ROWS SEEN": "nodes"},
    "AccessEffect": {"IF SEEN": "user target", "SILENT": "gained lost"},
    "UserError": {"SILENT": "code message number field rule"},
}

RIGHTS: Final[dict[str, str]] = {
    f"{kind}.{name}": right
    for kind, rights in _TABLE.items()
    for right, names in rights.items()
    for name in names.split()
}
"""The right of each field, by its type and its name."""
