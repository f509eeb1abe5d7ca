"""What clients send. Amounts are minor units of the currency beside them."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from accounting.posting import MOST_LINES
from contracts.accounting import AccountKind, JournalLine
from tailrace.core.fields import Amount, Day, Moment, Name, Sentence
from tailrace.core.money import Currency
from tailrace.http.routing import Body, ReasonBody

AccountCode = Annotated[
    str, StringConstraints(max_length=20, pattern=r"^[0-9A-Za-z][0-9A-Za-z.\-]*$"), Field(examples=["1400"])
]


class NewAccount(Body):
    code: AccountCode
    """Its number in the chart; unique, and never changed."""
    name: Name
    """What it is called in reports."""
    kind: AccountKind
    """The side of the books that it is on; never changed."""


class AccountChange(Body):
    """`active`: whether people may post to it. Code and kind stay what they are."""

    name: Name
    """What it is called in reports."""
    active: bool = True
    """Whether people may post to it."""


class NewPeriod(Body):
    """First and last day are both part of it; days are days of UTC."""

    name: Name
    """What people call it, such as 2026-11."""
    first_day: Day
    """The day with which it begins."""
    last_day: Day
    """The day with which it ends; part of it."""


class NewClose(Body):
    """`year_end`: the period is the last of a fiscal year, whose income and expenses go to retained earnings."""

    year_end: bool = False
    """Whether it is the last of a fiscal year, whose income and expenses go to retained earnings."""


class NewJournalLine(Body):
    """Exactly one of `debit` and `credit` is above zero."""

    account: AccountCode
    """The code of the account that it is posted to."""
    currency: Currency
    """What it is in, an ISO 4217 code."""
    debit: Amount = 0
    """In minor units; 0 when it is a credit."""
    credit: Amount = 0
    """In minor units; 0 when it is a debit."""
    text: Sentence | None = None
    """What this line is for, when that differs from the whole journal."""

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.debit == 0) == (self.credit == 0):
            raise ValueError("exactly one of debit and credit must be above zero")
        return self

    def line(self) -> JournalLine:
        return JournalLine(**self.model_dump())


class NewJournal(Body):
    """`effective_at`: when it holds in the business; now, when left out."""

    text: Sentence
    """What was posted, in words."""
    effective_at: Moment | None = None
    """When it holds in the business; now when left out."""
    lines: Annotated[list[NewJournalLine], Field(min_length=2, max_length=MOST_LINES)]
    """Debits and credits, equal in every currency."""


class NewReversal(ReasonBody):
    """`effective_at`: when it takes effect; left out, when the journal did, or on the first open day after."""

    effective_at: Moment | None = None
    """When it takes effect; left out, when the journal did, or on the first open day after."""
