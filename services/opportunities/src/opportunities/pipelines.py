"""Pipelines, and the reasons why opportunities are won or lost: master data. What a stage's probability was at any time is kept beside them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Numeric, event, func, insert, inspect, select, update
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from contracts import opportunities as events
from contracts.opportunities import Outcome, Stage, StageKind
from opportunities.base import Base
from opportunities.models import Opportunity
from tailrace.core import clock
from tailrace.core.errors import InUse, Invalid
from tailrace.core.ids import uuid7
from tailrace.core.values.text import folded
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.master_data import MasterData
from tailrace.db.models import TenantRow


class Pipeline(MasterData, Base):
    """Stages in their order, of which one is for what was won and one for what was lost."""

    __tablename__ = "pipeline"
    created, updated = events.PipelineCreated, events.PipelineUpdated
    deleted, restored = events.PipelineDeleted, events.PipelineRestored

    code: Mapped[str]
    stages: Mapped[list[dict[str, Any]]]

    @property
    def steps(self) -> list[Stage]:
        """Its stages, in their order."""
        return [Stage.model_validate(each) for each in self.stages]

    def stage(self, code: str, field: str = "/stage") -> Stage:
        """The stage of that code, in any spelling that is the same. Raises Invalid for one that it does not have."""
        found = self._named(code)
        if found is None:
            raise Invalid.field(field, f"Pipeline {self.code} has no stage {code}.")
        return found

    def fitting(self, code: str, kind: StageKind) -> Stage | None:
        """The stage of that code, if there is one and it is of that kind."""
        found = self._named(code)
        return found if found is not None and found.kind == kind else None

    def _named(self, code: str) -> Stage | None:
        alike = [each for each in self.steps if folded(each.code) == folded(code)]
        # Of two that were the same before it counted, the one that is spelled like that.
        return next((each for each in alike if each.code == code), next(iter(alike), None))

    def assign(self, values: Mapping[str, Any]) -> None:
        """A stage that it has keeps the spelling of its code, which opportunities in it and sums over them hold."""
        kept = {folded(each["code"]): each["code"] for each in self.stages or ()}
        exactly = {each["code"] for each in self.stages or ()}
        stages = [
            {**each, "code": each["code"] if each["code"] in exactly else kept.get(folded(each["code"]), each["code"])}
            for each in values["stages"]
        ]
        super().assign({**values, "stages": stages})

    def first(self, kind: StageKind = "open") -> Stage:
        """The first stage of a kind; each pipeline has one."""
        return next(each for each in self.steps if each.kind == kind)

    async def ensure_references(self, tx: Tx) -> None:
        """Raises InUse when a stage is left out, or is another kind of stage, that opportunities are in."""
        kinds = {each.code: each.kind for each in self.steps}
        within = select(Opportunity.stage, Opportunity.status).where(
            Opportunity.pipeline_id == self.id, Opportunity.deleted_at.is_(None)
        )
        with tx.seeing_all():
            held = (await tx.execute(within.distinct())).all()
        for stage, status in held:
            if kinds.get(stage) != status:
                raise InUse(f"Opportunities are in the stage {stage} of pipeline {self.code}.", field="/stages")

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse while an opportunity is in it."""
        within = select(Opportunity.number).where(Opportunity.pipeline_id == self.id, Opportunity.deleted_at.is_(None))
        with tx.seeing_all():
            number = await tx.scalar(within.limit(1))
        if number is not None:
            raise InUse(f"Opportunity {number} is in it.")


class Reason(MasterData, Base):
    """Why opportunities are won, or why they are lost."""

    __tablename__ = "reason"
    created, updated = events.ReasonCreated, events.ReasonUpdated
    deleted, restored = events.ReasonDeleted, events.ReasonRestored
    fixed = ("outcome",)

    code: Mapped[str]
    outcome: Mapped[Outcome]


class StageVersion(TenantRow, Base):
    """How likely opportunities in a stage were won from `since` on, until `until`, excluded."""

    __tablename__ = "stage_version"
    __table_args__ = (tenant_index("pipeline_id", "stage", "since"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    pipeline_id: Mapped[UUID]
    stage: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    probability: Mapped[Decimal] = mapped_column(Numeric(9, 6))


@event.listens_for(Pipeline, "after_insert")
@event.listens_for(Pipeline, "after_update")
def _keep_versions(_: Mapper[Pipeline], connection: Connection, pipeline: Pipeline) -> None:
    """Whatever changes the stages, what they were stays known."""
    before, after = _probabilities(_former(pipeline)), _probabilities(pipeline.stages)
    now = clock.now()
    table: Any = StageVersion.__table__
    ended = [stage for stage, probability in before.items() if after.get(stage) != probability]
    if ended:
        mine = (table.c.tenant_id == pipeline.tenant_id, table.c.pipeline_id == pipeline.id, table.c.until.is_(None))
        connection.execute(update(table).where(*mine, table.c.stage.in_(ended)).values(until=now))
    begun = [
        {
            "tenant_id": pipeline.tenant_id,
            "id": uuid7(),
            "pipeline_id": pipeline.id,
            "stage": stage,
            "since": now,
            "until": None,
            "probability": probability,
        }
        for stage, probability in after.items()
        if before.get(stage) != probability
    ]
    if begun:
        connection.execute(insert(table), begun)


def _former(pipeline: Pipeline) -> Sequence[Mapping[str, Any]]:
    """The stages as the row had them before; none for a new one."""
    state: Any = inspect(pipeline)
    if state.key is None or not state.has_identity:
        return ()
    history = state.attrs.stages.history
    if history.deleted:
        return history.deleted[0] or ()
    return () if history.added else pipeline.stages


def _probabilities(stages: Sequence[Mapping[str, Any]]) -> dict[str, Decimal]:
    return {each["code"]: Decimal(each["probability"]) for each in stages}


async def default_pipeline(tx: Tx) -> Pipeline | None:
    """The oldest one in use."""
    oldest = select(Pipeline).where(Pipeline.deleted_at.is_(None)).order_by(Pipeline.created_at, Pipeline.id)
    found: Pipeline | None = await tx.scalar(oldest.limit(1))
    return found


async def count_open(tx: Tx, pipeline_id: UUID) -> int:
    """How many open opportunities are in it."""
    within = select(func.count()).select_from(Opportunity)
    where = (Opportunity.pipeline_id == pipeline_id, Opportunity.status == "open", Opportunity.deleted_at.is_(None))
    return int(await tx.scalar(within.where(*where)) or 0)
