"""Customers: who buys, who speaks for them, who looks after them, and what was agreed, on `customer.events`."""

from contracts.customers import PUBLISHED
from customers import commands, imports, projections, reactions, reviews, routes, scopes, verification
from customers.attachments import papers
from customers.models import Base
from customers.views import CustomerView
from tailrace.errands.routes import errands_router
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from tailrace.storage.attachments import MEGABYTE
from tailrace.transfer.bulk import LARGEST_BULK, bulk_router
from tailrace.transfer.routes import LARGEST, imports_router

_MASKS = ["customers:pii", "customers:profile"]

service = Service(
    name="customers",
    topic="customer.events",
    publishes=PUBLISHED,
    subscribers=[
        projections.users,
        projections.teams,
        projections.price_lists,
        projections.templates,
        projections.days,
        projections.dates,
        projections.uses,
        projections.timeline,
        reactions.leavers,
        reactions.late_uses,
        reactions.converted_leads,
    ],
    timers=[commands.handover, reviews.batch],
    schedules=[reviews.mornings],
    errands=[verification.tax_id_check],
    attachments=[papers],
    imports=[imports.customers],
    routers=[
        jobs_router("/v1/customers/jobs", scopes.read, scopes.operate),
        errands_router("/v1/customers/errands", scopes.operate),
        imports_router(imports.customers, "/v1/customers", scopes.read, scopes.write, scopes.pii),
        bulk_router(
            imports.many,
            "/v1/customers",
            scopes.ManyWriter,
            CustomerView,
            reads=[projections.users, projections.teams, projections.price_lists, projections.templates],
        ),
        routes.router,
        routes.timeline_router,
        routes.papers_router,
    ],
    exposes=[
        Exposed(prefix="/v1/customers", body_limit=21 * MEGABYTE),
        Exposed(prefix="/v1/customers/bulk", body_limit=LARGEST_BULK, write_timeout=60.0),
        Exposed(prefix="/v1/customers/import", body_limit=LARGEST, write_timeout=60.0),
    ],
    scopes=[
        *(scopes.read, scopes.write, scopes.assign, scopes.credit, scopes.merge),
        *(scopes.pii, scopes.profile, scopes.operate),
    ],
    default_roles={
        "sales": ["customers:read", "customers:write", "customers:assign", *_MASKS],
        "accountant": ["customers:read", "customers:credit", *_MASKS],
        "warehouse": ["customers:read", *_MASKS],
        "manager": ["customers:read", "customers:assign", *_MASKS],
        "viewer": ["customers:read", *_MASKS],
    },
    released=False,
    metadata=Base.metadata,
)
