"""A user who is gone looks after nobody: the one who takes over does, or nobody, and `customer.assigned` says so of each customer.

A converted lead becomes a customer.
"""

from contracts.leads import LeadConverted
from contracts.users import UserDeleted
from customers import commands, leads
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction

leavers = Reaction("customers.leavers", since=EVER)
converted_leads = Reaction("customers.converted_leads", since=EVER)


@leavers.on(UserDeleted)
async def left(tx: Tx, event: UserDeleted, meta: Meta) -> None:
    await commands.leave(tx, event.user_id, event.successor_id)


@converted_leads.on(LeadConverted)
async def converted(tx: Tx, event: LeadConverted, meta: Meta) -> None:
    await leads.take(tx, event)
