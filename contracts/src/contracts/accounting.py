"""Events of accounting, on `accounting.events` (ERP design, event-sourced): accounts and their roles, periods and journals."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.approvals import Submission, Withdrawal
from tailrace.core.events import Event
from tailrace.core.values.money import Currency, Minor

AccountKind = Literal["asset", "liability", "equity", "revenue", "expense"]
AccountRole = Literal[
    "inventory",
    "goods_received_not_invoiced",
    "unbilled_receivable",
    "output_tax",
    "revenue",
    "cost_of_goods_sold",
    "stock_usage",
    "stock_adjustments",
    "purchase_price_variance",
    "production_clearing",
    "opening_equity",
    "retained_earnings",
    "receivable",
    "customer_credit",
    "unidentified_receipts",
    "prepayment",
    "exchange_clearing",
    "exchange_differences",
]
"""What posting rules post to. Which account that is, each company's chart says."""


ChartName = Literal["general", "france", "germany", "japan"]
"""The charts of accounts that there are for everybody."""

CHART_OF: Mapping[str, ChartName] = {"FR": "france", "DE": "germany", "JP": "japan"}
"""By country (ISO 3166-1 alpha-2), the chart that a company there begins with unless it says otherwise; `general` elsewhere."""


class AccountingEvent(Event):
    topic: ClassVar[str] = "accounting.events"
    publisher: ClassVar[str] = "accounting"


class AccountDescription(AccountingEvent):
    account_id: UUID
    code: str
    name: str
    kind: AccountKind
    active: bool = True


class AccountCreated(AccountDescription):
    """The chart has a new account."""

    type: ClassVar[str] = "accounting.account.created"


class AccountUpdated(AccountDescription):
    """An account has another name, or may be posted to again or no longer."""

    type: ClassVar[str] = "accounting.account.updated"


class AccountRestored(AccountDescription):
    """The account was deleted and is back in the chart, as it was."""

    type: ClassVar[str] = "accounting.account.restored"


class AccountDeleted(AccountingEvent):
    """An account that nothing was ever posted to is gone; its code may be used again."""

    type: ClassVar[str] = "accounting.account.deleted"

    account_id: UUID
    code: str


class ChartChosen(AccountingEvent):
    """The books begin with this chart: every role has its account, from the first day on. It may be chosen again until there is a journal.

    `roles`: by AccountRole, the code of an account. Roles are added as rules need them.
    """

    type: ClassVar[str] = "accounting.chart.chosen"

    chart_id: UUID
    name: str
    roles: dict[str, str]


class RolesMapped(AccountingEvent):
    """What takes effect on the day `since` or later is posted to these accounts; the roles that are not named keep theirs."""

    type: ClassVar[str] = "accounting.roles.mapped"

    chart_id: UUID
    since: date
    roles: dict[str, str]


class PeriodEvent(AccountingEvent):
    """A period runs from its first to its last day, both included."""

    period_id: UUID
    name: str
    first_day: date
    last_day: date


class PeriodOpened(PeriodEvent):
    """There is a new period; its days can be locked and closed."""

    type: ClassVar[str] = "accounting.period.opened"


class PeriodLocked(PeriodEvent):
    """Nothing may take effect in the period any more; corrections take effect later."""

    type: ClassVar[str] = "accounting.period.locked"


class PeriodUnlocked(PeriodEvent):
    """The period takes journals again."""

    type: ClassVar[str] = "accounting.period.unlocked"

    reason: str


class PeriodClosed(PeriodEvent):
    """The period is locked for good, and so is every day before it. At the end of a year, income and expenses went to retained earnings."""

    type: ClassVar[str] = "accounting.period.closed"

    year_end: bool = False
    closing_journals: list[UUID] = []


class PeriodReopened(PeriodEvent):
    """A closed period is open again; its closing journals are reversed."""

    type: ClassVar[str] = "accounting.period.reopened"

    reason: str
    reversals: list[UUID] = []


class JournalLine(BaseModel):
    """One side of a journal: exactly one of `debit` and `credit` is above zero, in minor units."""

    model_config = ConfigDict(frozen=True)

    account: str
    currency: Currency
    debit: Minor = 0
    credit: Minor = 0
    text: str | None = None


class JournalPosted(AccountingEvent):
    """A journal whose debits equal its credits in every currency. `rule` is the posting rule and its version, None for a manual one.

    `effective_at` is when it holds in the business, `recorded_at` when it was written down; the latter rises from journal to journal.
    `source_effective_at` is when the posted event took effect, given where that lies in a locked period and the journal had to move on.
    `adjustment_reason` is why a person posted to control accounts; only such a journal has one. `order_id` names the order that the posted event did.
    """

    type: ClassVar[str] = "accounting.journal.posted"

    journal_id: UUID
    number: str
    lines: list[JournalLine]
    text: str
    rule: str | None = None
    source_topic: str | None = None
    source_event_id: UUID | None = None
    source_id: UUID | None = None
    reverses: UUID | None = None
    effective_at: datetime
    recorded_at: datetime | None = None
    source_effective_at: datetime | None = None
    adjustment_reason: str | None = None
    order_id: UUID | None = None


class JournalReversed(AccountingEvent):
    """The journal is undone by another that mirrors it; nothing is ever edited."""

    type: ClassVar[str] = "accounting.journal.reversed"

    journal_id: UUID
    reversed_by: UUID
    reason: str


class JournalLimit(BaseModel):
    """Up to which amount a person posts a journal in one currency without anybody's approval."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    currency: Currency
    """An ISO 4217 code; in a currency without a limit, any amount is posted at once."""
    amount: Minor
    """The largest sum of debits, in minor units."""


class JournalLimitsChanged(AccountingEvent):
    """Up to which amounts people post journals without approval is different now; carries the whole of it."""

    type: ClassVar[str] = "accounting.journal_limits.changed"

    limits_id: UUID
    limits: list[JournalLimit]


class JournalDraftEvent(AccountingEvent):
    draft_id: UUID
    number: str


class JournalSubmitted(Submission, JournalDraftEvent):
    """A person's journal is above the limit: it is posted when `subject` is approved."""

    type: ClassVar[str] = "accounting.journal.submitted"

    text: str
    lines: list[JournalLine]
    effective_at: datetime | None = None


class JournalDraftPosted(JournalDraftEvent):
    """A journal that waited for approval was approved and posted, as the journal `journal_id`."""

    type: ClassVar[str] = "accounting.journal_draft.posted"

    journal_id: UUID
    approval_id: UUID


class JournalDraftRejected(JournalDraftEvent):
    """A journal that waited for approval is not posted: it was rejected, recalled, or cannot be posted any more."""

    type: ClassVar[str] = "accounting.journal_draft.rejected"

    reason: str


class JournalWithdrawn(Withdrawal, JournalDraftEvent):
    """The one who submitted a journal does not want it posted any more."""

    type: ClassVar[str] = "accounting.journal.withdrawn"
    withdraws: ClassVar[tuple[str, str]] = ("journal", "draft_id")

    reason: str | None = None


PUBLISHED: tuple[type[AccountingEvent], ...] = (
    AccountCreated,
    AccountUpdated,
    AccountDeleted,
    AccountRestored,
    ChartChosen,
    RolesMapped,
    PeriodOpened,
    PeriodLocked,
    PeriodUnlocked,
    PeriodClosed,
    PeriodReopened,
    JournalPosted,
    JournalReversed,
    JournalLimitsChanged,
    JournalSubmitted,
    JournalDraftPosted,
    JournalDraftRejected,
    JournalWithdrawn,
)
