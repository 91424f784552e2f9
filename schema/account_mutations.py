"""Mutations of manager accounts and ad accounts, and the check of an address."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers.account_additions import NewAdAccount, add_ad_account
from resolvers.account_writes import AdAccountChange, delete_ad_account, update_ad_account
from resolvers.lookup import ad_account_by_id, manager_account_by_id
from resolvers.manager_account_writes import (
    ManagerAccountChange,
    delete_manager_account,
    update_manager_account,
)
from resolvers.rules.tax_formats import TaxId
from resolvers.writing import Outcome
from schema import ids
from schema.ad_account import AdAccount
from schema.address_input import BusinessAddressInput
from schema.context import Info, shown
from schema.manager_account import ManagerAccount
from schema.payloads import Payload, WriteInput, body_of, order, writing
from schema.scalars import Decimal
from storage.records.ids import AdAccountId, ManagerAccountId
from storage.records.values import AutoTagType, Industry, Language

_TIME_STAMP = "Its `timeStamp` as you read it last; another one is refused (209)."


@strawberry.input(description="One tax id. On update, an empty value removes it.")
class TaxInformationInput:
    """One key and value."""

    key: str = strawberry.field(description="Which tax id it is: AUGSTNumber, CCM, CNPJ, CPF, VATNumber and so on.")
    value: str = strawberry.field(description="The tax id, in the form of its country.")


def _tax_ids(given: list[TaxInformationInput] | None) -> tuple[TaxId, ...]:
    return tuple(TaxId(one.key.strip(), one.value.strip()) for one in given or ())


def _instrument(text: strawberry.ID | None) -> int | None:
    return None if text is None else ids.payment_instrument_id(text)


@strawberry.input(
    description="A manager account as it is to become. What is read-only (market, number, status, service level) is"
    " not part of it."
)
class UpdateManagerAccountInput(WriteInput):
    """The input of `updateManagerAccount`."""

    customer_id: strawberry.ID = strawberry.field(description="The manager account.")
    time_stamp: str = strawberry.field(description=_TIME_STAMP)
    name: str = strawberry.field(description="Its name, 90 characters at most; always sent.")
    industry: Industry = strawberry.field(description="What its business is in; always sent. INTERNAL is reserved.")
    address: BusinessAddressInput | None = strawberry.field(
        default=None, description="Its address, as a whole; left out, it stays."
    )


@strawberry.input(description="A manager account nobody may delete.")
class DeleteManagerAccountInput(WriteInput):
    """The input of `deleteManagerAccount`."""

    customer_id: strawberry.ID = strawberry.field(description="The manager account.")
    time_stamp: str = strawberry.field(description="Its `timeStamp`.")


@strawberry.input(description="An ad account to be added. It begins as a DRAFT, and its number is made up.")
class AddAdAccountInput(WriteInput):
    """The input of `addAdAccount`."""

    parent_customer_id: strawberry.ID = strawberry.field(description="The manager account that is to own it.")
    name: str = strawberry.field(description="Its name, 3 to 100 characters, unlike its owner's other ad accounts.")
    currency_code: str = strawberry.field(description="The currency it is settled in, for good: one of 28.")
    business_address: BusinessAddressInput = strawberry.field(
        description="`businessName`, `line1`, `city` and `countryCode`; in BR and IN also `postalCode` and"
        " `stateOrProvince`."
    )
    time_zone: str | None = strawberry.field(
        default=None, description="The time zone of its reports; PacificTimeUSCanadaTijuana by default."
    )
    auto_tag_type: AutoTagType | None = strawberry.field(
        default=None, description="How tracking tags are added; INACTIVE by default."
    )
    tax_information: list[TaxInformationInput] | None = strawberry.field(
        default=None, description="Its tax ids: in AU, BR and IN some are needed."
    )
    primary_user_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Its primary contact, a Super Admin or Standard user of its owner or of the agency (rule C20);"
        " by default your user there.",
    )
    payment_method_id: strawberry.ID | None = strawberry.field(
        default=None, description="The payment instrument; needs MANAGE_PAYMENT_METHODS (rule C7)."
    )
    sold_to_payment_instrument_id: strawberry.ID | None = strawberry.field(
        default=None, description="The owner's instrument, needed when another manager account is billed."
    )
    linked_agency_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="The customer id of at most one agency: a pending account link of it is made, and the owner pays.",
    )

    def new(self) -> NewAdAccount:
        """As the use case takes it. Raises: Refusal BAD_USER_INPUT."""
        return NewAdAccount(
            owner=ids.manager_account_id(self.parent_customer_id),
            name=self.name,
            currency_code=self.currency_code,
            business_address=self.business_address.fields(),
            time_zone=self.time_zone,
            auto_tag_type=self.auto_tag_type,
            tax_information=_tax_ids(self.tax_information),
            primary_user_id=None if self.primary_user_id is None else ids.user_id(self.primary_user_id),
            payment_method_id=_instrument(self.payment_method_id),
            sold_to_payment_instrument_id=_instrument(self.sold_to_payment_instrument_id),
            linked_agencies=tuple(ids.manager_account_id(one) for one in self.linked_agency_ids or ()),
        )


@strawberry.input(
    description="An ad account as it is to become. What is left out stays; what is read-only is not part of it. A"
    " Campaign Manager changes `autoTagType` only: his other fields are ignored."
)
class UpdateAdAccountInput(WriteInput):
    """The input of `updateAdAccount`."""

    account_id: strawberry.ID = strawberry.field(description="The ad account.")
    time_stamp: str = strawberry.field(description=_TIME_STAMP)
    name: str = strawberry.field(description="Its name, 3 to 100 characters; always sent.")
    time_zone: str | None = strawberry.field(default=None, description="The time zone of its reports.")
    language: Language | None = strawberry.field(default=None, description="The language of its billing documents.")
    auto_tag_type: AutoTagType | None = strawberry.field(default=None, description="How tracking tags are added.")
    business_address: BusinessAddressInput | None = strawberry.field(
        default=None,
        description="The whole address on its bills: `businessName`, `line1`, `city`, `countryCode`, and the state"
        " where the country has states. Not for accounts billed by monthly invoice (1138).",
    )
    tax_information: list[TaxInformationInput] | None = strawberry.field(
        default=None,
        description="Tax ids to set, or with an empty value to remove; keys left out stay. Not for accounts billed by"
        " monthly invoice (1137).",
    )
    primary_user_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its primary contact, a Super Admin or Standard user (rule C20)."
    )
    payment_method_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The payment instrument, of the manager account that is billed; a valid one makes a DRAFT ACTIVE.",
    )
    backup_payment_instrument_id: strawberry.ID | None = strawberry.field(
        default=None, description="The instrument used when the first one fails; not for invoiced accounts."
    )
    sold_to_payment_instrument_id: strawberry.ID | None = strawberry.field(
        default=None, description="The owner's instrument, when another manager account is billed."
    )
    billing_threshold_amount: Decimal | None = strawberry.field(
        default=None, description="When it is billed; only users of the manager account that is billed set it (2203)."
    )

    def change(self) -> AdAccountChange:
        """As the use case takes it. Raises: Refusal BAD_USER_INPUT."""
        return AdAccountChange(
            account_id=ids.ad_account_id(self.account_id),
            time_stamp=self.time_stamp,
            name=self.name,
            time_zone=self.time_zone,
            language=self.language,
            auto_tag_type=self.auto_tag_type,
            business_address=None if self.business_address is None else self.business_address.fields(),
            tax_information=None if self.tax_information is None else _tax_ids(self.tax_information),
            primary_user_id=None if self.primary_user_id is None else ids.user_id(self.primary_user_id),
            payment_method_id=_instrument(self.payment_method_id),
            backup_payment_instrument_id=_instrument(self.backup_payment_instrument_id),
            sold_to_payment_instrument_id=_instrument(self.sold_to_payment_instrument_id),
            billing_threshold_micros=self.billing_threshold_amount,
        )


@strawberry.input(description="An ad account to be deleted.")
class DeleteAdAccountInput(WriteInput):
    """The input of `deleteAdAccount`."""

    account_id: strawberry.ID = strawberry.field(description="The ad account.")
    time_stamp: str = strawberry.field(description=_TIME_STAMP)


@strawberry.type(description="What came of writing a manager account.")
class ManagerAccountPayload(Payload):
    """The payload of both mutations."""

    @strawberry.field(description="The manager account as it is now; null when the write was refused.")
    def manager_account(self, parent: strawberry.Parent[Outcome], info: Info) -> ManagerAccount | None:
        key = parent.value.get("customer_id")
        return None if key is None else shown(manager_account_by_id(info.context, ManagerAccountId(key)))


@strawberry.type(description="What came of writing an ad account.")
class AdAccountPayload(Payload):
    """The payload of the three mutations."""

    @strawberry.field(description="The ad account as it is now; null when the write was refused.")
    def ad_account(self, parent: strawberry.Parent[Outcome], info: Info) -> AdAccount | None:
        key = parent.value.get("account_id")
        return None if key is None else shown(ad_account_by_id(info.context, AdAccountId(key)))


_UpdateManagerAccount = Annotated[
    UpdateManagerAccountInput, strawberry.argument(description="The manager account as it is to become.")
]
_DeleteManagerAccount = Annotated[DeleteManagerAccountInput, strawberry.argument(description="Which manager account.")]
_AddAdAccount = Annotated[AddAdAccountInput, strawberry.argument(description="The ad account to be added.")]
_UpdateAdAccount = Annotated[
    UpdateAdAccountInput, strawberry.argument(description="The ad account as it is to become.")
]
_DeleteAdAccount = Annotated[DeleteAdAccountInput, strawberry.argument(description="Which ad account.")]


@strawberry.type
class AccountMutations:
    """The part of `Mutation` about manager accounts and ad accounts."""

    @strawberry.mutation(
        description="Change a manager account (UpdateCustomer); needs UPDATE_MANAGER_ACCOUNT (rule C11)."
    )
    def update_manager_account(self, info: Info, input: _UpdateManagerAccount) -> ManagerAccountPayload | None:
        change = ManagerAccountChange(
            ids.manager_account_id(input.customer_id),
            input.time_stamp,
            input.name,
            input.industry,
            None if input.address is None else input.address.fields(),
        )
        ordered = order("updateManagerAccount", input, body_of(input))
        return shown(writing(info).carry_out(ordered, lambda session: update_manager_account(session, change)))

    @strawberry.mutation(description="Always refused: nobody may delete a manager account (DeleteCustomer, rule C19).")
    def delete_manager_account(self, info: Info, input: _DeleteManagerAccount) -> ManagerAccountPayload | None:
        key = ids.manager_account_id(input.customer_id)
        ordered = order("deleteManagerAccount", input, body_of(input))
        return shown(writing(info).carry_out(ordered, lambda session: delete_manager_account(session, key)))

    @strawberry.mutation(
        description="Add an ad account to a manager account that has no other DRAFT (AddAccount); needs"
        " ADD_AD_ACCOUNT (rule C9)."
    )
    def add_ad_account(self, info: Info, input: _AddAdAccount) -> AdAccountPayload | None:
        new = input.new()
        ordered = order("addAdAccount", input, body_of(input))
        return shown(writing(info).carry_out(ordered, lambda session: add_ad_account(session, new)))

    @strawberry.mutation(
        description="Change an ad account (UpdateAccount); needs UPDATE_AD_ACCOUNT (rule C5), or SET_AUTO_TAG (C4) for"
        " `autoTagType` alone."
    )
    def update_ad_account(self, info: Info, input: _UpdateAdAccount) -> AdAccountPayload | None:
        change = input.change()
        ordered = order("updateAdAccount", input, body_of(input))
        return shown(writing(info).carry_out(ordered, lambda session: update_ad_account(session, change)))

    @strawberry.mutation(
        description="Delete an ad account for good: it becomes INACTIVE and stays to be seen (DeleteAccount); needs"
        " DELETE_AD_ACCOUNT (rule C10)."
    )
    def delete_ad_account(self, info: Info, input: _DeleteAdAccount) -> AdAccountPayload | None:
        key = ids.ad_account_id(input.account_id)
        ordered = order("deleteAdAccount", input, body_of(input))
        return shown(
            writing(info).carry_out(ordered, lambda session: delete_ad_account(session, key, input.time_stamp))
        )
