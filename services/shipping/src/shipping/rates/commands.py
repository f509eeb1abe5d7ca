"""What a shipment costs: by each tariff that is active, on a day of the company's, and which of them is chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import select

from shipping.models import Shipment
from shipping.rates.models import Tariff
from shipping.rates.pricing import Candidate, Price, Reason, cheapest, fastest, price_of
from shipping.rates.refusals import NotPacked
from tailrace.db.database import Tx

Choice = Literal["cheapest", "fastest"]
MOST_TARIFFS = 500


@dataclass(frozen=True, slots=True)
class Quote:
    """What it costs by a tariff, or why that is not for it."""

    tariff: Tariff
    price: Price | Reason


@dataclass(frozen=True, slots=True)
class Quotes:
    """Of one shipment. `chosen` has the tariff and the reason, in the order's currency; a choice that there is none of is left out."""

    quotes: Sequence[Quote]
    chosen: Mapping[Choice, tuple[Tariff, str]]


def ensure_packed(shipment: Shipment) -> None:
    """Raises NotPacked unless everything is in parcels, and each was weighed."""
    if not shipment.is_packed:
        raise NotPacked(f"Not everything of shipment {shipment.number} is in a parcel.")
    for package in shipment.packages:
        if package.weight_grams is None:
            raise NotPacked(f"Parcel {package.sscc or package.id} of shipment {shipment.number} was not weighed.")


async def quote(tx: Tx, shipment: Shipment, on: date) -> Quotes:
    """By every active tariff. Raises NotPacked."""
    ensure_packed(shipment)
    active = select(Tariff).where(Tariff.active, Tariff.deleted_at.is_(None)).order_by(Tariff.id).limit(MOST_TARIFFS)
    found = [Quote(each, quote_by(each, shipment, on)) for each in await tx.scalars(active)]
    found.sort(key=_order)
    return Quotes(found, _chosen(found, shipment.currency))


def quote_by(tariff: Tariff, shipment: Shipment, on: date) -> Price | Reason:
    return price_of(tariff, shipment.ship_to, shipment.packages, on)


def _order(quote: Quote) -> tuple[bool, str, int, str]:
    total = quote.price.total if isinstance(quote.price, Price) else 0
    return (not isinstance(quote.price, Price), quote.tariff.currency, total, quote.tariff.code)


def _chosen(quotes: Sequence[Quote], currency: str) -> Mapping[Choice, tuple[Tariff, str]]:
    by_code = {each.tariff.code: each.tariff for each in quotes}
    candidates = [
        Candidate(each.tariff.code, each.price.total, each.tariff.days)
        for each in quotes
        if isinstance(each.price, Price) and each.tariff.currency == currency
    ]
    ways: Mapping[Choice, tuple[Candidate, str] | None] = {
        "cheapest": cheapest(candidates, currency),
        "fastest": fastest(candidates, currency),
    }
    return {way: (by_code[found[0].code], found[1]) for way, found in ways.items() if found is not None}
