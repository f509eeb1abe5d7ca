"""What clients send. Amounts are minor units of the currency beside them."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from accounting.chart import AccountCode
from accounting.posting import MOST_LINES
from contracts.accounting import AccountKind, AccountRole, JournalLine
from tailrace.core.values.fields import Amount, Day, FileText, MomentOrDay, Name, Sentence
from tailrace.core.values.money import Currency
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body, ReasonBody

_EXAMPLE = "code,name,kind,role\n3980,Goods,asset,inventory\n"


class NewChart(Body):
    """Exactly one of `chart`, the name of one that comes with the service, and `csv`, the text of a file (RFC 4180).

    Columns: `code`, `name`, `kind`, and `role` (empty, or one or more with blanks between), in any order; comma, semicolon or tab.
    """

    chart: Annotated[str, Field(max_length=60, examples=["france"])] | None = None
    """The name of one that comes with the service; instead of `csv`."""
    csv: Annotated[FileText, Field(min_length=1, max_length=500_000, examples=[_EXAMPLE])] | None = None
    """The text of the file, its header included; instead of `chart`."""
    since: Annotated[
        Day | None,
        Field(
            description="Add the accounts to those that there are, and map the roles from this day on. Left out, the chart is replaced."
        ),
    ] = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.chart is None) == (self.csv is None):
            raise WrongFields("exactly one of chart and csv must be given", "chart", "csv")
        return self


class NewRole(Body):
    role: AccountRole
    """What posting rules post to."""
    account: AccountCode
    """The code of the account that is to have it."""


class NewRoles(Body):
    """What takes effect on the day `since` or later is posted to these accounts; the roles that are not named keep theirs."""

    since: Day
    roles: Annotated[list[NewRole], Field(min_length=1, max_length=100)]
    """Those that change; the others keep their account."""


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
    """First and last day are both part of it; days are the company's."""

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
            raise WrongFields("exactly one of debit and credit must be above zero", "debit", "credit")
        return self

    def line(self) -> JournalLine:
        return JournalLine(**self.model_dump())


class NewJournal(Body):
    """`effective_at`: when it holds in the business; now, when left out."""

    text: Sentence
    """What was posted, in words."""
    effective_at: MomentOrDay | None = None
    """When it holds in the business, a plain day from its first moment on; now when left out."""
    lines: Annotated[list[NewJournalLine], Field(min_length=2, max_length=MOST_LINES)]
    """Debits and credits, equal in every currency."""


class JournalLimitBody(Body):
    """Up to which amount a person posts a journal in one currency without anybody's approval."""

    currency: Currency
    """What `amount` is in; in a currency without a limit, any amount is posted at once."""
    amount: Amount
    """The largest sum of debits, in minor units."""


class JournalLimitsBody(Body):
    """The limits of the company, all of them."""

    limits: Annotated[list[JournalLimitBody], Field(max_length=50)]
    """One for each currency."""


class NewControlAdjustment(NewJournal):
    """`reason`: why a person posts to control accounts; it is listed with the journal."""

    reason: Sentence


class NewReversal(ReasonBody):
    """`effective_at`: when it takes effect; left out, when the journal did, or on the first open day after."""

    effective_at: MomentOrDay | None = None
    """When it takes effect, a plain day from its first moment on, or on the journal's own day when that did; left out, when the journal did, or on
    the first open day after."""
