"""What shipping keeps of others: what quality says of a lot, and the company's days."""

from sqlalchemy.orm import Mapped

from contracts.inventory import LOT_COPIED
from contracts.users import TenantCreated, TenantTimeZoneChanged
from shipping.base import Base
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Replica, Source, replica


class LotCopy(Replica, Base):
    """A lot, and what quality says of it."""

    __tablename__ = "lot_copy"

    number: Mapped[str]
    status: Mapped[str]


days = Days("shipping.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
lots = replica("shipping.lots", Source(LotCopy, *LOT_COPIED))
