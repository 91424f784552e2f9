"""An invented agency with regions, country desks, clients and brands: something of everything to look at.

Five levels of manager accounts, some hundreds of ad accounts, every role and scope, links in every status a
reader can meet, an aggregator, diamonds, invitations and people with several users.
"""

from __future__ import annotations

import hashlib

from storage.database import Transaction
from storage.demo.cast import a_link, a_login, a_user
from storage.demo.names import (
    AGGREGATOR,
    BRANDS,
    CLIENTS,
    DOMAIN,
    GROUP,
    INDEPENDENTS,
    REGIONS,
    SIGNED_UP,
)
from storage.demo.places import EVERY, HOME, Agency, Place
from storage.demo.story import DAY_MS, Change, Story
from storage.entries import (
    AggregationEntry,
    AssignmentEntry,
    TaxCertificateEntry,
    UserInvitationEntry,
)
from storage.records.facts import EveryLinkedEntity, OnlyAccounts, OnlyLinkedEntities, Scope
from storage.records.ids import (
    AggregationId,
    AssignmentId,
    InvitationId,
    UserId,
)
from storage.records.values import (
    AdAccountStatus,
    Industry,
    InvitationStatus,
    LinkPermission,
    LinkType,
    ManagerAccountStatus,
    Role,
    ServiceLevel,
    TaxCertificateStatus,
    UserStatus,
)
from storage.writes import (
    Stamp,
    end_assignments,
    write_ad_account_status,
    write_logins_merged,
    write_manager_account_status,
    write_user_status,
)

_INVITATION_DAYS = 30

_ADMINISTRATIVE, _STANDARD = LinkPermission.ADMINISTRATIVE, LinkPermission.STANDARD
_ACCOUNT_LINK = LinkType.ACCOUNT_LINK


def tell_agency(story: Story) -> None:
    """Tell the whole agency, from day 10 of the story up to its present."""
    agency = Agency(story)
    group = agency.a_place(10, GROUP, Industry.AGENCY_SALES_HOUSE, HOME, 3, level=ServiceLevel.PREMIUM)
    regions, desks, clients = _tell_hierarchy(agency, group)
    independents = [agency.a_place(50, name, industry, HOME, 3) for name, industry in INDEPENDENTS]
    _tell_aggregator(agency, regions[1])
    _tell_diamonds(agency, group, desks, clients)
    _tell_account_links(agency, desks, clients, independents)
    _tell_link_statuses(agency, group, desks, independents)
    _tell_staff(agency, group, regions, desks, clients)
    _tell_changes(agency, group, regions, desks, independents)
    _tell_invitations(agency, group, desks)


def _tell_hierarchy(agency: Agency, group: Place) -> tuple[list[Place], list[Place], list[Place]]:
    """Group, regions, desks, clients, brands: five levels, all links active."""
    regions: list[Place] = []
    desks: list[Place] = []
    clients: list[Place] = []
    remaining = iter(CLIENTS)
    for region_name, permission, region_desks in REGIONS:
        region = agency.a_place(20, region_name, Industry.AGENCY_SALES_HOUSE, region_desks[0], 2)
        agency.link(21, group.id, region.id, permission, name=region_name)
        regions.append(region)
        for number, desk in enumerate(region_desks):
            office = agency.a_place(30, f"Northwind Reach {desk.name}", Industry.AGENCY_SALES_HOUSE, desk, 3)
            agency.link(31, region.id, office.id, _STANDARD if number == 2 else _ADMINISTRATIVE, name=desk.name)
            desks.append(office)
            for position in range(3):
                name, industry = next(remaining)
                client = agency.a_place(40 + position, name, industry, desk, 7)
                permission_here = _ADMINISTRATIVE if position == 0 else _STANDARD
                agency.link(44, office.id, client.id, permission_here, name=name)
                clients.append(client)
                for brand in BRANDS[: 2 - position]:
                    house = agency.a_place(60, f"{name} {brand}", industry, desk, 4, boss=position == 0)
                    agency.link(61, client.id, house.id, _ADMINISTRATIVE, name=f"{name} {brand}")
    return regions, desks, clients


def _tell_aggregator(agency: Agency, americas: Place) -> None:
    shell = agency.a_place(70, AGGREGATOR, Industry.AGENCY_SALES_HOUSE, HOME, 0, boss=False)
    roles = [(Role.AGGREGATOR, EVERY), (Role.SUPER_ADMIN, EVERY)]
    _, aggregator = agency.a_person(70, shell.id, roles, user_name="resale@quillfeather.example")
    agency.a_person(75, shell.id, [(Role.SUPER_ADMIN, EVERY)], user_name="office@quillfeather.example")
    for number, name in enumerate(SIGNED_UP):
        day = 80 + number
        client = agency.a_place(day, name, Industry.RETAIL, HOME, 2, bill_to=shell.id, boss=False)
        aggregation = AggregationEntry(AggregationId(agency.story.next_id("aggregation", 2001)), shell.id, client.id)
        agency.story.tell(agency.story.at_day(day), "signUpManagerAccount", [aggregation], aggregator)
    agency.link(90, americas.id, shell.id, _STANDARD, name=AGGREGATOR)


def _tell_diamonds(agency: Agency, group: Place, desks: list[Place], clients: list[Place]) -> None:
    """Clients reached twice, by a strong chain and a weak one."""
    agency.link(100, desks[1].id, clients[0].id, _STANDARD, name="Shared with the Alps desk")
    agency.link(101, group.id, clients[1].id, _ADMINISTRATIVE, name="Key client of the group")
    agency.link(102, desks[5].id, clients[9].id, _ADMINISTRATIVE, name="Shared across the border")
    agency.link(103, group.id, desks[8].id, _ADMINISTRATIVE, name="Direct line to Singapore")


def _tell_account_links(agency: Agency, desks: list[Place], clients: list[Place], independents: list[Place]) -> None:
    """Single ad accounts of others, also of one that is in the hierarchy anyway."""
    for number, independent in enumerate(independents):
        agency.link(110 + number, desks[number].id, independent.accounts[0], _ACCOUNT_LINK, name="Managed account")
    agency.link(120, clients[3].id, clients[12].accounts[0], _ACCOUNT_LINK, name="Joint campaign")
    agency.link(121, desks[0].id, clients[4].accounts[1], _ACCOUNT_LINK, name="Seconded account")


_PAST = ("declined", "canceled", "expired", "failed", "inactive", "active after a failed unlink")
_RECENT: tuple[tuple[str, float, float], ...] = (
    ("pending", 0.1, 0),
    ("in progress", 5, 90),
    ("unlink pending", 60.2, 0),
    ("unlink in progress", 60.7, 0),
)
"""How a link fares that was asked for so many days ago, to start so many days later. None moves on by itself before a
pending one expires: the billing system holds the last two (`UNDER_WAY`)."""
UNDER_WAY = frozenset({"Story: unlink pending", "Story: unlink in progress"})
"""The names of the account links whose unlinking the demo's billing system never finishes."""


def _tell_link_statuses(agency: Agency, group: Place, desks: list[Place], independents: list[Place]) -> None:
    """Links in every status a reader can meet, of both kinds where both stay there, and a pair with a past."""
    story = agency.story
    for number, life in enumerate(_PAST):
        agency.link(300 + number, desks[number].id, independents[number].id, _STANDARD, life, f"Story: {life}")
        account = independents[number].accounts[1]
        agency.link(310 + number, desks[number].id, account, _ACCOUNT_LINK, life, f"Story: {life}")
    for number, (life, days, start_in_days) in enumerate(_RECENT):
        client, name = independents[number + 2], f"Story: {life}"
        common = {"inviter": agency.inviter, "start_in_days": start_in_days, "name": name, "actor": group.boss}
        at = story.days_ago(days)
        # Whatever ends a customer link, it does not wait for billing.
        if name not in UNDER_WAY:
            a_link(story, at, group.id, client.id, _STANDARD, life, **common)  # type: ignore[arg-type]
        a_link(story, at, group.id, client.accounts[2], _ACCOUNT_LINK, life, **common)  # type: ignore[arg-type]
    previous = None
    for day, life in ((330, "declined"), (370, "expired"), (420, "inactive"), (500, "active")):
        previous = a_link(
            story,
            story.at_day(day),
            group.id,
            independents[7].id,
            _ADMINISTRATIVE,
            life,
            name="Fourth time lucky",
            note=f"Asked on day {day}.",
            previous=previous,
            inviter=agency.inviter,
        )


def _tell_staff(agency: Agency, group: Place, regions: list[Place], desks: list[Place], clients: list[Place]) -> None:
    """Every role under every scope it can have."""
    first_desk, linked = desks[0], frozenset({desks[0].id, desks[2].id})
    held: list[tuple[Place, Role, Scope]] = [
        (group, Role.SUPER_ADMIN, EVERY),
        (group, Role.STANDARD, EVERY),
        (group, Role.VIEWER, EVERY),
        (group, Role.CAMPAIGN_MANAGER, EveryLinkedEntity()),
        (group, Role.SUPER_ADMIN, EveryLinkedEntity()),
        (regions[0], Role.STANDARD, OnlyLinkedEntities(linked)),
        (regions[0], Role.SUPER_ADMIN, OnlyLinkedEntities(frozenset({desks[1].id}))),
        (regions[1], Role.VIEWER, EveryLinkedEntity()),
        (regions[2], Role.STANDARD, EVERY),
        (first_desk, Role.CAMPAIGN_MANAGER, OnlyAccounts(frozenset(first_desk.accounts[:2]))),
        (first_desk, Role.STANDARD, OnlyAccounts(frozenset(first_desk.accounts[1:]))),
        (first_desk, Role.VIEWER, OnlyAccounts(frozenset())),
    ]
    for place in (*desks, *clients):
        held.append((place, Role.STANDARD, EVERY))
        held.append((place, Role.CAMPAIGN_MANAGER, OnlyAccounts(frozenset(place.accounts[:2]))))
    held += [(place, Role.VIEWER, EVERY) for place in clients]
    for number, (place, role, scope) in enumerate(held):
        agency.a_person(130 + number % 40, place.id, [(role, scope)])


def _tell_changes(
    agency: Agency, group: Place, regions: list[Place], desks: list[Place], independents: list[Place]
) -> None:
    """A person with several users, a merged login, people who left, a role that changed, a closed company."""
    story = agency.story
    robin_name = f"robin.castellan@{DOMAIN}"
    joined = story.at_day(180)
    robin = a_login(story, joined, robin_name)
    for place, roles in (
        (group, [(Role.STANDARD, EVERY)]),
        (regions[0], [(Role.SUPER_ADMIN, EVERY)]),
        (desks[2], [(Role.VIEWER, EVERY)]),
        (independents[0], [(Role.CAMPAIGN_MANAGER, OnlyAccounts(frozenset(independents[0].accounts[:1])))]),
    ):
        a_user(story, joined, robin, place.id, ("Robin", "Castellan"), roles, email=robin_name,
               is_original=place is group, job_title="Regional lead")  # fmt: skip
    old, _ = agency.a_person(181, desks[6].id, [(Role.STANDARD, EVERY)], user_name="robin@oldmail.example")
    agency.later(240, "mergeLogins", lambda transaction, stamp: write_logins_merged(transaction, stamp, [old], robin))

    for status in (UserStatus.DELETED, UserStatus.INACTIVE):
        _, user = agency.a_person(182, desks[3].id, [(Role.SUPER_ADMIN, EVERY)])
        agency.later(250, "deleteUser", _user_status(user, status))
    agency.a_person(183, desks[3].id, [(Role.STANDARD, EVERY)], status=UserStatus.PENDING)

    _, promoted = agency.a_person(184, desks[4].id, [])
    first = AssignmentId(story.next_id("assignment", 9001))
    second = AssignmentId(story.next_id("assignment", 9001))
    desk = desks[4].id
    story.tell(story.at_day(184), "updateUserRoles", [AssignmentEntry(first, promoted, desk, Role.VIEWER)])
    agency.later(260, "updateUserRoles", lambda transaction, stamp: end_assignments(transaction, stamp, [first]))
    story.tell(story.at_day(260), "updateUserRoles", [AssignmentEntry(second, promoted, desk, Role.STANDARD)])

    closed = agency.a_place(190, "Moonmilk Dairy", Industry.FOOD_SERVICES, HOME, 1)
    agency.later(270, "deleteManagerAccount", lambda transaction, stamp: _close(transaction, stamp, closed))
    certificate = TaxCertificateEntry(
        desks[4].accounts[0], "certificates-2024", TaxCertificateStatus.VALID, (("certificate.txt", b"Demo file\n"),)
    )
    story.tell(story.at_day(200), "updateAdAccount", [certificate])


def _user_status(user: UserId, status: UserStatus) -> Change:
    return lambda transaction, stamp: write_user_status(transaction, stamp, [user], status)


def _close(transaction: Transaction, stamp: Stamp, place: Place) -> None:
    write_ad_account_status(transaction, stamp, place.accounts, AdAccountStatus.INACTIVE)
    write_manager_account_status(transaction, stamp, [place.id], ManagerAccountStatus.INACTIVE)


def _tell_invitations(agency: Agency, group: Place, desks: list[Place]) -> None:
    """Pending, expired, accepted and canceled invitations, one of them limited to ad accounts."""
    story, desk = agency.story, desks[0]
    limited = OnlyAccounts(frozenset(desk.accounts[:2]))
    past = story.at_day(400)
    told: tuple[tuple[Place, str, Role, Scope, int, InvitationStatus], ...] = (
        (group, "Wren", Role.SUPER_ADMIN, EVERY, story.days_ago(0.4), InvitationStatus.PENDING),
        (group, "Otis", Role.VIEWER, EVERY, story.days_ago(0.5), InvitationStatus.PENDING),
        (desk, "Lumi", Role.CAMPAIGN_MANAGER, limited, story.days_ago(0.3), InvitationStatus.PENDING),
        (desk, "Juno", Role.STANDARD, EVERY, story.days_ago(0.2), InvitationStatus.PENDING),
        # Nobody answered: it is the clock that makes these expired.
        (group, "Cato", Role.STANDARD, EVERY, past, InvitationStatus.PENDING),
        (desk, "Inka", Role.VIEWER, EVERY, past, InvitationStatus.EXPIRED),
        (group, "Nilo", Role.STANDARD, EVERY, past + DAY_MS, InvitationStatus.ACCEPTED),
        (desk, "Bela", Role.VIEWER, EVERY, past + DAY_MS, InvitationStatus.CANCELED),
    )
    for place, first, role, scope, sent, status in told:
        invitation = UserInvitationEntry(
            id=InvitationId(story.next_id("invitation", 1001)),
            manager_account_id=place.id,
            email=f"{first.lower()}@invited.example",
            first_name=first,
            last_name="Harker",
            role=role,
            # Nobody knows a secret with this digest, so these invitations can be looked at but not accepted.
            secret_digest=hashlib.sha256(f"demo invitation for {first}".encode()).digest(),
            sent_at_ms=sent,
            expires_at_ms=sent + _INVITATION_DAYS * DAY_MS,
            inviter_user_id=place.boss,
            status=status,
            scope=scope,
        )
        story.tell(sent, "sendUserInvitation", [invitation], place.boss)
