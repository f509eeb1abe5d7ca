"""Customers: who buys, who speaks for them, who looks after them, and what was agreed, on `customer.events`."""

from contracts.customers import PUBLISHED
from customers import commands, imports, projections, reactions, routes, scopes
from customers.models import Base
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from tailrace.transfer.routes import LARGEST, imports_router

service = Service(
    name="customers",
    topic="customer.events",
    publishes=PUBLISHED,
    subscribers=[projections.users, projections.price_lists, reactions.leavers],
    timers=[commands.handover],
    imports=[imports.customers],
    routers=[
        jobs_router("/v1/customers/jobs", scopes.read),
        imports_router(imports.customers, "/v1/customers", scopes.read, scopes.write),
        routes.router,
    ],
    exposes=[
        Exposed(prefix="/v1/customers"),
        Exposed(prefix="/v1/customers/import", body_limit=LARGEST, write_timeout=60.0),
    ],
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
