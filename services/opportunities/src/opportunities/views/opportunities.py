"""What clients are shown of opportunities, pipelines, and the forecast."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from contracts.opportunities import Category, OpportunityLine, Outcome, Stage, Status, WinProposal
from tailrace.core.values.money import Currency, Minor, MinorTotal, Rate
from tailrace.http.routing import ResourceView, View


class OpportunitySummary(ResourceView):
    """An opportunity as lists show it."""

    number: str
    """What to call it."""
    name: str
    """What it is about."""
    status: Status
    """Whether it is open, or how it ended."""
    customer_id: UUID
    """Whom it is about."""
    owner_id: UUID | None
    """The user who looks after it; null for nobody."""
    team_id: UUID | None
    """The team that it counts for."""
    pipeline_id: UUID
    """Whose stages it goes through."""
    stage: str
    """The stage of that pipeline, by its code."""
    stage_since: datetime
    """Since when it is in that stage, in UTC."""
    amount: Minor
    """What may come of it, or did."""
    currency: Currency
    """What the amount is in, an ISO 4217 code."""
    probability: Rate | None
    """How likely it is won; null where its stage says that."""
    category: Category
    """How sure it is for the forecast."""
    expected_close_on: date
    """The day by which it is expected to close."""
    closed_on: date | None
    """The day on which it did."""
    source: str | None
    """Where it came from."""


class OpportunityView(OpportunitySummary):
    customer_there: bool
    """False while the customer that a converted lead asked for is not made."""
    contact_id: UUID | None
    """Who decides there, one of the customer's people."""
    lead_id: UUID | None
    """The lead that it came of."""
    description: str | None
    """What else there is to say."""
    competitors: list[str]
    """Who else offers."""
    lines: list[OpportunityLine]
    """What may be sold."""
    reason_id: UUID | None
    """Why it was won or lost."""
    outcome_note: str | None
    """What was said of that, or of why it goes on."""
    proposal: WinProposal | None
    """An accepted quote that waits for somebody to say that the opportunity is won."""
    quote_id: UUID | None
    """The quote that won it."""


class StayView(View):
    """A stay of an opportunity in a stage."""

    pipeline_id: UUID
    """The pipeline that it was in."""
    stage: str
    """The stage, by its code."""
    entered_at: datetime
    """When it came, in UTC."""
    left_at: datetime | None
    """When it went, in UTC; null while it is there."""
    days: int
    """How many of the company's days lie between, or have passed until today."""


class StageHistoryView(View):
    stays: list[StayView]
    """The first one first; a stage that it came back to stands here again."""


class PipelineView(ResourceView):
    code: str
    """What it is known by; unique among those in use."""
    name: str
    """What people call it."""
    stages: list[Stage]
    """In their order."""


class ReasonView(ResourceView):
    code: str
    """What it is known by; unique among those in use."""
    name: str
    """What people call it."""
    outcome: Outcome
    """What it is a reason for."""


class StageAmount(View):
    currency: Currency
    """What the amount is in, an ISO 4217 code."""
    opportunities: int
    """How many of them are in this currency."""
    amount: MinorTotal
    """What they come to together."""


class StageColumn(View):
    """What is open in a stage."""

    code: str
    """What the stage is known by."""
    name: str
    """What people call it."""
    probability: Rate
    """How likely an opportunity in it is won."""
    opportunities: int
    """How many are in it."""
    amounts: list[StageAmount]
    """What they come to, by currency."""
    oldest_since: datetime | None
    """Since when the one is in it that is longest, in UTC."""
    oldest_days: int | None
    """How many of the company's days that is."""


class BoardView(View):
    stages: list[StageColumn]
    """The open stages, in their order."""


class ForecastRow(View):
    """Of one person, team or pipeline, in one currency. `committed` is a part of `best`, and that of `pipeline`; `closed` is in none of them."""

    id: UUID | None
    """Whom it is of; null for nobody."""
    currency: Currency
    """What every amount of the row is in, an ISO 4217 code."""
    opportunities: int
    """How many it is made of."""
    closed: MinorTotal
    """What was won in the period."""
    committed: MinorTotal
    """What is open and promised."""
    best: MinorTotal
    """What is open and at least likely."""
    pipeline: MinorTotal
    """All that is open and counted."""
    weighted: MinorTotal
    """The same, each times its probability."""
    quota: MinorTotal | None
    """What the person is to sell; null when nobody said."""


class ForecastView(View):
    """What a period brought and may bring, as it was known at `as_of`."""

    period: str
    """The period that was asked for."""
    begins_on: date
    """Its first day."""
    ends_on: date
    """Its last day."""
    as_of: datetime
    """The moment that it is known at, in UTC."""
    by: Literal["person", "team", "pipeline"]
    """What the rows are of."""
    rows: list[ForecastRow]
    """One for each person, team or pipeline and currency."""


class QuotaView(ResourceView):
    owner_id: UUID | None
    """Whose it is."""
    period: str
    """The month or quarter."""
    currency: Currency
    """What the amount is in, an ISO 4217 code."""
    amount: Minor
    """What they are to sell."""


class ClosingView(View):
    """How opportunities close, and how the company counts its quarters."""

    win_on_quote: Literal["proposed", "automatic"]
    """Whether an accepted quote wins its opportunity at once, or once somebody has confirmed it."""
    first_month: int
    """The month that the company's year begins in."""
