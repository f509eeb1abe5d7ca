"""Customers: when they came, when they went, and how many stand, by status and segment. One that stands for another is of the status `merged`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from analytics.standings.standing import Entry, Source, Standing
from contracts import customers as events


class Customer(Standing):
    """Where a customer stands."""

    came_at: datetime
    went_at: datetime | None = None

    def entries(self) -> Iterator[Entry]:
        yield Entry("customer_added", self.came_at)
        if self.went_at is not None:
            yield Entry("customer_deleted", self.went_at)
        else:
            yield Entry("customer_standing", self.came_at)


def fold(standing: Customer | None, event: Any, at: datetime) -> Customer | None:
    """Where the customer stands after the event."""
    if isinstance(event, events.CustomerDescription):
        said = {
            "number": event.number,
            "owner_id": event.sales_rep_id,
            "customer_id": event.customer_id,
            "label": event.status,
            "segment": event.segment,
            "went_at": None,
        }
        return Customer(came_at=at, **said) if standing is None else standing.model_copy(update=said)
    if standing is None:
        return None
    return standing.model_copy(update={"went_at": at})


CUSTOMERS = Source(
    "customer",
    "customer_id",
    Customer,
    fold,
    (events.CustomerCreated, events.CustomerUpdated, events.CustomerRestored, events.CustomerDeleted),
)
