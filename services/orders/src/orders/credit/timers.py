"""When what waits is looked at again: soon after something made room, and each morning, when rates of a later day have begun."""

from datetime import datetime
from uuid import UUID

from contracts.users import TenantCreated, TenantTimeZoneChanged
from orders.credit import commands
from orders.credit.commands import relief
from orders.projections import days
from tailrace.db.database import Tx
from tailrace.messaging.schedules import Schedule

mornings = Schedule("orders.credit_mornings", "0 5 * * *", days, TenantCreated, TenantTimeZoneChanged)


@relief.due
async def relieve(tx: Tx, customer_id: UUID) -> None:
    await commands.relieve(tx, customer_id)


@mornings.run
async def begin(tx: Tx, at: datetime) -> None:
    await commands.look_again(tx)
