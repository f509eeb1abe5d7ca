"""Prices by tariff, reckoned here by hand."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from shipping.rates.pricing import Candidate, Price, cheapest, fastest, price_of, written

TOKYO = {"country": "JP", "postal_code": "100-0001"}


@dataclass
class Box:
    weight_grams: int
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None


def row(up_to: int, price: int, prefix: str | None = None, country: str = "JP") -> dict[str, Any]:
    return {"country": country, "postal_prefix": prefix, "up_to_grams": up_to, "price": price}


@dataclass
class Terms:
    rates: list[dict[str, Any]]
    valid_from: date = date(2026, 1, 1)
    valid_until: date | None = date(2026, 12, 31)
    divisor: int | None = 5000
    fuel_rate: Decimal = Decimal("0.125")
    surcharges: list[dict[str, Any]] = field(default_factory=list)


DAY = date(2026, 6, 1)
JAPAN = Terms([row(2000, 800), row(500, 600), row(2000, 700, "10"), row(500, 500, "10"), row(500, 9000, "9")])


def total(terms: Terms, *parcels: Box, to: Any = TOKYO, on: date = DAY) -> Any:
    price = price_of(terms, to, parcels, on)
    return (price.total, price.chargeable_grams) if isinstance(price, Price) else price


def test_a_postal_code_counts_however_wide_it_is_written() -> None:
    terms = Terms([row(500, 500, "100"), row(500, 900)], fuel_rate=Decimal(0))
    for code, price in (
        ("１００－０００１", 500),
        ("１００ー０００１", 500),
        ("〒１００−０００１", 500),
        ("２００－０００１", 900),
    ):
        assert total(terms, Box(500), to={"country": "JP", "postal_code": code}) == (price, 500), code


def test_the_longest_prefix_the_next_weight_and_the_room_decide() -> None:
    assert total(JAPAN, Box(500)) == (500 + 63, 500)  # 62.5 for fuel, half up
    assert total(JAPAN, Box(501)) == (700 + 88, 501)
    assert total(JAPAN, Box(400, 200, 150, 100)) == (700 + 88, 600)  # 3,000,000 mm³ are 600 g
    assert total(JAPAN, Box(400, 200, 150, 83)) == (500 + 63, 498)
    assert total(JAPAN, Box(400, 201, 151, 83)) == (700 + 88, 504)  # 503.8 g, the begun one whole
    assert total(JAPAN, Box(500), Box(500), Box(1999)) == (1700 + 213, 2999)  # fuel once: 212.5
    assert total(JAPAN, Box(500), to={"country": "JP", "postal_code": "530-0001"}) == (600 + 75, 500)
    assert total(JAPAN, Box(500), to={"country": "JP"}) == (600 + 75, 500)
    assert total(Terms(JAPAN.rates, divisor=None), Box(400, 900, 900, 900)) == (563, 400)


def test_surcharges_are_for_the_parcels_that_they_are_for() -> None:
    def extra(name: str, amount: int, grams: int | None = None, longest: int | None = None) -> dict[str, Any]:
        return {"name": name, "amount": amount, "above_grams": grams, "above_longest_mm": longest}

    several = [
        extra("Toll", 10),
        extra("Heavy", 100, 1000),
        extra("Long", 1000, None, 600),
        extra("Both", 5, 1000, 600),
    ]
    terms = Terms(JAPAN.rates, surcharges=several, fuel_rate=Decimal(0), divisor=None)
    price = price_of(terms, TOKYO, [Box(1000, 100, 600, 100), Box(1001), Box(10, 100, 100, 601)], DAY)
    assert isinstance(price, Price)
    assert [(each.name, each.amount) for each in price.charges] == [
        (None, 700 + 700 + 500),
        ("Toll", 30),
        ("Heavy", 100),
        ("Long", 1000),
        ("Both", 10),
    ]


def test_what_a_tariff_is_not_for_says_why() -> None:
    assert total(JAPAN, Box(1), on=date(2025, 12, 31)) == total(JAPAN, Box(1), on=date(2027, 1, 1)) == "not_valid"
    assert isinstance(total(JAPAN, Box(1), on=date(2026, 1, 1)), tuple)
    assert isinstance(total(JAPAN, Box(1), on=date(2026, 12, 31)), tuple)
    assert total(JAPAN, Box(1), to=None) == total(JAPAN, Box(1), to={"country": None}) == "no_destination"
    assert total(JAPAN, Box(1), to={"country": "DE", "postal_code": "10115"}) == "not_served"
    assert total(JAPAN, Box(2001)) == "too_heavy"
    # The zone of the longest prefix ends at 500 g: a heavier one does not fall back to the country's.
    assert total(JAPAN, Box(501), to={"country": "JP", "postal_code": "900-0001"}) == "too_heavy"


def test_choices_have_their_reason() -> None:
    slow, quick, dear, silent = (
        Candidate("S", 900, 4),
        Candidate("Q", 900, 2),
        Candidate("D", 1500, 2),
        Candidate("N", 950, None),
    )
    assert cheapest([], "JPY") is fastest([silent], "JPY") is None
    found = cheapest([slow, silent, quick], "JPY")
    assert found == (quick, "900 JPY, as 1 others ask, and none of those is faster.")
    assert fastest([dear, slow, quick], "EUR") == (
        quick,
        "2 days, as 1 others take, and none of those is below 9.00 EUR.",
    )
    assert cheapest([dear], "EUR") == (dear, "15.00 EUR: the only tariff that is for it.")
    assert fastest([slow, dear, silent], "EUR") == (dear, "2 days: the fewest of 2 that say how long they take.")
    assert (written(5, "EUR"), written(1234, "KWD")) == ("0.05 EUR", "1.234 KWD")
