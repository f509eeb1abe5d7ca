"""Leads and opportunities: what may come of somebody, and what did. What was deleted counts no more from then on."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from analytics.standings.standing import Entry, Source, Standing
from contracts import leads as lead_events
from contracts import opportunities as events


class Lead(Standing):
    """Where a lead stands."""

    amount: int = 0
    created_at: datetime
    status: lead_events.LeadStatus = "new"
    qualified_at: datetime | None = None
    ended_at: datetime | None = None
    gone: bool = False

    def entries(self) -> Iterator[Entry]:
        if self.gone:
            return
        yield Entry("lead_created", self.created_at, self.amount)
        if self.qualified_at is not None:
            yield Entry("lead_qualified", self.qualified_at, self.amount)
        if self.ended_at is not None and self.status == "converted":
            yield Entry("lead_converted", self.ended_at, self.amount)
        if self.ended_at is not None and self.status == "lost":
            yield Entry("lead_lost", self.ended_at, self.amount)

    def moved_to(self, status: lead_events.LeadStatus, at: datetime) -> dict[str, Any]:
        """What is different when it is of this status from a moment on."""
        if status == self.status:
            return {}
        said: dict[str, Any] = {"status": status, "ended_at": at if status in {"converted", "lost"} else None}
        if status == "new":
            said["qualified_at"] = None
        elif status != "lost" and self.qualified_at is None:
            said["qualified_at"] = at
        return said


def fold_lead(standing: Lead | None, event: Any, at: datetime) -> Lead | None:
    """Where the lead stands after the event."""
    if isinstance(event, lead_events.LeadDescription):
        standing = standing or Lead(created_at=at)
        said = {"owner_id": event.owner_id, "customer_id": event.customer_id}
        money = {"amount": event.amount or 0, "currency": event.currency}
        return standing.model_copy(update={**said, **money, **standing.moved_to(event.status, at)})
    if standing is None:
        return None
    change: dict[str, Any] = {}
    match event:
        case lead_events.LeadQualified():
            change = standing.moved_to("qualified", at)
        case lead_events.LeadLost():
            change = standing.moved_to("lost", at)
        case lead_events.LeadConverted():
            change = standing.moved_to("converted", at)
        case lead_events.LeadDeleted():
            change = {"gone": True}
    return standing.model_copy(update=change)


class Opportunity(Standing):
    """Where an opportunity stands."""

    amount: int = 0
    created_at: datetime
    status: events.Status = "open"
    closed_at: datetime | None = None
    gone: bool = False

    def entries(self) -> Iterator[Entry]:
        if self.gone:
            return
        yield Entry("opportunity_created", self.created_at, self.amount)
        if self.closed_at is None:
            yield Entry("opportunity_open", self.created_at, self.amount)
        elif self.status == "won":
            yield Entry("opportunity_won", self.closed_at, self.amount)
        else:
            yield Entry("opportunity_lost", self.closed_at, self.amount)


def fold_opportunity(standing: Opportunity | None, event: Any, at: datetime) -> Opportunity | None:
    """Where the opportunity stands after the event."""
    if not isinstance(event, events.OpportunityDescription):
        return None if standing is None else standing.model_copy(update={"gone": True})
    standing = standing or Opportunity(created_at=at)
    said = {name: getattr(event, name) for name in ("number", "owner_id", "customer_id", "currency", "amount")}
    said["came_of_id"] = event.lead_id
    closed_at = None if event.status == "open" else at if event.status != standing.status else standing.closed_at
    # A deleted one follows its customer into a merge and back, and stays deleted.
    gone = standing.gone and not isinstance(event, events.OpportunityRestored)
    return standing.model_copy(update={**said, "status": event.status, "closed_at": closed_at, "gone": gone})


LEADS = Source(
    "lead",
    "lead_id",
    Lead,
    fold_lead,
    (
        lead_events.LeadCreated,
        lead_events.LeadUpdated,
        lead_events.LeadQualified,
        lead_events.LeadLost,
        lead_events.LeadConverted,
        lead_events.LeadDeleted,
    ),
)
OPPORTUNITIES = Source(
    "opportunity",
    "opportunity_id",
    Opportunity,
    fold_opportunity,
    (
        events.OpportunityCreated,
        events.OpportunityUpdated,
        events.OpportunityRestored,
        events.OpportunityDeleted,
    ),
)
