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
    name: Name
    kind: AccountKind


class AccountChange(Body):
    """`active`: whether people may post to it. Code and kind stay what they are."""

    name: Name
    active: bool = True


class NewPeriod(Body):
    """First and last day are both part of it; days are the company's."""

    name: Name
    first_day: Day
    last_day: Day


class NewClose(Body):
    """`year_end`: the period is the last of a fiscal year, whose income and expenses go to retained earnings."""

    year_end: bool = False


class NewLine(Body):
    """Exactly one of `debit` and `credit` is above zero."""

    account: AccountCode
    currency: Currency
    debit: Amount = 0
    credit: Amount = 0
    text: Sentence | None = None

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
    effective_at: Moment | None = None
    lines: Annotated[list[NewLine], Field(min_length=2, max_length=MOST_LINES)]


class NewReversal(ReasonBody):
    """`effective_at`: when it takes effect; left out, when the journal did, or on the first open day after."""

    effective_at: Moment | None = None
