"""The settlement of a return, or of a part of it: written once, never changed. Amounts are whole minor units of its currency."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped, relationship

from accounting.models import Base
from contracts.return_settlements import ReturnSettled, UnbilledLine
from contracts.returns import ReturnSettlementRequested
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Aggregate, Part


class ReturnSettlement(Aggregate, Base):
    """Its id is the one that the request gave it."""

    __tablename__ = "return_settlement"

    return_id: Mapped[UUID]
    order_id: Mapped[UUID]
    currency: Mapped[str]
    lines: Mapped[list["UnbilledReturn"]] = relationship(
        back_populates="settlement", cascade="all, delete-orphan", lazy="selectin", order_by="UnbilledReturn.id"
    )

    @classmethod
    def made(
        cls,
        asked: ReturnSettlementRequested,
        unbilled: list["UnbilledReturn"],
        credit_notes: Sequence[tuple[UUID, int, int]],
        fee: tuple[UUID, int] | None,
        at: datetime,
    ) -> "ReturnSettlement":
        """`credit_notes` are id, net and tax of each; `fee` is the invoice of the fee, and what it asks for."""
        settlement = cls(
            id=asked.settlement_id,
            return_id=asked.return_id,
            order_id=asked.order_id,
            currency=asked.currency,
            lines=unbilled,
        )
        net, tax = sum(each.net for each in unbilled), sum(each.tax for each in unbilled)
        settlement.record(
            ReturnSettled(
                return_settlement_id=settlement.id,
                return_id=asked.return_id,
                return_number=asked.number,
                order_id=asked.order_id,
                currency=asked.currency,
                credit_notes=[id for id, _, _ in credit_notes],
                unbilled=[each.described() for each in unbilled],
                unbilled_net=net,
                unbilled_tax=tax,
                credited_net=net + sum(each for _, each, _ in credit_notes),
                credited_tax=tax + sum(each for _, _, each in credit_notes),
                fee_invoice_id=None if fee is None else fee[0],
                fee=0 if fee is None else fee[1],
                effective_at=at,
            )
        )
        return settlement


class UnbilledReturn(Part, Base):
    """What was on no invoice when it was taken back. No invoice of the shipment, or of the performance, has it any more."""

    __tablename__ = "unbilled_return"
    __table_args__ = (
        refers_to("return_settlement", "settlement_id"),
        tenant_index("settlement_id"),
        tenant_index("shipment_id", "line_id"),
    )
    __root__ = "settlement"

    settlement_id: Mapped[UUID]
    shipment_id: Mapped[UUID]
    """What it left with; of a service, the performance."""
    line_id: Mapped[UUID]
    quantity: Mapped[Decimal]
    net: Mapped[int]
    tax: Mapped[int]
    closes: Mapped[bool]
    """Whether with it nothing of the shipment is left to invoice."""
    settlement: Mapped[ReturnSettlement] = relationship(back_populates="lines")

    def described(self) -> UnbilledLine:
        names = ("shipment_id", "line_id", "quantity", "net", "tax")
        return UnbilledLine(**{name: getattr(self, name) for name in names})
