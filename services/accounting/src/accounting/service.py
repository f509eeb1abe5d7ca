"""The manifest of accounting."""

from accounting import projections, proof, reactions, report_routes, routes
from accounting.days import dates, days
from accounting.models import Base
from accounting.scopes import close, control, read, write
from contracts import accounting as events
from tailrace.service import Exposed, Service

service = Service(
    name="accounting",
    topic="accounting.events",
    publishes=events.PUBLISHED,
    subscribers=[days, dates, reactions.books, reactions.postings, projections.subledgers],
    routers=[routes.router, report_routes.router],
    exposes=[Exposed(prefix="/v1/accounting", read_timeout=10.0)],
    scopes=[read, write, close, control],
    default_roles={
        "accountant": ["accounting:read", "accounting:write", "accounting:close"],
        "viewer": ["accounting:read"],
    },
    metadata=Base.metadata,
    proof=proof.proof,
)
