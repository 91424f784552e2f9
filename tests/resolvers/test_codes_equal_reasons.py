"""The code of a check, told without its reason, is the code of its reason: alone or among a thousand others."""

from __future__ import annotations

from collections import Counter

from resolvers.access import CheckRequest, check_many
from resolvers.rules.capabilities import Capability
from resolvers.rules.near_misses import AccessCode
from storage.records.ids import ManagerAccountId, UserId
from tests.builders import a_role, a_user, a_world, an_account_link, an_ad
from tests.databases import Databases
from tests.oracle import World
from tests.resolvers.askers import Asker, askers, target_id
from tests.rules.judges import ad
from tests.stored_worlds import stored
from tests.worlds import seeded_world

ASKED = (
    Capability.VIEW,
    Capability.MANAGE_CAMPAIGNS,
    Capability.MANAGE_PAYMENT_METHODS,
    Capability.DELETE_AD_ACCOUNT,
    Capability.MANAGE_USERS,
)
WORLDS = (*range(97_000, 97_006), 97_056, 97_057, 97_062, 97_066, 97_071, 97_080, 97_099, 97_108)
"""So many show every code, and several ad accounts of one owner with a link, a scope or a state of their own."""


def everything_asked_of(asker: Asker) -> list[CheckRequest]:
    """Checks of the asker himself and of two others, with and without a context, in one batch."""
    world = asker.world
    subjects = (None, *(UserId(user.id) for user in world.users[:2]))
    contexts = (None, *(ManagerAccountId(item.id) for item in world.manager_accounts[:2]))
    return [
        CheckRequest(subject, capability, target_id(target), context)
        for target in asker.truths
        for capability in ASKED
        for subject in subjects
        for context in contexts
    ]


def test_the_code_of_a_check_is_that_of_its_reason(databases: Databases, migrated_url: str) -> None:
    seen: Counter[AccessCode | None] = Counter()
    for world in map(seeded_world, WORLDS):
        with stored(world, databases, migrated_url) as database:
            for asker in askers(world):
                requests = everything_asked_of(asker)
                with database.read() as transaction:
                    codes = [answer.code for answer in check_many(asker.session(transaction), requests)]
                    reasons = [answer.decision for answer in check_many(asker.session(transaction), requests)]
                for request, code, reason in zip(requests, codes, reasons, strict=True):
                    assert code == (reason.code if reason is not None else None), (asker.login, request)
                seen.update(codes)
    assert set(seen) >= {*AccessCode, None}, "the worlds must show every code, and checks without an answer"


SIBLINGS: World = a_world(
    a_user(1, of=2),
    a_role("CAMPAIGN_MANAGER", at=2, id=1),
    a_role("SUPER_ADMIN", at=1, id=2),
    a_role("STANDARD", at=2, scope="ONLY_ACCOUNTS", listed={25}, id=3),
    an_ad(21, owner=2),
    an_ad(22, owner=2),
    an_ad(23, owner=2),
    an_ad(24, owner=2, status="INACTIVE"),
    an_ad(25, owner=2),
    an_account_link(1, 23),
)
"""Ad accounts of one owner: two that nothing sets apart, one with a link, one in a state of its own, one in a scope."""


def test_an_ad_account_that_is_set_apart_has_a_code_of_its_own(databases: Databases, migrated_url: str) -> None:
    asked = (Capability.DELETE_AD_ACCOUNT, Capability.MANAGE_CAMPAIGNS, Capability.MANAGE_INSERTION_ORDERS)
    targets = [target_id(ad(number)) for number in (21, 22, 23, 24, 25, 21)]
    requests = [CheckRequest(None, capability, target, None) for capability in asked for target in targets]
    with stored(SIBLINGS, databases, migrated_url) as database, database.read() as transaction:
        session = Asker(SIBLINGS, SIBLINGS.users[0].login).session(transaction)
        codes = [answer.code for answer in check_many(session, requests)]
    allowed, lacks = AccessCode.ALLOWED, AccessCode.ROLE_LACKS_CAPABILITY
    assert codes[:6] == [lacks, lacks, AccessCode.LINK_CAP, lacks, lacks, lacks]
    assert codes[6:12] == [allowed, allowed, allowed, AccessCode.OBJECT_STATE, allowed, allowed]
    assert codes[12:] == [lacks, lacks, allowed, lacks, allowed, lacks]
