"""Partners, on `partner.events`: what each may hear, and what fills its topics."""

from contracts import registry
from contracts.partners import PUBLISHED
from partners import filler, handing_out, opening, projections, public, routes
from partners.models import Base
from partners.scopes import read, write
from tailrace.service import Exposed, Service

service = Service(
    name="partners",
    topic="partner.events",
    publishes=PUBLISHED,
    follows=registry.topics(),
    gives_access=True,
    subscribers=[projections.days],
    timers=[opening.due],
    works=[filler.fill_all, handing_out.look_after],
    routers=[routes.router, public.router],
    exposes=[
        Exposed(prefix="/v1/partners"),
        Exposed(prefix="/v1/events", public=True, stream=True, read_timeout=40.0),
    ],
    scopes=[read, write],
    default_roles={"viewer": ["partners:read"]},
    released=False,
    platform_tables=frozenset({"filler", "filling", "login"}),
    on_start=handing_out.prepare,
    metadata=Base.metadata,
)
