"""Cards with stamps on them, a stream of points, and a copy of the catalog's items."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from tailrace.core.errors import Refused
from tailrace.core.ids import uuid7
from tailrace.db.event_streams import Stream, stream_table
from tailrace.db.models import Aggregate, Part, Tables, TenantRow
from tailrace.db.visibility import Owned
from toyshop.events import CardClosed, CardIssued, CardLabelled, PointsGiven


class Base(Tables, DeclarativeBase):
    """The tables of the toyshop."""


class Card(Aggregate, Owned, Base):
    """A customer's card; each change records its event."""

    __tablename__ = "card"
    __table_args__ = (Index("uq_card_number", "tenant_id", "number", unique=True),)

    owned_by = "holder_id"

    number: Mapped[str]
    email: Mapped[str]
    holder_id: Mapped[UUID]
    label: Mapped[str]
    closed: Mapped[bool]
    stamps: Mapped[list["Stamp"]] = relationship(back_populates="card", lazy="selectin", cascade="all, delete-orphan")

    @classmethod
    def issue(cls, holder_id: UUID, number: str, email: str, label: str, stamps: list[str]) -> Self:
        kept = [Stamp(id=uuid7(), text=text) for text in stamps]
        said = {"number": number, "email": email, "label": label}
        card = cls(id=uuid7(), holder_id=holder_id, closed=False, stamps=kept, **said)
        card.record(CardIssued(card_id=card.id, number=number, email=email, label=label))
        return card

    def relabel(self, label: str) -> None:
        self.label = label
        self.record(CardLabelled(card_id=self.id, label=label))

    def close(self) -> None:
        if self.closed:
            raise Refused("It is closed already.")
        self.closed = True
        self.record(CardClosed(card_id=self.id))


class Stamp(Part, Base):
    __tablename__ = "stamp"
    __root__ = "card"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "card_id"], ["card.tenant_id", "card.id"]),)

    card_id: Mapped[UUID]
    text: Mapped[str]
    card: Mapped[Card] = relationship(back_populates="stamps")


class CardHome(Base):
    """Which tenant a card number belongs to: read before a tenant is known."""

    __tablename__ = "card_home"

    code: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]


class Product(TenantRow, Base):
    """The catalog's item, as far as it is known here."""

    __tablename__ = "product"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    heard: Mapped[int]


class Total(BaseModel):
    total: int = 0


points_event = stream_table("points_event", Base.metadata)


class Points(Stream[Total]):
    """An account of points."""

    table = points_event
    events = (PointsGiven,)

    @classmethod
    def initial(cls) -> Total:
        return Total()

    def apply(self, event: PointsGiven) -> None:
        self.state.total += event.by


class Account(TenantRow, Base):
    """The points as they stand: written with each append."""

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    total: Mapped[int]
    version: Mapped[int]
