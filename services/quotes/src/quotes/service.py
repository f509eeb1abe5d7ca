"""Quotes: what was offered to whom, on `quote.events`. An accepted quote becomes an order."""

from contracts.quotes import PUBLISHED
from quotes import projections, public, reactions, routes, timers
from quotes.base import Base
from quotes.scopes import authority as keep_authority
from quotes.scopes import margin, read, write
from tailrace.service import Exposed, Service

service = Service(
    name="quotes",
    topic="quote.events",
    publishes=PUBLISHED,
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
    routers=[public.router, routes.router],
    exposes=[Exposed(prefix="/v1/quotes"), Exposed(prefix=routes.PUBLIC, public=True)],
    scopes=[read, write, margin, keep_authority],
    default_roles={
        "sales": ["quotes:read", "quotes:write"],
        "accountant": ["quotes:read", "quotes:margin"],
        "manager": ["quotes:read"],
        "viewer": ["quotes:read"],
    },
    released=False,
    metadata=Base.metadata,
)
