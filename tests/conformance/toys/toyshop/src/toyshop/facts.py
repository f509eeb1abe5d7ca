"""What the toy shop publishes, on `toyshop.events`."""

from typing import ClassVar
from uuid import UUID

from tailrace.core.events import Event
from tailrace.core.personal_data import Personal


class ToyFact(Event):
    topic: ClassVar[str] = "toyshop.events"


class CardIssued(ToyFact):
    type: ClassVar[str] = "toyshop.card.issued"
    card_id: UUID
    number: str
    email: Personal[str]
    label: str | None = None


class CardLabelled(ToyFact):
    type: ClassVar[str] = "toyshop.card.labelled"
    card_id: UUID
    label: str


class CardClosed(ToyFact):
    type: ClassVar[str] = "toyshop.card.closed"
    card_id: UUID


class PointsGiven(ToyFact):
    type: ClassVar[str] = "toyshop.points.given"
    by: int


PUBLISHED = [CardIssued, CardLabelled, CardClosed, PointsGiven]
