"""What the toy shop publishes, on `toyshop.events`."""

from typing import ClassVar
from uuid import UUID

from tailrace.core.events import Event
from tailrace.core.personal_data import Personal


class ToyEvent(Event):
    topic: ClassVar[str] = "toyshop.events"
    publisher: ClassVar[str] = "toyshop"


class CardIssued(ToyEvent):
    type: ClassVar[str] = "toyshop.card.issued"
    card_id: UUID
    number: str
    email: Personal[str]
    label: str | None = None


class CardLabelled(ToyEvent):
    type: ClassVar[str] = "toyshop.card.labelled"
    card_id: UUID
    label: str


class CardClosed(ToyEvent):
    type: ClassVar[str] = "toyshop.card.closed"
    card_id: UUID


class PointsGiven(ToyEvent):
    type: ClassVar[str] = "toyshop.points.given"
    by: int


PUBLISHED = [CardIssued, CardLabelled, CardClosed, PointsGiven]
