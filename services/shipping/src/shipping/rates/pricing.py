"""What parcels cost by a tariff: exact, each amount rounded once, or the reason why the tariff is not for them.

For each parcel the price of its weight, or of its room where that counts for more, and the surcharges that it is liable to; then fuel, a share of
all prices together, rounded half up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, Protocol

from shipping.rates.bodies import postal_key
from tailrace.core.values.money import exponent, round_minor

Reason = Literal["not_valid", "no_destination", "not_served", "too_heavy"]
Kind = Literal["carriage", "surcharge", "fuel"]


class Terms(Protocol):
    """What of a tariff makes a price; `divisor` in cubic millimetres for a gram."""

    valid_from: Any
    valid_until: Any
    divisor: Any
    fuel_rate: Any
    rates: Any
    surcharges: Any


class Parcel(Protocol):
    """In grams and millimetres; the sides are all there, or none."""

    weight_grams: Any
    length_mm: Any
    width_mm: Any
    height_mm: Any


@dataclass(frozen=True, slots=True)
class Charge:
    """An amount in minor units, and what for."""

    kind: Kind
    name: str | None
    amount: int


@dataclass(frozen=True, slots=True)
class Price:
    """The charges, and what all parcels together count for, in grams."""

    charges: Sequence[Charge]
    chargeable_grams: int

    @property
    def total(self) -> int:
        return sum(charge.amount for charge in self.charges)


def chargeable_grams(parcel: Parcel, divisor: int | None) -> int:
    """What the parcel weighs, or what its room counts for, begun grams as whole ones, whichever is more."""
    if divisor is None or parcel.length_mm is None:
        return int(parcel.weight_grams)
    room = parcel.length_mm * parcel.width_mm * parcel.height_mm
    return int(max(parcel.weight_grams, -(-room // divisor)))


def price_of(
    terms: Terms, destination: Mapping[str, Any] | None, parcels: Sequence[Parcel], on: date
) -> Price | Reason:
    """By this tariff, on a day of the company's."""
    if not terms.valid_from <= on <= (terms.valid_until or date.max):
        return "not_valid"
    if destination is None or not destination.get("country"):
        return "no_destination"
    rows = _rows_for(terms.rates, destination["country"], postal_key(destination.get("postal_code") or ""))
    if not rows:
        return "not_served"
    weights = [chargeable_grams(parcel, terms.divisor) for parcel in parcels]
    prices = [_price_for(rows, grams) for grams in weights]
    carriage = 0
    for price in prices:
        if price is None:
            return "too_heavy"
        carriage += price
    charges = [Charge("carriage", None, carriage)]
    for surcharge in terms.surcharges:
        count = sum(_is_liable(surcharge, parcel) for parcel in parcels)
        if count:
            charges.append(Charge("surcharge", surcharge["name"], surcharge["amount"] * count))
    if fuel := round_minor(Decimal(carriage) * terms.fuel_rate):
        charges.append(Charge("fuel", None, fuel))
    return Price(charges, sum(weights))


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is chosen from: a name, minor units, and days, None where the carrier does not say."""

    code: str
    total: int
    days: int | None


def cheapest(candidates: Sequence[Candidate], currency: str) -> tuple[Candidate, str] | None:
    """The lowest price, of several the fastest, with the reason in a sentence; None of none. All are in `currency`."""
    if not candidates:
        return None
    found = min(candidates, key=lambda each: (each.total, _days(each), each.code))
    same = [each for each in candidates if each.total == found.total]
    price = written(found.total, currency)
    if len(candidates) == 1:
        return found, f"{price}: the only tariff that is for it."
    if len(same) > 1:
        return found, f"{price}, as {len(same) - 1} others ask, and none of those is faster."
    return found, f"{price}: the lowest of {len(candidates)}."


def fastest(candidates: Sequence[Candidate], currency: str) -> tuple[Candidate, str] | None:
    """The fewest days, of several the cheapest, with the reason in a sentence; None where nobody says how long it takes."""
    known = [each for each in candidates if each.days is not None]
    if not known:
        return None
    found = min(known, key=lambda each: (_days(each), each.total, each.code))
    same = [each for each in known if each.days == found.days]
    price = written(found.total, currency)
    if len(same) > 1:
        return found, f"{found.days} days, as {len(same) - 1} others take, and none of those is below {price}."
    return found, f"{found.days} days: the fewest of {len(known)} that say how long they take."


def written(amount: int, currency: str) -> str:
    """An amount for people to read, with its currency."""
    return f"{Decimal(amount).scaleb(-exponent(currency)):f} {currency}"


def _rows_for(rates: Sequence[Mapping[str, Any]], country: str, postal: str) -> Sequence[Mapping[str, Any]]:
    """The rows of the longest prefix that the postal code begins with, the lightest first."""
    fitting = [row for row in rates if row["country"] == country and postal.startswith(row["postal_prefix"] or "")]
    longest = max((len(row["postal_prefix"] or "") for row in fitting), default=0)
    found = [row for row in fitting if len(row["postal_prefix"] or "") == longest]
    return sorted(found, key=lambda row: row["up_to_grams"])


def _price_for(rows: Sequence[Mapping[str, Any]], grams: int) -> int | None:
    return next((int(row["price"]) for row in rows if grams <= row["up_to_grams"]), None)


def _is_liable(surcharge: Mapping[str, Any], parcel: Parcel) -> bool:
    grams, longest = surcharge["above_grams"], surcharge["above_longest_mm"]
    if grams is None and longest is None:
        return True
    if grams is not None and parcel.weight_grams > grams:
        return True
    sides = [side for side in (parcel.length_mm, parcel.width_mm, parcel.height_mm) if side is not None]
    return longest is not None and max(sides, default=0) > longest


def _days(each: Candidate) -> int:
    return 10**6 if each.days is None else each.days
