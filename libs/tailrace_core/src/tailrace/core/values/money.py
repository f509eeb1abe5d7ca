"""Exact amounts: money is integer minor units with an ISO 4217 currency, quantities are Decimals. No float comes near either."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Annotated, Any, Final, Literal, Self, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
)
from pydantic_core import CoreSchema

from tailrace.core.values.meaning import Means
from tailrace.core.values.wire import plain_number

# ISO 4217 minor-unit exponents that differ from 2 (ISO 4217 list one, 2024 edition).
_EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
# Currencies in use, ISO 4217 list one, without funds, metals and testing codes.
_CURRENCIES = frozenset(
    """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNY
COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD
IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS
SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XOF XPF
YER ZAR ZMW ZWG
""".split()
)


def _known_currency(code: str) -> str:
    if code not in _CURRENCIES:
        raise ValueError(f"{code} is not an ISO 4217 currency code")
    return code


def plain_decimal(value: Decimal) -> str:
    """Shortest fixed-point text: 1.500000 → "1.5", 1E+2 → "100". One value has one spelling, so hashes and bytes agree."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _canonical(value: Decimal) -> Decimal:
    """A zero is just zero: -0 would compare equal and print otherwise."""
    return value if value else Decimal(0)


# What is said of these types goes into every schema that uses them.
Currency = Annotated[
    str,
    Field(pattern="^[A-Z]{3}$", examples=["EUR"]),
    AfterValidator(_known_currency),
    Means("An ISO 4217 code in capitals."),
]
"""An ISO 4217 code in capitals."""

_WRITTEN, _CANONICAL = BeforeValidator(plain_number), AfterValidator(_canonical)
_PLAIN = PlainSerializer(plain_decimal, return_type=str, when_used="json")


@dataclass(frozen=True, slots=True)
class _Spelled:
    """How the text of a decimal looks, for its schema: pydantic counts digits, and does not say so."""

    pattern: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        found = handler(schema)
        for branch in found.get("anyOf", [found]):
            if branch.get("type") == "string":
                branch.update(format="decimal", pattern=self.pattern)
        return found


_UNSIGNED, _SIGNED = _Spelled(r"^[0-9]{1,12}(\.[0-9]{1,6})?$"), _Spelled(r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$")
_SHARE = _Spelled(r"^[01](\.[0-9]{1,6})?$")

Exact = Annotated[
    Decimal, _WRITTEN, _CANONICAL, _PLAIN, Means("A decimal; answered as a string, exactly as it is kept.")
]
# Bounds stand before what follows them, so that the schema of a body says them too.
Quantity = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=6, gt=0),
    _WRITTEN,
    _CANONICAL,
    _PLAIN,
    Field(examples=["12.5"]),
    _UNSIGNED,
    Means("In the unit named beside it, else the item's base unit."),
]
"""How much of an item, in a unit named beside it; above zero, at most six decimals. JSON: a string."""

SignedQuantity = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=6),
    _WRITTEN,
    _CANONICAL,
    _PLAIN,
    Field(examples=["-1.5"]),
    _SIGNED,
    Means("In the unit named beside it, else the item's base unit."),
]
"""The same, of any sign."""

QuantityTotal = Annotated[
    Decimal,
    _WRITTEN,
    _CANONICAL,
    _PLAIN,
    Field(examples=["12.5"]),
    _Spelled(r"^-?[0-9]+(\.[0-9]{1,6})?$"),
    Means("What quantities add up to, in the unit named beside them: exact, and without a bound."),
]
"""What quantities add up to. It has no bound: a thousand of the largest quantities are a total too. JSON: a string."""

UnitPrice = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=6, ge=0),
    _WRITTEN,
    _CANONICAL,
    _PLAIN,
    Field(examples=["1250"]),
    _UNSIGNED,
    Means("Of one unit, in minor units of the currency beside it."),
]
"""Price of one unit in minor units of a currency named beside it, at most six decimals (1250 with EUR is 12.50). JSON: a string."""

Rate = Annotated[
    Decimal,
    Field(max_digits=9, decimal_places=6, ge=0, le=1),
    _WRITTEN,
    _CANONICAL,
    _PLAIN,
    Field(examples=["0.1"]),
    _SHARE,
    Means("A share of one: 0.1 is ten per cent."),
]
"""A share of one: 0.1 is ten per cent. JSON: a string."""


def refuse_bare_decimals(model: type[BaseModel]) -> None:
    """Raises TypeError for a field of a view or an event that is a Decimal and nothing more.

    It would say 2.5 when a row is made, and 2.500000, as the column keeps it, when the row is read: two answers for one value.
    """
    for name, field in model.model_fields.items():
        if _PLAIN not in field.metadata and _is_bare(field.annotation):
            raise TypeError(
                f"{model.__name__}.{name} is a Decimal, which says the zeros of its column too:"
                " make it Exact, Quantity, UnitPrice or Rate of tailrace.core.values.money"
            )


def _is_bare(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _PLAIN not in annotation.__metadata__ and _is_bare(annotation.__origin__)
    return annotation is Decimal or any(_is_bare(part) for part in get_args(annotation))


LARGEST_AMOUNT: Final = 10**15
"""Of one line or one document, in minor units, above or below zero. What such amounts add up to may be larger."""

PRICE_BOUND: Final = 10**12
"""A price of one unit is below this: twelve digits before its decimals. What is sold once, for an amount of its own, has to be a price too."""

Minor = Annotated[
    int,
    Field(ge=-LARGEST_AMOUNT, le=LARGEST_AMOUNT, examples=[1250]),
    Means("In minor units of the currency: 1250 with EUR is 12.50."),
]
"""An amount in minor units of a currency named beside it."""

MinorTotal = Annotated[
    int,
    Field(examples=[1250]),
    Means("What amounts add up to, in minor units of the currency: exact, and without a bound."),
]
"""What amounts add up to, in minor units of a currency named beside it. It has no bound: a thousand of the largest amounts are a total too."""


def exponent(currency: str) -> int:
    """Decimals between the minor and the major unit: 2 for EUR, 0 for JPY, 3 for KWD (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)


RoundingMode = Literal["half_up", "half_even", "down"]
"""`half_up`: to the nearest, ties away from zero (EN 16931). `half_even`: to the nearest, ties to the even one. `down`: towards zero."""


def round_minor(value: Decimal | Fraction, mode: RoundingMode = "half_up") -> int:
    """To whole minor units, by default half up: the one rounding an amount ever sees. Exact at any length.

    The sign does not matter: a credit note mirrors its invoice to the minor unit.
    """
    exact = Fraction(value)
    if mode == "half_even":
        return round(exact)
    size = floor(abs(exact) + Fraction(1, 2)) if mode == "half_up" else floor(abs(exact))
    return size if exact >= 0 else -size


def portion(amount: int, part: Decimal, whole: Decimal) -> int:
    """`amount × part ÷ whole`, exact until it is rounded once."""
    return round_minor(Fraction(amount) * Fraction(part) / Fraction(whole))


def share(amount: int, done: Decimal, part: Decimal, whole: Decimal) -> int:
    """The part of `amount` that falls to `part` of `whole` when `done` came before.

    Shares of consecutive parts add up to the amount exactly, whatever the cuts: each is the difference of two roundings of the running total.
    """
    before, now = Fraction(done), Fraction(done) + Fraction(part)
    of_one = Fraction(amount) / Fraction(whole)
    return round_minor(of_one * now) - round_minor(of_one * before)


class Money(BaseModel):
    """An amount in minor units (cents for EUR, yen for JPY) with its currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Minor
    currency: Currency

    def __add__(self, other: "Money") -> Self:
        if self.currency != other.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return type(self)(amount=self.amount + other.amount, currency=self.currency)
