"""Aggregators: an empty manager account and its one user, made by a system administrator (rule C18).

The administrator gains nothing by it: he is shown what he made in the answer to this one request, and never again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resolvers.account_parts import refuse_all, write_address
from resolvers.administrators import require_system_administrator
from resolvers.effects import Region
from resolvers.rules.account_fields import NUMBER_ALPHABET, problems_of_manager_account
from resolvers.rules.addresses import AddressFields, problems_of_fields, problems_of_place
from resolvers.rules.login_fields import problems_of_login_name
from resolvers.rules.markets import problems_of_market
from resolvers.rules.problems import Problem
from resolvers.rules.role_changes import Held, described
from resolvers.rules.user_fields import CONTACT_TEXTS, LCIDS, USER_TEXTS, problems_of_texts
from resolvers.rules.write_codes import WriteCode
from resolvers.writing import WriteSession, refused
from storage.account_writes import new_manager_account_id
from storage.entries import AddressEntry, ContactInfoEntry, ManagerAccountEntry, UserEntry
from storage.login_writes import begin_life_of_login, write_login
from storage.reads.deciding import has_original_user
from storage.reads.entities import read_users_of_logins
from storage.reads.logins import read_login
from storage.reads.numbers import read_manager_account_ids
from storage.records.facts import EveryAccount
from storage.records.ids import LoginId, ManagerAccountId, UserId
from storage.records.values import Industry, Language, LoginStatus, Role
from storage.user_writes import begin_assignments, new_address_id, new_contact_info_id, new_user_id
from storage.writes import write_addresses, write_contact_infos, write_manager_accounts, write_users

NUMBER_LENGTH = 10
"""Characters of a manager account's display number."""
HELD = (Held(Role.AGGREGATOR, EveryAccount()), Held(Role.SUPER_ADMIN, EveryAccount()))
"""What the first user of an aggregator holds (stated)."""


@dataclass(frozen=True, slots=True)
class NewManagerAccount:
    """A manager account to be made."""

    name: str
    industry: Industry
    market_country: str
    market_language: Language
    address: AddressFields | None = None


@dataclass(frozen=True, slots=True)
class NewAggregator:
    """The manager account, and the person who is to be its user; `login_name` may be that of a login there is."""

    customer: NewManagerAccount
    login_name: str
    first_name: str
    last_name: str
    email: str
    lcid: str


def provision_aggregator(session: WriteSession, new: NewAggregator) -> Mapping[str, Any]:
    """Make an aggregator: a manager account without ad accounts, and a user with the roles 33 and 41 in it.

    Raises: Refused.
    """
    require_system_administrator(session)
    refuse_all([*_problems_of_customer(new.customer), *_problems_of_person(new)])
    login = _living_login(session, new.login_name)
    if login is None:
        login = write_login(session.transaction, new.login_name)
        begin_life_of_login(session.transaction, session.stamp, login)
        session.note("Login", login, None, {"userName": new.login_name})
    stamp = session.stamp
    key = new_manager_account_id(session.transaction)
    own = read_users_of_logins(session.transaction, [login])[login]
    here = frozenset({key})
    session.concern(Region(users=frozenset(user.user_id for user in own), above=here, below=here))
    _write_manager_account(session, key, new.customer)
    user = _write_user(session, key, login, new)
    begin_assignments(session.transaction, stamp, user, key, [(one.role, one.scope) for one in HELD])
    session.note("User", user, None, {"customerId": key, "userName": new.login_name, "roles": described(HELD)})
    session.made.add(key)
    session.forget()
    return {"customer_id": key, "user": user}


def _problems_of_customer(new: NewManagerAccount) -> list[Problem]:
    found = problems_of_manager_account(new.name, new.industry)
    found += problems_of_market(new.market_country, new.market_language)
    if new.address is not None:
        found += problems_of_fields(new.address, "address") + problems_of_place(new.address, "address")
    return [one._replace(field=("customer", *one.field)) for one in found]


def _problems_of_person(new: NewAggregator) -> list[Problem]:
    found = problems_of_login_name(new.login_name, "loginName")
    found += problems_of_texts({"first_name": new.first_name, "last_name": new.last_name}, USER_TEXTS, "user")
    found += problems_of_texts({"email": new.email}, CONTACT_TEXTS, "user")
    if new.lcid not in LCIDS:
        message = "`lcid` is not a known locale, such as EnglishUS."
        found.append(Problem(WriteCode.BAD_USER_INPUT, ("user", "lcid"), message))
    return found


def _living_login(session: WriteSession, name: str) -> LoginId | None:
    """The login of this name, or None when nobody has it. Raises: Refused for a merged one."""
    login = read_login(session.transaction, name)
    if login is None:
        return None
    if login.status is not LoginStatus.ACTIVE:
        message = f"Login {name} was merged into login {login.merged_into_id}: name that one, or a new one."
        raise refused(WriteCode.LOGIN_ALREADY_MERGED, message, "loginName")
    return login.id


def _new_number(session: WriteSession) -> str:
    while True:
        number = "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(NUMBER_LENGTH))
        if not read_manager_account_ids(session.transaction, [number]):
            return number


def _write_manager_account(session: WriteSession, key: ManagerAccountId, new: NewManagerAccount) -> None:
    entry = ManagerAccountEntry(
        id=key,
        number=_new_number(session),
        name=new.name,
        industry=new.industry,
        market_country=new.market_country,
        market_language=new.market_language,
        address_id=None if new.address is None else write_address(session, None, new.address),
    )
    write_manager_accounts(session.transaction, session.stamp, [entry])
    told = {} if new.address is None else {"address": new.address._asdict()}
    session.note("ManagerAccount", key, None, entry._asdict() | told)


def _write_user(session: WriteSession, key: ManagerAccountId, login: LoginId, new: NewAggregator) -> UserId:
    tx, stamp = session.transaction, session.stamp
    address = AddressEntry(new_address_id(tx))
    contact = ContactInfoEntry(new_contact_info_id(tx), address_id=address.id, email=new.email)
    user = UserEntry(
        id=new_user_id(tx),
        login_id=login,
        manager_account_id=key,
        is_original=not has_original_user(tx, login),
        first_name=new.first_name,
        last_name=new.last_name,
        lcid=new.lcid,
        contact_info_id=contact.id,
    )
    write_addresses(tx, stamp, [address])
    write_contact_infos(tx, stamp, [contact])
    write_users(tx, stamp, [user])
    return user.id
