"""The orders service: sales orders, and the process that sees each through inventory and shipping."""

from contracts import orders as events
from orders import process, projections, reactions, routes
from orders.models import Base
from orders.scopes import read, write
from tailrace.service import Exposed, Service

service = Service(
    name="orders",
    topic="order.events",
    publishes=events.PUBLISHED,
    subscribers=[
        projections.days,
        projections.dates,
        projections.catalog,
        projections.customers,
        reactions.quotes,
        process.saga,
    ],
    routers=[routes.router],
    exposes=[Exposed(prefix="/v1/orders")],
    scopes=[read, write],
    default_roles={
        "sales": ["orders:*"],
        "warehouse": ["orders:read"],
        "accountant": ["orders:read"],
        "viewer": ["orders:read"],
    },
    metadata=Base.metadata,
)
