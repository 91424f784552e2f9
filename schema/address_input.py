"""Addresses as they are sent, and what comes of checking one."""

from __future__ import annotations

import strawberry

from resolvers.rules.addresses import AddressAnswer, AddressFields, AddressStatus
from resolvers.rules.problems import Problem
from schema.context import shown


@strawberry.input(description="A postal address, as a whole: what is left out is empty.")
class BusinessAddressInput:
    """One address."""

    business_name: str | None = strawberry.field(default=None, description="The business, 100 characters at most.")
    line1: str | None = strawberry.field(default=None, description="First line, 35 characters at most, as the others.")
    line2: str | None = strawberry.field(default=None, description="Second line.")
    line3: str | None = strawberry.field(default=None, description="Third line.")
    line4: str | None = strawberry.field(default=None, description="Fourth line.")
    city: str | None = strawberry.field(default=None, description="City, 35 characters at most.")
    postal_code: str | None = strawberry.field(default=None, description="Postal code, 10 characters at most.")
    state_or_province: str | None = strawberry.field(
        default=None, description="State or province without the country's prefix: `WA`."
    )
    country_code: str | None = strawberry.field(default=None, description="Country, two capital letters.")

    def fields(self) -> AddressFields:
        """As the rules take it: blank is empty."""
        return AddressFields(
            *((getattr(self, name) or "").strip() or None for name in AddressFields._fields),
        )


@strawberry.type(description="An address as it was sent, or as it is better written.")
class AddressLines:
    """Resolved on `AddressFields`."""

    business_name: str | None = strawberry.field(description="The business.")
    line1: str | None = strawberry.field(description="First line.")
    line2: str | None = strawberry.field(description="Second line.")
    line3: str | None = strawberry.field(description="Third line.")
    line4: str | None = strawberry.field(description="Fourth line.")
    city: str | None = strawberry.field(description="City.")
    postal_code: str | None = strawberry.field(description="Postal code.")
    state_or_province: str | None = strawberry.field(description="State or province.")
    country_code: str | None = strawberry.field(description="Country.")


@strawberry.type(description="One thing wrong with an address.")
class AddressProblem:
    """Resolved on a `Problem`."""

    code: str = strawberry.field(description="A stable code.")
    message: str = strawberry.field(description="What is wrong.")
    number: int | None = strawberry.field(description="The documented error number, where there is one.")

    @strawberry.field(description="Which field it is about.")
    def field(self, parent: strawberry.Parent[Problem]) -> str:
        return parent.field[-1]


class CheckedAddress:
    """An address with the answer about it."""

    def __init__(self, address: AddressFields, answer: AddressAnswer) -> None:
        self.original_address = address
        self.status = answer.status
        self.suggested_addresses = answer.suggestions
        self.problems = answer.problems


@strawberry.type(
    description="Whether mail could arrive at an address. In AU, CA and US the postal code is looked up in a table of"
    " the states' ranges; elsewhere presence, length and country are checked. No street is ever looked up."
)
class AddressValidation:
    """Resolved on a `CheckedAddress`."""

    status: AddressStatus = strawberry.field(description="Whether it is valid, and whether there are suggestions.")

    @strawberry.field(description="The address as it was sent.")
    def original_address(self, parent: strawberry.Parent[CheckedAddress]) -> AddressLines:
        return shown(parent.original_address)

    @strawberry.field(description="How it is better written; empty where the status says so.")
    def suggested_addresses(self, parent: strawberry.Parent[CheckedAddress]) -> list[AddressLines]:
        return shown(parent.suggested_addresses)

    @strawberry.field(description="What is wrong with it.")
    def problems(self, parent: strawberry.Parent[CheckedAddress]) -> list[AddressProblem]:
        return shown(parent.problems)
