"""Shipping: shipments, packages, and the carriers that take them, on `shipment.events`."""

from contracts import asns as notices
from contracts import carriage, return_shipments, shipment_papers
from contracts import shipments as events
from shipping import projections, reactions
from shipping.asns import routes as asns
from shipping.base import Base
from shipping.booking import commands as booking
from shipping.booking import partner, public
from shipping.booking import routes as bookings
from shipping.dates import dates
from shipping.labels import routes as labels
from shipping.papers import papers
from shipping.rates import imports
from shipping.rates import routes as rates
from shipping.returns import reactions as return_reactions
from shipping.returns import routes as returns
from shipping.routes import carriers, shipments
from shipping.scopes import operate, read, write
from tailrace.errands.routes import errands_router
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from tailrace.storage.attachments import MEGABYTE
from tailrace.transfer.routes import LARGEST, imports_router

service = Service(
    name="shipping",
    topic="shipment.events",
    publishes=(
        *events.PUBLISHED,
        *carriage.PUBLISHED,
        *notices.PUBLISHED,
        *return_shipments.PUBLISHED,
        *shipment_papers.PUBLISHED,
    ),
    subscribers=[
        dates,
        projections.days,
        projections.lots,
        projections.serials,
        projections.goods,
        projections.templates,
        reactions.order_requests,
        return_reactions.return_requests,
    ],
    timers=[booking.tracking_timer],
    errands=[booking.booking_errand, booking.cancellation_errand, booking.tracking_errand],
    attachments=[papers],
    imports=[imports.tariffs],
    routers=[
        jobs_router("/v1/tariffs/jobs", read),
        imports_router(imports.tariffs, "/v1/tariffs", read, write),
        errands_router("/v1/bookings/errands", operate),
        labels.router,
        rates.quotes_router,
        shipments.router,
        shipments.papers_router,
        carriers.router,
        rates.router,
        public.router,
        bookings.router,
        asns.router,
        returns.router,
    ],
    exposes=[
        Exposed(prefix="/v1/shipments", body_limit=21 * MEGABYTE),
        Exposed(prefix="/v1/carriers"),
        Exposed(prefix="/v1/tariffs"),
        Exposed(prefix="/v1/tariffs/import", body_limit=LARGEST, write_timeout=60.0),
        Exposed(prefix="/v1/bookings"),
        Exposed(prefix=partner.CALLBACKS, public=True),
        Exposed(prefix="/v1/asns"),
        Exposed(prefix="/v1/return-shipments"),
    ],
    scopes=[read, write, operate],
    default_roles={
        "sales": ["shipping:read"],
        "warehouse": ["shipping:*"],
        "manager": ["shipping:read"],
        "viewer": ["shipping:read"],
    },
    on_start=partner.prepare,
    metadata=Base.metadata,
)
