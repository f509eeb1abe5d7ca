"""The manifest of accounting."""

from accounting import imports, projections, proof, reactions, report_routes, routes
from accounting.days import dates, days
from accounting.models import Base
from accounting.scopes import close, control, read, write
from contracts import accounting as events
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from tailrace.transfer.routes import LARGEST, imports_router

service = Service(
    name="accounting",
    topic="accounting.events",
    publishes=events.PUBLISHED,
    subscribers=[days, dates, reactions.books, reactions.postings, reactions.decisions, projections.subledgers],
    imports=[imports.opening_balances],
    routers=[
        jobs_router("/v1/accounting/jobs", read),
        imports_router(
            imports.opening_balances,
            "/v1/accounting/opening-balances",
            read,
            write,
            control,
            jobs="/v1/accounting/jobs",
        ),
        routes.router,
        report_routes.router,
    ],
    exposes=[
        Exposed(prefix="/v1/accounting", read_timeout=10.0),
        Exposed(prefix="/v1/accounting/opening-balances/import", body_limit=LARGEST, write_timeout=60.0),
    ],
    scopes=[read, write, close, control],
    default_roles={
        "accountant": ["accounting:read", "accounting:write", "accounting:close"],
        "manager": ["accounting:read"],
        "viewer": ["accounting:read"],
    },
    metadata=Base.metadata,
    proof=proof.proof,
)
