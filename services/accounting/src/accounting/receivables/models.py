"""What customers owe, movement by movement: written once, so that any day can be read again."""

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from accounting.models import Base
from tailrace.db.keys import tenant_index
from tailrace.db.models import TenantRow


class ReceivableEntry(TenantRow, Base):
    """What one event adds to what is owed, in minor units; below zero it is owed less. With an `invoice_id` it moves what is open of that invoice,
    without one the customer's credit. An allocation has one of each."""

    __tablename__ = "receivable_entry"
    __table_args__ = (tenant_index("customer_id", "day"), tenant_index("invoice_id", "day"), tenant_index("day"))

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    number: Mapped[str]
    customer_id: Mapped[UUID | None]
    invoice_id: Mapped[UUID | None]
    payment_id: Mapped[UUID | None]
    currency: Mapped[str]
    amount: Mapped[int]
    day: Mapped[date]
    due_on: Mapped[date | None]
