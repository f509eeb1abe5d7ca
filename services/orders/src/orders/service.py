"""The orders service: sales orders, and the process that sees each through inventory and shipping."""

from contracts import orders as events
from orders import imports, process, projections, reactions, routes
from orders.models import Base
from orders.scopes import read, write
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from tailrace.transfer.routes import LARGEST, imports_router

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
        reactions.invoices,
        process.saga,
    ],
    imports=[imports.orders],
    routers=[
        jobs_router("/v1/orders/jobs", read),
        imports_router(imports.orders, "/v1/orders", read, write),
        routes.router,
    ],
    exposes=[
        Exposed(prefix="/v1/orders"),
        Exposed(prefix="/v1/orders/import", body_limit=LARGEST, write_timeout=60.0),
    ],
    scopes=[read, write],
    default_roles={
        "sales": ["orders:*"],
        "warehouse": ["orders:read"],
        "accountant": ["orders:read"],
        "viewer": ["orders:read"],
    },
    metadata=Base.metadata,
)
