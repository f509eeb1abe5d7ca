"""What clients are shown. Amounts are minor units of the currency beside them; debits minus credits is a balance."""

from datetime import date, datetime
from uuid import UUID

from contracts.accounting import AccountKind
from tailrace.http.routing import ResourceView, View


class AccountView(ResourceView):
    code: str
    name: str
    kind: AccountKind
    active: bool


class PeriodView(ResourceView):
    """`closed`: no day up to the last one takes postings any more. `locked` alone: those of this period do not."""

    name: str
    first_day: date
    last_day: date
    locked: bool
    closed: bool
    year_end: bool


class JournalSummary(ResourceView):
    """`source_effective_at`: when the posted event took effect, where that day was locked and the journal had to move on."""

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
