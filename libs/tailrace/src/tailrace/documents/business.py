"""The data of a business document: a quote, an order confirmation, an invoice, a credit note, a reminder. What contradicts itself is refused.

Money is in minor units of `currency`, of which `digits` stand behind the point; quantities and rates are decimals as text.
"""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from tailrace.core.values.fields import Day
from tailrace.core.values.layout import DocumentKind, Language
from tailrace.core.values.money import Currency

_Line = Annotated[str, StringConstraints(max_length=500)]
_Block = Annotated[str, StringConstraints(max_length=10_000)]
_Amount = Annotated[int, Field(ge=-(10**15), le=10**15)]
_Price = Annotated[Decimal, Field(ge=-(10**15), le=10**15, decimal_places=6)]
_Quantity = Annotated[Decimal, Field(max_digits=24, decimal_places=9)]
_Percent = Annotated[Decimal, Field(ge=0, le=1000, decimal_places=6)]


class _Part(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True)


class DocumentParty(_Part):
    """Who offers, or who is offered something."""

    name: _Line
    lines: Annotated[tuple[_Line, ...], Field(max_length=12)] = ()
    """The address as it is printed, line by line."""
    tax_id: _Line | None = None
    contact: _Line | None = None


class DocumentLine(_Part):
    """One line of the table."""

    position: int
    code: _Line
    name: _Line
    description: _Block | None = None
    quantity: _Quantity
    unit: _Line
    unit_price: _Price
    """In minor units, as finely as it was agreed: goods that cost half a cent do not cost one."""
    discount: _Percent | None = None
    """In percent."""
    net: _Amount
    """In minor units, after the discount of the line."""
    tax_code: _Line
    tax_rate: _Percent
    """In percent."""


class DocumentTax(_Part):
    """What is taxed at one rate."""

    code: _Line
    rate: _Percent
    net: _Amount
    tax: _Amount


class DocumentPrepayment(_Part):
    """What was paid ahead at one rate, and is not to be paid again."""

    about: _Line
    """The number of the document by which it was asked for."""
    rate: _Percent
    net: _Amount
    tax: _Amount


class BusinessDocument(_Part):
    """What a business document says, whatever its layout."""

    kind: DocumentKind
    language: Language
    number: _Line
    version: Annotated[int, Field(ge=1)] = 1
    date: Day
    valid_until: Day | None = None
    due_on: Day | None = None
    """The last day on which it is paid in time."""
    days_to_pay: Annotated[int, Field(ge=0, le=3650)] | None = None
    """How many days after its invoice it is to be paid, where there is none yet."""
    supplied_from: Day | None = None
    """The first day on which something of what it is of was supplied."""
    supplied_until: Day | None = None
    """The last one."""
    reference: _Line | None = None
    """What the customer calls it."""
    about: _Line | None = None
    """The number of the document that this one corrects."""
    currency: Currency
    digits: Annotated[int, Field(ge=0, le=4)]
    seller: DocumentParty
    customer: DocumentParty
    lines: Annotated[tuple[DocumentLine, ...], Field(max_length=1000)]
    taxes: tuple[DocumentTax, ...] = ()
    discount: _Amount | None = None
    """On the whole: taken off the sum of the lines."""
    net: _Amount
    tax: _Amount
    gross: _Amount
    prepayments: Annotated[tuple[DocumentPrepayment, ...], Field(max_length=200)] = ()
    """What was paid ahead of `gross`."""
    terms: _Block | None = None
    notes: _Block | None = None

    @property
    def due(self) -> int:
        """What is to be paid."""
        return self.gross - sum(each.net + each.tax for each in self.prepayments)

    @property
    def sum_of_lines(self) -> int:
        return sum(line.net for line in self.lines)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.sum_of_lines - (self.discount or 0) != self.net:
            raise ValueError(
                f"net is {self.net}, the lines less the discount {self.sum_of_lines - (self.discount or 0)}"
            )
        if self.taxes and sum(each.net for each in self.taxes) != self.net:
            raise ValueError(f"net is {self.net}, the taxed amounts {sum(each.net for each in self.taxes)}")
        if sum(each.tax for each in self.taxes) != self.tax:
            raise ValueError(f"tax is {self.tax}, the taxes {sum(each.tax for each in self.taxes)}")
        if self.net + self.tax != self.gross:
            raise ValueError(f"gross is {self.gross}, net and tax {self.net + self.tax}")
        return self
