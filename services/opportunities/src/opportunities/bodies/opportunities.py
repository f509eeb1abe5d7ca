"""An opportunity as it is to be, and what is done with it; pipelines and reasons."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from contracts.opportunities import Category, Outcome, Requirement, StageKind
from tailrace.core.values.fields import Amount, Code, Day, Name, Note, Sentence
from tailrace.core.values.money import Currency, Quantity, Rate, UnitPrice
from tailrace.core.values.text import folded
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

MOST_LINES = 200


class OpportunityLineBody(Body):
    """What may be sold."""

    item_id: UUID | None = None
    """An item of the catalog; null for something that is not there."""
    name: Name | None = Field(None, description="What it is called; as the item is, when left out.")
    quantity: Quantity
    unit_price: UnitPrice

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.item_id is None and self.name is None:
            raise WrongFields("Say item_id or name.", "item_id", "name")
        return self


class OpportunityBody(Body):
    """An opportunity as it is to be. Where it is in its pipeline, who looks after it and how it ended are said by themselves."""

    name: Name
    customer_id: UUID
    """Whom it is about. One that was merged is followed to the one that it stands for."""
    contact_id: UUID | None = None
    """Who decides there, one of the customer's people."""
    amount: Amount | None = Field(
        None, description="What may come of it, in minor units; with lines, what they come to when left out."
    )
    currency: Currency | None = Field(None, description="The customer's when left out; when replacing, as it was.")
    expected_close_on: Day
    probability: Rate | None = Field(None, description="How likely it is won; as its stage says when left out.")
    category: Category = "pipeline"
    """How sure it is for the forecast."""
    source: Annotated[Name, Field(max_length=60)] | None = None
    """Where it came from."""
    description: Note | None = None
    competitors: Annotated[list[Name], Field(max_length=20)] = []
    """Who else offers."""
    lines: Annotated[list[OpportunityLineBody], Field(max_length=MOST_LINES)] = []
    """What may be sold."""


class NewOpportunityBody(OpportunityBody):
    """A new opportunity, and where it begins."""

    pipeline_id: UUID | None = Field(None, description="The oldest one when left out.")
    stage: Code | None = Field(None, description="The stage that it begins in; the first one when left out.")
    owner_id: UUID | None = Field(None, description="Who looks after it; the caller when left out.")
    team_id: UUID | None = Field(None, description="The team that it counts for; the owner's first one when left out.")


class MoveBody(Body):
    """The stage to enter."""

    stage: Code
    """Its code."""
    pipeline_id: UUID | None = Field(None, description="Another pipeline to go on in; its own when left out.")


class OwnerBody(Body):
    """Who looks after the opportunity from now on."""

    owner_id: UUID | None
    """A user of the tenant; null for nobody."""
    team_id: UUID | None = Field(None, description="The team that it counts for; the owner's first one when left out.")


class WinBody(Body):
    """How it was won. What an accepted quote said holds where this says nothing."""

    reason_id: UUID | None = None
    """Why, one of the reasons for what was won."""
    closed_on: Day | None = Field(None, description="The day on which it was; today, or the quote's, when left out.")
    amount: Amount | None = Field(None, description="What it came to, in minor units of its currency.")
    note: Note | None = None


class LoseBody(Body):
    """How it was lost."""

    reason_id: UUID
    """Why, one of the reasons for what was lost."""
    closed_on: Day | None = Field(None, description="The day on which it was; today when left out.")
    competitor: Name | None = None
    """Who was chosen instead."""
    note: Note | None = None


class ReopenBody(Body):
    """Why it goes on, and where."""

    reason: Sentence
    stage: Code | None = Field(None, description="The stage to go on in; the first one when left out.")


class StageBody(Body):
    """A step of a pipeline."""

    code: Code
    name: Name
    kind: StageKind = "open"
    """Whether an opportunity in it is open, won or lost."""
    probability: Rate
    """How likely an opportunity in it is won."""
    requires: Annotated[list[Requirement], Field(max_length=5)] = []
    """What an opportunity must have to enter it."""


def _stages(stages: list[StageBody]) -> list[StageBody]:
    codes = [folded(each.code) for each in stages]
    kinds = [each.kind for each in stages]
    if len(set(codes)) != len(codes):
        raise ValueError("two stages have one code")
    if kinds.count("won") != 1 or kinds.count("lost") != 1 or "open" not in kinds:
        raise ValueError("a pipeline has open stages, one for what was won and one for what was lost")
    if any(each.probability != {"won": 1, "lost": 0}[each.kind] for each in stages if each.kind != "open"):
        raise ValueError("what was won is certain, and what was lost is not to be had")
    return stages


class PipelineBody(Body):
    """A pipeline as it is to be. A stage that opportunities are in stays."""

    code: Code
    name: Name
    stages: Annotated[list[StageBody], Field(min_length=3, max_length=30), AfterValidator(_stages)]
    """In their order."""


class OutcomeReasonBody(Body):
    """Why opportunities are won, or why they are lost."""

    code: Code
    name: Name
    outcome: Outcome
    """What it is a reason for. Stays."""
