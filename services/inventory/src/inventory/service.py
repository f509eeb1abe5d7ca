"""Inventory: what is where, what it is worth and who holds it, on `inventory.events`. Its events are its state."""

from contracts.inventory import PUBLISHED
from inventory import backorders, imports, projections, proof, reactions, routes, waiting
from inventory.models import Base
from inventory.scopes import Writer, quality, read, write
from inventory.tracking import routes as tracking
from inventory.views import MovementView
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from tailrace.transfer.bulk import LARGEST_BULK, bulk_router
from tailrace.transfer.routes import LARGEST, imports_router

service = Service(
    name="inventory",
    topic="inventory.events",
    publishes=PUBLISHED,
    subscribers=[
        projections.days,
        projections.dates,
        projections.catalog,
        projections.templates,
        reactions.fulfilment,
        reactions.returns,
        projections.deliveries,
    ],
    timers=[backorders.expiry, waiting.filling],
    imports=[imports.stock],
    routers=[
        jobs_router("/v1/inventory/jobs", read),
        imports_router(imports.stock, "/v1/inventory/stock", read, write, jobs="/v1/inventory/jobs"),
        bulk_router(
            imports.stock,
            "/v1/inventory/receipts",
            Writer,
            MovementView,
            tag="inventory",
            reads=[projections.catalog, projections.days, projections.dates, projections.deliveries],
        ),
        routes.router,
        tracking.router,
    ],
    exposes=[
        Exposed(prefix="/v1/inventory"),
        Exposed(prefix="/v1/inventory/receipts/bulk", body_limit=LARGEST_BULK, write_timeout=60.0),
        Exposed(prefix="/v1/inventory/stock/import", body_limit=LARGEST, write_timeout=60.0),
        # A replay reads the whole history of a stock.
        Exposed(prefix="/v1/inventory/stock", read_timeout=30.0),
    ],
    scopes=[read, write, quality],
    default_roles={
        "sales": ["inventory:read"],
        "warehouse": ["inventory:*"],
        "accountant": ["inventory:read"],
        "manager": ["inventory:read"],
        "viewer": ["inventory:read"],
    },
    metadata=Base.metadata,
    proof=proof.proof,
)
