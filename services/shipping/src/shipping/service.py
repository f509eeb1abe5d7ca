"""Shipping: shipments, packages and carriers, on `shipment.events`."""

from contracts.shipments import PUBLISHED
from shipping import projections, reactions
from shipping.base import Base
from shipping.dates import dates
from shipping.routes import carriers, shipments
from shipping.scopes import read, write
from tailrace.service import Exposed, Service

service = Service(
    name="shipping",
    topic="shipment.events",
    publishes=PUBLISHED,
    subscribers=[dates, projections.days, projections.lots, reactions.order_requests],
    routers=[shipments.router, carriers.router],
    exposes=[Exposed(prefix="/v1/shipments"), Exposed(prefix="/v1/carriers")],
    scopes=[read, write],
    default_roles={"sales": ["shipping:read"], "warehouse": ["shipping:*"], "viewer": ["shipping:read"]},
    metadata=Base.metadata,
)
