"""A return as shipping sees it: what is expected, what has come, and what became of it. What was not looked at yet is nobody's stock.

Quantities are in each item's base unit. Of a line, no more comes than is expected, and no more is judged than has come.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from contracts import return_shipments as events
from contracts.lots import LotQuantity
from contracts.return_shipments import Verdict
from contracts.returns import ReturnAuthorised, ReturnLine
from shipping import lots
from shipping.base import Base
from shipping.refusals import TooMuch, WrongState
from tailrace.core.errors import Invalid
from tailrace.core.transitions import Transitions
from tailrace.core.values.money import plain_decimal
from tailrace.core.values.units import check_decimals
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Aggregate, Part
from tailrace.db.unique import unique_value

Status = Literal["expected", "partly_received", "received", "inspected", "cancelled"]
STATES = Transitions[Status](
    "Return",
    {
        # How far receiving and inspecting have got, the lines say.
        "expected": {"received": "partly_received", "ended": "cancelled"},
        "partly_received": {"received": "partly_received", "inspected": "partly_received", "ended": "received"},
        # Something that nobody expected may come at any time.
        "received": {"received": "received", "inspected": "received", "ended": "received"},
        "inspected": {"received": "inspected", "ended": "inspected"},
        "cancelled": {"ended": "cancelled"},
    },
    WrongState,
)
ZERO = Decimal(0)

Judged = tuple[UUID, Verdict, Decimal, str | None, Sequence[LotQuantity]]
"""So much of a line, what becomes of it, a note, and which lots it is."""


class ReturnShipment(Aggregate, Base):
    """What is expected of one return, under an id of its own: the return's counts the events of orders."""

    __tablename__ = "return_shipment"
    __table_args__ = (
        unique_value("return_id"),
        tenant_index("order_id"),
        tenant_index("status", "id"),
        tenant_index("number", "id"),
        tenant_index("created_at", "id"),
    )

    return_id: Mapped[UUID]
    number: Mapped[str]
    """The return's."""
    order_id: Mapped[UUID]
    order_number: Mapped[str]
    customer_name: Mapped[str]
    reason: Mapped[str]
    note: Mapped[str | None]
    status: Mapped[Status]
    unexpected: Mapped[list[dict[str, Any]]]
    """What came along and is no line of it: UnexpectedGoods."""
    received_at: Mapped[datetime | None]
    inspected_at: Mapped[datetime | None]
    lines: Mapped[list["ReturnShipmentLine"]] = relationship(
        back_populates="of", cascade="all, delete-orphan", lazy="selectin", order_by="ReturnShipmentLine.position"
    )

    @classmethod
    def expected(cls, asked: ReturnAuthorised) -> "ReturnShipment":
        """The goods that may come back; of what was performed, nothing does."""
        goods = [line for line in asked.lines if not line.performed]
        made = cls(
            id=asked.return_shipment_id,
            return_id=asked.return_id,
            number=asked.number,
            order_id=asked.order_id,
            order_number=asked.order_number,
            customer_name=asked.customer_name,
            reason=asked.reason,
            note=asked.note,
            status="expected",
            unexpected=[],
            lines=[ReturnShipmentLine.expected_of(at, line) for at, line in enumerate(goods, 1)],
        )
        lines = [events.ExpectedLine(return_line_id=line.id, quantity=line.expected) for line in made.lines]
        made.record(events.ReturnExpected(**made._ids(), lines=lines))
        return made

    def receive(
        self, came: Sequence[tuple[UUID, Decimal]], unexpected: Sequence[events.UnexpectedGoods], at: datetime
    ) -> None:
        """Goods came. Raises WrongState, TooMuch, Invalid."""
        self._after("received")
        seen: set[UUID] = set()
        for place, (line_id, quantity) in enumerate(came):
            line = self._line(line_id, f"/lines/{place}")
            if line_id in seen:
                raise Invalid.field(f"/lines/{place}/return_line_id", "This line is named twice.")
            seen.add(line_id)
            line.check(quantity, line.expected - line.received, f"/lines/{place}/quantity", "is still expected")
            line.received += quantity
        self.unexpected = [*self.unexpected, *(one.model_dump(mode="json") for one in unexpected)]
        self.received_at = at
        if came:
            self._count()
        self.record(
            events.ShipmentReturned(
                **self._ids(),
                lines=[events.ReceivedLine(return_line_id=id, quantity=quantity) for id, quantity in came],
                unexpected=list(unexpected),
                complete=self.status in ("received", "inspected"),
                received_at=at,
            )
        )

    def ensure_inspectable(self) -> None:
        """Raises WrongState where nothing waits to be looked at."""
        self._after("inspected")

    def inspect(self, judged: Sequence[Judged], at: datetime) -> None:
        """Say what becomes of goods that came. Raises WrongState, TooMuch, Invalid."""
        self.ensure_inspectable()
        seen: set[tuple[UUID, Verdict]] = set()
        said: list[events.InspectedLine] = []
        for place, (line_id, verdict, quantity, note, of_lots) in enumerate(judged):
            line = self._line(line_id, f"/lines/{place}")
            if (line_id, verdict) in seen:
                raise Invalid.field(f"/lines/{place}/verdict", "This line is named twice with the same verdict.")
            seen.add((line_id, verdict))
            line.check(quantity, line.received - line.judged, f"/lines/{place}/quantity", "waits to be looked at")
            said.append(line.judge(verdict, quantity, note, of_lots))
        self.inspected_at = at
        self._count()
        complete = self.status == "inspected"
        self.record(events.ReturnInspected(**self._ids(), lines=said, complete=complete, inspected_at=at))

    def end(self, reason: str) -> None:
        """Take in nothing more of it, and say what had come. Whatever state it is in, the order is answered."""
        self._after("ended")
        for line in self.lines:
            line.expected = line.received
        if any(line.received for line in self.lines):
            self._count()
        else:
            self.status = "cancelled"
        lines = [events.ReceivedInAll(return_line_id=line.id, quantity=line.received) for line in self.lines]
        self.record(events.ReturnExpectationEnded(**self._ids(), reason=reason, lines=lines))

    def _count(self) -> None:
        if any(line.received < line.expected for line in self.lines):
            self.status = "partly_received"
        elif all(line.judged == line.received for line in self.lines):
            self.status = "inspected"
        else:
            self.status = "received"

    def _line(self, id: UUID, field: str) -> "ReturnShipmentLine":
        line = next((each for each in self.lines if each.id == id), None)
        if line is None:
            raise Invalid.field(
                f"{field}/return_line_id",
                f"Return {self.number} has no line {id}. What came besides is named under unexpected.",
            )
        return line

    def _after(self, step: str) -> Status:
        return STATES.after(self.status, step, self.number)

    def _ids(self) -> dict[str, Any]:
        ids = {"return_shipment_id": self.id, "return_id": self.return_id, "order_id": self.order_id}
        return {**ids, "number": self.number}


class ReturnShipmentLine(Part, Base):
    """Its id is that of the authorisation's line."""

    __tablename__ = "return_shipment_line"
    __root__ = "of"
    __table_args__ = (
        refers_to("return_shipment", "return_shipment_id"),
        tenant_index("return_shipment_id"),
        tenant_index("shipment_id", "line_id"),
    )

    return_shipment_id: Mapped[UUID]
    position: Mapped[int]
    shipment_id: Mapped[UUID]
    line_id: Mapped[UUID]
    item_id: Mapped[UUID]
    sku: Mapped[str]
    name: Mapped[str]
    warehouse_id: Mapped[UUID]
    unit: Mapped[str | None]
    decimals: Mapped[int]
    """How fine a quantity in `unit` may be."""
    expected: Mapped[Decimal]
    received: Mapped[Decimal]
    restocked: Mapped[Decimal]
    scrapped: Mapped[Decimal]
    sent_back: Mapped[Decimal]
    lots: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    """Of a tracked item, which lots were kept: they add up to what was restocked and scrapped."""
    of: Mapped[ReturnShipment] = relationship(back_populates="lines")

    @classmethod
    def expected_of(cls, position: int, line: ReturnLine) -> "ReturnShipmentLine":
        """From a line of the authorisation."""
        names = ("shipment_id", "line_id", "item_id", "sku", "name", "warehouse_id", "unit", "decimals")
        nothing = dict.fromkeys(("received", "restocked", "scrapped", "sent_back"), ZERO)
        said = {name: getattr(line, name) for name in names}
        return cls(id=line.return_line_id, position=position, expected=line.quantity, lots=[], **said, **nothing)

    @property
    def part(self) -> tuple[UUID, UUID]:
        """The shipment that it left with, and the line of the order."""
        return self.shipment_id, self.line_id

    @property
    def judged(self) -> Decimal:
        """How much of what came was looked at."""
        return self.restocked + self.scrapped + self.sent_back

    def check(self, quantity: Decimal, left: Decimal, field: str, what: str) -> None:
        """Raises TooMuch for more than is left, and Invalid for a quantity that is finer than its unit."""
        check_decimals(quantity, self.unit or self.sku, self.decimals, field)
        if quantity > left:
            raise TooMuch(f"Of {self.sku}, {plain_decimal(left)} {what}, not {plain_decimal(quantity)}.", field=field)

    def judge(
        self, verdict: Verdict, quantity: Decimal, note: str | None, of_lots: Sequence[LotQuantity]
    ) -> events.InspectedLine:
        match verdict:
            case "restock":
                self.restocked += quantity
            case "scrap":
                self.scrapped += quantity
            case "send_back":
                self.sent_back += quantity
        if verdict != "send_back":
            self.lots = lots.as_rows(lots.joined(self.lots, lots.as_rows(of_lots)))
        names = ("shipment_id", "line_id", "item_id", "warehouse_id")
        said: dict[str, Any] = {name: getattr(self, name) for name in names} | {"lots": list(of_lots)}
        return events.InspectedLine(return_line_id=self.id, verdict=verdict, quantity=quantity, note=note, **said)
