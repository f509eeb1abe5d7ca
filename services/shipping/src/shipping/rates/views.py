"""What clients are shown of tariffs, and of what a shipment costs by them."""

from datetime import date
from uuid import UUID

from shipping.rates.pricing import Kind, Reason
from tailrace.core.values.money import Exact
from tailrace.http.routing import ResourceView, View


class TariffRateView(View):
    country: str
    """Where a parcel goes."""
    postal_prefix: str | None
    """How the postal code there begins; null for the rest of the country."""
    up_to_grams: int
    """The heaviest parcel that it is for."""
    price: int
    """In minor units of the tariff's currency."""


class TariffSurchargeView(View):
    name: str
    """What people call it."""
    amount: int
    """In minor units of the tariff's currency, for each parcel that it is for."""
    above_grams: int | None
    """Only parcels that weigh more."""
    above_longest_mm: int | None
    """Only parcels whose longest side is longer."""


class TariffSummary(ResourceView):
    code: str
    """What the tariff is known by; unique among those in use."""
    name: str
    """What people call the tariff."""
    carrier_id: UUID
    """Whose tariff it is."""
    service: str
    """What the carrier does for it."""
    currency: str
    """What its amounts are in."""
    valid_from: date
    """The first day that it holds."""
    valid_until: date | None
    """The last day that it holds; null for no end."""
    days: int | None
    """How many days the carrier takes; null where it does not say."""
    divisor: int | None
    """Cubic centimetres that count as a kilogram; null where room does not count."""
    fuel_rate: Exact
    """The share of the price that is asked for fuel besides."""
    active: bool
    """Whether it is quoted and booked."""


class TariffView(TariffSummary):
    rates: list[TariffRateView]
    """What a parcel costs, by place and weight."""
    surcharges: list[TariffSurchargeView]
    """What a parcel costs besides."""


class TariffChargeView(View):
    kind: Kind
    """Carriage itself, a surcharge, or fuel."""
    name: str | None
    """Which surcharge; null for others."""
    amount: int
    """In minor units of the quote's currency."""


class TariffQuoteView(View):
    """What a shipment costs by a tariff, or why it is not for it."""

    tariff_id: UUID
    """The tariff that the price was reckoned by."""
    code: str
    """What the tariff is known by."""
    carrier_id: UUID
    """Whose tariff it is."""
    service: str
    """What the carrier does for it."""
    currency: str
    """What the amounts are in."""
    days: int | None
    """How many days the carrier takes; null where it does not say."""
    total: int | None
    """All charges together, in minor units; null where the tariff is not for it."""
    chargeable_grams: int | None
    """What the parcels count for; null where the tariff is not for it."""
    charges: list[TariffChargeView]
    """What the total is made of."""
    unavailable: Reason | None
    """Why the tariff is not for it; null where it is."""


class TariffChoiceView(View):
    """A tariff, and why that one."""

    tariff_id: UUID
    """The tariff that was chosen of those quoted."""
    reason: str
    """Why this one, in a sentence."""


class TariffQuotesView(View):
    """What a shipment costs by each active tariff, those that are not for it last."""

    shipment_id: UUID
    """What is to be sent."""
    on: date
    """The company's day that the tariffs are asked for."""
    currency: str
    """The currency of the order, in which the cheapest and the fastest are looked for."""
    quotes: list[TariffQuoteView]
    """The cheapest first within a currency."""
    cheapest: TariffChoiceView | None
    """The lowest price in the order's currency, of several the fastest; null of none."""
    fastest: TariffChoiceView | None
    """The fewest days in the order's currency, of several the cheapest; null where nobody says how long it takes."""
