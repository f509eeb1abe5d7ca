"""Quotes: what was offered to whom, on `quote.events`. An accepted quote becomes an order."""

from contracts import quote_mails
from contracts.quotes import PUBLISHED
from quotes import links, mailing, projections, public, reactions, routes, timers
from quotes.base import Base
from quotes.scopes import authority as keep_authority
from quotes.scopes import margin, operate, read, write
from tailrace.errands.routes import errands_router
from tailrace.service import Exposed, Service

service = Service(
    name="quotes",
    topic="quote.events",
    publishes=(*PUBLISHED, *quote_mails.PUBLISHED),
    subscribers=[
        projections.days,
        projections.dates,
        projections.catalog,
        projections.customers,
        projections.opportunities,
        projections.sellers,
        projections.users,
        projections.roles,
        projections.teams,
        projections.templates,
        projections.costs,
        reactions.answers,
        reactions.orders,
        reactions.goings,
    ],
    timers=[timers.expiry, timers.ending, timers.handover],
    errands=[mailing.sending],
    routers=[public.router, errands_router("/v1/quotes/errands", operate), routes.router],
    exposes=[Exposed(prefix="/v1/quotes"), Exposed(prefix=links.PUBLIC, public=True)],
    scopes=[read, write, margin, keep_authority, operate],
    default_roles={
        "sales": ["quotes:read", "quotes:write"],
        "accountant": ["quotes:read", "quotes:margin"],
        "manager": ["quotes:read"],
        "viewer": ["quotes:read"],
    },
    released=False,
    metadata=Base.metadata,
)
