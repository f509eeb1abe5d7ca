"""Events of opportunities, on `opportunity.events`: what may come of a customer, and what did (AI-BOS, CRM). Those of leads are in `contracts.leads`.

Created and updated events carry the whole of what they describe. The others say what just happened, for those who wait for that alone. Amounts are in
minor units of the currency beside them; a probability is a share of one.
"""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts import leads
from tailrace.core.events import Described, Event
from tailrace.core.values.money import Currency, Minor, Quantity, Rate, UnitPrice

Status = Literal["open", "won", "lost"]
Category = Literal["omitted", "pipeline", "best", "committed"]
"""How sure it is for the forecast: not counted, one of many, likely, or promised."""
StageKind = Literal["open", "won", "lost"]
Outcome = Literal["won", "lost"]
Requirement = Literal["amount", "contact_id", "competitors", "lines", "source"]
"""What an opportunity must have before it enters a stage."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Stage(_Value):
    """A step of a pipeline."""

    code: str
    """What it is known by in its pipeline."""
    name: str
    """What people call it."""
    kind: StageKind
    """Whether an opportunity in it is open, won or lost; each pipeline has one of both of the latter."""
    probability: Rate
    """How likely an opportunity in it is won."""
    requires: list[Requirement] = []
    """What an opportunity must have to enter it."""


class OpportunityLine(_Value):
    """What may be sold. A price is of one base unit, in minor units of the opportunity's currency."""

    item_id: UUID | None = None
    """An item of the catalog; null for something that is not there."""
    name: str
    """What it is called."""
    quantity: Quantity
    unit_price: UnitPrice
    amount: Minor
    """Quantity times price, rounded once."""


class WinProposal(_Value):
    """The customer accepted a quote of the opportunity: somebody has to say that it is won."""

    quote_id: UUID
    """The quote that was accepted."""
    number: str
    """What that quote is called."""
    net: Minor
    """What it comes to before tax."""
    currency: Currency
    accepted_at: datetime
    """When the customer did, in UTC."""
    confirmer_id: UUID | None = None
    """Who is to confirm it: the owner, else who leads the team; null when there is neither."""


class PipelineDescription(Event):
    """The whole of a pipeline, stages in their order. Created, updated and restored say the same."""

    topic: ClassVar[str] = "opportunity.events"
    publisher: ClassVar[str] = "opportunities"

    pipeline_id: UUID
    code: str
    name: str
    stages: list[Stage]


class PipelineCreated(PipelineDescription):
    """There is a new pipeline."""

    type: ClassVar[str] = "crm.pipeline.created"


class PipelineUpdated(PipelineDescription):
    """The pipeline is different now."""

    type: ClassVar[str] = "crm.pipeline.updated"


class PipelineRestored(PipelineDescription):
    """The pipeline was deleted and is back, as it was."""

    type: ClassVar[str] = "crm.pipeline.restored"


class PipelineDeleted(Event):
    """The pipeline is gone; its code is free again."""

    topic: ClassVar[str] = "opportunity.events"
    publisher: ClassVar[str] = "opportunities"
    type: ClassVar[str] = "crm.pipeline.deleted"

    pipeline_id: UUID
    code: str


class ReasonDescription(Event):
    """The whole of a reason why opportunities are won or lost."""

    topic: ClassVar[str] = "opportunity.events"
    publisher: ClassVar[str] = "opportunities"

    reason_id: UUID
    code: str
    name: str
    outcome: Outcome


class ReasonCreated(ReasonDescription):
    """There is a new reason."""

    type: ClassVar[str] = "crm.reason.created"


class ReasonUpdated(ReasonDescription):
    """The reason is called otherwise now."""

    type: ClassVar[str] = "crm.reason.updated"


class ReasonRestored(ReasonDescription):
    """The reason was deleted and is back, as it was."""

    type: ClassVar[str] = "crm.reason.restored"


class ReasonDeleted(Event):
    """The reason is gone; its code is free again."""

    topic: ClassVar[str] = "opportunity.events"
    publisher: ClassVar[str] = "opportunities"
    type: ClassVar[str] = "crm.reason.deleted"

    reason_id: UUID
    code: str


class _Opportunity(Event):
    topic: ClassVar[str] = "opportunity.events"
    publisher: ClassVar[str] = "opportunities"

    opportunity_id: UUID


class OpportunityDescription(_Opportunity):
    """What the describing events say. `probability` is the opportunity's own; null where that of its stage holds."""

    comes_of: ClassVar[tuple[str, ...]] = ("lead_id",)

    number: str
    name: str
    status: Status
    customer_id: UUID
    contact_id: UUID | None = None
    lead_id: UUID | None = None
    owner_id: UUID | None = None
    team_id: UUID | None = None
    pipeline_id: UUID
    stage: str
    amount: Minor
    currency: Currency
    probability: Rate | None = None
    category: Category
    expected_close_on: date
    closed_on: date | None = None
    source: str | None = None
    competitors: list[str] = []
    lines: list[OpportunityLine] = []
    reason_id: UUID | None = None


class OpportunityCreated(OpportunityDescription):
    """There is a new opportunity."""

    type: ClassVar[str] = "crm.opportunity.created"


class OpportunityUpdated(OpportunityDescription):
    """The opportunity is different now; carries the whole of it."""

    type: ClassVar[str] = "crm.opportunity.updated"


class OpportunityRestored(OpportunityDescription):
    """The opportunity was deleted, or its customer was, and is back as it was."""

    type: ClassVar[str] = "crm.opportunity.restored"


class OpportunityStageChanged(_Opportunity):
    """The opportunity moved on in its pipeline, or back, or to another."""

    type: ClassVar[str] = "crm.opportunity.stage_changed"

    pipeline_id: UUID
    from_stage: str
    to_stage: str
    entered_at: datetime


class OpportunityWinProposed(_Opportunity):
    """A quote of the opportunity was accepted; `confirmer_id` is to say that it is won."""

    type: ClassVar[str] = "crm.opportunity.win_proposed"

    number: str
    proposal: WinProposal


class _Closed(_Opportunity):
    number: str
    customer_id: UUID
    owner_id: UUID | None = None
    team_id: UUID | None = None
    amount: Minor
    currency: Currency
    closed_on: date
    reason_id: UUID | None = None


class OpportunityWon(_Closed):
    """The customer buys."""

    type: ClassVar[str] = "crm.opportunity.won"

    quote_id: UUID | None = None


class OpportunityLost(_Closed):
    """Nothing comes of it; `competitor` is who was chosen instead, where that is known."""

    type: ClassVar[str] = "crm.opportunity.lost"

    competitor: str | None = None


class OpportunityReopened(_Opportunity):
    """It was closed too early."""

    type: ClassVar[str] = "crm.opportunity.reopened"

    stage: str
    reason: str


class OpportunityDeleted(_Opportunity):
    """The opportunity is gone: by mistake it was made, or its customer is gone, or there can be no such customer."""

    type: ClassVar[str] = "crm.opportunity.deleted"

    number: str


class QuotaSet(Event):
    """What somebody is to sell in a period of the company's, such as `2026-11` or `2026-Q4`."""

    topic: ClassVar[str] = "opportunity.events"
    publisher: ClassVar[str] = "opportunities"
    type: ClassVar[str] = "crm.quota.set"

    quota_id: UUID
    owner_id: UUID | None
    period: str
    currency: Currency
    amount: Minor


OPPORTUNITY = Described(
    "opportunity_id", (OpportunityCreated, OpportunityUpdated, OpportunityRestored), OpportunityDeleted
)

PUBLISHED: tuple[type[Event], ...] = (
    *leads.PUBLISHED,
    PipelineCreated,
    PipelineUpdated,
    PipelineRestored,
    PipelineDeleted,
    ReasonCreated,
    ReasonUpdated,
    ReasonRestored,
    ReasonDeleted,
    OpportunityCreated,
    OpportunityUpdated,
    OpportunityRestored,
    OpportunityStageChanged,
    OpportunityWinProposed,
    OpportunityWon,
    OpportunityLost,
    OpportunityReopened,
    OpportunityDeleted,
    QuotaSet,
)
