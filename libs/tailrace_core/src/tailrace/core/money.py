"""Exact amounts: money is integer minor units with an ISO 4217 currency, quantities are Decimals. No float comes near either."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from tailrace.core.wire import plain_number

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
    Field(pattern="^[A-Z]{3}$", examples=["EUR"], description="An ISO 4217 code in capitals."),
    AfterValidator(_known_currency),
]
"""An ISO 4217 code in capitals."""

Exact = Annotated[
    Decimal,
    BeforeValidator(plain_number),
    AfterValidator(_canonical),
    PlainSerializer(plain_decimal, return_type=str, when_used="json"),
]
Quantity = Annotated[
    Exact,
    Field(
        max_digits=18,
        decimal_places=6,
        gt=0,
        examples=["12.5"],
        description="In the unit named beside it, else the item's base unit.",
    ),
]
"""How much of an item, in a unit named beside it; above zero, at most six decimals. JSON: a string."""

SignedQuantity = Annotated[
    Exact,
    Field(
        max_digits=18,
        decimal_places=6,
        examples=["-1.5"],
        description="In the unit named beside it, else the item's base unit.",
    ),
]
"""The same, of any sign."""

UnitPrice = Annotated[
    Exact,
    Field(
        max_digits=18,
        decimal_places=6,
        ge=0,
        examples=["1250"],
        description="Of one unit, in minor units of the currency beside it.",
    ),
]
"""Price of one unit in minor units of a currency named beside it, at most six decimals (1250 with EUR is 12.50). JSON: a string."""

Rate = Annotated[
    Exact,
    Field(
        max_digits=9,
        decimal_places=6,
        ge=0,
        le=1,
        examples=["0.1"],
        description="A share of one: 0.1 is ten per cent.",
    ),
]
"""A share of one: 0.1 is ten per cent. JSON: a string."""

Minor = Annotated[
    int,
    Field(
        ge=-(10**15), le=10**15, examples=[1250], description="In minor units of the currency: 1250 with EUR is 12.50."
    ),
]
"""An amount in minor units of a currency named beside it."""


def exponent(currency: str) -> int:
    """Decimals between the minor and the major unit: 2 for EUR, 0 for JPY, 3 for KWD (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)


def round_minor(value: Decimal | Fraction) -> int:
    """To whole minor units, half to even: the one rounding an amount ever sees. Exact at any length."""
    return round(Fraction(value))


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
