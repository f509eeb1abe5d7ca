"""The event of a return that was settled in the books, on `accounting.events`."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.accounting import AccountingEvent
from tailrace.core.values.money import Currency, Minor, Quantity


class UnbilledLine(BaseModel):
    """What was on no invoice when it was taken back: it will be on none. `net` and `tax` are what it had been booked with."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    shipment_id: UUID
    """What it left with; of a service, the performance."""
    line_id: UUID
    quantity: Quantity
    net: Minor
    tax: Minor


class ReturnSettled(AccountingEvent):
    """Answers `order.return_settlement_requested`. What was invoiced, credit notes take back, whose own events say what they do to the books; what
    was not is taken back here. `credited_net` and `credited_tax` are both together; `fee` is what its invoice asks for, tax included."""

    type: ClassVar[str] = "accounting.return.settled"

    return_settlement_id: UUID
    return_id: UUID
    return_number: str
    order_id: UUID
    currency: Currency
    credit_notes: list[UUID] = []
    unbilled: list[UnbilledLine] = []
    unbilled_net: Minor
    unbilled_tax: Minor
    credited_net: Minor
    credited_tax: Minor
    fee_invoice_id: UUID | None = None
    fee: Minor = 0
    effective_at: datetime


PUBLISHED: tuple[type[AccountingEvent], ...] = (ReturnSettled,)
