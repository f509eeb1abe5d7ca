"""How a company wants its documents to look, as data: a child says what differs, and has the rest from its parent.

The last parent of all is `Layout()`, the built-in one. A layout in a body of a request is refused with each wrong field named. Its JSON holds what it
says itself, and nothing of its parent's.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Base64Bytes,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

from tailrace.core.values.text import line
from tailrace.core.values.wire import TextRule, WireModel

__all__ = ["COLUMNS", "Column", "DocumentKind", "Language", "Layout", "Words"]

DocumentKind = Literal["quote", "order_confirmation", "invoice", "credit_note", "reminder"]
Language = Literal["ja", "en"]
Column = Literal["position", "item", "quantity", "unit_price", "discount", "tax_rate", "amount"]
COLUMNS: tuple[Column, ...] = ("position", "item", "quantity", "unit_price", "discount", "tax_rate", "amount")


def _columns(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    if len(set(columns)) < len(columns):
        raise ValueError("a column stands once")
    if missing := {"item", "amount"} - set(columns):
        raise ValueError(f"a document shows {' and '.join(sorted(missing))}")
    return columns


def _picture(content: bytes) -> bytes:
    if len(content) > 300_000:
        raise ValueError("at most 300,000 bytes")
    if not content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        raise ValueError("a PNG or a JPEG")
    return content


_Word = Annotated[str, StringConstraints(min_length=1, max_length=60), BeforeValidator(TextRule(line))]
_Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500), BeforeValidator(TextRule(line))]


class Words(WireModel):
    """The words of one language. What is left out is the parent's."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True)

    title: dict[DocumentKind, _Word] = Field(default_factory=dict)
    """What the document is called, by its kind."""
    opening: dict[DocumentKind, _Sentence] = Field(default_factory=dict)
    """The sentence before the total, by kind."""
    total: dict[DocumentKind, _Word] = Field(default_factory=dict)
    """What the total at the head is called, by kind."""
    addressee: _Word | None = None
    """How the customer is addressed: `{}` stands for the name."""
    number: _Word | None = None
    """Before the number of the document."""
    version: _Word | None = None
    """Before its revision."""
    date: _Word | None = None
    """Before the day that it is of."""
    valid_until: _Word | None = None
    """Before the last day on which it can be accepted."""
    due_on: _Word | None = None
    """Before the last day on which it is paid in time."""
    payment_terms: _Word | None = None
    """Before how long after its invoice it is to be paid."""
    days_to_pay: _Word | None = None
    """How long that is: `{}` stands for the days, such as `30 days`."""
    supplied: _Word | None = None
    """Before the days on which what it is of was supplied."""
    reference: _Word | None = None
    """Before what the customer calls it."""
    about: _Word | None = None
    """Before the number of the document that this one corrects."""
    tax_id: _Word | None = None
    """Before a number that a tax office gave."""
    contact: _Word | None = None
    """Before the person who is addressed."""
    position: _Word | None = None
    """Over the places of lines."""
    item: _Word | None = None
    """Over what is offered."""
    quantity: _Word | None = None
    """Over how much of it."""
    unit_price: _Word | None = None
    """Over what one unit costs."""
    line_discount: _Word | None = None
    """Over the share that a line is lowered by."""
    tax_rate: _Word | None = None
    """Over the share that is due as tax."""
    amount: _Word | None = None
    """Over what lines come to."""
    subtotal: _Word | None = None
    """Before the sum of the lines."""
    discount: _Word | None = None
    """Before what the whole is lowered by."""
    net: _Word | None = None
    """Before the sum without tax."""
    tax: _Word | None = None
    """Before the sum of the taxes."""
    gross: _Word | None = None
    """Before what is to be paid."""
    taxed_at: _Word | None = None
    """A row of the taxes: `{}` stands for the rate."""
    tax_in_it: _Word | None = None
    """In a row of the taxes, before the tax itself."""
    terms: _Word | None = None
    """Over the terms that it is made on."""
    notes: _Word | None = None
    """Over whatever else it says."""
    currency: _Word | None = None
    """Above the table: `{}` stands for the code of the currency."""
    page: _Word | None = None
    """At the foot: `{page}` and `{pages}` stand for the numbers."""

    def over(self, parent: "Words") -> "Words":
        """These words, and the parent's where these have none."""
        mine = self.model_dump(exclude_none=True)
        under = parent.model_dump(exclude_none=True)
        merged = {
            key: {**under[key], **mine[key]}
            if key in ("title", "opening", "total") and key in under and key in mine
            else value
            for key, value in {**under, **mine}.items()
        }
        return Words.model_validate(merged)


class Layout(WireModel):
    """What a company may choose. Left out: as its parent has it."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True)

    paper: Literal["a4", "us-letter"] = "a4"
    """What it is printed on."""
    accent: Annotated[str, StringConstraints(pattern="^#[0-9a-fA-F]{6}$"), Field(examples=["#7a1f2b"])] = "#1f3a5f"
    """The colour of the title, of rules and of the head of the table."""
    columns: Annotated[tuple[Column, ...], AfterValidator(_columns), Field(examples=[("item", "amount")])] = COLUMNS
    """What the table shows, from the left. Discounts show only when a line has one."""
    words: dict[Language, Words] = Field(default_factory=dict)
    """Words in place of the built-in ones."""
    footer: Annotated[str, StringConstraints(max_length=120), BeforeValidator(TextRule(line))] | None = None
    """A line at the foot of each page, beside the page number."""
    logo: Annotated[Base64Bytes, AfterValidator(_picture), Field(examples=["iVBORw0KGgo="])] | None = None
    """A PNG or JPEG, at the head of the first page."""

    def over(self, parent: "Layout") -> "Layout":
        """This layout laid over its parent: what this one sets stays, all else is the parent's."""
        own = {name: getattr(self, name) for name in self.model_fields_set if name != "words"}
        words = dict(parent.words)
        for language, said in self.words.items():
            words[language] = said.over(words.get(language, Words()))
        return parent.model_copy(update={**own, "words": words})

    @model_serializer(mode="wrap")
    def _as_said(self, dump: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]  # its schema is the model's
        said: dict[str, Any] = dump(self)
        return {name: value for name, value in said.items() if name in self.model_fields_set}
