"""The catalog: items, units of measure, warehouses, price lists, taxes and templates, on `catalog.events`."""

from catalog import imports, projections, reactions
from catalog.base import Base
from catalog.dates import dates, days
from catalog.routes import items, price_lists, taxes, templates, units, warehouses
from catalog.scopes import Writer, read, write
from catalog.views import ItemView
from contracts.catalog import PUBLISHED
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from tailrace.transfer.bulk import LARGEST_BULK, bulk_router
from tailrace.transfer.routes import LARGEST, imports_router

service = Service(
    name="catalog",
    topic="catalog.events",
    publishes=PUBLISHED,
    subscribers=[
        days,
        dates,
        reactions.standard_units,
        reactions.standard_templates,
        projections.uses,
        reactions.late_uses,
    ],
    imports=[imports.items],
    routers=[
        jobs_router("/v1/items/jobs", read),
        imports_router(imports.items, "/v1/items", read, write),
        bulk_router(imports.items, "/v1/items", Writer, ItemView),
        items.router,
        units.router,
        warehouses.router,
        price_lists.router,
        taxes.codes,
        taxes.policy,
        templates.router,
        templates.choice,
    ],
    exposes=[
        Exposed(prefix="/v1/items"),
        Exposed(prefix="/v1/items/bulk", body_limit=LARGEST_BULK, write_timeout=60.0),
        Exposed(prefix="/v1/items/import", body_limit=LARGEST, write_timeout=60.0),
        Exposed(prefix="/v1/units"),
        Exposed(prefix="/v1/warehouses"),
        Exposed(prefix="/v1/price-lists"),
        Exposed(prefix="/v1/tax-codes"),
        Exposed(prefix="/v1/tax-policy"),
        Exposed(prefix="/v1/templates"),
        Exposed(prefix="/v1/template-choice"),
    ],
    scopes=[read, write],
    default_roles={role: ["catalog:read"] for role in ("sales", "warehouse", "accountant", "manager", "viewer")},
    metadata=Base.metadata,
)
