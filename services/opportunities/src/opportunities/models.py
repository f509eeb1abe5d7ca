"""An opportunity: what may come of a customer. Open, then won or lost; every change is a method that refuses, or records an event.

Amounts are whole minor units of its currency. Its probability is that of its stage, unless it has one of its own.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from sqlalchemy import Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from contracts import opportunities as events
from contracts.opportunities import Category, Stage, Status, WinProposal
from opportunities.base import Base
from opportunities.refusals import CustomerPending, NothingProposed, OpportunityState, StageRequires
from tailrace.core import clock
from tailrace.core.ids import uuid7
from tailrace.core.transitions import Transitions
from tailrace.db.keys import tenant_index
from tailrace.db.models import SoftDeleted
from tailrace.db.text_search.search import Searchable
from tailrace.db.unique import unique_value
from tailrace.db.visibility import Owned

STATES = Transitions[Status](
    "Opportunity",
    {
        "open": {"changed": "open", "moved": "open", "won": "won", "lost": "lost"},
        "won": {"reopened": "open"},
        "lost": {"reopened": "open"},
    },
    OpportunityState,
)


class Opportunity(SoftDeleted, Searchable, Owned, Base):
    __tablename__ = "opportunity"
    __table_args__ = (
        unique_value("number"),
        tenant_index("owner_id", "id"),
        tenant_index("team_id", "id"),
        tenant_index("customer_id", "id"),
        tenant_index("own_customer_id", "id"),
        tenant_index("pipeline_id", "stage", "id", where="deleted_at IS NULL AND status = 'open'"),
        tenant_index("pipeline_id", "stage", "stage_since", where="deleted_at IS NULL AND status = 'open'"),
        tenant_index("status", "id"),
        tenant_index("expected_close_on", "id"),
        tenant_index("amount", "id"),
        tenant_index("created_at", "id"),
        tenant_index("name", "id"),
        tenant_index("lead_id"),
    )
    owned_by = "owner_id"

    number: Mapped[str]
    name: Mapped[str]
    status: Mapped[Status]
    customer_id: Mapped[UUID]
    """Whom it is about by now: a customer that was merged stands for another."""
    own_customer_id: Mapped[UUID]
    """Whom it was made for."""
    customer_there: Mapped[bool]
    """False while the customer that a converted lead asked for is not made."""
    contact_id: Mapped[UUID | None]
    lead_id: Mapped[UUID | None]
    owner_id: Mapped[UUID | None]
    team_id: Mapped[UUID | None]
    pipeline_id: Mapped[UUID]
    stage: Mapped[str]
    stage_since: Mapped[datetime]
    amount: Mapped[int]
    currency: Mapped[str]
    probability: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    category: Mapped[Category]
    expected_close_on: Mapped[date]
    closed_on: Mapped[date | None]
    source: Mapped[str | None]
    description: Mapped[str | None]
    competitors: Mapped[list[Any]]
    lines: Mapped[list[dict[str, Any]]]
    reason_id: Mapped[UUID | None]
    outcome_note: Mapped[str | None]
    proposal: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """An accepted quote that waits for somebody to say that it is won."""
    quote_id: Mapped[UUID | None]
    """The quote that won it."""
    ended_by_customer: Mapped[bool]
    """Whether it was deleted because its customer was."""
    changed_at: Mapped[datetime]
    """When something that the forecast is made of last changed, as the business counts time."""

    @classmethod
    def create(cls, values: Mapping[str, Any], stage: Stage) -> Self:
        """A new one from its columns, in a stage. Raises StageRequires."""
        none = dict.fromkeys(("lead_id", "closed_on", "reason_id", "outcome_note", "proposal", "quote_id"))
        now = clock.now()
        given = {**none, "customer_there": True, "ended_by_customer": False, "description": None, **values}
        row = cls(id=uuid7(), status="open", stage=stage.code, stage_since=now, changed_at=now, **given)
        row.own_customer_id = row.customer_id
        row._ensure(stage)
        row._index()
        row.record_as(events.OpportunityCreated)
        return row

    @property
    def close_on(self) -> date:
        """The day that it belongs to in a forecast."""
        return self.closed_on or self.expected_close_on

    def after(self, step: str) -> Status:
        """The status that a step leads to. Raises OpportunityState."""
        return STATES.after(self.status, step, self.number)

    def change(self, values: Mapping[str, Any], stage: Stage) -> None:
        """Replace what an owner may say. `stage` is the one that it is in. Raises OpportunityState, StageRequires."""
        self.status = self.after("changed")
        if values["customer_id"] != self.customer_id:
            self.own_customer_id, self.customer_there = values["customer_id"], True
        self.update_from(values)
        self._ensure(stage)
        self._tell()

    def move(self, pipeline_id: UUID, stage: Stage) -> None:
        """Enter another stage, perhaps of another pipeline. Raises OpportunityState, StageRequires."""
        self.status = self.after("moved")
        if (pipeline_id, stage.code) != (self.pipeline_id, self.stage):
            self._ensure(stage)
            self._enter(pipeline_id, stage)
            self._tell()

    def win(
        self, stage: Stage, day: date, reason_id: UUID | None, note: str | None, worth: tuple[int, str] | None
    ) -> None:
        """Close it as won on a day, for an amount of a currency where that is another by now. Raises OpportunityState, CustomerPending."""
        after = self.after("won")
        if not self.customer_there:
            raise CustomerPending(f"The customer of {self.number} is still being made.")
        if self.proposal is not None:
            self.quote_id = UUID(self.proposal["quote_id"])
        if worth is not None:
            self.amount, self.currency = worth
        self._close(after, stage, day, reason_id, note)
        self.record(events.OpportunityWon(quote_id=self.quote_id, **self._closed()))
        self._tell()

    def lose(self, stage: Stage, day: date, reason_id: UUID, note: str | None, competitor: str | None) -> None:
        """Close it as lost on a day. Raises OpportunityState."""
        self._close(self.after("lost"), stage, day, reason_id, note)
        if competitor is not None and competitor not in self.competitors:
            self.competitors = [*self.competitors, competitor]
        self.record(events.OpportunityLost(competitor=competitor, **self._closed()))
        self._tell()

    def reopen(self, stage: Stage, reason: str) -> None:
        """Go on with it, in an open stage. Raises OpportunityState."""
        self.status = self.after("reopened")
        self.closed_on = self.reason_id = self.quote_id = None
        self.outcome_note = reason
        self._enter(self.pipeline_id, stage)
        self.record(events.OpportunityReopened(opportunity_id=self.id, stage=stage.code, reason=reason))
        self._tell()

    def propose(self, proposal: WinProposal) -> None:
        """A quote of it was accepted: somebody is to say that it is won."""
        self.proposal = proposal.model_dump(mode="json")
        self.record(events.OpportunityWinProposed(opportunity_id=self.id, number=self.number, proposal=proposal))
        self._tell()

    def dismiss(self) -> None:
        """It is not won by that quote. Raises NothingProposed."""
        if self.proposal is None:
            raise NothingProposed(f"No accepted quote of {self.number} waits.")
        self.proposal = None
        self._tell()

    def hand_over(self, owner_id: UUID | None, team_id: UUID | None) -> None:
        """Be looked after by somebody else, whatever state it is in."""
        self.owner_id, self.team_id = owner_id, team_id
        self._tell()

    def settle(self, customer_id: UUID, contact_id: UUID | None) -> None:
        """The customer that was asked for is there."""
        self.customer_id = self.own_customer_id = customer_id
        self.contact_id, self.customer_there = contact_id, True
        self._tell()

    def belong_to(self, customer_id: UUID) -> None:
        """Its customer turned out to be another, or its own again. A deleted one stays deleted, and its history goes along."""
        self.customer_id = customer_id
        self._tell()

    def delete(self, *, because_of_customer: bool = False) -> None:
        """End it; the row stays for those who refer to its id."""
        self.deleted_at = datetime.now(UTC)
        self._pass_time()
        self.ended_by_customer = because_of_customer
        self.make_searchable()
        self.record(events.OpportunityDeleted(opportunity_id=self.id, number=self.number))

    def restore(self, stage: Stage, *, moved: bool = False) -> None:
        """Be there again, as it was: in its stage, as that is spelled by now; or `moved` to this one, where its own is not for it any more."""
        self.deleted_at, self.ended_by_customer = None, False
        if moved:
            self._enter(self.pipeline_id, stage)
        self.stage = stage.code
        self._pass_time()
        self._index()
        self.record_as(events.OpportunityRestored)

    def _close(self, after: Status, stage: Stage, day: date, reason_id: UUID | None, note: str | None) -> None:
        self.status, self.closed_on, self.reason_id, self.outcome_note = after, day, reason_id, note
        self.proposal = None
        self._enter(self.pipeline_id, stage)

    def _enter(self, pipeline_id: UUID, stage: Stage) -> None:
        left, now = self.stage, clock.now()
        self.pipeline_id, self.stage, self.stage_since = pipeline_id, stage.code, now
        self.record(
            events.OpportunityStageChanged(
                opportunity_id=self.id,
                pipeline_id=pipeline_id,
                from_stage=left,
                to_stage=stage.code,
                entered_at=now,
            )
        )

    def _ensure(self, stage: Stage) -> None:
        """Raises StageRequires with every field that the stage asks for and that says nothing."""
        missing = [name for name in stage.requires if not getattr(self, name)]
        if missing:
            fields = [f"/{name}" for name in missing]
            raise StageRequires(f"The stage {stage.code} asks for {' and '.join(missing)}.", field=fields)

    def _closed(self) -> dict[str, Any]:
        names: Sequence[str] = (
            *("number", "customer_id", "owner_id", "team_id", "amount", "currency", "closed_on", "reason_id"),
        )
        return {"opportunity_id": self.id, **{name: getattr(self, name) for name in names}}

    def _tell(self) -> None:
        self._pass_time()
        self._index()
        self.record_as(events.OpportunityUpdated)

    def _pass_time(self) -> None:
        """What changes now changed no earlier than what was before it, also where another process has another clock."""
        self.changed_at = max(clock.now(), self.changed_at)

    def _index(self) -> None:
        if self.deleted_at is None:
            self.make_searchable(self.number, self.name)
