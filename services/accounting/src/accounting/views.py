"""What clients send and are shown. Amounts are minor units of the currency beside them; debits minus credits is a balance."""

from datetime import UTC, date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from accounting.posting import MOST_LINES
from contracts.accounting import AccountKind, JournalLine
from tailrace.core.money import Currency
from tailrace.http.routing import Body, View

Code = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[0-9A-Za-z][0-9A-Za-z.\-]*$", examples=["1400"])]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Amount = Annotated[int, Field(ge=0, le=10**15, examples=[1250])]


def _no_time(value: object) -> object:
    """A day is written as one: midnight without a zone is not a day, it is half a moment."""
    if isinstance(value, str) and len(value) != len("2026-01-31"):
        raise ValueError("write a day as 2026-01-31, a time with its zone")
    return value


Day = Annotated[date, BeforeValidator(_no_time), Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))]
Moment = Annotated[AwareDatetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(3000, 1, 1, tzinfo=UTC))]
"""Days and times of the business lie in these eleven centuries, so that the day after one is a day too."""


class NewAccount(Body):
    code: Code
    name: Name
    kind: AccountKind


class AccountChange(Body):
    """`active`: whether people may post to it. Code and kind stay what they are."""

    name: Name
    active: bool = True


class AccountView(View):
    id: UUID
    version: int
    code: str
    name: str
    kind: AccountKind
    active: bool
    created_at: datetime
    updated_at: datetime


class NewPeriod(Body):
    """First and last day are both part of it; days are days of UTC."""

    name: Name
    first_day: Day
    last_day: Day


class Reason(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class NewClose(Body):
    """`year_end`: the period is the last of a fiscal year, whose income and expenses go to retained earnings."""

    year_end: bool = False


class PeriodView(View):
    """`closed`: no day up to the last one takes postings any more. `locked` alone: those of this period do not."""

    id: UUID
    version: int
    name: str
    first_day: date
    last_day: date
    locked: bool
    closed: bool
    year_end: bool
    created_at: datetime
    updated_at: datetime


class NewLine(Body):
    """Exactly one of `debit` and `credit` is above zero."""

    account: Code
    currency: Currency
    debit: Amount = 0
    credit: Amount = 0
    text: Annotated[str, Field(max_length=500)] | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.debit == 0) == (self.credit == 0):
            raise ValueError("exactly one of debit and credit must be above zero")
        return self

    def line(self) -> JournalLine:
        return JournalLine(**self.model_dump())


class NewJournal(Body):
    """`effective_at`: when it holds in the business; now, when left out."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    effective_at: Moment | None = None
    lines: Annotated[list[NewLine], Field(min_length=2, max_length=MOST_LINES)]


class NewReversal(Reason):
    """`effective_at`: when it takes effect; left out, when the journal did, or on the first open day after."""

    effective_at: Moment | None = None


class JournalSummary(View):
    """`source_effective_at`: when the posted event took effect, where that day was locked and the journal had to move on."""

    id: UUID
    version: int
    number: str
    text: str
    rule: str | None
    source_topic: str | None
    source_event_id: UUID | None
    source_id: UUID | None
    reverses: UUID | None
    reversed_by: UUID | None
    effective_at: datetime
    recorded_at: datetime
    source_effective_at: datetime | None
    created_at: datetime
    updated_at: datetime


class LineView(View):
    line: int
    account: str
    currency: str
    debit: int
    credit: int
    text: str | None


class JournalView(JournalSummary):
    lines: list[LineView]


class CurrencyTotalView(View):
    currency: str
    debit: int
    credit: int
    difference: int


class TrialBalanceRow(View):
    account: str
    name: str
    kind: AccountKind
    currency: str
    debit: int
    credit: int
    balance: int


class TrialBalanceView(View):
    """The pair of times asked for again gives exactly this again."""

    effective: datetime
    recorded: datetime
    rows: list[TrialBalanceRow]
    totals: list[CurrencyTotalView]


class BalanceView(View):
    currency: str
    balance: int


class LedgerLineView(View):
    journal_id: UUID
    number: str
    line: int
    text: str
    currency: str
    debit: int
    credit: int
    balance: int
    effective_at: datetime
    recorded_at: datetime


class LedgerView(View):
    """`opening`: the balances before the first item. The pair of times asked for again gives exactly this again."""

    account: str
    name: str
    kind: AccountKind
    effective: datetime
    recorded: datetime
    opening: list[BalanceView]
    items: list[LedgerLineView]
    next_cursor: str | None


class IntegrityView(View):
    """`mismatches`: journals whose events and entries differ, a hundred at most."""

    intact: bool
    recorded: datetime
    journals: int
    differences: list[CurrencyTotalView]
    mismatches: list[UUID]


class RuleView(View):
    """A version of a posting rule: the event it posts, and the first moment of effect it holds for."""

    name: str
    version: int
    event: str
    since: datetime


class RulebookView(View):
    """Every version of every posting rule."""

    rules: list[RuleView]
