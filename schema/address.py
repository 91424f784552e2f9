"""Postal addresses and contact details."""

from __future__ import annotations

import strawberry

from resolvers.lookup import address_by_id
from schema.context import Info, shown
from storage.records.rows import ContactInfoRow
from storage.records.values import EmailFormat


@strawberry.type(description="A postal address.")
class Address:
    """Resolved on an `AddressRow`."""

    address_id: strawberry.ID = strawberry.field(description="The id of the address.")
    business_name: str | None = strawberry.field(description="The business; without meaning on a user's address.")
    line1: str | None = strawberry.field(description="First line, 35 characters at most.")
    line2: str | None = strawberry.field(description="Second line.")
    line3: str | None = strawberry.field(description="Third line.")
    line4: str | None = strawberry.field(description="Fourth line.")
    city: str | None = strawberry.field(description="City.")
    postal_code: str | None = strawberry.field(description="Postal code, 10 characters at most.")
    state_or_province: str | None = strawberry.field(
        description="State or province without the country's prefix: `WA`; null where the country has none."
    )
    country_code: str | None = strawberry.field(description="Country, two letters.")
    time_stamp: str = strawberry.field(description="Opaque; changes with every write. Send it back to update.")


@strawberry.type(description="How a user is reached.")
class ContactInfo:
    """Resolved on a `ContactInfoRow`."""

    contact_info_id: strawberry.ID = strawberry.field(description="The id of the contact info.")
    email: str | None = strawberry.field(description="E-mail; may differ from the login.")
    phone1: str | None = strawberry.field(description="The phone `contactByPhone` means.")
    phone2: str | None = strawberry.field(description="Another phone.")
    home_phone: str | None = strawberry.field(description="Phone at home.")
    mobile: str | None = strawberry.field(description="Mobile phone.")
    fax: str | None = strawberry.field(description="Fax.")
    contact_by_phone: bool | None = strawberry.field(description="Whether the user may be called.")
    contact_by_postal_mail: bool | None = strawberry.field(description="Whether the user may be written to by post.")
    email_format: EmailFormat | None = strawberry.field(
        description="How mail is formatted; without it the user is sent none."
    )

    @strawberry.field(description="The postal address.")
    def address(self, parent: strawberry.Parent[ContactInfoRow], info: Info) -> Address | None:
        return shown(address_by_id(info.context, parent.address_id))
