"""What clients are shown. Amounts are minor units of the currency beside them; debits minus credits is a balance."""

from datetime import date, datetime
from uuid import UUID

from accounting.drafts import DraftStatus
from contracts.accounting import AccountKind, AccountRole
from tailrace.http.routing import ResourceView, View


class AccountView(ResourceView):
    code: str
    """Its number in the chart."""
    name: str
    """What it is called in reports."""
    kind: AccountKind
    """The side of the books that it is on."""
    active: bool
    """Whether people may post to it."""


class ChartAccountView(View):
    code: str
    """Its number in the chart."""
    name: str
    """What it is called in reports."""
    kind: AccountKind
    """The side of the books that it is on."""
    roles: list[AccountRole]
    """What posting rules post to it as."""


class PackagedChartView(View):
    """A chart that comes with the service, by the name that it is chosen by."""

    name: str
    """By which it is chosen."""
    title: str
    """What it is, in words."""
    accounts: list[ChartAccountView]
    """What the books begin with."""


class ChartsView(View):
    """The charts that books can begin with."""

    charts: list[PackagedChartView]
    """Those that come with the service."""


class AccountRoleView(View):
    """A role and its account, from the day `since` on; without one, from the beginning."""

    role: AccountRole
    """What posting rules post to."""
    account: str
    """The code of the account that has it."""
    since: date | None
    """The first day on which it has; null for ever since."""


class ChartView(View):
    """`name`: of the chart that the books began with, `own` for an imported one. `roles`: in the order in which they were mapped."""

    name: str
    """The chart that the books began with; `own` for an imported one."""
    version: int
    """Raised by each change; the ETag."""
    roles: list[AccountRoleView]
    """Which account has which role, in the order in which they were mapped."""
    control_accounts: list[str]
    """The codes of those that a sub-ledger explains."""


class PeriodView(ResourceView):
    """`closed`: no day up to the last one takes postings any more. `locked` alone: those of this period do not."""

    name: str
    """What people call it, such as 2026-11."""
    first_day: date
    """The day with which it begins."""
    last_day: date
    """The day with which it ends; part of it."""
    locked: bool
    """Whether its days take no postings for the time being."""
    closed: bool
    """Whether no day up to its last one takes postings any more."""
    year_end: bool
    """Whether it ended a fiscal year."""


class JournalSummary(ResourceView):
    """`source_effective_at`: when the posted event took effect, where that day was locked and the journal had to move on.

    `adjustment_reason`: why a person posted to control accounts; null for every other journal.
    """

    number: str
    """What people call it; unique within the tenant."""
    text: str
    """What was posted, in words."""
    rule: str | None
    """The posting rule that made it; null for one made by hand."""
    source_topic: str | None
    """The topic of the event that it follows from."""
    source_event_id: UUID | None
    """The event that it follows from."""
    source_id: UUID | None
    """What that event is about, such as a shipment."""
    reverses: UUID | None
    """The journal that it takes back; null for none."""
    reversed_by: UUID | None
    """The journal that takes it back; null for none."""
    effective_at: datetime
    """When it holds in the business, in UTC."""
    recorded_at: datetime
    """When it was written down, in UTC."""
    source_effective_at: datetime | None
    """When its event took effect, where that day was locked and the journal had to move on."""
    adjustment_reason: str | None
    """Why a person posted to control accounts; null for every other journal."""
    order_id: UUID | None
    """The order whose goods or money it is about; null for every other journal, and for an invoice of several orders."""


class JournalLineView(View):
    line: int
    """Its place in the journal, from 1."""
    account: str
    """The code of the account that it is posted to."""
    currency: str
    """What it is in, an ISO 4217 code."""
    debit: int
    """In minor units; 0 when it is a credit."""
    credit: int
    """In minor units; 0 when it is a debit."""
    text: str | None
    """What this line is for, when that differs from the whole journal."""


class JournalView(JournalSummary):
    lines: list[JournalLineView]
    """Debits and credits, equal in every currency."""


class JournalDraftLineView(View):
    """One side of a journal, in minor units; one of `debit` and `credit` is above zero."""

    account: str
    """The code of the account."""
    currency: str
    """An ISO 4217 code."""
    debit: int
    """0 when it is a credit."""
    credit: int
    """0 when it is a debit."""
    text: str | None
    """What this line is for, when that differs from the whole journal."""


class JournalLimitView(View):
    """Up to which amount a person posts a journal in one currency without anybody's approval."""

    currency: str
    """An ISO 4217 code."""
    amount: int
    """The largest sum of debits, in minor units."""


class JournalLimitsView(View):
    """The limits of the company; in a currency without one, any amount is posted at once."""

    limits: list[JournalLimitView]
    """One for each currency."""


class JournalDraftSummary(ResourceView):
    """A journal that waits, or waited, for an approval."""

    number: str
    """What people call it; the journal that it becomes has a number of its own."""
    text: str
    """What is to be posted, in words."""
    effective_at: datetime | None
    """When it holds in the business, in UTC; when it is posted, where null."""
    requester_id: UUID
    """Who submitted it."""
    status: DraftStatus
    """Whether it waits, or what became of it."""
    reason: str | None
    """Why it was not posted."""
    journal_id: UUID | None
    """The journal that it became."""


class JournalDraftView(JournalDraftSummary):
    """A journal that waits, or waited, for an approval, with its lines."""

    sha256: str
    """The hash that an approval of it is good for."""
    lines: list[JournalDraftLineView]
    """Debits and credits, equal in every currency."""


class CurrencyTotalView(View):
    currency: str
    """An ISO 4217 code."""
    debit: int
    """All debits, in minor units."""
    credit: int
    """All credits, in minor units."""
    difference: int
    """Debits minus credits: 0 when the books are whole."""


class TrialBalanceRow(View):
    account: str
    """Its code in the chart."""
    name: str
    """What it is called in reports."""
    kind: AccountKind
    """The side of the books that it is on."""
    currency: str
    """What its amounts are in, an ISO 4217 code."""
    debit: int
    """All debits, in minor units."""
    credit: int
    """All credits, in minor units."""
    balance: int
    """Debits minus credits, in minor units."""


class TrialBalanceView(View):
    """The pair of times asked for again gives exactly this again."""

    effective: datetime
    """What held in the business by then counts."""
    recorded: datetime
    """What was written down by then counts."""
    rows: list[TrialBalanceRow]
    """Every account that was ever posted to, by code and currency."""
    totals: list[CurrencyTotalView]
    """All accounts together, by currency."""


class BalanceView(View):
    currency: str
    """An ISO 4217 code."""
    balance: int
    """Debits minus credits, in minor units."""


class LedgerLineView(View):
    journal_id: UUID
    """The journal that it belongs to."""
    number: str
    """What people call that journal."""
    line: int
    """Its place in that journal, from 1."""
    text: str
    """What was posted, in words."""
    currency: str
    """What it is in, an ISO 4217 code."""
    debit: int
    """In minor units; 0 when it is a credit."""
    credit: int
    """In minor units; 0 when it is a debit."""
    balance: int
    """The account's balance after it, in minor units."""
    effective_at: datetime
    """When it holds in the business, in UTC."""
    recorded_at: datetime
    """When it was written down, in UTC."""


class LedgerView(View):
    """`opening`: the balances before the first item. The pair of times asked for again gives exactly this again."""

    account: str
    """Its code in the chart."""
    name: str
    """What it is called in reports."""
    kind: AccountKind
    """The side of the books that it is on."""
    effective: datetime
    """What held in the business by then counts."""
    recorded: datetime
    """What was written down by then counts."""
    opening: list[BalanceView]
    """The balances before the first item, by currency."""
    items: list[LedgerLineView]
    """What was posted to it, in order of effect; one page."""
    next_cursor: str | None
    """To be sent as `cursor` for what follows; null at the end."""


class ControlBalanceView(View):
    """A role's accounts beside its sub-ledger, in one currency, debits less credits. `difference`: what neither it nor an adjustment explains."""

    role: AccountRole
    """What posting rules post to."""
    accounts: list[str]
    """The codes of those that have it on some day."""
    currency: str
    """What the amounts are in, an ISO 4217 code."""
    balance: int
    """Debits less credits of these accounts, in minor units."""
    sub_ledger: int
    """What stock and shipments say that they hold."""
    adjusted: int
    """What people posted there with a reason."""
    difference: int
    """What neither explains; 0 in books that are whole."""


class IntegrityView(View):
    """`mismatches`: journals whose events and entries differ, a hundred at most. Intact books have none, and no differences."""

    intact: bool
    """Whether nothing is wrong."""
    recorded: datetime
    """As of when, in UTC."""
    journals: int
    """How many were checked."""
    differences: list[CurrencyTotalView]
    """Currencies in which debits and credits differ."""
    mismatches: list[UUID]
    """Journals whose events and entries differ, a hundred at most."""
    control: list[ControlBalanceView]
    """The control accounts of each role beside their sub-ledger."""


class RuleView(View):
    """A version of a posting rule: the event it posts, and the first moment of effect it holds for."""

    name: str
    """What the journals that it makes call it."""
    version: int
    """Counts up when the rule changes."""
    event: str
    """The type of the event that it posts."""
    since: datetime
    """The first moment of effect that it holds for, in UTC."""


class RulebookView(View):
    """Every version of every posting rule."""

    rules: list[RuleView]
    """Every version of each."""
