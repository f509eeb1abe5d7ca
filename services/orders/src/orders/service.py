"""The orders service: sales orders, and the process that sees each through inventory and shipping."""

from contracts import orders as events
from contracts import returns as return_events
from orders import imports, process, projections, reactions, routes, timers
from orders.models import Base
from orders.returns import projections as return_copies
from orders.returns import reactions as return_reactions
from orders.returns import routes as return_routes
from orders.scopes import Writer, read, write
from orders.views import OrderView
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from tailrace.transfer.bulk import LARGEST_BULK, bulk_router
from tailrace.transfer.routes import LARGEST, imports_router

service = Service(
    name="orders",
    topic="order.events",
    publishes=(*events.PUBLISHED, *return_events.PUBLISHED),
    subscribers=[
        projections.days,
        projections.dates,
        projections.catalog,
        projections.customers,
        projections.users,
        projections.teams,
        projections.templates,
        reactions.quotes,
        reactions.leavers,
        reactions.invoices,
        process.saga,
        return_copies.departures,
        return_reactions.returns,
    ],
    timers=[timers.handover],
    imports=[imports.orders],
    routers=[
        jobs_router("/v1/orders/jobs", read),
        imports_router(imports.orders, "/v1/orders", read, write),
        bulk_router(
            imports.orders,
            "/v1/orders",
            Writer,
            OrderView,
            reads=[projections.catalog, projections.customers, projections.users, projections.days],
        ),
        routes.router,
        return_routes.router,
        return_routes.reasons,
    ],
    exposes=[
        Exposed(prefix="/v1/orders"),
        Exposed(prefix="/v1/orders/bulk", body_limit=LARGEST_BULK, write_timeout=60.0),
        Exposed(prefix="/v1/orders/import", body_limit=LARGEST, write_timeout=60.0),
        Exposed(prefix="/v1/returns"),
        Exposed(prefix="/v1/return-reasons"),
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
