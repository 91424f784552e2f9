"""Every way to ask the company about everything: by id, by lists, about access, as it happens, and by writing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from resolvers.changes import cursor_of
from resolvers.session import Allowance, Viewer
from schema.document_rules import DocumentLimits
from schema.execution import Engine
from schema.ids import node_id
from storage.database import Database
from storage.records.ids import AccessTokenId, Instant, RevisionId
from tests.matrix import company as of
from tests.matrix.answers import Place, ids_of, places_of, selection
from tests.matrix.company import Caller, Shown
from tests.schema.client import GRAPH, NOW_MS, GraphClient
from tests.schema.subscriber import Subscriber
from tests.schema.write_client import Writer

ENGINE: Final = Engine(DocumentLimits(**dict.fromkeys(("depth", "fields", "aliases", "directives", "tokens"), 100000)))
"""The whole of the schema at once is more than a server would take."""
SUBJECTS: Final = (None, of.CONTACT, of.SCOPED, of.VISITOR)
TARGETS: Final = (of.HERE, of.FULL, of.DELETED, of.HIDDEN)
USER: Final = ids_of(GRAPH.type_map["User"])
LISTS: Final = {
    "adAccounts": "",
    "managerAccounts": "",
    "find": 'prefix: ""',
    "clientLinks": "",
    "invitations": f'filter: {{ customerId: "{of.HERE}" }}',
}
ADDRESS: Final = {"businessName": "Adventure", "line1": "1 Example Way", "city": "Redmond", "countryCode": "US"}
PERSON: Final = {"customerId": str(of.HERE), "email": "new@invited.example", "firstName": "New", "lastName": "One"}
BILL: Final = {"isBillToClient": True}


class Question(NamedTuple):
    """One document; `about` says whose access to what its root fields ask about.

    `nth`: what tells it from others with the same document.
    """

    text: str
    variables: dict[str, Any]
    about: dict[str, Any]
    nth: int = 0


def kind_of(number: int) -> str:
    """What an id of the company is the id of."""
    return ("ManagerAccount", "AdAccount", "User", "Login", "ClientLink", "UserInvitation")[number // 10_000 - 1]


def questions(shown: Shown) -> Iterator[Question]:
    """All that is asked by queries."""
    world = shown.world
    links = [link.id for link in of.links_of(world)]
    for numbers in ([*of.MANAGERS, *of.ADS, *links, *of.INVITATIONS], [user.id for user in world.users]):
        ids = [node_id(kind_of(number), number) for number in numbers]
        text = f"query ($ids: [ID!]!) {{ Query_nodes__{numbers[0]}: nodes(ids: $ids) {{ {selection('Node', 1)} }} }}"
        yield Question(text, {"ids": ids}, {})
    for name, given in LISTS.items():
        kind = GRAPH.type_map["Query"].fields[name].type  # type: ignore[attr-defined]
        arguments = ", ".join(filter(None, (given, "first: 100")))
        yield Question(f"{{ Query_{name}: {name}({arguments}) {{ {selection(kind.name, 0)} }} }}", {}, {})
    yield Question(f"{{ Query_viewer: viewer {{ {selection('Viewer', 1)} }} }}", {}, {})
    tokens = f"Viewer_accessTokens: accessTokens(first: 100) {{ {selection('AccessTokenConnection', 1)} }}"
    yield Question(f"{{ Query_viewer: viewer {{ __typename {tokens} }} }}", {}, {})
    yield Question(_by_id(), {}, {})
    access = f"AccessorEdge_access: access {{ {selection('Access', 1)} }}"
    edges = f"AccessorConnection_edges: edges {{ __typename AccessorEdge_node: node {{ {USER} }} {access} }}"
    accessors = f"accessors(first: 100, capability: MANAGE_USERS) {{ __typename {edges} }}"
    managers = f"__typename ManagerAccount_customerId: customerId ManagerAccount_accessors__1: {accessors}"
    yield Question(f'{{ Query_managerAccount__0: managerAccount(id: "{of.HERE}") {{ {managers} }} }}', {}, {})
    yield from _about_access()


def _by_id() -> str:
    parts = []
    for number in (of.HERE, of.HIDDEN, of.FULL, of.DELETED, of.CONTACT, of.VISITOR, of.LINK + 1, of.PENDING):
        name = kind_of(number)[0].lower() + kind_of(number)[1:]
        parts.append(f'Query_{name}__{number}: {name}(id: "{number}") {{ {selection(kind_of(number), 0)} }}')
        node = f"{{ {ids_of(GRAPH.type_map['Node'])} }}"
        parts.append(f'Query_node__{number}: node(id: "{node_id(kind_of(number), number)}") {node}')
    lines = 'businessName: "A" line1: "1 Main Street" line2: "b" line3: "c" line4: "d" city: "Redmond"'
    address = f'address: {{ {lines} postalCode: "98052" stateOrProvince: "WA" countryCode: "US" }}'
    parts.append(f"Query_validateAddress: validateAddress({address}) {{ {selection('AddressValidation', 0)} }}")
    parts.append(f"Query_rateLimit: rateLimit {{ {selection('RateLimit', 0)} }}")
    return f"{{ {' '.join(parts)} }}"


def _about_access() -> Iterator[Question]:
    on = "target: $target, user: $user"
    checks = f"checkMany(checks: [{{ capability: MANAGE_ACCOUNT_LINKS, {on} }}, {{ capability: VIEW, {on} }}])"
    for nth, (subject, target) in enumerate((subject, target) for subject in SUBJECTS for target in TARGETS):
        text = " ".join(
            (
                "query ($target: ID!, $user: ID) {",
                f"Query_access__0: access({on}) {{ {selection('Access', 1)} }}",
                f"Query_check__0: check(capability: TAKE_OVER_BILLING, {on}) {{ {selection('CheckResult', 1)} }}",
                f"Query_checkMany__0: {checks} {{ {selection('CheckResult', 0)} }} }}",
            )
        )
        about = dict.fromkeys(("access__0", "check__0", "checkMany__0"), (subject, (kind_of(target), target)))
        variables = {"target": f"{kind_of(target)}:{target}", "user": None if subject is None else str(subject)}
        yield Question(text, variables, about, nth)


def writes(token: int) -> dict[str, dict[str, Any]]:
    """One call of each mutation, such as a Super Admin of everything may make; `token` is one of his own."""
    stamp = "1"
    link = {"managingCustomerId": str(of.HERE), "clientEntityId": str(of.AD + 51)}
    bill = {"soldToPaymentInstrumentId": str(of.INSTRUMENT)}
    return {
        "addClientLinks": {"links": [{**link, **BILL}]},
        "updateClientLinks": {"links": [{"linkId": str(of.PENDING), "timeStamp": "1", "action": "ACCEPT"}]},
        "moveClientLink": {
            "linkId": str(of.LINK + 9),
            "timeStamp": stamp,
            "toManagingCustomerId": str(of.OTHER),
        },
        "updateUserRoles": {"customerId": str(of.HERE), "userId": str(of.SCOPED), "newRole": "VIEWER"},
        "updateUser": {"userId": str(of.SCOPED), "timeStamp": f"1-{of.SCOPED}", "jobTitle": "Planner"},
        "deleteUser": {"userId": str(of.NARROW), "timeStamp": f"1-{of.NARROW}"},
        "sendUserInvitation": {**PERSON, "role": "VIEWER"},
        "resendUserInvitation": {"invitationId": str(of.INVITATIONS[0])},
        "cancelUserInvitation": {"invitationId": str(of.INVITATIONS[0])},
        "acceptUserInvitation": {"secret": of.SECRET},
        "updateManagerAccount": {
            "customerId": str(of.HERE),
            "timeStamp": stamp,
            "name": "Renamed",
            "industry": "RETAIL",
        },
        "deleteManagerAccount": {"customerId": str(of.HERE), "timeStamp": stamp},
        "addAdAccount": {
            "parentCustomerId": str(of.HERE),
            "name": "New one",
            "currencyCode": "USD",
            "businessAddress": ADDRESS,
            "primaryUserId": str(of.CONTACT),
            **bill,
        },
        "updateAdAccount": {"accountId": str(of.FULL), "timeStamp": stamp, "name": "Renamed"},
        "deleteAdAccount": {"accountId": str(of.AD + 33), "timeStamp": stamp},
        "issueAccessToken": {"label": "new", "scopes": ["READ"]},
        "revokeAccessToken": {"tokenId": str(token)},
        "consolidateLogins": {
            "primaryLogin": f"user{of.WITHOUT_USERS}@adventure.example",
            "mergedLogins": [f"user{of.TWO_USERS}@adventure.example"],
        },
        "provisionAggregator": {
            "customer": {"name": "New", "industry": "RETAIL", "marketCountry": "US", "marketLanguage": "ENGLISH"},
            "loginName": "new@aggregator.example",
            "user": {"firstName": "New", "lastName": "One", "email": "new@aggregator.example"},
        },
    }


def answers_to(database: Database, shown: Shown, caller: Caller) -> Iterator[Place]:
    """Everything one caller is shown."""
    client = GraphClient(database, caller.login, world=shown.world, acting=caller.acting)
    for question in questions(shown):
        with database.read() as tx:
            session = client.session(tx)
            session.allowance = Allowance(limit=9, remaining=8, cost=1, per_minute=1, full_at_ms=Instant(NOW_MS))
            answer = ENGINE.execute(question.text, question.variables, None, session)
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        assert codes <= {"UNAUTHENTICATED"}, answer["errors"][:2]
        yield from places_of("Query", answer["data"] or {}, ("Query", question.nth), question.about)
    yield from _as_it_happens(database, caller)


def _as_it_happens(database: Database, caller: Caller) -> Iterator[Place]:
    if caller.acting is not None or caller.login is None:
        return
    change = selection("Change", 1)
    text = f"subscription ($after: String) {{ Subscription_changes: changes(after: $after) {{ {change} }} }}"
    stream = Subscriber(database, caller.login, text, {"after": cursor_of(RevisionId(0))})
    while (event := stream.event()) is not None:
        assert "errors" not in event, event["errors"]
        yield from places_of("Subscription", event["data"], ("Subscription",))


def answers_to_writes(database: Database, shown: Shown, caller: Caller) -> Iterator[Place]:
    """What one caller is shown by mutations that keep nothing."""
    token = shown.tokens.get(caller.login or 0, (0,))[0]
    everywhere = caller.way == "everywhere"
    writer = Writer(database, caller.login, NOW_MS, acting=caller.acting, administrates=everywhere)
    if isinstance(writer.viewer, Viewer):
        expires = Instant(NOW_MS + 1_000_000)
        writer.viewer = writer.viewer._replace(token_id=AccessTokenId(token), token_expires_at=expires)
    for name, given in writes(token).items():
        kind = GRAPH.type_map["Mutation"].fields[name].type.name  # type: ignore[attr-defined]
        sent = f"{name[0].upper()}{name[1:]}Input"
        text = f"mutation ($input: {sent}!) {{ Mutation_{name}: {name}(input: $input) {{ {selection(kind, 1)} }} }}"
        variables = {"input": {**given, "dryRun": True}}
        answer = ENGINE.execute(text, variables, None, None, begin_write=writer.begin)
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        assert codes <= {"FORBIDDEN", "UNAUTHENTICATED"}, answer["errors"][:2]
        yield from places_of("Mutation", answer["data"] or {}, ("Mutation",))
