"""What clients say of tariffs: whole, as they are to be."""

from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from tailrace.core.values.fields import Code, Country, Day, Name
from tailrace.core.values.meaning import Means
from tailrace.core.values.money import Currency, Rate
from tailrace.core.values.text import code, plain
from tailrace.core.values.wire import TextRule, WrongFields
from tailrace.http.routing import Body

MOST_RATES = 1000
"""As many as a file may have for one tariff, which travels whole in one event."""

_LONG_VOWEL = "\u30fc"
"""Which Japanese keyboards give in place of a hyphen, and which is a letter to Unicode."""


def postal_key(text: str) -> str:
    """A postal code as prefixes are compared: letters and digits alone, in capitals, full-width ones as plain ones."""
    return "".join(each for each in plain(text).upper() if each.isalnum() and each != _LONG_VOWEL)


Prefix = Annotated[
    str,
    StringConstraints(min_length=1, max_length=12, pattern=r"^[A-Za-z0-9 -]*[A-Za-z0-9][A-Za-z0-9 -]*$"),
    BeforeValidator(TextRule(code)),
    AfterValidator(postal_key),
]
Charge = Annotated[int, Field(ge=0, le=10**9, examples=[1250]), Means("In minor units: 1250 with EUR is 12.50.")]
"""What one parcel costs: so much that many of them are still an amount."""
Grams = Annotated[int, Field(gt=0, le=10**9)]


class TariffRateBody(Body):
    """What a parcel costs to a place, up to a weight."""

    country: Country
    """Where it goes."""
    postal_prefix: Prefix | None = None
    """How the postal code there begins, blanks and hyphens apart; the longest that fits counts. Null for the rest of the country."""
    up_to_grams: Grams
    """The heaviest parcel that it is for; a lighter one of the next lower row costs that."""
    price: Charge
    """In minor units of the tariff's currency."""


class TariffSurchargeBody(Body):
    """What a parcel costs besides: always, above a weight, above a length, or above either."""

    name: Name
    """What people call it."""
    amount: Charge
    """In minor units of the tariff's currency, for each parcel that it is for."""
    above_grams: Grams | None = None
    """Only parcels that weigh more, on the scales; null where weight does not count."""
    above_longest_mm: Annotated[int, Field(gt=0, le=100_000)] | None = None
    """Only parcels whose longest side is longer; null where length does not count."""


class TariffBody(Body):
    """A tariff as it is to be. `currency` never changes afterwards."""

    code: Code
    """What the tariff is known by; unique among those in use."""
    name: Name
    """What people call the tariff."""
    carrier_id: UUID
    """Whose tariff it is."""
    service: Code
    """What the carrier does for it, such as `standard` or `express`; by that name it is booked."""
    currency: Currency
    """What its amounts are in."""
    valid_from: Day
    """The first day that it holds, of the company's days."""
    valid_until: Day | None = None
    """The last day that it holds; null for no end."""
    days: Annotated[int, Field(ge=0, le=365)] | None = None
    """How many days the carrier takes; null where it does not say."""
    divisor: Annotated[int, Field(ge=100, le=100_000)] | None = None
    """Cubic centimetres that count as a kilogram, such as 5000; null where room does not count."""
    fuel_rate: Rate = Decimal(0)
    """The share of the price that is asked for fuel besides: 0.125 is twelve and a half per cent. It is rounded once for all parcels."""
    rates: Annotated[list[TariffRateBody], Field(min_length=1, max_length=MOST_RATES)]
    """What a parcel costs, by place and weight, in any order."""
    surcharges: Annotated[list[TariffSurchargeBody], Field(max_length=50)] = []
    """What a parcel costs besides."""
    active: bool = True
    """Whether it is quoted and booked."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise WrongFields("valid_until lies before valid_from.", "valid_until")
        known: set[tuple[str, str | None, int]] = set()
        for number, row in enumerate(self.rates):
            at = (row.country, row.postal_prefix, row.up_to_grams)
            if at in known:
                place = f"{row.country} {row.postal_prefix or ''}".strip()
                said = f"rates say twice what a parcel of {row.up_to_grams} g costs to {place}."
                raise WrongFields(said, f"rates/{number}")
            known.add(at)
        return self
