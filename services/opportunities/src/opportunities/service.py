"""Opportunities: who might buy, what may come of it, and what did, on `opportunity.events`."""

from contracts.opportunities import PUBLISHED
from opportunities import guard, imports, projections, public, reactions, scopes, scoring, sums, timers
from opportunities.base import Base
from opportunities.routes import forms, leads, opportunities, pipelines
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from tailrace.transfer.routes import LARGEST, imports_router

service = Service(
    name="opportunities",
    topic="opportunity.events",
    publishes=PUBLISHED,
    subscribers=[
        projections.days,
        projections.dates,
        projections.people,
        projections.teams,
        projections.items,
        projections.buyers,
        projections.marks,
        reactions.standards,
        reactions.answers,
        reactions.quotes,
        reactions.goings,
    ],
    timers=[timers.handover, timers.following, sums.folding],
    schedules=[guard.mornings, sums.often],
    jobs=[scoring.rescore],
    imports=[imports.leads],
    routers=[
        public.router,
        jobs_router("/v1/leads/jobs", scopes.leads_read),
        imports_router(imports.leads, "/v1/leads", scopes.leads_read, scopes.leads_write, scopes.pii),
        leads.router,
        forms.router,
        opportunities.router,
        pipelines.pipelines,
        pipelines.reasons,
        pipelines.forecasts,
    ],
    exposes=[
        Exposed(prefix="/v1/leads"),
        Exposed(prefix="/v1/leads/import", body_limit=LARGEST, write_timeout=60.0),
        Exposed(prefix=forms.PUBLIC, public=True),
        Exposed(prefix="/v1/lead-forms"),
        Exposed(prefix="/v1/opportunities"),
        Exposed(prefix="/v1/pipelines"),
        Exposed(prefix="/v1/opportunity-reasons"),
        Exposed(prefix="/v1/forecast"),
    ],
    scopes=[
        scopes.leads_read,
        scopes.leads_write,
        scopes.leads_assign,
        scopes.pii,
        scopes.read,
        scopes.write,
        scopes.assign,
        scopes.configure,
    ],
    default_roles={
        "sales": ["leads:*", "opportunities:read", "opportunities:write", "opportunities:assign"],
        "manager": ["leads:read", "opportunities:read", "opportunities:assign"],
        "viewer": ["leads:read", "opportunities:read"],
    },
    released=False,
    metadata=Base.metadata,
)
