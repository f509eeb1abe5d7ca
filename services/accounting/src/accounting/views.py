"""What clients are shown. Amounts are minor units of the currency beside them; debits minus credits is a balance."""

from datetime import date, datetime
from uuid import UUID

from contracts.accounting import AccountKind, AccountRole
from tailrace.http.routing import ResourceView, View


class AccountView(ResourceView):
    code: str
    name: str
    kind: AccountKind
    active: bool


class ChartAccountView(View):
    code: str
    name: str
    kind: AccountKind
    roles: list[AccountRole]


class PackagedChartView(View):
    """A chart that comes with the service, by the name that it is chosen by."""

    name: str
    title: str
    accounts: list[ChartAccountView]


class ChartsView(View):
    """The charts that books can begin with."""

    charts: list[PackagedChartView]


class RoleView(View):
    """A role and its account, from the day `since` on; without one, from the beginning."""

    role: AccountRole
    account: str
    since: date | None


class ChartView(View):
    """`name`: of the chart that the books began with, `own` for an imported one. `roles`: in the order in which they were mapped."""

    name: str
    version: int
    roles: list[RoleView]
    control_accounts: list[str]


class PeriodView(ResourceView):
    """`closed`: no day up to the last one takes postings any more. `locked` alone: those of this period do not."""

    name: str
    first_day: date
    last_day: date
    locked: bool
    closed: bool
    year_end: bool


class JournalSummary(ResourceView):
    """`source_effective_at`: when the posted event took effect, where that day was locked and the journal had to move on.

    `adjustment_reason`: why a person posted to control accounts; null for every other journal.
    """

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
    adjustment_reason: str | None


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


class ControlBalanceView(View):
    """A role's accounts beside its sub-ledger, in one currency, debits less credits. `difference`: what neither it nor an adjustment explains."""

    role: AccountRole
    accounts: list[str]
    currency: str
    balance: int
    sub_ledger: int
    adjusted: int
    difference: int


class IntegrityView(View):
    """`mismatches`: journals whose events and entries differ, a hundred at most. Intact books have none, and no differences."""

    intact: bool
    recorded: datetime
    journals: int
    differences: list[CurrencyTotalView]
    mismatches: list[UUID]
    control: list[ControlBalanceView]


class RuleView(View):
    """A version of a posting rule: the event it posts, and the first moment of effect it holds for."""

    name: str
    version: int
    event: str
    since: datetime


class RulebookView(View):
    """Every version of every posting rule."""

    rules: list[RuleView]
