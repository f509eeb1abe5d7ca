"""When the company holds orders for credit. Without a policy, no invoice is overdue for too long."""

from uuid import UUID

from sqlalchemy.orm import Mapped

from contracts.credit import CreditPolicyUpdated
from orders.base import Base
from tailrace.core.ids import derived_id
from tailrace.db.database import Tx
from tailrace.db.models import Aggregate


class CreditPolicy(Aggregate, Base):
    """There is one, under an id that the tenant's makes."""

    __tablename__ = "credit_policy"

    overdue_days: Mapped[int | None]

    def replace(self, overdue_days: int | None) -> None:
        self.overdue_days = overdue_days
        self.record_as(CreditPolicyUpdated)


def policy_id(tenant_id: UUID) -> UUID:
    return derived_id("orders.credit_policy", tenant_id)


async def overdue_days(tx: Tx) -> int | None:
    """For how many days an invoice may be overdue; None for as long as it takes."""
    kept = await tx.get(CreditPolicy, (tx.tenant_id, policy_id(tx.tenant_id)))
    return None if kept is None else kept.overdue_days
