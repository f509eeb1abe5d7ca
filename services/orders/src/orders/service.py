"""The orders service: sales orders, and the process that sees each through inventory and shipping."""

from contracts import credit as holds
from contracts import orders as events
from contracts import performances, reopenings
from contracts import returns as return_events
from orders import imports, process, projections, reactions, routes, timers
from orders.base import Base
from orders.credit import projections as credit
from orders.credit import reactions as credit_reactions
from orders.credit import routes as credit_routes
from orders.credit.commands import relief
from orders.credit.timers import mornings
from orders.returns import projections as return_copies
from orders.returns import reactions as return_reactions
from orders.returns import routes as return_routes
from orders.scopes import Writer, policy, read, release, write
from orders.scopes import credit as see_credit
from orders.views import OrderView
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from tailrace.transfer.bulk import LARGEST_BULK, bulk_router
from tailrace.transfer.routes import LARGEST, imports_router

service = Service(
    name="orders",
    topic="order.events",
    publishes=(
        *events.PUBLISHED,
        *holds.PUBLISHED,
        *reopenings.PUBLISHED,
        *performances.PUBLISHED,
        *return_events.PUBLISHED,
    ),
    subscribers=[
        projections.days,
        projections.dates,
        projections.catalog,
        projections.customers,
        projections.users,
        projections.teams,
        projections.templates,
        credit.terms,
        credit.rates,
        credit.receivables,
        reactions.quotes,
        reactions.leavers,
        reactions.invoices,
        process.saga,
        credit_reactions.decisions,
        credit_reactions.room,
        return_copies.departures,
        return_reactions.returns,
    ],
    timers=[timers.handover, relief],
    schedules=[mornings],
    imports=[imports.orders],
    routers=[
        jobs_router("/v1/orders/jobs", read),
        imports_router(imports.orders, "/v1/orders", read, write),
        bulk_router(
            imports.orders,
            "/v1/orders",
            Writer,
            OrderView,
            reads=[
                projections.catalog,
                projections.customers,
                projections.users,
                projections.days,
                projections.dates,
                projections.templates,
            ],
        ),
        credit_routes.router,
        routes.router,
        return_routes.of_orders,
        return_routes.of_supplies,
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
    scopes=[read, write, release, see_credit, policy],
    default_roles={
        "sales": ["orders:read", "orders:write", "orders:credit"],
        "warehouse": ["orders:read"],
        "accountant": ["orders:read", "orders:credit", "orders:release", "orders:policy"],
        "manager": ["orders:read"],
        "viewer": ["orders:read"],
    },
    metadata=Base.metadata,
)
