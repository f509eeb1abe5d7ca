"""What a document amounts to at a moment: a set of entries, each under one measure.

A kind of document says two things: how an event changes where it stands (`fold`), and which entries that makes (`entries`). Whatever changes, be it
the amount, the owner, a cancellation or its undoing, is then the difference of two sets of entries.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from analytics.measures import CARRIED, Kind, Measure
from tailrace.core.events import Event, Meta


@dataclass(frozen=True, slots=True)
class Entry:
    """What a document adds to a measure, at a moment.

    `count` is of documents or steps, `key` tells several of one measure apart, `seconds` is how long something took, `quantity` is millionths of
    the item's base unit.
    """

    measure: Measure
    at: datetime
    amount: int = 0
    count: int = 1
    seconds: int = 0
    key: str = ""
    quantity: int = 0

    def __post_init__(self) -> None:
        carried = CARRIED[self.measure]
        if (
            (self.amount and "amount" not in carried)
            or (self.seconds and "seconds" not in carried)
            or (self.quantity and "quantity" not in carried)
        ):
            raise ValueError(f"{self.measure} has {', '.join(sorted(carried)) or 'a count'} alone: {self}")


class Dimensions(NamedTuple):
    """By what entries are told apart in reports."""

    owner_id: UUID | None
    customer_id: UUID | None
    currency: str | None
    label: str | None
    segment: str | None
    came_of_id: UUID | None
    item_id: UUID | None
    warehouse_id: UUID | None


class Standing(BaseModel):
    """What every kind has. `label` is what it is among its kind: a priority, a status, the kind of what is approved.

    `came_of_id`: the document that it came of, such as the quote of an order.
    """

    model_config = ConfigDict(extra="ignore", validate_assignment=False)

    number: str | None = None
    owner_id: UUID | None = None
    customer_id: UUID | None = None
    currency: str | None = None
    label: str | None = None
    segment: str | None = None
    came_of_id: UUID | None = None
    item_id: UUID | None = None
    warehouse_id: UUID | None = None

    def entries(self) -> Iterator[Entry]:
        """What it amounts to now. Nothing, once it is gone."""
        raise NotImplementedError

    def dimensions(self) -> Dimensions:
        return Dimensions(*(getattr(self, name) for name in Dimensions._fields))


ENTRY = ""
"""In place of the field with a document's id: the event is the document, and its id is the document's."""
AnyStanding = TypeVar("AnyStanding", bound=Standing)
Fold = Callable[[Any, Any, datetime], Any]


class Told(NamedTuple):
    """Where a document stands by now, and what its entries are, with their dimensions, by measure and key."""

    standing: Standing
    entries: Mapping[tuple[str, str], tuple[Entry, Dimensions]]


@dataclass(frozen=True)
class Source(Generic[AnyStanding]):
    """A kind of document, its events and the field with its id, or `ENTRY`. `fold(standing, event, at)` returns where it stands after the event.

    `standing` is None before the first event; `fold` then returns None too for an event that makes no sense without an earlier one.
    """

    kind: Kind
    key: str
    standing: type[AnyStanding]
    fold: Callable[[AnyStanding | None, Any, datetime], AnyStanding | None]
    events: tuple[type[Event], ...]

    def id_of(self, event: Event, meta: Meta) -> UUID:
        """Of which document an event tells."""
        id: UUID = meta.event_id if self.key == ENTRY else getattr(event, self.key)
        return id

    def told(self, standing: Standing | None) -> Mapping[tuple[str, str], tuple[Entry, Dimensions]]:
        if standing is None:
            return {}
        dimensions = standing.dimensions()
        return {(entry.measure, entry.key): (entry, dimensions) for entry in standing.entries()}


def whole_seconds(since: datetime, until: datetime) -> int:
    """How long it took, the begun second left out; nothing where clocks disagree."""
    return max(int((until - since).total_seconds()), 0)
