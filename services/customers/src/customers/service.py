"""Customers: who buys, who speaks for them, who looks after them, and what was agreed, on `customer.events`."""

from contracts.customers import PUBLISHED
from customers import commands, projections, reactions, routes, scopes
from customers.models import Base
from tailrace.service import Exposed, Service

service = Service(
    name="customers",
    topic="customer.events",
    publishes=PUBLISHED,
    subscribers=[projections.users, projections.price_lists, projections.dates, reactions.leavers],
    timers=[commands.handover],
    routers=[routes.router],
    exposes=[Exposed(prefix="/v1/customers")],
    scopes=[scopes.read, scopes.write, scopes.assign, scopes.credit, scopes.merge],
    default_roles={
        "sales": ["customers:read", "customers:write", "customers:assign"],
        "accountant": ["customers:read", "customers:credit"],
        "warehouse": ["customers:read"],
        "viewer": ["customers:read"],
    },
    released=False,
    metadata=Base.metadata,
)
